"""The level of receipts of the weeks ahead: what is known of it, against what is usual.

Belongs here: the factor on the receipts that layer (c) draws. Does not: the draws (``run_off.py``).

Two things are known of the next quarter's receipts: what open invoices and past weeks say of this quarter, and what the
firm takes in in an ordinary one. Neither alone is the best guess: after a month of much billing the books are full and
less than usual is still to be billed, and a firm that took in 0.9 of what it spent over half a year has that ratio within
a few hundredths only, while firms as a whole hover around 1. So both levels are weighted by what is known of each
(shrinkage, Efron and Morris 1975): the usual ratio of receipts to payments towards break-even, and the quarter's total
towards the usual one.
"""

import numpy as np
import pandas as pd

from runway_calcs.books.as_of import AsOf
from runway_calcs.flow_kinds import RECEIPT_KINDS, REST_KINDS
from runway_calcs.forecast.run_off import RunOff, draw_run_off
from runway_calcs.policy import ForecastPolicy

_WEEK = 7
_FACTORS = (0.5, 1.5)
"""The least and the most that the level of receipts is moved by."""
_LEVEL_DRAWS, _LEVEL_SEED = 256, 4


def receipts_factor(
    run_off: RunOff, *, known_cents: int, operating: pd.DataFrame, at: AsOf, policy: ForecastPolicy
) -> float:
    """What the receipts of layer (c) are multiplied by; 1 while there is too little history to tell.

    Args:
        run_off: what layer (c) is drawn from.
        known_cents: receipts of the horizon that are on the books or recur.
        operating: movements of operating cash.
        at: the point of view.
        policy: `level_weeks`, `break_even_percent`, `quarter_percent`.
    """
    usual = _usual_receipts(operating, weeks=run_off.weeks, at=at, policy=policy)
    rng = np.random.default_rng(_LEVEL_SEED)
    drawn = draw_run_off(run_off, factor=1.0, at=at, policy=policy, draws=_LEVEL_DRAWS, rng=rng)
    receipts = [number for number, kind in enumerate(REST_KINDS) if kind in RECEIPT_KINDS]
    totals = drawn[receipts].sum(axis=(0, 2)).astype("float64")
    if usual is None or totals.mean() <= 0:
        return 1.0
    total, spread = known_cents + totals.mean(), totals.std() / usual
    wanted = usual + _weight(policy.quarter_percent, unsure=spread) * (total - usual)
    return float(np.clip((wanted - known_cents) / totals.mean(), *_FACTORS))


def _weight(percent: int, *, unsure: float) -> float:
    """The weight of an estimate that is known to `unsure`, against a prior that is spread by so many percent."""
    around = percent / 100
    return around**2 / (around**2 + unsure**2)


def _usual_receipts(operating: pd.DataFrame, *, weeks: int, at: AsOf, policy: ForecastPolicy) -> float | None:
    """Receipts of an ordinary horizon: its usual payments times the usual ratio of receipts to payments."""
    runs = (weeks - 1) // policy.level_weeks
    days = runs * policy.level_weeks * _WEEK
    ago = (at.as_of_day - operating["date"]).dt.days
    inside = operating[(ago >= 0) & (ago < days)]
    run = ago[inside.index] // (policy.level_weeks * _WEEK)
    amounts = inside["amount_cents"]
    received = amounts.where(amounts > 0, 0).groupby(run).sum().reindex(range(runs), fill_value=0)
    paid = (-amounts).where(amounts < 0, 0).groupby(run).sum().reindex(range(runs), fill_value=0)
    if runs <= 1 or not received.sum() or not paid.sum():
        return None
    seen = float(received.sum() / paid.sum())
    unsure = float((received - seen * paid).std() / paid.mean() / np.sqrt(runs))
    weight = _weight(policy.break_even_percent, unsure=unsure)
    ratio = weight * seen + 1 - weight
    return ratio * float(paid.mean()) * policy.horizon_weeks / policy.level_weeks
