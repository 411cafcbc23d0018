"""What the payment ledger's tables refuse by themselves, on both engines: the last line of defence against paying twice."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from sqlalchemy import Table
from sqlalchemy.exc import IntegrityError

from payments.tables import BATCH, DECISION, HOLD, INTENT, INTENT_BILL
from resources.clock import FixedClock
from resources.database import Database
from tests.resources.builders import ACME, BOLT, add_tenants

NOW = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)

#: One acceptable row of each table; a test overrides what it is about.
_ROWS: dict[Table, dict[str, Any]] = {
    DECISION: {
        "decision_id": "d1",
        "bill_id": "b1",
        "number": 1,
        "ruling": "pay_now",
        "amount_cents": 12_500,
        "account_id": "35",
        "pay_on": date(2026, 11, 20),
        "fingerprint": "f1",
        "decided_by": "ann",
        "decided_at": NOW,
        "request_key": "k1",
    },
    HOLD: {
        "hold_id": "h1",
        "decision_id": "d1",
        "account_id": "35",
        "amount_cents": 12_500,
        "state": "pending",
        "expires_at": None,
        "created_at": NOW,
    },
    BATCH: {"batch_id": "p1", "state": "open", "generation": 0},
    INTENT: {
        "intent_id": "i1",
        "batch_id": "p1",
        "hold_id": "h1",
        "leg": "rail",
        "ordinal": 1,
        "request_id": "r1",
        "doc_number": "RW-1",
        "amount_cents": 12_500,
        "body": b"{}",
        "body_sha256": "00",
        "state": "ready",
        "attempts": 0,
    },
    INTENT_BILL: {"intent_id": "i1", "bill_id": "b1", "leg": "rail", "amount_cents": 12_500, "live": 1},
}


@pytest.fixture
def ledger(database: Database, clock: FixedClock) -> Database:
    """Two tenants; the first has one decided, held, batched payment."""
    add_tenants(database, clock, ACME, BOLT)
    for table in _ROWS:
        _put(database, table)
    return database


def _put(database: Database, table: Table, **overrides: Any) -> None:
    with database.write() as connection:
        connection.execute(table.insert().values({"tenant_id": ACME, **_ROWS[table], **overrides}))


def _refuse(database: Database, table: Table, *, guard: str, **overrides: Any) -> None:
    with pytest.raises(IntegrityError, match=guard):
        _put(database, table, **overrides)


def test_a_second_live_hold_for_a_decision_is_refused(ledger: Database) -> None:
    _refuse(ledger, HOLD, hold_id="h2", guard="uq_hold_tenant_id_decision_id|hold.decision_id")


def test_a_hold_may_follow_a_void_one(ledger: Database) -> None:
    with ledger.write() as connection:
        connection.execute(HOLD.update().where(HOLD.c.tenant_id == ACME).values(state="void"))
    _put(ledger, HOLD, hold_id="h2")


def test_a_second_live_payment_of_a_bill_and_leg_is_refused(ledger: Database) -> None:
    _put(ledger, INTENT, intent_id="i2", ordinal=2, request_id="r2", doc_number="RW-2")
    _refuse(ledger, INTENT_BILL, intent_id="i2", guard="uq_intent_bill_live|intent_bill.leg")


@pytest.mark.parametrize("difference", [{"leg": "book"}, {"live": 0}, {"bill_id": "b2"}])
def test_another_leg_a_dead_payment_and_another_bill_are_no_second_payment(
    ledger: Database, difference: dict[str, Any]
) -> None:
    _put(ledger, INTENT, intent_id="i2", ordinal=2, request_id="r2", doc_number="RW-2")
    _put(ledger, INTENT_BILL, intent_id="i2", **difference)


@pytest.mark.parametrize(
    ("table", "own_key"),
    [
        pytest.param(HOLD, {"hold_id": "h9"}, id="hold -> decision"),
        pytest.param(INTENT, {"intent_id": "i9"}, id="intent -> batch and hold"),
        pytest.param(INTENT_BILL, {"bill_id": "b9"}, id="intent_bill -> intent"),
    ],
)
def test_a_row_cannot_point_at_another_tenants(ledger: Database, table: Table, own_key: dict[str, str]) -> None:
    """Each id exists, but with the other tenant."""
    _refuse(ledger, table, tenant_id=BOLT, guard=r"(?i)foreign key", **own_key)


@pytest.mark.parametrize("table", [DECISION, BATCH], ids=str)
def test_a_row_of_no_tenant_is_refused(ledger: Database, table: Table) -> None:
    _refuse(ledger, table, tenant_id="nobody-knows", guard=r"(?i)foreign key")


@pytest.mark.parametrize("table", [DECISION, BATCH], ids=str)
def test_two_tenants_may_use_the_same_ids(ledger: Database, table: Table) -> None:
    _put(ledger, table, tenant_id=BOLT)


_NEXT_DECISION = {"decision_id": "d2", "number": 2, "request_key": "k2"}
_NEXT_INTENT = {"intent_id": "i2", "request_id": "r2", "doc_number": "RW-2"}
_SEALED = {"batch_id": "p2", "seal": "s", "item_count": 1, "total_cents": 1}


@pytest.mark.parametrize(
    ("table", "wrong", "guard"),
    [
        (HOLD, {"hold_id": "h2", "state": "soft", "decision_id": None}, "ck_hold_only_soft_holds_expire"),
        (HOLD, {"hold_id": "h2", "state": "void", "expires_at": NOW}, "ck_hold_only_soft_holds_expire"),
        (HOLD, {"hold_id": "h2", "decision_id": None}, "ck_hold_hard_holds_have_a_decision"),
        (HOLD, {"hold_id": "h2", "state": "held"}, "ck_hold_known_state"),
        (HOLD, {"hold_id": "h2", "state": "void", "amount_cents": 0}, "ck_hold_positive_amount"),
        (BATCH, {"batch_id": "p2", "state": "finalized"}, "ck_batch_finalized_is_sealed"),
        (BATCH, {**_SEALED, "state": "claimed", "total_cents": None}, "ck_batch_finalized_is_sealed"),
        (BATCH, {**_SEALED, "state": "done"}, "ck_batch_known_state"),
        (DECISION, {**_NEXT_DECISION, "ruling": "maybe"}, "ck_decision_known_ruling"),
        (DECISION, {**_NEXT_DECISION, "amount_cents": 0}, "ck_decision_positive_amount"),
        (DECISION, {**_NEXT_DECISION, "request_key": "k1"}, "uq_decision_tenant_id_request_key|decision.request_key"),
        (DECISION, {**_NEXT_DECISION, "number": 1}, "uq_decision_tenant_id_bill_id_number|decision.number"),
        (INTENT, {**_NEXT_INTENT, "request_id": "r1"}, "uq_intent_tenant_id_request_id|intent.request_id"),
        (INTENT, {**_NEXT_INTENT, "doc_number": "RW-1"}, "uq_intent_tenant_id_doc_number|intent.doc_number"),
        (INTENT, {**_NEXT_INTENT, "state": "paid"}, "ck_intent_paid_names_its_record"),
        (INTENT, {**_NEXT_INTENT, "state": "gone"}, "ck_intent_known_state"),
        (INTENT, {**_NEXT_INTENT, "leg": "arm"}, "ck_intent_known_leg"),
        (INTENT, {**_NEXT_INTENT, "amount_cents": -1}, "ck_intent_positive_amount"),
        (INTENT_BILL, {"bill_id": "b2", "leg": "arm"}, "ck_intent_bill_known_leg"),
        (INTENT_BILL, {"bill_id": "b2", "amount_cents": 0}, "ck_intent_bill_positive_amount"),
        (INTENT_BILL, {"bill_id": "b2", "live": 2}, "ck_intent_bill_live_is_boolean"),
    ],
    ids=str,
)
def test_what_makes_no_sense_is_refused(ledger: Database, table: Table, wrong: dict[str, Any], guard: str) -> None:
    _refuse(ledger, table, guard=guard, **wrong)
