"""When open invoices are expected to be paid, from each customer's own past.

Belongs here: lateness of paid invoices and the expected date of each open one, with its reason.
Does not: ranking whom to contact; probabilities (the forecast proper).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

import pandas as pd

from runway_calcs.as_of import DOCUMENT_KEY, AsOf, select_known
from runway_calcs.cents import median_half_up
from runway_calcs.open_items import known_documents
from runway_calcs.policy import CollectionPolicy


class HabitSource(StrEnum):
    """Whose paid invoices the usual lateness comes from."""

    CUSTOMER = "customer"
    TENANT = "tenant"
    """All customers together: this one has too few paid invoices."""
    NONE = "none"
    """Too few paid invoices in all: the due date stands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedCollection:
    """The day on which an open invoice is expected to be paid, and why."""

    invoice_id: str
    doc_number: str
    party_id: str
    party_name: str
    due_date: date
    """The invoice's own date when it has no due date."""
    open_cents: int
    overdue_days: int
    """Negative before the due date."""
    expected_on: date
    """Always after the as-of day."""
    usual_days_late: int
    """Median lateness of the source, negative for payers before the due date; 0 without a source."""
    paid_invoices: int
    """How many paid invoices the source has."""
    source: HabitSource
    is_later_than_usual: bool
    """The usual day has passed, so the date is conditional on the age of today."""
    reason: str
    """For a reader: "usually 9 days late, now 21"."""
    rule: str
    """How the day was found: "paid invoices this late took 30 days, 4 of them"."""


def expected_collections(
    documents: pd.DataFrame, applications: pd.DataFrame, *, at: AsOf, policy: CollectionPolicy
) -> tuple[ExpectedCollection, ...]:
    """The expected date of every open invoice, by date, customer and id.

    Due date + the usual lateness of the customer (of all customers while it has too few paid invoices). When that day
    has passed, the date is conditional on the age of today: the median of the paid invoices that were later than this
    one is now, the customer's own before everybody's; where none ever was, the invoice takes as long again as it is
    late already, or the policy's least wait if that is longer.
    """
    invoices = known_documents(documents[documents["txn_type"] == "Invoice"], applications, at=at)
    invoices = invoices.assign(due=invoices["due_date"].where(invoices["due_date"].notna(), invoices["txn_date"]))
    paid = _paid_lateness(invoices, applications, at=at, policy=policy)
    by_customer = {
        str(party): sorted(int(days) for days in rows) for party, rows in paid.groupby("party_id")["lateness_days"]
    }
    everybody = sorted(int(days) for days in paid["lateness_days"])
    expected = [
        _expectation(invoice, as_of=at.as_of, by_customer=by_customer, everybody=everybody, policy=policy)
        for invoice in _open_invoices(invoices)
    ]
    return tuple(sorted(expected, key=lambda item: (item.expected_on, item.party_name, item.invoice_id)))


def _paid_lateness(
    invoices: pd.DataFrame, applications: pd.DataFrame, *, at: AsOf, policy: CollectionPolicy
) -> pd.DataFrame:
    """`lateness_days` of each invoice that was fully paid: from its due date to its last payment."""
    applied = select_known(applications, known_until=at.known_until, first_known_at=at.first_known_at, key=DOCUMENT_KEY)
    last_payment = applied[applied["target_type"] == "Invoice"].groupby("target_id")["txn_date"].max()
    settled = invoices[(invoices["open_cents"] == 0) & (invoices["total_cents"] > 0)]
    paid_on = last_payment.reindex(settled["qbo_id"]).set_axis(settled.index)
    first_day = at.as_of_day - pd.Timedelta(days=policy.lookback_days)
    is_recent = paid_on.notna() & (paid_on >= first_day)
    recent = settled[is_recent]
    return recent.assign(lateness_days=(paid_on[is_recent] - recent["due"]).dt.days.astype("int64"))


@dataclass(frozen=True, slots=True, kw_only=True)
class _OpenInvoice:
    """One open row of the known invoices, typed."""

    qbo_id: str
    doc_number: str
    party_id: str
    party_name: str
    due: date
    open_cents: int


def _open_invoices(invoices: pd.DataFrame) -> list[_OpenInvoice]:
    rows = invoices[invoices["open_cents"] > 0]
    columns = [rows["qbo_id"], rows["doc_number"], rows["party_id"], rows["party_name"], rows["due"].dt.date]
    return [
        _OpenInvoice(
            qbo_id=qbo_id,
            doc_number=doc_number,
            party_id=party_id,
            party_name=party_name,
            due=due,
            open_cents=int(cents),
        )
        for qbo_id, doc_number, party_id, party_name, due, cents in zip(*columns, rows["open_cents"], strict=True)
    ]


def _expectation(
    invoice: _OpenInvoice,
    *,
    as_of: date,
    by_customer: Mapping[str, Sequence[int]],
    everybody: Sequence[int],
    policy: CollectionPolicy,
) -> ExpectedCollection:
    own = by_customer.get(invoice.party_id, ())
    source: HabitSource = HabitSource.NONE
    sample: Sequence[int] = ()
    if len(own) >= policy.min_paid_invoices:
        source, sample = HabitSource.CUSTOMER, own
    elif len(everybody) >= policy.min_paid_invoices:
        source, sample = HabitSource.TENANT, everybody
    usual = median_half_up(sample) if sample else 0
    overdue = (as_of - invoice.due).days
    is_late = overdue >= usual
    lateness, rule = usual, "due date + usual lateness" if sample else "due date"
    if is_late:
        lateness, rule = _lateness_from_now(overdue, own=own, everybody=everybody, policy=policy)
    return ExpectedCollection(
        invoice_id=invoice.qbo_id,
        doc_number=invoice.doc_number,
        party_id=invoice.party_id,
        party_name=invoice.party_name,
        due_date=invoice.due,
        open_cents=invoice.open_cents,
        overdue_days=overdue,
        expected_on=invoice.due + timedelta(days=lateness),
        usual_days_late=usual,
        paid_invoices=len(sample),
        source=source,
        is_later_than_usual=is_late,
        reason=_habit(usual, source=source) + _now(overdue, is_late=is_late),
        rule=rule,
    )


def _lateness_from_now(
    overdue: int, *, own: Sequence[int], everybody: Sequence[int], policy: CollectionPolicy
) -> tuple[int, str]:
    """The lateness to expect of an invoice that is `overdue` days late (negative: before its due date) and unpaid."""
    for sample, whose in ((own, "this customer's"), (everybody, "all customers'")):
        later = [days for days in sample if days > overdue]
        if later:
            return median_half_up(later), f"median of {whose} {len(later)} paid invoices that were later than this"
    wait = max(policy.unseen_wait_days, overdue)
    return overdue + wait, f"later than any paid invoice: {wait} more days, as long again or the least wait"


def _habit(usual: int, *, source: HabitSource) -> str:
    if source is HabitSource.NONE:
        return "payment habit not known"
    who = "usually" if source is HabitSource.CUSTOMER else "customers usually"
    if usual == 0:
        return f"{who} on the due date"
    return f"{who} {_days(abs(usual))} {'late' if usual > 0 else 'early'}"


def _now(overdue: int, *, is_late: bool) -> str:
    if not is_late:
        return ""
    if overdue > 0:
        return f", now {overdue}"
    return ", not paid yet"


def _days(count: int) -> str:
    return "1 day" if count == 1 else f"{count} days"
