"""What digest, console and portfolio tell of the payment ledger, compared: as published, and as read off their pages."""

import re
from datetime import date

from experiences.console.document import ConsoleDocument
from experiences.console.ledger_facts import ConsoleLedger
from experiences.digest.document import DigestDocument
from experiences.digest.payment_workflow import Tally
from experiences.digest.wording import counted, money_exact
from experiences.portfolio.overview import TenantOverview
from tests.conftest import FRIDAY
from tests.experiences.parsed import parse
from tests.experiences.rendered_tables import Row, Table, cents, table_about

_UNDER_WAY = "In the payment ledger on"
_FREE = "From the cash in the books to free cash"
_BESIDE = {"decided": "decided already", "open": "so long past due"}
#: What the digest calls what the console says below a hold.
_STATES = {
    "set aside": "Decided and set aside",
    "set aside later": "Decided, set aside later",
    "paid, not in a balance yet": "Paid, in no balance yet",
}


def same_payments(digest: DigestDocument, console: ConsoleDocument, row: TenantOverview) -> None:
    """The published facts: what is under way, what is free, what is put by, and whom it waits for."""
    workflow, ledger = digest.workflow, console.ledger
    assert workflow is not None
    assert ledger is not None
    assert workflow.free_cents == ledger.free_cents
    for tally, state in ((workflow.set_aside, "pending"), (workflow.later, "soft"), (workflow.unsettled, "posted")):
        assert tally == _tally([one.amount_cents for one in ledger.holds if one.state == state]), state
    assert workflow.proposed == _tally([one.amount_cents for one in ledger.staged])
    assert row.to_decide == len(ledger.staged)
    # What came due since the people decided may wait for a fresh balance.
    assert (
        _due(ledger, by=FRIDAY) <= row.due + row.to_seal + row.sealed + row.to_review <= _due(ledger, by=console.as_of)
    )
    assert digest.runway.reserved_cents == sum(one.held_cents for one in ledger.reserves)


def _tally(amounts: list[int]) -> Tally:
    return Tally(count=len(amounts), cents=sum(amounts))


def _due(ledger: ConsoleLedger, *, by: date) -> int:
    """The decided payments that wait for no day of their own."""
    return sum(one.state == "pending" and one.pay_on <= by for one in ledger.holds)


def payments_as_read(digest: str, console: str, at: Table, row: Row) -> None:
    """The pages: of the tenant's line in the portfolio, `at` is the table and `row` the line."""
    told, on_console = parse(digest).text, parse(console).text
    under_way = _under_way(digest)
    free = table_about(console, _FREE)
    assert free is not None
    for small, label in _STATES.items():
        held = [one for one in free.rows if re.search(rf"(^| ){re.escape(small)}$", one.detail)]
        assert len(held) == under_way.get(label, (0, ""))[0], label
        if small == "set aside later":
            assert {one.values[0] for one in held} <= {""}, "it is still free"
        else:
            assert -_sum(held) == cents(under_way[label][1] if held else "$0.00"), label
    _staged_as_read(under_way, console, on_console)
    _free_as_read(free, told=told if under_way else "", on_console=on_console)
    _accounts_as_read(digest, free)
    _beside_as_read(told, console)
    _waiting_as_read(under_way, at, row)


def _under_way(digest: str) -> dict[str, tuple[int, str]]:
    """Count and amount of each line of the digest's table."""
    table = table_about(digest, _UNDER_WAY)
    lines = [] if table is None else [(*one.label.split(": "), one.values[0]) for one in table.rows]
    return {label: (int(number.split()[0]), amount) for label, number, amount in lines}


def _staged_as_read(under_way: dict[str, tuple[int, str]], console: str, on_console: str) -> None:
    staged = table_about(console, "Proposed for payment, not decided")
    if staged is None:
        assert "Proposed, not decided" not in under_way
        return
    count, amount = under_way["Proposed, not decided"]
    assert (count, cents(amount)) == (len(staged.rows), _sum(staged.rows))
    assert f"{counted(count, 'bill')} staged, {amount} together." in on_console


def _free_as_read(free: Table, *, told: str, on_console: str) -> None:
    *above, last = free.rows
    assert last.label == "Free cash"
    amount = last.values[0]
    assert sum(cents(one.values[0]) for one in above if one.values[0]) == cents(amount)
    assert f"Free cash {amount}." in on_console
    assert not told or f"Free cash {amount}: " in told
    put_by = -_sum([one for one in above if one.detail.endswith(" reserve")])
    words = f"Reserves hold {money_exact(put_by, currency='USD')} of it."
    assert (words in on_console) if put_by else ("Reserves hold" not in on_console)


def _accounts_as_read(digest: str, free: Table) -> None:
    """Each account that the digest counts as cash is one that free cash starts from, by name and to the cent."""
    by_account = table_about(digest, "Counted as cash")
    assert by_account is not None
    if "Bank entries dated after" in parse(digest).text:
        return  # what is dated later and goes out is no free cash any more
    start = sorted((one.label, one.values[0]) for one in free.rows if one.detail == "in the books")
    *accounts, total = by_account.rows
    assert sorted((one.label, one.values[0]) for one in accounts) == start
    assert cents(total.values[0]) == sum(cents(amount) for _, amount in start)


def _beside_as_read(told: str, console: str) -> None:
    """The bills beside the plan, by reason."""
    table = table_about(console, "Open bills beside the plan")
    rows = [] if table is None else table.rows
    for beginning, words in _BESIDE.items():
        apart = [one for one in rows if one.values[1].startswith(f"Not planned: {beginning}")]
        amount = money_exact(_sum(apart), currency="USD")
        assert (f"{counted(len(apart), 'bill')} of {amount} {words}" in told) == bool(apart), words
    assert all(one.values[1].startswith(tuple(f"Not planned: {words}" for words in _BESIDE)) for one in rows)


def _waiting_as_read(under_way: dict[str, tuple[int, str]], at: Table, row: Row) -> None:
    words = re.findall(r"([\d,]+) (to \w+|due in no batch yet|on the way)", at.small_print(row, "Payments waiting"))
    waiting = {what: int(number.replace(",", "")) for number, what in words}
    assert at.value(row, "Payments waiting") == (f"{sum(waiting.values()):,}" if waiting else "")
    assert waiting.get("to decide", 0) == under_way.get("Proposed, not decided", (0, ""))[0]
    due = sum(waiting.get(what, 0) for what in ("due in no batch yet", "to finalize", "on the way", "to review"))
    assert due <= under_way.get("Decided and set aside", (0, ""))[0]


def _sum(rows: list[Row]) -> int:
    return sum(cents(one.values[0]) for one in rows)
