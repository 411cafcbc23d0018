"""Documents as the payment-timing model sees them: whole days as integers, codes instead of names.

Belongs here: cleaning of the two frames that callers pass, the as-of cut, anchors, ages. Does not: estimating anything.
"""

from dataclasses import dataclass, fields, replace
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Names = NDArray[Any]
"""Text as objects."""

COLUMNS = (
    "document_id",
    "counterparty_id",
    "terms",
    "entered_date",
    "document_date",
    "due_date",
    "amount_cents",
    "paid_date",
)
GENERIC_TERM_DAYS = 30
"""Days from document to due where a ledger has no due date at all: the most common terms."""
_NO_DAY = np.iinfo(np.int64).min
"""What NaT is as an integer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Items:
    """Documents in columns, sorted by counterparty and document, days as integers since 1970.

    `due_anchor` is the due date, or `document_anchor` where there is none; `document_anchor` is the document's date plus
    the usual term of the ledger, so that both anchors lie on one axis.
    """

    document_ids: Names
    counterparty_ids: Names
    terms: Names
    entered: Ints
    document_date: Ints
    due_anchor: Ints
    document_anchor: Ints
    has_due: Flags
    paid: Ints
    """0 where not paid."""
    is_paid: Flags

    def __len__(self) -> int:
        return len(self.document_ids)

    def as_open(self) -> "Items":
        """The same documents, none of them paid yet."""
        return replace(self, is_paid=np.zeros(len(self), dtype=np.bool_))

    def take(self, rows: slice | Ints | Flags) -> "Items":
        """Some of the documents."""
        return Items(**{one.name: getattr(self, one.name)[rows] for one in fields(self)})


def weekday(days: Ints) -> Ints:
    """Monday is 0; day 0, 1970-01-01, was a Thursday."""
    found: Ints = (days + 3) % 7
    return found


def day_number(day: date) -> int:
    """A day as an integer since 1970."""
    return int(np.datetime64(day, "D").astype("int64"))


def known_items(history: pd.DataFrame, *, as_of: date) -> tuple[Items, int]:
    """The rows of `history` that were known at `as_of`, and the usual term of the ledger in days.

    Rows entered or dated later are left out; a payment dated later has not happened. ValueError if a column is missing
    or a document occurs twice.
    """
    known = _checked(history, columns=COLUMNS)
    today = pd.Timestamp(as_of)
    is_known = known["entered_date"].notna() & (known["entered_date"] <= today) & ~(known["document_date"] > today)
    known = known[is_known]
    known = known.assign(paid_date=known["paid_date"].where(known["paid_date"] <= today))
    term_days = _usual_term(known)
    return _items(known, term_days=term_days), term_days


def items_to_predict(open_items: pd.DataFrame, *, as_of: date, term_days: int) -> Items:
    """All rows of `open_items` as open at `as_of`; a `paid_date`, if any, is not looked at."""
    rows = _checked(open_items, columns=COLUMNS[:-1])
    today = pd.Timestamp(as_of)
    entered = rows["entered_date"]
    rows = rows.assign(
        paid_date=pd.Series(pd.NaT, index=rows.index, dtype="datetime64[us]"),
        # What is not entered yet is expected like what was entered today.
        entered_date=entered.where(entered <= today, today),
    )
    return _items(rows, term_days=term_days)


def _checked(frame: pd.DataFrame, *, columns: tuple[str, ...]) -> pd.DataFrame:
    missing = [name for name in columns if name not in frame.columns]
    if missing:
        raise ValueError(f"columns missing: {', '.join(missing)}")
    rows = frame[list(columns)]
    rows = rows.assign(
        document_id=rows["document_id"].astype("str"),
        counterparty_id=rows["counterparty_id"].astype("str"),
        terms=rows["terms"].astype("str").where(rows["terms"].notna(), ""),
        **{name: _midnights(rows[name]) for name in columns if name.endswith("_date")},
    )
    rows = rows.assign(
        entered_date=rows["entered_date"].fillna(rows["document_date"]),
        document_date=rows["document_date"].fillna(rows["entered_date"]),
    )
    twice = rows["document_id"].duplicated()
    if twice.any():
        raise ValueError(f"one row per document: {rows['document_id'][twice].iloc[0]!r} occurs twice")
    return rows.sort_values(["counterparty_id", "document_id"])


def _midnights(days: "pd.Series[Any]") -> "pd.Series[Any]":
    return pd.to_datetime(days).astype("datetime64[us]").dt.normalize()


def _usual_term(known: pd.DataFrame) -> int:
    terms = (known["due_date"] - known["document_date"]).dt.days.dropna()
    return round(float(terms.median())) if len(terms) else GENERIC_TERM_DAYS


def _items(rows: pd.DataFrame, *, term_days: int) -> Items:
    paid, is_paid = _days(rows["paid_date"])
    entered, _ = _days(rows["entered_date"])
    dated, is_dated = _days(rows["document_date"])
    due, has_due = _days(rows["due_date"])
    document_date = np.where(is_dated, dated, entered)
    document_anchor = document_date + term_days
    return Items(
        document_ids=rows["document_id"].to_numpy(dtype=object),
        counterparty_ids=rows["counterparty_id"].to_numpy(dtype=object),
        terms=rows["terms"].to_numpy(dtype=object),
        # A document keyed in after it was paid says when it was paid, not that it waited.
        entered=np.where(is_paid, np.minimum(entered, paid), entered),
        document_date=document_date,
        due_anchor=np.where(has_due, due, document_anchor),
        document_anchor=document_anchor,
        has_due=has_due,
        paid=np.where(is_paid, paid, 0),
        is_paid=is_paid,
    )


def _days(column: "pd.Series[Any]") -> tuple[Ints, Flags]:
    numbers = column.to_numpy(dtype="datetime64[D]").astype("int64")
    return numbers, numbers != _NO_DAY
