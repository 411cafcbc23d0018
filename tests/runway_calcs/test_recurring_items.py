"""What a series varied by, and what comes once a year."""

from dataclasses import replace
from datetime import date, timedelta

import pandas as pd
import pytest

from runway_calcs.books.books_at import Payers, books_at
from runway_calcs.books.corrections import Ledger
from runway_calcs.books.movements import Kind
from runway_calcs.books.open_items import open_items
from runway_calcs.calendar_months import months_later
from runway_calcs.flow_kinds import FlowKind
from runway_calcs.forecast.figures import cash_forecast
from runway_calcs.forecast.prepared import ForecastInputs, prepare
from runway_calcs.forecast.recurring import RecurringFlow, recurring_flows
from runway_calcs.forecast.recurring_items import draw_series_item, explained_movements, recurring_items, spreads
from runway_calcs.policy import CashPolicy, ForecastPolicy, RecurringPolicy
from tests.runway_calcs import timing_ledgers
from tests.runway_calcs.builders import (
    FRIDAY,
    Row,
    accounts,
    applications,
    day,
    documents,
    every,
    instant,
    movements,
    parties,
    point,
    position,
    postings,
    terms,
)
from tests.runway_calcs.forecasts import no_books

HORIZON_END = ForecastPolicy().horizon_end(FRIDAY)


def series_of(*rows: Row, as_of: date = FRIDAY) -> tuple[RecurringFlow, ...]:
    policy = RecurringPolicy()
    return recurring_flows(movements(*rows), as_of=as_of, horizon_end=HORIZON_END, policy=policy)


def test_receipts_recur_only_when_their_amounts_are_the_same() -> None:
    steady = every(30, cents=500_00, kind=Kind.CUSTOMER_RECEIPT, party_id="7", party_type="Customer", count=6)
    (found,) = series_of(*steady)
    assert (found.direction, found.amount_cents) == ("in", 500_00)
    varying = [{**row, "amount_cents": 500_00 + 80_00 * number} for number, row in enumerate(steady)]
    assert series_of(*varying) == ()


def test_receipts_without_a_name_are_no_series() -> None:
    """A deposit of many customers every week says nothing about any of them."""
    assert series_of(*every(7, cents=500_00, kind=Kind.CUSTOMER_RECEIPT, count=20)) == ()


def test_every_payment_of_a_party_that_is_paid_in_parts_on_one_day_belongs_to_its_series() -> None:
    """3,000 and 4,000 on neighbouring days are a series of 7,000; what else is bought there is none of it."""
    rent: Row = {"kind": Kind.BILL_PAYMENT, "party_id": "7"}
    yesterday = FRIDAY - timedelta(days=1)
    parts = [
        *every(30, cents=-3_000_00, count=6, **rent),
        *every(30, cents=-4_000_00, count=6, until=yesterday, **rent),
    ]
    rows = sorted([*parts, *every(30, cents=-90_00, count=1, until=FRIDAY - timedelta(days=9), **rent)], key=_on)
    (series,) = series_of(*rows[:-3], *rows[-2:])
    assert series.amount_cents == 7_000_00
    moved = movements(*rows)
    found = explained_movements(moved, [series], policy=RecurringPolicy())
    assert {txn_id for _, txn_id in found} == set(moved.loc[moved["amount_cents"] != -90_00, "txn_id"])


def _on(row: Row) -> pd.Timestamp:
    on: pd.Timestamp = row["date"]
    return on


def payroll_rows(*, bonus_on: date | None = None) -> list[Row]:
    rows = every(14, cents=-1_000_00, kind=Kind.PAYROLL, count=29)
    return [{**row, "amount_cents": -1_500_00} if row["date"].date() == bonus_on else row for row in rows]


def test_a_year_end_bonus_is_expected_again_at_its_time_and_at_no_other() -> None:
    bonus = FRIDAY - timedelta(days=14 * 24)
    (series,) = series_of(*payroll_rows(bonus_on=bonus))
    rows = documents()
    items = recurring_items(
        [series],
        payables=open_items(rows, applications(), side="payables", at=point()),
        receivables=open_items(rows, applications(), side="receivables", at=point()),
        paid={},
        post_dated=movements(),
        as_of=FRIDAY,
        policy=ForecastPolicy(),
        recurring_policy=RecurringPolicy(),
    ).items
    amounts = {item.expected_on: item.amount_cents for item in items}
    again = FRIDAY + timedelta(days=28)
    assert amounts[again] == -1_500_00
    assert {cents for on, cents in amounts.items() if on != again} == {-1_000_00}
    spread = spreads([series], policy=RecurringPolicy())["out", series.stream]
    assert list(set(spread.shares)) == [1.0]


def test_days_and_amounts_are_drawn_from_what_was_seen() -> None:
    rows: list[Row] = [
        {"date": day(text), "amount_cents": cents, "kind": Kind.CARD_PAYMENT, "counter_account_ids": "41"}
        for text, cents in [
            ("2026-06-12", -100_00),
            ("2026-07-13", -100_00),
            ("2026-08-12", -100_00),
            ("2026-09-14", -110_00),
            ("2026-10-12", -90_00),
            ("2026-11-12", -100_00),
        ]
    ]
    (series,) = series_of(*rows)
    spread = spreads([series], policy=RecurringPolicy())["out", series.stream]
    assert list(spread.days) == [0, 0, 0, 0, 1, 2]
    assert list(spread.shares) == pytest.approx([0.9, 1.0, 1.1])
    (item, *_) = recurring_items(
        [series],
        payables=open_items(documents(), applications(), side="payables", at=point()),
        receivables=open_items(documents(), applications(), side="receivables", at=point()),
        paid={},
        post_dated=movements(),
        as_of=FRIDAY,
        policy=ForecastPolicy(),
        recurring_policy=RecurringPolicy(),
    ).items
    off, cents = draw_series_item(item, spread, draws=300, seed=1)
    assert set(off) == {0, 1, 2}
    assert set(cents) == {-90_00, -100_00, -110_00}
    again, _ = draw_series_item(item, spread, draws=300, seed=1)
    assert (off == again).all()


def test_paydays_twice_a_month_vary_by_their_distance_from_the_two_days_they_mean() -> None:
    """The 15th and the last day: paid on Fridays before a weekend, and once a day early."""
    days = ["2026-08-14", "2026-08-31", "2026-09-15", "2026-09-29", "2026-10-15", "2026-10-30", "2026-11-13"]
    rows: list[Row] = [{"date": day(text), "amount_cents": -100_00, "kind": Kind.PAYROLL} for text in days]
    (series,) = series_of(*rows)
    assert list(spreads([series], policy=RecurringPolicy())["out", series.stream].days) == [-1, 0, 0, 0, 0, 0, 0]


@pytest.mark.parametrize(
    ("last_days_ago", "entered", "shown"),
    [
        pytest.param(10, (), 4, id="by its rhythm"),
        pytest.param(14, (), 1, id="of today and not in the books: tomorrow"),
        pytest.param(10, (5,), 5, id="entered for another day"),
        pytest.param(10, (5, 6), 5, id="entered in two parts"),
    ],
)
def test_a_floor_that_is_the_next_payroll_says_the_day_on_which_its_payment_is_shown(
    last_days_ago: int, entered: tuple[int, ...], shown: int
) -> None:
    rows = every(14, cents=-1_000_00, kind=Kind.PAYROLL, until=FRIDAY - timedelta(days=last_days_ago), count=20)
    parts = [{"date": pd.Timestamp(FRIDAY + timedelta(days=days)), "txn_id": f"later {days}"} for days in entered]
    rows += [{**rows[-1], **part, "amount_cents": -1_000_00 // len(parts)} for part in parts]
    nothing, items = timing_ledgers.documents(), open_items(documents(), applications(), side="payables", at=point())
    payers = Payers(history=nothing, open_documents=nothing)
    books = replace(
        no_books(position(5_000_00)),
        movements=movements(*rows),
        payables=items,
        receivables=items,
        customers=payers,
        vendors=payers,
    )
    policies = {"policy": ForecastPolicy(draws=20), "recurring_policy": RecurringPolicy()}
    found = cash_forecast(prepare(books, inputs=ForecastInputs(), **policies), seed=1)
    on = FRIDAY + timedelta(days=shown)
    assert (found.floor_cents, found.floor_reason) == (1_000_00, f"the next payroll, expected {on}")
    wages = [one.expected_on for one in found.items if one.kind in (FlowKind.PAYROLL, FlowKind.POST_DATED_PAYMENT)]
    assert min(wages) == on


@pytest.mark.parametrize("side", ["receivables", "payables"])
@pytest.mark.parametrize("days_late", [0, 9, 12, 15, 18, 25])
def test_a_document_that_is_always_settled_late_counts_once(side: str, days_late: int) -> None:
    """5,000 billed on each 1st, due 30 days later, settled so many days after that: three payments in thirteen weeks."""
    is_in = side == "receivables"
    kind, payment, party, sign = (
        ("Invoice", "Payment", "Customer", 1) if is_in else ("Bill", "BillPayment", "Vendor", -1)
    )
    dated = [months_later(date(2026, 11, 1), months=-number) for number in range(16)]
    paid = [one + timedelta(days=30 + days_late) for one in dated]
    is_paid = [one <= FRIDAY for one in paid]
    who = {"party_id": "9", "party_name": "Retainer"}
    rows = documents(
        *(
            {
                "qbo_id": f"{one}",
                "txn_type": kind,
                "txn_date": pd.Timestamp(one),
                "due_date": pd.Timestamp(one + timedelta(days=30)),
                "total_cents": 5_000_00,
                "open_cents": 0 if done else 5_000_00,
                "created_at": instant(f"{one}T15:00"),
                **who,
            }
            for one, done in zip(dated, is_paid, strict=True)
        )
    )
    settled = [(one, on) for one, on, done in zip(dated, paid, is_paid, strict=True) if done]
    applied = applications(
        *(
            {
                "qbo_id": f"p{one}",
                "txn_type": payment,
                "target_type": kind,
                "target_id": f"{one}",
                "txn_date": pd.Timestamp(on),
                "amount_cents": 5_000_00,
                "created_at": instant(f"{on}T15:00"),
            }
            for one, on in settled
        )
    )
    posted = postings(
        *(
            {
                "qbo_id": f"p{one}",
                "txn_type": payment,
                "txn_date": pd.Timestamp(on),
                "amount_cents": sign * 5_000_00,
                "created_at": instant(f"{on}T15:00"),
                "party_type": party,
                "counter_account_ids": "84",
                **who,
            }
            for one, on in settled
        )
    )
    ledger = Ledger(
        documents=rows,
        applications=applied,
        postings=posted,
        accounts=accounts(
            {"qbo_id": "35", "name": "Checking"}, {"qbo_id": "84", "account_type": "Accounts Receivable"}
        ),
        parties=parties(),
        terms=terms(),
    )
    books = books_at(ledger, home_currency="USD", at=point(), policy=CashPolicy())
    found = prepare(books, inputs=ForecastInputs(), policy=ForecastPolicy(draws=20), recurring_policy=RecurringPolicy())
    came = sorted(one for one in paid if one > FRIDAY)
    to_come = [months_later(came[-1], months=number) for number in range(1, 4)]
    within = [one for one in [*came, *to_come] if one <= HORIZON_END]
    assert [item.amount_cents for item in found.items] == [sign * 5_000_00] * len(within)
    assert len(within) == 3
