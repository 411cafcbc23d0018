"""Named points at which a test lets a process die, stop or fail.

Belongs here: the mechanism, and the names of the points of a sync with what each one means. Does not: what must hold after a
crash (the tests), other rooms' names (beside their own code).

A point that is not armed costs one look into an empty dictionary. Points are armed in memory only, by the process that runs a
test or by the parent it was forked from: nothing from outside (environment, settings, files) can arm one.
"""

import os
import signal
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

#: The points of a sync, in the order in which a first load meets them: what is true when each is reached.
SYNC_POINTS: Mapping[str, str] = MappingProxyType(
    {
        "lease.take.in": "the lease is written and not committed",
        "lease.taken": "the lease is ours, nothing else was done",
        "token.lease.taken": "we alone may refresh, nothing was asked",
        "token.before_save": "the authorisation server has handed out new tokens and only this process knows them",
        "token.save.in": "the new tokens are written and not committed",
        "token.after_save": "the new tokens are stored, the right to refresh is still ours",
        "token.before_first_use": "the new tokens are stored and were never used",
        "turnstile.in": "a call is counted and not committed",
        "turnstile.after": "a call is counted and was not made",
        "call.answered": "QuickBooks has answered, nobody has looked at the answer",
        "token.confirm.in": "the new token has worked, forgetting the one before is not committed",
        "window.anchored": "the first answer has fixed the window",
        "segment.opened": "an unfinished file without rows is there",
        "segment.written": "the unfinished file is whole and durable",
        "segment.renamed": "the segment has its final name and no commit names it",
        "lease.renew.in": "the renewed lease is written and not committed",
        "read.kind_written": "one kind is read whole and written, others are not",
        "read.changes": "what changed has arrived, nothing of it is written",
        "sync.before_commit": "everything is read and written, nothing is visible",
        "commit.row_in": "the sync's row is written without its segments, nothing is committed",
        "commit.in": "sync, segments and quarantine are written and not committed",
        "commit.after": "the sync is visible, the lease is still ours",
        "publish.in": "the balances before are deleted, the new ones are not written, nothing is committed",
        "publish.after": "the new balances are visible",
        "sweep.one": "one leftover file is deleted, others are still there",
    }
)


class Interrupted(BaseException):
    """A point that was armed to fail: no handler of ordinary errors may take it for one."""


def kill() -> None:
    """End the process at once, as a power failure does: nothing is flushed, no `finally` runs."""
    os.kill(os.getpid(), signal.SIGKILL)


def stop() -> None:
    """Stand still until somebody sends SIGCONT."""
    os.kill(os.getpid(), signal.SIGSTOP)


def interrupt() -> None:
    """Fail in a way that only the test catches."""
    raise Interrupted


@dataclass(slots=True, kw_only=True)
class _Armed:
    hit: int | None
    action: Callable[[], None]
    reached: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def reach(self) -> None:
        with self.lock:
            self.reached += 1
            is_due = self.hit is None or self.reached == self.hit
        if is_due:
            self.action()


_armed: dict[str, _Armed] = {}


def failpoint(name: str) -> None:
    """A point with a name: nothing happens here unless it was armed."""
    armed = _armed.get(name)
    if armed is not None:
        armed.reach()


def arm(name: str, *, hit: int | None = 1, action: Callable[[], None] = kill) -> None:
    """Let the `hit`th passage of a point, or each with None, do something: `kill`, `stop`, `interrupt` or what a test needs."""
    if hit is not None and hit < 1:
        raise ValueError("passages are counted from 1")
    _armed[name] = _Armed(hit=hit, action=action)


def disarm() -> None:
    """Let every point be nothing again."""
    _armed.clear()


def reached(name: str) -> int:
    """How often an armed point was passed."""
    armed = _armed.get(name)
    return 0 if armed is None else armed.reached
