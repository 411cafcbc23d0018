"""The whole chain of calculators on one set of frames, as the Friday run puts it together.

Belongs here: calling them in order. Does not: expectations.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass

import pandas as pd

from runway_calcs.books.ageing import Ageing, ageing
from runway_calcs.books.as_of import AsOf
from runway_calcs.books.books_at import with_positions
from runway_calcs.books.burn import Burn, burn
from runway_calcs.books.cash import CashPosition, cash_position
from runway_calcs.books.corrections import Ledger
from runway_calcs.books.movements import cash_movements
from runway_calcs.books.open_items import open_items
from runway_calcs.forecast.current import Forecasting, current_forecast
from runway_calcs.forecast.prepared import ForecastInputs
from runway_calcs.policy import BurnPolicy, CashPolicy, ForecastPolicy, RecurringPolicy
from tests.runway_calcs.ledger import Frames


@dataclass(frozen=True, slots=True, kw_only=True)
class Friday:
    """Everything that one tenant's Friday calculates."""

    payables: pd.DataFrame
    receivables: pd.DataFrame
    movements: pd.DataFrame
    position: CashPosition
    payables_ageing: Ageing
    burn: Burn
    forecasting: Forecasting

    @property
    def frames(self) -> tuple[pd.DataFrame, ...]:
        """The results that are frames."""
        return (self.payables, self.receivables, self.movements)

    @property
    def records(self) -> tuple[object, ...]:
        """The results that are values."""
        forecast = self.forecasting.forecast
        return (self.position, self.payables_ageing, self.burn, self.forecasting.prepared.series, forecast)


DRAWS = 40


def ledger_of(frames: Frames) -> Ledger:
    """The frames as a forecast takes them."""
    return Ledger(
        documents=frames.documents,
        applications=frames.applications,
        postings=frames.postings,
        accounts=frames.accounts,
        parties=pd.DataFrame(),
        terms=pd.DataFrame(),
    )


def friday(frames: Frames, *, at: AsOf) -> Friday:
    """The calculators in the order of the asset graph."""
    cash = CashPolicy()
    payables = open_items(frames.documents, frames.applications, side="payables", at=at)
    receivables = open_items(frames.documents, frames.applications, side="receivables", at=at)
    position = cash_position(frames.accounts, frames.postings, at=at, home_currency="USD", policy=cash)
    movements = cash_movements(frames.postings, frames.accounts, position=position, at=at, policy=cash)
    books = with_positions(
        ledger_of(frames),
        at=at,
        policy=cash,
        position=position,
        movements=movements,
        payables=payables,
        receivables=receivables,
    )
    return Friday(
        payables=payables,
        receivables=receivables,
        movements=movements,
        position=position,
        payables_ageing=ageing(payables, as_of=at.as_of),
        burn=burn(movements, as_of=at.as_of, cash_cents=position.cash_cents, policy=BurnPolicy()),
        forecasting=current_forecast(
            books,
            inputs=ForecastInputs(),
            policy=ForecastPolicy(draws=DRAWS),
            recurring_policy=RecurringPolicy(),
            seed=5,
        ),
    )


def leaves(value: object, *, name: str = "") -> Iterator[tuple[str, object]]:
    """Every plain value inside a result, with the name of its field."""
    if is_dataclass(value):
        for field in fields(value):
            yield from leaves(getattr(value, field.name), name=field.name)
    elif isinstance(value, tuple | frozenset):
        for item in value:
            yield from leaves(item, name=name)
    else:
        yield name, value
