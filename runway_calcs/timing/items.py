"""Documents as the payment-timing model sees them: whole days as integers, codes instead of names.

Belongs here: cleaning of the two frames that callers pass, the as-of cut, anchors, ages. Does not: estimating anything.
"""

from dataclasses import dataclass, fields, replace
from datetime import date, datetime
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
_NOBODY = "\0"
"""Before a document's id: its counterparty, where none is given."""
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


def whole_day(as_of: object) -> date:
    """The as-of day without a time of day. TypeError if it is no day, or an instant of some time zone."""
    # NaT counts as a datetime, and is of no year.
    if not isinstance(as_of, date) or str(as_of) == str(pd.NaT) or getattr(as_of, "tzinfo", None) is not None:
        raise TypeError(f"as_of is a datetime.date, a day of the company's own calendar: {as_of!r}")
    return date(as_of.year, as_of.month, as_of.day)


def known_items(history: pd.DataFrame, *, as_of: date) -> tuple[Items, int]:
    """The rows of `history` that were known at `as_of`, and the usual term of the ledger in days.

    Rows entered or dated later are left out, whatever they say; a payment dated later has not happened. ValueError or
    TypeError as of `payment_timing.fit`.
    """
    rows = _dated(history, columns=COLUMNS, frame_name="history")
    today = pd.Timestamp(as_of)
    is_known = rows["entered_date"].notna() & (rows["entered_date"] <= today) & ~(rows["document_date"] > today)
    known = _named(rows[is_known], frame_name="history")
    known = known.assign(paid_date=known["paid_date"].where(known["paid_date"] <= today))
    term_days = _usual_term(known)
    return _items(known, term_days=term_days), term_days


def items_to_predict(open_items: pd.DataFrame, *, as_of: date, term_days: int) -> Items:
    """All rows of `open_items` as open at `as_of`; a `paid_date`, if any, is not looked at."""
    rows = _named(_dated(open_items, columns=COLUMNS[:-1], frame_name="open items"), frame_name="open items")
    today = pd.Timestamp(as_of)
    entered = rows["entered_date"]
    rows = rows.assign(
        paid_date=pd.Series(pd.NaT, index=rows.index, dtype="datetime64[us]"),
        # What is not entered yet is expected like what was entered today.
        entered_date=entered.where(entered <= today, today),
    )
    return _items(rows, term_days=term_days)


def told_ids(open_items: pd.DataFrame) -> "pd.Index[Any]":
    """The documents in the order of the rows, as the caller names them: numbers stay numbers, all else is text.

    Whole numbers in a column of objects are numbers too; one that holds both is kept as given.
    """
    ids = open_items["document_id"]
    kind = pd.api.types.infer_dtype(ids, skipna=False)
    if pd.api.types.is_numeric_dtype(ids.dtype) or kind == "integer":
        ids = ids.astype("int64")
    elif kind != "mixed-integer":
        ids = ids.astype("str")
    found: pd.Index[Any] = pd.Index(ids, name="document_id")
    return found


def _dated(frame: pd.DataFrame, *, columns: tuple[str, ...], frame_name: str) -> pd.DataFrame:
    """These columns with days in the columns of dates; rows that say only one of two dates take it for both."""
    if not isinstance(frame, pd.DataFrame):
        raise TypeError(f"{frame_name}: a pandas.DataFrame is expected, not {type(frame).__name__}")
    missing = [name for name in columns if name not in frame.columns]
    if missing:
        raise ValueError(f"{frame_name}: columns missing: {', '.join(missing)}")
    twice = [name for name in columns if (frame.columns == name).sum() > 1]
    if twice:
        raise ValueError(f"{frame_name}: more than one column has the name {', '.join(twice)}")
    rows = frame[list(columns)].reset_index(drop=True)
    rows = rows.assign(**{name: _midnights(rows[name], frame_name) for name in columns if name.endswith("_date")})
    return rows.assign(
        entered_date=rows["entered_date"].fillna(rows["document_date"]),
        document_date=rows["document_date"].fillna(rows["entered_date"]),
    )


def _named(rows: pd.DataFrame, *, frame_name: str) -> pd.DataFrame:
    """The rows with names as text, by counterparty and document; each document is there once."""
    documents = _text(rows["document_id"], frame_name)
    if documents.isna().any():
        raise ValueError(f"{frame_name}: document_id is missing in {int(documents.isna().sum())} of {len(rows)} rows")
    twice = documents.duplicated()
    if twice.any():
        raise ValueError(f"{frame_name}: one row per document: {documents[twice].iloc[0]!r} occurs twice")
    counterparties = _text(rows["counterparty_id"], frame_name)
    rows = rows.assign(
        document_id=documents,
        # Documents of nobody have no habit in common: each is the only one of a counterparty.
        counterparty_id=counterparties.where(counterparties.notna(), _NOBODY + documents),
        terms=_text(rows["terms"], frame_name).fillna(""),
    )
    return rows.sort_values(["counterparty_id", "document_id"])


def _text(names: "pd.Series[Any]", frame_name: str) -> "pd.Series[Any]":
    """Names as text. Whole numbers that a missing one beside them turned into floats read as whole numbers."""
    if pd.api.types.is_float_dtype(names.dtype) and names.notna().any():
        if not (names.dropna() % 1 == 0).all():
            raise TypeError(f"{frame_name}: {names.name} is a name, text or a whole number, not a fraction")
        names = names.astype("Int64")
    return names.astype("str").where(names.notna())


def _midnights(days: "pd.Series[Any]", frame_name: str) -> "pd.Series[Any]":
    """Days at midnight. TypeError if they are not dates, or instants whose day depends on a time zone."""
    if isinstance(days.dtype, pd.CategoricalDtype):
        days = days.astype(days.cat.categories.dtype)
    if days.isna().all():
        return pd.Series(pd.NaT, index=days.index, dtype="datetime64[us]", name=days.name)
    told = days.dropna()
    if pd.api.types.is_datetime64_any_dtype(days.dtype):
        told = told[:1]  # One time zone, or none, for all of them.
    odd = told[[not _is_day(one) for one in told]]
    if len(odd):
        raise TypeError(
            f"{frame_name}: {days.name} holds dates without a time zone (datetime64 or datetime.date),"
            f" but {odd.iloc[0]!r} of dtype {days.dtype}; convert it to the company's own day first"
        )
    return pd.to_datetime(days).astype("datetime64[us]").dt.normalize()


def _is_day(one: object) -> bool:
    if isinstance(one, datetime):
        return one.tzinfo is None
    return isinstance(one, (date, np.datetime64))


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
