"""What a look at QuickBooks says about a payment: is it there, may it be sent.

Belongs here: the verdict over what was seen, without side effects. Does not: looking (`book.py`), writing (`fates.py`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from payments.bills.fingerprint import BillContent, fingerprint
from payments.rails.protocol import Instruction
from payments.sending.outgoing import Outgoing
from payments.store.repository import Row
from resources.qbo.bill_content import bill_detail
from resources.qbo.bill_payments import RecordedPayment
from resources.qbo.home_currency import cents, currency_of
from resources.qbo.transactions import Bill

#: What shows that a payment was carried out: a record in the books, or an instruction that a rail took.
Proof = RecordedPayment | Instruction


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """The records with the payment's number, and its bills as they are; bills are not read where a record was found."""

    records: Sequence[RecordedPayment]
    bills: Mapping[str, Bill] | None


@dataclass(frozen=True, slots=True)
class Adopt:
    """The payment is there, once, and is what we mean."""

    record: Proof


@dataclass(frozen=True, slots=True)
class Contradicted:
    """Something with our number is there that is not this payment, or is there more than once, or did not stay."""

    reason: str
    records: Sequence[Proof]
    #: What a person can do; empty: the usual ways out.
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Changed:
    """The payment is not there, and its bill is no longer what was approved."""

    reason: str


@dataclass(frozen=True, slots=True)
class Absent:
    """The payment is not there, and its bills are what was approved."""


Verdict = Adopt | Contradicted | Changed | Absent


def judge(payment: Outgoing, seen: Seen) -> Verdict:
    """The one verdict over a look."""
    if len(seen.records) > 1:
        return Contradicted(f"QuickBooks has {len(seen.records)} payments of this number", seen.records)
    if seen.records:
        difference = mismatch(payment, seen.records[0])
        return Adopt(seen.records[0]) if difference is None else Contradicted(difference, seen.records)
    assert seen.bills is not None, "bills are read where no record was found"
    for bill_id, row in payment.bills.items():
        changed = change_of(row, seen.bills.get(bill_id))
        if changed is not None:
            return Changed(f"bill {bill_id} {changed}")
    return Absent()


def mismatch(payment: Outgoing, record: RecordedPayment) -> str | None:
    """How a record with our number differs from the payment; None if it is the payment."""
    intent = payment.intent
    if record.doc_number != intent["doc_number"]:
        return "the record carries another number"
    if record.total_cents == 0:
        return "the payment was voided in QuickBooks"
    if record.total_cents != intent["amount_cents"]:
        return "a payment of this number has another amount"
    # Named one by one: what a person took as it was is another difference once it is another vendor or bill.
    told = []
    if record.vendor_id != intent["vendor_id"]:
        told.append(f"has another vendor ({record.vendor_id})")
    if set(record.bills) != set(payment.bills):
        told.append(f"pays other bills ({', '.join(sorted(record.bills)) or 'none'})")
    return f"a payment of this number {' and '.join(told)}" if told else None


def change_of(row: Row, bill: Bill | None) -> str | None:
    """How a bill differs from what was approved; None if it does not."""
    if bill is None:
        return "is gone from QuickBooks"
    if cents(bill.balance) <= 0:
        return "is paid or voided in QuickBooks"
    detail = bill_detail(bill)
    content = BillContent(
        vendor_id=bill.vendor_ref.value,
        total_cents=cents(bill.total_amt),
        open_cents=cents(bill.balance),
        due_date=bill.due_date,
        # Bills in another currency than the books' are not paid from here, so the ledger's is the home currency.
        currency=currency_of(bill, home_currency=row["currency"]),
        ap_account_id=detail.ap_account_id,
        lines_sha256=detail.lines_sha256,
    )
    return None if fingerprint(content) == row["fingerprint"] else "was changed in QuickBooks"
