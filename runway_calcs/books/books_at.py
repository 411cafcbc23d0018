"""Everything that a forecast reads, at one point of view.

Belongs here: the bundle of frames and the one place that takes them from a ledger of versions.
Does not: the forecast (``runway_calcs/forecast/prepared.py``), which versions count (``runway_calcs/books/as_of.py``).
"""

from dataclasses import dataclass, replace

import pandas as pd

from runway_calcs.books.as_of import DOCUMENT_KEY, LIST_KEY, AsOf, select_known
from runway_calcs.books.cash import CashPosition, cash_position
from runway_calcs.books.cash_pieces import CashHabits, cash_habits, cash_pieces
from runway_calcs.books.corrections import Ledger
from runway_calcs.books.movements import cash_movements, waiting_later
from runway_calcs.books.open_items import Side, open_items
from runway_calcs.books.payment_history import open_documents, payment_history
from runway_calcs.policy import CashPolicy


@dataclass(frozen=True, slots=True, kw_only=True)
class Payers:
    """What one side's payment timing is learned from and asked about (columns of ``payment_timing.fit``)."""

    history: pd.DataFrame
    open_documents: pd.DataFrame


@dataclass(frozen=True, slots=True, kw_only=True)
class BooksAt:
    """The books as a forecast reads them, all from one point of view."""

    at: AsOf
    position: CashPosition
    movements: pd.DataFrame
    """``movements.cash_movements``."""
    waiting_later: pd.DataFrame
    """``movements.waiting_later``."""
    payables: pd.DataFrame
    """``open_items.open_items`` of both sides."""
    receivables: pd.DataFrame
    customers: Payers
    vendors: Payers
    pieces: pd.DataFrame
    """``cash_pieces.cash_pieces``."""
    habits: CashHabits


def books_at(ledger: Ledger, *, home_currency: str, at: AsOf, policy: CashPolicy) -> BooksAt:
    """The books as they were known at a point of view."""
    position = cash_position(ledger.accounts, ledger.postings, at=at, home_currency=home_currency, policy=policy)
    return with_positions(
        ledger,
        at=at,
        policy=policy,
        position=position,
        movements=cash_movements(ledger.postings, ledger.accounts, position=position, at=at, policy=policy),
        payables=open_items(ledger.documents, ledger.applications, side="payables", at=at),
        receivables=open_items(ledger.documents, ledger.applications, side="receivables", at=at),
    )


def with_positions(
    ledger: Ledger,
    *,
    at: AsOf,
    policy: CashPolicy,
    position: CashPosition,
    movements: pd.DataFrame,
    payables: pd.DataFrame,
    receivables: pd.DataFrame,
) -> BooksAt:
    """The books at a point of view whose positions are calculated already."""
    undeposited = _undeposited_ids(ledger.accounts, at=at, policy=policy)
    return BooksAt(
        at=at,
        position=position,
        movements=movements,
        waiting_later=waiting_later(ledger.postings, position=position, at=at),
        payables=payables,
        receivables=receivables,
        customers=_payers(ledger, side="receivables", at=at),
        vendors=_payers(ledger, side="payables", at=at),
        pieces=cash_pieces(
            movements,
            postings=ledger.postings,
            documents=ledger.documents,
            applications=ledger.applications,
            undeposited_ids=undeposited,
            at=at,
        ),
        habits=cash_habits(
            postings=ledger.postings,
            applications=ledger.applications,
            movements=movements,
            undeposited_ids=undeposited,
            # Where buying with the card counts, a bill paid by card is cash like any other.
            card_ids=position.card_ids if policy.card_basis == "payment" else frozenset(),
            elsewhere_ids=position.elsewhere_ids,
            at=at,
        ),
    )


def books_after(ledger: Ledger, *, before: Ledger, base: BooksAt, home_currency: str, policy: CashPolicy) -> BooksAt:
    """The books of the ledger that a correction made of `before`, whose books at the same point of view are `base`.

    As `books_at`, but that payers keep their history (a correction is no other habit), and what the correction cannot have
    reached is the very object of `base`: past cash, which follows from postings, applications, the accounts' meaning and the
    entry of documents.
    """
    if not _tells_the_same_past(ledger, before):
        found = books_at(ledger, home_currency=home_currency, at=base.at, policy=policy)
        return replace(
            found,
            customers=replace(found.customers, history=base.customers.history),
            vendors=replace(found.vendors, history=base.vendors.history),
        )
    books = base
    if ledger.accounts is not before.accounts:
        position = cash_position(
            ledger.accounts, ledger.postings, at=base.at, home_currency=home_currency, policy=policy
        )
        books = replace(books, position=position)
    if ledger.documents is not before.documents:
        documents, applications, at = ledger.documents, ledger.applications, base.at
        books = replace(
            books,
            payables=open_items(documents, applications, side="payables", at=at),
            receivables=open_items(documents, applications, side="receivables", at=at),
            customers=replace(
                base.customers, open_documents=open_documents(documents, applications, side="receivables", at=at)
            ),
            vendors=replace(
                base.vendors, open_documents=open_documents(documents, applications, side="payables", at=at)
            ),
        )
    return books


def _tells_the_same_past(ledger: Ledger, before: Ledger) -> bool:
    """Whether two ledgers have the same past cash: they may differ in what is open, when it is due, and in balances."""
    meaning = [name for name in before.accounts.columns if name != "current_balance_cents"]
    return (
        ledger.postings is before.postings
        and ledger.applications is before.applications
        and _are_equal(ledger.accounts, before.accounts, columns=meaning)
        and _are_equal(ledger.documents, before.documents, columns=[*DOCUMENT_KEY, "created_at"])
    )


def _are_equal(frame: pd.DataFrame, other: pd.DataFrame, *, columns: list[str]) -> bool:
    return frame is other or frame[columns].equals(other[columns])


def _payers(ledger: Ledger, *, side: Side, at: AsOf) -> Payers:
    return Payers(
        history=payment_history(ledger.documents, ledger.applications, side=side, at=at),
        open_documents=open_documents(ledger.documents, ledger.applications, side=side, at=at),
    )


def _undeposited_ids(accounts: pd.DataFrame, *, at: AsOf, policy: CashPolicy) -> frozenset[str]:
    known = select_known(accounts, known_until=at.known_until, first_known_at=at.first_known_at, key=LIST_KEY)
    waiting = known[known["account_subtype"].isin(policy.undeposited_subtypes) & (known["account_type"] != "Bank")]
    return frozenset(waiting["qbo_id"])
