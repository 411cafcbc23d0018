"""Cash movements: what counts once, what it is called, and opening + movements = closing."""

from datetime import datetime, timedelta

import pandas as pd
import pytest
from hypothesis import strategies as st

from runway_calcs.books.cash import cash_position
from runway_calcs.books.movements import COLUMNS, WAITING_COLUMNS, Kind, cash_movements, waiting_later
from runway_calcs.policy import CardBasis, CashPolicy
from tests.runway_calcs import ledger
from tests.runway_calcs.builders import Row, accounts, day, point, postings
from tests.runway_calcs.properties import EXAMPLES, holds

CHART = accounts(
    {"qbo_id": "35", "name": "Checking"},
    {"qbo_id": "36", "name": "Savings"},
    {"qbo_id": "37", "name": "Trust", "account_subtype": "TrustAccounts"},
    {"qbo_id": "38", "name": "Tax reserve"},
    {"qbo_id": "41", "name": "Card", "account_type": "Credit Card", "account_subtype": "CreditCard"},
    {
        "qbo_id": "50",
        "name": "Undeposited",
        "account_type": "Other Current Asset",
        "account_subtype": "UndepositedFunds",
    },
    {"qbo_id": "60", "name": "Rent", "account_type": "Expense", "account_subtype": "RentOrLeaseOfBuildings"},
    {"qbo_id": "61", "name": "Wages", "account_type": "Expense", "account_subtype": "PayrollExpenses"},
    {
        "qbo_id": "62",
        "name": "Withheld",
        "account_type": "Other Current Liability",
        "account_subtype": "PayrollTaxPayable",
    },
    {
        "qbo_id": "63",
        "name": "Sales tax",
        "account_type": "Other Current Liability",
        "account_subtype": "SalesTaxPayable",
    },
    {"qbo_id": "70", "name": "Bank loan", "account_type": "Long Term Liability", "account_subtype": "NotesPayable"},
    {"qbo_id": "72", "name": "Line", "account_type": "Other Current Liability", "account_subtype": "LineOfCredit"},
    {"qbo_id": "73", "name": "Bridge", "account_type": "Other Current Liability", "account_subtype": "LoanPayable"},
    {"qbo_id": "71", "name": "Owner", "account_type": "Equity", "account_subtype": "OwnersEquity"},
    {"qbo_id": "80", "name": "Payables", "account_type": "Accounts Payable", "account_subtype": "AccountsPayable"},
)
RESERVE_EXCLUDED = CashPolicy(excluded_account_ids=frozenset({"38"}))


def moved(*rows: Row, card_basis: CardBasis = "payment") -> list[tuple[int, str]]:
    policy = CashPolicy(excluded_account_ids=RESERVE_EXCLUDED.excluded_account_ids, card_basis=card_basis)
    frame = postings(*rows)
    position = cash_position(CHART, frame, at=point(), home_currency="USD", policy=policy)
    found = cash_movements(frame, CHART, position=position, at=point(), policy=policy)
    return list(zip(found["amount_cents"], found["kind"], strict=True))


def txn(txn_type: str, cents: int, counters: str, *, account: str = "35", qbo_id: str = "1") -> Row:
    return {
        "qbo_id": qbo_id,
        "txn_type": txn_type,
        "amount_cents": cents,
        "counter_account_ids": counters,
        "account_id": account,
    }


@pytest.mark.parametrize(
    ("row", "kind"),
    [
        pytest.param(txn("Purchase", -100, "60"), Kind.EXPENSE, id="a cheque for rent"),
        pytest.param(txn("BillPayment", -100, "80"), Kind.BILL_PAYMENT, id="a bill payment"),
        pytest.param(txn("JournalEntry", -100, "61;62"), Kind.PAYROLL, id="payroll with withheld taxes"),
        pytest.param(txn("Purchase", -100, "62"), Kind.TAX, id="withheld taxes paid over"),
        pytest.param(txn("Purchase", -100, "63"), Kind.TAX, id="sales tax paid over"),
        pytest.param(
            txn("SalesReceipt", 100, "63;90"), Kind.CUSTOMER_RECEIPT, id="a sale with sales tax stays a receipt"
        ),
        pytest.param(txn("Deposit", 100, "50"), Kind.CUSTOMER_RECEIPT, id="undeposited funds reach the bank"),
        pytest.param(txn("RefundReceipt", -100, "90"), Kind.CUSTOMER_REFUND, id="a refund to a customer"),
        pytest.param(txn("Purchase", 100, "60"), Kind.OTHER_RECEIPT, id="a refund from a shop"),
        pytest.param(txn("Deposit", 100, "70"), Kind.FINANCING, id="a loan is paid out"),
        pytest.param(txn("Purchase", -100, "71"), Kind.FINANCING, id="the owner draws"),
        pytest.param(txn("Deposit", 100, "72"), Kind.FINANCING, id="a draw on the credit line is no sale"),
        pytest.param(txn("Transfer", -100, "72"), Kind.FINANCING, id="the credit line is paid back"),
        pytest.param(txn("Deposit", 100, "73"), Kind.FINANCING, id="a short loan is paid out"),
        pytest.param(txn("Purchase", -100, "70;92"), Kind.EXPENSE, id="a loan payment with interest is an expense"),
        pytest.param(txn("Transfer", -100, "38"), Kind.OWN_ACCOUNT, id="money to an account that does not count"),
        pytest.param(txn("Transfer", 100, "37"), Kind.OTHER_RECEIPT, id="fees earned come out of trust"),
        pytest.param(txn("Transfer", -100, "41"), Kind.CARD_PAYMENT, id="the card is paid"),
    ],
)
def test_accounts_and_transaction_say_what_a_movement_is(row: Row, kind: Kind) -> None:
    assert moved(row) == [(row["amount_cents"], kind)]


def test_a_transfer_between_two_cash_accounts_is_no_movement() -> None:
    assert moved(txn("Transfer", -100, "36"), txn("Transfer", 100, "35", account="36")) == []


PURCHASE = txn("Purchase", -100, "60", account="41", qbo_id="1")
PAYMENT = (txn("Transfer", -250, "41", qbo_id="2"), txn("Transfer", 250, "35", account="41", qbo_id="2"))


@pytest.mark.parametrize(
    ("card_basis", "expected"),
    [
        pytest.param("payment", [(-250, Kind.CARD_PAYMENT)], id="paying the card counts"),
        pytest.param("purchase", [(-100, Kind.EXPENSE)], id="buying with the card counts"),
    ],
)
def test_card_spending_counts_once(card_basis: CardBasis, expected: list[tuple[int, Kind]]) -> None:
    assert moved(PURCHASE, *PAYMENT, card_basis=card_basis) == expected


def test_series_are_named_by_party_and_payroll_is_one() -> None:
    frame = postings(
        {**txn("Purchase", -1, "60", qbo_id="1"), "party_type": "Vendor", "party_id": "7", "party_name": "Landlord"},
        {**txn("BillPayment", -1, "80", qbo_id="2"), "party_type": "Vendor", "party_id": "7", "party_name": "Landlord"},
        txn("JournalEntry", -1, "61", qbo_id="3"),
        txn("JournalEntry", -1, "61;62", qbo_id="4"),
        txn("Purchase", -1, "60", qbo_id="5"),
        txn("Transfer", -1, "41", qbo_id="6"),
    )
    position = cash_position(CHART, frame, at=point(), home_currency="USD", policy=CashPolicy())
    found = cash_movements(frame, CHART, position=position, at=point(), policy=CashPolicy()).set_index("txn_id")
    assert found.loc["1", "stream"] == found.loc["2", "stream"] == "Vendor:7"
    assert found.loc["3", "stream"] == found.loc["4", "stream"] == "payroll"
    assert found.loc["5", "stream"] == "accounts:60"
    assert found.loc["6", "stream"] == "card:accounts:41"
    assert list(found.loc[["1", "4", "5"], "label"]) == ["Landlord", "Wages, Withheld", "Rent"]


def test_an_edited_transaction_moves_its_newest_amount_only() -> None:
    later = point().known_until + timedelta(days=7)
    frame = postings(txn("Purchase", -100, "60"), {**txn("Purchase", 0, "", account=""), "known_at": later})
    at = point(known_until=later, first_known_at=point().known_until)
    position = cash_position(CHART, frame, at=at, home_currency="USD", policy=CashPolicy())
    assert cash_movements(frame, CHART, position=position, at=at, policy=CashPolicy()).empty


def test_what_is_entered_for_later_into_and_out_of_the_undeposited_funds_is_told() -> None:
    check = {**txn("Payment", 70, "84", account="50", qbo_id="1"), "party_id": "9", "party_name": "Client"}
    slip = {**txn("Deposit", -40, "35", account="50", qbo_id="2"), "txn_date": day("2026-11-24")}
    frame = postings(
        {**check, "txn_date": day("2026-11-23")},
        slip,
        {**slip, "account_id": "35", "amount_cents": 40},
        {**check, "qbo_id": "3", "txn_date": day("2026-11-20")},
        {**check, "qbo_id": "4", "txn_date": day("2026-11-23"), "known_at": point().known_until + timedelta(days=1)},
    )
    position = cash_position(CHART, frame, at=point(), home_currency="USD", policy=CashPolicy())
    found = waiting_later(frame, position=position, at=point())
    assert list(found.itertuples(index=False, name=None)) == [
        (day("2026-11-23"), 70, "Client", "9", "Payment", "1", ""),
        (day("2026-11-24"), -40, "", "", "Deposit", "2", ""),
    ]
    empty = waiting_later(postings(), position=position, at=point())
    assert list(empty.columns) == list(WAITING_COLUMNS)
    assert not len(empty)


def test_no_postings_give_an_empty_frame_of_the_same_types() -> None:
    position = cash_position(CHART, postings(), at=point(), home_currency="USD", policy=CashPolicy())
    empty = cash_movements(postings(), CHART, position=position, at=point(), policy=CashPolicy())
    one = cash_movements(
        postings({**txn("Purchase", -1, "60"), "txn_date": day("2026-11-01")}),
        CHART,
        position=position,
        at=point(),
        policy=CashPolicy(),
    )
    assert list(empty.columns) == list(COLUMNS)
    assert empty.dtypes.to_dict() == one.dtypes.to_dict()


@EXAMPLES
def test_opening_cash_and_movements_give_the_closing_cash(examples: int) -> None:
    def check(books: ledger.Books, known_until: datetime, days: int) -> None:
        sync = ledger.START.replace(month=12, day=15)
        frames = ledger.frames(books, syncs=[sync])
        known_until = max(known_until, ledger.START)
        closing_at = point(as_of=known_until.date(), known_until=known_until, first_known_at=sync)
        opening_at = point(
            as_of=known_until.date() - timedelta(days=days), known_until=known_until, first_known_at=sync
        )
        policy = CashPolicy()
        closing, opening = (
            cash_position(frames.accounts, frames.postings, at=at, home_currency="USD", policy=policy)
            for at in (closing_at, opening_at)
        )
        found = cash_movements(frames.postings, frames.accounts, position=closing, at=closing_at, policy=policy)
        between = found[(found["date"] > opening_at.as_of_day) & (found["date"] <= closing_at.as_of_day)]
        assert opening.cash_cents is not None
        assert opening.cash_cents + int(between["amount_cents"].sum()) == closing.cash_cents
        later = found[found["date"] > closing_at.as_of_day]
        assert int(later["amount_cents"].sum()) == closing.dated_later_cents

    holds(check, examples=examples, books=ledger.books(), known_until=ledger.instants(), days=st.integers(0, 100))


@EXAMPLES
def test_with_purchases_counted_cash_less_cards_rolls_the_same_way(examples: int) -> None:
    def check(books: ledger.Books) -> None:
        sync = ledger.START.replace(month=12, day=15)
        frames = ledger.frames(books, syncs=[sync])
        at = point(as_of=sync.date(), known_until=sync, first_known_at=sync)
        policy = CashPolicy(card_basis="purchase")
        closing = cash_position(frames.accounts, frames.postings, at=at, home_currency="USD", policy=policy)
        found = cash_movements(frames.postings, frames.accounts, position=closing, at=at, policy=policy)
        assert closing.cash_cents is not None
        assert int(found["amount_cents"].sum()) == closing.cash_cents - closing.card_owed_cents

    holds(check, examples=examples, books=ledger.books())


MOVED = (
    txn("Deposit", 100, "90", account="39", qbo_id="1"),
    txn("Purchase", -30, "60", account="39", qbo_id="2"),
    *(
        {**txn("Transfer", cents, other, account=account, qbo_id="3"), "txn_date": day("2026-11-10")}
        for account, other, cents in (("39", "35", -70), ("35", "39", 70))
    ),
)
"""The old account, number 39, and its money moved to another one on 10 November."""


def bank_moved(*, left: int = 0) -> pd.DataFrame:
    old: Row = {"qbo_id": "39", "name": "Old bank", "is_active": False, "current_balance_cents": left}
    return accounts({"qbo_id": "35", "current_balance_cents": 70}, old)


@pytest.mark.parametrize(
    ("left", "policy", "expected"),
    [
        pytest.param(0, CashPolicy(), [100, -30], id="closed: its past stays and moving is none"),
        pytest.param(5, CashPolicy(), [70], id="inactive with money in it: not closed"),
        pytest.param(0, CashPolicy(excluded_account_ids=frozenset({"39"})), [70], id="left out, open or closed"),
        pytest.param(0, CashPolicy(chosen_account_ids=frozenset({"35"})), [70], id="never chosen, open or closed"),
    ],
)
def test_a_closed_bank_account_keeps_its_past(left: int, policy: CashPolicy, expected: list[int]) -> None:
    chart, frame = bank_moved(left=left), postings(*MOVED)
    position = cash_position(chart, frame, at=point(), home_currency="USD", policy=policy)
    found = cash_movements(frame, chart, position=position, at=point(), policy=policy)
    assert position.cash_cents == 70
    assert sorted(found["amount_cents"], reverse=True) == expected


def test_before_a_bank_account_was_closed_its_money_was_cash() -> None:
    """Known by a first sync after the move only: 70 are cash on each day, where they were."""
    chart, frame, policy = bank_moved(), postings(*MOVED), CashPolicy()
    for on in ("2026-11-09", "2026-11-10"):
        before = point(as_of=day(on).date(), known_until=datetime.fromisoformat(f"{on}T20:00+00:00"))
        position = cash_position(chart, frame, at=before, home_currency="USD", policy=policy)
        found = cash_movements(frame, chart, position=position, at=before, policy=policy)
        past = found[found["date"] <= before.as_of_day]
        assert (position.cash_cents, int(past["amount_cents"].sum())) == (70, 70)
