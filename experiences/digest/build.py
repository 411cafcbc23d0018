"""From calculator results to a digest document: choosing, sorting, cutting; no arithmetic beyond sums of the lists.

Belongs here: which results a digest shows and in which order.
Does not: computing them (``runway_calcs``), wording them (``wording.py``, ``sentences.py``, ``view.py``).
"""

from collections.abc import Mapping, Sequence, Set
from datetime import UTC, date, datetime, timedelta
from typing import TypeVar
from zoneinfo import ZoneInfo

import pandas as pd

from experiences.digest import document as doc
from experiences.digest.wording import plain_text
from runway_calcs.ageing import Ageing
from runway_calcs.as_of import AsOf
from runway_calcs.burn import Burn
from runway_calcs.cash import CashPosition, CashState
from runway_calcs.collection import ExpectedCollection, HabitSource
from runway_calcs.dated_flows import DISBURSEMENT_KINDS, RECEIPT_KINDS, FlowKind, ProjectedFlow
from runway_calcs.projection import CashRunway, RunwayState

WEEK_AHEAD_DAYS = 7
Row = TypeVar("Row")


def build_digest(
    *,
    tenant_name: str,
    firm_name: str,
    currency: str,
    zone: str,
    week_ending: date,
    at: AsOf,
    data_as_of: datetime,
    cash: CashPosition,
    burn: Burn,
    runway: CashRunway,
    receivables_ageing: Ageing | None,
    payables_ageing: Ageing | None,
    collections: Sequence[ExpectedCollection],
    open_receivables: pd.DataFrame,
    open_payables: pd.DataFrame,
    unreadable: Mapping[str, int],
    stale_after_days: int,
) -> doc.DigestDocument:
    """The digest of one tenant's week.

    Args:
        tenant_name: As the firm calls it.
        firm_name: The accounting firm in whose name the digest is sent.
        currency: Home currency of the books, ISO code.
        zone: The tenant's IANA zone; every business date is a date there.
        week_ending: The Friday that the digest is for.
        at: The point of view that all results share.
        data_as_of: Aware UTC instant up to which the books were read.
        cash: Cash position.
        burn: Operating burn.
        runway: Projection with its weeks and flows.
        receivables_ageing: Ageing of what customers owe; None leaves it out.
        payables_ageing: Ageing of what is owed to vendors; None leaves it out.
        collections: Expected collection of every open invoice.
        open_receivables: Open invoices and customer credits (``runway_calcs.open_items``).
        open_payables: Open bills and vendor credits (``runway_calcs.open_items``).
        unreadable: Objects that could not be read, by QBO entity.
        stale_after_days: Age in days from which the books are called old.

    Raises:
        ValueError: results of different days or points of view were handed in.
    """
    _require_one_point_of_view(at=at, cash=cash, burn=burn, runway=runway)
    until = at.as_of + timedelta(days=WEEK_AHEAD_DAYS)
    flows = [flow for flow in runway.flows if flow.day <= until]
    return doc.DigestDocument(
        schema_version=1,
        tenant_name=plain_text(tenant_name),
        firm_name=plain_text(firm_name),
        currency=currency,
        zone=zone,
        week_ending=week_ending,
        as_of=at.as_of,
        data_as_of=data_as_of.astimezone(UTC),
        stale_after_days=stale_after_days,
        books_age_days=max(0, (at.as_of - _local_date(data_as_of, zone=zone)).days),
        basis=at.basis,
        connected_on=_local_date(at.first_known_at, zone=zone),
        runway=_runway(runway),
        cash=_cash(cash),
        weeks=_weeks(runway),
        receivables=_ageing(receivables_ageing),
        payables=_ageing(payables_ageing),
        money_in=_money_in(collections=collections, flows=flows, until=until),
        money_out=_money_out(
            open_payables=open_payables,
            flows=flows,
            cash_cents=cash.cash_cents,
            until=until,
        ),
        burn=_burn(burn),
        notes=_notes(
            cash=cash,
            runway=runway,
            open_payables=open_payables,
            open_receivables=open_receivables,
            unreadable=unreadable,
        ),
    )


def _require_one_point_of_view(*, at: AsOf, cash: CashPosition, burn: Burn, runway: CashRunway) -> None:
    days = {at.as_of, cash.as_of, burn.as_of, runway.as_of}
    bases = {at.basis, cash.basis, runway.basis}
    if len(days) > 1 or len(bases) > 1:
        raise ValueError(f"A digest needs results of one point of view, got days {days} and bases {bases}")


def _local_date(instant: datetime, *, zone: str) -> date:
    return instant.astimezone(ZoneInfo(zone)).date()


def _runway(result: CashRunway) -> doc.Runway:
    burning = result.state is RunwayState.BURNING
    projected = bool(result.weeks)
    return doc.Runway(
        state=result.state,
        reason=plain_text(result.reason),
        covered_until=result.covered_until if burning else None,
        days=result.days if burning else None,
        horizon_end=result.horizon_end,
        floor_cents=result.floor_cents if projected else None,
        floor_reason=plain_text(result.floor_reason),
        low_cents=result.low_cents if projected else None,
        low_on=result.low_on if projected else None,
        basis_text=plain_text(result.basis_text),
    )


def _cash(position: CashPosition) -> doc.Cash:
    ok = position.state is CashState.OK
    accounts = [
        doc.CashAccount(name=plain_text(account.name), balance_cents=account.balance_cents)
        for account in sorted(position.accounts, key=lambda row: (-row.balance_cents, row.name, row.account_id))
    ]
    left_out = tuple(
        doc.LeftOutAccount(
            name=plain_text(account.name),
            balance_cents=account.balance_cents,
            currency=account.currency,
            reason=account.reason,
        )
        for account in position.excluded
    )
    return doc.Cash(
        state=position.state,
        reason=plain_text(position.reason),
        cash_cents=position.cash_cents if ok else None,
        accounts=_listing(accounts, cents=[account.balance_cents for account in accounts]),
        left_out=left_out[: doc.MAX_ROWS],
        left_out_count=len(left_out),
        card_owed_cents=position.card_owed_cents,
    )


def _weeks(result: CashRunway) -> tuple[doc.Week, ...]:
    return tuple(
        doc.Week(
            first_day=week.first_day,
            last_day=week.last_day,
            opening_cents=week.opening_cents,
            receipts_cents=week.receipts_cents,
            disbursements_cents=week.disbursements_cents,
            closing_cents=week.closing_cents,
        )
        for week in result.weeks
    )


def _ageing(result: Ageing | None) -> doc.Ageing | None:
    if result is None:
        return None
    return doc.Ageing(bucket_cents=result.bucket_cents, total_cents=result.total_cents)


def _burn(result: Burn) -> doc.Burn:
    return doc.Burn(
        state=result.state,
        reason=plain_text(result.reason),
        gross_per_day_cents=result.gross_per_day_cents,
        net_per_day_cents=result.net_per_day_cents,
        buffer_days=result.buffer_days,
        one_off_count=len(result.one_offs),
        one_off_cents=sum(one_off.amount_cents for one_off in result.one_offs),
    )


def _money_in(
    *,
    collections: Sequence[ExpectedCollection],
    flows: Sequence[ProjectedFlow],
    until: date,
) -> doc.MoneyIn:
    projected = _sum_by_document(flows, kind=FlowKind.INVOICE)
    expected = [
        _invoice_line(row, amount_cents=projected[row.invoice_id]) for row in collections if row.invoice_id in projected
    ]
    overdue = [_invoice_line(row, amount_cents=row.open_cents) for row in collections if row.overdue_days > 0]
    other = _flow_lines(flows, kinds=set(RECEIPT_KINDS) - {FlowKind.INVOICE}, sign=1)
    expected.sort(key=lambda line: (line.expected_on, -line.amount_cents, line.customer, line.doc_number))
    overdue.sort(key=lambda line: (-line.amount_cents, line.due_date, line.customer, line.doc_number))
    return doc.MoneyIn(
        until=until,
        expected=_listing(expected, cents=[line.amount_cents for line in expected]),
        other=_listing(other, cents=[line.amount_cents for line in other]),
        overdue=_listing(overdue, cents=[line.amount_cents for line in overdue]),
    )


def _invoice_line(row: ExpectedCollection, *, amount_cents: int) -> doc.InvoiceLine:
    own_habit = row.source is HabitSource.CUSTOMER
    return doc.InvoiceLine(
        customer=plain_text(row.party_name),
        doc_number=plain_text(row.doc_number),
        due_date=row.due_date,
        expected_on=row.expected_on,
        amount_cents=amount_cents,
        open_cents=row.open_cents,
        overdue_days=max(0, row.overdue_days),
        usual_days_late=row.usual_days_late if own_habit else None,
    )


def _money_out(
    *,
    open_payables: pd.DataFrame,
    flows: Sequence[ProjectedFlow],
    cash_cents: int | None,
    until: date,
) -> doc.MoneyOut:
    projected = _sum_by_document(flows, kind=FlowKind.BILL)
    bills = open_payables[open_payables["txn_type"] == "Bill"]
    planned = bills[bills["qbo_id"].isin(list(projected))]
    lines = _bill_lines(planned, paid_cents={bill: -cents for bill, cents in projected.items()})
    overdue = [line for line in lines if line.overdue_days > 0]
    due = [line for line in lines if line.overdue_days == 0]
    overdue.sort(key=lambda line: (-line.amount_cents, -line.overdue_days, line.vendor, line.doc_number))
    due.sort(key=lambda line: (line.due_date or date.max, -line.amount_cents, line.vendor, line.doc_number))
    other = _flow_lines(flows, kinds=set(DISBURSEMENT_KINDS) - {FlowKind.BILL}, sign=-1)
    total = sum(line.amount_cents for line in lines) + sum(line.amount_cents for line in other)
    return doc.MoneyOut(
        until=until,
        overdue=_listing(overdue, cents=[line.amount_cents for line in overdue]),
        due=_listing(due, cents=[line.amount_cents for line in due]),
        other=_listing(other, cents=[line.amount_cents for line in other]),
        total_cents=total,
        cash_after_cents=None if cash_cents is None else cash_cents - total,
    )


def _bill_lines(bills: pd.DataFrame, *, paid_cents: Mapping[str, int]) -> list[doc.BillLine]:
    """The bills as lines, each with what of it is paid."""
    columns = ("qbo_id", "party_name", "doc_number", "due_date", "open_cents", "overdue_days")
    return [
        doc.BillLine(
            vendor=plain_text(str(vendor)),
            doc_number=plain_text(str(doc_number)),
            due_date=None if pd.isna(due_date) else due_date.date(),
            amount_cents=paid_cents[bill_id],
            open_cents=int(open_cents),
            overdue_days=max(0, int(overdue_days)),
        )
        for bill_id, vendor, doc_number, due_date, open_cents, overdue_days in zip(
            *(bills[column] for column in columns), strict=True
        )
    ]


def _flow_lines(flows: Sequence[ProjectedFlow], *, kinds: Set[FlowKind], sign: int) -> list[doc.FlowLine]:
    lines = [
        doc.FlowLine(label=plain_text(flow.label), kind=flow.kind, day=flow.day, amount_cents=sign * flow.amount_cents)
        for flow in flows
        if flow.kind in kinds
    ]
    return sorted(lines, key=lambda line: (line.day, -line.amount_cents, line.kind, line.label))


def _sum_by_document(flows: Sequence[ProjectedFlow], *, kind: FlowKind) -> dict[str, int]:
    """Projected cents of each document: one that is settled in parts has several flows."""
    sums: dict[str, int] = {}
    for flow in flows:
        if flow.kind == kind:
            sums[flow.txn_id] = sums.get(flow.txn_id, 0) + flow.amount_cents
    return sums


def _notes(
    *,
    cash: CashPosition,
    runway: CashRunway,
    open_payables: pd.DataFrame,
    open_receivables: pd.DataFrame,
    unreadable: Mapping[str, int],
) -> tuple[doc.DataNote, ...]:
    notes = [
        doc.DataNote(kind=doc.NoteKind.UNREADABLE, entity=entity, count=unreadable[entity], amount_cents=0)
        for entity in sorted(unreadable)
    ]
    for kind, entity, items in (
        (doc.NoteKind.BILLS_WITHOUT_DUE_DATE, "Bill", open_payables),
        (doc.NoteKind.INVOICES_WITHOUT_DUE_DATE, "Invoice", open_receivables),
    ):
        undated = items.loc[items["due_date"].isna() & (items["txn_type"] == entity), "open_cents"]
        notes.append(doc.DataNote(kind=kind, entity=entity, count=len(undated), amount_cents=int(undated.sum())))
    for kind, amount in (
        (doc.NoteKind.DATED_LATER, cash.dated_later_cents),
        (doc.NoteKind.UNUSED_VENDOR_CREDIT, runway.unused_vendor_credit_cents),
        (doc.NoteKind.UNUSED_CUSTOMER_CREDIT, runway.unused_customer_credit_cents),
    ):
        notes.append(doc.DataNote(kind=kind, entity="", count=0, amount_cents=amount))
    return tuple(note for note in notes if note.count or note.amount_cents)


def _listing(rows: Sequence[Row], *, cents: Sequence[int]) -> doc.Listing[Row]:
    return doc.Listing(rows=tuple(rows[: doc.MAX_ROWS]), count=len(rows), total_cents=sum(cents))
