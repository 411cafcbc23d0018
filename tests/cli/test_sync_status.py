"""`runway sync status` as a person and as a program reads it."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.main import app
from migrations.chain import upgrade
from resources.installation import Installation
from resources.settings import Settings
from tests.firm import connect
from tests.sandbox import Sandbox

REALM = "9130370000000021"


@pytest.fixture
def runner(tmp_path: Path, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    """The command on an installation with a tenant that was read and one that was never connected."""
    monkeypatch.setenv("RUNWAY_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("RUNWAY_QBO_LOCAL_URL", sandbox.url)
    monkeypatch.setenv("RUNWAY_QBO_CALL_BUDGET", "10")
    monkeypatch.setattr("cli.session.console.width", 240)
    sandbox.add_company(
        realm_id=REALM,
        name="Acme generated",
        industry="consulting",
        size="micro",
        seed=1,
        as_of="2026-11-20",
        zone="America/New_York",
    )
    installation = Installation(Settings())
    upgrade(installation.database)
    installation.registry.add_firm("oak", name="Oak & Partners")
    for tenant in ("acme", "birch"):
        installation.registry.add_tenant(tenant, firm_id="oak", name=tenant, zone="America/New_York")
    connect(installation, "acme", REALM)
    installation.smart_sync.sync(installation.registry.tenants()[0].tenant_id)
    installation.close()
    return CliRunner()


def test_all_tenants_are_told_in_one_table_and_asking_costs_no_call(runner: CliRunner, sandbox: Sandbox) -> None:
    before = len(sandbox.requests(REALM))
    told = runner.invoke(app, ["sync", "status"])
    assert told.exit_code == 0, told.output
    acme = next(line for line in told.output.splitlines() if " acme " in line)
    birch = next(line for line in told.output.splitlines() if " birch " in line)
    assert "full" in acme
    assert "fresh" in acme
    assert "exceeded" in acme
    assert "none" in birch
    assert "never" in birch
    assert "acme: " in told.output
    assert "10 planned" in told.output
    assert len(sandbox.requests(REALM)) == before


def test_one_tenant_is_told_kind_by_kind(runner: CliRunner) -> None:
    told = runner.invoke(app, ["sync", "status", "--tenant", "acme"])
    assert told.exit_code == 0, told.output
    assert "BillPayment" in told.output
    assert "14 d 0 h" in told.output
    assert "birch" not in told.output


def test_programs_get_json(runner: CliRunner) -> None:
    told = runner.invoke(app, ["sync", "status", "--json"])
    acme, birch = json.loads(told.output)
    assert (acme["tenant_id"], acme["last_sync"]["kind"], acme["connection"]["state"]) == ("acme", "full", "connected")
    assert acme["usage"]["metered_calls"] > acme["usage"]["budget"] == 10
    assert acme["versions"] > 300
    assert (birch["connection"], birch["last_sync"], birch["usage"]["metered_calls"]) == (None, None, 0)


def test_an_unknown_tenant_is_answered_in_words(runner: CliRunner) -> None:
    told = runner.invoke(app, ["sync", "status", "--tenant", "cedar"])
    assert told.exit_code == 1
    assert "Traceback" not in told.output
