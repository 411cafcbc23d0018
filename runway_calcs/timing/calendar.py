"""Pay runs: on which days a counterparty's documents are paid at all.

Belongs here: the calendars that payers keep, and which one each counterparty keeps. Does not: how late it pays.

A document becomes ready on some day and is paid on the first pay day from then on. So a payment on a pay day stands for all
the days since the pay day before, and what is ready between two pay days waits for the second.
"""

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from scipy.special import gammaln

from runway_calcs.timing.items import Flags, Floats, Ints, Items, weekday
from runway_calcs.timing.shapes import HORIZON

_OFF_DAY = 0.04
"""Share of payments that a payer makes outside its calendar."""
_LOOK_BACK, _MARGIN = 1500, 70
_ROUNDS = 4
_STRENGTH = 5.0
"""The shipped prior over calendars counts as so many counterparties."""
_WEEKDAY_SHARES = np.array([0.21, 0.20, 0.20, 0.19, 0.18, 0.01, 0.01])
"""Payments by weekday, Monday first, where nothing is known ..."""
_LEDGER_STRENGTH = 20.0
"""... which counts as so many payments."""
_STRENGTHS = (1.0, 3.0, 10.0, 30.0, 100.0, 1000.0)

EVERY_DAY, BUSINESS_DAYS = 0, 1
_MONTH_DAYS: tuple[tuple[int, ...], ...] = ((1,), (5,), (10,), (15,), (20,), (25,), (31,), (1, 15), (15, 31), (10, 25))
"""31: the last day of the month. Each once moved to the business day after, once to the one before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PayDays:
    """The calendars over a range of days."""

    first: int
    """First day of the range."""
    before: Ints
    """calendars x days: the last pay day before each day."""
    is_pay_day: Flags
    """calendars x days."""

    def previous(self, calendar: Ints, days: Ints) -> Ints:
        """The last pay day before each day; outside the range every day is one."""
        at = days - self.first
        inside = (at >= 0) & (at < self.before.shape[1])
        found: Ints = np.where(inside, self.before[calendar, np.where(inside, at, 0)], days - 1)
        return found

    def holds(self, calendar: Ints, days: Ints) -> Flags:
        """Whether each day is a pay day of the calendar; outside the range it is."""
        at = days - self.first
        inside = (at >= 0) & (at < self.before.shape[1])
        found: Flags = ~inside | self.is_pay_day[calendar, np.where(inside, at, 0)]
        return found


def pay_days(today: int) -> PayDays:
    """All calendars around a day."""
    first = today - _LOOK_BACK
    days = np.arange(first, today + HORIZON + _MARGIN)
    is_pay_day = np.stack([*_weekly(days), *_monthly(days)])
    position = np.where(is_pay_day, days, first - 1)
    upto = np.maximum.accumulate(position, axis=1)
    before = np.concatenate([np.full((len(upto), 1), first - 1), upto[:, :-1]], axis=1)
    # The first pay day of the range cannot say what came before it.
    before = np.where(before < first, days[None, :] - 1, before)
    return PayDays(first=first, before=before, is_pay_day=is_pay_day)


def _weekly(days: Ints) -> list[Flags]:
    on = weekday(days)
    business = range(5)
    chosen = [(0, 1, 2, 3, 4, 5, 6), tuple(business), *((one,) for one in business), *combinations(business, 2)]
    return [np.isin(on, one) for one in chosen]


def _monthly(days: Ints) -> list[Flags]:
    dates = days.astype("datetime64[D]")
    months = np.arange(dates[0].astype("datetime64[M]") - 1, dates[-1].astype("datetime64[M]") + 2)
    first_days = months.astype("datetime64[D]").astype("int64")
    lengths = (months + 1).astype("datetime64[D]").astype("int64") - first_days
    found = []
    for chosen in _MONTH_DAYS:
        nominal = np.concatenate([first_days + np.minimum(one, lengths) - 1 for one in chosen])
        on = weekday(nominal)
        forward = nominal + np.where(on >= 5, 7 - on, 0)  # noqa: PLR2004 - Saturday
        back = nominal - np.where(on >= 5, on - 4, 0)  # noqa: PLR2004 - Saturday
        found += [np.isin(days, forward), np.isin(days, back)]
    return found


def calendars_of(items: Items, *, rows: Ints, count: int, days: PayDays) -> tuple[Ints, int]:
    """The calendar of each counterparty, and the one a new counterparty is taken to keep.

    Most likely calendar given its payments, under a prior that the other counterparties share with a shipped one.
    """
    kinds = len(days.is_pay_day)
    prior = np.full(kinds, 0.25 / (kinds - 2))
    prior[EVERY_DAY], prior[BUSINESS_DAYS] = 0.15, 0.6
    if not count:
        return np.empty(0, dtype=np.int64), BUSINESS_DAYS
    share = days.is_pay_day.mean(axis=1)
    hit, miss = np.log((1 - _OFF_DAY) / share), np.log(_OFF_DAY / np.maximum(1 - share, 1e-9))
    hit[EVERY_DAY], miss[EVERY_DAY] = 0.0, -np.inf
    paid = items.is_paid & (items.paid >= days.first)
    each = np.zeros((len(items), kinds))
    at = np.where(paid, items.paid - days.first, 0)
    each[paid] = np.where(days.is_pay_day[:, at[paid]].T, hit, miss)
    log_likelihood = np.add.reduceat(each, np.flatnonzero(np.diff(rows, prepend=-1)), axis=0)
    likelihood = np.exp(log_likelihood - log_likelihood.max(axis=1, keepdims=True))
    found = prior
    for _ in range(_ROUNDS):
        posterior = likelihood * found
        posterior /= posterior.sum(axis=1, keepdims=True)
        found = (_STRENGTH * prior + posterior.sum(axis=0)) / (_STRENGTH + count)
    return np.argmax(likelihood * found, axis=1).astype(np.int64), int(np.argmax(found))


def weekday_leans(items: Items, *, rows: Ints, calendars: Ints, usual: int, days: PayDays) -> Floats:
    """(counterparties + 1) x 7: how much likelier each weekday is than the calendar alone makes it; last row: a new one.

    A counterparty's shares of the weekdays are shrunk to the ledger's, and those to a shipped one. Calendars of single
    weekdays and of days of the month leave nothing to lean to.
    """
    count = len(calendars)
    paid = items.is_paid & (items.paid >= days.first)
    of = calendars[rows[paid]]
    on_day = days.holds(of, items.paid[paid]) & (of <= BUSINESS_DAYS)
    counts = np.zeros((count + 1, 7))
    np.add.at(counts, (rows[paid][on_day], weekday(items.paid[paid][on_day])), 1.0)
    total = counts.sum(axis=0)
    ledger = (total + _LEDGER_STRENGTH * _WEEKDAY_SHARES) / (total.sum() + _LEDGER_STRENGTH)
    strength = _alikeness(counts, ledger)
    share = (counts + strength * ledger) / (counts.sum(axis=1, keepdims=True) + strength)
    all_calendars = np.append(calendars, usual)[:, None]
    business = np.array([3.0, 1, 1, 1, 1, 0, 0]) / 7
    share = np.where((all_calendars == BUSINESS_DAYS) & (business == 0), 0.0, share)
    share /= share.sum(axis=1, keepdims=True)
    alone = np.where(all_calendars == BUSINESS_DAYS, business, 1 / 7)
    lean: Floats = np.where(alone > 0, share / np.where(alone > 0, alone, 1.0), 1.0)
    return np.where(all_calendars <= BUSINESS_DAYS, lean, 1.0)


def _alikeness(counts: Floats, mean: Floats) -> float:
    """How much alike the counterparties are: the Dirichlet strength under which their weekdays are most likely."""
    own = counts[counts.sum(axis=1) > 1]
    fits = [
        (gammaln(a) - gammaln(a + own.sum(axis=1)) + (gammaln(a * mean + own) - gammaln(a * mean)).sum(axis=1)).sum()
        for a in _STRENGTHS
    ]
    return _STRENGTHS[int(np.argmax(np.array(fits) - 0.5 * np.log(np.array(_STRENGTHS) / 10) ** 2))]
