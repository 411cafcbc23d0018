"""Office time: business days, office hours, the nightly import.

Belongs here: turning a calendar day into instants of entry. Does not: what is entered.
Public holidays are ordinary weekdays here.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np

SATURDAY = 5
OPENS = time(8, 30)
DAY = timedelta(days=1)
_WORKING_SECONDS = 9 * 3600
_IMPORT_STARTS = time(3, 0)
_IMPORT_SECONDS = 90 * 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Office:
    """Where and when people key things in."""

    zone: ZoneInfo

    def at(self, day: date, wall: time) -> datetime:
        """The instant of a wall-clock time, in UTC."""
        return datetime.combine(day, wall, self.zone).astimezone(UTC)

    def day(self, instant: datetime) -> date:
        """The office's calendar day of an instant."""
        return instant.astimezone(self.zone).date()

    def working_moment(self, rng: np.random.Generator, day: date) -> datetime:
        """Some second of the working day."""
        return self.at(day, OPENS) + timedelta(seconds=int(rng.integers(_WORKING_SECONDS)))

    def nightly_import(self, day: date, feed: str) -> datetime:
        """The second between 03:00 and 04:30 in which a feed arrives that night: all it brings shares it."""
        night = hashlib.sha256(f"{feed}|{day.isoformat()}".encode()).digest()
        return self.at(day, _IMPORT_STARTS) + timedelta(seconds=int.from_bytes(night[:4], "big") % _IMPORT_SECONDS)


def business_day_from(day: date) -> date:
    """The day itself, or the Monday after a weekend."""
    return day if day.weekday() < SATURDAY else day + DAY * (7 - day.weekday())


def business_day_until(day: date) -> date:
    """The day itself, or the Friday before a weekend."""
    return day if day.weekday() < SATURDAY else day - DAY * (day.weekday() - SATURDAY + 1)


def after_business_days(day: date, count: int) -> date:
    """The business day that many business days later."""
    result = business_day_from(day)
    for _ in range(count):
        result = business_day_from(result + DAY)
    return result


def weekday_from(day: date, weekday: int) -> date:
    """The first such weekday on or after a day."""
    return day + DAY * ((weekday - day.weekday()) % 7)


def days(first: date, last: date) -> Iterator[date]:
    """Every day from first to last, both included."""
    for offset in range((last - first).days + 1):
        yield first + DAY * offset


def months(first: date, last: date) -> Iterator[date]:
    """The first day of every month from one day's month to another's."""
    month = first.replace(day=1)
    while month <= last:
        yield month
        month = next_month(month)


def next_month(day: date) -> date:
    """The first day of the following month."""
    return date(day.year + day.month // 12, day.month % 12 + 1, 1)


def month_length(day: date) -> int:
    """How many days the month has."""
    return (next_month(day) - day.replace(day=1)).days


def months_before(day: date, count: int) -> date:
    """The first day of the month that many months earlier."""
    index = day.year * 12 + day.month - 1 - count
    return date(index // 12, index % 12 + 1, 1)
