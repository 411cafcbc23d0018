"""What if these bills were paid: the cash of each account before and after, nothing decided and nothing changed.

Belongs here: the check of a batch against free cash, and handing the payments to a projection. Does not: the projection itself,
which a caller passes in.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from payments.bills.cycles import newest_decision, running
from payments.cash.free_cash import FreeCash, free_cash, refuse_stale, refuse_unusable
from payments.cash.holds import live_hold
from payments.controls.policies import Policy, exceeded_limits, in_force, missing_approvals
from payments.errors import BadRequest, Refused
from payments.money import shown
from payments.store.repository import Look, Row


@dataclass(frozen=True, slots=True, kw_only=True)
class Supposed:
    """A payment that is supposed: cash of an account for a bill on a day."""

    bill_id: str
    account_id: str
    amount_cents: int
    pay_on: date


#: What a set of payments would do to the projected cash; the answer is the caller's own.
Projection = Callable[[Sequence[Supposed]], Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountAfter:
    """An account with and without the supposed payments; home cents."""

    cash: FreeCash
    supposed_cents: int
    #: Money that the bills hold already: a new decision takes the place of theirs.
    given_back_cents: int
    #: Why nothing can be decided on it now; empty if it can.
    against: tuple[str, ...]

    @property
    def free_after_cents(self) -> int:
        """What would be left; below zero that much is missing."""
        return self.cash.free_cents + self.given_back_cents - self.supposed_cents


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatIf:
    """How the supposed payments stand."""

    accounts: tuple[AccountAfter, ...]
    #: Bill and what the policy would still ask for or refuse.
    against: tuple[tuple[str, str], ...]
    #: What the passed-in projection says; empty without one.
    projected: Mapping[str, Any]

    @property
    def fits(self) -> bool:
        """Whether every account could bear it and the policy would let it pass."""
        return not self.against and all(one.free_after_cents >= 0 and not one.against for one in self.accounts)


def what_if(look: Look, payments: Sequence[Supposed], *, project: Projection | None = None) -> WhatIf:
    """Suppose payments of running bills; reads one state and changes nothing."""
    names = [one.bill_id for one in payments]
    if len(set(names)) != len(names):
        raise BadRequest(what="A bill is supposed to be paid twice.", next_step="Name each bill once.")
    policy = in_force(look)
    bills = {one.bill_id: running(look, one.bill_id) for one in payments}
    against = [
        (one.bill_id, text) for one in payments for text in _against(look, bills[one.bill_id], one, policy=policy)
    ]
    by_account: dict[str, list[Supposed]] = defaultdict(list)
    for one in payments:
        by_account[one.account_id].append(one)
    accounts = [_account(look, account, of, bills=bills, policy=policy) for account, of in sorted(by_account.items())]
    return WhatIf(
        accounts=tuple(accounts),
        against=tuple(against),
        projected=dict(project(payments)) if project is not None else {},
    )


def _account(
    look: Look, account_id: str, payments: Sequence[Supposed], *, bills: Mapping[str, Row], policy: Policy
) -> AccountAfter:
    cash = free_cash(look, account_id)
    against = []
    checks: tuple[Callable[[], None], ...] = (
        lambda: refuse_unusable(cash),
        lambda: refuse_stale(cash, now=look.now, max_age_seconds=policy.snapshot_max_age_seconds),
    )
    for check in checks:
        try:
            check()
        except Refused as refusal:
            against.append(refusal.what)
    holds = [hold for one in payments if (hold := live_hold(look, bills[one.bill_id])) is not None]
    held = [hold["amount_cents"] for hold in holds if hold["state"] == "pending" and hold["account_id"] == account_id]
    return AccountAfter(
        cash=cash,
        supposed_cents=sum(one.amount_cents for one in payments),
        given_back_cents=sum(held),
        against=tuple(against),
    )


def _against(look: Look, bill: Row, supposed: Supposed, *, policy: Policy) -> list[str]:
    found = []
    if not 0 < supposed.amount_cents <= bill["open_cents"]:
        found.append(f"{shown(supposed.amount_cents)} does not fit the {shown(bill['open_cents'])} that is open")
    found += missing_approvals(look, bill, amount_cents=supposed.amount_cents, policy=policy)
    standing = newest_decision(look, bill)
    if standing is None or standing["pay_on"] != supposed.pay_on:
        found += exceeded_limits(look, bill, amount_cents=supposed.amount_cents, pay_on=supposed.pay_on, policy=policy)
    return found
