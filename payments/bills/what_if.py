"""What if these bills were paid: the cash of each account before and after, nothing decided and nothing changed.

Belongs here: the check of a batch against free cash, and handing the payments to a projection. Does not: the projection itself,
which a caller passes in.

The payments are supposed one after the other, each as deciding it would go: what its bill holds is let go, its reserve is drawn on,
and only the rest comes from free cash. An earlier one may empty the reserve of a later one, and use up the limit of their day. One
that the policy lets take its money shortly before its day takes none now: whether it fits is asked on that day.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from payments.bills.cycles import running
from payments.cash.free_cash import FreeCash, free_cash, refuse_stale, refuse_unusable
from payments.cash.holds import live_hold
from payments.cash.reserves import balance, for_payment
from payments.controls.policies import Policy, exceeded_limits, in_force, missing_approvals
from payments.errors import BadRequest, Refused
from payments.money import shown
from payments.store.cash_tables import RESERVE, RESERVE_MOVEMENT
from payments.store.repository import Look, Row


@dataclass(frozen=True, slots=True, kw_only=True)
class Supposed:
    """A payment that is supposed: cash of an account for a bill on a day."""

    bill_id: str
    account_id: str
    amount_cents: int
    pay_on: date
    #: The reserve that a decision names; without one, that of the bill's vendor on the account.
    reserve_id: str | None = None


#: What a set of payments would do to the projected cash; the answer is the caller's own.
Projection = Callable[[Sequence[Supposed]], Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountAfter:
    """An account with and without the supposed payments; home cents."""

    cash: FreeCash
    #: What supposed payments take now.
    supposed_cents: int
    #: How much of it reserves bear.
    drawn_cents: int
    #: Free cash that the bills hold already, without what they drew on reserves: a new decision takes the place of theirs.
    given_back_cents: int
    #: What would be left at the end; below zero if it does not fit.
    free_after_cents: int
    #: What has to come to the account for each payment to fit when it is its turn.
    missing_cents: int
    #: What takes its money on later days only, and is asked for then: day and home cents, by day.
    asked_later: tuple[tuple[date, int], ...]
    #: Why these payments cannot be decided on it now; empty if they can.
    against: tuple[str, ...]


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
        return not self.against and all(not one.missing_cents and not one.against for one in self.accounts)


def what_if(look: Look, payments: Sequence[Supposed], *, project: Projection | None = None) -> WhatIf:
    """Suppose payments of running bills; reads one state and changes nothing."""
    names = [one.bill_id for one in payments]
    if len(set(names)) != len(names):
        raise BadRequest(what="A bill is supposed to be paid twice.", next_step="Name each bill once.")
    policy = in_force(look)
    bills = {one.bill_id: running(look, one.bill_id) for one in payments}
    against = [
        (one.bill_id, text)
        for number, one in enumerate(payments)
        for text in _against(look, bills, one, earlier=payments[:number], policy=policy)
    ]
    courses = _Courses(look, policy)
    for one in payments:
        if no_reserve := courses.suppose(one, bills[one.bill_id]):
            against.append((one.bill_id, no_reserve))
    charged: defaultdict[str, list[Supposed]] = defaultdict(list)
    for one in payments:
        charged[one.account_id].append(one)
    return WhatIf(
        accounts=tuple(
            _after(course, against=_unusable(look, course.before, mine, policy=policy))
            for course, mine in ((courses.of_account(account), mine) for account, mine in sorted(charged.items()))
        ),
        against=tuple(against),
        projected=dict(project(payments)) if project is not None else {},
    )


@dataclass(slots=True)
class _Course:
    """What became of one account's cash up to a supposed payment."""

    before: FreeCash
    now: FreeCash
    supposed_cents: int = 0
    drawn_cents: int = 0
    given_back_cents: int = 0
    missing_cents: int = 0
    asked_later: dict[date, int] = field(default_factory=lambda: defaultdict(int))

    def move_reserve(self, signed_cents: int, *, kind: str) -> None:
        """Put so much into a reserve of this kind, or take it out."""
        payroll = signed_cents if kind == "payroll" else 0
        self.now = replace(
            self.now,
            free_cents=self.now.if_reserve_changes(signed_cents, kind=kind),
            reserved_cents=self.now.reserved_cents + signed_cents,
            payroll_reserved_cents=self.now.payroll_reserved_cents + payroll,
        )

    def hold(self, signed_cents: int) -> None:
        """Set so much aside for a payment, or let it go."""
        pending = self.now.pending_cents + signed_cents
        self.now = replace(self.now, free_cents=self.now.free_cents - signed_cents, pending_cents=pending)


@dataclass(slots=True)
class _Courses:
    """Every account and reserve while payments are supposed, in the steps of a decision (`decisions.py`)."""

    look: Look
    policy: Policy
    _accounts: dict[str, _Course] = field(default_factory=dict)
    #: What supposed payments have put into a reserve, less what they have drawn.
    _moved: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def suppose(self, one: Supposed, bill: Row) -> str | None:
        """Let go what the bill holds, draw on the payment's reserve, and take the rest from free cash, unless that is for later.

        Why it cannot draw on the reserve that it names; None if it can.
        """
        self._let_go(bill)
        refusal, reserve = None, None
        try:
            reserve = for_payment(
                self.look,
                reserve_id=one.reserve_id,
                vendor_id=bill["vendor_id"],
                account_id=one.account_id,
                amount_cents=one.amount_cents,
                held=self._held,
            )
        except Refused as refused:
            refusal = refused.what
        course = self.of_account(one.account_id)
        if later := self.policy.takes_cash_on(one.pay_on, today=self.look.today):
            course.asked_later[later] += one.amount_cents
            return refusal
        if reserve is not None:
            drawn = min(self._held(reserve["reserve_id"]), max(one.amount_cents, 0))
            self._move(course, reserve, -drawn)
            course.drawn_cents += drawn
        course.hold(one.amount_cents)
        course.supposed_cents += one.amount_cents
        course.missing_cents = max(course.missing_cents, -course.now.free_cents)
        return refusal

    def of_account(self, account_id: str) -> _Course:
        """The account as it is by now."""
        if account_id not in self._accounts:
            cash = free_cash(self.look, account_id)
            self._accounts[account_id] = _Course(cash, cash)
        return self._accounts[account_id]

    def _held(self, reserve_id: str) -> int:
        """What is in a reserve by now."""
        return balance(self.look, reserve_id) + self._moved[reserve_id]

    def _let_go(self, bill: Row) -> None:
        hold = live_hold(self.look, bill)
        if hold is None or hold["state"] != "pending":
            return
        course = self.of_account(hold["account_id"])
        course.hold(-hold["amount_cents"])
        course.given_back_cents += hold["amount_cents"]
        for drawn in self.look.many(RESERVE_MOVEMENT, hold_id=hold["hold_id"], kind="draw"):
            reserve = self.look.one(RESERVE, reserve_id=drawn["reserve_id"])
            assert reserve is not None, "a movement is of a reserve"
            self._move(course, reserve, -drawn["signed_cents"])
            course.given_back_cents += drawn["signed_cents"]

    def _move(self, course: _Course, reserve: Row, signed_cents: int) -> None:
        self._moved[reserve["reserve_id"]] += signed_cents
        course.move_reserve(signed_cents, kind=reserve["kind"])


def _after(course: _Course, *, against: tuple[str, ...]) -> AccountAfter:
    return AccountAfter(
        cash=course.before,
        supposed_cents=course.supposed_cents,
        drawn_cents=course.drawn_cents,
        given_back_cents=course.given_back_cents,
        free_after_cents=course.now.free_cents,
        missing_cents=course.missing_cents,
        asked_later=tuple(sorted(course.asked_later.items())),
        against=against,
    )


def _unusable(look: Look, cash: FreeCash, payments: Sequence[Supposed], *, policy: Policy) -> tuple[str, ...]:
    """Why these payments cannot be decided on an account now; for a later day less is asked of it."""
    against = []
    checks: list[Callable[[], None]] = []
    if any(policy.takes_cash_on(one.pay_on, today=look.today) is None for one in payments):
        checks.append(lambda: refuse_unusable(cash))
    if any(one.pay_on <= look.today for one in payments):
        checks.append(lambda: refuse_stale(cash, now=look.now, max_age_seconds=policy.snapshot_max_age_seconds))
    for check in checks:
        try:
            check()
        except Refused as refusal:
            against.append(refusal.what)
    return tuple(against)


def _against(
    look: Look, bills: Mapping[str, Row], supposed: Supposed, *, earlier: Sequence[Supposed], policy: Policy
) -> list[str]:
    bill, amount = bills[supposed.bill_id], supposed.amount_cents
    found = []
    if not 0 < amount <= bill["open_cents"]:
        found.append(f"{shown(amount)} does not fit the {shown(bill['open_cents'])} that is open")
    found += missing_approvals(look, bill, amount_cents=amount, policy=policy)
    let_go = [live_hold(look, bills[one.bill_id]) for one in (*earlier, supposed)]
    found += exceeded_limits(
        look,
        bill,
        amount_cents=amount,
        pay_on=supposed.pay_on,
        policy=policy,
        instead_of={hold["decision_id"] for hold in let_go if hold is not None},
        beside=[
            {"vendor_id": bills[one.bill_id]["vendor_id"], "amount_cents": one.amount_cents}
            for one in earlier
            if one.pay_on == supposed.pay_on
        ],
    )
    return found
