"""Operational databases for tests, on both engines: empty ones, and ones at the newest schema.

Each test begins with a database of its own: on SQLite a copy of a migrated file; on Postgres, where a copy costs seconds a
hundred times over, the one migrated database, emptied.
The tests on Postgres stay on one worker (`xdist_group`), so that only one server is started.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import make_url

from migrations.chain import upgrade
from resources.database import Database
from resources.tables import METADATA
from tests.postgres import MISSING, OWNER, Postgres, postgres_programs, start_postgres

ENGINES = ["sqlite", pytest.param("postgres", marks=pytest.mark.xdist_group("postgres"))]

only_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
only_postgres = pytest.mark.parametrize("database", ENGINES[1:], indirect=True)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A Postgres server for the session."""
    programs = postgres_programs()
    if programs is None:
        pytest.skip(MISSING)
    with start_postgres(programs) as running:
        yield running


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite database at the newest schema, to be copied."""
    path = tmp_path_factory.mktemp("migrated") / "runway.sqlite"
    _migrate(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def migrated_url(postgres: Postgres) -> str:
    """The URL of a Postgres database at the newest schema, to be emptied before each use; its superuser may do everything."""
    name = postgres.create()
    _migrate(postgres.url(name, user=OWNER))
    return postgres.url(name)


@pytest.fixture(params=ENGINES)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A database at the newest schema, on each engine."""
    if request.param == "sqlite":
        path = tmp_path / "runway.sqlite"
        shutil.copyfile(request.getfixturevalue("migrated_file"), path)
        url = f"sqlite:///{path}"
    else:
        url = request.getfixturevalue("migrated_url")
        empty(url)
    yield from _opened(url)


@pytest.fixture(params=ENGINES)
def empty_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A database without any table, on each engine; on Postgres as its owner, as an installation would have it."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'runway.sqlite'}"
    else:
        server: Postgres = request.getfixturevalue("postgres")
        url = server.url(server.create(), user=OWNER)
    yield from _opened(url)


def as_owner(url: str) -> str:
    """The URL with which the owner of a Postgres database connects, as an installation does."""
    return make_url(url).update_query_dict({"user": OWNER}).render_as_string(hide_password=False)


def url_of(database: Database) -> str:
    """The URL with which another process opens the same database."""
    return database.url.render_as_string(hide_password=False)


def _opened(url: str) -> Iterator[Database]:
    database = Database(url)
    try:
        yield database
    finally:
        database.close()


def empty(url: str) -> None:
    """Delete every row of a Postgres database, guards or not."""
    for database in _opened(url):
        with database.write() as connection:
            # Without triggers and foreign keys: those of the audit log refuse, as they should.
            connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
            for table in METADATA.sorted_tables:
                connection.execute(table.delete())


def _migrate(url: str) -> None:
    for database in _opened(url):
        upgrade(database)
