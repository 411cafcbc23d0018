"""When each open document is expected to be paid: a median day, a range, the reason, and how sure it is.

Belongs here: the forecast's own days of open bills and invoices, told document by document.
Does not: the estimate (``payment_timing.py``), whom to contact or to pay (priorities).
"""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd

from runway_calcs.books.open_items import Side
from runway_calcs.forecast.current import Forecasting
from runway_calcs.forecast.dated_items import Dating
from runway_calcs.forecast.figures import ExpectedItem
from runway_calcs.forecast.prepared import Timing

_OWN_ENOUGH = 3
"""From so many paid documents on a party has a habit of its own."""
_PPM = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedPayment:
    """One open bill or invoice and the days on which it is expected to reach the cash."""

    side: Side
    txn_type: str
    txn_id: str
    doc_number: str
    party_id: str
    party_name: str
    due_date: date | None
    open_cents: int
    """Balance in the books."""
    counted_cents: int
    """What of it the forecast counts: less open credits of the party, and less what goes by card or through an account that is
    not cash."""
    overdue_days: int
    """Days past the date it ages by; negative before it."""
    expected_on: date
    """Median; beyond the horizon it is the day after its end."""
    p10_on: date
    p90_on: date
    within_week_ppm: int
    """Probability, in millionths, that it comes within the next seven days."""
    usual_days_late: int | None
    """The party's own median lateness, negative for payers before the due date; None with too few paid documents."""
    confidence_ppm: int
    """How sure the estimate is, in millionths of certain: 0 knows payers in general only."""
    reason: str
    """For a reader: "usually 9 days late over 14 documents, now 21", or whose word stands in its place."""


def expected_payments(base: Forecasting) -> tuple[ExpectedPayment, ...]:
    """Every open bill and invoice that the forecast counts, receivables first, by expected day, party and id.

    A document that is paid in parts (a decision on some of it) has a row for each part. Nothing without a forecast.
    """
    found = [
        *_of_side(base, side="receivables", txn_type="Invoice", dating=Dating.CUSTOMER),
        *_of_side(base, side="payables", txn_type="Bill", dating=Dating.VENDOR),
    ]
    return tuple(found)


def _of_side(base: Forecasting, *, side: Side, txn_type: str, dating: Dating) -> list[ExpectedPayment]:
    frame = base.books.receivables if side == "receivables" else base.books.payables
    rows = {str(row["qbo_id"]): row for row in frame[frame["txn_type"] == txn_type].to_dict("records")}
    timing = base.prepared.timing[dating]
    explained = timing.model.explain(timing.open_documents)
    columns = explained["confidence"], explained["reason"]
    told = {str(i): (float(sure), str(why)) for i, sure, why in zip(explained.index, *columns, strict=True)}
    ids = {item.item_id: item for item in base.prepared.items}
    found = []
    for item in base.forecast.items:
        row = rows.get(item.txn_id)
        if item.txn_type != txn_type or row is None:
            continue
        is_estimate = ids[item.item_id].dating is dating
        confidence, reason = told[item.txn_id] if is_estimate else (1.0, item.reason)
        until = ids[item.item_id].not_before
        if is_estimate and until is not None:
            reason = f"{reason}; put off until {until}"
        found.append(
            _payment(
                item,
                row,
                side=side,
                usual=_usual(timing, party_id=str(row["party_id"]), has_due=bool(pd.notna(row["due_date"]))),
                confidence=confidence,
                reason=reason,
            )
        )
    return sorted(found, key=lambda one: (one.expected_on, one.party_name, one.txn_id, one.counted_cents))


def _payment(
    item: ExpectedItem, row: Mapping[Hashable, Any], *, side: Side, usual: int | None, confidence: float, reason: str
) -> ExpectedPayment:
    return ExpectedPayment(
        side=side,
        txn_type=item.txn_type,
        txn_id=item.txn_id,
        doc_number=item.doc_number,
        party_id=str(row["party_id"]),
        party_name=str(row["party_name"]),
        due_date=None if pd.isna(row["due_date"]) else row["due_date"].date(),
        open_cents=int(row["open_cents"]),
        counted_cents=abs(item.amount_cents),
        overdue_days=int(row["overdue_days"]),
        expected_on=item.expected_on,
        p10_on=item.p10_on,
        p90_on=item.p90_on,
        within_week_ppm=item.within_week_ppm,
        usual_days_late=usual,
        confidence_ppm=round(confidence * _PPM),
        reason=reason,
    )


def _usual(timing: Timing, *, party_id: str, has_due: bool) -> int | None:
    """The party's own median lateness; of documents without a due date there is none."""
    habit = timing.model.past.own.get((party_id, True))
    return habit.after_anchor if has_due and habit is not None and habit.paid >= _OWN_ENOUGH else None
