"""One acceptable row of each table of the ledger, in the order in which they can be put in: a sealed, unsent payment."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import Connection, Table, text, update

from payments.store.batch_tables import ATTEMPT, BATCH, BATCH_ITEM, INTENT, INTENT_BILL
from payments.store.bill_tables import (
    APPROVAL,
    BILL_WORKFLOW,
    BREAK_GLASS,
    DECISION,
    PAYEE,
    PAYMENT_POLICY,
    PERSON,
    ROLE_GRANT,
    VENDOR_WATCH,
)
from payments.store.cash_tables import CASH_ACCOUNT, HOLD, RESERVE, RESERVE_MOVEMENT, SHORTFALL
from payments.store.tables import ALARM, AUDIT, REQUEST
from resources.database import Database
from resources.row_security import see_tenant
from tests.resources.builders import ACME

NOW = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)
TODAY = date(2026, 11, 20)
BILL = {"bill_id": "b1", "cycle": 1}

ROWS: dict[Table, dict[str, Any]] = {
    PERSON: {"person_id": "ann", "firm_id": "north-books", "name": "Ann", "active": 1, "created_at": NOW},
    ROLE_GRANT: {"grant_id": "g1", "person_id": "ann", "role": "owner", "granted_by": "operator", "granted_at": NOW},
    PAYMENT_POLICY: {
        "version": 1,
        "separation_above_cents": 0,
        "rules": [],
        "snapshot_max_age_seconds": 1,
        "due_snapshot_max_age_seconds": 1,
        "soft_hold_seconds": 1,
        "payee_watch_days": 1,
        "schedule_holds": "now",
        "promote_days_before": 0,
        "rail": "record_only",
        "group_by_vendor": 0,
        "set_by": "ann",
        "set_at": NOW,
    },
    VENDOR_WATCH: {"vendor_id": "v1", "name": "Paper Mill"},
    PAYEE: {
        "vendor_id": "v1",
        "version": 1,
        "state": "proposed",
        "sealed": b"sealed",
        "account_ending": "6789",
        "set_by": "ann",
        "set_at": NOW,
    },
    BILL_WORKFLOW: {
        **BILL,
        "state": "batched",
        "vendor_id": "v1",
        "vendor_name": "Paper Mill",
        "doc_number": "77",
        "txn_date": TODAY,
        "due_date": TODAY,
        "currency": "USD",
        "total_cents": 12_500,
        "open_cents": 12_500,
        "ap_account_id": "33",
        "lines_sha256": "00",
        "sync_token": "0",
        "fingerprint": "f1",
        "read_started_at": NOW,
        "discovered_at": NOW,
    },
    APPROVAL: {
        **BILL,
        "approval_id": "a1",
        "fingerprint": "f1",
        "amount_cents": 12_500,
        "approved_by": "ann",
        "roles": ["owner"],
        "approved_at": NOW,
    },
    CASH_ACCOUNT: {
        "account_id": "35",
        "name": "Checking",
        "book_cents": 100_000,
        "dated_later_cents": 0,
        "basis_cents": 100_000,
        "floor_cents": 20_000,
        "floor_kind": "amount",
        "sync_id": "s1",
        "read_started_at": NOW,
        "is_cash": 1,
    },
    RESERVE: {
        "reserve_id": "r1",
        "kind": "tax",
        "name": "Sales tax",
        "account_id": "35",
        "vendor_ids": [],
        "opened_by": "ann",
        "opened_at": NOW,
    },
    BREAK_GLASS: {
        **BILL,
        "break_glass_id": "x1",
        "missing_cents": 0,
        "overrides": [],
        "reason": "the lights go out",
        "declared_by": "ann",
        "declared_at": NOW,
        "confirm_until": NOW,
    },
    DECISION: {
        **BILL,
        "decision_id": "d1",
        "number": 1,
        "ruling": "pay_now",
        "amount_cents": 12_500,
        "credits": [],
        "account_id": "35",
        "pay_on": TODAY,
        "fingerprint": "f1",
        "policy_version": 1,
        "approvals": ["a1"],
        "separation": "apart",
        "drawn_cents": 0,
        "decided_by": "ann",
        "decided_at": NOW,
        "request_key": "k1",
    },
    HOLD: {
        **BILL,
        "hold_id": "h1",
        "decision_id": "d1",
        "account_id": "35",
        "amount_cents": 12_500,
        "state": "pending",
        "created_by": "ann",
        "created_at": NOW,
    },
    RESERVE_MOVEMENT: {
        "reserve_id": "r1",
        "number": 1,
        "kind": "allocate",
        "signed_cents": 1_000,
        "made_by": "ann",
        "made_at": NOW,
        "reason": "quarter",
    },
    SHORTFALL: {
        "shortfall_id": "s1",
        "account_id": "35",
        "missing_cents": 1,
        "cause": "a new balance",
        "opened_at": NOW,
        "resolved_by": "ann",
        "resolved_at": NOW,
        "resolution": "a deposit",
    },
    BATCH: {
        "batch_id": "p1",
        "origin": "people",
        "state": "open",
        "account_id": "35",
        "pay_on": TODAY,
        "rail": "record_only",
        "created_at": NOW,
        "generation": 0,
    },
    BATCH_ITEM: {
        "batch_id": "p1",
        "decision_id": "d1",
        "hold_id": "h1",
        "vendor_id": "v1",
        "amount_cents": 12_500,
    },
    INTENT: {
        "intent_id": "i1",
        "batch_id": "p1",
        "leg": "book",
        "rail": "record_only",
        "vendor_id": "v1",
        "account_id": "35",
        "bill_set": "b1",
        "ordinal": 1,
        "request_id": "r1",
        "doc_number": "RW-1",
        "amount_cents": 12_500,
        "body": b"{}",
        "body_sha256": "00",
        "state": "ready",
        "attempts": 0,
    },
    INTENT_BILL: {
        **BILL,
        "intent_id": "i1",
        "leg": "book",
        "decision_id": "d1",
        "hold_id": "h1",
        "amount_cents": 12_500,
        "live": 1,
    },
    ATTEMPT: {"intent_id": "i1", "number": 1, "generation": 1, "sent_at": NOW},
    ALARM: {
        "alarm_id": "a1",
        "kind": "duplicate",
        "subject": "b1",
        "detail": "two records",
        "remedy": "void one",
        "raised_at": NOW,
    },
    REQUEST: {
        "request_key": "k1",
        "verb": "pay_now",
        "content_sha256": "00",
        "actor": "ann",
        "made_at": NOW,
        "answer": {},
    },
    AUDIT: {
        "number": 1,
        "at": NOW,
        "actor": "ann",
        "kind": "pay now",
        "entity": "bill b1/1",
        "before": {},
        "after": {},
        "previous_hash": "",
        "hash": "00",
    },
}


def put(database: Database, table: Table, **overrides: Any) -> None:
    """Insert the row of a table, with what a test overrides."""
    tenant = {"tenant_id": ACME} if "tenant_id" in table.c else {}
    row = {**tenant, **ROWS[table], **overrides}
    with database.write() as connection:
        see_tenant(connection, row.get("tenant_id", ACME))
        connection.execute(table.insert().values(row))


def put_all(database: Database) -> None:
    """One row of each table; the attempt goes past the fence, for nobody has claimed the batch."""
    for table in ROWS:
        if table is not ATTEMPT:
            put(database, table)
    with database.write() as connection:
        see_tenant(connection, ACME)
        with unguarded(connection, ATTEMPT):
            connection.execute(ATTEMPT.insert().values({"tenant_id": ACME, **ROWS[ATTEMPT]}))


@contextmanager
def unguarded(connection: Connection, *tables: Table) -> Iterator[None]:
    """The tables without their triggers, in a transaction whose guards are back when the block is over."""
    if connection.dialect.name == "postgresql":
        named = [table.name for table in tables]
        for name in named:
            connection.exec_driver_sql(f"ALTER TABLE {name} DISABLE TRIGGER USER")
        yield
        for name in named:
            connection.exec_driver_sql(f"ALTER TABLE {name} ENABLE TRIGGER USER")
        return
    asked = text("SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = :name")
    found = [row for table in tables for row in connection.execute(asked, {"name": table.name}).all()]
    for name, _ in found:
        connection.exec_driver_sql(f"DROP TRIGGER {name}")
    yield
    for _, statement in found:
        connection.exec_driver_sql(statement)


def change(database: Database, table: Table, **values: Any) -> None:
    """Update every row of a table of the tenant."""
    with database.write() as connection:
        see_tenant(connection, ACME)
        connection.execute(update(table).where(table.c.tenant_id == ACME).values(**values))


SEALED = {
    "state": "finalized",
    "item_count": 1,
    "total_cents": 12_500,
    "seal": "s",
    "policy_version": 1,
    "separation": "apart",
    "finalized_by": "ann",
    "finalized_at": NOW,
}
