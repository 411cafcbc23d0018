"""Generated pay-plan cases: tight cash, discounts, tiers, lumpy inflows, some that cannot hold the floor.

Belongs here: drawing a case from a seed, and the plan of a case. Does not: expectations. The benchmark draws from here too.
"""

from dataclasses import dataclass, field, replace
from datetime import date, timedelta

import numpy as np

from runway_calcs.bills.payables import EarlyDiscount, LateFee, PayableBill, Tier, VendorCredit
from runway_calcs.pay_plan.cash import CashPath
from runway_calcs.pay_plan.plan import PayPlan, pay_plan
from runway_calcs.pay_plan.vendor_reserves import VendorReserve
from runway_calcs.policy import PaymentDayPolicy, PlanPolicy, WaitingPolicy

FRIDAY = date(2026, 11, 20)
HOLIDAYS = frozenset({date(2026, 11, 26), date(2026, 12, 25), date(2027, 1, 1), date(2027, 1, 18), date(2027, 2, 15)})


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanCase:
    """The input of one plan."""

    bills: tuple[PayableBill, ...]
    cash: CashPath
    vendor_credits: tuple[VendorCredit, ...] = ()
    reserves: tuple[VendorReserve, ...] = ()
    as_of: date = FRIDAY
    waiting: WaitingPolicy = field(default_factory=WaitingPolicy)
    days: PaymentDayPolicy = field(default_factory=lambda: PaymentDayPolicy(holidays=HOLIDAYS))

    def plan(self, policy: PlanPolicy | None = None) -> PayPlan:
        """The plan of this case."""
        return pay_plan(
            self.bills,
            as_of=self.as_of,
            cash=self.cash,
            vendor_credits=self.vendor_credits,
            waiting=self.waiting,
            days=self.days,
            policy=policy or PlanPolicy(),
            reserves=self.reserves,
        )


def steady_case(seed: int, *, bills: int, days: int) -> PlanCase:
    """A case whose cash grows on nearly every business day, as a cautious path of many customers does."""
    case = plan_case(seed, bills=bills, days=days)
    rng = np.random.default_rng([seed, bills, days, 1])
    total = sum(bill.open_cents for bill in case.bills)
    business = [(FRIDAY + timedelta(days=day + 1)).weekday() < 5 for day in range(days)]
    inflow = [int(total * 1.2 / days * rng.uniform(0.5, 1.5)) * is_open for is_open in business]
    path = replace(
        case.cash,
        opening_cents=case.cash.floor_cents + total // 20,
        inflow_cents=inflow,
        outflow_cents=[0] * days,
    )
    return replace(case, cash=path)


def plan_case(seed: int, *, bills: int, days: int) -> PlanCase:
    """A tenant with so many open bills that are mostly due within the window; one in eight cannot hold its floor."""
    rng = np.random.default_rng([seed, bills, days])
    vendors = max(2, bills // 3)
    due = _bills(rng, count=bills, days=days, vendors=vendors)
    owed = [
        VendorCredit(
            credit_id=f"c{number}", party_id=str(rng.integers(vendors)), open_cents=int(rng.integers(5_000, 80_000))
        )
        for number in range(int(rng.integers(0, 1 + bills // 10)))
    ]
    weekdays = [frozenset(range(5)), frozenset(range(5)), frozenset({1, 4}), frozenset({4})][int(rng.integers(4))]
    return PlanCase(
        bills=due,
        vendor_credits=tuple(owed),
        cash=_cash(rng, due=due, days=days, holds=rng.random() > 0.125),
        days=PaymentDayPolicy(holidays=HOLIDAYS, weekdays=weekdays),
    )


def _bills(rng: np.random.Generator, *, count: int, days: int, vendors: int) -> tuple[PayableBill, ...]:
    tier_of = rng.choice([0, 1, 2, 3], size=vendors, p=[0.06, 0.2, 0.44, 0.3])
    found = []
    for number in range(count):
        vendor = int(rng.integers(vendors))
        due_on = FRIDAY + timedelta(days=int(rng.integers(-20, days + 5)))
        bill = PayableBill(
            bill_id=f"b{number:03}",
            party_id=str(vendor),
            party_name=f"Vendor {vendor}",
            open_cents=int(min(6_000_000, max(2_000, np.exp(rng.normal(11.7, 1.2))))),
            due_on=due_on,
            tier=Tier(int(tier_of[vendor])),
            usual_days_late=int(rng.choice([0, 0, 5, 12])),
            is_approved=bool(rng.random() < 0.8),
            may_part_pay=bool(rng.random() < 0.15),
        )
        found.append(_with_terms(rng, bill, days=days))
    return tuple(found)


def _with_terms(rng: np.random.Generator, bill: PayableBill, *, days: int) -> PayableBill:
    kind = rng.random()
    if kind < 0.15 and bill.due_on > FRIDAY + timedelta(days=8):
        last_on = max(FRIDAY + timedelta(days=2), bill.due_on - timedelta(days=20))
        bill = replace(bill, discount=EarlyDiscount(discount_ppm=int(rng.choice([10_000, 20_000])), last_on=last_on))
    elif kind < 0.2:
        bill = replace(bill, hard_on=FRIDAY + timedelta(days=int(rng.integers(3, days))))
    elif kind < 0.45:
        bill = replace(bill, late_fee=LateFee(ppm_per_day=0, flat_cents=0, grace_days=0))
    elif kind < 0.6:
        flat = int(rng.choice([1_500, 2_500, 5_000]))
        bill = replace(bill, late_fee=LateFee(ppm_per_day=333, flat_cents=flat, grace_days=int(rng.choice([0, 10]))))
    return bill


def _cash(rng: np.random.Generator, *, due: tuple[PayableBill, ...], days: int, holds: bool) -> CashPath:
    """Lumpy receipts, a payroll every second Friday and a rent; what is left for bills is short of what they need."""
    total = sum(bill.open_cents for bill in due)
    payroll = max(50_000, total * 14 // (days * 2))
    inflow, outflow = np.zeros(days, dtype=np.int64), np.zeros(days, dtype=np.int64)
    for day in range(days):
        on = FRIDAY + timedelta(days=day + 1)
        outflow[day] += payroll if day % 14 == 13 else 0
        outflow[day] += payroll // 3 if on.day == 1 else 0
        if on.weekday() < 5 and rng.random() < 0.4:
            inflow[day] = int(np.exp(rng.normal(0, 1)) * 1_000)
    wanted = int(total * rng.uniform(0.45, 1.05)) + int(outflow.sum())
    inflow = inflow * wanted // max(1, int(inflow.sum()))
    floor = payroll
    lowest = int(np.cumsum(inflow - outflow).min())
    opening = floor + max(0, -lowest) + int(total * rng.uniform(0, 0.1))
    urgent = sum(bill.open_cents for bill in due if bill.deadline is not None)
    opening += urgent if holds else -int(rng.integers(1, 1 + opening // 2))
    return CashPath(
        first_on=FRIDAY + timedelta(days=1),
        opening_cents=opening,
        floor_cents=floor,
        inflow_cents=tuple(int(cents) for cents in inflow),
        outflow_cents=tuple(int(cents) for cents in outflow),
    )
