"""Layer (c): the cash that past Fridays did not know of yet, learned from how it came, and drawn for the weeks ahead.

Belongs here: the run-off (which part of each past week's cash was unknown 1, 2, ... 13 weeks before), its level and its
draws. Does not: cutting movements into pieces (``runway_calcs/books/cash_pieces.py``), the two other layers.

Of the cash of a past week, what had been entered by a Friday k weeks before was an open document then, and what belongs
to a series of layer (b) was expected; the rest is what a forecast of that Friday needed as its k-th week of layer (c).
Counting each piece by its own entry makes the three layers meet without a gap and without a cent in two of them. The
unknown part grows with k as sales turn into cash after their payment delay. The weeks to come are drawn from these past
weeks in runs (a block bootstrap, Kuensch 1989), out of the same part of the month, newer weeks more often; all kinds of
one week together. The level of the whole path is uncertain beside that: by the number of weeks it was learned from, and
because business drifts.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from runway_calcs.books.as_of import AsOf
from runway_calcs.flow_kinds import RECEIPT_KINDS, REST_KINDS
from runway_calcs.policy import ForecastPolicy

_KINDS = len(REST_KINDS)
_WEEK = 7
_MONTH = 30.4
_STARTS = 8
"""A run of weeks is chosen among at least so many where the history allows: what is not known of weeks further back is
taken from those nearer."""
_RUN_SHARE = 3
"""No run is longer than this part of the history, or every draw would be the same course."""

Cents = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOff:
    """What of each past week was unknown so many weeks before."""

    weeks: int
    """Whole weeks of history behind it."""
    unknown_cents: Cents
    """Shape (weeks ago, weeks ahead, kind, day of the week): signed cents; weeks ago 0 is the week up to the as-of day."""


def learn_run_off(pieces: pd.DataFrame, *, at: AsOf, policy: ForecastPolicy) -> RunOff:
    """The run-off from the pieces that no series explains (`cash_pieces.COLUMNS`).

    The first week of the books is left out: it holds the opening balances. Cash that was entered after its date was
    missing on the Fridays in between, so it belongs to their first day ahead.
    """
    ahead = policy.horizon_weeks
    first = pieces["day"].min() if len(pieces) else at.as_of_day
    weeks = min(max(((at.as_of_day - first).days) // _WEEK, 0), policy.lookback_weeks)
    ago = ((at.as_of_day - pieces["day"]).dt.days).to_numpy(dtype="int64")
    week: NDArray[np.int64] = ago // _WEEK
    day = _WEEK - 1 - ago % _WEEK
    known: NDArray[np.int64] = (pd.Timestamp(at.known_until) - pieces["entered"]).dt.days.to_numpy(
        dtype="int64"
    ) // _WEEK
    cents, kind = pieces["cents"].to_numpy(dtype="int64"), pieces["kind"].to_numpy(dtype="int64")
    inside = week < weeks
    lag = np.clip(known - week, 0, ahead)
    by_lag = _summed(
        (weeks, ahead + 1, _KINDS, _WEEK), (week[inside], lag[inside], kind[inside], day[inside]), cents[inside]
    )
    unknown = np.cumsum(by_lag, axis=1)[:, :ahead]
    late = _late(week, known, kind, cents, weeks=weeks)
    if weeks > 1:
        unknown[:-1, 0, :, 0] += late[1:]
    return RunOff(weeks=weeks, unknown_cents=unknown)


def _summed(shape: tuple[int, ...], places: tuple[NDArray[np.int64], ...], cents: Cents) -> Cents:
    """The cents of each place; sums of whole cents below 2^53 are exact in the floats that bincount adds."""
    flat = np.ravel_multi_index(places, shape)
    return np.bincount(flat, weights=cents, minlength=int(np.prod(shape))).reshape(shape).astype("int64")


def _late(
    week: NDArray[np.int64], known: NDArray[np.int64], kind: NDArray[np.int64], cents: Cents, *, weeks: int
) -> Cents:
    """Cash that a Friday so many weeks ago should have held but was entered after it: shape (weeks ago, kind)."""
    is_late = known < week
    starts, ends = np.clip(known[is_late] + 1, 0, weeks), np.clip(week[is_late] + 1, 0, weeks)
    shape = (weeks + 1, _KINDS)
    begun = _summed(shape, (starts, kind[is_late]), cents[is_late])
    over = _summed(shape, (ends, kind[is_late]), cents[is_late])
    return np.cumsum(begun - over, axis=0)[:-1]


def draw_run_off(
    run_off: RunOff, *, factor: float, at: AsOf, policy: ForecastPolicy, draws: int, rng: np.random.Generator
) -> Cents:
    """Draws of layer (c): int64 cents, shape (kind, draw, day of the horizon); nothing without a week of history.

    `factor` is the level of receipts (``receipts_level.receipts_factor``).
    """
    ahead = policy.horizon_weeks
    if run_off.weeks <= 1:
        return np.zeros((_KINDS, draws, ahead * _WEEK), dtype="int64")
    chosen = _chosen_weeks(run_off, at=at, policy=policy, draws=draws, rng=rng)
    steps = np.minimum(np.arange(ahead), _known_ahead(run_off, policy=policy))
    level = _levels(run_off, policy=policy, draws=draws, rng=rng)
    drawn = np.empty((_KINDS, draws, ahead * _WEEK), dtype="int64")
    for number, kind in enumerate(REST_KINDS):
        path = run_off.unknown_cents[chosen, steps, number].reshape(draws, ahead * _WEEK)
        scale = factor if kind in RECEIPT_KINDS else 1.0
        drawn[number] = np.rint(path * (scale * level[:, number, None])).astype("int64")
    return drawn


def _run_weeks(run_off: RunOff, *, policy: ForecastPolicy) -> int:
    """How many consecutive weeks are drawn together."""
    return max(1, min(policy.block_weeks, (run_off.weeks - 1) // _RUN_SHARE))


def _known_ahead(run_off: RunOff, *, policy: ForecastPolicy) -> int:
    """The furthest week ahead (from 0) whose unknown part was seen in enough past weeks."""
    seen = run_off.weeks - 1 - _run_weeks(run_off, policy=policy) - _STARTS
    return int(np.clip(seen, 0, policy.horizon_weeks - 1))


def _chosen_weeks(
    run_off: RunOff, *, at: AsOf, policy: ForecastPolicy, draws: int, rng: np.random.Generator
) -> NDArray[np.int64]:
    """For each draw and week ahead, which past week stands for it (weeks ago), in runs of consecutive weeks."""
    ahead, length = policy.horizon_weeks, _run_weeks(run_off, policy=policy)
    chosen = np.empty((draws, ahead), dtype="int64")
    starts = [0, *range(int(rng.integers(1, length + 1)), ahead, length)] if ahead > 1 else [0]
    for start, end in zip(starts, [*starts[1:], ahead], strict=True):
        weight = _weights(run_off, ahead_week=start, run=end - start, at=at, policy=policy)
        first = rng.choice(len(weight), size=draws, p=weight)
        chosen[:, start:end] = first[:, None] - np.arange(end - start)
    return chosen


def _weights(run_off: RunOff, *, ahead_week: int, run: int, at: AsOf, policy: ForecastPolicy) -> NDArray[np.float64]:
    """How likely a run for the weeks from `ahead_week` on starts with each past week.

    A week must have been seen from as far before as it is to stand for, and the run must end before the newest week,
    whose entries are not complete yet.
    """
    ago = np.arange(run_off.weeks)
    reach = min(ahead_week, _known_ahead(run_off, policy=policy))
    possible = (ago >= run) & (ago <= max(run_off.weeks - 2 - reach, run))
    weight = np.where(possible, 0.5 ** (ago / policy.half_life_weeks), 0.0)
    if run_off.weeks >= policy.month_from_weeks:
        target = at.as_of + timedelta(days=_WEEK * (ahead_week + 1))
        days = [(at.as_of - timedelta(days=_WEEK * int(week))).day for week in ago]
        apart = np.abs(np.array(days) - target.day)
        apart = np.minimum(apart, _MONTH - apart)
        near = np.where(apart <= policy.month_days, weight, 0.0)
        weight = near if near.sum() > 0 else weight
    found: NDArray[np.float64] = weight / weight.sum()
    return found


def _levels(run_off: RunOff, *, policy: ForecastPolicy, draws: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """A factor around 1 for each draw and kind: how far the level to come lies from the one that was seen.

    The mean of n runs of weeks is known to (their spread) / sqrt(n); drift comes on top. Receipts share one drift and
    payments another: sales of all kinds rise and fall together.
    """
    length = policy.block_weeks
    runs = run_off.weeks // length
    weekly = run_off.unknown_cents[:, _known_ahead(run_off, policy=policy)].sum(axis=2)
    summed = weekly[: runs * length].reshape(runs, length, _KINDS).sum(axis=1) if runs > 1 else weekly
    mean = np.abs(summed.mean(axis=0))
    spread = summed.std(axis=0, ddof=1) / np.sqrt(len(summed))
    unsure = np.minimum(np.divide(spread, mean, out=np.zeros(_KINDS), where=mean > 0), 1.0)
    drift = policy.drift_percent / 100
    shared = rng.standard_normal((draws, 2))[:, [0, 0, 1, 1]] * drift
    own = rng.standard_normal((draws, _KINDS)) * unsure
    total = np.sqrt(drift**2 + unsure**2)
    found: NDArray[np.float64] = np.exp(shared + own - total**2 / 2)
    return found


def unexplained(pieces: pd.DataFrame, *, explained: Collection[tuple[str, str]]) -> pd.DataFrame:
    """The pieces of movements that no series of layer (b) explains; `explained` holds (kind of transaction, id)."""
    if not explained:
        return pieces
    keys = pd.MultiIndex.from_frame(pieces[["txn_type", "txn_id"]])
    return pieces[~keys.isin(list(explained))]
