"""Who a tenant is: the id and its check at the edge, the zones, the record.

Belongs here: values. Does not: storage (`resources/registry.py`).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, NewType
from zoneinfo import ZoneInfo

TenantId = NewType("TenantId", str)

_SLUG = re.compile(r"[a-z0-9][a-z0-9-]{2,62}")

#: Each zone has its own schedules, so the list is fixed; a tenant elsewhere takes the zone with the same clock.
ZONES: tuple[str, ...] = (
    "America/New_York",
    "America/Chicago",
    "America/Denver",
    "America/Phoenix",
    "America/Los_Angeles",
    "America/Anchorage",
    "Pacific/Honolulu",
    "America/Halifax",
    "Europe/London",
    "Australia/Sydney",
)

FRIDAY = 4


class BadTenantId(ValueError):
    """The text cannot be a tenant id."""


class BadZone(ValueError):
    """The zone is none of `ZONES`."""


def slug(text: str, *, what: str) -> str:
    """The text itself if it is a legal slug; `BadTenantId` with the rule otherwise."""
    if not _SLUG.fullmatch(text):
        shown = text if len(text) <= 70 else text[:70] + "..."  # noqa: PLR2004 - just long enough to recognise it
        raise BadTenantId(
            f"{shown!r} is no {what} id: use 3 to 63 characters, lower-case letters, digits and hyphens, "
            "starting with a letter or digit (for example 'acme-design')."
        )
    return text


def tenant_id(text: str) -> TenantId:
    """The checked tenant id; `BadTenantId` says the rule. Everything that enters from outside passes here."""
    return TenantId(slug(text, what="tenant"))


def is_tenant_id(text: str) -> bool:
    """Whether a text can be a tenant id."""
    return _SLUG.fullmatch(text) is not None


def zone_name(text: str) -> str:
    """The checked zone; `BadZone` lists what is possible."""
    if text not in ZONES:
        raise BadZone(f"{text!r} is not in the list of time zones: choose one of {', '.join(ZONES)}.")
    return text


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    """One company whose cash is watched, as the registry knows it."""

    tenant_id: TenantId
    firm_id: str
    firm_name: str
    name: str
    zone: str
    active: bool
    created_at: datetime
    thresholds: Mapping[str, Any] = field(default_factory=dict)

    def local_date(self, instant: datetime) -> date:
        """The tenant's calendar date at an instant."""
        return instant.astimezone(ZoneInfo(self.zone)).date()

    def latest_friday(self, instant: datetime) -> date:
        """The tenant's own Friday on or before an instant: the `week_ending` of that week's digest."""
        today = self.local_date(instant)
        return today - timedelta(days=(today.weekday() - FRIDAY) % 7)
