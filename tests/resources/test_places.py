"""Works side by side: who waits gives its place to somebody else."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resources.clock import FixedClock
from resources.places import SHORT, place_given_back, question_asked, side_by_side

_NOW = datetime(2026, 11, 20, 13, 0, tzinfo=UTC)
_LONG = SHORT.total_seconds() * 60
_PATIENCE = 20


class _Count:
    """How many work at the same time, and the most there ever were."""

    def __init__(self) -> None:
        self.now = self.most = 0
        self._lock = threading.Lock()

    def __enter__(self) -> None:
        with self._lock:
            self.now += 1
            self.most = max(self.most, self.now)

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self.now -= 1


@given(works=st.integers(0, 12), places=st.integers(1, 4))
def test_every_work_is_done_and_never_more_at_once_than_there_are_places(works: int, places: int) -> None:
    count = _Count()

    def work(number: int) -> int:
        with count:
            pass
        with place_given_back(_LONG):
            pass  # who comes back waits for a free place
        with count:
            return number * number

    done = side_by_side(
        {number: lambda number=number: work(number) for number in range(works)}, places=places, clock=FixedClock(_NOW)
    )
    assert done == {number: number * number for number in range(works)}
    assert list(done) == list(range(works))
    assert count.most <= places


def _all_but_the_last_wait(wait: Callable[[threading.Event], None]) -> None:
    last_is_done = threading.Event()
    works: dict[int, Callable[[], None]] = {number: lambda: wait(last_is_done) for number in range(5)}
    works[5] = last_is_done.set
    side_by_side(works, places=2, clock=FixedClock(_NOW))


def test_however_many_wait_the_next_begins() -> None:
    def wait(last_is_done: threading.Event) -> None:
        with place_given_back(_LONG):
            assert last_is_done.wait(_PATIENCE)

    _all_but_the_last_wait(wait)


def test_a_short_wait_keeps_its_place() -> None:
    second_began = threading.Event()

    def first() -> bool:
        with place_given_back(SHORT.total_seconds()):
            return second_began.is_set()

    done = side_by_side({1: first, 2: second_began.set}, places=1, clock=FixedClock(_NOW))
    assert done == {1: False, 2: None}


def test_an_answer_that_is_late_holds_up_nobody() -> None:
    clock, last_is_done = FixedClock(_NOW), threading.Event()

    def ask() -> None:
        with question_asked():
            clock.move_to(_NOW + 2 * SHORT)
            assert last_is_done.wait(_PATIENCE)

    side_by_side({1: ask, 2: last_is_done.set}, places=1, clock=clock)


def test_who_got_no_answer_before_holds_up_nobody_while_asking_again() -> None:
    last_is_done = threading.Event()

    def ask_twice() -> None:
        with pytest.raises(TimeoutError), question_asked():
            raise TimeoutError
        with question_asked():
            assert last_is_done.wait(_PATIENCE)

    side_by_side({1: ask_twice, 2: last_is_done.set}, places=1, clock=FixedClock(_NOW))


def test_who_got_an_answer_in_time_counts_as_working_while_asking() -> None:
    second_began = threading.Event()

    def ask() -> bool:
        with question_asked():
            return second_began.is_set()

    assert side_by_side({1: ask, 2: second_began.set}, places=1, clock=FixedClock(_NOW))[1] is False


def test_an_error_is_raised_when_the_others_are_done() -> None:
    done = []

    def fail() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        side_by_side({1: fail, 2: lambda: done.append(2)}, places=1, clock=FixedClock(_NOW))
    assert done == [2]


def test_outside_of_places_a_wait_is_a_wait() -> None:
    with place_given_back(_LONG), question_asked():
        clock = FixedClock(_NOW)
        clock.sleep(_LONG)
    assert clock.now() - _NOW == timedelta(seconds=_LONG)
