"""Days on which banks move no money though they are weekdays.

Belongs here: the holidays of the banks of a currency. Does not: weekends, pay-run days (``payment_days.py``).

United States: the holidays of the Federal Reserve Banks, which settle ACH payments and wires. One that falls on a Sunday is kept
on the Monday; one that falls on a Saturday is not moved, and the Friday before is an ordinary banking day. Source: Federal Reserve
Financial Services, holiday schedules; title 5 of the United States Code, section 6103.
"""

from datetime import date
from functools import lru_cache

from pandas.tseries.holiday import (
    AbstractHolidayCalendar,
    Holiday,
    USColumbusDay,
    USLaborDay,
    USMartinLutherKingJr,
    USMemorialDay,
    USPresidentsDay,
    USThanksgivingDay,
    sunday_to_monday,
)


class _FederalReserve(AbstractHolidayCalendar):
    rules = [  # noqa: RUF012 - how pandas declares them
        Holiday("New Year's Day", month=1, day=1, observance=sunday_to_monday),
        USMartinLutherKingJr,
        USPresidentsDay,
        USMemorialDay,
        Holiday("Juneteenth", month=6, day=19, start_date="2021-06-18", observance=sunday_to_monday),
        Holiday("Independence Day", month=7, day=4, observance=sunday_to_monday),
        USLaborDay,
        USColumbusDay,
        Holiday("Veterans Day", month=11, day=11, observance=sunday_to_monday),
        USThanksgivingDay,
        Holiday("Christmas Day", month=12, day=25, observance=sunday_to_monday),
    ]


_CALENDARS = {"USD": _FederalReserve}


@lru_cache(maxsize=64)
def bank_holidays(*, currency: str, first: date, last: date) -> frozenset[date]:
    """Holidays from `first` to `last`, both included, of the banks of a currency (ISO 4217); known of USD alone."""
    calendar = _CALENDARS.get(currency)
    if calendar is None:
        return frozenset()
    # Asked for by a year: pandas finds nothing where a range ends before the day that a holiday is kept on.
    days = calendar().holidays(start=f"{first.year - 1}-12-01", end=f"{last.year + 1}-01-31")
    return frozenset(day for one in days if first <= (day := one.date()) <= last)
