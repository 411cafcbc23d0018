"""The sensor of changed tenants: it asks once a change, and the sync it asks for clears the mark."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import dagster as dg
import pytest

from pipelines.build import build_defs
from pipelines.sensors import dirty_tenants
from resources.clock import FixedClock
from resources.installation import Installation
from resources.qbo_webhooks import Event
from tests.firm import Company, Firm, dagster_instance
from tests.sandbox import Sandbox


@pytest.fixture
def firm(tmp_path: Path, installation: Installation, sandbox: Sandbox) -> Iterator[Firm]:
    with dagster_instance(tmp_path / "dagster") as instance:
        yield Firm(installation, instance, sandbox)


def _tick(firm: Firm) -> list[dg.RunRequest]:
    context = dg.build_sensor_context(instance=firm.instance, resources={"installation": firm.installation})
    found = dirty_tenants(context)
    return list(found.run_requests or []) if isinstance(found, dg.SensorResult) else []


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
    assert [one.run_key for one in _tick(firm)] == ["dirty:acme:2"]


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
