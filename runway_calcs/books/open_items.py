"""Open bills, invoices and credits, as they were known at an instant.

Belongs here: which documents had been entered, and what of each was still open.
Does not: sums by age (``runway_calcs/books/ageing.py``); when an open item is expected to be paid.
"""

from typing import Literal

import pandas as pd

from runway_calcs.books.ageing import bucket_of
from runway_calcs.books.as_of import DOCUMENT_KEY, AsOf, select_known, versions_at

Side = Literal["payables", "receivables"]

_TXN_TYPES: dict[Side, tuple[str, ...]] = {
    "payables": ("Bill", "VendorCredit", "BillPayment"),
    "receivables": ("Invoice", "CreditMemo", "Payment"),
}
_CREDITS = ("VendorCredit", "BillPayment", "CreditMemo", "Payment")
"""Their open amount is negative; a payment's is what it has left unapplied."""

COLUMNS = (
    "txn_type",
    "qbo_id",
    "party_id",
    "party_name",
    "doc_number",
    "txn_date",
    "due_date",
    "total_cents",
    "open_cents",
    "overdue_days",
    "bucket",
)


def known_documents(documents: pd.DataFrame, applications: pd.DataFrame, *, at: AsOf) -> pd.DataFrame:
    """Every document that counts at the point of view, settled ones too, with `open_cents` as of then.

    From the first sync on, a version carries its own open amount. Before it, what was applied later is put back:
    applications are taken as entered with the payment that holds them.
    """
    known = select_known(
        documents, known_until=at.known_until, first_known_at=at.first_known_at, key=DOCUMENT_KEY
    ).reset_index(drop=True)
    if not at.is_reconstructed:
        return known
    put_back = pd.Series(0, index=known.index, dtype="int64")
    # One pass for objects of the first sync; one more for each later sync that read a formerly unreadable object.
    for _, rows in known.groupby("known_at", sort=True):
        kept = versions_at(applications, instant=rows["known_at"].iloc[0], key=DOCUMENT_KEY)
        later = kept[kept["created_at"] > pd.Timestamp(at.known_until)]
        applied = later.groupby(["target_type", "target_id"])["amount_cents"].sum()
        keys = pd.MultiIndex.from_frame(rows[["txn_type", "qbo_id"]])
        put_back.loc[rows.index] = applied.reindex(keys, fill_value=0).to_numpy(dtype="int64")
    sign = known["txn_type"].isin(_CREDITS).map({True: -1, False: 1}).astype("int64")
    return known.assign(open_cents=known["open_cents"] + sign * put_back)


def open_items(documents: pd.DataFrame, applications: pd.DataFrame, *, side: Side, at: AsOf) -> pd.DataFrame:
    """What is open with vendors or customers, credits negative, with days overdue and ageing bucket.

    Rows are in the order of the day they age by, then kind and id. Credits and documents without a due date age by
    their own date. A document dated after the as-of day is open as soon as it is known, and current.
    """
    known = known_documents(documents, applications, at=at)
    items = known[known["txn_type"].isin(_TXN_TYPES[side]) & (known["open_cents"] != 0)]
    ages_by_due = items["due_date"].notna() & ~items["txn_type"].isin(_CREDITS)
    ages_by = items["due_date"].where(ages_by_due, items["txn_date"])
    overdue_days = (at.as_of_day - ages_by).dt.days.astype("int64")
    items = items.assign(overdue_days=overdue_days, bucket=bucket_of(overdue_days))
    order = ["overdue_days", "txn_type", "qbo_id"]
    return items.sort_values(order, ascending=[False, True, True])[list(COLUMNS)].reset_index(drop=True)
