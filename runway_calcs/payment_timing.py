"""When open documents will be paid: a distribution over days for each, for receivables and payables alike.

Belongs here: the public face of payment timing, that is `fit`, quantiles, words, correlated draws. Does not: the kinds of
payers (``timing/shapes.py``), learning which counterparty is which (``timing/fit.py``), the days of one document
(``timing/days.py``).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from runway_calcs.timing.calibration import truth_of
from runway_calcs.timing.days import Truth, day_masses, drawn_days, quantile_days, rows_of, unseen_masses
from runway_calcs.timing.fit import TUNING, Habits, Tuning, fit_habits
from runway_calcs.timing.items import Floats, Ints, Items, day_number, items_to_predict, known_items
from runway_calcs.timing.silence import MORE_LIKELY_THAN_NOT
from runway_calcs.timing.words import Past, confidences, past_of, reasons

LEVELS = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95)


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
    document_ids: "pd.Index[str]"
    """In the order in which they are told."""

    def quantiles(self, levels: Sequence[float]) -> pd.DataFrame:
        """As `PaymentTimingModel.predict`."""
        if not all(0 < level < 1 for level in levels):
            raise ValueError(f"levels are probabilities between 0 and 1: {tuple(levels)}")
        days = quantile_days(self.mass, levels=[self.truth.level(level) for level in levels])
        return self._dated(days, columns=list(levels))

    def draws(self, count: int, *, seed: int) -> pd.DataFrame:
        """As `PaymentTimingModel.sample`."""
        if count < 1:
            raise ValueError(f"at least one draw: {count}")
        days = drawn_days(self.items, self.mass, draws=count, seed=seed, correlation=self.correlation)
        return self._dated(days, columns=list(range(count)))

    def drawn(self, document_ids: Sequence[str], *, count: int, seed: int) -> Ints:
        """Drawn days after `as_of` of some of the documents, in their order: shape (document, draw). KeyError if unknown.

        From `first_day` on: 0 or less means that the payment was made and is not in the books yet.
        """
        row_of = {str(one): row for row, one in enumerate(self.items.document_ids)}
        rows = np.array([row_of[one] for one in document_ids], dtype=np.int64)
        chosen = self.items.take(rows)
        numbers = drawn_days(chosen, self.mass[rows], draws=count, seed=seed, correlation=self.correlation)
        return numbers + (self.first_day - 1)

    def _dated(self, numbers: Ints, *, columns: Sequence[float]) -> pd.DataFrame:
        days = np.maximum(numbers + (self.first_day - 1), 1)
        dates = np.datetime64(self.as_of, "D") + days.astype("timedelta64[D]")
        index = pd.Index(self.items.document_ids, name="document_id", dtype="str")
        found = pd.DataFrame(dates.astype("datetime64[us]"), index=index, columns=list(columns))
        return found.reindex(self.document_ids)


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

    def predict(self, open_items: pd.DataFrame, *, levels: Sequence[float] = LEVELS) -> pd.DataFrame:
        """The day by which each document is paid with each probability.

        `open_items` has the columns of `fit`; `paid_date` may be missing and is not looked at. Index `document_id` in the
        order of the rows, columns `levels`, datetime64 at midnight, rising with the level, always after `as_of`.

        Days are lumpy (a pay run a week), so no day has exactly the probability asked for. Levels below one half take a
        day that leaves about `level` before it, levels above a day that leaves about 1 - `level` after it, chosen so that an
        interval between two levels holds what it says on average, where rounding outwards would make it hold more.
        """
        return self.likely(open_items).quantiles(levels)

    def explain(self, open_items: pd.DataFrame) -> pd.DataFrame:
        """Why, in words, and how sure: index `document_id`, columns `confidence` and `reason`.

        `confidence` is 0 (nothing but the shipped prior) to 1 (a long history of this counterparty, and the document is
        no later than what was seen). `reason` is "usually 9 days late over 14 documents, now 21", and of a payer that has
        more likely stopped than not ", nothing paid for 90 days".
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
        ).set_axis(pd.Index(items.document_ids, name="document_id", dtype="str"))
        return found.reindex(_ids(open_items))

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
        mass = day_masses(items, habits=self.habits, today=today, truth=self.truth)
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
            document_ids=_ids(open_items),
        )


def fit(history: pd.DataFrame, *, as_of: date, tuning: Tuning = TUNING) -> PaymentTimingModel:
    """Learn the payers of one side of a ledger from what was known at `as_of`.

    `history` has a row for each document, paid or open: `document_id`, `counterparty_id`, `terms` (text or missing),
    `entered_date`, `document_date`, `due_date` (NaT: none), `amount_cents`, `paid_date` (the day the balance reached 0; NaT
    or later than `as_of`: open then). Rows entered or dated after `as_of` are ignored. An empty frame is a model too: it
    knows what payers are like in general. ValueError if a column is missing or a document occurs twice.

    Source: days relative to the due date with delayed entry and censoring, shrunk in three levels (docs/payment-timing.md).
    """
    items, term_days = known_items(history, as_of=as_of)
    today = day_number(as_of)
    fitted = fit_habits(items, today=today, tuning=tuning)
    return PaymentTimingModel(
        as_of=as_of,
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


def _ids(frame: pd.DataFrame) -> "pd.Index[str]":
    return pd.Index(frame["document_id"].astype("str"), name="document_id", dtype="str")
