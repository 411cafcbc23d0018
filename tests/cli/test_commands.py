"""The `runway` command as a person uses it: real processes against the local QuickBooks where a process makes a difference."""

import json
import os
import re
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.main import app
from resources.installation import Installation
from tests.cli.command import Command, running
from tests.sandbox import Sandbox

_REALMS = {"acme": "9130370000000001", "birch": "9130370000000002"}


class Shell:
    """Runs the command with a data folder of its own."""

    def __init__(self, data: Path, url: str) -> None:
        self.data = data
        self.patience_seconds = 240
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("RUNWAY_", "DAGSTER_"))},
            "RUNWAY_DATA_DIR": str(data),
            "RUNWAY_QBO_LOCAL_URL": url,
            "RUNWAY_QBO_RETRY_SECONDS": "0",
            "COLUMNS": "200",
        }

    def __call__(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "cli.main", *arguments],
            env={**self.environment, **variables},
            capture_output=True,
            text=True,
            check=False,
            timeout=self.patience_seconds,
        )


@pytest.fixture
def shell(tmp_path: Path, sandbox: Sandbox) -> Shell:
    return Shell(tmp_path / "data", sandbox.url)


@pytest.fixture
def command(bare_installation: Installation) -> Iterator[Command]:
    """In this process, on an installation without a firm."""
    yield from running(bare_installation)


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"RUNWAY_DATABASE_URL": "somewhere"}, "RUNWAY_DATABASE_URL is no address of a database"),
        (
            {"RUNWAY_DATABASE_URL": "oracle-of-old://u:canary-password@h/x"},
            "RUNWAY_DATABASE_URL is no address of a database",
        ),
        ({"RUNWAY_DATABASE_URL": "postgresql+psycopg://u:canary-password@127.0.0.1:1/x"}, "The database does not open"),
        ({"RUNWAY_DATA_DIR": __file__}, "has to be a folder that can be written"),
    ],
    ids=["no-url", "no-driver", "no-server", "no-folder"],
)
def test_what_keeps_an_installation_from_opening_is_told_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], said: str
) -> None:
    for name, value in ({"RUNWAY_DATA_DIR": str(tmp_path)} | variables).items():
        monkeypatch.setenv(name, value)
    found = CliRunner().invoke(app, ["firm", "list"])
    assert found.exit_code == 1, found.output
    assert said in " ".join(found.stderr.split())
    assert "canary-password" not in found.output
    assert isinstance(found.exception, SystemExit), "no traceback"


def test_a_program_older_than_the_database_says_so(command: Command, bare_installation: Installation) -> None:
    with bare_installation.database.write() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    assert "Is the program older" in command.refused("firm", "list")


def _ok(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.long  # the demo does the same in the default suite, without one that fails
def test_a_firm_from_nothing_to_its_digests_and_who_failed_is_named(shell: Shell, sandbox: Sandbox) -> None:
    for seed, (tenant, realm) in enumerate(_REALMS.items()):
        sandbox.add_company(
            realm_id=realm,
            name=f"{tenant} generated",
            industry="consulting",
            size="micro",
            seed=seed,
            as_of="2026-11-20",
            zone="America/New_York",
        )
    _ok(shell("firm", "add", "oak", "--name", "Oak & Partners"))
    for tenant, realm in _REALMS.items():
        _ok(shell("tenant", "add", tenant, "--firm", "oak", "--zone", "America/New_York"))
        _ok(shell("connect", tenant, "--realm", realm))
    sandbox.revoke(_REALMS["birch"])

    done = shell("friday", "--week-ending", "2026-11-20", "--processes", "2")

    assert done.returncode == 1
    assert "1 of 2 tenants failed: birch" in done.stderr
    assert "runway connect birch" in done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    digest = shell.data / "digests" / "acme" / "2026-11-20.html"
    assert str(digest) in done.stdout
    assert "<h1" in digest.read_text()
    assert not (shell.data / "digests" / "birch").exists()

    listed = _ok(shell("tenant", "list"))
    assert "acme" in listed
    assert "never" in listed
    _ok(shell("connect", "birch", "--realm", _REALMS["birch"]))
    _ok(shell("friday", "--tenant", "birch", "--week-ending", "2026-11-20"))


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        pytest.param(
            ["tenant", "add", "../x", "--firm", "oak", "--zone", "America/New_York"], "is no tenant id", id="id"
        ),
        pytest.param(["tenant", "add", "acme", "--firm", "oak", "--zone", "Mars"], "list of time zones", id="zone"),
        pytest.param(["tenant", "add", "acme", "--firm", "elm", "--zone", "Europe/London"], "no firm 'elm'", id="firm"),
        pytest.param(["friday"], "no active tenant", id="nobody"),
        pytest.param(["friday", "--week-ending", "2026-11-19"], "is not a Friday", id="thursday"),
        pytest.param(["friday", "--week-ending", "tomorrow"], "write the Friday of the week as", id="no day"),
        pytest.param(["friday", "--tenant", "acme"], "no tenant 'acme'", id="unknown"),
        pytest.param(["connect", "acme"], "no tenant 'acme'", id="connect unknown"),
        pytest.param(["tenant", "set", "acme", "floor_cents=1"], "no tenant 'acme'", id="set unknown"),
    ],
)
def test_a_mistake_is_answered_in_words_with_what_to_do(command: Command, arguments: list[str], says: str) -> None:
    assert says in command.refused(*arguments)


def test_a_week_that_lies_ahead_is_refused_before_anything_runs(
    command: Command, bare_installation: Installation
) -> None:
    bare_installation.registry.add_firm("oak", name="Oak")
    for tenant in ("acme", "bolt"):
        bare_installation.registry.add_tenant(tenant, firm_id="oak", name=tenant, zone="America/New_York")
    said = command.refused("friday", "--week-ending", "2100-01-01")
    assert "The week ending 2100-01-01 lies ahead of 'acme', where it is 2" in said
    assert "Name a Friday that has come" in said
    assert not bare_installation.settings.dagster_home.exists()


def test_a_process_that_refuses_ends_with_1_and_no_traceback(shell: Shell) -> None:
    done = shell("tenant", "add", "../x", "--firm", "oak", "--zone", "America/New_York")
    assert done.returncode == 1
    assert "is no tenant id" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_bad_setting_is_named(shell: Shell) -> None:
    done = shell("firm", "list", RUNWAY_QBO_TIMEOUT_SECONDS="soon")
    assert done.returncode == 2
    assert "RUNWAY_QBO_TIMEOUT_SECONDS" in done.stderr


def test_a_deactivated_tenant_is_listed_only_on_request_until_it_is_reactivated(command: Command) -> None:
    command.done("firm", "add", "oak")
    command.done("tenant", "add", "acme", "--firm", "oak", "--zone", "Europe/London")
    assert "Nothing was recorded" in command.done("tenant", "deactivate", "acme", "--dry-run")
    assert "acme" in command.done("tenant", "list")
    assert "payment ledger" not in command.done("tenant", "deactivate", "acme")
    assert "acme" not in command.done("tenant", "list")
    assert "acme" in command.done("tenant", "list", "--all")
    assert "Nothing was recorded" in command.done("tenant", "reactivate", "acme", "--dry-run")
    assert "acme" not in command.done("tenant", "list")
    assert "runway connect acme" in command.done("tenant", "reactivate", "acme")
    assert "acme" in command.done("tenant", "list")


def test_brackets_in_a_name_are_text(command: Command) -> None:
    name = "Smith [/] Sons [red]& Co"
    command.done("firm", "add", "oak", "--name", name)
    command.done("tenant", "add", "acme", "--firm", "oak", "--zone", "Europe/London", "--name", name)
    assert name in command.done("firm", "list")
    assert name in command.done("tenant", "list")


def test_thresholds_of_one_tenant_are_set_and_taken_back(command: Command) -> None:
    command.done("firm", "add", "oak")
    command.done("tenant", "add", "acme", "--firm", "oak", "--zone", "Europe/London")
    assert "2500000" in command.done("tenant", "set", "acme", "floor_cents=2500000")
    assert "floor_cents" in command.refused("tenant", "set", "acme", "floor_cents=-1")
    assert "2500000" not in command.done("tenant", "set", "acme", "floor_cents=")


def test_the_demo_ends_with_three_digests(tmp_path: Path) -> None:
    with socket.socket() as taken:
        # Another program listens on the configured port: the demo takes a free one and says so.
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        shell = Shell(tmp_path / "data", f"http://127.0.0.1:{taken.getsockname()[1]}")
        said = _ok(shell("demo"))
    assert "is taken by another program" in said
    digests = sorted((shell.data / "digests").rglob("*.html"))
    assert len(digests) == 3
    for digest in digests:
        assert str(digest) in said
        assert digest.with_suffix(".txt").exists()
    assert "make dagster" in said
    companies = json.loads((shell.data / "sandbox" / "companies.json").read_text())
    assert len(companies) == 3


@pytest.mark.long
def test_the_demo_can_be_run_again(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        shell = Shell(tmp_path / "data", f"http://127.0.0.1:{taken.getsockname()[1]}")
        _ok(shell("demo"))
        before = _digests(shell)
        _ok(shell("demo"))
    assert _digests(shell) == before
    with closing(sqlite3.connect(shell.data / "runway.sqlite")) as database:
        syncs = database.execute("select kind, count(*) from sync group by kind order by kind").fetchall()
        versions = database.execute("select distinct token_version from connection").fetchall()
    assert syncs == [("changes", 3), ("full", 3)]
    assert versions == [(1,)]


def _digests(shell: Shell) -> dict[Path, str]:
    """The cash of each digest. The rest follows the minute at which the books were read: what was known when."""
    found = (shell.data / "digests").rglob("*.html")
    return {path: re.findall(r"cash: \S+", path.read_text())[0] for path in found}
