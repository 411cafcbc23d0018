"""`runway connect` with a consent page: a real process, and a person who clicks or pastes."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import httpx
import pytest

from migrations.chain import upgrade
from resources.installation import Installation
from resources.settings import Settings
from tests.browser import CHROMIUM, NO_CHROMIUM, free_port, start_chromium, visit
from tests.sandbox import Sandbox

_REALM, _NAME = "9130410000000001", "Tamarack Pottery"


@pytest.fixture
def environment(tmp_path: Path, sandbox: Sandbox) -> dict[str, str]:
    """An installation with one tenant, on a QuickBooks with several companies."""
    for realm, name in ((_REALM, _NAME), ("9130410000000002", "Tamarack Tiles")):
        sandbox.add_company(
            realm_id=realm,
            name=name,
            industry="consulting",
            size="micro",
            seed=1,
            as_of="2026-11-20",
            zone="America/New_York",
        )
    found = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("RUNWAY_", "DAGSTER_"))},
        "RUNWAY_DATA_DIR": str(tmp_path / "data"),
        "RUNWAY_QBO_LOCAL_URL": sandbox.url,
        "RUNWAY_QBO_REDIRECT_URI": f"http://localhost:{free_port()}/callback",
        "BROWSER": "true",  # the test is the browser; this one opens and shows nothing
        "COLUMNS": "200",
    }
    installation = Installation(Settings(data_dir=tmp_path / "data"))
    try:
        upgrade(installation.database)
        installation.registry.add_firm("oak", name="Oak")
        installation.registry.add_tenant("acme", firm_id="oak", name="Acme", zone="America/New_York")
    finally:
        installation.close()
    return found


@contextmanager
def _connecting(environment: dict[str, str], *options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The command while it waits, and the address of the consent page that it printed."""
    command = [sys.executable, "-m", "cli.main", "connect", "acme", *options]
    with subprocess.Popen(
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process, _printed_address(process.stdout)
        finally:
            process.kill()


def _printed_address(output: IO[str] | None) -> str:
    assert output is not None
    for line in output:
        if line.startswith("http"):
            return line.strip()
    raise AssertionError("the command printed no address")


def test_a_person_clicks_on_their_company_in_a_real_browser(environment: dict[str, str], tmp_path: Path) -> None:
    if CHROMIUM is None:
        pytest.skip(NO_CHROMIUM)
    with _connecting(environment, "--browser") as (process, address), start_chromium(tmp_path / "chromium") as page:
        page.open(address)
        page.wait_for("Which company?")
        page.click_link(_NAME)
        page.wait_for("Connected")
        assert f"acme is connected to {_NAME} ({_REALM})." in page.text()
        output, problems = process.communicate(timeout=60)
    assert process.returncode == 0, problems
    assert f"Connected acme to {_NAME} ({_REALM})." in output


def test_a_person_without_a_browser_here_pastes_the_address_theirs_ended_on(environment: dict[str, str]) -> None:
    with _connecting(environment, "--no-browser") as (process, address):
        ended_on = httpx.get(f"{address}&realmId={_REALM}", trust_env=False).headers["location"]
        output, problems = process.communicate(f"  {ended_on}\n", timeout=60)
    assert process.returncode == 0, problems
    assert f"Connected acme to {_NAME}" in output


def test_a_redirect_uri_elsewhere_needs_no_flag_to_be_pasted(environment: dict[str, str]) -> None:
    """Intuit registers only https addresses for production, which this machine does not listen on."""
    elsewhere = {**environment, "RUNWAY_QBO_REDIRECT_URI": "https://books.oak.example/callback"}
    with _connecting(elsewhere, "--browser") as (process, address):
        ended_on = httpx.get(f"{address}&realmId={_REALM}", trust_env=False).headers["location"]
        assert ended_on.startswith("https://books.oak.example/callback?")
        _, problems = process.communicate(f"{ended_on}\n", timeout=60)
    assert process.returncode == 0, problems


def test_a_forged_callback_ends_the_command_with_a_plain_message(environment: dict[str, str]) -> None:
    with _connecting(environment, "--browser") as (process, _):
        page = visit(f"{environment['RUNWAY_QBO_REDIRECT_URI']}?code=x&state=guess&realmId={_REALM}")
        _, problems = process.communicate(timeout=60)
    assert page.status_code == 400
    assert process.returncode == 1
    assert "does not belong to this consent" in problems
    assert "Traceback" not in problems


def test_nobody_consenting_ends_the_command_in_time(environment: dict[str, str]) -> None:
    with _connecting(environment, "--browser", "--wait-seconds", "1") as (process, _):
        _, problems = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "Nobody came back from the consent page within 1 seconds." in problems


def test_disconnecting_says_how_to_come_back(environment: dict[str, str]) -> None:
    runway = [sys.executable, "-m", "cli.main"]
    subprocess.run([*runway, "connect", "acme", "--realm", _REALM], env=environment, check=True, capture_output=True)
    done = subprocess.run([*runway, "disconnect", "acme"], env=environment, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "runway connect acme" in done.stdout
    listed = subprocess.run([*runway, "tenant", "list"], env=environment, check=True, capture_output=True, text=True)
    assert "no" in listed.stdout
