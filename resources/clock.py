"""The only place that knows what time it is.

Belongs here: the clock everybody is given. Does not: business dates (`as_of` is an argument everywhere).
"""

import time
from abc import ABC, abstractmethod
from datetime import UTC, datetime, timedelta


class Clock(ABC):
    """Says what time it is and waits; passed in wherever either is needed."""

    @abstractmethod
    def now(self) -> datetime:
        """The current instant, aware, UTC."""

    @abstractmethod
    def sleep(self, seconds: float) -> None:
        """Wait, or let the clock jump."""


class SystemClock(Clock):
    """The machine's clock."""

    def now(self) -> datetime:
        """The current instant, aware, UTC."""
        return datetime.now(tz=UTC)

    def sleep(self, seconds: float) -> None:
        """Block for so many seconds."""
        time.sleep(seconds)


class FixedClock(Clock):
    """A clock that moves only when told to: for tests and replays."""

    def __init__(self, now: datetime) -> None:
        self.move_to(now)

    def now(self) -> datetime:
        """The instant the clock stands at."""
        return self._now

    def sleep(self, seconds: float) -> None:
        """Move forward without waiting."""
        self._now += timedelta(seconds=seconds)

    def move_to(self, instant: datetime) -> None:
        """Stand at another instant."""
        if instant.tzinfo is None:
            raise ValueError("FixedClock needs an aware instant")
        self._now = instant.astimezone(UTC)
