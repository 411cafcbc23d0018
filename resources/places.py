"""Places to work at: how many tenants one process works on at once, so that those who wait hold up nobody.

Belongs here: handing out places, giving one back during a wait. Does not: what is worked on, how long a wait is
(`resources/qbo/patience.py`).

A tenant whose QuickBooks fails may wait for minutes. Were such waits to keep their places, a few of those tenants would
keep all the others from beginning. So a place is given back for each longer wait and taken again after it, and an answer
that is long in coming stops counting as work. What is bounded is how many work; those who wait cost a sleeping thread each.
"""

import threading
from collections.abc import Callable, Hashable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from resources.clock import Clock

_Key = TypeVar("_Key", bound=Hashable)
_Result = TypeVar("_Result")

#: Shorter waits keep their place: giving it back at each turn of the pace would let everybody begin at once.
SHORT = timedelta(seconds=1)
#: How often it is looked whether an answer has become slow.
_LOOK_SECONDS = 0.1


@dataclass(slots=True, kw_only=True, eq=False)
class _Place:
    """One work in progress and what it is doing."""

    places: "_Places"
    is_waiting: bool = False
    #: Its last answer was slow or did not come: until one comes in time, asking is no work.
    is_troubled: bool = False
    asked_at: datetime | None = None


class _Places:
    """The places of one `side_by_side`."""

    def __init__(self, count: int, *, clock: Clock) -> None:
        self._count = count
        self._clock = clock
        self._taken: set[_Place] = set()
        self._changed = threading.Condition()

    def take(self) -> _Place:
        """A place as soon as one is free."""
        place = _Place(places=self)
        with self._changed:
            self._wait_for_one()
            self._taken.add(place)
        return place

    def leave(self, place: _Place) -> None:
        """The work is done."""
        with self._changed:
            self._taken.discard(place)
            self._changed.notify_all()

    @contextmanager
    def given_back(self, place: _Place) -> Iterator[None]:
        """The place is another's for a while; afterwards the next free one is taken."""
        with self._changed:
            place.is_waiting = True
            self._changed.notify_all()
        try:
            yield
        finally:
            with self._changed:
                self._wait_for_one()
                place.is_waiting = False

    @contextmanager
    def asked(self, place: _Place) -> Iterator[None]:
        """A question is out: it counts as work until the answer is late, or not at all if the last one was."""
        began = self._clock.now()
        with self._changed:
            place.asked_at = began
            if place.is_troubled:
                self._changed.notify_all()
        is_answered = False
        try:
            yield
            is_answered = True
        finally:
            with self._changed:
                place.is_troubled = not is_answered or self._is_late(began)
                place.asked_at = None

    def _wait_for_one(self) -> None:
        while sum(map(self._works, self._taken)) >= self._count:
            self._changed.wait(timeout=_LOOK_SECONDS)  # time alone makes an answer late: nobody says so

    def _works(self, place: _Place) -> bool:
        if place.is_waiting:
            return False
        return place.asked_at is None or not (place.is_troubled or self._is_late(place.asked_at))

    def _is_late(self, asked_at: datetime) -> bool:
        return self._clock.now() - asked_at > SHORT


#: The place of the work that a thread does, if it is one of several side by side.
_MINE: ContextVar[_Place | None] = ContextVar("place", default=None)


@contextmanager
def place_given_back(seconds: float) -> Iterator[None]:
    """Wait without a place, unless the wait is short."""
    place = _MINE.get()
    if place is None or seconds <= SHORT.total_seconds():
        yield
        return
    with place.places.given_back(place):
        yield


@contextmanager
def question_asked() -> Iterator[None]:
    """Ask somebody who may take long to answer."""
    place = _MINE.get()
    if place is None:
        yield
        return
    with place.places.asked(place):
        yield


def side_by_side(works: Mapping[_Key, Callable[[], _Result]], *, places: int, clock: Clock) -> dict[_Key, _Result]:
    """What each work returned, by key; they begin in order and at most `places` of them work at once.

    An exception is raised once all others are done.
    """
    if not works:
        return {}
    free = _Places(max(1, places), clock=clock)

    def work_at(place: _Place, work: Callable[[], _Result]) -> _Result:
        mine = _MINE.set(place)
        try:
            return work()
        finally:
            _MINE.reset(mine)
            free.leave(place)

    running: dict[_Key, Future[_Result]] = {}
    with ThreadPoolExecutor(max_workers=len(works), thread_name_prefix="side by side") as pool:
        for key, work in works.items():
            running[key] = pool.submit(work_at, free.take(), work)
    return {key: future.result() for key, future in running.items()}
