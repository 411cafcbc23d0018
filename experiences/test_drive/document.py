"""The test drive as data: past digests of a tenant, what each flagged, and what then happened.

Belongs here: its shape, its rules, its JSON form, and how each week came out. Does not: where the facts come from (``build.py``),
words and markup (``render.py``).

What was flagged is that digest's own; what happened is what the books said on the day the drive is made for. A figure whose time
has not come is None, and so is one that the books do not give: the week says which. A balance is judged once its day is over:
the books of a Friday are read before its own business is keyed in, so the day before it is the last one.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Literal

from experiences.digest.comparison import require
from experiences.digest.document import MAX_WEEKS, Runway
from experiences.stored_json import StoredJson
from experiences.tray.document import MOST_ITEMS
from runway_calcs.books.as_of import Basis
from runway_calcs.books.document_fates import Fate, FateState
from runway_calcs.forecast.figures import RunwayState
from runway_calcs.hygiene.defects import EffectState

MOST_WEEKS = 12
MOST_ROWS = 3
"""Rows that any list keeps; the rest is counted and summed."""
WEEK = timedelta(weeks=1)
DAY = timedelta(days=1)


class Verdict(StrEnum):
    """How a digest's headline came out, in the order in which a summary counts."""

    FELL_DATED = "fell, and a date was given"
    """The balance fell below the floor, and the headline had a date for it."""
    FELL_CAUTIOUS = "fell, and a cautious date was given"
    """It fell, and the headline had no date but a cautious one."""
    FELL_UNSAID = "fell, and no date was given"
    BELOW_ALREADY = "below already"
    """It was below the floor when the digest was made."""
    DATE_PASSED = "the date passed"
    """The headline's date has passed with the balance at or above the floor."""
    DATE_AHEAD = "the date is ahead"
    """It is still to come, and the balance has not been below the floor."""
    STAYED = "not below so far"
    """No date was given, and the balance has not been below the floor."""
    NOT_JUDGED = "not judged"
    """It has not been seen below the floor, and figures of some days are missing."""
    NO_FORECAST = "no forecast"


class NextClose(StrEnum):
    """Whether the balance of the week after a digest lay within its band."""

    INSIDE = "inside"
    OUTSIDE = "outside"
    NO_FIGURE = "no figure"
    """There was no forecast, or there is no balance."""
    AHEAD = "ahead"
    """No books have been read since that day was over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Closing:
    """The balance at the end of one week of a past forecast."""

    last_day: date
    p10_cents: int
    p90_cents: int
    has_come: bool
    """Whether the day is over in the books."""
    actual_cents: int | None
    """None: the day is not over, or there is no figure for it."""

    def __post_init__(self) -> None:
        require(self.p10_cents <= self.p90_cents, "a band has its lower end below")
        require(self.has_come or self.actual_cents is None, "what has not come is not known")

    @property
    def is_inside(self) -> bool | None:
        """Whether the balance lay within the band; None where it is not known."""
        return None if self.actual_cents is None else self.p10_cents <= self.actual_cents <= self.p90_cents


@dataclass(frozen=True, slots=True, kw_only=True)
class FlaggedDocument:
    """An invoice or bill that a digest spoke of, and what became of it."""

    party: str
    doc_number: str
    due_on: date | None
    amount_cents: int
    """Its balance in the books then."""
    reason: str
    """Of an invoice: its customer's habit, and how late it was; empty of a bill."""
    fate: Fate

    @property
    def is_part(self) -> bool:
        """Whether some of what was open then is settled, and not all."""
        return self.fate.state is FateState.OPEN and self.fate.open_cents < self.amount_cents


@dataclass(frozen=True, slots=True, kw_only=True)
class FlaggedEntry:
    """An entry of the books that a digest listed as data to fix, and since when it is not found any more."""

    label: str
    what: str
    is_blocking: bool
    effect: EffectState
    runway_days: int | None
    is_bound: bool
    low_cents: int | None
    gone_on: date | None
    """The first Friday from which on it was not found; None: it still is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FlaggedDocuments:
    """The documents that a digest spoke of: the first of them, and what became of all."""

    rows: tuple[FlaggedDocument, ...]
    count: int
    amount_cents: int
    settled_count: int
    part_count: int
    open_count: int
    gone_count: int
    open_cents: int
    """Still open of all."""

    def __post_init__(self) -> None:
        _require_first_rows(self.rows, count=self.count)
        states = (self.settled_count, self.part_count, self.open_count, self.gone_count)
        require(sum(states) == self.count and min(states) >= 0, "each document is in one state")


@dataclass(frozen=True, slots=True, kw_only=True)
class FlaggedEntries:
    """The data to fix that a digest listed: the first entries, and how many are gone of those that the tray kept."""

    rows: tuple[FlaggedEntry, ...]
    count: int
    gone_count: int

    def __post_init__(self) -> None:
        _require_first_rows(self.rows, count=self.count)
        require(0 <= self.gone_count <= self.kept_count, "what is gone is among what the tray kept")

    @property
    def kept_count(self) -> int:
        """So many of them the tray kept: only of these it is known whether they are gone."""
        return min(self.count, MOST_ITEMS)


def _require_first_rows(rows: tuple[object, ...], *, count: int) -> None:
    require(len(rows) == min(count, MOST_ROWS), "a list keeps its first rows only")


@dataclass(frozen=True, slots=True, kw_only=True)
class Since:
    """What happened to the balance after a digest, up to `until`."""

    until: date
    """The last day that is looked at: the one before the day the drive is made for, or the end of the thirteen weeks."""
    below_on: date | None
    """The first day that ended below that digest's floor; None: none so far, or no floor."""
    low_cents: int | None
    low_on: date | None
    is_whole: bool
    """Whether there is a balance for every day up to `until`."""

    def __post_init__(self) -> None:
        require((self.low_cents is None) == (self.low_on is None), "a low point has its day")
        for day in (self.below_on, self.low_on):
            require(day is None or day <= self.until, "nothing happened later than is looked at")


@dataclass(frozen=True, slots=True, kw_only=True)
class DrivenWeek:
    """One past digest: what it flagged, and what then happened."""

    week_ending: date
    subject: str
    basis: Basis
    cash_cents: int | None
    runway: Runway
    """The digest's own."""
    closings: tuple[Closing, ...]
    """The weeks of its forecast in order; none without one."""
    since: Since
    late: FlaggedDocuments
    """Invoices of customers who were late against their own habit, the largest first."""
    bills: FlaggedDocuments
    """Bills past due, or expected to be paid within the week, the largest first."""
    to_fix: FlaggedEntries
    """In the order of that week's tray."""

    def __post_init__(self) -> None:
        require(len(self.closings) <= MAX_WEEKS, "a forecast has at most 13 weeks")
        require(bool(self.closings) == self.runway.is_projected, "there are weeks exactly when there was a forecast")
        for number, closing in enumerate(self.closings, start=1):
            require(
                closing.last_day == self.week_ending + number * WEEK, "a forecast's weeks end on the Fridays after it"
            )
            require(closing.has_come == (closing.last_day <= self.since.until), "a week has come, or it has not")
        if self.since.below_on is not None:
            require(self.week_ending < self.since.below_on, "what happened came after the digest")

    @property
    def verdict(self) -> Verdict:
        """How its headline came out; exactly one holds."""
        if not self.runway.is_projected:
            return Verdict.NO_FORECAST
        if self.runway.state is RunwayState.ALREADY_BELOW:
            return Verdict.BELOW_ALREADY
        if self.since.below_on is not None:
            return self._fell()
        if not self.since.is_whole:
            return Verdict.NOT_JUDGED
        date_given = self.runway.covered_until
        if date_given is None:
            return Verdict.STAYED
        return Verdict.DATE_PASSED if date_given <= self.since.until else Verdict.DATE_AHEAD

    def _fell(self) -> Verdict:
        if self.runway.covered_until is not None:
            return Verdict.FELL_DATED
        return Verdict.FELL_UNSAID if self.runway.cautious_until is None else Verdict.FELL_CAUTIOUS

    @property
    def next_close(self) -> NextClose:
        """How the balance of the week after it came out."""
        if not self.closings:
            return NextClose.NO_FIGURE
        closing = self.closings[0]
        if closing.is_inside is None:
            return NextClose.NO_FIGURE if closing.has_come else NextClose.AHEAD
        return NextClose.INSIDE if closing.is_inside else NextClose.OUTSIDE

    @property
    def inside_count(self) -> int:
        """In how many of its weeks so far the balance lay within the band."""
        return sum(closing.is_inside is True for closing in self.closings)

    @property
    def judged_count(self) -> int:
        """How many of its weeks have come and have a figure."""
        return sum(closing.is_inside is not None for closing in self.closings)


@dataclass(frozen=True, slots=True, kw_only=True)
class DriveDocument:
    """Everything that one tenant's test drive says."""

    schema_version: Literal[3]
    tenant_id: str
    tenant_name: str
    firm_name: str
    currency: str
    zone: str
    as_of: date
    """The Friday the drive is made for: what came later is not in it."""
    data_as_of: datetime
    connected_on: date
    weeks: tuple[DrivenWeek, ...]
    """One a Friday, the oldest first; the last is the Friday before `as_of`."""

    def __post_init__(self) -> None:
        require(self.data_as_of.utcoffset() == timedelta(0), "data_as_of is an instant in UTC")
        require(1 <= len(self.weeks) <= MOST_WEEKS, "a test drive has 1 to 12 weeks")
        for back, week in enumerate(reversed(self.weeks), start=1):
            require(week.week_ending == self.as_of - back * WEEK, "the weeks of a test drive follow one another")
            end = min(self.until, week.runway.horizon_end)
            require(week.since.until == end, "every week is looked at up to the same day")

    @property
    def until(self) -> date:
        """The last day that the books know whole."""
        return self.as_of - DAY

    @property
    def verdicts(self) -> Mapping[Verdict, int]:
        """How many weeks came out in which way; they sum to the weeks."""
        counted = Counter(week.verdict for week in self.weeks)
        return {verdict: counted[verdict] for verdict in Verdict if counted[verdict]}

    @property
    def next_closes(self) -> Mapping[NextClose, int]:
        """How the balances of the weeks after came out; they sum to the weeks."""
        counted = Counter(week.next_close for week in self.weeks)
        return {close: counted[close] for close in NextClose if counted[close]}

    @property
    def reconstructed_count(self) -> int:
        """Weeks that lie before the connection."""
        return sum(week.basis == "reconstructed" for week in self.weeks)


_STORED = StoredJson(
    DriveDocument, what="test drive", remedy="Materialize test_drive/document for that tenant and week again."
)
to_json = _STORED.to_json
from_json = _STORED.from_json
