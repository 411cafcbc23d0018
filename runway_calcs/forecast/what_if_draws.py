"""Some of a forecast's draws in a small form, for answering a what-if about open bills without the forecast.

Belongs here: which draws, their rounding, the balances that they give back, what payments on decided days change in them.
Does not: the draws (``simulation.py``), a what-if with all of them (``scenario.py``).

    balance(draw, day) = path(draw, day) - sum of the open bills paid by that day

Every tenth of a thousand draws is kept. Paths are rounded to whole units of the currency, so a balance is off by at most half
a unit; bills are taken off to the cent.
"""

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from runway_calcs.flow_kinds import FlowKind
from runway_calcs.forecast.figures import day_of, first_below, ordered
from runway_calcs.forecast.simulation import Simulation

Cents = NDArray[np.int64]

MOST_DRAWS = 100
UNIT_CENTS = 100
_MIDDLE, _PPM = 0.5, 1_000_000
NOT_WITHIN = 0
"""Day of a bill that does not leave this cash within the horizon."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenBillDays:
    """An open bill and the day on which each kept draw pays it."""

    bill_id: str
    cents: int
    """What the forecast counts of it: less open credits. Positive."""
    days: tuple[int, ...]
    """1 is the day after the as-of day; 0: not within the horizon, or by card."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatIfDraws:
    """Courses of the cash without the open bills, and the bills."""

    as_of: date
    horizon_days: int
    unit_cents: int
    paths: tuple[tuple[int, ...], ...]
    """For each kept draw, the balance at the end of each day in units, open bills not taken off."""
    bills: tuple[OpenBillDays, ...]
    """By id."""
    opening_cents: int | None = None
    """Cash of the as-of day less reserves; None in what was stored before it was kept."""


def what_if_draws(simulation: Simulation, *, as_of: date, bill_ids: Set[str]) -> WhatIfDraws:
    """Every so many draws, such that at most a hundred are kept; only these bills are taken out of the paths."""
    step = -(-simulation.draws // MOST_DRAWS)
    bills = [
        OpenBillDays(
            bill_id=item.txn_id,
            cents=-item.amount_cents,
            days=_days(simulation, row=row, step=step),
        )
        for row, item in enumerate(simulation.items)
        if item.kind is FlowKind.BILL and item.txn_id in bill_ids
    ]
    paths = simulation.balances()[::step].copy()
    for bill in bills:
        _pay(paths, days=bill.days, cents=-bill.cents)
    units = np.floor_divide(paths + UNIT_CENTS // 2, UNIT_CENTS)
    return WhatIfDraws(
        as_of=as_of,
        horizon_days=simulation.horizon_days,
        unit_cents=UNIT_CENTS,
        paths=tuple(tuple(int(value) for value in path) for path in units),
        bills=tuple(sorted(bills, key=lambda one: one.bill_id)),
        opening_cents=simulation.opening_cents,
    )


def balances(draws: WhatIfDraws, *, paid_on: Mapping[str, int]) -> Cents:
    """Balance in cents by kept draw and day; bills of `paid_on` on that day (0: not within the horizon), the others as drawn."""
    found: Cents = np.array(draws.paths, dtype="int64") * draws.unit_cents
    for bill in draws.bills:
        decided = paid_on.get(bill.bill_id)
        _pay(found, days=bill.days if decided is None else (decided,) * len(bill.days), cents=bill.cents)
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class SupposedPayment:
    """A payment that is supposed: on exactly this day, as a decision is."""

    bill_id: str
    on: date
    """A day that has passed counts as the first day."""
    cents: int
    """Positive; what exceeds what the forecast counts of the bill is not paid, what it leaves stays as drawn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatIfFigures:
    """The three figures of a runway."""

    days: int | None
    """P50 runway; 0 where cash lies below the floor already, None beyond the horizon."""
    low_cents: int
    """P50 low-water mark."""
    below_floor_ppm: int
    """Probability of falling below the floor within the horizon, in millionths."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatIfEffect:
    """What supposed payments change, on the same draws; positive is better for the cash except in the probability."""

    as_of: date
    """Of the forecast."""
    draws: int
    before: WhatIfFigures
    after: WhatIfFigures
    days: int
    """Change of the P50 runway; beyond the horizon counts as the day after its end."""
    is_open_ended: bool
    """One side lies beyond the horizon, so the change is at least (or at most) this."""
    low_cents: int
    below_floor_ppm: int
    counted_bill_ids: tuple[str, ...]
    uncounted_bill_ids: tuple[str, ...]
    """Bills that the draws do not hold as open: decided before the forecast, or unknown to it. They change nothing here."""


def what_if_effect(draws: WhatIfDraws, *, floor_cents: int, payments: Iterable[SupposedPayment]) -> WhatIfEffect:
    """The forecast's draws with these payments against those without them.

    Raises:
        ValueError: a bill is supposed to be paid twice, or an amount is not positive.
    """
    supposed = sorted(payments, key=lambda one: one.bill_id)
    bills = {one.bill_id: one for one in draws.bills}
    if len({one.bill_id for one in supposed}) != len(supposed) or any(one.cents <= 0 for one in supposed):
        raise ValueError("each bill is supposed to be paid once, and more than nothing")
    before = balances(draws, paid_on={})
    after = before.copy()
    counted = [one for one in supposed if one.bill_id in bills]
    for one in counted:
        bill = bills[one.bill_id]
        cents = min(one.cents, bill.cents)
        day = max(1, (one.on - draws.as_of).days)
        _pay(after, days=bill.days, cents=-cents)
        _pay(after, days=(day if day <= draws.horizon_days else NOT_WITHIN,) * len(bill.days), cents=cents)
    then, now = (_figures(draws, found, floor_cents=floor_cents) for found in (before, after))
    beyond = draws.horizon_days + 1
    return WhatIfEffect(
        as_of=draws.as_of,
        draws=len(before),
        before=then,
        after=now,
        days=(beyond if now.days is None else now.days) - (beyond if then.days is None else then.days),
        is_open_ended=(now.days is None) != (then.days is None),
        low_cents=now.low_cents - then.low_cents,
        below_floor_ppm=now.below_floor_ppm - then.below_floor_ppm,
        counted_bill_ids=tuple(one.bill_id for one in counted),
        uncounted_bill_ids=tuple(one.bill_id for one in supposed if one.bill_id not in bills),
    )


def _figures(draws: WhatIfDraws, found: Cents, *, floor_cents: int) -> WhatIfFigures:
    first = first_below(found, floor_cents=floor_cents)
    is_below = draws.opening_cents is not None and draws.opening_cents < floor_cents
    return WhatIfFigures(
        days=0 if is_below else day_of(first, level=_MIDDLE, horizon_days=draws.horizon_days),
        low_cents=int(ordered(found.min(axis=1), level=_MIDDLE)),
        below_floor_ppm=int((first <= draws.horizon_days).sum()) * _PPM // len(first),
    )


def _pay(paths: Cents, *, days: Sequence[int], cents: int) -> None:
    """Take an amount off each path from its day on."""
    for path, day in zip(paths, days, strict=True):
        if day != NOT_WITHIN:
            path[day - 1 :] -= cents


def _days(simulation: Simulation, *, row: int, step: int) -> tuple[int, ...]:
    days, cents = simulation.item_days[row, ::step], simulation.item_cents[row, ::step]
    inside = (days <= simulation.horizon_days) & (cents != 0)
    return tuple(int(day) for day in np.where(inside, days, NOT_WITHIN))
