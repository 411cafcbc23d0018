"""The state machines of the ledger as data: which state may follow which.

Belongs here: states, transitions, what counts as ended. Does not: who may make a transition (`controls/people.py`), what it does.

The database refuses every other transition by trigger; a test compares the triggers with these tables.
"""

from collections.abc import Mapping

Machine = Mapping[str, frozenset[str]]


def _machine(**following: str) -> Machine:
    return {state: frozenset(names.split()) for state, names in following.items()}


#: A bill's way through one cycle. `decided` waits for a batch, `scheduled` for its day, `delayed` for the day it wakes.
BILL: Machine = _machine(
    discovered="awaiting_approval withdrawn superseded",
    awaiting_approval="approved withdrawn superseded",
    approved="staged awaiting_approval withdrawn superseded",
    staged="approved decided scheduled delayed awaiting_approval withdrawn superseded",
    decided="batched delayed withdrawn superseded",
    scheduled="batched delayed needs_review withdrawn superseded",
    delayed="staged awaiting_approval withdrawn superseded",
    batched="executing needs_review delayed withdrawn superseded",
    executing="paid failed unknown needs_review superseded",
    unknown="paid executing needs_review",
    needs_review="paid decided scheduled delayed written_off withdrawn superseded",
    paid="",
    failed="",
    withdrawn="",
    superseded="",
    written_off="",
)
BILL_STATES = tuple(BILL)
#: The cycle is over; what is still owed afterwards begins another.
BILL_ENDED = frozenset(state for state, following in BILL.items() if not following)
#: A decision to pay stands, and its hold with it.
BILL_COMMITTED = frozenset({"decided", "scheduled", "batched", "executing", "unknown", "needs_review"})

#: `posted`: the books have the payment; `reflected`: a balance read after it has it too.
HOLD: Machine = _machine(soft="pending void", pending="posted void", posted="reflected", reflected="", void="")
HOLD_STATES = tuple(HOLD)

#: `waiting`: a book entry whose money is not yet instructed. The key of a final intent is never used again.
INTENT: Machine = _machine(
    waiting="ready void",
    ready="sent paid needs_review void",
    sent="ready paid refused unknown needs_review",
    unknown="sent paid needs_review",
    needs_review="paid void",
    paid="",
    refused="",
    void="",
)
INTENT_STATES = tuple(INTENT)
INTENT_FINAL = frozenset(state for state, following in INTENT.items() if not following)

BATCH: Machine = _machine(
    open="finalized",
    finalized="claimed",
    claimed="waiting settled settled_with_exceptions",
    waiting="claimed",
    settled="",
    settled_with_exceptions="",
)
BATCH_STATES = tuple(BATCH)

MACHINES: Mapping[str, Machine] = {"bill_workflow": BILL, "hold": HOLD, "intent": INTENT, "batch": BATCH}


def may_follow(machine: Machine, before: str, after: str) -> bool:
    """Whether a row in one state may go to the other; staying is no transition."""
    return before == after or after in machine[before]
