"""What a digest takes from priorities, pay plan and hygiene: whom a contact moves, what can wait, what is to be mended.

Belongs here: the shape of these facts and the rules they keep. Does not: choosing them (``priority_facts.py``), wording
(``attention.py``).
"""

from dataclasses import dataclass
from datetime import date

from experiences.digest.comparison import require
from experiences.digest.listing import Listing
from runway_calcs.collection.priority import PriorityState
from runway_calcs.hygiene.defects import EffectState
from runway_calcs.pay_plan.apart import WhyApart
from runway_calcs.pay_plan.plan import PlanState


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactLine:
    """A customer and what a contact today is expected to bring before the low point."""

    customer: str
    value_cents: int
    overdue_cents: int
    """Of all its invoices."""
    doc_number: str
    """The invoice that speaks for the contact: unusually late, or the oldest."""
    days_late: int
    """Of that invoice; negative before its due date."""
    usual_days_late: int | None
    """The customer's own habit; None with too few paid invoices."""
    paid_invoices: int
    """So many show the habit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Collection:
    """The customers whose payment a contact is expected to bring forward."""

    state: PriorityState
    low_on: date | None
    contacts: Listing[ContactLine]
    """Only contacts that are worth one; the total is what all of them move."""
    assumption: str

    def __post_init__(self) -> None:
        valued = self.state is PriorityState.OK
        require(valued or self.contacts.count == 0, "a contact has a value only before a low point")
        require((self.low_on is not None) or not valued, "values are counted to a low point")


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingLine:
    """A bill past due or expected within the week that the plan pays later."""

    vendor: str
    doc_number: str
    amount_cents: int
    """What is open, before any vendor credit of the plan: every list of bills shows that."""
    until: date | None
    """The planned day; None: not within the plan's window."""
    cost_cents: int
    """What waiting costs above the bill's cheapest day; 0: nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscountLine:
    """An early-payment discount that still stands."""

    vendor: str
    doc_number: str
    saves_cents: int
    last_on: date
    yield_basis_points: int | None
    """A year, effective; None when this payer pays by then anyway."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedLine:
    """A payment of the plan within the week ahead."""

    vendor: str
    doc_number: str
    paid_on: date
    cash_cents: int


@dataclass(frozen=True, slots=True, kw_only=True)
class UnplannedTotal:
    """Open bills, or parts, that the plan leaves alone for one reason."""

    why: WhyApart
    count: int
    total_cents: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The pay plan as far as the week ahead goes."""

    state: PlanState
    words: str
    """How good the plan is proven to be; of a shortfall in no reader's formats."""
    payments: Listing[PlannedLine]
    balance_after_cents: int
    """The cautious balance at the end of the week ahead, after the planned payments and everything else."""
    low_cents: int
    low_on: date
    waiting: Listing[WaitingLine]
    waiting_cost_cents: int
    """Of all that wait."""
    discounts: Listing[DiscountLine]
    unplanned: tuple[UnplannedTotal, ...] = ()
    """By reason; reasons without a bill are left out."""
    short_cents: int | None = None
    """How far the cash falls below the floor on its worst day although all waits that can; None: it does not, or the digest is from
    before this was kept."""
    short_on: date | None = None

    def __post_init__(self) -> None:
        require((self.short_cents is None) == (self.short_on is None), "a shortfall has its day")


@dataclass(frozen=True, slots=True, kw_only=True)
class DefectLine:
    """Something in the books to be mended, and what it changes."""

    label: str
    what: str
    is_blocking: bool
    effect: EffectState
    runway_days: int | None
    is_bound: bool
    low_cents: int | None
    age_days: int | None

    def __post_init__(self) -> None:
        known = self.effect in (EffectState.VALUE, EffectState.ZERO)
        require((self.runway_days is not None) == known, "an effect has days exactly when it is known")
        require((self.low_cents is not None) == known, "an effect has cents exactly when it is known")


@dataclass(frozen=True, slots=True, kw_only=True)
class DataToFix:
    """What is wrong in the books, by what it changes."""

    score: int | None
    """0 to 100; None without data."""
    defects: Listing[DefectLine]
    """The total is the money they concern."""
    blocking_count: int
    """Of all of them, those that are known to be wrong."""
    set_aside: int
    """Snoozed or ruled no issue by a person: counted, not listed."""
