"""What of a tenant's payments waits, and for whom.

Belongs here: counting bills by who has to do something next. Does not: doing it; what a bill's state means (`store/states.py`).
"""

from collections import Counter
from dataclasses import dataclass

from payments.bills.cycles import newest_decision
from payments.store.batch_tables import BATCH, BATCH_ITEM
from payments.store.bill_tables import BILL_WORKFLOW, DECISION
from payments.store.repository import Look, Row


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentsWaiting:
    """Bills of the ledger, each counted once."""

    to_approve: int
    """Nobody has said yet that they are owed."""
    to_decide: int
    """Staged: proposed for payment, without a decision."""
    due: int
    """Scheduled, and its day has come: it waits for a fresh balance, a clock that is believed or the next day's batches."""
    to_seal: int
    """Decided, and in no batch that somebody has finalized."""
    sealed: int
    """In a batch that is on its way and not settled."""
    to_review: int
    """A person has to look: what became of the payment is not known, or it no longer passes."""


def payments_waiting(look: Look) -> PaymentsWaiting:
    """The tenant's bills that are neither ended nor waiting for a day of their own."""
    bills = look.many(BILL_WORKFLOW, BILL_WORKFLOW.c.ended_at.is_(None))
    states = Counter(row["state"] for row in bills)
    unsealed = _in_unsealed_batches(look) if states["batched"] else set()
    in_unsealed = sum(row["state"] == "batched" and (row["bill_id"], row["cycle"]) in unsealed for row in bills)
    return PaymentsWaiting(
        to_approve=states["awaiting_approval"],
        to_decide=states["staged"],
        due=len(due_payments(look)) if states["scheduled"] else 0,
        to_seal=states["decided"] + in_unsealed,
        sealed=states["batched"] + states["executing"] - in_unsealed,
        to_review=states["needs_review"] + states["unknown"],
    )


def due_payments(look: Look) -> list[tuple[Row, Row]]:
    """Scheduled bills whose day has come and that are in no batch, with their decisions."""
    found = []
    for bill in look.many(BILL_WORKFLOW, BILL_WORKFLOW.c.state == "scheduled"):
        decision = newest_decision(look, bill)
        assert decision is not None, "a scheduled bill was decided"
        if decision["pay_on"] <= look.today:
            found.append((bill, decision))
    return found


def _in_unsealed_batches(look: Look) -> set[tuple[str, int]]:
    """Bill and cycle of what stands in batches that wait for a finalizer."""
    batches = [row["batch_id"] for row in look.many(BATCH, BATCH.c.state == "open")]
    decisions = [row["decision_id"] for row in look.many(BATCH_ITEM, BATCH_ITEM.c.batch_id.in_(batches))]
    return {(row["bill_id"], row["cycle"]) for row in look.many(DECISION, DECISION.c.decision_id.in_(decisions))}
