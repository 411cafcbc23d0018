"""Counting requests: the log, the limits per realm, the CorePlus meter.

Belongs here: what was asked when, and whether it was within the documented limits. Does not: the answer to a request
above a limit (``data_api.py``).
"""

import sqlite3
from collections import Counter, defaultdict, deque
from dataclasses import dataclass
from datetime import datetime

from qbo_sandbox.settings import AppSettings, RealmSettings
from qbo_sandbox.wire import PACIFIC

_MINUTE = 60.0
_SECOND = 1.0
_KEPT_REQUESTS = 500_000


@dataclass(slots=True, kw_only=True)
class LoggedRequest:
    """One request as the log shows it; ``started`` and ``finished`` are real seconds since 1970."""

    realm: str
    method: str
    path: str
    query: str
    virtual_time: str
    started: float
    finished: float | None = None
    status: int | None = None  # None: the connection was dropped
    metered: int = 0
    fault: str | None = None


class RequestLog:
    """Every request to the data service and the authorisation server, oldest first."""

    def __init__(self) -> None:
        self._requests: deque[LoggedRequest] = deque(maxlen=_KEPT_REQUESTS)

    def add(self, request: LoggedRequest) -> None:
        """Note a request when it starts."""
        self._requests.append(request)

    def of(self, realm: str | None) -> list[LoggedRequest]:
        """The requests of one realm, or all."""
        return [request for request in self._requests if realm is None or request.realm == realm]

    def clear(self) -> None:
        """Forget what was logged."""
        self._requests.clear()


class Throttle:
    """Requests within the last minute and second, per realm; and how often a limit was exceeded."""

    def __init__(self) -> None:
        self._windows: defaultdict[tuple[str, str], deque[float]] = defaultdict(deque)
        self.violations: Counter[tuple[str, str]] = Counter()  # (realm, limit)

    def exceeds(
        self, realm: str, *, is_batch: bool, now: float, settings: RealmSettings, app: AppSettings
    ) -> str | None:
        """Count a request; the name of the limit it breaks, None when it breaks none."""
        limits = [
            ("requests_a_minute", _MINUTE, settings.requests_a_minute),
            ("requests_a_second", _SECOND, settings.requests_a_second),
            ("all_endpoints_a_minute", _MINUTE, app.all_endpoints_a_minute),
        ]
        if is_batch:
            limits.append(("batches_a_minute", _MINUTE, settings.batches_a_minute))
        broken = next((name for name, span, most in limits if self._count(realm, name, span, now) >= most), None)
        if broken is not None:
            self.violations[realm, broken] += 1
            return broken
        for name, _, _ in limits:
            self._windows[realm, name].append(now)
        return None

    def _count(self, realm: str, name: str, span: float, now: float) -> int:
        window = self._windows[realm, name]
        while window and window[0] <= now - span:
            window.popleft()
        # A clock that was set back must not leave requests of the future behind; real clocks step back by milliseconds.
        while window and window[-1] > now + _SECOND:
            window.pop()
        return len(window)


class Meter:
    """CorePlus calls of the app, by calendar month and realm."""

    def __init__(self, store: sqlite3.Connection) -> None:
        self._store = store

    def used(self, now: datetime) -> int:
        """Calls of all realms in the month of an instant."""
        row = self._store.execute(
            "SELECT COALESCE(SUM(calls), 0) FROM meter WHERE month = ?", (_month(now),)
        ).fetchone()
        return int(row[0])

    def by_realm(self, now: datetime) -> dict[str, int]:
        """Calls of each realm in the month of an instant."""
        rows = self._store.execute("SELECT realm_id, calls FROM meter WHERE month = ?", (_month(now),))
        return {str(realm): int(calls) for realm, calls in rows}

    def count(self, realm: str, calls: int, *, now: datetime) -> None:
        """Add metered calls."""
        self._store.execute(
            "INSERT INTO meter VALUES (?, ?, ?) ON CONFLICT (month, realm_id) DO UPDATE SET calls = calls + excluded.calls",
            (_month(now), realm, calls),
        )


def _month(now: datetime) -> str:
    return now.astimezone(PACIFIC).strftime("%Y-%m")
