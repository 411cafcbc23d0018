"""The whole chain of calculators on one set of frames, as the Friday run puts it together.

Belongs here: calling them in order. Does not: expectations.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass

import pandas as pd

from runway_calcs.ageing import Ageing, ageing
from runway_calcs.as_of import AsOf
from runway_calcs.burn import Burn, burn
from runway_calcs.cash import CashPosition, cash_position
from runway_calcs.collection import ExpectedCollection, expected_collections
from runway_calcs.dated_flows import DatedFlows, dated_flows
from runway_calcs.movements import cash_movements
from runway_calcs.open_items import open_items
from runway_calcs.policy import BurnPolicy, CashPolicy, CollectionPolicy, ProjectionPolicy, RecurringPolicy
from runway_calcs.projection import CashRunway, cash_runway
from runway_calcs.recurring import RecurringFlow, recurring_outflows
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
    collections: tuple[ExpectedCollection, ...]
    recurring: tuple[RecurringFlow, ...]
    flows: DatedFlows
    runway: CashRunway

    @property
    def frames(self) -> tuple[pd.DataFrame, ...]:
        """The results that are frames."""
        return (self.payables, self.receivables, self.movements)

    @property
    def records(self) -> tuple[object, ...]:
        """The results that are values."""
        records = (self.position, self.payables_ageing, self.burn, self.collections, self.recurring)
        return (*records, self.flows, self.runway)


def friday(frames: Frames, *, at: AsOf) -> Friday:
    """The calculators in the order of the asset graph."""
    cash, projection = CashPolicy(), ProjectionPolicy()
    payables = open_items(frames.documents, frames.applications, side="payables", at=at)
    receivables = open_items(frames.documents, frames.applications, side="receivables", at=at)
    position = cash_position(frames.accounts, frames.postings, at=at, home_currency="USD", policy=cash)
    movements = cash_movements(frames.postings, frames.accounts, position=position, at=at, policy=cash)
    collections = expected_collections(frames.documents, frames.applications, at=at, policy=CollectionPolicy())
    recurring = recurring_outflows(
        movements, as_of=at.as_of, horizon_end=projection.horizon_end(at.as_of), policy=RecurringPolicy()
    )
    flows = dated_flows(
        position=position,
        payables=payables,
        receivables=receivables,
        collections=collections,
        recurring=recurring,
        movements=movements,
        policy=projection,
    )
    return Friday(
        payables=payables,
        receivables=receivables,
        movements=movements,
        position=position,
        payables_ageing=ageing(payables, as_of=at.as_of),
        burn=burn(movements, as_of=at.as_of, cash_cents=position.cash_cents, policy=BurnPolicy()),
        collections=collections,
        recurring=recurring,
        flows=flows,
        runway=cash_runway(position=position, flows=flows, policy=projection),
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
