"""How often and how fast one company's QuickBooks is called: pace, backoff, when to give up.

Belongs here: waiting and trying again. Does not: what an error is (`answers.py`), the refresh after a 401 (`smart_sync.py`).

Every wait goes through the clock that is passed in, so that tests and replays take no time.
"""

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar

from tenacity import RetryCallState, Retrying, retry_if_exception_type, wait_exponential_jitter

from resources.clock import Clock
from resources.qbo.errors import QboThrottled, QboUnavailable

_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """When one call counts as failed. Throttling has a measure of its own: QuickBooks asks for whole minutes there."""

    #: How long one call waits in all for QuickBooks to come back.
    transient_seconds: float = 30.0
    first_wait_seconds: float = 0.5
    longest_wait_seconds: float = 8.0
    #: Intuit's advice for a 429 that does not say how long to wait.
    throttle_seconds: float = 60.0
    most_throttles: int = 2
    most_tries: int = 20


@dataclass(slots=True)
class Tally:
    """Calls made and seconds waited, counted while work goes on."""

    calls: int = 0
    waited_seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """Requests to one company that fit in a second and in a minute, below the documented 10 and 500."""

    a_second: int = 8
    a_minute: int = 450


@dataclass(slots=True)
class _Realm:
    lock: threading.Lock = field(default_factory=threading.Lock)
    starts: deque[datetime] = field(default_factory=deque)


class Patience:
    """Paces the calls to each company and tries transient failures again."""

    def __init__(self, *, clock: Clock, policy: RetryPolicy | None = None, pace: Pace | None = None) -> None:
        self._clock = clock
        self._policy = policy or RetryPolicy()
        self._pace = pace or Pace()
        self._realms: dict[str, _Realm] = {}
        self._realms_lock = threading.Lock()

    def call(self, realm_id: str, attempt: Callable[[], _Result], *, tally: Tally) -> _Result:
        """The attempt's result; its last error once the policy gives up, at once if trying again cannot help."""

        def paced() -> _Result:
            tally.waited_seconds += self._wait_for_turn(realm_id)
            tally.calls += 1
            return attempt()

        def sleep(seconds: float) -> None:
            tally.waited_seconds += seconds
            self._clock.sleep(seconds)

        measure = _Measure(self._policy)
        retrying = Retrying(
            sleep=sleep,
            wait=measure.wait,
            stop=measure.is_spent,
            retry=retry_if_exception_type((QboUnavailable, QboThrottled)),
            reraise=True,
        )
        return retrying(paced)

    def _wait_for_turn(self, realm_id: str) -> float:
        with self._realms_lock:
            realm = self._realms.setdefault(realm_id, _Realm())
        with realm.lock:
            now = self._clock.now()
            start = max(
                now,
                _after(realm.starts, self._pace.a_second, timedelta(seconds=1)) or now,
                _after(realm.starts, self._pace.a_minute, timedelta(minutes=1)) or now,
            )
            realm.starts.append(start)
            while len(realm.starts) > self._pace.a_minute:
                realm.starts.popleft()
        seconds = (start - now).total_seconds()
        if seconds > 0:
            self._clock.sleep(seconds)
        return seconds


def _after(starts: deque[datetime], most: int, span: timedelta) -> datetime | None:
    """When the oldest of the last `most` starts leaves the span; None while there are fewer."""
    return starts[-most] + span if len(starts) >= most else None


class _Measure:
    """What one call has used up of its policy."""

    def __init__(self, policy: RetryPolicy) -> None:
        self._policy = policy
        self._backoff = wait_exponential_jitter(
            multiplier=policy.first_wait_seconds, max=policy.longest_wait_seconds, jitter=policy.first_wait_seconds
        )
        self._throttles = 0
        self._transient_seconds = 0.0

    def wait(self, state: RetryCallState) -> float:
        """Seconds until the next try; counted here, before `is_spent` is asked."""
        error = _error(state)
        if isinstance(error, QboThrottled):
            self._throttles += 1
            return self._policy.throttle_seconds if error.retry_after is None else error.retry_after
        seconds = self._backoff(state)
        self._transient_seconds += seconds
        return seconds

    def is_spent(self, state: RetryCallState) -> bool:
        """Whether the last error is final."""
        return (
            self._throttles > self._policy.most_throttles
            or self._transient_seconds > self._policy.transient_seconds
            or state.attempt_number >= self._policy.most_tries
        )


def _error(state: RetryCallState) -> BaseException | None:
    return state.outcome.exception() if state.outcome is not None else None
