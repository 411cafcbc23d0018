"""How well predictions agree with what happened: coverage of intervals, reliability of probabilities, early breaches.

Belongs here: pure measures over arrays and frames. Does not: predictions, companies, thresholds of acceptance.
Calibration in the sense of Gneiting, Balabdaoui and Raftery (2007): what is said with 80 % happens in 80 %.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

LOW, HIGH = 0.1, 0.9
WEEK_DAYS = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """How many payment dates fell into their interval; add several to pool them."""

    judged: int = 0
    inside: int = 0
    below: int = 0
    """Paid before the interval."""
    above: int = 0
    """Paid after the interval, or not yet although it has passed."""
    beyond: int = 0
    """Not judged: the interval ends after the truth does."""
    already_paid: int = 0
    """Not judged: paid on or before the day of the prediction, only keyed in later."""
    width_days: int = 0
    """Sum of the judged intervals' widths."""

    def __add__(self, other: Self) -> "Coverage":
        return Coverage(**{name: getattr(self, name) + getattr(other, name) for name in self.__slots__})

    @property
    def share(self) -> float:
        """Inside, of the judged; NaN without any."""
        return self.inside / self.judged if self.judged else float("nan")

    @property
    def mean_width_days(self) -> float:
        """Mean width of the judged intervals in days; NaN without any."""
        return self.width_days / self.judged if self.judged else float("nan")


def coverage(predicted: pd.DataFrame, paid_on: pd.Series, *, as_of: date, true_until: date) -> Coverage:
    """Whether each document was paid within its 80 % interval.

    Whether a document is judged depends on its interval and not on when it was paid, or slow payers would drop out: an
    interval that ends after `true_until` cannot be judged whatever happened. A document that had been paid by the day
    of the prediction and was only keyed in later has no payment to predict.

    Args:
        predicted: index document_id; columns hold the levels 0.1 and 0.9 as datetime64 midnights.
        paid_on: index document_id; datetime64 day of the last payment, NaT if there is none by `true_until`.
        as_of: the day of the prediction.
        true_until: the last day whose payments are known completely.
    """
    paid = paid_on.reindex(predicted.index)
    is_paid_already = (paid <= pd.Timestamp(as_of)).to_numpy()
    low, high = predicted[LOW], predicted[HIGH]
    is_beyond = (high > pd.Timestamp(true_until)).to_numpy() & ~is_paid_already
    judged = ~is_paid_already & ~is_beyond
    below = judged & (paid < low).to_numpy()
    above = judged & (paid.isna() | (paid > high)).to_numpy()
    return Coverage(
        judged=int(judged.sum()),
        inside=int((judged & ~below & ~above).sum()),
        below=int(below.sum()),
        above=int(above.sum()),
        beyond=int(is_beyond.sum()),
        already_paid=int(is_paid_already.sum()),
        width_days=int((high - low).dt.days[judged].sum()),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Bin:
    """One of the equal-count groups of predictions."""

    count: int
    predicted: float
    happened: float

    @property
    def gap(self) -> float:
        """How far the two are apart."""
        return abs(self.predicted - self.happened)


def reliability(predicted: ArrayLike, happened: ArrayLike, *, bins: int = 10) -> tuple[Bin, ...]:
    """Predicted probabilities in so many equal-count groups, lowest first, with what happened in each.

    Equal predictions share their outcomes evenly, so the order in which they come does not matter: a group boundary
    amid a thousand zeros splits nothing.
    """
    said: NDArray[np.float64] = np.asarray(predicted, dtype=np.float64)
    came: NDArray[np.float64] = np.asarray(happened, dtype=np.float64)
    if said.shape != came.shape or len(said) < bins:
        raise ValueError(f"{bins} bins need as many predictions and outcomes; got {said.shape} and {came.shape}")
    _, place, counts = np.unique(said, return_inverse=True, return_counts=True)
    shared = (np.bincount(place, weights=came) / counts)[place]
    order = np.argsort(said, kind="stable")
    return tuple(
        Bin(count=len(part), predicted=float(said[part].mean()), happened=float(shared[part].mean()))
        for part in np.array_split(order, bins)
    )


def reliability_error(found: Iterable[Bin]) -> float:
    """Mean absolute gap over the bins."""
    return float(np.mean([one.gap for one in found]))


def first_below(cash_cents: Sequence[int] | pd.Series, *, floor_cents: int) -> int | None:
    """The first day (1 = the day after the forecast) on which the cash ended below the floor; None if on none."""
    below = np.flatnonzero(np.asarray(cash_cents, dtype=np.int64) < floor_cents)
    return int(below[0]) + 1 if len(below) else None


def below_by_week(cash_cents: Sequence[int] | pd.Series, *, floor_cents: int) -> NDArray[np.bool_]:
    """For each whole week whether the cash ended any of its days below the floor."""
    cash = np.asarray(cash_cents, dtype=np.int64)
    weeks = len(cash) // WEEK_DAYS
    found: NDArray[np.bool_] = (cash[: weeks * WEEK_DAYS].reshape(weeks, WEEK_DAYS) < floor_cents).any(axis=1)
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlyBreaches:
    """Cautious dates and how many of them came true too early."""

    dated: int
    """Forecasts whose cautious (P10) date lies within the horizon."""
    early: int
    """Of these, forecasts in which the cash was below the floor before that date."""

    @property
    def share(self) -> float:
        """Early, of the dated; NaN without any."""
        return self.early / self.dated if self.dated else float("nan")


def early_breaches(cautious: Sequence[int | None], happened: Sequence[int | None]) -> EarlyBreaches:
    """How often the floor was broken before the cautious date.

    Both are days after the forecast's day, one pair for each forecast; None means beyond the horizon.
    """
    pairs = [(said, came) for said, came in zip(cautious, happened, strict=True) if said is not None]
    return EarlyBreaches(dated=len(pairs), early=sum(came is not None and came < said for said, came in pairs))
