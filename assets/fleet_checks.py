"""Daily checks over all tenants: who was left behind.

Belongs here: what is asked of the whole fleet, once a day, and who is named. Does not: one tenant's own checks (`assets/checks.py`,
`assets/published.py`), when they run (`pipelines/schedules.py`).

Dagster's freshness looks at the last materialization of an asset, whosever it was: one busy tenant would keep it green.
"""

from collections.abc import Sequence
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import dagster as dg

from assets.partitions import TENANTS
from assets.published import BALANCES
from resources.installation import Installation
from resources.tenants import Tenant

#: Local time of each tenant's nightly sync.
NIGHTLY_SYNC_AT = time(2, 0)
#: How long after it a tenant's books may be still on their way.
_GRACE = timedelta(hours=1)
_SAMPLE = 20

DIGEST = dg.AssetKey(["digest", "friday_digest"])


def nightly_sync_due(tenant: Tenant, *, now: datetime) -> datetime:
    """When the newest nightly sync of a tenant was due that should be done by now."""
    local = (now - _GRACE).astimezone(ZoneInfo(tenant.zone))
    tonight = datetime.combine(local.date(), NIGHTLY_SYNC_AT, tzinfo=local.tzinfo)
    if tonight > local:
        tonight = datetime.combine(local.date() - timedelta(days=1), NIGHTLY_SYNC_AT, tzinfo=local.tzinfo)
    return tonight


@dg.asset_check(
    asset=BALANCES,
    name="every_tenant_synced_today",
    description="The books of every active tenant were read since its last nightly sync was due. Red: the tenants are named; look "
    "at their run of tenant_sync, or connect them.",
)
def every_tenant_synced_today(installation: dg.ResourceParam[Installation]) -> dg.AssetCheckResult:
    """Compare each active tenant's newest sync with the last one that was due."""
    now = installation.clock.now()
    late = []
    for tenant in installation.registry.tenants():
        due = nightly_sync_due(tenant, now=now)
        newest = installation.commits.newest_sync(tenant.tenant_id)
        # One who came after the night has missed nothing.
        if tenant.created_at < due and (newest is None or newest.data_as_of < due):
            since = "never" if newest is None else f"{newest.data_as_of:%Y-%m-%d %H:%M} UTC"
            late.append(f"{tenant.tenant_id} (last: {since})")
    return _result(late)


@dg.asset_check(
    asset=DIGEST,
    name="no_partitions_left_failed",
    description="No active tenant's last sync or last digest failed without being made up for. Red: the tenants are named; run the "
    "job again for those partitions.",
)
def no_partitions_left_failed(
    context: dg.AssetCheckExecutionContext, installation: dg.ResourceParam[Installation]
) -> dg.AssetCheckResult:
    """Look for failed partitions at the end of each of the two jobs: a job that failed anywhere failed there."""
    active = [str(tenant.tenant_id) for tenant in installation.registry.tenants()]
    known = set(context.instance.get_dynamic_partitions(str(TENANTS.name)))
    tenants = [tenant for tenant in active if tenant in known]
    failed = []
    for asset, job in ((BALANCES, "tenant_sync"), (DIGEST, "friday")):
        found = context.instance.get_status_by_partition(asset, tenants, TENANTS) or {}
        failed += [
            f"{tenant} ({job})"
            for tenant in tenants
            if (status := found.get(tenant)) is not None and status.value == "FAILED"
        ]
    return _result(failed)


def _result(named: Sequence[str]) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        passed=not named,
        metadata={"count": len(named), "sample": dg.MetadataValue.text("\n".join(named[:_SAMPLE]))},
    )


FLEET_CHECKS = (every_tenant_synced_today, no_partitions_left_failed)
