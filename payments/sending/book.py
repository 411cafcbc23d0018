"""The book leg: what a payment looks like in QuickBooks, and what QuickBooks' answer to recording it means.

Belongs here: the look, the one send, classes of answer. Does not: what follows from them (`drive.py`, `fates.py`).

The body is the intent's stored bytes; their hash is compared before each send. Nothing is retried here, and neither
`allowduplicatedocnum` nor `ProcessBillPayment` is ever sent.
"""

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from payments.errors import SealBroken
from payments.sending.evidence import Proof, Seen, mismatch
from payments.sending.outgoing import Outgoing
from resources.errors import TenantError
from resources.failpoints import failpoint
from resources.qbo.bill_payments import BillPayments
from resources.qbo.entities import BadObject
from resources.qbo.errors import (
    ConnectionLost,
    QboAuthExpired,
    QboError,
    QboNotAuthorised,
    QboQuotaExhausted,
    QboRefused,
    QboThrottled,
)

#: The subscription ended: nothing can be recorded for this company until a person acts.
_SUBSCRIPTION_ENDED = "6190"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came of one send.

    `landed`: QuickBooks has it. `not_processed`: it did nothing. `refused`: it will not have it. `unknown`: nobody can tell.
    """

    kind: Literal["landed", "not_processed", "refused", "unknown"]
    detail: str
    record: Proof | None = None
    #: It concerns every payment of this company, not this one.
    is_systemic: bool = False
    #: How long QuickBooks asked to be left alone.
    wait: timedelta | None = None


def look(books: BillPayments, payment: Outgoing) -> Seen:
    """What QuickBooks has of a payment: its number first, its bills if that was not found. One or two metered reads."""
    failpoint("look.before")
    records = books.find(payment.intent["doc_number"])
    bills = None
    if not records:
        bills = books.bills(sorted(payment.bills))
        failpoint("bill.after_get")
    failpoint("look.after")
    return Seen(records=records, bills=bills)


def refuse_other_body(payment: Outgoing) -> None:
    """`SealBroken` if the stored bytes are not those whose hash was sealed."""
    if hashlib.sha256(payment.intent["body"]).hexdigest() != payment.intent["body_sha256"]:
        raise SealBroken(
            what=f"The stored body of payment {payment.intent_id} is not the one that was finalized.",
            next_step="Nothing was sent. Compare the ledger with its backup: `runway ledger verify`.",
        )


def send(books: BillPayments, payment: Outgoing) -> Answer:
    """Send the payment once and say what the answer means for a first send; later sends trust only `landed`."""
    try:
        record = books.record(payment.intent["body"], request_id=payment.intent["request_id"], on_sent=_bytes_are_out)
    except TenantError as error:
        return _answer_of(error)
    except BadObject as error:
        return Answer(kind="unknown", detail=f"the answer was no bill payment ({error.field})")
    difference = mismatch(payment, record)
    if difference is not None:
        return Answer(kind="unknown", detail=f"the answer was another: {difference}")
    return Answer(kind="landed", detail="recorded", record=record)


def _bytes_are_out() -> None:
    failpoint("send.after_bytes")


def _answer_of(error: TenantError) -> Answer:
    detail = error.what
    if isinstance(error, QboThrottled):
        wait = timedelta(seconds=error.retry_after) if error.retry_after else None
        return Answer(kind="not_processed", detail=detail, is_systemic=True, wait=wait)
    if isinstance(error, QboAuthExpired):
        return Answer(kind="not_processed", detail=detail)
    if isinstance(error, (ConnectionLost, QboNotAuthorised, QboQuotaExhausted)) or _ended(error):
        return Answer(kind="not_processed", detail=detail, is_systemic=True)
    if isinstance(error, QboRefused):
        return Answer(kind="refused", detail=detail)
    return Answer(kind="unknown", detail=detail)


def _ended(error: TenantError) -> bool:
    return isinstance(error, QboError) and _SUBSCRIPTION_ENDED in error.codes


def on_a_later_send(answer: Answer) -> Answer:
    """The same answer where an earlier send may have landed: a fault speaks of this send only, so nothing is known."""
    if answer.kind == "landed":
        return answer
    return Answer(kind="unknown", detail=answer.detail, is_systemic=answer.is_systemic, wait=answer.wait)
