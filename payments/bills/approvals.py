"""Approving: a person says that a bill is owed as it is.

Belongs here: giving and taking back an approval. Does not: how many the policy asks for (`controls/policies.py`); paying. An
approval sets no money aside.
"""

from payments.bills.cycles import move, named, refuse_state, running, void_approvals
from payments.cash.holds import release
from payments.controls.people import require
from payments.controls.policies import in_force, live_approvals, missing_approvals
from payments.errors import BadRequest, ContentChanged, SamePerson
from payments.money import shown
from payments.store.bill_tables import APPROVAL
from payments.store.ledger import Ledger
from payments.store.repository import Act, Row
from resources.tenants import TenantId

#: So many characters of a bill's fingerprint are shown to people, and are enough to name what they looked at.
SHOWN_OF_FINGERPRINT = 12


def approve(
    ledger: Ledger, tenant: TenantId, *, by: str, bill_id: str, request_key: str, seen_fingerprint: str | None = None
) -> list[str]:
    """Approve a bill as it is in the ledger; what the policy still asks for (empty: the bill is approved).

    `seen_fingerprint` is that of the bill the person looked at, or how it begins: if it changed since, the approval is refused.
    """
    content = {"bill_id": bill_id, "seen_fingerprint": seen_fingerprint}
    with ledger.act(tenant, actor=by, kind="bill approved", point="approve") as act:
        roles = require(act, by, "approve")
        if (earlier := act.repeated(request_key, verb="approve", content=content)) is not None:
            return list(earlier)
        bill = running(act, bill_id)
        refuse_state(bill, verb="approve", allowed=("awaiting_approval", "approved", "staged"))
        if seen_fingerprint is not None:
            _refuse_unseen(bill, seen_fingerprint)
        if any(one["approved_by"] == by for one in live_approvals(act, bill)):
            raise SamePerson(
                what=f"{by} has approved bill {bill_id} already.", next_step="A further approval is another person's."
            )
        act.entity = named(bill)
        _give(act, bill, by=by, roles=roles)
        missing = missing_approvals(act, bill, amount_cents=bill["open_cents"], policy=in_force(act))
        if not missing and bill["state"] == "awaiting_approval":
            move(act, bill, to="approved")
        act.answer(request_key, verb="approve", content=content, answer=missing)
    return missing


def withdraw_approval(ledger: Ledger, tenant: TenantId, *, by: str, bill_id: str) -> None:
    """Take one's own approval back while nothing is decided; the bill waits for approval again if it lacks one."""
    with ledger.act(tenant, actor=by, kind="approval withdrawn") as act:
        require(act, by, "approve")
        bill = running(act, bill_id)
        refuse_state(
            bill, verb="withdraw an approval of", allowed=("awaiting_approval", "approved", "staged", "delayed")
        )
        mine = [one for one in live_approvals(act, bill) if one["approved_by"] == by]
        if not mine:
            raise SamePerson(
                what=f"{by} has not approved bill {bill_id}.",
                next_step="Each person takes back their own approval only.",
            )
        act.entity = named(bill)
        changes = {"voided_at": act.now, "void_because": "withdrawn by the approver"}
        act.update(APPROVAL, {"approval_id": mine[0]["approval_id"]}, changes)
        back_to_approval(act, bill)


def back_to_approval(act: Act, bill: Row, *, because: str | None = None) -> Row:
    """Let a bill that is not decided wait for approval again if the policy asks for more; its proposal ends.

    With a reason, all its approvals are void.
    """
    if because is not None:
        void_approvals(act, bill, because=because)
    missing = missing_approvals(act, bill, amount_cents=bill["open_cents"], policy=in_force(act))
    if not missing or bill["state"] == "awaiting_approval":
        return bill
    release(act, bill, because=because or "not approved any more")
    return move(act, bill, to="awaiting_approval")


def _refuse_unseen(bill: Row, seen: str) -> None:
    if len(seen) < SHOWN_OF_FINGERPRINT:
        raise BadRequest(
            what=f"{seen!r} is too little of a fingerprint to tell one content of a bill from another.",
            next_step=f"Give its first {SHOWN_OF_FINGERPRINT} characters, or more: `runway bills show` prints them.",
        )
    if not bill["fingerprint"].startswith(seen):
        raise ContentChanged(
            what=f"Bill {bill['bill_id']} of {bill['vendor_name']} was changed after you looked at it; "
            f"{shown(bill['open_cents'])} is open by now.",
            next_step="Look at it again, then approve it.",
        )


def _give(act: Act, bill: Row, *, by: str, roles: tuple[str, ...]) -> None:
    given = act.many(APPROVAL, bill_id=bill["bill_id"], cycle=bill["cycle"])
    row = {
        # Counted, so that approvals of one moment keep their order.
        "approval_id": f"{bill['bill_id']}.{bill['cycle']}.{len(given) + 1:04d}",
        "bill_id": bill["bill_id"],
        "cycle": bill["cycle"],
        "fingerprint": bill["fingerprint"],
        "amount_cents": bill["open_cents"],
        "approved_by": by,
        "roles": list(roles),
        "approved_at": act.now,
    }
    act.insert(APPROVAL, row)
