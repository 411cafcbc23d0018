"""What a decision to pay has to pass: content, approvals, people, limits, cash; and what an override may set aside.

Belongs here: the checks, as values. Does not: writing the decision (`decisions.py`).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial

from payments.bills.cycles import refuse_changed
from payments.cash.free_cash import FreeCash, free_cash, refuse_stale, refuse_too_little, refuse_unusable
from payments.cash.reserves import balance, for_payment, needed_beside_reserve
from payments.controls.payees import refuse_without_payee
from payments.controls.policies import Policy, exceeded_limits, is_watched, lacking
from payments.errors import ApprovalMissing, BadRequest, OverLimit, Refused, SamePerson
from payments.money import shown
from payments.store.repository import Look, Row


@dataclass(frozen=True, slots=True, kw_only=True)
class Credit:
    """A vendor credit that is used up with a payment."""

    credit_id: str
    amount_cents: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """What is to be decided: cash of an account for a bill on a day."""

    bill: Row
    account_id: str
    amount_cents: int
    credits: tuple[Credit, ...]
    pay_on: date
    #: The reserve it draws on and how much.
    reserve_id: str | None
    drawn_cents: int
    #: Until that day its hold is soft, and cash is checked then; None: now.
    takes_cash_on: date | None


def payment_of(
    look: Look,
    bill: Row,
    *,
    account_id: str,
    amount_cents: int | None,
    credits_used: Sequence[Credit],
    pay_on: date,
    reserve_id: str | None,
    takes_cash_on: date | None,
) -> Payment:
    """The payment asked for, with its reserve; `BadRequest` if it does not fit the bill."""
    credited = sum(one.amount_cents for one in credits_used)
    amount = bill["open_cents"] - credited if amount_cents is None else amount_cents
    if amount <= 0 or amount + credited > bill["open_cents"] or any(one.amount_cents <= 0 for one in credits_used):
        raise BadRequest(
            what=f"{shown(amount)} and credits of {shown(credited)} do not fit bill {bill['bill_id']}, "
            f"of which {shown(bill['open_cents'])} is open.",
            next_step="Pay more than nothing and, with the credits, at most what is open.",
            open_cents=bill["open_cents"],
        )
    reserve = for_payment(
        look,
        reserve_id=reserve_id,
        vendor_id=bill["vendor_id"],
        account_id=account_id,
        amount_cents=amount,
        held=partial(balance, look),
    )
    held = balance(look, reserve["reserve_id"]) if reserve else 0
    return Payment(
        bill=bill,
        account_id=account_id,
        amount_cents=amount,
        credits=tuple(credits_used),
        pay_on=pay_on,
        reserve_id=reserve["reserve_id"] if reserve and held else None,
        drawn_cents=min(held, amount),
        takes_cash_on=takes_cash_on,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """How a payment stands before the policy: the people, and what speaks against it."""

    approvals: tuple[str, ...]
    separation: str
    #: Refusals that an override with a second person may set aside, by what they are about.
    overridable: dict[str, Refused]
    #: What its account lacks for it alone, whatever was missing before it; 0 if cash does not speak against it.
    missing_cents: int


def judge(look: Look, payment: Payment, *, by: str, policy: Policy) -> Verdict:
    """Check everything in one transaction; what can never be overridden is raised, the rest is in the verdict."""
    bill = payment.bill
    approvals = refuse_changed(look, bill)
    refuse_without_payee(look, bill, rail=policy.rail)
    watched = is_watched(look, bill["vendor_id"], policy=policy)
    cash = free_cash(look, payment.account_id)
    people = _People(approvals=approvals, vendor_is_watched=watched, by=by)
    against: dict[str, Refused] = {}
    checks: tuple[tuple[str, Callable[[], None]], ...] = (
        ("approvals", lambda: _refuse_unapproved(payment, people, policy=policy)),
        ("people", lambda: _refuse_one_person(payment, people, policy=policy)),
        ("limits", lambda: _refuse_over_limit(look, payment, policy=policy)),
        ("balance age", lambda: _refuse_old_balance(look, payment, cash, policy=policy)),
        ("cash", lambda: _refuse_without_cash(look, payment, cash)),
    )
    for about, check in checks:
        try:
            check()
        except Refused as refusal:
            against[about] = refusal
    approvers = {one["approved_by"] for one in approvals}
    return Verdict(
        approvals=tuple(one["approval_id"] for one in approvals),
        separation="delegated" if by in approvers else "apart",
        overridable=against,
        missing_cents=max(_needed(look, payment, cash) - max(cash.free_cents, 0), 0) if "cash" in against else 0,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _People:
    """Who stands behind a payment: the approvals of the bill as it is, and who decides."""

    approvals: Sequence[Row]
    vendor_is_watched: bool
    by: str


def _refuse_unapproved(payment: Payment, people: _People, *, policy: Policy) -> None:
    bill = payment.bill
    missing = lacking(
        people.approvals,
        vendor_id=bill["vendor_id"],
        amount_cents=payment.amount_cents,
        watched=people.vendor_is_watched,
        policy=policy,
    )
    if missing:
        raise ApprovalMissing(
            what=f"Bill {bill['bill_id']} of {bill['vendor_name']} lacks: {'; '.join(missing)}.",
            next_step="Let it be approved, then decide.",
            missing=missing,
        )


def _refuse_one_person(payment: Payment, people: _People, *, policy: Policy) -> None:
    approvers = {one["approved_by"] for one in people.approvals}
    bill, by = payment.bill, people.by
    if by in approvers and policy.separates(payment.amount_cents):
        raise SamePerson(
            what=f"{by} approved bill {bill['bill_id']}; above {shown(policy.separation_above_cents)} somebody else decides.",
            next_step="Let another person decide, or another person approve in place of this one.",
            limit_cents=policy.separation_above_cents,
        )
    if people.vendor_is_watched and not approvers - {by}:
        raise SamePerson(
            what=f"{bill['vendor_name']} is new, or its details changed in the last {policy.payee_watch_days} days: "
            "whatever the amount, two people are needed.",
            next_step="Let a second person approve the bill.",
        )


def _refuse_over_limit(look: Look, payment: Payment, *, policy: Policy) -> None:
    amount, day = payment.amount_cents, payment.pay_on
    if over := exceeded_limits(look, payment.bill, amount_cents=amount, pay_on=day, policy=policy):
        raise OverLimit(
            what=f"A limit of the policy would be exceeded: {'; '.join(over)}.",
            next_step="Pay less or on another day, or have the limit changed.",
            exceeded=over,
        )


def _refuse_old_balance(look: Look, payment: Payment, cash: FreeCash, *, policy: Policy) -> None:
    if payment.pay_on <= look.today:
        refuse_stale(cash, now=look.now, max_age_seconds=policy.snapshot_max_age_seconds)


def _refuse_without_cash(look: Look, payment: Payment, cash: FreeCash) -> None:
    if payment.takes_cash_on is not None:
        return
    refuse_unusable(cash)
    refuse_too_little(look, cash, needed_cents=_needed(look, payment, cash))


def _needed(look: Look, payment: Payment, cash: FreeCash) -> int:
    """What the payment takes of free cash."""
    return needed_beside_reserve(
        look,
        cash,
        amount_cents=payment.amount_cents,
        reserve_id=payment.reserve_id,
        drawn_cents=payment.drawn_cents,
    )
