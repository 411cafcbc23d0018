"""What a Dagster of payments alone loads: the job and the sensor as they are, and nothing that a race of daemons does not need.

The sensor may tick at each turn of a daemon's loop: with twenty seconds between two ticks two daemons seldom meet. In a trial of
runs that are killed the environment says where they, or the code server, stand still until that happens, and by how much their
clock is ahead.
"""

import os
from functools import partial
from pathlib import Path

import dagster as dg

from pipelines.paying import payment_batch, payment_batches
from resources.failpoints import arm, stop
from tests.moved_clock import MovedInstallation

#: A folder for the points at which processes stand still, a file each with the id of the one that does.
DEATHS = "DEATHS_OF_RUNS"
#: The points, separated by blanks.
POINTS = "POINTS_OF_DEATH"


def _stand_still(at: Path) -> None:
    """The first process that comes to a point says who it is and stands still; those after it go on."""
    try:
        handle = os.open(at, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return
    os.write(handle, str(os.getpid()).encode())
    os.close(handle)
    stop()


for _point in os.environ.get(POINTS, "").split():
    arm(_point, hit=None, action=partial(_stand_still, Path(os.environ[DEATHS]) / _point))

_hurry = dg.sensor(job=payment_batch, minimum_interval_seconds=1, default_status=dg.DefaultSensorStatus.RUNNING)

defs = dg.Definitions(
    jobs=[payment_batch],
    sensors=[_hurry(payment_batches.__wrapped__)],  # type: ignore[attr-defined]
    resources={"installation": MovedInstallation()},
    executor=dg.in_process_executor,
)
