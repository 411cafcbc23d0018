"""A past forecast against the days that have come since: closings in or out of their bands, the floor, the low point so far.

Belongs here: the comparison with end-of-day balances. Does not: these balances (``books/daily_cash.py``); what made a
difference (``score.py``); words.

Judged are whole days, as in the score of the last forecast: the books of a day are read before its own business is keyed in.

A forecast's balances leave out what its reserves held until it is given free by payments for its purpose, so what they held
and have not given free by then is taken off the cash it is compared with, as the score of the last forecast does.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from runway_calcs.forecast.figures import CashForecast


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosingThen:
    """The closing balance of one week of a forecast, and what it came to."""

    last_day: date
    expected_cents: int
    p10_cents: int
    p90_cents: int
    actual_cents: int | None
    """None: the day is over, and there is no cash figure for it."""

    @property
    def is_inside(self) -> bool | None:
        """Whether what happened lies within the band; None without a figure."""
        return None if self.actual_cents is None else self.p10_cents <= self.actual_cents <= self.p90_cents


@dataclass(frozen=True, slots=True, kw_only=True)
class Hindsight:
    """What became of the days that a forecast spoke of, up to a day."""

    until: date
    """The last day that is looked at: the last whole one, or the horizon's end if that is earlier."""
    closings: tuple[ClosingThen, ...]
    """The weeks that have ended, in order; none without a forecast."""
    below_on: date | None
    """The first day that ended below the forecast's floor; None: none so far, or no floor."""
    low_cents: int | None
    """The lowest end-of-day balance so far; None without a figure."""
    low_on: date | None
    """Its day, the first of them."""
    is_whole: bool
    """Whether there is a balance for each day from the one after the forecast up to `until`."""


def hindsight(
    forecast: CashForecast, *, balances: Mapping[date, int], until: date, given_free: Mapping[date, int] | None = None
) -> Hindsight:
    """What became of a forecast's days up to the last whole one.

    Args:
        forecast: the past forecast.
        balances: cash at the end of each day after it that has a figure, in cents.
        until: the last whole day; what came later is not looked at.
        given_free: what its reserves had given free by the end of each day, in cents; a day that is missing: nothing.
    """
    until = min(until, forecast.horizon_end)
    span = [forecast.as_of + timedelta(days=number) for number in range(1, (until - forecast.as_of).days + 1)]
    free = given_free or {}
    known = {day: balances[day] - forecast.reserved_cents + free.get(day, 0) for day in span if day in balances}
    low_on = min(known, key=lambda day: (known[day], day), default=None)
    floor = forecast.floor_cents
    return Hindsight(
        until=until,
        closings=tuple(
            ClosingThen(
                last_day=week.last_day,
                expected_cents=week.closing_cents,
                p10_cents=week.closing_band.p10_cents,
                p90_cents=week.closing_band.p90_cents,
                actual_cents=known.get(week.last_day),
            )
            for week in forecast.weeks
            if week.last_day <= until
        ),
        below_on=None if floor is None else min((day for day in known if known[day] < floor), default=None),
        low_cents=None if low_on is None else known[low_on],
        low_on=low_on,
        is_whole=len(known) == len(span),
    )
