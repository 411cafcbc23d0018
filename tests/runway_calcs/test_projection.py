"""The projection: states, low point, rolling weeks, and what more cash or another bill can do."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import strategies as st

from runway_calcs.cash import CashState
from runway_calcs.dated_flows import DISBURSEMENT_KINDS, RECEIPT_KINDS, DatedFlows, FlowKind, ProjectedFlow
from runway_calcs.policy import ProjectionPolicy
from runway_calcs.projection import BASIS_TEXT, CashRunway, RunwayState, cash_runway
from tests.runway_calcs.builders import FRIDAY, position
from tests.runway_calcs.properties import EXAMPLES, holds

NO_FLOOR = ProjectionPolicy(floor_cents=0)


def flow(days: int, cents: int, kind: FlowKind | None = None) -> ProjectedFlow:
    return ProjectedFlow(
        day=FRIDAY + timedelta(days=days),
        amount_cents=cents,
        kind=kind or (FlowKind.INVOICE if cents > 0 else FlowKind.BILL),
        label="somebody",
        txn_type="",
        txn_id="",
        doc_number="",
        reason="",
    )


def flows(*rows: ProjectedFlow, payroll_cents: int = 0) -> DatedFlows:
    return DatedFlows(
        flows=rows,
        next_payroll_on=FRIDAY + timedelta(days=7) if payroll_cents else None,
        next_payroll_cents=payroll_cents,
        unused_vendor_credit_cents=0,
        unused_customer_credit_cents=0,
    )


def runway(*rows: ProjectedFlow, cash_cents: int = 1_000, policy: ProjectionPolicy = NO_FLOOR) -> CashRunway:
    return cash_runway(position=position(cash_cents), flows=flows(*rows), policy=policy)


@pytest.mark.parametrize(
    ("rows", "cash_cents", "floor_cents", "state", "days", "low"),
    [
        pytest.param([], 1_000, 0, RunwayState.BEYOND_HORIZON, None, (1_000, 1), id="nothing happens"),
        pytest.param([(14, -1_001)], 1_000, 0, RunwayState.BURNING, 14, (-1, 14), id="a cent too much on day 14"),
        pytest.param([(14, -1_000)], 1_000, 0, RunwayState.BEYOND_HORIZON, None, (0, 14), id="down to the floor only"),
        pytest.param([(1, -900)], 1_000, 101, RunwayState.BURNING, 1, (100, 1), id="below the floor on the next day"),
        pytest.param([(91, -1_001)], 1_000, 0, RunwayState.BURNING, 91, (-1, 91), id="the last day of the horizon"),
        pytest.param([(92, -1_001)], 1_000, 0, RunwayState.BEYOND_HORIZON, None, (1_000, 1), id="the day after it"),
        pytest.param(
            [(5, -600), (5, 500), (9, -950)], 1_000, 0, RunwayState.BURNING, 9, (-50, 9), id="a day is netted"
        ),
        pytest.param([(5, -1_500), (6, 9_000)], 1_000, 0, RunwayState.BURNING, 5, (-500, 5), id="a dip counts"),
        pytest.param([(5, 9_000)], 1_000, 1_001, RunwayState.ALREADY_BELOW, 0, (1_000, 1), id="below today"),
    ],
)
def test_the_runway_ends_on_the_first_day_below_the_floor(
    *,
    rows: list[tuple[int, int]],
    cash_cents: int,
    floor_cents: int,
    state: RunwayState,
    days: int | None,
    low: tuple[int, int],
) -> None:
    policy = ProjectionPolicy(floor_cents=floor_cents)
    found = runway(*(flow(*row) for row in rows), cash_cents=cash_cents, policy=policy)
    assert (found.state, found.days) == (state, days)
    assert (found.low_cents, found.low_on) == (low[0], FRIDAY + timedelta(days=low[1]))
    is_dated = state is RunwayState.BURNING
    assert found.covered_until == (FRIDAY + timedelta(days=days or 0) if is_dated else None)


@pytest.mark.parametrize(
    ("floor_cents", "payroll_cents", "expected", "words"),
    [
        pytest.param(5_00, 400_00, 5_00, "set for this tenant", id="the tenant's own"),
        pytest.param(0, 400_00, 0, "set for this tenant", id="a floor of zero is a floor"),
        pytest.param(None, 400_00, 400_00, "the next payroll, expected 2026-11-27", id="the next payroll"),
        pytest.param(None, 0, 0, "no recurring payroll is recognised", id="no payroll known"),
    ],
)
def test_the_floor_says_where_it_comes_from(
    floor_cents: int | None, payroll_cents: int, expected: int, words: str
) -> None:
    policy = ProjectionPolicy(floor_cents=floor_cents)
    found = cash_runway(position=position(), flows=flows(payroll_cents=payroll_cents), policy=policy)
    assert found.floor_cents == expected
    assert words in found.floor_reason


@pytest.mark.parametrize(
    ("cash_state", "state"),
    [
        pytest.param(CashState.NO_DATA, RunwayState.NO_DATA, id="no data"),
        pytest.param(CashState.NOT_COMPUTABLE, RunwayState.NOT_COMPUTABLE, id="not computable"),
    ],
)
def test_without_a_cash_figure_there_is_no_projection(cash_state: CashState, state: RunwayState) -> None:
    nothing = replace(position(), state=cash_state, cash_cents=None, reason="why not")
    found = cash_runway(position=nothing, flows=flows(flow(3, -5)), policy=NO_FLOOR)
    assert (found.state, found.reason, found.days, found.covered_until) == (state, "why not", None, None)
    assert (found.low_cents, found.low_on, found.weeks, found.daily) == (None, None, (), ())


def test_the_worked_weeks() -> None:
    found = runway(flow(1, -300), flow(7, 500), flow(8, -100, FlowKind.PAYROLL), flow(8, -40, FlowKind.TAX))
    first, second, third = found.weeks[:3]
    assert (first.opening_cents, first.receipts_cents, first.disbursements_cents) == (1_000, 500, 300)
    assert (first.net_cents, first.closing_cents, first.low_cents) == (200, 1_200, 700)
    assert (first.first_day, first.last_day) == (date(2026, 11, 21), date(2026, 11, 27))
    split = {total.kind: total.amount_cents for total in second.disbursements if total.amount_cents}
    assert split == {FlowKind.PAYROLL: 100, FlowKind.TAX: 40}
    assert (third.opening_cents, third.net_cents) == (1_060, 0)
    assert found.weeks[-1].last_day == found.horizon_end == date(2027, 2, 19)


def test_every_kind_is_either_a_receipt_or_a_disbursement() -> None:
    assert sorted(RECEIPT_KINDS + DISBURSEMENT_KINDS) == sorted(FlowKind)


def test_the_limits_of_this_version_are_said() -> None:
    assert runway().basis_text == BASIS_TEXT
    assert "No new sales" in BASIS_TEXT


ROWS = st.lists(
    st.builds(flow, st.integers(1, 110), st.integers(-5_000, 5_000).filter(lambda cents: cents != 0)), max_size=25
)
CASH = st.integers(-2_000, 20_000)
FLOORS = st.integers(0, 3_000)


@EXAMPLES
def test_weeks_roll_and_sums_are_preserved(examples: int) -> None:
    def check(rows: list[ProjectedFlow], cash_cents: int) -> None:
        found = runway(*rows, cash_cents=cash_cents)
        assert found.weeks[0].opening_cents == cash_cents
        for week, following in zip(found.weeks, found.weeks[1:], strict=False):
            assert week.closing_cents == following.opening_cents
        for number, week in enumerate(found.weeks):
            days = found.daily[7 * number : 7 * number + 7]
            assert week.opening_cents + week.net_cents == week.closing_cents == days[-1].balance_cents
            assert week.net_cents == week.receipts_cents - week.disbursements_cents
            assert week.low_cents == min(day.balance_cents for day in days)
            assert sum(total.amount_cents for total in week.receipts) == week.receipts_cents
            assert sum(total.amount_cents for total in week.disbursements) == week.disbursements_cents
        inside = found.weeks[-1].closing_cents - cash_cents
        later = found.later_receipts_cents - found.later_disbursements_cents
        assert inside + later == sum(row.amount_cents for row in rows)
        assert found.low_cents == min(day.balance_cents for day in found.daily)

    holds(check, examples=examples, rows=ROWS, cash_cents=CASH)


def length(found: CashRunway) -> int:
    """The runway in days, with a stay above the floor as longer than any."""
    return 10_000 if found.days is None else found.days


@EXAMPLES
def test_more_cash_never_shortens_and_another_outflow_never_lengthens_the_runway(examples: int) -> None:
    def check(rows: list[ProjectedFlow], cash_cents: int, floor_cents: int, more_cents: int, days: int) -> None:
        policy = ProjectionPolicy(floor_cents=floor_cents)
        found = runway(*rows, cash_cents=cash_cents, policy=policy)
        richer = runway(*rows, cash_cents=cash_cents + more_cents, policy=policy)
        poorer = runway(*rows, flow(days, -more_cents), cash_cents=cash_cents, policy=policy)
        assert length(poorer) <= length(found) <= length(richer)
        assert poorer.low_cents is not None
        assert found.low_cents is not None
        assert poorer.low_cents <= found.low_cents

    holds(
        check,
        examples=examples,
        rows=ROWS,
        cash_cents=CASH,
        floor_cents=FLOORS,
        more_cents=st.integers(1, 9_000),
        days=st.integers(1, 100),
    )
