"""Some draws in a small form give back the balances of the whole simulation."""

import numpy as np

from runway_calcs.flow_kinds import FlowKind
from runway_calcs.forecast.what_if_draws import UNIT_CENTS, balances, what_if_draws
from tests.runway_calcs.forecasts import forecasting, item, prepared

_ITEMS = [
    item(5, -123_456, FlowKind.BILL, label="Harbor", txn_id="b1"),
    item(40, -70_001, FlowKind.BILL, label="Ostrava", txn_id="b2"),
    item(9, 400_000, FlowKind.INVOICE, label="Northwind", txn_id="i1"),
    item(14, -90_050, FlowKind.PAYROLL, label="Payroll"),
]


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
