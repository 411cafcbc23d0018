"""Which open bills cost most to leave unpaid, and by when each is safely paid.

Belongs here: the score of one more day per dollar with its reasons, hard dates, the latest safe day, the liquidity flag.
Does not: the cost formulas (``runway_calcs/bills/waiting_cost.py``); which bills the cash suffices for
(``runway_calcs/pay_plan/plan.py``); tiers (a person sets them; ``runway_calcs/bills/vendor_tiers.py`` suggests).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from runway_calcs.bills.discount_yield import DiscountYield, discount_yield
from runway_calcs.bills.payables import PayableBill, in_stable_order
from runway_calcs.bills.payment_days import first_payable_on, next_pay_run, pay_run_days
from runway_calcs.bills.waiting_cost import late_fee_of, waiting_cost
from runway_calcs.cents import divide_half_up
from runway_calcs.policy import PaymentDayPolicy, WaitingPolicy


class Cause(StrEnum):
    """What a part of the score stands for."""

    LATE_FEE = "late fee"
    LOST_DISCOUNT = "lost discount"
    RELATIONSHIP = "relationship"
    HARD_DATE = "hard date"
    CASH_YIELD = "yield of cash"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScorePart:
    """One reason of a score."""

    cause: Cause
    micro: int
    """Micro-dollars per dollar and day; negative for the yield of cash."""
    words: str
    """For a reader: "the discount of 40.00 ends on 24 Nov"."""


class HardDateKind(StrEnum):
    """Why a day matters."""

    GIVEN = "given"
    """A person recorded it: a shut-off notice, a promise."""
    ON_TIME = "on time"
    """Due date of a tier 0 bill."""
    DISCOUNT = "discount"
    """Last day of the early-payment discount."""
    DUE = "due"
    """Due date of any other bill: lateness begins after it."""
    LATE_FEE = "late fee"
    """Last day of the grace."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HardDate:
    """A day after which waiting costs something new."""

    on: date
    kind: HardDateKind


@dataclass(frozen=True, slots=True, kw_only=True)
class BillPriority:
    """One open bill in the order of priority.

    `score` is the cost of waiting from `pay_on` to `next_on`, per day and dollar, in micro-dollars; the parts add up
    to it exactly.
    """

    bill_id: str
    party_id: str
    party_name: str
    open_cents: int
    tier: int
    tier_suggestion: str = ""
    """The fact behind the tier, where it is suggested: no person has set one. Empty otherwise."""
    overdue_days: int
    """Negative before the due date."""
    pay_on: date
    """The first day on which it can be paid."""
    next_on: date
    """The payment day after that one."""
    score: int
    parts: tuple[ScorePart, ...]
    """Parts that are zero are left out."""
    hard_dates: tuple[HardDate, ...]
    """From `pay_on` on, the earliest first."""
    latest_safe_on: date | None
    """Last payment day before which waiting costs nothing: no fee, no lateness, no lost discount that is worth more than
    the yield of cash, no missed hard date. None: that day has passed."""
    discount_cents: int
    """What the discount still saves on `pay_on`; 0 without one."""
    discount_yield: DiscountYield | None
    """Its yearly rate, counted from its last day to the day on which this payer usually pays; None without one, or
    when this payer pays by then anyway."""
    is_liquidity_breach: bool
    """Paying it on `pay_on` would take the cash below the floor. A flag: it never changes the score."""
    breach_cents: int
    """By how much; 0 without a breach."""


def bill_priorities(
    bills: Iterable[PayableBill],
    *,
    as_of: date,
    spendable_cents: int,
    waiting: WaitingPolicy,
    days: PaymentDayPolicy,
) -> tuple[BillPriority, ...]:
    """Every open bill with its score, the highest first; ties by the latest safe day (passed ones first) and id.

    `spendable_cents` is cash less floor and holds, negative when the cash is below the floor already.
    """
    found = [
        _priority(bill, as_of=as_of, spendable_cents=spendable_cents, waiting=waiting, days=days)
        for bill in in_stable_order(bills)
    ]
    return tuple(sorted(found, key=lambda item: (-item.score, item.latest_safe_on or date.min, item.bill_id)))


def _priority(
    bill: PayableBill, *, as_of: date, spendable_cents: int, waiting: WaitingPolicy, days: PaymentDayPolicy
) -> BillPriority:
    pay_on = next_pay_run(first=first_payable_on(bill, as_of=as_of, policy=days), policy=days)
    next_on = next_pay_run(first=pay_on + timedelta(days=1), policy=days)
    parts = _parts(bill, pay_on=pay_on, next_on=next_on, policy=waiting)
    price = discount_price(bill)
    saved = bill.discount.cents(bill.open_cents) if bill.discount and pay_on <= bill.discount.last_on else 0
    missing = max(0, bill.open_cents - saved - spendable_cents)
    return BillPriority(
        bill_id=bill.bill_id,
        party_id=bill.party_id,
        party_name=bill.party_name,
        open_cents=bill.open_cents,
        tier=int(bill.tier),
        tier_suggestion=bill.suggestion,
        overdue_days=(as_of - bill.due_on).days,
        pay_on=pay_on,
        next_on=next_on,
        score=sum(part.micro for part in parts),
        parts=parts,
        hard_dates=tuple(date_ for date_ in hard_dates(bill, policy=waiting) if date_.on >= pay_on),
        latest_safe_on=_latest_safe_on(bill, pay_on=pay_on, waiting=waiting, days=days),
        discount_cents=saved,
        discount_yield=price if saved else None,
        is_liquidity_breach=missing > 0,
        breach_cents=missing,
    )


def discount_price(bill: PayableBill) -> DiscountYield | None:
    """The yearly rate that the bill's discount pays, given when this payer pays this vendor otherwise."""
    if bill.discount is None:
        return None
    usual_on = bill.due_on + timedelta(days=bill.usual_days_late)
    return discount_yield(discount_ppm=bill.discount.discount_ppm, days_earlier=(usual_on - bill.discount.last_on).days)


def hard_dates(bill: PayableBill, *, policy: WaitingPolicy) -> tuple[HardDate, ...]:
    """The days after which waiting with the bill costs something new, the earliest first."""
    deadline_kind = HardDateKind.ON_TIME if bill.tier == 0 else HardDateKind.DUE
    found = [HardDate(on=bill.due_on, kind=deadline_kind)]
    if bill.hard_on is not None:
        found.append(HardDate(on=bill.hard_on, kind=HardDateKind.GIVEN))
    if bill.discount is not None:
        found.append(HardDate(on=bill.discount.last_on, kind=HardDateKind.DISCOUNT))
    fee = late_fee_of(bill, policy=policy)
    if fee.ppm_per_day or fee.flat_cents:
        found.append(HardDate(on=bill.due_on + timedelta(days=fee.grace_days), kind=HardDateKind.LATE_FEE))
    return tuple(sorted(found, key=lambda date_: (date_.on, date_.kind)))


def _parts(bill: PayableBill, *, pay_on: date, next_on: date, policy: WaitingPolicy) -> tuple[ScorePart, ...]:
    """The cost from one payment day to the next, cause by cause, per day and dollar; each part rounded half up."""
    cost = waiting_cost(bill, as_of=pay_on, paid_on=next_on, policy=policy)
    days = (next_on - pay_on).days
    late = max(0, (next_on - bill.due_on).days)
    amounts = {
        Cause.LATE_FEE: (cost.late_fee, f"late fee, {_days(late)} late on {_day(next_on)}"),
        Cause.LOST_DISCOUNT: (cost.lost_discount, _discount_words(bill)),
        Cause.RELATIONSHIP: (cost.relationship, f"{_tier_words(bill)}, {_days(late)} late on {_day(next_on)}"),
        Cause.CASH_YIELD: (cost.cash_yield, "the cash earns until then"),
    }
    parts = [
        ScorePart(cause=cause, micro=divide_half_up(micro_cents, bill.open_cents * days), words=words)
        for cause, (micro_cents, words) in amounts.items()
    ]
    if bill.deadline is not None and bill.deadline < next_on:
        words = f"to be paid by {_day(bill.deadline)}"
        parts.append(ScorePart(cause=Cause.HARD_DATE, micro=policy.hard_date_ppm_per_day, words=words))
    return tuple(part for part in parts if part.micro)


def _latest_safe_on(bill: PayableBill, *, pay_on: date, waiting: WaitingPolicy, days: PaymentDayPolicy) -> date | None:
    limits = [bill.due_on, *([bill.hard_on] if bill.hard_on else [])]
    if bill.discount is not None and pay_on <= bill.discount.last_on and _is_worthwhile(bill, policy=waiting):
        limits.append(bill.discount.last_on)
    safe = pay_run_days(first=pay_on, last=min(limits), policy=days)
    return safe[-1] if safe else None


def _is_worthwhile(bill: PayableBill, *, policy: WaitingPolicy) -> bool:
    """Whether the discount saves more than the cash would earn until this payer usually pays."""
    assert bill.discount is not None
    days = max(0, (bill.due_on - bill.discount.last_on).days + bill.usual_days_late)
    saved = bill.discount.cents(bill.open_cents)
    return saved * 1_000_000 > (bill.open_cents - saved) * policy.cash_yield_ppm_per_day * days


def _discount_words(bill: PayableBill) -> str:
    if bill.discount is None:
        return ""
    saved = bill.discount.cents(bill.open_cents)
    return f"the discount of {saved // 100:,}.{saved % 100:02} ends on {_day(bill.discount.last_on)}"


def _tier_words(bill: PayableBill) -> str:
    return f"tier {int(bill.tier)}" + (f" suggested ({bill.suggestion})" if bill.suggestion else "")


def _days(count: int) -> str:
    return "1 day" if count == 1 else f"{count} days"


def _day(day: date) -> str:
    return f"{day.day} {day:%b}"
