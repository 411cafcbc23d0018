"""Reserves: targets by hand, plans that fill up week by week, and a floor that no contribution ever touches."""

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import strategies as st

from runway_calcs.policy import ReservePolicy
from runway_calcs.reserves.targets import (
    CashOutlook,
    FundingPlan,
    ReserveBalance,
    ReserveKind,
    ReservePlan,
    ReserveState,
    ReserveTarget,
    TargetRule,
    free_cash_cents,
    funding_plan,
    target_cents,
)
from tests.runway_calcs.builders import FRIDAY
from tests.runway_calcs.properties import EXAMPLES, holds

DAYS = 91


def outlook(balances: list[int] | int = 1_000, *, days: int = DAYS, **more: Any) -> CashOutlook:
    """A level path, or these balances from the day after Friday on."""
    path = [balances] * days if isinstance(balances, int) else balances
    values: dict[str, Any] = {
        "floor_cents": 0,
        "is_floor_next_payroll": False,
        "receipt_cents": (0,) * len(path),
        "gross_burn_cents_per_day": 10,
        **more,
    }
    return CashOutlook(as_of=FRIDAY, balance_cents=tuple(path), **values)


def target(value: int = 400, *, due_in: int | None = 28, **more: Any) -> ReserveTarget:
    values: dict[str, Any] = {
        "reserve_id": "tax",
        "kind": ReserveKind.TAX,
        "name": "Tax",
        "rule": TargetRule.AMOUNT,
        "due_on": None if due_in is None else FRIDAY + timedelta(days=due_in),
        **more,
    }
    return ReserveTarget(value=value, **values)


def plan(*targets: ReserveTarget, of: CashOutlook | None = None, **more: Any) -> FundingPlan:
    values: dict[str, Any] = {"balances": {}, "paid_within_path": frozenset(), "policy": ReservePolicy(), **more}
    return funding_plan(targets, outlook=of or outlook(), **values)


def given(found: ReservePlan) -> list[tuple[int, int]]:
    """Days from Friday and cents."""
    return [((one.day - FRIDAY).days, one.amount_cents) for one in found.contributions]


@pytest.mark.parametrize(
    ("of", "value", "cents"),
    [
        pytest.param(TargetRule.AMOUNT, 12_345, 12_345, id="an amount is itself"),
        pytest.param(TargetRule.MONTHS_OF_BURN, 250, 750, id="2.5 months of 30 days at 10 a day"),
        pytest.param(TargetRule.SHARE_OF_RECEIPTS, 1_500, 30, id="15 % of the 200 received before its day"),
    ],
)
def test_a_target_becomes_an_amount_by_its_rule(of: TargetRule, value: int, cents: int) -> None:
    receipts = [0] * DAYS
    receipts[3], receipts[26], receipts[27], receipts[60] = 150, 50, 900, 900
    found = target_cents(target(value, rule=of), outlook=outlook(receipt_cents=tuple(receipts)), policy=ReservePolicy())
    assert found == cents


@pytest.mark.parametrize(
    ("rule", "reason"),
    [(TargetRule.MONTHS_OF_BURN, "no burn rate"), (TargetRule.SHARE_OF_RECEIPTS, "no expected receipts")],
)
def test_a_target_of_what_is_not_known_is_not_computable(rule: TargetRule, reason: str) -> None:
    of = outlook(gross_burn_cents_per_day=None, receipt_cents=None)
    (found,) = plan(target(100, rule=rule), of=of).plans
    assert (found.state, found.target_cents, found.short_cents) == (ReserveState.NOT_COMPUTABLE, None, None)
    assert (found.reason, found.contributions) == (reason, ())


def test_a_reserve_fills_in_equal_parts_a_week_until_the_day_before_its_own() -> None:
    """401 due in 28 days: days 1, 8, 15 and 22, the odd cent first."""
    (found,) = plan(target(401)).plans
    assert given(found) == [(1, 101), (8, 100), (15, 100), (22, 100)]
    assert (found.state, found.planned_cents, found.short_cents) == (ReserveState.ON_TRACK, 401, 0)


def test_what_does_not_fit_under_the_floor_is_asked_for_again_later() -> None:
    """Cash of 60 above the floor for ten days, plenty after it: 60, nothing, and the rest in two parts."""
    of = outlook([160] * 10 + [1_000] * 81, floor_cents=100)
    (found,) = plan(target(400), of=of).plans
    assert given(found) == [(1, 60), (15, 170), (22, 170)]
    assert found.state is ReserveState.ON_TRACK


def test_a_later_low_point_limits_what_is_set_aside_before_it_and_the_reason_says_how_much_is_missing() -> None:
    of = outlook([1_000] * 60 + [130] * 31, floor_cents=100)
    (found,) = plan(target(400), of=of).plans
    assert sum(cents for _, cents in given(found)) == 30
    assert (found.state, found.short_cents) == (ReserveState.SHORT, 370)
    assert found.reason == "short by 370 cents by 2026-12-18: more would leave less than the floor of 100 cents free"


def test_a_reserve_is_given_free_on_its_day_when_the_path_pays_for_its_purpose() -> None:
    """The path falls by the tax of 400 on its day: the money set aside for it is not missing a second time."""
    of = outlook([500] * 27 + [100] * 64, floor_cents=100)
    assert plan(target(400), of=of, paid_within_path=frozenset({"tax"})).plans[0].state is ReserveState.ON_TRACK
    assert plan(target(400), of=of).plans[0].short_cents == 400


def test_what_is_already_set_aside_counts_and_stays_out_of_what_is_free() -> None:
    """The decided payment of 60 draws on it and leaves the path on its day: 320 remain, 240 of them set aside."""
    balances = {"tax": ReserveBalance(current_cents=300, held_cents=60)}
    (found,) = plan(target(400), of=outlook([380] * 6 + [320] * 85), balances=balances).plans
    assert (found.current_cents, found.available_cents, found.utilisation_thousandths) == (300, 240, 200)
    assert (found.shortfall_cents, found.planned_cents, found.short_cents) == (100, 80, 20)


def test_a_reserve_that_holds_its_target_asks_for_nothing() -> None:
    (found,) = plan(target(400), balances={"tax": ReserveBalance(current_cents=400, held_cents=0)}).plans
    assert (found.state, found.contributions, found.shortfall_cents) == (ReserveState.FUNDED, (), 0)


def test_a_share_of_the_receipts_is_set_aside_as_they_come_in() -> None:
    receipts = [0] * DAYS
    receipts[0], receipts[9] = 1_000, 333
    share = target(1_000, rule=TargetRule.SHARE_OF_RECEIPTS)
    (found,) = plan(share, of=outlook(receipt_cents=tuple(receipts))).plans
    assert given(found) == [(1, 100), (10, 33)]
    assert found.state is ReserveState.ON_TRACK


def test_a_share_that_is_planned_again_every_week_fills_up_to_the_share_of_all_receipts() -> None:
    """20 % of ten weekly receipts of 10,000: planned anew each week, with what was received and set aside until then."""
    held = 0
    for week in range(10):
        receipts = [10_000 if place % 7 == 0 and place < 7 * (10 - week) else 0 for place in range(DAYS)]
        share = target(2_000, rule=TargetRule.SHARE_OF_RECEIPTS, due_in=70 - 7 * week, received_cents=10_000 * week)
        balances = {"tax": ReserveBalance(current_cents=held, held_cents=0)}
        (found,) = plan(share, of=outlook(100_000, receipt_cents=tuple(receipts)), balances=balances).plans
        assert (found.target_cents, found.state, found.short_cents) == (20_000, ReserveState.ON_TRACK, 0)
        held += sum(cents for day, cents in given(found) if day <= 7)
        assert held == 2_000 * (week + 1)


def test_a_share_whose_receipts_are_all_there_is_held_when_it_was_set_aside_and_asked_for_when_not() -> None:
    share = target(2_000, rule=TargetRule.SHARE_OF_RECEIPTS, due_in=14, received_cents=100_000)
    for current, state in ((20_000, ReserveState.FUNDED), (2_000, ReserveState.ON_TRACK)):
        balances = {"tax": ReserveBalance(current_cents=current, held_cents=0)}
        (found,) = plan(share, of=outlook(100_000), balances=balances).plans
        assert (found.target_cents, found.state, found.planned_cents) == (20_000, state, 20_000 - current)
    (nothing,) = plan(target(2_000, rule=TargetRule.SHARE_OF_RECEIPTS)).plans
    assert (nothing.state, nothing.reason) == (ReserveState.NOT_COMPUTABLE, "no expected receipts")


def test_a_day_beyond_the_outlook_spreads_the_parts_beyond_it() -> None:
    """2,600 in 26 weeks is 100 a week: 1,300 within the 13 weeks, and nothing is missing."""
    (found,) = plan(target(2_600, due_in=182), of=outlook(10_000)).plans
    assert (len(found.contributions), found.planned_cents, found.short_cents) == (13, 1_300, 0)
    assert found.state is ReserveState.ON_TRACK


@pytest.mark.parametrize("due_in", [-5, 0, 1])
def test_a_day_that_leaves_no_time_is_short_and_says_so(due_in: int) -> None:
    (found,) = plan(target(400, due_in=due_in)).plans
    assert (found.state, found.short_cents, found.contributions) == (ReserveState.SHORT, 400, ())
    assert "no day is left" in found.reason


def test_the_earlier_due_is_filled_first_and_of_one_day_payroll_before_tax() -> None:
    of = outlook(100)
    names = ("later", "tax", "payroll")
    found = plan(
        target(90, reserve_id="later", due_in=56),
        target(90, reserve_id="tax"),
        target(90, reserve_id="payroll", kind=ReserveKind.PAYROLL),
        of=of,
    )
    assert [one.reserve_id for one in found.plans] == ["payroll", "tax", "later"]
    assert sum(one.planned_cents for one in found.plans) == 100
    assert {one.reserve_id for one in found.plans} == set(names)


def test_two_reserves_of_one_id_are_a_mistake() -> None:
    with pytest.raises(ValueError, match="same id"):
        plan(target(), target())


@pytest.mark.parametrize(
    ("is_next_payroll", "free"), [pytest.param(True, 300, id="once"), pytest.param(False, 100, id="on top")]
)
def test_a_payroll_reserve_and_a_floor_of_the_next_payroll_are_the_same_money(
    *, is_next_payroll: bool, free: int
) -> None:
    """1,000 of cash, floor 500, payroll reserve 200, other reserves 150, holds 50."""
    found = free_cash_cents(
        cash_cents=1_000,
        floor_cents=500,
        is_floor_next_payroll=is_next_payroll,
        payroll_reserve_cents=200,
        other_reserves_cents=150,
        holds_cents=50,
    )
    assert found == free


@pytest.mark.parametrize(("is_next_payroll", "planned"), [(True, 400), (False, 60)])
def test_a_payroll_reserve_fills_up_within_a_floor_of_the_next_payroll(*, is_next_payroll: bool, planned: int) -> None:
    of = outlook(460, floor_cents=400, is_floor_next_payroll=is_next_payroll)
    (found,) = plan(target(400, kind=ReserveKind.PAYROLL), of=of).plans
    assert found.planned_cents == planned


_PATHS = st.lists(st.integers(-500, 3_000), min_size=40, max_size=40)
_TARGETS = st.lists(
    st.tuples(
        st.sampled_from(list(ReserveKind)),
        st.sampled_from(list(TargetRule)),
        st.integers(1, 2_000),
        st.one_of(st.none(), st.integers(-3, 70)),
        st.integers(0, 300),
        st.booleans(),
    ),
    max_size=5,
)


@EXAMPLES
def test_no_contribution_ever_leaves_less_than_the_floor_and_nothing_is_set_aside_beyond_its_target(
    examples: int,
) -> None:
    def check(
        balances: list[int],
        receipts: list[int],
        drawn: list[tuple[ReserveKind, TargetRule, int, int | None, int, bool]],
        floor: int,
        is_once: bool,  # noqa: FBT001 - hypothesis passes by keyword
    ) -> None:
        of = outlook(
            balances,
            floor_cents=floor,
            is_floor_next_payroll=is_once,
            receipt_cents=tuple(max(0, one) for one in receipts),
        )
        targets = [
            target(value, reserve_id=f"r{number}", kind=kind, rule=rule, due_in=due_in)
            for number, (kind, rule, value, due_in, _, _) in enumerate(drawn)
        ]
        current = {f"r{number}": one[4] for number, one in enumerate(drawn)}
        paid = frozenset(f"r{number}" for number, one in enumerate(drawn) if one[5])
        inputs: dict[str, Any] = {
            "of": of,
            "balances": {name: ReserveBalance(current_cents=cents, held_cents=0) for name, cents in current.items()},
            "paid_within_path": paid,
        }
        found = plan(*targets, **inputs)
        assert plan(*reversed(targets), **inputs) == found
        for one in found.plans:
            _is_sound(one)
        for place in range(len(balances)):
            day = FRIDAY + timedelta(days=place + 1)
            before = {name: current[name] for name in current if _is_aside(name, found, day=day, paid=paid)}
            added = {
                one.reserve_id: sum(c.amount_cents for c in one.contributions if c.day <= day)
                for one in found.plans
                if _is_aside(one.reserve_id, found, day=day, paid=paid)
            }
            if any(added.values()):
                kept = {
                    one.reserve_id: before[one.reserve_id] + added[one.reserve_id]
                    for one in found.plans
                    if one.reserve_id in added
                }
                payroll = sum(cents for name, cents in kept.items() if _kind(found, name) is ReserveKind.PAYROLL)
                free = free_cash_cents(
                    cash_cents=balances[place],
                    floor_cents=floor,
                    is_floor_next_payroll=is_once,
                    payroll_reserve_cents=payroll,
                    other_reserves_cents=sum(kept.values()) - payroll,
                    holds_cents=0,
                )
                assert free >= 0, (day, kept)

    holds(
        check,
        examples=examples,
        balances=_PATHS,
        receipts=_PATHS,
        drawn=_TARGETS,
        floor=st.integers(0, 800),
        is_once=st.booleans(),
    )


def _is_sound(one: ReservePlan) -> None:
    assert one.planned_cents == sum(c.amount_cents for c in one.contributions)
    assert all(c.amount_cents > 0 for c in one.contributions)
    assert one.available_cents == one.current_cents - one.held_cents
    if one.target_cents is not None:
        assert one.planned_cents <= max(0, one.target_cents - one.current_cents)
        assert (one.state is ReserveState.SHORT) == bool(one.short_cents)
    assert all(one.due_on is None or c.day < one.due_on for c in one.contributions)


def _is_aside(name: str, found: FundingPlan, *, day: date, paid: frozenset[str]) -> bool:
    due = next(one.due_on for one in found.plans if one.reserve_id == name)
    return due is None or name not in paid or day < due


def _kind(found: FundingPlan, name: str) -> ReserveKind:
    return next(one.kind for one in found.plans if one.reserve_id == name)
