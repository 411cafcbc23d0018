"""When transactions count as entered: an import and a catch-up say nothing of what past Fridays knew, late book-keeping does."""

from collections.abc import Callable
from datetime import date, datetime, time, timedelta

import numpy as np
import pandas as pd
import pytest

from runway_calcs.books.books_at import books_at
from runway_calcs.books.corrections import Ledger
from runway_calcs.books.entries import credible_entries
from runway_calcs.forecast.current import current_forecast
from runway_calcs.forecast.prepared import ForecastInputs
from runway_calcs.forecast.run_off import learn_run_off
from runway_calcs.payment_timing import fit
from runway_calcs.policy import CashPolicy, ForecastPolicy, RecurringPolicy
from tests.runway_calcs.builders import (
    FRIDAY,
    SYNC,
    Row,
    accounts,
    applications,
    documents,
    instant,
    parties,
    point,
    postings,
    terms,
)

POLICY = ForecastPolicy(draws=200, floor_cents=0)
WEEKS = 60

Entry = Callable[[date], datetime]
"""The instant at which something of a day was entered."""


def promptly(day: date) -> datetime:
    return datetime.combine(day, time(15), tzinfo=SYNC.tzinfo)


def in_one_go(on: date, *, since: date = date(2020, 1, 1)) -> Entry:
    """All from `since` up to this day entered on it, the rest promptly."""
    return lambda day: promptly(on if since <= day <= on else day)


def monthly(day: date) -> datetime:
    """A month is entered on the tenth of the next one, so up to 40 days late."""
    return promptly((day.replace(day=1) + timedelta(days=32)).replace(day=10))


def company(entry: Entry) -> Ledger:
    """Purchases and sales on the spot each week, and invoices that are paid five weeks after their date."""
    rng = np.random.default_rng(5)
    posted: list[Row] = []
    sold: list[Row] = []
    applied: list[Row] = []
    for number in range(WEEKS * 3):
        day = FRIDAY - timedelta(days=7 * (number // 3) + 1 + int(rng.integers(0, 7)))
        paid = day + timedelta(days=28 + int(rng.integers(0, 14)))
        cents = [int(amount * np.exp(0.5 * rng.standard_normal())) for amount in (-300_000, 100_000, 200_000)]
        party = {"party_type": "Vendor", "party_id": str(rng.integers(0, 40)), "counter_account_ids": "60"}
        of_day = {"txn_date": pd.Timestamp(day), "created_at": entry(day)}
        posted += [
            {**of_day, **party, "qbo_id": f"p{number}", "amount_cents": cents[0]},
            {**of_day, "qbo_id": f"d{number}", "txn_type": "Deposit", "amount_cents": cents[1]},
        ]
        invoice = {**of_day, "qbo_id": f"i{number}", "txn_type": "Invoice", "party_id": str(number % 9)}
        is_paid = paid < FRIDAY and entry(paid) < SYNC
        due = pd.Timestamp(day + timedelta(days=30))
        sold.append({**invoice, "due_date": due, "total_cents": cents[2], "open_cents": 0 if is_paid else cents[2]})
        if is_paid:
            receipt = {"txn_type": "Payment", "qbo_id": f"r{number}", "amount_cents": cents[2]}
            receipt |= {"txn_date": pd.Timestamp(paid), "created_at": entry(paid)}
            posted.append({**receipt, "party_type": "Customer", "party_id": str(number % 9)})
            applied.append({**receipt, "target_type": "Invoice", "target_id": f"i{number}"})
    return Ledger(
        documents=documents(*sold),
        applications=applications(*applied),
        postings=postings(*posted),
        accounts=accounts({"qbo_id": "35", "name": "Checking", "current_balance_cents": 5_000_000}),
        parties=parties(),
        terms=terms(),
    )


def test_an_import_gives_the_forecast_of_books_that_were_kept_promptly() -> None:
    def first_and_low(entry: Entry) -> list[int]:
        books = books_at(company(entry), home_currency="USD", at=point(), policy=CashPolicy())
        told = current_forecast(
            books, inputs=ForecastInputs(), policy=POLICY, recurring_policy=RecurringPolicy(), seed=1
        ).forecast
        assert told.low is not None
        return [told.weeks[0].receipts_cents, told.weeks[0].disbursements_cents, told.low.band.p50_cents]

    kept = first_and_low(promptly)
    for entry in (
        in_one_go(FRIDAY - timedelta(days=1)),
        in_one_go(date(2026, 10, 12)),
        in_one_go(date(2026, 10, 12), since=date(2026, 7, 1)),
    ):
        assert first_and_low(entry) == pytest.approx(kept, rel=0.02)


def test_the_unknown_of_each_past_week_is_that_of_prompt_books() -> None:
    """Week by week and for each lead: neither all of it late cash, nor each paid invoice unknown until it was paid."""

    def unknown(entry: Entry) -> np.ndarray:
        books = books_at(company(entry), home_currency="USD", at=point(), policy=CashPolicy())
        found: np.ndarray = learn_run_off(books.pieces, at=point(), policy=POLICY).unknown_cents.sum(axis=(2, 3))
        return found

    kept = unknown(promptly)
    np.testing.assert_array_equal(unknown(in_one_go(date(2026, 10, 12))), kept)
    # Invoices are known four weeks before they are paid: their money is unknown seven weeks ahead, not the week before.
    assert kept[:45, 6].sum() - kept[:45, 0].sum() > 45 * 3 * 150_000


def test_books_that_are_kept_monthly_are_as_late_as_they_are() -> None:
    ledger = company(monthly)
    for frame in (ledger.documents, ledger.postings):
        pd.testing.assert_series_equal(credible_entries(frame, singly=True), frame["created_at"], check_names=False)


def test_payers_of_imported_books_are_as_late_as_they_were() -> None:
    """Each document seen from its payment on would say that who pays does it at once."""

    def lateness(entry: Entry) -> np.ndarray:
        books = books_at(company(entry), home_currency="USD", at=point(), policy=CashPolicy()).customers
        told = fit(books.history, as_of=FRIDAY).likely(books.open_documents).quantiles((0.1, 0.5, 0.9))
        days: np.ndarray = told.to_numpy().astype("datetime64[D]").astype("int64")
        return days

    np.testing.assert_array_equal(lateness(in_one_go(FRIDAY - timedelta(days=1))), lateness(promptly))


@pytest.mark.parametrize(
    ("days_late", "believed"),
    [
        pytest.param([40] * 6, [True] * 6, id="six weeks late is a habit"),
        pytest.param([50] * 5, [False] * 5, id="a catch-up"),
        pytest.param([50] * 5 + [10] * 10, [False] * 15, id="its last weeks are part of it"),
        pytest.param([50] * 5 + [10] * 11, [True] * 16, id="five forgotten among many"),
        pytest.param([50] * 4, [True] * 4, id="four are none"),
        pytest.param(
            [50] * 5 + [-20], [False] * 5 + [True], id="what was entered before its day was known from then on"
        ),
    ],
)
def test_what_an_import_or_catch_up_is(days_late: list[int], believed: list[bool]) -> None:
    entered = instant("2026-11-10T15:00")
    days = [pd.Timestamp(2026, 11, 10) - pd.Timedelta(days=late) for late in days_late]
    rows = documents(*({"qbo_id": str(at), "txn_date": day, "created_at": entered} for at, day in enumerate(days)))
    evenings = [(day + pd.Timedelta(hours=23)).tz_localize("UTC") for day in days]
    told = credible_entries(rows)
    assert list(told) == [entered if is_so else evening for is_so, evening in zip(believed, evenings, strict=True)]
    # Cash that is late beyond any habit counts from its own day even where it was entered alone.
    late = [evening if days > 42 else one for days, one, evening in zip(days_late, told, evenings, strict=True)]
    assert list(credible_entries(rows, singly=True)) == late


def test_what_is_imported_is_no_sign_that_payments_are_entered_late() -> None:
    """Else each open document might be paid already."""

    def unseen(entry: Entry) -> tuple[float, ...]:
        return books_at(company(entry), home_currency="USD", at=point(), policy=CashPolicy()).habits.unseen_receipts

    assert unseen(in_one_go(FRIDAY - timedelta(days=1))) == unseen(promptly)
