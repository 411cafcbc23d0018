"""The timeline of a generated company: what is entered, when, in which order.

Belongs here: the entry type, symbolic references between entries, small builders of QuickBooks JSON parts, and
the one loop that applies a sorted timeline to a company's books.
Does not: deciding what happens (the modules named after accounting nouns), or what an entry does to the books (the engine).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Protocol, TypeAlias

Json: TypeAlias = dict[str, object]


class Key(str):
    """Stands in a body for the id of an entry that does not have one yet."""

    __slots__ = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One object keyed into the books at an instant.

    The cents say what the entry does to the three balances that later entries depend on (positive = balance up):
    operating cash by ``on``, the card by ``on`` (charges are negative), undeposited receipts by ``at``.
    """

    at: datetime
    on: date
    entity: str
    key: str
    body: Json
    cash_cents: int = 0
    card_cents: int = 0
    undeposited_cents: int = 0


class Books(Protocol):
    """The part of the engine that a timeline needs."""

    def create(self, entity: str, body: Json, *, at: datetime) -> Mapping[str, object]:
        """Enter an object and return it with its id."""
        ...


def apply_timeline(books: Books, entries: Iterable[Entry], *, before: datetime) -> dict[str, str]:
    """Enter everything due before an instant, in order of entry; the ids given, by entry key.

    Entries of one instant keep the order they were planned in: an import arrives as a block.
    """
    ids: dict[str, str] = {}
    for entry in sorted((entry for entry in entries if entry.at < before), key=lambda entry: entry.at):
        created = books.create(entry.entity, _with_ids(entry.body, ids), at=entry.at)
        ids[entry.key] = str(created["Id"])
    return ids


def _with_ids(body: Json, ids: Mapping[str, str]) -> Json:
    resolved: Json = {}
    for name, value in body.items():
        if type(value) is Key:
            resolved[name] = ids[value]
        elif type(value) is dict:
            resolved[name] = _with_ids(value, ids)
        elif type(value) is list:  # in QuickBooks JSON, lists hold objects
            resolved[name] = [_with_ids(part, ids) for part in value]
        else:
            resolved[name] = value
    return resolved


def money(cents: int) -> Decimal:
    """An amount as QuickBooks writes it: two decimals, exact."""
    return Decimal(cents).scaleb(-2)


def ref(key: str) -> Json:
    """A reference to another object, which need not be entered yet; the engine adds the name."""
    return {"value": Key(key)}


def linked(key: str, txn_type: str, amount_cents: int) -> Json:
    """A line that settles, uses or deposits another transaction."""
    return {"Amount": money(amount_cents), "LinkedTxn": [{"TxnId": Key(key), "TxnType": txn_type}]}


def expense_line(account: Json, amount_cents: int, *, memo: str = "") -> Json:
    """A line of a bill, vendor credit or purchase that goes to an account."""
    line: Json = {
        "DetailType": "AccountBasedExpenseLineDetail",
        "Amount": money(amount_cents),
        "AccountBasedExpenseLineDetail": {
            "AccountRef": account,
            "BillableStatus": "NotBillable",
            "TaxCodeRef": {"value": "NON"},
        },
    }
    if memo:
        line["Description"] = memo
    return line


def journal_line(account: Json, amount_cents: int, *, memo: str = "") -> Json:
    """A journal line: positive cents are a debit, negative a credit."""
    line: Json = {
        "DetailType": "JournalEntryLineDetail",
        "Amount": money(abs(amount_cents)),
        "JournalEntryLineDetail": {"PostingType": "Debit" if amount_cents > 0 else "Credit", "AccountRef": account},
    }
    if memo:
        line["Description"] = memo
    return line
