"""The documents of one side of the books as payment timing takes them: what was paid when, and what is open.

Belongs here: from versions of documents and applications to the frames of `payment_timing.fit` and `predict`, by the as-of
rule. Does not: the estimate itself (``payment_timing.py``).
"""

import pandas as pd

from runway_calcs.books.as_of import DOCUMENT_KEY, AsOf, select_known
from runway_calcs.books.entries import credible_entries
from runway_calcs.books.open_items import Side, known_documents

_PAID_BY_THE_OTHER_SIDE: dict[Side, str] = {"payables": "Bill", "receivables": "Invoice"}
"""The kind of document that is waited for; credits and payments are not."""


def payment_history(documents: pd.DataFrame, applications: pd.DataFrame, *, side: Side, at: AsOf) -> pd.DataFrame:
    """Every bill or invoice that was known at the point of view, paid or open: the `history` of `payment_timing.fit`.

    Columns document_id, counterparty_id, terms (str; missing where the document has none), entered_date, document_date,
    due_date, paid_date (datetime64[us]), amount_cents (int64, the document's total); in the order of entry and id.

    `paid_date` is the date of the payment that brought the balance to 0. Left out are documents of 0 (voided ones have
    that) and those settled by nothing that says when, such as a journal entry.
    """
    known = _waited_for(documents, applications, side=side, at=at)
    is_settled = known["open_cents"] == 0
    paid = _last_payment(known, applications, at=at).where(is_settled)
    is_told = (known["total_cents"] > 0) & (paid.notna() | ~is_settled)
    return _frame(known[is_told], amounts=known["total_cents"][is_told], paid=paid[is_told], at=at)


def open_documents(documents: pd.DataFrame, applications: pd.DataFrame, *, side: Side, at: AsOf) -> pd.DataFrame:
    """The open bills or invoices at the point of view: the `open_items` of `payment_timing`.

    Columns and order as of `payment_history`; `amount_cents` is what is still open, `paid_date` is NaT.
    """
    known = _waited_for(documents, applications, side=side, at=at)
    known = known[known["open_cents"] > 0]
    nothing = pd.Series(pd.NaT, index=known.index, dtype="datetime64[us]")
    return _frame(known, amounts=known["open_cents"], paid=nothing, at=at)


def _waited_for(documents: pd.DataFrame, applications: pd.DataFrame, *, side: Side, at: AsOf) -> pd.DataFrame:
    kind = _PAID_BY_THE_OTHER_SIDE[side]
    known = known_documents(documents[documents["txn_type"] == kind], applications, at=at)
    # A payment tells nothing of a document that is only seen from then on, as one that was imported after it.
    return known.assign(created_at=credible_entries(known))


def _last_payment(known: pd.DataFrame, applications: pd.DataFrame, *, at: AsOf) -> "pd.Series[pd.Timestamp]":
    applied = select_known(applications, known_until=at.known_until, first_known_at=at.first_known_at, key=DOCUMENT_KEY)
    last = applied.groupby(["target_type", "target_id"])["txn_date"].max()
    keys = pd.MultiIndex.from_frame(known[["txn_type", "qbo_id"]])
    return last.reindex(keys).set_axis(known.index).astype("datetime64[us]")


def _frame(
    known: pd.DataFrame, *, amounts: "pd.Series[int]", paid: "pd.Series[pd.Timestamp]", at: AsOf
) -> pd.DataFrame:
    # The entry is an instant in UTC, the as-of day one of the company: an evening's entry may be dated a day later.
    entered = known["created_at"].dt.tz_localize(None).dt.normalize().clip(upper=at.as_of_day)
    found = pd.DataFrame(
        {
            "document_id": known["qbo_id"],
            "counterparty_id": known["party_id"],
            "terms": known["term_id"].where(known["term_id"] != ""),
            "entered_date": entered.astype("datetime64[us]"),
            "document_date": known["txn_date"],
            "due_date": known["due_date"],
            "amount_cents": amounts,
            "paid_date": paid,
        }
    )
    return found.sort_values(["entered_date", "document_id"]).reset_index(drop=True)
