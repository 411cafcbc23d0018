"""Two Dagster daemons on one home, which Dagster does not support and does not prevent: both ask for runs of the same batches.

Belongs here: starting, killing and ending real `dagster-daemon` processes, judging what they paid. Does not: job and sensor.

    python -m tests.payments.daemons --sessions 2 --seed 7

Everything is real here: processes, the clock, runs. In each session one daemon is killed in the middle and another takes its place.
"""

import argparse
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

from payments.batch_tables import BATCH
from payments.runs import SETTLED
from tests.payments.judging import judge_batches
from tests.payments.office import memory_of
from tests.payments.scene import Scene, open_scene

_ROOT = Path(__file__).parents[2]
BATCHES = 6
_LONGEST = 240.0


class Daemon:
    """One `dagster-daemon` with its code server and its runs, in a process group of its own."""

    def __init__(self, home: Path, environment: Mapping[str, str], *, log: Path) -> None:
        command = [str(Path(sys.executable).parent / "dagster-daemon"), "run", "-w", str(home / "workspace.yaml")]
        self._log = log.open("ab")
        self._process = subprocess.Popen(
            command, cwd=_ROOT, env=dict(environment), stdout=self._log, stderr=self._log, start_new_session=True
        )

    def kill(self) -> None:
        """The daemon dies at once; its code server notices later, as after a crash."""
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def end(self) -> None:
        """Everything it started ends."""
        for how in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(self._process.pid, how)
            except ProcessLookupError:
                break
            try:
                self._process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                continue
            time.sleep(0.5)
        self._log.close()


def play_daemons(scene: Scene, seed: int) -> None:
    """One session: some batches, two daemons that start at the same moment, one of which is killed; judged."""
    dice = Random(seed)  # noqa: S311 - a reproducible plan
    since = scene.server_time()
    scene.begin()
    # Runs of a real Dagster live by the machine's clock.
    scene.clock.move_to(datetime.now(tz=UTC) - timedelta(minutes=2))
    bills = scene.office.enter(*(f"{dice.randrange(1_000, 9_000) / 100:.2f}" for _ in range(2 * BATCHES)))
    batches = [scene.office.batch(*bills[number::BATCHES]) for number in range(BATCHES)]
    memory_of(scene.opened).note_ledger(scene.office.ledger, scene.office.tenant)
    with _home(scene) as (home, environment), ExitStack() as ended:
        log = home / "daemon.log"

        def started() -> Daemon:
            daemon = Daemon(home, environment, log=log)
            ended.callback(daemon.end)
            return daemon

        first, _ = started(), started()
        deadline = time.monotonic() + _LONGEST
        _wait(scene, batches, deadline=deadline, settled=dice.randrange(BATCHES // 2))
        first.kill()
        started()
        _wait(scene, batches, deadline=deadline, settled=BATCHES)
        runs = _runs(home)
    scene.counts.more["batches raced for"] += len(batches)
    scene.counts.more["batches run more than once"] += sum(runs[batch] > 1 for batch in batches)
    scene.counts.more["daemon sessions"] += 1
    judge_batches(scene, *batches, trial=f"daemons {seed}", since=since, may_be_reviewed=False)
    generations = [row["generation"] for row in scene.office.rows(BATCH, BATCH.c.batch_id.in_(batches))]
    scene.counts.more["claims"] += sum(generations)
    scene.end()


def _wait(scene: Scene, batches: Sequence[str], *, deadline: float, settled: int) -> None:
    """Until so many are settled, or too long."""
    while time.monotonic() < deadline:
        rows = scene.office.rows(BATCH, BATCH.c.batch_id.in_(batches))
        if sum(row["state"] in SETTLED for row in rows) >= settled:
            return
        time.sleep(0.5)


@contextmanager
def _home(scene: Scene) -> Iterator[tuple[Path, dict[str, str]]]:
    """A Dagster home as the command line makes one, with payments alone."""
    with tempfile.TemporaryDirectory(dir=scene.folder.parent) as folder:
        home = Path(folder)
        shutil.copyfile(_ROOT / "dagster.yaml", home / "dagster.yaml")
        module = {"module_name": "tests.payments.daemon_definitions", "working_directory": str(_ROOT)}
        (home / "workspace.yaml").write_text(json.dumps({"load_from": [{"python_module": module}]}))
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("RUNWAY_", "DAGSTER_"))}
        yield (
            home,
            kept
            | {
                "DAGSTER_HOME": str(home),
                "RUNWAY_DATA_DIR": str(scene.folder),
                "RUNWAY_QBO_LOCAL_URL": scene.sandbox.url,
                "RUNWAY_QBO_RETRY_SECONDS": "0",
            },
        )


def _runs(home: Path) -> Counter[str]:
    """How many runs Dagster made for each batch."""
    found: Counter[str] = Counter()
    with closing(sqlite3.connect(home / "history" / "runs.db")) as database:
        for (value,) in database.execute("SELECT value FROM run_tags WHERE key = 'runway/batch'"):
            found[value] += 1
    return found


def main() -> int:
    """Sessions of two daemons; the last line is one JSON object."""
    parser = argparse.ArgumentParser(description="Two Dagster daemons on one home.")
    parser.add_argument("--sessions", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, open_scene(Path(folder)) as scene:
        for number in range(asked.sessions):
            play_daemons(scene, asked.seed + number)
        sys.stdout.write(json.dumps(scene.counts.summary()) + "\n")
        return 1 if scene.counts.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
