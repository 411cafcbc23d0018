"""One tenant's week tells one story: a figure that stands in two experiences is the same in both, as published and as rendered."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from experiences.console.document import ConsoleDocument
from experiences.console.document import from_json as console_from_json
from experiences.digest.attention import effect_words
from experiences.digest.document import DigestDocument
from experiences.digest.document import from_json as digest_from_json
from experiences.digest.wording import days, money_exact, money_short, short_date
from experiences.portfolio.document import from_json as portfolio_from_json
from experiences.portfolio.overview import TenantOverview
from experiences.tray.document import TrayDocument
from experiences.tray.document import from_json as tray_from_json
from resources.documents import Document
from resources.installation import Installation
from resources.tenants import tenant_id
from tests.conftest import FRIDAY
from tests.experiences.parsed import parse
from tests.firm import Firm, dagster_instance
from tests.sandbox import Sandbox

_INDUSTRIES = ("consulting", "construction", "marketing_agency", "consulting", "construction")


@pytest.fixture
def firm(tmp_path: Path, installation: Installation, sandbox: Sandbox) -> Iterator[Firm]:
    with dagster_instance(tmp_path / "dagster") as instance:
        yield Firm(installation, instance, sandbox)


def _published(firm: Firm, tenant: str, *, kind: str) -> Document:
    found = firm.installation.documents.read(tenant_id(tenant), kind=kind, key=FRIDAY.isoformat())
    assert found is not None, f"{tenant} has no {kind}"
    return found


def _tell(firm: Firm, tenant: str) -> None:
    """Run a tenant's Friday and the portfolio, and compare everything that is told twice."""
    firm.succeed("tenant_sync", tenant)
    firm.succeed("friday", tenant, week_ending=FRIDAY)
    firm.portfolio()
    shelf = {kind: _published(firm, tenant, kind=kind) for kind in ("friday_digest", "tray", "console")}
    digest = digest_from_json(shelf["friday_digest"].body)
    tray = tray_from_json(shelf["tray"].body)
    console = console_from_json(shelf["console"].body)
    portfolio = firm.installation.documents.read_for_firm("oak", kind="portfolio", key=FRIDAY.isoformat())
    assert portfolio is not None
    (row,) = [one for one in portfolio_from_json(portfolio.body).rows if one.tenant_id == tenant]
    pages = {kind: parse(one.html).text for kind, one in shelf.items()} | {"portfolio": parse(portfolio.html).text}

    _same_runway(digest, row, pages)
    _same_cash(digest, console, row, pages)
    _same_plan(digest, console, pages)
    _same_defects(digest, tray, row, pages)


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
    assert plan.discounts.total_cents == sum(bill.priority.discount_cents for bill in console.bills)
    for line in plan.waiting.rows:
        amount = money_exact(line.amount_cents, currency=digest.currency)
        assert amount in pages["friday_digest"]
    if console.bills:
        assert f"The plan is {proposal.words}." in pages["console"]
        assert f"The plan is {plan.words}." in pages["friday_digest"]


def _same_defects(digest: DigestDocument, tray: TrayDocument, row: TenantOverview, pages: dict[str, str]) -> None:
    found = digest.data_to_fix
    assert found.defects.count == tray.count == row.tray_count
    assert (found.score, found.set_aside, row.blocking_count) == (tray.score, tray.set_aside_count, tray.blocking_count)
    for line, item in zip(found.defects.rows, tray.items, strict=False):
        assert (line.label, line.runway_days, line.low_cents) == (item.label, item.runway_days, item.low_cents)
        for words in effect_words(
            item.effect,
            runway_days=item.runway_days,
            is_bound=item.is_bound,
            low_cents=item.low_cents,
            currency=tray.currency,
        ):
            assert words in pages["friday_digest"], words
            assert words in pages["tray"], words


def test_what_two_experiences_say_is_the_same(firm: Firm) -> None:
    firm.company("acme", industry="construction", size="small", seed=3)
    _tell(firm, "acme")


@pytest.mark.long
@pytest.mark.timeout(3_000)
def test_what_two_experiences_say_is_the_same_for_fifty_companies(firm: Firm) -> None:
    for seed in range(50):
        tenant = f"seed-{seed}"
        print(f"company {tenant}: seed {seed}")  # noqa: T201 - long runs print their seeds
        firm.company(tenant, industry=_INDUSTRIES[seed % len(_INDUSTRIES)], size="micro", seed=seed)
        _tell(firm, tenant)
