"""The circuit breaker of one company: after failures in a row it is left alone for a while.

Belongs here: counting final failures, saying when the next try is allowed. Does not: what a failure is (`patience.py`).

Breaker packages (purgatory, pybreaker) read the machine's clock; here time is passed in, so that months pass in a test.
"""

import threading
from dataclasses import dataclass, field
from datetime import datetime, timedelta


@dataclass(slots=True, kw_only=True)
class Circuits:
    """The circuits of all companies that one process calls; calls of one never wait for another's."""

    most_failures: int = 3
    rest: timedelta = timedelta(minutes=1)
    _failures: dict[str, int] = field(default_factory=dict)
    _open_until: dict[str, datetime] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def rests_until(self, key: str, *, now: datetime) -> datetime | None:
        """When the company may be asked again; None means now. Whoever asks then is the one trial."""
        with self._lock:
            until = self._open_until.get(key)
            if until is None or until <= now:
                if until is not None:
                    self._open_until[key] = now + self.rest
                return None
            return until

    def failed(self, key: str, *, now: datetime) -> None:
        """A call failed for good."""
        with self._lock:
            self._failures[key] = self._failures.get(key, 0) + 1
            if self._failures[key] >= self.most_failures:
                self._open_until[key] = now + self.rest

    def worked(self, key: str) -> None:
        """A call worked, or QuickBooks at least answered sensibly."""
        with self._lock:
            self._failures.pop(key, None)
            self._open_until.pop(key, None)
