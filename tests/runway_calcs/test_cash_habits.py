"""How payments reach the bank and the books: waits for the deposit, and payments that are not entered yet."""

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from runway_calcs.books.books_at import books_at
from runway_calcs.books.cash import cash_position
from runway_calcs.books.cash_pieces import CashHabits, cash_habits
from runway_calcs.books.corrections import Ledger
from runway_calcs.books.movements import cash_movements
from runway_calcs.forecast.dated_items import Dating
from runway_calcs.forecast.prepared import ForecastInputs, prepare
from runway_calcs.forecast.simulation import simulate
from runway_calcs.payment_timing import fit
from runway_calcs.policy import CardBasis, CashPolicy, RecurringPolicy
from tests.runway_calcs.builders import FRIDAY, Row, accounts, applications, parties, point, postings, terms
from tests.runway_calcs.builders import documents as book_documents
from tests.runway_calcs.forecasts import POLICY, item, prepared
from tests.runway_calcs.timing_ledgers import documents

WEDNESDAY, THURSDAY = 2, 3
DRAWER = "50"
PARTY = "7"


def paid_by_way_of(*account_ids: str, txn_type: str = "BillPayment") -> Ledger:
    """Payments of one party, a week apart, the newest first, each to or from one of these accounts."""
    paid: list[Row] = [
        {
            "txn_type": txn_type,
            "qbo_id": f"{number}",
            "txn_date": pd.Timestamp(FRIDAY - timedelta(days=7 * number)),
            "account_id": account_id,
            "amount_cents": 500 if txn_type == "Payment" else -500,
            "party_type": "Customer" if txn_type == "Payment" else "Vendor",
            "party_id": PARTY,
        }
        for number, account_id in enumerate(account_ids)
    ]
    return ledger_of(*paid)


def ledger_of(*posted: Row) -> Ledger:
    """Nothing but postings on a checking account (35), one in euro (36), a closed one (37), another (38) and a card (41)."""
    return Ledger(
        documents=book_documents(),
        applications=applications(),
        postings=postings(*posted),
        accounts=accounts(
            {"qbo_id": "35"},
            {"qbo_id": "36", "currency": "EUR"},
            {"qbo_id": "37", "is_active": False},
            {"qbo_id": "38"},
            {"qbo_id": "41", "account_type": "Credit Card", "account_subtype": "CreditCard"},
        ),
        parties=parties(),
        terms=terms(),
    )


def habits_of(received_on: list[date], *, entered_after: timedelta) -> CashHabits:
    """Checks of one customer, each entered so long after its day's midnight and banked on the next Thursday."""
    rows: list[dict[str, object]] = []
    for number, day in enumerate(received_on):
        banked = day + timedelta(days=(THURSDAY - day.weekday()) % 7)
        entered = pd.Timestamp(day, tz="UTC") + entered_after
        check = {"txn_type": "Payment", "qbo_id": f"{number}", "txn_date": pd.Timestamp(day), "created_at": entered}
        slip = {"txn_type": "Deposit", "qbo_id": f"d{number}", "txn_date": pd.Timestamp(banked), "created_at": entered}
        rows += [
            {**check, "account_id": DRAWER, "amount_cents": 500, "party_type": "Customer", "party_id": "7"},
            {**slip, "account_id": DRAWER, "amount_cents": -500},
            {**slip, "account_id": "35", "amount_cents": 500},
        ]
    chart = accounts(
        {"qbo_id": "35"},
        {"qbo_id": DRAWER, "account_type": "Other Current Asset", "account_subtype": "UndepositedFunds"},
    )
    posted, at = postings(*rows), point()
    position = cash_position(chart, posted, at=at, home_currency="USD", policy=CashPolicy())
    return cash_habits(
        postings=posted,
        applications=applications(),
        movements=cash_movements(posted, chart, position=position, at=at, policy=CashPolicy()),
        undeposited_ids=frozenset({DRAWER}),
        card_ids=frozenset(),
        at=at,
    )


def test_checks_wait_for_the_day_on_which_the_bank_is_visited() -> None:
    mondays = [FRIDAY - timedelta(days=4 + 7 * week) for week in range(6)]
    wednesdays = [FRIDAY - timedelta(days=2 + 7 * week) for week in range(6)]
    habits = habits_of(sorted([*mondays, *wednesdays]), entered_after=timedelta(hours=10))
    assert habits.deposit_waits[0] == (3,) * 6
    assert habits.deposit_waits[WEDNESDAY] == (1,) * 6
    assert len(habits.deposit_wait_days) == 12


def test_what_is_entered_some_days_later_is_not_in_the_books_yet() -> None:
    """Entered 58 hours after midnight, so on the second morning: at Friday's sync those of Thursday and Friday are missing."""
    days = [FRIDAY - timedelta(days=7 + number) for number in range(70)]
    habits = habits_of(sorted(days), entered_after=timedelta(hours=58))
    assert habits.unseen_receipts == (1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    assert habits.unseen_payments == ()


@pytest.mark.parametrize(
    ("paid_in", "banked_in"),
    [
        pytest.param(3, 6, id="a Monday's check waits for Thursday"),
        pytest.param(5, 6, id="a Wednesday's too"),
        pytest.param(8, 10, id="a weekday of which nothing is known waits as any"),
    ],
)
def test_a_forecast_banks_a_check_as_checks_of_its_weekday_were_banked(paid_in: int, banked_in: int) -> None:
    check = replace(item(paid_in, 100), dating=Dating.CUSTOMER)
    waits: list[tuple[int, ...]] = [()] * 7
    waits[0], waits[WEDNESDAY] = (3,) * 5, (1,) * 5
    habits = CashHabits(
        undeposited_share={check.party_id: 1.0}, deposit_wait_days=(2,), deposit_waits=tuple(waits), card_share={}
    )
    found = simulate(replace(prepared([check], policy=replace(POLICY, draws=20)), habits=habits), seed=1)
    assert set(found.item_days[0]) == {banked_in}


@pytest.mark.parametrize(
    ("card_basis", "counted"),
    [
        pytest.param("payment", 0, id="the card's payment holds it"),
        pytest.param("purchase", -500, id="no card payment counts, so the bill does"),
    ],
)
def test_a_bill_usually_paid_by_card_counts_once(card_basis: CardBasis, counted: int) -> None:
    books = books_at(
        paid_by_way_of(*["41"] * 6), home_currency="USD", at=point(), policy=CashPolicy(card_basis=card_basis)
    )
    bill = replace(item(5, -500, label=PARTY), dating=Dating.VENDOR)
    found = simulate(replace(prepared([bill], policy=replace(POLICY, draws=20)), habits=books.habits), seed=1)
    assert set(found.item_cents[0]) == {counted}


@pytest.mark.parametrize(
    ("accounts_", "excluded", "share"),
    [
        pytest.param(["36"] * 6, [], 1.0, id="all in euro"),
        pytest.param(["36", "35"] * 3, [], 0.5, id="every other one"),
        pytest.param(["38"] * 6, ["38"], 1.0, id="to an account that the tenant leaves out"),
        pytest.param(["38"] * 6, [], 0.0, id="to one that counts"),
        pytest.param(["35"] * 2 + ["37"] * 4, [], 0.0, id="an account that is closed by now was cash"),
        pytest.param(["35"] * 10 + ["36"] * 20, [], 0.0, id="who pays here by now pays here"),
    ],
)
@pytest.mark.parametrize("txn_type", ["Payment", "BillPayment"])
def test_what_a_party_pays_elsewhere_does_not_reach_the_cash(
    accounts_: list[str], excluded: list[str], share: float, txn_type: str
) -> None:
    is_in = txn_type == "Payment"
    books = books_at(
        paid_by_way_of(*accounts_, txn_type=txn_type),
        home_currency="USD",
        at=point(),
        policy=CashPolicy(excluded_account_ids=frozenset(excluded)),
    )
    mine, other = books.habits.receipts_elsewhere, books.habits.payments_elsewhere
    assert (mine if is_in else other) == ({PARTY: share} if share else {})
    assert not (other if is_in else mine)
    dating = Dating.CUSTOMER if is_in else Dating.VENDOR
    open_ = replace(item(5, 500 if is_in else -500, label=PARTY), dating=dating)
    found = simulate(replace(prepared([open_], policy=replace(POLICY, draws=400)), habits=books.habits), seed=1)
    assert (found.item_cents[0] == 0).mean() == pytest.approx(share, abs=0.1)


def test_who_pays_by_check_or_elsewhere_never_does_both() -> None:
    check = replace(item(3, 100), dating=Dating.CUSTOMER)
    half = {check.party_id: 0.5}
    habits = CashHabits(undeposited_share=half, deposit_wait_days=(2,), card_share={}, receipts_elsewhere=half)
    found = simulate(replace(prepared([check], policy=replace(POLICY, draws=200)), habits=habits), seed=1)
    assert set(zip(found.item_days[0].tolist(), found.item_cents[0].tolist(), strict=True)) == {(5, 100), (3, 0)}


def test_invoices_that_are_paid_elsewhere_are_no_receipts_that_are_known() -> None:
    """The level of what is still to be billed is that without them."""
    sales: list[Row] = [
        {
            "txn_type": "SalesReceipt",
            "qbo_id": f"{week}",
            "txn_date": pd.Timestamp(FRIDAY - timedelta(days=7 * week)),
            "created_at": pd.Timestamp(FRIDAY - timedelta(days=7 * week), tz="UTC"),
            "amount_cents": cents,
        }
        for week, cents in enumerate([300_00, 1_700_00] * 20)
    ]
    costs: list[Row] = [
        {**one, "txn_type": "Purchase", "amount_cents": cents}
        for one, cents in zip(sales, [-200_00, -1_800_00] * 20, strict=True)
    ]
    invoice = {"txn_type": "Invoice", "qbo_id": "1", "party_id": PARTY, "due_date": pd.Timestamp("2026-12-01")}
    ledger = ledger_of(*sales, *costs)
    billed = replace(ledger, documents=book_documents({**invoice, "total_cents": 9_000_00, "open_cents": 9_000_00}))
    here, none = (books_at(one, home_currency="USD", at=point(), policy=CashPolicy()) for one in (billed, ledger))
    there = replace(here, habits=replace(here.habits, receipts_elsewhere={PARTY: 1.0}))
    of_here, of_there, of_none = (
        prepare(books, inputs=ForecastInputs(), policy=POLICY, recurring_policy=RecurringPolicy()).receipts_factor
        for books in (here, there, none)
    )
    assert of_there == of_none
    assert of_here < of_none


def test_a_payment_that_may_have_been_made_already_is_expected_now_and_not_after_another_wait() -> None:
    """Pays on the due date, and half of what is paid is entered days later: the one due yesterday is probably paid."""
    due = pd.bdate_range(end="2026-11-11", periods=40, freq="6B")
    history = documents(*({"due": str(day.date()), "paid": str(day.date())} for day in due))
    waiting = documents({"due": "2026-11-19"}, {"due": "2026-11-30"}, number=100)
    model = fit(history, as_of=FRIDAY)
    blind, seeing = model.likely(waiting), model.likely(waiting, unseen=(1.0, 0.5, 0.5))
    ids = list(waiting["document_id"])
    plain, drawn = (one.drawn(ids, count=400, seed=1) for one in (blind, seeing))
    assert plain.min() >= 1
    assert drawn.min() >= -2
    assert (drawn[0] <= 0).mean() > 0.3
    # What is due next week is not paid yet, and days told to people are days to come.
    assert (drawn[1] <= 0).mean() < 0.05
    assert abs(float(np.median(drawn[1])) - float(np.median(plain[1]))) <= 1
    assert (seeing.quantiles((0.1, 0.5)) > pd.Timestamp(FRIDAY)).all(axis=None)
    assert (seeing.draws(50, seed=1) > pd.Timestamp(FRIDAY)).all(axis=None)
