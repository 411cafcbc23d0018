"""Holds: money set aside for a bill, from the soft one of a proposal to the one that a balance reflects.

Belongs here: setting aside, hardening, posting, voiding, what they draw on a reserve. Does not: whether it fits (`free_cash.py`
and the database), decisions.

A hold leaves `pending` once: posted when the books have the payment, void when it will not be made. No clock ends a pending hold.
"""

from datetime import date, datetime, timedelta

from payments.cash.reserves import move_money
from payments.store.batch_tables import ATTEMPT, INTENT, INTENT_BILL
from payments.store.cash_tables import HOLD, RESERVE_MOVEMENT
from payments.store.names import new_id
from payments.store.repository import Act, Look, Row


def live_hold(look: Look, bill: Row) -> Row | None:
    """The soft or pending hold of a bill."""
    return look.one(HOLD, bill_id=bill["bill_id"], state=("soft", "pending"))


def propose(act: Act, bill: Row, *, account_id: str, amount_cents: int, seconds: int) -> str:
    """The soft hold of a staged bill: visible, expires, blocks nobody; in place of an earlier one."""
    release(act, bill, because="staged again")
    row = _row(act, bill, account_id=account_id, amount_cents=amount_cents)
    act.insert(HOLD, row | {"state": "soft", "expires_at": act.now + timedelta(seconds=seconds)})
    return str(row["hold_id"])


def set_aside(act: Act, bill: Row, decision: Row, *, promote_on: date | None = None) -> str:
    """The hold of a decision to pay, with its draw on a reserve: pending, or soft until `promote_on`.

    The database refuses it if it does not fit.
    """
    row = _row(act, bill, account_id=decision["account_id"], amount_cents=decision["amount_cents"])
    row |= {"decision_id": decision["decision_id"], "break_glass_id": decision["break_glass_id"]}
    if promote_on is not None:
        act.insert(HOLD, row | {"state": "soft", "promote_on": promote_on})
    elif not decision["drawn_cents"]:
        act.insert(HOLD, row | {"state": "pending"})
    else:
        # The draw names its hold and makes room for it: soft for the moment between the two.
        act.insert(HOLD, row | {"state": "soft", "promote_on": act.today})
        harden(act, row["hold_id"], decision)
    return str(row["hold_id"])


def harden(act: Act, hold_id: str, decision: Row) -> None:
    """Make a decision's soft hold pending; its draw on the reserve comes first."""
    if decision["drawn_cents"]:
        move_money(
            act,
            reserve_id=decision["reserve_id"],
            kind="draw",
            amount_cents=decision["drawn_cents"],
            reason=f"payment of bill {decision['bill_id']}",
            hold_id=hold_id,
        )
    act.update(HOLD, {"hold_id": hold_id}, {"state": "pending", "expires_at": None})


def release(act: Act, bill: Row, *, because: str) -> None:
    """Void the bill's live hold, if it has one."""
    hold = live_hold(act, bill)
    if hold is not None:
        void(act, hold_id=hold["hold_id"], because=because)


def void(act: Act, *, hold_id: str, because: str) -> None:
    """End a hold whose payment will not be made; what it drew goes back to its reserve."""
    hold = act.update(HOLD, {"hold_id": hold_id}, {"state": "void", "void_because": because, "expires_at": None})
    if hold["decision_id"] is None:  # a proposal draws on nothing
        return
    for drawn in act.many(RESERVE_MOVEMENT, hold_id=hold_id, kind="draw"):
        move_money(
            act,
            reserve_id=drawn["reserve_id"],
            kind="return",
            amount_cents=-drawn["signed_cents"],
            reason=because,
            hold_id=hold_id,
        )


def post(act: Act, *, hold_id: str, recorded_at: datetime) -> None:
    """The books have the payment, entered at `recorded_at`: the hold stays until a balance shows it."""
    act.update(HOLD, {"hold_id": hold_id}, {"state": "posted", "recorded_at": recorded_at})


def reflect_posted(act: Act, *, account_id: str, read_started_at: datetime, sync_id: str) -> int:
    """Let go of posted holds that a balance shows: its read began after the payment was entered. How many."""
    shown = HOLD.c.account_id == account_id, HOLD.c.state == "posted", HOLD.c.recorded_at < read_started_at
    found = act.many(HOLD, *shown)
    for hold in found:
        act.update(HOLD, {"hold_id": hold["hold_id"]}, {"state": "reflected", "reflected_by": sync_id})
    return len(found)


def expire_proposals(act: Act) -> int:
    """Void the soft holds of proposals whose time is over; the bills stay staged. How many."""
    found = act.many(HOLD, HOLD.c.state == "soft", HOLD.c.expires_at < act.now)
    for hold in found:
        void(act, hold_id=hold["hold_id"], because="the proposal expired")
    return len(found)


def are_unsent(look: Look, hold_id: str) -> bool:
    """Whether no payment of a hold can have moved money, and each is of this bill alone."""
    _, intents = _payments(look, hold_id)
    # A payment of several bills is one payment: without one of them it is not what was sealed.
    shared = any(len(look.many(INTENT_BILL, intent_id=one["intent_id"])) > 1 for one in intents)
    return not shared and not any(may_have_moved(look, one) for one in intents)


def may_have_moved(look: Look, intent: Row) -> bool:
    """Whether a payment that waits, or somebody has to look at, can have moved money.

    An attempt that somebody knows was not processed did nothing: a payment file that was thrown away never went to the bank.
    """
    if intent["instructed_at"] or intent["state"] not in {"waiting", "ready", "needs_review"}:
        return True
    return any(one["outcome"] != "not_processed" for one in look.many(ATTEMPT, intent_id=intent["intent_id"]))


def void_unsent(act: Act, hold_id: str) -> None:
    """Void the payments of a hold that `are_unsent`."""
    lines, intents = _payments(act, hold_id)
    for intent in intents:
        act.update(INTENT, {"intent_id": intent["intent_id"]}, {"state": "void"})
    for line in lines:
        act.update(INTENT_BILL, {"intent_id": line["intent_id"], "bill_id": line["bill_id"]}, {"live": 0})


def _payments(look: Look, hold_id: str) -> tuple[list[Row], list[Row]]:
    """The live lines of a hold's payments, and those payments."""
    lines = look.many(INTENT_BILL, hold_id=hold_id, live=1)
    return lines, look.many(INTENT, intent_id=[line["intent_id"] for line in lines])


def _row(act: Act, bill: Row, *, account_id: str, amount_cents: int) -> Row:
    return {
        "hold_id": new_id(),
        "bill_id": bill["bill_id"],
        "cycle": bill["cycle"],
        "account_id": account_id,
        "amount_cents": amount_cents,
        "created_by": act.actor,
        "created_at": act.now,
    }
