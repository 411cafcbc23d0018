"""What a decision, a batch and a tick of the sensor ask is found by an index, however long a tenant's history is."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, event

from payments.sending import fates
from payments.sending.outgoing import outgoing
from payments.sending.reconcile import of_numbers, recorded_since
from payments.sending.runs import Claim, claim, close, due_batches
from payments.sending.send_policy import SendPolicy
from payments.store.batch_tables import INTENT
from resources.qbo.bill_payments import RecordedPayment
from tests.payments.desk import Desk, make_bill

_POLICY = SendPolicy()
#: Tables that grow with each payment.
_GROWING = r"(?:hold|intent|intent_bill|decision|approval|bill_workflow|batch|batch_item|attempt|request)"
#: Every row, every row of a tenant, or every one of a leg.
_WALK = re.compile(
    rf"SCAN {_GROWING}\b|SEARCH {_GROWING} USING (?:COVERING )?INDEX \w+ \(tenant_id=\?(?: AND leg=\?)?\)"
)


@pytest.mark.parametrize("bare_desk", ["sqlite"], indirect=True)
def test_no_question_on_the_way_of_a_payment_walks_through_a_tenants_history(bare_desk: Desk) -> None:
    desk = bare_desk
    desk.sync(*(make_bill(name, open_cents=1_000) for name in ("b1", "b2", "b3")))
    with _traced() as seen:
        desk.ready("b1", "b2", "b3")
        decided = [desk.pay_now(name) for name in ("b1", "b2", "b3")]
        desk.delay("b3")
        batch_id = desk.finalize(*decided[:2]).batch_id
        assert len(due_batches(desk.database, now=desk.later(minutes=1), most=10)) == 1
        claimed = claim(desk.ledger, desk.tenant, batch_id=batch_id, holder="test", policy=_POLICY)
        assert isinstance(claimed, Claim)
        for intent in desk.rows(INTENT, INTENT.c.batch_id == batch_id):
            _pay(desk, claimed, intent["intent_id"])
        assert close(desk.ledger, claimed, until=None, policy=_POLICY)[0] == "settled"
    _assert_no_walk(desk, seen)


@pytest.mark.parametrize("bare_desk", ["sqlite"], indirect=True)
def test_a_comparison_asks_for_the_payments_of_its_days_and_no_others(bare_desk: Desk) -> None:
    """However many years a tenant has paid from here: those recorded before are not even read."""
    desk = bare_desk
    desk.sync(*(make_bill(name, open_cents=1_000) for name in ("b1", "b2")))
    desk.ready("b1", "b2")
    numbers = [_paid(desk, "b1")]
    since = desk.later(days=100)
    desk.sync(make_bill("b2", open_cents=1_000))
    numbers.append(_paid(desk, "b2"))
    with _traced() as seen, desk.ledger.look(desk.tenant) as look:
        assert [row["doc_number"] for row in recorded_since(look, since)] == numbers[1:]
        assert (list(of_numbers(look, [])), list(of_numbers(look, numbers[:1]))) == ([], numbers[:1])
    _assert_no_walk(desk, seen)
    with desk.database.read() as connection:
        plans = [line for text, bound in seen for line in _plan(connection, text, bound) if "recorded_at" in line]
    assert plans == [
        "SEARCH intent USING INDEX ix_intent_tenant_id_leg_recorded_at (tenant_id=? AND leg=? AND recorded_at>?)"
    ]


def _paid(desk: Desk, bill_id: str) -> str:
    """A bill decided, sealed and paid; the number of its payment."""
    batch_id = desk.finalize(desk.pay_now(bill_id)).batch_id
    claimed = claim(desk.ledger, desk.tenant, batch_id=batch_id, holder="test", policy=_POLICY)
    assert isinstance(claimed, Claim)
    (intent,) = desk.rows(INTENT, INTENT.c.batch_id == batch_id)
    _pay(desk, claimed, intent["intent_id"])
    return str(intent["doc_number"])


def _assert_no_walk(desk: Desk, seen: list[tuple[str, Any]]) -> None:
    with desk.database.read() as connection:
        walks = {
            f"{line}: {text[text.find('WHERE') :]}"
            for text, bound in seen
            for line in _plan(connection, text, bound)
            if _WALK.search(line)
        }
    assert not walks, "\n".join(sorted(walks))


def _pay(desk: Desk, claimed: Claim, intent_id: str) -> None:
    with desk.ledger.look(desk.tenant) as look:
        payment = outgoing(look, intent_id)
    assert fates.send_written(desk.ledger, claimed, payment) is not None
    record = RecordedPayment(
        remote_id=f"r-{intent_id}",
        sync_token="0",
        doc_number=payment.intent["doc_number"],
        vendor_id=payment.intent["vendor_id"],
        total_cents=payment.intent["amount_cents"],
        bills={line["bill_id"]: line["amount_cents"] for line in payment.lines},
        recorded_at=desk.later(seconds=1) - timedelta(seconds=1),
    )
    assert fates.paid(desk.ledger, desk.tenant, intent_id=intent_id, record=record, was_found=False)


@contextmanager
def _traced() -> Iterator[list[tuple[str, Any]]]:
    seen: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, many: bool) -> None:  # noqa: FBT001 - SQLAlchemy's signature
        seen.append((statement, parameters[0] if many else parameters))

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(Engine, "before_cursor_execute", note)


def _plan(connection: Connection, text: str, bound: Any) -> list[str]:
    if not text.startswith(("SELECT", "UPDATE", "DELETE")):
        return []
    return [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}", bound)]
