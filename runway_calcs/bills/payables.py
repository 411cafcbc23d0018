"""Open bills and vendor credits as the calculators of priority and plan take them.

Belongs here: the value types, and how a vendor's credits reduce its bills. Does not: reading the books; what waiting
costs (``runway_calcs/bills/waiting_cost.py``).
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import IntEnum
from itertools import pairwise

from runway_calcs.cents import divide_half_up

_WHOLE_PPM = 1_000_000


class Tier(IntEnum):
    """How much harm a late payment to a vendor does; set by a person for each vendor."""

    ON_TIME = 0
    """Always on time: payroll, taxes."""
    PROTECTED = 1
    """Debt, insurance, rent, utilities, key suppliers."""
    NORMAL = 2
    PATIENT = 3
    """Vendors that have shown they wait."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlyDiscount:
    """The price reduction for a bill paid in full by a day."""

    discount_ppm: int
    """Share of the amount: 20,000 = 2 %."""
    last_on: date

    def __post_init__(self) -> None:
        if not 0 < self.discount_ppm < _WHOLE_PPM:
            raise ValueError(f"a discount lies between 0 and 1,000,000 ppm, not {self.discount_ppm}")

    def cents(self, amount_cents: int) -> int:
        """The reduction of an amount, rounded half up to the cent."""
        return divide_half_up(amount_cents * self.discount_ppm, _WHOLE_PPM)


@dataclass(frozen=True, slots=True, kw_only=True)
class LateFee:
    """What a vendor charges for late payment."""

    ppm_per_day: int
    """Of the open amount, from the due date on once the grace is over."""
    flat_cents: int
    """Once, on the first day after the grace."""
    grace_days: int

    def __post_init__(self) -> None:
        if min(self.ppm_per_day, self.flat_cents, self.grace_days) < 0:
            raise ValueError("a late fee has no negative part")


@dataclass(frozen=True, slots=True, kw_only=True)
class PayableBill:
    """An open bill and what is known about paying it."""

    bill_id: str
    party_id: str
    party_name: str
    open_cents: int
    """Positive, credits not yet taken off."""
    due_on: date
    """The bill's own date where it has no due date."""
    tier: Tier
    discount: EarlyDiscount | None = None
    late_fee: LateFee | None = None
    """None: the policy's."""
    hard_on: date | None = None
    """The bill has to be paid by this day whatever its tier: a shut-off notice, a promise given."""
    usual_days_late: int = 0
    """How late this payer usually pays this vendor: the discount's yield counts to that day."""
    is_approved: bool = True
    may_part_pay: bool = False
    suggestion: str = ""
    """The fact behind a tier that is suggested; empty where a person set it, or where it is the usual one."""
    not_before: date | None = None
    """A person put it off until this day: it is not paid earlier."""

    def __post_init__(self) -> None:
        if self.open_cents <= 0:
            raise ValueError(f"bill {self.bill_id} has nothing open ({self.open_cents} cents)")

    @property
    def deadline(self) -> date | None:
        """The day by which the bill has to be paid: its hard date, in tier 0 its due date, whichever is earlier."""
        dates = [self.hard_on, self.due_on if self.tier is Tier.ON_TIME else None]
        return min((day for day in dates if day is not None), default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class VendorCredit:
    """Money a vendor owes back, to be used against its bills."""

    credit_id: str
    party_id: str
    open_cents: int
    """Positive."""

    def __post_init__(self) -> None:
        if self.open_cents <= 0:
            raise ValueError(f"credit {self.credit_id} has nothing open ({self.open_cents} cents)")


def in_stable_order(bills: Iterable[PayableBill]) -> tuple[PayableBill, ...]:
    """The bills by id, so that no result depends on the order of the rows.

    Raises:
        ValueError: if two bills share an id.
    """
    ordered = tuple(sorted(bills, key=lambda bill: bill.bill_id))
    for earlier, later in pairwise(ordered):
        if earlier.bill_id == later.bill_id:
            raise ValueError(f"two bills have the id {later.bill_id}")
    return ordered


def credits_used(bills: Sequence[PayableBill], credits_open: Iterable[VendorCredit]) -> Mapping[str, int]:
    """Cents of credit used against each bill: a vendor's credits go to its bills in the order they are due.

    A rule, not a choice of the plan: it is what bookkeepers do, and a person sees at once where a credit went.
    """
    left: defaultdict[str, int] = defaultdict(int)
    for credit in credits_open:
        left[credit.party_id] += credit.open_cents
    used: dict[str, int] = {}
    for bill in sorted(bills, key=lambda bill: (bill.due_on, bill.bill_id)):
        taken = min(left[bill.party_id], bill.open_cents)
        if taken:
            used[bill.bill_id] = taken
            left[bill.party_id] -= taken
    return used


def after_credits(bills: Sequence[PayableBill], used: Mapping[str, int]) -> tuple[PayableBill, ...]:
    """The bills with their credits taken off; those that a credit settles are left out."""
    return tuple(
        replace(bill, open_cents=bill.open_cents - used.get(bill.bill_id, 0))
        for bill in bills
        if bill.open_cents > used.get(bill.bill_id, 0)
    )
