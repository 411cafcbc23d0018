"""What a plan does with each bill, and why, for a reader.

Belongs here: payments, outcome, cost of waiting and reason of each bill. Does not: finding the plan; advice.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum

from runway_calcs.bills.payables import PayableBill
from runway_calcs.bills.priority import discount_price
from runway_calcs.bills.waiting_cost import MICRO
from runway_calcs.cents import divide_half_up
from runway_calcs.pay_plan.cash import CashPath, Cents
from runway_calcs.pay_plan.options import BillWays, Problem, Way
from runway_calcs.pay_plan.search import Parts, cost_of


class Outcome(StrEnum):
    """What the plan does with a bill."""

    CREDIT = "settled by credit"
    PAID = "paid on its cheapest day"
    WAITS = "waits"
    """Paid in the window, all or the last part of it later than on its cheapest day, or without its discount."""
    AFTER = "after the window"
    """Its cheapest day lies after the window."""
    UNPAID = "not paid in the window"
    """All or a part stays unpaid in the window, though an earlier day would cost less."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedPayment:
    """One payment of a bill."""

    paid_on: date
    cash_cents: int
    """What leaves the bank."""
    settles_cents: int
    """What it takes off the open amount: more than the cash by the discount."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedBill:
    """One bill in the plan. open = credit + sum of settles + unpaid."""

    bill_id: str
    party_id: str
    party_name: str
    tier: int
    due_on: date
    open_cents: int
    credit_cents: int
    """Credits of the vendor used against it."""
    payments: tuple[PlannedPayment, ...]
    """In the window, the earliest first."""
    unpaid_cents: int
    """Still open after the window."""
    outcome: Outcome
    waiting_cost_cents: int
    """What this way costs above the bill's cheapest one, rounded half up."""
    blocked_on: date | None
    """The day on which paying it on its cheapest day would leave the cash lowest below the floor; None if it would not."""
    blocked_cents: int
    """By how much below the floor."""
    reason: str


def planned_bills(
    bills: Sequence[PayableBill],
    *,
    used: Mapping[str, int],
    problem: Problem,
    parts: Parts,
    balance: Cents,
    cash: CashPath,
) -> tuple[PlannedBill, ...]:
    """Every bill with what the plan does with it; those settled by credit first, then by payment day and id."""
    parts_of: defaultdict[int, dict[int, int]] = defaultdict(dict)
    for option, face in sorted(parts.items()):
        parts_of[int(problem.bill[option])][option] = face
    number_of = {one.bill.bill_id: number for number, one in enumerate(problem.bills)}
    found = []
    for bill in bills:
        if bill.bill_id not in number_of:
            found.append(_by_credit(bill))
            continue
        number = number_of[bill.bill_id]
        taken = [
            (problem.bills[number].ways[int(problem.way[option])], face) for option, face in parts_of[number].items()
        ]
        cost = cost_of(problem, parts_of[number])
        found.append(
            _planned(
                problem.bills[number],
                taken=taken,
                cost=cost,
                credit_cents=used.get(bill.bill_id, 0),
                balance=balance,
                cash=cash,
            )
        )
    return tuple(sorted(found, key=lambda one: (_first_day(one), one.bill_id)))


def _first_day(one: PlannedBill) -> date:
    if one.payments:
        return one.payments[0].paid_on
    return date.min if one.outcome is Outcome.CREDIT else date.max


def _by_credit(bill: PayableBill) -> PlannedBill:
    return PlannedBill(
        bill_id=bill.bill_id,
        party_id=bill.party_id,
        party_name=bill.party_name,
        tier=int(bill.tier),
        due_on=bill.due_on,
        open_cents=bill.open_cents,
        credit_cents=bill.open_cents,
        payments=(),
        unpaid_cents=0,
        outcome=Outcome.CREDIT,
        waiting_cost_cents=0,
        blocked_on=None,
        blocked_cents=0,
        reason="settled by the vendor's credits",
    )


def _planned(
    one: BillWays,
    *,
    taken: Sequence[tuple[Way, int]],
    cost: int,
    credit_cents: int,
    balance: Cents,
    cash: CashPath,
) -> PlannedBill:
    bill = one.bill
    payments = tuple(
        PlannedPayment(
            paid_on=way.paid_on,
            cash_cents=way.cents + way.reserve_cents if face == bill.open_cents else face,
            settles_cents=face,
        )
        for way, face in taken
        if way.day < cash.days
    )
    unpaid = bill.open_cents - sum(payment.settles_cents for payment in payments)
    outcome = _outcome(cost, payments=payments, unpaid=unpaid)
    kept = sum(way.reserve_cents for way, _ in taken)
    blocked = None if cost == 0 else _blocked(one.cheapest, payments=payments, kept=kept, balance=balance, cash=cash)
    planned = PlannedBill(
        bill_id=bill.bill_id,
        party_id=bill.party_id,
        party_name=bill.party_name,
        tier=int(bill.tier),
        due_on=bill.due_on,
        open_cents=bill.open_cents + credit_cents,
        credit_cents=credit_cents,
        payments=payments,
        unpaid_cents=unpaid,
        outcome=outcome,
        waiting_cost_cents=divide_half_up(cost, MICRO),
        blocked_on=blocked[0] if blocked else None,
        blocked_cents=blocked[1] if blocked else 0,
        reason="",
    )
    from_reserve = f", {money(kept)} of it from what is kept for the vendor" if kept else ""
    return replace(planned, reason=f"{_reason(planned, one=one, cash=cash)}{from_reserve}")


def _outcome(cost: int, *, payments: Sequence[PlannedPayment], unpaid: int) -> Outcome:
    if cost == 0:
        return Outcome.PAID if payments else Outcome.AFTER
    return Outcome.UNPAID if unpaid else Outcome.WAITS


def _blocked(
    cheapest: Way, *, payments: Sequence[PlannedPayment], kept: int, balance: Cents, cash: CashPath
) -> tuple[date, int] | None:
    """The worst day and the missing cents if the bill were paid on its cheapest day and all else stayed as planned.

    `kept` cents of its payments are no part of the balance: a reserve gives them.
    """
    if cheapest.day >= cash.days:
        return None
    alone = balance.copy()
    for payment in payments:
        # A bill that a reserve pays for has one payment.
        alone[(payment.paid_on - cash.first_on).days :] += payment.cash_cents - kept
    after = alone[cheapest.day :] - cheapest.cents
    worst = int(after.argmin())
    missing = cash.floor_cents - int(after[worst])
    return (cash.first_on + timedelta(days=cheapest.day + worst), missing) if missing > 0 else None


def _reason(planned: PlannedBill, *, one: BillWays, cash: CashPath) -> str:
    """One sentence: "waits until 11 Dec, 9 days late: on 4 Dec it would leave the cash 812.00 below the floor on 10 Dec ..."."""
    what = _what(planned, one=one, cash=cash)
    if planned.outcome in {Outcome.PAID, Outcome.AFTER}:
        return what
    when = day_words(one.cheapest.paid_on)
    why = "the plan is proven to within its gap only"
    if planned.blocked_on is not None:
        why = (
            f"paid on {when}, it would leave the cash {money(planned.blocked_cents)} below the floor "
            f"on {day_words(planned.blocked_on)}"
        )
    return f"{what}: {why}; waiting costs {money(planned.waiting_cost_cents)}"


def _what(planned: PlannedBill, *, one: BillWays, cash: CashPath) -> str:
    if not planned.payments:
        if planned.outcome is Outcome.AFTER:
            return f"due on {day_words(planned.due_on)}, paid after the window at no cost"
        return f"not paid by {day_words(cash.last_on)}{_lateness(planned, on=cash.last_on)}"
    last = planned.payments[-1]
    if len(planned.payments) > 1 or planned.unpaid_cents:
        listed = ", ".join(f"{money(part.cash_cents)} on {day_words(part.paid_on)}" for part in planned.payments)
        rest = f", {money(planned.unpaid_cents)} after the window" if planned.unpaid_cents else ""
        return f"paid in parts, {listed}{rest}"
    saved = last.settles_cents - last.cash_cents
    when = day_words(last.paid_on)
    if planned.outcome is Outcome.WAITS:
        return f"waits until {when}{_lateness(planned, on=last.paid_on)}"
    if saved:
        price = discount_price(one.bill)
        rate = f" ({price.effective_bp / 100:.2f} % a year)" if price else ""
        return f"paid on {when} with the discount of {money(saved)}{rate}"
    return f"paid on {when}{_cheapest_day(planned, one=one, on=last.paid_on)}"


def _cheapest_day(planned: PlannedBill, *, one: BillWays, on: date) -> str:
    deadline = one.bill.deadline
    if one.cannot_wait and deadline is not None and on <= deadline:
        return f", the last payment day by {day_words(deadline)}, by which it has to be paid"
    if one.cannot_wait:
        return ", the first payment day: it had to be paid before"
    if on <= planned.due_on:
        return f", the last payment day before it costs anything (due on {day_words(planned.due_on)})"
    return f", the day on which it costs least{_lateness(planned, on=on)}"


def _lateness(planned: PlannedBill, *, on: date) -> str:
    late = (on - planned.due_on).days
    if late <= 0:
        return ""
    return ", 1 day late" if late == 1 else f", {late} days late"


def money(cents: int) -> str:
    """An amount for a reader: 1,234.56."""
    return f"{'-' if cents < 0 else ''}{abs(cents) // 100:,}.{abs(cents) % 100:02}"


def day_words(day: date) -> str:
    """A day for a reader: 4 Dec."""
    return f"{day.day} {day:%b}"
