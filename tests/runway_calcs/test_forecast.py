"""The forecast's figures: states, dates, bands, low point, rolling weeks, reserves; worked by hand, then as properties."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import strategies as st

from runway_calcs.books.books_at import books_at
from runway_calcs.books.cash import CashState
from runway_calcs.books.corrections import Ledger
from runway_calcs.flow_kinds import FlowKind
from runway_calcs.forecast.current import cautious_inflows, committed_outflows
from runway_calcs.forecast.earmarks import PurposeReserve
from runway_calcs.forecast.figures import (
    Band,
    CashForecast,
    LowWater,
    RunwayState,
    band,
    cash_forecast,
    cautious_day,
    forecast_of,
)
from runway_calcs.forecast.prepared import ForecastInputs, prepare
from runway_calcs.forecast.simulation import simulate, week_seed
from runway_calcs.policy import CashPolicy, RecurringPolicy
from tests.runway_calcs.builders import (
    FRIDAY,
    Row,
    accounts,
    applications,
    documents,
    parties,
    point,
    position,
    postings,
    terms,
)
from tests.runway_calcs.forecasts import POLICY, forecasting, item, prepared, with_days
from tests.runway_calcs.properties import EXAMPLES, holds

Rows = Sequence[tuple[int, int]]


def forecast(*rows: tuple[int, int], cash_cents: int = 1_000, floor_cents: int = 0) -> CashForecast:
    items = [item(days, cents, label=f"{number}") for number, (days, cents) in enumerate(rows)]
    return forecasting(prepared(items, cash=position(cash_cents), floor_cents=floor_cents)).forecast


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
    *, rows: Rows, cash_cents: int, floor_cents: int, state: RunwayState, days: int | None, low: tuple[int, int]
) -> None:
    found = forecast(*rows, cash_cents=cash_cents, floor_cents=floor_cents)
    assert (found.state, found.days, found.cautious_days) == (state, days, days)
    low_day = FRIDAY + timedelta(days=low[1])
    everywhere = Band(p10_cents=low[0], p50_cents=low[0], p90_cents=low[0])
    assert found.low == LowWater(band=everywhere, on=low_day, earliest_on=low_day, latest_on=low_day)
    is_dated = state is RunwayState.BURNING
    assert found.covered_until == (FRIDAY + timedelta(days=days or 0) if is_dated else None)
    assert found.cautious_until == found.covered_until
    assert found.below_floor_ppm == (1_000_000 if days is not None and rows and low[0] < floor_cents else 0)


@pytest.mark.parametrize(
    ("below_on", "day"),
    [
        pytest.param({11: 2}, 12, id="a tenth by the end of day 11: before day 12 it is just that"),
        pytest.param(
            {11: 5}, 12, id="nothing before day 11, a quarter by its end: the logarithmic mean is just below a tenth"
        ),
        pytest.param({11: 6}, 11, id="three tenths by its end: above"),
        pytest.param({4: 1, 11: 3}, 11, id="a twentieth before day 11, a fifth by its end: above"),
        pytest.param({91: 6}, 91, id="the last day"),
        pytest.param({91: 2}, None, id="the day after the last"),
        pytest.param({4: 1}, None, id="too few"),
    ],
)
def test_before_the_cautious_day_a_tenth_is_below_on_average_over_days(
    below_on: dict[int, int], day: int | None
) -> None:
    fallen = [on for on, count in below_on.items() for _ in range(count)]
    first = np.array(fallen + [92] * (20 - len(fallen)), dtype="int64")
    assert cautious_day(first, level=0.1, horizon_days=91) == day


def test_never_more_than_three_tenths_are_below_before_the_cautious_day() -> None:
    """However unlikely the days before: a payday that breaks the floor in every third draw is not waited for."""
    first = np.array([11] * 310 + [92] * 690, dtype="int64")
    assert cautious_day(first, level=0.1, horizon_days=91) == 11
    assert cautious_day(first[20:], level=0.1, horizon_days=91) == 12


def test_ten_draws_worked_by_hand() -> None:
    """A receipt of 600 on day 2, 4 ... 20 of ten draws, a payment of 1,000 on day 11, cash 500, floor 0."""
    found = prepared(
        [item(2, 600, label="in"), item(11, -1_000, label="out")],
        cash=position(500),
        policy=replace(POLICY, draws=10),
        floor_cents=0,
    )
    base = simulate(found, seed=1)
    days = base.item_days.copy()
    days[0] = np.arange(2, 22, 2)
    figures = forecast_of(with_days(base, days), prepared=found, seed=1)
    # The receipt comes after day 11 in the draws of days 12 to 20: five of ten are below on day 11.
    assert (figures.days, figures.cautious_days, figures.below_floor_ppm) == (11, 11, 500_000)
    assert [week.below_floor_ppm for week in figures.weeks[:4]] == [0, 500_000, 300_000, 0]
    assert [week.below_floor_by_then_ppm for week in figures.weeks[:3]] == [0, 500_000, 500_000]
    # Week 1: the receipts of days 2, 4, 6 are three of ten.
    first = figures.weeks[0]
    assert (first.receipts_cents, first.closing_cents) == (180, 680)
    assert first.receipts_band == Band(p10_cents=0, p50_cents=0, p90_cents=600)
    assert first.closing_band == Band(p10_cents=500, p50_cents=500, p90_cents=1_100)
    assert figures.low is not None
    # Never paid before day 11: 500 - 1,000. Paid before: 100 in the end, and 100 is the lowest.
    assert figures.low.band == Band(p10_cents=-500, p50_cents=-500, p90_cents=100)
    assert figures.low.on == FRIDAY + timedelta(days=11)
    (expected, _) = figures.items
    assert (expected.expected_on, expected.within_week_ppm) == (FRIDAY + timedelta(days=10), 300_000)


def test_the_worked_weeks() -> None:
    rows = [item(1, -300), item(7, 500), item(8, -100, FlowKind.PAYROLL), item(8, -40, FlowKind.TAX)]
    found = forecasting(prepared(rows, cash=position(1_000))).forecast
    first, second, third = found.weeks[:3]
    assert (first.opening_cents, first.receipts_cents, first.disbursements_cents) == (1_000, 500, 300)
    assert (first.closing_cents, first.closing_band.p50_cents) == (1_200, 1_200)
    assert (first.first_day, first.last_day) == (date(2026, 11, 21), date(2026, 11, 27))
    split = {total.kind: total.amount_cents for total in second.disbursements if total.amount_cents}
    assert split == {FlowKind.PAYROLL: 100, FlowKind.TAX: 40}
    assert (third.opening_cents, third.closing_cents) == (1_060, 1_060)
    assert found.weeks[-1].last_day == found.horizon_end == date(2027, 2, 19)


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        pytest.param(CashState.NO_DATA, RunwayState.NO_DATA, id="no data"),
        pytest.param(CashState.NOT_COMPUTABLE, RunwayState.NOT_COMPUTABLE, id="not computable"),
    ],
)
def test_without_a_cash_figure_there_is_no_forecast_and_no_number(state: CashState, expected: RunwayState) -> None:
    nothing = replace(position(), state=state, cash_cents=None, reason="why not")
    found = forecasting(prepared([item(3, -5)], cash=nothing)).forecast
    assert (found.state, found.reason, found.days, found.covered_until) == (expected, "why not", None, None)
    assert (found.low, found.weeks, found.daily, found.items, found.below_floor_ppm) == (None, (), (), (), None)


def reserve(cents: int, *purposes: FlowKind, vendors: Sequence[str] = (), reserve_id: str = "r") -> PurposeReserve:
    return PurposeReserve(
        reserve_id=reserve_id,
        held_cents=cents,
        purposes=frozenset(purposes),
        label="kept",
        vendor_ids=frozenset(vendors),
    )


def test_a_reserve_for_vendors_is_given_free_against_their_bills() -> None:
    """Worked by hand: 1,000.00 of cash, of which 500.00 are kept for the roofer.

    The printer's bill of 100.00 on day 2 gives nothing free: 500.00 become 400.00. The roofer's of 300.00 on day 9 is paid
    from what is kept: 400.00 stay, and 200.00 are still kept. His next one of 350.00 on day 16 takes these and 150.00 more:
    250.00. The lowest point is 250.00, where without the release it would be -250.00.
    """
    items = [item(2, -100_00, label="printer", txn_id="1"), item(9, -300_00, label="roofer", txn_id="2")]
    items += [item(16, -350_00, FlowKind.HELD_BILL, label="roofer", txn_id="3")]
    kept = reserve(500_00, FlowKind.TAX, vendors=["roofer"])
    found = forecasting(prepared(items, cash=position(1_000_00), reserves=[kept])).forecast
    assert [week.closing_cents for week in found.weeks[:4]] == [400_00, 400_00, 250_00, 250_00]
    assert [week.released_cents for week in found.weeks[:4]] == [0, 300_00, 200_00, 0]
    assert found.low is not None
    assert found.low.band.p50_cents == 250_00
    twice = [kept, reserve(500_00, vendors=["roofer"], reserve_id="s")]
    both = forecasting(prepared(items, cash=position(1_000_00), reserves=twice)).forecast
    assert sum(week.released_cents for week in both.weeks) == 650_00, "no bill is paid from two reserves"


@pytest.mark.parametrize(
    ("reserves", "closing"),
    [
        pytest.param([], [1_000, 700, 700], id="none"),
        pytest.param([reserve(200, FlowKind.TAX)], [800, 700, 700], id="given free as its purpose is paid"),
        pytest.param([reserve(400, FlowKind.TAX)], [600, 600, 600], id="as far as the payment goes"),
        pytest.param([reserve(200)], [800, 500, 500], id="without a purpose it stays away"),
        pytest.param(
            [reserve(200, FlowKind.TAX), reserve(250, FlowKind.TAX, reserve_id="s")],
            [550, 550, 550],
            id="two of one purpose are never given free for the same payment",
        ),
    ],
)
def test_a_reserve_is_money_already_gone_until_its_purpose_is_paid(
    reserves: list[PurposeReserve], closing: list[int]
) -> None:
    found = prepared([item(10, -300, FlowKind.TAX)], cash=position(1_000), reserves=reserves)
    figures = forecasting(found).forecast
    assert [week.closing_cents for week in figures.weeks[:3]] == closing
    assert [week.closing_band.p50_cents for week in figures.weeks[:3]] == closing
    assert figures.reserved_cents == sum(one.held_cents for one in reserves)
    for week in figures.weeks:
        rolled = week.opening_cents + week.receipts_cents - week.disbursements_cents + week.released_cents
        assert rolled == week.closing_cents


def test_cautious_inflows_and_committed_outflows_of_ten_draws() -> None:
    found = prepared(
        [item(3, 100, label="in"), item(4, -70, FlowKind.PAYROLL), item(5, -30, label="bill", txn_id="1")],
        cash=position(500),
        policy=replace(POLICY, draws=10),
    )
    base = simulate(found, seed=1)
    days = base.item_days.copy()
    days[0] = [3] * 7 + [6, 8, 95]
    inflows = cautious_inflows(with_days(base, days), level=0.2)
    # By day 6 eight of ten have it; not more than two of ten may still lack it, so it counts from day 8 on.
    assert {day + 1: cents for day, cents in enumerate(inflows) if cents} == {8: 100}
    outflows = committed_outflows(base)
    assert {day + 1: cents for day, cents in enumerate(outflows) if cents} == {4: 70}


def test_a_band_holds_drawn_values_and_half_of_ten_is_the_fifth() -> None:
    assert band(np.arange(10, dtype="int64") * 11) == Band(p10_cents=0, p50_cents=44, p90_cents=88)


def test_a_week_has_a_seed_of_its_own() -> None:
    seeds = {week_seed(tenant, as_of=FRIDAY + timedelta(weeks=week)) for tenant in ("a", "b") for week in range(3)}
    assert len(seeds) == 6
    assert week_seed("a", as_of=FRIDAY) == week_seed("a", as_of=FRIDAY)


ROWS = st.lists(
    st.tuples(st.integers(1, 110), st.integers(-5_000, 5_000).filter(lambda cents: cents != 0)), max_size=25
)
CASH = st.integers(-2_000, 20_000)
FLOORS = st.integers(0, 3_000)


@EXAMPLES
def test_weeks_roll_and_sums_are_preserved(examples: int) -> None:
    def check(rows: list[tuple[int, int]], cash_cents: int) -> None:
        found = forecast(*rows, cash_cents=cash_cents)
        assert found.weeks[0].opening_cents == cash_cents
        for week, following in pairwise(found.weeks):
            assert week.closing_cents == following.opening_cents
        for number, week in enumerate(found.weeks):
            last = found.daily[7 * number + 6]
            assert week.closing_cents == last.expected_cents == last.band.p50_cents
            assert week.opening_cents + week.receipts_cents - week.disbursements_cents == week.closing_cents
            assert sum(total.amount_cents for total in week.receipts) == week.receipts_cents
            assert sum(total.amount_cents for total in week.disbursements) == week.disbursements_cents
        assert found.weeks[-1].closing_cents == cash_cents + sum(cents for days, cents in rows if days <= 91)

    holds(check, examples=examples, rows=ROWS, cash_cents=CASH)


@EXAMPLES
def test_more_cash_never_shortens_and_another_outflow_never_lengthens_the_runway(examples: int) -> None:
    def length(found: CashForecast) -> int:
        return 92 if found.days is None else found.days

    def check(rows: list[tuple[int, int]], cash_cents: int, floor_cents: int, more_cents: int, days: int) -> None:
        found = forecast(*rows, cash_cents=cash_cents, floor_cents=floor_cents)
        richer = forecast(*rows, cash_cents=cash_cents + more_cents, floor_cents=floor_cents)
        poorer = forecast(*rows, (days, -more_cents), cash_cents=cash_cents, floor_cents=floor_cents)
        assert length(poorer) <= length(found) <= length(richer)
        assert poorer.low is not None
        assert found.low is not None
        assert poorer.low.band.p50_cents <= found.low.band.p50_cents

    holds(
        check,
        examples=examples,
        rows=ROWS,
        cash_cents=CASH,
        floor_cents=FLOORS,
        more_cents=st.integers(1, 9_000),
        days=st.integers(1, 100),
    )


def test_a_shorter_horizon_has_its_own_beyond() -> None:
    policy = replace(POLICY, horizon_weeks=2)
    found = forecasting(prepared([item(20, -5_000)], cash=position(1_000), policy=policy)).forecast
    assert (found.state, found.days, len(found.weeks)) == (RunwayState.BEYOND_HORIZON, None, 2)


NEW_BANK, OLD_BANK, WAGES, SALES = "35", "37", "61", "90"
CHART: tuple[Row, ...] = (
    {"qbo_id": WAGES, "account_type": "Expense", "account_subtype": "PayrollExpenses"},
    {"qbo_id": SALES, "account_type": "Income", "account_subtype": "SalesOfProductIncome"},
)


def sales_and_wages(*more: Row, bank: Callable[[int], str], banks: Sequence[Row]) -> CashForecast:
    """Sales of 10,000 a week and wages of 19,000 every two weeks; `bank` holds the account of so many days ago."""
    paid = [(7 * week, 10_000_00, "SalesReceipt", SALES) for week in range(60)]
    paid += [(14 * fortnight + 3, -19_000_00, "JournalEntry", WAGES) for fortnight in range(30)]
    rows: list[Row] = [
        dated(ago, cents, txn_type, counter_account_ids=counter, account_id=bank(ago))
        for ago, cents, txn_type, counter in paid
    ]
    ledger = Ledger(
        documents=documents(),
        applications=applications(),
        postings=postings(*rows, *more),
        accounts=accounts(*banks, *CHART),
        parties=parties(),
        terms=terms(),
    )
    books = books_at(ledger, home_currency="USD", at=point(), policy=CashPolicy(excluded_account_ids=frozenset({"38"})))
    policies = {"policy": replace(POLICY, draws=40), "recurring_policy": RecurringPolicy()}
    return cash_forecast(prepare(books, inputs=ForecastInputs(), **policies), seed=1)


def dated(ago: int, cents: int, txn_type: str, **columns: object) -> Row:
    on = FRIDAY - timedelta(days=ago)
    row = {"qbo_id": f"{txn_type}{ago}", "txn_type": txn_type, "amount_cents": cents, **columns}
    return {**row, "txn_date": pd.Timestamp(on), "created_at": datetime(on.year, on.month, on.day, 9, tzinfo=UTC)}


def transfer(ago: int, cents: int, *, source: str, target: str) -> list[Row]:
    """Both sides of it; of an account that is not the tenant's cash the books need not tell."""
    sides = ((source, target, -cents), (target, source, cents))
    return [dated(ago, signed, "Transfer", account_id=one, counter_account_ids=other) for one, other, signed in sides]


def test_who_moves_to_another_bank_has_the_forecast_of_who_stays() -> None:
    new: Row = {"qbo_id": NEW_BANK, "current_balance_cents": 80_000_00}
    old: Row = {"qbo_id": OLD_BANK, "is_active": False}
    stayed = sales_and_wages(bank=lambda _: NEW_BANK, banks=[new])
    moved = sales_and_wages(
        *transfer(14, 60_000_00, source=OLD_BANK, target=NEW_BANK),
        bank=lambda ago: OLD_BANK if ago > 35 else NEW_BANK,
        banks=[new, old],
    )
    assert sum(week.receipts_cents for week in stayed.weeks) > 100_000_00
    assert moved.weeks == stayed.weeks


@pytest.mark.parametrize("is_in", [True, False])
@pytest.mark.parametrize(
    ("other", "is_expected_again"),
    [
        pytest.param({"qbo_id": "38", "name": "Tax reserve"}, False, id="an own account that does not count"),
        pytest.param({"qbo_id": "36", "currency": "EUR"}, True, id="what is earned or paid in another currency"),
    ],
)
def test_a_single_transfer_between_own_accounts_does_not_come_again(
    other: Row, *, is_in: bool, is_expected_again: bool
) -> None:
    banks: list[Row] = [{"qbo_id": NEW_BANK, "current_balance_cents": 80_000_00}, other]
    ends = {"source": other["qbo_id"], "target": NEW_BANK} if is_in else {"source": NEW_BANK, "target": other["qbo_id"]}
    without = sales_and_wages(bank=lambda _: NEW_BANK, banks=banks)
    found = sales_and_wages(*transfer(30, 60_000_00, **ends), bank=lambda _: NEW_BANK, banks=banks)
    assert (found.weeks != without.weeks) == is_expected_again


def test_what_an_account_that_does_not_count_pays_out_month_after_month_is_income() -> None:
    banks: list[Row] = [{"qbo_id": NEW_BANK, "current_balance_cents": 80_000_00}, {"qbo_id": "38", "name": "Payouts"}]
    without = sales_and_wages(bank=lambda _: NEW_BANK, banks=banks)
    payouts = [
        row for week in range(60) for row in transfer(7 * week + week % 5, 4_000_00, source="38", target=NEW_BANK)
    ]
    found = sales_and_wages(*payouts, bank=lambda _: NEW_BANK, banks=banks)
    more = sum(one.receipts_cents for one in found.weeks) - sum(one.receipts_cents for one in without.weeks)
    assert 30_000_00 < more < 60_000_00, "52,000 in 13 weeks, less what the level of receipts takes off"
