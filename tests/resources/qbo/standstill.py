"""A clock for tests of who waits for whom.

Belongs here: letting time stand still. Does not: who has to be done by then.
"""

import threading
from datetime import datetime

from resources.clock import FixedClock
from resources.places import SHORT

_SOON = 60.0


class Standstill(FixedClock):
    """A clock on which long waits end only when it is told so: whoever is done before has waited for none of them."""

    def __init__(self, now: datetime) -> None:
        super().__init__(now)
        self._lock = threading.Lock()
        self._runs = threading.Event()
        self._runs.set()

    def stand_still(self) -> None:
        self._runs.clear()

    def run(self) -> None:
        self._runs.set()

    def sleep(self, seconds: float) -> None:
        if seconds > SHORT.total_seconds():
            assert self._runs.wait(_SOON), "somebody waits whom nobody lets go on"
        with self._lock:
            super().sleep(seconds)
