"""What a sync says of itself in Dagster: when, what it read, what the month's calls come to."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from resources.installation import Installation
from tests.firm import Firm, dagster_instance
from tests.sandbox import Sandbox


@pytest.fixture
def firm(tmp_path: Path, installation: Installation, sandbox: Sandbox) -> Iterator[Firm]:
    with dagster_instance(tmp_path / "dagster") as instance:
        yield Firm(installation, instance, sandbox)


def test_a_materialization_shows_the_sync_the_calls_and_the_waits_for_the_limit(firm: Firm) -> None:
    company = firm.company("acme")
    firm.succeed("tenant_sync", "acme")
    event = firm.instance.get_latest_materialization_event(dg.AssetKey(["raw_qbo", "bills"]))
    assert event is not None
    assert event.asset_materialization is not None
    shown = {name: value.value for name, value in event.asset_materialization.metadata.items()}
    newest = firm.installation.commits.newest_sync(company.tenant)
    usage = firm.installation.turnstile.usage(company.tenant)
    assert newest is not None
    assert shown["last_sync"] == pytest.approx(newest.committed_at.timestamp())
    assert (shown["sync_id"], shown["sync_kind"]) == (newest.sync_id, "full")
    assert shown["metered_calls_this_month"] == usage.metered > 0
    assert shown["metered_calls_projected"] == usage.projected
    assert shown["metered_calls_budget"] == 3_000
    assert shown["rate_limit_refusals_this_month"] == 0
    assert shown["rate_limit_waits_seconds_this_month"] == usage.waited.total_seconds() > 0
    assert "warning" not in shown
