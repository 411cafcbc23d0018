"""Reserves: what they hold, what payments draw on them, and the floor they may count towards."""

import pytest
from sqlalchemy.exc import IntegrityError

from payments.bills.decisions import Decided
from payments.bills.postponing import withdraw
from payments.cash.free_cash import enter_bank_balance, set_floor
from payments.cash.reserves import Reserve, allocate, close, open_reserve, release, reserves, set_target
from payments.errors import BadRequest, InShortfall, NotAllowed, NotEnoughCash, Refused, UnknownHere
from payments.store.bill_tables import DECISION
from payments.store.cash_tables import CASH_ACCOUNT, RESERVE_MOVEMENT
from resources.published_balances import CashSnapshot
from resources.row_security import see_tenant
from tests.payments.desk import CHECKING, Desk, make_bill


@pytest.fixture
def desk(bare_desk: Desk) -> Desk:
    """Bills of 100.00 and 1,000.00 in the bank."""
    bare_desk.sync(make_bill("b1", vendor_id="irs"), make_bill("b2"))
    bare_desk.policy(separation_above_cents=5_000)
    return bare_desk


def _open(desk: Desk, kind: str = "tax", **overrides: object) -> str:
    wanted = {"kind": kind, "name": kind.title(), "account_id": CHECKING, "vendor_ids": ["irs"], **overrides}
    return open_reserve(desk.ledger, desk.tenant, by="dan", **wanted)  # type: ignore[arg-type]


def _move(desk: Desk, verb: object, reserve: str, cents: int) -> int:
    assert callable(verb)
    wanted = {"by": "dan", "reserve_id": reserve, "amount_cents": cents, "reason": "quarter", "request_key": desk.key()}
    return int(verb(desk.ledger, desk.tenant, **wanted))


def _only(desk: Desk) -> Reserve:
    with desk.ledger.look(desk.tenant) as look:
        (found,) = reserves(look)
    return found


def test_what_is_allocated_is_not_free_and_what_is_released_is(desk: Desk) -> None:
    reserve = _open(desk, target_cents=60_000)
    assert _move(desk, allocate, reserve, 40_000) == 40_000
    assert desk.cash().free_cents == 60_000
    assert _only(desk).missing_cents == 20_000
    assert _move(desk, release, reserve, 10_000) == 30_000
    assert desk.cash().free_cents == 70_000
    with pytest.raises(NotEnoughCash, match=r"1\.00 is missing"):
        _move(desk, release, reserve, 30_100)
    with pytest.raises(NotEnoughCash, match=r"reserve Tax 300\.00"):
        _move(desk, allocate, reserve, 70_001)


def test_a_payment_for_its_purpose_draws_on_it_in_the_decision(desk: Desk) -> None:
    reserve = _open(desk)
    _move(desk, allocate, reserve, 95_000)
    desk.ready("b1", "b2")
    decided = desk.pay_now("b1")
    assert decided.drawn_cents == 10_000
    assert desk.cash().free_cents == 5_000
    assert (_only(desk).held_cents, _only(desk).committed_cents) == (85_000, 10_000)
    with pytest.raises(NotEnoughCash):
        desk.pay_now("b2")
    assert desk.pay_now("b2", reserve_id=reserve).drawn_cents == 10_000
    assert _only(desk).utilisation == pytest.approx(20_000 / 95_000)


def test_a_reserve_covers_part_of_a_payment_and_free_cash_the_rest(desk: Desk) -> None:
    reserve = _open(desk)
    _move(desk, allocate, reserve, 4_000)
    desk.ready("b1")
    assert desk.pay_now("b1").drawn_cents == 4_000
    assert desk.cash().free_cents == 90_000


def test_of_two_reserves_of_its_vendor_a_payment_draws_on_the_one_that_bears_most_of_it(desk: Desk) -> None:
    """Their ids are drawn: whichever comes first, an empty one bears nothing."""
    first, second = sorted(_open(desk) for _ in range(2))
    _move(desk, allocate, second, 4_000)
    desk.ready("b1")
    assert _drawn(desk, desk.pay_now("b1")) == (second, 4_000)
    desk.delay("b1", days=1)
    _move(desk, allocate, first, 9_000)
    desk.later(days=1)
    desk.sync(make_bill("b1", vendor_id="irs"), make_bill("b2"))
    desk.pass_day()
    assert _drawn(desk, desk.pay_now("b1", amount_cents=6_000)) == (first, 6_000)
    desk.delay("b1", days=1)
    desk.later(days=1)
    desk.sync(make_bill("b1", vendor_id="irs"), make_bill("b2"))
    desk.pass_day()
    assert _drawn(desk, desk.pay_now("b1", amount_cents=3_000)) == (first, 3_000), "both bear all of it"


def _drawn(desk: Desk, decided: Decided) -> tuple[str, int]:
    (row,) = desk.rows(DECISION, DECISION.c.decision_id == decided.decision_id)
    return row["reserve_id"], row["drawn_cents"]


def test_a_payment_that_is_not_made_gives_back_what_it_drew(desk: Desk) -> None:
    reserve = _open(desk)
    _move(desk, allocate, reserve, 50_000)
    desk.ready("b1", "b2")
    desk.pay_now("b1")
    desk.delay("b1")
    assert _only(desk).held_cents == 50_000
    desk.pay_now("b2", reserve_id=reserve)
    withdraw(desk.ledger, desk.tenant, by="dan", bill_id="b2", reason="disputed", request_key="w")
    assert _only(desk).held_cents == 50_000
    kinds = [row["kind"] for row in desk.rows(RESERVE_MOVEMENT)]
    assert kinds == ["allocate", "draw", "return", "draw", "return"]


def test_where_the_floor_is_the_next_payroll_a_payroll_reserve_counts_once(desk: Desk) -> None:
    set_floor(desk.ledger, desk.tenant, by="oli", account_id=CHECKING, floor_cents=30_000, kind="next_payroll")
    assert desk.cash().free_cents == 70_000
    reserve = _open(desk, "payroll", vendor_ids=[])
    _move(desk, allocate, reserve, 20_000)
    assert desk.cash().free_cents == 70_000
    _move(desk, allocate, reserve, 80_000)
    assert desk.cash().free_cents == 0
    with pytest.raises(NotEnoughCash):
        _move(desk, allocate, reserve, 1)


def test_a_floor_is_always_accepted_and_opens_a_shortfall_if_it_does_not_fit(desk: Desk) -> None:
    desk.ready("b1")
    desk.pay_now("b1")
    set_floor(desk.ledger, desk.tenant, by="oli", account_id=CHECKING, floor_cents=95_000)
    assert desk.cash().in_shortfall
    assert desk.cash().short_cents == 5_000
    reserve = _open(desk)
    with pytest.raises(InShortfall):
        _move(desk, allocate, reserve, 1)


def test_the_lesser_of_book_and_bank_is_the_basis_and_what_is_dated_later_is_off_it(desk: Desk) -> None:
    enter_bank_balance(desk.ledger, desk.tenant, by="oli", account_id=CHECKING, bank_cents=60_000)
    assert desk.cash().basis_cents == 60_000
    enter_bank_balance(desk.ledger, desk.tenant, by="oli", account_id=CHECKING, bank_cents=None)
    later = CashSnapshot(account_id=CHECKING, name="Checking", balance_cents=100_000, dated_later_cents=-25_000)
    desk.sync(make_bill("b2"), accounts=[later])
    assert desk.cash().basis_cents == 75_000


def test_an_old_bank_balance_stops_counting_with_the_next_sync(desk: Desk) -> None:
    enter_bank_balance(desk.ledger, desk.tenant, by="oli", account_id=CHECKING, bank_cents=10_000)
    desk.later(hours=25)
    desk.sync(make_bill("b2"))
    assert desk.cash().basis_cents == 100_000


def test_an_account_that_left_the_books_takes_no_more_decisions(desk: Desk) -> None:
    savings = CashSnapshot(account_id="36", name="Savings", balance_cents=50_000, dated_later_cents=0)
    desk.sync(make_bill("b1"), make_bill("b2"), accounts=[savings])
    desk.ready("b1")
    with pytest.raises(Refused, match="no longer count Checking"):
        desk.pay_now("b1")
    assert [row["is_cash"] for row in desk.rows(CASH_ACCOUNT)] == [0, 1]
    assert desk.pay_now("b1", account_id="36").amount_cents == 10_000


def test_a_reserve_is_closed_when_nothing_is_in_it_or_may_come_back(desk: Desk) -> None:
    reserve = _open(desk)
    _move(desk, allocate, reserve, 10_000)
    desk.ready("b1")
    desk.pay_now("b1")
    with pytest.raises(BadRequest, match=r"100\.00 of it is in payments"):
        close(desk.ledger, desk.tenant, by="dan", reserve_id=reserve)
    desk.delay("b1")
    _move(desk, release, reserve, 10_000)
    close(desk.ledger, desk.tenant, by="dan", reserve_id=reserve)
    with pytest.raises(UnknownHere):
        _move(desk, allocate, reserve, 1)


def test_the_same_request_moves_money_once(desk: Desk) -> None:
    reserve = _open(desk)
    wanted = {"by": "dan", "reserve_id": reserve, "amount_cents": 500, "reason": "quarter", "request_key": "once"}
    assert allocate(desk.ledger, desk.tenant, **wanted) == allocate(desk.ledger, desk.tenant, **wanted) == 500  # type: ignore[arg-type]
    assert _only(desk).held_cents == 500


def test_who_may_not_reserve_is_refused_and_nonsense_too(desk: Desk) -> None:
    reserve = _open(desk)
    with pytest.raises(NotAllowed):
        open_reserve(desk.ledger, desk.tenant, by="pat", kind="tax", name="Tax", account_id=CHECKING)
    with pytest.raises(BadRequest):
        _open(desk, "holiday")
    with pytest.raises(BadRequest):
        _move(desk, allocate, reserve, -5)
    with pytest.raises(BadRequest):
        set_target(desk.ledger, desk.tenant, by="dan", reserve_id=reserve, target_cents=0, target_on=None)


def test_the_database_keeps_a_reserve_from_being_overdrawn(desk: Desk) -> None:
    reserve = _open(desk)
    row = {"tenant_id": desk.tenant, "reserve_id": reserve, "number": 1, "kind": "release", "signed_cents": -1}
    row |= {"made_by": "x", "made_at": desk.clock.now(), "reason": "x"}
    with pytest.raises(IntegrityError, match="never overdrawn"):
        _insert(desk, row)


def _insert(desk: Desk, movement: dict[str, object]) -> None:
    with desk.database.write() as connection:
        see_tenant(connection, desk.tenant)
        connection.execute(RESERVE_MOVEMENT.insert().values(movement))


def test_a_payroll_that_is_paid_from_its_reserve_does_not_lower_the_floor(desk: Desk) -> None:
    """The reserve was part of the floor; once it is drawn, the floor stands on free cash again."""
    set_floor(desk.ledger, desk.tenant, by="oli", account_id=CHECKING, floor_cents=30_000, kind="next_payroll")
    reserve = _open(desk, "payroll", vendor_ids=[])
    _move(desk, allocate, reserve, 100_000)
    desk.ready("b1")
    desk.policy(schedule_holds="at_due", promote_days_before=1)
    assert desk.pay_now("b1", reserve_id=reserve, amount_cents=10_000).drawn_cents == 10_000
    desk.delay("b1", days=1)
    _move(desk, release, reserve, 71_000)
    _move(desk, allocate, reserve, 1_000)
    assert desk.cash().free_cents == 70_000
    desk.later(days=1)
    desk.sync(make_bill("b1", vendor_id="irs"), make_bill("b2"))
    desk.pass_day()
    desk.schedule("b1", reserve_id=reserve, days=5)
    desk.later(days=4)
    desk.sync(make_bill("b1", vendor_id="irs"), make_bill("b2"), cash=35_000)
    assert desk.pass_day().needs_review == ("b1",)


def test_a_scheduled_payment_whose_reserve_was_emptied_needs_a_review(desk: Desk) -> None:
    reserve = _open(desk)
    _move(desk, allocate, reserve, 10_000)
    desk.ready("b1")
    desk.policy(schedule_holds="at_due", promote_days_before=1)
    desk.schedule("b1", days=5)
    _move(desk, release, reserve, 6_000)
    desk.later(days=4)
    desk.sync(make_bill("b1", vendor_id="irs"), make_bill("b2"))
    assert desk.pass_day().needs_review == ("b1",)
