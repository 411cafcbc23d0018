"""What people tell the forecast: amounts that no document shows, and dates they know better.

Belongs here: the two value types and which of them count at a point of view.
Does not: keeping them (the operational database), flows (``runway_calcs/forecast/dated_items.py``).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from runway_calcs.books.as_of import AsOf


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownItem:
    """An amount that somebody expects on a day and that no document shows yet."""

    item_id: str
    day: date
    amount_cents: int
    """Signed: in positive, out negative."""
    label: str
    author: str
    reason: str
    expires_on: date | None
    """Last as-of day on which it counts; None = until its own day has passed."""
    recorded_at: datetime
    """Aware UTC: a past week knows only what was recorded by then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DateOverride:
    """The day on which somebody expects a document to be paid, in place of the estimate."""

    txn_type: str
    """Bill or Invoice."""
    txn_id: str
    expected_on: date
    author: str
    reason: str
    expires_on: date | None
    """Last as-of day on which it counts; None = until the expected day has passed."""
    recorded_at: datetime
    """Aware UTC; of two for one document the later one counts."""


def items_at(items: Iterable[KnownItem], *, at: AsOf) -> tuple[KnownItem, ...]:
    """The items that count: recorded by then, not expired, their day still ahead; by day and id."""
    found = [
        item
        for item in items
        if item.recorded_at <= at.known_until
        and item.day > at.as_of
        and (item.expires_on is None or item.expires_on >= at.as_of)
    ]
    return tuple(sorted(found, key=lambda item: (item.day, item.item_id)))


def overrides_at(overrides: Iterable[DateOverride], *, at: AsOf) -> dict[tuple[str, str], DateOverride]:
    """The override that counts for each document (kind, id); one whose day has passed tells nothing any more."""
    found: dict[tuple[str, str], DateOverride] = {}
    for one in sorted(overrides, key=lambda one: (one.recorded_at, one.expected_on, one.author, one.reason)):
        if one.recorded_at <= at.known_until:
            found[(one.txn_type, one.txn_id)] = one
    return {
        key: one
        for key, one in found.items()
        if one.expected_on > at.as_of and (one.expires_on is None or one.expires_on >= at.as_of)
    }
