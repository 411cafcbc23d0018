"""DSO, CEI, DPO and their neighbours: hand-worked examples, the four answers, and identities on random ledgers."""

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import strategies as st

from runway_calcs.books.ledger_measures import (
    LedgerMeasures,
    Measure,
    MeasureName,
    MeasureState,
    collection_effectiveness,
    days_outstanding_thousandths,
    ledger_measures,
    quick_ratio,
)
from runway_calcs.books.open_items import open_items
from runway_calcs.policy import MeasurePolicy
from tests.runway_calcs.builders import FRIDAY, Row, applications, day, documents, point
from tests.runway_calcs.properties import CHAIN_EXAMPLES, holds

_RECENTLY = datetime(2026, 11, 2, 15, tzinfo=UTC)


def invoice(qbo_id: str, cents: int, *, dated: str, due: str, left: int | None = None, **more: Any) -> Row:
    """An invoice; `left` is what is still open, by default all of it."""
    return {
        "qbo_id": qbo_id,
        "txn_type": "Invoice",
        "txn_date": day(dated),
        "due_date": day(due),
        "total_cents": cents,
        "open_cents": cents if left is None else left,
        **more,
    }


def paid(qbo_id: str, *, on: str, target: str, cents: int, kind: str = "Payment") -> tuple[Row, Row]:
    """A payment of one document: its document row and its application."""
    target_type = "Invoice" if kind == "Payment" else "Bill"
    own: Row = {"qbo_id": qbo_id, "txn_type": kind, "txn_date": day(on)}
    return (
        {**own, "total_cents": cents},
        {**own, "target_type": target_type, "target_id": target, "amount_cents": cents},
    )


def of(docs: list[Row], applied: list[Row] | None = None, **changes: Any) -> LedgerMeasures:
    books, settled, at = documents(*docs), applications(*(applied or [])), point()
    inputs: dict[str, Any] = {
        "receivables": open_items(books, settled, side="receivables", at=at),
        "payables": open_items(books, settled, side="payables", at=at),
        "cash_cents": 0,
        "card_owed_cents": 0,
        "expected_receipts_cents": 0,
        "taxes_due_cents": 0,
        "policy": MeasurePolicy(),
        **changes,
    }
    return ledger_measures(books, settled, at=at, **inputs)


def inputs_of(measure: Measure) -> dict[str, int]:
    return {one.name: one.amount for one in measure.inputs}


#: 6,000 of sales in the window, 2,000 of them open: 1,500 not yet due and 500 overdue.
_SALES = [
    invoice("1", 4_000_00, dated="2026-09-01", due="2026-10-01", left=0),
    invoice("2", 1_500_00, dated="2026-11-10", due="2026-12-10"),
    invoice("3", 500_00, dated="2026-10-01", due="2026-10-31"),
]


@pytest.mark.parametrize(
    ("name", "thousandths"),
    [
        pytest.param(MeasureName.DSO, 30_000, id="2,000 / 6,000 x 90"),
        pytest.param(MeasureName.BEST_POSSIBLE_DSO, 22_500, id="1,500 / 6,000 x 90"),
        pytest.param(MeasureName.AVERAGE_DAYS_DELINQUENT, 7_500, id="30 - 22.5"),
    ],
)
def test_days_of_sales_by_hand(name: MeasureName, thousandths: int) -> None:
    payment, applied = paid("9", on="2026-09-28", target="1", cents=4_000_00)
    found = of([*_SALES, payment], [applied]).measure(name)
    assert (found.state, found.value_thousandths, found.unit) == (MeasureState.VALUE, thousandths, "days")


@pytest.mark.parametrize(
    ("beginning", "sales", "total", "current", "thousandths"),
    [
        pytest.param(400_000, 1_200_000, 350_000, 280_000, 94_697, id="1,250 / 1,320 = 94.7 %"),
        pytest.param(
            6_200, 10_890, 6_340, 3_590, 79_630, id="three months of sales with a three-month balance: 79.6 %"
        ),
        pytest.param(6_200, 3_630, 6_340, 3_590, 55_929, id="the trap: one month of sales instead, 55.9 %"),
        pytest.param(100, 200, 50, 50, 100_000, id="everything that was due is in"),
        pytest.param(100, 0, 100, 0, 0, id="nothing came in"),
        pytest.param(0, 100, 100, 100, None, id="nothing was due"),
    ],
)
def test_collection_effectiveness_by_hand(
    beginning: int, sales: int, total: int, current: int, thousandths: int | None
) -> None:
    found = collection_effectiveness(
        beginning_cents=beginning, credit_sales_cents=sales, ending_total_cents=total, ending_current_cents=current
    )
    assert found == thousandths


def test_collection_effectiveness_from_the_books_is_what_came_in_of_what_was_due() -> None:
    """Of 3,000 open at the start and 6,000 sold, 7,000 came in; 1,500 of the 2,000 left is not yet due: 7,000 / 7,500."""
    before = invoice("0", 3_000_00, dated="2026-08-01", due="2026-08-31", left=0)
    first, second = (
        paid("8", on="2026-09-05", target="0", cents=3_000_00),
        paid("9", on="2026-09-28", target="1", cents=4_000_00),
    )
    found = of([before, *_SALES, first[0], second[0]], [first[1], second[1]]).measure(
        MeasureName.COLLECTION_EFFECTIVENESS
    )
    assert inputs_of(found) == {
        "beginning receivables": 3_000_00,
        "net credit sales in the window": 6_000_00,
        "ending total receivables": 2_000_00,
        "ending current receivables": 1_500_00,
    }
    assert found.value_thousandths == 93_333


def test_days_to_pay_are_weighted_by_amount_and_only_of_what_money_paid_in_the_window() -> None:
    """4,000 after 30 days and 1,000 after 5: 25 days. Paid before the window, or settled by a credit alone: left out."""
    docs = [
        invoice("1", 4_000_00, dated="2026-09-01", due="2026-10-01", left=0),
        invoice("2", 1_000_00, dated="2026-11-01", due="2026-12-01", left=0),
        invoice("3", 9_000_00, dated="2026-05-01", due="2026-06-01", left=0),
        invoice("4", 7_000_00, dated="2026-10-01", due="2026-11-01", left=0),
        {"qbo_id": "7", "txn_type": "Payment", "txn_date": day("2026-11-02"), "total_cents": 0},
    ]
    credited: Row = {"qbo_id": "7", "txn_type": "Payment", "txn_date": day("2026-11-02")}
    settled = [
        paid("10", on="2026-10-01", target="1", cents=4_000_00),
        paid("11", on="2026-11-06", target="2", cents=1_000_00),
        paid("12", on="2026-08-22", target="3", cents=9_000_00),
    ]
    applied = [row for _, row in settled]
    applied.append({**credited, "target_type": "Invoice", "target_id": "4", "amount_cents": 7_000_00})
    found = of([*docs, *(row for row, _ in settled)], applied).measure(MeasureName.DAYS_TO_PAY_INVOICES)
    assert (found.state, found.value_thousandths) == (MeasureState.VALUE, 25_000)
    assert inputs_of(found)["invoices paid"] == 2


def test_days_of_payables_divide_by_the_bills_entered_in_the_window() -> None:
    """900 open over 2,700 entered x 90 = 30 days; a bill dated in the window and entered long before does not count."""
    docs: list[Row] = [
        {"qbo_id": "1", "total_cents": 3_000_00, "open_cents": 1_200_00, "created_at": _RECENTLY},
        {"qbo_id": "2", "total_cents": 5_000_00, "open_cents": 0},
        {
            "qbo_id": "3",
            "txn_type": "VendorCredit",
            "total_cents": 300_00,
            "open_cents": -300_00,
            "created_at": _RECENTLY,
        },
    ]
    assert of(docs).measure(MeasureName.DPO).value_thousandths == 30_000


def test_bills_of_imported_books_count_in_the_window_of_their_own_days() -> None:
    imported = datetime(2026, 11, 2, 15, tzinfo=UTC)
    days = [(FRIDAY - timedelta(days=20 * number)).isoformat() for number in range(1, 25)]
    docs = [
        {
            "qbo_id": f"{number}",
            "txn_type": "Bill",
            "txn_date": day(dated),
            "due_date": day(dated),
            "total_cents": 1_000_00,
            "open_cents": 1_000_00 if number == 0 else 0,
            "created_at": imported,
        }
        for number, dated in enumerate(days)
    ]
    # Four bills of the last 90 days, whatever the day of the import: 1,000 owed over 4,000 bought.
    assert of(docs).measure(MeasureName.DPO).value_thousandths == 22_500


def test_the_quick_ratio_by_hand() -> None:
    """(10,000 + 5,000) over (6,000 due + 1,000 cards + 500 tax) = 2; a bill due after the window is left out."""
    due: Row = {"total_cents": 6_000_00, "open_cents": 6_000_00, "due_date": day("2026-12-01")}
    later: Row = {"total_cents": 9_999_00, "open_cents": 9_999_00, "due_date": day("2027-02-19")}
    found = of(
        [{"qbo_id": "1", **due}, {"qbo_id": "2", **later}],
        cash_cents=10_000_00,
        expected_receipts_cents=5_000_00,
        card_owed_cents=1_000_00,
        taxes_due_cents=500_00,
    ).measure(MeasureName.QUICK_RATIO)
    assert (found.value_thousandths, inputs_of(found)["payables due"]) == (2_000, 6_000_00)


def test_what_is_not_known_is_named_and_no_number() -> None:
    found = quick_ratio(
        cash_cents=None, expected_receipts_cents=None, payables_due_cents=1, card_owed_cents=0, taxes_due_cents=0
    )
    assert found.state is MeasureState.NOT_COMPUTABLE
    assert found.value_thousandths is None
    assert found.reason == "not known: cash, receivables expected"


def test_books_without_documents_have_no_data_in_any_measure_of_documents() -> None:
    found = of([])
    states = {one.name: one.state for one in found.measures}
    assert states.pop(MeasureName.QUICK_RATIO) is MeasureState.NOT_COMPUTABLE
    assert set(states.values()) == {MeasureState.NO_DATA}
    assert [one.name for one in found.measures] == list(MeasureName)


def test_old_receivables_without_sales_are_not_computable_and_no_receivables_are_zero() -> None:
    old = invoice("1", 100_00, dated="2026-01-01", due="2026-02-01")
    assert of([old]).measure(MeasureName.DSO).state is MeasureState.NOT_COMPUTABLE
    settled = of([invoice("1", 100_00, dated="2026-11-01", due="2026-12-01", left=0)]).measure(MeasureName.DSO)
    assert (settled.state, settled.value_thousandths) == (MeasureState.ZERO, 0)


def test_credits_larger_than_what_is_overdue_make_delinquency_negative_and_say_so() -> None:
    docs = [
        invoice("1", 1_000_00, dated="2026-11-10", due="2026-12-10"),
        {
            "qbo_id": "2",
            "txn_type": "CreditMemo",
            "txn_date": day("2026-09-01"),
            "total_cents": 100_00,
            "open_cents": -100_00,
        },
    ]
    found = of(docs).measure(MeasureName.AVERAGE_DAYS_DELINQUENT)
    assert found.value_thousandths == -10_000
    assert "credits" in found.reason


def test_what_is_dated_after_the_day_is_left_out_and_named() -> None:
    later = invoice("8", 700_00, dated="2026-11-25", due="2026-12-25")
    found = of([*_SALES, later]).measure(MeasureName.DSO)
    assert (inputs_of(found)["receivables"], inputs_of(found)["open but dated later, left out"]) == (2_000_00, 700_00)


_DAYS = st.integers(0, 200)
_ROWS = st.lists(
    st.tuples(
        st.sampled_from(["Invoice", "CreditMemo", "Payment"]), st.integers(1, 10**9), _DAYS, _DAYS, st.booleans()
    ),
    max_size=12,
)


def _ledger(rows: list[tuple[str, int, int, int, bool]]) -> list[Row]:
    found: list[Row] = []
    for number, (kind, cents, age, terms, is_open) in enumerate(rows):
        dated = pd.Timestamp(FRIDAY - timedelta(days=age))
        left = (cents if kind == "Invoice" else -cents) if is_open else 0
        due = dated + pd.Timedelta(days=terms) if kind == "Invoice" else pd.NaT
        found.append(
            {
                "qbo_id": str(number),
                "txn_type": kind,
                "txn_date": dated,
                "due_date": due,
                "total_cents": cents,
                "open_cents": left,
            }
        )
    return found


@CHAIN_EXAMPLES
def test_identities_of_the_measures_hold_on_random_ledgers(examples: int) -> None:
    """DSO is BPDSO + ADD to the thousandth; CEI is what came in over that and what is overdue; row order is nothing."""

    def check(rows: list[tuple[str, int, int, int, bool]], seed: int) -> None:
        docs = _ledger(rows)
        found = of(docs)
        dso, best, late = (found.measure(name).value_thousandths for name in list(MeasureName)[:3])
        if dso is not None:
            assert best is not None
            assert late is not None
            assert dso == best + late
            flow = inputs_of(found.measure(MeasureName.DSO))
            assert dso == days_outstanding_thousandths(
                open_cents=flow["receivables"], flow_cents=flow["net credit sales in the window"], window_days=90
            )
        effectiveness = found.measure(MeasureName.COLLECTION_EFFECTIVENESS)
        if effectiveness.value_thousandths is not None:
            came_in = sum(cents for kind, cents, age, _, _ in rows if kind == "Payment" and age < 90)
            parts = inputs_of(effectiveness)
            overdue = parts["ending total receivables"] - parts["ending current receivables"]
            assert abs(effectiveness.value_thousandths * (came_in + overdue) - came_in * 100_000) <= came_in + overdue
        order = np.random.default_rng(seed).permutation(len(docs))
        assert of([docs[place] for place in order]) == found

    holds(check, examples=examples, rows=_ROWS, seed=st.integers(0, 1000))
