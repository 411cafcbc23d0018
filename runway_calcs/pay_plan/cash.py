"""The cash that a pay plan may use, day by day.

Belongs here: the path of the balance without planned payments, the floor, the room they leave, the unavoidable shortfall.
Does not: which bill is paid when (``runway_calcs/pay_plan/solver.py``); forecasting the path.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import product

import numpy as np
import numpy.typing as npt

Cents = npt.NDArray[np.int64]

_MOST_ENUMERATED = 10
"""Two ways to pay each of so many bills are a thousand paths, looked through one by one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CashPath:
    """Cash before the planned payments, for each day of the plan's window."""

    first_on: date
    opening_cents: int
    floor_cents: int
    """The balance that is not to be spent."""
    inflow_cents: Sequence[int]
    """For each day from `first_on` on, what cautiously comes in. Its length is that of the window."""
    outflow_cents: Sequence[int]
    """For each day, what goes out whatever is planned: payroll, cards, holds. Positive; open bills left out."""

    def __post_init__(self) -> None:
        if not self.inflow_cents or len(self.inflow_cents) != len(self.outflow_cents):
            raise ValueError(
                f"inflows and outflows cover {len(self.inflow_cents)} and {len(self.outflow_cents)} days; "
                "both need one amount for each day of the same window of at least a day"
            )
        if min(self.inflow_cents) < 0 or min(self.outflow_cents) < 0:
            raise ValueError("an inflow or outflow of the cash path is negative")

    @property
    def days(self) -> int:
        """Length of the window."""
        return len(self.inflow_cents)

    @property
    def last_on(self) -> date:
        """The last day of the window."""
        return self.first_on + timedelta(days=self.days - 1)

    def balance_cents(self) -> Cents:
        """The balance at the end of each day without any planned payment."""
        moved = np.array(self.inflow_cents, dtype=np.int64) - np.array(self.outflow_cents, dtype=np.int64)
        return self.opening_cents + np.cumsum(moved)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shortfall:
    """How far the cash falls below the floor although nothing is paid that can wait."""

    cents: int
    """On the worst day."""
    worst_on: date
    first_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """One way to pay a bill in whole."""

    day: int
    """Days after the first day of the window."""
    cents: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """What planned payments may add up to by the end of each day."""

    capacity_cents: Cents
    """Not decreasing: payments up to a day also count on every later one."""
    unavoidable: tuple[Payment, ...]
    """A way to pay each bill that cannot wait that fits the capacity."""
    shortfall: Shortfall | None
    """None where the floor can be held."""


def room_for(path: CashPath, *, unavoidable: Sequence[Sequence[Payment]]) -> Room:
    """The room above the floor; where bills that cannot wait break it, exactly what they need and no more.

    Args:
        path: the cash without planned payments.
        unavoidable: for each bill that cannot wait, its latest payment in full and, if it has one, its latest payment
            with the discount. As late as possible leaves most cash on every day, but for a discount, which lowers the
            sum: where the floor breaks, the ways with the smallest worst shortfall are taken (then the smallest sum of
            daily shortfalls); beyond ten discounts the largest ten.
    """
    balance = path.balance_cents()
    chosen: Sequence[Payment] = [ways[0] for ways in unavoidable]
    if np.any(balance - _cumulative(chosen, days=path.days) < path.floor_cents):
        chosen = _least_harm(balance, path=path, unavoidable=unavoidable)
    needed = _cumulative(chosen, days=path.days)
    capacity = np.maximum(balance - path.floor_cents, needed)
    return Room(
        capacity_cents=np.minimum.accumulate(capacity[::-1])[::-1],
        unavoidable=tuple(chosen),
        shortfall=_shortfall(path.floor_cents - (balance - needed), first_on=path.first_on),
    )


def _least_harm(balance: Cents, *, path: CashPath, unavoidable: Sequence[Sequence[Payment]]) -> Sequence[Payment]:
    by_saving = sorted(
        (number for number, ways in enumerate(unavoidable) if len(ways) > 1),
        key=lambda number: (unavoidable[number][1].cents - unavoidable[number][0].cents, number),
    )
    varied = by_saving[:_MOST_ENUMERATED]
    candidates = []
    for picks in product((0, 1), repeat=len(varied)):
        way_of = dict(zip(varied, picks, strict=True))
        candidates.append([ways[way_of.get(number, 0)] for number, ways in enumerate(unavoidable)])

    def harm(payments: Sequence[Payment]) -> tuple[int, int]:
        missing = np.maximum(path.floor_cents - (balance - _cumulative(payments, days=path.days)), 0)
        return int(missing.max()), int(missing.sum())

    return min(candidates, key=harm)


def _cumulative(payments: Sequence[Payment], *, days: int) -> Cents:
    paid = np.zeros(days, dtype=np.int64)
    for payment in payments:
        paid[payment.day] += payment.cents
    return np.cumsum(paid)


def _shortfall(missing: Cents, *, first_on: date) -> Shortfall | None:
    worst = int(missing.argmax())
    if missing[worst] <= 0:
        return None
    return Shortfall(
        cents=int(missing[worst]),
        worst_on=first_on + timedelta(days=worst),
        first_on=first_on + timedelta(days=int((missing > 0).argmax())),
    )
