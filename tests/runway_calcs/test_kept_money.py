"""What reserves give free for payments that come whatever is planned, and what they keep for bills, by hand."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from runway_calcs.flow_kinds import FlowKind
from runway_calcs.forecast.current import committed_outflows
from runway_calcs.forecast.dated_items import DatedItem
from runway_calcs.forecast.earmarks import PurposeReserve
from runway_calcs.forecast.kept_money import committed_released, decided_beside_reserves, left_for_bills
from runway_calcs.forecast.simulation import Simulation, simulate
from tests.runway_calcs.builders import position
from tests.runway_calcs.forecasts import POLICY, item, prepared, with_days


def reserve(cents: int, *purposes: FlowKind, vendors: Sequence[str] = (), reserve_id: str = "r") -> PurposeReserve:
    return PurposeReserve(
        reserve_id=reserve_id,
        held_cents=cents,
        purposes=frozenset(purposes),
        label="kept",
        vendor_ids=frozenset(vendors),
    )


def drawn(items: Sequence[DatedItem], *reserves: PurposeReserve, draws: int = 10) -> Simulation:
    found = prepared(items, cash=position(15_000_00), reserves=reserves, policy=replace(POLICY, draws=draws))
    return simulate(found, seed=1)


def by_day(cents: Sequence[int]) -> dict[int, int]:
    return {day + 1: one for day, one in enumerate(cents) if one}


TAX = item(5, -10_000_00, FlowKind.TAX, label="Tax office")
ROOF_DECIDED = item(5, -4_000_00, FlowKind.HELD_BILL, label="roofer", txn_id="1")
ROOF_OPEN = item(3, -2_500_00, label="roofer", txn_id="2")


@pytest.mark.parametrize(
    ("kept", "free"),
    [
        pytest.param([], {}, id="without a reserve nothing"),
        pytest.param([reserve(10_000_00, FlowKind.TAX)], {5: 10_000_00}, id="all of it"),
        pytest.param([reserve(12_000_00, FlowKind.TAX)], {5: 10_000_00}, id="as far as the payment goes"),
        pytest.param([reserve(6_000_00, FlowKind.TAX)], {5: 6_000_00}, id="as far as it goes"),
        pytest.param([reserve(10_000_00, FlowKind.PAYROLL)], {}, id="not for another purpose"),
        pytest.param(
            [reserve(6_000_00, FlowKind.TAX), reserve(6_000_00, FlowKind.TAX, reserve_id="s")],
            {5: 10_000_00},
            id="two never for the same payment",
        ),
    ],
)
def test_a_reserve_is_given_free_on_the_day_of_the_payment_that_it_is_for(
    kept: list[PurposeReserve], free: dict[int, int]
) -> None:
    assert by_day(committed_released(drawn([TAX], *kept))) == free


def test_it_is_given_free_in_the_same_draws_in_which_the_payment_is_made() -> None:
    """The tax is paid on day 5 in six of ten draws and on day 8 in four: 6,000.00 and 4,000.00 are expected, and given free."""
    base = drawn([TAX], reserve(10_000_00, FlowKind.TAX))
    days = np.array([[5] * 6 + [8] * 4], dtype="int64")
    found = with_days(base, days)
    assert by_day(committed_released(found)) == by_day(committed_outflows(found)) == {5: 6_000_00, 8: 4_000_00}


def test_an_open_bill_gives_nothing_free_and_a_decided_one_does() -> None:
    """7,000.00 for the roofer: 4,000.00 go with the decided bill, 3,000.00 are left, whatever is drawn for the open one."""
    base = drawn([ROOF_DECIDED, ROOF_OPEN], reserve(7_000_00, vendors=["roofer"]))
    assert by_day(committed_released(base)) == {5: 4_000_00}
    assert [(one.held_cents, one.vendor_ids) for one in left_for_bills(base)] == [(3_000_00, frozenset({"roofer"}))]


def test_what_any_draw_may_need_for_a_committed_payment_is_not_left_for_bills() -> None:
    """12,000.00 for the tax and the roofer: the tax takes 10,000.00 in one of ten draws, and never comes in the others."""
    base = drawn(
        [TAX], reserve(12_000_00, FlowKind.TAX, vendors=["roofer"]), reserve(500, FlowKind.TAX, reserve_id="s")
    )
    found = with_days(base, np.array([[5] + [95] * 9], dtype="int64"))
    assert [one.held_cents for one in left_for_bills(found)] == [2_000_00]
    assert left_for_bills(drawn([TAX])) == ()


@pytest.mark.parametrize(
    ("kept", "cents"),
    [
        pytest.param([], 4_000_00, id="without a reserve all of it"),
        pytest.param([reserve(4_000_00, vendors=["roofer"])], 0, id="nothing where it was drawn from a reserve"),
        pytest.param([reserve(1_000_00, vendors=["roofer"])], 3_000_00, id="the rest of what a reserve keeps"),
        pytest.param([reserve(9_000_00, vendors=["roofer"])], 0, id="a larger reserve adds nothing"),
        pytest.param([reserve(4_000_00, vendors=["printer"])], 4_000_00, id="all of it where another vendor is named"),
        pytest.param([reserve(4_000_00, FlowKind.TAX)], 4_000_00, id="all of it where a purpose is"),
    ],
)
@pytest.mark.parametrize("day", [5, 200])
def test_decided_bills_take_what_no_reserve_keeps_for_them_whatever_their_day(
    kept: list[PurposeReserve], cents: int, day: int
) -> None:
    decided = item(day, -4_000_00, FlowKind.HELD_BILL, label="roofer", txn_id="1")
    assert decided_beside_reserves(drawn([decided, ROOF_OPEN, TAX], *kept)) == cents
