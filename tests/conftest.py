"""Fixtures every room shares: the local QuickBooks as a real process, an installation in a temporary folder."""

import os
import shutil
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import hypothesis
import pytest

from resources.clock import FixedClock
from resources.installation import Installation
from resources.settings import Settings
from tests.databases import (  # noqa: F401 - fixtures of every room
    database,
    empty_database,
    migrated_file,
    migrated_url,
    postgres,
)
from tests.sandbox import Sandbox, start_sandbox

#: As wide as a person's screen: whoever runs the tests may have any width or none, and tables give way to it.
os.environ["COLUMNS"] = "200"

# A shared machine stalls now and then; how long an example takes is not what these tests are about.
hypothesis.settings.register_profile("shared machine", deadline=None)
hypothesis.settings.load_profile("shared machine")

#: Modules with tests that wait for minutes: begun last, they would keep one worker busy while the others have nothing left.
_BEGUN_FIRST = frozenset({"test_daemon.py", "test_replay.py", "test_commands.py"})
#: And those that calculate for twenty minutes at their full counts.
_LONGEST = frozenset({"test_calibration.py", "test_forecast_change.py"})

#: A Friday; generated companies of the tests end on its morning.
FRIDAY = date(2026, 11, 20)
#: Friday 07:30 in New York.
FRIDAY_MORNING = datetime(2026, 11, 20, 12, 30, tzinfo=UTC)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes longest is begun first; the order of the others stays."""
    items.sort(key=_turn)


def _turn(item: pytest.Item) -> int:
    if item.get_closest_marker("long") and item.path.name in _LONGEST:
        return 0
    return 1 if item.path.name in _BEGUN_FIRST else 2


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """The local QuickBooks, one process for a test worker; companies are added by the tests that need them."""
    with start_sandbox(tmp_path_factory.mktemp("sandbox")) as running:
        yield running


@pytest.fixture
def clock() -> FixedClock:
    """A clock that stands at Friday morning."""
    return FixedClock(FRIDAY_MORNING)


@pytest.fixture
def bare_installation(tmp_path: Path, clock: FixedClock, request: pytest.FixtureRequest) -> Iterator[Installation]:
    """An installation of its own that has no QuickBooks to talk to."""
    settings = Settings(data_dir=tmp_path / "data", qbo_local_url="http://127.0.0.1:1")
    yield from _installed(settings, clock=clock, migrated=request.getfixturevalue("migrated_file"))


@pytest.fixture
def installation(
    tmp_path: Path, sandbox: Sandbox, clock: FixedClock, request: pytest.FixtureRequest
) -> Iterator[Installation]:
    """An installation of its own on the local QuickBooks, its clock at Friday morning."""
    settings = Settings(data_dir=tmp_path / "data", qbo_local_url=sandbox.url, qbo_retry_seconds=0.0)
    yield from _installed(settings, clock=clock, migrated=request.getfixturevalue("migrated_file"))


def _installed(settings: Settings, *, clock: FixedClock, migrated: Path) -> Iterator[Installation]:
    """Begun with a copy of the session's migrated database: to migrate one takes a quarter of a second."""
    settings.data_dir.mkdir()
    shutil.copyfile(migrated, settings.data_dir / migrated.name)
    opened = Installation(settings, clock=clock)
    try:
        yield opened
    finally:
        opened.close()
