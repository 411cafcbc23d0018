"""Instants in the time zone of whoever reads of them.

Belongs here: an instant as words. Does not: formats (``experiences/digest/wording.py``), whose zone it is.
"""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from experiences.digest.wording import clock_time

#: Of what is published for readers of several zones.
UTC_ZONE = "UTC"


def hour_in(at: datetime, *, zone: str, near: date | None = None) -> str:
    """Day and hour of an aware instant, with the name of the zone; with the year where a reader of the day `near` needs it."""
    local = at.astimezone(ZoneInfo(zone))
    told = clock_time(local, near=near or local.date())
    return f"{told} UTC" if zone == UTC_ZONE else f"{told} ({zone})"
