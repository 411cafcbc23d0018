"""A payment on its way out: the intent, what it pays, and what that was when it was decided.

Belongs here: reading it from the ledger. Does not: moving it (`fates.py`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from payments.store.batch_tables import ATTEMPT, INTENT, INTENT_BILL
from payments.store.bill_tables import BILL_WORKFLOW, DECISION
from payments.store.repository import Look, Row


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """One payment as the ledger has it."""

    intent: Row
    #: One a bill: how much of which hold.
    lines: tuple[Row, ...]
    #: The bills' cycles, by bill id.
    bills: Mapping[str, Row]
    #: The cash and the credits applied to each bill, by bill id.
    applied: Mapping[str, int]
    first_sent_at: datetime | None
    #: Sends that may have landed: those that QuickBooks said it did not process use no attempt up.
    unclear_sends: int

    @property
    def intent_id(self) -> str:
        """Its id."""
        return str(self.intent["intent_id"])

    @property
    def is_whole_balance(self) -> bool:
        """Whether nothing of its bills is left once it is made."""
        return all(self.applied[bill_id] == bill["open_cents"] for bill_id, bill in self.bills.items())


def outgoing(look: Look, intent_id: str) -> Outgoing:
    """The payment of this id."""
    intent = look.one(INTENT, intent_id=intent_id)
    assert intent is not None, "intents are never deleted"
    lines = tuple(look.many(INTENT_BILL, intent_id=intent_id))
    cycles = look.many(BILL_WORKFLOW, bill_id=[line["bill_id"] for line in lines])
    by_cycle = {(row["bill_id"], row["cycle"]): row for row in cycles}
    decisions = look.many(DECISION, decision_id=[line["decision_id"] for line in lines])
    attempts = look.many(ATTEMPT, intent_id=intent_id)
    return Outgoing(
        intent=intent,
        lines=lines,
        bills={line["bill_id"]: by_cycle[line["bill_id"], line["cycle"]] for line in lines},
        applied={
            row["bill_id"]: row["amount_cents"] + sum(credit["amount_cents"] for credit in row["credits"])
            for row in decisions
        },
        first_sent_at=min((row["sent_at"] for row in attempts), default=None),
        unclear_sends=sum(row["outcome"] != "not_processed" for row in attempts),
    )


def followers(look: Look, payment: Outgoing) -> list[Row]:
    """The book entries that wait for this payment's money; none of a book entry."""
    ids = {row["intent_id"] for row in of_same_decisions(look, payment, leg="book")} - {payment.intent_id}
    return look.many(INTENT, INTENT.c.intent_id.in_(ids), INTENT.c.state == "waiting")


def of_same_decisions(look: Look, payment: Outgoing, *, leg: str) -> list[Row]:
    """The payments of one leg that carry out the decisions of this one."""
    decisions = [line["decision_id"] for line in payment.lines]
    lines = look.many(INTENT_BILL, decision_id=decisions, leg=leg)
    return look.many(INTENT, INTENT.c.intent_id.in_({line["intent_id"] for line in lines}))
