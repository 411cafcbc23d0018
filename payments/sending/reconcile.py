"""Comparing the ledger with what QuickBooks has: after each payment, every night, after a restore.

Belongs here: doubles, orphans, payments that are gone or voided, each an alarm with both records and the remedy. Does not:
undoing anything: nothing that succeeded is undone by a program.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from payments.controls.alarms import raise_alarm, was_resolved
from payments.sending.evidence import mismatch
from payments.sending.fates import alarm_doubles, paid
from payments.sending.outgoing import Outgoing, outgoing
from payments.store.batch_tables import INTENT
from payments.store.ledger import Ledger
from payments.store.repository import Act, Look, Row
from resources.qbo.bill_payments import BillPayments, RecordedPayment
from resources.tenants import TenantId

ACTOR = "system:reconcile"
#: How all our numbers begin.
MARKER = "RW-"
#: Older payments were compared on as many nights as this.
LOOK_BACK = timedelta(days=90)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciled:
    """What a comparison found, open alarms counted each time; of orphans and gone payments those that no person has resolved."""

    compared: int
    #: Payments whose record turned up and was taken as theirs.
    adopted: int
    doubles: int
    #: Records with our marker that no payment of the ledger is.
    orphans: int
    #: Paid by the ledger and not in the books as they stand.
    missing: int
    metered_reads: int

    @property
    def is_clean(self) -> bool:
        """Whether nothing is wrong."""
        return not (self.doubles or self.orphans or self.missing)


def check_neighbours(ledger: Ledger, tenant: TenantId, books: BillPayments, *, intent_id: str) -> bool:
    """Right after a payment: whether QuickBooks has it once. One metered read."""
    with ledger.look(tenant) as look:
        payment = outgoing(look, intent_id)
    records = _standing(books.find(payment.intent["doc_number"]))
    if len(records) <= 1:
        return True
    with ledger.act(tenant, actor=ACTOR, kind="paid twice") as act:
        act.entity = f"intent {intent_id}"
        alarm_doubles(act, payment, records)
    return False


def reconcile(ledger: Ledger, tenant: TenantId, books: BillPayments, *, since: datetime | None = None) -> Reconciled:
    """Compare every payment with our marker that was recorded since an instant, 90 days by default."""
    since = since or ledger.clock.now() - LOOK_BACK
    before = books.tally.calls
    with ledger.look(tenant) as look:
        # Before QuickBooks is read: what another run records meanwhile need not be in that read.
        recorded = recorded_since(look, since)
    records = books.marked(MARKER, since=since)
    by_number = defaultdict(list)
    for record in records:
        by_number[record.doc_number].append(record)
    with ledger.look(tenant) as look:
        intents = of_numbers(look, by_number)
    adopted = sum(
        _adopt(ledger, tenant, intents[number], found)
        for number, found in sorted(by_number.items())
        if number in intents
    )
    with ledger.act(tenant, actor=ACTOR, kind="books compared") as act:
        doubles = _doubles(act, intents, by_number)
        orphans = _orphans(act, intents, records)
        missing = _missing(act, recorded, by_number)
    return Reconciled(
        compared=len(records),
        adopted=adopted,
        doubles=doubles,
        orphans=orphans,
        missing=missing,
        metered_reads=books.tally.calls - before,
    )


def of_numbers(look: Look, numbers: Iterable[str]) -> dict[str, Row]:
    """The entries that records of these numbers may be of, by number."""
    wanted = sorted(numbers)
    found = look.many(INTENT, leg="book", doc_number=wanted) if wanted else []
    return {row["doc_number"]: row for row in found}


def recorded_since(look: Look, since: datetime) -> list[Row]:
    """The entries that a record has to be there of: paid, and recorded since an instant."""
    return look.many(INTENT, INTENT.c.recorded_at > since, leg="book", state="paid")


def _adopt(ledger: Ledger, tenant: TenantId, intent: Row, found: Sequence[RecordedPayment]) -> bool:
    """Record what QuickBooks has of a payment that the ledger does not know to be paid; evidence needs no claim."""
    if len(found) != 1 or intent["state"] not in {"ready", "sent", "unknown"}:
        return False
    with ledger.look(tenant) as look:
        payment = outgoing(look, intent["intent_id"])
    if mismatch(payment, found[0]) is not None:
        return False
    return paid(ledger, tenant, intent_id=intent["intent_id"], record=found[0], was_found=True, by=ACTOR)


def _doubles(act: Act, intents: Mapping[str, Row], by_number: Mapping[str, Sequence[RecordedPayment]]) -> int:
    count = 0
    for number, found in sorted(by_number.items()):
        standing = _standing(found)
        if number in intents and len(standing) > 1:
            alarm_doubles(act, outgoing(act, intents[number]["intent_id"]), standing)
            count += 1
    return count


def _orphans(act: Act, intents: Mapping[str, Row], records: Sequence[RecordedPayment]) -> int:
    count = 0
    for record in _standing(records):
        intent = intents.get(record.doc_number)
        difference = "no payment of the ledger" if intent is None else _difference(act, intent, record)
        if difference is None:
            continue
        count += _raise_once(
            act,
            kind="orphan payment",
            subject=f"record {record.remote_id}",
            detail=f"QuickBooks has payment {record.remote_id} of number {record.doc_number}: {difference}",
            remedy="Void it in QuickBooks if it is one too many; after a restore it may be one that the ledger forgot.",
        )
    return count


def _difference(act: Act, intent: Row, record: RecordedPayment) -> str | None:
    if intent["state"] in {"void", "refused"}:
        return f"the ledger has ended that payment ({intent['state']})"
    payment: Outgoing = outgoing(act, intent["intent_id"])
    difference = mismatch(payment, record)
    # A person has taken this very record with just this difference.
    was_taken = payment.intent["remote_id"] == record.remote_id and payment.intent["reason"] == difference
    return None if was_taken else difference


def _missing(act: Act, recorded: Sequence[Row], by_number: Mapping[str, Sequence[RecordedPayment]]) -> int:
    count = 0
    for intent in sorted(recorded, key=lambda row: str(row["doc_number"])):
        number = intent["doc_number"]
        standing = [one.remote_id for one in _standing(by_number.get(number, ()))]
        if intent["remote_id"] in standing:
            continue
        count += _raise_once(
            act,
            kind="payment gone",
            subject=f"intent {intent['intent_id']}",
            detail=f"payment {intent['remote_id']} of number {number} was voided or deleted in QuickBooks"
            + (f"; {', '.join(standing)} of the same number stands" if standing else ""),
            remedy="If the money was not paid, the bill is open again and comes back with the next sync.",
        )
    return count


def _raise_once(act: Act, *, kind: str, subject: str, detail: str, remedy: str) -> bool:
    """Raise an alarm unless a person has dealt with just this one before; whether it stands."""
    if was_resolved(act, kind=kind, subject=subject, detail=detail):
        return False
    raise_alarm(act, kind=kind, subject=subject, detail=detail, remedy=remedy)
    return True


def _standing(records: Sequence[RecordedPayment]) -> list[RecordedPayment]:
    """Without those that were voided."""
    return [record for record in records if record.total_cents]
