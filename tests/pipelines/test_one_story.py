"""One tenant's week tells one story: a figure that stands in two experiences is the same in both, as published and as rendered."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from enum import Enum, auto
from itertools import product
from pathlib import Path
from random import Random

import pytest

from experiences.console.document import ConsoleDocument
from experiences.console.document import from_json as console_from_json
from experiences.digest.attention import effect_words
from experiences.digest.document import DigestDocument
from experiences.digest.document import from_json as digest_from_json
from experiences.digest.listing import FEW_ROWS
from experiences.digest.quiet import rows_shown
from experiences.digest.wording import days, money_exact, money_short, short_date
from experiences.portfolio.document import from_json as portfolio_from_json
from experiences.portfolio.overview import TenantOverview
from experiences.test_drive.document import from_json as drive_from_json
from experiences.tray.document import TrayDocument
from experiences.tray.document import from_json as tray_from_json
from resources.clock import FixedClock
from resources.documents import Document, FirmDocument
from resources.installation import Installation
from resources.tenants import tenant_id
from runway_calcs.pay_plan.apart import WhyApart
from tests.assets.office import Office
from tests.conftest import FRIDAY
from tests.experiences.parsed import parse
from tests.firm import Company, Firm, dagster_instance
from tests.pipelines.asked import KINDS, Log
from tests.pipelines.deciding import decide, rule
from tests.pipelines.told_a_week_before import same_week_before
from tests.pipelines.told_in_text import same_in_text
from tests.pipelines.told_of_payments import same_payments
from tests.pipelines.told_on_pages import same_as_read
from tests.sandbox import Sandbox

_INDUSTRIES = ("marketing_agency", "construction", "professional_services", "e_commerce", "consulting")
_SIZES, _SHARES = ("micro", "small", "medium"), (44, 5, 1)
_WEEK = timedelta(weeks=1)
#: The slice of the fifty whose companies are connected for a week.
_A_WEEK_OLD = 40


class _Due(Enum):
    """When a bill is due."""

    OVERDUE = auto()
    WEEK = auto()
    LATER = auto()


@pytest.fixture
def firm(tmp_path: Path, installation: Installation, sandbox: Sandbox) -> Iterator[Firm]:
    with dagster_instance(tmp_path / "dagster") as instance:
        yield Firm(installation, instance, sandbox)


def _found_company(firm: Firm, tenant: str, *, seed: int, size: str = "") -> Company:
    """A company of its seed's industry and size, and its books, read."""
    drawn = size or Random(seed).choices(_SIZES, _SHARES)[0]  # noqa: S311 - a reproducible draw
    # What a company opens with covers its whole history, or is drawn: then the cash of some runs out.
    opening = "drawn" if seed // 10 % 2 else "covered"
    industry = _INDUSTRIES[seed % len(_INDUSTRIES)]
    company = firm.company(tenant, industry=industry, size=drawn, seed=seed, opening=opening)
    firm.succeed("tenant_sync", tenant)
    return company


def _decide(firm: Firm, clock: FixedClock, tenant: str, *, seed: int, before: date, is_first: bool) -> None:
    """What people do once they have read the pages of a week."""
    office = Office(firm.installation, clock, tenant=tenant_id(tenant))
    if is_first:
        office.hire(firm_id="oak")
    else:
        office.grant_roles()
    clock.sleep(60)
    decide(office, dice=Random(seed))  # noqa: S311 - a reproducible draw
    rule(office, tray_from_json(_published(firm, tenant, kind="tray", friday=before).body))
    clock.sleep(60)


def _live_on(firm: Firm, clock: FixedClock, tenants: Sequence[str], *, seeds: Sequence[int]) -> None:
    """Read the pages of the Friday, decide, and come back a week later, when proposals are over and payments due."""
    for tenant, seed in zip(tenants, seeds, strict=True):
        firm.calculate(tenant, friday=FRIDAY)
        _decide(firm, clock, tenant, seed=seed, before=FRIDAY, is_first=tenant == tenants[0])
    clock.move_to(clock.now() + _WEEK)
    for tenant in tenants:
        firm.succeed("tenant_sync", tenant)


def _published(firm: Firm, tenant: str, *, kind: str, friday: date) -> Document:
    found = firm.installation.documents.read(tenant_id(tenant), kind=kind, key=friday.isoformat())
    assert found is not None, f"{tenant} has no {kind} of {friday}"
    return found


def _of_the_firm(firm: Firm, *, kind: str, friday: date) -> FirmDocument:
    found = firm.installation.documents.read_for_firm("oak", kind=kind, key=friday.isoformat())
    assert found is not None, f"the firm has no {kind} of {friday}"
    return found


def _tell(firm: Firm, *tenants: str, friday: date) -> None:
    """Run a Friday, the look back on the one before, and the portfolio, and compare everything that is told twice."""
    for tenant in tenants:
        firm.succeed("friday", tenant, week_ending=friday)
        firm.test_drive(tenant, week_ending=friday, weeks=1)
    firm.portfolio()
    for kind in ("portfolio", "firm_exceptions"):
        same_in_text(_of_the_firm(firm, kind=kind, friday=friday), is_mail=kind == "firm_exceptions")
    for tenant in tenants:
        _compare(firm, tenant, friday=friday)


def _compare(firm: Firm, tenant: str, *, friday: date) -> None:
    """Everything that is told twice of one tenant's week."""
    kinds = ("friday_digest", "tray", "console", "test_drive")
    shelf = {kind: _published(firm, tenant, kind=kind, friday=friday) for kind in kinds}
    digest = digest_from_json(shelf["friday_digest"].body)
    tray = tray_from_json(shelf["tray"].body)
    console = console_from_json(shelf["console"].body)
    portfolio = _of_the_firm(firm, kind="portfolio", friday=friday)
    (row,) = [one for one in portfolio_from_json(portfolio.body).rows if one.tenant_id == tenant]
    pages = {kind: parse(one.html).text for kind, one in shelf.items()} | {"portfolio": parse(portfolio.html).text}

    assert digest.data_as_of == tray.data_as_of == console.data_as_of == row.data_as_of
    _same_runway(digest, row, pages)
    _same_cash(digest, console, row, pages)
    _same_bills(digest, console)
    _same_plan(digest, console, pages)
    _same_defects(digest, tray, row, pages)
    same_payments(digest, console, row)
    before = {kind: _published(firm, tenant, kind=kind, friday=friday - _WEEK) for kind in ("friday_digest", "tray")}
    same_week_before(
        digest,
        row,
        drive_from_json(shelf["test_drive"].body),
        before=digest_from_json(before["friday_digest"].body),
        tray=tray_from_json(before["tray"].body),
    )
    mail = _of_the_firm(firm, kind="firm_exceptions", friday=friday)
    html = {kind: one.html for kind, one in shelf.items()}
    same_as_read(tenant, html, friday=friday, before=before["friday_digest"], portfolio=portfolio.html, mail=mail.text)
    for kind, document in shelf.items():
        same_in_text(document, is_mail=kind == "friday_digest")


def _same_runway(digest: DigestDocument, row: TenantOverview, pages: dict[str, str]) -> None:
    runway = digest.runway
    assert (row.state, row.days, row.covered_until) == (runway.state, runway.days, runway.covered_until)
    assert (row.cautious_until, row.cautious_days) == (runway.cautious_until, runway.cautious_days)
    assert (row.low_cents, row.low_on, row.week_ending) == (runway.low_cents, runway.low_on, digest.week_ending)
    told = [short_date(day, near=digest.as_of) for day in (runway.covered_until, runway.cautious_until) if day]
    told += [days(count) for count in (runway.days, runway.cautious_days) if count is not None]
    if runway.low_cents is not None:
        told.append(money_short(runway.low_cents, currency=digest.currency))
    for words in told:
        assert words in pages["friday_digest"], words
        assert words in pages["portfolio"], words


def _same_cash(digest: DigestDocument, console: ConsoleDocument, row: TenantOverview, pages: dict[str, str]) -> None:
    assert digest.cash.cash_cents == console.cash_cents == row.cash_cents
    assert (digest.runway.floor_cents, digest.runway.reserved_cents) == (console.floor_cents, console.reserved_cents)
    assert digest.cash.cash_cents is not None
    exact, short = (form(digest.cash.cash_cents, currency=digest.currency) for form in (money_exact, money_short))
    assert exact in pages["friday_digest"]
    assert exact in pages["console"]
    assert short in pages["portfolio"]


def _same_bills(digest: DigestDocument, console: ConsoleDocument) -> None:
    """What is past due and what falls due within the week, counted and summed over the console's bills and what is beside its plan.

    Of a bill that is decided as a whole the console does not say when it is due: each may be in either list, or in none.
    """
    assert console.count == len(console.bills)
    cents, late = Counter[str](), {one.bill_id: one.priority.overdue_days for one in console.bills}
    for bill_id, part in [
        *((one.bill_id, one.open_cents) for one in console.bills),
        *((one.bill_id, one.cents) for one in console.unplanned),
    ]:
        cents[bill_id] += part
    late |= {one.bill_id: 1 for one in console.unplanned if one.why is WhyApart.PROBABLY_DEAD}
    of = {
        bill_id: _Due.OVERDUE if days > 0 else _Due.WEEK if days >= -7 else _Due.LATER for bill_id, days in late.items()
    }
    decided = sorted(cents.keys() - of.keys())
    possible = []
    for guess in product(_Due, repeat=len(decided)):
        dues = of | dict(zip(decided, guess, strict=True))
        possible.append(
            [[cents[one] for one, due in dues.items() if due is wanted] for wanted in (_Due.OVERDUE, _Due.WEEK)]
        )
    told = [(one.count, one.total_cents) for one in (digest.money_out.overdue, digest.money_out.due)]
    assert told in [[(len(found), sum(found)) for found in both] for both in possible]


def _same_plan(digest: DigestDocument, console: ConsoleDocument, pages: dict[str, str]) -> None:
    plan, proposal, until = digest.money_out.plan, console.plan, digest.money_out.until
    assert plan is not None
    assert proposal is not None
    assert (plan.low_cents, plan.low_on, plan.words) == (proposal.low_cents, proposal.low_on, proposal.words)
    assert plan.balance_after_cents == proposal.balance_cents[(until - digest.as_of).days - 1]
    paid = [
        one.cash_cents
        for bill in console.bills
        for one in (bill.planned.payments if bill.planned else ())
        if one.paid_on <= until
    ]
    assert (plan.payments.count, plan.payments.total_cents) == (len(paid), sum(paid))
    counted = {one.why: (one.count, one.total_cents) for one in plan.unplanned}
    apart = {why: [one.cents for one in console.unplanned if one.why is why] for why in WhyApart}
    assert counted == {why: (len(found), sum(found)) for why, found in apart.items() if found}
    assert ("Not planned: " in pages["friday_digest"]) == ("Not planned" in pages["console"]) == bool(counted)
    assert plan.discounts.total_cents == sum(bill.priority.discount_cents for bill in console.bills)
    for line in plan.waiting.rows[: rows_shown(digest)]:
        amount = money_exact(line.amount_cents, currency=digest.currency)
        assert amount in pages["friday_digest"]
    assert (plan.short_cents, plan.short_on) == (proposal.short_cents, proposal.short_on)
    if console.bills:
        told = f"The plan is {plan.words}."
        if plan.short_cents is not None:
            told = f"The plan is not feasible, short by {money_exact(plan.short_cents, currency=digest.currency)} on "
        assert told in pages["console"]
        assert told in pages["friday_digest"]


def _same_defects(digest: DigestDocument, tray: TrayDocument, row: TenantOverview, pages: dict[str, str]) -> None:
    found = digest.data_to_fix
    assert found.defects.count == tray.count == row.tray_count
    assert (found.score, found.set_aside, row.blocking_count) == (tray.score, tray.set_aside_count, tray.blocking_count)
    rows = found.defects.rows
    assert len(rows) == min(tray.count, FEW_ROWS)
    for line, item in zip(rows, tray.items[: len(rows)], strict=True):
        assert (line.label, line.runway_days, line.low_cents) == (item.label, item.runway_days, item.low_cents)
    for item in tray.items[: len(rows[: rows_shown(digest)])]:
        for words in effect_words(
            item.effect,
            runway_days=item.runway_days,
            is_bound=item.is_bound,
            low_cents=item.low_cents,
            currency=tray.currency,
        ):
            assert words in pages["friday_digest"], words
            assert words in pages["tray"], words


def test_what_two_experiences_say_is_the_same_and_only_the_sync_asks_quickbooks(firm: Firm, clock: FixedClock) -> None:
    """Two Fridays with decisions between, by the log that QuickBooks itself keeps: the books are read, and then what changed."""
    log = Log(firm, _found_company(firm, "acme", seed=3, size="micro").realm_id)
    assert log.news() == ["companyinfo", "preferences", *(f"{kind} from 1" for kind in KINDS), "cdc"]
    _live_on(firm, clock, ["acme"], seeds=[3])
    assert log.news() == ["cdc", "companyinfo"], "of the two that no change data tells, the one read first is due"
    _tell(firm, "acme", friday=FRIDAY + _WEEK)
    assert log.news() == [], "whoever comes after the sync reads what it kept"


@pytest.mark.long
@pytest.mark.timeout(1_500)
@pytest.mark.parametrize("first", range(0, 50, 10))
def test_what_two_experiences_say_is_the_same_for_fifty_companies(firm: Firm, clock: FixedClock, first: int) -> None:
    """Forty that are connected today, with a week before that is rebuilt, and ten that are a week old."""
    seeds = range(first, first + 10)
    tenants = [f"seed-{seed}" for seed in seeds]
    for tenant, seed in zip(tenants, seeds, strict=True):
        print(f"company {tenant}: seed {seed}")  # noqa: T201 - long runs print their seeds
        _found_company(firm, tenant, seed=seed)
    if first == _A_WEEK_OLD:
        _live_on(firm, clock, tenants, seeds=seeds)
        _tell(firm, *tenants, friday=FRIDAY + _WEEK)
        return
    for tenant, seed in zip(tenants, seeds, strict=True):
        firm.calculate(tenant, friday=FRIDAY - _WEEK)
        # In two of five nobody has decided anything yet.
        if seed % 5 not in (1, 3) or seed == first:
            _decide(firm, clock, tenant, seed=seed, before=FRIDAY - _WEEK, is_first=seed == first)
            firm.succeed("tenant_sync", tenant)
    _tell(firm, *tenants, friday=FRIDAY)
