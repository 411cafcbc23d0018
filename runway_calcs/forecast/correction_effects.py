"""What a correction of the books does to the forecast: made again with the correction, on the same draws.

Belongs here: the callable that hygiene asks. Does not: defects (``hygiene``) and corrections (``books/corrections.py``).
"""

from collections.abc import Callable

from runway_calcs.books.books_at import books_at
from runway_calcs.books.corrections import Correction, Ledger, corrected
from runway_calcs.forecast.current import Forecasting
from runway_calcs.forecast.figures import day_of, first_below, low_water
from runway_calcs.forecast.prepared import ForecastInputs, prepare
from runway_calcs.forecast.simulation import Simulation, simulate
from runway_calcs.policy import CashPolicy, RecurringPolicy

Figures = tuple[int | None, int]
"""P50 runway in days (None: beyond the horizon) and P50 low-water mark in cents."""


def figures_of(base: Forecasting) -> Figures | None:
    """The figures of the forecast as it is; None without one."""
    return None if base.simulation is None else _figures(base.simulation, base)


def recomputation(
    ledger: Ledger,
    *,
    base: Forecasting,
    home_currency: str,
    inputs: ForecastInputs,
    cash_policy: CashPolicy,
    recurring_policy: RecurringPolicy,
) -> Callable[[Correction], Figures]:
    """A function from a correction to the figures of the forecast with it.

    Payment timing is not fitted again: the effect is that of the corrected documents, not of a habit seen otherwise.

    Raises:
        ValueError: the base has no cash figure.
    """
    if base.simulation is None:
        raise ValueError(f"without a cash figure nothing can be recomputed: {base.forecast.reason}")

    def recompute(correction: Correction) -> Figures:
        at = base.prepared.at
        books = books_at(corrected(ledger, correction, at=at), home_currency=home_currency, at=at, policy=cash_policy)
        prepared = prepare(
            books,
            inputs=inputs,
            policy=base.prepared.policy,
            recurring_policy=recurring_policy,
            like=base.prepared,
        )
        return _figures(simulate(prepared, seed=base.forecast.seed, draws=base.forecast.draws), base)

    return recompute


def _figures(simulation: Simulation, base: Forecasting) -> Figures:
    balances = simulation.balances()
    first = first_below(balances, floor_cents=base.prepared.floor_cents)
    is_below = simulation.opening_cents < base.prepared.floor_cents
    days = 0 if is_below else day_of(first, level=0.5, horizon_days=simulation.horizon_days)
    return days, low_water(balances, as_of=base.prepared.at.as_of).band.p50_cents
