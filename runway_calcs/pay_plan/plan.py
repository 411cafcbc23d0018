"""Which bills to pay on which days so that waiting costs least and the cash stays above the floor.

Belongs here: the plan, its proof, the balances it leads to. Does not: the forecast of the cash; approving or paying;
the formulation (``options.py``, ``solver.py``); the words of each bill (``reasons.py``).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

import numpy as np

from runway_calcs.bills.payables import PayableBill, VendorCredit, after_credits, credits_used, in_stable_order
from runway_calcs.bills.waiting_cost import MICRO
from runway_calcs.pay_plan.apart import UnplannedBill
from runway_calcs.pay_plan.cash import CashPath, Cents, Room, Shortfall, room_for
from runway_calcs.pay_plan.options import Problem, problem_of, ways_to_pay
from runway_calcs.pay_plan.reasons import PlannedBill, day_words, money, planned_bills
from runway_calcs.pay_plan.search import cost_of
from runway_calcs.pay_plan.solver import Solution, Stop, solve
from runway_calcs.pay_plan.vendor_reserves import VendorReserve, with_reserves
from runway_calcs.policy import PaymentDayPolicy, PlanPolicy, WaitingPolicy

_PPM = 1_000_000


class PlanState(StrEnum):
    """What is known about a plan."""

    NOTHING_OPEN = "nothing open"
    """There is no bill to plan, or credits settle them all."""
    OPTIMAL = "optimal"
    """No plan costs a cent less."""
    WITHIN_GAP = "within a gap"
    """Proven to cost at most `gap_ppm` more than any other."""
    NOT_FEASIBLE = "not feasible"
    """What cannot wait breaks the floor. The plan pays that and nothing that would deepen the shortfall."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PayPlan:
    """The payments of the window, their cost and their proof.

    `cost_micro` and `bound_micro` are micro-cents above what paying every bill on its cheapest day would cost: what
    scarce cash costs. Zero means that nothing waits for want of cash.
    """

    as_of: date
    state: PlanState
    words: str
    """"optimal", "within 0.4 % of the least possible cost", "not feasible, short by 1,200.00 on 3 Dec"."""
    cost_micro: int
    bound_micro: int
    """Proven: no plan of this window costs less."""
    gap_ppm: int
    """(cost - bound) / cost, rounded up; 0 for a plan proven optimal, 1,000,000 when only the bound of zero is proven."""
    stop: Stop
    is_repeatable: bool
    """False where the time limit cut the search short: another run of the same input may find another plan."""
    shortfall: Shortfall | None
    """Set when the state is NOT_FEASIBLE, and with NOTHING_OPEN when the cash breaks the floor by itself."""
    bills: tuple[PlannedBill, ...]
    """By first payment day (unpaid ones last) and id."""
    apart: tuple[UnplannedBill, ...] = ()
    """Open bills, or parts, that are not planned, with the reason: decided already, or probably dead."""
    balance_cents: tuple[int, ...]
    """At the end of each day of the window, after the planned payments; without what reserves keep."""
    low_cents: int
    low_on: date


def pay_plan(
    bills: Iterable[PayableBill],
    *,
    as_of: date,
    cash: CashPath,
    vendor_credits: Iterable[VendorCredit],
    waiting: WaitingPolicy,
    days: PaymentDayPolicy,
    policy: PlanPolicy,
    apart: Iterable[UnplannedBill] = (),
    reserves: Iterable[VendorReserve] = (),
) -> PayPlan:
    """The plan of least cost over the days of `cash`, for open bills that are not held or disputed.

    A bill is paid in whole, or in parts where it may be; on pay-run days, unapproved ones from their assumed approval on;
    bills of tier 0 by their due date and bills with a hard date by that, whatever the cash; every other one on any day of
    the window or after it. A vendor's credits first reduce its bills in the order they are due. The balance stays at or
    above the floor on every day, where that is possible; else no payment deepens the shortfall. `apart` are the open bills
    that `bills` is without: they are listed with the plan, and decided ones are in the outflows of the cash. `reserves` are
    beside the cash and pay the bills of their vendors, on the days on which the plan pays these.

    Raises:
        ValueError: if two bills share an id, or the window does not begin on the as-of day or the day after.
    """
    if (cash.first_on - as_of).days not in {0, 1}:
        raise ValueError(f"the cash path begins on {cash.first_on}, neither on nor right after {as_of}")
    ordered = in_stable_order(bills)
    used = credits_used(ordered, vendor_credits)
    possible = [
        ways_to_pay(bill, as_of=as_of, path=cash, waiting=waiting, days=days) for bill in after_credits(ordered, used)
    ]
    ways = with_reserves(possible, reserves)
    room = room_for(cash, unavoidable=[one.unavoidable() for one in ways if one.cannot_wait])
    problem = problem_of(ways, capacity_cents=room.capacity_cents)
    solution = solve(problem, start=_start(problem, room=room), policy=policy)
    balance = cash.balance_cents() - _paid_by_day(problem, solution, days=cash.days)
    _verify(problem, solution, balance=balance, room=room, cash=cash)
    state = _state(solution, shortfall=room.shortfall, has_bills=bool(ways))
    gap = -(-(solution.cost - solution.bound) * _PPM // solution.cost) if solution.cost else 0
    return PayPlan(
        as_of=as_of,
        state=state,
        words=_words(state, gap_ppm=gap, shortfall=room.shortfall),
        cost_micro=solution.cost,
        bound_micro=solution.bound,
        gap_ppm=gap,
        stop=solution.stop,
        is_repeatable=solution.is_repeatable,
        shortfall=room.shortfall,
        apart=tuple(apart),
        bills=planned_bills(ordered, used=used, problem=problem, parts=solution.parts, balance=balance, cash=cash),
        balance_cents=tuple(int(cents) for cents in balance),
        low_cents=int(balance.min()),
        low_on=cash.first_on + timedelta(days=int(balance.argmin())),
    )


def _start(problem: Problem, *, room: Room) -> Cents:
    """A choice that fits: what cannot wait as the room was measured for, everything else as late as possible."""
    promised = iter(room.unavoidable)
    chosen = []
    for number, one in enumerate(problem.bills):
        own = np.arange(problem.first[number], problem.first[number + 1])
        if one.cannot_wait:
            payment = next(promised)
            row = np.searchsorted(problem.row_day, payment.day)
            is_free = problem.row[own] == len(problem.capacity)
            own = own[(problem.row[own] >= row) & ((problem.cents[own] <= payment.cents) | is_free)]
        chosen.append(int(own[-1]))
    return np.array(chosen, dtype=np.int64)


def _paid_by_day(problem: Problem, solution: Solution, *, days: int) -> Cents:
    paid = np.zeros(days, dtype=np.int64)
    for option, face in solution.parts.items():
        way = problem.bills[int(problem.bill[option])].ways[int(problem.way[option])]
        if way.day < days:
            paid[way.day] += way.cents if face == problem.open_cents(option) else face
    return np.cumsum(paid)


def _verify(problem: Problem, solution: Solution, *, balance: Cents, room: Room, cash: CashPath) -> None:
    """State in whole cents what the search promises: every bill once, no day below what the room allows, bound <= cost."""
    settled = np.zeros(len(problem.bills), dtype=np.int64)
    for option, face in solution.parts.items():
        settled[problem.bill[option]] += face
    assert [int(face) for face in settled] == [one.bill.open_cents for one in problem.bills], (
        "a bill is not settled once"
    )
    allowed = cash.balance_cents() - room.capacity_cents
    assert (balance >= allowed).all(), "the plan uses more cash than there is room for"
    assert 0 <= solution.bound <= solution.cost == cost_of(problem, solution.parts), "cost or bound is wrong"


def _state(solution: Solution, *, shortfall: Shortfall | None, has_bills: bool) -> PlanState:
    if not has_bills:
        return PlanState.NOTHING_OPEN
    if shortfall is not None:
        return PlanState.NOT_FEASIBLE
    return PlanState.OPTIMAL if solution.cost - solution.bound < MICRO else PlanState.WITHIN_GAP


def _words(state: PlanState, *, gap_ppm: int, shortfall: Shortfall | None) -> str:
    if shortfall is not None:
        return f"not feasible, short by {money(shortfall.cents)} on {day_words(shortfall.worst_on)}"
    if state is PlanState.WITHIN_GAP:
        # Rounded up, so that the words never claim more than was proven.
        return f"within {-(-gap_ppm // 1_000) / 10:.1f} % of the least possible cost"
    return str(state)
