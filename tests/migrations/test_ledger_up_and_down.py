"""The ledger's own revisions, forth and back: every kind of value comes back, byte for byte."""

from collections.abc import Callable
from typing import Any

import pytest
from alembic import command
from sqlalchemy import Table, inspect, text

from migrations.chain import alembic_config
from resources.clock import FixedClock
from resources.database import Database
from resources.row_security import see_everybody
from resources.tables import OPEN_BILL
from tests.payments.rows import ROWS, put_all
from tests.resources.builders import ACME, add_tenants

_ENGINES = ["sqlite", pytest.param("postgres", marks=[pytest.mark.xdist_group("postgres"), pytest.mark.long])]


def _migrate(database: Database, way: Callable[..., None], revision: str) -> None:
    config = alembic_config()
    with database.write() as connection:
        config.attributes["connection"] = connection
        way(config, revision)


def _all(database: Database, *tables: Table) -> dict[str, list[Any]]:
    with database.read() as connection:
        see_everybody(connection)
        return {
            table.name: sorted((tuple(row) for row in connection.execute(table.select())), key=repr) for table in tables
        }


@pytest.mark.parametrize("empty_database", _ENGINES, indirect=True)
def test_every_kind_of_value_comes_back(empty_database: Database, clock: FixedClock) -> None:
    _migrate(empty_database, command.upgrade, "0005")
    add_tenants(empty_database, clock, ACME)
    put_all(empty_database)
    before = _all(empty_database, *ROWS)
    _migrate(empty_database, command.downgrade, "0004")
    _migrate(empty_database, command.upgrade, "0005")
    _migrate(empty_database, command.downgrade, "0003")
    _migrate(empty_database, command.upgrade, "0005")
    assert _all(empty_database, *ROWS) == before


@pytest.mark.parametrize("empty_database", _ENGINES, indirect=True)
def test_rows_that_no_release_wrote_are_not_thrown_away(empty_database: Database, clock: FixedClock) -> None:
    _migrate(empty_database, command.upgrade, "0003")
    add_tenants(empty_database, clock, ACME)
    with empty_database.write() as connection:
        columns = "tenant_id, batch_id, state, generation"
        connection.execute(text(f"INSERT INTO batch ({columns}) VALUES ('{ACME}', 'p1', 'open', 0)"))  # noqa: S608 - fixed names
    with pytest.raises(RuntimeError, match="batch holds rows"):
        _migrate(empty_database, command.upgrade, "0004")
    assert "bill_workflow" not in inspect(empty_database.writer).get_table_names()
    assert OPEN_BILL.name in inspect(empty_database.writer).get_table_names()
