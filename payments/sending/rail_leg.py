"""The rail leg: looking for an instruction, handing one over, and what it means for the book entry that waits for it.

Belongs here: look and send of a rail, the acts that follow. Does not: the order of steps (`drive.py`), rails (`rails/`).

Money first, then the record: a book entry becomes ready once the money of each of its decisions is instructed.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime

from payments.controls.alarms import raise_alarm, was_resolved
from payments.controls.payees import pays_replaced_details
from payments.rails.protocol import Instruction, Rail, RailBusy, RailFailed, RailRefused
from payments.sending.book import Answer
from payments.sending.evidence import Absent, Adopt, Changed, Contradicted, Verdict, change_of
from payments.sending.fates import carry_on, leave_to_a_person
from payments.sending.outgoing import Outgoing, followers, of_same_decisions, outgoing
from payments.sending.runs import RUN
from payments.store.batch_tables import ATTEMPT, INTENT, INTENT_BILL
from payments.store.ledger import Ledger
from payments.store.repository import Act, Look, Row
from payments.store.states import INTENT_FINAL
from resources.failpoints import failpoint
from resources.qbo.bill_payments import BillPayments
from resources.tenants import TenantId

_RETURNED = "payment returned"


def look(rail: Rail, books: BillPayments, payment: Outgoing) -> Verdict:
    """Whether the rail has the instruction; where it has none, whether its bills are still what was approved."""
    failpoint("look.before")
    found = list(rail.find(payment.intent["request_id"])) if rail.abilities.can_be_searched else []
    bills = {} if found else books.bills(sorted(payment.bills))
    failpoint("bill.after_get")
    failpoint("look.after")
    standing = [one for one in found if one.stands]
    if len(standing) > 1:
        return Contradicted(f"the rail has {len(standing)} instructions of this key", standing)
    if len(found) > len(standing):
        return _given_back(next(one for one in found if not one.stands), standing)
    if found and found[0].amount_cents != payment.intent["amount_cents"]:
        return Contradicted("the rail has an instruction of this key with another amount", found)
    if found:
        return Adopt(found[0])
    for bill_id, row in payment.bills.items():
        changed = change_of(row, bills.get(bill_id))
        if changed is not None:
            return Changed(f"bill {bill_id} {changed}")
    return Absent()


def _given_back(returned: Instruction, standing: Sequence[Instruction]) -> Contradicted:
    """Money that came back pays nothing, and is not sent to the same place once more by a program."""
    reason = gave_back(returned)
    if standing:
        return Contradicted(f"{reason}, and it has {standing[0].remote_id} of the same key", standing)
    remedy = "Ask the vendor for the right bank details. End the payment with `runway batch end`, then decide again."
    return Contradicted(reason, standing, remedy=remedy)


def not_to_be_sent(look: Look, payment: Outgoing) -> Contradicted | None:
    """What has changed in the ledger since the seal so that the money must not move; None if nothing has."""
    if not pays_replaced_details(look, payment.intent):
        return None
    vendor = next(iter(payment.bills.values()))["vendor_name"]
    return Contradicted(
        f"the bank details of {vendor} were replaced after the batch was finalized",
        (),
        remedy="End the payment with `runway batch end`, then decide again: it goes to the details that stand.",
    )


def without_its_credits(unusable: Sequence[str]) -> Contradicted | None:
    """Money does not move where QuickBooks would refuse to record it with its vendor credits; None if it would not."""
    if not unusable:
        return None
    remedy = (
        "End the payment with `runway batch end`, then decide again: without that credit, or with what is left of it."
    )
    return Contradicted("; ".join(unusable), (), remedy=remedy)


def gave_back(returned: Instruction) -> str:
    """What happened to an instruction that did not stay."""
    return f"the bank gave {returned.remote_id} back: {returned.returned_because or 'no reason told'}"


def send(rail: Rail, payment: Outgoing) -> Answer:
    """Hand the instruction over once."""
    try:
        made = rail.submit(
            payment.intent["body"], key=payment.intent["request_id"], on_sent=lambda: failpoint("send.after_bytes")
        )
    except RailBusy as error:
        return Answer(kind="not_processed", detail=error.what)
    except RailRefused as error:
        return Answer(kind="refused", detail=error.what)
    except RailFailed as error:
        return Answer(kind="unknown", detail=error.what)
    if made.amount_cents != payment.intent["amount_cents"]:
        return Answer(kind="unknown", detail="the answer was another amount")
    if not made.stands:
        return Answer(kind="unknown", detail=gave_back(made))
    return Answer(kind="landed", detail="instructed", record=made)


def instructed(
    ledger: Ledger, tenant: TenantId, *, intent_id: str, instruction: Instruction, was_found: bool, by: str = RUN
) -> bool:
    """The money was told to move: entries in the books that waited for it are ready. False if the payment was ended before."""
    point, kind = ("adopt", "instruction found") if was_found else ("confirm", "money instructed")
    with ledger.act(tenant, actor=by, kind=kind, point=point) as act:
        payment = outgoing(act, intent_id)
        act.entity = f"intent {intent_id}"
        if payment.intent["state"] in INTENT_FINAL:
            same = payment.intent["remote_id"] == instruction.remote_id
            if not same:
                alarm_double(
                    act, payment, [instruction.remote_id, payment.intent["remote_id"] or payment.intent["state"]]
                )
            return bool(same)
        attempt = act.one(ATTEMPT, intent_id=intent_id, number=payment.intent["attempts"])
        if attempt is not None and attempt["outcome"] is None and not was_found:
            keys = {"intent_id": intent_id, "number": payment.intent["attempts"]}
            act.update(ATTEMPT, keys, {"answered_at": act.now, "outcome": "landed", "detail": instruction.remote_id})
        _instruct(act, payment, remote_id=instruction.remote_id, at=instruction.instructed_at)
    return True


def instruct(act: Act, payment: Outgoing, *, remote_id: str, at: datetime) -> None:
    """A person has carried this payment's instruction to the bank."""
    keys = {"intent_id": payment.intent_id, "number": payment.intent["attempts"]}
    act.update(ATTEMPT, keys, {"answered_at": act.now, "outcome": "landed", "detail": remote_id})
    _instruct(act, payment, remote_id=remote_id, at=at)


def _instruct(act: Act, payment: Outgoing, *, remote_id: str, at: datetime) -> None:
    changes = {"state": "paid", "remote_id": remote_id, "instructed_at": at, "not_before": None, "reason": None}
    act.update(INTENT, {"intent_id": payment.intent_id}, changes)
    for follower in followers(act, payment):
        if _is_instructed(act, follower):
            act.update(INTENT, {"intent_id": follower["intent_id"]}, {"state": "ready"})
    carry_on(act, outgoing(act, payment.intent_id))


def _is_instructed(act: Act, entry: Row) -> bool:
    decisions = [row["decision_id"] for row in act.many(INTENT_BILL, INTENT_BILL.c.intent_id == entry["intent_id"])]
    lines = act.many(INTENT_BILL, INTENT_BILL.c.decision_id.in_(decisions), INTENT_BILL.c.leg == "rail")
    rails = act.many(INTENT, INTENT.c.intent_id.in_({line["intent_id"] for line in lines}))
    told = {row["intent_id"] for row in rails if row["instructed_at"] is not None}
    return {line["decision_id"] for line in lines if line["intent_id"] in told} >= set(decisions)


def follow_up(ledger: Ledger, tenant: TenantId, rail: Rail, *, intent_id: str) -> str:
    """What became of money that was instructed: settled, accepted, returned; a return and a double raise an alarm."""
    with ledger.look(tenant) as look_:
        payment = outgoing(look_, intent_id)
    found = list(rail.find(payment.intent["request_id"]))
    with ledger.act(tenant, actor=RUN, kind="money followed") as act:
        payment = outgoing(act, intent_id)
        act.entity = f"intent {intent_id}"
        standing = [one for one in found if one.stands]
        if len(standing) > 1:
            alarm_double(act, payment, [one.remote_id for one in standing])
        mine = next((one for one in found if one.remote_id == payment.intent["remote_id"]), None)
        if mine is None:
            return "unknown"
        pays = mine if mine.stands or not standing else standing[0]
        if pays.state == "settled" and payment.intent["settled_at"] is None:
            act.update(INTENT, {"intent_id": intent_id}, {"settled_at": pays.settled_at})
        if not pays.stands:
            _raise_return(act, payment, mine)
        elif not mine.stands:
            _raise_return_of_one(act, payment, mine, standing)
    return pays.state


def _raise_return(act: Act, payment: Outgoing, returned: Instruction) -> None:
    """Say that money came back; an entry that was not sent yet is not made, for it would record what was not paid."""
    entries = of_same_decisions(act, payment, leg="book")
    subject, detail = f"intent {payment.intent_id}", gave_back(returned)
    told = was_resolved(act, kind=_RETURNED, subject=subject, detail=detail)
    if told or all(entry["state"] == "void" for entry in entries):
        return  # a person has dealt with it, and the bank says the same every night
    numbers = ", ".join(sorted(entry["doc_number"] for entry in entries))
    remedy = f"Void the bill payment {numbers} in QuickBooks; the bill comes back with the next sync."
    for entry in entries:
        if entry["state"] == "ready":
            leave_to_a_person(act, outgoing(act, entry["intent_id"]), reason=detail)
        if entry["state"] in {"ready", "needs_review"}:
            remedy = "It is not in the books: end the payment with `runway batch end`, then decide again."
    raise_alarm(act, kind=_RETURNED, subject=subject, detail=detail, remedy=remedy)


def _raise_return_of_one(act: Act, payment: Outgoing, returned: Instruction, standing: Sequence[Instruction]) -> None:
    """Say that the money moved more than once and the instruction we know of came back: what stands has paid."""
    raise_alarm(
        act,
        kind=_RETURNED,
        subject=f"intent {payment.intent_id}",
        detail=_given_back(returned, standing).reason,
        remedy="The payment is made by the other one: void nothing in QuickBooks, and do not pay it again.",
    )


def follow_all(ledger: Ledger, tenant: TenantId, open_rail: Callable[[TenantId, str], Rail | None]) -> Counter[str]:
    """What became of all instructed money that has not settled, by state; a rail that cannot be asked is left out."""
    with ledger.look(tenant) as look_:
        open_ones = look_.many(INTENT, INTENT.c.leg == "rail", INTENT.c.state == "paid", INTENT.c.settled_at.is_(None))
    rails = {name: open_rail(tenant, name) for name in sorted({row["rail"] for row in open_ones})}
    found: Counter[str] = Counter()
    for row in open_ones:
        rail = rails[row["rail"]]
        if rail is not None and rail.abilities.can_be_searched:
            found[follow_up(ledger, tenant, rail, intent_id=row["intent_id"])] += 1
    return found


def alarm_double(act: Act, payment: Outgoing, ids: Sequence[str]) -> None:
    """The money of one payment moved more than once."""
    raise_alarm(
        act,
        kind="paid twice",
        subject=f"intent {payment.intent_id}",
        detail=f"the rail has the instructions {', '.join(sorted(ids))} of key {payment.intent['request_id']}",
        remedy="Ask the bank to call one of them back.",
    )
