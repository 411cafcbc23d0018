"""Payers who have stopped: everything they owe is late at once, and nothing of it is paid.

Belongs here: how likely each counterparty has stopped, and when it may pay after all. Does not: habits of those who pay.

Silence has two explanations: the payer is as slow as its open documents say, or since its last payment it pays nothing
whatever its habit was. The second is rare beforehand, and the likelier the more documents wait longer than the habit allows.
Without it a payer's many open documents are each expected as one that got stuck, and their total is far too high.
"""

import numpy as np
from scipy.special import logsumexp

from runway_calcs.timing.items import Flags, Floats, Ints, Items
from runway_calcs.timing.shapes import HORIZON

_A_YEAR = 0.003
"""Share of payers that stop within a year, beforehand: so low that one document that got stuck does not say it, several do."""
_RESUME_DAYS = 730.0
"""Who has stopped pays a document after so many days in the mean: one in eight within thirteen weeks."""


MORE_LIKELY_THAN_NOT = 0.5
"""From so much on, words say that a payer has fallen silent."""


def silent_since(items: Items, *, rows: Ints, count: int) -> Ints:
    """Day of each counterparty's last payment; the largest integer where it has never paid: it cannot have stopped."""
    last = np.full(count, np.iinfo(np.int64).min)
    np.maximum.at(last, rows[items.is_paid], items.paid[items.is_paid])
    return np.where(last == np.iinfo(np.int64).min, np.iinfo(np.int64).max, last)


def stopping_chance(since: Ints, *, today: int) -> Floats:
    """Probability beforehand of having stopped since the last payment."""
    days = np.maximum(today - np.minimum(since, today), 0)
    found: Floats = -np.expm1(-_A_YEAR * days / 365)
    return found


def paying_or_stopped(paying: Floats, stopped: Floats, *, chance: Floats) -> Floats:
    """Log likelihood of each kind (counterparties x kinds) if either may be so."""
    with np.errstate(divide="ignore"):
        found: Floats = np.logaddexp(paying + np.log1p(-chance)[:, None], stopped + np.log(chance)[:, None])
    return found


def stopped_share(paying: Floats, stopped: Floats, *, chance: Floats, log_prior: Floats) -> Floats:
    """Probability of having stopped, given everything (counterparties)."""
    still, no_longer = logsumexp(paying + log_prior, axis=1), logsumexp(stopped + log_prior, axis=1)
    odds = np.exp(np.clip(no_longer - still, -50.0, 50.0)) * chance / (1 - chance)
    found: Floats = odds / (1 + odds)
    return found


def resuming(is_pay_day: Flags) -> Floats:
    """Items x days: probability of being paid 1, 2, ... `HORIZON` days from now by who has stopped, on pay days only.

    The last pay day holds all that is later.
    """
    left = np.exp(-np.arange(HORIZON + 1) / _RESUME_DAYS)
    mass = np.where(is_pay_day, left[:-1] - left[1:], 0.0)
    found: Floats = mass * ((1 - left[-1]) / mass.sum(axis=1, keepdims=True))
    last = HORIZON - 1 - np.argmax(is_pay_day[:, ::-1], axis=1)
    found[np.arange(len(found)), last] += left[-1]
    return found
