"""The two legs of a payment as a run sees them: the rail that moves money, the book that records it.

Belongs here: one interface over `rail_leg.py` and `book.py`. Does not: the order of steps (`drive.py`).
"""

from datetime import timedelta
from typing import Protocol

from payments.rails.protocol import Instruction, Rail
from payments.sending import book, fates, rail_leg
from payments.sending.book import Answer, refuse_other_body
from payments.sending.credits import decided_on, unusable
from payments.sending.evidence import Absent, Proof, Verdict, judge
from payments.sending.outgoing import Outgoing
from payments.sending.reconcile import check_neighbours
from payments.sending.send_policy import SendPolicy
from payments.store.ledger import Ledger
from resources.qbo.bill_payments import BillPayments, RecordedPayment
from resources.tenants import TenantId


class Leg(Protocol):
    """Where a payment is looked for, sent to, and taken from."""

    def look(self, payment: Outgoing) -> Verdict:
        """What is there of it."""

    def make_ready(self) -> None:
        """Do whatever can be done before the send."""

    def send(self, payment: Outgoing) -> Answer:
        """Send it once."""

    def take(self, payment: Outgoing, proof: Proof, *, was_found: bool) -> None:
        """Record in the ledger that it was carried out."""

    def check(self, payment: Outgoing) -> None:
        """Right afterwards: is it there once."""

    def nets(self, payment: Outgoing, policy: SendPolicy) -> tuple[timedelta, bool, bool]:
        """How long its key is remembered, whether nothing of its bills is left afterwards, whether a look sees everything."""


class BookLeg:
    """QuickBooks."""

    def __init__(self, ledger: Ledger, tenant: TenantId, books: BillPayments) -> None:
        self._ledger, self._tenant, self._books = ledger, tenant, books

    def look(self, payment: Outgoing) -> Verdict:
        """Its number, then its bills."""
        return judge(payment, book.look(self._books, payment))

    def make_ready(self) -> None:
        """A token that lives through the write."""
        self._books.make_ready()

    def send(self, payment: Outgoing) -> Answer:
        """One bill payment."""
        return book.send(self._books, payment)

    def take(self, payment: Outgoing, proof: Proof, *, was_found: bool) -> None:
        """Paid."""
        assert isinstance(proof, RecordedPayment), "the book leg finds records"
        fates.paid(self._ledger, self._tenant, intent_id=payment.intent_id, record=proof, was_found=was_found)

    def check(self, payment: Outgoing) -> None:
        """Whether the books have it once."""
        check_neighbours(self._ledger, self._tenant, self._books, intent_id=payment.intent_id)

    def nets(self, payment: Outgoing, policy: SendPolicy) -> tuple[timedelta, bool, bool]:
        """QuickBooks' memory is assumed; its refusal to pay more than is open guards a payment of all that is."""
        return policy.request_id_memory, payment.is_whole_balance, True


class RailLeg:
    """A bank."""

    def __init__(self, ledger: Ledger, tenant: TenantId, books: BillPayments, rail: Rail) -> None:
        self._ledger, self._tenant, self._books, self._rail = ledger, tenant, books, rail

    def look(self, payment: Outgoing) -> Verdict:
        """Its key, then its bills; where it is not there, whether its money may still move as it was decided."""
        seen = rail_leg.look(self._rail, self._books, payment)
        if not isinstance(seen, Absent):
            return seen
        refuse_other_body(payment)
        with self._ledger.look(self._tenant) as look:
            stop = rail_leg.not_to_be_sent(look, payment)
            decided = decided_on(look, [payment])
        return stop or rail_leg.without_its_credits(unusable(self._books, decided)) or seen

    def make_ready(self) -> None:
        """Nothing: a rail has no token of ours."""

    def send(self, payment: Outgoing) -> Answer:
        """One instruction."""
        return rail_leg.send(self._rail, payment)

    def take(self, payment: Outgoing, proof: Proof, *, was_found: bool) -> None:
        """Instructed."""
        assert isinstance(proof, Instruction), "the rail leg finds instructions"
        rail_leg.instructed(
            self._ledger, self._tenant, intent_id=payment.intent_id, instruction=proof, was_found=was_found
        )

    def check(self, payment: Outgoing) -> None:
        """Whether the rail has it once."""
        if self._rail.abilities.can_be_searched:
            rail_leg.follow_up(self._ledger, self._tenant, self._rail, intent_id=payment.intent_id)

    def nets(self, payment: Outgoing, policy: SendPolicy) -> tuple[timedelta, bool, bool]:  # noqa: ARG002 - the interface's
        """A bank knows no bills: its memory and a look are all there is."""
        abilities = self._rail.abilities
        return abilities.remembers_keys_for or timedelta(), False, abilities.can_be_searched
