"""Expected payment dates: the ladder from due date to own habit, conditional on today's age."""

from datetime import date, timedelta

import pytest
from hypothesis import strategies as st

from runway_calcs.collection import ExpectedCollection, HabitSource, expected_collections
from runway_calcs.policy import CollectionPolicy
from tests.runway_calcs.builders import FRIDAY, Row, applications, day, documents, instant, point
from tests.runway_calcs.properties import EXAMPLES, holds

DUE = date(2026, 6, 1)


def paid_invoices(customer: str, *lateness: int) -> tuple[list[Row], list[Row]]:
    """Invoices of a customer due on 1 June and paid so many days later, with their payments."""
    invoices: list[Row] = []
    payments: list[Row] = []
    for number, days in enumerate(lateness):
        invoice_id = f"{customer}-{number}"
        invoices.append(
            {
                "qbo_id": invoice_id,
                "txn_type": "Invoice",
                "party_id": customer,
                "due_date": day("2026-06-01"),
                "total_cents": 100,
            }
        )
        payments.append(
            {
                "qbo_id": f"p{invoice_id}",
                "txn_type": "Payment",
                "target_type": "Invoice",
                "target_id": invoice_id,
                "amount_cents": 100,
                "txn_date": day(str(DUE + timedelta(days=days))),
            }
        )
    return invoices, payments


def expected(
    *, due: str, own: tuple[int, ...] = (), others: tuple[int, ...] = (), known_until: str = "2026-11-20T10:00:00"
) -> ExpectedCollection:
    """The expectation for an open invoice of customer A with this history."""
    invoices, payments = paid_invoices("A", *own)
    more_invoices, more_payments = paid_invoices("B", *others)
    open_one = {
        "qbo_id": "1",
        "txn_type": "Invoice",
        "party_id": "A",
        "due_date": day(due),
        "total_cents": 500,
        "open_cents": 500,
    }
    (found,) = expected_collections(
        documents(*invoices, *more_invoices, open_one),
        applications(*payments, *more_payments),
        at=point(known_until=instant(known_until)),
        policy=CollectionPolicy(),
    )
    return found


@pytest.mark.parametrize(
    ("own", "others", "due", "expected_on", "reason"),
    [
        pytest.param((), (), "2026-12-01", "2026-12-01", "payment habit not known", id="nothing known: the due date"),
        pytest.param((5, 9, 30), (), "2026-12-01", "2026-12-10", "usually 9 days late", id="own habit"),
        pytest.param((-3, -2, 0), (), "2026-12-01", "2026-11-29", "usually 2 days early", id="an early payer"),
        pytest.param((0, 0, 0), (), "2026-12-01", "2026-12-01", "usually on the due date", id="prompt"),
        pytest.param((1, 1, 1), (), "2026-12-01", "2026-12-02", "usually 1 day late", id="one day"),
        pytest.param(
            (4, 5), (20, 20), "2026-12-01", "2026-12-14", "customers usually 13 days late", id="all customers"
        ),
        pytest.param((5, 9, 30), (), "2026-11-12", "2026-11-21", "usually 9 days late", id="the usual day is tomorrow"),
        pytest.param(
            (5, 9, 30), (), "2026-11-11", "2026-12-11", "usually 9 days late, now 9", id="the usual day has passed"
        ),
        pytest.param(
            (5, 9, 30, 40), (), "2026-10-30", "2026-12-04", "usually 20 days late, now 21", id="later ones of its own"
        ),
        pytest.param(
            (5, 9, 12),
            (40, 50, 60),
            "2026-10-30",
            "2026-12-19",
            "usually 9 days late, now 21",
            id="later ones of all customers",
        ),
        pytest.param(
            (5, 9, 12), (), "2026-10-30", "2026-12-11", "usually 9 days late, now 21", id="unseen: as long again"
        ),
        pytest.param(
            (0, 0, 1), (), "2026-11-15", "2026-12-04", "usually on the due date, now 5", id="unseen: the least wait"
        ),
        pytest.param(
            (-9, -8, -8), (), "2026-11-25", "2026-12-04", "usually 8 days early, not paid yet", id="early payer waits"
        ),
    ],
)
def test_the_ladder(own: tuple[int, ...], others: tuple[int, ...], due: str, expected_on: str, reason: str) -> None:
    found = expected(due=due, own=own, others=others)
    assert (found.expected_on.isoformat(), found.reason) == (expected_on, reason)


def test_the_source_and_its_size_are_told() -> None:
    assert expected(due="2026-12-01").source is HabitSource.NONE
    own = expected(due="2026-12-01", own=(5, 9, 30))
    assert (own.source, own.paid_invoices, own.usual_days_late) == (HabitSource.CUSTOMER, 3, 9)
    tenant = expected(due="2026-12-01", own=(4, 5), others=(20, 20))
    assert (tenant.source, tenant.paid_invoices) == (HabitSource.TENANT, 4)


def test_payments_entered_after_the_instant_teach_nothing() -> None:
    invoices, payments = paid_invoices("A", 5, 9, 30)
    later = [{**payment, "created_at": instant("2026-11-10T12:00:00")} for payment in payments]
    found = expected_collections(
        documents(*invoices),
        applications(*later),
        at=point(as_of=date(2026, 10, 30), known_until=instant("2026-10-30T10:00:00")),
        policy=CollectionPolicy(),
    )
    assert [item.source for item in found] == [HabitSource.NONE] * 3
    assert [item.open_cents for item in found] == [100] * 3


def test_bills_are_not_collected() -> None:
    found = expected_collections(
        documents({"qbo_id": "1", "open_cents": 5}), applications(), at=point(), policy=CollectionPolicy()
    )
    assert found == ()


@EXAMPLES
def test_every_invoice_is_expected_after_the_as_of_day(examples: int) -> None:
    def check(own: list[int], others: list[int], due: date) -> None:
        found = expected(due=due.isoformat(), own=tuple(own), others=tuple(others))
        assert found.expected_on > FRIDAY
        assert found.is_later_than_usual == (due + timedelta(days=found.usual_days_late) <= FRIDAY)

    lateness = st.lists(st.integers(-60, 170), max_size=6)
    dates = st.dates(date(2025, 1, 1), date(2027, 6, 1))
    holds(check, examples=examples, own=lateness, others=lateness, due=dates)
