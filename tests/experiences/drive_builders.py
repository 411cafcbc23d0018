"""Weeks of a test drive with sensible values that a test overrides, and drives of every shape for property tests."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from experiences.digest.document import Runway
from experiences.test_drive.document import (
    DAY,
    MOST_ROWS,
    MOST_WEEKS,
    WEEK,
    Closing,
    DriveDocument,
    DrivenWeek,
    FlaggedDocument,
    FlaggedDocuments,
    FlaggedEntries,
    FlaggedEntry,
    Since,
)
from experiences.tray.document import MOST_ITEMS
from runway_calcs.books.document_fates import Fate, FateState
from runway_calcs.forecast.figures import RunwayState
from runway_calcs.hygiene.defects import EffectState
from tests.experiences.builders import FRIDAY, make_digest
from tests.experiences.strategies import cents, currencies, names, owed_cents, ppm

SETTLED = Fate(state=FateState.SETTLED, settled_on=date(2026, 11, 12), open_cents=0)
OPEN = Fate(state=FateState.OPEN, settled_on=None, open_cents=1_240_000)
GONE = Fate(state=FateState.GONE, settled_on=None, open_cents=0)


def make_runway(week_ending: date, **overrides: Any) -> Runway:
    """A runway of 70 days from a Friday, cautiously of 49."""
    values: dict[str, Any] = {
        "state": RunwayState.BURNING,
        "covered_until": week_ending + timedelta(days=70),
        "days": 70,
        "cautious_until": week_ending + timedelta(days=49),
        "cautious_days": 49,
        "horizon_end": week_ending + 13 * WEEK,
        "floor_cents": 1_286_400,
        "low_cents": -210_000,
        "low_on": week_ending + timedelta(days=84),
        "below_floor_ppm": 812_500,
    }
    return replace(make_digest().runway, **{**values, **overrides})


def make_document(**overrides: Any) -> FlaggedDocument:
    """An invoice that was late against its customer's habit and was paid."""
    values: dict[str, Any] = {
        "party": "Northwind Outfitters",
        "doc_number": "1042",
        "due_on": date(2026, 10, 12),
        "amount_cents": 1_240_000,
        "reason": "now 21 days late, usually 9 days late over 14 invoices",
        "fate": SETTLED,
    }
    return FlaggedDocument(**{**values, **overrides})


def make_documents(*rows: FlaggedDocument, more: int = 0) -> FlaggedDocuments:
    """A list of these documents and so many more that were settled."""
    states = [one.fate.state for one in rows]
    parts = sum(one.is_part for one in rows)
    return FlaggedDocuments(
        rows=rows[:MOST_ROWS],
        count=len(rows) + more,
        amount_cents=sum(one.amount_cents for one in rows),
        settled_count=states.count(FateState.SETTLED) + more,
        part_count=parts,
        open_count=states.count(FateState.OPEN) - parts,
        gone_count=states.count(FateState.GONE),
        open_cents=sum(one.fate.open_cents for one in rows),
    )


def make_entry(**overrides: Any) -> FlaggedEntry:
    """A bill without a due date that was mended."""
    values: dict[str, Any] = {
        "label": "Bill 88120 of Lindqvist Media Buying",
        "what": "It has no due date: the day on which money moves is a guess.",
        "is_blocking": True,
        "effect": EffectState.VALUE,
        "runway_days": 3,
        "is_bound": False,
        "low_cents": 120_000,
        "gone_on": date(2026, 11, 13),
    }
    return FlaggedEntry(**{**values, **overrides})


def make_week(back: int, *, actual: Sequence[int | None] = (), **overrides: Any) -> DrivenWeek:
    """The week so many Fridays before the trial Friday; balances since are `actual`, by default all in the band.

    Of the trial Friday itself none is known: its books are read before it is over.
    """
    week_ending = FRIDAY - back * WEEK
    runway: Runway = overrides.get("runway") or make_runway(week_ending)
    known = [*actual, *[8_000_000] * back][: back - 1]
    values: dict[str, Any] = {
        "week_ending": week_ending,
        "subject": "Covered until 8 Jan (70 days), low point -$2.1k on 12 Feb",
        "basis": "current",
        "cash_cents": 8_014_007,
        "runway": runway,
        "closings": _closings(week_ending, known) if runway.is_projected else (),
        "since": Since(
            until=min(FRIDAY - DAY, runway.horizon_end),
            below_on=None,
            low_cents=7_310_044,
            low_on=week_ending + timedelta(days=3),
            is_whole=True,
        ),
        "late": make_documents(
            make_document(),
            make_document(party="Elm Street Dental", doc_number="1057", amount_cents=385_000, fate=OPEN),
            make_document(party="Riverbend Brewing", fate=replace(OPEN, open_cents=40_000)),
        ),
        "bills": make_documents(
            make_document(party="Harbor Print Works", doc_number="HP-2231", reason="", fate=GONE),
            make_document(
                party="Copperfield Insurance", reason="", due_on=None, fate=replace(SETTLED, settled_on=None)
            ),
            make_document(party="Ostrava Hosting", doc_number="O-7", reason="", amount_cents=38_900),
            more=2,
        ),
        "to_fix": FlaggedEntries(
            rows=(
                make_entry(),
                make_entry(gone_on=None, effect=EffectState.NOT_COMPUTED, runway_days=None, low_cents=None),
            ),
            count=2,
            gone_count=1,
        ),
    }
    return DrivenWeek(**{**values, **overrides})


def _closings(week_ending: date, known: Sequence[int | None]) -> tuple[Closing, ...]:
    return tuple(
        Closing(
            last_day=week_ending + number * WEEK,
            p10_cents=7_000_000,
            p90_cents=8_400_000,
            has_come=number <= len(known),
            actual_cents=known[number - 1] if number <= len(known) else None,
        )
        for number in range(1, 14)
    )


def make_drive(*weeks: DrivenWeek, **overrides: Any) -> DriveDocument:
    """A drive of these weeks, by default of eight."""
    values: dict[str, Any] = {
        "schema_version": 3,
        "tenant_id": "acme",
        "tenant_name": "Brightside Studio LLC",
        "firm_name": "Hartwell & Finch CPAs",
        "currency": "USD",
        "zone": "America/New_York",
        "as_of": FRIDAY,
        "data_as_of": datetime(2026, 11, 20, 10, 0, tzinfo=UTC),
        "connected_on": date(2026, 11, 2),
        "weeks": weeks or tuple(make_week(back) for back in range(8, 0, -1)),
    }
    return DriveDocument(**{**values, **overrides})


NO_FORECAST: dict[str, Any] = {
    "state": RunwayState.NO_DATA,
    "reason": "the books hold no bank account",
    **dict.fromkeys(
        (
            "covered_until",
            "days",
            "cautious_until",
            "cautious_days",
            "floor_cents",
            "low_cents",
            "low_p10_cents",
            "low_p90_cents",
            "low_on",
            "below_floor_ppm",
        )
    ),
}
"""What to override in a runway to have none."""


@st.composite
def runways(draw: st.DrawFn, *, week_ending: date) -> Runway:
    """A runway of any state."""
    state = draw(st.sampled_from(RunwayState))
    if state in (RunwayState.NO_DATA, RunwayState.NOT_COMPUTABLE):
        return make_runway(week_ending, **{**NO_FORECAST, "state": state, "reason": draw(names)})
    days = draw(st.integers(1, 91)) if state is RunwayState.BURNING else None
    cautious = draw(st.none() | st.integers(1, days or 91)) if state is not RunwayState.ALREADY_BELOW else None
    return make_runway(
        week_ending,
        state=state,
        covered_until=None if days is None else week_ending + timedelta(days=days),
        days=days,
        cautious_until=None if cautious is None else week_ending + timedelta(days=cautious),
        cautious_days=cautious,
        floor_cents=draw(cents),
        low_cents=draw(cents),
        below_floor_ppm=draw(ppm),
    )


@st.composite
def documents(draw: st.DrawFn) -> FlaggedDocuments:
    """A list of documents of every fate."""
    one = st.builds(
        FlaggedDocument,
        party=names,
        doc_number=names,
        due_on=st.none() | st.dates(min_value=date(2024, 1, 1), max_value=date(2029, 12, 31)),
        amount_cents=owed_cents,
        reason=names,
        fate=st.sampled_from([SETTLED, GONE, replace(SETTLED, settled_on=None)])
        | owed_cents.map(lambda still: replace(OPEN, open_cents=still)),
    )
    rows = draw(st.lists(one, max_size=MOST_ROWS))
    return make_documents(*rows, more=draw(st.integers(0, 10**6)) if len(rows) == MOST_ROWS else 0)


@st.composite
def driven_weeks(draw: st.DrawFn, *, back: int) -> DrivenWeek:
    """A week of any outcome."""
    week_ending = FRIDAY - back * WEEK
    known = draw(st.booleans())
    entries = st.builds(
        make_entry, label=names.filter(bool), what=names, gone_on=st.none() | st.just(FRIDAY), is_blocking=st.booleans()
    )
    rows = tuple(draw(st.lists(entries, max_size=MOST_ROWS)))
    count = len(rows) + (draw(st.integers(0, 10**6)) if len(rows) == MOST_ROWS else 0)
    return make_week(
        back,
        actual=draw(st.lists(st.none() | cents, max_size=back - 1)),
        subject=draw(names),
        basis=draw(st.sampled_from(("current", "reconstructed"))),
        runway=draw(runways(week_ending=week_ending)),
        since=Since(
            until=FRIDAY - DAY,
            below_on=draw(st.none() | st.dates(week_ending + DAY, FRIDAY - DAY)),
            low_cents=draw(cents) if known else None,
            low_on=FRIDAY - DAY if known else None,
            is_whole=draw(st.booleans()),
        ),
        late=draw(documents()),
        bills=draw(documents()),
        to_fix=FlaggedEntries(rows=rows, count=count, gone_count=draw(st.integers(0, min(count, MOST_ITEMS)))),
    )


@st.composite
def drives(draw: st.DrawFn, *, most: int = MOST_WEEKS) -> DriveDocument:
    """A drive of any length."""
    weeks = draw(st.integers(1, most))
    return make_drive(
        *(draw(driven_weeks(back=back)) for back in range(weeks, 0, -1)),
        tenant_name=draw(names),
        currency=draw(currencies),
    )
