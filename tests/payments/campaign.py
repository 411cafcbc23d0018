"""The fault campaign of payments: processes that die at every point, a QuickBooks that misbehaves, judged by its own books.

    python -m tests.payments.campaign --seconds 60 --seed 7
    python -m tests.payments.campaign --kind stop --replay 20261139

Three workers share the trials, each with a QuickBooks and a ledger of its own; a seed and a number decide everything about a trial.
How far each kind of trials has come is kept in a folder: the same seed goes on from there until the counts of a release are
reached, and plays first what failed before. Where no net is left (derived from what QuickBooks does in a trial, not listed) a
double must be raised. The last line is one JSON object: `release` says of each count of a release what was reached of what was
aimed at. A run of full length fails if there is a point at which no process was killed; a slice only names those.
"""

import argparse
import gc
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from resources.files import write_whole
from tests.payments.full_disks import small_disk
from tests.payments.kinds import KINDS, RELEASE_SECONDS, Kind
from tests.payments.scene import DATA, Counts, Scene, open_scene
from tests.payments.verdict import verdict

#: A worker waits for its QuickBooks a third of its time: three fill two cores.
WORKERS = 3
_KEPT_EVERY = 10.0
_TOLD_EVERY = 60.0


class Progress:
    """How far one worker has come, by kind, in a file of its own."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.kinds: dict[str, dict[str, Any]] = json.loads(path.read_text()) if path.exists() else {}
        self._kept_at = time.monotonic()

    def note(self, kind: Kind, *, following: int, seconds: float, failed: Sequence[int], counts: Counts) -> None:
        """After each trial; written down now and then."""
        done = {"next": following, "seconds": round(seconds, 1), "failed": list(failed), "counts": counts.summary()}
        self.kinds[kind.name] = done
        if time.monotonic() - self._kept_at > _KEPT_EVERY:
            self.keep()

    def keep(self) -> None:
        """Write it down."""
        self._kept_at = time.monotonic()
        write_whole(self._path, json.dumps(self.kinds))


def work(progress: Progress, *, worker: int, seed: int, seconds: float, only: Sequence[str]) -> None:
    """One worker's part of the time: kind after kind, from where it was left."""
    started = time.monotonic()
    kinds = [kind for kind in KINDS if not only or kind.name in only]
    with _somewhere() as folder, open_scene(folder) as scene:
        gc.collect()
        gc.freeze()  # what is loaded by now stays: looking through it again and again is a tenth of the time
        left = sum(kind.share for kind in kinds)
        for kind in kinds:
            remaining = seconds - (time.monotonic() - started)
            until = time.monotonic() + remaining * kind.share / left
            left -= kind.share
            _spend(scene, kind, progress, worker=worker, seed=seed, until=until)
            progress.keep()
        gc.unfreeze()


@contextmanager
def _somewhere() -> Iterator[Path]:
    """A folder in which the data has a small disk of its own, if that is allowed."""
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / DATA
        data.mkdir()
        with small_disk(data):
            yield Path(folder)


def _spend(scene: Scene, kind: Kind, progress: Progress, *, worker: int, seed: int, until: float) -> None:
    """Trials of a kind until its time is over or a release's count is reached; first those that failed the last time."""
    known = progress.kinds.get(kind.name, {"next": worker, "seconds": 0.0, "failed": [], "counts": {}})
    counts, following = Counts(), known["next"]
    counts.add({**known["counts"], "wrong": []})
    scene.counts = counts
    began = time.monotonic()
    failed: list[int] = []

    def play(number: int) -> None:
        before = len(counts.wrong)
        try:
            kind.play(scene, seed + number)
        except Exception as error:  # noqa: BLE001 - the other trials go on, and this one is told
            counts.wrong.append(f"the trial ended with {type(error).__name__}: {error}")
            scene.end()
        if counts.wrong[before:]:
            failed.append(number)
        for problem in counts.wrong[before:]:
            _say(f"{kind.name} {seed + number}: {problem}")
        seconds = known["seconds"] + time.monotonic() - began
        progress.note(kind, following=following, seconds=seconds, failed=failed, counts=counts)

    for number in known["failed"]:
        play(number)
    while time.monotonic() + kind.shortest < until and kind.counted(counts) * WORKERS < kind.release:
        following += WORKERS
        play(following - WORKERS)


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def replay(name: str, seed: int) -> int:
    """One trial of a kind by its seed."""
    (kind,) = (one for one in KINDS if one.name == name)
    with _somewhere() as folder, open_scene(folder) as scene:
        kind.play(scene, seed)
        sys.stdout.write(json.dumps(scene.counts.summary()) + "\n")
        return 1 if scene.counts.wrong else 0


def main() -> int:
    """Trials until the time is over or the counts of a release are reached; 1 if anything was wrong."""
    parser = argparse.ArgumentParser(description="The fault campaign of payments.")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kind", action="append", default=[], help="only this kind; may be repeated")
    parser.add_argument("--replay", type=int, help="play the one trial of this seed, of one kind")
    parser.add_argument("--state", type=Path, help="folder of how far it came; the same seed goes on from there")
    parser.add_argument("--workers", type=int, default=WORKERS)
    parser.add_argument("--worker", type=int, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.replay is not None:
        return replay(asked.kind[0], asked.replay)
    state = asked.state or Path(tempfile.gettempdir()) / f"runway-faults-{os.getuid()}-{asked.seed}"
    if asked.worker is None:
        return _lead(asked, state)
    progress = Progress(_part(state, asked.worker))
    work(progress, worker=asked.worker, seed=asked.seed, seconds=asked.seconds, only=asked.kind)
    return 0


def _lead(asked: argparse.Namespace, state: Path) -> int:
    _say(f"seed {asked.seed}, {asked.seconds:.0f} seconds; how far it came is kept in {state}")
    started = time.monotonic()
    command = [sys.executable, "-W", "ignore", "-m", "tests.payments.campaign", "--state", str(state)]
    command += ["--seconds", str(asked.seconds), "--seed", str(asked.seed)]
    command += [part for name in asked.kind for part in ("--kind", name)]
    workers = [subprocess.Popen([*command, "--worker", str(number)]) for number in range(asked.workers)]
    while (codes := _wait(workers)) is None:
        _say(_so_far(state, seconds=time.monotonic() - started, of=asked.seconds))
    parts = [Progress(_part(state, number)).kinds for number in range(WORKERS)]
    is_whole = asked.seconds >= RELEASE_SECONDS and not asked.kind
    summary = verdict(parts, is_whole=is_whole) | {"seconds": round(time.monotonic() - started, 1), "seed": asked.seed}
    sys.stdout.write(json.dumps(summary) + "\n")
    return 1 if any(codes) or summary["wrong"] else 0


def _wait(workers: Sequence[subprocess.Popen[bytes]]) -> list[int] | None:
    """How the workers ended; None if after a while one still works."""
    until = time.monotonic() + _TOLD_EVERY
    try:
        return [process.wait(max(0.0, until - time.monotonic())) for process in workers]
    except subprocess.TimeoutExpired:
        return None


def _so_far(state: Path, *, seconds: float, of: float) -> str:
    """What the workers have noted by now, in a line."""
    kinds = [done for number in range(WORKERS) for done in Progress(_part(state, number)).kinds.values()]
    counts = [kind["counts"] for kind in kinds]
    trials, killed = sum(one["trials"] for one in counts), sum(one["ends"].get("killed 9", 0) for one in counts)
    failed = sum(len(kind["failed"]) for kind in kinds)
    return f"{seconds:,.0f} of {of:,.0f} s: {trials:,} trials, {killed:,} kills, {failed} trials wrong"


def _part(state: Path, worker: int) -> Path:
    return state / f"worker {worker}.json"


if __name__ == "__main__":
    sys.exit(main())
