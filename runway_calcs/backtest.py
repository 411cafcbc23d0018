"""How payment timing would have done: past Fridays replayed with what was known on them.

Belongs here: what was said on each Friday, what happened, and simpler rules beside it. Does not: saying it
(``payment_timing.py``); the accuracy of the whole cash forecast (``forecast/score.py``).

A Friday is looked at twice: once its week is over, for the money paid in that week, and once the horizon is over, for the
dates. What was found is kept: only Fridays with something new are fitted again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pandas as pd

from runway_calcs.books.as_of import AsOf
from runway_calcs.books.open_items import Side
from runway_calcs.books.payment_history import open_documents, payment_history
from runway_calcs.payment_timing import LEVELS, PaymentTimingModel, fit
from runway_calcs.policy import BacktestPolicy
from runway_calcs.timing.items import GENERIC_TERM_DAYS, Floats, Ints

_DAY = np.timedelta64(1, "D")
_LOW, _MEDIAN, _HIGH = (LEVELS.index(level) for level in (0.1, 0.5, 0.9))


@dataclass(frozen=True, slots=True, kw_only=True)
class DateErrors:
    """How far off the payment dates of one Friday were, in days, over the documents that were open on it.

    What was not paid within the horizon counts as paid at its end, whichever rule is asked.
    """

    documents: int
    model_days: float
    """Mean absolute error of the median."""
    due_date_days: float
    """The same of: on the due date, or tomorrow if that has passed (without a due date: 30 days after the document's)."""
    customer_mean_days: float
    """The same of: the due date and the counterparty's mean lateness so far (the ledger's if it never paid)."""
    recent_mean_days: float
    """The same of: the due date and the mean lateness of what was paid in the last 13 weeks."""
    pinball_days: float
    """Mean pinball loss over the seven levels."""
    covered_percent: float
    """Share of the documents paid within their 80 % interval, ends included."""
    width_days: float
    """Mean width of that interval."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BacktestFriday:
    """One Friday of the past: what was said on it and what happened."""

    friday: date
    side: Side
    documents: int
    """Open on that Friday, as far as it was known."""
    open_cents: int
    band_low_cents: int
    """With a chance of one in ten less is paid of them in the week after: P10."""
    band_middle_cents: int
    band_high_cents: int
    """P90."""
    paid_cents: int
    """What was paid of them in that week."""
    is_inside: bool | None
    """Whether that lies in the band; None if nothing was open."""
    dates: DateErrors | None
    """None until the horizon is over, and if nothing was open."""
    is_settled: bool
    """Whether the horizon was over when this was found; then it is final."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BandRecord:
    """How often the last weeks lay in their bands."""

    inside: int
    weeks: int
    """Weeks that had something open; 0: nothing can be said."""

    @property
    def text(self) -> str:
        """For a reader: "9 of the last 10 weeks inside the band"."""
        if not self.weeks:
            return "no finished week to compare with yet"
        return f"{self.inside} of the last {self.weeks} weeks inside the band"


def backtest(
    documents: pd.DataFrame,
    applications: pd.DataFrame,
    *,
    side: Side,
    now: AsOf,
    fridays: Sequence[AsOf],
    earlier: Sequence[BacktestFriday] = (),
    policy: BacktestPolicy,
) -> tuple[BacktestFriday, ...]:
    """One record for each of `fridays` whose week is over at `now`, by date.

    `documents` and `applications` are the frames of the books with all their versions; each Friday is its own point of view.
    Of `earlier` results those are taken over to which `now` can add nothing.
    """
    kept = {one.friday: one for one in earlier if one.side == side}
    outcomes = None
    found = []
    for at in sorted(fridays, key=lambda one: one.as_of):
        if now.as_of < at.as_of + timedelta(days=policy.week_days):
            continue
        is_settled = now.as_of >= at.as_of + timedelta(days=policy.horizon_days)
        known = kept.get(at.as_of)
        if known is None or (is_settled and not known.is_settled):
            if outcomes is None:
                outcomes = _paid_days(payment_history(documents, applications, side=side, at=now))
            known = _friday(
                payment_history(documents, applications, side=side, at=at),
                open_documents(documents, applications, side=side, at=at),
                at=at,
                side=side,
                paid=outcomes,
                is_settled=is_settled,
                policy=policy,
            )
        found.append(known)
    return tuple(found)


def band_record(results: Sequence[BacktestFriday], *, side: Side, weeks: int = 10) -> BandRecord:
    """How often the last so many weeks that had something open lay in their bands."""
    told = [one.is_inside for one in sorted(results, key=lambda one: one.friday) if one.side == side]
    last = [one for one in told if one is not None][-weeks:]
    return BandRecord(inside=sum(last), weeks=len(last))


def _paid_days(history: pd.DataFrame) -> Mapping[str, np.datetime64]:
    paid = history[history["paid_date"].notna()]
    days = paid["paid_date"].to_numpy(dtype="datetime64[D]")
    return dict(zip(paid["document_id"], days, strict=True))


def _friday(
    history: pd.DataFrame,
    still_open: pd.DataFrame,
    *,
    at: AsOf,
    side: Side,
    paid: Mapping[str, np.datetime64],
    is_settled: bool,
    policy: BacktestPolicy,
) -> BacktestFriday:
    today = np.datetime64(at.as_of, "D")
    cents = still_open["amount_cents"].to_numpy(dtype="int64")
    never = np.datetime64("NaT", "D")
    days = np.array([paid.get(one, never) for one in still_open["document_id"]], dtype="datetime64[D]")
    week_end = today + policy.week_days * _DAY
    paid_cents = int(cents[days <= week_end].sum())
    band = np.zeros(3, dtype=np.int64)
    dates = None
    if len(still_open):
        model = fit(history, as_of=at.as_of)
        band = _band(model, still_open, cents=cents, week_end=week_end, policy=policy)
        if is_settled:
            dates = _date_errors(model, history, still_open, days=days, today=today, policy=policy)
    low, middle, high = (int(one) for one in band)
    return BacktestFriday(
        friday=at.as_of,
        side=side,
        documents=len(still_open),
        open_cents=int(cents.sum()),
        band_low_cents=low,
        band_middle_cents=middle,
        band_high_cents=high,
        paid_cents=paid_cents,
        is_inside=low <= paid_cents <= high if len(still_open) else None,
        dates=dates,
        is_settled=is_settled,
    )


def _band(
    model: PaymentTimingModel,
    still_open: pd.DataFrame,
    *,
    cents: Ints,
    week_end: np.datetime64,
    policy: BacktestPolicy,
) -> Ints:
    """P10, P50 and P90 of what is paid by the end of the week."""
    drawn = model.sample(still_open, draws=policy.draws, seed=policy.seed)
    totals = (drawn.to_numpy(dtype="datetime64[D]") <= week_end).astype("int64").T @ cents
    found: Ints = np.quantile(totals, [0.1, 0.5, 0.9], method="inverted_cdf").astype("int64")
    return found


def _date_errors(
    model: PaymentTimingModel,
    history: pd.DataFrame,
    still_open: pd.DataFrame,
    *,
    days: "np.ndarray[tuple[int], np.dtype[np.datetime64]]",
    today: np.datetime64,
    policy: BacktestPolicy,
) -> DateErrors:
    end = policy.horizon_days
    ahead = (days - today) / _DAY
    happened = np.where(np.isnan(ahead), end, np.clip(ahead, 1, end))
    said = (model.predict(still_open).to_numpy(dtype="datetime64[D]") - today) / _DAY
    said = np.minimum(said, end)
    due = (_anchor(still_open) - today) / _DAY
    lateness = _Lateness.of(history, today=today)
    missed = happened[:, None] - said
    levels = np.array(LEVELS)
    inside = (happened >= said[:, _LOW]) & (happened <= said[:, _HIGH])

    def error(expected: Floats) -> float:
        return round(float(np.abs(happened - np.clip(np.round(expected), 1, end)).mean()), 3)

    return DateErrors(
        documents=len(happened),
        model_days=error(said[:, _MEDIAN]),
        due_date_days=error(due),
        customer_mean_days=error(due + lateness.of_each(still_open["counterparty_id"])),
        recent_mean_days=error(due + lateness.recent),
        pinball_days=round(float(np.maximum(levels * missed, (levels - 1) * missed).mean()), 3),
        covered_percent=round(100 * float(inside.mean()), 1),
        width_days=round(float((said[:, _HIGH] - said[:, _LOW]).mean()), 2),
    )


def _anchor(frame: pd.DataFrame) -> "np.ndarray[tuple[int], np.dtype[np.datetime64]]":
    due = frame["due_date"].where(
        frame["due_date"].notna(), frame["document_date"] + pd.Timedelta(days=GENERIC_TERM_DAYS)
    )
    return due.to_numpy(dtype="datetime64[D]")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Lateness:
    """Mean lateness so far, as the simpler rules take it."""

    by_counterparty: Mapping[str, float]
    all: float
    recent: float

    @classmethod
    def of(cls, history: pd.DataFrame, *, today: np.datetime64) -> "_Lateness":
        paid = history[history["paid_date"].notna()]
        day = paid["paid_date"].to_numpy(dtype="datetime64[D]")
        paid, day = paid[day <= today], day[day <= today]
        late = pd.Series((day - _anchor(paid)) / _DAY, index=paid.index)
        recent = late[day > today - 91 * _DAY]
        everybody = float(late.mean()) if len(late) else 0.0
        return cls(
            by_counterparty={
                str(one): float(mean) for one, mean in late.groupby(paid["counterparty_id"]).mean().items()
            },
            all=everybody,
            recent=float(recent.mean()) if len(recent) else everybody,
        )

    def of_each(self, counterparties: "pd.Series[str]") -> Floats:
        return np.array([self.by_counterparty.get(one, self.all) for one in counterparties])
