"""What becomes of a payment, each step one transaction: sent, paid, refused, unknown, ready again, needing a person, given up.

Belongs here: the acts of a run on a payment, its bills and their holds. Does not: deciding which (`drive.py`), the network.

Every act starts at the fence. The exception is evidence that QuickBooks has the payment: whoever has it may record it.
"""

from collections.abc import Sequence
from datetime import datetime

from payments.bills.cycles import cycle, move, newest_decision
from payments.bills.postponing import may_let_go, supersede
from payments.cash.holds import post, void
from payments.controls.alarms import raise_alarm
from payments.controls.payees import pays_replaced_details
from payments.sending.evidence import Proof
from payments.sending.outgoing import Outgoing, followers, outgoing
from payments.sending.runs import RUN, Claim
from payments.store.batch_tables import ATTEMPT, INTENT, INTENT_BILL
from payments.store.ledger import Ledger
from payments.store.repository import Act, Row
from payments.store.states import BILL, INTENT_FINAL
from resources.qbo.bill_payments import RecordedPayment
from resources.tenants import TenantId


def send_written(ledger: Ledger, claim: Claim, payment: Outgoing) -> Row | None:
    """Write down that the payment is sent now, before a byte leaves; the intent, or None if it is no longer to be sent."""
    with ledger.act(claim.tenant, actor=RUN, kind="payment sent", point="intent") as act:
        claim.fence(act)
        intent = _intent(act, payment.intent_id)
        if intent["state"] != payment.intent["state"] or intent["attempts"] != payment.intent["attempts"]:
            return None
        if pays_replaced_details(act, intent):
            return None
        number = intent["attempts"] + 1
        changes = {"state": "sent", "attempts": number, "sent_at": act.now, "not_before": None}
        intent = act.update(INTENT, {"intent_id": payment.intent_id}, changes)
        row = {"intent_id": payment.intent_id, "number": number, "generation": claim.generation, "sent_at": act.now}
        act.insert(ATTEMPT, row)
        for bill in _bills(act, payment):
            _bring(act, bill, to="executing")
    return intent


def paid(
    ledger: Ledger,
    tenant: TenantId,
    *,
    intent_id: str,
    record: RecordedPayment,
    was_found: bool,
    by: str = RUN,
    although: str | None = None,
) -> bool:
    """Take a record of QuickBooks as this payment; its money is posted. False if the ledger had ended the payment otherwise.

    `although` is how the record differs from the payment, where a person ruled that it is the payment all the same.
    """
    point, kind = ("adopt", "payment found") if was_found else ("confirm", "payment recorded")
    with ledger.act(tenant, actor=by, kind=kind, point=point) as act:
        payment = outgoing(act, intent_id)
        intent = payment.intent
        act.entity = f"intent {intent_id}"
        if intent["state"] in INTENT_FINAL:
            if intent["state"] == "paid" and intent["remote_id"] == record.remote_id:
                return True
            _alarm_second(act, payment, record)
            return False
        if not was_found:
            _answered(act, intent, outcome="landed", detail=f"recorded as {record.remote_id}")
        changes = {"state": "paid", "remote_id": record.remote_id, "recorded_at": record.recorded_at}
        act.update(INTENT, {"intent_id": intent_id}, changes | {"not_before": None, "reason": although})
        for line in payment.lines:
            post(act, hold_id=line["hold_id"], recorded_at=record.recorded_at)
            end_lines(act, line)
        for bill in payment.bills.values():
            _bring(act, bill, to="paid")
    return True


def unknown(ledger: Ledger, claim: Claim, *, intent_id: str, detail: str) -> None:
    """Whether QuickBooks has the payment is not known: it keeps its money until a look tells."""
    with ledger.act(claim.tenant, actor=RUN, kind="payment unclear", point="unknown") as act:
        payment = _sent(act, claim, intent_id)
        if payment is None:
            return
        _answered(act, payment.intent, outcome="unknown", detail=detail)
        act.update(INTENT, {"intent_id": intent_id}, {"state": "unknown", "reason": detail})
        for bill in payment.bills.values():
            _bring(act, bill, to="unknown")


def ready_again(ledger: Ledger, claim: Claim, *, intent_id: str, detail: str, not_before: datetime | None) -> None:
    """The send was not processed, and somebody knows it: the payment may be sent as if for the first time."""
    with ledger.act(claim.tenant, actor=RUN, kind="payment not processed", point="backoff") as act:
        payment = _sent(act, claim, intent_id)
        if payment is None:
            return
        assert payment.intent["attempts"] == 1 or _all_not_processed(act, payment), "an earlier send may have landed"
        _answered(act, payment.intent, outcome="not_processed", detail=detail)
        act.update(INTENT, {"intent_id": intent_id}, {"state": "ready", "not_before": not_before, "reason": detail})


def refused(ledger: Ledger, claim: Claim, *, intent_id: str, detail: str) -> None:
    """QuickBooks refused the payment for good and does not have it: its money is free again."""
    with ledger.act(claim.tenant, actor=RUN, kind="payment refused", point="refuse") as act:
        payment = _sent(act, claim, intent_id)
        if payment is None:
            return
        _answered(act, payment.intent, outcome="refused", detail=detail)
        act.update(INTENT, {"intent_id": intent_id}, {"state": "refused", "reason": detail})
        for follower in followers(act, payment):
            act.update(INTENT, {"intent_id": follower["intent_id"]}, {"state": "void"})
        for line in payment.lines:
            end_lines(act, line)
            void(act, hold_id=line["hold_id"], because=detail)
        for bill in payment.bills.values():
            _bring(act, bill, to="failed", reason=detail)
        remedy = "Look at the bill in QuickBooks; it comes back for a decision with the next sync if it is still owed."
        raise_alarm(act, kind="payment refused", subject=f"intent {intent_id}", detail=detail, remedy=remedy)


def needs_review(
    ledger: Ledger, claim: Claim, *, intent_id: str, reason: str, records: Sequence[Proof] = (), remedy: str = ""
) -> None:
    """Only a person can tell what this payment is; it keeps its money. `remedy` is told if not the usual ways out."""
    with ledger.act(claim.tenant, actor=RUN, kind="payment to review") as act:
        claim.fence(act)
        payment = outgoing(act, intent_id)
        act.entity = f"intent {intent_id}"
        if payment.intent["state"] in INTENT_FINAL | {"needs_review", "waiting"}:  # resolved, or never sent
            return
        leave_to_a_person(act, payment, reason=reason)
        if len(records) > 1:
            alarm_doubles(act, payment, records)
            return
        raise_alarm(
            act,
            kind="payment needs review",
            subject=f"intent {intent_id}",
            detail=f"{reason}; number {payment.intent['doc_number']}",
            remedy=remedy
            or "`runway batch review` shows what is there of it: take it as paid, or end it and decide again.",
        )


def leave_to_a_person(act: Act, payment: Outgoing, *, reason: str) -> None:
    """Nothing more is done with this payment by a run; its money stays held."""
    changes = {"state": "needs_review", "not_before": None, "reason": reason}
    act.update(INTENT, {"intent_id": payment.intent_id}, changes)
    for bill in payment.bills.values():
        _bring(act, bill, to="needs_review", reason=reason)


def carry_on(act: Act, payment: Outgoing) -> None:
    """What a person had to look at is settled, and the decision stands: its bills are being paid again."""
    for bill in payment.bills.values():
        if bill["state"] == "needs_review":
            decision = newest_decision(act, bill)
            assert decision is not None, "a payment needs a decision"
            back_to = "scheduled" if decision["ruling"] == "schedule" else "decided"
            for state in (back_to, "batched", "executing"):
                bill = move(act, bill, to=state)  # noqa: PLW2901 - the same bill, further on


def changed_before_sending(ledger: Ledger, claim: Claim, *, intent_id: str, reason: str) -> bool:
    """End a payment whose bill is no longer what was approved; False if only a person can, as it may be sent or pays others too."""
    with ledger.act(claim.tenant, actor=RUN, kind="payment superseded") as act:
        claim.fence(act)
        payment = outgoing(act, intent_id)
        act.entity = f"intent {intent_id}"
        bills = list(payment.bills.values())
        if len(bills) > 1 or payment.intent["state"] != "ready" or not may_let_go(act, bills[0]):
            return False
        return supersede(act, bills[0], because=reason)


def alarm_doubles(act: Act, payment: Outgoing, records: Sequence[Proof]) -> None:
    """The books have a payment more than once: the one thing that must never pass in silence."""
    ids = sorted(record.remote_id for record in records)
    is_rail = payment.intent["leg"] == "rail"
    where = f"The rail {payment.intent['rail']} has" if is_rail else "QuickBooks has"
    remedy = f"Void all but {ids[0]} in QuickBooks, and ask the bank whether the money went out once."
    if is_rail:
        remedy = f"Ask the bank to call back all but {ids[0]}."
    raise_alarm(
        act,
        kind="paid twice",
        subject=f"intent {payment.intent_id}",
        detail=f"{where} the payments {', '.join(ids)} of number {payment.intent['doc_number']}",
        remedy=remedy,
    )


def _alarm_second(act: Act, payment: Outgoing, record: RecordedPayment) -> None:
    intent = payment.intent
    stands = f"is {intent['state']}" + (f" as {intent['remote_id']}" if intent["remote_id"] else "")
    raise_alarm(
        act,
        kind="paid twice" if intent["state"] == "paid" else "orphan payment",
        subject=f"intent {payment.intent_id}",
        detail=f"the payment of number {intent['doc_number']} {stands}, and QuickBooks has {record.remote_id}",
        remedy=f"Void {record.remote_id} in QuickBooks if it is one too many.",
    )


def _sent(act: Act, claim: Claim, intent_id: str) -> Outgoing | None:
    """The payment while it is sent and nobody has found out more about it."""
    claim.fence(act)
    act.entity = f"intent {intent_id}"
    payment = outgoing(act, intent_id)
    return payment if payment.intent["state"] == "sent" else None


def _intent(act: Act, intent_id: str) -> Row:
    row = act.one(INTENT, intent_id=intent_id)
    assert row is not None, "intents are never deleted"
    act.entity = f"intent {intent_id}"
    return row


def _answered(act: Act, intent: Row, *, outcome: str, detail: str) -> None:
    """What the newest send was answered; the first word stays."""
    keys = {"intent_id": intent["intent_id"], "number": intent["attempts"]}
    attempt = act.one(ATTEMPT, **keys)
    if attempt is not None and attempt["outcome"] is None:
        act.update(ATTEMPT, keys, {"answered_at": act.now, "outcome": outcome, "detail": detail})


def _all_not_processed(act: Act, payment: Outgoing) -> bool:
    attempts = act.many(ATTEMPT, ATTEMPT.c.intent_id == payment.intent_id)
    earlier = [row for row in attempts if row["number"] < payment.intent["attempts"]]
    return all(row["outcome"] == "not_processed" for row in earlier)


def end_lines(act: Act, line: Row) -> None:
    """No payment of this decision is live any more, on neither leg."""
    mine = INTENT_BILL.c.decision_id == line["decision_id"], INTENT_BILL.c.live == 1
    for one in act.many(INTENT_BILL, *mine):
        act.update(INTENT_BILL, {"intent_id": one["intent_id"], "bill_id": one["bill_id"]}, {"live": 0})


def _bills(act: Act, payment: Outgoing) -> list[Row]:
    return [cycle(act, bill_id=line["bill_id"], number=line["cycle"]) for line in payment.lines]


def _bring(act: Act, bill: Row, *, to: str, reason: str | None = None) -> None:
    """Move a bill on, over `executing` where the machine wants it."""
    if bill["state"] == to:
        return
    if to not in BILL[bill["state"]] and "executing" in BILL[bill["state"]]:
        bill = move(act, bill, to="executing")
    move(act, bill, to=to, reason=reason)
