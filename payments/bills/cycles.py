"""Bills on their way: finding the cycle that runs, moving it, ending it.

Belongs here: what every verb does to a bill's row. Does not: the verbs; when a bill appears (`discovery.py`).
"""

from collections.abc import Sequence
from datetime import date
from typing import Any

from payments.controls.policies import live_approvals
from payments.errors import ContentChanged, UnknownHere, WrongState
from payments.store.bill_tables import APPROVAL, BILL_WORKFLOW, DECISION
from payments.store.repository import Act, Look, Row
from payments.store.states import BILL, BILL_ENDED, may_follow

#: Where a bill stands, and what comes next, in words.
_MEANS = {
    "discovered": "cannot be paid from here ({reason})",
    "awaiting_approval": "waits for approval",
    "approved": "is approved and not staged",
    "staged": "is staged and waits for a decision",
    "decided": "is decided and waits for a batch",
    "scheduled": "is scheduled",
    "delayed": "is delayed until {wake_on}",
    "batched": "is in a batch",
    "executing": "is being paid",
    "unknown": "is being paid, and whether it was is not known yet",
    "needs_review": "needs a person's review ({reason})",
}


def running(look: Look, bill_id: str) -> Row:
    """The cycle of a bill that runs; `UnknownHere` if the bill is not in the workflow now."""
    found = look.one(BILL_WORKFLOW, bill_id=bill_id, ended_at=None)
    if found is not None:
        return found
    ended = look.newest(BILL_WORKFLOW, by="cycle", bill_id=bill_id)
    if ended is None:
        raise UnknownHere(
            what=f"There is no open bill {bill_id!r}.", next_step="`runway bills list` shows those of the newest sync."
        )
    reason = f" ({ended['reason']})" if ended["reason"] else ""
    raise WrongState(
        what=f"Bill {bill_id} is {ended['state'].replace('_', ' ')}{reason}.",
        next_step="A bill that is still owed comes back with the next sync; a withdrawn one by `runway bills reopen`.",
        state=ended["state"],
    )


def cycle(look: Look, *, bill_id: str, number: int) -> Row:
    """One cycle of a bill, ended or not."""
    row = look.one(BILL_WORKFLOW, bill_id=bill_id, cycle=number)
    assert row is not None, "rows of the ledger refer to cycles that exist"
    return row


def refuse_state(bill: Row, *, verb: str, allowed: tuple[str, ...]) -> None:
    """`WrongState` if the bill is not where the verb starts from."""
    if bill["state"] not in allowed:
        means = _MEANS[bill["state"]].format(**bill)
        raise WrongState(
            what=f"Bill {bill['bill_id']} of {bill['vendor_name']} {means}; to {verb} it, it would have to be "
            f"{' or '.join(one.replace('_', ' ') for one in allowed)}.",
            next_step="`runway bills show` tells its story.",
            state=bill["state"],
        )


def refuse_changed(
    look: Look, bill: Row, *, decided: Row | None = None, approvals: Sequence[Row] | None = None
) -> Sequence[Row]:
    """`ContentChanged` if the bill's approvals, or the decision on it, were given for other content; else its approvals.

    `approvals` are those of its present content where they are known already.
    """
    stale = decided is not None and decided["fingerprint"] != bill["fingerprint"]
    approvals = live_approvals(look, bill) if approvals is None else approvals
    if stale or not approvals:
        others = look.many(
            APPROVAL,
            APPROVAL.c.bill_id == bill["bill_id"],
            APPROVAL.c.cycle == bill["cycle"],
            APPROVAL.c.fingerprint != bill["fingerprint"],
        )
        if stale or others:
            raise ContentChanged(
                what=f"Bill {bill['bill_id']} of {bill['vendor_name']} was changed since it was approved.",
                next_step="Look at the bill and approve it again.",
            )
    return approvals


def move(act: Act, bill: Row, *, to: str, reason: str | None = None, wake_on: date | None = None) -> Row:
    """Bring a cycle into another state; the row afterwards."""
    return move_all(act, [bill], to=to, reason=reason, wake_on=wake_on)[0]


def move_all(
    act: Act, bills: Sequence[Row], *, to: str, reason: str | None = None, wake_on: date | None = None
) -> list[Row]:
    """Bring cycles into another state together; the rows afterwards."""
    for bill in bills:
        assert may_follow(BILL, bill["state"], to), f"{bill['state']} -> {to}"
    changes: dict[str, Any] = {"state": to, "reason": reason, "wake_on": wake_on}
    if to in BILL_ENDED:
        changes["ended_at"] = act.now
    keys = [{"bill_id": bill["bill_id"], "cycle": bill["cycle"]} for bill in bills]
    return act.update_all(BILL_WORKFLOW, keys, changes)


def void_approvals(act: Act, bill: Row, *, because: str) -> None:
    """Let no approval of this cycle count any more."""
    for approval in act.many(APPROVAL, bill_id=bill["bill_id"], cycle=bill["cycle"], voided_at=None):
        changes = {"voided_at": act.now, "void_because": because}
        act.update(APPROVAL, {"approval_id": approval["approval_id"]}, changes)


def newest_decision(look: Look, bill: Row) -> Row | None:
    """The last ruling on this cycle."""
    return look.newest(DECISION, by="number", bill_id=bill["bill_id"], cycle=bill["cycle"])


def named(bill: Row) -> str:
    """How the audit calls a cycle."""
    return f"bill {bill['bill_id']}/{bill['cycle']}"
