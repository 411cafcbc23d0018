"""The daily look at the whole fleet: who was not read since their night, whose partitions were left failed."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition
from dagster._utils.schedules import schedule_execution_time_iterator  # what the daemon itself asks

from assets.fleet_checks import nightly_sync_due
from pipelines.build import build_defs
from pipelines.jobs import fleet_checks, friday, tenant_sync
from pipelines.schedules import FLEET_CHECKS_DAILY, NIGHTLY
from resources.clock import FixedClock
from resources.installation import Installation
from resources.tenants import ZONES, Tenant, TenantId
from tests.firm import Firm, dagster_instance
from tests.sandbox import Sandbox


@pytest.fixture
def firm(tmp_path: Path, installation: Installation, sandbox: Sandbox) -> Iterator[Firm]:
    with dagster_instance(tmp_path / "dagster") as instance:
        yield Firm(installation, instance, sandbox)


def _checked(firm: Firm) -> dict[str, tuple[bool, list[str]]]:
    """Each check's verdict and whom it names, as the scheduled job finds them."""
    job = build_defs(resource_overrides={"installation": firm.installation}).resolve_job_def("fleet_checks")
    result = job.execute_in_process(
        instance=firm.instance,
        run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
        raise_on_error=False,
    )
    assert result.success
    return {
        one.check_name: (one.passed, [line.split()[0] for line in str(one.metadata["sample"].value).splitlines()])
        for one in result.get_asset_check_evaluations()
    }


def test_a_fleet_that_was_read_and_told_is_green(firm: Firm) -> None:
    firm.company("acme")
    firm.succeed("tenant_sync", "acme")
    firm.succeed("friday", "acme")
    assert _checked(firm) == {"every_tenant_synced_today": (True, []), "no_partitions_left_failed": (True, [])}


def test_who_was_left_behind_is_named_until_it_is_made_up_for(firm: Firm, clock: FixedClock) -> None:
    # Registered the day before: their first night is over.
    clock.move_to(clock.now() - timedelta(days=1))
    firm.company("good")
    broken = firm.company("broken", seed=2)
    firm.company("gone", seed=3)
    firm.installation.registry.deactivate(TenantId("gone"))
    clock.move_to(clock.now() + timedelta(days=1))
    firm.sandbox.break_with(broken.realm_id, kind="http_500")
    firm.succeed("tenant_sync", "good")
    assert not firm.run("tenant_sync", "broken").success
    firm.sandbox.heal(broken.realm_id)
    assert _checked(firm) == {
        "every_tenant_synced_today": (False, ["broken"]),
        "no_partitions_left_failed": (False, ["broken"]),
    }

    firm.succeed("tenant_sync", "broken")
    assert all(passed for passed, _ in _checked(firm).values())

    # A day on, nobody ran: yesterday's sync is not today's.
    clock.move_to(clock.now() + timedelta(days=1))
    assert _checked(firm)["every_tenant_synced_today"] == (False, ["broken", "good"])


def test_a_digest_that_was_left_failed_is_named_with_its_job(firm: Firm) -> None:
    firm.company("acme")
    assert not firm.run("friday", "acme").success  # never read
    assert _checked(firm)["no_partitions_left_failed"] == (False, ["acme"])


def test_of_many_tenants_a_few_are_named_and_all_are_counted(firm: Firm, clock: FixedClock) -> None:
    for number in range(30):
        firm.installation.registry.add_tenant(f"tenant-{number:02}", firm_id="oak", name="x", zone="America/New_York")
    clock.move_to(clock.now() + timedelta(days=1))
    passed, named = _checked(firm)["every_tenant_synced_today"]
    assert not passed
    assert named == [f"tenant-{number:02}" for number in range(20)]


def test_the_checks_run_alone_and_never_with_a_tenants_jobs() -> None:
    graph = build_defs().resolve_asset_graph()
    fleet = {"every_tenant_synced_today", "no_partitions_left_failed"}

    def names(job: UnresolvedAssetJobDefinition) -> set[str]:
        return {key.name for key in job.selection.resolve_checks(graph)}

    assert names(fleet_checks) == fleet
    for job in (tenant_sync, friday):
        assert names(job)
        assert not names(job) & fleet


def _tenant(zone: str) -> Tenant:
    return Tenant(
        tenant_id=TenantId("acme"),
        firm_id="oak",
        firm_name="Oak",
        name="Acme",
        zone=zone,
        active=True,
        created_at=datetime(2020, 1, 1, tzinfo=UTC),
    )


@pytest.mark.parametrize("zone", ZONES)
def test_the_sync_that_was_due_is_the_schedules_own_tick(zone: str) -> None:
    """Around the year, clock changes included: the newest nightly tick that lies an hour back when the daily check runs."""
    for day in range(0, 366, 3):
        now = datetime(2026, 1, 1, 14, 0, tzinfo=UTC) + timedelta(days=day)
        ticks = schedule_execution_time_iterator((now - timedelta(days=3)).timestamp(), NIGHTLY, zone)
        latest = list(_until(ticks, now - timedelta(hours=1)))[-1]
        assert abs(nightly_sync_due(_tenant(zone), now=now) - latest) <= timedelta(hours=1), (zone, now)
        # Nobody's night is more than a day back: the check's hour suits every zone.
        assert now - latest < timedelta(hours=26)


def _until(ticks: Iterator[datetime], end: datetime) -> Iterator[datetime]:
    for tick in ticks:
        if tick > end:
            return
        yield tick


def test_the_schedule_asks_for_the_checks_once_a_day() -> None:
    schedule = build_defs().resolve_schedule_def("fleet_checks_daily")
    assert (schedule.cron_schedule, schedule.execution_timezone) == (FLEET_CHECKS_DAILY, "UTC")
    assert schedule.default_status is dg.DefaultScheduleStatus.RUNNING
