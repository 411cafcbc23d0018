"""One tenant's week tells one story: a figure that stands in two experiences is the same in both, as published and as rendered."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from experiences.console.document import ConsoleDocument
from experiences.console.document import from_json as console_from_json
from experiences.digest.attention import effect_words
from experiences.digest.document import DigestDocument
from experiences.digest.document import from_json as digest_from_json
from experiences.digest.priority_facts import MOST_ROWS
from experiences.digest.wording import counted, days, money_exact, money_short, short_date
from experiences.portfolio.document import from_json as portfolio_from_json
from experiences.portfolio.overview import TenantOverview
from experiences.tray.document import TrayDocument
from experiences.tray.document import from_json as tray_from_json
from resources.clock import FixedClock
from resources.documents import Document, FirmDocument
from resources.installation import Installation
from resources.tenants import tenant_id
from runway_calcs.pay_plan.apart import WhyApart
from tests.conftest import FRIDAY
from tests.experiences.parsed import parse
from tests.experiences.rendered_tables import Row, Table, cents, table_about, tables
from tests.firm import Firm, dagster_instance
from tests.pipelines.asked import KINDS, Log
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
    """Run the Friday of a tenant whose books were read, and the portfolio, and compare everything that is told twice."""
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

    assert digest.data_as_of == tray.data_as_of == console.data_as_of == row.data_as_of
    _same_runway(digest, row, pages)
    _same_cash(digest, console, row, pages)
    _same_plan(digest, console, pages)
    _same_defects(digest, tray, row, pages)
    _same_as_read(firm, tenant, shelf, portfolio)


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
    told = {one.why: (one.count, one.total_cents) for one in plan.unplanned}
    apart = {why: [one.cents for one in console.unplanned if one.why is why] for why in WhyApart}
    assert told == {why: (len(found), sum(found)) for why, found in apart.items() if found}
    assert ("Not planned: " in pages["friday_digest"]) == ("Not planned" in pages["console"]) == bool(told)
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
    rows = found.defects.rows
    assert len(rows) == min(tray.count, MOST_ROWS)
    for line, item in zip(rows, tray.items[: len(rows)], strict=True):
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


def _same_as_read(firm: Firm, tenant: str, shelf: dict[str, Document], portfolio: FirmDocument) -> None:
    """Figures as they stand on one page, read off it and looked for on the others."""
    digest, tray, console = (shelf[kind].html for kind in ("friday_digest", "tray", "console"))
    (at, row) = next((at, row) for at in tables(portfolio.html) for row in at.rows if row.label == tenant)
    told = parse(digest).text
    _portfolio_row_as_read(at, row, told=told)
    by_kind, by_account = table_about(digest, "Counted as cash"), parse(console).text
    assert by_kind is not None
    cash = by_kind.rows[-1].values[0]
    assert f"Cash {cash}, floor" in by_account
    assert at.value(row, "Cash") == money_short(cents(cash), currency="USD")
    assert money_short(cents(_after(by_account, "floor")), currency="USD") == _after(told, "floor of")
    _fixes_as_read(digest, tray, count=at.value(row, "To fix"))
    _bills_as_read(digest, [one for one in tables(console) if one.columns[:2] == ["Bill", "Open"]])
    mail = firm.installation.documents.read_for_firm("oak", kind="firm_exceptions", key=FRIDAY.isoformat())
    assert mail is not None
    # Under the name in the portfolio stands why the client is in the mail, if it is.
    assert (f"* {tenant}\n" in mail.text) == bool(row.detail), row
    if row.detail:
        _firm_mail_as_read(mail.text.split(f"* {tenant}\n")[1].split("\n* ")[0], at, row)


def _firm_mail_as_read(entry: str, at: Table, row: Row) -> None:
    """What the firm's mail says of a client stands in its line of the portfolio."""
    assert f"Cash {at.value(row, 'Cash')}" in entry
    assert f"low point {at.value(row, 'Low point')} on {at.small_print(row, 'Low point')}" in entry
    if at.small_print(row, "Covered until"):
        assert f"Covered until {at.value(row, 'Covered until')} ({at.small_print(row, 'Covered until')})" in entry
    if at.small_print(row, "Cautious date"):
        assert f"cautious date {at.value(row, 'Cautious date')} ({at.small_print(row, 'Cautious date')})" in entry
    if at.value(row, "To fix") != "0":
        assert f"{counted(int(at.value(row, 'To fix')), 'entry', 'entries')} to fix" in entry
    assert f"Books read on {at.value(row, 'Books read')}." in entry


def _portfolio_row_as_read(at: Table, row: Row, *, told: str) -> None:
    until, cautious = at.value(row, "Covered until"), at.value(row, "Cautious date")
    if at.small_print(row, "Covered until"):
        assert f"Covered until {until}" in told
        assert f"{at.small_print(row, 'Covered until')} from" in told
    else:
        assert "Covered beyond" in told
    if at.small_print(row, "Cautious date"):
        assert f"Cautious date: {cautious} ({at.small_print(row, 'Cautious date')})" in told
    assert f"ow point {at.value(row, 'Low point')} on {at.small_print(row, 'Low point')}" in told


def _after(text: str, words: str) -> str:
    """The amount that follows these words."""
    found = re.search(rf"{re.escape(words)} (-?\$[\d.,]*\d[kMB]?)", text)
    assert found is not None, words
    return found.group(1)


def _fixes_as_read(digest: str, tray: str, *, count: str) -> None:
    """Each entry that the digest names stands in the tray with the same effect; a long tray is in parts."""
    short = table_about(digest, "By what mending it changes")
    whole = [(at, row) for at in tables(tray) if at.caption == "By what mending each changes" for row in at.rows]
    if short is None:
        assert (whole, count) == ([], "0")
        return
    assert len(whole) == int(count)
    assert f": {counted(int(count), 'entry', 'entries')}" in short.caption
    assert f"{counted(int(count), 'entry', 'entries')} to look at" in parse(tray).text
    for one in short.rows:
        label, told = (
            one.label.rstrip("\N{HORIZONTAL ELLIPSIS}"),
            [short.value(one, at) for at in ("Runway", "Low point")],
        )
        same = [
            [at.value(row, column) for column in ("Runway", "Low point")]
            for at, row in whole
            if row.label.startswith(label)
        ]
        assert told in same, label


def _bills_as_read(digest: str, console: list[Table]) -> None:
    """Each bill that the digest names stands in the console with the same number, amount and day."""
    bills = [(at, row) for at in console for row in at.rows]

    def of(line: Row) -> list[tuple[Table, Row]]:
        number = re.search(r"no\. [^,]+", line.detail)
        return [
            (at, row)
            for at, row in bills
            if row.label == line.label
            and (number is None or re.search(rf"{re.escape(number.group())}(?!\w)", row.detail) is not None)
        ]

    for beginning in ("Bills past due", "Bills expected to be paid"):
        for line in _rows(digest, beginning):
            open_as_told = re.search(r"of (\$[\d.,]+\d) open", line.detail)
            owed = open_as_told.group(1) if open_as_told else line.values[0]
            assert owed in {at.value(row, "Open") for at, row in of(line)}, line
    for line in _rows(digest, "Bills in the plan"):
        day, *_ = line.detail.split(",")
        planned = [at.value(row, "In the plan") for at, row in of(line) if "In the plan" in at.columns]
        assert any(day in text for text in planned), (line, planned)
    for line in _rows(digest, "Bills that can wait"):
        found = {at.value(row, "Open") for at, row in of(line) if "In the plan" in at.columns}
        assert line.values[0] in found, line


def _rows(html: str, beginning: str) -> list[Row]:
    found = table_about(html, beginning)
    return [] if found is None else found.rows


def test_what_two_experiences_say_is_the_same_and_only_the_sync_asks_quickbooks(firm: Firm, clock: FixedClock) -> None:
    """Two Fridays, by the log that QuickBooks itself keeps: the books are read once, and then what changed."""
    log = Log(firm, firm.company("acme", industry="construction", size="small", seed=3).realm_id)
    firm.succeed("tenant_sync", "acme")
    assert log.news() == ["companyinfo", "preferences", *(f"{kind} from 1" for kind in KINDS), "cdc"]
    _tell(firm, "acme")
    assert log.news() == [], "whoever comes after the sync reads what it kept"
    clock.move_to(clock.now() + timedelta(days=7))
    firm.succeed("tenant_sync", "acme")
    assert log.news() == ["cdc", "companyinfo"], "of the two that no change data tells, the one read first is due"


@pytest.mark.long
@pytest.mark.timeout(1_500)
@pytest.mark.parametrize("first", range(0, 50, 10))
def test_what_two_experiences_say_is_the_same_for_fifty_companies(firm: Firm, first: int) -> None:
    for seed in range(first, first + 10):
        tenant = f"seed-{seed}"
        print(f"company {tenant}: seed {seed}")  # noqa: T201 - long runs print their seeds
        firm.company(tenant, industry=_INDUSTRIES[seed % len(_INDUSTRIES)], size="micro", seed=seed)
        firm.succeed("tenant_sync", tenant)
        _tell(firm, tenant)
