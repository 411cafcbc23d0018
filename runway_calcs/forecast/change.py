"""What changed since the last forecast, in three causes that sum exactly to the change.

Belongs here: the steps from the last forecast to this one, and what each moves. Does not: how good the last one was
(``score.py``), wording.

Both forecasts are looked at on the days that they share: from the day after this one's as-of day to the end of the last
one's horizon. Between them the inputs are swapped one group at a time, each on the draws of its own side:

    last forecast
      -> PAID       cash as it is now, and what was on the books last time as it stands now: received and paid earlier or
                    later than expected, and what was expected of the past days and did not come
      -> ENTERED    what was entered since, and the series as they stand, in place of what was expected to be entered
      -> ESTIMATED  the estimate of what is not entered yet, learned again, and the floor
    this forecast

A step's change is the difference of the same three figures before and after it: the P50 runway in days, the P50 low-water
mark, and the expected closing balance of the last shared day. So the causes of each figure sum to its change, to the cent.
"""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum

import numpy as np

from runway_calcs.flow_kinds import FlowKind, Layer
from runway_calcs.forecast.current import Forecasting
from runway_calcs.forecast.dated_items import DatedItem
from runway_calcs.forecast.figures import band, day_of, expected_flows, expected_released, first_below
from runway_calcs.forecast.simulation import LATER, Simulation, draw_rest


class ChangeCause(StrEnum):
    """Why a forecast differs from the last one."""

    PAID = "received and paid otherwise than expected"
    ENTERED = "new documents and series"
    ESTIMATED = "estimate of what is not entered yet, and floor"


class ChangeState(StrEnum):
    """Whether the two forecasts can be compared."""

    COMPARED = "compared"
    NO_LAST_FORECAST = "no last forecast"
    """There was no cash figure, or there were no books, at the last point of view."""
    NOT_COMPUTABLE = "not computable"
    """There is no cash figure now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CauseOfChange:
    """What one cause moved; positive is longer, or more cash."""

    cause: ChangeCause
    days: int
    low_cents: int
    closing_cents: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ForecastChange:
    """The change from the last forecast to this one, on the days that both cover."""

    as_of: date
    last_as_of: date | None
    state: ChangeState
    reason: str
    """Why there is no comparison; empty otherwise."""
    shared_until: date | None
    """Last day that both cover."""
    last_until: date | None
    """P50 runway of the last forecast: first day below the floor, this one's as-of day where its cash was below it already;
    None beyond the shared days."""
    until: date | None
    """The same of this one."""
    days: int | None
    """Change of the P50 runway; a side beyond the shared days counts as the day after them."""
    is_open_ended: bool
    """One side lies beyond the shared days, so the change is at least (or at most) this."""
    last_low_cents: int | None
    low_cents: int | None
    """P50 low-water mark of the shared days, before and now."""
    last_closing_cents: int | None
    closing_cents: int | None
    """Expected balance at the end of the shared days, before and now."""
    causes: tuple[CauseOfChange, ...]
    """In the order of `ChangeCause`; empty without a comparison."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Figures:
    """The three figures of one step."""

    day: int
    """Of the P50 runway, counted from this forecast's as-of day: 0 where cash lies below the floor to begin with."""
    low_cents: int
    closing_cents: int


def forecast_change(last: Forecasting | None, now: Forecasting) -> ForecastChange:
    """The change since the last forecast (of an earlier day, same number of draws) and its causes.

    Raises:
        ValueError: the last forecast is not older, or has another number of draws.
    """
    as_of = now.forecast.as_of
    if now.simulation is None:
        return _without(as_of, last, state=ChangeState.NOT_COMPUTABLE, reason=now.forecast.reason)
    if last is None or last.simulation is None:
        reason = last.forecast.reason if last else "there are no books of an earlier week"
        return _without(as_of, last, state=ChangeState.NO_LAST_FORECAST, reason=reason)
    gap = (as_of - last.forecast.as_of).days
    shared = last.simulation.horizon_days - gap
    if gap < 1 or shared < 1 or last.simulation.draws != now.simulation.draws:
        raise ValueError(f"the last forecast ({last.forecast.as_of}) cannot be compared with that of {as_of}")
    steps = _steps(last, now, gap=gap, shared=shared)
    before, after = steps[0], steps[-1]

    def day(figures: _Figures) -> date | None:
        return as_of + timedelta(days=figures.day) if figures.day <= shared else None

    return ForecastChange(
        as_of=as_of,
        last_as_of=last.forecast.as_of,
        state=ChangeState.COMPARED,
        reason="",
        shared_until=as_of + timedelta(days=shared),
        last_until=day(before),
        until=day(after),
        days=after.day - before.day,
        is_open_ended=(day(before) is None) != (day(after) is None),
        last_low_cents=before.low_cents,
        low_cents=after.low_cents,
        last_closing_cents=before.closing_cents,
        closing_cents=after.closing_cents,
        causes=tuple(
            CauseOfChange(
                cause=cause,
                days=then.day - first.day,
                low_cents=then.low_cents - first.low_cents,
                closing_cents=then.closing_cents - first.closing_cents,
            )
            for cause, first, then in zip(ChangeCause, steps, steps[1:], strict=False)
        ),
    )


def _without(as_of: date, last: Forecasting | None, *, state: ChangeState, reason: str) -> ForecastChange:
    return ForecastChange(
        as_of=as_of,
        last_as_of=last.forecast.as_of if last else None,
        state=state,
        reason=reason,
        shared_until=None,
        last_until=None,
        until=None,
        days=None,
        is_open_ended=False,
        last_low_cents=None,
        low_cents=None,
        last_closing_cents=None,
        closing_cents=None,
        causes=(),
    )


def _steps(last: Forecasting, now: Forecasting, *, gap: int, shared: int) -> list[_Figures]:
    """The figures of the last forecast, after each swap, and of this one."""
    assert last.simulation is not None, "compared forecasts have draws"
    assert now.simulation is not None, "compared forecasts have draws"
    old_floor, floor = last.prepared.floor_cents, now.prepared.floor_cents
    paid = _paid(last.simulation, now.simulation, gap=gap, shared=shared)
    expected_rest = draw_rest(
        last.prepared.run_off, prepared=now.prepared, seed=now.forecast.seed, draws=now.simulation.draws
    )
    entered = replace(now.simulation, horizon_days=shared, rest_cents=expected_rest[:, :, :shared])
    ended = replace(now.simulation, horizon_days=shared, rest_cents=now.simulation.rest_cents[:, :, :shared])
    return [
        _figures(last.simulation, floor_cents=old_floor, gap=gap),
        _figures(paid, floor_cents=old_floor),
        _figures(entered, floor_cents=old_floor),
        _figures(ended, floor_cents=floor),
    ]


def _paid(old: Simulation, new: Simulation, *, gap: int, shared: int) -> Simulation:
    """Cash now and the documents known last time as they stand, with the series and the rest as expected last time."""
    known = {_document(item) for item in old.items if item.layer is Layer.DOCUMENTS}
    mine = [
        row
        for row, item in enumerate(new.items)
        if item.layer is Layer.DOCUMENTS and (item.kind is FlowKind.UNDEPOSITED or _document(item) in known)
    ]
    series = [row for row, item in enumerate(old.items) if item.layer is Layer.RECURRING]
    ahead = old.item_days[series] - gap
    return replace(
        new,
        horizon_days=shared,
        items=(*(new.items[row] for row in mine), *(old.items[row] for row in series)),
        item_days=np.concatenate([new.item_days[mine], np.where(ahead < 1, LATER, ahead)]),
        item_cents=np.concatenate([new.item_cents[mine], old.item_cents[series]]),
        rest_cents=old.rest_cents[:, :, gap:],
    )


def _document(item: DatedItem) -> str:
    """What an item is about, whatever has become of it: a bill stays the same bill once it is decided."""
    return f"{item.txn_type}:{item.txn_id}" if item.txn_id else item.item_id


def _figures(simulation: Simulation, *, floor_cents: int, gap: int = 0) -> _Figures:
    """Those of its days after the first `gap`."""
    flows = simulation.flows()
    moved = expected_flows(flows).sum(axis=0) + expected_released(simulation, flows)
    balances = simulation.balances(flows)[:, gap:]
    days = balances.shape[1]
    is_below = simulation.opening_cents < floor_cents
    day = 0 if is_below else day_of(first_below(balances, floor_cents=floor_cents), level=0.5, horizon_days=days)
    return _Figures(
        day=days + 1 if day is None else day,
        low_cents=band(balances.min(axis=1)).p50_cents,
        closing_cents=simulation.opening_cents + int(moved.sum()),
    )
