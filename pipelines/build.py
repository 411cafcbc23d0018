"""Builds the one `Definitions`.

Belongs here: which assets, checks, jobs, schedules, sensors and resources are deployed, as explicit lists.
Does not: any of them; reading the environment.
"""

from collections.abc import Mapping
from typing import Any

import dagster as dg

from assets.backtest import BACKTEST_ASSETS
from assets.books import BOOKS_ASSETS
from assets.calculators import CALCULATOR_ASSETS
from assets.checks import CHECKS
from assets.experiences import EXPERIENCE_ASSETS
from assets.fleet import FLEET_ASSETS
from assets.fleet_checks import FLEET_CHECKS
from assets.ingest import INGEST_ASSETS
from assets.published import PUBLISHED_ASSETS
from assets.test_drive import TEST_DRIVE_ASSETS
from pipelines.jobs import JOBS
from pipelines.mail_job import send_mail
from pipelines.mail_sensors import MAIL_SENSORS
from pipelines.paying import PAYMENT_JOBS, PAYMENT_SCHEDULES, PAYMENT_SENSORS
from pipelines.schedules import SCHEDULES
from pipelines.sensors import SENSORS
from resources.dagster_wrappers import InstallationResource, WeekResource

ASSETS = (
    *INGEST_ASSETS,
    *PUBLISHED_ASSETS,
    *BOOKS_ASSETS,
    *CALCULATOR_ASSETS,
    *BACKTEST_ASSETS,
    *EXPERIENCE_ASSETS,
    *TEST_DRIVE_ASSETS,
    *FLEET_ASSETS,
)


def build_defs(*, resource_overrides: Mapping[str, Any] | None = None) -> dg.Definitions:
    """Everything that is deployed; tests put their own resources in place of the real ones."""
    resources: dict[str, Any] = {
        "installation": InstallationResource(),
        "week": WeekResource.configure_at_launch(),
    }
    return dg.Definitions(
        assets=ASSETS,
        asset_checks=(*CHECKS, *FLEET_CHECKS),
        jobs=(*JOBS, *PAYMENT_JOBS, send_mail),
        schedules=(*SCHEDULES, *PAYMENT_SCHEDULES),
        sensors=(*SENSORS, *PAYMENT_SENSORS, *MAIL_SENSORS),
        resources=resources | dict(resource_overrides or {}),
        # The default starts a process for every step, about five times slower for steps as small as ours.
        executor=dg.in_process_executor,
    )
