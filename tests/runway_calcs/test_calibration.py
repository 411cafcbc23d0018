"""What is said with 80 % happens in 80 %: payment dates and forecasts against the hidden truth of generated companies."""

from collections.abc import Sequence

import pytest

from runway_calcs.books.open_items import Side
from tests.calibration import Coverage, reliability, reliability_error
from tests.generated_books import Generator, Size, Spec, companies
from tests.runway_calcs.calibrating import KINDS, Outcomes, forecast_on, payment_dates

SIZES: dict[Size, int] = {"micro": 6, "small": 1}
SEED = 2026
FLOORS = (None, 60, 75, 90)
"""Percent of the day's cash that the floor lies at, in turn; None: the default floor."""


def _coverage(generator: Generator, specs: Sequence[Spec], *, weeks: range) -> dict[Side, Coverage]:
    found: dict[Side, Coverage] = dict.fromkeys(KINDS, Coverage())
    for spec in specs:
        books = generator.books(spec)
        for back in weeks:
            friday = books.fridays(weeks=back)[0]
            for side in KINDS:
                found[side] += payment_dates(books, side=side, friday=friday)
    return found


def _outcomes(generator: Generator, specs: Sequence[Spec], *, weeks: range, draws: int) -> Outcomes:
    found = Outcomes()
    for number, spec in enumerate(specs):
        books = generator.books(spec)
        for turn, back in enumerate(weeks):
            floor = FLOORS[(number + turn) % len(FLOORS)]
            friday = books.fridays(weeks=back)[0]
            found.add(forecast_on(books, friday, draws=draws, floor_percent=floor), books)
    return found


def test_most_payments_fall_into_their_80_percent_interval(generator: Generator) -> None:
    found = _coverage(generator, companies(4, seed=SEED), weeks=range(1, 2))
    pooled = sum(found.values(), Coverage())
    assert pooled.judged > 20
    assert 0.6 <= pooled.share <= 0.96, found


def test_forecasts_are_not_far_from_what_happens(generator: Generator) -> None:
    found = _outcomes(generator, companies(3, seed=SEED), weeks=range(1, 2), draws=100)
    assert reliability_error(reliability(found.said, found.happened)) <= 0.3


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_the_80_percent_interval_of_payment_dates_holds_80_percent(generator: Generator) -> None:
    print(f"200 companies of seed {SEED}")  # noqa: T201 - a long run prints its seeds
    found = _coverage(generator, companies(200, seed=SEED, sizes=SIZES), weeks=range(1, 14, 6))
    print({side: (one, one.share, one.mean_width_days) for side, one in found.items()})  # noqa: T201 - the figures
    assert 0.76 <= sum(found.values(), Coverage()).share <= 0.84, found
    # One side must not make up for the other.
    assert 0.76 <= found["receivables"].share <= 0.84, found
    assert 0.74 <= found["payables"].share <= 0.88, found


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_the_chance_of_falling_below_the_floor_is_what_it_says(generator: Generator) -> None:
    print(f"200 companies of seed {SEED}")  # noqa: T201 - a long run prints its seeds
    found = _outcomes(generator, companies(200, seed=SEED, sizes=SIZES), weeks=range(1, 20, 6), draws=400)
    bins = reliability(found.said, found.happened)
    print([(round(one.predicted, 3), round(one.happened, 3)) for one in bins], found.breaches)  # noqa: T201 - the figures
    assert reliability_error(bins) <= 0.07
    assert found.breaches.dated >= 400
    assert 0.05 <= found.breaches.share <= 0.15, found.breaches
