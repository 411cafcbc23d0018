"""What people enter, as values: each with who said it, why and when.

Belongs here: the kinds of entries, and rows as entries. Does not: recording and rules (`resources/entries.py`).
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

from sqlalchemy import Row

TxnType = Literal["Bill", "Invoice"]
NoteKind = Literal["disputed", "contacted"]
TargetRule = Literal["amount", "share_of_receipts", "months_of_burn"]
RulingKind = Literal["snoozed", "dismissed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """Who said something, why, and when."""

    author: str
    reason: str
    recorded_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemEntry:
    """An amount somebody expects on a day that no document shows: in positive, out negative."""

    item_id: str
    day: date
    amount_cents: int
    label: str
    #: Last as-of day on which it counts; None: until its own day has passed.
    expires_on: date | None
    said: Said


@dataclass(frozen=True, slots=True, kw_only=True)
class OverrideEntry:
    """The day on which somebody expects a bill or an invoice to be paid, in place of the estimate."""

    txn_type: TxnType
    txn_id: str
    expected_on: date
    expires_on: date | None
    said: Said


@dataclass(frozen=True, slots=True, kw_only=True)
class TierEntry:
    """How much harm waiting does with a vendor: 0 is paid on time whatever happens, 3 can wait."""

    vendor_id: str
    tier: int
    said: Said


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteEntry:
    """A dispute about an invoice, or the day a customer was last contacted."""

    customer_id: str
    kind: NoteKind
    #: Empty for a contact.
    invoice_id: str
    contacted_on: date | None
    said: Said


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetEntry:
    """What a reserve is to hold, by one of three rules, and until when."""

    reserve_id: str
    kind: str
    name: str
    rule: TargetRule
    amount_cents: int | None
    basis_points: int | None
    month_hundredths: int | None
    due_on: date | None
    said: Said


@dataclass(frozen=True, slots=True, kw_only=True)
class RulingEntry:
    """What a person said about a defect of the books: later, or no issue."""

    defect_kind: str
    object_type: str
    object_id: str
    ruling: RulingKind
    #: The day on which a snoozed one is back; None: dismissed.
    until: date | None
    said: Said


def _said(row: Row[Any]) -> Said:
    return Said(author=row.author, reason=row.reason, recorded_at=row.recorded_at)


def item_entry(row: Row[Any]) -> ItemEntry:
    """A row as a known item."""
    return ItemEntry(
        item_id=row.item_id,
        day=row.day,
        amount_cents=row.amount_cents,
        label=row.label,
        expires_on=row.expires_on,
        said=_said(row),
    )


def override_entry(row: Row[Any]) -> OverrideEntry:
    """A row as a date of a document."""
    return OverrideEntry(
        txn_type=row.txn_type,
        txn_id=row.txn_id,
        expected_on=row.expected_on,
        expires_on=row.expires_on,
        said=_said(row),
    )


def tier_entry(row: Row[Any]) -> TierEntry:
    """A row as a tier."""
    return TierEntry(vendor_id=row.vendor_id, tier=row.tier, said=_said(row))


def note_entry(row: Row[Any]) -> NoteEntry:
    """A row as a note."""
    return NoteEntry(
        customer_id=row.customer_id,
        kind=row.kind,
        invoice_id=row.invoice_id,
        contacted_on=row.contacted_on,
        said=_said(row),
    )


def target_entry(row: Row[Any]) -> TargetEntry:
    """A row as a target."""
    return TargetEntry(
        reserve_id=row.reserve_id,
        kind=row.kind,
        name=row.name,
        rule=row.rule,
        amount_cents=row.amount_cents,
        basis_points=row.basis_points,
        month_hundredths=row.month_hundredths,
        due_on=row.due_on,
        said=_said(row),
    )


def ruling_entry(row: Row[Any]) -> RulingEntry:
    """A row as a ruling."""
    return RulingEntry(
        defect_kind=row.defect_kind,
        object_type=row.object_type,
        object_id=row.object_id,
        ruling=row.ruling,
        until=row.until,
        said=_said(row),
    )
