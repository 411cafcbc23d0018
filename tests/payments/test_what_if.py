"""What-if and deciding agree: what is said to fit is accepted, and what is missing is what the refusal names, to the cent."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from payments.bills.cycles import move, running
from payments.bills.projected_cash import staged_and_decided
from payments.bills.what_if import AccountAfter, Supposed, WhatIf, what_if
from payments.cash.free_cash import set_floor
from payments.cash.reserves import allocate, open_reserve
from payments.errors import CashUnknown, NotEnoughCash, OverLimit, Refused
from resources.clock import FixedClock
from resources.database import Database
from resources.published_balances import CashSnapshot
from tests.conftest import FRIDAY_MORNING
from tests.payments.desk import CHECKING, Desk, make_bill

_SAVINGS = "36"
_ACCOUNTS = (CHECKING, _SAVINGS)


def _reserve(desk: Desk, cents: int, *vendors: str, kind: str = "tax", account: str = CHECKING) -> str:
    """A reserve with so much in it, or as much of that as fits."""
    wanted = {"kind": kind, "name": kind, "account_id": account, "vendor_ids": vendors}
    reserve = open_reserve(desk.ledger, desk.tenant, by="dan", **wanted)  # type: ignore[arg-type]
    most = min(cents, desk.cash(account).free_cents)
    moved = {"reserve_id": reserve, "amount_cents": most, "reason": "quarter", "request_key": desk.key()}
    with suppress(Refused):  # nothing is free
        allocate(desk.ledger, desk.tenant, by="dan", **moved)  # type: ignore[arg-type]
    return reserve


def _suppose(desk: Desk, *supposed: Supposed) -> WhatIf:
    with desk.ledger.look(desk.tenant) as look:
        return what_if(look, supposed)


def _of(desk: Desk, bill_id: str, cents: int) -> Supposed:
    return Supposed(bill_id=bill_id, account_id=CHECKING, amount_cents=cents, pay_on=desk.today)


def _stands(one: AccountAfter) -> tuple[int, int, int, int]:
    return one.drawn_cents, one.given_back_cents, one.free_after_cents, one.missing_cents


def test_a_payment_that_its_reserve_bears_fits_though_nothing_is_free(bare_desk: Desk) -> None:
    desk = bare_desk
    desk.sync(make_bill("b1", open_cents=40_000), cash=40_000)
    _reserve(desk, 40_000, "v-b1")
    desk.ready("b1")
    found = _suppose(desk, _of(desk, "b1", 40_000))
    assert found.fits
    assert _stands(found.accounts[0]) == (40_000, 0, 0, 0)
    assert desk.pay_now("b1").drawn_cents == 40_000


def test_the_first_of_two_empties_the_reserve_of_both(bare_desk: Desk) -> None:
    desk = bare_desk
    desk.sync(make_bill("b1", vendor_id="irs"), make_bill("b2", vendor_id="irs"), cash=15_000)
    _reserve(desk, 15_000, "irs")
    desk.ready("b1", "b2")
    found = _suppose(desk, _of(desk, "b1", 10_000), _of(desk, "b2", 10_000))
    assert not found.fits
    assert _stands(found.accounts[0]) == (15_000, 0, -5_000, 5_000)


def test_the_second_of_two_draws_on_the_reserve_that_the_first_left_fuller(bare_desk: Desk) -> None:
    desk = bare_desk
    desk.sync(make_bill("b1", vendor_id="irs"), make_bill("b2", vendor_id="irs"), cash=20_500)
    for cents in (11_000, 9_000):
        _reserve(desk, cents, "irs")
    desk.ready("b1", "b2")
    found = _suppose(desk, _of(desk, "b1", 10_000), _of(desk, "b2", 9_500))
    assert found.fits
    assert _stands(found.accounts[0]) == (19_000, 0, 0, 0)
    assert (desk.pay_now("b1").drawn_cents, desk.pay_now("b2", amount_cents=9_500).drawn_cents) == (10_000, 9_000)


def test_what_a_decided_payment_drew_goes_back_to_its_reserve_and_is_nobodys_free_cash(bare_desk: Desk) -> None:
    desk = bare_desk
    desk.sync(make_bill("b1"), make_bill("b2"), cash=10_000)
    _reserve(desk, 8_000, "v-b1")
    desk.ready("b1", "b2")
    desk.pay_now("b1")
    found = _suppose(desk, _of(desk, "b1", 1_000), _of(desk, "b2", 9_000))
    assert not found.fits
    assert _stands(found.accounts[0]) == (1_000, 2_000, -7_000, 7_000)


def test_what_is_decided_on_a_reserve_that_was_named_stands_on_it_still(bare_desk: Desk) -> None:
    desk = bare_desk
    desk.sync(make_bill("b1"), cash=10_000)
    reserve = _reserve(desk, 10_000)
    desk.ready("b1")
    desk.pay_now("b1", reserve_id=reserve)
    with desk.ledger.look(desk.tenant) as look:
        standing = staged_and_decided(look)
    found = _suppose(desk, *standing)
    assert found.fits
    assert _stands(found.accounts[0]) == (10_000, 0, 0, 0)
    foreign = replace(standing[0], reserve_id="r9")
    assert _suppose(desk, foreign).against == (("b1", "There is no open reserve 'r9'."),)


def test_it_fits_only_if_each_fits_when_it_is_its_turn(bare_desk: Desk) -> None:
    """The second gives back more than it takes, but the first is decided before that."""
    desk = bare_desk
    desk.sync(make_bill("b1"), make_bill("b2"), cash=10_000)
    desk.ready("b1", "b2")
    desk.pay_now("b2")
    one, other = _of(desk, "b1", 5_000), _of(desk, "b2", 5_000)
    assert _suppose(desk, other, one).fits
    found = _suppose(desk, one, other)
    assert not found.fits
    assert _stands(found.accounts[0]) == (0, 10_000, 0, 5_000)


def test_payments_supposed_for_a_day_use_up_its_limits_together(bare_desk: Desk) -> None:
    desk = bare_desk
    bills = [make_bill(f"b{n}", vendor_id="va", open_cents=6_000) for n in (1, 2)]
    desk.sync(*bills, make_bill("b3", vendor_id="vb", open_cents=6_000), cash=50_000)
    desk.policy(per_vendor_day_cents=10_000, per_tenant_day_cents=14_000)
    desk.ready("b1", "b2", "b3")
    assert all(_suppose(desk, _of(desk, bill, 6_000)).fits for bill in ("b1", "b2", "b3"))
    assert _suppose(desk, _of(desk, "b1", 6_000), _of(desk, "b3", 6_000)).fits
    found = _suppose(desk, _of(desk, "b1", 6_000), _of(desk, "b3", 6_000), _of(desk, "b2", 6_000))
    assert [(bill, text.split(";")[0]) for bill, text in found.against] == [
        ("b2", "on one day at most 100.00 goes out to one vendor"),
        ("b2", "on one day at most 140.00 goes out in all"),
    ]
    next_day = replace(_of(desk, "b2", 6_000), pay_on=desk.today + timedelta(days=1))
    assert _suppose(desk, _of(desk, "b1", 6_000), next_day).fits
    desk.pay_now("b1")
    with pytest.raises(OverLimit):
        desk.pay_now("b2")


def test_a_payment_supposed_in_place_of_a_decided_one_counts_once_for_its_day(bare_desk: Desk) -> None:
    desk = bare_desk
    desk.sync(make_bill("b1", vendor_id="va"), make_bill("b2", vendor_id="va"), cash=50_000)
    desk.policy(per_vendor_day_cents=9_000)
    desk.ready("b1", "b2")
    desk.pay_now("b1", amount_cents=5_000)
    assert _suppose(desk, _of(desk, "b1", 9_000)).fits
    assert not _suppose(desk, _of(desk, "b1", 9_001)).fits
    assert _suppose(desk, _of(desk, "b1", 1_000), _of(desk, "b2", 8_000)).fits
    assert not _suppose(desk, _of(desk, "b2", 8_000), _of(desk, "b1", 1_000)).fits


def test_a_payment_of_a_later_day_asks_for_no_balance_of_today(bare_desk: Desk) -> None:
    desk = bare_desk
    desk.sync(make_bill("b1"), make_bill("b2"), cash=50_000)
    desk.ready("b1", "b2")
    desk.later(hours=25)
    of_today = _of(desk, "b1", 10_000)
    tomorrow = replace(of_today, pay_on=desk.today + timedelta(days=1))
    assert _suppose(desk, tomorrow).fits
    assert not _suppose(desk, of_today).fits
    assert not _suppose(desk, tomorrow, _of(desk, "b2", 10_000)).fits
    desk.schedule("b1", days=1)


def test_what_takes_its_money_shortly_before_its_day_is_told_as_asked_for_then(bare_desk: Desk) -> None:
    desk = bare_desk
    desk.policy(schedule_holds="at_due", promote_days_before=2)
    desk.sync(make_bill("b1"), make_bill("b2"), cash=5_000)
    desk.ready("b1", "b2")
    soon, later = (replace(_of(desk, "b1", 10_000), pay_on=desk.today + timedelta(days=days)) for days in (2, 5))
    assert not _suppose(desk, soon).fits
    found = _suppose(desk, later, _of(desk, "b2", 5_000))
    assert found.fits
    assert _stands(found.accounts[0]) == (0, 0, 0, 0)
    assert found.accounts[0].supposed_cents == 5_000
    assert found.accounts[0].asked_later == ((desk.today + timedelta(days=3), 10_000),)
    desk.schedule("b1", days=5)


@dataclass(frozen=True)
class _Bill:
    vendor: str
    #: What it is decided for already, and from where; then what is supposed.
    decided: tuple[int, str] | None
    supposed: tuple[int, str]
    #: In how many days it is supposed; none: now.
    days: int


@dataclass(frozen=True)
class _Books:
    cash: tuple[int, int]
    #: A half of the first account's cash, as this kind; none.
    floor: str | None
    #: Kind, cents, vendors, account.
    reserves: list[tuple[str, int, frozenset[str], str]]
    bills: list[_Bill]
    #: The policy's `schedule_holds`, and how old the balances are.
    holds: str
    hours: int


_CENTS = st.integers(1, 60).map(lambda tens: tens * 10)
_VENDORS = st.sampled_from(["va", "vb"])
_WHERE = st.sampled_from([CHECKING, CHECKING, _SAVINGS])
_BOOKS = st.builds(
    _Books,
    cash=st.tuples(st.integers(300, 1_200), st.integers(300, 600)),
    floor=st.sampled_from([None, "amount", "next_payroll"]),
    reserves=st.lists(
        st.tuples(st.sampled_from(["tax", "payroll"]), _CENTS, st.frozensets(_VENDORS, min_size=1), _WHERE),
        min_size=1,
        max_size=3,
    ),
    bills=st.lists(
        st.builds(
            _Bill,
            vendor=_VENDORS,
            decided=st.none() | st.tuples(_CENTS, _WHERE),
            supposed=st.tuples(_CENTS, _WHERE),
            days=st.sampled_from([0, 0, 1, 4]),
        ),
        min_size=2,
        max_size=3,
    ),
    holds=st.sampled_from(["now", "at_due"]),
    hours=st.sampled_from([1, 1, 30]),
)


@contextmanager
def _desk(desk_file: Path) -> Iterator[Desk]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "runway.sqlite"
        shutil.copyfile(desk_file, path)
        database = Database(f"sqlite:///{path}")
        try:
            yield Desk(database, FixedClock(FRIDAY_MORNING), register=False)
        finally:
            database.close()


def _enter(desk: Desk, books: _Books) -> list[Supposed]:
    """Books, floor, reserves, and bills that are staged or decided and open to another decision; what is then supposed."""
    desk.policy(separation_above_cents=1_000_000, schedule_holds=books.holds)
    bills = [make_bill(f"b{n}", vendor_id=one.vendor, open_cents=600) for n, one in enumerate(books.bills)]
    accounts = [
        CashSnapshot(account_id=account, name=account, balance_cents=cents, dated_later_cents=0)
        for account, cents in zip(_ACCOUNTS, books.cash, strict=True)
    ]
    desk.sync(*bills, accounts=accounts)
    if books.floor is not None:
        wanted = {"account_id": CHECKING, "floor_cents": books.cash[0] // 2, "kind": books.floor}
        set_floor(desk.ledger, desk.tenant, by="oli", **wanted)  # type: ignore[arg-type]
    for kind, cents, vendors, account in books.reserves:
        _reserve(desk, cents, *sorted(vendors), kind=kind, account=account)
    for bill, one in zip(bills, books.bills, strict=True):
        desk.ready(bill.bill_id)
        if one.decided is not None:
            with suppress(NotEnoughCash):
                desk.schedule(bill.bill_id, amount_cents=one.decided[0], account_id=one.decided[1])
                with desk.ledger.act(desk.tenant, actor="dan", kind="test") as act:
                    move(act, running(act, bill.bill_id), to="needs_review", reason="test")
    desk.later(hours=books.hours)
    return [
        Supposed(
            bill_id=bill.bill_id,
            account_id=one.supposed[1],
            amount_cents=one.supposed[0],
            pay_on=desk.today + timedelta(days=one.days),
        )
        for bill, one in zip(bills, books.bills, strict=True)
    ]


# Without making a failure smaller: each try builds a ledger, and the books are small as drawn.
@settings(max_examples=30, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(books=_BOOKS)
def test_what_is_said_to_fit_is_accepted_and_what_is_missing_is_what_the_refusal_names(
    desk_file: Path, books: _Books
) -> None:
    with _desk(desk_file) as desk:
        supposed = _enter(desk, books)
        said = [_suppose(desk, *supposed[: n + 1]) for n in range(len(supposed))]
        for one, found in zip(supposed, said, strict=True):
            (after,) = (account for account in found.accounts if account.cash.account_id == one.account_id)
            refusal = _decide(desk, one)
            assert found.fits == (refusal is None)
            if isinstance(refusal, CashUnknown):
                assert after.against == (refusal.what,)
            else:
                assert after.missing_cents == (0 if refusal is None else refusal.facts["missing_cents"])
            if refusal is not None:
                assert not said[-1].fits
                return
            assert after.free_after_cents == desk.cash(one.account_id).free_cents


def _decide(desk: Desk, one: Supposed) -> Refused | None:
    """Decide it for its day; how it is refused, None if it is accepted."""
    wanted: dict[str, Any] = {"account_id": one.account_id, "amount_cents": one.amount_cents}
    try:
        if one.pay_on == desk.today:
            desk.pay_now(one.bill_id, **wanted)
        else:
            desk.schedule(one.bill_id, pay_on=one.pay_on, **wanted)
    except (CashUnknown, NotEnoughCash) as refusal:
        return refusal
    return None
