"""Dated flows: each amount once, on its day, credits first, documents before recurring outflows."""

from collections.abc import Sequence
from datetime import date, timedelta

import pytest

from runway_calcs.collection import ExpectedCollection
from runway_calcs.dated_flows import DatedFlows, FlowKind, dated_flows
from runway_calcs.movements import Kind
from runway_calcs.open_items import open_items
from runway_calcs.policy import ProjectionPolicy
from runway_calcs.recurring import RecurringFlow
from tests.runway_calcs.builders import (
    FRIDAY,
    Row,
    applications,
    collection,
    day,
    documents,
    movements,
    payroll,
    point,
    position,
    recurring,
)

NEXT_DAY = FRIDAY + timedelta(days=1)
DEC_1, DEC_8 = date(2026, 12, 1), date(2026, 12, 8)


def flows_of(
    *,
    bills: Sequence[Row] = (),
    invoices: Sequence[ExpectedCollection] = (),
    customer_credits: Sequence[Row] = (),
    series: Sequence[RecurringFlow] = (),
    moved: Sequence[Row] = (),
    cards: dict[str, int] | None = None,
    undeposited_cents: int = 0,
) -> DatedFlows:
    payables = open_items(documents(*bills), applications(), side="payables", at=point())
    receivables = open_items(documents(*customer_credits), applications(), side="receivables", at=point())
    return dated_flows(
        position=position(cards=cards, undeposited_cents=undeposited_cents),
        payables=payables,
        receivables=receivables,
        collections=invoices,
        recurring=series,
        movements=movements(*moved),
        policy=ProjectionPolicy(),
    )


def plain(found: DatedFlows) -> list[tuple[date, int, FlowKind]]:
    return [(flow.day, flow.amount_cents, flow.kind) for flow in found.flows]


def bill(cents: int, due: str, *, qbo_id: str = "1", vendor: str = "7", **columns: object) -> Row:
    total = {"total_cents": abs(cents)}
    return {"qbo_id": qbo_id, "party_id": vendor, "open_cents": cents, "due_date": day(due), **total, **columns}


def credit(cents: int, *, qbo_id: str = "2", vendor: str = "7") -> Row:
    return {"qbo_id": qbo_id, "txn_type": "VendorCredit", "party_id": vendor, "open_cents": -cents}


@pytest.mark.parametrize(
    ("due", "paid_on"),
    [
        pytest.param("2026-12-08", DEC_8, id="on its due date"),
        pytest.param("2026-11-20", NEXT_DAY, id="due today: on the next day"),
        pytest.param("2026-09-01", NEXT_DAY, id="overdue: on the next day"),
        pytest.param("2027-12-08", date(2027, 12, 8), id="beyond the horizon it keeps its date"),
    ],
)
def test_an_open_bill_is_paid_when_due(due: str, paid_on: date) -> None:
    assert plain(flows_of(bills=[bill(100, due)])) == [(paid_on, -100, FlowKind.BILL)]


def test_a_bill_without_due_date_is_overdue_by_its_own_date() -> None:
    assert plain(flows_of(bills=[bill(100, "NaT")])) == [(NEXT_DAY, -100, FlowKind.BILL)]


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
    found = flows_of(bills=[*bills, *credits_])
    assert [(flow.day, flow.amount_cents) for flow in found.flows] == expected
    assert found.unused_vendor_credit_cents == unused


def test_customer_credits_reduce_the_next_receipts() -> None:
    credits_: list[Row] = [{"qbo_id": "2", "txn_type": "Payment", "party_id": "50", "open_cents": -130}]
    invoices = [collection(DEC_8, cents=200, invoice_id="901"), collection(DEC_1, cents=100)]
    found = flows_of(invoices=invoices, customer_credits=credits_)
    assert plain(found) == [(DEC_8, 170, FlowKind.INVOICE)]
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
            [(NEXT_DAY, -100_00, FlowKind.BILL), (DEC_1, -100_00, FlowKind.RECURRING)],
            id="last month's overdue bill does not stand for the next",
        ),
    ],
)
def test_a_bill_stands_for_the_recurring_outflow_it_documents(
    cents: int, due: str, expected: list[tuple[date, int, FlowKind]]
) -> None:
    assert plain(flows_of(bills=[bill(cents, due)], series=[recurring(DEC_1)])) == expected


def test_a_bill_of_another_vendor_stands_for_nothing() -> None:
    found = flows_of(bills=[bill(100_00, "2026-12-01", vendor="8")], series=[recurring(DEC_1)])
    assert [flow.kind for flow in found.flows] == [FlowKind.BILL, FlowKind.RECURRING]


def test_a_partly_paid_bill_stands_for_its_whole_outflow() -> None:
    found = flows_of(bills=[bill(10_00, "2026-12-01", total_cents=100_00)], series=[recurring(DEC_1)])
    assert plain(found) == [(DEC_1, -10_00, FlowKind.BILL)]


def test_one_bill_stands_for_the_nearest_of_two_weeks_only() -> None:
    found = flows_of(bills=[bill(100_00, "2026-12-07")], series=[recurring(DEC_1, DEC_8)])
    assert plain(found) == [(DEC_1, -100_00, FlowKind.RECURRING), (date(2026, 12, 7), -100_00, FlowKind.BILL)]


def test_a_payment_entered_for_later_stands_for_its_series() -> None:
    later: list[Row] = [{"date": day("2026-12-02"), "amount_cents": -400_00, "kind": Kind.PAYROLL}]
    found = flows_of(series=[payroll(DEC_1, date(2026, 12, 15))], moved=later)
    assert plain(found) == [
        (date(2026, 12, 2), -400_00, FlowKind.POST_DATED_PAYMENT),
        (date(2026, 12, 15), -400_00, FlowKind.PAYROLL),
    ]
    assert (found.next_payroll_on, found.next_payroll_cents) == (DEC_1, 400_00)


def test_an_expected_outflow_that_is_late_counts_on_the_next_day() -> None:
    assert plain(flows_of(series=[recurring(date(2026, 11, 18))])) == [(NEXT_DAY, -100_00, FlowKind.RECURRING)]


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
    found = flows_of(moved=moved, series=series, cards={"41": 90_00})
    assert [(flow.day, flow.amount_cents) for flow in found.flows] == expected


def test_a_card_in_credit_is_no_flow() -> None:
    assert flows_of(cards={"41": -5_00}).flows == ()


def test_undeposited_funds_and_entries_dated_later_arrive() -> None:
    later: list[Row] = [{"date": day("2026-11-25"), "amount_cents": 70}, {"date": day("2026-11-20"), "amount_cents": 9}]
    assert plain(flows_of(undeposited_cents=50, moved=later)) == [
        (date(2026, 11, 23), 50, FlowKind.UNDEPOSITED),
        (date(2026, 11, 25), 70, FlowKind.POST_DATED_RECEIPT),
    ]


def test_the_next_payroll_is_everything_paid_on_the_first_payday() -> None:
    staff = payroll(DEC_1, date(2026, 12, 15), cents=400_00)
    found = flows_of(series=[staff, payroll(DEC_1, cents=90_00), payroll(DEC_8, cents=7_00)])
    assert (found.next_payroll_on, found.next_payroll_cents) == (DEC_1, 490_00)
