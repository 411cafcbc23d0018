"""From calculator results to a digest document: choosing, sorting, cutting; no arithmetic beyond sums of the lists.

Belongs here: which results a digest shows and in which order.
Does not: computing them (``runway_calcs``), wording them (``wording.py``, ``sentences.py``, ``view.py``).
"""

from collections.abc import Hashable, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd

from experiences.digest import document as doc
from experiences.digest.comparison import Estimate
from experiences.digest.forecast_facts import change_facts, last_forecast_facts, runway_facts, week_ahead, week_facts
from experiences.digest.listing import FEW_ROWS, listing
from experiences.digest.payment_workflow import PaymentWorkflow
from experiences.digest.priorities import Collection, Plan
from experiences.digest.priority_facts import collection_facts, data_to_fix, plan_facts
from experiences.digest.wording import plain_text
from runway_calcs.bills.priority import BillPriority
from runway_calcs.books.ageing import Ageing
from runway_calcs.books.as_of import AsOf
from runway_calcs.books.burn import Burn
from runway_calcs.books.cash import CashPosition, CashState
from runway_calcs.collection.priority import CollectionPriority
from runway_calcs.flow_kinds import DISBURSEMENT_KINDS, RECEIPT_KINDS, FlowKind
from runway_calcs.forecast.change import ForecastChange
from runway_calcs.forecast.expected_payments import ExpectedPayment
from runway_calcs.forecast.figures import CashForecast, ExpectedItem
from runway_calcs.forecast.score import ForecastScore
from runway_calcs.hygiene.defects import Defect
from runway_calcs.pay_plan.plan import PayPlan

WEEK_AHEAD_DAYS = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Priorities:
    """What the priorities, the plan and the hygiene of the week say."""

    collections: CollectionPriority
    bills: Sequence[BillPriority]
    plan: PayPlan | None
    defects: Sequence[Defect]
    """In the tray's order, without what a person has set aside."""
    set_aside: int
    score: int | None


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
    forecast: CashForecast,
    change: ForecastChange,
    score: ForecastScore,
    receivables_ageing: Ageing | None,
    payables_ageing: Ageing | None,
    payments: Sequence[ExpectedPayment],
    open_receivables: pd.DataFrame,
    open_payables: pd.DataFrame,
    priorities: Priorities,
    unreadable: Mapping[str, int],
    stale_after_days: int,
    workflow: PaymentWorkflow | None = None,
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
        forecast: The forecast with its weeks and items.
        change: What changed since the last forecast.
        score: The last forecast against what happened.
        receivables_ageing: Ageing of what customers owe; None leaves it out.
        payables_ageing: Ageing of what is owed to vendors; None leaves it out.
        payments: Expected payment of every open invoice and bill.
        open_receivables: Open invoices and customer credits (``runway_calcs.books.open_items``).
        open_payables: Open bills and vendor credits (``runway_calcs.books.open_items``).
        priorities: Contacts, bills, plan and defects of the same week.
        unreadable: Objects that could not be read, by QBO entity.
        stale_after_days: Age in days from which the books are called old.
        workflow: The payment ledger as the week knew it; None before it took in any books.

    Raises:
        ValueError: results of different days or points of view were handed in.
    """
    _require_one_point_of_view(at=at, cash=cash, burn=burn, forecast=forecast)
    until = at.as_of + timedelta(days=WEEK_AHEAD_DAYS)
    received, paid = week_ahead(forecast)
    return doc.DigestDocument(
        schema_version=4,
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
        runway=runway_facts(forecast),
        cash=_cash(cash),
        weeks=week_facts(forecast),
        change=change_facts(change),
        last_forecast=last_forecast_facts(score),
        receivables=_ageing(receivables_ageing),
        payables=_ageing(payables_ageing),
        money_in=_money_in(
            payments=payments,
            open_receivables=open_receivables,
            items=forecast.items,
            until=until,
            estimate=received,
            collection=collection_facts(priorities.collections),
        ),
        money_out=_money_out(
            payments=payments,
            open_payables=open_payables,
            items=forecast.items,
            cash_cents=cash.cash_cents,
            until=until,
            estimate=paid,
            plan=plan_facts(
                priorities.plan,
                bills=priorities.bills,
                payments=payments,
                doc_numbers=_doc_numbers(open_payables),
                until=until,
            ),
        ),
        burn=_burn(burn),
        data_to_fix=data_to_fix(priorities.defects, score=priorities.score, set_aside=priorities.set_aside),
        notes=_notes(
            cash=cash,
            forecast=forecast,
            open_payables=open_payables,
            open_receivables=open_receivables,
            unreadable=unreadable,
        ),
        workflow=workflow,
    )


def _require_one_point_of_view(*, at: AsOf, cash: CashPosition, burn: Burn, forecast: CashForecast) -> None:
    days = {at.as_of, cash.as_of, burn.as_of, forecast.as_of}
    bases = {at.basis, cash.basis, forecast.basis}
    if len(days) > 1 or len(bases) > 1:
        raise ValueError(f"A digest needs results of one point of view, got days {days} and bases {bases}")


def _local_date(instant: datetime, *, zone: str) -> date:
    return instant.astimezone(ZoneInfo(zone)).date()


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
        accounts=listing(accounts, cents=[account.balance_cents for account in accounts]),
        left_out=left_out[:FEW_ROWS],
        left_out_count=len(left_out),
        card_owed_cents=position.card_owed_cents,
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
        in_cents=sum(week.in_cents for week in result.weeks) if result.weeks else None,
        out_cents=sum(week.out_cents for week in result.weeks) if result.weeks else None,
    )


def _money_in(
    *,
    payments: Sequence[ExpectedPayment],
    open_receivables: pd.DataFrame,
    items: Sequence[ExpectedItem],
    until: date,
    estimate: Estimate | None,
    collection: Collection,
) -> doc.MoneyIn:
    invoices = [one for one in payments if one.side == "receivables"]
    coming = [one for one in invoices if one.expected_on <= until and one.counted_cents]
    coming.sort(key=lambda one: (one.expected_on, -one.counted_cents, one.party_name, one.doc_number))
    expected = [_invoice_line(one) for one in coming]
    overdue = _invoices_overdue(open_receivables, expected={one.txn_id: one for one in invoices})
    other = _flow_lines(items, kinds=set(RECEIPT_KINDS) - {FlowKind.INVOICE}, sign=1, until=until)
    overdue.sort(key=lambda line: (-line.amount_cents, line.due_date or date.max, line.customer, line.doc_number))
    return doc.MoneyIn(
        until=until,
        estimate=estimate,
        expected=listing(expected, cents=[line.amount_cents for line in expected]),
        other=listing(other, cents=[line.amount_cents for line in other], most=FEW_ROWS),
        overdue=listing(overdue, cents=[line.amount_cents for line in overdue]),
        collection=collection,
    )


def _invoice_line(one: ExpectedPayment) -> doc.InvoiceLine:
    return doc.InvoiceLine(
        customer=plain_text(one.party_name),
        doc_number=plain_text(one.doc_number),
        due_date=one.due_date,
        expected_on=one.expected_on,
        amount_cents=one.counted_cents,
        open_cents=one.open_cents,
        overdue_days=max(0, one.overdue_days),
        usual_days_late=one.usual_days_late,
    )


def _invoices_overdue(
    open_receivables: pd.DataFrame, *, expected: Mapping[str, ExpectedPayment]
) -> list[doc.InvoiceLine]:
    """Every open invoice that is past due, with all that is open of it; one without a due date goes by its own.

    `open_receivables` as of ``runway_calcs.books.open_items``: what the ageing sums, which deducts the credits besides. `expected`
    by invoice id: without a forecast nothing is, nor is an invoice that credits settle.
    """
    is_late = (open_receivables["txn_type"] == "Invoice") & (open_receivables["overdue_days"] > 0)
    return [
        _overdue_line(row, payment=expected.get(str(row["qbo_id"])))
        for row in open_receivables[is_late].to_dict("records")
    ]


def _overdue_line(row: Mapping[Hashable, Any], *, payment: ExpectedPayment | None) -> doc.InvoiceLine:
    return doc.InvoiceLine(
        customer=plain_text(str(row["party_name"])),
        doc_number=plain_text(str(row["doc_number"])),
        due_date=None if pd.isna(row["due_date"]) else row["due_date"].date(),
        expected_on=None if payment is None else payment.expected_on,
        amount_cents=int(row["open_cents"]),
        open_cents=int(row["open_cents"]),
        overdue_days=int(row["overdue_days"]),
        usual_days_late=None if payment is None else payment.usual_days_late,
    )


def _money_out(
    *,
    payments: Sequence[ExpectedPayment],
    open_payables: pd.DataFrame,
    items: Sequence[ExpectedItem],
    cash_cents: int | None,
    until: date,
    estimate: Estimate | None,
    plan: Plan | None,
) -> doc.MoneyOut:
    lines = [line for _, line in bills_due(open_payables)]
    overdue = [line for line in lines if line.overdue_days > 0]
    due = [line for line in lines if line.overdue_days == 0]
    overdue.sort(key=lambda line: (-line.open_cents, -line.overdue_days, line.vendor, line.doc_number))
    due.sort(key=lambda line: (line.due_date or date.max, -line.open_cents, line.vendor, line.doc_number))
    likely = [one for one in payments if one.side == "payables" and one.expected_on <= until and one.counted_cents]
    # A bill that is decided in part has a row for each part, and is one bill.
    bills = doc.Bills(count=len({one.txn_id for one in likely}), cents=sum(one.counted_cents for one in likely))
    of_documents = {FlowKind.BILL, FlowKind.HELD_BILL}
    other = _flow_lines(items, kinds=set(DISBURSEMENT_KINDS) - of_documents, sign=-1, until=until)
    total = bills.cents + sum(line.amount_cents for line in other)
    return doc.MoneyOut(
        until=until,
        estimate=estimate,
        overdue=listing(overdue, cents=[line.open_cents for line in overdue]),
        due=listing(due, cents=[line.open_cents for line in due]),
        likely=bills,
        other=listing(other, cents=[line.amount_cents for line in other], most=FEW_ROWS),
        likely_cents=total,
        cash_after_cents=None if cash_cents is None else cash_cents - total,
        plan=plan,
    )


def bills_due(open_payables: pd.DataFrame) -> list[tuple[str, doc.BillLine]]:
    """Every open bill that is past due or falls due within the week ahead, with its id; one without a due date goes by its own.

    `open_payables` as of ``runway_calcs.books.open_items``: what is owed by the books, whatever the forecast expects of it.
    """
    is_due = (open_payables["txn_type"] == "Bill") & (open_payables["overdue_days"] >= -WEEK_AHEAD_DAYS)
    return [
        (
            str(row["qbo_id"]),
            doc.BillLine(
                vendor=plain_text(str(row["party_name"])),
                doc_number=plain_text(str(row["doc_number"])),
                due_date=None if pd.isna(row["due_date"]) else row["due_date"].date(),
                open_cents=int(row["open_cents"]),
                overdue_days=max(0, int(row["overdue_days"])),
            ),
        )
        for row in open_payables[is_due].to_dict("records")
    ]


def _doc_numbers(open_payables: pd.DataFrame) -> dict[str, str]:
    bills = open_payables[open_payables["txn_type"] == "Bill"]
    return {str(one): str(number) for one, number in zip(bills["qbo_id"], bills["doc_number"], strict=True)}


def _flow_lines(items: Sequence[ExpectedItem], *, kinds: Set[FlowKind], sign: int, until: date) -> list[doc.FlowLine]:
    lines = [
        doc.FlowLine(
            label=plain_text(item.label), kind=item.kind, day=item.expected_on, amount_cents=sign * item.amount_cents
        )
        for item in items
        if item.kind in kinds and item.expected_on <= until
    ]
    return sorted(lines, key=lambda line: (line.day, -line.amount_cents, line.kind, line.label))


def _notes(
    *,
    cash: CashPosition,
    forecast: CashForecast,
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
        (doc.NoteKind.UNUSED_VENDOR_CREDIT, forecast.unused_vendor_credit_cents),
        (doc.NoteKind.UNUSED_CUSTOMER_CREDIT, forecast.unused_customer_credit_cents),
    ):
        notes.append(doc.DataNote(kind=kind, entity="", count=0, amount_cents=amount))
    return tuple(note for note in notes if note.count or note.amount_cents)
