"""Recurring outflows: rhythms, amounts, what has ended, and next dates at month ends."""

from datetime import date, timedelta

import pytest
from hypothesis import strategies as st

from runway_calcs.books.movements import Kind
from runway_calcs.calendar_months import months_later
from runway_calcs.forecast.recurring import Cadence, RecurringFlow, SeenPayment, recurring_outflows
from runway_calcs.policy import RecurringPolicy
from tests.runway_calcs.builders import FRIDAY, Row, every, movements
from tests.runway_calcs.properties import EXAMPLES, holds

HORIZON_END = FRIDAY + timedelta(weeks=13)


def series_of(*rows: Row) -> list[RecurringFlow]:
    found = recurring_outflows(movements(*rows), as_of=FRIDAY, horizon_end=HORIZON_END, policy=RecurringPolicy())
    return list(found)


def paid(*days: str, cents: int = 100_00, **columns: object) -> list[Row]:
    """Payments to vendor 7, newest last."""
    return [{"date": date.fromisoformat(day), "amount_cents": -cents, **({"party_id": "7"} | columns)} for day in days]


@pytest.mark.parametrize(
    ("days", "cadence", "next_dates"),
    [
        pytest.param(
            ("2026-11-06", "2026-11-13", "2026-11-20"), Cadence.WEEKLY, ("2026-11-27", "2026-12-04"), id="weekly"
        ),
        pytest.param(
            ("2026-10-23", "2026-11-06", "2026-11-20"), Cadence.BIWEEKLY, ("2026-12-04", "2026-12-18"), id="biweekly"
        ),
        pytest.param(
            ("2026-08-31", "2026-09-15", "2026-09-30", "2026-10-15", "2026-10-30", "2026-11-13"),
            Cadence.TWICE_A_MONTH,
            ("2026-11-30", "2026-12-15", "2026-12-31", "2027-01-15", "2027-01-29", "2027-02-15"),
            id="the 15th and the last day, on the Friday before a weekend",
        ),
        pytest.param(
            ("2026-08-31", "2026-09-15", "2026-10-01", "2026-10-15", "2026-10-30", "2026-11-13"),
            Cadence.TWICE_A_MONTH,
            ("2026-12-01", "2026-12-15", "2027-01-01", "2027-01-15", "2027-02-01", "2027-02-15"),
            id="the 1st and the 15th, one of them a day early",
        ),
        pytest.param(
            ("2026-08-20", "2026-09-05", "2026-09-20", "2026-10-05", "2026-10-20", "2026-11-05"),
            Cadence.TWICE_A_MONTH,
            ("2026-11-20", "2026-12-05", "2026-12-20"),
            id="the 5th and the 20th, weekends kept",
        ),
        pytest.param(
            ("2026-08-05", "2026-08-20", "2026-09-07", "2026-09-21", "2026-10-05", "2026-10-20", "2026-11-05"),
            Cadence.TWICE_A_MONTH,
            ("2026-11-20", "2026-12-07", "2026-12-21"),
            id="the 5th and the 20th, on the Monday after a weekend",
        ),
        pytest.param(
            ("2026-09-18", "2026-10-02", "2026-10-16", "2026-10-29", "2026-11-13"),
            Cadence.BIWEEKLY,
            ("2026-11-27", "2026-12-11"),
            id="every two weeks, once a day early",
        ),
        pytest.param(
            ("2026-10-05", "2026-10-20", "2026-11-05"),
            Cadence.BIWEEKLY,
            ("2026-11-19", "2026-12-03"),
            id="three payments say nothing of two days a month",
        ),
        pytest.param(
            ("2026-06-15", "2026-07-15", "2026-08-15", "2026-08-31", "2026-09-30", "2026-10-31"),
            Cadence.MONTHLY,
            ("2026-11-30", "2026-12-31"),
            id="monthly, moved from the 15th to the last day",
        ),
        pytest.param(
            ("2026-09-01", "2026-10-01", "2026-11-02"), Cadence.MONTHLY, ("2026-12-01", "2027-01-01"), id="the first"
        ),
        pytest.param(
            ("2026-08-31", "2026-09-30", "2026-10-31"), Cadence.MONTHLY, ("2026-11-30", "2026-12-31"), id="month end"
        ),
        pytest.param(
            ("2026-08-30", "2026-09-30", "2026-10-30"), Cadence.MONTHLY, ("2026-11-30", "2026-12-30"), id="the 30th"
        ),
        pytest.param(
            ("2026-03-15", "2026-06-15", "2026-09-15"), Cadence.QUARTERLY, ("2026-12-15",), id="three quarters"
        ),
        pytest.param(
            ("2026-01-15", "2026-04-15", "2026-06-15", "2026-09-15"),
            Cadence.QUARTERLY,
            ("2027-01-15",),
            id="estimated taxes repeat last year's days",
        ),
        pytest.param(("2026-09-15", "2026-10-15"), None, (), id="two payments are no rhythm"),
        pytest.param(("2026-09-01", "2026-09-05", "2026-11-02"), None, (), id="no rhythm in the gaps"),
        pytest.param(("2026-07-01", "2026-08-01", "2026-09-01"), None, (), id="a monthly series that ended"),
        pytest.param(
            ("2026-08-18", "2026-09-18", "2026-10-18"),
            Cadence.MONTHLY,
            ("2026-11-18", "2026-12-18"),
            id="two days late",
        ),
        pytest.param(("2026-08-13", "2026-09-13", "2026-10-13"), None, (), id="seven days late: taken as ended"),
        pytest.param(
            ("2026-06-02", "2026-07-02", "2026-08-02", "2026-09-12", "2026-10-12", "2026-11-12"),
            Cadence.MONTHLY,
            ("2026-12-12", "2027-01-12"),
            id="one slip among five gaps",
        ),
    ],
)
def test_rhythms_are_found_and_continued(
    days: tuple[str, ...], cadence: Cadence | None, next_dates: tuple[str, ...]
) -> None:
    found = series_of(*paid(*days))
    if cadence is None:
        assert found == []
        return
    assert [series.cadence for series in found] == [cadence]
    assert [day.isoformat() for day in found[0].next_dates[: len(next_dates)]] == list(next_dates)
    assert found[0].next_dates[-1] <= HORIZON_END


def test_month_ends_are_kept_after_two_short_months() -> None:
    rows = movements(*paid("2026-09-30", "2026-10-31", "2026-11-30"))
    as_of = date(2026, 12, 4)
    (found,) = recurring_outflows(rows, as_of=as_of, horizon_end=date(2027, 2, 28), policy=RecurringPolicy())
    assert found.next_dates == (date(2026, 12, 31), date(2027, 1, 31), date(2027, 2, 28))


def test_a_payday_that_a_holiday_brought_forward_is_not_expected_again() -> None:
    """2027-01-01 is paid on the last day of 2026."""
    rows = movements(*paid("2026-10-15", "2026-10-30", "2026-11-13", "2026-12-01", "2026-12-15", "2026-12-31"))
    as_of, end = date(2027, 1, 1), date(2027, 2, 20)
    (found,) = recurring_outflows(rows, as_of=as_of, horizon_end=end, policy=RecurringPolicy())
    assert found.next_dates == (date(2027, 1, 15), date(2027, 2, 1), date(2027, 2, 15))


def test_a_series_explains_itself() -> None:
    (found,) = series_of(*paid("2026-08-03", "2026-09-03"), *paid("2026-10-03", cents=90_00), *paid("2026-11-03"))
    assert found.seen == (
        SeenPayment(paid_on=date(2026, 8, 3), amount_cents=100_00),
        SeenPayment(paid_on=date(2026, 9, 3), amount_cents=100_00),
        SeenPayment(paid_on=date(2026, 10, 3), amount_cents=90_00),
        SeenPayment(paid_on=date(2026, 11, 3), amount_cents=100_00),
    )
    assert found.reason == "monthly, seen 4 times from 2026-08-03 to 2026-11-03"


@pytest.mark.parametrize(
    ("amounts", "kind", "expected"),
    [
        pytest.param((50_00, 100_00, 120_00), Kind.EXPENSE, [100_00], id="the median of the last three"),
        pytest.param((49_99, 100_00, 120_00), Kind.EXPENSE, [], id="an amount too far from it"),
        pytest.param((1_00, 100_00, 900_00), Kind.TAX, [100_00], id="taxes vary by nature"),
        pytest.param((1_00, 100_00, 900_00), Kind.PAYROLL, [100_00], id="payrolls recur whatever they are"),
        pytest.param((1_00, 100_00, 900_00), Kind.CARD_PAYMENT, [100_00], id="so do card payments"),
        pytest.param((100_00, 100_00, 100_00), Kind.CUSTOMER_REFUND, [], id="refunds are no series"),
    ],
)
def test_the_amount_is_the_median_of_the_last_three(amounts: tuple[int, ...], kind: Kind, expected: list[int]) -> None:
    rows = [
        row
        for month, cents in zip(("2026-09-02", "2026-10-02", "2026-11-02"), amounts, strict=True)
        for row in paid(month, cents=cents, kind=kind)
    ]
    assert [series.amount_cents for series in series_of(*rows)] == expected


def test_payments_on_one_or_neighbouring_days_are_one_occurrence() -> None:
    rows = paid("2026-09-02", "2026-09-02", "2026-10-02", "2026-10-03", "2026-11-02", "2026-11-02", cents=50_00)
    (found,) = series_of(*rows)
    assert (found.amount_cents, len(found.seen)) == (100_00, 3)


def test_payroll_is_known_by_its_accounts_and_not_by_a_name() -> None:
    found = series_of(
        *every(14, cents=-900_00, count=8, kind=Kind.PAYROLL, counter_account_ids="61"),
        *every(14, cents=-1_00, count=8, party_id="7", party_name="Payroll Catering Inc"),
    )
    assert {series.label: series.kind for series in found} == {"somebody": "payroll", "Payroll Catering Inc": "expense"}


def test_what_is_dated_later_or_came_in_is_no_evidence() -> None:
    later = paid("2026-11-21")
    receipts = [{**row, "amount_cents": 100_00} for row in paid("2026-10-23", "2026-11-06")]
    assert series_of(*paid("2026-10-23", "2026-11-06"), *later, *receipts) == []


@pytest.mark.parametrize(
    ("day", "months", "day_of_month", "expected"),
    [
        pytest.param("2026-01-31", 1, None, "2026-02-28", id="short month"),
        pytest.param("2027-12-31", 2, None, "2028-02-29", id="leap year, over the new year"),
        pytest.param("2026-02-28", 1, 31, "2026-03-31", id="back to the month end"),
        pytest.param("2026-11-15", 12, None, "2027-11-15", id="a year"),
    ],
)
def test_months_are_safe_at_their_ends(day: str, months: int, day_of_month: int | None, expected: str) -> None:
    found = months_later(date.fromisoformat(day), months=months, day_of_month=day_of_month)
    assert found == date.fromisoformat(expected)


@EXAMPLES
def test_every_two_weeks_is_never_taken_for_twice_a_month(examples: int) -> None:
    def check(since_last: int, count: int, earlier: int) -> None:
        as_of = FRIDAY - timedelta(days=earlier)
        last = as_of - timedelta(days=since_last)
        rows = movements(*every(14, cents=-1, until=last, count=count, party_id="7"))
        end = as_of + timedelta(weeks=13)
        (found,) = recurring_outflows(rows, as_of=as_of, horizon_end=end, policy=RecurringPolicy())
        assert (found.cadence, found.next_dates[0]) == (Cadence.BIWEEKLY, last + timedelta(days=14))

    holds(
        check, examples=examples, since_last=st.integers(0, 13), count=st.integers(3, 28), earlier=st.integers(0, 3000)
    )


@EXAMPLES
def test_six_paydays_twice_a_month_are_enough_to_know_the_others(examples: int) -> None:
    def check(month: int, place: int, count: int, days: tuple[int, int]) -> None:
        months = [months_later(date(2020, 1, 1), months=month + step) for step in range(count // 2 + 5)]
        nominal = [one for day in months for one in (months_later(day, months=0, day_of_month=each) for each in days)]
        paydays = [day - timedelta(days=max(0, day.weekday() - 4)) for day in nominal[place:]]
        seen, to_come = paydays[:count], paydays[count : count + 3]
        rows = movements(*paid(*(day.isoformat() for day in seen)))
        (found,) = recurring_outflows(rows, as_of=seen[-1], horizon_end=to_come[-1], policy=RecurringPolicy())
        assert (found.cadence, list(found.next_dates)) == (Cadence.TWICE_A_MONTH, to_come)

    holds(
        check,
        examples=examples,
        month=st.integers(0, 120),
        place=st.integers(0, 1),
        count=st.integers(6, 24),
        days=st.sampled_from([(1, 15), (15, 31), (5, 20), (10, 25)]),
    )


@EXAMPLES
def test_any_steady_rhythm_is_found_on_any_day(examples: int) -> None:
    def check(gap: tuple[int, Cadence], since_last: int, cents: int) -> None:
        days, cadence = gap
        last = FRIDAY - timedelta(days=since_last % days)
        (found,) = series_of(*every(days, cents=-cents, until=last, count=6, party_id="7"))
        assert (found.cadence, found.amount_cents) == (cadence, cents)
        assert found.next_dates[0] > last
        assert list(found.next_dates) == sorted(set(found.next_dates))
        assert all(day <= HORIZON_END for day in found.next_dates)

    gaps = [(7, Cadence.WEEKLY), (14, Cadence.BIWEEKLY), (30, Cadence.MONTHLY), (31, Cadence.MONTHLY)]
    holds(
        check,
        examples=examples,
        gap=st.sampled_from(gaps),
        since_last=st.integers(0, 60),
        cents=st.integers(1, 10_000_00),
    )
