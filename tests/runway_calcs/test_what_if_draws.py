"""Some draws in a small form give back the balances of the whole simulation."""

from dataclasses import replace
from datetime import timedelta

import numpy as np

from runway_calcs.flow_kinds import FlowKind
from runway_calcs.forecast.what_if_draws import (
    UNIT_CENTS,
    OpenBillDays,
    SupposedPayment,
    WhatIfDraws,
    WhatIfFigures,
    balances,
    what_if_draws,
    what_if_effect,
)
from tests.runway_calcs.builders import FRIDAY, position
from tests.runway_calcs.forecasts import forecasting, item, prepared

_ITEMS = [
    item(5, -123_456, FlowKind.BILL, label="Harbor", txn_id="b1"),
    item(40, -70_001, FlowKind.BILL, label="Ostrava", txn_id="b2"),
    item(9, 400_000, FlowKind.INVOICE, label="Northwind", txn_id="i1"),
    item(14, -90_050, FlowKind.PAYROLL, label="Payroll"),
]

_BILL = item(5, -300_00, FlowKind.BILL, label="Harbor", txn_id="b1")


def test_without_a_what_if_they_are_the_forecasts_own_balances_to_half_a_unit() -> None:
    base = forecasting(prepared(_ITEMS, floor_cents=0))
    assert base.simulation is not None
    for bill_ids in ({"b1", "b2"}, {"b2"}, set()):
        draws = what_if_draws(base.simulation, as_of=base.forecast.as_of, bill_ids=bill_ids)
        step = base.simulation.draws // len(draws.paths)
        kept = base.simulation.balances()[::step]
        assert np.abs(balances(draws, paid_on={}) - kept).max() <= UNIT_CENTS // 2
        assert {one.bill_id for one in draws.bills} == bill_ids


def test_a_bill_paid_on_another_day_moves_its_own_cents_between_the_two_days() -> None:
    base = forecasting(prepared(_ITEMS, floor_cents=0))
    assert base.simulation is not None
    draws = what_if_draws(base.simulation, as_of=base.forecast.as_of, bill_ids={"b1", "b2"})
    moved = balances(draws, paid_on={"b1": 20}) - balances(draws, paid_on={"b1": 5})
    assert (moved[:, 4:19] == 123_456).all()
    assert (moved[:, :4] == 0).all()
    assert (moved[:, 19:] == 0).all()
    never = balances(draws, paid_on={"b1": 0}) - balances(draws, paid_on={"b1": 5})
    assert (never[:, 4:] == 123_456).all()


def _hand_drawn() -> WhatIfDraws:
    """Four draws of ten days, 1,000.00 in each until 600.00 leave on day 5, 6, 7 or never; one bill of 300.00, drawn for day 8."""
    paths = tuple(tuple(1_000 if day < first else 400 for day in range(1, 11)) for first in (5, 6, 7, 99))
    bill = OpenBillDays(bill_id="b1", cents=300_00, days=(8, 8, 8, 0))
    return WhatIfDraws(as_of=FRIDAY, horizon_days=10, unit_cents=UNIT_CENTS, paths=paths, bills=(bill,))


def test_a_payment_on_its_decided_day_changes_days_low_point_and_probability_as_by_hand() -> None:
    """Without it the draws end at 100, 100, 100 and 1,000; floor 200: below from day 8 on in three of four.

    Paid on day 3: 700 from then on, 100 from day 5, 6 and 7 on; the fourth keeps 700.
    """
    paid = SupposedPayment(bill_id="b1", on=FRIDAY + timedelta(days=3), cents=300_00)
    found = what_if_effect(_hand_drawn(), floor_cents=200_00, payments=[paid])
    assert found.before == WhatIfFigures(days=8, low_cents=100_00, below_floor_ppm=750_000)
    assert found.after == WhatIfFigures(days=6, low_cents=100_00, below_floor_ppm=750_000)
    assert (found.days, found.low_cents, found.below_floor_ppm, found.is_open_ended) == (-2, 0, 0, False)


def test_cash_below_the_floor_already_is_a_runway_of_no_days_as_in_the_headline() -> None:
    """A bill of 300 paid later changes no day: nothing is left to run. Draws of before say nothing of the opening."""
    base = forecasting(prepared([item(1, 5_000_00, label="in"), _BILL], floor_cents=0, cash=position(-500_00)))
    assert base.simulation is not None
    draws = what_if_draws(base.simulation, as_of=FRIDAY, bill_ids={"b1"})
    later = SupposedPayment(bill_id="b1", on=FRIDAY + timedelta(days=60), cents=300_00)
    found = what_if_effect(draws, floor_cents=0, payments=[later])
    assert (found.before.days, found.after.days, found.days) == (base.forecast.days, 0, 0) == (0, 0, 0)
    without = what_if_effect(replace(draws, opening_cents=None), floor_cents=0, payments=[later])
    assert without.before.days is None


def test_a_part_that_is_put_beyond_the_horizon_leaves_the_rest_where_it_was_drawn() -> None:
    """200 of the 300 paid after ten days: the three draws end at 300, above the floor of 200."""
    later = SupposedPayment(bill_id="b1", on=FRIDAY + timedelta(days=40), cents=200_00)
    found = what_if_effect(_hand_drawn(), floor_cents=200_00, payments=[later])
    assert found.after == WhatIfFigures(days=None, low_cents=300_00, below_floor_ppm=0)
    assert (found.days, found.is_open_ended, found.below_floor_ppm) == (3, True, -750_000)


def test_a_bill_that_the_forecast_does_not_hold_changes_nothing_and_is_named() -> None:
    unknown = SupposedPayment(bill_id="b9", on=FRIDAY, cents=1)
    found = what_if_effect(_hand_drawn(), floor_cents=200_00, payments=[unknown])
    assert (found.before, found.uncounted_bill_ids, found.counted_bill_ids) == (found.after, ("b9",), ())


def test_with_all_draws_kept_the_effect_is_that_of_deciding_the_bill_for_that_day() -> None:
    items, floor = [*_ITEMS, item(30, -900_000, label="Rent")], 250_000
    cash = position(1_000_000)
    base = forecasting(prepared(items, floor_cents=floor, cash=cash))
    assert base.simulation is not None
    draws = what_if_draws(base.simulation, as_of=base.forecast.as_of, bill_ids={"b1", "b2"})
    moved = [replace(one, expected_on=FRIDAY + timedelta(days=2)) if one.txn_id == "b2" else one for one in items]
    decided = forecasting(prepared(moved, floor_cents=floor, cash=cash))
    payment = SupposedPayment(bill_id="b2", on=FRIDAY + timedelta(days=2), cents=70_001)
    found = what_if_effect(draws, floor_cents=floor, payments=[payment])
    assert (found.before.days, found.after.days, found.days) == (40, 30, -10)
    for figures, forecast in ((found.before, base.forecast), (found.after, decided.forecast)):
        assert forecast.low is not None
        assert (figures.days, figures.below_floor_ppm) == (forecast.days, forecast.below_floor_ppm)
        assert abs(figures.low_cents - forecast.low.band.p50_cents) <= UNIT_CENTS // 2
