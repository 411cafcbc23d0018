"""Payments that only a person can resolve: taken as paid, ended so that the bill can be decided again, written off.

Belongs here: what QuickBooks has of them, and the three ways out. Does not: how a payment gets here (`drive.py`).

Each way out begins with a look at QuickBooks or the rail, and what it finds outweighs what the person says. A look that finds
nothing counts once the send has had time to arrive, measured as a run measures it: a clock that was set does not end a payment.
Above the policy's limit the resolver is somebody else than who decided: together they are two.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from payments.bills.cycles import move, newest_decision
from payments.cash.holds import may_have_moved, void
from payments.controls.people import require
from payments.controls.policies import in_force
from payments.errors import BadRequest, SamePerson, UnknownHere, WrongState
from payments.rails import nacha_file
from payments.rails.protocol import RECORD_ONLY, Instruction, OpenRail
from payments.sending import clocks
from payments.sending.evidence import Proof, mismatch
from payments.sending.fates import end_lines, leave_to_a_person, paid
from payments.sending.machine_memory import MachineMemory
from payments.sending.outgoing import Outgoing, followers, of_same_decisions, outgoing
from payments.sending.rail_leg import instructed
from payments.sending.send_policy import SendPolicy
from payments.store.batch_tables import BATCH, INTENT, INTENT_BILL
from payments.store.bill_tables import BILL_WORKFLOW, DECISION
from payments.store.ledger import Ledger
from payments.store.repository import Act, Look, Row
from resources.qbo.bill_payments import BillPayments
from resources.tenants import TenantId


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """Where a payment may be: QuickBooks, and the rails of this installation.

    `memory` knows how long ago this machine really sent it; without it, or where another machine sent, the clock is believed as
    far as QuickBooks' agrees.
    """

    books: BillPayments
    open_rail: OpenRail
    memory: MachineMemory | None = None

    def proofs(self, tenant: TenantId, *, leg: str, rail: str, doc_number: str, key: str) -> Sequence[Proof]:
        """What stands of a payment; `WrongState` if its rail cannot be asked."""
        if leg == "book":
            return [one for one in self.books.find(doc_number) if one.total_cents]
        opened = self.open_rail(tenant, rail)
        if opened is None or not opened.abilities.can_be_searched:
            raise WrongState(
                what=f"The rail {rail} cannot be asked what it has.",
                next_step="Ask the bank itself, and say so where it is written down.",
            )
        return [one for one in opened.find(key) if one.stands]

    def came_back(self, tenant: TenantId, instructed_one: Row) -> bool:
        """Whether the rail says that it took this instruction and gave all of it back; False where it cannot be asked."""
        opened = self.open_rail(tenant, instructed_one["rail"])
        if opened is None or not opened.abilities.can_be_searched:
            return False
        found = opened.find(instructed_one["request_id"])
        return bool(found) and not any(one.stands for one in found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unresolved:
    """A payment that waits for a person, with what is there of its number; or a bill of which no payment is under way."""

    #: None of a bill that came due and did not pass, or whose payment was ended.
    intent_id: str | None
    batch_id: str | None
    bill_ids: tuple[str, ...]
    doc_number: str | None
    amount_cents: int
    reason: str
    records: tuple[str, ...]
    #: Commands below `runway` of which one settles it.
    ways_out: tuple[str, ...]


#: What ends the wait of a payment, and of a bill without one.
_OF_PAYMENT = ("batch take", "batch end", "batch write-off")
_OF_BILL = ("decide pay-now", "decide schedule", "decide delay", "bills withdraw")


def unresolved(ledger: Ledger, tenant: TenantId, outside: Outside) -> list[Unresolved]:
    """Everything that waits for a person: payments, one metered read for each record in the books; then bills without one."""
    with ledger.look(tenant) as look:
        rows = look.many(INTENT, INTENT.c.state == "needs_review")
        bills = _undecided(look)
    payments = [
        Unresolved(
            intent_id=row["intent_id"],
            batch_id=row["batch_id"],
            bill_ids=tuple(row["bill_set"].split("+")),
            doc_number=row["doc_number"],
            amount_cents=row["amount_cents"],
            reason=row["reason"] or "",
            records=tuple(one.remote_id for one in _standing(ledger, outside, tenant, row)),
            ways_out=_OF_PAYMENT,
        )
        for row in rows
    ]
    return payments + bills


def _undecided(look: Look) -> list[Unresolved]:
    """The bills that a person has to rule on once more, with what was decided to be paid of them."""
    bills = look.many(BILL_WORKFLOW, BILL_WORKFLOW.c.state == "needs_review")
    lines = look.many(INTENT_BILL, bill_id=[bill["bill_id"] for bill in bills], live=1) if bills else []
    under_way = {line["bill_id"] for line in lines}
    found = []
    for bill in bills:
        decision = newest_decision(look, bill)
        assert decision is not None, "what needs a review was decided"
        if bill["bill_id"] not in under_way:
            found.append(
                Unresolved(
                    intent_id=None,
                    batch_id=None,
                    bill_ids=(bill["bill_id"],),
                    doc_number=None,
                    amount_cents=decision["amount_cents"],
                    reason=bill["reason"] or "",
                    records=(),
                    ways_out=_OF_BILL,
                )
            )
    return found


def take_as_paid(ledger: Ledger, tenant: TenantId, outside: Outside, *, by: str, intent_id: str) -> str:
    """Take the one thing that is there of the payment as the payment; its id. `WrongState` if not exactly one fits.

    Of money that has moved the record may be of other bills or another vendor than was decided: a bill is entered anew, vendors
    are merged, and the money is gone all the same. Number and amount tell that it is the payment; the difference is kept with it.
    """
    payment = _checked(ledger, tenant, by=by, verb="review", intent_id=intent_id)
    found = _standing(ledger, outside, tenant, payment.intent)
    has_moved = _has_moved(ledger, tenant, outside, payment)
    fitting = [one for one in found if _fits(payment, one, has_moved=has_moved)]
    if len(found) != 1 or not fitting:
        raise WrongState(
            what=f"There are {len(found)} payments of number {payment.intent['doc_number']}, {len(fitting)} of them fit.",
            next_step="Void what is too much, or end the payment if there is none.",
        )
    proof = fitting[0]
    if isinstance(proof, Instruction):
        instructed(ledger, tenant, intent_id=intent_id, instruction=proof, was_found=True, by=by)
        _wake(ledger, tenant, payment, by=by)
    else:
        differs = mismatch(payment, proof)
        paid(ledger, tenant, intent_id=intent_id, record=proof, was_found=True, by=by, although=differs)
    _forget(ledger, tenant, outside, intent_id)
    return proof.remote_id


def _fits(payment: Outgoing, proof: Proof, *, has_moved: bool) -> bool:
    intent = payment.intent
    if isinstance(proof, Instruction):
        return bool(proof.amount_cents == intent["amount_cents"])
    if has_moved:
        return (proof.doc_number, proof.total_cents) == (intent["doc_number"], intent["amount_cents"])
    return mismatch(payment, proof) is None


def _wake(ledger: Ledger, tenant: TenantId, payment: Outgoing, *, by: str) -> None:
    """Let the batch go on at once with the records that waited for this money."""
    with ledger.act(tenant, actor=by, kind="batch woken") as act:
        batch = act.one(BATCH, batch_id=payment.intent["batch_id"])
        assert batch is not None, "a payment's batch is there"
        act.entity = f"batch {batch['batch_id']}"
        if batch["state"] == "waiting":
            act.update(BATCH, {"batch_id": batch["batch_id"]}, {"not_before": act.now})


def end_payment(
    ledger: Ledger, tenant: TenantId, outside: Outside, *, by: str, intent_id: str, reason: str, policy: SendPolicy
) -> None:
    """End a payment that is nowhere: its money is free, and its bills wait for another decision.

    One that waits for a payment file, and is in none that may be at the bank, can be ended as it is.
    """
    _end(ledger, tenant, outside, by=by, verb="review", intent_id=intent_id, reason=reason, policy=policy)


def write_off(
    ledger: Ledger, tenant: TenantId, outside: Outside, *, by: str, intent_id: str, reason: str, policy: SendPolicy
) -> None:
    """End a payment that is nowhere, and its bills with it: they are not paid from here."""
    _end(ledger, tenant, outside, by=by, verb="write_off", intent_id=intent_id, reason=reason, policy=policy)


def _end(
    ledger: Ledger,
    tenant: TenantId,
    outside: Outside,
    *,
    by: str,
    verb: str,
    intent_id: str,
    reason: str,
    policy: SendPolicy,
) -> None:
    if not reason.strip():
        raise BadRequest(what="Ending a payment needs a reason.", next_step="Say why in a few words.")
    payment = _checked(ledger, tenant, by=by, verb=verb, intent_id=intent_id)
    _refuse_instructed(ledger, tenant, outside, payment)
    _refuse_unsettled(ledger, tenant, outside, payment, policy=policy)
    found = _standing(ledger, outside, tenant, payment.intent)
    if found:
        raise WrongState(
            what=f"Payment {found[0].remote_id} of number {payment.intent['doc_number']} is there.",
            next_step="Take it as paid, or undo it there first.",
        )
    with ledger.act(tenant, actor=by, kind="payment ended" if verb == "review" else "payment written off") as act:
        fresh = _waiting_for_a_person(act, intent_id)
        _refuse_one_person(act, fresh, by=by, verb=verb)
        act.entity = f"intent {intent_id}"
        if fresh.intent["state"] == "ready":
            leave_to_a_person(act, fresh, reason=reason.strip())
            fresh = outgoing(act, intent_id)
        for one in [fresh.intent, *followers(act, fresh)]:
            act.update(INTENT, {"intent_id": one["intent_id"]}, {"state": "void", "reason": reason.strip()})
        for line in fresh.lines:
            end_lines(act, line)
            void(act, hold_id=line["hold_id"], because=reason.strip())
        for bill in fresh.bills.values():
            if verb == "write_off":
                move(act, bill, to="written_off", reason=reason.strip())
    _forget(ledger, tenant, outside, intent_id)


def _refuse_unsettled(
    ledger: Ledger, tenant: TenantId, outside: Outside, payment: Outgoing, *, policy: SendPolicy
) -> None:
    """A look that finds nothing counts from when on a payment has had time to arrive; nothing is known of that by a wrong clock."""
    intent = payment.intent
    if intent["sent_at"] is None:
        return
    server = outside.books.ask_time() if policy.most_clock_difference is not None else None
    if apart := clocks.difference(server, now=ledger.clock.now(), most=policy.most_clock_difference):
        raise WrongState(
            what=f"How long ago the payment was sent cannot be told: {apart}.",
            next_step="Put the clock of this machine right, then try again.",
        )
    settled_at = intent["sent_at"] + policy.settle
    if outside.memory is not None:
        settled_at = outside.memory.settled_at(tenant, intent, settle=policy.settle)
    if ledger.clock.now() < settled_at:
        raise WrongState(
            what="The payment was sent a moment ago and may still arrive.",
            next_step=f"Try again after {settled_at:%H:%M:%S} UTC.",
        )


def _forget(ledger: Ledger, tenant: TenantId, outside: Outside, intent_id: str) -> None:
    """Its fate is known: how long ago it was sent matters to nobody."""
    if outside.memory is not None and not ledger.dry_run:
        outside.memory.forget_send(tenant, intent_id)


def _checked(ledger: Ledger, tenant: TenantId, *, by: str, verb: str, intent_id: str) -> Outgoing:
    with ledger.look(tenant) as look:
        payment = _waiting_for_a_person(look, intent_id)
        _refuse_one_person(look, payment, by=by, verb=verb)
    return payment


def _waiting_for_a_person(look: Look, intent_id: str) -> Outgoing:
    row = look.one(INTENT, intent_id=intent_id)
    if row is None:
        raise UnknownHere(
            what=f"There is no payment {intent_id!r}.", next_step="`runway batch review` lists those that wait."
        )
    if row["state"] != "needs_review" and not _waits_for_a_file(row):
        raise WrongState(
            what=f"Payment {intent_id} is {row['state'].replace('_', ' ')} and waits for nobody.",
            next_step="Nothing has to be done.",
            state=row["state"],
        )
    return outgoing(look, intent_id)


def _waits_for_a_file(intent: Row) -> bool:
    """Whether no run sends this payment, and no person has."""
    return (intent["leg"], intent["rail"], intent["state"]) == ("rail", nacha_file.NAME, "ready")


def _refuse_one_person(look: Look | Act, payment: Outgoing, *, by: str, verb: str) -> None:
    require(look, by, verb)
    if not in_force(look).separates(payment.intent["amount_cents"]):
        return
    ids = [line["decision_id"] for line in payment.lines]
    if by in {row["decided_by"] for row in look.many(DECISION, DECISION.c.decision_id.in_(ids))}:
        raise SamePerson(
            what=f"{by} decided this payment; above the limit somebody else resolves it.",
            next_step="Let a second person look at it.",
        )


def _refuse_instructed(ledger: Ledger, tenant: TenantId, outside: Outside, payment: Outgoing) -> None:
    """The record of money that has moved is not ended: its money is gone."""
    if _has_moved(ledger, tenant, outside, payment):
        raise WrongState(
            what="The money of this payment was instructed; only its record is missing.",
            next_step="Enter the payment in QuickBooks, for the bill that it has paid as it is now, "
            f"with the number {payment.intent['doc_number']}; then take it as paid.",
        )


def _has_moved(ledger: Ledger, tenant: TenantId, outside: Outside, payment: Outgoing) -> bool:
    """Whether this is the record of money that a rail was told to move, and that did not all come back."""
    if payment.intent["leg"] == "rail" or payment.intent["rail"] == RECORD_ONLY:
        return False
    with ledger.look(tenant) as look:
        moved = of_same_decisions(look, payment, leg="rail")
    return not all(outside.came_back(tenant, one) for one in moved)


def _standing(ledger: Ledger, outside: Outside, tenant: TenantId, intent: Row) -> Sequence[Proof]:
    """What stands of a payment; of one that was in no file, nothing: a bank cannot be asked for it."""
    if intent["leg"] == "rail" and intent["rail"] == nacha_file.NAME:
        with ledger.look(tenant) as look:
            if not may_have_moved(look, intent):
                return ()
    return outside.proofs(
        tenant, leg=intent["leg"], rail=intent["rail"], doc_number=intent["doc_number"], key=intent["request_id"]
    )
