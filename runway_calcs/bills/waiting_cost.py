"""What paying a bill later costs, exact to the micro-cent.

Belongs here: late fee, lost discount, relationship and yield of cash as functions of the payment day.
Does not: ranking (``runway_calcs/bills/priority.py``); choosing days (``runway_calcs/pay_plan/plan.py``).

Rates are parts per million a day and amounts whole cents, so a cost is a whole number of micro-cents and parts add up
without rounding.
"""

from dataclasses import dataclass
from datetime import date

from runway_calcs.bills.payables import LateFee, PayableBill, Tier
from runway_calcs.policy import WaitingPolicy

MICRO = 1_000_000
"""Micro-cents in a cent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingCost:
    """The cost of paying an amount on one day instead of today, in micro-cents."""

    late_fee: int
    lost_discount: int
    relationship: int
    cash_yield: int
    """Negative: what the kept cash earned."""

    @property
    def total(self) -> int:
        """The sum of the parts."""
        return self.late_fee + self.lost_discount + self.relationship + self.cash_yield


def late_fee_of(bill: PayableBill, *, policy: WaitingPolicy) -> LateFee:
    """The vendor's own late fee, else the policy's."""
    return bill.late_fee or LateFee(
        ppm_per_day=policy.late_fee_ppm_per_day,
        flat_cents=policy.late_fee_flat_cents,
        grace_days=policy.late_fee_grace_days,
    )


def cash_paid_cents(bill: PayableBill, *, paid_on: date) -> int:
    """What leaves the bank when the whole bill is paid on a day: less by the discount up to its last day."""
    if bill.discount is not None and paid_on <= bill.discount.last_on:
        return bill.open_cents - bill.discount.cents(bill.open_cents)
    return bill.open_cents


def waiting_cost(bill: PayableBill, *, as_of: date, paid_on: date, policy: WaitingPolicy) -> WaitingCost:
    """The cost of paying the whole bill on `paid_on`, counted from `as_of`: what is late by then already is past.

    With A the open amount, P what is paid, days late counted from the due date, between the two days:
    late fee = A x rate x days late (from the first day on once the grace is over) + the flat fee if the grace ends;
    lost discount = its cents if its last day lies between them; relationship = A x the sum of the tier's daily rates
    over the days late; yield of cash = - P x rate x days.
    """
    late_then, late_now = (paid_on - bill.due_on).days, (as_of - bill.due_on).days
    fee = late_fee_of(bill, policy=policy)
    discount_cents = bill.open_cents - cash_paid_cents(bill, paid_on=as_of)
    return WaitingCost(
        late_fee=bill.open_cents * (_late_fee_ppm(fee, days_late=late_then) - _late_fee_ppm(fee, days_late=late_now))
        + flat_fee_cents(bill, as_of=as_of, paid_on=paid_on, policy=policy) * MICRO,
        lost_discount=(cash_paid_cents(bill, paid_on=paid_on) - bill.open_cents + discount_cents) * MICRO,
        relationship=bill.open_cents
        * (
            relationship_ppm(bill.tier, days_late=late_then, policy=policy)
            - relationship_ppm(bill.tier, days_late=late_now, policy=policy)
        ),
        cash_yield=-cash_paid_cents(bill, paid_on=paid_on) * policy.cash_yield_ppm_per_day * (paid_on - as_of).days,
    )


def flat_fee_cents(bill: PayableBill, *, as_of: date, paid_on: date, policy: WaitingPolicy) -> int:
    """The flat late fee if its grace ends after `as_of` and before `paid_on`, else 0; owed once, whatever part is late."""
    fee = late_fee_of(bill, policy=policy)
    is_charged_between = (as_of - bill.due_on).days <= fee.grace_days < (paid_on - bill.due_on).days
    return fee.flat_cents if is_charged_between else 0


def relationship_ppm(tier: Tier, *, days_late: int, policy: WaitingPolicy) -> int:
    """The tier's daily rates summed over the days late: piecewise linear, steeper in each band."""
    last_days = (*(first - 1 for first in policy.relationship_first_days[1:]), days_late)
    bands = zip(policy.relationship_first_days, last_days, policy.relationship_ppm_per_day[tier], strict=True)
    return sum(max(0, min(days_late, last_day) - first_day + 1) * rate for first_day, last_day, rate in bands)


def _late_fee_ppm(fee: LateFee, *, days_late: int) -> int:
    return fee.ppm_per_day * days_late if days_late > fee.grace_days else 0
