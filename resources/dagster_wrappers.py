"""What Dagster needs to hand the outside world to assets, schedules and sensors.

Belongs here: thin resource factories. Does not: behaviour; anything that reads the environment at import.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg
from pydantic import Field

from resources.clock import SystemClock
from resources.installation import Installation, RunWeek, parse_week_ending
from resources.settings import Settings


class InstallationResource(dg.ConfigurableResource[Installation]):
    """The installation that the environment describes (`RUNWAY_*`), read when a run starts."""

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Iterator[Installation]:
        """Open it for a run or tick and close it afterwards."""
        installation = Installation(Settings())
        try:
            yield installation
        finally:
            installation.close()


class WeekResource(dg.ConfigurableResource[RunWeek]):
    """The week a run works on, given once for all its assets."""

    week_ending: str = Field(
        default="",
        description="The Friday of the week, as 2026-11-20. Empty: the newest Friday in each tenant's own time zone.",
    )

    def create_resource(self, context: dg.InitResourceContext) -> RunWeek:
        """The week, fixed at the start of the run."""
        return RunWeek(week_ending=parse_week_ending(self.week_ending), started_at=SystemClock().now())
