"""The chain of migrations on both engines: what it makes is what the tables say."""

from datetime import UTC, datetime
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import CheckConstraint, inspect, text
from sqlalchemy.exc import DBAPIError

import payments.store.tables  # noqa: F401 - registers the ledger's tables with the metadata
from migrations.chain import upgrade
from payments.store.tables import AUDIT
from resources.clock import FixedClock
from resources.database import Database
from resources.tables import METADATA
from tests.databases import only_postgres, only_sqlite, url_of
from tests.processes import at_once
from tests.resources.builders import ACME, add_tenants


def test_an_empty_database_becomes_what_the_tables_say_and_stays_so(empty_database: Database) -> None:
    assert upgrade(empty_database)
    assert not upgrade(empty_database)
    with empty_database.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, METADATA) == []


def test_every_check_of_the_tables_is_in_the_database(database: Database) -> None:
    """Alembic's comparison does not look at checks, and its autogenerate once left out those declared inside a column."""
    found = inspect(database.writer)
    for table in METADATA.sorted_tables:
        declared = {str(one.name) for one in table.constraints if isinstance(one, CheckConstraint)}
        assert {str(one["name"]) for one in found.get_check_constraints(table.name)} == declared, table.name


@only_sqlite
def test_every_sqlite_table_is_strict(database: Database) -> None:
    with database.read() as connection:
        strict: dict[str, Any] = {row.name: row.strict for row in connection.execute(text("PRAGMA table_list"))}
    assert all(strict[table.name] for table in METADATA.sorted_tables)


def test_of_processes_that_start_at_once_one_migrates_and_all_go_on(empty_database: Database) -> None:
    migrated = at_once(4, _upgrade, url_of(empty_database))
    assert sorted(migrated) == [False, False, False, True]
    with empty_database.read() as connection:
        assert MigrationContext.configure(connection).get_current_revision() is not None


def _upgrade(number: int, url: str) -> bool:
    database = Database(url)
    try:
        return upgrade(database)
    finally:
        database.close()


def test_a_migration_that_breaks_off_leaves_nothing(empty_database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    class PowerCut(Exception):
        """What interrupts."""

    def upgrade_and_break_off(*arguments: Any) -> None:
        migrate(*arguments)
        raise PowerCut

    migrate = command.upgrade
    monkeypatch.setattr(command, "upgrade", upgrade_and_break_off)
    with pytest.raises(PowerCut):
        upgrade(empty_database)
    assert inspect(empty_database.writer).get_table_names() == []


@pytest.mark.parametrize(
    "statement",
    [
        pytest.param("UPDATE audit SET actor = 'somebody else'", id="update"),
        pytest.param("DELETE FROM audit", id="delete"),
        pytest.param("DELETE FROM audit WHERE number = 1", id="delete one"),
    ],
)
def test_the_audit_log_refuses_to_be_changed(database: Database, clock: FixedClock, statement: str) -> None:
    _assert_refused(database, clock, statement)


@only_sqlite
def test_the_audit_log_refuses_to_be_replaced_row_by_row(database: Database, clock: FixedClock) -> None:
    """INSERT OR REPLACE deletes the earlier row without firing a DELETE trigger."""
    columns = ", ".join(column.name for column in AUDIT.columns)
    forged = columns.replace("actor", "'somebody else'")
    _assert_refused(database, clock, f"INSERT OR REPLACE INTO audit ({columns}) SELECT {forged} FROM audit")  # noqa: S608 - fixed names


@only_postgres
def test_the_audit_log_refuses_to_be_truncated(database: Database, clock: FixedClock) -> None:
    _assert_refused(database, clock, "TRUNCATE audit")


def _assert_refused(database: Database, clock: FixedClock, statement: str) -> None:
    add_tenants(database, clock, ACME)
    with database.write() as connection:
        connection.execute(
            AUDIT.insert().values(
                tenant_id=ACME,
                number=1,
                at=datetime(2026, 11, 20, tzinfo=UTC),
                actor="ann",
                kind="decided",
                entity="bill 7",
                before={},
                after={},
                previous_hash="",
                hash="h1",
            )
        )
    with pytest.raises(DBAPIError, match="append-only"), database.write() as connection:
        connection.execute(text(statement))
    with database.read() as connection:
        assert [row.actor for row in connection.execute(AUDIT.select())] == ["ann"]
