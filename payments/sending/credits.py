"""Vendor credits that payments use up: whether QuickBooks still has them as decided, before any money is told to move.

Belongs here: what was decided on each credit, and the one comparison with the books. Does not: recording a payment together with
its credits (`intents.py`, `book.py`); what follows from a credit that is gone (`legs.py`, `bank_files.py`).

With a rail the money moves first, and QuickBooks looks at the credits when the payment is recorded: too late for a refusal.
"""

from collections import Counter
from collections.abc import Sequence

from payments.money import shown
from payments.sending.outgoing import Outgoing
from payments.store.batch_tables import INTENT, INTENT_BILL
from payments.store.bill_tables import DECISION
from payments.store.repository import Look
from resources.qbo.bill_payments import BillPayments
from resources.qbo.home_currency import cents

#: Money of these may have been told to move.
_MAYBE_TOLD = ("sent", "unknown", "needs_review", "paid")


def decided_on(look: Look, payments: Sequence[Outgoing]) -> dict[str, dict[str, int]]:
    """Cents of credits that these payments use, by vendor and credit id, with what payments under way have decided on the same.

    Under way is what a rail may have been told and the books do not have yet: QuickBooks still shows that credit as open.
    """
    mine = [line["decision_id"] for payment in payments for line in payment.lines]
    used: dict[str, Counter[str]] = {}
    for payment in payments:
        decisions = look.many(DECISION, decision_id=[line["decision_id"] for line in payment.lines])
        of_vendor = used.setdefault(payment.intent["vendor_id"], Counter())
        for credit in (one for row in decisions for one in row["credits"]):
            of_vendor[credit["credit_id"]] += credit["amount_cents"]
    wanted = {vendor: credits_of for vendor, credits_of in used.items() if credits_of}
    if not wanted:
        return {}
    lines = look.many(INTENT_BILL, leg="rail", live=1)
    told = look.many(INTENT, intent_id=sorted({line["intent_id"] for line in lines}), state=_MAYBE_TOLD)
    ids = {row["intent_id"] for row in told if row["attempts"]}
    others = {line["decision_id"] for line in lines if line["intent_id"] in ids} - set(mine)
    for credit in (one for row in look.many(DECISION, decision_id=sorted(others)) for one in row["credits"]):
        for of_vendor in wanted.values():
            if credit["credit_id"] in of_vendor:
                of_vendor[credit["credit_id"]] += credit["amount_cents"]
    return {vendor: dict(of_vendor) for vendor, of_vendor in wanted.items()}


def unusable(books: BillPayments, decided: dict[str, dict[str, int]]) -> list[str]:
    """What QuickBooks has otherwise than was decided, in words; one metered read for ten credits, none without any."""
    found = books.credits(sorted({one for of_vendor in decided.values() for one in of_vendor}))
    told = []
    for vendor, of_vendor in sorted(decided.items()):
        for credit_id, wanted_cents in sorted(of_vendor.items()):
            credit = found.get(credit_id)
            if credit is None:
                told.append(f"vendor credit {credit_id} is gone from QuickBooks")
            elif credit.vendor_ref.value != vendor:
                told.append(f"vendor credit {credit_id} is another vendor's")
            elif cents(credit.balance) < wanted_cents:
                left = shown(cents(credit.balance))
                told.append(
                    f"vendor credit {credit_id} has {left} left, and {shown(wanted_cents)} of it were decided on"
                )
    return told
