"""How SmartSync keeps a company fresh: the numbers of it, in one place.

Belongs here: ages, overlaps and caps. Does not: waiting and trying again (`patience.py`), what is done with them
(`smart_sync.py`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from resources.qbo.kinds import ENTITIES


@dataclass(frozen=True, slots=True, kw_only=True)
class Freshness:
    """How old the last read of a kind may be: past `soft` it is read again when that works, past `hard` it has to."""

    soft: timedelta
    hard: timedelta


#: Changes of these kinds come with every increment, so their age is that of the last sync: past `soft` a night was missed.
_NIGHTLY = Freshness(soft=timedelta(hours=26), hard=timedelta(days=7))
#: Singletons come by no change data, so each read is a metered call of its own.
_DAILY = Freshness(soft=timedelta(days=1), hard=timedelta(days=14))


def _freshness() -> dict[str, Freshness]:
    return {kind.entity: _DAILY if kind.is_singleton else _NIGHTLY for kind in ENTITIES}


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncPolicy:
    """When an increment is possible and how far it reaches back."""

    #: Servers' clocks differ and entries appear late: the next increment begins this long before the last one.
    overlap: timedelta = timedelta(minutes=5)
    #: QuickBooks looks back 30 days; a day is kept for clocks and long syncs.
    look_back: timedelta = timedelta(days=29)
    #: From this many objects on an answer may be cut: whether QuickBooks counts by answer or by kind is not settled.
    most_changes: int = 1000
    #: A kind with more segments than this gets a checkpoint: each costs a sync about two milliseconds.
    most_segments: int = 12
    #: At most one sync a tenant in so long follows webhooks: at every quarter of an hour a month's increments cost 2,880
    #: metered calls, below the budget; a shop that enters a receipt a minute would use up the limit in two weeks.
    webhook_distance: timedelta = timedelta(minutes=15)
    freshness: Mapping[str, Freshness] = field(default_factory=_freshness)
