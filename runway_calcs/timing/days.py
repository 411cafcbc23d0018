"""The days on which an open document may be paid: its probabilities, quantiles and draws.

Belongs here: from the posterior over kinds to days after as-of. Does not: the posterior (``fit.py``), dates and words.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.random import PCG64, Generator, SeedSequence
from scipy.special import logsumexp, ndtr

from runway_calcs.timing.fit import Habits, cells, item_log_likelihood
from runway_calcs.timing.items import Flags, Floats, Ints, Items, weekday
from runway_calcs.timing.shapes import CELLS, FIRST_DAY, HORIZON, shapes
from runway_calcs.timing.silence import resuming

_MEDIAN = 0.5
_SPARSE = 0.5
"""Who pays on less than this share of days pays in runs."""
_MOST_MISSED, _MOST_MISSED_IN_RUNS = 2.0, 3.0
"""An interval end may leave out a day if it then misses at most so many times its level.

Whoever pays in runs has most of all probability on few days, so that an end that always holds its day holds far too much.
"""
_FEW_DAYS = 14
"""Up to so many days of an item are looked up one by one; of more, all cells are mixed at once."""
_LATEST_ANCHOR = HORIZON - 90
"""Days after as-of to which a later due date is brought, so that the habits around it lie within the horizon."""
TAILS = np.array([0.0, 0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5])
"""Levels up to one half at which ends of intervals are looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """How the probabilities of a ledger's own past turned out (``calibration.py``)."""

    share: Floats
    """Share of documents paid by the days to which the model gave 0, ... 1, evenly spaced."""
    low: Floats
    """Level to ask for so that a lower end is missed with probability 0, .01, ... (`TAILS`)."""
    high: Floats
    """The same of upper ends, as distance from 1."""

    def level(self, asked: float) -> float:
        """The level to look up for the one that is asked for."""
        if asked < _MEDIAN:
            return float(np.interp(asked, TAILS, self.low))
        if asked > _MEDIAN:
            return 1 - float(np.interp(1 - asked, TAILS, self.high))
        return asked


def day_masses(items: Items, *, habits: Habits, today: int, truth: Truth) -> Floats:
    """Items x days: the probability of being paid 1, 2, ... `HORIZON` days after `today`, given not paid until today.

    `truth` (``calibration.py``) says how the probabilities turned out on this ledger.
    """
    items = replace(
        items,
        due_anchor=habits.drift.moved(items.due_anchor, today=today),
        document_anchor=habits.drift.moved(items.document_anchor, today=today),
    )
    rows = rows_of(items, habits=habits)
    days = np.full(len(items), today)
    # Here the document's own waiting counts in full, whatever it counted among its counterparty's.
    counted = np.array([habits.documents.get(one, 0.0) for one in items.document_ids])
    waiting = item_log_likelihood(
        items, calendars=habits.calendars[rows], days=habits.days, today=days, anchors=habits.anchors
    )
    log_weight = log_prior(items, rows=rows, habits=habits) + (1 - counted)[:, None] * waiting
    mass = masses(items, rows=rows, log_weight=log_weight, habits=habits, today=days)
    stopped = habits.stopped[rows][:, None]
    ahead = today + 1 + np.arange(HORIZON)
    is_pay_day = habits.days.is_pay_day[habits.calendars[rows][:, None], ahead - habits.days.first]
    found: Floats = (1 - stopped) * trued(mass, share=truth.share) + stopped * resuming(is_pay_day)
    return found


def unseen_masses(items: Items, *, habits: Habits, today: int, unseen: Sequence[float]) -> Floats:
    """Items x days: the probability of having been paid on each of the last days up to `today` without the books telling.

    `unseen` is the share of payments dated 0, 1, ... days before `today` that are entered only later. A document is open
    in the books while it is not paid or its payment is not entered yet; the first day is the one longest ago.
    """
    days = len(unseen)
    rows, since = rows_of(items, habits=habits), np.full(len(items), today - days)
    weight = log_prior(items, rows=rows, habits=habits)
    mass = _unscaled(items, rows=rows, log_weight=weight, habits=habits, today=since, days=days)
    hidden, shown = mass * np.array(unseen[::-1]), mass * (1 - np.array(unseen[::-1]))
    found: Floats = hidden / np.maximum(1 - shown.sum(axis=1), hidden.sum(axis=1))[:, None]
    return found * (1 - habits.stopped[rows][:, None])


def rows_of(items: Items, *, habits: Habits) -> Ints:
    """The row of each item's counterparty; an unknown one is the last row of what is kept for each."""
    return np.array([habits.counterparties.get(one, -1) for one in items.counterparty_ids], dtype=np.int64)


def trued(mass: Floats, *, share: Floats) -> Floats:
    """Probabilities as they turned out: `share` of the documents had been paid by the days given 0, ... 1."""
    below = np.interp(np.cumsum(mass, axis=1), np.linspace(0, 1, len(share)), share)
    found: Floats = np.diff(below, axis=1, prepend=0.0)
    return found


def masses(items: Items, *, rows: Ints, log_weight: Floats, habits: Habits, today: Ints) -> Floats:
    """Items x days: the same, each from its own `today`, under a posterior that holds the waiting until then."""
    mass = _unscaled(items, rows=rows, log_weight=log_weight, habits=habits, today=today, days=HORIZON)
    shared: Floats = mass / mass.sum(axis=1, keepdims=True)
    return shared


def _unscaled(items: Items, *, rows: Ints, log_weight: Floats, habits: Habits, today: Ints, days: int) -> Floats:
    """Items x days: the probability of so many days; it sums to one over all of them but for what weekdays lean to."""
    known = shapes()
    kinds = len(known.prior)
    calendars = habits.calendars[rows]
    log_weight = log_weight - logsumexp(log_weight, axis=1, keepdims=True)
    ahead = today[:, None] + 1 + np.arange(days)
    at = (calendars[:, None], ahead - habits.days.first)
    is_pay_day, before = habits.days.is_pay_day[at], habits.days.before[at]
    mass = np.zeros((len(items), days))
    ready_from = np.maximum(before[:, 0] + 1, items.entered)
    start = np.maximum(before + 1 - ready_from[:, None], 0)
    end = np.maximum(ahead + 1 - ready_from[:, None], 0)
    for number, dated in enumerate((items.due_anchor, items.document_anchor)[: habits.anchors]):
        # A due date beyond the horizon is most likely mistyped; what is said of it is "at the end of it".
        anchor = np.minimum(dated, today + _LATEST_ANCHOR)
        still_open = known.left[cells(ready_from - anchor)]
        weight = np.exp(log_weight[:, number * kinds : (number + 1) * kinds]) / still_open
        offset = np.minimum(ready_from - anchor - FIRST_DAY, CELLS - 1)[:, None]
        before_it, after_it = _left(weight, cells=(start + offset, end + offset))
        mass += np.where(is_pay_day, before_it - after_it, 0.0)
    mass *= np.take_along_axis(habits.weekdays[rows], weekday(ahead), axis=1)
    return mass


def _left(weight: Floats, *, cells: Sequence[Ints]) -> list[Floats]:
    """Items x days for each array of cells: what is left of each item's mix of kinds there."""
    known = shapes()
    if cells[0].shape[1] <= _FEW_DAYS:
        each = [np.clip(cell, 0, CELLS - 1).T for cell in cells]
        return [np.stack([(weight * known.left[day]).sum(axis=1) for day in cell], axis=1) for cell in each]
    mix = weight @ known.left_by_kind
    return [np.take_along_axis(mix, np.clip(cell, 0, mix.shape[1] - 1), axis=1) for cell in cells]


def log_prior(items: Items, *, rows: Ints, habits: Habits) -> Floats:
    """Items x kinds (x anchors): log weight of each kind by the item's terms and its counterparty's documents."""
    log_weight = np.empty((len(items), len(habits.tenant_log_prior)))
    for number, terms in enumerate(items.terms):
        log_weight[number] = habits.class_log_prior.get(terms, habits.tenant_log_prior)
    seen = rows >= 0
    log_weight[seen] += habits.log_likelihood[rows[seen]]
    return log_weight


def quantile_days(mass: Floats, *, levels: Sequence[float]) -> Ints:
    """Items x levels: the number of the day, the first is 1, rising with the level whatever the order of `levels`."""
    below = np.cumsum(mass, axis=1)
    is_in_runs = (mass > 0).mean(axis=1) < _SPARSE
    most = np.where(is_in_runs, _MOST_MISSED_IN_RUNS, _MOST_MISSED)
    median = _first_reaching(below, _MEDIAN)
    order = np.argsort(levels)
    days = np.empty((len(mass), len(levels)), dtype=np.int64)
    lowest = np.ones(len(mass), dtype=np.int64)
    for column in order:
        level = levels[column]
        found = _first_reaching(below, level)
        if level < _MEDIAN:
            found = np.minimum(_nearest_before(below, found, level, most=most), median)
        elif level > _MEDIAN:
            found = np.maximum(_nearest_upto(below, found, level, most=most), median)
        lowest = np.maximum(lowest, found)
        days[:, column] = lowest
    return days


def _first_reaching(below: Floats, level: float | Floats) -> Ints:
    reached: Ints = np.minimum((below < level).sum(axis=1), below.shape[1] - 1).astype(np.int64) + 1
    return reached


def _nearest_before(below: Floats, found: Ints, level: float, *, most: Floats) -> Ints:
    """`found`, or the next likely day if leaving out `found` too fits the level better."""
    row = np.arange(len(below))
    before = np.where(found > 1, below[row, np.maximum(found - 2, 0)], 0.0)
    upto = below[row, found - 1]
    later = _first_reaching(below, upto[:, None] + 1e-9)
    return np.where(_leaves_out(before, upto, level, most=most), later, found)


def _nearest_upto(below: Floats, found: Ints, level: float, *, most: Floats) -> Ints:
    """`found`, or the likely day before it if leaving out `found` fits the level better."""
    row = np.arange(len(below))
    before = np.where(found > 1, below[row, np.maximum(found - 2, 0)], 0.0)
    upto = below[row, found - 1]
    earlier = _first_reaching(below, before[:, None] - 1e-9)
    return np.where(_leaves_out(1 - upto, 1 - before, 1 - level, most=most), earlier, found)


def _leaves_out(less: Floats, more: Floats, level: float, *, most: Floats) -> Flags:
    """Whether to miss `more` rather than `less` where `level` was asked for.

    Tails fall about exponentially, so small shares are frequent among what days offer, and the nearer one is too small on
    average. Compared with the logarithmic mean of the two, the level is met on average; but never more than `most` times of it.
    """
    low = np.maximum(less, 1e-6)
    high = np.maximum(more, low * (1 + 1e-6))
    found: Flags = ((high - low) / np.log(high / low) < level) & (high <= most * level)
    return found


def drawn_days(items: Items, mass: Floats, *, draws: int, seed: int, correlation: float) -> Ints:
    """Items x draws: the number of the day, the first is 1; scores of one counterparty's documents share `correlation`."""
    below = np.cumsum(mass, axis=1)
    days = np.empty((len(items), draws), dtype=np.int64)
    shared: dict[str, Floats] = {}
    for number, (document, counterparty) in enumerate(zip(items.document_ids, items.counterparty_ids, strict=True)):
        if counterparty not in shared:
            shared[counterparty] = _normals(seed, 0, counterparty, draws)
        score = np.sqrt(correlation) * shared[counterparty]
        score += np.sqrt(1 - correlation) * _normals(seed, 1, document, draws)
        days[number] = np.minimum(np.searchsorted(below[number], ndtr(score)), below.shape[1] - 1) + 1
    return days


def _normals(seed: int, stream: int, name: str, draws: int) -> Floats:
    """Draws that belong to a name, whoever else is drawn for."""
    entropy = SeedSequence([seed, stream, int.from_bytes(name.encode(), "big")])
    return Generator(PCG64(entropy)).standard_normal(draws)
