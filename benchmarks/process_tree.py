"""What a program and all processes that it starts cost: processor seconds, and memory as the sum of PSS.

Belongs here: reading /proc (Linux). Does not: what is measured.

PSS counts a page that several processes share once, divided among them, so that the sum is what the machine needs.
"""

import os
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

_TICK = os.sysconf("SC_CLK_TCK")
_EVERY_SECONDS = 0.5


class ProcessTree:
    """A running program and its descendants."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.peak_pss_bytes = 0
        self._ended = threading.Event()
        self._watcher = threading.Thread(target=self._watch, daemon=True)

    def processor_seconds(self) -> float:
        """Of the living processes, and of those ended ones that a living one has waited for."""
        return sum(_ticks(pid) for pid in self._living()) / _TICK

    def _living(self) -> list[int]:
        children: dict[int, list[int]] = {}
        for path in Path("/proc").glob("[0-9]*/stat"):
            try:
                children.setdefault(int(_stat(path)[1]), []).append(int(path.parent.name))
            except OSError:
                continue  # it ended while we looked
        found = [self.pid]
        for pid in found:
            found.extend(children.get(pid, ()))
        return found

    def _watch(self) -> None:
        while not self._ended.wait(_EVERY_SECONDS):
            self.peak_pss_bytes = max(self.peak_pss_bytes, sum(_pss(pid) for pid in self._living()))

    @contextmanager
    def watched(self) -> Iterator["ProcessTree"]:
        """Look at its memory every half second."""
        self._watcher.start()
        try:
            yield self
        finally:
            self._ended.set()
            self._watcher.join()


@contextmanager
def started(
    command: Sequence[str], *, environment: Mapping[str, str], log: Path, folder: Path
) -> Iterator[tuple["subprocess.Popen[bytes]", ProcessTree]]:
    """A program in a process group of its own, its memory watched; it and what it started end with the block."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, env=dict(environment), cwd=folder, stdout=output, stderr=output, start_new_session=True
        )
        try:
            with ProcessTree(process.pid).watched() as tree:
                yield process, tree
        finally:
            end(process)


def end(process: "subprocess.Popen[bytes]") -> None:
    """End a program that leads its own process group, politely at first."""
    for number in (2, 15, 9):
        if process.poll() is not None:
            return
        os.killpg(process.pid, number)
        deadline = time.monotonic() + 20
        while process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.2)


def _stat(path: Path) -> list[str]:
    """The fields after the name, which may hold blanks: state, parent, ..."""
    return path.read_text().rpartition(")")[2].split()


def _ticks(pid: int) -> int:
    try:
        fields = _stat(Path(f"/proc/{pid}/stat"))
    except OSError:
        return 0
    return sum(int(fields[place]) for place in (11, 12, 13, 14))


def _pss(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))
