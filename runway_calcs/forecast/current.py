"""The current forecast: as of today's books.

Belongs here: a point of view and its inputs to a forecast; what others take from its draws (cautious inflows, committed
outflows). Does not: past weeks (``historical.py``), what-ifs (``scenario.py``).
"""

from dataclasses import dataclass

import numpy as np

from runway_calcs.books.books_at import BooksAt
from runway_calcs.flow_kinds import DISBURSEMENT_KINDS, KIND_NUMBER, RECEIPT_KINDS, FlowKind
from runway_calcs.forecast.figures import CashForecast, cash_forecast, expected_flows, forecast_of, ordered
from runway_calcs.forecast.prepared import ForecastInputs, Prepared, prepare
from runway_calcs.forecast.simulation import Simulation, simulate
from runway_calcs.policy import ForecastPolicy, RecurringPolicy


@dataclass(frozen=True, kw_only=True)
class Forecasting:
    """A forecast with all that it was made from: what scenarios, changes, plans and priorities start from."""

    books: BooksAt
    prepared: Prepared
    simulation: Simulation | None
    """None without a cash figure."""
    forecast: CashForecast


def current_forecast(
    books: BooksAt,
    *,
    inputs: ForecastInputs,
    policy: ForecastPolicy,
    recurring_policy: RecurringPolicy,
    seed: int,
) -> Forecasting:
    """The forecast of these books; the same books, inputs and seed give the same figures."""
    prepared = prepare(books, inputs=inputs, policy=policy, recurring_policy=recurring_policy)
    if prepared.opening_cents is None:
        figures = cash_forecast(prepared, seed=seed)
        return Forecasting(books=books, prepared=prepared, simulation=None, forecast=figures)
    simulation = simulate(prepared, seed=seed)
    figures = forecast_of(simulation, prepared=prepared, seed=seed)
    return Forecasting(books=books, prepared=prepared, simulation=simulation, forecast=figures)


def cautious_inflows(simulation: Simulation, *, level: float = 0.2) -> tuple[int, ...]:
    """Cents received on each day of the horizon, such that the sum up to any day is reached in 1 - `level` of the draws.

    The quantile is taken of the running totals: that of single days would be zero nearly everywhere.
    """
    received = simulation.flows()[[KIND_NUMBER[kind] for kind in RECEIPT_KINDS]].sum(axis=0)
    running = ordered(np.cumsum(received, axis=1), level=level)
    # Two draws may take back more than they bring on a day; a cautious total never falls for that.
    return tuple(int(cents) for cents in np.diff(np.maximum.accumulate(running), prepend=0))


def committed_outflows(simulation: Simulation) -> tuple[int, ...]:
    """Expected cents (positive) paid on each day of the horizon apart from open bills without a decision."""
    committed = [KIND_NUMBER[kind] for kind in DISBURSEMENT_KINDS if kind is not FlowKind.BILL]
    paid = -expected_flows(simulation.flows())[committed].sum(axis=0)
    return tuple(int(cents) for cents in paid)
