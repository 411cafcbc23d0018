"""The process that runs of a batch are forked from: everything is imported once, each run is a process of its own that may die.

It is started as a program on one folder, spoken to in lines of JSON, and has one thread, so that forking is safe. It opens the
installation once and keeps what it has learned (statements compiled, TLS prepared) but no connection, so that a run is a fork and
little else.

    {"do": "warm", "batch_id"} -> {}            a batch driven in this process
    {"do": "start", ...}       -> {"pid": 1}
    {"do": "wait", "pid"}      -> {"ended": "exited 0" | "killed 9" | "stopped"}
    {"do": "go_on", "pid"}     -> {}
"""

import gc
import itertools
import json
import os
import resource
import signal
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from payments.errors import Fenced
from payments.sending import drive
from resources import database
from resources.failpoints import arm, interrupt, kill, stop
from resources.installation import Installation
from resources.qbo.bill_payments import PaymentClient
from resources.tenants import tenant_id
from tests.payments.desk_work import do_desk_work
from tests.payments.mutants import MUTANTS
from tests.payments.office import POLICY, SharedClock, drive_batch, open_installation
from tests.resources.builders import ACME

_ACTIONS = {"kill": kill, "stop": stop, "interrupt": interrupt}
#: Seconds after which a run gives QuickBooks up; the short one is for a QuickBooks that is slow on purpose.
PATIENT, HASTY = 10.0, 0.3
FENCED = 3
_FAILED = 4
#: The disk was full.
FULL = 5
#: Somebody else kept writing for longer than it waited.
LOCKED = 6


class Zygote:
    """The parent of all runs, as a test sees it."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def warm(self, batch_id: str) -> None:
        """Drive a batch in the parent itself, so that the runs find their statements compiled."""
        self._ask({"do": "warm", "batch_id": batch_id})

    def start(
        self,
        *,
        batch_id: str = "",
        tenant: str = ACME,
        deaths: Sequence[tuple[str, int, str]] = (),
        timeout: float = PATIENT,
        mutant: str = "",
        work: Sequence[Mapping[str, Any]] = (),
        pages: int | None = None,
        file_bytes: int | None = None,
        may_be_full: bool = False,
        busy_milliseconds: int | None = None,
    ) -> int:
        """Begin a run of a batch, or work at the desk, that does something at these points; its process id.

        A point after the name of a leg ("rail send.before") is passed on that leg alone. Its database may have so many pages, or no
        file it writes more bytes: as on a disk that is full. It may wait for another writer no longer than so many milliseconds.
        """
        asked: dict[str, Any] = {"do": "start", "batch_id": batch_id, "tenant": tenant}
        asked |= {"timeout": timeout, "mutant": mutant}
        asked |= {"work": list(work), "deaths": [list(one) for one in deaths]}
        asked |= {"pages": pages, "file_bytes": file_bytes, "may_be_full": may_be_full}
        asked |= {"busy_milliseconds": busy_milliseconds}
        return int(self._ask(asked)["pid"])

    def wait(self, pid: int) -> str:
        """How a run ended, or that it stands still."""
        return str(self._ask({"do": "wait", "pid": pid})["ended"])

    def go_on(self, pid: int) -> None:
        """Let a stopped run go on."""
        self._ask({"do": "go_on", "pid": pid})

    def run(self, **what: Any) -> str:
        """A whole run; how it ended."""
        return self.wait(self.start(**what))

    def _ask(self, what: Mapping[str, Any]) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(what) + "\n")
        self._process.stdin.flush()
        found: dict[str, Any] = json.loads(self._process.stdout.readline())
        return found


@contextmanager
def start_zygote(folder: Path, url: str, *, database_url: str = "") -> Iterator[Zygote]:
    """The program on the installation in a folder, ended afterwards with all its runs."""
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", "tests.payments.zygote", str(folder), url, database_url],
        cwd=Path(__file__).parents[2],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield Zygote(process)
    finally:
        assert process.stdin is not None
        process.stdin.close()
        process.wait(timeout=30)
        assert process.stdout is not None
        process.stdout.close()


class _Parent:
    """What the runs are forked from: an installation without an open connection."""

    def __init__(self, folder: Path, url: str, database_url: str) -> None:
        clock = SharedClock(folder / "clock")
        self._opened = open_installation(folder, url, clock=clock, timeout=PATIENT, database_url=database_url)
        self._clients = {seconds: PaymentClient(url=url, timeout_seconds=seconds) for seconds in (PATIENT, HASTY)}
        self._folder = folder

    def warm(self, batch_id: str) -> None:
        drive_batch(self._opened, batch_id, holder="warm", policy=POLICY)
        forget_connections(self._opened)
        gc.collect()
        gc.freeze()  # a fork copies what a collection would touch

    def run(self, asked: Mapping[str, Any]) -> int:
        try:
            for point, hit, action in asked["deaths"]:
                _arm(point, hit=hit, action=_ACTIONS[action])
            self._opened.__dict__["payment_client"] = self._clients[asked["timeout"]]
            # The clients of QuickBooks are built: of what a run opens only a rail asks for this still.
            patience = {"qbo_timeout_seconds": asked["timeout"]}
            self._opened.settings = self._opened.settings.model_copy(update=patience)
            self._limit(asked)
            self._work(asked)
        except Fenced:
            return FENCED
        except (OperationalError, OSError) as error:
            if asked["may_be_full"]:
                return FULL
            if asked["busy_milliseconds"] is not None and "database is locked" in str(error):
                return LOCKED
            traceback.print_exc()
            return _FAILED
        except BaseException:  # noqa: BLE001 - whatever it was, the campaign must hear of it
            traceback.print_exc()
            return _FAILED
        return 0

    def _limit(self, asked: Mapping[str, Any]) -> None:
        if asked["busy_milliseconds"] is not None:
            database.BUSY_MILLISECONDS = asked["busy_milliseconds"]
        if asked["pages"] is not None:
            limit = f"PRAGMA max_page_count={asked['pages']}"
            event.listen(self._opened.database.writer, "connect", lambda raw, _: raw.execute(limit).close())
        if asked["file_bytes"] is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (asked["file_bytes"], resource.RLIM_INFINITY))

    def _work(self, asked: Mapping[str, Any]) -> None:
        if asked["work"]:
            do_desk_work(self._opened, asked["work"], journal=self._folder / "answered")
            return
        policy = POLICY
        if asked["mutant"]:
            mutant = MUTANTS[asked["mutant"]]
            mutant.apply()
            policy = mutant.policy(POLICY)
        drive_batch(
            self._opened,
            asked["batch_id"],
            holder=f"process {os.getpid()}",
            policy=policy,
            tenant=tenant_id(asked["tenant"]),
        )


def _arm(point: str, *, hit: int, action: Callable[[], None]) -> None:
    leg, _, name = point.rpartition(" ")
    if not leg:
        arm(name, hit=hit, action=action)
        return
    under_way, passages = [""], itertools.count(1)
    real = drive._Run._bring_on

    def bring_on(run: drive._Run, intent_id: str) -> None:
        under_way[0] = run._read(intent_id).intent["leg"]
        real(run, intent_id)

    def act_on_leg() -> None:
        if under_way[0] == leg and next(passages) == hit:
            action()

    drive._Run._bring_on = bring_on  # type: ignore[method-assign]
    arm(name, hit=None, action=act_on_leg)


def forget_connections(opened: Installation) -> None:
    """Close what is open and build the clients anew, unconnected; compiled statements stay with the engines."""
    opened.close()
    for name in set(opened.__dict__) - {"settings", "clock", "database"}:
        del opened.__dict__[name]
    _ = opened.token_keeper, opened.turnstile, opened.payment_client


def _serve(folder: Path, url: str, database_url: str) -> None:
    parent = _Parent(folder, url, database_url)
    children: set[int] = set()
    for line in sys.stdin:
        asked = json.loads(line)
        answer: dict[str, Any] = {}
        if asked["do"] == "start":
            answer = {"pid": _forked(parent, asked)}
            children.add(answer["pid"])
        elif asked["do"] == "go_on":
            os.kill(asked["pid"], signal.SIGCONT)
        elif asked["do"] == "warm":
            parent.warm(asked["batch_id"])
        else:
            _, status = os.waitpid(asked["pid"], os.WUNTRACED)
            answer = {"ended": _ended(status)}
            if not os.WIFSTOPPED(status):
                children.discard(asked["pid"])
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()
    for pid in children:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def _forked(parent: _Parent, asked: Mapping[str, Any]) -> int:
    pid = os.fork()
    if pid == 0:
        os._exit(parent.run(asked))
    return pid


def _ended(status: int) -> str:
    if os.WIFSTOPPED(status):
        return "stopped"
    if os.WIFSIGNALED(status):
        return f"killed {os.WTERMSIG(status)}"
    return f"exited {os.WEXITSTATUS(status)}"


if __name__ == "__main__":
    _serve(Path(sys.argv[1]), *sys.argv[2:])
    os._exit(0)  # what was frozen cannot be taken down in order
