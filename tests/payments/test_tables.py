"""What the payment ledger's tables refuse by themselves, on both engines: the last line of defence against paying twice."""

from typing import Any

import pytest
from sqlalchemy import Table
from sqlalchemy.exc import IntegrityError

from payments.store.batch_tables import ATTEMPT, BATCH, BATCH_ITEM, INTENT, INTENT_BILL
from payments.store.bill_tables import APPROVAL, BILL_WORKFLOW, BREAK_GLASS, DECISION, PAYEE, ROLE_GRANT
from payments.store.cash_tables import CASH_ACCOUNT, HOLD, RESERVE_MOVEMENT, SHORTFALL
from payments.store.tables import REPLAYED
from resources.clock import FixedClock
from resources.database import Database
from resources.tables import METADATA
from tests.payments.rows import NOW, ROWS, TODAY, change, put, put_all
from tests.resources.builders import ACME, BOLT, add_tenants


@pytest.fixture
def ledger(database: Database, clock: FixedClock) -> Database:
    """Two tenants; the first has one decided, held payment in an open batch."""
    add_tenants(database, clock, ACME, BOLT)
    put_all(database)
    return database


def _refuse(database: Database, table: Table, *, guard: str, **overrides: Any) -> None:
    with pytest.raises(IntegrityError, match=guard):
        put(database, table, **overrides)


_NEXT: dict[Table, dict[str, Any]] = {
    BILL_WORKFLOW: {"cycle": 2},
    DECISION: {"decision_id": "d2", "number": 2, "request_key": "k2"},
    HOLD: {"hold_id": "h2"},
    BATCH: {"batch_id": "p2"},
    INTENT: {"intent_id": "i2", "ordinal": 2, "request_id": "r2", "doc_number": "RW-2"},
    APPROVAL: {"approval_id": "a2"},
    PAYEE: {"version": 2},
    BREAK_GLASS: {"break_glass_id": "x2"},
    ATTEMPT: {"number": 2},
    RESERVE_MOVEMENT: {"number": 2},
    SHORTFALL: {"shortfall_id": "s2"},
    CASH_ACCOUNT: {"account_id": "36"},
    ROLE_GRANT: {"grant_id": "g2", "role": "viewer"},
}


def test_every_table_of_the_ledger_has_a_row_here() -> None:
    names = {table.name for table in ROWS}
    assert {table.name for table in REPLAYED} | {"person", "audit"} == names
    assert names <= METADATA.tables.keys()


def test_a_second_live_hold_for_a_decision_is_refused(ledger: Database) -> None:
    _refuse(ledger, HOLD, hold_id="h2", guard="uq_hold_|hold.decision_id|hold.bill_id")


def test_a_hold_may_follow_a_void_one(ledger: Database) -> None:
    with ledger.write() as connection:
        voided = {"state": "void", "void_because": "withdrawn"}
        connection.execute(HOLD.update().where(HOLD.c.tenant_id == ACME).values(voided))
    put(ledger, HOLD, hold_id="h2")


def test_a_second_live_payment_of_a_bill_and_leg_is_refused(ledger: Database) -> None:
    put(ledger, INTENT, **_NEXT[INTENT])
    _refuse(ledger, INTENT_BILL, intent_id="i2", guard="uq_intent_bill_live|intent_bill.leg")


@pytest.mark.parametrize("difference", [{"leg": "rail"}, {"live": 0}])
def test_another_leg_and_a_dead_payment_are_no_second_payment(ledger: Database, difference: dict[str, Any]) -> None:
    put(ledger, INTENT, **_NEXT[INTENT])
    put(ledger, INTENT_BILL, intent_id="i2", **difference)


def test_a_decision_is_in_one_batch(ledger: Database) -> None:
    put(ledger, BATCH, batch_id="p2")
    _refuse(ledger, BATCH_ITEM, batch_id="p2", guard="uq_batch_item|batch_item.decision_id")


_POINTING: list[tuple[Table, dict[str, Any]]] = [
    (APPROVAL, {"approval_id": "a9"}),
    (DECISION, {"decision_id": "d9"}),
    (HOLD, {"hold_id": "h9", "decision_id": None, "state": "soft", "expires_at": NOW}),
    (BATCH_ITEM, {}),
    (INTENT, {"intent_id": "i9"}),
    (INTENT_BILL, {"bill_id": "b9"}),
    (ATTEMPT, {"number": 9}),
]


def test_a_row_cannot_point_at_another_tenants(ledger: Database) -> None:
    """Each id exists, but with the other tenant."""
    for table, own_key in _POINTING:
        _refuse(ledger, table, tenant_id=BOLT, guard=r"(?i)foreign key", **own_key)


def test_a_row_of_no_tenant_is_refused_and_two_tenants_may_use_the_same_ids(ledger: Database) -> None:
    for table in (BILL_WORKFLOW, CASH_ACCOUNT):
        _refuse(ledger, table, tenant_id="nobody-knows", guard=r"(?i)foreign key")
        put(ledger, table, tenant_id=BOLT)


_VOID = {"state": "void", "void_because": "x"}


_NONSENSE: list[tuple[Table, dict[str, Any], str]] = [
    (HOLD, {**_VOID, "expires_at": NOW}, "ck_hold_only_soft_holds_expire"),
    (HOLD, {"state": "soft"}, "ck_hold_only_soft_holds_expire"),
    (HOLD, {"decision_id": None}, "ck_hold_hard_holds_have_a_decision"),
    (HOLD, {"state": "void"}, "ck_hold_void_for_a_reason"),
    (HOLD, {"state": "posted"}, "ck_hold_posted_was_recorded"),
    (HOLD, {"state": "reflected", "recorded_at": NOW}, "ck_hold_reflected_by_a_sync"),
    (HOLD, {"state": "held"}, "ck_hold_known_state"),
    (HOLD, {**_VOID, "amount_cents": 12_499}, "amount, account and bill of its decision"),
    (HOLD, {**_VOID, "account_id": "36"}, "amount, account and bill of its decision"),
    (BATCH, {"state": "done"}, "ck_batch_known_state|begins open"),
    (BATCH, {"state": "finalized"}, "begins open|ck_batch_finalized_is_sealed"),
    (BILL_WORKFLOW, {"bill_id": "b2", "state": "paid"}, "ck_bill_workflow_ended_has_its_time"),
    (BILL_WORKFLOW, {"bill_id": "b2", "state": "delayed"}, "ck_bill_workflow_only_delayed_wakes"),
    (BILL_WORKFLOW, {"state": "approved"}, "uq_bill_workflow_live|bill_workflow.bill_id"),
    (DECISION, {"ruling": "maybe"}, "ck_decision_known_ruling|ck_decision_"),
    (DECISION, {"amount_cents": 0}, "ck_decision_positive_amount"),
    (DECISION, {"request_key": "k1"}, "uq_decision_tenant_id_request_key|decision.request_key"),
    (DECISION, {"number": 1}, "uq_decision_tenant_id_bill_id_number|decision.number"),
    (DECISION, {"account_id": None}, "ck_decision_payments_name_their_account"),
    (DECISION, {"drawn_cents": 1}, "ck_decision_draws_on_a_reserve"),
    (DECISION, {"drawn_cents": 12_501, "reserve_id": "r1"}, "ck_decision_draws_at_most_its_amount"),
    (BREAK_GLASS, {"confirmed_by": "ann", "confirmed_at": NOW}, "ck_break_glass_two_people"),
    (BREAK_GLASS, {"reason": "because"}, "ck_break_glass_reason_is_given"),
    (PAYEE, {"state": "rejected", "confirmed_by": "ann", "confirmed_at": NOW}, "ck_payee_two_people"),
    (PAYEE, {"state": "confirmed"}, "ck_payee_confirmed_by_somebody"),
    (PAYEE, {}, "uq_payee_proposed|payee.vendor_id"),
    (APPROVAL, {}, "uq_approval_live|approval.approved_by"),
    (APPROVAL, {"voided_at": NOW}, "ck_approval_voided_for_a_reason"),
    (INTENT, {"request_id": "r1"}, "uq_intent_tenant_id_request_id|intent.request_id"),
    (INTENT, {"doc_number": "RW-1"}, "uq_intent_tenant_id_doc_number|intent.doc_number"),
    (INTENT, {"ordinal": 1}, "uq_intent_ordinal|intent.ordinal"),
    (INTENT, {"leg": "arm"}, "ck_intent_known_leg|ck_intent_"),
    (INTENT, {"leg": "rail"}, "ck_intent_record_only_moves_nothing"),
    (INTENT, {"rail": "nacha_file"}, "a book entry waits for its rail"),
    (INTENT, {"amount_cents": -1}, "ck_intent_positive_amount"),
    (INTENT, {"state": "sent", "attempts": 1, "sent_at": NOW}, "begins unsent"),
    (INTENT_BILL, {"intent_id": "i1", "bill_id": "b2", "leg": "arm", "live": 0}, "ck_intent_bill_known_leg"),
    (INTENT_BILL, {"bill_id": "b2", "amount_cents": 0}, "ck_intent_bill_positive_amount"),
    (INTENT_BILL, {"bill_id": "b2", "live": 2}, "ck_intent_bill_live_is_boolean"),
    (RESERVE_MOVEMENT, {"signed_cents": -1}, "ck_reserve_movement_signed_by_its_kind"),
    (RESERVE_MOVEMENT, {"kind": "draw", "signed_cents": -1}, "ck_reserve_movement_draws_name_their_hold"),
    (RESERVE_MOVEMENT, {"kind": "release", "signed_cents": -1_001}, "never overdrawn"),
    (SHORTFALL, {"missing_cents": 0}, "ck_shortfall_something_is_missing"),
    (CASH_ACCOUNT, {"floor_cents": -1}, "ck_cash_account_floor_is_an_amount"),
    (ROLE_GRANT, {"role": "king"}, "ck_role_grant_known_role"),
    (ROLE_GRANT, {"role": "owner"}, "uq_role_grant_live|role_grant.role"),
]


def test_what_makes_no_sense_is_refused(ledger: Database) -> None:
    """In one test: a refused row leaves the ledger as it was, and making one takes longer than all refusals.

    The standing hold is void, so that nothing speaks against another but what is wrong with it.
    """
    change(ledger, HOLD, **_VOID)
    for table, wrong, guard in _NONSENSE:
        _refuse(ledger, table, guard=guard, **{**_NEXT.get(table, {}), **wrong})


def test_days_of_due_batches_are_taken_once(ledger: Database) -> None:
    put(ledger, BATCH, batch_id="p2", origin="due")
    _refuse(ledger, BATCH, batch_id="p3", origin="due", guard="uq_batch_due|batch.pay_on")
    put(ledger, BATCH, batch_id="p3", origin="due", pay_on=TODAY.replace(day=21))
