"""Documents of the last year, each seen again from a day on which it was open.

Belongs here: which documents and days, and what was known of the counterparty's other documents then. Does not: what the
model says of them (``calibration.py``).
"""

from dataclasses import dataclass, replace

import numpy as np

from runway_calcs.timing.items import Floats, Ints, Items

_YEAR = 365
_MOST = 240
_GOLDEN = 0.6180339887498949
"""Its multiples are spread evenly between whole numbers however many there are: days without a random draw."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cases:
    """Documents and the day each is looked at."""

    items: Items
    """With anchors as they were: no drift after the day of the case is known."""
    rows: Ints
    """Row of each one's counterparty."""
    then: Ints
    until: Ints
    """Day of payment, or the as-of day for what is still open."""
    earlier: tuple[tuple[Ints, Floats], ...]
    """Of each case: the counterparty's documents that were paid by then, as places in the history, and their weights."""


def cases_of(items: Items, *, rows: Ints, drift: Ints, today: int, half_life_days: float, alike: float) -> Cases:
    """At most 240 documents that were open at the end of a day of the last year, spread evenly over it.

    `drift` is how many days later a payment of each day back from today would be made today.
    """
    until = np.where(items.is_paid, items.paid, today)
    usable = np.flatnonzero((until > items.entered) & (until > today - _YEAR))
    usable = usable[np.argsort(until[usable], kind="stable")]
    if len(usable) > _MOST:
        usable = usable[np.linspace(0, len(usable) - 1, _MOST).astype("int64")]
    place = (np.arange(1, len(usable) + 1) * _GOLDEN) % 1.0
    # Books brought over from elsewhere may have waited for years.
    since = np.maximum(items.entered[usable], today - 2 * _YEAR)
    then = since + np.floor(place * (until[usable] - since)).astype("int64")
    later = drift[np.minimum(today - then, len(drift) - 1)]
    chosen = items.take(usable)
    starts = np.searchsorted(rows, np.arange(int(rows[-1]) + 2 if len(rows) else 1))
    earlier = []
    for who, day in zip(rows[usable], then, strict=True):
        at = np.arange(starts[who], starts[who + 1])
        at = at[items.is_paid[at] & (items.paid[at] <= day)]
        earlier.append((at, weights(items.paid[at], half_life_days=half_life_days, alike=alike)))
    return Cases(
        items=replace(chosen, due_anchor=chosen.due_anchor - later, document_anchor=chosen.document_anchor - later),
        rows=rows[usable],
        then=then,
        until=until[usable],
        earlier=tuple(earlier),
    )


def weights(heard: Ints, *, half_life_days: float, alike: float) -> Floats:
    """What each document of one counterparty counts: less with age beside the newest, less the more there are."""
    if not len(heard):
        return np.empty(0)
    fresh: Floats = 0.5 ** ((heard.max() - heard) / half_life_days)
    return fresh / (1 + (len(heard) - 1) * alike)
