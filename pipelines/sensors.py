"""Sensors: they read and request, they never write.

Belongs here: what is watched and which requests follow. Does not: the work itself.
"""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

import dagster as dg

from assets.partitions import TENANTS
from pipelines.jobs import tenant_sync
from resources.dirty_tenants import Dirty
from resources.installation import Installation

#: States of a run that waits or works.
UNDER_WAY = (
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
)
#: Each request costs the tick a query; the rest follows with the next one.
_MOST_REQUESTS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class PartitionChanges:
    """What Dagster's copy of the tenant list lacks."""

    added: frozenset[str]


def partition_changes(*, registered: AbstractSet[str], existing: AbstractSet[str]) -> PartitionChanges:
    """Tenants to add. Nothing is ever removed: runs and backfills may be in flight, and a tenant's history stays."""
    return PartitionChanges(added=frozenset(registered - existing))


@dg.sensor(
    minimum_interval_seconds=60,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Copies the tenants of the operational database into Dagster's partitions; only adds.",
)
def tenant_registry(
    context: dg.SensorEvaluationContext, installation: dg.ResourceParam[Installation]
) -> dg.SensorResult | dg.SkipReason:
    """Ask for a partition for each registered tenant that has none; a registry that cannot be read is a red tick."""
    changes = partition_changes(
        registered={tenant.tenant_id for tenant in installation.registry.tenants(active_only=False)},
        existing=set(context.instance.get_dynamic_partitions(str(TENANTS.name))),
    )
    if not changes.added:
        return dg.SkipReason("every registered tenant is a partition")
    return dg.SensorResult(dynamic_partitions_requests=[TENANTS.build_add_request(sorted(changes.added))])


@dg.sensor(
    job=tenant_sync,
    minimum_interval_seconds=60,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Reads the books of tenants that QuickBooks' webhooks said to have changed.",
)
def dirty_tenants(
    context: dg.SensorEvaluationContext, installation: dg.ResourceParam[Installation]
) -> dg.SensorResult | dg.SkipReason:
    """Ask for a sync of each dirty tenant that has none under way; a sync that fails is made up for by the nightly one.

    Its tenant stays dirty, and Dagster skips what was asked for before. So ticks take turns: however many fail, everybody
    else's comes. A tenant whose newest sync began a moment ago keeps its mark for a later tick: what changes meanwhile is
    read together, and webhooks without end do not use up the calls of the month.
    """
    distance = installation.smart_sync.policy.webhook_distance
    dirty = installation.dirty_tenants.dirty(not_read_since=installation.clock.now() - distance)
    if not dirty:
        return dg.SkipReason("no tenant has changes that are to be read now")
    busy = _being_synced(context.instance)
    partitions = set(context.instance.get_dynamic_partitions(str(TENANTS.name)))
    firms = {tenant.tenant_id: tenant.firm_id for tenant in installation.registry.tenants()}
    due = [one for one in dirty if one.tenant_id in partitions - busy and one.tenant_id in firms]
    asked = _in_turn(due, after=context.cursor or "")
    return dg.SensorResult(
        run_requests=[
            dg.RunRequest(
                run_key=f"dirty:{one.tenant_id}:{one.generation}",
                partition_key=one.tenant_id,
                tags={"runway/firm": firms[one.tenant_id]},
            )
            for one in asked
        ],
        cursor=asked[-1].tenant_id if asked else context.cursor,
    )


def _in_turn(due: Sequence[Dirty], *, after: str) -> list[Dirty]:
    """As many as one tick asks for, from where the tick before ended: by tenant, so that no flow of news moves anybody back."""
    ordered = sorted(due, key=lambda one: (one.tenant_id <= after, one.tenant_id))
    return ordered[:_MOST_REQUESTS]


def _being_synced(instance: dg.DagsterInstance) -> set[str]:
    """Tenants with a sync that waits or runs: it may cover what is dirty, the next tick will know."""
    records = instance.get_run_records(dg.RunsFilter(job_name=tenant_sync.name, statuses=list(UNDER_WAY)))
    return {record.dagster_run.tags.get("dagster/partition", "") for record in records}


SENSORS = (tenant_registry, dirty_tenants)
