"""A run of several tenants: the books of one are there although the other's QuickBooks keeps it waiting."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from assets.ingest import raw_key, raw_qbo
from migrations.chain import upgrade
from resources.failpoints import arm, disarm
from resources.installation import Installation
from resources.qbo.kinds import KINDS
from resources.settings import Settings
from tests.conftest import FRIDAY_MORNING
from tests.firm import Firm, dagster_instance
from tests.resources.qbo.standstill import Standstill
from tests.sandbox import Sandbox


@pytest.fixture
def clock() -> Standstill:
    return Standstill(FRIDAY_MORNING)


@pytest.fixture
def firm(tmp_path: Path, sandbox: Sandbox, clock: Standstill) -> Iterator[Firm]:
    installation = Installation(Settings(data_dir=tmp_path / "data", qbo_local_url=sandbox.url), clock=clock)
    upgrade(installation.database)
    with dagster_instance(tmp_path / "dagster") as instance:
        yield Firm(installation, instance, sandbox)
    installation.close()


def test_a_throttled_tenant_of_a_range_does_not_keep_the_next_one_waiting(firm: Firm, clock: Standstill) -> None:
    first, second = firm.company("alder"), firm.company("briar")
    firm.sandbox.break_with(first.realm_id, kind="throttle_storm")
    clock.stand_still()
    arm("commit.after", action=clock.run)  # the second tenant's: the first one waits until then
    try:
        result = dg.materialize(
            [raw_qbo],
            instance=firm.instance,
            resources={"installation": firm.installation},
            tags={
                "dagster/asset_partition_range_start": first.tenant,
                "dagster/asset_partition_range_end": second.tenant,
            },
            run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
            raise_on_error=False,
        )
    finally:
        disarm()
        clock.run()
    assert not result.success
    assert first.tenant in firm.failure(result)
    assert firm.installation.commits.newest_sync(second.tenant) is not None
    records = firm.instance.fetch_materializations(raw_key(KINDS["Bill"]), limit=5).records
    assert [record.partition_key for record in records] == [second.tenant]
