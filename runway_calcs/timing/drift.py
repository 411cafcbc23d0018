"""What moves all payers of a ledger at once: a slow common drift of lateness.

Belongs here: the drift by month, how large it is, how it goes on. Does not: habits of one counterparty (``fit.py``).

Months are months of payment: of the documents issued lately only the quick ones are paid yet, of the payments made lately all
are known. The drift is a random walk or a smooth wave, seen through the mean of each month; its step or size is the one under
which the months are most likely, so a ledger without a drift gets none. A walk stays where it was last seen. A wave goes on:
what is paid in a month is paid as late as it will be then.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from runway_calcs.timing.items import Floats, Ints, Items

_MONTH = 30
_MONTHS = 30
"""What was paid longer ago is taken to be as late as in the first of these months."""
_STEPS = (0.0, 0.25, 0.5, 1.0, 1.75, 3.0)
"""Standard deviations of a month's step in days, the candidates."""
_STEP_DOUBT = 0.7
"""Each larger step has to be this much likelier, in log: noise must not look like a drift."""
_SIZES = (2.0, 4.0, 8.0)
"""Standard deviations of a wave in days, the candidates."""
_WAVE_DOUBT = 2.0
"""What the smallest wave has to be likelier than no drift, in log."""
_WAVE_MONTHS = 6.0
"""Months in which a wave forgets most of where it was."""
_AHEAD = 90
"""Days for which a wave is carried on; then it stays."""
_LEVEL = 100.0
"""Variance in days of what all months have in common."""
_TOGETHER = 2.0
"""Payments of a month are not independent, so their mean is known so much less well (in variance)."""
_FEW = 2.0
"""The lateness of all counts as so many documents of each counterparty."""
_FEWEST = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """How much later than it was and than it is everybody pays, in whole days."""

    since: Ints
    """How many days later a payment of 0, 1, ... days ago would be made today."""
    ahead: Ints
    """How many days later than today's a payment of 0, 1, ... days from now is expected to be; the last goes on."""

    def moved(self, anchor: Ints, *, today: int) -> Ints:
        """Anchors of what is paid some time after today, as if it were paid today."""
        found: Ints = anchor + self.ahead[np.clip(anchor - today, 0, len(self.ahead) - 1)]
        return found


def drift_of(items: Items, *, rows: Ints, count: int, today: int) -> Drift:
    """The common drift, from what was paid until `today`; a few payments have none."""
    use = items.is_paid
    if use.sum() < _FEWEST:
        return Drift(since=np.zeros(_MONTHS * _MONTH, dtype=np.int64), ahead=np.zeros(1, dtype=np.int64))
    months = np.clip((today - items.paid) // _MONTH, 0, _MONTHS - 1)
    late = (items.paid - items.due_anchor).astype("float64")
    return _drift(_unusual(late[use], rows=rows[use], count=count), months=months[use])


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


def _drift(unusual: Floats, *, months: Ints) -> Drift:
    """The drift under which the mean of each month is most likely."""
    number = np.bincount(months, minlength=_MONTHS).astype("float64")
    seen = np.flatnonzero(number > 0)
    mean = np.bincount(months, weights=unusual, minlength=_MONTHS)[seen] / number[seen]
    noise = np.diag(_TOGETHER * max(float(unusual.var()), 1.0) / number[seen])
    best, chosen = -np.inf, np.zeros(_MONTHS + 1)
    for together, doubt in _shapes():
        solved = np.linalg.solve(together[np.ix_(seen, seen)] + noise, mean)
        fit = -0.5 * (np.linalg.slogdet(together[np.ix_(seen, seen)] + noise)[1] + mean @ solved) - doubt
        if fit > best:
            best, chosen = fit, together[:, seen] @ solved
    by_month, ahead = chosen[:_MONTHS], chosen[_MONTHS:]
    return Drift(
        since=np.repeat(np.round(ahead[0] - by_month).astype("int64"), _MONTH),
        ahead=np.round(ahead - ahead[0]).astype("int64"),
    )


@lru_cache(maxsize=1)
def _shapes() -> list[tuple[Floats, float]]:
    """The drifts there may be: covariance of (the months back, today and the days ahead) x months back, and the doubt."""
    back = np.arange(_MONTHS)
    # A walk is last seen in the newest month.
    walk = np.minimum.outer(np.append(back, 0), back)
    walks = [(step**2 * walk + _LEVEL, _STEP_DOUBT * place) for place, step in enumerate(_STEPS)]
    middles = back + 0.5
    apart = np.abs(np.subtract.outer(np.append(middles, -np.arange(_AHEAD + 1) / _MONTH), middles))
    # Matern's covariance of a curve with one derivative.
    scaled = np.sqrt(3) * apart / _WAVE_MONTHS
    wave = (1 + scaled) * np.exp(-scaled)
    waves = [(size**2 * wave + _LEVEL, _WAVE_DOUBT + _STEP_DOUBT * place) for place, size in enumerate(_SIZES)]
    return [*walks, *waves]
