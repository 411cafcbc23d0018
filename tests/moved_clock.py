"""A clock that several processes of a trial share: the machine's, ahead by what a file says.

Belongs here: the clock, and the installation of Dagster's processes that go by it. Does not: their definitions.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg

from resources.clock import SystemClock, Uptime
from resources.files import write_whole
from resources.installation import Installation
from resources.settings import Settings

#: A file with the seconds by which the clock is ahead.
AHEAD = "CLOCK_IS_AHEAD"


class MovedClock(SystemClock):
    """The machine's clock, ahead by what a file says: whoever writes it lets time pass for every process."""

    def __init__(self, ahead: Path) -> None:
        self._ahead = ahead

    def now(self) -> datetime:
        """The instant, so much later."""
        return super().now() + timedelta(seconds=self._seconds())

    def uptime(self) -> Uptime | None:
        """The time since the machine was started, so much more."""
        up = super().uptime()
        return None if up is None else Uptime(up.boot, up.seconds + self._seconds())

    def move_to(self, instant: datetime) -> None:
        """Let it be this instant for every process, and go on from there."""
        write_whole(self._ahead, str((instant - datetime.now(tz=UTC)).total_seconds()))

    def _seconds(self) -> float:
        return float(self._ahead.read_text())


class MovedInstallation(dg.ConfigurableResource[Installation]):
    """The installation that the environment describes, by the clock of the trial if there is one."""

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Iterator[Installation]:  # noqa: ARG002 - Dagster's signature
        """Open it for a run or tick and close it afterwards."""
        clock = MovedClock(Path(os.environ[AHEAD])) if AHEAD in os.environ else SystemClock()
        installation = Installation(Settings(), clock=clock)
        try:
            yield installation
        finally:
            installation.close()
