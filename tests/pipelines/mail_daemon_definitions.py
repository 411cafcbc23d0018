"""What is deployed, by the clock of a trial, for daemons that race for a Friday's mail.

One thing differs: `mail_due` ticks at each turn of a daemon's loop. Two daemons share its minute, and the one that comes first
each time would tick alone: with no interval both tick, at the same moment if they began at the same.
"""

import dagster as dg

from pipelines.build import build_defs
from pipelines.mail_job import send_mail
from pipelines.mail_sensors import mail_due
from tests.moved_clock import MovedInstallation

# None at all: 0 stands for Dagster's own half minute.
_hurry = dg.sensor(job=send_mail, minimum_interval_seconds=-1, default_status=dg.DefaultSensorStatus.RUNNING)
_hurried = _hurry(mail_due.__wrapped__)  # type: ignore[attr-defined]


@dg.definitions
def race() -> dg.Definitions:
    """What a daemon of the trial loads."""
    deployed = build_defs(resource_overrides={"installation": MovedInstallation()})
    return dg.Definitions(
        assets=deployed.assets,
        asset_checks=deployed.asset_checks,
        jobs=deployed.jobs,
        schedules=deployed.schedules,
        sensors=[_hurried if one is mail_due else one for one in deployed.sensors or ()],
        resources=deployed.resources,
        executor=deployed.executor,
    )
