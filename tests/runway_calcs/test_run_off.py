"""The run-off: what past Fridays did not know of the weeks after them, piece by piece and without a cent twice."""

from collections.abc import Sequence
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import strategies as st

from runway_calcs.books.cash import cash_position
from runway_calcs.books.cash_pieces import COLUMNS, cash_pieces
from runway_calcs.books.movements import cash_movements
from runway_calcs.flow_kinds import REST_KINDS, FlowKind
from runway_calcs.forecast.receipts_level import receipts_factor
from runway_calcs.forecast.run_off import draw_run_off, learn_run_off, unexplained
from runway_calcs.policy import CashPolicy, ForecastPolicy
from tests.runway_calcs import ledger
from tests.runway_calcs.builders import FRIDAY, SYNC, Row, accounts, applications, documents, movements, point, postings
from tests.runway_calcs.properties import EXAMPLES, holds

POLICY = ForecastPolicy()
SALES, BILLS = REST_KINDS.index(FlowKind.NEW_SALES), REST_KINDS.index(FlowKind.NEW_BILLS)


def pieces(*rows: tuple[int, int, int], kind: int = SALES) -> pd.DataFrame:
    """Pieces as (days ago, days from entry to cash, cents)."""
    return pd.DataFrame(
        {
            "txn_type": "Deposit",
            "txn_id": [str(number) for number in range(len(rows))],
            "day": pd.to_datetime([FRIDAY - timedelta(days=ago) for ago, _, _ in rows]),
            "cents": [cents for _, _, cents in rows],
            "entered": pd.to_datetime([SYNC - timedelta(days=ago + known) for ago, known, _ in rows], utc=True),
            "kind": kind,
            "document": "",
        }
    )[list(COLUMNS)]


def test_a_piece_was_unknown_before_its_document_was_entered() -> None:
    # Cash ten days ago, in the second past week; entered 20 days earlier, 30 days ago: known to the Fridays up to 28 days ago.
    found = learn_run_off(pieces((300, 0, 1), (10, 20, 500)), at=point(), policy=POLICY).unknown_cents
    by_ahead = found[1].sum(axis=(1, 2))
    # A Friday k weeks before that week's end lies 7 + 7k days ago: 14, 21, 28 knew of it, 35 and earlier did not.
    assert list(by_ahead[:5]) == [0, 0, 0, 500, 500]


def test_cash_that_is_keyed_in_late_belongs_to_the_first_day_after_the_fridays_that_missed_it() -> None:
    # Dated 15 days ago, entered 5 days ago: missing in the cash of the Fridays 14 and 7 days ago.
    found = learn_run_off(pieces((300, 0, 1), (15, -10, 500)), at=point(), policy=POLICY).unknown_cents
    first_days = found[:, 0, SALES, 0]
    assert list(first_days[:3]) == [500, 500, 0]


@pytest.mark.parametrize("weeks", [pytest.param(count, id=f"{count} weeks") for count in (0, 1, 2, 3, 7, 14, 30, 60)])
def test_any_length_of_history_gives_draws_of_the_horizon(weeks: int) -> None:
    rows = [(7 * week + 3, 30, 1_000) for week in range(weeks)]
    run_off = learn_run_off(pieces(*rows), at=point(), policy=POLICY)
    rng = np.random.default_rng(1)
    drawn = draw_run_off(run_off, factor=1.0, at=point(), policy=POLICY, draws=50, rng=rng)
    assert drawn.shape == (4, 50, 91)
    assert drawn.dtype == "int64"
    if weeks > 30:
        # Entered 30 days before it was paid, so nothing new is paid within the first four weeks, and all of it after.
        assert drawn[SALES, :, :28].sum() == 0
        assert drawn[SALES, :, 35:].sum() / 50 == pytest.approx(8_000, rel=0.1)


def test_steady_sales_are_forecast_at_their_level() -> None:
    """1,000 a week, entered on the day it is paid: thirteen weeks of it, give or take the drift of its level."""
    run_off = learn_run_off(pieces(*[(7 * week + 2, 0, 1_000) for week in range(70)]), at=point(), policy=POLICY)
    drawn = draw_run_off(run_off, factor=1.0, at=point(), policy=POLICY, draws=2_000, rng=np.random.default_rng(3))
    totals = drawn[SALES].sum(axis=1)
    assert totals.mean() == pytest.approx(13_000, rel=0.02)
    assert totals.std() / totals.mean() == pytest.approx(POLICY.drift_percent / 100, rel=0.15)


def test_what_a_series_explains_is_not_learned_again() -> None:
    found = unexplained(pieces((3, 0, 5), (4, 0, 6)), explained={("Deposit", "0")})
    assert list(found["cents"]) == [6]


def test_the_level_of_receipts_lies_between_what_was_seen_and_break_even() -> None:
    """Pays 1,000 and receives 900 a week: steady, so most of the difference is believed."""
    rows: list[Row] = []
    for week in range(60):
        day = pd.Timestamp(FRIDAY - timedelta(days=7 * week + 2))
        rows += [{"date": day, "amount_cents": -1_000}, {"date": day, "amount_cents": 900}]
    run_off = learn_run_off(pieces(*[(7 * week + 2, 0, 900) for week in range(60)]), at=point(), policy=POLICY)
    factor = receipts_factor(run_off, known_cents=0, operating=movements(*rows), at=point(), policy=POLICY)
    assert 0.98 < factor < 1.05
    fuller = receipts_factor(run_off, known_cents=3_000, operating=movements(*rows), at=point(), policy=POLICY)
    # With 3,000 on the books already, less than usual is still to be sold.
    assert fuller < factor


def test_the_pieces_of_payments_and_deposits_worked_by_hand() -> None:
    chart = accounts(
        {"qbo_id": "35"},
        {"qbo_id": "50", "account_type": "Other Current Asset", "account_subtype": "UndepositedFunds", "name": "Wait"},
    )
    sold = documents(
        {"qbo_id": "1", "txn_type": "Invoice", "created_at": SYNC - timedelta(days=40)},
        {"qbo_id": "2", "txn_type": "Invoice", "created_at": SYNC - timedelta(days=20)},
    )
    received = {"txn_type": "Payment", "qbo_id": "10", "txn_date": pd.Timestamp(2026, 11, 2)}
    applied = applications(
        {**received, "target_type": "Invoice", "target_id": "1", "amount_cents": 300},
        {**received, "target_type": "Invoice", "target_id": "2", "amount_cents": 200},
    )
    posted = postings(
        {**received, "account_id": "50", "amount_cents": 500, "created_at": SYNC - timedelta(days=18)},
        {"txn_type": "SalesReceipt", "qbo_id": "11", "account_id": "50", "amount_cents": 100},
        {"txn_type": "Deposit", "qbo_id": "12", "account_id": "50", "amount_cents": -450},
        {"txn_type": "Deposit", "qbo_id": "12", "account_id": "35", "amount_cents": 440},
    )
    at = point()
    position = cash_position(chart, posted, at=at, home_currency="USD", policy=CashPolicy())
    moved = cash_movements(posted, chart, position=position, at=at, policy=CashPolicy())
    found = cash_pieces(
        moved,
        postings=posted,
        documents=sold,
        applications=applied,
        undeposited_ids=frozenset({"50"}),
        at=at,
    )
    # First in is the sales receipt, entered long ago; then the invoices in the order of their entry, as far as 450 go.
    told = {(row.document, row.cents) for row in found.itertuples()}
    assert told == {("", 100), ("Invoice:1", 300), ("Invoice:2", 50), ("", -10)}
    assert found["cents"].sum() == 440


def _movements(frames: ledger.Frames) -> tuple[pd.DataFrame, pd.DataFrame]:
    at = point(as_of=(ledger.START + timedelta(days=130)).date(), known_until=SYNC_ALL, first_known_at=SYNC_ALL)
    position = cash_position(frames.accounts, frames.postings, at=at, home_currency="USD", policy=CashPolicy())
    moved = cash_movements(frames.postings, frames.accounts, position=position, at=at, policy=CashPolicy())
    found = cash_pieces(
        moved,
        postings=frames.postings,
        documents=frames.documents,
        applications=frames.applications,
        undeposited_ids=frozenset({ledger.UNDEPOSITED}),
        at=at,
    )
    return moved[moved["date"] <= at.as_of_day], found


SYNC_ALL = ledger.START.replace(month=12, day=15)


@EXAMPLES
def test_the_pieces_of_each_movement_sum_to_it(examples: int) -> None:
    def check(books: ledger.Books) -> None:
        moved, found = _movements(ledger.frames(books, syncs=[SYNC_ALL]))
        keys = ["txn_type", "txn_id"]
        summed = found.groupby(keys)["cents"].sum()
        whole = moved.set_index(keys)["amount_cents"]
        assert summed.reindex(whole.index).fillna(0).astype("int64").to_dict() == whole.to_dict()

    holds(check, examples=examples, books=ledger.books())


@EXAMPLES
def test_known_and_unknown_cash_of_a_past_week_are_all_of_it(examples: int) -> None:
    """For every Friday and week after it: what the books knew and what the run-off calls unknown sum to the cash."""

    def check(rows: Sequence[tuple[int, int, int]]) -> None:
        known_later = [(ago, max(known, 0), cents) for ago, known, cents in rows]
        frame = pieces((250, 0, 1), *known_later)
        found = learn_run_off(frame, at=point(), policy=POLICY).unknown_cents.sum(axis=(2, 3))
        for week in range(12):
            of_week = [row for row in known_later if row[0] // 7 == week]
            for ahead in range(1, 14):
                friday = 7 * (week + ahead)
                known = sum(cents for ago, entered, cents in of_week if ago + entered >= friday)
                assert found[week, ahead - 1] + known == sum(cents for _, _, cents in of_week)

    row = st.tuples(st.integers(0, 83), st.integers(0, 90), st.integers(-500, 500))
    holds(check, examples=examples, rows=st.lists(row, max_size=12))
