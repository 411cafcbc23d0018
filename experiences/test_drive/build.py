"""From past digests and what the books say since to a test drive: choosing, sorting, cutting, counting.

Belongs here: what a week flagged, and which fate belongs to it. Does not: computing either (`runway_calcs`), words (``render.py``).
"""

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import UTC, date, datetime

import pandas as pd

from experiences.digest.build import bills_due
from experiences.digest.document import BillLine, DigestDocument
from experiences.digest.sentences import habit
from experiences.digest.wording import plain_text
from experiences.test_drive.document import (
    MOST_ROWS,
    Closing,
    DriveDocument,
    DrivenWeek,
    FlaggedDocument,
    FlaggedDocuments,
    FlaggedEntries,
    FlaggedEntry,
    Since,
)
from experiences.tray.document import TrayDocument, TrayItem
from runway_calcs.books.document_fates import Fate, FateState
from runway_calcs.collection.priority import CollectionPriority, ContactInvoice
from runway_calcs.forecast.hindsight import Hindsight

DefectKey = tuple[str, str, str]
"""Kind, QuickBooks' entity name and id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PastWeek:
    """What one past week published and calculated, and what is known of it since."""

    digest: DigestDocument
    subject: str
    tray: TrayDocument
    collections: CollectionPriority
    open_payables: pd.DataFrame
    """Open bills and vendor credits of then (``runway_calcs.books.open_items``)."""
    hindsight: Hindsight


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownSince:
    """What the books say on the day the drive is made for."""

    invoices: Mapping[str, Fate]
    """The fate of every invoice that a week flagged, by id."""
    bills: Mapping[str, Fate]
    found: Mapping[date, Set[DefectKey]]
    """The defects found on each Friday of the drive, the day it is made for included."""


def late_invoices(collections: CollectionPriority) -> Iterator[tuple[str, ContactInvoice]]:
    """The invoices of listed customers that were clearly later than their customer's own habit, with the customer's name."""
    for contact in collections.contacts:
        for invoice in contact.invoices:
            if invoice.delay.is_unusual and not invoice.is_disputed:
                yield contact.customer_name, invoice


def build_drive(
    past: Sequence[PastWeek],
    *,
    since: KnownSince,
    tenant_id: str,
    tenant_name: str,
    firm_name: str,
    currency: str,
    zone: str,
    as_of: date,
    data_as_of: datetime,
    connected_on: date,
) -> DriveDocument:
    """The test drive of one tenant.

    Args:
        past: the weeks, the oldest first; the last is the Friday before `as_of`.
        since: what became of what they flagged.
        tenant_id: whose drive it is.
        tenant_name: as the firm calls it.
        firm_name: the accounting firm.
        currency: home currency of the books, ISO code.
        zone: the tenant's IANA zone.
        as_of: the Friday the drive is made for.
        data_as_of: aware instant up to which the books were read.
        connected_on: local date of the first complete read.

    Raises:
        ValueError: the weeks do not follow one another up to `as_of`.
    """
    return DriveDocument(
        schema_version=3,
        tenant_id=tenant_id,
        tenant_name=plain_text(tenant_name),
        firm_name=plain_text(firm_name),
        currency=currency,
        zone=zone,
        as_of=as_of,
        data_as_of=data_as_of.astimezone(UTC),
        connected_on=connected_on,
        weeks=tuple(_week(one, since=since) for one in past),
    )


def _week(one: PastWeek, *, since: KnownSince) -> DrivenWeek:
    digest, seen = one.digest, one.hindsight
    return DrivenWeek(
        week_ending=digest.week_ending,
        subject=plain_text(one.subject),
        basis=digest.basis,
        cash_cents=digest.cash.cash_cents,
        runway=digest.runway,
        closings=_closings(digest, seen),
        since=Since(
            until=seen.until,
            below_on=seen.below_on,
            low_cents=seen.low_cents,
            low_on=seen.low_on,
            is_whole=seen.is_whole,
        ),
        late=_documents(
            [_invoice(customer, invoice, fates=since.invoices) for customer, invoice in late_invoices(one.collections)]
        ),
        bills=_documents([_bill(bill, fate=since.bills[bill_id]) for bill_id, bill in bills_due(one.open_payables)]),
        to_fix=_entries(one.tray, found=since.found),
    )


def _closings(digest: DigestDocument, seen: Hindsight) -> tuple[Closing, ...]:
    """The bands are the digest's own; what came is looked up by the day."""
    actual = {closing.last_day: closing.actual_cents for closing in seen.closings}
    return tuple(
        Closing(
            last_day=week.last_day,
            p10_cents=week.p10_cents,
            p90_cents=week.p90_cents,
            has_come=week.last_day in actual,
            actual_cents=actual.get(week.last_day),
        )
        for week in digest.weeks
    )


def _invoice(customer: str, invoice: ContactInvoice, *, fates: Mapping[str, Fate]) -> FlaggedDocument:
    return FlaggedDocument(
        party=plain_text(customer),
        doc_number=plain_text(invoice.doc_number),
        due_on=invoice.due_date,
        amount_cents=invoice.open_cents,
        reason=habit(
            days_late=invoice.delay.days_late,
            usual_days_late=invoice.delay.usual_days_late,
            paid_invoices=invoice.delay.paid_invoices,
        ),
        fate=fates[invoice.invoice_id],
    )


def _bill(bill: BillLine, *, fate: Fate) -> FlaggedDocument:
    return FlaggedDocument(
        party=bill.vendor,
        doc_number=bill.doc_number,
        due_on=bill.due_date,
        amount_cents=bill.open_cents,
        reason="",
        fate=fate,
    )


def _documents(found: Sequence[FlaggedDocument]) -> FlaggedDocuments:
    """The largest first."""
    ordered = sorted(
        found,
        key=lambda one: (-one.amount_cents, one.due_on or date.max, one.party, one.doc_number),
    )
    states, parts = [one.fate.state for one in ordered], sum(one.is_part for one in ordered)
    return FlaggedDocuments(
        rows=tuple(ordered[:MOST_ROWS]),
        count=len(ordered),
        amount_cents=sum(one.amount_cents for one in ordered),
        settled_count=states.count(FateState.SETTLED),
        part_count=parts,
        open_count=states.count(FateState.OPEN) - parts,
        gone_count=states.count(FateState.GONE),
        open_cents=sum(one.fate.open_cents for one in ordered),
    )


def _entries(tray: TrayDocument, *, found: Mapping[date, Set[DefectKey]]) -> FlaggedEntries:
    later = {friday: keys for friday, keys in sorted(found.items()) if friday > tray.as_of}
    gone = [gone_on(_key(item), found=later) for item in tray.items]
    return FlaggedEntries(
        rows=tuple(_entry(item, gone_on=on) for item, on in zip(tray.items[:MOST_ROWS], gone, strict=False)),
        count=tray.count,
        gone_count=sum(on is not None for on in gone),
    )


def gone_on(key: DefectKey, *, found: Mapping[date, Set[DefectKey]]) -> date | None:
    """The first of these Fridays from which on a defect was found on none; None: on the last one it still is.

    One that was gone for a while and is back is not gone.
    """
    fridays = sorted(found)
    still = [number for number, friday in enumerate(fridays) if key in found[friday]]
    first = still[-1] + 1 if still else 0
    return fridays[first] if first < len(fridays) else None


def _key(item: TrayItem) -> DefectKey:
    return (item.kind.value, item.object_type, item.object_id)


def _entry(item: TrayItem, *, gone_on: date | None) -> FlaggedEntry:
    return FlaggedEntry(
        label=item.label,
        what=item.what,
        is_blocking=item.is_blocking,
        effect=item.effect,
        runway_days=item.runway_days,
        is_bound=item.is_bound,
        low_cents=item.low_cents,
        gone_on=gone_on,
    )
