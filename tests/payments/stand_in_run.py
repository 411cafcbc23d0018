"""What the run of a batch does to the ledger, without a network: claim, send, answer, close. For tests of the ledger alone."""

from collections.abc import Callable
from datetime import timedelta

from payments.bills.cycles import cycle, move
from payments.cash.holds import post, void
from payments.sending.batches import require_generation
from payments.store.batch_tables import ATTEMPT, BATCH, INTENT, INTENT_BILL
from payments.store.invariants import RemotePayment
from payments.store.ledger import Ledger
from payments.store.repository import Act, Row
from payments.store.states import INTENT_FINAL
from resources.tenants import TenantId

_ACTOR = "system:run"


def claim(ledger: Ledger, tenant: TenantId, batch_id: str) -> int:
    """Take a batch; the generation."""
    with ledger.act(tenant, actor=_ACTOR, kind="batch claimed") as act:
        batch = act.one(BATCH, batch_id=batch_id)
        assert batch is not None
        changes = {
            "state": "claimed",
            "generation": batch["generation"] + 1,
            "holder": f"run {batch['generation'] + 1}",
        }
        act.update(
            BATCH, {"batch_id": batch_id}, changes | {"not_before": None, "lease_until": act.now + timedelta(minutes=2)}
        )
    return int(batch["generation"]) + 1


def send(ledger: Ledger, tenant: TenantId, intent_id: str, *, generation: int) -> bool:
    """The durable intent to send, behind the fence of the product; False if the payment was voided meanwhile."""
    with ledger.act(tenant, actor=_ACTOR, kind="payment sent") as act:
        intent = act.one(INTENT, intent_id=intent_id)
        assert intent is not None
        require_generation(act, batch_id=intent["batch_id"], generation=generation)
        if intent["state"] not in {"ready", "unknown"}:
            return False
        number = intent["attempts"] + 1
        act.update(INTENT, {"intent_id": intent_id}, {"state": "sent", "attempts": number, "sent_at": act.now})
        row = {"intent_id": intent_id, "number": number, "generation": generation, "sent_at": act.now}
        act.insert(ATTEMPT, row)
        _move_bills(act, intent_id, to="executing")
    return True


def answer(ledger: Ledger, tenant: TenantId, intent_id: str, *, outcome: str, remote_id: str | None = None) -> None:
    """What came of a send: landed, refused or unknown."""
    with ledger.act(tenant, actor=_ACTOR, kind=f"payment {outcome}") as act:
        intent = act.one(INTENT, intent_id=intent_id)
        assert intent is not None
        keys = {"intent_id": intent_id, "number": intent["attempts"]}
        if outcome != "unknown":
            act.update(ATTEMPT, keys, {"answered_at": act.now, "outcome": outcome})
        if outcome == "landed":
            act.update(
                INTENT, {"intent_id": intent_id}, {"state": "paid", "remote_id": remote_id, "recorded_at": act.now}
            )
            _each_hold(act, intent_id, lambda line: post(act, hold_id=line["hold_id"], recorded_at=act.now))
            _move_bills(act, intent_id, to="paid")
        elif outcome == "refused":
            act.update(INTENT, {"intent_id": intent_id}, {"state": "refused"})
            _each_hold(act, intent_id, lambda line: _end_line(act, line))
            _move_bills(act, intent_id, to="failed")
        else:
            act.update(INTENT, {"intent_id": intent_id}, {"state": "unknown"})
            _move_bills(act, intent_id, to="unknown")


def close(ledger: Ledger, tenant: TenantId, batch_id: str) -> None:
    """Settle a batch whose payments are final, or let it wait."""
    with ledger.act(tenant, actor=_ACTOR, kind="batch closed") as act:
        states = {row["state"] for row in act.many(INTENT, INTENT.c.batch_id == batch_id)}
        if states <= INTENT_FINAL:
            state = "settled" if states == {"paid"} else "settled_with_exceptions"
            act.update(BATCH, {"batch_id": batch_id}, {"state": state, "settled_at": act.now})
        else:
            act.update(BATCH, {"batch_id": batch_id}, {"state": "waiting", "not_before": act.now, "lease_until": None})


def remote(intent: Row, remote_id: str) -> RemotePayment:
    """The record that a landed payment leaves in the books."""
    return RemotePayment(remote_id=remote_id, doc_number=intent["doc_number"], amount_cents=intent["amount_cents"])


def _end_line(act: Act, line: Row) -> None:
    act.update(INTENT_BILL, {"intent_id": line["intent_id"], "bill_id": line["bill_id"]}, {"live": 0})
    void(act, hold_id=line["hold_id"], because="refused")


def _each_hold(act: Act, intent_id: str, do: Callable[[Row], None]) -> None:
    for line in act.many(INTENT_BILL, INTENT_BILL.c.intent_id == intent_id):
        do(line)


def _move_bills(act: Act, intent_id: str, *, to: str) -> None:
    for line in act.many(INTENT_BILL, INTENT_BILL.c.intent_id == intent_id):
        bill = cycle(act, bill_id=line["bill_id"], number=line["cycle"])
        if bill["state"] == "unknown" and to == "failed":
            to = "needs_review"
        if bill["state"] != to:
            move(act, bill, to=to)
