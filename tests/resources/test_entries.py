"""What people enter: kept with who, why and when, taken back only by a later row, and told as it stood at any instant."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError

from resources.clock import FixedClock
from resources.database import Database
from resources.entries import Entries, EntryRefused
from resources.entry_tables import DATE_OVERRIDE, ENTRY_TABLES, KNOWN_ITEM
from resources.tenants import BadTenantId, Tenant
from tests.databases import only_sqlite, url_of
from tests.processes import at_once
from tests.resources.builders import ACME, BOLT, add_tenants

_LATER = date(2026, 12, 18)
_SAID: dict[str, str] = {"author": "ann", "reason": "the bank confirmed it"}
_AMOUNT: dict[str, Any] = {"rule": "amount", "amount_cents": 900_000, "basis_points": None, "month_hundredths": None}


@pytest.fixture
def acme(database: Database, clock: FixedClock) -> Tenant:
    return add_tenants(database, clock)[0]


@pytest.fixture
def entries(database: Database, clock: FixedClock) -> Entries:
    return Entries(database, clock=clock)


def _add(entries: Entries, tenant: Tenant, **changes: Any) -> str:
    values: dict[str, Any] = {"day": _LATER, "amount_cents": -125_000, "label": "new van", **_SAID, **changes}
    return entries.add_item(tenant, **values).item_id


def test_an_entry_comes_back_as_it_was_made_with_who_and_when(
    entries: Entries, acme: Tenant, clock: FixedClock
) -> None:
    item_id = _add(entries, acme, expires_on=date(2026, 12, 1))
    (found,) = entries.items(ACME)
    assert (found.item_id, found.day, found.amount_cents) == (item_id, _LATER, -125_000)
    assert (found.label, found.expires_on) == ("new van", date(2026, 12, 1))
    assert (found.said.author, found.said.reason, found.said.recorded_at) == ("ann", _SAID["reason"], clock.now())


def test_a_past_instant_finds_what_stood_then_and_nothing_of_what_came_later(
    entries: Entries, acme: Tenant, clock: FixedClock
) -> None:
    start = clock.now()
    first = _add(entries, acme)
    clock.sleep(3600)
    entries.override(acme, txn_type="Bill", txn_id="7", expected_on=_LATER, **_SAID)
    entries.remove_item(acme, first, author="ben", reason="it was cancelled")
    clock.sleep(3600)
    entries.override(acme, txn_type="Bill", txn_id="7", expected_on=_LATER + timedelta(days=3), **_SAID)

    def standing(hours: float) -> tuple[list[str], list[date]]:
        until = start + timedelta(hours=hours)
        return (
            [one.item_id for one in entries.items(ACME, recorded_until=until)],
            [one.expected_on for one in entries.overrides(ACME, recorded_until=until)],
        )

    assert standing(-0.1) == ([], [])
    assert standing(0) == ([first], [])
    assert standing(1) == ([], [_LATER])
    assert standing(2) == ([], [_LATER + timedelta(days=3)])
    assert [one.expected_on for one in entries.overrides(ACME)] == [_LATER + timedelta(days=3)]


def test_every_kind_of_entry_is_recorded_and_withdrawn(entries: Entries, acme: Tenant) -> None:
    entries.set_tier(acme, vendor_id="56", tier=2, **_SAID)
    entries.set_tier(acme, vendor_id="56", tier=1, **_SAID)
    assert [(one.vendor_id, one.tier) for one in entries.tiers(ACME)] == [("56", 1)]
    assert entries.remove_tier(acme, "56", **_SAID).tier == 1
    entries.note_dispute(acme, customer_id="4", invoice_id="130", is_disputed=True, **_SAID)
    entries.note_dispute(acme, customer_id="4", invoice_id="131", is_disputed=True, **_SAID)
    entries.note_contact(acme, customer_id="4", contacted_on=date(2026, 11, 18), **_SAID)
    assert entries.note_dispute(acme, customer_id="4", invoice_id="130", is_disputed=False, **_SAID) is None
    noted = [(one.kind, one.invoice_id, one.contacted_on) for one in entries.notes(ACME)]
    assert noted == [("contacted", "", date(2026, 11, 18)), ("disputed", "131", None)]
    entries.set_reserve(acme, reserve_id="tax-q4", kind="tax", name="Q4 tax", due_on=_LATER, **_AMOUNT, **_SAID)
    (target,) = entries.reserves(ACME)
    assert (target.kind, target.name, target.rule, target.amount_cents) == ("tax", "Q4 tax", "amount", 900_000)
    entries.remove_reserve(acme, "tax-q4", **_SAID)
    entries.override(acme, txn_type="Invoice", txn_id="9", expected_on=_LATER, **_SAID)
    entries.remove_override(acme, txn_type="Invoice", txn_id="9", **_SAID)
    assert entries.tiers(ACME) == entries.reserves(ACME) == entries.overrides(ACME) == ()


def test_an_entry_of_one_tenant_is_not_seen_by_another(entries: Entries, acme: Tenant) -> None:
    _add(entries, acme)
    assert entries.items(BOLT) == ()


@only_sqlite
@pytest.mark.parametrize(
    ("changes", "says"),
    [
        pytest.param({"day": date(2026, 11, 20)}, "lies after today", id="today is in the books"),
        pytest.param({"amount_cents": 0}, "says nothing", id="no amount"),
        pytest.param({"label": " "}, "needs a label", id="no label"),
        pytest.param({"reason": ""}, "why is it so", id="no reason"),
        pytest.param({"author": "  "}, "an author", id="nobody"),
        pytest.param({"expires_on": date(2026, 11, 1)}, "lies after today", id="expired already"),
    ],
)
def test_an_item_that_cannot_be_used_is_refused_with_what_is_possible(
    entries: Entries, acme: Tenant, changes: dict[str, Any], says: str
) -> None:
    with pytest.raises(EntryRefused, match=says):
        _add(entries, acme, **changes)
    assert entries.items(ACME) == ()


@only_sqlite
@pytest.mark.parametrize(
    ("changes", "says"),
    [
        pytest.param({"kind": "holiday"}, "no kind of reserve", id="kind"),
        pytest.param({"rule": "months_of_burn"}, "one of three", id="rule without its value"),
        pytest.param({"basis_points": 500}, "one of three", id="two values"),
        pytest.param({"amount_cents": 0}, "above zero", id="nothing"),
        pytest.param({"due_on": date(2026, 11, 20)}, "lies after today", id="due today"),
    ],
)
def test_a_target_that_makes_no_sense_is_refused(
    entries: Entries, acme: Tenant, changes: dict[str, Any], says: str
) -> None:
    values: dict[str, Any] = {"reserve_id": "tax-q4", "kind": "tax", "name": "", "due_on": None, **_AMOUNT, **_SAID}
    with pytest.raises(EntryRefused, match=says):
        entries.set_reserve(acme, **{**values, **changes})
    with pytest.raises(BadTenantId, match="no reserve id"):
        entries.set_reserve(acme, **{**values, "reserve_id": "Q4 tax"})


def test_what_does_not_stand_cannot_be_withdrawn_and_the_message_names_the_list(entries: Entries, acme: Tenant) -> None:
    with pytest.raises(EntryRefused, match="runway forecast items acme-design"):
        entries.remove_item(acme, "item-9", **_SAID)
    with pytest.raises(EntryRefused, match="is not disputed"):
        entries.note_dispute(acme, customer_id="4", invoice_id="130", is_disputed=False, **_SAID)
    with pytest.raises(EntryRefused, match="no tier"):
        entries.set_tier(acme, vendor_id="56", tier=4, **_SAID)
    with pytest.raises(EntryRefused, match="has not happened yet"):
        entries.note_contact(acme, customer_id="4", contacted_on=date(2026, 11, 21), **_SAID)


@pytest.mark.parametrize("table", [one.name for one in ENTRY_TABLES])
def test_the_database_itself_refuses_to_change_or_delete_an_entry(
    database: Database, entries: Entries, acme: Tenant, table: str
) -> None:
    _add(entries, acme)
    entries.override(acme, txn_type="Bill", txn_id="7", expected_on=_LATER, **_SAID)
    entries.set_tier(acme, vendor_id="56", tier=2, **_SAID)
    entries.note_contact(acme, customer_id="4", contacted_on=date(2026, 11, 18), **_SAID)
    entries.set_reserve(acme, reserve_id="tax-q4", kind="tax", name="", due_on=None, **_AMOUNT, **_SAID)
    entries.rule(acme, defect=("far past due", "Bill", "7"), until=None, **_SAID)
    for statement in (f"UPDATE {table} SET author = 'eve'", f"DELETE FROM {table}"):  # noqa: S608 - fixed names
        with pytest.raises(DBAPIError, match="append-only"), database.write() as connection:
            connection.execute(text(statement))


@only_sqlite
def test_an_entry_cannot_be_replaced_row_by_row(database: Database, entries: Entries, acme: Tenant) -> None:
    """INSERT OR REPLACE deletes the earlier row without firing a DELETE trigger."""
    _add(entries, acme)
    columns = ", ".join(column.name for column in KNOWN_ITEM.columns)
    forged = columns.replace("amount_cents", "-1")
    with pytest.raises(DBAPIError, match="append-only"), database.write() as connection:
        connection.execute(text(f"INSERT OR REPLACE INTO known_item ({columns}) SELECT {forged} FROM known_item"))  # noqa: S608


def test_the_database_itself_refuses_an_entry_that_says_nothing(
    database: Database, acme: Tenant, clock: FixedClock
) -> None:
    said = {"author": "ann", "reason": "x", "recorded_at": clock.now(), "withdrawn": 0}
    row = {"tenant_id": ACME, "number": 1, "txn_type": "Bill", "txn_id": "1", **said}
    with pytest.raises(IntegrityError), database.write() as connection:
        connection.execute(DATE_OVERRIDE.insert().values(**row, expected_on=None))


def test_entries_made_at_once_are_all_kept_each_with_a_number_of_its_own(database: Database, acme: Tenant) -> None:
    ids = at_once(3, _add_some, url_of(database), acme)
    assert sorted(one for some in ids for one in some) == sorted(f"item-{number}" for number in range(1, 10))


def _add_some(number: int, url: str, tenant: Tenant) -> list[str]:
    database = Database(url)
    try:
        entries = Entries(database, clock=FixedClock(datetime(2026, 11, 20, 12, 30, tzinfo=UTC)))
        return [_add(entries, tenant, label=f"{number}") for _ in range(3)]
    finally:
        database.close()
