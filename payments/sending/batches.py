"""Batches: finalizing decisions into a sealed list of payments.

Belongs here: finalizing, the seal and its check, the fence. Does not: payments that come due (`promotion.py`), sending.

A finalized batch never changes: its count, total and a hash over the sorted (key, amount, vendor) of its payments are stored, and
whoever runs it computes them again before the first send.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from payments.bills.cycles import move_all, refuse_changed
from payments.cash.free_cash import free_cash, refuse_short, refuse_stale, refuse_unusable
from payments.controls.payees import confirmed_payee
from payments.controls.people import require
from payments.controls.policies import (
    Policy,
    approvals_of_all,
    in_force,
    is_watched,
    lacking,
    refuse_batch_over_limit,
    refuse_payment_over_limit,
)
from payments.errors import (
    ApprovalMissing,
    BadRequest,
    Fenced,
    PayeeMissing,
    SamePerson,
    SealBroken,
    UnknownHere,
    WrongState,
)
from payments.money import shown
from payments.sending.intents import Item, intents_of, paid_together
from payments.store.batch_tables import BATCH, BATCH_ITEM, INTENT, INTENT_BILL
from payments.store.bill_tables import APPROVAL, BILL_WORKFLOW, BREAK_GLASS, DECISION, VENDOR_WATCH
from payments.store.canonical import sha256_of
from payments.store.cash_tables import HOLD
from payments.store.ledger import Ledger
from payments.store.names import new_id
from payments.store.repository import Act, Look, Row
from resources.tenants import TenantId


@dataclass(frozen=True, slots=True, kw_only=True)
class Finalized:
    """A sealed batch."""

    batch_id: str
    item_count: int
    total_cents: int
    seal: str
    separation: str


def finalize(ledger: Ledger, tenant: TenantId, *, by: str, decision_ids: Sequence[str], request_key: str) -> Finalized:
    """Seal decisions of one account into a batch that is paid at once.

    Raises:
        Refused: the subclass says which of them cannot be and why; nothing was changed.
    """
    content = {"decision_ids": sorted(decision_ids)}
    with ledger.act(tenant, actor=by, kind="batch finalized", point="finalize") as act:
        require(act, by, "finalize")
        if (earlier := act.repeated(request_key, verb="finalize", content=content)) is not None:
            return Finalized(**earlier)
        items = _items(act, decision_ids)
        accounts = {item.decision["account_id"] for item in items}
        if len(accounts) != 1:
            raise BadRequest(
                what=f"A batch is paid from one account; these are from {', '.join(sorted(accounts)) or 'none'}.",
                next_step="Finalize the decisions of each account on their own.",
            )
        policy = in_force(act)
        batch = open_batch(act, items, origin="people", account_id=accounts.pop(), pay_on=act.today, policy=policy)
        finalized = seal(act, batch, items, by=by, policy=policy)
        act.answer(request_key, verb="finalize", content=content, answer=_answer(finalized))
    return finalized


def finalize_open(ledger: Ledger, tenant: TenantId, *, by: str, batch_id: str, request_key: str) -> Finalized:
    """Seal a batch of payments that came due and waited for a finalizer."""
    content = {"batch_id": batch_id}
    with ledger.act(tenant, actor=by, kind="batch finalized", point="finalize") as act:
        require(act, by, "finalize")
        if (earlier := act.repeated(request_key, verb="finalize", content=content)) is not None:
            return Finalized(**earlier)
        batch = act.one(BATCH, batch_id=batch_id)
        if batch is None or batch["state"] != "open":
            raise UnknownHere(
                what=f"There is no open batch {batch_id!r}.", next_step="`runway batch list` shows all batches."
            )
        finalized = seal(act, batch, items_of(act, batch_id), by=by, policy=in_force(act))
        act.answer(request_key, verb="finalize", content=content, answer=_answer(finalized))
    return finalized


def open_batch(act: Act, items: Sequence[Item], *, origin: str, account_id: str, pay_on: date, policy: Policy) -> Row:
    """An open batch of these decisions; their bills are batched."""
    batch_id = new_id()
    batch = {"batch_id": batch_id, "origin": origin, "state": "open", "account_id": account_id, "pay_on": pay_on}
    batch |= {"rail": policy.rail, "created_at": act.now, "generation": 0}
    act.insert(BATCH, batch)
    fill(act, batch, items)
    return batch


def fill(act: Act, batch: Row, items: Sequence[Item]) -> None:
    """Put decisions into an open batch; their bills are batched."""
    act.insert(
        BATCH_ITEM,
        [
            {
                "batch_id": batch["batch_id"],
                "decision_id": item.decision["decision_id"],
                "hold_id": item.hold["hold_id"],
                "vendor_id": item.bill["vendor_id"],
                "amount_cents": item.decision["amount_cents"],
            }
            for item in items
        ],
    )
    move_all(act, [item.bill for item in items], to="batched")


def seal(
    act: Act, batch: Row, items: Sequence[Item], *, by: str, policy: Policy, is_standing: bool = False
) -> Finalized:
    """Make the payments of an open batch and seal it, after checking content, people, limits and cash once more.

    `is_standing`: nobody finalizes it, the decisions were made for this day and need no finalizer of their own.
    """
    if not items:
        raise BadRequest(what="The batch is empty.", next_step="Nothing has to be paid.")
    for item, approvals in zip(items, approvals_of_all(act, [item.bill for item in items]), strict=True):
        refuse_changed(act, item.bill, decided=item.decision, approvals=approvals)
        refuse_unapproved(act, item, approvals, policy=policy)
    separation = "delegated" if is_standing else _separation(act, items, by=by, policy=policy)
    total = sum(item.decision["amount_cents"] for item in items)
    refuse_batch_over_limit(total_cents=total, policy=policy)
    refuse_payments_over_limit(act, items, policy=policy)
    cash = free_cash(act, batch["account_id"])
    refuse_unusable(cash)
    refuse_stale(cash, now=act.now, max_age_seconds=policy.snapshot_max_age_seconds)
    refuse_short(act, cash)
    versions = _payee_versions(act, items, rail=batch["rail"])
    intents, lines = intents_of(act, items, batch=batch, policy=policy, payee_versions=versions)
    act.insert(INTENT, intents)
    act.insert(INTENT_BILL, lines)
    sealed = seal_of(intents)
    act.entity = f"batch {batch['batch_id']}"
    changes = {"state": "finalized", "item_count": len(items), "total_cents": total, "seal": sealed}
    changes |= {"policy_version": policy.version, "separation": separation, "finalized_by": by, "finalized_at": act.now}
    act.update(BATCH, {"batch_id": batch["batch_id"]}, changes)
    return Finalized(
        batch_id=batch["batch_id"], item_count=len(items), total_cents=total, seal=sealed, separation=separation
    )


def seal_of(intents: Sequence[Row]) -> str:
    """The hash over the sorted (key, amount, vendor) of a batch's payments."""
    return sha256_of(sorted([one["request_id"], one["amount_cents"], one["vendor_id"]] for one in intents))


def verify_seal(look: Look, batch_id: str) -> Row:
    """The batch, after computing its seal, count and total again; `SealBroken` if they are not what was sealed."""
    batch = look.one(BATCH, batch_id=batch_id)
    if batch is None or batch["state"] == "open":
        raise UnknownHere(what=f"There is no finalized batch {batch_id!r}.", next_step="`runway batch list` shows all.")
    items = look.many(BATCH_ITEM, batch_id=batch_id)
    found = (len(items), sum(item["amount_cents"] for item in items), seal_of(_intents(look, batch_id)))
    if found != (batch["item_count"], batch["total_cents"], batch["seal"]):
        raise SealBroken(
            what=f"Batch {batch_id} was sealed with {batch['item_count']} payments of {shown(batch['total_cents'])}; "
            f"it holds {found[0]} of {shown(found[1])}, or other keys or vendors.",
            next_step="Send nothing of it. Compare the ledger with its backup and the audit (`runway ledger verify`).",
        )
    return batch


def require_generation(act: Act, *, batch_id: str, generation: int) -> Row:
    """The batch, if this run still holds it; `Fenced` otherwise: every write of a run starts here."""
    batch = act.one(BATCH, batch_id=batch_id)
    if batch is None or batch["generation"] != generation or batch["state"] != "claimed":
        raise Fenced(
            what=f"Batch {batch_id} was taken over by another run.",
            next_step="Nothing has to be done: the other run goes on with it.",
        )
    return batch


def items_of(look: Look, batch_id: str) -> list[Item]:
    """The decisions of a batch with bill and hold."""
    rows = look.many(BATCH_ITEM, batch_id=batch_id)
    return _with_bill_and_hold(look, look.many(DECISION, decision_id=[row["decision_id"] for row in rows]))


def given_up(look: Look) -> set[str]:
    """The open batches whose payments were all put off or taken out: what comes due later that day may still fill them."""
    opened = [row["batch_id"] for row in look.many(BATCH, state="open")]
    return set(opened) - {row["batch_id"] for row in look.many(BATCH_ITEM, batch_id=opened)}


def ready_to_finalize(look: Look) -> list[Item]:
    """Decisions to pay now that no batch has, by bill."""
    bills = look.many(BILL_WORKFLOW, state="decided")
    holds = look.many(HOLD, state="pending", bill_id=[bill["bill_id"] for bill in bills])
    return _with_bill_and_hold(look, look.many(DECISION, decision_id=[one["decision_id"] for one in holds]))


def _items(act: Act, decision_ids: Sequence[str]) -> list[Item]:
    found = act.many(DECISION, decision_id=list(decision_ids))
    if unknown := sorted(set(decision_ids) - {row["decision_id"] for row in found}):
        raise UnknownHere(
            what=f"There is no decision {', '.join(unknown)}.",
            next_step="`runway batch ready` lists what can be finalized.",
        )
    batched = act.many(BATCH_ITEM, decision_id=list(decision_ids))
    if batched:
        raise WrongState(
            what=f"{len(batched)} of these decisions are in batch {batched[0]['batch_id']} already.",
            next_step="Look at that batch; finalize the others without them.",
            batch_id=batched[0]["batch_id"],
        )
    items = _with_bill_and_hold(act, found)
    standing = {
        item.decision["decision_id"]
        for item in items
        if item.bill["state"] == "decided" and item.hold["state"] == "pending"
    }
    if gone := sorted(set(decision_ids) - standing):
        raise WrongState(
            what=f"{len(gone)} of these decisions do not wait for a batch any more: {', '.join(gone)}.",
            next_step="`runway batch ready` lists what can be finalized.",
        )
    return items


def _with_bill_and_hold(look: Look, decisions: Sequence[Row]) -> list[Item]:
    bills = look.many(BILL_WORKFLOW, bill_id=[row["bill_id"] for row in decisions])
    by_cycle = {(row["bill_id"], row["cycle"]): row for row in bills}
    ids = [row["decision_id"] for row in decisions]
    holds = {row["decision_id"]: row for row in look.many(HOLD, HOLD.c.state != "void", decision_id=ids)}
    return [
        Item(decision=row, bill=by_cycle[row["bill_id"], row["cycle"]], hold=holds[row["decision_id"]])
        for row in decisions
        if row["decision_id"] in holds
    ]


def _separation(act: Act, items: Sequence[Item], *, by: str, policy: Policy) -> str:
    """Whether the finalizer is another person than approvers and deciders; `SamePerson` where the policy asks for it."""
    approvers = approvers_of(act, items)
    involved = [item for item in items if by in {item.decision["decided_by"], *approvers[item.decision["decision_id"]]}]
    changed = _changed_vendors(act, involved, policy=policy)
    separate = need_finalizer(act, items, policy=policy)
    if alone := decided_by_their_approver(items, approvers=approvers, separate=separate, policy=policy):
        item, reason = alone[0]
        raise SamePerson(
            what=reason,
            next_step="Finalize fewer of its bills at once, or delay this one and let somebody else decide on its day.",
            decision_id=item.decision["decision_id"],
        )
    for item in involved:
        if changed.get(item.bill["vendor_id"], item.decision["decided_at"]) > item.decision["decided_at"]:
            raise SamePerson(
                what=f"The details of {item.bill['vendor_name']} changed after this payment was decided, and {by} approved or "
                "decided it.",
                next_step="Let somebody else look at the change and finalize this batch, or leave this payment out.",
                decision_id=item.decision["decision_id"],
            )
        if total := separate.get(item.decision["decision_id"]):
            raise SamePerson(
                what=f"{by} approved or decided the payment of bill {item.bill['bill_id']} to {item.bill['vendor_name']}, which "
                f"gets {shown(total)} in one; above {shown(policy.separation_above_cents)} a third person finalizes.",
                next_step="Let somebody else finalize this batch, or leave this payment out.",
                decision_id=item.decision["decision_id"],
            )
    return "delegated" if involved else "apart"


def approvers_of(look: Look, items: Sequence[Item]) -> dict[str, set[str]]:
    """By decision who approved its bill."""
    ids = [approval for item in items for approval in item.decision["approvals"]]
    given = {row["approval_id"]: row["approved_by"] for row in look.many(APPROVAL, approval_id=ids)}
    return {item.decision["decision_id"]: {given[one] for one in item.decision["approvals"]} for item in items}


def decided_by_their_approver(
    items: Sequence[Item], *, approvers: Mapping[str, set[str]], separate: Mapping[str, int], policy: Policy
) -> list[tuple[Item, str]]:
    """The payments that one person approved and decided though by now it takes two, each with the reason.

    The bill's own amount allowed it at the decision; paid with others, or under the policy in force now, it does not.
    `approvers` is of `approvers_of`, `separate` of `need_finalizer`.
    """
    found = []
    for item in items:
        decision = item.decision
        total = separate.get(decision["decision_id"])
        if total is None or decision["decided_by"] not in approvers[decision["decision_id"]]:
            continue
        with_others = "; with others" if total > decision["amount_cents"] else ";"
        reason = (
            f"{decision['decided_by']} approved bill {item.bill['bill_id']} and decided on it{with_others} its vendor "
            f"{item.bill['vendor_name']} gets {shown(total)} in one, and above {shown(policy.separation_above_cents)} "
            "approver and decider are two people."
        )
        found.append((item, reason))
    return found


def _changed_vendors(look: Look, items: Sequence[Item], *, policy: Policy) -> dict[str, datetime]:
    """When those vendors changed whose name or bank details did within the days that the policy watches."""
    since = look.now - timedelta(days=policy.payee_watch_days)
    rows = look.many(VENDOR_WATCH, vendor_id=sorted({item.bill["vendor_id"] for item in items}))
    return {row["vendor_id"]: row["changed_at"] for row in rows if row["changed_at"] and row["changed_at"] > since}


def need_finalizer(look: Look, items: Sequence[Item], *, policy: Policy) -> dict[str, int]:
    """The decisions that a person finalizes who neither approved nor decided them, and how much their payment is; home cents.

    What is paid together is judged as it is paid. An override of people covers its own bill, paid on its own, and no group.
    """
    found: dict[str, int] = {}
    for group in paid_together(items, policy=policy):
        total = sum(item.decision["amount_cents"] for item in group)
        is_overridden = len(group) == 1 and _is_overridden(look, group[0], "people")
        if policy.separates(total) and not is_overridden:
            found |= dict.fromkeys((item.decision["decision_id"] for item in group), total)
    return found


def refuse_unapproved(act: Act, item: Item, approvals: Sequence[Row], *, policy: Policy) -> None:
    """`ApprovalMissing` if the policy asks by now for more than these approvals of the bill; an override of approvals stands."""
    bill = item.bill
    asks_of_watched = any(rule.only_watched_vendors for rule in policy.rules)
    missing = lacking(
        approvals,
        vendor_id=bill["vendor_id"],
        amount_cents=item.decision["amount_cents"],
        watched=asks_of_watched and is_watched(act, bill["vendor_id"], policy=policy),
        policy=policy,
    )
    if missing and not _is_overridden(act, item, "approvals"):
        raise ApprovalMissing(
            what=f"Bill {bill['bill_id']} of {bill['vendor_name']} lacks, as the policy is now: {'; '.join(missing)}.",
            next_step="A decided bill takes no approval. Delay it, let it be approved on its day and decide again, or withdraw "
            "and reopen it to do so at once.",
            missing=missing,
            decision_id=item.decision["decision_id"],
        )


def refuse_payments_over_limit(act: Act, items: Sequence[Item], *, policy: Policy) -> None:
    """`OverLimit` if one of the payments that these decisions become is larger than the policy allows.

    Decisions were judged one by one; what is paid together is judged as it is paid. An override of the limits covers its own
    bill, paid on its own, and no group.
    """
    if policy.per_payment_cents is None:
        return
    for group in paid_together(items, policy=policy):
        if len(group) == 1 and _is_overridden(act, group[0], "limits"):
            continue
        amounts = {item.bill["bill_id"]: item.decision["amount_cents"] for item in group}
        refuse_payment_over_limit(amounts=amounts, vendor=group[0].bill["vendor_name"], policy=policy)


def _is_overridden(look: Look, item: Item, about: str) -> bool:
    glass = item.decision["break_glass_id"]
    row = None if glass is None else look.one(BREAK_GLASS, break_glass_id=glass)
    return row is not None and about in {one for one, _ in row["overrides"]}


def _payee_versions(act: Act, items: Sequence[Item], *, rail: str) -> dict[str, int]:
    if rail == "record_only":
        return {}
    found = {vendor: confirmed_payee(act, vendor) for vendor in {item.bill["vendor_id"] for item in items}}
    if missing := sorted(vendor for vendor, row in found.items() if row is None):
        raise PayeeMissing(
            what=f"There are no confirmed bank details of the vendors {', '.join(missing)}.",
            next_step="`runway ledger propose-payee`, and a second person confirms; or leave these payments out.",
        )
    return {vendor: int(row["version"]) for vendor, row in found.items() if row is not None}


def _intents(look: Look, batch_id: str) -> list[Row]:
    return look.many(INTENT, batch_id=batch_id)


def _answer(finalized: Finalized) -> dict[str, Any]:
    return {name: getattr(finalized, name) for name in Finalized.__slots__}
