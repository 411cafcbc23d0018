"""What a forecast says to reserves: the cautious path they are filled from, and which purposes it pays for.

Belongs here: taking both from a forecast. Does not: targets and the plan (``targets.py``), the forecast itself.
"""

from collections.abc import Iterable, Mapping
from datetime import timedelta

from runway_calcs.flow_kinds import FlowKind
from runway_calcs.forecast.current import Forecasting, cautious_inflows
from runway_calcs.forecast.figures import ExpectedItem, ordered
from runway_calcs.forecast.simulation import Simulation
from runway_calcs.policy import ReservePolicy
from runway_calcs.reserves.targets import CashOutlook, ReserveKind, ReserveTarget

_CAUTIOUS = 0.1
_PURPOSES: Mapping[ReserveKind, FlowKind] = {ReserveKind.PAYROLL: FlowKind.PAYROLL, ReserveKind.TAX: FlowKind.TAX}
"""The other kinds have no payments of their own kind in a forecast."""


def cash_outlook(base: Forecasting, *, gross_burn_cents_per_day: int | None) -> CashOutlook | None:
    """The P10 balance of each day, the receipts that 8 of 10 courses reach, and the floor; None without a forecast."""
    forecast = base.forecast
    if base.simulation is None or forecast.floor_cents is None:
        return None
    return CashOutlook(
        as_of=forecast.as_of,
        floor_cents=forecast.floor_cents,
        is_floor_next_payroll=base.prepared.policy.floor_cents is None,
        balance_cents=_cash_cents(base.simulation, reserved_cents=forecast.reserved_cents),
        receipt_cents=cautious_inflows(base.simulation),
        gross_burn_cents_per_day=gross_burn_cents_per_day,
    )


def _cash_cents(simulation: Simulation, *, reserved_cents: int) -> tuple[int, ...]:
    """The P10 cash of each day, reserves included: a forecast's balances are without them until their purpose is paid."""
    flows = simulation.flows()
    cash = simulation.balances(flows) - simulation.released(flows) + reserved_cents
    return tuple(int(cents) for cents in ordered(cash, level=_CAUTIOUS))


def paid_within_path(
    targets: Iterable[ReserveTarget], items: Iterable[ExpectedItem], *, policy: ReservePolicy
) -> frozenset[str]:
    """Ids of the reserves for whose purpose the forecast expects a payment near their day."""
    expected = {(item.kind, item.expected_on) for item in items}
    near = timedelta(days=policy.purpose_days)
    return frozenset(
        target.reserve_id
        for target in targets
        if target.due_on is not None
        and any(kind is _PURPOSES.get(target.kind) and abs(on - target.due_on) <= near for kind, on in expected)
    )
