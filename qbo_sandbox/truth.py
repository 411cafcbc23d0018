"""What is true of a company on a day, computed from the ledger and from nothing that the API serves.

Belongs here: balances, open items and ageing in the two bases. Does not: current objects (``books.py``), HTTP
(``control_api.py``).

    known   what the books held at an instant: transactions dated up to the day for the accounts, every document and
            every application entered by then for the open items
    dated   what the books as they stand now say about the day: transactions and applications dated up to it
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import accumulate
from typing import Any, Literal
from zoneinfo import ZoneInfo

from qbo_sandbox.books import Books
from qbo_sandbox.entities import BALANCE_SHEET, CLASSIFICATION
from qbo_sandbox.ledger import Entry
from qbo_sandbox.postings import PAYABLE, RECEIVABLE, UNDEPOSITED
from qbo_sandbox.wire import epoch_seconds

Basis = Literal["known", "dated"]
TRUST = "TrustAccounts"
BUCKETS = ("current", "1-30", "31-60", "61-90", "91+")
_BUCKET_DAYS = 30
_DUE = ("Bill", "Invoice")


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenItem:
    """One document with something left to pay (positive) or to use (negative)."""

    txn_type: str
    id: str
    party_id: str
    doc_number: str
    due_date: str | None
    txn_date: str
    open_cents: int

    def bucket(self, day: date) -> str:
        """Which ageing column it falls in; credits age by their own date."""
        reference = self.due_date if self.txn_type in _DUE and self.due_date else self.txn_date
        overdue = (day - date.fromisoformat(reference)).days
        return BUCKETS[0] if overdue <= 0 else BUCKETS[min(1 + (overdue - 1) // _BUCKET_DAYS, len(BUCKETS) - 1)]


def end_of_day(day: date, *, zone: str) -> datetime:
    """The last whole second of a company's day."""
    return datetime.combine(day + timedelta(days=1), time(), tzinfo=ZoneInfo(zone)).astimezone(UTC) - timedelta(
        seconds=1
    )


def truth(books: Books, *, basis: Basis, day: date, instant: datetime | None = None) -> dict[str, Any]:
    """Balances, open items and ageing of a company as of the end of a day."""
    if basis == "known":
        instant = instant or end_of_day(day, zone=books.zone)
    balances = account_balances(books, day=day, instant=instant)
    open_items = open_by_side(books, basis=basis, day=day, instant=instant)
    accounts = {account_id: stored.body for account_id, stored in books.objects["Account"].items()}

    def total(wanted: Callable[[dict[str, Any]], bool]) -> int:
        return sum(balances[account_id] for account_id, body in accounts.items() if wanted(body))

    return {
        "realm_id": books.realm_id,
        "basis": basis,
        "day": day.isoformat(),
        "instant": instant.isoformat() if instant else None,
        "accounts": [
            {
                "id": account_id,
                "name": body["FullyQualifiedName"],
                "account_type": body["AccountType"],
                "balance_cents": _shown(body["AccountType"], balances[account_id]),
            }
            for account_id, body in accounts.items()
        ],
        "cash_cents": total(_is_cash),
        "trust_cents": total(lambda body: body["AccountType"] == "Bank" and body["AccountSubType"] == TRUST),
        "undeposited_cents": total(lambda body: body["AccountSubType"] == UNDEPOSITED),
        "payables": _side(
            open_items[PAYABLE],
            day=day,
            account=total(lambda body: body["AccountType"] == "Accounts Payable"),
            of="vendor",
        ),
        "receivables": _side(
            open_items[RECEIVABLE],
            day=day,
            account=total(lambda body: body["AccountType"] == "Accounts Receivable"),
            of="customer",
        ),
    }


def cash_by_day(books: Books) -> dict[str, int]:
    """Cash at the end of each day on which it moved, as the books as they stand now date it; the days in order."""
    cash = {account_id for account_id, stored in books.objects["Account"].items() if _is_cash(stored.body)}
    moved = defaultdict[str, int](int)
    for entry in _held(books, None):
        for account_id, cents in entry.effect.postings:
            if account_id in cash:
                moved[entry.txn_date] += cents
    days = sorted(moved)
    return dict(zip(days, accumulate(moved[day] for day in days), strict=True))


def account_balances(books: Books, *, day: date, instant: datetime | None = None) -> defaultdict[str, int]:
    """Debits less credits of every account, of what was dated up to the day and held at the instant (None: now)."""
    limit, found = day.isoformat(), defaultdict[str, int](int)
    for entry in _held(books, instant):
        if entry.txn_date <= limit:
            for account_id, cents in entry.effect.postings:
                found[account_id] += cents
    return found


def open_by_side(
    books: Books, *, basis: Basis, day: date, instant: datetime | None = None
) -> dict[str, list[OpenItem]]:
    """Every open document, payables and receivables apart."""
    limit = day.isoformat()
    entries = {entry.txn_id: entry for entry in _held(books, instant) if basis == "known" or entry.txn_date <= limit}
    cents: defaultdict[tuple[str, str], int] = defaultdict(int)
    for entry in entries.values():
        for _, party_id, exposed in entry.effect.exposures:
            cents[entry.txn_id, party_id] += exposed
        for (_, target, applied), sign in zip(entry.effect.settles, entry.signs, strict=True):
            # An application counts when both of its ends do, so that open amounts sum to the party's balance.
            if target in entries:
                cents[target, entry.party_id] -= sign * applied
                cents[entry.txn_id, entry.party_id] += sign * applied
    found: dict[str, list[OpenItem]] = {PAYABLE: [], RECEIVABLE: []}
    for (txn_id, party_id), left in cents.items():
        if left:
            found[_side_of(books, party_id)].append(_item(entries[txn_id], party_id, left))
    return found


def _is_cash(account: dict[str, Any]) -> bool:
    return bool(account["AccountType"] == "Bank" and account["AccountSubType"] != TRUST)


def _held(books: Books, instant: datetime | None) -> Iterable[Entry]:
    if instant is None:
        return (entry for entry in books.ledger.entries if entry.until is None)
    seconds = epoch_seconds(instant)
    return (entry for entry in books.ledger.entries if entry.held_at(seconds))


def _side_of(books: Books, party_id: str) -> str:
    is_vendor = party_id in books.objects["Vendor"] or party_id in books.gone["Vendor"]
    return PAYABLE if is_vendor else RECEIVABLE


def _item(entry: Entry, party_id: str, left: int) -> OpenItem:
    return OpenItem(
        txn_type=entry.entity,
        id=entry.txn_id,
        party_id=party_id,
        doc_number=entry.doc_number,
        due_date=entry.due_date or None,
        txn_date=entry.txn_date,
        open_cents=left,
    )


def _side(items: list[OpenItem], *, day: date, account: int, of: str) -> dict[str, Any]:
    ageing = dict.fromkeys(BUCKETS, 0)
    for item in items:
        ageing[item.bucket(day)] += item.open_cents
    return {
        "account_cents": account,
        f"{of}_balances_cents": sum(item.open_cents for item in items),
        "open": [
            {
                "txn_type": item.txn_type,
                "id": item.id,
                "party_id": item.party_id,
                "doc_number": item.doc_number,
                "due_date": item.due_date,
                "txn_date": item.txn_date,
                "open_cents": item.open_cents,
            }
            for item in sorted(items, key=lambda item: (item.txn_date, int(item.id)))
        ],
        "ageing": ageing,
    }


def _shown(account_type: str, cents: int) -> int:
    kind = CLASSIFICATION[account_type]
    if kind not in BALANCE_SHEET:
        return 0
    return -cents if kind == "Equity" else cents
