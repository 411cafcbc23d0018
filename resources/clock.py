"""The only place that knows what time it is.

Belongs here: the clock everybody is given. Does not: business dates (`as_of` is an argument everywhere).
"""

import time
from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True, slots=True)
class Uptime:
    """Time since the machine was started, which nobody can set: two of one `boot` are really so far apart."""

    boot: str
    seconds: float


class Clock(ABC):
    """Says what time it is and waits; passed in wherever either is needed."""

    @abstractmethod
    def now(self) -> datetime:
        """The current instant, aware, UTC."""

    @abstractmethod
    def sleep(self, seconds: float) -> None:
        """Wait, or let the clock jump."""

    def uptime(self) -> Uptime | None:
        """How long the machine is up, suspended or not; None where that cannot be told."""
        return None


class SystemClock(Clock):
    """The machine's clock."""

    def now(self) -> datetime:
        """The current instant, aware, UTC."""
        return datetime.now(tz=UTC)

    def sleep(self, seconds: float) -> None:
        """Block for so many seconds."""
        time.sleep(seconds)

    def uptime(self) -> Uptime | None:
        """By Linux' boot time; None on another system."""
        boot = _boot_id()
        return None if boot is None else Uptime(boot, time.clock_gettime(time.CLOCK_BOOTTIME))


@cache
def _boot_id() -> str | None:
    return _BOOT_ID.read_text().strip() if _BOOT_ID.exists() and hasattr(time, "CLOCK_BOOTTIME") else None


class FixedClock(Clock):
    """A clock that moves only when told to: for tests and replays."""

    def __init__(self, now: datetime) -> None:
        self._now = now
        self._up = timedelta()
        self.move_to(now)

    def now(self) -> datetime:
        """The instant the clock stands at."""
        return self._now

    def sleep(self, seconds: float) -> None:
        """Move forward without waiting."""
        self.move_to(self._now + timedelta(seconds=seconds))

    def uptime(self) -> Uptime | None:
        """The time that has passed here; setting the clock is none."""
        return Uptime("fixed", self._up.total_seconds())

    def move_to(self, instant: datetime) -> None:
        """Stand at another instant; a later one has been waited for."""
        if instant.tzinfo is None:
            raise ValueError("FixedClock needs an aware instant")
        self._up += max(instant - self._now, timedelta())
        self._now = instant.astimezone(UTC)

    def set_by_hand(self, change: timedelta) -> None:
        """Show another time without any having passed, as a machine whose clock is put right, or wrong."""
        self._now += change
