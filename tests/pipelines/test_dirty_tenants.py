"""The sensor of changed tenants: it asks once a change, and the sync it asks for clears the mark."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import dagster as dg
import pytest
from sqlalchemy import insert

from pipelines.build import build_defs
from pipelines.sensors import dirty_tenants
from resources.clock import FixedClock
from resources.installation import Installation
from resources.qbo.sync_policy import SyncPolicy
from resources.qbo_webhooks import Event
from resources.tables import CONNECTION
from tests.firm import Company, Firm, dagster_instance
from tests.sandbox import Sandbox

DISTANCE = SyncPolicy().webhook_distance


@pytest.fixture
def firm(tmp_path: Path, installation: Installation, sandbox: Sandbox) -> Iterator[Firm]:
    with dagster_instance(tmp_path / "dagster") as instance:
        yield Firm(installation, instance, sandbox)


def _tick(firm: Firm) -> list[dg.RunRequest]:
    return _tick_after(firm.installation, firm.instance, None)[0]


def _tick_after(
    installation: Installation, instance: dg.DagsterInstance, cursor: str | None
) -> tuple[list[dg.RunRequest], str | None]:
    """What the sensor asks for after a tick that left this cursor, and the cursor that it leaves."""
    context = dg.build_sensor_context(instance=instance, cursor=cursor, resources={"installation": installation})
    found = dirty_tenants(context)
    return (list(found.run_requests or []), found.cursor) if isinstance(found, dg.SensorResult) else ([], cursor)


def _change(firm: Firm, company: Company, name: str) -> None:
    firm.installation.dirty_tenants.notice([Event(event_id=name, realm_id=company.realm_id)])


def test_a_changed_tenant_is_synced_and_then_clean(firm: Firm, clock: FixedClock) -> None:
    acme, _ = firm.company("acme"), firm.company("bolt", seed=2)
    assert _tick(firm) == []
    _change(firm, acme, "a")
    (request,) = _tick(firm)
    assert (request.partition_key, request.run_key) == ("acme", "dirty:acme:1")
    assert request.tags["runway/firm"] == "oak"
    clock.move_to(clock.now() + timedelta(minutes=1))
    firm.succeed("tenant_sync", "acme")
    assert _tick(firm) == []
    _change(firm, acme, "b")
    clock.move_to(clock.now() + DISTANCE)
    assert [one.run_key for one in _tick(firm)] == ["dirty:acme:2"]


def test_changes_without_end_are_read_once_a_quarter_of_an_hour(firm: Firm, clock: FixedClock) -> None:
    """A shop that entered a receipt a minute had a sync a minute: the month's metered calls were gone in days."""
    acme, bolt = firm.company("acme"), firm.company("bolt", seed=2)
    _change(firm, acme, "0")
    clock.move_to(clock.now() + timedelta(minutes=1))
    firm.succeed("tenant_sync", "acme")
    begun, asked = clock.now(), []
    while clock.now() < begun + DISTANCE:
        _change(firm, acme, f"at {clock.now()}")
        asked += _tick(firm)
        clock.move_to(clock.now() + timedelta(minutes=1))
    assert asked == []
    _change(firm, bolt, "bolt's")
    assert [one.partition_key for one in _tick(firm)] == ["acme", "bolt"], (
        "the mark stayed, and the other was never read"
    )


def test_asking_again_for_the_same_change_has_the_same_run_key(firm: Firm) -> None:
    _change(firm, firm.company("acme"), "a")
    assert [one.run_key for one in _tick(firm)] == [one.run_key for one in _tick(firm)]


def test_a_sync_that_fails_leaves_its_tenant_dirty(firm: Firm, clock: FixedClock) -> None:
    company = firm.company("acme")
    _change(firm, company, "a")
    clock.move_to(clock.now() + timedelta(minutes=1))
    firm.sandbox.break_with(company.realm_id, kind="http_500")
    try:
        assert not firm.run("tenant_sync", "acme").success
    finally:
        firm.sandbox.heal(company.realm_id)
    assert [one.tenant_id for one in firm.installation.dirty_tenants.dirty()] == ["acme"]


def test_a_tenant_whose_sync_waits_or_runs_is_not_asked_for_twice(firm: Firm) -> None:
    _change(firm, firm.company("acme"), "a")
    job = build_defs(resource_overrides={"installation": firm.installation}).resolve_job_def("tenant_sync")
    run = firm.instance.create_run_for_job(
        job_def=job, status=dg.DagsterRunStatus.STARTED, tags={"dagster/partition": "acme"}
    )
    assert _tick(firm) == []
    firm.instance.report_run_failed(run)
    assert len(_tick(firm)) == 1


def test_a_tenant_that_is_no_partition_yet_waits_for_the_registry(firm: Firm) -> None:
    _change(firm, firm.company("acme"), "a")
    firm.instance.delete_dynamic_partition("tenant", "acme")
    assert _tick(firm) == []


def test_however_many_tenants_fail_everybody_elses_turn_comes(
    tmp_path: Path, bare_installation: Installation, clock: FixedClock
) -> None:
    """More than a tick asks for fail for ever and come first; then one more is marked, again and again."""
    names = [f"tenant-{number:03d}" for number in range(250)]
    with dagster_instance(tmp_path / "dagster") as instance:
        _connected(bare_installation, names)
        instance.add_dynamic_partitions("tenant", names)
        marks = bare_installation.dirty_tenants
        marks.notice([Event(event_id=name, realm_id=name) for name in names])
        cursor: str | None = None
        asked: list[str] = []
        for tick in range(3):
            clock.move_to(clock.now() + timedelta(minutes=1))
            marks.notice([Event(event_id=f"again {tick}", realm_id=names[-1])])
            requests, cursor = _tick_after(bare_installation, instance, cursor)
            assert len(requests) == 100
            asked += [str(one.partition_key) for one in requests]
        assert asked == names + names[:50], "in turn, and from the beginning again"


def _connected(installation: Installation, names: list[str]) -> None:
    """Tenants whose company's id is their own."""
    installation.registry.add_firm("oak", name="Oak")
    now = installation.clock.now()
    kept = {"access_token": b"", "access_expires_at": now, "refresh_token": b"", "refresh_expires_at": now}
    kept |= {"environment": "local", "state": "connected", "connected_at": now, "token_version": 1}
    for name in names:
        installation.registry.add_tenant(name, firm_id="oak", name=name, zone="America/New_York")
    with installation.database.write() as connection:
        connection.execute(insert(CONNECTION), [{**kept, "tenant_id": name, "realm_id": name} for name in names])
