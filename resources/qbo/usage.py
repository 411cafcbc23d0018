"""How many metered calls a tenant has used this month, and how many it will have.

Belongs here: arithmetic on counts. Does not: counting (`turnstile.py`).

QuickBooks meters reads by calendar month, over all companies of an app together.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

#: Months begin where QuickBooks' servers keep their time.
_ZONE = ZoneInfo("America/Los_Angeles")
#: What a shorter part of a month says about the rest of it is noise.
_SHORTEST = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class CallBudget:
    """Metered calls a tenant may use in a month: past `soft` a sync says so, past `hard` nothing is asked any more.

    An increment an hour is 720 calls; the free tier's 500,000 are shared by all tenants.
    """

    soft: int = 3_000
    hard: int = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """A tenant's metered calls in one month, and what QuickBooks' limits cost it."""

    month: str
    metered: int
    projected: int
    budget: CallBudget
    #: Calls that QuickBooks refused as too many (429).
    throttled: int = 0
    #: Time spent waiting for a turn within the limits, or after such a refusal.
    waited: timedelta = timedelta()

    @property
    def is_above_soft(self) -> bool:
        """Whether the month has used, or at this rate will use, more than is planned."""
        return max(self.metered, self.projected) > self.budget.soft


def month_of(instant: datetime) -> str:
    """The month a call is metered in."""
    return instant.astimezone(_ZONE).strftime("%Y-%m")


def next_month(instant: datetime) -> datetime:
    """When the count begins anew."""
    first = instant.astimezone(_ZONE).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return (first + timedelta(days=32)).replace(day=1)


def projected_calls(metered: int, *, since: datetime, now: datetime) -> int:
    """Calls by the end of the month at the rate since `since`, when the month or, later, the counting began."""
    end = next_month(now)
    elapsed = max(now - since, _SHORTEST)
    return metered + round(metered * max(end - now, timedelta()) / elapsed)
