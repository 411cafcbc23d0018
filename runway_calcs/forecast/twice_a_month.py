"""Series that keep two days of the month, such as the 15th and the last one.

Belongs here: telling them from payments every two weeks, and the days they keep. Does not: other rhythms (``recurring.py``).
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise

from runway_calcs.calendar_months import months_later
from runway_calcs.policy import RecurringPolicy

_MONTH_END = 31
_HALF_MONTHS = (14, 15)
_PAIRS = (
    *((first, first + apart) for first in range(1, 16) for apart in _HALF_MONTHS),
    (15, _MONTH_END),
    (16, _MONTH_END),
)
_USUAL = ((1, 15), (15, _MONTH_END))
_TWO_WEEKS = 14
_SHORTEST, _LONGEST = 13, 18
"""Days from one payment to the next."""
_SATURDAY = 5
_BEFORE, _KEPT, _AFTER = -1, 0, 1
"""What becomes of a day that falls on a weekend: the business day before or after it, or itself."""
_WITHIN = timedelta(days=20)
"""More than from one of the two days to the next."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TwiceAMonth:
    """Two days of the month on which a series is paid."""

    days: tuple[int, int]
    """31: the last day of the month."""
    weekend: int

    def between(self, first: date, last: date) -> Mapping[date, int]:
        """The days in this range in order, and which of the two each is."""
        months = (last.year - first.year) * 12 + last.month - first.month
        found = {
            self._off_weekend(months_later(first, months=step, day_of_month=day)): place
            for step in range(-1, months + 2)
            for place, day in enumerate(self.days)
        }
        return {day: place for day, place in found.items() if first <= day <= last}

    def nearest(self, day: date) -> date:
        """The day that a payment on `day` means."""
        return min(self.between(day - _WITHIN, day + _WITHIN), key=lambda one: abs((one - day).days))

    def after(self, last_payment: date, *, until: date) -> list[date]:
        """The days after the one that the last payment was meant for: a holiday may have brought it forward."""
        meant = self.nearest(last_payment)
        return list(self.between(meant + timedelta(days=1), until))

    def _off_weekend(self, day: date) -> date:
        over = day.weekday() - _SATURDAY
        if over < 0 or self.weekend == _KEPT:
            return day
        return day + timedelta(days=-1 - over if self.weekend == _BEFORE else 2 - over)


def twice_a_month(days: Sequence[date], *, policy: RecurringPolicy) -> TwiceAMonth | None:
    """The two days of the month that payments (oldest first) keep, if they keep them better than a rhythm of two weeks.

    Both days have come at least twice among the newest payments, and more time has passed than every two weeks would take.
    """
    judged = days[-policy.gap_occurrences :]
    gaps = [(later - earlier).days for earlier, later in pairwise(judged)]
    fitting = sum(_SHORTEST <= gap <= _LONGEST for gap in gaps)
    if fitting * 100 < len(gaps) * policy.regular_percent or sum(gaps) <= _TWO_WEEKS * len(gaps):
        return None
    on_two_weeks = max(Counter(day.toordinal() % _TWO_WEEKS for day in judged).values())
    enough = max(on_two_weeks + 1, -(-len(judged) * policy.regular_percent // 100))
    calendars = (TwiceAMonth(days=pair, weekend=weekend) for pair in _PAIRS for weekend in (_BEFORE, _KEPT, _AFTER))
    best = max(calendars, key=lambda one: _rank(one, judged=judged, days=days))
    kept = best.between(judged[0], judged[-1])
    of_each = Counter(kept[day] for day in judged if day in kept)
    return best if of_each.total() >= enough and min(of_each[0], of_each[1]) > 1 else None


def _rank(calendar: TwiceAMonth, *, judged: Sequence[date], days: Sequence[date]) -> tuple[int, int, bool, int]:
    """How well a calendar explains the newest payments, then all of them; of equal ones the usual one, weekends before."""
    kept = calendar.between(days[0], days[-1])
    newest, all_ = (sum(day in kept for day in some) for some in (judged, days))
    return newest, all_, calendar.days in _USUAL, -calendar.weekend
