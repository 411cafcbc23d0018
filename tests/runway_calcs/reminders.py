"""What reminders really do in a generated company: simulated from its customers' hidden habits.

Belongs here: drawing payment days from habits as docs/generated-companies.md describes them, and the cash that a reminder
brings before a day. Does not: any list, any expectation.
"""

from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tests.generated_books import GeneratedBooks, Habit

DRAWS = 2_000
LONGEST_RESPONSE = 14
NO_RESPONSE = 0.25
_LATER = (20, 56)
"""A dispute ends so many days after the payment was due to come."""
_FEW = 20

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reminded:
    """Expected cents that a reminder on a Friday brings before a later day, by customer."""

    true: pd.Series
    """With each customer's own reaction to a reminder: what happens."""
    informed: pd.Series
    """With the average reaction of all customers: the most that can be known, for reactions are drawn on their own."""


def reminded(books: GeneratedBooks, open_: pd.DataFrame, *, friday: date, low_day: int) -> Reminded:
    """The effect of reminding each customer with open invoices (rows of `payment_history.open_documents`)."""
    dice = np.random.default_rng(int(friday.strftime("%Y%m%d")))
    paid = books.paid_on.xs("Invoice").reindex(open_["document_id"])
    true, informed = np.zeros(len(open_)), np.zeros(len(open_))
    anchors = open_["due_date"].where(open_["due_date"].notna(), open_["document_date"])
    columns = (open_["counterparty_id"], open_["amount_cents"], anchors, paid)
    for place, (customer, cents, anchor, paid_on) in enumerate(zip(*columns, strict=True)):
        habit = books.habits[customer]
        days = _payment_days(habit, due=(anchor.date() - friday).days, friday=friday, dice=dice)
        if len(days) < _FEW:
            # The rest of a part payment, which no habit describes: it comes when it comes.
            days = np.array([np.inf if pd.isna(paid_on) else float((paid_on.date() - friday).days)])
        moved = [_moved(days, response, low_day=low_day) for response in range(LONGEST_RESPONSE + 1)]
        true[place] = cents * moved[habit.contact_response_days]
        informed[place] = cents * (1 - NO_RESPONSE) * float(np.mean(moved[1:]))
    by_customer = open_["counterparty_id"].to_numpy()
    return Reminded(
        true=pd.Series(true).groupby(by_customer).sum(), informed=pd.Series(informed).groupby(by_customer).sum()
    )


def _moved(days: Floats, response: int, *, low_day: int) -> float:
    """The chance that a payment after the low day comes by it when it moves by so many days."""
    with_reminder = np.minimum(days, np.maximum(1, days - response))
    return float(np.mean((days > low_day) & (with_reminder <= low_day)))


def _payment_days(habit: Habit, *, due: int, friday: date, dice: np.random.Generator) -> Floats:
    """Days after the Friday on which an invoice is paid that is open then; infinity if never."""
    late = dice.normal(habit.typical_days_late, habit.spread_days, DRAWS)
    late += (dice.random(DRAWS) < habit.tail_chance) * dice.exponential(max(habit.tail_days, 1e-9), DRAWS)
    days = due + np.round(late)
    days += np.where(dice.random(DRAWS) < habit.dispute_chance, dice.integers(*_LATER, DRAWS), 0)
    weekdays = (friday.weekday() + days) % 7
    if habit.weekday is None:
        days += np.select([weekdays == 5, weekdays == 6], [2, 1], default=0)
    else:
        days += (habit.weekday - weekdays) % 7
    if habit.stops_on is not None:
        days = np.where(days >= (habit.stops_on - friday).days, np.inf, days)
    found: Floats = days[days > 0]
    return found
