"""How late each customer usually pays, and whether an open invoice is later than that customer's own habit.

Belongs here: counting past delays, the unusual-delay flag and its words. Does not: when an invoice will be paid
(``payment_timing.py``), whom to contact first (``priority.py``).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from runway_calcs.cents import divide_half_up, median_half_up
from runway_calcs.policy import CollectionLiftPolicy


@dataclass(frozen=True, slots=True, kw_only=True)
class Delay:
    """One open invoice against its customer's own habit, in days past the due date (the invoice date without one)."""

    days_late: int
    """Today; negative before the due date."""
    usual_days_late: int | None
    """Median of the customer's paid invoices; None with too few of them."""
    paid_invoices: int
    is_unusual: bool
    """Clearly later than the customer's own habit."""
    is_unseen: bool
    """Later than any invoice the customer ever paid (of those with a habit)."""
    reason: str
    """ "usually 9 days late over 14 invoices, now 21"."""


class Delays:
    """The delays of all paid invoices by customer."""

    def __init__(self, history: pd.DataFrame, *, as_of: date, policy: CollectionLiftPolicy) -> None:
        """`history` as of `payment_history.payment_history`; rows not paid by `as_of` say nothing here."""
        paid = history[history["paid_date"] <= pd.Timestamp(as_of)]
        days = (paid["paid_date"] - aged_from(paid)).dt.days
        self._by_customer: Mapping[str, list[int]] = {
            str(customer): sorted(int(one) for one in late) for customer, late in days.groupby(paid["counterparty_id"])
        }
        self._policy = policy

    def of(self, customer_id: str, *, days_late: int) -> Delay:
        """The delay of an invoice that is so many days late today."""
        past = self._by_customer.get(customer_id, [])
        if len(past) < self._policy.min_paid_invoices:
            return Delay(
                days_late=days_late,
                usual_days_late=None,
                paid_invoices=len(past),
                is_unusual=False,
                is_unseen=False,
                reason="payment habit not known" + _now(days_late),
            )
        usual = median_half_up(past)
        shorter = int(np.searchsorted(past, days_late, side="left"))
        is_rare = divide_half_up(100 * shorter, len(past)) >= self._policy.usual_percent
        return Delay(
            days_late=days_late,
            usual_days_late=usual,
            paid_invoices=len(past),
            is_unusual=is_rare and days_late >= usual + self._policy.unusual_days,
            is_unseen=days_late > past[-1],
            reason=f"usually {_usual(usual)} over {len(past)} invoices" + _now(days_late),
        )


def aged_from(documents: pd.DataFrame) -> "pd.Series[pd.Timestamp]":
    """The day an invoice ages by: its due date, or its own date if it has none."""
    return documents["due_date"].where(documents["due_date"].notna(), documents["document_date"])


def _usual(days: int) -> str:
    if days == 0:
        return "on the due date"
    return f"{_days(abs(days))} {'late' if days > 0 else 'early'}"


def _now(days_late: int) -> str:
    if days_late > 0:
        return f", now {days_late}"
    return ", due today" if days_late == 0 else f", due in {_days(-days_late)}"


def _days(count: int) -> str:
    return "1 day" if count == 1 else f"{count} days"
