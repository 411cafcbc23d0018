"""What a Dagster of payments alone loads: the job and the sensor as they are, and nothing that a race of daemons does not need.

The sensor may tick at each turn of a daemon's loop: with twenty seconds between two ticks two daemons seldom meet.
"""

import dagster as dg

from pipelines.paying import payment_batch, payment_batches
from resources.dagster_wrappers import InstallationResource

_hurry = dg.sensor(job=payment_batch, minimum_interval_seconds=1, default_status=dg.DefaultSensorStatus.RUNNING)

defs = dg.Definitions(
    jobs=[payment_batch],
    sensors=[_hurry(payment_batches.__wrapped__)],  # type: ignore[attr-defined]
    resources={"installation": InstallationResource()},
    executor=dg.in_process_executor,
)
