"""Processes that share a Friday's tenants: how many, and one that dies."""

import os
import signal
import threading
import time
from datetime import date
from pathlib import Path

import pytest
import typer

from cli.friday import FridayOutcome, TenantOutcome, report, run_friday
from cli.friday_runs import processes_for, run_each
from cli.session import prepare_dagster_home
from migrations.chain import upgrade
from resources.installation import Installation
from resources.settings import Settings
from resources.tenants import Tenant
from tests.consent import connect
from tests.sandbox import Sandbox

WEEK = date(2026, 11, 20)


def test_few_tenants_are_done_before_another_process_has_begun() -> None:
    cores = os.cpu_count() or 1
    assert [processes_for(tenants) for tenants in (1, 8, 15)] == [1, 1, 1]
    assert processes_for(1_000) == cores


def _outcome(tenant: Tenant, *, failures: dict[str, str]) -> TenantOutcome:
    return TenantOutcome(tenant=tenant, week_ending=WEEK, failures=failures, subject="[/] Covered", html=Path("x.html"))


def test_firms_pages_that_fail_end_the_command_with_1(
    bare_installation: Installation, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A scheduler saw 0 each Friday while the firms' pages stood still."""
    settings = bare_installation.settings
    for name, value in (("RUNWAY_DATA_DIR", settings.data_dir), ("DAGSTER_HOME", settings.dagster_home)):
        monkeypatch.setenv(name, str(value))
    (settings.fleet_file / "in the way").mkdir(parents=True)
    found = run_friday(bare_installation, tenants=[], week_ending=WEEK)
    assert found.pages_failure is not None
    with pytest.raises(typer.Exit) as ended:
        report(found)
    assert ended.value.exit_code == 1
    assert "The firms' pages could not be made" in capsys.readouterr().err


def test_a_name_with_brackets_is_told_and_who_failed_ends_the_command_with_1(
    bare_installation: Installation, capsys: pytest.CaptureFixture[str]
) -> None:
    bare_installation.registry.add_firm("oak", name="Oak")
    added = {"firm_id": "oak", "name": "Smith [/] Sons", "zone": "America/New_York"}
    tenant = bare_installation.registry.add_tenant("acme", **added)
    report(FridayOutcome(tenants=[_outcome(tenant, failures={})], pages_failure=None))
    assert "Smith [/] Sons" in capsys.readouterr().out
    with pytest.raises(typer.Exit):
        report(FridayOutcome(tenants=[_outcome(tenant, failures={"friday": "no [/] books"})], pages_failure=None))
    assert "1 of 1 tenants failed: acme" in capsys.readouterr().err


@pytest.mark.long
@pytest.mark.timeout(600)
def test_tenants_of_a_process_that_died_are_told_as_failed(
    tmp_path: Path, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    installation = Installation(Settings(data_dir=tmp_path, qbo_local_url=sandbox.url))
    upgrade(installation.database)
    installation.registry.add_firm("oak", name="Oak")
    for seed, tenant in enumerate(("ash", "beech", "cedar", "elm")):
        realm = f"913048000000000{seed}"
        sandbox.add_company(
            realm_id=realm,
            name=tenant,
            industry="consulting",
            size="micro",
            seed=seed,
            as_of=WEEK.isoformat(),
            zone="America/New_York",
        )
        installation.registry.add_tenant(tenant, firm_id="oak", name=tenant, zone="America/New_York")
        connect(installation, tenant, realm)
    monkeypatch.setenv("RUNWAY_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("RUNWAY_QBO_LOCAL_URL", sandbox.url)
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "dagster"))
    prepare_dagster_home(installation.settings)
    weeks = [(tenant, WEEK) for tenant in installation.registry.tenants()]
    killer = threading.Thread(target=_kill_a_worker)
    killer.start()
    told = list(run_each(weeks, processes=2))
    killer.join()
    installation.close()
    assert {one.tenant.tenant_id for one in told} == {"ash", "beech", "cedar", "elm"}
    assert any("ended of itself" in why for one in told for why in one.failures.values())


def _kill_a_worker() -> None:
    """A child of this process that was spawned for runs, soon after it began."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                parent = int((path.parent / "stat").read_text().rpartition(")")[2].split()[1])
                is_worker = parent == os.getpid() and b"spawn_main" in path.read_bytes()
            except OSError:
                continue
            if is_worker:
                time.sleep(1)
                os.kill(int(path.parent.name), signal.SIGKILL)
                return
        time.sleep(0.1)
