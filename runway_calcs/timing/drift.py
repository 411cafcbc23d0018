"""What moves all payers of a ledger at once: a slow common drift of lateness.

Belongs here: the drift by month and how large it is. Does not: habits of one counterparty (``fit.py``).

Months are months of payment: of the documents issued lately only the quick ones are paid yet, of the payments made lately all
are known. The drift is a random walk seen through the mean of each month; its step is the one under which the months are
most likely, so a ledger without a drift gets none.
"""

import numpy as np

from runway_calcs.timing.items import Floats, Ints, Items

_MONTH = 30
_MONTHS = 30
"""What was paid longer ago is taken to be as late as in the first of these months."""
_STEPS = (0.0, 0.25, 0.5, 1.0, 1.75, 3.0)
"""Standard deviations of a month's step in days, the candidates."""
_STEP_DOUBT = 0.7
"""Each larger step has to be this much likelier, in log: noise must not look like a drift."""
_TOGETHER = 2.0
"""Payments of a month are not independent, so their mean is known so much less well (in variance)."""
_FEW = 2.0
"""The lateness of all counts as so many documents of each counterparty."""
_FEWEST = 20


def drift_days(items: Items, *, rows: Ints, count: int, today: int) -> Ints:
    """How many days later a payment of 0, 1, ... days ago would be made today, by the common drift."""
    use = items.is_paid
    if use.sum() < _FEWEST:
        return np.zeros(_MONTHS * _MONTH, dtype=np.int64)
    months = np.clip((today - items.paid) // _MONTH, 0, _MONTHS - 1)
    late = (items.paid - items.due_anchor).astype("float64")
    drift = _walk(_unusual(late[use], rows=rows[use], count=count), months=months[use])
    return np.repeat(np.round(drift[0] - drift).astype("int64"), _MONTH)


def _unusual(late: Floats, *, rows: Ints, count: int) -> Floats:
    """Lateness relative to the counterparty's usual one, extremes drawn in."""
    order = np.lexsort((late, rows))
    number = np.bincount(rows, minlength=count)
    start = np.cumsum(number) - number
    middle = np.zeros(count)
    seen = number > 0
    low, high = start + (number - 1) // 2, start + number // 2
    middle[seen] = (late[order][low[seen]] + late[order][high[seen]]) / 2
    everybody = float(np.median(late))
    usual = (number * middle + _FEW * everybody) / (number + _FEW)
    unusual = late - usual[rows]
    limit = 3 * 1.5 * max(float(np.median(np.abs(unusual - np.median(unusual)))), 1.0)
    drawn_in: Floats = np.clip(unusual, -limit, limit)
    return drawn_in


def _walk(unusual: Floats, *, months: Ints) -> Floats:
    """The drift of each month back from now, smoothed."""
    number = np.bincount(months, minlength=_MONTHS).astype("float64")
    seen = np.flatnonzero(number > 0)
    mean = np.bincount(months, weights=unusual, minlength=_MONTHS)[seen] / number[seen]
    noise = np.diag(_TOGETHER * max(float(unusual.var()), 1.0) / number[seen])
    steps = np.minimum.outer(np.arange(_MONTHS), np.arange(_MONTHS)).astype("float64")
    level = 100.0
    best, chosen = -np.inf, np.zeros(_MONTHS)
    for place, step in enumerate(_STEPS):
        walk = step**2 * steps + level
        covariance = walk[np.ix_(seen, seen)] + noise
        solved = np.linalg.solve(covariance, mean)
        fit = -0.5 * (np.linalg.slogdet(covariance)[1] + mean @ solved) - _STEP_DOUBT * place
        if fit > best:
            best, chosen = fit, walk[:, seen] @ solved
    return chosen
