"""A past forecast beside the balances that came: only of days that have come, against its own floor and bands."""

from datetime import date, timedelta

import pandas as pd
from hypothesis import strategies as st

from runway_calcs.books.movements import Kind
from runway_calcs.flow_kinds import FlowKind
from runway_calcs.forecast.earmarks import PurposeReserve
from runway_calcs.forecast.figures import CashForecast, cash_forecast
from runway_calcs.forecast.given_free import given_free, given_free_by_day
from runway_calcs.forecast.hindsight import hindsight
from runway_calcs.policy import ForecastPolicy
from tests.runway_calcs.builders import FRIDAY, movements, position
from tests.runway_calcs.forecasts import item, prepared
from tests.runway_calcs.properties import EXAMPLES, holds

POLICY = ForecastPolicy(draws=20, floor_cents=200_00)


def _forecast() -> CashForecast:
    """1,000.00 now, 100.00 out on each Monday; the floor is 200.00."""
    items = [item(3 + 7 * week, -100_00, label=f"week {week}") for week in range(6)]
    return cash_forecast(prepared(items, cash=position(1_000_00), policy=POLICY), seed=1)


def _balances(*cents: int) -> dict[date, int]:
    return {FRIDAY + timedelta(days=number): one for number, one in enumerate(cents, start=1)}


def test_a_week_that_is_over_lies_in_its_band_or_not_and_one_ahead_is_not_told() -> None:
    found = hindsight(_forecast(), balances=_balances(*[900_00] * 7, *[901_00] * 7), until=FRIDAY + timedelta(days=15))
    assert [closing.last_day for closing in found.closings] == [FRIDAY + timedelta(days=7), FRIDAY + timedelta(days=14)]
    assert [(closing.actual_cents, closing.is_inside) for closing in found.closings] == [
        (900_00, True),
        (901_00, False),
    ]
    assert not found.is_whole, "nothing is known of the fifteenth day"


def test_the_first_day_below_the_floor_and_the_first_lowest_day_are_named() -> None:
    found = hindsight(
        _forecast(), balances=_balances(250_00, 200_00, 199_99, 100_00, 100_00), until=FRIDAY + timedelta(5)
    )
    assert (found.below_on, found.low_cents, found.low_on) == (
        FRIDAY + timedelta(days=3),
        100_00,
        FRIDAY + timedelta(days=4),
    )
    assert found.is_whole


def test_what_reserves_held_is_no_part_of_the_balance_it_is_compared_with() -> None:
    held = PurposeReserve(reserve_id="tax", held_cents=300_00, purposes=frozenset(), label="taxes")
    forecast = cash_forecast(prepared(cash=position(1_000_00), policy=POLICY, reserves=[held]), seed=1)
    found = hindsight(forecast, balances=_balances(*[1_000_00] * 6, 499_99), until=FRIDAY + timedelta(days=7))
    assert (found.closings[0].expected_cents, found.closings[0].actual_cents) == (700_00, 199_99)
    assert (found.below_on, found.low_cents) == (FRIDAY + timedelta(days=7), 199_99)


def test_what_a_reserve_gave_free_as_its_purpose_was_paid_is_in_the_balance_again() -> None:
    held = PurposeReserve(reserve_id="tax", held_cents=300_00, purposes=frozenset({FlowKind.TAX}), label="taxes")
    policy = ForecastPolicy(draws=20, floor_cents=500_00)
    taxes = [item(3, -300_00, FlowKind.TAX)]
    made = prepared(taxes, cash=position(1_000_00), policy=policy, reserves=[held])
    forecast = cash_forecast(made, seed=1)
    paid = movements({"date": pd.Timestamp(FRIDAY + timedelta(days=3)), "amount_cents": -310_00, "kind": Kind.TAX})
    until = FRIDAY + timedelta(days=7)
    free = given_free(made.reserves, before=movements(), since=paid, after=FRIDAY, until=until)
    assert free.tolist() == [[0, 0, *[300_00] * 5]], "as far as the reserve goes"
    by_day = given_free_by_day(free, after=FRIDAY)
    balances = _balances(1_000_00, 1_000_00, *[690_00] * 5)
    found = hindsight(forecast, balances=balances, until=until, given_free=by_day)
    assert (found.closings[0].expected_cents, found.closings[0].actual_cents) == (700_00, 690_00)
    assert (found.below_on, found.low_cents) == (None, 690_00)
    known = given_free(made.reserves, before=paid, since=paid, after=FRIDAY + timedelta(days=3), until=until)
    assert not known.any(), "a payment that the forecast's books had gives nothing free"


def test_a_reserve_for_a_vendor_is_given_free_by_what_was_paid_to_that_vendor() -> None:
    held = PurposeReserve(
        reserve_id="r", held_cents=300_00, purposes=frozenset(), label="roof", vendor_ids=frozenset({"12"})
    )
    rows = [(1, "12", Kind.BILL_PAYMENT), (2, "13", Kind.BILL_PAYMENT), (3, "12", Kind.EXPENSE)]
    paid = movements(
        *(
            {
                "date": pd.Timestamp(FRIDAY + timedelta(days=day)),
                "amount_cents": -200_00,
                "kind": kind,
                "party_type": "Vendor",
                "party_id": vendor,
                "txn_id": str(day),
            }
            for day, vendor, kind in [*rows, (4, "12", Kind.BILL_PAYMENT)]
        )
    )
    found = given_free([held], before=movements(), since=paid, after=FRIDAY, until=FRIDAY + timedelta(days=4))
    assert found.tolist() == [[200_00, 200_00, 200_00, 300_00]]


def test_nothing_has_come_on_the_day_itself() -> None:
    found = hindsight(_forecast(), balances=_balances(1), until=FRIDAY)
    assert (found.closings, found.below_on, found.low_cents, found.is_whole) == ((), None, None, True)


def _check(cents: list[int], days: tuple[int, int]) -> None:
    sooner, later = sorted(days)
    forecast, balances = _forecast(), _balances(*cents)
    first, second = (
        hindsight(forecast, balances=balances, until=FRIDAY + timedelta(days=days)) for days in (sooner, later)
    )
    assert second.closings[: len(first.closings)] == first.closings
    assert second.until == min(FRIDAY + timedelta(days=later), forecast.horizon_end)
    if first.below_on is not None:
        assert second.below_on == first.below_on
    if first.low_cents is not None and second.low_cents is not None:
        assert second.low_cents <= first.low_cents
    known = {one: balances[one] for one in balances if one <= first.until}
    assert first == hindsight(forecast, balances=known, until=FRIDAY + timedelta(days=sooner))


@EXAMPLES
def test_what_comes_later_changes_nothing_that_was_told_of_the_days_before(examples: int) -> None:
    span = st.integers(0, 119)
    holds(
        _check,
        examples=examples,
        cents=st.lists(st.integers(0, 1_500_00), min_size=120, max_size=120),
        days=st.tuples(span, span),
    )
