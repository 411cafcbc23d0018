"""What became of bills and invoices that were open at an earlier point of view.

Belongs here: settled when, still open with how much, gone. Does not: when they were expected to be settled
(``forecast/expected_payments.py``).
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

import pandas as pd

from runway_calcs.books.as_of import AsOf
from runway_calcs.books.open_items import Side, known_documents
from runway_calcs.books.payment_history import payment_history

_TXN_TYPES: Mapping[Side, str] = {"payables": "Bill", "receivables": "Invoice"}


class FateState(StrEnum):
    """How a document stands now."""

    SETTLED = "settled"
    """Nothing is open: paid, or set against a credit."""
    OPEN = "still open"
    GONE = "no longer in the books"
    """Deleted, or voided: its amount is 0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fate:
    """What became of one document."""

    state: FateState
    settled_on: date | None
    """Date of the payment that brought the balance to 0; None unless SETTLED, and where the books do not say."""
    open_cents: int
    """Open now, in home cents; 0 unless OPEN."""


def document_fates(
    documents: pd.DataFrame, applications: pd.DataFrame, *, side: Side, ids: Collection[str], at: AsOf
) -> dict[str, Fate]:
    """The fate of each of these documents as known at a point of view, by id.

    Args:
        documents: every kept version (`books/documents`).
        applications: every kept version (`books/applications`).
        side: `payables` are bills, `receivables` invoices.
        ids: QuickBooks' ids of documents that were open earlier.
        at: the later point of view.
    """
    known = known_documents(documents[documents["txn_type"] == _TXN_TYPES[side]], applications, at=at)
    kept = known[known["total_cents"] != 0]
    is_open = dict(zip(kept["qbo_id"], kept["open_cents"], strict=True))
    history = payment_history(documents, applications, side=side, at=at)
    paid = history[history["paid_date"].notna()]
    days = dict(zip(paid["document_id"], paid["paid_date"].dt.date, strict=True))
    return {one: _fate(is_open.get(one), paid_on=days.get(one)) for one in sorted(ids)}


def _fate(open_cents: int | None, *, paid_on: date | None) -> Fate:
    if open_cents is None:
        return Fate(state=FateState.GONE, settled_on=None, open_cents=0)
    if open_cents == 0:
        return Fate(state=FateState.SETTLED, settled_on=paid_on, open_cents=0)
    return Fate(state=FateState.OPEN, settled_on=None, open_cents=int(open_cents))
