"""The items of a forecast: each amount once, on its day, credits first, documents before series, decisions before both."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import pandas as pd
import pytest

from runway_calcs.bills.payables import after_credits, credits_used
from runway_calcs.bills.payables_of_books import PayableDecisions, payables_of_books
from runway_calcs.books.cash import cash_position
from runway_calcs.books.cash_pieces import CashHabits
from runway_calcs.books.movements import Kind, cash_movements
from runway_calcs.books.open_items import open_items
from runway_calcs.flow_kinds import DISBURSEMENT_KINDS, RECEIPT_KINDS, FlowKind
from runway_calcs.forecast.balance_items import balance_items
from runway_calcs.forecast.dated_items import DatedItem, Dating, item_order
from runway_calcs.forecast.document_items import DocumentItems, document_items
from runway_calcs.forecast.earmarks import Delay, Hold, PurposeReserve
from runway_calcs.forecast.known_items import DateOverride, KnownItem, items_at, overrides_at
from runway_calcs.forecast.recurring import RecurringFlow
from runway_calcs.forecast.recurring_items import recurring_items
from runway_calcs.policy import CashPolicy, ForecastPolicy, RecurringPolicy
from tests.runway_calcs import timing_ledgers
from tests.runway_calcs.builders import (
    FRIDAY,
    SYNC,
    Row,
    accounts,
    applications,
    day,
    documents,
    movements,
    payroll,
    point,
    position,
    postings,
    recurring,
    terms,
    waiting_later,
)

NEXT_DAY = FRIDAY + timedelta(days=1)
DEC_1, DEC_8 = date(2026, 12, 1), date(2026, 12, 8)


def documents_of(
    *,
    bills: Sequence[Row] = (),
    invoices: Sequence[Row] = (),
    overrides: Sequence[DateOverride] = (),
    holds: Sequence[Hold] = (),
    delays: Sequence[Delay] = (),
) -> DocumentItems:
    rows = documents(*bills, *invoices)
    return document_items(
        payables=open_items(rows, applications(), side="payables", at=point()),
        receivables=open_items(rows, applications(), side="receivables", at=point()),
        overrides=overrides_at(overrides, at=point()),
        holds=holds,
        delays=delays,
        as_of=FRIDAY,
    )


def items_of(
    *,
    bills: Sequence[Row] = (),
    series: Sequence[RecurringFlow] = (),
    moved: Sequence[Row] = (),
    cards: dict[str, int] | None = None,
    undeposited_cents: int = 0,
    waiting: Sequence[Row] = (),
    waits: tuple[int, ...] = (),
    known: Sequence[KnownItem] = (),
    paid: Sequence[dict[str, Any]] = (),
) -> list[DatedItem]:
    rows, moves = documents(*bills), movements(*moved)
    payables = open_items(rows, applications(), side="payables", at=point())
    receivables = open_items(rows, applications(), side="receivables", at=point())
    expected = recurring_items(
        series,
        payables=payables,
        receivables=receivables,
        paid={side: timing_ledgers.documents(*paid) for side in ("Vendor", "Customer")},
        post_dated=moves[moves["date"] > pd.Timestamp(FRIDAY)],
        as_of=FRIDAY,
        policy=ForecastPolicy(),
        recurring_policy=RecurringPolicy(),
    ).items
    balances = balance_items(
        position=position(cards=cards, undeposited_cents=undeposited_cents),
        movements=moves,
        waiting_later=waiting_later(*waiting),
        series=series,
        habits=CashHabits(undeposited_share={}, deposit_wait_days=waits, card_share={}),
        known_items=items_at(known, at=point()),
        policy=ForecastPolicy(),
    )
    return sorted([*documents_of(bills=bills).items, *expected, *balances], key=item_order)


def plain(found: Sequence[DatedItem]) -> list[tuple[date, int, FlowKind]]:
    return [(item.expected_on, item.amount_cents, item.kind) for item in found]


def bill(cents: int, due: str, *, qbo_id: str = "1", vendor: str = "7", **columns: object) -> Row:
    total = {"total_cents": abs(cents)}
    return {"qbo_id": qbo_id, "party_id": vendor, "open_cents": cents, "due_date": day(due), **total, **columns}


def invoice(cents: int, due: str, *, qbo_id: str, customer: str = "50") -> Row:
    return {**bill(cents, due, qbo_id=qbo_id, vendor=customer), "txn_type": "Invoice"}


def credit(cents: int, *, qbo_id: str = "2", vendor: str = "7") -> Row:
    return {"qbo_id": qbo_id, "txn_type": "VendorCredit", "party_id": vendor, "open_cents": -cents}


def test_an_open_bill_is_known_by_its_due_date_and_paid_by_its_vendors_habit() -> None:
    (item,) = documents_of(bills=[bill(100, "2026-12-08")]).items
    assert (item.expected_on, item.amount_cents, item.kind) == (DEC_8, -100, FlowKind.BILL)
    assert item.dating is Dating.VENDOR


def test_two_bills_that_are_due_on_neighbouring_days_stand_for_one_payment_of_a_series() -> None:
    """The landlord bills 3,000 and 4,000 and is paid 7,000; next month's bills are not entered yet."""
    rent = recurring(DEC_1, date(2027, 1, 1), cents=7_000)
    bills = [bill(3_000, "2026-12-01", qbo_id="1"), bill(4_000, "2026-12-02", qbo_id="2")]
    assert plain(items_of(bills=bills, series=[rent])) == [
        (DEC_1, -3_000, FlowKind.BILL),
        (date(2026, 12, 2), -4_000, FlowKind.BILL),
        (date(2027, 1, 1), -7_000, FlowKind.RECURRING),
    ]


def test_where_purchases_count_what_is_owed_is_paid_a_month_after_the_cards_last_payment() -> None:
    """The payment of 10 November is no movement then, and a shop's refund of the 18th is no payment."""
    chart = accounts(
        {"qbo_id": "35", "current_balance_cents": 1_000},
        {"qbo_id": "41", "name": "Card", "account_type": "Credit Card", "current_balance_cents": -300},
    )
    rows = [
        ("1", "Transfer", "2026-11-10", "35", "41", -90),
        ("1", "Transfer", "2026-11-10", "41", "35", 90),
        ("2", "Purchase", "2026-11-18", "41", "60", 20),
    ]
    posted = postings(
        *(
            {
                "qbo_id": qbo_id,
                "txn_type": txn_type,
                "txn_date": day(on),
                "account_id": account,
                "counter_account_ids": counter,
                "amount_cents": cents,
            }
            for qbo_id, txn_type, on, account, counter, cents in rows
        )
    )
    policy = CashPolicy(card_basis="purchase")
    held = cash_position(chart, posted, at=point(), home_currency="USD", policy=policy)
    found = balance_items(
        position=held,
        movements=cash_movements(posted, chart, position=held, at=point(), policy=policy),
        waiting_later=waiting_later(),
        series=(),
        habits=CashHabits(undeposited_share={}, deposit_wait_days=(), card_share={}),
        known_items=(),
        policy=ForecastPolicy(),
    )
    assert plain(found) == [(date(2026, 12, 10), -300, FlowKind.CARD)]


def test_a_bill_without_due_date_is_known_by_its_own_date() -> None:
    assert plain(documents_of(bills=[bill(100, "NaT")]).items) == [(date(2026, 10, 1), -100, FlowKind.BILL)]


@pytest.mark.parametrize(
    ("credits_", "expected", "unused"),
    [
        pytest.param([credit(30)], [(DEC_1, -70), (DEC_8, -200)], 0, id="the earliest bill first"),
        pytest.param([credit(130)], [(DEC_8, -170)], 0, id="then the next"),
        pytest.param([credit(400)], [], 100, id="what is left over is no receipt"),
        pytest.param([credit(30, vendor="8")], [(DEC_1, -100), (DEC_8, -200)], 30, id="another vendor's is not used"),
    ],
)
def test_vendor_credits_reduce_the_next_bills(
    credits_: list[Row], expected: list[tuple[date, int]], unused: int
) -> None:
    bills = [bill(200, "2026-12-08", qbo_id="10"), bill(100, "2026-12-01", qbo_id="11")]
    found = documents_of(bills=[*bills, *credits_])
    assert [(item.expected_on, item.amount_cents) for item in found.items] == expected
    assert found.unused_vendor_credit_cents == unused


def test_customer_credits_reduce_the_next_receipts() -> None:
    credits_: list[Row] = [{"qbo_id": "2", "txn_type": "Payment", "party_id": "50", "open_cents": -130}]
    invoices = [invoice(200, "2026-12-08", qbo_id="901"), invoice(100, "2026-12-01", qbo_id="900")]
    found = documents_of(invoices=[*invoices, *credits_])
    assert plain(found.items) == [(DEC_8, 170, FlowKind.INVOICE)]
    assert found.unused_customer_credit_cents == 0


@pytest.mark.parametrize(
    ("cents", "due", "expected"),
    [
        pytest.param(75_00, "2026-12-01", [(DEC_1, -75_00, FlowKind.BILL)], id="a quarter less stands for it"),
        pytest.param(125_00, "2026-12-08", [(DEC_8, -125_00, FlowKind.BILL)], id="a quarter more, a week later"),
        pytest.param(
            74_99,
            "2026-12-01",
            [(DEC_1, -74_99, FlowKind.BILL), (DEC_1, -100_00, FlowKind.RECURRING)],
            id="too small to stand for it",
        ),
        pytest.param(
            100_00,
            "2026-12-12",
            [(DEC_1, -100_00, FlowKind.RECURRING), (date(2026, 12, 12), -100_00, FlowKind.BILL)],
            id="too late to stand for it",
        ),
        pytest.param(
            100_00,
            "2026-11-01",
            [(date(2026, 11, 1), -100_00, FlowKind.BILL), (DEC_1, -100_00, FlowKind.RECURRING)],
            id="last month's overdue bill does not stand for the next",
        ),
    ],
)
def test_a_bill_stands_for_the_recurring_outflow_it_documents(
    cents: int, due: str, expected: list[tuple[date, int, FlowKind]]
) -> None:
    assert plain(items_of(bills=[bill(cents, due)], series=[recurring(DEC_1)])) == expected


def test_a_bill_of_another_vendor_stands_for_nothing() -> None:
    found = items_of(bills=[bill(100_00, "2026-12-01", vendor="8")], series=[recurring(DEC_1)])
    assert [item.kind for item in found] == [FlowKind.BILL, FlowKind.RECURRING]


def test_a_partly_paid_bill_stands_for_its_whole_outflow() -> None:
    found = items_of(bills=[bill(10_00, "2026-12-01", total_cents=100_00)], series=[recurring(DEC_1)])
    assert plain(found) == [(DEC_1, -10_00, FlowKind.BILL)]


def test_one_bill_stands_for_the_nearest_of_two_weeks_only() -> None:
    found = items_of(bills=[bill(100_00, "2026-12-07")], series=[recurring(DEC_1, DEC_8)])
    assert plain(found) == [(DEC_1, -100_00, FlowKind.RECURRING), (date(2026, 12, 7), -100_00, FlowKind.BILL)]


def test_a_payment_entered_for_later_stands_for_its_series() -> None:
    later: list[Row] = [{"date": day("2026-12-02"), "amount_cents": -400_00, "kind": Kind.PAYROLL}]
    found = items_of(series=[payroll(DEC_1, date(2026, 12, 15))], moved=later)
    assert plain(found) == [
        (date(2026, 12, 2), -400_00, FlowKind.POST_DATED_PAYMENT),
        (date(2026, 12, 15), -400_00, FlowKind.PAYROLL),
    ]


def paid_late(*days: int, cents: int = 100_00) -> list[dict[str, Any]]:
    """Documents of party 7 due at the beginning of September, October ..., paid so many days late."""
    months = pd.date_range("2026-09-01", periods=len(days), freq="MS")
    return [
        {
            "due": str(due.date()),
            "paid": str((due + pd.Timedelta(days=late)).date()),
            "of": "7",
            "cents": cents,
            "id": f"{cents} {late} {due}",
        }
        for due, late in zip(months, days, strict=True)
    ]


@pytest.mark.parametrize(
    ("due", "paid", "expected"),
    [
        pytest.param("2026-12-01", paid_late(15, 15), [(DEC_1, FlowKind.BILL)], id="due two weeks before it is paid"),
        pytest.param("2026-12-28", paid_late(-12, -12), [(date(2026, 12, 28), FlowKind.BILL)], id="paid early"),
        pytest.param("2026-12-01", paid_late(15, 0, 16), [(DEC_1, FlowKind.BILL)], id="the median"),
        pytest.param(
            "2026-12-01", paid_late(0, 0, *[15] * 6), [(DEC_1, FlowKind.BILL)], id="a habit of before does not count"
        ),
        pytest.param(
            "2026-12-01",
            [*paid_late(15), *paid_late(0, 0, 0, cents=5_00)],
            [(DEC_1, FlowKind.BILL)],
            id="small ones are paid at once",
        ),
        pytest.param(
            "2026-12-15",
            paid_late(15, 15),
            [(date(2026, 12, 15), FlowKind.BILL), (date(2026, 12, 16), FlowKind.RECURRING)],
            id="due on the day of the payment: it will be paid much later",
        ),
        pytest.param(
            "2026-11-01",
            paid_late(15, 15),
            [(date(2026, 11, 1), FlowKind.BILL), (date(2026, 12, 16), FlowKind.RECURRING)],
            id="an overdue bill is last month's however long it waits",
        ),
        pytest.param(
            "2026-12-01",
            [{"due": "2026-09-01", "of": "7"}],
            [(DEC_1, FlowKind.BILL), (date(2026, 12, 16), FlowKind.RECURRING)],
            id="nothing paid yet: by the due date",
        ),
    ],
)
def test_a_bill_stands_for_the_payment_of_the_day_on_which_its_vendor_is_usually_paid(
    due: str, paid: list[dict[str, Any]], expected: list[tuple[date, FlowKind]]
) -> None:
    found = items_of(bills=[bill(100_00, due)], series=[recurring(date(2026, 12, 16))], paid=paid)
    assert [(item.expected_on, item.kind) for item in found] == expected


DEC_2, DEC_15 = date(2026, 12, 2), date(2026, 12, 15)
WAGES, ENTERED = FlowKind.PAYROLL, FlowKind.POST_DATED_PAYMENT


def wages(text: str, cents: int) -> Row:
    return {"date": day(text), "amount_cents": -cents, "kind": Kind.PAYROLL}


@pytest.mark.parametrize(
    ("moved", "expected"),
    [
        pytest.param(
            [wages("2026-12-01", 240_00), wages("2026-12-02", 160_00)],
            [(DEC_1, -240_00, ENTERED), (DEC_2, -160_00, ENTERED), (DEC_15, -400_00, WAGES)],
            id="in two entries, a day apart",
        ),
        pytest.param(
            [wages("2026-12-01", 520_00)],
            [(DEC_1, -520_00, ENTERED), (DEC_15, -400_00, WAGES)],
            id="three tenths more",
        ),
        pytest.param(
            [wages("2026-12-01", 400_00), wages("2026-12-07", 50_00)],
            [(DEC_1, -400_00, ENTERED), (date(2026, 12, 7), -50_00, ENTERED), (DEC_15, -400_00, WAGES)],
            id="a bonus between two paydays is not the second",
        ),
        pytest.param(
            [wages("2026-12-01", 50_00), wages("2026-12-05", 400_00)],
            [(DEC_1, -50_00, ENTERED), (date(2026, 12, 5), -400_00, ENTERED), (DEC_15, -400_00, WAGES)],
            id="of two the one with the usual amount is the payday's",
        ),
        pytest.param(
            [wages("2026-12-01", -400_00)],
            [(DEC_1, -400_00, WAGES), (DEC_1, 400_00, FlowKind.POST_DATED_RECEIPT), (DEC_15, -400_00, WAGES)],
            id="wages that come back are no payment of wages",
        ),
        pytest.param(
            [wages("2026-12-01", 400_00), wages("2026-12-01", -100_00)],
            [(DEC_1, 100_00, FlowKind.POST_DATED_RECEIPT), (DEC_1, -400_00, ENTERED), (DEC_15, -400_00, WAGES)],
            id="nor part of one",
        ),
    ],
)
def test_wages_entered_ahead_are_paid_once_in_whatever_entries(
    moved: list[Row], expected: list[tuple[date, int, FlowKind]]
) -> None:
    found = items_of(series=[payroll(DEC_1, DEC_15)], moved=moved)
    assert sorted(plain(found)) == sorted(expected)


@pytest.mark.parametrize(
    ("cents", "left"),
    [
        pytest.param([-60_00, -40_00], [], id="two checks of one day"),
        pytest.param([-60_00], [-100_00], id="too little of what has a usual amount"),
        pytest.param([100_00], [-100_00], id="a refund"),
    ],
)
def test_entries_for_later_stand_for_an_outflow_of_a_usual_amount_by_their_sum(
    cents: list[int], left: list[int]
) -> None:
    moved = [{"date": day("2026-12-01"), "amount_cents": one, "party_id": "7"} for one in cents]
    found = items_of(series=[recurring(DEC_1)], moved=moved)
    assert [item.amount_cents for item in found if item.kind is FlowKind.RECURRING] == left


def test_an_expected_outflow_that_is_late_counts_on_the_next_day() -> None:
    assert plain(items_of(series=[recurring(date(2026, 11, 18))])) == [(NEXT_DAY, -100_00, FlowKind.RECURRING)]


def card_payment(text: str, cents: int = 300_00) -> Row:
    return {"date": day(text), "amount_cents": -cents, "kind": Kind.CARD_PAYMENT, "counter_account_ids": "41"}


@pytest.mark.parametrize(
    ("moved", "series", "expected"),
    [
        pytest.param([], [], [(date(2026, 12, 20), -90_00)], id="never paid: thirty days from now"),
        pytest.param([card_payment("2026-11-05")], [], [(date(2026, 12, 5), -90_00)], id="a month after the last"),
        pytest.param([card_payment("2026-05-31")], [], [(date(2026, 11, 30), -90_00)], id="long ago: the same day"),
        pytest.param(
            [card_payment("2026-11-30", 50_00)],
            [],
            [(date(2026, 11, 30), -50_00), (date(2026, 12, 20), -40_00)],
            id="less what is entered for later",
        ),
        pytest.param(
            [card_payment("2026-11-05")],
            [recurring(DEC_8, cents=250_00, kind="card_payment", counter_account_ids="41", party_id="")],
            [(DEC_8, -250_00)],
            id="a recurring card payment covers it",
        ),
        pytest.param(
            [],
            [recurring(DEC_8, cents=250_00, kind="card_payment", counter_account_ids="42", party_id="")],
            [(DEC_8, -250_00), (date(2026, 12, 20), -90_00)],
            id="that of another card does not",
        ),
    ],
)
def test_the_card_balance_is_paid_once(
    moved: list[Row], series: list[RecurringFlow], expected: list[tuple[date, int]]
) -> None:
    found = items_of(moved=moved, series=series, cards={"41": 90_00})
    assert [(item.expected_on, item.amount_cents) for item in found] == expected


def test_a_card_in_credit_is_no_flow() -> None:
    assert items_of(cards={"41": -5_00}) == []


def test_undeposited_funds_and_entries_dated_later_arrive() -> None:
    later: list[Row] = [{"date": day("2026-11-25"), "amount_cents": 70}, {"date": day("2026-11-20"), "amount_cents": 9}]
    assert plain(items_of(undeposited_cents=50, moved=later)) == [
        (date(2026, 11, 23), 50, FlowKind.UNDEPOSITED),
        (date(2026, 11, 25), 70, FlowKind.POST_DATED_RECEIPT),
    ]


def test_undeposited_funds_take_as_long_as_deposits_took() -> None:
    (item,) = items_of(undeposited_cents=50, waits=(0, 4, 6))
    assert (item.expected_on, item.reason) == (date(2026, 11, 24), "received, deposits took 4 days")


def receipt(text: str, cents: int, *, qbo_id: str = "1") -> Row:
    return {"date": day(text), "amount_cents": cents, "txn_id": qbo_id}


def deposit(text: str, cents: int) -> Row:
    return {"date": day(text), "amount_cents": -cents, "txn_type": "Deposit", "txn_id": "9"}


@pytest.mark.parametrize(
    ("held", "waiting", "expected"),
    [
        pytest.param(50, [deposit("2026-11-23", 50)], [], id="its deposit is entered for Monday"),
        pytest.param(50, [deposit("2026-11-23", 30)], [(date(2026, 11, 24), 20)], id="a part of it is"),
        pytest.param(
            50,
            [receipt("2026-11-23", 70)],
            [(date(2026, 11, 24), 50), (date(2026, 11, 27), 70)],
            id="a receipt of Monday waits from Monday on",
        ),
        pytest.param(
            50,
            [receipt("2026-11-23", 70), deposit("2026-11-24", 60), receipt("2026-11-25", 5, qbo_id="2")],
            [(date(2026, 11, 27), 60), (date(2026, 11, 29), 5)],
            id="first in, first out",
        ),
        pytest.param(
            -40, [receipt("2026-11-23", 70)], [(date(2026, 11, 27), 30)], id="deposited before it was received"
        ),
        pytest.param(50, [deposit("2026-11-23", 80)], [], id="a deposit of more than was received"),
    ],
)
def test_what_waits_for_its_deposit_arrives_once(
    held: int, waiting: list[Row], expected: list[tuple[date, int]]
) -> None:
    found = items_of(undeposited_cents=held, waiting=waiting, waits=(4,))
    assert [(item.expected_on, item.amount_cents) for item in found] == expected
    assert {item.kind for item in found} <= {FlowKind.UNDEPOSITED}


def hold(cents: int, on: date, *, bill_id: str = "1", credits_: tuple[tuple[str, int], ...] = ()) -> Hold:
    return Hold(hold_id="h1", bill_id=bill_id, on=on, amount_cents=cents, label="decided", credits=credits_)


@pytest.mark.parametrize(
    ("cents", "on", "expected"),
    [
        pytest.param(100, DEC_1, [(DEC_1, -100, FlowKind.HELD_BILL)], id="it leaves the open bills"),
        pytest.param(
            40, DEC_1, [(DEC_1, -40, FlowKind.HELD_BILL), (DEC_8, -60, FlowKind.BILL)], id="the rest stays open"
        ),
        pytest.param(900, DEC_1, [(DEC_1, -100, FlowKind.HELD_BILL)], id="never more than is open"),
        pytest.param(100, FRIDAY, [(NEXT_DAY, -100, FlowKind.HELD_BILL)], id="a day that has passed is the next day"),
    ],
)
def test_a_decided_bill_is_paid_once_on_its_decided_day(
    cents: int, on: date, expected: list[tuple[date, int, FlowKind]]
) -> None:
    found = documents_of(bills=[bill(100, "2026-12-08")], holds=[hold(cents, on)])
    assert plain(found.items) == expected
    assert all(item.dating is Dating.CERTAIN for item in found.items if item.kind is FlowKind.HELD_BILL)


@pytest.mark.parametrize(
    ("decided", "expected", "unused"),
    [
        pytest.param(hold(1000, DEC_1), [(DEC_1, -1000)], 400, id="paid in cash, the credit stays"),
        pytest.param(
            hold(1000, DEC_1, credits_=(("2", 400),)), [(DEC_1, -600)], 0, id="paid with the credit, which is used up"
        ),
        pytest.param(hold(700, DEC_1), [(DEC_1, -700)], 100, id="the credit goes to what is not decided"),
        pytest.param(
            hold(500, DEC_1, credits_=(("2", 100),)), [(DEC_1, -400), (DEC_8, -200)], 0, id="some of it, in two parts"
        ),
        pytest.param(hold(400, DEC_1, credits_=(("2", 400),)), [(DEC_8, -600)], 0, id="no cash at all"),
        pytest.param(
            hold(1400, DEC_1, credits_=(("2", 400),)), [(DEC_1, -1000)], 0, id="never more cash than the bill has open"
        ),
    ],
)
def test_a_decision_pays_its_cash_and_a_credit_it_does_not_use_is_left_for_the_rest(
    decided: Hold, expected: list[tuple[date, int]], unused: int
) -> None:
    """A bill of 1,000 and an open credit of 400: forecast and plan count the same payments."""
    rows = [bill(1000, "2026-12-08"), credit(400)]
    found = documents_of(bills=rows, holds=[decided])
    assert [(item.expected_on, item.amount_cents) for item in found.items] == expected
    assert found.unused_vendor_credit_cents == unused
    open_ = open_items(documents(*rows), applications(), side="payables", at=point())
    decisions = PayableDecisions(
        decided_cents={decided.bill_id: decided.amount_cents}, used_credit_cents=dict(decided.credits)
    )
    planned = payables_of_books(open_, documents(*rows), terms(), at=point(), decisions=decisions)
    after = after_credits(planned.bills, credits_used(planned.bills, planned.vendor_credits))
    undecided = [item for item in found.items if item.kind is FlowKind.BILL]
    assert [one.open_cents for one in after] == [-item.amount_cents for item in undecided]


def test_a_credit_passes_a_decided_bill_by_and_reduces_the_next() -> None:
    bills = [bill(1000, "2026-12-01"), bill(1000, "2026-12-08", qbo_id="3"), credit(400)]
    found = documents_of(bills=bills, holds=[hold(1000, DEC_1)])
    assert plain(found.items) == [(DEC_1, -1000, FlowKind.HELD_BILL), (DEC_8, -600, FlowKind.BILL)]


def test_a_bill_that_was_put_off_keeps_its_habit_and_an_override_gives_way_to_the_later_day() -> None:
    put_off = Delay(bill_id="1", until=date(2026, 12, 20))
    (item,) = documents_of(bills=[bill(100, "2026-12-08")], delays=[put_off]).items
    assert (item.dating, item.expected_on, item.not_before) == (Dating.VENDOR, DEC_8, date(2026, 12, 20))
    (sure,) = documents_of(bills=[bill(100, "2026-12-08")], overrides=[override(DEC_1)], delays=[put_off]).items
    assert (sure.dating, sure.expected_on) == (Dating.CERTAIN, date(2026, 12, 20))
    (held,) = documents_of(bills=[bill(100, "2026-12-08")], holds=[hold(100, DEC_1)], delays=[put_off]).items
    assert (held.expected_on, held.not_before) == (DEC_1, None)


def test_a_decision_on_a_bill_that_is_not_open_is_no_flow() -> None:
    assert documents_of(holds=[hold(100, DEC_1, bill_id="77")]).items == ()


def override(on: date, *, recorded_minutes: int = -5, expires_on: date | None = None) -> DateOverride:
    return DateOverride(
        txn_type="Bill",
        txn_id="1",
        expected_on=on,
        author="Kim",
        reason="agreed by phone",
        expires_on=expires_on,
        recorded_at=SYNC + timedelta(minutes=recorded_minutes),
    )


@pytest.mark.parametrize(
    ("overrides", "expected_on"),
    [
        pytest.param([override(DEC_1)], DEC_1, id="it stands in place of the estimate"),
        pytest.param([override(DEC_1), override(NEXT_DAY, recorded_minutes=-1)], NEXT_DAY, id="the later word counts"),
        pytest.param([override(DEC_1, recorded_minutes=5)], DEC_8, id="what was said later is not known yet"),
        pytest.param([override(FRIDAY)], DEC_8, id="a day that has passed tells nothing"),
        pytest.param([override(DEC_1, expires_on=FRIDAY - timedelta(days=1))], DEC_8, id="it expires"),
    ],
)
def test_a_person_knows_the_day_better(overrides: list[DateOverride], expected_on: date) -> None:
    (item,) = documents_of(bills=[bill(100, "2026-12-08")], overrides=overrides).items
    assert item.expected_on == expected_on
    assert (item.dating is Dating.CERTAIN) == (expected_on != DEC_8)


def known(day_: date, *, cents: int = 70, recorded_minutes: int = -5, expires_on: date | None = None) -> KnownItem:
    return KnownItem(
        item_id="k1",
        day=day_,
        amount_cents=cents,
        label="Grant",
        author="Kim",
        reason="letter of award",
        expires_on=expires_on,
        recorded_at=SYNC + timedelta(minutes=recorded_minutes),
    )


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        pytest.param(known(DEC_1), [(DEC_1, 70, FlowKind.KNOWN_RECEIPT)], id="a receipt"),
        pytest.param(known(DEC_1, cents=-70), [(DEC_1, -70, FlowKind.KNOWN_PAYMENT)], id="a payment"),
        pytest.param(known(FRIDAY), [], id="its day has passed"),
        pytest.param(known(DEC_1, recorded_minutes=5), [], id="entered later than this week knows"),
        pytest.param(known(DEC_1, expires_on=FRIDAY - timedelta(days=1)), [], id="expired"),
    ],
)
def test_a_known_item_counts_on_its_day(item: KnownItem, expected: list[tuple[date, int, FlowKind]]) -> None:
    assert plain(items_of(known=[item])) == expected


def test_a_reserve_is_for_payments_and_holds_no_negative_amount() -> None:
    with pytest.raises(ValueError, match="a kind of payment"):
        PurposeReserve(reserve_id="r", held_cents=1, purposes=frozenset({FlowKind.INVOICE}), label="")
    with pytest.raises(ValueError, match="named by their vendors"):
        PurposeReserve(reserve_id="r", held_cents=1, purposes=frozenset({FlowKind.BILL}), label="")
    with pytest.raises(ValueError, match="negative"):
        PurposeReserve(reserve_id="r", held_cents=-1, purposes=frozenset(), label="")


def test_every_kind_is_either_a_receipt_or_a_disbursement() -> None:
    assert sorted(RECEIPT_KINDS + DISBURSEMENT_KINDS) == sorted(FlowKind)
