"""What becomes of the tenants of a run: one, a range, and a range in which one fails."""

from collections.abc import Iterator, Mapping

import dagster as dg
import pytest

from assets.partitions import TENANTS
from assets.tenants import for_each_tenant
from resources.errors import TenantError
from resources.tenants import TenantId

_KEYS = ["acme", "birch", "cedar"]
_UP, _DOWN = dg.AssetKey("upstream"), dg.AssetKey("downstream")
_ONE = dg.AssetKey(["raw_qbo", "one"])
_TWO = dg.AssetKey(["raw_qbo", "two"])


class Breaks:
    """Tells which tenants fail."""

    def __init__(self, *tenants: str, bug: bool = False) -> None:
        self.tenants = tenants
        self.bug = bug

    def check(self, tenant: str) -> None:
        if tenant in self.tenants:
            if self.bug:
                raise ZeroDivisionError("a bug of ours")
            raise TenantError(what=f"{tenant} cannot be read.", next_step="Look at it.")


_Done = Mapping[dg.AssetKey, Mapping[str, dg.MetadataValue]]


def _named(tenant: str, *keys: dg.AssetKey) -> _Done:
    return {key: {"name": dg.MetadataValue.text(tenant)} for key in keys}


@dg.multi_asset(specs=[dg.AssetSpec("upstream")], partitions_def=TENANTS)
def upstream(
    context: dg.AssetExecutionContext, breaks: dg.ResourceParam[Breaks]
) -> Iterator[dg.MaterializeResult[None]]:
    def compute(tenant: TenantId) -> _Done:
        breaks.check(tenant)
        return _named(tenant, dg.AssetKey("upstream"))

    yield from for_each_tenant(context, compute)


@dg.multi_asset(specs=[dg.AssetSpec("downstream", deps=["upstream"])], partitions_def=TENANTS)
def downstream(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[None]]:
    yield from for_each_tenant(context, lambda tenant: _named(tenant, dg.AssetKey("downstream")))


@dg.multi_asset(specs=[dg.AssetSpec(_TWO, deps=[_ONE]), dg.AssetSpec(_ONE)], partitions_def=TENANTS, can_subset=True)
def both(context: dg.AssetExecutionContext, breaks: dg.ResourceParam[Breaks]) -> Iterator[dg.MaterializeResult[None]]:
    def compute(tenant: TenantId) -> _Done:
        breaks.check(tenant)
        return _named(tenant, _ONE, _TWO)

    yield from for_each_tenant(context, compute)


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions("tenant", _KEYS)
        yield instance


def _run(
    instance: dg.DagsterInstance, breaks: Breaks, *, keys: list[str], selection: list[dg.AssetsDefinition] | None = None
) -> dg.ExecuteInProcessResult:
    span = (
        {"partition_key": keys[0]}
        if len(keys) == 1
        else {"tags": {"dagster/asset_partition_range_start": keys[0], "dagster/asset_partition_range_end": keys[-1]}}
    )
    return dg.materialize(
        selection or [upstream, downstream],
        instance=instance,
        resources={"breaks": breaks},
        raise_on_error=False,
        **span,  # type: ignore[arg-type]  # one of two keyword arguments of different types
    )


def _status(instance: dg.DagsterInstance, key: dg.AssetKey) -> dict[str, str]:
    found = instance.get_status_by_partition(key, _KEYS, TENANTS) or {}
    return {partition: status.value for partition, status in found.items() if status is not None}


def _names(instance: dg.DagsterInstance, key: dg.AssetKey) -> dict[str | None, object]:
    records = instance.fetch_materializations(key, limit=20).records
    return {record.partition_key: record.asset_materialization.metadata["name"].value for record in records}  # type: ignore[union-attr]


def test_one_tenant_is_a_run_of_one(instance: dg.DagsterInstance) -> None:
    assert _run(instance, Breaks(), keys=["birch"]).success
    assert _status(instance, _UP) == {"birch": "MATERIALIZED"}
    assert _status(instance, _DOWN) == {"birch": "MATERIALIZED"}


def test_a_range_credits_each_tenant_with_its_own_metadata(instance: dg.DagsterInstance) -> None:
    assert _run(instance, Breaks(), keys=_KEYS).success
    assert _names(instance, _UP) == {key: key for key in _KEYS}
    assert _status(instance, _DOWN) == dict.fromkeys(_KEYS, "MATERIALIZED")


def test_one_tenants_failure_in_a_range_leaves_the_others_materialized(instance: dg.DagsterInstance) -> None:
    result = _run(instance, Breaks("birch"), keys=_KEYS)
    assert not result.success
    assert _status(instance, _UP) == {"acme": "MATERIALIZED", "birch": "FAILED", "cedar": "MATERIALIZED"}
    assert _names(instance, _UP) == {"acme": "acme", "cedar": "cedar"}


def test_a_failure_says_what_happened_and_what_to_do(instance: dg.DagsterInstance) -> None:
    result = _run(instance, Breaks("birch"), keys=["birch"])
    (failed,) = [event for event in result.all_events if event.is_step_failure]
    assert failed.step_failure_data.user_failure_data is not None
    assert failed.step_failure_data.user_failure_data.description == "birch: birch cannot be read. Look at it."


def test_a_key_that_is_no_tenant_id_is_named_and_leaves_the_others_materialized(instance: dg.DagsterInstance) -> None:
    instance.add_dynamic_partitions("tenant", ["Not a tenant!", "dune"])
    result = _run(instance, Breaks(), keys=["cedar", "Not a tenant!", "dune"])
    (failed,) = [event for event in result.all_events if event.is_step_failure]
    assert failed.step_failure_data.user_failure_data is not None
    words = failed.step_failure_data.user_failure_data.description or ""
    assert words.startswith("Not a tenant!: The partition key 'Not a tenant!' is no tenant: ")
    assert "Delete it among the partitions in the Dagster UI" in words
    assert _names(instance, _UP) == {"cedar": "cedar", "dune": "dune"}


def test_a_bug_is_not_taken_for_a_tenants_failure(instance: dg.DagsterInstance) -> None:
    result = _run(instance, Breaks("birch", bug=True), keys=_KEYS)
    assert not result.success
    assert "MATERIALIZED" not in _status(instance, _UP).values()


@pytest.mark.parametrize("keys", [["acme"], _KEYS], ids=["one", "range"])
def test_a_multi_asset_credits_every_asset_of_every_tenant(instance: dg.DagsterInstance, keys: list[str]) -> None:
    assert _run(instance, Breaks(), keys=keys, selection=[both]).success
    for key in (_ONE, _TWO):
        assert _names(instance, key) == {tenant: tenant for tenant in keys}


def test_a_multi_asset_credits_the_good_tenants_beside_a_failed_one(instance: dg.DagsterInstance) -> None:
    assert not _run(instance, Breaks("acme"), keys=_KEYS, selection=[both]).success
    for key in (_ONE, _TWO):
        assert _status(instance, key) == {"acme": "FAILED", "birch": "MATERIALIZED", "cedar": "MATERIALIZED"}


def test_a_subset_of_a_multi_asset_marks_only_what_was_selected(instance: dg.DagsterInstance) -> None:
    result = dg.materialize(
        [both], instance=instance, resources={"breaks": Breaks()}, partition_key="acme", selection=[_TWO]
    )
    assert result.success
    assert _status(instance, _TWO) == {"acme": "MATERIALIZED"}
    assert _status(instance, _ONE) == {}
