"""What a run of a batch would do now: the dry run of sending.

Belongs here: looking at each payment as a run does, and saying what would follow. Does not: sending, writing, the claim. Nothing is
changed; QuickBooks and the rail are asked what they have, which costs the reads of a look.

Between this and the run the world may change: the run looks again.
"""

from dataclasses import dataclass
from datetime import datetime

from payments.errors import UnknownHere
from payments.rails.protocol import OpenRail, Rail
from payments.sending.batches import verify_seal
from payments.sending.drive import OpenBooks
from payments.sending.evidence import Absent, Adopt, Changed, Contradicted, Verdict
from payments.sending.legs import BookLeg, RailLeg
from payments.sending.outgoing import Outgoing, outgoing
from payments.sending.runs import DONE, why_not_claimable
from payments.sending.send_policy import SendPolicy
from payments.store.batch_tables import BATCH, INTENT
from payments.store.ledger import Ledger
from resources.qbo.bill_payments import BillPayments
from resources.tenants import TenantId


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One payment of a batch, and what a run would do with it."""

    intent_id: str
    leg: str
    bill_ids: tuple[str, ...]
    amount_cents: int
    state: str
    next_step: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Foreseen:
    """What a run would find. `outcome`: would_run, or why none may: busy, not_yet, not_finalized, already_settled."""

    outcome: str
    steps: tuple[Step, ...]
    metered_reads: int


def foresee(
    ledger: Ledger,
    tenant: TenantId,
    *,
    batch_id: str,
    open_books: OpenBooks,
    open_rail: OpenRail,
    policy: SendPolicy,
) -> Foreseen:
    """Look at a batch as a run would.

    Raises:
        UnknownHere: the tenant has no such batch.
        SealBroken: the batch is not what was finalized.
    """
    with ledger.look(tenant) as look:
        batch = look.one(BATCH, batch_id=batch_id)
        if batch is None:
            raise UnknownHere(what=f"There is no batch {batch_id!r}.", next_step="`runway batch list` shows all.")
        because = why_not_claimable(batch, now=look.now, policy=policy)
        if because is not None:
            return Foreseen(outcome=because, steps=(), metered_reads=0)
        verify_seal(look, batch_id)
        rows = sorted(
            look.many(INTENT, INTENT.c.batch_id == batch_id), key=lambda row: (row["leg"] == "book", row["bill_set"])
        )
        payments = [outgoing(look, row["intent_id"]) for row in rows]
        now = look.now
    books = open_books(tenant)
    rail = None if batch["rail"] == "record_only" else open_rail(tenant, batch["rail"])
    steps = [_step(_Asked(ledger, tenant, books, rail), payment, now=now, policy=policy) for payment in payments]
    return Foreseen(outcome="would_run", steps=tuple(steps), metered_reads=books.tally.calls)


@dataclass(frozen=True, slots=True)
class _Asked:
    """Where a payment is looked for."""

    ledger: Ledger
    tenant: TenantId
    books: BillPayments
    rail: Rail | None

    def look(self, payment: Outgoing) -> Verdict:
        """What is there of it."""
        if payment.intent["leg"] == "book":
            return BookLeg(self.ledger, self.tenant, self.books).look(payment)
        assert self.rail is not None, "asked before"
        return RailLeg(self.ledger, self.tenant, self.books, self.rail).look(payment)


def _step(asked: _Asked, payment: Outgoing, *, now: datetime, policy: SendPolicy) -> Step:
    intent = payment.intent
    return Step(
        intent_id=payment.intent_id,
        leg=intent["leg"],
        bill_ids=tuple(payment.bills),
        amount_cents=intent["amount_cents"],
        state=intent["state"],
        next_step=_waits(asked, payment, now=now, policy=policy) or _follows(asked.look(payment), intent["state"]),
    )


def _waits(asked: _Asked, payment: Outgoing, *, now: datetime, policy: SendPolicy) -> str | None:
    """Why nothing would be done with it; None if it is looked for."""
    intent = payment.intent
    if intent["state"] in DONE:
        return "nothing: a person resolves it" if intent["state"] == "needs_review" else "nothing: it is done"
    if intent["state"] == "waiting":
        return "nothing: its money is not instructed yet"
    if intent["leg"] == "rail" and asked.rail is None:
        return f"nothing: this installation has no way to move money by {intent['rail']}"
    if intent["leg"] == "rail" and asked.rail is not None and not asked.rail.abilities.instructs_at_once:
        return "nothing: a person takes its file to the bank and says so"
    due = intent["not_before"] if intent["state"] == "ready" else intent["sent_at"] + policy.settle
    return f"nothing before {due:%Y-%m-%d %H:%M:%S} UTC" if due is not None and now < due else None


def _follows(verdict: Verdict, state: str) -> str:
    match verdict:
        case Adopt(record):
            return f"taken as done: it is there as {record.remote_id}"
        case Contradicted(reason, _):
            return f"left to a person: {reason}"
        case Changed(reason):
            return f"not sent: {reason}"
        case Absent() if state == "ready":
            return "sent"
        case Absent():
            return "not there: sent again if two of three nets stand, else left to a person"
