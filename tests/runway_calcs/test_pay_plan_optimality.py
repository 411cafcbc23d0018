"""Generated plans against looking through every plan, against the unshrunk program, and against their own promises."""

import dataclasses
import random
from datetime import date, timedelta

import numpy as np
import pytest
from scipy.optimize import Bounds, LinearConstraint, milp

from runway_calcs.bills.payables import LateFee, after_credits, credits_used, in_stable_order
from runway_calcs.bills.payment_days import first_payable_on
from runway_calcs.pay_plan.options import BillWays, ways_to_pay
from runway_calcs.pay_plan.plan import PayPlan, PlanState
from runway_calcs.policy import PlanPolicy
from tests.runway_calcs.plan_cases import PlanCase, plan_case

PROVEN = PlanPolicy(gap_ppm=0, time_limit_seconds=60, node_limit=1_000_000)
CENT = 1_000_000


def case_ways(case: PlanCase) -> list[BillWays]:
    ordered = in_stable_order(case.bills)
    left = after_credits(ordered, credits_used(ordered, case.vendor_credits))
    return [ways_to_pay(one, as_of=case.as_of, path=case.cash, waiting=case.waiting, days=case.days) for one in left]


def floors(case: PlanCase, plan: PayPlan) -> list[int]:
    """The balance each day has to keep; where the floor cannot be held, what is left after what cannot wait."""
    if plan.shortfall is None:
        return [case.cash.floor_cents] * case.cash.days
    free = [int(cents) for cents in case.cash.balance_cents()]
    paid = [0] * case.cash.days
    for one in case_ways(case):
        if one.cannot_wait:
            paid[one.ways[-1].day] += one.ways[-1].cents
    needed = [int(cents) for cents in np.cumsum(paid)]
    return [min(case.cash.floor_cents, have - need) for have, need in zip(free, needed, strict=True)]


def cheaper_plan(case: PlanCase, *, least: list[int], below: int) -> int | None:
    """The cost of a plan cheaper than `below`, found by looking through all of them day by day; None if there is none.

    Knows nothing of rows, capacities or dominated ways: it pays bill after bill on each allowed day, in whole, and
    looks at every day's balance.
    """
    bills = sorted(case_ways(case), key=lambda one: -one.bill.open_cents)
    cheapest = [min(way.cost for way in one.ways) for one in bills]
    found: int | None = None

    def go(number: int, balance: list[int], cost: int) -> None:
        nonlocal found
        if cost >= (below if found is None else found):
            return
        if number == len(bills):
            found = cost
            return
        for way in sorted(bills[number].ways, key=lambda way: way.cost):
            after = balance[: way.day] + [cents - way.cents for cents in balance[way.day :]]
            if all(have >= need for have, need in zip(after, least, strict=True)):
                go(number + 1, after, cost + way.cost - cheapest[number])

    go(0, [int(cents) for cents in case.cash.balance_cents()], 0)
    return found


def tight_case(seed: int, *, bills: int, days: int) -> PlanCase:
    """A case in which the cash matters, without bills in parts."""
    while True:
        case = plan_case(seed, bills=bills, days=days)
        case = dataclasses.replace(
            case, bills=tuple(dataclasses.replace(one, may_part_pay=False) for one in case.bills)
        )
        if case.plan(PROVEN).cost_micro:
            return case
        seed += 1_000


SMALL_CASES = 20
"""All of them in the long suite, the first seven in the sample."""


@pytest.mark.parametrize(
    "seed", [*range(7), *(pytest.param(n, marks=pytest.mark.long, id=f"long {n}") for n in range(SMALL_CASES))]
)
def test_no_plan_of_a_small_case_is_cheaper(seed: int) -> None:
    case = tight_case(seed, bills=6 + seed % 7, days=10)
    plan = case.plan(PROVEN)
    assert plan.cost_micro - plan.bound_micro < CENT
    least = floors(case, plan)
    assert cheaper_plan(case, least=least, below=plan.cost_micro) is None
    assert cheaper_plan(case, least=least, below=plan.cost_micro + 1) == plan.cost_micro


def unshrunk_cost(case: PlanCase, *, least: list[int]) -> float:
    """Least cost in dollars by the program as it is written down: a variable a bill and day, a constraint a day."""
    bills = case_ways(case)
    columns = [(number, way) for number, one in enumerate(bills) for way in one.ways]
    fees = {number: max(way.flat_cost for way in one.ways) for number, one in enumerate(bills) if one.bill.may_part_pay}
    width = len(columns) + len(bills)
    cost, whole = np.zeros(width), np.zeros(width)
    once, path, owed = np.zeros((len(bills), width)), np.zeros((case.cash.days, width)), np.zeros((len(columns), width))
    for at, (number, way) in enumerate(columns):
        in_parts = bills[number].bill.may_part_pay and not way.has_discount
        cost[at] = (way.cost - (way.flat_cost if in_parts else 0)) / 1e8
        whole[at] = not in_parts
        once[number, at] = 1
        path[way.day :, at] = way.cents / 100
        if in_parts and way.flat_cost:
            owed[at, at], owed[at, len(columns) + number] = 1, -1
    for number, fee in fees.items():
        cost[len(columns) + number], whole[len(columns) + number] = fee / 1e8, 1
    room = (case.cash.balance_cents() - np.array(least)) / 100
    result = milp(
        cost,
        integrality=whole,
        bounds=Bounds(0, 1),
        constraints=[
            LinearConstraint(once, 1, 1),
            LinearConstraint(path, -np.inf, room),
            LinearConstraint(owed, -np.inf, 0),
        ],
        options={"mip_rel_gap": 0},
    )
    assert result.status == 0, result.message
    return float(result.fun) - sum(min(way.cost for way in one.ways) for one in bills) / 1e8


@pytest.mark.parametrize(
    "seed", [*range(100, 105), *(pytest.param(n, marks=pytest.mark.long) for n in range(105, 200))]
)
def test_shrinking_and_parts_lose_nothing_against_the_program_as_written_down(seed: int) -> None:
    fee = LateFee(ppm_per_day=333, flat_cents=4_000, grace_days=2)
    case = plan_case(seed, bills=14, days=15)
    case = dataclasses.replace(
        case,
        bills=tuple(
            dataclasses.replace(one, may_part_pay=number % 2 == 0, late_fee=fee if number % 4 == 0 else one.late_fee)
            for number, one in enumerate(case.bills)
        ),
    )
    plan = case.plan(PROVEN)
    # Parts are whole cents in the plan and any share in the program: a cent a bill at a cent's dearest wait.
    assert plan.cost_micro / 1e8 == pytest.approx(unshrunk_cost(case, least=floors(case, plan)), abs=0.02)


def check_promises(case: PlanCase, plan: PayPlan) -> None:
    """What a plan says of itself, worked out again from its payments alone."""
    balance = [int(cents) for cents in case.cash.balance_cents()]
    by_id = {one.bill_id: one for one in case.bills}
    assert sorted(by_id) == sorted(one.bill_id for one in plan.bills)
    for one in plan.bills:
        bill = by_id[one.bill_id]
        assert one.credit_cents + sum(part.settles_cents for part in one.payments) + one.unpaid_cents == bill.open_cents
        assert len(one.payments) + bool(one.unpaid_cents) <= 1 or bill.may_part_pay
        first = first_payable_on(bill, as_of=case.as_of, policy=case.days)
        for part in one.payments:
            day = (part.paid_on - case.cash.first_on).days
            balance = balance[:day] + [cents - part.cash_cents for cents in balance[day:]]
            assert part.paid_on >= first
            assert part.paid_on not in case.days.holidays
            assert part.paid_on.weekday() in (range(5) if bill.deadline else case.days.weekdays)
        check_deadline(
            one.payments[-1].paid_on if one.payments else None, deadline=bill.deadline, case=case, first=first
        )
        assert one.reason
    assert tuple(balance) == plan.balance_cents
    assert (plan.state is PlanState.NOT_FEASIBLE) == (plan.shortfall is not None)
    if plan.shortfall is None:
        assert min(balance) >= case.cash.floor_cents
    else:
        assert case.cash.floor_cents - min(balance) <= plan.shortfall.cents
    assert sum(one.waiting_cost_cents for one in plan.bills) == pytest.approx(
        plan.cost_micro / CENT, abs=len(plan.bills)
    )


def check_deadline(paid_on: date | None, *, deadline: date | None, case: PlanCase, first: date) -> None:
    """Kept; if it could not be, the bill is paid as soon as possible."""
    if deadline is None or deadline > case.cash.last_on or paid_on is None or paid_on <= deadline:
        return
    earliest = max(first, case.cash.first_on)
    free = [earliest + timedelta(days=number) for number in range((paid_on - earliest).days)]
    assert not [day for day in free if day.weekday() < 5 and day not in case.days.holidays]


@pytest.mark.parametrize(
    ("cases", "bills", "days"),
    [
        pytest.param(6, 40, 30, id="sample"),
        pytest.param(500, 60, 30, id="full", marks=pytest.mark.long),
        pytest.param(10, 200, 90, id="large", marks=pytest.mark.long),
    ],
)
def test_generated_plans_keep_the_floor_and_are_proven_near_the_least_cost(cases: int, bills: int, days: int) -> None:
    print(f"plan cases: seeds 0-{cases - 1}, up to {bills} bills, {days} days")  # noqa: T201 - the long suite prints its seeds
    for seed in range(cases):
        size = bills if bills > 60 else bills - seed % (bills // 2)
        case = plan_case(seed, bills=size, days=days)
        plan = case.plan(PlanPolicy(gap_ppm=5_000, time_limit_seconds=20))
        check_promises(case, plan)
        assert plan.gap_ppm <= 10_000, f"seed {seed}: {plan.words}"


@pytest.mark.parametrize(
    ("seed", "bills", "days"),
    [
        (0, 30, 30),
        (1, 30, 30),
        *(pytest.param(seed, 200, 90, marks=pytest.mark.long, id=f"large {seed}") for seed in range(10)),
    ],
)
def test_neither_the_order_of_rows_nor_a_second_run_changes_a_plan(seed: int, bills: int, days: int) -> None:
    patient = PlanPolicy()
    case = plan_case(seed, bills=bills, days=days)
    shuffled = list(case.bills)
    random.Random(seed).shuffle(shuffled)  # noqa: S311 - a seeded shuffle
    mixed = dataclasses.replace(case, bills=tuple(shuffled), vendor_credits=case.vendor_credits[::-1])
    plan = case.plan(patient)
    assert plan.is_repeatable
    assert repr(plan) == repr(case.plan(patient))
    assert repr(plan) == repr(mixed.plan(patient))


@pytest.mark.parametrize("seed", range(6))
def test_more_cash_never_makes_waiting_dearer(seed: int) -> None:
    case = tight_case(seed, bills=14, days=14)
    richer = dataclasses.replace(
        case, cash=dataclasses.replace(case.cash, opening_cents=case.cash.opening_cents + 1_000_00)
    )
    assert richer.plan(PROVEN).cost_micro <= case.plan(PROVEN).cost_micro


def test_no_reason_advises() -> None:
    words = " ".join(one.reason for seed in range(4) for one in plan_case(seed, bills=20, days=30).plan().bills).lower()
    assert not [word for word in ("should", "recommend", "must", "advise", "need to") if word in words]
