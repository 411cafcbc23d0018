"""Every statement that touches a tenant's table names the tenant; what is rightly across tenants is listed here."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event

import payments.store.tables  # noqa: F401 - registers the ledger's tables with the metadata
from payments.store.bill_tables import PERSON
from resources.clock import FixedClock
from resources.commits import Commits, Quarantined
from resources.connections import RealmTaken
from resources.database import Database
from resources.dirty_tenants import DirtyTenants
from resources.documents import Document, Documents
from resources.entries import Entries
from resources.mail.tables import FIRM_MAIL
from resources.published_balances import CashSnapshot, PublishedBalancesStore
from resources.qbo_webhooks import Event
from resources.registry import TenantRegistry
from resources.settings import Thresholds
from resources.store import Store
from resources.tables import FIRM, FIRM_DOCUMENT, METADATA, WEBHOOK_EVENT
from tests.resources.builders import (
    ACME,
    BOLT,
    KEY,
    NOON,
    OTHER_KEY,
    add_tenants,
    commit_sync,
    connect,
    make_connections,
    make_lake,
    make_rows,
    make_segment,
    make_tokens,
)

_TENANT_TABLES = {table.name for table in METADATA.sorted_tables if "tenant_id" in table.primary_key.columns}
#: Those of the payment ledger have no statements yet.
_USED_TABLES = {
    "cash_snapshot",
    "checkpoint",
    "connection",
    "customer_note",
    "date_override",
    "dirty_tenant",
    "known_item",
    "lease",
    "open_bill",
    "published_document",
    "quarantine",
    "reserve_target",
    "result",
    "segment",
    "sync",
    "tenant",
    "tray_ruling",
    "vendor_tier",
}

#: Statements across tenants, each with its reason. Compared without the list of columns.
_ACROSS_TENANTS = {
    "SELECT FROM tenant JOIN firm ON firm.firm_id = tenant.firm_id ORDER BY tenant.created_at, tenant.tenant_id": "the list",
    "SELECT FROM tenant JOIN firm ON firm.firm_id = tenant.firm_id WHERE tenant.active = ? "
    "ORDER BY tenant.created_at, tenant.tenant_id": "the list of schedules",
    "SELECT FROM connection JOIN tenant ON tenant.tenant_id = connection.tenant_id WHERE connection.environment = ? "
    "AND connection.realm_id = ? AND connection.tenant_id != ?": "whether another tenant has the company",
    "SELECT FROM connection WHERE connection.environment = ? AND connection.realm_id IN (?)": "whose company an event names",
    "SELECT FROM dirty_tenant JOIN tenant ON tenant.tenant_id = dirty_tenant.tenant_id "
    "JOIN connection ON connection.tenant_id = dirty_tenant.tenant_id WHERE tenant.active = ? "
    "AND connection.environment = ? AND connection.state = ? AND dirty_tenant.generation > dirty_tenant.covered "
    "AND NOT (EXISTS (SELECT sync.sync_id FROM sync WHERE sync.tenant_id = dirty_tenant.tenant_id AND sync.data_as_of > ?)) "
    "ORDER BY dirty_tenant.noticed_at, dirty_tenant.tenant_id": "the list of a sensor",
}


@contextmanager
def _traced() -> Iterator[list[tuple[str, Any]]]:
    seen: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, _many: bool) -> None:  # noqa: FBT001 - SQLAlchemy's signature
        seen.append((statement, parameters))

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(Engine, "before_cursor_execute", note)


def _tables_of(statement: str) -> set[str]:
    return set(re.findall(r"\b(?:FROM|JOIN|INTO|UPDATE)\s+(\w+)", statement)) & _TENANT_TABLES


def _shape(statement: str) -> str:
    """The statement on one line, without columns, its parameters as question marks."""
    line = re.sub(r"\s+", " ", statement).strip()
    line = re.sub(r"%\(\w+\)s(::\w+(\(\d+\))?( WITH TIME ZONE)?)?", "?", line)
    return re.sub(r"^SELECT .*? FROM", "SELECT FROM", line)


def _bound(statement: str, parameters: Any) -> set[str]:
    """The tenants that a condition or inserted rows take; `nobody` stands for a set of parameters without one."""
    if re.search(r"\btenant_id = (\?|%\()|INSERT INTO", statement) is None:
        return {"nobody"}
    sets = parameters if isinstance(parameters, list) else [parameters]
    values = [set(one.values() if isinstance(one, dict) else one) for one in sets]
    return set().union(*(one & {ACME, BOLT} or {"nobody"} for one in values))


def test_every_statement_binds_the_tenant(database: Database, clock: FixedClock, tmp_path: Path) -> None:
    add_tenants(database, clock, ACME, BOLT)
    connect(make_connections(database, clock), BOLT, realm_id="9130002")
    with _traced() as seen:
        _use_everything(database, clock, tmp_path)
    touching = [(statement, parameters) for statement, parameters in seen if _tables_of(statement)]
    unbound = {_shape(statement) for statement, parameters in touching if _bound(statement, parameters) != {ACME}}
    assert unbound == _ACROSS_TENANTS.keys()
    assert set().union(*(_tables_of(statement) for statement, _ in touching)) == _USED_TABLES


def test_sealing_again_works_on_one_tenant_at_a_time(database: Database, clock: FixedClock) -> None:
    add_tenants(database, clock, ACME, BOLT)
    connections = make_connections(database, clock)
    connect(connections)
    connect(connections, BOLT, realm_id="9130002")
    with _traced() as seen:
        assert make_connections(database, clock, keys=(OTHER_KEY, KEY)).rotate_keys() == 2
    (first, _), *others = [(statement, parameters) for statement, parameters in seen if _tables_of(statement)]
    assert re.sub(r"\s+", " ", first) == "SELECT connection.tenant_id FROM connection ORDER BY connection.tenant_id"
    assert [_bound(statement, parameters) for statement, parameters in others] == [{ACME}, {ACME}, {BOLT}, {BOLT}]


def _use_everything(database: Database, clock: FixedClock, tmp_path: Path) -> None:
    """Each operation of the stores, for one tenant beside another."""
    registry = TenantRegistry(database, clock=clock)
    registry.tenants()
    registry.tenants(active_only=False)
    registry.set_thresholds(ACME, {"floor_cents": 1}, defaults=Thresholds())
    _use_connections(database, clock)
    commits = Commits(database, clock=clock)
    bad = Quarantined(entity="Bill", qbo_id="1", field="Line", expected="x", reason="y", raw_text="{}")
    with commits.lease(ACME) as lease:
        commits.renew(lease)
        sync = commit_sync(commits, lease, segments=[make_segment("a"), make_segment("b")], quarantined=[bad, bad])
        commits.commit_checkpoint(lease, up_to=sync, segment=make_segment("c"))
    commits.quarantined(sync)
    commits.sync(ACME, sync.sync_id)
    commits.history(ACME, table="raw_qbo/bills", up_to=sync)
    commits.histories(ACME, up_to=sync)
    _use_weeks(Store(lake=make_lake(tmp_path), commits=commits), registry, clock)
    published = PublishedBalancesStore(database)
    cash = CashSnapshot(account_id="35", name="Checking", balance_cents=1, dated_later_cents=0)
    published.publish(sync, cash=[cash], bills=[])
    published.publish(sync, cash=[], bills=[])
    published.publish(sync, cash=[cash, replace(cash, account_id="36")], bills=[])
    published.read(ACME)
    shelf = Documents(database, clock=clock)
    document = Document(tenant_id=ACME, kind="k", key="1", title="", body="", html="", text="", data_as_of=NOON)
    shelf.publish(document)
    shelf.read(ACME, kind="k", key="1")
    shelf.newest(ACME, kind="k", not_after=date(2026, 11, 20))
    marks = DirtyTenants(database, clock=clock, environment="local")
    for name in ("a", "b"):
        marks.notice([Event(event_id=name, realm_id="9130003")])
    marks.dirty(not_read_since=NOON)
    marks.cover(ACME, read_started_at=NOON + timedelta(days=1))
    _use_entries(Entries(database, clock=clock), registry)
    registry.deactivate(ACME)


def _use_entries(entries: Entries, registry: TenantRegistry) -> None:
    tenant, said = registry.tenant(ACME), {"author": "ann", "reason": "said so"}
    later = date(2027, 1, 8)
    item = entries.add_item(tenant, day=later, amount_cents=1, label="x", **said)
    entries.remove_item(tenant, item.item_id, **said)
    entries.override(tenant, txn_type="Bill", txn_id="1", expected_on=later, **said)
    entries.remove_override(tenant, txn_type="Bill", txn_id="1", **said)
    entries.set_tier(tenant, vendor_id="1", tier=1, **said)
    entries.remove_tier(tenant, "1", **said)
    for is_disputed in (True, False):
        entries.note_dispute(tenant, customer_id="1", invoice_id="1", is_disputed=is_disputed, **said)
    entries.note_contact(tenant, customer_id="1", contacted_on=date(2026, 11, 1), **said)
    target = {"amount_cents": 1, "basis_points": None, "month_hundredths": None, "due_on": None}
    entries.set_reserve(tenant, reserve_id="tax-2027", kind="tax", name="", rule="amount", **target, **said)
    entries.remove_reserve(tenant, "tax-2027", **said)
    entries.rule(tenant, defect=("far past due", "Bill", "1"), until=later, **said)
    entries.reopen(tenant, ("far past due", "Bill", "1"), **said)


def _use_connections(database: Database, clock: FixedClock) -> None:
    connections = make_connections(database, clock)
    connect(connections)
    with pytest.raises(RealmTaken):
        connect(connections, realm_id="9130002")
    connect(connections, realm_id="9130003")
    with connections.refresh_lease(ACME):
        connections.save_refreshed(connections.load(ACME), make_tokens("second"))
    connections.forget_previous(connections.load(ACME))
    connections.mark_lost(connections.load(ACME), because="x")
    connections.is_connected(ACME)
    connections.standing(ACME)


def _use_weeks(store: Store, registry: TenantRegistry, clock: FixedClock) -> None:
    friday = date(2026, 11, 20)
    tenant = registry.tenant(ACME)
    week = store.newest_week(tenant, as_of=friday)
    for ids in ("1", "2"):
        store.put(week, "books/ageing", make_rows(ids))
    store.week_of(tenant, as_of=friday, table="books/ageing")
    store.result(week, "books/ageing")
    store.sweep(ACME, now=clock.now())


def test_the_tables_without_a_tenant_are_known() -> None:
    assert {table.name for table in METADATA.sorted_tables} - _TENANT_TABLES == {
        FIRM.name,
        FIRM_DOCUMENT.name,
        *(table.name for table in FIRM_MAIL.all),
        PERSON.name,
        WEBHOOK_EVENT.name,
    }
