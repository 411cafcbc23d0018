"""Work over the tenants of a run: credit each success, then fail the step if any tenant failed.

Belongs here: `for_each_tenant` and its ending. Does not: what is done for a tenant.

A run has one tenant or a range. Only a `TenantError` is a tenant's failure; anything else is a bug and propagates. A partition
key that is no tenant id, added by hand in the Dagster UI, is a failure of that key and of no other.
A bare `MaterializeResult` marks every partition of the run, so the ones that succeeded beside a failure are logged one by one.
"""

from collections.abc import Callable, Iterator, Mapping

import dagster as dg

from resources.errors import TenantError, TenantUnknown
from resources.tenants import BadTenantId, TenantId, is_tenant_id, tenant_id

Metadata = Mapping[str, dg.MetadataValue]


def for_each_tenant(
    context: dg.AssetExecutionContext, compute: Callable[[TenantId], Mapping[dg.AssetKey, Metadata]]
) -> Iterator[dg.MaterializeResult[None]]:
    """Compute the selected assets of an op for each tenant of the run, and settle."""
    done: dict[str, Mapping[dg.AssetKey, Metadata]] = {}
    failed: dict[str, TenantError] = {}
    for key in context.partition_keys:
        try:
            done[key] = compute(_tenant_of(key))
        except TenantError as error:
            failed[key] = error
    yield from settle(context, done=done, failed=failed)


def tenants_of(context: dg.AssetExecutionContext) -> list[TenantId]:
    """The tenants of the run; keys that are no tenant id are left to `for_each_tenant`, which reports them."""
    return [TenantId(key) for key in context.partition_keys if is_tenant_id(key)]


def _tenant_of(key: str) -> TenantId:
    try:
        return tenant_id(key)
    except BadTenantId as error:
        raise TenantUnknown(
            what=f"The partition key {key!r} is no tenant: {error}",
            next_step="Delete it among the partitions in the Dagster UI; `runway tenant add` adds tenants.",
        ) from error


def settle(
    context: dg.AssetExecutionContext,
    *,
    done: Mapping[str, Mapping[dg.AssetKey, Metadata]],
    failed: Mapping[str, TenantError],
) -> Iterator[dg.MaterializeResult[None]]:
    """Report what became of each tenant; `done` holds its metadata by asset key. `dagster.Failure` if any failed."""
    _assert_all_accounted(context, done=done, failed=failed)
    selected = context.selected_asset_keys
    if failed:
        for key, by_asset in done.items():
            for asset_key in (one for one in by_asset if one in selected):
                context.log_event(dg.AssetMaterialization(asset_key, partition=key, metadata=by_asset[asset_key]))
        raise _failure(failed) from next(iter(failed.values()))
    # In the order of the work: Dagster wants what others depend on first.
    for asset_key in (one for one in next(iter(done.values())) if one in selected):
        if len(done) == 1:
            # The metadata of the result is the tenant's; naming the partition costs a query for each asset.
            yield dg.MaterializeResult(asset_key=asset_key, metadata=next(iter(done.values()))[asset_key])
            continue
        for key, by_asset in done.items():
            context.add_asset_metadata(by_asset[asset_key], asset_key=asset_key, partition_key=key)
        yield dg.MaterializeResult(asset_key=asset_key)


def _assert_all_accounted(
    context: dg.AssetExecutionContext, *, done: Mapping[str, object], failed: Mapping[str, object]
) -> None:
    assert set(done) | set(failed) == set(context.partition_keys), "a tenant of the run is neither done nor failed"
    assert not set(done) & set(failed), "a tenant of the run is both done and failed"


def _failure(failed: Mapping[str, TenantError]) -> dg.Failure:
    lines = [f"{key}: {error}" for key, error in failed.items()]
    return dg.Failure(description="\n".join(lines), metadata={"failed_tenants": len(failed)}, allow_retries=False)
