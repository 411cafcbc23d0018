"""How the probabilities of a ledger's own past turned out.

Belongs here: what would have been said of documents of the last year, each from what was known then, and how often it came
true. Does not: saying it (``days.py``), choosing the documents (``cases.py``).
"""

import numpy as np

from runway_calcs.timing.cases import Cases
from runway_calcs.timing.days import TAILS, Truth, log_prior, masses, quantile_days, trued
from runway_calcs.timing.fit import Habits, item_log_likelihood
from runway_calcs.timing.items import Flags, Floats, Ints
from runway_calcs.timing.shapes import HORIZON

_POINTS = 21
_LONGEST_WEIGHT = 120
"""Days open that a case counts for at most."""
_ENDS_DOUBT = 2.0
"""Ends of intervals rest on a tenth of the cases, so they are trusted so much later ..."""
_FURTHEST = 1.8
"""... and moved so far at most: where all is paid on few days, an interval of whole days must hold more than it says."""
_TOGETHER = 2.0
"""Documents are paid together, so so many cases say as much as one independent one."""


def truth_of(cases: Cases, *, log_likelihood: Floats, habits: Habits, strength: float) -> Truth:
    """What became of the probabilities: by the day to which the model gave 0, 1/20, ... 1, which share had been paid.

    `log_likelihood` (cases x kinds) is what each counterparty's earlier payments said on the day of the case. A document
    counts by how long it was open, as it would in a weekly list of open items. Few cases are drawn to the model's own
    probabilities, as if it had been right in `strength` more.
    """
    said = np.linspace(0.0, 1.0, _POINTS)
    if not len(cases.then):
        return Truth(share=said, low=TAILS, high=TAILS)
    items, then = cases.items, cases.then
    prior = log_prior(items, rows=np.full(len(then), -1), habits=habits)
    waiting = item_log_likelihood(
        items.as_open(), calendars=habits.calendars[cases.rows], days=habits.days, today=then, anchors=habits.anchors
    )
    mass = masses(items, rows=cases.rows, log_weight=prior + log_likelihood + waiting, habits=habits, today=then)
    below = np.cumsum(mass, axis=1)
    row, last = np.arange(len(then)), np.minimum(cases.until - then, HORIZON) - 1
    high = np.where(items.is_paid, below[row, last], 1.0)
    low = below[row, last] - np.where(items.is_paid, mass[row, last], 0.0)
    came = np.clip((said[:, None] - low) / np.maximum(high - low, 1e-9), 0.0, 1.0)
    weight = np.minimum(cases.until - items.entered, _LONGEST_WEIGHT).astype("float64")
    # What a payer who has stopped still owes says nothing of how long the others take.
    weight *= np.where(items.is_paid, 1.0, 1 - habits.stopped[cases.rows])
    share = came @ weight / weight.sum()
    number = float(weight.sum() ** 2 / (weight**2).sum()) / _TOGETHER
    found: Floats = (number * share + strength * said) / (number + strength)
    found[0], found[-1] = 0.0, 1.0
    low, high = _ends(
        trued(mass, share=found),
        waited=cases.until - then,
        is_paid=items.is_paid,
        weight=weight,
        trust=number / (number + _ENDS_DOUBT * strength),
    )
    return Truth(share=found, low=low, high=high)


def _ends(mass: Floats, *, waited: Ints, is_paid: Flags, weight: Floats, trust: float) -> tuple[Floats, Floats]:
    """The levels to ask for so that an interval's lower and upper end are missed as often as they say.

    What is still open misses an end with the probability that the model gives it from now on: leaving it out would make
    the ends look too wide.
    """
    tails = [float(one) for one in TAILS[1:-1]]
    lower = quantile_days(mass, levels=tails)
    upper = quantile_days(mass, levels=[1 - one for one in tails])
    below = np.concatenate([np.zeros((len(mass), 1)), np.cumsum(mass, axis=1)], axis=1)
    now = np.minimum(waited, HORIZON)[:, None]
    paid_by = np.take_along_axis(below, now, axis=1)
    left = np.maximum(1 - paid_by, 1e-9)
    early = np.maximum(np.take_along_axis(below, lower - 1, axis=1) - paid_by, 0.0) / left
    late = np.minimum((1 - np.take_along_axis(below, upper, axis=1)) / left, 1.0)
    paid = is_paid[:, None]
    share = weight / weight.sum()
    missed = [
        share @ np.where(paid, waited[:, None] < lower, early),
        share @ np.where(paid, waited[:, None] > upper, late),
    ]
    low, high = (np.interp(TAILS, np.concatenate([[0.0], np.maximum.accumulate(one), [1.0]]), TAILS) for one in missed)
    low, high = (np.minimum(trust * one + (1 - trust) * TAILS, _FURTHEST * TAILS) for one in (low, high))
    return low, high
