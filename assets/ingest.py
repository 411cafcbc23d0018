"""Partitioned assets that hold QBO records exactly as QBO returned them.

Belongs here: one asset for each QBO entity, all of one sync. Does not: HTTP and paging (`resources/qbo`), typing and
arithmetic (`assets/books.py`, `runway_calcs`).
"""

from collections.abc import Iterator, Mapping

import dagster as dg

from assets.partitions import TENANTS
from assets.tenants import Metadata, for_each_tenant, tenants_of
from resources.errors import TenantError
from resources.installation import Installation
from resources.qbo.kinds import ENTITIES, Kind
from resources.qbo.sync_report import SyncReport
from resources.qbo.usage import Usage
from resources.tenants import TenantId

GROUP = "raw_qbo"

_SCHEMA = dg.TableSchema(
    columns=[
        dg.TableColumn("tenant_id", "string", description="Whose object it is."),
        dg.TableColumn("qbo_id", "string", description="QuickBooks' id; repeats across companies and entities."),
        dg.TableColumn("known_at", "timestamp[us, UTC]", description="When we learned of this version."),
        dg.TableColumn("created_at", "timestamp[us, UTC]", description="When it was entered in QuickBooks."),
        dg.TableColumn("updated_at", "timestamp[us, UTC]", description="When QuickBooks last changed it."),
        dg.TableColumn("sync_token", "string", description="QuickBooks' version counter."),
        dg.TableColumn("is_deleted", "bool", description="The version that says the object is gone."),
        dg.TableColumn("payload", "string", description="The object's JSON text, to the letter."),
    ]
)


def raw_key(kind: Kind) -> dg.AssetKey:
    """The asset key of an entity."""
    return dg.AssetKey(["raw_qbo", kind.noun])


def _spec(kind: Kind) -> dg.AssetSpec:
    return dg.AssetSpec(
        raw_key(kind),
        group_name=GROUP,
        description=f"Every kept version of the company's {kind.entity} objects, exactly as QuickBooks returned them.",
        kinds={"quickbooks", "parquet"},
        metadata={"dagster/column_schema": _SCHEMA},
    )


@dg.multi_asset(
    name="raw_qbo",
    specs=[_spec(kind) for kind in ENTITIES],
    partitions_def=TENANTS,
    can_subset=True,
    pool="qbo_api",
)
def raw_qbo(
    context: dg.AssetExecutionContext, installation: dg.ResourceParam[Installation]
) -> Iterator[dg.MaterializeResult[None]]:
    """Sync each tenant of the run. A sync reads all entities together whatever is selected: one commit, one `data_as_of`."""
    # Side by side: of several tenants none waits for the minutes that another's QuickBooks may take.
    synced = installation.smart_sync.sync_many(tenants_of(context))

    def read(tenant: TenantId) -> Mapping[dg.AssetKey, Metadata]:
        report = synced[tenant]
        if isinstance(report, TenantError):
            raise report
        installation.store.sweep(tenant, now=installation.clock.now())
        return _described(report)

    yield from for_each_tenant(context, read)


def _described(report: SyncReport) -> dict[dg.AssetKey, Metadata]:
    shared: Metadata = {
        "data_as_of": dg.MetadataValue.timestamp(report.data_as_of),
        "sync_id": dg.MetadataValue.text(report.sync_id),
        "sync_kind": dg.MetadataValue.text(report.kind),
        "last_sync": dg.MetadataValue.timestamp(report.committed_at),
    }
    if report.usage is not None:
        shared = {**shared, **_used(report.usage, shared_calls=report.shared_calls)}
    if report.warning is not None:
        shared = {**shared, "warning": dg.MetadataValue.text(report.warning)}
    by_entity = {one.entity: one for one in report.entities}
    described: dict[dg.AssetKey, Metadata] = {}
    for kind in ENTITIES:
        found = by_entity[kind.entity]
        described[raw_key(kind)] = {
            **shared,
            "dagster/partition_row_count": dg.MetadataValue.int(found.new_versions),
            "objects_read": dg.MetadataValue.int(found.read),
            "deleted": dg.MetadataValue.int(found.deleted),
            "quarantined": dg.MetadataValue.int(found.quarantined),
            "calls": dg.MetadataValue.int(found.calls),
            "waited_seconds": dg.MetadataValue.float(found.waited_seconds),
        }
    return described


def _used(usage: Usage, *, shared_calls: int) -> Metadata:
    """What the tenant's calls of this month come to; the same for each entity, for one call can fetch all."""
    return {
        "calls_for_all_entities": dg.MetadataValue.int(shared_calls),
        "metered_calls_this_month": dg.MetadataValue.int(usage.metered),
        "metered_calls_projected": dg.MetadataValue.int(usage.projected),
        "metered_calls_budget": dg.MetadataValue.int(usage.budget.soft),
        "rate_limit_refusals_this_month": dg.MetadataValue.int(usage.throttled),
        "rate_limit_waits_seconds_this_month": dg.MetadataValue.float(usage.waited.total_seconds()),
    }


INGEST_ASSETS = (raw_qbo,)
