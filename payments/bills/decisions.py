"""Staging and deciding: what is proposed, and what a person rules on it. Money is set aside at the decision.

Belongs here: stage, pay now, schedule. Does not: putting off and taking out (`postponing.py`), the checks (`rulings.py`), batches.

A decision and its hold commit together, or neither. A repeated request (same key) changes nothing and gets the same answer.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from payments.bills.break_glass import declare
from payments.bills.cycles import move, named, refuse_changed, refuse_state, running
from payments.bills.rulings import Credit, Payment, Verdict, judge, payment_of
from payments.cash.free_cash import free_cash
from payments.cash.holds import propose, release, set_aside
from payments.controls.people import require
from payments.controls.policies import Policy, in_force
from payments.errors import BadRequest, WrongState
from payments.money import shown
from payments.store.batch_tables import INTENT_BILL
from payments.store.bill_tables import DECISION
from payments.store.ledger import Ledger
from payments.store.names import new_id
from payments.store.repository import Act, Row
from resources.tenants import TenantId


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """What a decision did."""

    decision_id: str
    hold_id: str | None
    ruling: str
    amount_cents: int
    drawn_cents: int
    #: Approver and decider are two people (`apart`), or the policy let one do both (`delegated`).
    separation: str
    break_glass_id: str | None


def stage(
    ledger: Ledger,
    tenant: TenantId,
    *,
    by: str,
    bill_id: str,
    account_id: str,
    request_key: str,
    amount_cents: int | None = None,
) -> int:
    """Propose an approved bill for payment from an account: a soft hold that expires and blocks nobody.

    Returns what would be free on the account if every proposal on it were decided.
    """
    content = {"bill_id": bill_id, "account_id": account_id, "amount_cents": amount_cents}
    with ledger.act(tenant, actor=by, kind="bill staged", point="stage") as act:
        require(act, by, "stage")
        if (earlier := act.repeated(request_key, verb="stage", content=content)) is not None:
            return int(earlier)
        bill = running(act, bill_id)
        refuse_state(bill, verb="stage", allowed=("approved", "staged"))
        refuse_changed(act, bill)
        amount = bill["open_cents"] if amount_cents is None else amount_cents
        if not 0 < amount <= bill["open_cents"]:
            raise BadRequest(
                what=f"Bill {bill_id} has {shown(bill['open_cents'])} open; {shown(amount)} cannot be staged.",
                next_step="Stage more than nothing and at most what is open.",
            )
        free_cash(act, account_id)
        act.entity = named(bill)
        propose(act, bill, account_id=account_id, amount_cents=amount, seconds=in_force(act).soft_hold_seconds)
        if bill["state"] == "approved":
            move(act, bill, to="staged")
        cash = free_cash(act, account_id)
        left = cash.free_cents - cash.soft_cents
        act.answer(request_key, verb="stage", content=content, answer=left)
    return left


def unstage(ledger: Ledger, tenant: TenantId, *, by: str, bill_id: str) -> None:
    """Take a proposal back; the bill stays approved."""
    with ledger.act(tenant, actor=by, kind="bill unstaged") as act:
        require(act, by, "stage")
        bill = running(act, bill_id)
        refuse_state(bill, verb="unstage", allowed=("staged",))
        act.entity = named(bill)
        release(act, bill, because="the proposal was taken back")
        move(act, bill, to="approved")


def pay_now(
    ledger: Ledger,
    tenant: TenantId,
    *,
    by: str,
    bill_id: str,
    account_id: str,
    request_key: str,
    amount_cents: int | None = None,
    credits_used: Sequence[Credit] = (),
    reserve_id: str | None = None,
    override: str | None = None,
) -> Decided:
    """Rule that a staged bill is paid with the next batch, and set its money aside.

    `amount_cents` defaults to all that is open less the credits; `override` is the reason for setting cash or policy aside.

    Raises:
        Refused: the subclass says why; nothing was changed.
    """
    return _decide(
        ledger,
        tenant,
        by=by,
        ruling="pay_now",
        pay_on=None,
        request_key=request_key,
        wanted={
            "bill_id": bill_id,
            "account_id": account_id,
            "amount_cents": amount_cents,
            "credits_used": tuple(credits_used),
            "reserve_id": reserve_id,
        },
        override=override,
    )


def schedule(
    ledger: Ledger,
    tenant: TenantId,
    *,
    by: str,
    bill_id: str,
    account_id: str,
    pay_on: date,
    request_key: str,
    amount_cents: int | None = None,
    credits_used: Sequence[Credit] = (),
    reserve_id: str | None = None,
    override: str | None = None,
) -> Decided:
    """Rule that a staged bill is paid on a later day; its money is set aside now, or shortly before if the policy says so.

    Raises:
        Refused: the subclass says why; nothing was changed.
    """
    return _decide(
        ledger,
        tenant,
        by=by,
        ruling="schedule",
        pay_on=pay_on,
        request_key=request_key,
        wanted={
            "bill_id": bill_id,
            "account_id": account_id,
            "amount_cents": amount_cents,
            "credits_used": tuple(credits_used),
            "reserve_id": reserve_id,
        },
        override=override,
    )


def _decide(
    ledger: Ledger,
    tenant: TenantId,
    *,
    by: str,
    ruling: str,
    pay_on: date | None,
    request_key: str,
    wanted: Mapping[str, Any],
    override: str | None,
) -> Decided:
    used = [{"credit_id": one.credit_id, "amount_cents": one.amount_cents} for one in wanted["credits_used"]]
    content = {**wanted, "credits_used": used, "pay_on": pay_on, "override": override}
    kind = "payment decided" if ruling == "pay_now" else "payment scheduled"
    with ledger.act(tenant, actor=by, kind=kind, point="decide") as act:
        require(act, by, "decide")
        if (earlier := act.repeated(request_key, verb=ruling, content=content)) is not None:
            return Decided(**earlier)
        bill = running(act, wanted["bill_id"])
        refuse_state(bill, verb="decide on", allowed=("staged", "needs_review"))
        _refuse_unclear(act, bill)
        act.entity = named(bill)
        # What the bill holds already makes room for the new decision.
        release(act, bill, because="decided")
        policy = in_force(act)
        payment = _payment(act, bill, wanted=wanted, pay_on=pay_on, policy=policy)
        verdict = judge(act, payment, by=by, policy=policy)
        glass = declare(act, payment, verdict, by=by, reason=override) if verdict.overridable else None
        decided = _write(
            act, payment, verdict, ruling=ruling, policy=policy, break_glass_id=glass, request_key=request_key
        )
        act.answer(
            request_key,
            verb=ruling,
            content=content,
            answer={name: getattr(decided, name) for name in Decided.__slots__},
        )
    return decided


def _payment(act: Act, bill: Row, *, wanted: Mapping[str, Any], pay_on: date | None, policy: Policy) -> Payment:
    day = act.today if pay_on is None else pay_on
    if pay_on is not None and pay_on <= act.today:
        raise BadRequest(
            what=f"{pay_on} is not after today, {act.today}.", next_step="Schedule for a later day, or pay now."
        )
    return payment_of(
        act,
        bill,
        account_id=wanted["account_id"],
        amount_cents=wanted["amount_cents"],
        credits_used=wanted["credits_used"],
        pay_on=day,
        reserve_id=wanted["reserve_id"],
        takes_cash_on=policy.takes_cash_on(day, today=act.today),
    )


def _write(
    act: Act,
    payment: Payment,
    verdict: Verdict,
    *,
    ruling: str,
    policy: Policy,
    break_glass_id: str | None,
    request_key: str,
) -> Decided:
    bill = payment.bill
    earlier = act.many(DECISION, bill_id=bill["bill_id"])
    decision = {
        "decision_id": new_id(),
        "bill_id": bill["bill_id"],
        "cycle": bill["cycle"],
        "number": len(earlier) + 1,
        "ruling": ruling,
        "amount_cents": payment.amount_cents,
        "credits": [{"credit_id": one.credit_id, "amount_cents": one.amount_cents} for one in payment.credits],
        "account_id": payment.account_id,
        "pay_on": payment.pay_on,
        "wake_on": None,
        "fingerprint": bill["fingerprint"],
        "policy_version": policy.version,
        "approvals": list(verdict.approvals),
        "separation": verdict.separation,
        "reserve_id": payment.reserve_id,
        "drawn_cents": payment.drawn_cents,
        "break_glass_id": break_glass_id,
        "decided_by": act.actor,
        "decided_at": act.now,
        "request_key": request_key,
    }
    act.insert(DECISION, decision)
    hold_id = set_aside(act, bill, decision, promote_on=payment.takes_cash_on)
    move(act, bill, to="decided" if ruling == "pay_now" else "scheduled")
    return Decided(
        decision_id=str(decision["decision_id"]),
        hold_id=hold_id,
        ruling=ruling,
        amount_cents=payment.amount_cents,
        drawn_cents=payment.drawn_cents,
        separation=verdict.separation,
        break_glass_id=break_glass_id,
    )


def _refuse_unclear(act: Act, bill: Row) -> None:
    """A bill with a payment whose fate is open is decided again only once that payment is resolved."""
    live = act.many(INTENT_BILL, bill_id=bill["bill_id"], live=1)
    if live:
        raise WrongState(
            what=f"A payment of bill {bill['bill_id']} was sent and its fate is not resolved.",
            next_step="Resolve it first: `runway batch review` shows what QuickBooks has.",
            state=bill["state"],
        )
