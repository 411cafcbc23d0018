"""When open documents will be paid: a distribution over days for each, for receivables and payables alike.

Belongs here: the public face of payment timing, that is `fit`, quantiles, words, correlated draws. Does not: the kinds of
payers (``timing/shapes.py``), learning which counterparty is which (``timing/fit.py``), the days of one document
(``timing/days.py``).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from numbers import Integral, Real
from typing import Any

import numpy as np
import pandas as pd

from runway_calcs.timing.calibration import truth_of
from runway_calcs.timing.days import Truth, day_masses, drawn_days, quantile_days, rows_of, unseen_masses
from runway_calcs.timing.fit import TUNING, Habits, Tuning, fit_habits
from runway_calcs.timing.items import (
    Floats,
    Ints,
    Items,
    day_number,
    items_to_predict,
    known_items,
    told_ids,
    whole_day,
)
from runway_calcs.timing.silence import MORE_LIKELY_THAN_NOT
from runway_calcs.timing.words import Past, confidences, past_of, reasons

LEVELS = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95)
_BLOCK = 2_000
"""Documents whose days are worked out at a time, for the sake of memory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LikelyDays:
    """When certain open documents may be paid, worked out once for everything that is asked about them."""

    as_of: date
    items: Items
    mass: Floats
    """Items x days: the probability of each day, from `first_day` on."""
    first_day: int
    """Days after `as_of`: 1, or less where payments that the books do not tell yet are reckoned with."""
    truth: Truth
    correlation: float
    document_ids: "pd.Index[Any]"
    """In the order in which they are told."""

    def quantiles(self, levels: Iterable[float]) -> pd.DataFrame:
        """As `PaymentTimingModel.predict`."""
        asked = _probabilities(levels)
        days = quantile_days(self.mass, levels=[self.truth.level(level) for level in asked])
        return self._dated(days, columns=pd.Index(asked, dtype="float64"))

    def draws(self, count: int, *, seed: int) -> pd.DataFrame:
        """As `PaymentTimingModel.sample`."""
        draws, start = _whole(count, name="draws", least=1), _whole(seed, name="seed", least=0)
        days = drawn_days(self.items, self.mass, draws=draws, seed=start, correlation=self.correlation)
        return self._dated(days, columns=pd.Index(np.arange(draws)))

    def drawn(self, document_ids: Sequence[str], *, count: int, seed: int) -> Ints:
        """Drawn days after `as_of` of some of the documents, in their order: shape (document, draw). KeyError if unknown.

        From `first_day` on: 0 or less means that the payment was made and is not in the books yet.
        """
        row_of = {str(one): row for row, one in enumerate(self.items.document_ids)}
        rows = np.array([row_of[one] for one in document_ids], dtype=np.int64)
        chosen = self.items.take(rows)
        numbers = drawn_days(chosen, self.mass[rows], draws=count, seed=seed, correlation=self.correlation)
        return numbers + (self.first_day - 1)

    def _dated(self, numbers: Ints, *, columns: "pd.Index[Any]") -> pd.DataFrame:
        days = np.maximum(numbers + (self.first_day - 1), 1)
        dates = np.datetime64(self.as_of, "D") + days.astype("timedelta64[D]")
        found = pd.DataFrame(dates.astype("datetime64[us]"), index=self.items.document_ids, columns=columns)
        return _told(found, document_ids=self.document_ids)


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentTimingModel:
    """What a ledger's history says about when its open documents will be paid, as of a day."""

    as_of: date
    habits: Habits
    past: Past
    truth: Truth
    """How probabilities turned out on this ledger (``timing/calibration.py``)."""
    term_days: int
    """Usual days from a document's date to its due date: what stands in for a missing due date."""

    def predict(self, open_items: pd.DataFrame, *, levels: Iterable[float] = LEVELS) -> pd.DataFrame:
        """The day by which each document is paid with each probability.

        `open_items` has the columns of `fit`; `paid_date` may be missing and is not looked at. Index `document_id` in the
        order of the rows, columns `levels`, datetime64 at midnight, rising with the level, always after `as_of`. Errors as
        of `fit`; ValueError too if a level is not between 0 and 1.

        Days are lumpy (a pay run a week), so no day has exactly the probability asked for. Levels below one half take a
        day that leaves about `level` before it, levels above a day that leaves about 1 - `level` after it, chosen so that an
        interval between two levels holds what it says on average, where rounding outwards would make it hold more.
        """
        return self.likely(open_items).quantiles(levels)

    def explain(self, open_items: pd.DataFrame) -> pd.DataFrame:
        """Why, in words, and how sure: index `document_id`, columns `confidence` and `reason`.

        `confidence` is 0 (nothing but the shipped prior) to 1 (a long history of this counterparty, and the document is
        no later than what was seen). `reason` is "usually 9 days late over 14 documents, now 21", of a payer with two
        clear habits "often 20 days early, else 6 days late over 24 documents, now 3", and of one that has more likely stopped
        than not ", nothing paid for 90 days".
        """
        items = items_to_predict(open_items, as_of=self.as_of, term_days=self.term_days)
        today = day_number(self.as_of)
        stopped = self.habits.stopped[rows_of(items, habits=self.habits)] > MORE_LIKELY_THAN_NOT
        said = reasons(items, past=self.past, today=today, stopped=stopped)
        found = pd.DataFrame(
            {
                "confidence": confidences(items, past=self.past, today=today),
                "reason": pd.Series(said, dtype="str"),
            }
        ).set_axis(items.document_ids)
        return _told(found, document_ids=told_ids(open_items))

    def sample(self, open_items: pd.DataFrame, *, draws: int, seed: int) -> pd.DataFrame:
        """Days of payment drawn jointly: index `document_id` in the order of the rows, columns 0 to `draws` - 1.

        One counterparty's documents move together, for one pay run pays several. The draws of a document depend on
        `seed`, on its own and its counterparty's id and on nothing else: leaving another document out changes none.
        """
        return self.likely(open_items).draws(draws, seed=seed)

    def likely(self, open_items: pd.DataFrame, *, unseen: Sequence[float] = ()) -> LikelyDays:
        """The days on which these documents may be paid: for whoever asks more than once about the same ones.

        `unseen` is the share of payments dated 0, 1, ... days before the as-of day that are not in the books by then. What
        was paid on such a day is expected now, not after another wait; dates told are after the as-of day all the same.
        """
        items = items_to_predict(open_items, as_of=self.as_of, term_days=self.term_days)
        today = day_number(self.as_of)
        blocks = [items.take(slice(start, start + _BLOCK)) for start in range(0, max(len(items), 1), _BLOCK)]
        mass = np.vstack([day_masses(some, habits=self.habits, today=today, truth=self.truth) for some in blocks])
        if unseen:
            paid = unseen_masses(items, habits=self.habits, today=today, unseen=unseen)
            mass = np.hstack([paid, mass * (1 - paid.sum(axis=1, keepdims=True))])
        return LikelyDays(
            as_of=self.as_of,
            items=items,
            mass=mass,
            first_day=1 - len(unseen),
            truth=self.truth,
            correlation=self.habits.correlation,
            document_ids=told_ids(open_items),
        )


def fit(history: pd.DataFrame, *, as_of: date, tuning: Tuning = TUNING) -> PaymentTimingModel:
    """Learn the payers of one side of a ledger from what was known at `as_of`.

    `history` has a row for each document, paid or open: `document_id`, `counterparty_id`, `terms` (text or missing),
    `entered_date`, `document_date`, `due_date` (NaT: none), `amount_cents`, `paid_date` (the day the balance reached 0; NaT
    or later than `as_of`: open then). Rows entered or dated after `as_of` are ignored. An empty frame is a model too: it
    knows what payers are like in general. A document without a counterparty is taken to be the only one of its own.

    Ids are text or whole numbers, dates datetime64 or `datetime.date`; a time of day is left out. ValueError if a column is
    missing or a document occurs twice, TypeError if dates are text or numbers, or instants with a time zone: their day is
    the company's to say.

    Source: days relative to the due date with delayed entry and censoring, shrunk in three levels (docs/payment-timing.md).
    """
    day = whole_day(as_of)
    items, term_days = known_items(history, as_of=day)
    today = day_number(day)
    fitted = fit_habits(items, today=today, tuning=tuning)
    return PaymentTimingModel(
        as_of=day,
        habits=fitted.habits,
        truth=truth_of(
            fitted.cases,
            log_likelihood=fitted.case_log_likelihood,
            habits=fitted.habits,
            strength=tuning.truth_strength,
        ),
        past=past_of(items),
        term_days=term_days,
    )


def _told(found: pd.DataFrame, *, document_ids: "pd.Index[Any]") -> pd.DataFrame:
    """Rows that were found by documents as text, in the order and under the names of the caller."""
    return found.reindex(document_ids.astype("str")).set_axis(document_ids)


def _probabilities(levels: object) -> list[float]:
    if isinstance(levels, str) or not isinstance(levels, Iterable):
        raise TypeError(f"levels are probabilities, one or several in a sequence: {levels!r}")
    asked = list(levels)
    found = [float(level) for level in asked if isinstance(level, Real)]
    if len(found) < len(asked) or not all(0 < level < 1 for level in found):
        raise ValueError(f"levels are probabilities between 0 and 1: {tuple(asked)}")
    return found


def _whole(number: object, *, name: str, least: int) -> int:
    if isinstance(number, bool) or not isinstance(number, Integral):
        raise TypeError(f"{name} is a whole number: {number!r}")
    found = int(number)
    if found < least:
        raise ValueError(f"{name} is at least {least}: {found}")
    return found
