"""The jobs: what is materialized together.

Belongs here: selections, and the run config and tags a run of a week carries. Does not: when they run (`schedules.py`).
"""

from datetime import date
from typing import Any

import dagster as dg

from assets.fleet_checks import FLEET_CHECKS

WEEK_TAG = "runway/week_ending"

_fleet = dg.AssetSelection.checks(*FLEET_CHECKS)

tenant_sync = dg.define_asset_job(
    "tenant_sync",
    selection=dg.AssetSelection.groups("raw_qbo", "published") - _fleet,
    description="Reads a tenant's books from QuickBooks and commits them as one sync; publishes its balances and reconciles them.",
)

friday = dg.define_asset_job(
    "friday",
    selection=dg.AssetSelection.groups("books", "runway", "priority", "digest") - _fleet,
    description="From the newest complete sync to the Friday digest of one tenant's week.",
)

backtest = dg.define_asset_job(
    "backtest",
    selection=dg.AssetSelection.groups("backtest"),
    description="Replays payment timing on past Fridays of one tenant, from the books of its newest week.",
)

test_drive = dg.define_asset_job(
    "test_drive",
    selection=dg.AssetSelection.groups("test_drive"),
    description="The digests of a tenant's weeks before one Friday, what each flagged, and what then happened.",
)

portfolio = dg.define_asset_job(
    "portfolio",
    selection=dg.AssetSelection.groups("fleet"),
    description="Every tenant's newest published figures in one table, and each firm's page and weekly exceptions.",
)

fleet_checks = dg.define_asset_job(
    "fleet_checks",
    selection=_fleet,
    description="Looks once a day for tenants that were left behind.",
)

JOBS = (tenant_sync, friday, backtest, test_drive, portfolio, fleet_checks)


def week_config(week_ending: date | None) -> dict[str, Any]:
    """The run config that names a week; empty for 'the newest Friday'."""
    return {} if week_ending is None else {"resources": {"week": {"config": {"week_ending": week_ending.isoformat()}}}}


def week_tags(week_ending: date | None) -> dict[str, str]:
    """The tags by which the runs of a week are found."""
    return {} if week_ending is None else {WEEK_TAG: week_ending.isoformat()}


def drive_config(weeks: int) -> dict[str, Any]:
    """The run config that says how many weeks a test drive looks back."""
    return {"ops": {"test_drive_document": {"config": {"weeks": weeks}}}}
