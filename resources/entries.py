"""What people enter about a tenant, in the operational database: it survives every sync, and nothing of it is ever changed.

Belongs here: recording, withdrawing and reading back; the rules an entry has to keep. Does not: tables
(`resources/entry_tables.py`), what the entries do to a figure (`runway_calcs`).

Each statement is a row of its own with author, reason and instant. What holds at an instant is, for each key, the newest row
recorded by then, unless it withdraws; so a past week that is calculated again uses only what was known to it.
"""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, TypeVar

from sqlalchemy import Connection, Row, Table, func, insert, select

from resources.clock import Clock
from resources.database import Database
from resources.entry_records import (
    ItemEntry,
    NoteEntry,
    OverrideEntry,
    RulingEntry,
    TargetEntry,
    TargetRule,
    TierEntry,
    TxnType,
    item_entry,
    note_entry,
    override_entry,
    ruling_entry,
    target_entry,
    tier_entry,
)
from resources.entry_tables import (
    CUSTOMER_NOTE,
    DATE_OVERRIDE,
    KNOWN_ITEM,
    RESERVE_KINDS,
    RESERVE_TARGET,
    TRAY_RULING,
    VENDOR_TIER,
)
from resources.registry import lock_tenant
from resources.tenants import Tenant, TenantId, slug

_Key = TypeVar("_Key")
_Entry = TypeVar("_Entry")

LOWEST_TIER = 3
_WHOLE = 10_000
"""Basis points of the whole."""
_KEYS: Mapping[str, tuple[str, ...]] = {
    KNOWN_ITEM.name: ("item_id",),
    DATE_OVERRIDE.name: ("txn_type", "txn_id"),
    VENDOR_TIER.name: ("vendor_id",),
    CUSTOMER_NOTE.name: ("customer_id", "kind", "invoice_id"),
    RESERVE_TARGET.name: ("reserve_id",),
    TRAY_RULING.name: ("defect_kind", "object_type", "object_id"),
}


class EntryRefused(ValueError):
    """An entry that cannot be kept: the message says why and what is possible."""


class Entries:
    """The entries of all tenants; every statement names its tenant."""

    def __init__(self, database: Database, *, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def add_item(
        self,
        tenant: Tenant,
        *,
        day: date,
        amount_cents: int,
        label: str,
        author: str,
        reason: str,
        expires_on: date | None = None,
    ) -> ItemEntry:
        """Record a known item; its id is given here."""
        self.check_item(tenant, day=day, amount_cents=amount_cents, label=label, expires_on=expires_on)
        values = {"day": day, "amount_cents": amount_cents, "label": label.strip(), "expires_on": expires_on}
        return item_entry(self._record(KNOWN_ITEM, tenant.tenant_id, values, author=author, reason=reason))

    def check_item(
        self, tenant: Tenant, *, day: date, amount_cents: int, label: str, expires_on: date | None = None
    ) -> None:
        """Refuse what `add_item` would refuse, and store nothing."""
        self._still_to_come(tenant, day, what="A known item")
        self._still_to_come(tenant, expires_on, what="An expiry")
        if amount_cents == 0:
            raise EntryRefused(
                "A known item of 0.00 says nothing: give an amount, out negative (for example -1250.00)."
            )
        if not label.strip():
            raise EntryRefused("A known item needs a label: what a reader will call it.")

    def remove_item(self, tenant: Tenant, item_id: str, *, author: str, reason: str) -> ItemEntry:
        """Withdraw a known item; it stays in the history. What it said."""
        found = self.check_remove_item(tenant, item_id)
        self._withdraw(KNOWN_ITEM, tenant.tenant_id, {"item_id": item_id}, author=author, reason=reason)
        return found

    def check_remove_item(self, tenant: Tenant, item_id: str) -> ItemEntry:
        """Refuse what `remove_item` would refuse, and store nothing; the item that stands."""
        standing = {one.item_id: one for one in self.items(tenant.tenant_id)}
        return _standing(standing, item_id, f"There is no known item {item_id!r}", "`runway forecast items`", tenant)

    def items(self, tenant: TenantId, *, recorded_until: datetime | None = None) -> tuple[ItemEntry, ...]:
        """The known items that stand, by day and id; with an instant, as they stood then."""
        found = [item_entry(row) for row in self._newest(KNOWN_ITEM, tenant, recorded_until)]
        return tuple(sorted(found, key=lambda one: (one.day, one.item_id)))

    def override(
        self,
        tenant: Tenant,
        *,
        txn_type: TxnType,
        txn_id: str,
        expected_on: date,
        author: str,
        reason: str,
        expires_on: date | None = None,
    ) -> OverrideEntry:
        """Record the day on which a document is expected to be paid; it takes the place of an earlier one."""
        self.check_override(tenant, expected_on=expected_on, expires_on=expires_on)
        values = {"txn_type": txn_type, "txn_id": txn_id, "expected_on": expected_on, "expires_on": expires_on}
        return override_entry(self._record(DATE_OVERRIDE, tenant.tenant_id, values, author=author, reason=reason))

    def check_override(self, tenant: Tenant, *, expected_on: date, expires_on: date | None = None) -> None:
        """Refuse what `override` would refuse, and store nothing."""
        self._still_to_come(tenant, expected_on, what="An expected day")
        self._still_to_come(tenant, expires_on, what="An expiry")

    def remove_override(
        self, tenant: Tenant, *, txn_type: TxnType, txn_id: str, author: str, reason: str
    ) -> OverrideEntry:
        """Withdraw the date of a document: the estimate counts again. What it said."""
        found = self.check_remove_override(tenant, txn_type=txn_type, txn_id=txn_id)
        key = {"txn_type": txn_type, "txn_id": txn_id}
        self._withdraw(DATE_OVERRIDE, tenant.tenant_id, key, author=author, reason=reason)
        return found

    def check_remove_override(self, tenant: Tenant, *, txn_type: TxnType, txn_id: str) -> OverrideEntry:
        """Refuse what `remove_override` would refuse, and store nothing; the date that stands."""
        standing = {(one.txn_type, one.txn_id): one for one in self.overrides(tenant.tenant_id)}
        what = f"There is no date for {txn_type} {txn_id}"
        return _standing(standing, (txn_type, txn_id), what, "`runway forecast items`", tenant)

    def overrides(self, tenant: TenantId, *, recorded_until: datetime | None = None) -> tuple[OverrideEntry, ...]:
        """The dates that stand, by kind and id of the document; with an instant, as they stood then."""
        return tuple(override_entry(row) for row in self._newest(DATE_OVERRIDE, tenant, recorded_until))

    def set_tier(self, tenant: Tenant, *, vendor_id: str, tier: int, author: str, reason: str) -> TierEntry:
        """Record a vendor's tier; it takes the place of an earlier one."""
        check_tier(tier)
        values = {"vendor_id": vendor_id, "tier": tier}
        return tier_entry(self._record(VENDOR_TIER, tenant.tenant_id, values, author=author, reason=reason))

    def remove_tier(self, tenant: Tenant, vendor_id: str, *, author: str, reason: str) -> TierEntry:
        """Withdraw a vendor's tier: the suggestion counts again. What it said."""
        found = self.check_remove_tier(tenant, vendor_id)
        self._withdraw(VENDOR_TIER, tenant.tenant_id, {"vendor_id": vendor_id}, author=author, reason=reason)
        return found

    def check_remove_tier(self, tenant: Tenant, vendor_id: str) -> TierEntry:
        """Refuse what `remove_tier` would refuse, and store nothing; the tier that stands."""
        standing = {one.vendor_id: one for one in self.tiers(tenant.tenant_id)}
        what = f"No tier was set for vendor {vendor_id}"
        return _standing(standing, vendor_id, what, "`runway vendors list`", tenant)

    def tiers(self, tenant: TenantId, *, recorded_until: datetime | None = None) -> tuple[TierEntry, ...]:
        """The tiers that stand, by vendor; with an instant, as they stood then."""
        return tuple(tier_entry(row) for row in self._newest(VENDOR_TIER, tenant, recorded_until))

    def note_dispute(
        self, tenant: Tenant, *, customer_id: str, invoice_id: str, is_disputed: bool, author: str, reason: str
    ) -> NoteEntry | None:
        """Record that a customer disputes an invoice, or that it no longer does (then None)."""
        key = {"customer_id": customer_id, "kind": "disputed", "invoice_id": invoice_id}
        if is_disputed:
            return note_entry(self._record(CUSTOMER_NOTE, tenant.tenant_id, key, author=author, reason=reason))
        self.check_dispute_ends(tenant, customer_id=customer_id, invoice_id=invoice_id)
        self._withdraw(CUSTOMER_NOTE, tenant.tenant_id, key, author=author, reason=reason)
        return None

    def check_dispute_ends(self, tenant: Tenant, *, customer_id: str, invoice_id: str) -> None:
        """Refuse what `note_dispute` would refuse of the end of a dispute, and store nothing."""
        standing = {(one.customer_id, one.invoice_id): one for one in self.notes(tenant.tenant_id)}
        what = f"Invoice {invoice_id} of customer {customer_id} is not disputed"
        _standing(standing, (customer_id, invoice_id), what, "`runway customers notes`", tenant)

    def note_contact(
        self, tenant: Tenant, *, customer_id: str, contacted_on: date, author: str, reason: str
    ) -> NoteEntry:
        """Record that a customer was contacted about what it owes."""
        self.check_contact(tenant, contacted_on=contacted_on)
        values = {"customer_id": customer_id, "kind": "contacted", "invoice_id": "", "contacted_on": contacted_on}
        return note_entry(self._record(CUSTOMER_NOTE, tenant.tenant_id, values, author=author, reason=reason))

    def check_contact(self, tenant: Tenant, *, contacted_on: date) -> None:
        """Refuse what `note_contact` would refuse, and store nothing."""
        today = tenant.local_date(self._clock.now())
        if contacted_on > today:
            raise EntryRefused(f"A contact on {contacted_on} has not happened yet: today is {today} in {tenant.zone}.")

    def notes(self, tenant: TenantId, *, recorded_until: datetime | None = None) -> tuple[NoteEntry, ...]:
        """The disputes that stand and each customer's last noted contact, by customer; with an instant, as they stood then."""
        return tuple(note_entry(row) for row in self._newest(CUSTOMER_NOTE, tenant, recorded_until))

    def set_reserve(
        self,
        tenant: Tenant,
        *,
        reserve_id: str,
        kind: str,
        name: str,
        rule: TargetRule,
        amount_cents: int | None,
        basis_points: int | None,
        month_hundredths: int | None,
        due_on: date | None,
        author: str,
        reason: str,
    ) -> TargetEntry:
        """Record what a reserve is to hold; it takes the place of an earlier target of the same reserve."""
        rule_value = {"amount_cents": amount_cents, "basis_points": basis_points, "month_hundredths": month_hundredths}
        self.check_reserve(tenant, reserve_id=reserve_id, kind=kind, rule=rule, due_on=due_on, **rule_value)
        named = {"reserve_id": reserve_id, "kind": kind, "name": name.strip() or reserve_id, "rule": rule}
        values: dict[str, Any] = {**named, **rule_value, "due_on": due_on}
        return target_entry(self._record(RESERVE_TARGET, tenant.tenant_id, values, author=author, reason=reason))

    def check_reserve(
        self,
        tenant: Tenant,
        *,
        reserve_id: str,
        kind: str,
        rule: TargetRule,
        amount_cents: int | None,
        basis_points: int | None,
        month_hundredths: int | None,
        due_on: date | None,
    ) -> None:
        """Refuse what `set_reserve` would refuse, and store nothing."""
        slug(reserve_id, what="reserve")
        if kind not in RESERVE_KINDS:
            raise EntryRefused(f"{kind!r} is no kind of reserve: choose one of {', '.join(RESERVE_KINDS)}.")
        given = {"amount": amount_cents, "share_of_receipts": basis_points, "months_of_burn": month_hundredths}
        if [name for name, value in given.items() if value is not None] != [rule]:
            raise EntryRefused("A target is one of three: an amount, a share of the receipts, or months of burn.")
        value = given[rule]
        assert value is not None
        if value <= 0 or (rule == "share_of_receipts" and value > _WHOLE):
            raise EntryRefused("A target lies above zero, and a share of the receipts is at most 100 %.")
        self._still_to_come(tenant, due_on, what="The day a target is to be reached")

    def remove_reserve(self, tenant: Tenant, reserve_id: str, *, author: str, reason: str) -> TargetEntry:
        """Withdraw a reserve's target. What it said."""
        found = self.check_remove_reserve(tenant, reserve_id)
        self._withdraw(RESERVE_TARGET, tenant.tenant_id, {"reserve_id": reserve_id}, author=author, reason=reason)
        return found

    def check_remove_reserve(self, tenant: Tenant, reserve_id: str) -> TargetEntry:
        """Refuse what `remove_reserve` would refuse, and store nothing; the target that stands."""
        standing = {one.reserve_id: one for one in self.reserves(tenant.tenant_id)}
        what = f"There is no target for reserve {reserve_id!r}"
        return _standing(standing, reserve_id, what, "`runway reserves list`", tenant)

    def reserves(self, tenant: TenantId, *, recorded_until: datetime | None = None) -> tuple[TargetEntry, ...]:
        """The targets that stand, by reserve; with an instant, as they stood then."""
        return tuple(target_entry(row) for row in self._newest(RESERVE_TARGET, tenant, recorded_until))

    def rule(
        self,
        tenant: Tenant,
        *,
        defect: tuple[str, str, str],
        until: date | None,
        author: str,
        reason: str,
    ) -> RulingEntry:
        """Record that a defect (kind, entity, id) waits until a day, or without one that it is no issue."""
        self.check_rule(tenant, until=until)
        values = {**_defect_key(defect), "ruling": "dismissed" if until is None else "snoozed", "until": until}
        return ruling_entry(self._record(TRAY_RULING, tenant.tenant_id, values, author=author, reason=reason))

    def check_rule(self, tenant: Tenant, *, until: date | None) -> None:
        """Refuse what `rule` would refuse, and store nothing."""
        self._still_to_come(tenant, until, what="The day until which an entry is snoozed")

    def reopen(self, tenant: Tenant, defect: tuple[str, str, str], *, author: str, reason: str) -> RulingEntry:
        """Withdraw a ruling: the defect is listed again. What it said."""
        standing = {(one.defect_kind, one.object_type, one.object_id): one for one in self.rulings(tenant.tenant_id)}
        what = f"Nothing was said about {' '.join(defect)}"
        found = _standing(standing, defect, what, "`runway tray list`", tenant)
        self._withdraw(TRAY_RULING, tenant.tenant_id, _defect_key(defect), author=author, reason=reason)
        return found

    def rulings(self, tenant: TenantId, *, recorded_until: datetime | None = None) -> tuple[RulingEntry, ...]:
        """The rulings that stand, by defect; with an instant, as they stood then."""
        return tuple(ruling_entry(row) for row in self._newest(TRAY_RULING, tenant, recorded_until))

    def _still_to_come(self, tenant: Tenant, day: date | None, *, what: str) -> None:
        today = tenant.local_date(self._clock.now())
        if day is not None and day <= today:
            raise EntryRefused(
                f"{what} lies after today, and {day} does not: today is {today} in {tenant.zone}. "
                "What has happened is read from the books."
            )

    def _record(
        self, table: Table, tenant: TenantId, values: Mapping[str, Any], *, author: str, reason: str, withdrawn: int = 0
    ) -> Row[Any]:
        said = {"author": _spoken(author, "an author"), "reason": _spoken(reason, "a reason: why is it so")}
        with self._database.write() as connection:
            lock_tenant(connection, tenant)  # the numbers of a tenant's rows are given one after the other
            number = _next_number(connection, table, tenant)
            own = {"item_id": f"item-{number}"} if table is KNOWN_ITEM and "item_id" not in values else {}
            row = {**said, **own, **values, "withdrawn": withdrawn, "recorded_at": self._clock.now()}
            connection.execute(insert(table).values(tenant_id=tenant, number=number, **row))
            kept = select(table).where(table.c.tenant_id == tenant, table.c.number == number)
            return connection.execute(kept).one()

    def _withdraw(self, table: Table, tenant: TenantId, key: Mapping[str, Any], *, author: str, reason: str) -> None:
        self._record(table, tenant, key, author=author, reason=reason, withdrawn=1)

    def _newest(self, table: Table, tenant: TenantId, recorded_until: datetime | None) -> list[Row[Any]]:
        """The newest row of each key recorded by an instant (None: now), those that withdraw left out, by key."""
        key = _KEYS[table.name]
        statement = select(table).where(table.c.tenant_id == tenant).order_by(table.c.number)
        if recorded_until is not None:
            statement = statement.where(table.c.recorded_at <= recorded_until)
        with self._database.read() as connection:
            newest = {tuple(getattr(row, name) for name in key): row for row in connection.execute(statement)}
        return [newest[one] for one in sorted(newest) if not newest[one].withdrawn]


def _defect_key(defect: tuple[str, str, str]) -> dict[str, str]:
    return dict(zip(_KEYS[TRAY_RULING.name], defect, strict=True))


def check_tier(tier: int) -> None:
    """Refuse a tier that is none."""
    if not 0 <= tier <= LOWEST_TIER:
        raise EntryRefused(f"{tier} is no tier: 0 is paid on time whatever happens, {LOWEST_TIER} can wait longest.")


def _standing(standing: Mapping[_Key, _Entry], key: _Key, what: str, list_command: str, tenant: Tenant) -> _Entry:
    if key not in standing:
        command = f"{list_command.rstrip('`')} {tenant.tenant_id}`"
        raise EntryRefused(f"{what} for {tenant.tenant_id!r}: {command} shows what there is.")
    return standing[key]


def _spoken(text: str, what: str) -> str:
    if not text.strip():
        raise EntryRefused(f"An entry needs {what}.")
    return text.strip()


def _next_number(connection: Connection, table: Table, tenant: TenantId) -> int:
    newest = select(func.coalesce(func.max(table.c.number), 0)).where(table.c.tenant_id == tenant)
    return int(connection.execute(newest).scalar_one()) + 1
