"""The fault campaign of payments: processes that die at every point, a QuickBooks that misbehaves, judged by its own books.

    python -m tests.payments.campaign --seconds 60 --seed 7

Two workers share the trials, each with a QuickBooks and a ledger of its own; a seed and a number decide everything about a trial.
How far each kind of trials has come is kept in a file: the same seed goes on from there until the counts of a release are
reached. Where no net is left (derived from what QuickBooks does in a trial, not listed) a double must be raised. The last line is
one JSON object.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from payments.points import DESK_POINTS, SEND_POINTS
from tests.payments.full_disks import small_disk
from tests.payments.kinds import KINDS, Kind
from tests.payments.scene import DATA, Counts, Scene, open_scene

WORKERS = 2


def work(*, worker: int, seed: int, seconds: float, known: Mapping[str, Any], only: Sequence[str]) -> dict[str, Any]:
    """One worker's part of the time: kind after kind, from where it was left; progress and counts by kind."""
    started = time.monotonic()
    kinds = [kind for kind in KINDS if not only or kind.name in only]
    done: dict[str, Any] = {name: dict(one) for name, one in known.items()}
    with _somewhere() as folder, open_scene(folder) as scene:
        left = sum(kind.share for kind in kinds)
        for kind in kinds:
            remaining = seconds - (time.monotonic() - started)
            until = time.monotonic() + remaining * kind.share / left
            left -= kind.share
            done[kind.name] = _spend(scene, kind, done.get(kind.name), worker=worker, seed=seed, until=until)
    return done


@contextmanager
def _somewhere() -> Iterator[Path]:
    """A folder in which the data has a small disk of its own, if that is allowed."""
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / DATA
        data.mkdir()
        with small_disk(data):
            yield Path(folder)


def _spend(
    scene: Scene, kind: Kind, known: Mapping[str, Any] | None, *, worker: int, seed: int, until: float
) -> dict[str, Any]:
    """Trials of a kind until its time is over or a release's count is reached."""
    counts, following = Counts(), worker
    if known is not None:
        counts.add(known["counts"])
        following = known["next"]
    scene.counts = counts
    began = time.monotonic()
    while time.monotonic() + kind.shortest < until and kind.counted(counts) * WORKERS < kind.release:
        before = len(counts.wrong)
        kind.play(scene, seed + following)
        for problem in counts.wrong[before:]:
            _say(f"{kind.name} {seed + following}: {problem}")
        following += WORKERS
    spent = time.monotonic() - began + (known["seconds"] if known else 0.0)
    return {"next": following, "seconds": round(spent, 1), "counts": counts.summary()}


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def together(parts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What all workers did, by kind: counted against a release, and everything that was counted in all."""
    total, kinds = Counts(), {}
    for kind in KINDS:
        mine = Counts()
        seconds = 0.0
        for part in parts:
            if kind.name in part:
                mine.add(part[kind.name]["counts"])
                seconds += part[kind.name]["seconds"]
        if mine.trials or mine.more:
            kinds[kind.name] = {"done": kind.counted(mine), "release": kind.release, "seconds": round(seconds, 1)}
            total.add(mine.summary())
    reached = {name.rsplit(" ", 1)[0] for name in total.deaths}
    never = sorted({*SEND_POINTS, *DESK_POINTS} - reached)
    return {"kinds": kinds, **total.summary(), "points_never_reached": never}


def main() -> int:
    """Trials until the time is over or the counts of a release are reached; 1 if anything was wrong."""
    parser = argparse.ArgumentParser(description="The fault campaign of payments.")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kind", action="append", default=[], help="only this kind; may be repeated")
    parser.add_argument("--state", type=Path, help="where to keep how far it came; the same seed goes on from there")
    parser.add_argument("--workers", type=int, default=WORKERS)
    parser.add_argument("--worker", type=int, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.worker is not None:
        known = json.loads(sys.stdin.read() or "{}")
        done = work(worker=asked.worker, seed=asked.seed, seconds=asked.seconds, known=known, only=asked.kind)
        sys.stdout.write(json.dumps(done))
        return 0
    return _lead(asked)


def _lead(asked: argparse.Namespace) -> int:
    state = asked.state or Path(tempfile.gettempdir()) / f"runway-faults-{os.getuid()}-{asked.seed}.json"
    parts = json.loads(state.read_text()) if state.exists() else [{} for _ in range(WORKERS)]
    _say(f"seed {asked.seed}, {asked.seconds:.0f} seconds, progress in {state}")
    started = time.monotonic()
    workers = [_start(asked, number) for number in range(asked.workers)]
    for number, process in enumerate(workers):
        assert process.stdin is not None
        process.stdin.write(json.dumps(parts[number]))
        process.stdin.close()
    failed = False
    for number, process in enumerate(workers):
        assert process.stdout is not None
        text = process.stdout.read()
        if process.wait() == 0:
            parts[number] = json.loads(text)
        failed |= process.returncode != 0
    state.write_text(json.dumps(parts))
    summary = together(parts) | {"seconds": round(time.monotonic() - started, 1), "seed": asked.seed}
    sys.stdout.write(json.dumps(summary) + "\n")
    return 1 if failed or summary["wrong"] else 0


def _start(asked: argparse.Namespace, number: int) -> "subprocess.Popen[str]":
    command = [sys.executable, "-W", "ignore", "-m", "tests.payments.campaign", "--worker", str(number)]
    command += ["--seconds", str(asked.seconds), "--seed", str(asked.seed)]
    command += [part for name in asked.kind for part in ("--kind", name)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


if __name__ == "__main__":
    sys.exit(main())
