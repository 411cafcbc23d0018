"""Driving a batch: each payment looked at, sent at most once at a time, its fate recorded; what is unclear waits.

Belongs here: the order of the steps for one payment and for a batch. Does not: single steps (`book.py`, `evidence.py`, `fates.py`),
the claim (`runs.py`), Dagster.

    look -> intent (committed) -> send -> answer (committed) -> look at the neighbours
Nothing here sleeps: what has to wait ends the run with the batch `waiting`, and a later run goes on. A run may be killed, stopped
or doubled at any point; the ledger and the next look decide.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar

from payments.controls.alarms import raise_alarm
from payments.errors import Fenced, Refused
from payments.rails.protocol import RECORD_ONLY, OpenRail, Rail
from payments.sending import clocks, fates
from payments.sending.book import Answer, on_a_later_send, refuse_other_body
from payments.sending.evidence import Absent, Adopt, Changed, Contradicted, Proof, Verdict
from payments.sending.legs import BookLeg, Leg, RailLeg
from payments.sending.machine_memory import MachineMemory, too_late
from payments.sending.outgoing import Outgoing, outgoing
from payments.sending.reconcile import reconcile
from payments.sending.runs import DONE, RUN, Claim, NotClaimed, claim, close, refuse_broken_seal
from payments.sending.send_policy import SendPolicy, may_send_again, nets
from payments.store.batch_tables import INTENT
from payments.store.ledger import Ledger
from payments.store.repository import Row
from payments.store.states import INTENT_FINAL
from resources.errors import TenantError
from resources.failpoints import failpoint
from resources.qbo.bill_payments import BillPayments
from resources.qbo.entities import BadObject
from resources.qbo.errors import ConnectionLost, QboNotAuthorised, QboThrottled
from resources.tenants import TenantId

_Result = TypeVar("_Result")
OpenBooks = Callable[[TenantId], BillPayments]
#: A tenant's rail of a name; None if this installation has no such rail.
#: After this many rounds a payment that is still ready is left to the next run.
_MOST_ROUNDS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Driven:
    """What a run found or did.

    `outcome`: settled, settled_with_exceptions, waiting; or, having done nothing, busy, not_yet, not_finalized, already_settled.
    """

    outcome: str
    #: Payments by state, and each by its id.
    states: Mapping[str, int] = field(default_factory=dict)
    payments: Mapping[str, str] = field(default_factory=dict)
    #: When the batch goes on.
    until: datetime | None = None
    #: Why it stopped early; empty if it did not.
    trouble: str = ""
    metered_reads: int = 0


def drive(
    ledger: Ledger,
    tenant: TenantId,
    *,
    batch_id: str,
    holder: str,
    open_books: OpenBooks,
    open_rail: OpenRail | None = None,
    policy: SendPolicy | None = None,
    memory: MachineMemory | None = None,
) -> Driven:
    """Bring a finalized batch as far as it goes now; harmless to call twice, at once, or for a batch of somebody else.

    Without `memory` (a test in which nobody restores anything) a restored ledger is not recognised, and the clock is believed.

    Raises:
        UnknownHere: the tenant has no such batch.
        SealBroken: the batch is not what was finalized; nothing was sent.
        Fenced: another run has taken the batch over.
    """
    failpoint("run.start")
    policy = policy or SendPolicy()
    claimed = claim(ledger, tenant, batch_id=batch_id, holder=holder, policy=policy)
    if isinstance(claimed, NotClaimed):
        return Driven(outcome=claimed.because)
    refuse_broken_seal(ledger, claimed, policy=policy)
    return _Run(ledger, claimed, open_books=open_books, open_rail=open_rail, policy=policy, memory=memory).go()


class _Trouble(Exception):
    """Something that concerns every payment of the company: stop sending, wait."""

    def __init__(self, what: str, *, wait: timedelta | None, alarm: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.wait = wait
        self.alarm = alarm


class _Run:
    """One claim of one batch."""

    def __init__(
        self,
        ledger: Ledger,
        claimed: Claim,
        *,
        open_books: OpenBooks,
        open_rail: OpenRail | None,
        policy: SendPolicy,
        memory: MachineMemory | None,
    ) -> None:
        self._ledger = ledger
        self._claim = claimed
        self._open_books = open_books
        self._open_rail = open_rail
        self._rails: dict[str, Rail | None] = {}
        self._policy = policy
        self._memory = memory
        self._books: BillPayments | None = None
        self._until: list[datetime] = []
        self._unclear_in_a_row = 0

    def go(self) -> Driven:
        trouble = ""
        try:
            self._compare_if_restored()
            for intent_id in self._intents():
                self._bring_on(intent_id)
        except _Trouble as stop:
            trouble = stop.what
            self._until = [self._now() + max(stop.wait or self._policy.trouble_wait, self._policy.back_off)]
            if stop.alarm:
                self._raise_alarm(stop)
        until = min(self._until, default=None)
        outcome, until, states = close(self._ledger, self._claim, until=until, policy=self._policy)
        with self._ledger.look(self._claim.tenant) as look:
            rows = look.many(INTENT, INTENT.c.batch_id == self._claim.batch_id)
        self._forget_sends(rows)
        return Driven(
            outcome=outcome,
            states=dict(Counter(states)),
            payments={row["intent_id"]: row["state"] for row in rows},
            until=until,
            trouble=trouble,
            metered_reads=0 if self._books is None else self._books.tally.calls,
        )

    def _intents(self) -> list[str]:
        with self._ledger.look(self._claim.tenant) as look:
            rows = look.many(INTENT, INTENT.c.batch_id == self._claim.batch_id)
        # Money first, then the record of it.
        ordered = sorted(rows, key=lambda row: (row["leg"] == "book", row["bill_set"]))
        return [row["intent_id"] for row in ordered if row["state"] not in DONE]

    def _bring_on(self, intent_id: str) -> None:
        """Take one payment as far as it goes now."""
        for _ in range(_MOST_ROUNDS):
            payment = self._read(intent_id)
            if payment.intent["state"] in DONE or not self._is_due(payment):
                return
            if payment.intent["state"] == "sent":
                # A run that is gone had sent it, or was about to.
                fates.unknown(self._ledger, self._claim, intent_id=intent_id, detail="its run ended before the answer")
                continue
            self._look_and_send(payment)
        self._wait_until(self._now() + self._policy.back_off)

    def _is_due(self, payment: Outgoing) -> bool:
        intent = payment.intent
        if intent["state"] == "waiting" or self._waits_for_a_person(payment):
            self._wait_until(self._now() + self._policy.person_wait)
            return False
        due = intent["not_before"] if intent["state"] == "ready" else self._settled_at(payment)
        if due is None or self._now() >= due:
            return True
        self._wait_until(due)
        return False

    def _look_and_send(self, payment: Outgoing) -> None:
        match self._look(payment):
            case Adopt(record):
                self._paid(payment, record, was_found=True)
            case Contradicted() as found:
                self._review(payment, found.reason, records=found.records, remedy=found.remedy)
            case Changed(reason):
                if payment.intent["state"] != "ready" or not fates.changed_before_sending(
                    self._ledger, self._claim, intent_id=payment.intent_id, reason=reason
                ):
                    self._review(payment, reason)
            case Absent():
                self._refuse_other_time()
                if payment.intent["state"] == "ready" or self._may_send_again(payment):
                    self._send(payment)
                else:
                    self._review(payment, "its fate is unclear, and too little guards a second send")

    def _may_send_again(self, payment: Outgoing) -> bool:
        assert payment.first_sent_at is not None, "what is unclear was sent"
        memory, is_whole, sees_all = self._leg(payment).nets(payment, self._policy)
        held = nets(
            first_sent_at=payment.first_sent_at,
            has_settled=self._now() >= self._settled_at(payment),
            remembered_for=memory,
            is_whole_balance=is_whole,
            sees_all=sees_all,
            now=self._now(),
        )
        return may_send_again(held, attempts=payment.unclear_sends, policy=self._policy)

    def _send(self, payment: Outgoing) -> None:
        refuse_other_body(payment)
        leg = self._leg(payment)
        self._guarded(leg.make_ready)
        was_unclear = payment.intent["state"] == "unknown"
        decided_at = self._ledger.clock.uptime()
        if self._memory is not None:
            number = payment.intent["attempts"] + 1
            self._memory.note_send(self._claim.tenant, payment.intent_id, number=number)
        written = fates.send_written(self._ledger, self._claim, payment)
        if written is None:
            return
        if self._memory is not None:
            self._memory.note_ledger(self._ledger, self._claim.tenant)
        is_in_time = timedelta() <= self._now() - written["sent_at"] <= self._policy.send_window
        if not is_in_time or too_late(decided_at, self._ledger.clock, window=self._policy.send_window):
            self._record(
                payment, Answer(kind="not_processed", detail="not sent: it took too long"), was_unclear=was_unclear
            )
            return
        failpoint("send.before")
        answer = leg.send(payment)
        failpoint("answer.before_record")
        try:
            self._record(payment, answer, was_unclear=was_unclear)
        except Fenced:
            # Another run has taken over while this send was out: it may be the second one, whatever its answer was.
            self._guarded(lambda: leg.check(payment))
            raise

    def _record(self, payment: Outgoing, answer: Answer, *, was_unclear: bool) -> None:
        if was_unclear:
            answer = on_a_later_send(answer)
        ids = {"intent_id": payment.intent_id, "detail": answer.detail}
        self._unclear_in_a_row = self._unclear_in_a_row + 1 if answer.kind == "unknown" else 0
        match answer.kind:
            case "landed":
                assert answer.record is not None, "what landed has a record"
                self._paid(payment, answer.record, was_found=False)
            case "unknown":
                fates.unknown(self._ledger, self._claim, **ids)
            case "refused":
                self._refused(payment, answer)
            case "not_processed":
                due = None if answer.detail.startswith("not sent") else self._now() + self._policy.back_off
                fates.ready_again(self._ledger, self._claim, not_before=due, **ids)
        if answer.is_systemic:
            raise _Trouble(answer.detail, wait=answer.wait, alarm="payments stopped" if answer.wait is None else "")
        if self._unclear_in_a_row >= self._policy.most_unclear_in_a_row:
            raise _Trouble("QuickBooks gave no clear answer several times in a row", wait=None)

    def _refused(self, payment: Outgoing, answer: Answer) -> None:
        """A first send was refused: believed only after a look that finds nothing."""
        seen = self._guarded_after_send(payment, answer)
        if seen is None:
            return
        match seen:
            case Adopt(record):
                self._paid(payment, record, was_found=True)
            case Contradicted() as found:
                self._review(payment, found.reason, records=found.records, remedy=found.remedy)
            case _ if payment.intent["leg"] == "book" and payment.intent["rail"] != RECORD_ONLY:
                self._review(payment, f"the money is instructed and the books refuse it: {answer.detail}")
            case _:
                fates.refused(self._ledger, self._claim, intent_id=payment.intent_id, detail=answer.detail)

    def _guarded_after_send(self, payment: Outgoing, answer: Answer) -> Verdict | None:
        try:
            return self._look(payment)
        except _Trouble:
            fates.unknown(self._ledger, self._claim, intent_id=payment.intent_id, detail=answer.detail)
            raise

    def _paid(self, payment: Outgoing, proof: Proof, *, was_found: bool) -> None:
        leg = self._leg(payment)
        leg.take(payment, proof, was_found=was_found)
        self._guarded(lambda: leg.check(payment))

    def _review(self, payment: Outgoing, reason: str, *, records: Sequence[Proof] = (), remedy: str = "") -> None:
        fates.needs_review(
            self._ledger, self._claim, intent_id=payment.intent_id, reason=reason, records=records, remedy=remedy
        )

    def _compare_if_restored(self) -> None:
        """A ledger that may have been put back from a backup has forgotten payments: look for them before anything is sent."""
        if self._memory is None or self._memory.knows(self._ledger, self._claim.tenant):
            return
        self._guarded(lambda: reconcile(self._ledger, self._claim.tenant, self._opened()))
        self._memory.note_ledger(self._ledger, self._claim.tenant)

    def _forget_sends(self, rows: Sequence[Row]) -> None:
        if self._memory is not None:
            for row in rows:
                # Of what waits for a person it is still asked how long ago it was sent.
                if row["state"] in INTENT_FINAL:
                    self._memory.forget_send(self._claim.tenant, row["intent_id"])

    def _settled_at(self, payment: Outgoing) -> datetime:
        """When a look for a payment counts."""
        if self._memory is not None:
            return self._memory.settled_at(self._claim.tenant, payment.intent, settle=self._policy.settle)
        sent_at: datetime = payment.intent["sent_at"]
        return sent_at + self._policy.settle

    def _refuse_other_time(self) -> None:
        """Waiting is measured by this machine's clock: nothing is sent while it and QuickBooks' are apart."""
        most = self._policy.most_clock_difference
        if apart := clocks.difference(self._opened().server_time, now=self._now(), most=most):
            raise _Trouble(apart, wait=None, alarm=clocks.ALARM)

    def _look(self, payment: Outgoing) -> Verdict:
        return self._guarded(lambda: self._leg(payment).look(payment))

    def _leg(self, payment: Outgoing) -> Leg:
        books = self._opened()
        if payment.intent["leg"] == "book":
            return BookLeg(self._ledger, self._claim.tenant, books)
        rail = self._rail(payment.intent["rail"])
        assert rail is not None, "asked when the payment was found to be due"
        return RailLeg(self._ledger, self._claim.tenant, books, rail)

    def _rail(self, name: str) -> Rail | None:
        if name not in self._rails:
            self._rails[name] = None if self._open_rail is None else self._open_rail(self._claim.tenant, name)
        return self._rails[name]

    def _waits_for_a_person(self, payment: Outgoing) -> bool:
        """Whether a person carries this payment's money to the bank and has not said so yet."""
        if payment.intent["leg"] == "book":
            return False
        rail = self._rail(payment.intent["rail"])
        if rail is None:
            what = f"this installation has no way to move money by {payment.intent['rail']}"
            raise _Trouble(what, wait=self._policy.person_wait, alarm="no rail")
        return not rail.abilities.instructs_at_once

    def _guarded(self, ask: Callable[[], _Result]) -> _Result:
        """Ask something that changes nothing; whatever fails there concerns every payment."""
        try:
            return ask()
        except Refused:
            raise
        except (ConnectionLost, QboNotAuthorised) as error:
            raise _Trouble(str(error), wait=None, alarm="payments stopped") from error
        except QboThrottled as error:
            wait = timedelta(seconds=error.retry_after) if error.retry_after else None
            raise _Trouble(str(error), wait=wait) from error
        except TenantError as error:
            raise _Trouble(str(error), wait=None) from error
        except BadObject as error:
            raise _Trouble(
                f"an answer of QuickBooks cannot be read: {error}", wait=None, alarm="payments stopped"
            ) from error

    def _opened(self) -> BillPayments:
        if self._books is None:
            self._books = self._open_books(self._claim.tenant)
        return self._books

    def _raise_alarm(self, stop: _Trouble) -> None:
        with self._ledger.act(self._claim.tenant, actor=RUN, kind="payments stopped") as act:
            act.entity = f"batch {self._claim.batch_id}"
            self._claim.fence(act)
            raise_alarm(
                act,
                kind=stop.alarm,
                subject=f"batch {self._claim.batch_id}",
                detail=stop.what,
                remedy="The batch goes on by itself once this is mended; nothing that was sent is undone.",
            )

    def _read(self, intent_id: str) -> Outgoing:
        with self._ledger.look(self._claim.tenant) as look:
            return outgoing(look, intent_id)

    def _wait_until(self, when: datetime) -> None:
        self._until.append(when)

    def _now(self) -> datetime:
        return self._ledger.clock.now()
