"""What reserves give free for payments that are decided or come anyway, and what they still keep for bills that are not.

Belongs here: the reserves' side of the cash that bills are planned from; its other sides are ``cautious_inflows`` and
``committed_outflows`` of ``current.py``. Does not: which bill gets the money (``runway_calcs/pay_plan/vendor_reserves.py``).

A simulation opens without what its reserves keep. Who counts a payment that they are for has to count what they give free for
it too, or the money is gone twice.
"""

from dataclasses import replace

import numpy as np

from runway_calcs.flow_kinds import FlowKind
from runway_calcs.forecast.earmarks import PurposeReserve
from runway_calcs.forecast.figures import expected_released
from runway_calcs.forecast.simulation import Simulation, released_each, with_items


def committed_released(simulation: Simulation) -> tuple[int, ...]:
    """Expected cents (not negative) that reserves give free on each day for what `committed_outflows` pays.

    Of the same draws and, like it, without open bills: their days are a plan's choice. Shape (day of the horizon).
    """
    committed = _without_open_bills(simulation)
    return tuple(int(cents) for cents in expected_released(committed, committed.flows()))


def left_for_bills(simulation: Simulation) -> tuple[PurposeReserve, ...]:
    """The reserves that name vendors, each with the cents that in every draw are left for bills not decided yet.

    What a committed payment takes at any time within the horizon is not left, so no plan uses it before that payment.
    """
    if not simulation.reserves:
        return ()
    committed = _without_open_bills(simulation)
    taken = committed.released_each(committed.flows())[:, :, -1].max(axis=1)
    left = [
        replace(reserve, held_cents=reserve.held_cents - int(cents))
        for reserve, cents in zip(simulation.reserves, taken, strict=True)
    ]
    return tuple(one for one in left if one.vendor_ids and one.held_cents)


def decided_beside_reserves(simulation: Simulation) -> int:
    """Cents that decided bills take of the opening balance, whatever their day: their amounts less what reserves keep for them."""
    held = [item for item in simulation.items if item.kind is FlowKind.HELD_BILL]
    no_flows = np.zeros((len(FlowKind), 1, 1), dtype="int64")
    bills = {vendor: no_flows[0].copy() for reserve in simulation.reserves for vendor in reserve.vendor_ids}
    for item in held:
        if item.party_id in bills:
            bills[item.party_id] += item.amount_cents
    return -sum(item.amount_cents for item in held) - int(released_each(simulation.reserves, no_flows, bills).sum())


def _without_open_bills(simulation: Simulation) -> Simulation:
    rows = [row for row, item in enumerate(simulation.items) if item.kind is not FlowKind.BILL]
    return with_items(
        simulation,
        items=[simulation.items[row] for row in rows],
        days=simulation.item_days[rows],
        cents=simulation.item_cents[rows],
    )
