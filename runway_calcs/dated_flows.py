"""Dated flows: what the books and the recurring outflows say will move the cash, one amount on one day each.

Belongs here: open items, expected collections, recurring outflows, card balances, undeposited funds and post-dated
entries as flows, each money amount once.
Does not: balances, weeks and the runway (``runway_calcs/projection.py``); new business of any kind.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum

import pandas as pd

from runway_calcs.calendar_months import months_later
from runway_calcs.cash import CardAccount, CashPosition
from runway_calcs.collection import ExpectedCollection
from runway_calcs.movements import Kind
from runway_calcs.policy import ProjectionPolicy
from runway_calcs.recurring import RecurringFlow


class FlowKind(StrEnum):
    """What a projected flow is; receipts first."""

    INVOICE = "open invoice"
    UNDEPOSITED = "undeposited funds"
    POST_DATED_RECEIPT = "post-dated receipt"
    PAYROLL = "payroll"
    TAX = "tax"
    BILL = "open bill"
    CARD = "card payment"
    RECURRING = "recurring"
    POST_DATED_PAYMENT = "post-dated payment"


RECEIPT_KINDS = (FlowKind.INVOICE, FlowKind.UNDEPOSITED, FlowKind.POST_DATED_RECEIPT)
DISBURSEMENT_KINDS = (
    FlowKind.PAYROLL,
    FlowKind.TAX,
    FlowKind.BILL,
    FlowKind.CARD,
    FlowKind.RECURRING,
    FlowKind.POST_DATED_PAYMENT,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectedFlow:
    """One dated amount of the projection and where it comes from."""

    day: date
    amount_cents: int
    """In positive, out negative."""
    kind: FlowKind
    label: str
    """Party, account or series."""
    txn_type: str
    """QBO kind of the document behind it; empty for recurring flows and balances."""
    txn_id: str
    doc_number: str
    reason: str
    """Why this day and amount."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DatedFlows:
    """All known flows after the as-of day, and what the projection needs to know about them."""

    flows: tuple[ProjectedFlow, ...]
    """By day, kind, label and document; beyond the horizon too where a document says so."""
    next_payroll_on: date | None
    """First expected payroll, whether or not its payment is entered already."""
    next_payroll_cents: int
    """Positive; 0 without a recognised payroll."""
    unused_vendor_credit_cents: int
    unused_customer_credit_cents: int


_FLOW_OF_KIND = {Kind.PAYROLL: FlowKind.PAYROLL, Kind.TAX: FlowKind.TAX, Kind.CARD_PAYMENT: FlowKind.CARD}
_KIND_ORDER = {kind: number for number, kind in enumerate(FlowKind)}


def dated_flows(
    *,
    position: CashPosition,
    payables: pd.DataFrame,
    receivables: pd.DataFrame,
    collections: Sequence[ExpectedCollection],
    recurring: Sequence[RecurringFlow],
    movements: pd.DataFrame,
    policy: ProjectionPolicy,
) -> DatedFlows:
    """Every amount that the books date after the as-of day, once.

    Open bills count on their due date, overdue ones on the next day; open invoices on their expected date. Credits
    reduce the earliest items of the same party; what they exceed is no flow. A recurring outflow gives way to an open
    bill or a post-dated payment of the same series with about its amount and date. A card balance that no recurring
    payment covers is paid at the next card payment.
    """
    next_day = position.as_of + timedelta(days=1)
    bills = _bill_flows(payables, next_day=next_day)
    invoices = [_invoice_flow(item) for item in collections]
    vendor_credits, customer_credits = _credits(payables), _credits(receivables)
    post_dated = movements[movements["date"] > pd.Timestamp(position.as_of)]
    documents = [*_bill_documents(payables), *_payment_documents(post_dated)]
    flows = [
        *_less_credits(bills, vendor_credits),
        *_less_credits(invoices, customer_credits),
        *_recurring_flows(recurring, documents=documents, next_day=next_day, policy=policy),
        *_card_flows(position, recurring=recurring, movements=movements, policy=policy),
        *_undeposited_flows(position, policy=policy),
        *_post_dated_flows(post_dated),
    ]
    payroll_on, payroll_cents = _next_payroll(recurring)
    return DatedFlows(
        flows=tuple(sorted(flows, key=_order)),
        next_payroll_on=payroll_on,
        next_payroll_cents=payroll_cents,
        unused_vendor_credit_cents=_unused(vendor_credits, bills),
        unused_customer_credit_cents=_unused(customer_credits, invoices),
    )


def _order(flow: ProjectedFlow) -> tuple[date, int, str, str, str, int]:
    return (flow.day, _KIND_ORDER[flow.kind], flow.label, flow.txn_type, flow.txn_id, flow.amount_cents)


@dataclass(frozen=True, slots=True, kw_only=True)
class _PartyFlow:
    """A flow of a party that may hold credits."""

    party_id: str
    flow: ProjectedFlow


def _bill_flows(payables: pd.DataFrame, *, next_day: date) -> list[_PartyFlow]:
    bills = payables[payables["open_cents"] > 0]
    due_dates = bills["due_date"].where(bills["due_date"].notna(), bills["txn_date"]).dt.date
    columns = ["party_id", "party_name", "txn_type", "qbo_id", "doc_number", "open_cents"]
    rows = bills[columns].itertuples(index=False, name=None)
    return [
        _PartyFlow(
            party_id=party_id,
            flow=ProjectedFlow(
                day=max(due, next_day),
                amount_cents=-int(cents),
                kind=FlowKind.BILL,
                label=party_name,
                txn_type=txn_type,
                txn_id=qbo_id,
                doc_number=doc_number,
                reason=f"due {due}" if due >= next_day else f"was due {due}, counted on the next day",
            ),
        )
        for due, (party_id, party_name, txn_type, qbo_id, doc_number, cents) in zip(due_dates, rows, strict=True)
    ]


def _invoice_flow(item: ExpectedCollection) -> _PartyFlow:
    return _PartyFlow(
        party_id=item.party_id,
        flow=ProjectedFlow(
            day=item.expected_on,
            amount_cents=item.open_cents,
            kind=FlowKind.INVOICE,
            label=item.party_name,
            txn_type="Invoice",
            txn_id=item.invoice_id,
            doc_number=item.doc_number,
            reason=f"due {item.due_date}, {item.reason}",
        ),
    )


def _credits(open_items: pd.DataFrame) -> dict[str, int]:
    """Open credit of each party, positive."""
    credits_ = open_items[open_items["open_cents"] < 0].groupby("party_id")["open_cents"].sum()
    return {str(party_id): -int(cents) for party_id, cents in credits_.items()}


def _less_credits(items: Iterable[_PartyFlow], credits_: Mapping[str, int]) -> list[ProjectedFlow]:
    """The flows after each party's credit has settled its earliest ones."""
    left = dict(credits_)
    flows = []
    for item in sorted(items, key=lambda item: _order(item.flow)):
        flow = item.flow
        used = min(left.get(item.party_id, 0), abs(flow.amount_cents))
        if used:
            left[item.party_id] -= used
            rest = flow.amount_cents - used if flow.amount_cents > 0 else flow.amount_cents + used
            flow = replace(flow, amount_cents=rest, reason=f"{flow.reason}, less open credit")
        if flow.amount_cents:
            flows.append(flow)
    return flows


def _unused(credits_: Mapping[str, int], items: Iterable[_PartyFlow]) -> int:
    left = dict(credits_)
    for item in items:
        left[item.party_id] = left.get(item.party_id, 0) - abs(item.flow.amount_cents)
    return sum(cents for cents in left.values() if cents > 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Document:
    """Something entered that may stand for one expected payment of a series."""

    key: tuple[str, str]
    stream: str
    """Series of a payment; empty for bills, which are matched by vendor."""
    vendor_id: str
    day: date
    amount_cents: int
    """Positive; the total of a bill, since a part may be paid already."""


def _bill_documents(payables: pd.DataFrame) -> list[_Document]:
    bills = payables[payables["txn_type"] == "Bill"]
    due_dates = bills["due_date"].where(bills["due_date"].notna(), bills["txn_date"]).dt.date
    rows = bills[["qbo_id", "party_id", "total_cents"]].itertuples(index=False, name=None)
    return [
        _Document(key=("Bill", qbo_id), stream="", vendor_id=party_id, day=due, amount_cents=int(cents))
        for due, (qbo_id, party_id, cents) in zip(due_dates, rows, strict=True)
    ]


def _payment_documents(post_dated: pd.DataFrame) -> list[_Document]:
    paid = post_dated[post_dated["amount_cents"] < 0]
    rows = paid[["txn_type", "txn_id", "stream", "amount_cents"]].itertuples(index=False, name=None)
    return [
        _Document(key=(txn_type, txn_id), stream=stream, vendor_id="", day=day, amount_cents=-int(cents))
        for day, (txn_type, txn_id, stream, cents) in zip(paid["date"].dt.date, rows, strict=True)
    ]


def _recurring_flows(
    recurring: Sequence[RecurringFlow], *, documents: Sequence[_Document], next_day: date, policy: ProjectionPolicy
) -> list[ProjectedFlow]:
    """The expected payments that no document stands for yet; late ones count on the next day."""
    taken: set[tuple[str, str]] = set()
    flows: list[ProjectedFlow] = []
    for series in recurring:
        matched = _matched_days(series, documents=documents, taken=taken, policy=policy)
        flows.extend(
            ProjectedFlow(
                day=max(day, next_day),
                amount_cents=-series.amount_cents,
                kind=_FLOW_OF_KIND.get(Kind(series.kind), FlowKind.RECURRING),
                label=series.label,
                txn_type="",
                txn_id="",
                doc_number="",
                reason=series.reason,
            )
            for day in series.next_dates
            if day not in matched
        )
    return flows


def _matched_days(
    series: RecurringFlow,
    *,
    documents: Sequence[_Document],
    taken: set[tuple[str, str]],
    policy: ProjectionPolicy,
) -> set[date]:
    """The expected days for which a document stands; nearest pairs first, a document once (added to `taken`)."""
    vendor_id = series.party_id if series.party_type == "Vendor" else ""
    candidates = [
        document
        for document in documents
        if (document.stream == series.stream if document.stream else document.vendor_id == vendor_id != "")
        and abs(document.amount_cents - series.amount_cents) * 100 <= series.amount_cents * policy.match_percent
    ]
    pairs = sorted(
        (abs((document.day - day).days), day, document.key) for document in candidates for day in series.next_dates
    )
    matched: set[date] = set()
    for distance, day, key in pairs:
        if distance <= policy.match_days and day not in matched and key not in taken:
            matched.add(day)
            taken.add(key)
    return matched


def _card_flows(
    position: CashPosition, *, recurring: Sequence[RecurringFlow], movements: pd.DataFrame, policy: ProjectionPolicy
) -> list[ProjectedFlow]:
    """The balance owed on each card that no recurring payment covers, less payments entered for later."""
    payments = movements[(movements["kind"] == Kind.CARD_PAYMENT) & (movements["amount_cents"] < 0)]
    covered = {
        account_id
        for series in recurring
        if series.kind == Kind.CARD_PAYMENT
        for account_id in series.counter_account_ids.split(";")
    }
    flows = []
    for card in position.cards:
        of_card = payments[
            (";" + payments["counter_account_ids"] + ";").str.contains(f";{card.account_id};", regex=False)
        ]
        is_later = of_card["date"] > pd.Timestamp(position.as_of)
        owed = card.owed_cents + int(of_card.loc[is_later, "amount_cents"].sum())
        if owed > 0 and card.account_id not in covered:
            paid_on = sorted(of_card.loc[~is_later, "date"].dt.date)
            last = paid_on[-1] if paid_on else None
            flows.append(_card_flow(card, owed_cents=owed, last=last, as_of=position.as_of, policy=policy))
    return flows


def _card_flow(
    card: CardAccount, *, owed_cents: int, last: date | None, as_of: date, policy: ProjectionPolicy
) -> ProjectedFlow:
    if last is None:
        day = as_of + timedelta(days=policy.card_payment_days)
        reason = f"balance owed, never paid before: {policy.card_payment_days} days from the as-of day"
    else:
        months = 1
        while (day := months_later(last, months=months)) <= as_of:
            months += 1
        reason = f"balance owed, last paid {last}: the same day of the next month"
    return ProjectedFlow(
        day=day,
        amount_cents=-owed_cents,
        kind=FlowKind.CARD,
        label=card.name,
        txn_type="",
        txn_id="",
        doc_number="",
        reason=reason,
    )


def _undeposited_flows(position: CashPosition, *, policy: ProjectionPolicy) -> list[ProjectedFlow]:
    if position.undeposited_cents <= 0:
        return []
    return [
        ProjectedFlow(
            day=position.as_of + timedelta(days=policy.undeposited_days),
            amount_cents=position.undeposited_cents,
            kind=FlowKind.UNDEPOSITED,
            label="Undeposited funds",
            txn_type="",
            txn_id="",
            doc_number="",
            reason=f"received, taken to reach the bank {policy.undeposited_days} days from the as-of day",
        )
    ]


def _post_dated_flows(post_dated: pd.DataFrame) -> list[ProjectedFlow]:
    columns = ["label", "txn_type", "txn_id", "doc_number", "amount_cents"]
    rows = post_dated[columns].itertuples(index=False, name=None)
    return [
        ProjectedFlow(
            day=day,
            amount_cents=int(cents),
            kind=FlowKind.POST_DATED_RECEIPT if cents > 0 else FlowKind.POST_DATED_PAYMENT,
            label=label,
            txn_type=txn_type,
            txn_id=txn_id,
            doc_number=doc_number,
            reason="entered with this date",
        )
        for day, (label, txn_type, txn_id, doc_number, cents) in zip(post_dated["date"].dt.date, rows, strict=True)
    ]


def _next_payroll(recurring: Sequence[RecurringFlow]) -> tuple[date | None, int]:
    """The first expected payday and what all payroll series pay on it."""
    payrolls = [series for series in recurring if series.kind == Kind.PAYROLL]
    first = min((series.next_dates[0] for series in payrolls), default=None)
    return first, sum(series.amount_cents for series in payrolls if series.next_dates[0] == first)
