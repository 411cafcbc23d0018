"""A tiny set of books that is replayed event by event: the independent answer for property tests.

Belongs here: events, their replay to any instant and day, and the frames that a sync of them gives.
Does not: anything of `runway_calcs`: the two must not share a mistake.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

import pandas as pd
from hypothesis import strategies as st

from tests.runway_calcs.builders import Row, accounts, applications, documents, postings

START = datetime(2026, 8, 3, 14, tzinfo=UTC)
DAYS = 120
CHECKING, SAVINGS, TRUST, CARD, UNDEPOSITED = "35", "36", "37", "41", "50"
CASH = (CHECKING, SAVINGS)
_ACCOUNT_TYPES = {
    CHECKING: ("Bank", "Checking"),
    SAVINGS: ("Bank", "Savings"),
    TRUST: ("Bank", "TrustAccounts"),
    CARD: ("Credit Card", "CreditCard"),
    UNDEPOSITED: ("Other Current Asset", "UndepositedFunds"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Txn:
    """One transaction: what it posts, what it opens, and what it settles."""

    qbo_id: str
    txn_type: str
    entered: datetime
    txn_date: date
    party_id: str = ""
    due_date: date | None = None
    total_cents: int = 0
    postings: tuple[tuple[str, int], ...] = ()
    """Account and amount."""
    opens_cents: int = 0
    """Own open amount at entry, negative for credits."""
    settles: tuple[tuple[str, str, int], ...] = ()
    """Kind and id of the target, positive amount."""

    @property
    def key(self) -> tuple[str, str]:
        return (self.txn_type, self.qbo_id)


@dataclass(slots=True)
class Books:
    """All transactions in the order of entry, and the deletions."""

    txns: list[Txn] = field(default_factory=list)
    deleted_at: dict[tuple[str, str], datetime] = field(default_factory=dict)

    def entered(self, instant: datetime) -> list[Txn]:
        """What the books held at an instant."""
        return [
            txn
            for txn in self.txns
            if txn.entered <= instant and not (txn.key in self.deleted_at and self.deleted_at[txn.key] <= instant)
        ]

    def open_cents(self, instant: datetime) -> dict[tuple[str, str], int]:
        """Open amount of every document at an instant, zero ones included."""
        held = self.entered(instant)
        left = {txn.key: txn.opens_cents for txn in held if txn.total_cents or txn.opens_cents}
        for txn in held:
            for target_type, target_id, cents in txn.settles:
                key = (target_type, target_id)
                left[key] += cents if left[key] < 0 else -cents
        return left

    def balance(self, account_id: str, *, instant: datetime, day: date | None) -> int:
        """Balance of an account at an instant; with a day, without what is dated after it."""
        return sum(
            cents
            for txn in self.entered(instant)
            if day is None or txn.txn_date <= day
            for account, cents in txn.postings
            if account == account_id
        )


@dataclass(slots=True)
class Frames:
    """The frames that several syncs leave behind."""

    accounts: pd.DataFrame
    documents: pd.DataFrame
    applications: pd.DataFrame
    postings: pd.DataFrame


def frames(books: Books, *, syncs: Sequence[datetime]) -> Frames:
    """The versions that these syncs would keep: a new one when something of an object changed."""
    account_rows, document_rows, application_rows, posting_rows = (_Versions(), _Versions(), _Versions(), _Versions())
    for sync in syncs:
        held = books.entered(sync)
        left = books.open_cents(sync)
        for account_id, (account_type, subtype) in _ACCOUNT_TYPES.items():
            balance = books.balance(account_id, instant=sync, day=None)
            row: Row = {"account_type": account_type, "account_subtype": subtype, "current_balance_cents": balance}
            account_rows.keep(account_id, [{**row, "name": f"Account {account_id}"}], at=sync, entered=START)
        for txn in held:
            dated: Row = {"txn_type": txn.txn_type, "txn_date": pd.Timestamp(txn.txn_date)}
            if txn.key in left:
                document_rows.keep(txn.qbo_id, [_document(txn, left[txn.key])], at=sync, entered=txn.entered)
            if txn.txn_type == "BillPayment":
                settled = txn.settles or (("", "", 0),)
                targets = [{**dated, "target_type": t, "target_id": i, "amount_cents": c} for t, i, c in settled]
                application_rows.keep(txn.qbo_id, targets, at=sync, entered=txn.entered)
            posted = [
                {**dated, "account_id": account, "amount_cents": cents, "counter_account_ids": _counters(txn, account)}
                for account, cents in txn.postings
            ]
            posting_rows.keep(txn.qbo_id, posted, at=sync, entered=txn.entered)
        gone = [txn for txn in books.txns if txn.key in books.deleted_at and books.deleted_at[txn.key] <= sync]
        for txn in gone:
            stub: Row = {"txn_type": txn.txn_type, "is_deleted": True, "txn_date": pd.NaT}
            for versions in (document_rows, application_rows, posting_rows):
                versions.drop(txn.qbo_id, stub, at=sync, entered=txn.entered)
    return Frames(
        accounts=accounts(*account_rows.rows),
        documents=documents(*document_rows.rows),
        applications=applications(*application_rows.rows),
        postings=postings(*posting_rows.rows),
    )


class _Versions:
    """Rows of one frame, grown version by version."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self._newest: dict[str, list[Row]] = {}

    def keep(self, qbo_id: str, rows: list[Row], *, at: datetime, entered: datetime) -> None:
        if rows and self._newest.get(qbo_id) != rows:
            self._newest[qbo_id] = rows
            self.rows.extend({**row, "qbo_id": qbo_id, "known_at": at, "created_at": entered} for row in rows)

    def drop(self, qbo_id: str, stub: Row, *, at: datetime, entered: datetime) -> None:
        if self._newest.pop(qbo_id, None) is not None:
            self.rows.append({**stub, "qbo_id": qbo_id, "known_at": at, "created_at": entered})


def _document(txn: Txn, open_cents: int) -> Row:
    return {
        "txn_type": txn.txn_type,
        "party_id": txn.party_id,
        "party_name": f"Party {txn.party_id}",
        "txn_date": pd.Timestamp(txn.txn_date),
        "due_date": pd.NaT if txn.due_date is None else pd.Timestamp(txn.due_date),
        "total_cents": txn.total_cents,
        "open_cents": open_cents,
    }


def _counters(txn: Txn, account_id: str) -> str:
    others = [account for account, _ in txn.postings if account != account_id]
    return ";".join(sorted([*others, "60"])) if len(txn.postings) == 1 else ";".join(sorted(others))


_CENTS = st.integers(min_value=1, max_value=5_000_00)
_PARTIES = st.sampled_from(["1", "2", "3"])


@st.composite
def books(draw: st.DrawFn, *, with_deletions: bool = False, max_size: int = 18) -> Books:
    """Books of bills, credits, payments (some over- or underpaid, some by card), transfers, purchases, deposits."""
    found = Books()
    number = draw(st.integers(min_value=1, max_value=max_size))
    minutes = sorted(draw(st.lists(st.integers(0, DAYS * 1440), min_size=number, max_size=number)))
    for index, minute in enumerate(minutes):
        entered = START + timedelta(minutes=minute)
        dated = entered.date() + timedelta(days=draw(st.integers(-40, 12)))
        found.txns.append(draw(_txn(found, qbo_id=str(100 + index), entered=entered, txn_date=dated)))
    if with_deletions:
        settled = {(kind, target) for txn in found.txns for kind, target, _ in txn.settles}
        free = [txn for txn in found.txns if txn.key not in settled and not txn.settles]
        for txn in draw(st.lists(st.sampled_from(free), max_size=3, unique_by=lambda txn: txn.key)) if free else []:
            found.deleted_at[txn.key] = txn.entered + timedelta(minutes=draw(st.integers(1, DAYS * 1440)))
    return found


@st.composite
def _txn(draw: st.DrawFn, held: Books, *, qbo_id: str, entered: datetime, txn_date: date) -> Txn:
    kinds = ["Bill", "VendorCredit", "BillPayment", "Purchase", "Transfer", "Deposit", "CardPayment", "ToTrust"]
    kind = draw(st.sampled_from(kinds))
    cents = draw(_CENTS)
    party = draw(_PARTIES)
    own = {"qbo_id": qbo_id, "entered": entered, "txn_date": txn_date}
    if kind == "Bill":
        due = draw(st.one_of(st.none(), st.integers(0, 60).map(lambda days: txn_date + timedelta(days=days))))
        return Txn(**own, txn_type="Bill", party_id=party, due_date=due, total_cents=cents, opens_cents=cents)
    if kind == "VendorCredit":
        return Txn(**own, txn_type="VendorCredit", party_id=party, total_cents=cents, opens_cents=-cents)
    if kind == "BillPayment":
        return draw(_bill_payment(held, qbo_id=qbo_id, entered=entered, txn_date=txn_date, party_id=party))
    paths = {
        "Purchase": ("Purchase", ((draw(st.sampled_from([CHECKING, CARD])), -cents),)),
        "Transfer": ("Transfer", ((CHECKING, -cents), (SAVINGS, cents))),
        "Deposit": ("Deposit", ((CHECKING, cents), (UNDEPOSITED, -cents))),
        "CardPayment": ("Transfer", ((CHECKING, -cents), (CARD, cents))),
        "ToTrust": ("Transfer", ((TRUST, cents), (CHECKING, -cents))),
    }
    txn_type, posted = paths[kind]
    return Txn(**own, txn_type=txn_type, postings=posted)


@st.composite
def _bill_payment(
    draw: st.DrawFn, held: Books, *, qbo_id: str, entered: datetime, txn_date: date, party_id: str
) -> Txn:
    """Settles some open documents of a party in part or whole; what it pays beyond them is left as a credit."""
    own_kinds = {txn.key: txn.party_id for txn in held.txns}
    left = held.open_cents(entered)
    usable = sorted(key for key, cents in left.items() if cents and own_kinds[key] == party_id)
    usable = [key for key in usable if key[0] in ("Bill", "VendorCredit")]
    chosen = draw(st.lists(st.sampled_from(usable), max_size=3, unique=True)) if usable else []
    settles = tuple((*key, draw(st.integers(1, abs(left[key])))) for key in chosen)
    needed = sum(cents if kind == "Bill" else -cents for kind, _, cents in settles)
    extra = draw(st.one_of(st.just(0), st.integers(1, 90_00)))
    total = max(needed, 0) + extra
    account = draw(st.sampled_from([CHECKING, CARD]))
    return Txn(
        qbo_id=qbo_id,
        txn_type="BillPayment",
        entered=entered,
        txn_date=txn_date,
        party_id=party_id,
        total_cents=total,
        postings=((account, -total),) if total else (),
        opens_cents=-(total - needed),
        settles=settles,
    )


def instants() -> st.SearchStrategy[datetime]:
    """Any instant of the books' time and a little beyond."""
    return st.integers(-1440, (DAYS + 5) * 1440).map(lambda minute: START + timedelta(minutes=minute))
