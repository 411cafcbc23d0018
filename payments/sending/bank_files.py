"""Payment files of a batch: made once, carried to the bank by a person, who then says so - or that it was thrown away.

Belongs here: the three acts around a file of the rail `nacha_file`. Does not: its layout (`rails/nacha_file.py`), the entries in
the books that follow (`drive.py`).

A file that was made may be at the bank: its payments are `sent` and keep their money until a person says what became of it. Making
it again gives the same bytes: its place among the files is that of its act in the audit, whose order no clock changes. Who pays is
told with each command, and whose bank it is nowhere else: the file's hash and its bank are kept, and what makes another is refused.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import takewhile
from zoneinfo import ZoneInfo

import simplejson

from payments.controls.payees import is_routing_number, open_details, pays_replaced_details
from payments.controls.people import require
from payments.errors import BadRequest, ContentChanged, UnknownHere, WrongState
from payments.rails import nacha_file
from payments.rails.nacha_file import (
    Entry,
    Originator,
    Place,
    effective_day,
    file_text,
    trace_number,
)
from payments.sending.batches import verify_seal
from payments.sending.book import refuse_other_body
from payments.sending.credits import decided_on, unusable
from payments.sending.evidence import change_of
from payments.sending.outgoing import Outgoing, outgoing
from payments.sending.rail_leg import instruct
from payments.sending.runs import SETTLED
from payments.store.batch_tables import ATTEMPT, BATCH, INTENT
from payments.store.canonical import entity_name
from payments.store.ledger import Ledger
from payments.store.repository import Act, Look, Row
from payments.store.tables import AUDIT
from resources.qbo.bill_payments import BillPayments
from resources.tenants import TenantId
from resources.token_vault import TokenVault

_MADE = "payment file made"


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentFile:
    """A file for the bank, without what is in it."""

    name: str
    text: str
    payments: int
    total_cents: int
    #: Whether this very file was made before.
    was_made: bool


def make_file(
    ledger: Ledger,
    tenant: TenantId,
    *,
    by: str,
    batch_id: str,
    originator: Originator,
    books: BillPayments,
    vault: TokenVault,
) -> PaymentFile:
    """The file of a batch's payments, after a look at their bills; from now on they count as possibly paid.

    Raises:
        ContentChanged: a bill is no longer what was approved, a vendor credit is not there as decided, or bank details were
            replaced; nothing was written.
        SealBroken: the batch or the body of a payment is not what was finalized.
        WrongState: the batch is not of this rail, nothing of it waits for a file, or the one that was made before is another.
    """
    with ledger.look(tenant) as look:
        require(look, by, "finalize")
        payments = _waiting(look, batch_id, states=("ready", "sent"))
        decided = decided_on(look, [payment for payment in payments if payment.intent["state"] == "ready"])
    was_made = all(payment.intent["state"] == "sent" for payment in payments)
    if not was_made:
        _refuse_changed(books, payments)
        _refuse_without_credits(books, payments, decided)
    # Everything that may be refused is, before the payments count as sent.
    with ledger.act(tenant, actor=by, kind=_MADE, point="intent") as act:
        require(act, by, "finalize")
        act.entity = f"batch {batch_id}"
        payments = _waiting(act, batch_id, states=("ready", "sent"))
        batch = verify_seal(act, batch_id)
        for payment in payments:
            refuse_other_body(payment)
        fresh = [payment for payment in payments if payment.intent["state"] == "ready"]
        _refuse_replaced(act, fresh)
        for payment in fresh:
            _mark_sent(act, payment, generation=int(batch["generation"]))
        payments = _waiting(act, batch_id, states=("sent",))
        text = _text(act, payments, batch=batch, originator=originator, vault=vault)
        made = _Made(bank_routing=originator.bank_routing, file_sha256=hashlib.sha256(text.encode()).hexdigest())
        if fresh:
            _keep(act, payments, made)
        else:
            _refuse_another(act, payments, made)
    return PaymentFile(
        name=f"ach-{tenant}-{batch_id[:12]}.txt",
        text=text,
        payments=len(payments),
        total_cents=sum(payment.intent["amount_cents"] for payment in payments),
        was_made=was_made,
    )


def confirm_upload(ledger: Ledger, tenant: TenantId, *, by: str, batch_id: str, bank_routing: str) -> int:
    """The bank has the file: its money is instructed, and the books record it with the next run. How many payments.

    `BadRequest` if `bank_routing` is not the one that the file was made with: by it the bank numbers the entries.
    """
    if not is_routing_number(bank_routing):
        raise BadRequest(
            what=f"{bank_routing!r} is not the routing number of a bank: nine digits, of which the last one checks the others.",
            next_step="Name the one that the file was made with; nothing was changed.",
        )
    with ledger.act(tenant, actor=by, kind="payment file uploaded", point="confirm") as act:
        require(act, by, "finalize")
        act.entity = f"batch {batch_id}"
        payments = _waiting(act, batch_id, states=("sent",))
        if (kept := _kept(act, payments)) is not None and kept.bank_routing != bank_routing:
            raise BadRequest(
                what=f"The payment file was made for the bank {kept.bank_routing}, not for {bank_routing}.",
                next_step="Name the one that the file was made with; nothing was changed.",
            )
        place = _place(act, payments)
        for number, payment in enumerate(payments, start=1):
            instruct(act, payment, remote_id=trace_number(bank_routing, number, place=place), at=act.now)
        _wake(act, batch_id)
    return len(payments)


def discard_file(ledger: Ledger, tenant: TenantId, *, by: str, batch_id: str, reason: str) -> int:
    """The file never went to the bank, and will not: its payments wait for another one. How many."""
    if not reason.strip():
        raise BadRequest(what="Throwing a payment file away needs a reason.", next_step="Say why in a few words.")
    with ledger.act(tenant, actor=by, kind="payment file discarded", point="backoff") as act:
        require(act, by, "finalize")
        act.entity = f"batch {batch_id}"
        payments = _waiting(act, batch_id, states=("sent",))
        for payment in payments:
            keys = {"intent_id": payment.intent_id, "number": payment.intent["attempts"]}
            detail = {"answered_at": act.now, "outcome": "not_processed", "detail": reason.strip()}
            act.update(ATTEMPT, keys, detail)
            act.update(INTENT, {"intent_id": payment.intent_id}, {"state": "ready", "reason": reason.strip()})
    return len(payments)


def _waiting(look: Look, batch_id: str, *, states: Sequence[str]) -> list[Outgoing]:
    """The batch's payments in these states, in an order that never changes."""
    batch = _batch(look, batch_id)
    if batch["rail"] != nacha_file.NAME:
        raise WrongState(
            what=f"Batch {batch_id} is paid by {batch['rail'].replace('_', ' ')}.",
            next_step="It needs no payment file.",
        )
    mine = INTENT.c.batch_id == batch_id, INTENT.c.leg == "rail", INTENT.c.state.in_(list(states))
    rows = look.many(INTENT, *mine, order_by=(INTENT.c.bill_set, INTENT.c.intent_id))
    if not rows:
        raise WrongState(
            what=f"No payment of batch {batch_id} waits for this.",
            next_step="`runway batch show` tells how they stand.",
        )
    return [outgoing(look, row["intent_id"]) for row in rows]


def _batch(look: Look, batch_id: str) -> Row:
    batch = look.one(BATCH, batch_id=batch_id)
    if batch is None or batch["state"] == "open" or batch["state"] in SETTLED:
        raise UnknownHere(
            what=f"There is no batch {batch_id!r} that is being paid.", next_step="`runway batch list` shows all."
        )
    return batch


def _refuse_changed(books: BillPayments, payments: Sequence[Outgoing]) -> None:
    rows = {bill_id: row for payment in payments for bill_id, row in payment.bills.items()}
    found = books.bills(sorted(rows))
    looked_at = {bill_id: change_of(row, found.get(bill_id)) for bill_id, row in sorted(rows.items())}
    changed = {bill_id: text for bill_id, text in looked_at.items() if text is not None}
    if changed:
        mine = [payment for payment in payments if payment.bills.keys() & changed.keys()]
        raise ContentChanged(
            what=f"No payment file was made: {'; '.join(f'bill {bill_id} {text}' for bill_id, text in changed.items())}.",
            next_step=f"Run a sync, which takes these payments out; then make the file.{_as_a_whole(mine)}",
        )


def _as_a_whole(payments: Sequence[Outgoing]) -> str:
    """Of a payment of several bills none can be put off alone: it would not be what was sealed."""
    several = [payment.intent_id for payment in payments if len(payment.lines) > 1]
    if not several:
        return ""
    return f" What pays several bills is taken out as a whole: `runway batch end` of payment {', '.join(several)}."


def _refuse_without_credits(
    books: BillPayments, payments: Sequence[Outgoing], decided: dict[str, dict[str, int]]
) -> None:
    """`ContentChanged` if QuickBooks would refuse to record a payment together with its vendor credits."""
    told = unusable(books, decided)
    if told:
        raise ContentChanged(
            what=f"No payment file was made: {'; '.join(told)}.",
            next_step="Delay or withdraw the bills that use it, which takes their payments out; make the file of the others."
            f"{_as_a_whole([one for one in payments if one.intent['vendor_id'] in decided])}",
        )


def _refuse_replaced(look: Look, payments: Sequence[Outgoing]) -> None:
    """`ContentChanged` if money would go where two people have said since that it does not belong."""
    for payment in payments:
        if pays_replaced_details(look, payment.intent):
            bill = next(iter(payment.bills.values()))
            raise ContentChanged(
                what=f"No payment file was made: the bank details of {bill['vendor_name']} were replaced after the batch was "
                "finalized.",
                next_step=f"Delay or withdraw bill {bill['bill_id']}, which takes its payment out; make the file of the others."
                f"{_as_a_whole([payment])}",
            )


def _mark_sent(act: Act, payment: Outgoing, *, generation: int) -> None:
    """From now on the payment may be at the bank, and its state keeps its bills from being put off.

    They stay `batched`: from `executing` there would be no way back once the file was thrown away.
    """
    number = payment.intent["attempts"] + 1
    act.update(INTENT, {"intent_id": payment.intent_id}, {"state": "sent", "attempts": number, "sent_at": act.now})
    act.insert(
        ATTEMPT, {"intent_id": payment.intent_id, "number": number, "generation": generation, "sent_at": act.now}
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Made:
    """What is kept of a file beside its payments: enough to know it again, and nothing of those it pays."""

    bank_routing: str
    file_sha256: str


def _keep(act: Act, payments: Sequence[Outgoing], made: _Made) -> None:
    detail = simplejson.dumps(asdict(made), sort_keys=True)
    for payment in payments:
        act.update(ATTEMPT, {"intent_id": payment.intent_id, "number": payment.intent["attempts"]}, {"detail": detail})


def _kept(look: Look, payments: Sequence[Outgoing]) -> _Made | None:
    """The file of these payments; None of one that was made before it was kept."""
    newest = payments[0].intent
    attempt = look.one(ATTEMPT, intent_id=newest["intent_id"], number=newest["attempts"])
    assert attempt is not None, "what is in a file was sent"
    return None if attempt["detail"] is None else _Made(**simplejson.loads(attempt["detail"]))


def _refuse_another(look: Look, payments: Sequence[Outgoing], made: _Made) -> None:
    """`WrongState` if a file that was made before, and may be at the bank, would not be the same again."""
    kept = _kept(look, payments)
    if kept is None or kept == made:
        return
    differs = "a name in it or the company's id is another"
    if kept.bank_routing != made.bank_routing:
        differs = f"it was made for the bank {kept.bank_routing}, and {made.bank_routing} is named now"
    raise WrongState(
        what=f"The payment file of this batch was made before and would not be the same again: {differs}.",
        next_step="Name the company and its bank as they were named then. If that file is lost and the bank does not have it, "
        "`runway batch discard-file`, then make another; nothing was written.",
    )


def _text(act: Act, payments: Sequence[Outgoing], *, batch: Row, originator: Originator, vault: TokenVault) -> str:
    entries = []
    for payment in payments:
        asked = simplejson.loads(payment.intent["body"])
        details = open_details(act, vendor_id=asked["vendor_id"], version=asked["payee_version"], vault=vault)
        bill = next(iter(payment.bills.values()))
        entries.append(
            Entry(
                details=details,
                amount_cents=payment.intent["amount_cents"],
                reference=payment.intent["doc_number"],
                vendor_name=bill["vendor_name"],
            )
        )
    made_at = _made_at(act, payments)
    on = effective_day(batch["pay_on"], made_on=made_at.date())
    return file_text(originator, entries, made_at=made_at, effective_on=on, place=_place(act, payments))


def _place(look: Look, payments: Sequence[Outgoing]) -> Place:
    """Where the file of these payments stands among those made before it, the ones that were thrown away included."""
    mine = {entity_name(ATTEMPT.name, one.intent_id, one.intent["attempts"]) for one in payments}
    made = look.many(AUDIT, AUDIT.c.kind == _MADE, order_by=(AUDIT.c.number,))
    before = list(takewhile(lambda act: mine.isdisjoint(act["after"]), made))
    on = _made_at(look, payments).date()
    return Place(
        files_of_day=sum(_local(look, act["at"]).date() == on for act in before),
        entries=sum(name.startswith(f"{ATTEMPT.name}/") for act in before for name in act["after"]),
    )


def _made_at(look: Look, payments: Sequence[Outgoing]) -> datetime:
    """When the file of these payments was made, as the company's calendar has it."""
    return _local(look, max(payment.intent["sent_at"] for payment in payments))


def _local(look: Look, at: datetime) -> datetime:
    return at.astimezone(ZoneInfo(look.tenant_row["zone"]))


def _wake(act: Act, batch_id: str) -> None:
    batch = _batch(act, batch_id)
    if batch["state"] == "waiting":
        act.update(BATCH, {"batch_id": batch_id}, {"not_before": act.now})
