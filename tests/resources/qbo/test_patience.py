from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resources.clock import FixedClock
from resources.qbo.errors import QboRefused, QboThrottled, QboUnavailable
from resources.qbo.patience import Pace, Patience, RetryPolicy, Tally
from tests.resources.qbo.house import NOW
from tests.resources.qbo.scripted_qbo import REALM


def _unavailable() -> QboUnavailable:
    return QboUnavailable(what="Away.", next_step="Wait.")


def _throttled(retry_after: float | None = None) -> QboThrottled:
    error = QboThrottled(what="Slow down.", next_step="Wait.")
    error.retry_after = retry_after
    return error


class Server:
    """Fails with the given errors in turn, then answers."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.asked = 0

    def ask(self) -> str:
        self.asked += 1
        if self.errors:
            raise self.errors.pop(0)
        return "answer"


def test_a_passing_failure_is_waited_out() -> None:
    clock, tally, server = FixedClock(NOW), Tally(), Server(_unavailable(), _unavailable())
    assert Patience(clock=clock).call(REALM, server.ask, tally=tally) == "answer"
    assert tally.calls == server.asked == 3
    assert tally.waited_seconds == pytest.approx((clock.now() - NOW).total_seconds())
    assert 1.5 <= tally.waited_seconds <= 2.5


def test_a_lasting_failure_is_final_after_about_half_a_minute() -> None:
    clock, server = FixedClock(NOW), Server(*[_unavailable() for _ in range(100)])
    with pytest.raises(QboUnavailable):
        Patience(clock=clock).call(REALM, server.ask, tally=Tally())
    assert 15 <= (clock.now() - NOW).total_seconds() <= 30
    assert 5 <= server.asked <= 8


def test_without_patience_there_is_one_try() -> None:
    server = Server(_unavailable())
    patience = Patience(clock=FixedClock(NOW), policy=RetryPolicy(transient_seconds=0))
    with pytest.raises(QboUnavailable):
        patience.call(REALM, server.ask, tally=Tally())
    assert server.asked == 1


@pytest.mark.parametrize(("asked_for", "waited"), [(None, 60), (7.0, 7), (0.0, 0)])
def test_a_throttled_call_waits_as_long_as_it_was_told_or_a_minute(asked_for: float | None, waited: float) -> None:
    clock = FixedClock(NOW)
    assert Patience(clock=clock).call(REALM, Server(_throttled(asked_for)).ask, tally=Tally()) == "answer"
    assert (clock.now() - NOW).total_seconds() == waited


def test_throttling_that_does_not_clear_is_final() -> None:
    server = Server(*[_throttled() for _ in range(9)])
    with pytest.raises(QboThrottled):
        Patience(clock=FixedClock(NOW)).call(REALM, server.ask, tally=Tally())
    assert server.asked == 3


def test_what_no_waiting_can_help_is_final_at_once() -> None:
    server = Server(QboRefused(what="No.", next_step="Ask otherwise."))
    with pytest.raises(QboRefused):
        Patience(clock=FixedClock(NOW)).call(REALM, server.ask, tally=Tally())
    assert server.asked == 1


@given(st.lists(st.floats(0, 3), min_size=1, max_size=80))
def test_no_second_and_no_minute_holds_more_calls_than_the_pace(pauses: list[float]) -> None:
    clock, starts = FixedClock(NOW), []
    patience = Patience(clock=clock, pace=Pace(a_second=3, a_minute=20))
    for pause in pauses:
        clock.sleep(pause)
        patience.call(REALM, lambda: starts.append(clock.now()), tally=Tally())
    for most, span in ((3, timedelta(seconds=1)), (20, timedelta(minutes=1))):
        assert all(later - earlier >= span for earlier, later in zip(starts, starts[most:], strict=False))


def test_one_companys_pace_does_not_slow_another() -> None:
    clock, starts = FixedClock(NOW), dict[str, datetime]()
    patience = Patience(clock=clock, pace=Pace(a_second=1, a_minute=1))
    for realm in ("1", "2", "3"):
        patience.call(realm, lambda realm=realm: starts.setdefault(realm, clock.now()), tally=Tally())
    assert set(starts.values()) == {NOW}
