"""The cash of each of the last days: walked back from today, and equal to the cash of that day as the same books give it."""

from dataclasses import replace
from datetime import timedelta

import pandas as pd
from hypothesis import strategies as st

from runway_calcs.books.cash import CashState, cash_position
from runway_calcs.books.daily_cash import daily_cash
from runway_calcs.policy import CashPolicy
from tests.runway_calcs.builders import FRIDAY, accounts, day, instant, point, position, postings
from tests.runway_calcs.properties import EXAMPLES, holds

LATER = instant("2026-11-20T15:00:00")


def test_a_day_ends_with_the_next_ones_balance_less_what_moved_on_the_next() -> None:
    moved = postings(
        {"qbo_id": "1", "txn_date": day("2026-11-20"), "amount_cents": -300_00},
        {"qbo_id": "2", "txn_date": day("2026-11-19"), "amount_cents": 50_00},
        {"qbo_id": "3", "txn_date": day("2026-11-19"), "amount_cents": 7_00, "account_id": "99"},
        {"qbo_id": "4", "txn_date": day("2026-11-27"), "amount_cents": -9_00},
        {"qbo_id": "5", "txn_date": day("2026-11-20"), "amount_cents": -1_00, "known_at": LATER},
    )
    found = daily_cash(moved, position=position(1_000_00), at=point(), days=3)
    assert list(found.items()) == [
        (FRIDAY - timedelta(days=2), 1_250_00),
        (FRIDAY - timedelta(days=1), 1_300_00),
        (FRIDAY, 1_000_00),
    ]


def test_without_a_cash_figure_there_are_no_balances() -> None:
    nothing = replace(position(), state=CashState.NO_DATA, cash_cents=None, accounts=())
    assert daily_cash(postings(), position=nothing, at=point(), days=7) == {}


def _check(rows: list[tuple[int, int, str]], *, is_before: bool) -> None:
    moved = postings(
        *(
            {
                "qbo_id": str(number),
                "txn_date": pd.Timestamp(FRIDAY + timedelta(days=days)),
                "amount_cents": cents,
                "account_id": account,
            }
            for number, (days, cents, account) in enumerate(rows)
        )
    )
    books = accounts(
        {"qbo_id": "35", "current_balance_cents": 900_00},
        {"qbo_id": "36", "current_balance_cents": 80_00},
        {"qbo_id": "99", "current_balance_cents": 5_00, "account_type": "Expense"},
    )
    until = instant("2026-11-20T05:00:00") if is_before else point().known_until
    cash = cash_position(books, moved, at=point(known_until=until), home_currency="USD", policy=CashPolicy())
    for one, cents in daily_cash(moved, position=cash, at=point(known_until=until), days=3).items():
        at = point(as_of=one, known_until=until)
        then = cash_position(books, moved, at=at, home_currency="USD", policy=CashPolicy())
        assert then.cash_cents == cents, one


@EXAMPLES
def test_each_days_balance_is_the_cash_of_that_day(examples: int) -> None:
    row = st.tuples(st.integers(-12, 3), st.integers(-500_00, 500_00), st.sampled_from(("35", "36", "99")))
    holds(_check, examples=examples, rows=st.lists(row, max_size=12), is_before=st.booleans())
