"""Payments that only a person can resolve: taken as paid, ended so that the bill can be decided again, written off.

Belongs here: what QuickBooks has of them, and the three ways out. Does not: how a payment gets here (`drive.py`).

Each way out begins with a look at QuickBooks, and what it finds outweighs what the person says. Above the policy's limit the
resolver is somebody else than who decided: together they are two.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from payments.batch_tables import INTENT
from payments.bill_tables import DECISION
from payments.bills import move
from payments.errors import BadRequest, SamePerson, UnknownHere, WrongState
from payments.evidence import mismatch
from payments.fates import end_lines, paid
from payments.holds import void
from payments.ledger import Ledger
from payments.outgoing import Outgoing, followers, outgoing
from payments.people import require
from payments.policies import in_force
from payments.repository import Act, Look
from payments.send_policy import SendPolicy
from resources.qbo.bill_payments import BillPayments, RecordedPayment
from resources.tenants import TenantId


@dataclass(frozen=True, slots=True, kw_only=True)
class Unresolved:
    """A payment that waits for a person, with what QuickBooks has of its number."""

    intent_id: str
    batch_id: str
    bill_ids: tuple[str, ...]
    doc_number: str
    amount_cents: int
    reason: str
    records: tuple[str, ...]


def unresolved(ledger: Ledger, tenant: TenantId, books: BillPayments) -> list[Unresolved]:
    """Every payment that waits for a person; one metered read each."""
    with ledger.look(tenant) as look:
        rows = look.many(INTENT, INTENT.c.state == "needs_review")
    return [
        Unresolved(
            intent_id=row["intent_id"],
            batch_id=row["batch_id"],
            bill_ids=tuple(row["bill_set"].split("+")),
            doc_number=row["doc_number"],
            amount_cents=row["amount_cents"],
            reason=row["reason"] or "",
            records=tuple(one.remote_id for one in books.find(row["doc_number"]) if one.total_cents),
        )
        for row in rows
    ]


def take_as_paid(ledger: Ledger, tenant: TenantId, books: BillPayments, *, by: str, intent_id: str) -> RecordedPayment:
    """Take the one record that QuickBooks has of the payment as the payment; `WrongState` if there is not exactly one that fits."""
    payment = _checked(ledger, tenant, by=by, verb="review", intent_id=intent_id)
    records = _standing(books, payment)
    fitting = [record for record in records if mismatch(payment, record) is None]
    if len(records) != 1 or not fitting:
        raise WrongState(
            what=f"QuickBooks has {len(records)} payments of number {payment.intent['doc_number']}, {len(fitting)} of them fit.",
            next_step="Void what is too much in QuickBooks, or end the payment if there is none.",
        )
    paid(ledger, tenant, intent_id=intent_id, record=fitting[0], was_found=True, by=by)
    return fitting[0]


def end_payment(
    ledger: Ledger, tenant: TenantId, books: BillPayments, *, by: str, intent_id: str, reason: str, policy: SendPolicy
) -> None:
    """End a payment that QuickBooks does not have: its money is free, and its bills wait for another decision."""
    _end(ledger, tenant, books, by=by, verb="review", intent_id=intent_id, reason=reason, policy=policy)


def write_off(
    ledger: Ledger, tenant: TenantId, books: BillPayments, *, by: str, intent_id: str, reason: str, policy: SendPolicy
) -> None:
    """End a payment that QuickBooks does not have, and its bills with it: they are not paid from here."""
    _end(ledger, tenant, books, by=by, verb="write_off", intent_id=intent_id, reason=reason, policy=policy)


def _end(
    ledger: Ledger,
    tenant: TenantId,
    books: BillPayments,
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
    sent_at = payment.intent["sent_at"]
    if sent_at is not None and ledger.clock.now() < sent_at + policy.settle:
        raise WrongState(
            what="The payment was sent a moment ago and may still arrive.",
            next_step=f"Try again after {sent_at + policy.settle:%H:%M:%S} UTC.",
        )
    records = _standing(books, payment)
    if records:
        raise WrongState(
            what=f"QuickBooks has payment {records[0].remote_id} of number {payment.intent['doc_number']}.",
            next_step="Take it as paid, or void it in QuickBooks first.",
        )
    with ledger.act(tenant, actor=by, kind="payment ended" if verb == "review" else "payment written off") as act:
        fresh = _waiting_for_a_person(act, intent_id)
        _refuse_one_person(act, fresh, by=by, verb=verb)
        act.entity = f"intent {intent_id}"
        for one in [fresh.intent, *followers(act, fresh)]:
            act.update(INTENT, {"intent_id": one["intent_id"]}, {"state": "void", "reason": reason.strip()})
        for line in fresh.lines:
            end_lines(act, line)
            void(act, hold_id=line["hold_id"], because=reason.strip())
        for bill in fresh.bills.values():
            if verb == "write_off":
                move(act, bill, to="written_off", reason=reason.strip())


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
    if row["state"] != "needs_review":
        raise WrongState(
            what=f"Payment {intent_id} is {row['state'].replace('_', ' ')} and waits for nobody.",
            next_step="Nothing has to be done.",
            state=row["state"],
        )
    return outgoing(look, intent_id)


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


def _standing(books: BillPayments, payment: Outgoing) -> Sequence[RecordedPayment]:
    return [one for one in books.find(payment.intent["doc_number"]) if one.total_cents]
