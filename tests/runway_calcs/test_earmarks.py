"""What reserves keep beside the floor, and the cash that a funding plan fills them from, by hand."""

from dataclasses import replace
from datetime import timedelta

import pytest

from runway_calcs.flow_kinds import FlowKind
from runway_calcs.forecast.earmarks import Hold, PurposeReserve, beside_the_floor, with_draws
from runway_calcs.reserves.outlook import cash_outlook
from tests.runway_calcs.builders import FRIDAY, position
from tests.runway_calcs.forecasts import forecasting, item, prepared

PAYROLL, TAX = frozenset({FlowKind.PAYROLL}), frozenset({FlowKind.TAX})


def reserve(reserve_id: str, cents: int, purposes: frozenset[FlowKind] = frozenset()) -> PurposeReserve:
    return PurposeReserve(reserve_id=reserve_id, held_cents=cents, purposes=purposes, label=reserve_id)


@pytest.mark.parametrize(
    ("floor", "is_payroll", "kept"),
    [
        pytest.param(500, False, {"a": 300, "b": 400, "c": 200}, id="a floor of its own is kept on top"),
        pytest.param(500, True, {"b": 200, "c": 200}, id="the next payroll is in the payroll reserves, first by id"),
        pytest.param(900, True, {"c": 200}, id="a floor above them leaves nothing of them beside it"),
        pytest.param(0, True, {"a": 300, "b": 400, "c": 200}, id="without a floor everything is kept"),
    ],
)
def test_a_payroll_reserve_and_a_floor_that_is_the_next_payroll_are_the_same_money(
    *, floor: int, is_payroll: bool, kept: dict[str, int]
) -> None:
    held = [reserve("c", 200, TAX), reserve("b", 400, PAYROLL), reserve("a", 300, PAYROLL)]
    found = beside_the_floor(held, floor_cents=floor, is_floor_next_payroll=is_payroll)
    assert {one.reserve_id: one.held_cents for one in found} == kept


def test_what_a_payment_has_drawn_is_kept_until_it_is_made() -> None:
    own, other = (
        replace(reserve(name, cents), vendor_ids=frozenset({vendor}))
        for name, cents, vendor in (("roof", 40, "12"), ("tools", 70, "13"))
    )
    holds = [
        Hold(hold_id=name, bill_id=name, on=FRIDAY, amount_cents=90, label=name, drawn_from=of, drawn_cents=cents)
        for name, of, cents in (("h1", "roof", 60), ("h2", "tools", 20), ("h3", "closed", 5), ("h4", "roof", 1))
    ]
    found = with_draws([own, other], holds=holds, vendors={"h1": "12", "h2": "12", "h3": "14"})
    assert [(one.reserve_id, one.held_cents, sorted(one.vendor_ids), one.label) for one in found] == [
        ("roof", 100, ["12"], "roof"),
        ("tools", 70, ["13"], "tools"),
        # Drawn for somebody else than the reserve is for: kept for that vendor.
        ("tools:h2", 20, ["12"], "tools"),
        ("closed:h3", 5, ["14"], "h3"),
    ]


def test_the_cash_that_reserves_are_filled_from_is_the_same_whatever_is_in_them() -> None:
    """1,000.00, a payroll of 400.00 on the fifth day: 600.00 are left, and the reserve for it is no cash beside them."""
    items = [item(5, -400_00, FlowKind.PAYROLL, label="Payroll")]
    bare, kept = (
        cash_outlook(
            forecasting(prepared(items, cash=position(1_000_00), reserves=reserves)), gross_burn_cents_per_day=None
        )
        for reserves in ([], [reserve("pay", 400_00, PAYROLL), reserve("rest", 100_00)])
    )
    assert bare is not None
    assert kept is not None
    assert kept == bare
    assert [kept.balance_cents[kept.place(FRIDAY + timedelta(days=day))] for day in (4, 5)] == [1_000_00, 600_00]
