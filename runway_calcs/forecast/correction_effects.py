"""What a correction of the books does to the forecast: made again with the correction, on the same draws.

Belongs here: the callable that hygiene asks. Does not: defects (``hygiene``) and corrections (``books/corrections.py``).
"""

from dataclasses import dataclass
from functools import cached_property

from runway_calcs.books.books_at import books_after
from runway_calcs.books.corrections import Correction, Ledger, corrected
from runway_calcs.forecast.current import Forecasting
from runway_calcs.forecast.figures import day_of, first_below, low_water
from runway_calcs.forecast.prepared import ForecastInputs, prepare
from runway_calcs.forecast.simulation import DrawnBefore, Simulation, simulate
from runway_calcs.policy import CashPolicy, RecurringPolicy

Figures = tuple[int | None, int]
"""P50 runway in days (None: beyond the horizon) and P50 low-water mark in cents."""


def figures_of(base: Forecasting) -> Figures | None:
    """The figures of the forecast as it is; None without one."""
    return None if base.simulation is None else _figures(base.simulation, base)


@dataclass(frozen=True, kw_only=True)
class Recomputation:
    """A function from a correction to the figures of the forecast with it, for a forecast with draws.

    Payment timing is not fitted again: the effect is that of the corrected documents, not of a habit seen otherwise. What a
    correction cannot reach is not made again either (past cash, series, run-off, draws of other items): it would come out the
    same, to the bit.
    """

    ledger: Ledger
    base: Forecasting
    home_currency: str
    inputs: ForecastInputs
    cash_policy: CashPolicy
    recurring_policy: RecurringPolicy

    def __call__(self, correction: Correction) -> Figures:
        """The figures with a correction."""
        return _figures(self.draws(correction), self.base)

    def draws(self, correction: Correction) -> Simulation:
        """The draws with a correction."""
        base = self.base
        after = corrected(self.ledger, correction, at=base.prepared.at)
        books = books_after(
            after, before=self.ledger, base=base.books, home_currency=self.home_currency, policy=self.cash_policy
        )
        prepared = prepare(
            books,
            inputs=self.inputs,
            policy=base.prepared.policy,
            recurring_policy=self.recurring_policy,
            like=base.prepared,
            has_same_past=books.movements is base.books.movements and books.pieces is base.books.pieces,
        )
        return simulate(prepared, seed=base.forecast.seed, draws=base.forecast.draws, before=self._before)

    @cached_property
    def _before(self) -> DrawnBefore:
        assert self.base.simulation is not None, "asked for a forecast with draws only"
        return DrawnBefore(self.base.prepared, self.base.simulation)


def _figures(simulation: Simulation, base: Forecasting) -> Figures:
    balances = simulation.balances()
    first = first_below(balances, floor_cents=base.prepared.floor_cents)
    is_below = simulation.opening_cents < base.prepared.floor_cents
    days = 0 if is_below else day_of(first, level=0.5, horizon_days=simulation.horizon_days)
    return days, low_water(balances, as_of=base.prepared.at.as_of).band.p50_cents
