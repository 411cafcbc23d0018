"""Collection priority: hand-worked values, who is left out, reasons that add up, and properties."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import strategies as st

from runway_calcs.books.open_items import open_items
from runway_calcs.books.payment_history import payment_history
from runway_calcs.collection.customer_delays import Delays
from runway_calcs.collection.priority import (
    CollectionPriority,
    ContactState,
    PriorityState,
    collection_priority,
)
from runway_calcs.policy import CollectionLiftPolicy
from tests.runway_calcs.builders import FRIDAY, Row, applications, documents, point
from tests.runway_calcs.properties import EXAMPLES, holds

LOW = FRIDAY + timedelta(days=20)
PLAIN = CollectionLiftPolicy(responding_percent=50, most_days=10, unseen_responding_percent=10)


def invoice(number: str, *, customer: str = "51", cents: int = 1_000_00, late: int = 5, **columns: Any) -> Row:
    """An open invoice that is so many days late today."""
    due = pd.Timestamp(FRIDAY - timedelta(days=late))
    own = {"qbo_id": number, "txn_type": "Invoice", "party_id": customer, "party_name": f"Customer {customer}"}
    return {**own, "due_date": due, "total_cents": cents, "open_cents": cents, **columns}


def paid(customer: str, *days_late: int) -> tuple[list[Row], list[Row]]:
    """Paid invoices of a customer and the payments that settled them so many days after their due date."""
    due = pd.Timestamp(2026, 6, 1)
    bills, payments = [], []
    for number, late in enumerate(days_late):
        key = f"p{customer}{number}"
        bills.append(invoice(key, customer=customer, due_date=due, open_cents=0))
        payments.append(
            {
                "qbo_id": f"y{key}",
                "txn_type": "Payment",
                "txn_date": due + pd.Timedelta(days=late),
                "target_type": "Invoice",
                "target_id": key,
                "amount_cents": 1_000_00,
            }
        )
    return bills, payments


def ranked(
    *rows: Row,
    days: Mapping[str, list[int]],
    history: tuple[list[Row], list[Row]] = ([], []),
    low_on: date | None = LOW,
    **options: Any,
) -> CollectionPriority:
    at = point()
    frame, links = documents(*rows, *history[0]), applications(*history[1])
    drawn = pd.DataFrame.from_dict(days, orient="index")
    return collection_priority(
        open_items(frame, links, side="receivables", at=at),
        payment_history(frame, links, side="receivables", at=at),
        drawn,
        **{"as_of": FRIDAY, "low_on": low_on, "contacted_on": {}, "policy": PLAIN, **options},
    )


@pytest.mark.parametrize(
    ("paid_after", "cents"),
    [
        pytest.param(20, 0, id="on the low day: nothing to move"),
        pytest.param(
            21, 500_00, id="a day after: every response of 1 to 10 days is enough, half of the customers respond"
        ),
        pytest.param(25, 300_00, id="five days after: 5 to 10 days are enough, 6 of 10"),
        pytest.param(30, 50_00, id="ten days after: 10 days alone"),
        pytest.param(31, 0, id="eleven days after: out of reach"),
    ],
)
def test_a_contact_is_worth_what_it_moves_before_the_low_point(paid_after: int, cents: int) -> None:
    found = ranked(invoice("1"), days={"1": [paid_after]}).contacts[0]
    assert found.value_cents == cents
    assert found.expected_cents == (1_000_00 if paid_after <= 20 else 0)


def test_draws_are_averaged() -> None:
    found = ranked(invoice("1"), days={"1": [20, 21, 25, 31]}).contacts[0]
    assert found.value_cents == (0 + 500_00 + 300_00 + 0) // 4
    assert found.expected_cents == 250_00


def test_days_of_payment_may_be_dates() -> None:
    dates = pd.DataFrame({0: [pd.Timestamp(FRIDAY + timedelta(days=25))]}, index=["1"])
    numbers = pd.DataFrame({0: [25]}, index=["1"])
    frame = documents(invoice("1"))
    receivables = open_items(frame, applications(), side="receivables", at=point())
    history = payment_history(frame, applications(), side="receivables", at=point())
    shared: dict[str, Any] = {"as_of": FRIDAY, "low_on": LOW, "contacted_on": {}, "policy": PLAIN}
    found = [collection_priority(receivables, history, drawn, **shared) for drawn in (dates, numbers)]
    assert found[0] == found[1]
    assert found[0].contacts[0].value_cents == 300_00


def test_one_contact_covers_all_invoices_of_a_customer_and_their_values_add_up() -> None:
    found = ranked(
        invoice("1", cents=100_00, late=30),
        invoice("2", cents=333_33),
        invoice("3", customer="52", cents=350_00),
        days={"1": [21], "2": [25], "3": [21]},
    )
    first, second = found.contacts
    assert (first.customer_id, second.customer_id) == ("52", "51")
    assert [one.invoice_id for one in second.invoices] == ["1", "2"]
    assert [one.value_cents for one in second.invoices] == [50_00, 100_00]
    assert second.value_cents == 150_00
    assert (second.open_cents, second.overdue_cents) == (433_33, 433_33)


def test_a_disputed_invoice_is_not_collected_and_a_customer_with_nothing_else_is_left_out() -> None:
    found = ranked(
        invoice("1", cents=100_00),
        invoice("2"),
        invoice("3", customer="52"),
        days={"1": [21], "2": [21], "3": [21]},
        disputed_invoice_ids={"2", "3"},
    )
    (listed,) = found.contacts
    assert listed.value_cents == 50_00
    assert {one.invoice_id: one.reason for one in listed.invoices}["2"] == "disputed"
    (left_out,) = found.left_out
    assert (left_out.customer_id, left_out.state) == ("52", ContactState.DISPUTED)
    assert (left_out.value_cents, left_out.open_cents) == (0, 1_000_00)


@pytest.mark.parametrize(
    ("days_ago", "is_listed"),
    [
        pytest.param(0, False, id="today"),
        pytest.param(6, False, id="six days ago"),
        pytest.param(7, True, id="a week ago"),
    ],
)
def test_a_customer_is_contacted_once_a_week(days_ago: int, is_listed: bool) -> None:  # noqa: FBT001 - a column of the table
    contacted = FRIDAY - timedelta(days=days_ago)
    found = ranked(invoice("1"), days={"1": [21]}, contacted_on={"51": contacted})
    assert bool(found.contacts) is is_listed
    for one in found.left_out:
        assert one.state is ContactState.CONTACTED
        assert one.reasons == (f"contacted on {contacted}, within the last 7 days",)


def test_credits_are_set_against_the_oldest_invoices() -> None:
    credit = invoice("9", txn_type="CreditMemo", open_cents=-150_00, total_cents=150_00)
    found = ranked(invoice("1", cents=100_00, late=30), invoice("2", cents=200_00), credit, days={"1": [21], "2": [21]})
    (contact,) = found.contacts
    assert [one.collectible_cents for one in contact.invoices] == [0, 150_00]
    assert contact.value_cents == 75_00
    covered = ranked(invoice("1", cents=100_00), credit, days={"1": [21]})
    assert [one.state for one in covered.left_out] == [ContactState.COVERED]


@pytest.mark.parametrize(
    ("late", "reason", "is_unusual"),
    [
        pytest.param(21, "usually 9 days late over 14 invoices, now 21", True, id="far later than ever"),
        pytest.param(15, "usually 9 days late over 14 invoices, now 15", False, id="later, but not by a week"),
        pytest.param(-3, "usually 9 days late over 14 invoices, due in 3 days", False, id="not due yet"),
        pytest.param(0, "usually 9 days late over 14 invoices, due today", False, id="due today"),
    ],
)
def test_a_delay_is_unusual_against_the_customers_own_habit(
    late: int,
    reason: str,
    is_unusual: bool,  # noqa: FBT001 - a column of the table
) -> None:
    past = paid("51", 9, 9, 8, 10, 9, 7, 11, 9, 9, 8, 10, 9, 9, 9)
    (contact,) = ranked(invoice("1", late=late), days={"1": [25]}, history=past).contacts
    (one,) = contact.invoices
    assert (one.reason, one.delay.is_unusual, contact.is_unusual) == (reason, is_unusual, is_unusual)
    assert contact.reasons[0] == reason


def test_a_slow_payer_that_is_slow_is_not_unusual() -> None:
    past = paid("51", 10, 40, 70, 20, 90, 30)
    (contact,) = ranked(invoice("1", late=60), days={"1": [25]}, history=past).contacts
    assert contact.invoices[0].reason == "usually 35 days late over 6 invoices, now 60"
    assert not contact.is_unusual


def test_without_enough_paid_invoices_nothing_is_called_unusual() -> None:
    (contact,) = ranked(invoice("1", late=80), days={"1": [25]}, history=paid("51", 2, 2)).contacts
    assert (contact.reasons, contact.is_unusual) == (("payment habit not known, now 80",), False)


def test_less_is_expected_of_who_is_later_than_ever() -> None:
    (contact,) = ranked(invoice("1", late=40), days={"1": [21]}, history=paid("51", 3, 4, 5)).contacts
    assert contact.value_cents == 100_00
    assert contact.reasons[-1] == "an invoice is later than any this customer ever paid: less is expected of a contact"


def test_the_days_count_from_the_invoice_date_where_there_is_no_due_date() -> None:
    bills, payments = paid("51", 30, 30, 31)
    for bill in bills:
        bill["due_date"], bill["txn_date"] = pd.NaT, pd.Timestamp(2026, 6, 1)  # type: ignore[index] # rows of this test
    history = payment_history(documents(*bills), applications(*payments), side="receivables", at=point())
    found = Delays(history, as_of=FRIDAY, policy=PLAIN).of("51", days_late=30)
    assert (found.usual_days_late, found.paid_invoices, found.is_unusual) == (30, 3, False)


@pytest.mark.parametrize(
    ("low_on", "state", "value"),
    [
        pytest.param(None, PriorityState.NOT_COMPUTABLE, None, id="no forecast"),
        pytest.param(FRIDAY, PriorityState.NO_LOW_POINT, 0, id="today is the lowest day"),
        pytest.param(LOW, PriorityState.OK, 500_00, id="a low point ahead"),
    ],
)
def test_no_low_point_is_not_the_same_as_no_value(low_on: date | None, state: PriorityState, value: int | None) -> None:
    found = ranked(invoice("1"), invoice("2", late=-5), days={"1": [21], "2": [60]}, low_on=low_on)
    assert found.state is state
    assert found.contacts[0].value_cents == value


def test_without_values_what_is_overdue_comes_first() -> None:
    found = ranked(
        invoice("1", customer="51", cents=900_00, late=-5),
        invoice("2", customer="52", cents=100_00, late=8),
        days={"1": [60], "2": [60]},
        low_on=None,
    )
    assert [one.customer_id for one in found.contacts] == ["52", "51"]


def test_no_open_invoice_is_no_data() -> None:
    found = ranked(days={"nothing": [1]})
    assert (found.state, found.contacts, found.left_out) == (PriorityState.NO_DATA, (), ())


def test_an_open_invoice_without_draws_is_refused() -> None:
    with pytest.raises(ValueError, match="no draws for the open invoices"):
        ranked(invoice("1"), invoice("2"), days={"1": [21]})


def test_the_assumption_is_stated() -> None:
    found = ranked(invoice("1"), days={"1": [21]})
    assert found.assumption == (
        "of the customers contacted 50 % pay 1 to 10 days earlier (10 % of those with an invoice later than any they ever paid)"
    )


INVOICES = st.lists(
    st.tuples(st.sampled_from(["51", "52", "53"]), st.integers(1, 9_000_00), st.integers(-40, 120)),
    min_size=1,
    max_size=8,
)


@EXAMPLES
def test_values_add_up_are_bounded_and_do_not_depend_on_the_order(examples: int) -> None:
    def check(drawn: list[tuple[str, int, int]], low_day: int, seed: int) -> None:
        dice = np.random.default_rng(seed)
        rows = [
            invoice(str(number), customer=customer, cents=cents, late=late)
            for number, (customer, cents, late) in enumerate(drawn)
        ]
        days = {str(number): list(dice.integers(1, 120, size=7)) for number in range(len(rows))}
        low_on = FRIDAY + timedelta(days=low_day)
        found = ranked(*rows, days=days, low_on=low_on)
        for one in found.contacts:
            assert one.value_cents is not None
            assert one.expected_cents is not None
            assert one.value_cents == sum(part.value_cents or 0 for part in one.invoices)
            assert 0 <= one.value_cents <= one.open_cents - one.expected_cents + len(one.invoices)
        values = [one.value_cents for one in found.contacts if one.value_cents is not None]
        assert values == sorted(values, reverse=True)
        mixed = [rows[place] for place in dice.permutation(len(rows))]
        turned = {key: days[key] for key in sorted(days, reverse=True)}
        assert ranked(*mixed, days=turned, low_on=low_on) == found

    holds(check, examples=examples, drawn=INVOICES, low_day=st.integers(0, 91), seed=st.integers(0, 10_000))
