"""The ledger of a past moment: what was decided, added or ended later changes nothing of it, and its free cash is the view's."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from payments.bills.postponing import withdraw
from payments.bills.waiting import payments_waiting
from payments.cash.free_cash import enter_bank_balance, set_floor
from payments.cash.holds import post
from payments.cash.known_holds import KnownLedger, known_ledger
from payments.cash.reserves import allocate, close, open_reserve, release, reserves
from payments.store.cash_tables import FREE_CASH
from tests.payments.desk import CHECKING, Desk, make_bill

_SUMS = ("account_id", "basis_cents", "floor_cents", "reserved_cents", "pending_cents", "posted_cents", "free_cents")


def known(desk: Desk, at: datetime) -> KnownLedger:
    with desk.ledger.look(desk.tenant) as look:
        return known_ledger(look, known_until=at)


def _of_the_tables(desk: Desk) -> dict[str, Any]:
    """The sums that the database has now, and what is in each reserve."""
    with desk.ledger.look(desk.tenant) as look:
        row = look.one(FREE_CASH, account_id=CHECKING)
        assert row is not None
        held = {one.name: (one.held_cents, one.committed_cents) for one in reserves(look) if one.is_open}
    return {name: row[name] for name in _SUMS} | held


def _of(ledger: KnownLedger) -> dict[str, Any]:
    """The same of a known ledger."""
    (cash,) = ledger.accounts
    held = {one.name: (one.held_cents, one.committed_cents) for one in ledger.reserves}
    return {name: getattr(cash, name) for name in _SUMS} | held


def _weeks(desk: Desk) -> list[Callable[[], Any]]:
    """What becomes of three bills and two reserves, one act after the other."""
    bills = [make_bill(name, open_cents=cents) for name, cents in (("b1", 10_000), ("b2", 20_000), ("b3", 30_000))]
    made: dict[str, Any] = {}
    where = (desk.ledger, desk.tenant)

    def opened(name: str, **what: Any) -> None:
        made[name] = open_reserve(*where, by="dan", name=name, account_id=CHECKING, **what)

    def moved(verb: Any, name: str, cents: int) -> None:
        wanted = {"reserve_id": made[name], "amount_cents": cents, "reason": "quarter", "request_key": desk.key()}
        verb(*where, by="dan", **wanted)

    def recorded() -> None:
        with desk.ledger.act(desk.tenant, actor="system:drive", kind="payment recorded") as act:
            post(act, hold_id=made["b1"].hold_id, recorded_at=desk.clock.now())

    return [
        lambda: desk.sync(*bills, cash=100_000),
        lambda: set_floor(*where, by="oli", account_id=CHECKING, floor_cents=5_000, kind="next_payroll"),
        lambda: opened("Tax", kind="tax", vendor_ids=["v-b2"]),
        lambda: opened("Pay", kind="payroll", vendor_ids=[]),
        lambda: moved(allocate, "Tax", 8_000),
        lambda: moved(allocate, "Pay", 3_000),
        lambda: desk.ready("b1", "b2", "b3"),
        lambda: made.update(b1=desk.pay_now("b1", amount_cents=6_000)),
        lambda: desk.schedule("b2"),
        lambda: desk.delay("b3"),
        lambda: withdraw(*where, by="dan", bill_id="b2", reason="wrong company", request_key=desk.key()),
        recorded,
        lambda: moved(release, "Tax", 8_000),
        lambda: close(*where, by="dan", reserve_id=made["Tax"]),
        lambda: enter_bank_balance(*where, by="oli", account_id=CHECKING, bank_cents=91_000),
        lambda: desk.sync(make_bill("b1", open_cents=4_000), bills[1], bills[2], cash=94_000),
    ]


def test_each_past_moment_is_told_as_it_was_and_its_free_cash_is_that_of_the_database(bare_desk: Desk) -> None:
    desk = bare_desk
    desk.policy(separation_above_cents=50_000)
    told: list[tuple[datetime, KnownLedger]] = []
    for act in _weeks(desk):
        act()
        now = desk.later(minutes=1)
        told.append((now, known(desk, now)))
        assert _of(told[-1][1]) == _of_the_tables(desk)
        desk.later(minutes=1)
    assert [known(desk, at) for at, _ in told] == [ledger for _, ledger in told]
    assert known(desk, told[0][0].replace(year=2020)) == KnownLedger(
        accounts=(), holds=(), reserves=(), proposals=(), delayed=(), unapproved_bill_ids=frozenset()
    )
    decided, scheduled, delayed = (ledger for _, ledger in told[7:10])
    assert [(one.bill_id, one.state, one.amount_cents) for one in decided.holds] == [("b1", "pending", 6_000)]
    assert {one.bill_id for one in decided.proposals} == {"b2", "b3"}
    assert {one.bill_id for one in scheduled.holds} == {"b1", "b2"}
    assert [bill for bill, _ in delayed.delayed] == ["b3"]
    assert told[0][1].unapproved_bill_ids == {"b1", "b2", "b3"}
    assert told[-1][1].holds == ()
    assert told[-1][1].accounts[0].basis_cents == 85_000, "the bank's figure is older than the payment in the books"


def test_what_a_sync_did_to_the_ledger_belongs_to_its_own_books_and_what_people_do_later_does_not(
    bare_desk: Desk,
) -> None:
    """The balance read at 12:00:01 is taken in a second later; the decision of a minute later is none of it."""
    desk = bare_desk
    desk.policy(separation_above_cents=50_000)
    desk.sync(make_bill("b1"), cash=70_000)
    desk.ready("b1")
    desk.later(hours=1)
    desk.sync(make_bill("b1"), cash=90_000)
    (account,) = known(desk, desk.clock.now()).accounts
    read_at = account.read_started_at
    assert read_at < desk.clock.now()
    desk.later(minutes=1)
    desk.pay_now("b1")
    then = known(desk, read_at)
    assert [one.basis_cents for one in then.accounts] == [90_000]
    assert then.free_cents == 90_000
    assert (then.holds, [one.bill_id for one in then.proposals]) == ((), ["b1"])
    assert known(desk, desk.clock.now()).free_cents == 80_000


def test_a_staged_bill_waits_for_its_decision_also_when_its_proposal_is_over_or_it_was_put_off_to_this_day(
    bare_desk: Desk,
) -> None:
    desk = bare_desk
    desk.policy(soft_hold_seconds=3600)
    desk.sync(make_bill("b1"), make_bill("b2"), cash=70_000)
    desk.approve("b1")
    desk.stage("b1", amount_cents=4_000)
    desk.ready("b2")
    desk.delay("b2", days=1)
    assert _proposed(desk) == {"b1": 4_000}
    desk.later(days=1)
    desk.sync(make_bill("b1"), make_bill("b2"), cash=70_000)
    passed = desk.pass_day()
    assert (passed.expired, passed.woken) == (1, 1)
    assert _proposed(desk) == {"b1": 10_000, "b2": 10_000}
    with desk.ledger.look(desk.tenant) as look:
        assert payments_waiting(look).to_decide == 2, "the firm's portfolio counts the same bills"


def _proposed(desk: Desk) -> dict[str, int]:
    return {one.bill_id: one.amount_cents for one in known(desk, desk.clock.now()).proposals}


def test_the_passing_of_another_day_is_none_of_the_books_before_it(bare_desk: Desk) -> None:
    """A payment scheduled for in three days whose money is set aside a day before: on the second day the hold hardens."""
    desk = bare_desk
    desk.policy(separation_above_cents=50_000, schedule_holds="at_due", promote_days_before=1)
    desk.sync(make_bill("b1"), cash=70_000)
    desk.ready("b1")
    desk.schedule("b1", days=3)
    desk.later(hours=1)
    desk.sync(make_bill("b1"), cash=70_000)
    read_at = known(desk, desk.clock.now()).accounts[0].read_started_at
    desk.later(days=2)
    assert desk.pass_day().hardened == 1
    assert [one.state for one in known(desk, desk.clock.now()).holds] == ["pending"]
    then = known(desk, read_at)
    assert ([one.state for one in then.holds], then.free_cents) == (["soft"], 70_000)


@pytest.mark.parametrize("acts", [0, 1, 55])
def test_however_many_acts_come_later_the_moment_is_found(bare_desk: Desk, acts: int) -> None:
    desk = bare_desk
    desk.sync(make_bill("b1"), cash=70_000)
    then = desk.later(minutes=1)
    desk.later(minutes=1)
    for number in range(acts):
        set_floor(desk.ledger, desk.tenant, by="oli", account_id=CHECKING, floor_cents=1 + number)
    assert known(desk, then).free_cents == 70_000
