"""Calendar months: the same day some months later, safe at month ends.

Belongs here: date arithmetic in months that several calculators need.
Does not: business days, pay calendars, time zones.
"""

import calendar
from datetime import date


def month_length(day: date) -> int:
    """How many days the month of `day` has."""
    return calendar.monthrange(day.year, day.month)[1]


def months_later(day: date, *, months: int, day_of_month: int | None = None) -> date:
    """The day so many months later, on `day_of_month` (default: its own) or the last day of a shorter month."""
    month_index = day.year * 12 + day.month - 1 + months
    first = date(month_index // 12, month_index % 12 + 1, 1)
    return first.replace(day=min(day_of_month or day.day, month_length(first)))
