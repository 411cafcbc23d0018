"""The back-test of payment timing through the deployed job: one row a Friday, and only new Fridays are fitted."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import dagster as dg
import pytest

from assets.backtest import TABLE
from resources.clock import FixedClock
from resources.installation import Installation
from runway_calcs.policy import BacktestPolicy
from tests.firm import Firm, dagster_instance
from tests.sandbox import Sandbox


@pytest.fixture
def firm(tmp_path: Path, installation: Installation, sandbox: Sandbox) -> Iterator[Firm]:
    with dagster_instance(tmp_path / "dagster") as instance:
        yield Firm(installation, instance, sandbox)


def _metadata(result: dg.ExecuteInProcessResult) -> dict[str, object]:
    (event,) = result.asset_materializations_for_node("backtests")
    return {name: one.value for name, one in event.metadata.items()}


def test_each_past_friday_is_replayed_once_and_shown_with_its_figures(firm: Firm, clock: FixedClock) -> None:
    firm.company("acme")
    firm.succeed("tenant_sync", "acme")
    firm.succeed("friday", "acme")

    first = _metadata(firm.run("backtest", "acme"))
    fridays = BacktestPolicy().fridays
    assert first["dagster/partition_row_count"] == first["fitted_fridays"] == 2 * fridays
    assert "weeks inside the band" in str(first["receivables_band"])
    figures = first["figures"]
    assert isinstance(figures, dg.TableMetadataValue)
    settled = [row for row in figures.records if row.data["dates"]]
    assert {row.data["side"] for row in figures.records} == {"receivables", "payables"}
    assert settled
    assert all("." in str(row.data["error in days"]) for row in settled)

    # The same books again say the same; nothing is fitted.
    again = _metadata(firm.run("backtest", "acme"))
    assert again["fitted_fridays"] == 0
    assert [row.data for row in again["figures"].records] == [row.data for row in figures.records]


@pytest.mark.long
def test_a_week_later_only_what_has_ended_is_fitted(firm: Firm, clock: FixedClock) -> None:
    """On each side one week has ended, and the horizon of one Friday more."""
    firm.company("acme")
    fridays = BacktestPolicy().fridays
    for job in ("tenant_sync", "friday", "backtest"):
        firm.succeed(job, "acme")
    clock.move_to(clock.now() + timedelta(days=7))
    firm.succeed("tenant_sync", "acme")
    firm.succeed("friday", "acme")
    later = _metadata(firm.run("backtest", "acme"))
    assert later["dagster/partition_row_count"] == 2 * fridays
    assert later["fitted_fridays"] == 2 * 2
    assert firm.status(TABLE, ["acme"]) == {"acme": "MATERIALIZED"}
