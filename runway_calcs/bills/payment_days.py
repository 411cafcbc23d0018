"""On which days bills are paid.

Belongs here: business days and pay-run days of a stretch of time. Does not: which bill is paid on which of them
(``runway_calcs/pay_plan/plan.py``); the holidays of banks (``bank_holidays.py``); learning the pay-run weekdays from history.
"""

from datetime import date, timedelta

from runway_calcs.bills.bank_holidays import bank_holidays
from runway_calcs.bills.payables import PayableBill
from runway_calcs.policy import PaymentDayPolicy

_BUSINESS_WEEKDAYS = range(5)
#: Calendar years after the as-of date's whose holidays are looked up: bills are planned for weeks, and delayed for a year at most.
_YEARS_AHEAD = 3


def banking_days(*, currency: str, as_of: date) -> PaymentDayPolicy:
    """Payments on each weekday on which the banks of a currency (ISO 4217, the books' home currency) are open.

    From the beginning of the year of `as_of` to the end of the third year after it.
    """
    first, last = date(as_of.year, 1, 1), date(as_of.year + _YEARS_AHEAD, 12, 31)
    return PaymentDayPolicy(holidays=bank_holidays(currency=currency, first=first, last=last))


def business_days(*, first: date, last: date, policy: PaymentDayPolicy) -> tuple[date, ...]:
    """Monday to Friday without the policy's holidays, both ends included."""
    days = (first + timedelta(days=number) for number in range((last - first).days + 1))
    return tuple(day for day in days if day.weekday() in _BUSINESS_WEEKDAYS and day not in policy.holidays)


def pay_run_days(*, first: date, last: date, policy: PaymentDayPolicy) -> tuple[date, ...]:
    """The business days of a pay run, both ends included."""
    return tuple(
        day for day in business_days(first=first, last=last, policy=policy) if day.weekday() in policy.weekdays
    )


def next_pay_run(*, first: date, policy: PaymentDayPolicy) -> date:
    """The first pay-run day from `first` on.

    Raises:
        ValueError: if the policy has no pay-run day within a year.
    """
    for start in range(0, 364, 7):
        week = first + timedelta(days=start)
        found = pay_run_days(first=week, last=week + timedelta(days=6), policy=policy)
        if found:
            return found[0]
    raise ValueError("the policy has no pay-run weekday from Monday to Friday")


def first_payable_on(bill: PayableBill, *, as_of: date, policy: PaymentDayPolicy) -> date:
    """The first day on which a bill may be paid as far as its approval and a person's delay go."""
    approved = as_of if bill.is_approved else as_of + timedelta(days=policy.approval_days)
    return approved if bill.not_before is None else max(approved, bill.not_before)
