"""Books that people go on working in: both sides, edits, voids, deletions, merges, late entries; synced every week.

Belongs here: the events of such books, drawn from a seed, and the frames of versions that their syncs leave behind.
Does not: anything of `runway_calcs`; the smaller books of hypothesis (`ledger.py`).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from random import Random

import pandas as pd

from tests.runway_calcs.builders import Row, accounts, applications, documents, postings
from tests.runway_calcs.ledger import CARD, CHECKING, SAVINGS, UNDEPOSITED, Frames, Txn

START = datetime(2026, 3, 2, 14, tzinfo=UTC)
WEEKS = 34
_PAYROLL_CLEARING, _EXPENSES, _INCOME = "60", "61", "62"
_ACCOUNTS: dict[str, tuple[str, str]] = {
    CHECKING: ("Bank", "Checking"),
    SAVINGS: ("Bank", "Savings"),
    CARD: ("Credit Card", "CreditCard"),
    UNDEPOSITED: ("Other Current Asset", "UndepositedFunds"),
    _PAYROLL_CLEARING: ("Expense", "PayrollExpenses"),
    _EXPENSES: ("Expense", "OfficeGeneralAdministrativeExpenses"),
    _INCOME: ("Income", "ServiceFeeIncome"),
}
_CHARGES = ("Bill", "Invoice")
_CREDITS = {"Bill": "VendorCredit", "Invoice": "CreditMemo"}
_PAYMENTS = {"Bill": "BillPayment", "Invoice": "Payment"}
_PAYING = tuple(_PAYMENTS.values())
_DOCUMENTS = (*_CHARGES, *_CREDITS.values(), *_PAYING)

Key = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """At this instant a transaction came to be what it says, or (None) was deleted."""

    at: datetime
    key: Key
    txn: Txn | None


@dataclass(slots=True)
class LivingBooks:
    """Everything that was done, oldest first, and when the company was connected."""

    deeds: list[Deed] = field(default_factory=list)
    connected_at: datetime = START

    def held(self, instant: datetime) -> dict[Key, Txn]:
        """The transactions as the books held them at an instant, in the order of entry."""
        found: dict[Key, Txn] = {}
        for deed in self.deeds:
            if deed.at > instant:
                break
            if deed.txn is None:
                del found[deed.key]
            else:
                found[deed.key] = deed.txn
        return found

    def without_entries_after(self, instant: datetime) -> "LivingBooks":
        """The same books as if nothing new had been entered after an instant; older entries change as they did."""
        entered = {deed.key for deed in self.deeds if deed.at <= instant}
        kept = [deed for deed in self.deeds if deed.key in entered]
        return LivingBooks(deeds=kept, connected_at=self.connected_at)

    @property
    def fridays(self) -> list[datetime]:
        """Friday mornings of the whole life."""
        first = START + timedelta(days=(4 - START.weekday()) % 7) - timedelta(hours=4)
        return [first + timedelta(weeks=week) for week in range(WEEKS)]

    @property
    def syncs(self) -> list[datetime]:
        """The first sync, and one on each Friday after it."""
        return [self.connected_at, *(friday for friday in self.fridays if friday > self.connected_at)]


def open_cents(held: dict[Key, Txn]) -> dict[Key, int]:
    """Open amount of every document, credits negative."""
    left = {key: txn.opens_cents for key, txn in held.items() if key[0] in _DOCUMENTS}
    for txn in held.values():
        for kind, target_id, cents in txn.settles:
            if (kind, target_id) in left:
                left[kind, target_id] += -cents if kind in _CHARGES else cents
    return left


def connection(seed: int) -> datetime:
    """An instant somewhere in the middle of the books' life."""
    return START + timedelta(weeks=Random(seed).uniform(13, 21))  # noqa: S311 - reproducible, no secret


def living_books(seed: int, *, connected_at: datetime, deeds: int = 120) -> LivingBooks:
    """Books of so many deeds over `WEEKS` weeks."""
    dice = Random(seed)  # noqa: S311 - reproducible, no secret
    minutes = sorted(dice.sample(range(WEEKS * 7 * 1440), deeds))
    found = LivingBooks(connected_at=connected_at)
    worker = _Worker(dice)
    for minute in minutes:
        deed = worker.deed(START + timedelta(minutes=minute))
        if deed is not None:
            found.deeds.append(deed)
    return found


class _Worker:
    """Someone at the books: knows what they hold and does one thing at a time."""

    def __init__(self, dice: Random) -> None:
        self._dice = dice
        self._held: dict[Key, Txn] = {}
        self._next_id = 100

    def deed(self, at: datetime) -> Deed | None:
        """The next thing done; None when there is nothing to do it to."""
        doing = self._dice.choices([work for work, _ in _WORK], weights=[weight for _, weight in _WORK])[0]
        return doing(self, at)

    def charge(self, at: datetime) -> Deed:
        kind, cents, dated = self._dice.choice(_CHARGES), self._cents(), self._day(at)
        due = None if self._dice.random() < 0.15 else dated + timedelta(days=self._dice.choice((0, 15, 30, 60)))
        return self._enter(at, kind, txn_date=dated, due_date=due, total_cents=cents, opens_cents=cents)

    def credit(self, at: datetime) -> Deed:
        kind, cents = self._dice.choice(list(_CREDITS.values())), self._cents()
        return self._enter(at, kind, txn_date=self._day(at), total_cents=cents, opens_cents=-cents)

    def payment(self, at: datetime) -> Deed | None:
        """Pays one or several documents of a party whole or in part, uses its credits, now and then leaves some over."""
        left = {key: cents for key, cents in open_cents(self._held).items() if key[0] in _CHARGES and cents > 0}
        if not left:
            return None
        first = self._dice.choice(sorted(left))
        party = self._held[first].party_id
        same = [key for key in sorted(left) if key[0] == first[0] and self._held[key].party_id == party]
        chosen = {first, *self._dice.sample(same, min(len(same), self._dice.randrange(3)))}
        settles = [(*key, self._part(left[key])) for key in sorted(chosen)]
        needed = sum(cents for _, _, cents in settles)
        for key, cents in sorted(open_cents(self._held).items()):
            usable = min(-cents, needed)
            if key[0] == _CREDITS[first[0]] and self._held[key].party_id == party and usable > 0:
                settles.append((*key, usable))
                needed -= usable
        over = self._cents() // 20 if self._dice.random() < 0.1 else 0
        money = {"Bill": self._dice.choice((CHECKING, CHECKING, CARD)), "Invoice": self._dice.choice((CHECKING, "50"))}
        moved = -(needed + over) if first[0] == "Bill" else needed + over
        return self._enter(
            at,
            _PAYMENTS[first[0]],
            party_id=party,
            txn_date=self._day(at, back=4),
            total_cents=needed + over,
            opens_cents=-over,
            postings=((money[first[0]], moved),) if moved else (),
            settles=tuple(settles),
        )

    def money(self, at: datetime) -> Deed:
        """Purchases, payroll, transfers, deposits, card payments."""
        cents = self._cents()
        txn_type, posted = self._dice.choice(
            (
                ("Purchase", ((CHECKING, -cents), (_EXPENSES, cents))),
                ("Purchase", ((CARD, -cents), (_EXPENSES, cents))),
                ("JournalEntry", ((CHECKING, -cents), (_PAYROLL_CLEARING, cents))),
                ("Transfer", ((CHECKING, -cents), (SAVINGS, cents))),
                ("Transfer", ((CHECKING, -cents), (CARD, cents))),
                ("Deposit", ((CHECKING, cents), (UNDEPOSITED, -cents))),
                ("Deposit", ((CHECKING, cents), (_INCOME, cents))),
            )
        )
        party = "" if txn_type != "Purchase" else self._party("Bill")
        return self._enter(at, txn_type, party_id=party, txn_date=self._day(at), postings=posted)

    def edit(self, at: datetime) -> Deed | None:
        """Another amount, due date, date or party of a document; another date of a payment; another amount of the rest."""
        found = self._one(lambda txn: bool(txn.total_cents or txn.postings))
        if found is None:
            return None
        if found.txn_type in _PAYING:
            return self._put(at, replace(found, txn_date=self._day(at, back=20)))
        if found.txn_type not in _DOCUMENTS:
            return self._put(at, replace(found, postings=tuple((one, 2 * cents) for one, cents in found.postings)))
        sign, cents = (1 if found.txn_type in _CHARGES else -1), self._cents()
        changed = self._dice.choice(
            (
                {"total_cents": cents, "opens_cents": sign * cents},
                {"due_date": self._day(at) + timedelta(days=self._dice.randrange(60))},
                {"txn_date": self._day(at)},
                {"party_id": self._party("Bill" if found.txn_type in ("Bill", "VendorCredit") else "Invoice")},
            )
        )
        return self._put(at, replace(found, **changed))

    def void(self, at: datetime) -> Deed | None:
        """A transaction set to zero; what it settled is open again."""
        found = self._one(lambda txn: txn.txn_type in (*_PAYING, "Invoice") and not self._is_settled(txn))
        if found is None:
            return None
        return self._put(at, replace(found, total_cents=0, opens_cents=0, postings=(), settles=()))

    def delete(self, at: datetime) -> Deed | None:
        """A transaction taken out; only what nothing settles."""
        found = self._one(lambda txn: not self._is_settled(txn))
        if found is None:
            return None
        del self._held[found.key]
        return Deed(at=at, key=found.key, txn=None)

    def _is_settled(self, wanted: Txn) -> bool:
        return any(wanted.key == (kind, target) for txn in self._held.values() for kind, target, _ in txn.settles)

    def _enter(self, at: datetime, txn_type: str, **columns: object) -> Deed:
        self._next_id += 1
        side = "Bill" if txn_type in ("Bill", "VendorCredit", "BillPayment") else "Invoice"
        own = {"qbo_id": str(self._next_id), "txn_type": txn_type, "entered": at, "party_id": self._party(side)}
        return self._put(at, Txn(**{**own, **columns}))  # type: ignore[arg-type] # columns are Txn's own

    def _put(self, at: datetime, txn: Txn) -> Deed:
        self._held[txn.key] = txn
        return Deed(at=at, key=txn.key, txn=txn)

    def _one(self, wanted: Callable[[Txn], bool]) -> Txn | None:
        found = [txn for txn in self._held.values() if wanted(txn)]
        return self._dice.choice(found) if found else None

    def _party(self, side: str) -> str:
        return self._dice.choice(("1", "2", "3") if side == "Bill" else ("51", "52", "53", "54"))

    def _cents(self) -> int:
        return self._dice.randint(1_00, 9_000_00)

    def _part(self, cents: int) -> int:
        return cents if self._dice.random() < 0.75 else max(1, cents // self._dice.randint(2, 4))

    def _day(self, at: datetime, *, back: int = 45) -> date:
        """Mostly the day itself; often an earlier one, now and then a later one."""
        return at.date() + timedelta(days=self._dice.choice((0, 0, 0, -1, -self._dice.randint(1, back), 3)))


_WORK: tuple[tuple[Callable[[_Worker, datetime], Deed | None], int], ...] = (
    (_Worker.charge, 30),
    (_Worker.credit, 4),
    (_Worker.payment, 25),
    (_Worker.money, 25),
    (_Worker.edit, 14),
    (_Worker.void, 3),
    (_Worker.delete, 5),
)


def frames(*companies: LivingBooks) -> Frames:
    """The versions that the syncs of the books keep: a new one when something of an object changed.

    Several companies lie side by side in the frames, each with accounts, parties and documents of its own: a calculation
    costs the same for all of them as for one. Their ids end in the company's number (`own_id`).
    """
    kept: dict[str, list[Row]] = {"accounts": [], "documents": [], "applications": [], "postings": []}
    for number, books in enumerate(companies):
        for noun, rows in _kept(books).items():
            kept[noun] += [_own(row, number) for row in rows]
    return Frames(
        accounts=accounts(*kept["accounts"]),
        documents=documents(*kept["documents"]),
        applications=applications(*kept["applications"]),
        postings=postings(*kept["postings"]),
    )


def own_id(object_id: str, number: int) -> str:
    """The id of an object among the companies side by side."""
    return f"{object_id}.{number}" if object_id else ""


def _own(row: Row, number: int) -> Row:
    own = {name: own_id(row[name], number) for name in ("qbo_id", "party_id", "account_id", "target_id") if name in row}
    if "counter_account_ids" in row:
        own["counter_account_ids"] = ";".join(own_id(one, number) for one in row["counter_account_ids"].split(";"))
    return {**row, **own}


def _kept(books: LivingBooks) -> dict[str, list[Row]]:
    kept = {noun: _Versions() for noun in ("accounts", "documents", "applications", "postings")}
    for sync in books.syncs:
        held = books.held(sync)
        left = open_cents(held)
        for account_id, row in _account_rows(held):
            kept["accounts"].keep((account_id,), [row], at=sync, entered=START)
        for key, txn in held.items():
            dated: Row = {"txn_type": txn.txn_type, "txn_date": pd.Timestamp(txn.txn_date)}
            if key in left:
                kept["documents"].keep(key, [_document(txn, left[key])], at=sync, entered=txn.entered)
            if txn.txn_type in _PAYING:
                settled = txn.settles or (("", "", 0),)
                links = [{**dated, "target_type": t, "target_id": i, "amount_cents": c} for t, i, c in settled]
                kept["applications"].keep(key, links, at=sync, entered=txn.entered)
            if txn.txn_type not in (*_CHARGES, *_CREDITS.values()):
                kept["postings"].keep(key, _posting_rows(txn, dated), at=sync, entered=txn.entered)
        for noun in ("documents", "applications", "postings"):
            kept[noun].drop_all_but(held, at=sync)
    return {noun: versions.rows for noun, versions in kept.items()}


class _Versions:
    """Rows of one frame, grown version by version."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self._newest: dict[tuple[str, ...], tuple[list[Row], datetime]] = {}

    def keep(self, key: tuple[str, ...], rows: list[Row], *, at: datetime, entered: datetime) -> None:
        if self._newest.get(key, (None, at))[0] != rows:
            self._newest[key] = rows, entered
            self.rows.extend({**row, "qbo_id": key[-1], "known_at": at, "created_at": entered} for row in rows)

    def drop_all_but(self, held: dict[Key, Txn], *, at: datetime) -> None:
        for key in [key for key in self._newest if key not in held]:
            _, entered = self._newest.pop(key)
            stub: Row = {"txn_type": key[0], "is_deleted": True, "txn_date": pd.NaT}
            self.rows.append({**stub, "qbo_id": key[-1], "known_at": at, "created_at": entered})


def _account_rows(held: dict[Key, Txn]) -> Iterator[tuple[str, Row]]:
    balances = dict.fromkeys(_ACCOUNTS, 0)
    for txn in held.values():
        for account_id, cents in txn.postings:
            balances[account_id] += cents
    for account_id, (account_type, subtype) in _ACCOUNTS.items():
        kind = {"name": f"Account {account_id}", "account_type": account_type, "account_subtype": subtype}
        yield account_id, {**kind, "current_balance_cents": balances[account_id]}


def _document(txn: Txn, left: int) -> Row:
    return {
        "txn_type": txn.txn_type,
        "party_id": txn.party_id,
        "party_name": f"Party {txn.party_id}",
        "txn_date": pd.Timestamp(txn.txn_date),
        "due_date": pd.NaT if txn.due_date is None else pd.Timestamp(txn.due_date),
        "total_cents": txn.total_cents,
        "open_cents": left,
    }


def _posting_rows(txn: Txn, dated: Row) -> list[Row]:
    """The effects on bank, card and undeposited accounts; one empty row if there are none (any more)."""
    moving = [(account, cents) for account, cents in txn.postings if account < _PAYROLL_CLEARING]
    party: Row = {"party_id": txn.party_id, "party_type": "Vendor" if txn.party_id else ""}
    return [
        {
            **dated,
            **party,
            "account_id": account,
            "amount_cents": cents,
            "counter_account_ids": ";".join(sorted(other for other, _ in txn.postings if other != account)),
        }
        for account, cents in moving or [("", 0)]
    ]
