"""How often one company's QuickBooks is called: backoff, when to give up, when to leave it alone.

Belongs here: waiting and trying again. Does not: what an error is (`answers.py`), the refresh after a 401
(`company_line.py`), pace and counts (`turnstile.py`).

Every wait goes through the clock that is passed in, so that tests and replays take no time.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TypeVar

from tenacity import RetryCallState, Retrying, retry_if_exception_type, wait_random_exponential

from resources.clock import Clock
from resources.places import place_given_back, question_asked
from resources.qbo.circuit import Circuits
from resources.qbo.errors import QboError, QboQuotaExhausted, QboThrottled, QboUnavailable
from resources.qbo.turnstile import Turnstile
from resources.qbo.usage import Usage
from resources.tenants import TenantId

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
    #: Who is asked to wait longer gives up at once: it would hold the place of others, and outlive its lease.
    longest_throttle_seconds: float = 180.0
    most_throttles: int = 2
    most_tries: int = 20

    def asks_too_much(self, error: QboThrottled) -> bool:
        """Whether QuickBooks wants a longer wait than a call may have."""
        return error.retry_after is not None and error.retry_after > self.longest_throttle_seconds


@dataclass(slots=True)
class Tally:
    """Calls made and seconds waited, counted while work goes on."""

    calls: int = 0
    waited_seconds: float = 0.0

    def add(self, other: "Tally") -> None:
        """Count what another tally counted."""
        self.calls += other.calls
        self.waited_seconds += other.waited_seconds


#: A person waits for the answer: soon, or not at all.
USER_ACTION = RetryPolicy(transient_seconds=5.0, longest_wait_seconds=2.0, most_throttles=0)
#: A sync: some minutes of trouble are waited out.
DATA_FETCH = RetryPolicy()


class Patience:
    """Paces the calls to each company, tries transient failures again, leaves a company alone that keeps failing."""

    def __init__(
        self,
        *,
        clock: Clock,
        policy: RetryPolicy = DATA_FETCH,
        turnstile: Turnstile | None = None,
        circuits: Circuits | None = None,
    ) -> None:
        self._clock = clock
        self._policy = policy
        #: None for calls that QuickBooks neither meters nor limits, such as those to its authorisation server.
        self._turnstile = turnstile
        self._circuits = circuits or Circuits()

    def call(self, tenant: TenantId, attempt: Callable[[], _Result], *, tally: Tally) -> _Result:
        """The attempt's result; its last error once the policy gives up, at once if trying again cannot help."""
        self._refuse_resting(tenant)
        try:
            result = self._retrying(tenant, tally)(lambda: self._once(tenant, attempt, tally=tally))
        except QboUnavailable:
            self._circuits.failed(tenant, now=self._clock.now())
            raise
        except QboThrottled as error:
            if self._policy.asks_too_much(error) or not self._waits_for_quota():
                raise
            raise _quota_exhausted(error) from None
        self._circuits.worked(tenant)
        return result

    def usage(self, tenant: TenantId) -> Usage | None:
        """The tenant's metered calls of this month, if they are counted here."""
        return None if self._turnstile is None else self._turnstile.usage(tenant)

    def _once(self, tenant: TenantId, attempt: Callable[[], _Result], *, tally: Tally) -> _Result:
        if self._turnstile is None:
            tally.calls += 1
            return _ask(attempt)
        seconds = self._turnstile.enter(tenant)
        if seconds > 0:
            self._wait(seconds, tally=tally)
        tally.calls += 1
        try:
            return _ask(attempt)
        except QboUnavailable:
            raise  # an answer that was cut may have been metered
        except QboError:
            self._turnstile.take_back(tenant)
            raise

    def _retrying(self, tenant: TenantId, tally: Tally) -> Retrying:
        def note(state: RetryCallState) -> None:
            if self._turnstile is not None and isinstance(_error(state), QboThrottled):
                self._turnstile.throttled(tenant, waits=timedelta(seconds=state.upcoming_sleep))

        measure = _Measure(self._policy)
        return Retrying(
            sleep=partial(self._wait, tally=tally),
            before_sleep=note,
            wait=measure.wait,
            stop=measure.is_spent,
            retry=retry_if_exception_type((QboUnavailable, QboThrottled)),
            reraise=True,
        )

    def _wait(self, seconds: float, *, tally: Tally) -> None:
        tally.waited_seconds += seconds
        with place_given_back(seconds):
            self._clock.sleep(seconds)

    def _refuse_resting(self, tenant: TenantId) -> None:
        until = self._circuits.rests_until(tenant, now=self._clock.now())
        if until is not None:
            raise QboUnavailable(
                what=f"QuickBooks has failed for {tenant!r} several times in a row, so it was not asked again yet.",
                next_step=f"The next try is possible from {until:%H:%M:%S} UTC.",
            )

    def _waits_for_quota(self) -> bool:
        """Whether the policy waited long enough that a lasting 429 can only be the monthly quota."""
        return self._policy.most_throttles > 1


def _ask(attempt: Callable[[], _Result]) -> _Result:
    with question_asked():
        return attempt()


def _quota_exhausted(error: QboThrottled) -> QboQuotaExhausted:
    return QboQuotaExhausted(
        what=f"{error.what} It has done so for minutes, as it does when the app's monthly quota of reads is used up.",
        next_step="Look at the app's usage at Intuit: reads work again next month, or at once on a higher tier.",
        codes=error.codes,
        intuit_tid=error.intuit_tid,
    )


class _Measure:
    """What one call has used up of its policy."""

    def __init__(self, policy: RetryPolicy) -> None:
        self._policy = policy
        # Full jitter: tenants that failed together do not come back together.
        self._backoff = wait_random_exponential(multiplier=policy.first_wait_seconds, max=policy.longest_wait_seconds)
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
        error = _error(state)
        return (
            (isinstance(error, QboThrottled) and self._policy.asks_too_much(error))
            or self._throttles > self._policy.most_throttles
            or self._transient_seconds >= self._policy.transient_seconds
            or state.attempt_number >= self._policy.most_tries
        )


def _error(state: RetryCallState) -> BaseException | None:
    return state.outcome.exception() if state.outcome is not None else None
