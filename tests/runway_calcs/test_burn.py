"""Burn: worked windows, the four answers, and steadiness over the weekday of the payroll."""

from datetime import date, timedelta

import pytest
from hypothesis import strategies as st

from runway_calcs.books.burn import Burn, BurnState, burn
from runway_calcs.books.movements import Kind
from runway_calcs.policy import BurnPolicy
from tests.runway_calcs.builders import FRIDAY, Row, every, movements
from tests.runway_calcs.properties import EXAMPLES, holds

WEEKLY_COST = every(7, cents=-700_00)


def burn_of(*rows: Row, cash_cents: int | None = 10_000_00, as_of: date = FRIDAY) -> Burn:
    return burn(movements(*rows), as_of=as_of, cash_cents=cash_cents, policy=BurnPolicy())


def test_the_worked_example() -> None:
    found = burn_of(*WEEKLY_COST, *every(7, cents=300_00))
    assert found.state is BurnState.BURNING
    assert (found.gross_rolling_cents, found.net_rolling_cents) == (2_800_00, 1_600_00)
    assert (found.gross_per_day_cents, found.net_per_day_cents) == (100_00, 57_14)
    assert (found.buffer_days, found.net_runway_days) == (100, 175)
    assert [(week.in_cents, week.out_cents) for week in found.weeks] == [(300_00, 700_00)] * 13
    assert (found.weeks[0].week_ending, found.weeks[-1].week_ending) == (date(2026, 8, 28), FRIDAY)


@pytest.mark.parametrize(
    ("rows", "state"),
    [
        pytest.param([], BurnState.NO_DATA, id="no movements"),
        pytest.param(every(7, cents=-1_00, count=13), BurnState.NOT_COMPUTABLE, id="twelve weeks and a day"),
        pytest.param(
            [{"date": FRIDAY - timedelta(days=90), "amount_cents": -1_00}], BurnState.NOT_BURNING, id="thirteen weeks"
        ),
        pytest.param(every(7, cents=5_00), BurnState.NOT_BURNING, id="more in than out"),
        pytest.param(WEEKLY_COST, BurnState.BURNING, id="more out than in"),
    ],
)
def test_the_four_answers_are_told_apart(rows: list[Row], state: BurnState) -> None:
    found = burn_of(*rows)
    assert found.state is state
    has_figures = state in (BurnState.BURNING, BurnState.NOT_BURNING)
    assert (found.gross_per_day_cents is not None) == has_figures == (found.reason == "")


@pytest.mark.parametrize(
    ("rows", "cash_cents", "buffer_days", "net_runway_days"),
    [
        pytest.param(WEEKLY_COST, None, None, None, id="no cash figure, no days"),
        pytest.param(WEEKLY_COST, 0, 0, 0, id="no cash covers no day"),
        pytest.param(WEEKLY_COST, -5_00, 0, 0, id="overdrawn covers no day"),
        pytest.param(WEEKLY_COST, 199_99, 1, 1, id="a day begun is not covered"),
        pytest.param([*WEEKLY_COST, *every(7, cents=700_00)], 500_00, 5, None, id="in equals out: not burning"),
        pytest.param(every(7, cents=700_00), 500_00, None, None, id="nothing goes out"),
    ],
)
def test_days_are_whole_and_absent_where_they_mean_nothing(
    rows: list[Row], cash_cents: int | None, buffer_days: int | None, net_runway_days: int | None
) -> None:
    found = burn_of(*rows, cash_cents=cash_cents)
    assert (found.buffer_days, found.net_runway_days) == (buffer_days, net_runway_days)


def test_owners_lenders_and_own_accounts_are_no_burn() -> None:
    others = [
        *every(7, cents=-900_00, kind=Kind.FINANCING),
        *every(7, cents=-800_00, kind=Kind.OWN_ACCOUNT),
        {"date": FRIDAY, "amount_cents": 50_000_00, "kind": Kind.FINANCING},
    ]
    assert burn_of(*WEEKLY_COST, *others) == burn_of(*WEEKLY_COST)


def test_movements_after_the_as_of_day_do_not_count() -> None:
    later = {"date": FRIDAY + timedelta(days=1), "amount_cents": -90_000_00}
    assert burn_of(*WEEKLY_COST, later) == burn_of(*WEEKLY_COST)


def one_off(cents: int, *, days_ago: int = 20, **columns: object) -> Row:
    return {"date": FRIDAY - timedelta(days=days_ago), "amount_cents": -cents, "party_id": "99", **columns}


@pytest.mark.parametrize(
    ("rows", "flagged"),
    [
        pytest.param([one_off(700_00)], [700_00], id="a quarter of the rolling total to a new party"),
        pytest.param([one_off(699_99)], [], id="just below a quarter"),
        pytest.param([one_off(700_00), one_off(5_00, days_ago=300)], [], id="the party was paid before"),
        pytest.param([one_off(700_00), one_off(5_00, days_ago=401)], [700_00], id="so long ago that it is forgotten"),
        pytest.param([one_off(700_00, days_ago=91)], [], id="before the window"),
    ],
)
def test_large_outflows_to_parties_paid_once_are_flagged(rows: list[Row], flagged: list[int]) -> None:
    found = burn_of(*WEEKLY_COST, *rows)
    assert [item.amount_cents for item in found.one_offs] == flagged


@EXAMPLES
def test_biweekly_payroll_and_weekly_cost_burn_the_same_on_every_friday(examples: int) -> None:
    def check(payroll_cents: int, weekly_cents: int, payday: int, cost_day: int) -> None:
        rows = movements(
            *every(14, cents=-payroll_cents, until=FRIDAY + timedelta(days=payday), kind=Kind.PAYROLL),
            *every(7, cents=-weekly_cents, until=FRIDAY + timedelta(days=cost_day), party_id="7"),
        )
        daily = set()
        for week in range(6):
            found = burn(rows, as_of=FRIDAY - timedelta(weeks=week), cash_cents=0, policy=BurnPolicy())
            assert found.gross_per_day_cents is not None
            daily.add(found.gross_per_day_cents)
        assert max(daily) * 100 <= min(daily) * 105

    cents = st.integers(1_00, 90_000_00)
    holds(
        check,
        examples=min(examples, 300),
        payroll_cents=cents,
        weekly_cents=cents,
        payday=st.integers(0, 13),
        cost_day=st.integers(0, 6),
    )
