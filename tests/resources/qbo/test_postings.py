from datetime import timedelta
from typing import Any

import pytest

from resources.qbo.home_currency import NotConvertible
from resources.qbo.postings import chart_of_accounts, postings
from tests.resources.qbo.builders import KNOWN_AT, D, deleted, expense, journal_line, ref, version

BANK, SAVINGS, CARD, UNDEPOSITED, PAYABLE, RECEIVABLE = "35", "36", "41", "4", "33", "84"


def _account(qbo_id: str, kind: str, subtype: str) -> Any:
    return version("Account", qbo_id, Name=subtype, AccountType=kind, AccountSubType=subtype)


CHART = chart_of_accounts(
    [
        _account(BANK, "Bank", "Checking"),
        _account(SAVINGS, "Bank", "Savings"),
        _account(CARD, "Credit Card", "CreditCard"),
        _account(UNDEPOSITED, "Other Current Asset", "UndepositedFunds"),
        _account(PAYABLE, "Accounts Payable", "AccountsPayable"),
        _account(RECEIVABLE, "Accounts Receivable", "AccountsReceivable"),
        _account("7", "Expense", "RentOrLeaseOfBuildings"),
        version("Item", "5"),
    ]
)


def _moves(*versions: Any) -> list[tuple[str, int, str]]:
    frame = postings(versions, chart=CHART, home_currency="USD")
    return list(zip(frame["account_id"], frame["amount_cents"], frame["counter_account_ids"], strict=True))


_LINKED = {"Amount": D("90.00"), "LinkedTxn": [{"TxnId": "9", "TxnType": "Payment", "TxnLineId": "0"}]}
_INTEREST = {
    "Amount": D("20.00"),
    "DetailType": "DepositLineDetail",
    "DepositLineDetail": {"AccountRef": ref("25"), "Entity": ref("1", name="Amy", type="CUSTOMER")},
}


@pytest.mark.parametrize(
    ("entity", "overrides", "expected"),
    [
        pytest.param("BillPayment", {}, [(BANK, -60_00, PAYABLE)], id="bill paid from the bank"),
        pytest.param(
            "BillPayment",
            {"PayType": "CreditCard", "CheckPayment": ..., "CreditCardPayment": {"CCAccountRef": ref(CARD)}},
            [(CARD, -60_00, PAYABLE)],
            id="bill paid by card",
        ),
        pytest.param("Purchase", {}, [(CARD, -100_00, "7")], id="card purchase"),
        pytest.param("Purchase", {"Credit": True}, [(CARD, 100_00, "7")], id="card refund"),
        pytest.param("Purchase", {"AccountRef": ref(BANK)}, [(BANK, -100_00, "7")], id="cash purchase"),
        pytest.param(
            "Purchase",
            {"AccountRef": ref(BANK), "Line": [expense(CARD, D("100.00"))]},
            [(BANK, -100_00, CARD), (CARD, 100_00, BANK)],
            id="a cheque that pays the card",
        ),
        pytest.param(
            "Purchase",
            {"TotalAmt": D("107.00"), "TxnTaxDetail": {"TotalTax": D("7.00")}},
            [(CARD, -107_00, "7")],
            id="tax is in the total",
        ),
        pytest.param("Payment", {"DepositToAccountRef": ...}, [(UNDEPOSITED, 100_00, RECEIVABLE)], id="undeposited"),
        pytest.param("Payment", {"DepositToAccountRef": ref(BANK)}, [(BANK, 100_00, RECEIVABLE)], id="to the bank"),
        pytest.param("Payment", {"TotalAmt": 0, "DepositToAccountRef": ...}, [("", 0, RECEIVABLE)], id="only a credit"),
        pytest.param("SalesReceipt", {"DepositToAccountRef": ...}, [(UNDEPOSITED, 100_00, "82")], id="sale"),
        pytest.param("RefundReceipt", {}, [(BANK, -100_00, "82")], id="refund"),
        pytest.param(
            "Deposit",
            {"Line": [_LINKED, _INTEREST], "TotalAmt": D("110.00")},
            [(BANK, 110_00, f"25;{UNDEPOSITED}"), (UNDEPOSITED, -90_00, f"25;{BANK}")],
            id="receipts and interest",
        ),
        pytest.param(
            "Deposit",
            {
                "Line": [_LINKED],
                "TotalAmt": D("70.00"),
                "CashBack": {"AccountRef": ref(SAVINGS), "Amount": D("20.00")},
            },
            [
                (BANK, 70_00, f"{SAVINGS};{UNDEPOSITED}"),
                (SAVINGS, 20_00, f"{BANK};{UNDEPOSITED}"),
                (UNDEPOSITED, -90_00, f"{BANK};{SAVINGS}"),
            ],
            id="cash back goes elsewhere",
        ),
        pytest.param("Transfer", {}, [(BANK, -500_00, SAVINGS), (SAVINGS, 500_00, BANK)], id="transfer"),
        pytest.param(
            "JournalEntry",
            {
                "Line": [
                    journal_line("Debit", "7", D("250.00")),
                    journal_line("Debit", CARD, D("50.00")),
                    journal_line("Credit", BANK, D("200.00")),
                    journal_line("Credit", BANK, D("100.00")),
                    {"DetailType": "DescriptionOnly", "Description": "payroll"},
                ]
            },
            [(BANK, -300_00, f"{CARD};7"), (CARD, 50_00, f"{BANK};7")],
            id="journal lines of one account are summed",
        ),
        pytest.param(
            "JournalEntry",
            {"Line": [journal_line("Debit", "7", D("1")), journal_line("Credit", "8", D("1"))]},
            [("", 0, "7;8")],
            id="no money moved",
        ),
        pytest.param(
            "Purchase",
            {"CurrencyRef": ref("EUR"), "ExchangeRate": D("1.005"), "TotalAmt": D("0.33")},
            [(CARD, -33, "7")],
            id="foreign",
        ),
    ],
)
def test_each_transaction_moves_the_accounts_as_the_books_do(
    entity: str, overrides: dict[str, Any], expected: list[tuple[str, int, str]]
) -> None:
    assert _moves(version(entity, **overrides)) == expected


def test_a_transaction_edited_away_or_deleted_replaces_its_postings() -> None:
    later, latest = KNOWN_AT + timedelta(days=1), KNOWN_AT + timedelta(days=2)
    voided = version("BillPayment", known_at=later, TotalAmt=0, Line=[], CheckPayment=...)
    assert _moves(version("BillPayment"), voided, deleted("BillPayment", known_at=latest)) == [
        (BANK, -60_00, PAYABLE),
        ("", 0, PAYABLE),
        ("", 0, ""),
    ]


@pytest.mark.parametrize(
    ("entity", "overrides", "party"),
    [
        pytest.param("BillPayment", {}, ("Vendor", "56", "Norton Lumber"), id="vendor paid"),
        pytest.param("Purchase", {}, ("Vendor", "56", "Norton Lumber"), id="vendor bought from"),
        pytest.param("Purchase", {"EntityRef": ...}, ("", "", ""), id="nobody"),
        pytest.param("Deposit", {"Line": [_LINKED, _INTEREST]}, ("Customer", "1", "Amy"), id="one depositor"),
        pytest.param("Transfer", {}, ("", "", ""), id="ourselves"),
    ],
)
def test_the_other_side_is_named_where_there_is_one(
    entity: str, overrides: dict[str, Any], party: tuple[str, str, str]
) -> None:
    row = postings([version(entity, **overrides)], chart=CHART, home_currency="USD").iloc[0]
    assert (row["party_type"], row["party_id"], row["party_name"]) == party


def test_money_that_went_to_an_unknown_account_is_no_posting_of_zero() -> None:
    empty = chart_of_accounts([])
    with pytest.raises(NotConvertible, match="Undeposited Funds"):
        postings([version("Payment", DepositToAccountRef=...)], chart=empty, home_currency="USD")


_LATER = KNOWN_AT + timedelta(days=7)
_NAMELESS = {"DepositToAccountRef": ...}


@pytest.mark.parametrize(
    ("versions", "expected"),
    [
        pytest.param(
            [version("Payment", **_NAMELESS), version("Payment", known_at=_LATER, DepositToAccountRef=ref(BANK))],
            [(BANK, 100_00), (BANK, 100_00)],
            id="a payment was given one",
        ),
        pytest.param(
            [
                version("SalesReceipt", **_NAMELESS),
                version("SalesReceipt", known_at=_LATER, DepositToAccountRef=ref(BANK)),
            ],
            [(BANK, 100_00), (BANK, 100_00)],
            id="a sale was given one",
        ),
        pytest.param(
            [version("Payment", **_NAMELESS), version("Payment", known_at=_LATER, TotalAmt=0, **_NAMELESS)],
            [("", 0)],
            id="voided, and never had one",
        ),
        pytest.param([version("Payment", **_NAMELESS), deleted("Payment", known_at=_LATER)], [("", 0)], id="deleted"),
        pytest.param(
            [version("Deposit", Line=[_LINKED]), version("Deposit", known_at=_LATER, Line=[_INTEREST])],
            [(BANK, 100_00)],
            id="a deposit whose lines name accounts by now",
        ),
        pytest.param(
            [version("Payment"), version("Payment", known_at=_LATER, **_NAMELESS)], None, id="it lost its one"
        ),
    ],
)
def test_only_the_newest_version_of_received_money_has_to_name_an_account(
    versions: list[Any], expected: list[tuple[str, int]] | None
) -> None:
    """The one that named none is kept for ever, and had stopped every later digest after it was mended in QuickBooks."""
    chart = chart_of_accounts([_account(BANK, "Bank", "Checking")])
    if expected is None:
        with pytest.raises(NotConvertible, match="Undeposited Funds"):
            postings(versions, chart=chart, home_currency="USD")
    else:
        frame = postings(versions, chart=chart, home_currency="USD")
        assert list(zip(frame["account_id"], frame["amount_cents"], strict=True)) == expected


def test_two_payable_accounts_leave_the_counterpart_open() -> None:
    chart = chart_of_accounts([_account("1", "Accounts Payable", "x"), _account("2", "Accounts Payable", "x")])
    assert chart.payable_id is None


def test_columns_have_their_types_even_without_rows() -> None:
    frame = postings([], chart=CHART, home_currency="USD")
    assert str(frame["amount_cents"].dtype) == "int64"
    assert str(frame["txn_date"].dtype) == "datetime64[us]"
