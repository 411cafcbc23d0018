"""Runs of `send_mail` that die on the way: real runs on a real instance, each in a process of its own."""

from datetime import datetime
from pathlib import Path

import dagster as dg

from pipelines.build import build_defs
from resources.clock import FixedClock
from resources.failpoints import arm
from resources.installation import Installation
from resources.settings import MailSettings, Settings

_QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


def run_and_die(data: Path, home: Path, now: datetime, mail: MailSettings, point: str) -> None:
    """A run that is killed where the point is first passed."""
    arm(point)
    run(data, home, now, mail)


def run(data: Path, home: Path, now: datetime, mail: MailSettings) -> None:
    """A run of the deployed job that has to succeed."""
    installation = Installation(Settings(data_dir=data, mail=mail), clock=FixedClock(now))
    with dg.DagsterInstance.local_temp(str(home), overrides={"telemetry": {"enabled": False}}) as instance:
        job = build_defs(resource_overrides={"installation": installation}).resolve_job_def("send_mail")
        assert job.execute_in_process(instance=instance, run_config=_QUIET).success
    installation.close()
