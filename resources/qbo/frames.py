"""Versions of QBO objects as frames that the calculators take: accounts, parties, terms, documents, applications.

Belongs here: which fields become which columns, and their signs. Does not: effects on accounts (`postings.py`);
choosing versions, sums, ageing (`runway_calcs`).

Every function takes `(known_at, object)` pairs of any kinds, oldest knowledge of an object first, and leaves alone what
is not its own. One row is one version; a deletion is a row that `is_deleted`, with its keys and no money. Foreign amounts
are converted by the document's own rate.
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import pandas as pd

from resources.qbo.columns import CENTS, COUNT, DAY, FLAG, TEXT, Version, frame, in_order
from resources.qbo.fields import Ref
from resources.qbo.home_currency import cents, currency_of, rate_of
from resources.qbo.list_objects import Account, Customer, Term, Vendor
from resources.qbo.transactions import (
    Bill,
    BillPayment,
    CreditMemo,
    Invoice,
    Payment,
    SettlementLine,
    Transaction,
    VendorCredit,
)

ACCOUNT_COLUMNS = {
    "name": TEXT,
    "account_type": TEXT,
    "account_subtype": TEXT,
    "is_active": FLAG,
    "currency": TEXT,
    "current_balance_cents": CENTS,
}
PARTY_COLUMNS = {
    "party_type": TEXT,
    "display_name": TEXT,
    "is_active": FLAG,
    "balance_cents": CENTS,
    "term_id": TEXT,
    "is_1099": FLAG,
}
TERM_COLUMNS = {"name": TEXT, "due_days": COUNT, "discount_percent": TEXT, "discount_days": COUNT}
DOCUMENT_COLUMNS = {
    "txn_type": TEXT,
    "party_id": TEXT,
    "party_name": TEXT,
    "doc_number": TEXT,
    "txn_date": DAY,
    "due_date": DAY,
    "term_id": TEXT,
    "currency": TEXT,
    "total_cents": CENTS,
    "open_cents": CENTS,
}
APPLICATION_COLUMNS = {
    "txn_type": TEXT,
    "txn_date": DAY,
    "target_type": TEXT,
    "target_id": TEXT,
    "amount_cents": CENTS,
}

_NO_DAYS = -1
_DOCUMENTS = frozenset({"Bill", "Invoice", "VendorCredit", "CreditMemo", "Payment", "BillPayment"})
_APPLYING = frozenset({"Payment", "BillPayment"})
_PARTIES = frozenset({"Vendor", "Customer"})
_ZERO = Decimal(0)


def accounts(versions: Iterable[Version], *, home_currency: str) -> pd.DataFrame:
    """The chart of accounts; a balance is in the account's own currency, as QBO gives it without a rate."""
    rows = []
    for common, found in in_order(versions):
        if isinstance(found, Account):
            currency = found.currency_ref.value if found.currency_ref else home_currency
            # Accounts of income and expense have no balance to speak of; where it matters it is always there.
            balance = cents(found.current_balance or _ZERO)
            subtype = found.account_sub_type or ""
            rows.append((*common, found.name, found.account_type, subtype, found.active, currency, balance))
        elif found.entity == "Account":
            rows.append((*common, "", "", "", False, home_currency, 0))
    return frame(ACCOUNT_COLUMNS, rows)


def parties(versions: Iterable[Version]) -> pd.DataFrame:
    """Vendors and customers; `balance_cents` is in the party's own currency."""
    rows = []
    for common, found in in_order(versions):
        if isinstance(found, Vendor):
            rows.append((*common, *_party(found, found.term_ref), bool(found.vendor1099)))
        elif isinstance(found, Customer):
            rows.append((*common, *_party(found, found.sales_term_ref), False))
        elif found.entity in _PARTIES:
            rows.append((*common, found.entity, "", False, 0, "", False))
    return frame(PARTY_COLUMNS, rows)


def terms(versions: Iterable[Version]) -> pd.DataFrame:
    """Terms of payment; `due_days` and `discount_days` are -1 where a term has none."""
    rows = []
    for common, found in in_order(versions):
        if isinstance(found, Term):
            percent = "" if found.discount_percent is None else f"{found.discount_percent:f}"
            rows.append((*common, found.name, _days(found.due_days), percent, _days(found.discount_days)))
        elif found.entity == "Term":
            rows.append((*common, "", _NO_DAYS, "", _NO_DAYS))
    return frame(TERM_COLUMNS, rows)


def documents(versions: Iterable[Version], *, home_currency: str) -> pd.DataFrame:
    """What is owed and credited on both sides; `open_cents` is negative for credits and unapplied money."""
    rows = []
    for common, found in in_order(versions):
        if isinstance(found, Bill | Invoice | VendorCredit | CreditMemo | Payment | BillPayment):
            rows.append((*common, *_document(found, home_currency=home_currency)))
        elif found.entity in _DOCUMENTS:
            rows.append((*common, found.entity, "", "", "", None, None, "", home_currency, 0, 0))
    return frame(DOCUMENT_COLUMNS, rows)


def applications(versions: Iterable[Version], *, home_currency: str) -> pd.DataFrame:
    """How payments settle bills and invoices and use credits, always positive.

    A version that applies nothing has one row without a target and money: it takes the place of the version before.
    """
    rows = []
    for common, found in in_order(versions):
        if isinstance(found, Payment | BillPayment):
            rate = rate_of(found, home_currency=home_currency)
            applied = [
                (link.txn_type, link.txn_id, cents(line.amount, rate=rate))
                for line in found.line
                for link in line.linked_txn
            ]
            for target in applied or [("", "", 0)]:
                rows.append((*common, found.entity, found.txn_date, *target))
        elif found.entity in _APPLYING:
            rows.append((*common, found.entity, None, "", "", 0))
    return frame(APPLICATION_COLUMNS, rows)


def _document(
    found: Bill | Invoice | VendorCredit | CreditMemo | Payment | BillPayment, *, home_currency: str
) -> tuple[Any, ...]:
    rate = rate_of(found, home_currency=home_currency)
    party = found.vendor_ref if isinstance(found, Bill | VendorCredit | BillPayment) else found.customer_ref
    term = found.sales_term_ref if isinstance(found, Bill | Invoice | CreditMemo) else None
    return (
        found.entity,
        party.value,
        party.name or "",
        _number(found),
        found.txn_date,
        found.due_date if isinstance(found, Bill | Invoice) else None,
        term.value if term else "",
        currency_of(found, home_currency=home_currency),
        cents(found.total_amt, rate=rate),
        cents(_open_amount(found), rate=rate),
    )


def _open_amount(found: Bill | Invoice | VendorCredit | CreditMemo | Payment | BillPayment) -> Decimal:
    if isinstance(found, Bill | Invoice):
        return found.balance
    if isinstance(found, VendorCredit | CreditMemo):
        return -found.balance
    if isinstance(found, Payment):
        return -found.unapplied_amt
    # What a bill payment leaves over is kept as the vendor's credit; QBO states it nowhere: it follows from the lines.
    return -(found.total_amt - sum((_settled(line) for line in found.line), _ZERO))


def _settled(line: SettlementLine) -> Decimal:
    """What a line takes from the payment's total: a bill takes, a credit gives (with a positive amount)."""
    gives = any(link.txn_type == "VendorCredit" for link in line.linked_txn)
    return -line.amount if gives else line.amount


def _number(found: Transaction) -> str:
    if isinstance(found, Payment):
        return found.doc_number or found.payment_ref_num or ""
    return found.doc_number or ""


def _party(found: Vendor | Customer, term: Ref | None) -> tuple[Any, ...]:
    return found.entity, found.display_name, found.active, cents(found.balance), term.value if term else ""


def _days(days: int | None) -> int:
    return _NO_DAYS if days is None else days
