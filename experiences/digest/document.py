"""The Friday digest as data: the facts of one tenant's week, nothing rounded and nothing worded.

Belongs here: the shape of a digest, the rules a set of facts must keep to be one, its JSON form.
Does not: where the facts come from (``build.py``), how they read (``wording.py``, ``sentences.py``, ``view.py``).

A figure and its state belong together: a state that says "no data" or "not computable" carries no figure, so an error
can never be shown as a number. Lists hold the first rows only, together with count and total of the whole list, which
bounds the size of every document and of every mail made from it.
"""

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Literal

from experiences.digest.comparison import Change, Estimate, LastForecast, require
from experiences.digest.listing import FEW_ROWS, Listing
from experiences.digest.payment_workflow import PaymentWorkflow
from experiences.digest.priorities import Collection, DataToFix, Plan
from experiences.stored_json import StoredJson
from runway_calcs.books.ageing import BUCKETS
from runway_calcs.books.as_of import Basis
from runway_calcs.books.burn import BurnState
from runway_calcs.books.cash import CashState, ExclusionReason
from runway_calcs.flow_kinds import FlowKind
from runway_calcs.forecast.figures import RunwayState

MAX_WEEKS = 13
MAX_NOTES = 24
"""One for each QBO entity and each other kind of note: nothing is ever left out of them."""
_CURRENCY_CODE = re.compile(r"[A-Z]{3}")


class NoteKind(StrEnum):
    """What a data note is about."""

    UNREADABLE = "unreadable objects"
    BILLS_WITHOUT_DUE_DATE = "bills without due date"
    INVOICES_WITHOUT_DUE_DATE = "invoices without due date"
    DATED_LATER = "entries dated after the as-of day"
    UNUSED_VENDOR_CREDIT = "unused vendor credit"
    UNUSED_CUSTOMER_CREDIT = "unused customer credit"


@dataclass(frozen=True, slots=True, kw_only=True)
class Runway:
    """The headline: until when the projected balance stays at or above the floor."""

    state: RunwayState
    reason: str
    """Why there is no runway; empty when there is one."""
    covered_until: date | None
    """First day below the floor; only when BURNING."""
    days: int | None
    """Days from the as-of day to ``covered_until``; only when BURNING."""
    cautious_until: date | None
    """First day on which one of ten courses has been below the floor; None beyond the horizon, or below already."""
    cautious_days: int | None
    horizon_end: date
    floor_cents: int | None
    floor_reason: str
    reserved_cents: int
    """Held by reserves: part of the cash, not of the balances."""
    low_cents: int | None
    """Median of the lowest balances ..."""
    low_p10_cents: int | None
    low_p90_cents: int | None
    low_on: date | None
    below_floor_ppm: int | None
    """Probability of falling below the floor within the horizon, in millionths."""
    history_note: str
    """What a short history means; empty otherwise."""
    basis_text: str

    def __post_init__(self) -> None:
        burning = self.state is RunwayState.BURNING
        require((self.covered_until is not None) == burning, "only a runway that ends has a date")
        require((self.days is not None) == burning, "only a runway that ends has days")
        require((self.cautious_until is None) == (self.cautious_days is None), "a cautious date has its days")
        lows = (self.low_cents, self.low_p10_cents, self.low_p90_cents, self.low_on)
        for figure in (self.floor_cents, self.below_floor_ppm, *lows):
            require((figure is not None) == self.is_projected, "floor and low point exist when there is a projection")

    @property
    def is_projected(self) -> bool:
        """Whether there is a projection behind the answer."""
        return self.state not in (RunwayState.NO_DATA, RunwayState.NOT_COMPUTABLE)


@dataclass(frozen=True, slots=True, kw_only=True)
class CashAccount:
    """One bank account that counts as cash."""

    name: str
    balance_cents: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOutAccount:
    """One account that does not count as cash, in its own currency."""

    name: str
    balance_cents: int
    currency: str
    reason: ExclusionReason


@dataclass(frozen=True, slots=True, kw_only=True)
class Cash:
    """Cash on the as-of day, account by account, and what is left out of it."""

    state: CashState
    reason: str
    cash_cents: int | None
    accounts: Listing[CashAccount]
    left_out: tuple[LeftOutAccount, ...]
    left_out_count: int
    """Counted, never summed: the accounts may be in different currencies."""
    card_owed_cents: int

    def __post_init__(self) -> None:
        require((self.cash_cents is not None) == (self.state is CashState.OK), "cash has a figure only when it is ok")
        if self.cash_cents is not None:
            require(self.cash_cents == self.accounts.total_cents, "cash is the sum of its accounts")
        require(len(self.left_out) <= FEW_ROWS, "a list keeps its first rows only")
        require(self.left_out_count >= len(self.left_out), "a list counts at least the rows it keeps")


@dataclass(frozen=True, slots=True, kw_only=True)
class Week:
    """One week of the forecast's expected course; receipts and disbursements are both positive."""

    first_day: date
    last_day: date
    opening_cents: int
    receipts_cents: int
    disbursements_cents: int
    released_cents: int
    """Reserves given free against their purpose."""
    closing_cents: int
    p10_cents: int
    p90_cents: int
    """Of the closing balance."""
    below_floor_ppm: int
    """Probability that some day of the week ends below the floor, in millionths."""

    def __post_init__(self) -> None:
        rolled = self.opening_cents + self.receipts_cents - self.disbursements_cents + self.released_cents
        require(rolled == self.closing_cents, "a week closes at opening + receipts - disbursements + released")
        require(self.p10_cents <= self.p90_cents, "a band has its lower end below")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ageing:
    """Open balances by days overdue, in the order of ``runway_calcs.books.ageing.BUCKETS``; credits are negative."""

    bucket_cents: tuple[int, ...]
    total_cents: int

    def __post_init__(self) -> None:
        require(len(self.bucket_cents) == len(BUCKETS), "ageing has one sum for each bucket")
        require(sum(self.bucket_cents) == self.total_cents, "the buckets sum to the open balance")


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceLine:
    """One open invoice."""

    customer: str
    doc_number: str
    due_date: date | None
    expected_on: date | None
    """None where no forecast expects it: there is none, or credits settle it."""
    amount_cents: int
    open_cents: int
    """Balance in the books; the amount is less where the list is of what is expected and the forecast sets credits against it."""
    overdue_days: int
    usual_days_late: int | None
    """The customer's own habit; None where too few paid invoices show one, or no forecast expects it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BillLine:
    """One open bill."""

    vendor: str
    doc_number: str
    due_date: date | None
    open_cents: int
    """Balance in the books."""
    overdue_days: int
    """Past the due date; of a bill without one, past its own date. 0: not yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowLine:
    """One expected payment or receipt without a bill or invoice behind it; the amount is positive in both cases."""

    label: str
    kind: FlowKind
    day: date
    amount_cents: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MoneyIn:
    """Receipts that more likely than not come within seven days, and every invoice past due (one may be in both)."""

    until: date
    estimate: Estimate | None
    """All receipts of these days, those of the lists by their probability and what is not entered yet included; None
    without a forecast."""
    expected: Listing[InvoiceLine]
    other: Listing[FlowLine]
    overdue: Listing[InvoiceLine]
    collection: Collection


@dataclass(frozen=True, slots=True, kw_only=True)
class Bills:
    """Some bills, counted and summed."""

    count: int
    cents: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MoneyOut:
    """Every open bill that is past due or falls due within seven days, and what more likely than not leaves the cash in them."""

    until: date
    estimate: Estimate | None
    """All payments of these days, likewise."""
    overdue: Listing[BillLine]
    due: Listing[BillLine]
    """Not past due, and due by the last of these days."""
    likely: Bills
    """The bills whose payment is expected within these days, whenever they are due; less credits set against them."""
    other: Listing[FlowLine]
    likely_cents: int
    """The likely bills and the other payments together."""
    cash_after_cents: int | None
    """Cash less these, before anything comes in."""
    plan: Plan | None
    """None without a forecast."""

    def __post_init__(self) -> None:
        parts = self.likely.cents + self.other.total_cents
        require(parts == self.likely_cents, "what likely leaves is the likely bills and the other payments")


@dataclass(frozen=True, slots=True, kw_only=True)
class Burn:
    """Cash used a day, and the days the cash would last at gross burn without any receipts."""

    state: BurnState
    reason: str
    gross_per_day_cents: int | None
    net_per_day_cents: int | None
    buffer_days: int | None
    one_off_count: int
    one_off_cents: int
    in_cents: int | None = None
    out_cents: int | None = None
    """Operating cash in and out of all 13 weeks, where the figures a day are medians; None without figures, and in digests from
    before this was kept."""

    def __post_init__(self) -> None:
        known = self.is_known
        for total in (self.in_cents, self.out_cents):
            require(known or total is None, "no totals without a burn")
        require((self.gross_per_day_cents is not None) == known, "gross burn exists exactly when the burn is known")
        require((self.net_per_day_cents is not None) == known, "net burn exists exactly when the burn is known")
        require(known or self.buffer_days is None, "no buffer days without a burn")

    @property
    def is_known(self) -> bool:
        """Whether there are figures."""
        return self.state in (BurnState.BURNING, BurnState.NOT_BURNING)


@dataclass(frozen=True, slots=True, kw_only=True)
class DataNote:
    """Something in the books that a reader of the figures needs to know of."""

    kind: NoteKind
    entity: str
    """QBO's name of the objects; empty where the kind says it."""
    count: int
    """0 where only an amount is known."""
    amount_cents: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestDocument:
    """Everything that one tenant's digest of one week says."""

    schema_version: Literal[4]
    tenant_name: str
    firm_name: str
    currency: str
    zone: str
    week_ending: date
    as_of: date
    data_as_of: datetime
    books_age_days: int
    stale_after_days: int
    basis: Basis
    connected_on: date
    runway: Runway
    cash: Cash
    weeks: tuple[Week, ...]
    change: Change
    last_forecast: LastForecast
    receivables: Ageing | None
    payables: Ageing | None
    money_in: MoneyIn
    money_out: MoneyOut
    burn: Burn
    data_to_fix: DataToFix
    notes: tuple[DataNote, ...]
    workflow: PaymentWorkflow | None = None
    """None: the payment ledger had taken in no books of this company yet."""

    def __post_init__(self) -> None:
        require(_CURRENCY_CODE.fullmatch(self.currency) is not None, "the currency is a code of three letters")
        require(self.data_as_of.utcoffset() == timedelta(0), "data_as_of is an instant in UTC")
        require(self.books_age_days >= 0, "books are never younger than the as-of day")
        require(len(self.weeks) <= MAX_WEEKS, "a digest shows at most 13 weeks")
        require(len(self.notes) <= MAX_NOTES, "notes are one for each entity and kind")
        require(bool(self.weeks) == self.runway.is_projected, "there are weeks exactly when there is a projection")
        for before, after in zip(self.weeks, self.weeks[1:], strict=False):
            require(before.closing_cents == after.opening_cents, "a week opens where the one before closed")
        if self.weeks:
            self._require_one_story()

    def _require_one_story(self) -> None:
        """The week ahead reads the same in the strip and beside the lists."""
        ahead, received, paid = self.weeks[0], self.money_in.estimate, self.money_out.estimate
        opening = ahead.opening_cents + self.runway.reserved_cents
        require(opening == self.cash.cash_cents, "the first week opens with the cash less reserves")
        require(received is not None and paid is not None, "there are estimates exactly when there is a forecast")
        require(
            received is None or ahead.receipts_cents == received.expected_cents,
            "money in is what the first week receives",
        )
        require(
            paid is None or ahead.disbursements_cents == paid.expected_cents, "money out is what the first week pays"
        )


_STORED = StoredJson(
    DigestDocument,
    what="digest",
    remedy="Materialize digest/friday_digest for that tenant and week again to write it anew.",
)
to_json = _STORED.to_json
from_json = _STORED.from_json
