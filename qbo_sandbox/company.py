"""A company's books and the only ways to change them: create, update, delete, void, merge.

Belongs here: which operation an entity allows, who is told. Does not: how a transaction is booked (``transactions.py``,
``postings.py``), the lists (``books.py``), checks of what a client may send (``writes.py``).

Every operation takes the instant of entry and is complete when it returns; a refused one leaves the books as they were.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from qbo_sandbox import transactions
from qbo_sandbox.books import Books
from qbo_sandbox.entities import NAME_LISTS, PARTIES, TRANSACTIONS
from qbo_sandbox.faults import QboFault
from qbo_sandbox.forms import READ_ONLY, voided_form
from qbo_sandbox.objects import JsonObject, StoredObject

VOIDABLE = ("Invoice", "CreditMemo", "Payment", "SalesReceipt", "RefundReceipt", "BillPayment")


@dataclass(slots=True, kw_only=True)
class Company(Books):
    """The books of one realm, with what the generator knows and no API tells."""

    habits: Mapping[str, Any] = field(default_factory=dict)  # customer id: hidden paying habit
    defects: list[Any] = field(default_factory=list)  # what is wrong in the books on purpose

    def create(self, entity: str, body: Mapping[str, Any], *, at: datetime) -> JsonObject:
        """Enter a new object; the returned body is the books' own and must not be changed."""
        self.begin(at)
        if entity in TRANSACTIONS:
            stored = transactions.enter(self, entity, body, today=self.day(at))
        elif entity in NAME_LISTS:
            stored = self.create_list_object(entity, body)
        else:
            raise QboFault.unsupported(f"create {entity}")
        self.tell(stored, "Create")
        return stored.body

    def update(self, entity: str, body: Mapping[str, Any], *, at: datetime, sparse: bool = False) -> JsonObject:
        """Change an object: a sparse update keeps what is not sent, a full one clears it."""
        stored = self.existing(entity, str(body.get("Id", "")))
        self.begin(at)
        wanted = {**stored.body, **body} if sparse else body
        if entity in TRANSACTIONS:
            transactions.revise(self, stored, wanted, today=self.day(at))
        elif entity in NAME_LISTS:
            self.update_list_object(stored, wanted)
        else:
            sent = {key: value for key, value in body.items() if key not in READ_ONLY}
            emptied = tuple(key for key, value in sent.items() if value is None)
            stored.change({key: value for key, value in sent.items() if value is not None}, at=self.now, drop=emptied)
        self.tell(stored, "Update")
        return self.body(stored)

    def delete(self, entity: str, object_id: str, *, at: datetime) -> StoredObject:
        """Remove a transaction that nothing else settles or deposits."""
        stored = self.existing(entity, object_id)
        if entity not in TRANSACTIONS:
            raise QboFault.unsupported(f"delete {entity}")
        self.begin(at)
        transactions.remove(self, stored)
        self.tell(stored, "Delete")
        return stored

    def void(self, entity: str, object_id: str, *, at: datetime) -> JsonObject:
        """Set a transaction to zero and keep it; what it settled, or what settled it, is open again."""
        stored = self.existing(entity, object_id)
        if entity not in VOIDABLE:
            raise QboFault.unsupported(f"void {entity}")
        self.begin(at)
        transactions.revise(self, stored, voided_form(entity, stored.body), today=self.day(at))
        self.tell(stored, "Void")
        return self.body(stored)

    def merge(self, entity: str, *, kept: str, merged: str, at: datetime) -> None:
        """Join two vendors or customers: one disappears and its transactions move to the other."""
        keeper, gone = self.existing(entity, kept), self.existing(entity, merged)
        if entity not in PARTIES or keeper is gone:
            raise QboFault.unsupported(f"merge {entity}")
        self.begin(at)
        transactions.move_to_party(self, merged=merged, reference=self.reference(entity, {"value": kept}))
        self.drop_list_object(gone)
        keeper.touch(self.now)
        self.tell(keeper, "Merge", deleted_id=merged)
