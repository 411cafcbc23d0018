"""What payment timing says about itself: the usual lateness of a counterparty in words, and how sure an estimate is.

Belongs here: reasons and confidence. Does not: the estimate (``days.py``).
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from runway_calcs.timing.items import Flags, Floats, Ints, Items

_OWN_ENOUGH = 3
"""From so many paid documents on a counterparty has a usual lateness of its own."""
_HALF_SURE_OWN, _HALF_SURE_ALL = 5.0, 30.0
"""Paid documents of a counterparty, and of the ledger, at which confidence has half of what they can give."""
_ALL_SHARE = 0.4
"""Confidence that a long history of other counterparties gives at most."""
_APART = 10
"""Days between the medians of two habits of one payer, at least: the discount's day and the due date are 20 apart."""
_LEAST_SHARE = 0.2
"""Share of a payer's documents that a habit has at least; what is rarer is an exception."""
_CLEARLY_TWO = 0.3
"""Two habits are clear if they leave so much of the spread around a single one: the halves of even spread leave .5 of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Habit:
    """Paid documents of one counterparty or of all."""

    paid: int
    after_anchor: int
    """Median days from due date (or from the date, where there is no due date) to payment."""
    longest: int
    two: "TwoHabits | None" = None
    """If some documents are clearly paid much earlier than the others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TwoHabits:
    """Of a payer who takes early discounts sometimes: days from the same day to payment."""

    early: int
    """Median of the documents that are paid early ..."""
    early_longest: int
    """... and the latest of them."""
    late: int
    """Median of the others ..."""
    late_paid: int
    """... and how many they are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """Paid documents with a due date and without one, by counterparty and in all."""

    own: dict[tuple[str, bool], Habit]
    all: dict[bool, Habit]
    last_paid: dict[str, int]
    """Day of each counterparty's last payment."""


def past_of(items: Items) -> Past:
    """The usual lateness of everybody in the history."""
    paid = items.is_paid
    frame = pd.DataFrame(
        {
            "counterparty": items.counterparty_ids[paid],
            "has_due": items.has_due[paid],
            "days": (items.paid - said_from(items))[paid],
            "paid": items.paid[paid],
        }
    )
    return Past(
        own={
            (str(who), bool(due)): replace(_habit(days), two=_two_habits(np.sort(days.to_numpy(dtype=np.int64))))
            for (who, due), days in frame.groupby(["counterparty", "has_due"])["days"]
        },
        all={bool(due): _habit(days) for due, days in frame.groupby("has_due")["days"]},
        last_paid={str(who): int(day) for who, day in frame.groupby("counterparty")["paid"].max().items()},
    )


def said_from(items: Items) -> Ints:
    """The day that words count from: the due date, or the document's date if it has none."""
    return np.where(items.has_due, items.due_anchor, items.document_date)


def _habit(days: "pd.Series[int]") -> Habit:
    return Habit(paid=len(days), after_anchor=_middle(days.to_numpy()), longest=int(days.max()))


def _middle(days: NDArray[Any]) -> int:
    return int(np.floor(np.median(days) + 0.5))


def _two_habits(days: Ints) -> TwoHabits | None:
    """Two habits, if days (sorted) fall into two clear groups at the widest gap between them."""
    least = max(_OWN_ENOUGH, int(np.ceil(_LEAST_SHARE * len(days))))
    if len(days) < 2 * least:
        return None
    # Each group has enough documents, so a single stray one makes no gap.
    at = least + int(np.argmax(np.diff(days[least - 1 : len(days) - least + 1])))
    early, late = days[:at], days[at:]
    apart = np.abs(early - np.median(early)).sum() + np.abs(late - np.median(late)).sum()
    together = np.abs(days - np.median(days)).sum()
    if np.median(late) - np.median(early) < _APART or apart > _CLEARLY_TWO * together:
        return None
    return TwoHabits(early=_middle(early), early_longest=int(early[-1]), late=_middle(late), late_paid=len(late))


def confidences(items: Items, *, past: Past, today: int) -> Floats:
    """How sure each estimate is, 0 to 1.

    The counterparty's own paid documents count n / (n + 5); what is missing to 1 is filled up to two fifths by the ledger's,
    n / (n + 30). A document that is later than any the counterparty ever paid has half of it. Of a payer with two habits only
    the documents of the later one count once the earlier has passed, and before that the sureness is the share of the larger.
    """
    found = np.zeros(len(items))
    everybody = sum(habit.paid for habit in past.all.values())
    of_all = _ALL_SHARE * everybody / (everybody + _HALF_SURE_ALL)
    ages = today - said_from(items)
    for number, key in enumerate(_keys(items)):
        habit = past.own.get(key)
        own = _own_confidence(habit, age=int(ages[number])) if habit else 0.0
        unseen = habit is not None and ages[number] > habit.longest
        found[number] = (own + (1 - own) * of_all) * (0.5 if unseen else 1.0)
    return found


def _own_confidence(habit: Habit, *, age: int) -> float:
    if habit.two is None:
        return habit.paid / (habit.paid + _HALF_SURE_OWN)
    if age > habit.two.early_longest:
        return habit.two.late_paid / (habit.two.late_paid + _HALF_SURE_OWN)
    larger = max(habit.two.late_paid, habit.paid - habit.two.late_paid)
    return larger / (habit.paid + _HALF_SURE_OWN)


def reasons(items: Items, *, past: Past, today: int, stopped: Flags) -> list[str]:
    """The usual lateness each estimate starts from, and the age of today; of who has `stopped` how long nothing was paid."""
    ages = today - said_from(items)
    silent = [
        f", nothing paid for {_count(today - past.last_paid[str(who)], 'day')}" if silent else ""
        for who, silent in zip(items.counterparty_ids, stopped, strict=True)
    ]
    return [
        _reason(key, past=past, age=int(age)) + since
        for key, age, since in zip(_keys(items), ages, silent, strict=True)
    ]


def _keys(items: Items) -> list[tuple[str, bool]]:
    return [(str(who), bool(due)) for who, due in zip(items.counterparty_ids, items.has_due, strict=True)]


def _reason(key: tuple[str, bool], *, past: Past, age: int) -> str:
    own, everybody = past.own.get(key), past.all.get(key[1])
    has_due = key[1]
    if own and own.paid >= _OWN_ENOUGH:
        said = f"{_habitual(own, has_due=has_due)} over {own.paid} documents"
    elif everybody and everybody.paid >= _OWN_ENOUGH:
        known = f"only {_count(own.paid, 'paid document')}" if own else "no paid document"
        said = f"{known} so far; others {_habitual(everybody, has_due=has_due)} over {everybody.paid} documents"
    else:
        said = "payment habit not known"
    return said + _now(age, has_due=has_due)


def _habitual(habit: Habit, *, has_due: bool) -> str:
    if habit.two is None:
        return f"usually {_after(habit.after_anchor, has_due=has_due)}"
    return f"often {_after(habit.two.early, has_due=has_due)}, else {_after(habit.two.late, has_due=has_due)}"


def _after(days: int, *, has_due: bool) -> str:
    if not has_due:
        return f"{_count(days, 'day')} after its date"
    if days == 0:
        return "on the due date"
    return f"{_count(abs(days), 'day')} {'late' if days > 0 else 'early'}"


def _now(age: int, *, has_due: bool) -> str:
    if not has_due:
        return f", {_count(age, 'day')} so far" if age >= 0 else ""
    if age > 0:
        return f", now {age}"
    return ", due today" if age == 0 else f", due in {_count(-age, 'day')}"


def _count(count: int, noun: str) -> str:
    return f"{count} {noun}" if abs(count) == 1 else f"{count} {noun}s"
