"""Putting bills off and taking them out: delay, wake, withdraw, supersede.

Belongs here: ending what stands for a bill while nothing of it can have been sent, its money released in the same transaction. Does
not: deciding (`decisions.py`); payments under way, whose fate decides (the run of the batch).
"""

from datetime import date

from payments.bills.cycles import move, named, refuse_state, running, void_approvals
from payments.cash.holds import are_unsent, live_hold, release, void_unsent
from payments.controls.people import require
from payments.controls.policies import in_force, live_approvals
from payments.errors import BadRequest, WrongState
from payments.store.batch_tables import BATCH, BATCH_ITEM
from payments.store.bill_tables import BILL_WORKFLOW, DECISION
from payments.store.ledger import Ledger
from payments.store.names import new_id
from payments.store.repository import Act, Look, Row
from resources.tenants import TenantId


def delay(ledger: Ledger, tenant: TenantId, *, by: str, bill_id: str, until: date, request_key: str) -> str:
    """Put a bill off until a day, on which it is staged again; its money is released now. The decision's id."""
    content = {"bill_id": bill_id, "until": until}
    with ledger.act(tenant, actor=by, kind="bill delayed", point="delay") as act:
        require(act, by, "delay")
        if (earlier := act.repeated(request_key, verb="delay", content=content)) is not None:
            return str(earlier)
        bill = running(act, bill_id)
        refuse_state(bill, verb="delay", allowed=("staged", "decided", "scheduled", "batched", "needs_review"))
        if until <= act.today:
            raise BadRequest(what=f"{until} is not after today, {act.today}.", next_step="Name a later day.")
        act.entity = named(bill)
        let_go(act, bill, because=f"delayed until {until}")
        number = len(act.many(DECISION, DECISION.c.bill_id == bill_id)) + 1
        decision_id = new_id()
        row = {
            "decision_id": decision_id,
            "bill_id": bill_id,
            "cycle": bill["cycle"],
            "number": number,
            "ruling": "delay",
            "amount_cents": bill["open_cents"],
            "credits": [],
            "wake_on": until,
            "fingerprint": bill["fingerprint"],
            "policy_version": in_force(act).version,
            "approvals": [one["approval_id"] for one in live_approvals(act, bill)],
            "separation": "delegated" if by in {one["approved_by"] for one in live_approvals(act, bill)} else "apart",
            "drawn_cents": 0,
            "decided_by": by,
            "decided_at": act.now,
            "request_key": request_key,
        }
        act.insert(DECISION, row)
        move(act, bill, to="delayed", wake_on=until)
        act.answer(request_key, verb="delay", content=content, answer=decision_id)
    return decision_id


def wake(act: Act) -> int:
    """Stage the delayed bills whose day has come: a fresh decision is needed, for the cash is another. How many."""
    due = act.many(BILL_WORKFLOW, BILL_WORKFLOW.c.state == "delayed", BILL_WORKFLOW.c.wake_on <= act.today)
    for bill in due:
        move(act, bill, to="staged")
    return len(due)


def withdraw(ledger: Ledger, tenant: TenantId, *, by: str, bill_id: str, reason: str, request_key: str) -> None:
    """Take a bill out of the workflow; it comes back if it changes, or by `discovery.reopen`."""
    content = {"bill_id": bill_id, "reason": reason}
    with ledger.act(tenant, actor=by, kind="bill withdrawn") as act:
        require(act, by, "withdraw")
        if act.repeated(request_key, verb="withdraw", content=content) is not None:
            return
        bill = running(act, bill_id)
        act.entity = named(bill)
        if not reason.strip():
            raise BadRequest(what="A withdrawal needs a reason.", next_step="Say why in a few words.")
        let_go(act, bill, because="withdrawn")
        void_approvals(act, bill, because="the bill was withdrawn")
        move(act, bill, to="withdrawn", reason=reason.strip())
        act.answer(request_key, verb="withdraw", content=content, answer=True)


def supersede(act: Act, bill: Row, *, because: str) -> bool:
    """End a cycle whose bill is no longer what it was in QuickBooks; False if a payment of it is under way."""
    if not may_let_go(act, bill):
        return False
    let_go(act, bill, because=because)
    void_approvals(act, bill, because=because)
    move(act, bill, to="superseded", reason=because)
    return True


def may_let_go(look: Look, bill: Row) -> bool:
    """Whether nothing of the bill can have been paid: its payments, if any, were never attempted, or their files thrown away.

    A bill that a run has sent is `executing` from then on, also when its send was not processed: the run goes on with it.
    """
    hold = live_hold(look, bill)
    return bill["state"] not in {"executing", "unknown"} and (hold is None or are_unsent(look, hold["hold_id"]))


def let_go(act: Act, bill: Row, *, because: str) -> None:
    """Undo what stands for a bill - unsent payments, its place in an open batch, its hold; `WrongState` if it may be sent."""
    if not may_let_go(act, bill):
        raise WrongState(
            what=f"A payment of bill {bill['bill_id']} of {bill['vendor_name']} is under way, or sealed together with others.",
            next_step="Wait until its fate is known; what was paid is undone in QuickBooks only.",
            state=bill["state"],
        )
    hold = live_hold(act, bill)
    if hold is None:
        return
    for item in act.many(BATCH_ITEM, decision_id=hold["decision_id"]) if hold["decision_id"] else ():
        batch = act.one(BATCH, batch_id=item["batch_id"])
        if batch is not None and batch["state"] == "open":
            act.delete(BATCH_ITEM, batch_id=item["batch_id"], decision_id=item["decision_id"])
    void_unsent(act, hold["hold_id"])
    release(act, bill, because=because)
