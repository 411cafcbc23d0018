"""Prepared forecasts of hand-picked items, for tests that know what must come out.

Belongs here: items with defaults, and a prepared forecast around them. Does not: books, expectations.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pandas as pd

from runway_calcs.books.books_at import BooksAt, Payers
from runway_calcs.books.cash import CashPosition
from runway_calcs.books.cash_pieces import COLUMNS as PIECE_COLUMNS
from runway_calcs.books.cash_pieces import CashHabits
from runway_calcs.flow_kinds import REST_KINDS, FlowKind, Layer
from runway_calcs.forecast.current import Forecasting
from runway_calcs.forecast.dated_items import DatedItem, Dating, item_order
from runway_calcs.forecast.earmarks import PurposeReserve
from runway_calcs.forecast.figures import cash_forecast, forecast_of
from runway_calcs.forecast.prepared import Prepared
from runway_calcs.forecast.run_off import RunOff
from runway_calcs.forecast.simulation import Simulation, simulate
from runway_calcs.policy import ForecastPolicy
from tests.runway_calcs.builders import FRIDAY, movements, point, position, waiting_later

POLICY = ForecastPolicy(draws=20, floor_cents=0)
NO_HABITS = CashHabits(undeposited_share={}, deposit_wait_days=(), card_share={})


def item(
    days: int,
    cents: int,
    kind: FlowKind | None = None,
    *,
    layer: Layer = Layer.DOCUMENTS,
    label: str = "somebody",
    txn_id: str = "",
    as_of: date = FRIDAY,
) -> DatedItem:
    """An amount on a certain day, so many days after the as-of day; with an id it is a bill or an invoice."""
    found = kind or (FlowKind.INVOICE if cents > 0 else FlowKind.BILL)
    txn_type = ("Invoice" if cents > 0 else "Bill") if txn_id else ""
    return DatedItem(
        item_id=f"{txn_type}:{txn_id}" if txn_id else f"{found}:{label}:{days}:{cents}",
        layer=layer,
        kind=found,
        amount_cents=cents,
        expected_on=as_of + timedelta(days=days),
        dating=Dating.CERTAIN,
        label=label,
        party_id=label,
        txn_type=txn_type,
        txn_id=txn_id,
        doc_number="",
        stream=label if layer is Layer.RECURRING else "",
        reason="",
    )


def no_run_off(policy: ForecastPolicy = POLICY) -> RunOff:
    """A history of nothing."""
    return RunOff(weeks=0, unknown_cents=np.zeros((0, policy.horizon_weeks, len(REST_KINDS), 7), dtype="int64"))


def prepared(
    items: Sequence[DatedItem] = (),
    *,
    cash: CashPosition | None = None,
    policy: ForecastPolicy = POLICY,
    floor_cents: int | None = None,
    floor_reason: str = "set for this tenant",
    reserves: Sequence[PurposeReserve] = (),
    run_off: RunOff | None = None,
) -> Prepared:
    """A forecast of these items alone."""
    held = cash or position()
    floor = floor_cents if floor_cents is not None else policy.floor_cents
    return Prepared(
        at=point(as_of=held.as_of),
        policy=policy,
        position=held,
        items=tuple(sorted(items, key=item_order)),
        timing={},
        series=(),
        spreads={},
        habits=NO_HABITS,
        run_off=run_off or no_run_off(policy),
        receipts_factor=1.0,
        reserves=tuple(reserves),
        floor_cents=floor or 0,
        floor_reason=floor_reason,
        floor_payroll=frozenset(),
        unused_vendor_credit_cents=0,
        unused_customer_credit_cents=0,
    )


def no_books(cash: CashPosition) -> BooksAt:
    """Books with a cash position and nothing else."""
    nothing = pd.DataFrame({name: [] for name in PIECE_COLUMNS})
    nothing = nothing.astype({"day": "datetime64[us]", "entered": "datetime64[us, UTC]"})
    payers = Payers(history=pd.DataFrame(), open_documents=pd.DataFrame())
    return BooksAt(
        at=point(as_of=cash.as_of),
        position=cash,
        movements=movements(),
        waiting_later=waiting_later(),
        payables=pd.DataFrame(),
        receivables=pd.DataFrame(),
        customers=payers,
        vendors=payers,
        pieces=nothing,
        habits=NO_HABITS,
    )


def forecasting(found: Prepared, *, seed: int = 1) -> Forecasting:
    """The draws and figures of a prepared forecast."""
    if found.opening_cents is None:
        figures = cash_forecast(found, seed=seed)
        return Forecasting(books=no_books(found.position), prepared=found, simulation=None, forecast=figures)
    simulation = simulate(found, seed=seed)
    return Forecasting(
        books=no_books(found.position),
        prepared=found,
        simulation=simulation,
        forecast=forecast_of(simulation, prepared=found, seed=seed),
    )


def with_days(simulation: Simulation, days: np.ndarray) -> Simulation:
    """The same draws with other days of the items: shape (item, draw)."""
    return replace(simulation, item_days=days)
