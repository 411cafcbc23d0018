"""What became known after a week never changes that week: books, ageing, and what the models are given.

The books are drawn from seeds (`living_ledger.py`) and lived in on both sides of the connection. Each week is calculated
from what there was when it was first calculated, and again from everything that came later.
"""

from collections.abc import Iterator, Sequence
from dataclasses import fields
from datetime import datetime

import pandas as pd
import pytest

from runway_calcs.books.ageing import ageing
from runway_calcs.books.as_of import AsOf
from runway_calcs.books.cash import cash_position
from runway_calcs.books.corrections import Ledger
from runway_calcs.books.movements import cash_movements
from runway_calcs.books.open_items import Side, open_items
from runway_calcs.books.payment_history import open_documents, payment_history
from runway_calcs.forecast.figures import CashForecast
from runway_calcs.forecast.historical import historical_forecast
from runway_calcs.forecast.prepared import ForecastInputs
from runway_calcs.forecast.simulation import week_seed
from runway_calcs.policy import CashPolicy, ForecastPolicy, RecurringPolicy
from tests.runway_calcs.builders import documents
from tests.runway_calcs.ledger import Frames
from tests.runway_calcs.living_ledger import LivingBooks, connection, frames, living_books, open_cents, own_id

WEEKS_EACH = 12
SIDE_BY_SIDE = 10
"""So many companies are calculated in one go."""
DRAWS = 100
SIDES: tuple[Side, ...] = ("payables", "receivables")


def _known(everything: Frames, *, until: datetime) -> Frames:
    """What the syncs up to an instant had kept: versions are added, never changed."""
    cut = {one.name: getattr(everything, one.name) for one in fields(Frames)}
    return Frames(**{noun: frame[frame["known_at"] <= pd.Timestamp(until)] for noun, frame in cut.items()})


def _weeks(books: LivingBooks) -> list[datetime]:
    """Twelve Fridays around the connection: some have to be reconstructed, some had a sync of their own."""
    middle = next(index for index, friday in enumerate(books.fridays) if friday > books.connected_at)
    first = max(0, min(middle - WEEKS_EACH // 2, len(books.fridays) - WEEKS_EACH))
    return books.fridays[first : first + WEEKS_EACH]


def _point(friday: datetime, *, connected_at: datetime) -> AsOf:
    """A week is always told by the newest sync it had."""
    newest = max(friday, connected_at)
    return AsOf.at(as_of=friday.date(), known_until=friday, first_known_at=connected_at, newest_known_at=newest)


def _told(books: Frames, *, at: AsOf) -> Iterator[tuple[str, object]]:
    """Everything that the forecasts of a week start from, by name."""
    position = cash_position(books.accounts, books.postings, at=at, home_currency="USD", policy=CashPolicy())
    yield "position", position
    yield "movements", cash_movements(books.postings, books.accounts, position=position, at=at, policy=CashPolicy())
    for side in SIDES:
        items = open_items(books.documents, books.applications, side=side, at=at)
        yield f"open {side}", items
        yield f"ageing of {side}", ageing(items, as_of=at.as_of)
        yield f"history of {side}", payment_history(books.documents, books.applications, side=side, at=at)
        yield f"open documents of {side}", open_documents(books.documents, books.applications, side=side, at=at)


def _differences(one: Frames, other: Frames, *, at: AsOf) -> list[str]:
    """The names of what is told differently."""
    return [
        name
        for (name, this), (_, that) in zip(_told(one, at=at), _told(other, at=at), strict=True)
        if not (this.equals(that) if isinstance(this, pd.DataFrame) else this == that)
    ]


def _check(seeds: Sequence[int]) -> None:
    """Twelve weeks of companies that were connected at the same instant."""
    connected_at = connection(seeds[0])
    companies = [living_books(seed, connected_at=connected_at) for seed in seeds]
    everything = frames(*companies)
    for friday in _weeks(companies[0]):
        at = _point(friday, connected_at=connected_at)
        then = _known(everything, until=max(friday, connected_at))
        if at.is_reconstructed:
            # Edits and deletions before the connection cannot be known; new entries can, and change nothing.
            then = _known(frames(*(books.without_entries_after(friday) for books in companies)), until=connected_at)
        else:
            assert _all_open(then, at=at) == _open_by_replay(companies, friday), (seeds, friday)
        assert _differences(then, everything, at=at) == [], (seeds, friday)


def _all_open(books: Frames, *, at: AsOf) -> dict[tuple[str, str], int]:
    found = pd.concat([open_items(books.documents, books.applications, side=side, at=at) for side in SIDES])
    return dict(zip(zip(found["txn_type"], found["qbo_id"], strict=True), found["open_cents"], strict=True))


def _open_by_replay(companies: Sequence[LivingBooks], friday: datetime) -> dict[tuple[str, str], int]:
    return {
        (kind, own_id(qbo_id, number)): cents
        for number, books in enumerate(companies)
        for (kind, qbo_id), cents in open_cents(books.held(friday)).items()
        if cents
    }


def test_what_became_known_later_never_changes_a_week() -> None:
    _check(range(4))


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("first", range(1000, 1500, 100))
def test_what_became_known_later_never_changes_a_week_of_500_companies(first: int) -> None:
    print(f"seeds {first} to {first + 99}")  # noqa: T201 - a long run prints its seeds
    for seed in range(first, first + 100, SIDE_BY_SIDE):
        _check(range(seed, seed + SIDE_BY_SIDE))


def _forecast(books: Frames, *, at: AsOf) -> CashForecast:
    """The whole engine, with few draws."""
    nothing = documents().iloc[:0]
    return historical_forecast(
        Ledger(
            documents=books.documents,
            applications=books.applications,
            postings=books.postings,
            accounts=books.accounts,
            parties=nothing,
            terms=nothing,
        ),
        at=at,
        home_currency="USD",
        inputs=ForecastInputs(),
        cash_policy=CashPolicy(),
        policy=ForecastPolicy(draws=DRAWS),
        recurring_policy=RecurringPolicy(),
        seed=week_seed("living", as_of=at.as_of),
    ).forecast


def _check_forecasts(seed: int, *, weeks: slice) -> None:
    books = living_books(seed, connected_at=connection(seed), deeds=160)
    everything = frames(books)
    for friday in _weeks(books)[weeks]:
        at = _point(friday, connected_at=books.connected_at)
        entered = frames(books.without_entries_after(friday)) if at.is_reconstructed else everything
        then = _known(entered, until=max(friday, books.connected_at))
        assert _forecast(then, at=at) == _forecast(everything, at=at), (seed, friday)


def test_what_became_known_later_never_changes_a_forecast() -> None:
    _check_forecasts(1, weeks=slice(4, 9, 4))


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("first", range(2000, 2020, 5))
def test_what_became_known_later_never_changes_a_forecast_of_20_companies(first: int) -> None:
    print(f"seeds {first} to {first + 4}")  # noqa: T201 - a long run prints its seeds
    for seed in range(first, first + 5):
        _check_forecasts(seed, weeks=slice(None))
