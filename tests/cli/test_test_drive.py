"""`runway test-drive`: from a connection to the page in one command, again at no cost, and refusals that say what to do."""

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from resources.installation import Installation
from tests.cli.command import Command, running
from tests.cli.test_commands import Shell, _ok
from tests.sandbox import Sandbox

_REALM = "9130370000000011"
_FRIDAY = date(2026, 11, 20)


@pytest.fixture
def command(bare_installation: Installation) -> Iterator[Command]:
    bare_installation.registry.add_firm("oak", name="Oak")
    bare_installation.registry.add_tenant("acme", firm_id="oak", name="Acme", zone="Europe/London")
    yield from running(bare_installation)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param(("acme", "--weeks", "3"), "looks back 4 to 12 weeks", id="too short"),
        pytest.param(("acme", "--weeks", "13"), "looks back 4 to 12 weeks", id="too long"),
        pytest.param(("acme", "--week-ending", "2026-11-19"), "is not a Friday", id="thursday"),
        pytest.param(("acme", "--week-ending", "2100-01-01"), "lies ahead of 'acme', where it is 2", id="ahead"),
        pytest.param(("birch",), "no tenant 'birch'", id="unknown"),
    ],
)
def test_what_cannot_be_driven_is_refused_with_what_is_possible(
    command: Command, arguments: tuple[str, ...], message: str
) -> None:
    assert message in command.refused("test-drive", *arguments)


@pytest.mark.long
@pytest.mark.timeout(2_400)
def test_a_connected_tenant_has_its_drive_by_one_command(tmp_path: Path, sandbox: Sandbox) -> None:
    shell = Shell(tmp_path / "data", sandbox.url)
    shell.patience_seconds = 800  # six weeks of runs, on a machine that may be busy
    _ok(shell("firm", "add", "oak"))
    _ok(shell("tenant", "add", "acme", "--firm", "oak", "--zone", "America/New_York"))
    drive = ("test-drive", "acme", "--weeks", "4", "--week-ending", _FRIDAY.isoformat())
    refused = shell(*drive)
    assert refused.returncode == 1
    assert "runway connect acme" in refused.stderr
    assert "Traceback" not in refused.stdout + refused.stderr

    sandbox.add_company(
        realm_id=_REALM,
        name="acme generated",
        industry="consulting",
        size="micro",
        seed=5,
        as_of=_FRIDAY.isoformat(),
        zone="America/New_York",
    )
    _ok(shell("connect", "acme", "--realm", _REALM))
    told = _ok(shell(*drive))
    page = tmp_path / "data" / "pages" / "test-drives" / "acme" / f"{_FRIDAY}.html"
    assert told.splitlines()[-1] == str(page)
    assert "Of 4 digests: " in told
    for back in range(5):
        assert f"week ending {_FRIDAY - timedelta(weeks=back)} (" in told
    assert "All weeks are rebuilt" in page.read_text()
    assert f"test-drives/acme/{_FRIDAY}.html" in (tmp_path / "data" / "pages" / "index.html").read_text()

    before = page.read_bytes()
    again = _ok(shell(*drive))
    assert "week ending" not in again
    assert page.read_bytes() == before
