from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resources.clock import FixedClock
from resources.qbo.circuit import Circuits
from resources.qbo.errors import QboQuotaExhausted, QboRefused, QboThrottled, QboUnavailable
from resources.qbo.patience import DATA_FETCH, USER_ACTION, Patience, RetryPolicy, Tally
from resources.tenants import TenantId
from tests.resources.qbo.house import NOW, TENANT

OTHER = TenantId("maple-works")


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
    assert Patience(clock=clock).call(TENANT, server.ask, tally=tally) == "answer"
    assert tally.calls == server.asked == 3
    assert tally.waited_seconds == pytest.approx((clock.now() - NOW).total_seconds(), abs=1e-5)
    assert 0 < tally.waited_seconds <= 1.5


@pytest.mark.parametrize("policy", [USER_ACTION, DATA_FETCH])
def test_a_lasting_failure_is_final_within_the_policys_time(policy: RetryPolicy) -> None:
    clock, server = FixedClock(NOW), Server(*[_unavailable() for _ in range(100)])
    with pytest.raises(QboUnavailable):
        Patience(clock=clock, policy=policy).call(TENANT, server.ask, tally=Tally())
    assert (clock.now() - NOW).total_seconds() <= policy.transient_seconds
    assert 3 <= server.asked <= policy.most_tries


def test_a_person_who_waits_is_told_soonest() -> None:
    assert USER_ACTION.transient_seconds < DATA_FETCH.transient_seconds
    server = Server(_throttled())
    with pytest.raises(QboThrottled):
        Patience(clock=FixedClock(NOW), policy=USER_ACTION).call(TENANT, server.ask, tally=Tally())
    assert server.asked == 1


def test_waits_are_spread_so_that_companies_do_not_come_back_together() -> None:
    waits = set()
    for _ in range(20):
        tally = Tally()
        Patience(clock=FixedClock(NOW)).call(TENANT, Server(_unavailable()).ask, tally=tally)
        waits.add(tally.waited_seconds)
    assert len(waits) > 10


def test_without_patience_there_is_one_try() -> None:
    server = Server(_unavailable())
    patience = Patience(clock=FixedClock(NOW), policy=RetryPolicy(transient_seconds=0))
    with pytest.raises(QboUnavailable):
        patience.call(TENANT, server.ask, tally=Tally())
    assert server.asked == 1


@pytest.mark.parametrize(("asked_for", "waited"), [(None, 60), (7.0, 7), (0.0, 0)])
def test_a_throttled_call_waits_as_long_as_it_was_told_or_a_minute(asked_for: float | None, waited: float) -> None:
    clock = FixedClock(NOW)
    assert Patience(clock=clock).call(TENANT, Server(_throttled(asked_for)).ask, tally=Tally()) == "answer"
    assert (clock.now() - NOW).total_seconds() == waited


def test_throttling_that_does_not_clear_in_minutes_is_reported_as_the_quota() -> None:
    server = Server(*[_throttled() for _ in range(9)])
    with pytest.raises(QboQuotaExhausted, match="monthly quota"):
        Patience(clock=FixedClock(NOW)).call(TENANT, server.ask, tally=Tally())
    assert server.asked == 3


def test_who_is_asked_to_wait_longer_than_a_few_minutes_gives_up_at_once() -> None:
    clock, server = FixedClock(NOW), Server(_throttled(3600.0))
    with pytest.raises(QboThrottled) as caught:
        Patience(clock=clock).call(TENANT, server.ask, tally=Tally())
    assert not isinstance(caught.value, QboQuotaExhausted)
    assert (server.asked, clock.now()) == (1, NOW)


@pytest.mark.parametrize(
    "error", [QboRefused(what="No.", next_step="Ask otherwise."), QboQuotaExhausted(what="Used up.", next_step="-")]
)
def test_what_no_waiting_can_help_is_final_at_once(error: Exception) -> None:
    server = Server(error)
    with pytest.raises(type(error)):
        Patience(clock=FixedClock(NOW)).call(TENANT, server.ask, tally=Tally())
    assert server.asked == 1


def _impatient(clock: FixedClock) -> Patience:
    return Patience(clock=clock, policy=RetryPolicy(transient_seconds=0))


def _fail(patience: Patience, server: Server, *, times: int, tenant: TenantId = TENANT) -> None:
    for _ in range(times):
        with pytest.raises(QboUnavailable):
            patience.call(tenant, server.ask, tally=Tally())


def test_a_company_that_keeps_failing_is_left_alone_for_a_while_and_then_tried_once() -> None:
    clock = FixedClock(NOW)
    patience, server = _impatient(clock), Server(*[_unavailable() for _ in range(100)])
    _fail(patience, server, times=9)
    assert server.asked == 3
    clock.sleep(61)
    _fail(patience, server, times=5)
    assert server.asked == 4
    clock.sleep(61)
    server.errors.clear()
    assert [patience.call(TENANT, server.ask, tally=Tally()) for _ in range(3)] == ["answer"] * 3


def test_one_companys_failures_do_not_keep_another_waiting() -> None:
    clock = FixedClock(NOW)
    patience = _impatient(clock)
    _fail(patience, Server(*[_unavailable() for _ in range(9)]), times=5)
    assert patience.call(OTHER, Server().ask, tally=Tally()) == "answer"
    assert clock.now() == NOW


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 90)), max_size=60))
def test_a_circuit_lets_calls_through_unless_the_last_three_failed_within_its_rest(
    steps: list[tuple[bool, int]],
) -> None:
    circuits, now, failures, until = Circuits(), NOW, 0, NOW
    for works, pause in steps:
        now += timedelta(seconds=pause)
        rests = circuits.rests_until("company", now=now)
        assert (rests is not None) == (failures >= 3 and now < until)
        if rests is not None:
            continue
        if works:
            circuits.worked("company")
            failures = 0
        else:
            circuits.failed("company", now=now)
            failures += 1
            until = now + timedelta(minutes=1)
