"""The process that runs of a batch are forked from: everything is imported once, each run is a process of its own that may die.

It is started as a program, spoken to in lines of JSON, and has one thread, so that forking is safe.

    {"do": "start", ...}   -> {"pid": 1}
    {"do": "wait", "pid"}  -> {"ended": "exited 0" | "killed 9" | "stopped"}
    {"do": "go_on", "pid"} -> {}
"""

import json
import os
import signal
import subprocess
import sys
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from payments.errors import Fenced
from resources.failpoints import arm, interrupt, kill, stop
from tests.payments.mutants import MUTANTS
from tests.payments.office import POLICY, SharedClock, drive_batch, open_installation

_ACTIONS = {"kill": kill, "stop": stop, "interrupt": interrupt}
FENCED = 3
_FAILED = 4


class Zygote:
    """The parent of all runs, as a test sees it."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def start(
        self,
        *,
        folder: Path,
        url: str,
        batch_id: str,
        deaths: Sequence[tuple[str, int, str]] = (),
        timeout: float = 5.0,
        mutant: str = "",
    ) -> int:
        """Begin a run that does something at these points (name, passage, action); its process id."""
        asked: dict[str, Any] = {
            "do": "start",
            "folder": str(folder),
            "url": url,
            "batch_id": batch_id,
            "timeout": timeout,
        }
        asked |= {"mutant": mutant}
        return int(self._ask(asked | {"deaths": [list(one) for one in deaths]})["pid"])

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
def start_zygote() -> Iterator[Zygote]:
    """The program, ended afterwards with all its runs."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.payments.zygote"],
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


def _serve() -> None:
    children: set[int] = set()
    for line in sys.stdin:
        asked = json.loads(line)
        answer: dict[str, Any] = {}
        if asked["do"] == "start":
            pid = os.fork()
            if pid == 0:
                os._exit(_run(asked))
            children.add(pid)
            answer = {"pid": pid}
        elif asked["do"] == "go_on":
            os.kill(asked["pid"], signal.SIGCONT)
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


def _ended(status: int) -> str:
    if os.WIFSTOPPED(status):
        return "stopped"
    if os.WIFSIGNALED(status):
        return f"killed {os.WTERMSIG(status)}"
    return f"exited {os.WEXITSTATUS(status)}"


def _run(asked: Mapping[str, Any]) -> int:
    folder = Path(asked["folder"])
    try:
        for point, hit, action in asked["deaths"]:
            arm(point, hit=hit, action=_ACTIONS[action])
        policy = POLICY
        if asked["mutant"]:
            mutant = MUTANTS[asked["mutant"]]
            mutant.apply()
            policy = mutant.policy(POLICY)
        clock = SharedClock(folder / "clock")
        opened = open_installation(folder, asked["url"], timeout=asked["timeout"], clock=clock)
        drive_batch(opened, asked["batch_id"], holder=f"process {os.getpid()}", policy=policy)
    except Fenced:
        return FENCED
    except BaseException:  # noqa: BLE001 - whatever it was, the campaign must hear of it
        traceback.print_exc()
        return _FAILED
    return 0


if __name__ == "__main__":
    _serve()
