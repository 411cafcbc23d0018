"""The forecast as figures: weeks with their bands, the runway, the low-water mark, the chance of falling below the floor.

Belongs here: from draws to what is stored and read. Does not: the draws (``simulation.py``), wording (``experiences``).

The central path is the expected one: for each kind and day the mean over the draws, made whole cents so that the sums
stay exact. So a week rolls (opening + receipts - disbursements = closing), the kinds sum to it, and the weeks sum to the
horizon. Bands (P10, P50, P90) are taken from the draws of each figure itself; medians do not add up, means do.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from runway_calcs.books.as_of import Basis
from runway_calcs.books.cash import CashState
from runway_calcs.flow_kinds import (
    DISBURSEMENT_KINDS,
    KIND_NUMBER,
    RECEIPT_KINDS,
    FlowKind,
    Layer,
)
from runway_calcs.forecast.prepared import Prepared, payroll_floor
from runway_calcs.forecast.simulation import Cents, Simulation, simulate

_LOW, _MIDDLE, _HIGH = 0.1, 0.5, 0.9
_MOST_BEFORE = 3
"""Before a cautious day at most so many times its level are below the floor."""
_WEEK = 7

BASIS_TEXT = (
    "Counts what is on the books at the day its payer usually pays, what recurs, and, by how past weeks came about, "
    "what is not entered yet. The bands hold 8 of 10 simulated courses."
)


class RunwayState(StrEnum):
    """How the runway question is answered."""

    NO_DATA = "no data"
    NOT_COMPUTABLE = "not computable"
    ALREADY_BELOW = "already below"
    """Today's cash, reserves apart, is under the floor."""
    BURNING = "burning"
    """In at least half of the draws the balance falls below the floor within the horizon."""
    BEYOND_HORIZON = "beyond horizon"
    """In more than half of the draws it stays at or above the floor on every day of the horizon."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """A figure of the draws: the values that 10, 50 and 90 % of them do not exceed."""

    p10_cents: int
    p50_cents: int
    p90_cents: int


@dataclass(frozen=True, slots=True, kw_only=True)
class KindTotal:
    """Expected sum of one kind of flow within a week, positive for both directions."""

    kind: FlowKind
    amount_cents: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ForecastWeek:
    """One column of the 13-week table. Opening + receipts - disbursements = closing; closing = next opening."""

    number: int
    """1 to 13; week 1 starts on the day after the as-of day."""
    first_day: date
    last_day: date
    opening_cents: int
    """Expected path; so are the other plain figures."""
    receipts_cents: int
    disbursements_cents: int
    """Positive."""
    released_cents: int
    """Reserves given free against their purpose; 0 without reserves."""
    closing_cents: int
    """Opening + receipts - disbursements + released."""
    receipts: tuple[KindTotal, ...]
    """In the order of `RECEIPT_KINDS`, every kind present."""
    disbursements: tuple[KindTotal, ...]
    """In the order of `DISBURSEMENT_KINDS`, every kind present."""
    receipts_band: Band
    disbursements_band: Band
    closing_band: Band
    below_floor_ppm: int
    """Probability, in millionths, that the balance ends some day of the week below the floor."""
    below_floor_by_then_ppm: int
    """The same for any day up to the end of the week."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ForecastDay:
    """Balance at the end of a day: expected path and band."""

    day: date
    expected_cents: int
    band: Band


@dataclass(frozen=True, slots=True, kw_only=True)
class LowWater:
    """The lowest end-of-day balance of the horizon."""

    band: Band
    on: date
    """Median of the days on which the draws are lowest (the first such day of each)."""
    earliest_on: date
    latest_on: date
    """P10 and P90 of these days."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedItem:
    """An amount that the forecast counts in the layers (a) and (b)."""

    item_id: str
    layer: Layer
    kind: FlowKind
    label: str
    txn_type: str
    txn_id: str
    doc_number: str
    amount_cents: int
    """Signed, expected over the draws whatever their day."""
    expected_on: date
    """Median day of the draws; beyond the horizon it is the day after its end."""
    p10_on: date
    p90_on: date
    within_week_ppm: int
    """Probability, in millionths, that it comes within the first week."""
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CashForecast:
    """The forecast of a tenant's cash: what it is, how sure, and why."""

    as_of: date
    known_until: datetime
    """Aware UTC: what was known later does not exist for this forecast."""
    basis: Basis
    state: RunwayState
    reason: str
    """Why there is no forecast; empty when there is one."""
    cash_cents: int | None
    reserved_cents: int
    """Held by reserves: not in the balances until their purpose is paid."""
    floor_cents: int | None
    floor_reason: str
    covered_until: date | None
    """P50: first day on which half of the draws have been below the floor. None unless BURNING."""
    days: int | None
    """Days from the as-of day to `covered_until`; 0 when ALREADY_BELOW; None otherwise."""
    cautious_until: date | None
    """P10: the day before which a tenth of the draws have been below the floor, on average over such dates (`cautious_day`);
    None beyond the horizon."""
    cautious_days: int | None
    """Days to `cautious_until`; 0 when ALREADY_BELOW."""
    horizon_end: date
    low: LowWater | None
    below_floor_ppm: int | None
    """Probability, in millionths, that the balance ends any day of the horizon below the floor."""
    weeks: tuple[ForecastWeek, ...]
    daily: tuple[ForecastDay, ...]
    items: tuple[ExpectedItem, ...]
    """Layers (a) and (b) by day, kind, label and id."""
    unused_vendor_credit_cents: int
    unused_customer_credit_cents: int
    history_weeks: int
    """Whole weeks of cash movements behind layer (c)."""
    is_history_short: bool
    history_note: str
    """What a short history means for the forecast; empty otherwise."""
    draws: int
    seed: int
    basis_text: str


def cash_forecast(prepared: Prepared, *, seed: int, draws: int | None = None) -> CashForecast:
    """The forecast of a point of view; without a cash figure it says so and carries no number."""
    if prepared.opening_cents is None:
        return _without_figures(prepared, seed=seed)
    return forecast_of(simulate(prepared, seed=seed, draws=draws), prepared=prepared, seed=seed)


def forecast_of(simulation: Simulation, *, prepared: Prepared, seed: int) -> CashForecast:
    """The figures of these draws."""
    flows = simulation.flows()
    balances = simulation.balances(flows)
    floor, as_of, policy = prepared.floor_cents, prepared.at.as_of, prepared.policy
    first = first_below(balances, floor_cents=floor)
    median = day_of(first, level=_MIDDLE, horizon_days=simulation.horizon_days)
    cautious = cautious_day(first, level=_LOW, horizon_days=simulation.horizon_days)
    state = _state(simulation.opening_cents, floor_cents=floor, median=median)
    is_below = state is RunwayState.ALREADY_BELOW
    is_burning = state is RunwayState.BURNING
    items = _items(simulation, prepared=prepared)
    return CashForecast(
        as_of=as_of,
        known_until=prepared.at.known_until,
        basis=prepared.at.basis,
        state=state,
        reason="",
        cash_cents=prepared.position.cash_cents,
        reserved_cents=prepared.reserved_cents,
        floor_cents=floor,
        floor_reason=_floor_reason(items, prepared=prepared),
        covered_until=as_of + timedelta(days=median) if is_burning and median else None,
        days=0 if is_below else median,
        cautious_until=None if is_below or cautious is None else as_of + timedelta(days=cautious),
        cautious_days=0 if is_below else cautious,
        horizon_end=policy.horizon_end(as_of),
        low=low_water(balances, as_of=as_of),
        below_floor_ppm=_ppm(first <= simulation.horizon_days),
        weeks=_weeks(simulation, flows=flows, balances=balances, prepared=prepared),
        daily=_daily(simulation, flows=flows, balances=balances, as_of=as_of),
        items=items,
        unused_vendor_credit_cents=prepared.unused_vendor_credit_cents,
        unused_customer_credit_cents=prepared.unused_customer_credit_cents,
        history_weeks=prepared.run_off.weeks,
        is_history_short=prepared.run_off.weeks < policy.enough_weeks,
        history_note=_history_note(prepared),
        draws=simulation.draws,
        seed=seed,
        basis_text=BASIS_TEXT,
    )


def _without_figures(prepared: Prepared, *, seed: int) -> CashForecast:
    is_empty = prepared.position.state is CashState.NO_DATA
    as_of = prepared.at.as_of
    return CashForecast(
        as_of=as_of,
        known_until=prepared.at.known_until,
        basis=prepared.at.basis,
        state=RunwayState.NO_DATA if is_empty else RunwayState.NOT_COMPUTABLE,
        reason=prepared.position.reason,
        cash_cents=None,
        reserved_cents=prepared.reserved_cents,
        floor_cents=None,
        floor_reason="",
        covered_until=None,
        days=None,
        cautious_until=None,
        cautious_days=None,
        horizon_end=prepared.policy.horizon_end(as_of),
        low=None,
        below_floor_ppm=None,
        weeks=(),
        daily=(),
        items=(),
        unused_vendor_credit_cents=prepared.unused_vendor_credit_cents,
        unused_customer_credit_cents=prepared.unused_customer_credit_cents,
        history_weeks=prepared.run_off.weeks,
        is_history_short=prepared.run_off.weeks < prepared.policy.enough_weeks,
        history_note=_history_note(prepared),
        draws=0,
        seed=seed,
        basis_text=BASIS_TEXT,
    )


def _floor_reason(items: tuple[ExpectedItem, ...], *, prepared: Prepared) -> str:
    """A payroll that is the floor is expected on the day on which its payment is shown."""
    days = [one.expected_on for one in items if one.item_id in prepared.floor_payroll]
    return payroll_floor(min(days)) if days else prepared.floor_reason


def _history_note(prepared: Prepared) -> str:
    weeks, enough = prepared.run_off.weeks, prepared.policy.enough_weeks
    if weeks >= enough:
        return ""
    if weeks <= 1:
        return "no history yet: nothing but what is on the books and recurs is counted"
    return f"{weeks} weeks of history; from {enough} on the estimate of what is not entered yet is steady"


def _state(opening_cents: int, *, floor_cents: int, median: int | None) -> RunwayState:
    if opening_cents < floor_cents:
        return RunwayState.ALREADY_BELOW
    return RunwayState.BEYOND_HORIZON if median is None else RunwayState.BURNING


def first_below(balances: Cents, *, floor_cents: int) -> NDArray[np.int64]:
    """The first day below the floor in each draw (from 1); the day after the horizon where there is none."""
    below = balances < floor_cents
    found: NDArray[np.int64] = np.where(below.any(axis=1), below.argmax(axis=1) + 1, balances.shape[1] + 1)
    return found


def day_of(first: NDArray[np.int64], *, level: float, horizon_days: int) -> int | None:
    """The first day on which at least this share of the draws have been below the floor; None beyond the horizon."""
    day = int(ordered(first, level=level))
    return day if day <= horizon_days else None


def cautious_day(first: NDArray[np.int64], *, level: float, horizon_days: int) -> int | None:
    """The day before which the share of the draws below the floor is a level, on average over days; None beyond the horizon.

    Balances fall in lumps, on paydays: no day has exactly the share asked for, and before the first day by which so many
    draws are below it is mostly far smaller. So that day is meant or the one after it: the latter where the logarithmic mean
    of their two shares is below the level, which meets it about on average, as payment timing does with its levels; but
    never with more than three times the level before it.
    """
    day = int(ordered(first, level=level))
    # Half a draw where there is none: what a thousand draws do not show is rare, not impossible.
    before, then = (max(float(np.count_nonzero(first < on)), 0.5) / len(first) for on in (day, day + 1))
    if (then - before) / np.log(then / before) < level and then <= _MOST_BEFORE * level:
        day += 1
    return day if day <= horizon_days else None


def ordered(values: NDArray[np.int64], *, level: float) -> NDArray[np.int64]:
    """The smallest value that at least this share of the draws (first axis) do not exceed: always a drawn value."""
    rank = int(np.ceil(level * len(values) - 1e-9)) - 1
    found: NDArray[np.int64] = np.partition(values, rank, axis=0)[rank]
    return found


def band(values: NDArray[np.int64]) -> Band:
    """The band of one figure over the draws."""
    low, middle, high = (int(ordered(values, level=level)) for level in (_LOW, _MIDDLE, _HIGH))
    return Band(p10_cents=low, p50_cents=middle, p90_cents=high)


def _ppm(happens: NDArray[np.bool_]) -> int:
    return int(np.count_nonzero(happens)) * 1_000_000 // len(happens)


def low_water(balances: Cents, *, as_of: date) -> LowWater:
    """The lowest balance of each draw, and its day."""
    days = balances.argmin(axis=1) + 1
    early, middle, late = (as_of + timedelta(days=int(ordered(days, level=level))) for level in (_LOW, _MIDDLE, _HIGH))
    return LowWater(band=band(balances.min(axis=1)), on=middle, earliest_on=early, latest_on=late)


def expected_flows(flows: Cents) -> Cents:
    """The expected path: mean over the draws in whole cents, shape (kind, day).

    Rounded on the running sum of each kind, so that no cent is lost however many days are added up.
    """
    running = np.cumsum(flows.sum(axis=1), axis=1)
    draws = flows.shape[1]
    whole = (2 * running + draws) // (2 * draws)
    found: Cents = np.diff(whole, axis=1, prepend=0)
    return found


def expected_released(simulation: Simulation, flows: Cents) -> Cents:
    """What reserves give free on each day of the expected path."""
    if not simulation.reserves:
        return np.zeros(flows.shape[2], dtype="int64")
    running = simulation.released(flows).sum(axis=0)
    draws = flows.shape[1]
    found: Cents = np.diff((2 * running + draws) // (2 * draws), prepend=0)
    return found


def _weeks(simulation: Simulation, *, flows: Cents, balances: Cents, prepared: Prepared) -> tuple[ForecastWeek, ...]:
    count = simulation.horizon_days // _WEEK
    by_week = flows.reshape(len(FlowKind), simulation.draws, count, _WEEK).sum(axis=3)
    expected = expected_flows(flows).reshape(len(FlowKind), count, _WEEK).sum(axis=2)
    free = expected_released(simulation, flows).reshape(count, _WEEK).sum(axis=1)
    below: NDArray[np.bool_] = np.any((balances < prepared.floor_cents).reshape(simulation.draws, count, _WEEK), axis=2)
    ins = by_week[[KIND_NUMBER[kind] for kind in RECEIPT_KINDS]].sum(axis=0)
    outs = -by_week[[KIND_NUMBER[kind] for kind in DISBURSEMENT_KINDS]].sum(axis=0)
    weeks: list[ForecastWeek] = []
    opening = simulation.opening_cents
    for week in range(count):
        receipts = _totals(expected[:, week], kinds=RECEIPT_KINDS, sign=1)
        disbursements = _totals(expected[:, week], kinds=DISBURSEMENT_KINDS, sign=-1)
        received = sum(total.amount_cents for total in receipts)
        paid = sum(total.amount_cents for total in disbursements)
        first = prepared.at.as_of + timedelta(days=_WEEK * week + 1)
        weeks.append(
            ForecastWeek(
                number=week + 1,
                first_day=first,
                last_day=first + timedelta(days=_WEEK - 1),
                opening_cents=opening,
                receipts_cents=received,
                disbursements_cents=paid,
                released_cents=int(free[week]),
                closing_cents=opening + received - paid + int(free[week]),
                receipts=receipts,
                disbursements=disbursements,
                receipts_band=band(ins[:, week]),
                disbursements_band=band(outs[:, week]),
                closing_band=band(balances[:, _WEEK * (week + 1) - 1]),
                below_floor_ppm=_ppm(below[:, week]),
                below_floor_by_then_ppm=_ppm(np.logical_or.accumulate(below, axis=1)[:, week]),
            )
        )
        opening = weeks[-1].closing_cents
    return tuple(weeks)


def _totals(expected: Cents, *, kinds: Sequence[FlowKind], sign: int) -> tuple[KindTotal, ...]:
    return tuple(KindTotal(kind=kind, amount_cents=sign * int(expected[KIND_NUMBER[kind]])) for kind in kinds)


def _daily(simulation: Simulation, *, flows: Cents, balances: Cents, as_of: date) -> tuple[ForecastDay, ...]:
    moved = expected_flows(flows).sum(axis=0) + expected_released(simulation, flows)
    expected = simulation.opening_cents + np.cumsum(moved)
    low, middle, high = (ordered(balances, level=level) for level in (_LOW, _MIDDLE, _HIGH))
    return tuple(
        ForecastDay(
            day=as_of + timedelta(days=number + 1),
            expected_cents=int(expected[number]),
            band=Band(p10_cents=int(low[number]), p50_cents=int(middle[number]), p90_cents=int(high[number])),
        )
        for number in range(simulation.horizon_days)
    )


def _items(simulation: Simulation, *, prepared: Prepared) -> tuple[ExpectedItem, ...]:
    if not simulation.items:
        return ()
    as_of, beyond = prepared.at.as_of, simulation.horizon_days + 1
    days = np.minimum(simulation.item_days, beyond).T
    low, middle, high = (ordered(days, level=level) for level in (_LOW, _MIDDLE, _HIGH))
    soon = np.count_nonzero(simulation.item_days <= _WEEK, axis=1) * 1_000_000 // simulation.draws
    cents = (2 * simulation.item_cents.sum(axis=1) + simulation.draws) // (2 * simulation.draws)
    found = [
        ExpectedItem(
            item_id=item.item_id,
            layer=item.layer,
            kind=item.kind,
            label=item.label,
            txn_type=item.txn_type,
            txn_id=item.txn_id,
            doc_number=item.doc_number,
            amount_cents=int(cents[row]),
            expected_on=as_of + timedelta(days=int(middle[row])),
            p10_on=as_of + timedelta(days=int(low[row])),
            p90_on=as_of + timedelta(days=int(high[row])),
            within_week_ppm=int(soon[row]),
            reason=item.reason,
        )
        for row, item in enumerate(simulation.items)
    ]
    return tuple(sorted(found, key=lambda one: (one.expected_on, KIND_NUMBER[one.kind], one.label, one.item_id)))
