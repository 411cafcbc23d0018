"""The sandbox's own time."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from qbo_sandbox.clock import VirtualClock

START = datetime(2026, 3, 2, 17, tzinfo=UTC)


class SystemTime:
    """A system clock that a test sets."""

    def __init__(self) -> None:
        self.seconds = START.timestamp()

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def system() -> SystemTime:
    return SystemTime()


@pytest.fixture
def clock(system: SystemTime) -> VirtualClock:
    return VirtualClock(system_seconds=system)


def test_it_runs_with_real_time_from_wherever_it_was_set(clock: VirtualClock, system: SystemTime) -> None:
    clock.set(START + timedelta(days=30))
    system.seconds += 5
    assert clock.now() == START + timedelta(days=30, seconds=5)
    clock.set(START)
    assert clock.now() == START


def test_a_system_clock_that_steps_back_does_not_take_it_along(clock: VirtualClock, system: SystemTime) -> None:
    system.seconds += 10
    before = clock.now()
    system.seconds -= 0.003
    assert clock.now() == before
    system.seconds += 1
    assert clock.now() > before


def test_frozen_it_moves_only_when_moved_and_runs_on_from_there(clock: VirtualClock, system: SystemTime) -> None:
    clock.freeze()
    system.seconds += 100
    assert clock.now() == START
    clock.advance(timedelta(hours=1))
    assert clock.now() == START + timedelta(hours=1)
    clock.run()
    system.seconds += 1
    assert clock.now() == START + timedelta(hours=1, seconds=1)


def test_those_who_wait_are_woken_when_the_clock_is_moved(clock: VirtualClock) -> None:
    clock.freeze()

    async def scenario() -> None:
        waiting = asyncio.create_task(clock.wait_until(START + timedelta(days=1), poll_seconds=60))
        await asyncio.sleep(0)
        clock.advance(timedelta(hours=23))
        await clock.notify()
        await asyncio.sleep(0.01)
        assert not waiting.done()
        clock.advance(timedelta(hours=1))
        await clock.notify()
        await asyncio.wait_for(waiting, timeout=5)

    asyncio.run(scenario())
