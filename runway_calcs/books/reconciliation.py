"""Whether the books agree with themselves: QuickBooks' own balances against the documents and postings they come from.

Belongs here: the identities and the arithmetic of each, over frames with one row for each live object.
Does not: reading either side; mending a difference. A difference is shown with its amount and stays what it is: a journal entry on
accounts payable is legal and makes one.
"""

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from enum import StrEnum

import pandas as pd

_MONEY_TYPES = ("Bank", "Credit Card")
_UNDEPOSITED = "UndepositedFunds"


class Agreement(StrEnum):
    """What a comparison found."""

    AGREES = "agrees"
    DIFFERS = "differs"
    NOT_COMPARABLE = "not comparable"
    """The two sides cannot be set against each other: see the reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One place where the two sides are not the same."""

    subject: str
    """Kind and id of the account or transaction; no name, no text of the company's."""
    stated_cents: int
    derived_cents: int

    @property
    def difference_cents(self) -> int:
        """Stated less derived."""
        return self.stated_cents - self.derived_cents


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """An identity of the books: what QuickBooks states, and what it should be derived from."""

    name: str
    agreement: Agreement
    stated_cents: int | None
    """Sum of what QuickBooks states; None when not comparable."""
    derived_cents: int | None
    differences: tuple[Difference, ...]
    reason: str
    """Why the sides cannot be compared; empty otherwise."""

    @property
    def difference_cents(self) -> int | None:
        """Stated less derived, over everything; None when not comparable. Zero can hide differences that cancel out."""
        if self.stated_cents is None or self.derived_cents is None:
            return None
        return self.stated_cents - self.derived_cents


@dataclass(frozen=True, slots=True, kw_only=True)
class PresentBooks:
    """The newest version of every live object, as frames."""

    home_currency: str
    accounts: pd.DataFrame
    parties: pd.DataFrame
    documents: pd.DataFrame
    postings: pd.DataFrame
    line_totals: pd.DataFrame
    unread: Mapping[str, int]
    """How many objects of a kind could not be read, by QuickBooks' name of the kind."""


def reconcile(books: PresentBooks) -> tuple[Comparison, ...]:
    """Every identity of the books, in a fixed order."""
    return (
        payables_and_vendors(books),
        payables_and_bills(books),
        receivables_and_invoices(books),
        money_and_postings(books),
        totals_and_lines(books),
    )


def payables_and_vendors(books: PresentBooks) -> Comparison:
    """Accounts payable is the sum of the vendors' balances, with the sign turned: what is owed stands negative in the account."""
    name = "payables_equal_vendor_balances"
    reason = _several_currencies(books) or _unread(books, {"Account", "Vendor"})
    if reason:
        return _not_comparable(name, reason)
    vendors = books.parties[books.parties["party_type"] == "Vendor"]
    return _of_one(
        name,
        subject="accounts payable",
        stated=_control(books, "Accounts Payable"),
        derived=-_sum(vendors["balance_cents"]),
    )


def payables_and_bills(books: PresentBooks) -> Comparison:
    """Accounts payable is the open bills less vendor credits and overpayments, with the sign turned."""
    name = "payables_equal_open_bills"
    kinds = ("Bill", "VendorCredit", "BillPayment")
    reason = _several_currencies(books) or _unread(books, {"Account", *kinds})
    if reason:
        return _not_comparable(name, reason)
    return _of_one(
        name, subject="accounts payable", stated=_control(books, "Accounts Payable"), derived=-_open(books, kinds)
    )


def receivables_and_invoices(books: PresentBooks) -> Comparison:
    """Accounts receivable is the open invoices less unapplied payments and credit memos."""
    name = "receivables_equal_open_invoices"
    kinds = ("Invoice", "CreditMemo", "Payment")
    reason = _several_currencies(books) or _unread(books, {"Account", *kinds})
    if reason:
        return _not_comparable(name, reason)
    return _of_one(
        name, subject="accounts receivable", stated=_control(books, "Accounts Receivable"), derived=_open(books, kinds)
    )


def money_and_postings(books: PresentBooks) -> Comparison:
    """The balance of each bank, card and undeposited account is the sum of all its postings.

    Foreign accounts are left out: QuickBooks states them in their own currency, postings are in the home currency.
    """
    name = "money_equals_postings"
    reason = _unread(books, {"Account", *_POSTING_KINDS})
    if reason:
        return _not_comparable(name, reason)
    accounts = books.accounts
    is_money = accounts["account_type"].isin(_MONEY_TYPES) | (accounts["account_subtype"] == _UNDEPOSITED)
    money = accounts[is_money & accounts["currency"].isin(["", books.home_currency])]
    posted = books.postings.groupby("account_id")["amount_cents"].sum()
    stated = {str(one): int(cents) for one, cents in zip(money["qbo_id"], money["current_balance_cents"], strict=True)}
    return _of_many(
        name,
        (
            Difference(subject=f"Account {one}", stated_cents=cents, derived_cents=int(posted.get(one, 0)))
            for one, cents in sorted(stated.items())
        ),
    )


def totals_and_lines(books: PresentBooks) -> Comparison:
    """The total of each transaction is the sum of its lines and taxes, by the rules of its kind."""
    columns = books.line_totals[["txn_type", "qbo_id", "total_cents", "lines_cents"]].sort_values(
        ["txn_type", "qbo_id"]
    )
    return _of_many(
        "totals_equal_lines",
        (
            Difference(subject=f"{kind} {one}", stated_cents=int(total), derived_cents=int(lines))
            for kind, one, total, lines in columns.itertuples(index=False, name=None)
        ),
    )


_POSTING_KINDS = frozenset(
    {"BillPayment", "Purchase", "Payment", "SalesReceipt", "RefundReceipt", "Deposit", "Transfer", "JournalEntry"}
)


def _control(books: PresentBooks, account_type: str) -> int:
    accounts = books.accounts
    return _sum(accounts[accounts["account_type"] == account_type]["current_balance_cents"])


def _open(books: PresentBooks, kinds: tuple[str, ...]) -> int:
    return _sum(books.documents[books.documents["txn_type"].isin(kinds)]["open_cents"])


def _sum(cents: pd.Series) -> int:
    return int(cents.sum())


def _several_currencies(books: PresentBooks) -> str:
    home = ["", books.home_currency]
    if books.accounts["currency"].isin(home).all() and books.documents["currency"].isin(home).all():
        return ""
    return "the books are kept in several currencies, and the balances are stated each in its own"


def _unread(books: PresentBooks, kinds: AbstractSet[str]) -> str:
    missing = sum(count for kind, count in books.unread.items() if kind in kinds)
    return f"{missing} of the objects it is made of could not be read" if missing else ""


def _not_comparable(name: str, reason: str) -> Comparison:
    return Comparison(
        name=name,
        agreement=Agreement.NOT_COMPARABLE,
        stated_cents=None,
        derived_cents=None,
        differences=(),
        reason=reason,
    )


def _of_one(name: str, *, subject: str, stated: int, derived: int) -> Comparison:
    return _of_many(name, (Difference(subject=subject, stated_cents=stated, derived_cents=derived),))


def _of_many(name: str, pairs: Iterable[Difference]) -> Comparison:
    compared = tuple(pairs)
    differences = tuple(pair for pair in compared if pair.difference_cents)
    return Comparison(
        name=name,
        agreement=Agreement.DIFFERS if differences else Agreement.AGREES,
        stated_cents=sum(pair.stated_cents for pair in compared),
        derived_cents=sum(pair.derived_cents for pair in compared),
        differences=differences,
        reason="",
    )


def reconcile_with_reports(
    books: PresentBooks, *, payables_cents: int, receivables_cents: int, sheet_cents: Mapping[str, int]
) -> tuple[Comparison, ...]:
    """The books set against QuickBooks' own reports of a day that lies after every entry: stated is the report's figure.

    `sheet_cents` are the balance sheet's figures by account id, debts positive; an account it leaves out counts as zero there.
    """
    reason = _several_currencies(books)
    if reason:
        return tuple(_not_comparable(name, reason) for name in _REPORT_COMPARISONS)
    payables = _open(books, ("Bill", "VendorCredit", "BillPayment"))
    receivables = _open(books, ("Invoice", "CreditMemo", "Payment"))
    shown = books.accounts[books.accounts["account_type"].isin(_SHEET_SIGNS)]
    sheet = (
        Difference(
            subject=f"Account {one}",
            stated_cents=sheet_cents.get(one, 0),
            derived_cents=_SHEET_SIGNS[kind] * int(cents),
        )
        for one, kind, cents in sorted(
            shown[["qbo_id", "account_type", "current_balance_cents"]].itertuples(index=False, name=None)
        )
    )
    named = zip(
        _REPORT_COMPARISONS,
        (
            (Difference(subject="accounts payable", stated_cents=payables_cents, derived_cents=payables),),
            (Difference(subject="accounts receivable", stated_cents=receivables_cents, derived_cents=receivables),),
            sheet,
        ),
        strict=True,
    )
    return tuple(_of_many(name, pairs) for name, pairs in named)


_REPORT_COMPARISONS = ("AgedPayables", "AgedReceivables", "BalanceSheet")
_SHEET_SIGNS = {"Bank": 1, "Accounts Receivable": 1, "Accounts Payable": -1, "Credit Card": -1}
