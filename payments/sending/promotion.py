"""The passing of days: delayed bills wake, proposals expire, scheduled payments come due.

Belongs here: what happens without a person, once each time it is due. Does not: waking somebody to do it (the job and the sensor).

A payment that comes due is checked once more: content, people, payee, and cash with a fresh balance. What does not pass needs a
person's review and keeps its hold; nothing is skipped silently. What needs a finalizer of its own, or is above the limit of a
batch together with what came due before it, waits in an open batch; what finds that one full too waits for the next day while its
bill allows.
"""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from payments.bills.break_glass import alarm_overdue
from payments.bills.cycles import cycle, move, refuse_changed
from payments.bills.postponing import wake
from payments.bills.waiting import due_payments
from payments.cash.free_cash import free_cash, refuse_not_cash, refuse_short, refuse_stale, refuse_unusable
from payments.cash.holds import expire_proposals, harden
from payments.cash.reserves import refuse_overdraw, refuse_without_room
from payments.controls.alarms import raise_alarm
from payments.controls.payees import refuse_without_payee
from payments.controls.policies import Policy, in_force, refuse_batch_over_limit
from payments.errors import CashUnknown, OverLimit, Refused, SamePerson
from payments.sending.batches import (
    approvers_of,
    decided_by_their_approver,
    fill,
    given_up,
    need_finalizer,
    open_batch,
    refuse_payments_over_limit,
    refuse_unapproved,
    seal,
)
from payments.sending.clocks import ALARM, BooksClock, Doubt
from payments.sending.intents import Item
from payments.store.batch_tables import BATCH
from payments.store.bill_tables import BILL_WORKFLOW, DECISION, VENDOR_WATCH
from payments.store.cash_tables import HOLD
from payments.store.ledger import DUE, Ledger
from payments.store.repository import Act, Row
from resources.tables import CONNECTION
from resources.tenants import TenantId
from runway_calcs.bills.payment_days import banking_days, business_days

#: Where batches of due payments come from: sealed at once, or waiting for a finalizer.
_BY_ITSELF, _BY_FINALIZER = "due", "due_for_finalizer"


@dataclass(frozen=True, slots=True, kw_only=True)
class DayPassed:
    """What the passing of time did."""

    woken: int
    expired: int
    hardened: int
    #: Batches that were made or filled again, sealed and waiting for a finalizer.
    batch_ids: tuple[str, ...]
    needs_review: tuple[str, ...]
    #: Payments that are due and wait for a fresh balance, or for a clock that is believed.
    waiting: int
    #: Payments that are due and wait for the batches of the next day.
    without_room: int = 0
    #: Why the day did not pass; empty if it did.
    held_up_by: str = ""


def pass_day(ledger: Ledger, tenant: TenantId, *, books_clock: BooksClock | None = None) -> DayPassed:
    """Bring the tenant's ledger to its local date; doing it again does nothing more.

    While the clock is not believed the day does not pass: what would be due waits. Without `books_clock` (a test) it always is.
    """
    if books_clock is not None and books_clock.most is not None and _has_work(ledger, tenant):
        doubt = books_clock.doubt(tenant, ledger.clock)
        if doubt is not None:
            return _held_up(ledger, tenant, doubt)
    with ledger.act(tenant, actor=DUE, kind="day passed", point="schedule.promote") as act:
        policy = in_force(act)
        expired, woken = expire_proposals(act), wake(act)
        alarm_overdue(act)
        hardened, review = _harden(act)
        due = _promote(act, policy=policy)
    return DayPassed(
        woken=woken,
        expired=expired,
        hardened=hardened,
        batch_ids=tuple(due.batch_ids),
        needs_review=tuple(sorted({*review, *due.review})),
        waiting=due.waiting,
        without_room=due.without_room,
    )


def _has_work(ledger: Ledger, tenant: TenantId) -> bool:
    """Whether anything comes due by the clock as it shows."""
    with ledger.look(tenant) as look:
        return bool(
            due_payments(look)
            or look.many(HOLD, HOLD.c.state == "soft", HOLD.c.promote_on <= look.today)
            or look.many(HOLD, HOLD.c.state == "soft", HOLD.c.expires_at < look.now)
            or look.many(BILL_WORKFLOW, BILL_WORKFLOW.c.state == "delayed", BILL_WORKFLOW.c.wake_on <= look.today)
        )


def _held_up(ledger: Ledger, tenant: TenantId, doubt: Doubt) -> DayPassed:
    with ledger.act(tenant, actor=DUE, kind="day held up") as act:
        if doubt.is_apart:
            raise_alarm(
                act,
                kind=ALARM,
                subject=f"tenant {tenant}",
                detail=f"Nothing that is due was done: {doubt.what}.",
                remedy="Put the clock of this machine right; the next sync, or `runway batch pass-day`, does what is due.",
            )
        waiting = len(due_payments(act))
    return DayPassed(
        woken=0, expired=0, hardened=0, batch_ids=(), needs_review=(), waiting=waiting, held_up_by=doubt.what
    )


def _harden(act: Act) -> tuple[int, list[str]]:
    """Make the soft holds of scheduled payments hard when their day comes near; those that do not fit need a review."""
    hardened = 0
    review: list[str] = []
    for hold in act.many(HOLD, HOLD.c.state == "soft", HOLD.c.promote_on <= act.today):
        decision = act.one(DECISION, decision_id=hold["decision_id"])
        bill = cycle(act, bill_id=hold["bill_id"], number=hold["cycle"])
        assert decision is not None, "a hold's decision is there"
        if bill["state"] != "scheduled":
            continue
        try:
            _refuse_hardening(act, decision)
        except Refused as refusal:
            move(act, bill, to="needs_review", reason=refusal.what)
            review.append(bill["bill_id"])
        else:
            harden(act, hold["hold_id"], decision)
            hardened += 1
    return hardened, review


def _refuse_hardening(act: Act, decision: Row) -> None:
    reserve, drawn = decision["reserve_id"], decision["drawn_cents"]
    if reserve is not None:
        refuse_overdraw(act, reserve, amount_cents=drawn)
    # Whatever was overridden at the decision, it was not cash: that is asked for the first time now.
    cash = free_cash(act, decision["account_id"])
    refuse_unusable(cash)
    refuse_without_room(act, cash, amount_cents=decision["amount_cents"], reserve_id=reserve, drawn_cents=drawn)


@dataclass(slots=True, kw_only=True)
class _Due:
    """What became of the payments that are due: batches made, bills to review, how many wait for what."""

    batch_ids: list[str] = field(default_factory=list)
    review: list[str] = field(default_factory=list)
    waiting: int = 0
    without_room: int = 0


def _promote(act: Act, *, policy: Policy) -> _Due:
    """The due payments into batches, one an account and day."""
    accounts: dict[str, list[Item]] = defaultdict(list)
    for bill, decision in due_payments(act):
        hold = act.many(HOLD, HOLD.c.decision_id == decision["decision_id"], HOLD.c.state == "pending")
        if hold:
            accounts[decision["account_id"]].append(Item(decision=decision, bill=bill, hold=hold[0]))
    due = _Due()
    for account_id, items in sorted(accounts.items()):
        try:
            _refuse_account(act, account_id, policy=policy)
        except CashUnknown:
            due.waiting += len(items)
            continue
        except Refused as refusal:
            due.review += _to_review(act, items, reason=refusal.what)
            continue
        passed = []
        for item in items:
            try:
                _refuse_item(act, item, policy=policy)
            except Refused as refusal:
                due.review += _to_review(act, [item], reason=f"{refusal.what} {refusal.next_step}")
            else:
                passed.append(item)
        # Nobody may finalize these, and they would keep everybody else's payments of the day from being finalized.
        separate = need_finalizer(act, passed, policy=policy)
        alone = decided_by_their_approver(passed, approvers=approvers_of(act, passed), separate=separate, policy=policy)
        for item, reason in alone:
            due.review += _to_review(act, [item], reason=reason)
        left = {item.decision["decision_id"] for item, _ in alone}
        passed = [item for item in passed if item.decision["decision_id"] not in left]
        _batch(act, account_id, passed, policy=policy, due=due)
    return due


def _refuse_account(act: Act, account_id: str, *, policy: Policy) -> None:
    cash = free_cash(act, account_id)
    # First of all: no fresh balance of it will come, so what waited for one would wait for ever.
    refuse_not_cash(cash)
    # A batch that is sealed at once has to pass the age of every seal, too; what does not waits for the next sync.
    oldest = min(policy.due_snapshot_max_age_seconds, policy.snapshot_max_age_seconds)
    refuse_stale(cash, now=act.now, max_age_seconds=oldest)
    if act.one(CONNECTION) is None:
        raise CashUnknown(
            what=f"{act.tenant!r} is not connected to a company.", next_step="Run `runway connect` first."
        )
    refuse_unusable(cash)
    refuse_short(act, cash)


def _refuse_item(act: Act, item: Item, *, policy: Policy) -> None:
    approvals = refuse_changed(act, item.bill, decided=item.decision)
    refuse_unapproved(act, item, approvals, policy=policy)
    refuse_without_payee(act, item.bill, rail=policy.rail)
    refuse_payments_over_limit(act, [item], policy=policy)
    watch = act.one(VENDOR_WATCH, vendor_id=item.bill["vendor_id"])
    if watch is not None and watch["changed_at"] is not None and watch["changed_at"] > item.decision["decided_at"]:
        raise SamePerson(
            what=f"The details of {item.bill['vendor_name']} changed after this payment was decided.",
            next_step="Look at the change, then decide again.",
        )


def _to_review(act: Act, items: Sequence[Item], *, reason: str) -> list[str]:
    for item in items:
        move(act, item.bill, to="needs_review", reason=reason)
    return [item.bill["bill_id"] for item in items]


def _batch(act: Act, account_id: str, items: Sequence[Item], *, policy: Policy, due: _Due) -> None:
    """What passed into the day's batches; what finds them full waits for tomorrow's if its bill can, else it needs a review."""
    made = {row["origin"]: row for row in act.many(BATCH, pay_on=act.today, account_id=account_id)}
    # One batch an account and day, whoever is first: what comes due later the same day goes with tomorrow's, unless everything
    # that came first was put off.
    empty = given_up(act)
    free = [one for one in (_BY_ITSELF, _BY_FINALIZER) if one not in made or _is_free(made[one], empty, policy=policy)]
    chosen: dict[str, list[Item]] = {origin: [] for origin in free}
    separate = need_finalizer(act, items, policy=policy)
    for item in sorted(items, key=lambda item: _urgency(item, today=act.today)):
        own = _BY_FINALIZER if item.decision["decision_id"] in separate else _BY_ITSELF
        if own not in free:
            due.without_room += 1
            continue
        # What is above the limit of a batch does not go by itself either: a person finalizes it.
        places = [origin for origin in (own, _BY_FINALIZER) if origin in free]
        place = next((one for one in places if _full(act, chosen[one], item, policy=policy) is None), None)
        if place is not None:
            chosen[place].append(item)
        elif reason := _why_not_tomorrow(act, item, policy=policy):
            due.review += _to_review(act, [item], reason=reason)
        else:
            due.without_room += 1
    for origin in free:
        if not chosen[origin]:
            continue
        if (batch := made.get(origin)) is not None:
            fill(act, batch, chosen[origin])
        else:
            batch = open_batch(
                act, chosen[origin], origin=origin, account_id=account_id, pay_on=act.today, policy=policy
            )
        if origin == _BY_ITSELF:
            seal(act, batch, chosen[origin], by=DUE, policy=policy, is_standing=True)
        due.batch_ids.append(batch["batch_id"])


def _is_free(batch: Row, empty: Collection[str], *, policy: Policy) -> bool:
    """Whether a batch that was made takes payments still: it is empty, and pays by the rail that they were checked for."""
    return batch["batch_id"] in empty and batch["rail"] == policy.rail


def _urgency(item: Item, *, today: date) -> tuple[bool, date, str]:
    """First what cannot wait for tomorrow, then what came due first."""
    return _can_wait(item, today=today), item.decision["pay_on"], item.bill["bill_id"]


def _can_wait(item: Item, *, today: date) -> bool:
    due_date: date | None = item.bill["due_date"]
    return due_date is None or _next_business_day(item, today=today) <= due_date


def _next_business_day(item: Item, *, today: date) -> date:
    # Bills in another currency than the books' are not paid from here.
    days = banking_days(currency=item.bill["currency"], as_of=today)
    return business_days(first=today + timedelta(days=1), last=today + timedelta(days=7), policy=days)[0]


def _why_not_tomorrow(act: Act, item: Item, *, policy: Policy) -> str | None:
    """Why a payment that found the day's batches full cannot go with the next ones; None if it can."""
    if too_large := _full(act, [], item, policy=policy):
        return too_large
    if _can_wait(item, today=act.today):
        return None
    return (
        "What came due with it fills the batches of the day up to the policy's limits, and its bill is due on "
        f"{item.bill['due_date']}, before the next business day, {_next_business_day(item, today=act.today)}."
    )


def _full(act: Act, chosen: Sequence[Item], item: Item, *, policy: Policy) -> str | None:
    """Why a batch of these has no room for one more; None if it has."""
    vendor = item.bill["vendor_id"]
    try:
        total = sum(one.decision["amount_cents"] for one in (*chosen, item))
        refuse_batch_over_limit(total_cents=total, policy=policy)
        same_vendor = [one for one in chosen if one.bill["vendor_id"] == vendor]
        refuse_payments_over_limit(act, [*same_vendor, item], policy=policy)
    except OverLimit as refusal:
        return refusal.what
    return None
