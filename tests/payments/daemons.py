"""Real Dagster: two daemons on one home, which it does not support and does not prevent, and runs whose process is killed.

Belongs here: killing real `dagster-daemon` processes and runs, judging what they paid. Does not: the daemons themselves
(`tests/daemons.py`), the sensor.

    python -m tests.payments.daemons --sessions 2 --seed 7
    python -m tests.payments.daemons --runs --sessions 2 --seed 7

Processes and runs are real here. In each session of two daemons one is killed in the middle and another takes its place. In a
session of killed runs one stands still at each point of `RUN_DEATHS` and is killed there by its process id, its daemon with it now
and then, and before them the code server in the middle of the sensor; nine minutes pass at once afterwards, so that nobody waits
for leases and settling times.
"""

import argparse
import json
import os
import signal
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

from payments.sending.runs import SETTLED
from payments.store.batch_tables import BATCH, INTENT
from resources.files import write_whole
from tests.daemons import Daemon, furnish_home
from tests.moved_clock import AHEAD
from tests.payments.daemon_definitions import DEATHS, POINTS
from tests.payments.judging import judge_batches
from tests.payments.office import memory_of
from tests.payments.scene import Scene, open_scene

#: Where runs are killed, in the order in which a run comes to them.
RUN_DEATHS = ("run.start", "claim.after", "send.after_bytes", "confirm.after")
#: Where the code server is killed while it asks which batches are due.
SENSOR_DEATHS = ("sensor.before_yield", "sensor.after_yield")
BATCHES = 6
_LONGEST = 240.0
#: So long at the most until a daemon has noticed that its code server is dead: it looks once a minute.
_NOTICED = 180.0
#: The clocks of a trial begin behind QuickBooks' and end ahead of it, by less than what they may be apart: more passes in between
#: than a lease, a settling time and the time in which nobody asks again for a run that never claimed.
_BEHIND, _AHEAD = timedelta(seconds=-270), timedelta(seconds=270)


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


def play_run_deaths(scene: Scene, seed: int) -> None:
    """One session: the sensor killed at one point and a run at each, its daemon with it if the seed says so; judged."""
    dice = Random(seed)  # noqa: S311 - a reproducible plan
    kills_daemon_at = dice.choice(("", *RUN_DEATHS))
    points = (SENSOR_DEATHS[seed % len(SENSOR_DEATHS)], *RUN_DEATHS)
    since = scene.server_time()
    scene.begin()
    scene.clock.move_to(datetime.now(tz=UTC) + _BEHIND)
    count = len(RUN_DEATHS) + 1
    bills = scene.office.enter(*(f"{dice.randrange(1_000, 9_000) / 100:.2f}" for _ in range(2 * count)))
    batches = [scene.office.batch(*bills[number::count]) for number in range(count)]
    memory_of(scene.opened).note_ledger(scene.office.ledger, scene.office.tenant)
    with _home(scene) as (home, environment), ExitStack() as ended:
        clock, deaths = home / "ahead", home / "deaths"
        clock.write_text(str(_BEHIND.total_seconds()))
        deaths.mkdir()
        environment |= {DEATHS: str(deaths), POINTS: " ".join(points), AHEAD: str(clock)}

        def started() -> Daemon:
            daemon = Daemon(home, environment, log=home / "daemon.log")
            ended.callback(daemon.end)
            return daemon

        daemon = started()
        deadline = time.monotonic() + _NOTICED + _LONGEST
        for point in points:
            process = _standing(deaths / point, deadline=deadline)
            if process is None:
                scene.counts.wrong.append(f"killed runs {seed}: nobody came to {point}")
                break
            if point == kills_daemon_at:
                daemon.kill()
                scene.counts.more["daemons killed with a run"] += 1
                daemon = started()
            os.kill(process, signal.SIGKILL)
            what = "runs" if point in RUN_DEATHS else "sensors"
            scene.counts.more[f"killed {what} of Dagster"] += 1
            scene.counts.more[f"killed {what} of Dagster at {point}"] += 1
        write_whole(clock, str(_AHEAD.total_seconds()))
        _wait(scene, batches, deadline=deadline, settled=len(batches))
    judge_batches(scene, *batches, trial=f"killed runs {seed}", since=since, may_be_reviewed=False)
    unpaid = scene.office.rows(INTENT, INTENT.c.batch_id.in_(batches), INTENT.c.state != "paid")
    scene.counts.wrong += [f"killed runs {seed}: a payment is {row['state']}, not paid" for row in unpaid]
    scene.end()


def _standing(at: Path, *, deadline: float) -> int | None:
    """The process id of what stands still at a point; None if nothing comes there in time."""
    while time.monotonic() < deadline:
        if at.exists() and (said := at.read_text()):
            return int(said)
        time.sleep(0.1)
    return None


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
        settings = {
            "RUNWAY_DATA_DIR": str(scene.folder),
            "RUNWAY_QBO_LOCAL_URL": scene.sandbox.url,
            "RUNWAY_QBO_RETRY_SECONDS": "0",
        }
        environment = furnish_home(home, definitions="tests.payments.daemon_definitions", settings=settings)
        yield home, environment


def _runs(home: Path) -> Counter[str]:
    """How many runs Dagster made for each batch."""
    found: Counter[str] = Counter()
    with closing(sqlite3.connect(home / "history" / "runs.db")) as database:
        for (value,) in database.execute("SELECT value FROM run_tags WHERE key = 'runway/batch'"):
            found[value] += 1
    return found


def main() -> int:
    """Sessions of two daemons, or of runs that are killed; the last line is one JSON object."""
    parser = argparse.ArgumentParser(description="Real Dagster daemons and runs that are killed.")
    parser.add_argument("--runs", action="store_true", help="runs are killed, not only daemons")
    parser.add_argument("--sessions", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    play = play_run_deaths if asked.runs else play_daemons
    with tempfile.TemporaryDirectory() as folder, open_scene(Path(folder)) as scene:
        for number in range(asked.sessions):
            play(scene, asked.seed + number)
        sys.stdout.write(json.dumps(scene.counts.summary()) + "\n")
        return 1 if scene.counts.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
