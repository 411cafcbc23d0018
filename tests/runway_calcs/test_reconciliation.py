"""Identities of the books: they hold for books made to agree, and a difference shows with its whole amount."""

from dataclasses import replace
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runway_calcs.books.reconciliation import (
    Agreement,
    Comparison,
    PresentBooks,
    money_and_postings,
    payables_and_bills,
    payables_and_vendors,
    receivables_and_invoices,
    reconcile,
    totals_and_lines,
)
from tests.runway_calcs.builders import accounts, documents, postings

_CENTS = st.integers(min_value=-(10**12), max_value=10**12)


def _parties(*balances: int, kind: str = "Vendor") -> pd.DataFrame:
    return pd.DataFrame({"party_type": [kind] * len(balances), "balance_cents": pd.Series(balances, dtype="int64")})


def _lines(*rows: tuple[str, str, int, int]) -> pd.DataFrame:
    found = pd.DataFrame(rows, columns=["txn_type", "qbo_id", "total_cents", "lines_cents"])
    return found.astype({"total_cents": "int64", "lines_cents": "int64"})


def _books(**changes: Any) -> PresentBooks:
    empty = PresentBooks(
        home_currency="USD",
        accounts=accounts(),
        parties=_parties(),
        documents=documents(),
        postings=postings(),
        line_totals=_lines(),
        unread={},
    )
    return replace(empty, **changes)


def _agreeing() -> PresentBooks:
    """Two open bills less a credit and an overpayment; two invoices less a memo and unapplied money; one bank account."""
    return _books(
        accounts=accounts(
            {"qbo_id": "33", "account_type": "Accounts Payable", "current_balance_cents": -6_000},
            {"qbo_id": "84", "account_type": "Accounts Receivable", "current_balance_cents": 468_152},
            {"qbo_id": "35", "current_balance_cents": 700},
            {
                "qbo_id": "4",
                "account_type": "Other Current Asset",
                "account_subtype": "UndepositedFunds",
                "current_balance_cents": 0,
            },
        ),
        parties=_parties(7_000, -1_000),
        documents=documents(
            {"qbo_id": "1", "open_cents": 5_000},
            {"qbo_id": "2", "open_cents": 3_000},
            {"qbo_id": "3", "txn_type": "VendorCredit", "open_cents": -1_500},
            {"qbo_id": "4", "txn_type": "BillPayment", "open_cents": -500},
            {"qbo_id": "5", "txn_type": "Invoice", "open_cents": 588_152},
            {"qbo_id": "6", "txn_type": "Payment", "open_cents": -40_000},
            {"qbo_id": "7", "txn_type": "CreditMemo", "open_cents": -80_000},
        ),
        postings=postings({"qbo_id": "1", "amount_cents": 1_000}, {"qbo_id": "2", "amount_cents": -300}),
        line_totals=_lines(("Bill", "1", 5_000, 5_000)),
    )


def test_books_that_agree_agree_in_every_identity() -> None:
    found = reconcile(_agreeing())
    assert [one.agreement for one in found] == [Agreement.AGREES] * 5
    assert {one.name: one.stated_cents for one in found} == {
        "payables_equal_vendor_balances": -6_000,
        "payables_equal_open_bills": -6_000,
        "receivables_equal_open_invoices": 468_152,
        "money_equals_postings": 700,
        "totals_equal_lines": 5_000,
    }
    assert all(one.difference_cents == 0 for one in found)


_CONTROL = {
    payables_and_vendors: "33",
    payables_and_bills: "33",
    receivables_and_invoices: "84",
    money_and_postings: "35",
}


@pytest.mark.parametrize("identity", _CONTROL, ids=lambda one: one.__name__)
@given(off=_CENTS.filter(bool))
def test_an_account_that_is_off_by_an_amount_shows_exactly_that_amount(identity: Any, off: int) -> None:
    books = _agreeing()
    changed = books.accounts.copy()
    changed.loc[changed["qbo_id"] == _CONTROL[identity], "current_balance_cents"] += off
    found: Comparison = identity(replace(books, accounts=changed))
    assert found.agreement is Agreement.DIFFERS
    assert found.difference_cents == off
    assert [one.difference_cents for one in found.differences] == [off]


@given(off=st.dictionaries(st.integers(0, 50).map(str), _CENTS, max_size=8))
def test_each_transaction_whose_lines_differ_is_named_and_no_other(off: dict[str, int]) -> None:
    found = totals_and_lines(
        _books(line_totals=_lines(*(("Bill", one, 100 + cents, 100) for one, cents in off.items())))
    )
    named = {one.subject: one.difference_cents for one in found.differences}
    assert named == {f"Bill {one}": cents for one, cents in off.items() if cents}
    assert found.difference_cents == sum(off.values())
    assert (found.agreement is Agreement.AGREES) == (not named)


def test_differences_that_cancel_out_are_still_differences() -> None:
    found = totals_and_lines(_books(line_totals=_lines(("Bill", "1", 110, 100), ("Bill", "2", 90, 100))))
    assert found.agreement is Agreement.DIFFERS
    assert found.difference_cents == 0
    assert len(found.differences) == 2


def test_an_account_without_any_posting_is_compared_with_zero() -> None:
    found = money_and_postings(_books(accounts=accounts({"qbo_id": "35", "current_balance_cents": 5})))
    assert found.difference_cents == 5


def test_a_foreign_account_is_no_side_of_the_home_postings() -> None:
    foreign = accounts({"qbo_id": "36", "currency": "EUR", "current_balance_cents": 5})
    assert money_and_postings(_books(accounts=foreign)).agreement is Agreement.AGREES


def test_a_customers_balance_is_no_vendors() -> None:
    assert payables_and_vendors(_books(parties=_parties(5, kind="Customer"))).agreement is Agreement.AGREES


@pytest.mark.parametrize("identity", [payables_and_vendors, payables_and_bills, receivables_and_invoices])
@pytest.mark.parametrize(
    "foreign",
    [
        {"accounts": accounts({"qbo_id": "33", "account_type": "Accounts Payable", "currency": "CAD"})},
        {"documents": documents({"qbo_id": "1", "currency": "CAD"})},
    ],
    ids=["an account", "a document"],
)
def test_books_in_several_currencies_are_not_summed(identity: Any, foreign: dict[str, pd.DataFrame]) -> None:
    found: Comparison = identity(_books(**foreign))
    assert found.agreement is Agreement.NOT_COMPARABLE
    assert "currencies" in found.reason
    assert (found.stated_cents, found.derived_cents, found.difference_cents) == (None, None, None)


def test_what_could_not_be_read_makes_only_its_own_identities_not_comparable() -> None:
    found = {one.name: one for one in reconcile(replace(_agreeing(), unread={"Bill": 2}))}
    assert [name for name, one in found.items() if one.agreement is Agreement.NOT_COMPARABLE] == [
        "payables_equal_open_bills"
    ]
    assert "2 of the objects" in found["payables_equal_open_bills"].reason
