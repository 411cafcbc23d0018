"""Some of a forecast's draws in a small form, for answering a what-if about open bills without the forecast.

Belongs here: which draws, their rounding, the balances that they give back. Does not: the draws (``simulation.py``), a what-if with
all of them (``scenario.py``).

    balance(draw, day) = path(draw, day) - sum of the open bills paid by that day

Every tenth of a thousand draws is kept. Paths are rounded to whole units of the currency, so a balance is off by at most half
a unit; bills are taken off to the cent.
"""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from runway_calcs.flow_kinds import FlowKind
from runway_calcs.forecast.simulation import Simulation

Cents = NDArray[np.int64]

MOST_DRAWS = 100
UNIT_CENTS = 100
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
    )


def balances(draws: WhatIfDraws, *, paid_on: Mapping[str, int]) -> Cents:
    """Balance in cents by kept draw and day; bills of `paid_on` on that day (0: not within the horizon), the others as drawn."""
    found: Cents = np.array(draws.paths, dtype="int64") * draws.unit_cents
    for bill in draws.bills:
        decided = paid_on.get(bill.bill_id)
        _pay(found, days=bill.days if decided is None else (decided,) * len(bill.days), cents=bill.cents)
    return found


def _pay(paths: Cents, *, days: Sequence[int], cents: int) -> None:
    """Take an amount off each path from its day on."""
    for path, day in zip(paths, days, strict=True):
        if day != NOT_WITHIN:
            path[day - 1 :] -= cents


def _days(simulation: Simulation, *, row: int, step: int) -> tuple[int, ...]:
    days, cents = simulation.item_days[row, ::step], simulation.item_cents[row, ::step]
    inside = (days <= simulation.horizon_days) & (cents != 0)
    return tuple(int(day) for day in np.where(inside, days, NOT_WITHIN))
