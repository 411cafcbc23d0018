"""The sandbox's own time: real by default, moved or stopped by the control interface.

Belongs here: the one source of time for tokens, throttling, the meter and entry instants. Does not: how long a faulty
answer is held back, which is real time because a client really waits.
"""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta


def _system_seconds() -> float:
    return time.time()


class VirtualClock:
    """Real time plus a shift, or a frozen instant."""

    def __init__(self, *, system_seconds: Callable[[], float] = _system_seconds) -> None:
        self._system_seconds = system_seconds
        self._latest = system_seconds()
        self._shift = 0.0
        self._frozen: float | None = None
        self._moved = asyncio.Condition()

    def _real_seconds(self) -> float:
        """Real time that never runs backwards: system clocks are stepped back now and then, books are not."""
        self._latest = max(self._latest, self._system_seconds())
        return self._latest

    def now(self) -> datetime:
        """The present instant, aware and in UTC."""
        return datetime.fromtimestamp(self.seconds(), tz=UTC)

    def seconds(self) -> float:
        """Seconds since 1970 of the present instant."""
        return self._frozen if self._frozen is not None else self._real_seconds() + self._shift

    @property
    def shift_seconds(self) -> float:
        """How far ahead of real time the clock runs."""
        return self.seconds() - self._real_seconds()

    @property
    def is_frozen(self) -> bool:
        """Whether time stands still until it is moved."""
        return self._frozen is not None

    def set(self, instant: datetime) -> None:
        """Jump to an instant; a frozen clock stays frozen there."""
        if self._frozen is not None:
            self._frozen = instant.timestamp()
        else:
            self._shift = instant.timestamp() - self._real_seconds()

    def advance(self, by: timedelta) -> None:
        """Let time pass."""
        self.set(self.now() + by)

    def freeze(self) -> None:
        """Stop time at the present instant."""
        self._frozen = self.seconds()

    def run(self) -> None:
        """Let time run again from where it stands."""
        if self._frozen is not None:
            self._shift = self._frozen - self._real_seconds()
            self._frozen = None

    async def notify(self) -> None:
        """Wake those who wait for an instant after the clock was moved."""
        async with self._moved:
            self._moved.notify_all()

    async def wait_until(self, instant: datetime, *, poll_seconds: float = 0.5) -> None:
        """Return when the clock has reached an instant, by passing or by being moved."""
        while self.now() < instant:
            left = (instant - self.now()).total_seconds()
            async with self._moved:
                try:
                    await asyncio.wait_for(self._moved.wait(), timeout=min(max(left, 0.001), poll_seconds))
                except TimeoutError:
                    continue
