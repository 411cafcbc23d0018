"""A desk with its people and nothing on it.

On SQLite it is copied from one made once; on Postgres it is made anew each time, so those tests of the services belong to the
long suite, but for the ones that ask for `database` themselves.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from resources.clock import FixedClock
from resources.database import Database
from tests.conftest import FRIDAY_MORNING
from tests.databases import as_owner, empty
from tests.payments.desk import Desk

_ENGINES = ["sqlite", pytest.param("postgres", marks=[pytest.mark.xdist_group("postgres"), pytest.mark.long])]


@pytest.fixture(scope="session")
def desk_file(tmp_path_factory: pytest.TempPathFactory, migrated_file: Path) -> Path:
    """A SQLite database with a tenant and its people, to be copied."""
    path = tmp_path_factory.mktemp("desk") / "runway.sqlite"
    shutil.copyfile(migrated_file, path)
    database = Database(f"sqlite:///{path}")
    Desk(database, FixedClock(FRIDAY_MORNING))
    database.close()
    return path


@pytest.fixture(scope="session")
def desk_database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """One SQLite database of a worker, whose file each test gets anew: an engine that is kept knows its statements."""
    database = Database(f"sqlite:///{tmp_path_factory.mktemp('desks') / 'runway.sqlite'}")
    try:
        yield database
    finally:
        database.close()


@pytest.fixture(params=_ENGINES)
def bare_desk(request: pytest.FixtureRequest, clock: FixedClock) -> Desk:
    """A tenant with its people, on each engine."""
    if request.param == "postgres":
        return Desk(request.getfixturevalue("postgres_database"), clock)
    database: Database = request.getfixturevalue("desk_database")
    database.close()
    path = Path(str(database.url.database))
    for leftover in path.parent.glob(f"{path.name}-*"):
        leftover.unlink()
    shutil.copyfile(request.getfixturevalue("desk_file"), path)
    return Desk(database, clock, register=False)


@pytest.fixture
def postgres_database(migrated_url: str) -> Iterator[Database]:
    """A migrated and empty Postgres database, as its owner sees it: bound by the policies of its tables."""
    empty(migrated_url)
    database = Database(as_owner(migrated_url))
    try:
        yield database
    finally:
        database.close()
