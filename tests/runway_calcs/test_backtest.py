"""Past Fridays replayed with what was known on them."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pandas as pd
import pytest

import runway_calcs.backtest
from runway_calcs.backtest import BacktestFriday, backtest, band_record
from runway_calcs.books.as_of import AsOf
from runway_calcs.books.payment_history import open_documents, payment_history
from runway_calcs.payment_timing import LEVELS, fit
from runway_calcs.policy import BacktestPolicy
from tests.runway_calcs.builders import FRIDAY, SYNC, Row, applications, documents, point

POLICY = BacktestPolicy(draws=200)
WEEK = timedelta(days=7)


def friday(weeks_ago: int) -> AsOf:
    """A Friday before the connection, cut at five in the morning."""
    day = FRIDAY - weeks_ago * WEEK
    cut = datetime.combine(day, time(5), tzinfo=ZoneInfo("America/Chicago"))
    return point(as_of=day, known_until=cut.astimezone(SYNC.tzinfo), first_known_at=SYNC)


def books(*, late: Callable[[int], int] = lambda _: 10) -> tuple[pd.DataFrame, pd.DataFrame]:
    """A customer that is billed every Monday, due in 30 days, and pays so many days late, all entered the same day.

    `late` is asked for each invoice by its number, 0 the newest.
    """
    invoices: list[Row] = []
    payments: list[Row] = []
    for number in range(70):
        dated = pd.Timestamp(2026, 11, 16) - number * pd.Timedelta(days=7)
        due = dated + pd.Timedelta(days=30)
        paid = due + pd.Timedelta(days=late(number))
        is_paid = paid <= pd.Timestamp(FRIDAY)
        invoices.append(
            {
                "txn_type": "Invoice",
                "qbo_id": f"{number}",
                "txn_date": dated,
                "due_date": due,
                "created_at": dated.tz_localize("UTC"),
                "total_cents": 100_00,
                "open_cents": 0 if is_paid else 100_00,
            }
        )
        if is_paid:
            payments.append(
                {
                    "txn_type": "Payment",
                    "qbo_id": f"9{number}",
                    "target_type": "Invoice",
                    "target_id": f"{number}",
                    "txn_date": paid,
                    "created_at": paid.tz_localize("UTC"),
                    "amount_cents": 100_00,
                }
            )
    return documents(*invoices), applications(*payments)


def replay(weeks: range, *, earlier: tuple[BacktestFriday, ...] = ()) -> tuple[BacktestFriday, ...]:
    invoices, payments = books()
    return backtest(
        invoices,
        payments,
        side="receivables",
        now=point(),
        fridays=[friday(one) for one in weeks],
        earlier=earlier,
        policy=POLICY,
    )


def test_a_regular_payer_is_foreseen_and_the_simpler_rules_stand_beside() -> None:
    (found,) = replay(range(20, 21))
    assert found.is_settled
    assert found.dates is not None
    # Billed on Mondays and paid 40 days later, a Saturday: six invoices are open on a Friday.
    assert found.documents == found.dates.documents == 6
    # Four are paid ten days after they are due, one is overdue and paid a week after tomorrow, one is paid tomorrow.
    assert found.dates.due_date_days == pytest.approx(47 / 6, abs=0.001)
    assert found.dates.customer_mean_days == 0
    assert found.dates.model_days <= 1.5
    assert found.band_low_cents <= found.paid_cents == 100_00 <= found.band_high_cents
    assert found.is_inside is True


def _late(number: int) -> int:
    """Three days in former times, ten since the winter, and 24 for the three newest of those open on the Friday."""
    return 24 if number in (20, 21, 22) else 10 if number < 40 else 3


def test_every_rule_and_measure_of_dates_worked_by_hand() -> None:
    invoices, payments = books(late=_late)
    at = friday(20)
    (found,) = backtest(invoices, payments, side="receivables", now=point(), fridays=[at], earlier=(), policy=POLICY)
    dates = found.dates
    assert dates is not None
    # Days from the Friday on: due -9, -2, 5, 12, 19, 26; paid on
    happened = {"25": 1, "24": 8, "23": 15, "22": 36, "21": 43, "20": 50}
    # No rule says a day before tomorrow. Due dates: off by 0, 7, 10, 24, 24, 24.
    assert dates.due_date_days == pytest.approx(89 / 6, abs=0.001)
    # So far 14 were paid ten days late and 30 three days: 5.2 in the mean. Days 1, 3, 10, 17, 24, 31: off by 0, 5, 5, 19, 19, 19.
    assert dates.customer_mean_days == pytest.approx(67 / 6, abs=0.001)
    # In the last 13 weeks all were ten days late. Days 1, 8, 15, 22, 29, 36: off by 14 for three.
    assert dates.recent_mean_days == pytest.approx(42 / 6, abs=0.001)

    model = fit(payment_history(invoices, payments, side="receivables", at=at), as_of=at.as_of)
    told = model.predict(open_documents(invoices, payments, side="receivables", at=at))
    losses, widths, misses, covered = [], [], [], 0
    for document, day in happened.items():
        said = {level: (told.loc[document, level].date() - at.as_of).days for level in LEVELS}
        # What is later than said costs its level a day, what is earlier the rest of one.
        losses += [level * (day - q) if day >= q else (1 - level) * (q - day) for level, q in said.items()]
        widths.append(said[0.9] - said[0.1])
        misses.append(abs(day - said[0.5]))
        covered += said[0.1] <= day <= said[0.9]
    assert 0 < covered < 6
    assert dates.covered_percent == pytest.approx(100 * covered / 6, abs=0.06)
    assert dates.width_days == pytest.approx(sum(widths) / 6, abs=0.006)
    assert dates.pinball_days == pytest.approx(sum(losses) / 42, abs=0.001)
    assert dates.model_days == pytest.approx(sum(misses) / 6, abs=0.001)


def test_a_friday_within_the_horizon_has_its_week_and_no_dates_yet() -> None:
    found = replay(range(1, 3))
    assert [one.friday for one in found] == [FRIDAY - 2 * WEEK, FRIDAY - WEEK]
    assert [one.dates for one in found] == [None, None]
    assert all(one.paid_cents == 100_00 and not one.is_settled for one in found)


def test_a_week_that_is_not_over_is_not_told() -> None:
    assert replay(range(1)) == ()


def test_only_fridays_with_something_new_are_fitted(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = replay(range(12, 16))
    fitted: list[date] = []
    fit = runway_calcs.backtest.fit
    monkeypatch.setattr(
        runway_calcs.backtest, "fit", lambda history, as_of: fitted.append(as_of) or fit(history, as_of=as_of)
    )
    # One Friday was looked at before its horizon was over, one is not known at all.
    earlier = (*(one for one in whole[:2]), replace(whole[2], is_settled=False, dates=None))
    assert replay(range(12, 16), earlier=earlier) == whole
    assert fitted == [whole[2].friday, whole[3].friday]
    fitted.clear()
    assert replay(range(12, 16), earlier=whole) == whole
    assert fitted == []


def test_a_friday_sees_nothing_that_was_entered_later() -> None:
    invoices, payments = books()
    later = friday(20).known_until + timedelta(minutes=1)
    invented = documents(
        *(
            {"txn_type": "Invoice", "qbo_id": f"x{n}", "total_cents": 5, "open_cents": 5, "created_at": later}
            for n in range(9)
        )
    )
    asked = {"side": "receivables", "now": point(), "fridays": [friday(20)], "policy": POLICY}
    assert backtest(pd.concat([invoices, invented]), payments, **asked) == backtest(invoices, payments, **asked)


def test_nothing_open_is_no_hit_and_no_miss() -> None:
    found = backtest(documents(), applications(), side="payables", now=point(), fridays=[friday(3)], policy=POLICY)
    assert [one.is_inside for one in found] == [None]
    assert band_record(found, side="payables").text == "no finished week to compare with yet"


def test_the_record_counts_the_last_ten_weeks_that_had_something_open() -> None:
    (model,) = replay(range(14, 15))
    told = [True] * 5 + [None] + [False] + [True] * 8
    results = [
        replace(model, friday=FRIDAY - number * WEEK, is_inside=one) for number, one in enumerate(reversed(told))
    ]
    assert band_record(results, side="receivables").text == "9 of the last 10 weeks inside the band"
    assert band_record(results, side="payables").weeks == 0
