"""The deployed whole: `runway dagster` with its daemon, driven as the UI drives it."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from migrations.chain import upgrade
from resources.clock import SystemClock
from resources.installation import Installation
from resources.settings import Settings
from tests.firm import connect
from tests.sandbox import Sandbox

_TENANTS = {"good": "9130455000000001", "broken": "9130455000000002"}
_WEEK = "2026-11-20"


class DagsterUi:
    """The running UI's GraphQL, the way its pages ask."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._http = httpx.Client(base_url=url, timeout=60)

    def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        answer = self._http.post("/graphql", json={"query": query, "variables": variables})
        answer.raise_for_status()
        body = answer.json()
        assert "errors" not in body, body
        found: dict[str, Any] = body["data"]
        return found

    def close(self) -> None:
        self._http.close()


@pytest.fixture
def environment(tmp_path: Path, sandbox: Sandbox) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("RUNWAY_", "DAGSTER_"))}
    return kept | {
        "RUNWAY_DATA_DIR": str(tmp_path / "data"),
        "RUNWAY_QBO_LOCAL_URL": sandbox.url,
        "RUNWAY_QBO_RETRY_SECONDS": "0",
    }


@pytest.fixture
def installation(tmp_path: Path, sandbox: Sandbox, environment: dict[str, str]) -> Iterator[Installation]:
    """Registered and connected on the real clock, as the processes of this test see it."""
    opened = Installation(Settings(data_dir=tmp_path / "data", qbo_local_url=sandbox.url), clock=SystemClock())
    upgrade(opened.database)
    opened.registry.add_firm("oak", name="Oak")
    for seed, (tenant, realm) in enumerate(_TENANTS.items()):
        sandbox.add_company(
            realm_id=realm,
            name=f"{tenant} generated",
            industry="consulting",
            size="micro",
            seed=seed,
            as_of=_WEEK,
            zone="America/New_York",
        )
        opened.registry.add_tenant(tenant, firm_id="oak", name=tenant, zone="America/New_York")
        connect(opened, tenant, realm)
    try:
        yield opened
    finally:
        opened.close()


@pytest.fixture
def ui(environment: dict[str, str], installation: Installation, tmp_path: Path) -> Iterator[DagsterUi]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = (tmp_path / "dagster.log").open("wb")
    process = subprocess.Popen(
        [sys.executable, "-m", "cli.main", "dagster", "--port", str(port)],
        env=environment,
        stdout=log,
        stderr=log,
        start_new_session=True,
    )
    opened = DagsterUi(f"http://127.0.0.1:{port}")
    try:
        _wait(lambda: _answers(opened), seconds=120, what="the UI answers")
        yield opened
    finally:
        opened.close()
        os.killpg(process.pid, signal.SIGINT)
        try:
            process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        log.close()


def _answers(ui: DagsterUi) -> bool:
    try:
        return bool(ui.ask("{ version }"))
    except (httpx.HTTPError, AssertionError):
        return False


def _wait(is_so: Any, *, seconds: float, what: str) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, f"not within {seconds} seconds: {what}"
        time.sleep(0.5)


_PARTITIONS = """
query($key: AssetKeyInput!) {
  assetNodeOrError(assetKey: $key) { ... on AssetNode {
    partitionKeys
    assetPartitionStatuses { ... on DefaultPartitionStatuses { materializedPartitions failedPartitions } }
  } }
}
"""
_BACKFILL = """
mutation($params: LaunchBackfillParams!) {
  launchPartitionBackfill(backfillParams: $params) {
    __typename
    ... on LaunchBackfillSuccess { backfillId }
    ... on PythonError { message }
  }
}
"""
_STATUS = """
query($id: String!) { partitionBackfillOrError(backfillId: $id) { ... on PartitionBackfill { status } } }
"""
_ASSETS = "{ assetNodes { assetKey { path } groupName } }"


def _digest(ui: DagsterUi) -> dict[str, Any]:
    found: dict[str, Any] = ui.ask(_PARTITIONS, key={"path": ["digest", "friday_digest"]})["assetNodeOrError"]
    return found


def _backfill(ui: DagsterUi, tenants: list[str]) -> str:
    """Launch a backfill of a week's assets for these tenants, with the week as run config, and wait for its end.

    A test drive is made from the digests of many past weeks, which these tenants do not have.
    """
    nodes = [node for node in ui.ask(_ASSETS)["assetNodes"] if node["groupName"] != "test_drive"]
    keys = [{"path": node["assetKey"]["path"]} for node in nodes]
    launched = ui.ask(
        _BACKFILL,
        params={
            "assetSelection": keys,
            "partitionNames": tenants,
            "runConfigData": {"resources": {"week": {"config": {"week_ending": _WEEK}}}},
        },
    )["launchPartitionBackfill"]
    assert launched["__typename"] == "LaunchBackfillSuccess", launched
    ended = ("COMPLETED_SUCCESS", "COMPLETED_FAILED", "FAILED", "CANCELED")

    def status() -> str:
        return str(ui.ask(_STATUS, id=launched["backfillId"])["partitionBackfillOrError"]["status"])

    _wait(lambda: status() in ended, seconds=240, what="the backfill ends")
    return status()


@pytest.mark.timeout(600)
def test_a_backfill_of_just_the_failed_tenants_makes_them_good(
    ui: DagsterUi, installation: Installation, sandbox: Sandbox
) -> None:
    """The sensor copies the tenants, a backfill fails for one of them, and a backfill of that one mends it."""
    _wait(lambda: sorted(_digest(ui)["partitionKeys"]) == sorted(_TENANTS), seconds=150, what="the sensor adds tenants")
    sandbox.break_with(_TENANTS["broken"], kind="http_500")
    assert _backfill(ui, list(_TENANTS)) == "COMPLETED_FAILED"
    statuses = _digest(ui)["assetPartitionStatuses"]
    assert statuses == {"materializedPartitions": ["good"], "failedPartitions": ["broken"]}

    sandbox.heal(_TENANTS["broken"])
    assert _backfill(ui, statuses["failedPartitions"]) == "COMPLETED_SUCCESS"
    assert _digest(ui)["assetPartitionStatuses"]["failedPartitions"] == []
    for tenant in _TENANTS:
        assert (installation.settings.digests_root / tenant / f"{_WEEK}.html").exists()
