"""Sensors: they read and request, they never write.

Belongs here: what is watched and which requests follow. Does not: the work itself.
"""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass

import dagster as dg

from assets.partitions import TENANTS
from resources.installation import Installation


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


SENSORS = (tenant_registry,)
