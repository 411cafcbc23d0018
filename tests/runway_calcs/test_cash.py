"""Cash as of a day: what counts, what is left out and why, and a replay of random books."""

from datetime import date, datetime, timedelta

import pytest
from hypothesis import strategies as st

from runway_calcs.books.cash import CashPosition, CashState, ExclusionReason, cash_position
from runway_calcs.policy import CashPolicy
from tests.runway_calcs import ledger
from tests.runway_calcs.builders import Row, accounts, day, instant, point, postings
from tests.runway_calcs.properties import EXAMPLES, holds

CHECKING: Row = {"qbo_id": "35", "name": "Checking", "current_balance_cents": 1_000_00}


def cash_of(*rows: Row, policy: CashPolicy | None = None) -> CashPosition:
    return cash_position(accounts(*rows), postings(), at=point(), home_currency="USD", policy=policy or CashPolicy())


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        pytest.param({"account_subtype": "TrustAccounts"}, ExclusionReason.TRUST, id="client money"),
        pytest.param({"account_subtype": "RentsHeldInTrust"}, ExclusionReason.TRUST, id="rents held for owners"),
        pytest.param({"currency": "CAD"}, ExclusionReason.FOREIGN_CURRENCY, id="foreign currency"),
        pytest.param({"is_active": False}, ExclusionReason.INACTIVE, id="inactive"),
        pytest.param(
            {"account_type": "Other Current Asset", "account_subtype": "UndepositedFunds"},
            ExclusionReason.UNDEPOSITED,
            id="undeposited funds",
        ),
        pytest.param(
            {"account_type": "Credit Card", "account_subtype": "CreditCard", "currency": "CAD"},
            ExclusionReason.FOREIGN_CURRENCY,
            id="a foreign card",
        ),
    ],
)
def test_an_account_that_does_not_count_is_shown_with_its_reason(columns: Row, reason: ExclusionReason) -> None:
    found = cash_of(CHECKING, {"qbo_id": "36", "name": "Other", "current_balance_cents": 7_00, **columns})
    assert found.cash_cents == 1_000_00
    assert [(account.account_id, account.balance_cents, account.reason) for account in found.excluded] == [
        ("36", 7_00, reason)
    ]


def test_trust_undeposited_and_card_balances_stand_beside_the_cash() -> None:
    found = cash_of(
        CHECKING,
        {"qbo_id": "37", "account_subtype": "TrustAccounts", "current_balance_cents": 500_00},
        {
            "qbo_id": "50",
            "account_type": "Other Current Asset",
            "account_subtype": "UndepositedFunds",
            "current_balance_cents": 80_00,
        },
        {"qbo_id": "41", "account_type": "Credit Card", "current_balance_cents": -90_00},
        {"qbo_id": "42", "account_type": "Credit Card", "is_active": False, "current_balance_cents": -1_00},
        {"qbo_id": "43", "account_type": "Credit Card", "is_active": False, "current_balance_cents": 0},
        {"qbo_id": "60", "account_type": "Expense", "account_subtype": "Travel"},
    )
    assert (found.cash_cents, found.trust_cents, found.undeposited_cents) == (1_000_00, 500_00, 80_00)
    assert {card.account_id: card.owed_cents for card in found.cards} == {"41": 90_00, "42": 1_00}
    assert found.card_owed_cents == 91_00


@pytest.mark.parametrize(
    ("policy", "cash_cents", "reasons"),
    [
        pytest.param(CashPolicy(), 1_500_00, {}, id="all bank accounts by default"),
        pytest.param(
            CashPolicy(chosen_account_ids=frozenset({"35"})), 1_000_00, {"36": ExclusionReason.NOT_CHOSEN}, id="chosen"
        ),
        pytest.param(
            CashPolicy(excluded_account_ids=frozenset({"36"})),
            1_000_00,
            {"36": ExclusionReason.EXCLUDED},
            id="excluded",
        ),
    ],
)
def test_the_tenant_chooses_its_accounts(
    policy: CashPolicy, cash_cents: int, reasons: dict[str, ExclusionReason]
) -> None:
    found = cash_of(CHECKING, {"qbo_id": "36", "name": "Savings", "current_balance_cents": 500_00}, policy=policy)
    assert found.cash_cents == cash_cents
    assert {account.account_id: account.reason for account in found.excluded} == reasons


@pytest.mark.parametrize(
    ("rows", "policy", "state"),
    [
        pytest.param((), CashPolicy(), CashState.NO_DATA, id="no accounts at all"),
        pytest.param(({"qbo_id": "60", "account_type": "Expense"},), CashPolicy(), CashState.NO_DATA, id="no bank"),
        pytest.param(
            ({**CHECKING, "currency": "CAD"},), CashPolicy(), CashState.NOT_COMPUTABLE, id="only a foreign account"
        ),
        pytest.param(
            (CHECKING,),
            CashPolicy(chosen_account_ids=frozenset({"35", "77"})),
            CashState.NOT_COMPUTABLE,
            id="a chosen account is missing",
        ),
    ],
)
def test_no_figure_is_ever_a_zero(rows: tuple[Row, ...], policy: CashPolicy, state: CashState) -> None:
    found = cash_of(*rows, policy=policy)
    assert (found.state, found.cash_cents) == (state, None)
    assert found.reason


def test_an_empty_account_is_zero_and_that_is_a_figure() -> None:
    found = cash_of({**CHECKING, "current_balance_cents": 0})
    assert (found.state, found.cash_cents, found.reason) == (CashState.OK, 0, "")


def test_entries_dated_after_the_day_are_taken_out_and_shown() -> None:
    cheque: Row = {"qbo_id": "1", "amount_cents": -200_00, "txn_date": day("2026-11-23")}
    found = cash_position(accounts(CHECKING), postings(cheque), at=point(), home_currency="USD", policy=CashPolicy())
    assert (found.cash_cents, found.dated_later_cents) == (1_200_00, -200_00)
    assert found.accounts[0].dated_later_cents == -200_00


def test_before_the_connection_what_was_entered_later_is_taken_out() -> None:
    rows: list[Row] = [
        {"qbo_id": "1", "amount_cents": -200_00, "created_at": instant("2026-11-01T12:00:00")},
        {"qbo_id": "2", "amount_cents": -30_00, "created_at": instant("2026-10-01T12:00:00")},
        {
            "qbo_id": "3",
            "amount_cents": -4_00,
            "created_at": instant("2026-10-01T12:00:00"),
            "txn_date": day("2026-11-02"),
        },
    ]
    at = point(as_of=date(2026, 10, 30), known_until=instant("2026-10-30T09:00:00"))
    found = cash_position(accounts(CHECKING), postings(*rows), at=at, home_currency="USD", policy=CashPolicy())
    assert (found.cash_cents, found.dated_later_cents) == (1_204_00, -4_00)
    assert found.basis == "reconstructed"


@EXAMPLES
def test_balances_of_any_week_before_the_connection_equal_a_replay(examples: int) -> None:
    def check(books: ledger.Books, known_until: datetime) -> None:
        sync = ledger.START.replace(month=12, day=15)
        frames = ledger.frames(books, syncs=[sync])
        at = point(as_of=known_until.date(), known_until=known_until, first_known_at=sync)
        found = cash_position(frames.accounts, frames.postings, at=at, home_currency="USD", policy=CashPolicy())
        if known_until < ledger.START:
            assert found.state is CashState.NO_DATA
            return
        assert_equals_replay(found, books, known_until=known_until)

    holds(check, examples=examples, books=ledger.books(), known_until=ledger.instants())


@EXAMPLES
def test_balances_of_any_kept_week_equal_a_replay(examples: int) -> None:
    def check(books: ledger.Books, syncs: list[datetime]) -> None:
        chosen = syncs[-2]
        frames = ledger.frames(books, syncs=syncs)
        at = point(as_of=chosen.date() - timedelta(days=1), known_until=chosen, first_known_at=syncs[0])
        found = cash_position(frames.accounts, frames.postings, at=at, home_currency="USD", policy=CashPolicy())
        assert_equals_replay(found, books, known_until=chosen)

    syncs = st.lists(ledger.instants(), min_size=2, max_size=4, unique=True).map(sorted)
    holds(check, examples=examples, books=ledger.books(with_deletions=True), syncs=syncs)


def assert_equals_replay(found: CashPosition, books: ledger.Books, *, known_until: datetime) -> None:
    def balance(account_id: str) -> int:
        return books.balance(account_id, instant=known_until, day=found.as_of)

    assert found.cash_cents == sum(balance(account_id) for account_id in ledger.CASH)
    assert {account.account_id: account.balance_cents for account in found.accounts} == {
        account_id: balance(account_id) for account_id in ledger.CASH
    }
    assert (found.trust_cents, found.undeposited_cents) == (balance(ledger.TRUST), balance(ledger.UNDEPOSITED))
    assert found.card_owed_cents == -balance(ledger.CARD)
