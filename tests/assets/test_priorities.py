"""The cash that bills are planned from, as the assets put it together from a forecast with reserves."""

from collections.abc import Sequence
from datetime import date

import pytest

from assets.priorities import cash_path, vendor_reserves
from runway_calcs.bills.payables import PayableBill, Tier
from runway_calcs.bills.payment_days import banking_days
from runway_calcs.flow_kinds import FlowKind
from runway_calcs.forecast.current import Forecasting
from runway_calcs.forecast.dated_items import DatedItem
from runway_calcs.forecast.earmarks import PurposeReserve
from runway_calcs.pay_plan.plan import PayPlan, pay_plan
from runway_calcs.policy import PlanPolicy, WaitingPolicy
from tests.runway_calcs.builders import FRIDAY, position
from tests.runway_calcs.forecasts import forecasting, item, prepared

BILL = PayableBill(
    bill_id="1",
    party_id="roofer",
    party_name="Roofer",
    open_cents=4_000_00,
    due_on=date(2026, 12, 4),
    tier=Tier.ON_TIME,
)
TAX = item(5, -10_000_00, FlowKind.TAX, label="Tax office")


def reserve(cents: int, *purposes: FlowKind, vendors: Sequence[str] = ()) -> PurposeReserve:
    return PurposeReserve(
        reserve_id="r", held_cents=cents, purposes=frozenset(purposes), label="kept", vendor_ids=frozenset(vendors)
    )


def forecast(cents: int, *items: DatedItem, kept: Sequence[PurposeReserve]) -> Forecasting:
    return forecasting(prepared(items, cash=position(cents), reserves=kept))


def plan(base: Forecasting) -> PayPlan:
    path = cash_path(base)
    assert path is not None
    return pay_plan(
        [BILL],
        as_of=FRIDAY,
        cash=path,
        vendor_credits=[],
        waiting=WaitingPolicy(),
        days=banking_days(currency="USD", as_of=FRIDAY),
        policy=PlanPolicy(),
        reserves=vendor_reserves(base),
    )


@pytest.mark.parametrize("kept", [[], [reserve(10_000_00, FlowKind.TAX)]])
def test_putting_money_by_for_a_payment_leaves_the_plan_what_it_was(kept: list[PurposeReserve]) -> None:
    """15,000.00, a tax of 10,000.00 in five days: 5,000.00 are left for the bill of 4,000.00, put by or not."""
    base = forecast(15_000_00, TAX, kept=kept)
    assert [day.expected_cents for day in base.forecast.daily[4:]] == [5_000_00] * 87
    path = cash_path(base)
    assert path is not None
    assert path.balance_cents().tolist() == [day.expected_cents for day in base.forecast.daily]
    found = plan(base)
    assert (found.words, found.low_cents) == ("optimal", 1_000_00)
    assert [payment.paid_on for payment in found.bills[0].payments] == [BILL.due_on]


def test_a_decided_payment_that_has_drawn_on_a_reserve_is_paid_once() -> None:
    decided = item(5, -4_000_00, FlowKind.HELD_BILL, label="roofer", txn_id="9")
    path = cash_path(forecast(15_000_00, decided, kept=[reserve(4_000_00, vendors=["roofer"])]))
    assert path is not None
    assert set(path.balance_cents().tolist()) == {11_000_00}


def test_a_bill_is_planned_from_what_is_kept_for_its_vendor() -> None:
    base = forecast(4_000_00, kept=[reserve(4_000_00, vendors=["roofer"])])
    assert base.simulation is not None
    assert base.simulation.opening_cents == 0
    assert (plan(base).words, plan(base).low_cents) == ("optimal", 0)
