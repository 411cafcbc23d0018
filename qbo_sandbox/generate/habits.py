"""The hidden paying habits of generated customers.

Belongs here: what a habit is, how a company's customers come by theirs, when a habit pays an invoice.
Does not: invoices and payments (``receivables.py``). Nothing here knows an amount: habits are drawn from their own random
stream, so what a customer owes tells nothing about how it pays.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

import numpy as np

from qbo_sandbox.generate.draws import between, pick, quota
from qbo_sandbox.generate.office import DAY, business_day_from, weekday_from

_NO_RESPONSE_SHARE = 0.25
_LONGEST_RESPONSE_DAYS = 14


class HabitKind(StrEnum):
    """The ways in which customers pay."""

    PROMPT = "prompt"
    STEADY_LATE = "steady late"
    PAY_RUN = "pay-run weekday"
    SLOW_TAIL = "slow tail"
    DISPUTES = "disputes"
    STOPS_PAYING = "stops paying"


@dataclass(frozen=True, slots=True, kw_only=True)
class Habit:
    """How one customer pays: a distribution of days relative to the due date, and what a reminder changes.

    Days late are normal around ``typical_days_late``; with ``tail_chance`` an exponential tail comes on top. A pay-run
    customer pays on its ``weekday`` only. From ``stops_on`` no payment comes. ``contact_response_days`` is by how many
    days a payment would come earlier after a reminder.
    """

    kind: HabitKind
    typical_days_late: float
    spread_days: float
    tail_chance: float
    tail_days: float
    dispute_chance: float
    weekday: int | None
    stops_on: date | None
    contact_response_days: int

    def to_json(self) -> dict[str, str | int | float | None]:
        """The habit as the truth interface tells it."""
        return {
            "kind": self.kind.value,
            "typical_days_late": self.typical_days_late,
            "spread_days": self.spread_days,
            "tail_chance": self.tail_chance,
            "tail_days": self.tail_days,
            "dispute_chance": self.dispute_chance,
            "weekday": self.weekday,
            "stops_on": None if self.stops_on is None else self.stops_on.isoformat(),
            "contact_response_days": self.contact_response_days,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class _Range:
    late: tuple[int, int]
    spread: tuple[float, float]
    tail_chance: float = 0.0
    tail_days: tuple[int, int] = (0, 0)
    dispute_chance: float = 0.0


_RANGES: Mapping[HabitKind, _Range] = {
    HabitKind.PROMPT: _Range(late=(-8, 0), spread=(1.0, 3.0)),
    HabitKind.STEADY_LATE: _Range(late=(5, 20), spread=(1.5, 4.0)),
    HabitKind.PAY_RUN: _Range(late=(-1, 9), spread=(2.0, 4.0)),
    HabitKind.SLOW_TAIL: _Range(late=(4, 14), spread=(3.0, 6.0), tail_chance=0.35, tail_days=(20, 45)),
    HabitKind.DISPUTES: _Range(
        late=(0, 8), spread=(2.0, 5.0), tail_chance=0.2, tail_days=(20, 40), dispute_chance=0.35
    ),
    HabitKind.STOPS_PAYING: _Range(late=(8, 20), spread=(3.0, 6.0)),
}


def draw_habits(
    rng: np.random.Generator, weights: Mapping[HabitKind, float], count: int, *, start: date, as_of: date
) -> list[Habit]:
    """A habit for each of a company's customers, the kinds in the industry's proportions."""
    return [_habit(rng, kind, start=start, as_of=as_of) for kind in quota(rng, weights, count)]


def _habit(rng: np.random.Generator, kind: HabitKind, *, start: date, as_of: date) -> Habit:
    known = _RANGES[kind]
    silent = kind is HabitKind.STOPS_PAYING or float(rng.random()) < _NO_RESPONSE_SHARE
    return Habit(
        kind=kind,
        typical_days_late=float(between(rng, *known.late)),
        spread_days=round(float(rng.uniform(*known.spread)), 1),
        tail_chance=known.tail_chance,
        tail_days=float(between(rng, *known.tail_days)),
        dispute_chance=known.dispute_chance,
        weekday=pick(rng, (1, 2, 3, 4)) if kind is HabitKind.PAY_RUN else None,
        # Late enough to have paid for a while, early enough to have aged.
        stops_on=start + (as_of - start) * float(rng.uniform(0.35, 0.85)) if kind is HabitKind.STOPS_PAYING else None,
        contact_response_days=0 if silent else between(rng, 1, _LONGEST_RESPONSE_DAYS),
    )


def pays_on(habit: Habit, rng: np.random.Generator, *, due: date, not_before: date) -> date | None:
    """The business day on which a customer of this habit pays an invoice, or None if it never does."""
    late = float(rng.normal(habit.typical_days_late, habit.spread_days))
    if habit.tail_chance and float(rng.random()) < habit.tail_chance:
        late += float(rng.exponential(habit.tail_days))
    day = max(due + DAY * round(late), not_before)
    day = business_day_from(day) if habit.weekday is None else weekday_from(day, habit.weekday)
    return None if habit.stops_on is not None and day >= habit.stops_on else day
