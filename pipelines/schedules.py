"""When the jobs run: one pair of schedules for each time zone of the fixed list.

Belongs here: cron times and the runs of a tick. Does not: what the jobs do (`jobs.py`).

After downtime Dagster makes up for the newest missed tick of a schedule only; a weekly schedule per zone recovers by itself,
an hourly one that picks "whose morning is it" would lose everybody whose hour fell into the downtime.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import dagster as dg

from assets.desk import LEDGER
from assets.fleet_checks import NIGHTLY_SYNC_AT
from assets.partitions import TENANTS
from pipelines.jobs import backtest, fleet_checks, friday, portfolio, tenant_sync, week_config, week_tags
from resources.installation import Installation
from resources.tenants import ZONES, Tenant

NIGHTLY = f"{NIGHTLY_SYNC_AT.minute} {NIGHTLY_SYNC_AT.hour} * * *"
FRIDAY_SYNC = "0 5 * * 5"
FRIDAY_DIGEST = "0 7 * * 5"
#: Every night but before a Friday's digest, when the new week has no books yet.
BACKTEST_NIGHTLY = "30 3 * * 0-4,6"
#: In UTC: the last zone of a day, Honolulu, has its night behind it by then.
FLEET_CHECKS_DAILY = "0 14 * * *"

#: In UTC: every hour while the zones of a Friday have their digests made, from Sydney's on Thursday evening on; once on other days.
PORTFOLIO = ("40 14,20-23 * * 4", "40 0-22 * * 5", "40 14 * * 0-3,6")

_FRIDAY = 4


def zone_slug(zone: str) -> str:
    """A zone as part of a schedule's name."""
    return zone.lower().replace("/", "_")


def build_sync_schedule(zone: str) -> dg.ScheduleDefinition:
    """Nightly, and on Friday morning before the digest: a sync of each active tenant of the zone."""

    @dg.schedule(
        name=f"tenant_sync_{zone_slug(zone)}",
        job=tenant_sync,
        cron_schedule=[NIGHTLY, FRIDAY_SYNC],
        execution_timezone=zone,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description=f"Reads the books of the tenants in {zone} every night, and on Friday before the digest.",
    )
    def _schedule(
        context: dg.ScheduleEvaluationContext, installation: dg.ResourceParam[Installation]
    ) -> Sequence[dg.RunRequest] | dg.SkipReason:
        at = context.scheduled_execution_time.astimezone(ZoneInfo(zone))
        return _requests(
            context,
            tenants=_tenants_of(installation, zone),
            key=f"sync:{at:%Y-%m-%dT%H:%M}",
            week_ending=None,
        )

    return _schedule


def build_friday_schedule(zone: str) -> dg.ScheduleDefinition:
    """Friday 07:00 in the zone: the digest of each active tenant, from the newest complete sync whatever its age."""

    @dg.schedule(
        name=f"friday_{zone_slug(zone)}",
        job=friday,
        cron_schedule=FRIDAY_DIGEST,
        execution_timezone=zone,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description=f"The Friday digests of the tenants in {zone}.",
    )
    def _schedule(
        context: dg.ScheduleEvaluationContext, installation: dg.ResourceParam[Installation]
    ) -> Sequence[dg.RunRequest] | dg.SkipReason:
        week_ending = context.scheduled_execution_time.astimezone(ZoneInfo(zone)).date()
        return _requests(
            context, tenants=_tenants_of(installation, zone), key=f"friday:{week_ending}", week_ending=week_ending
        )

    return _schedule


def build_backtest_schedule(zone: str) -> dg.ScheduleDefinition:
    """Nightly: past Fridays that have something new are replayed, of each active tenant of the zone with books of last Friday."""

    @dg.schedule(
        name=f"backtest_{zone_slug(zone)}",
        job=backtest,
        cron_schedule=BACKTEST_NIGHTLY,
        execution_timezone=zone,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description=f"Replays payment timing on past Fridays of the tenants in {zone}.",
    )
    def _schedule(
        context: dg.ScheduleEvaluationContext, installation: dg.ResourceParam[Installation]
    ) -> Sequence[dg.RunRequest] | dg.SkipReason:
        night = context.scheduled_execution_time.astimezone(ZoneInfo(zone)).date()
        friday_before = night - timedelta(days=(night.weekday() - _FRIDAY) % 7)
        # Who was connected since then has its first week on the next Friday: until then its run could only fail.
        tenants = [
            tenant
            for tenant in _tenants_of(installation, zone)
            if installation.commits.result(tenant.tenant_id, table=LEDGER, as_of=friday_before) is not None
        ]
        if not tenants:
            return dg.SkipReason(f"no active tenant in this zone has books of {friday_before}")
        return _requests(context, tenants=tenants, key=f"backtest:{night}", week_ending=friday_before)

    return _schedule


def _tenants_of(installation: Installation, zone: str) -> list[Tenant]:
    return [tenant for tenant in installation.registry.tenants() if tenant.zone == zone]


def _requests(
    context: dg.ScheduleEvaluationContext, *, tenants: Sequence[Tenant], key: str, week_ending: date | None
) -> Sequence[dg.RunRequest] | dg.SkipReason:
    if not tenants:
        return dg.SkipReason("no active tenant in this zone")
    partitions = set(context.instance.get_dynamic_partitions(str(TENANTS.name)))
    unknown = sorted(tenant.tenant_id for tenant in tenants if tenant.tenant_id not in partitions)
    if unknown:
        context.log.warning("registered but not yet a partition (is the sensor tenant_registry on?): %s", unknown)
    return [
        dg.RunRequest(
            run_key=f"{key}:{tenant.tenant_id}",
            partition_key=tenant.tenant_id,
            run_config=week_config(week_ending),
            tags={"runway/firm": tenant.firm_id, **week_tags(week_ending)},
        )
        for tenant in tenants
        if tenant.tenant_id in partitions
    ]


fleet_checks_daily = dg.ScheduleDefinition(
    name="fleet_checks_daily",
    job=fleet_checks,
    cron_schedule=FLEET_CHECKS_DAILY,
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Looks once a day for tenants that were left behind.",
)

portfolio_fresh = dg.ScheduleDefinition(
    name="portfolio_fresh",
    job=portfolio,
    cron_schedule=PORTFOLIO,
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Rebuilds the table of all tenants and the firms' pages: hourly on Fridays, daily otherwise.",
)

ZONE_SCHEDULES = tuple(
    build(zone) for zone in ZONES for build in (build_sync_schedule, build_friday_schedule, build_backtest_schedule)
)

SCHEDULES = (*ZONE_SCHEDULES, fleet_checks_daily, portfolio_fresh)
