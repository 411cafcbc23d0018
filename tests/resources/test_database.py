"""Transactions and column types of the operational database, on both engines."""

import json
import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import bindparam, func, select, text, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError, StatementError

from resources import database as database_module
from resources.clock import FixedClock
from resources.database import Database
from resources.tables import FIRM, TENANT, BusinessDate, Instant, Json
from tests.databases import only_postgres, only_sqlite, url_of
from tests.processes import at_once
from tests.resources.builders import ACME, add_tenants

_TIMES = 50
_HANDS = 4


@pytest.fixture
def counter(database: Database, clock: FixedClock) -> Database:
    """A database with one number in it."""
    add_tenants(database, clock, ACME)
    with database.write() as connection:
        connection.execute(update(TENANT).values(thresholds={"counted": 0}))
    return database


def test_no_update_of_four_threads_is_lost(counter: Database) -> None:
    """With the driver's own transactions 600 of 800 were, without any error."""
    with ThreadPoolExecutor(_HANDS) as threads:
        list(threads.map(lambda _: _count(counter), range(_HANDS)))
    assert _counted(counter) == _HANDS * _TIMES


def test_no_update_of_four_processes_is_lost(counter: Database) -> None:
    at_once(_HANDS, _count_in_process, url_of(counter))
    assert _counted(counter) == _HANDS * _TIMES


def _count_in_process(number: int, url: str) -> None:
    database = Database(url)
    _count(database)
    database.close()


def _count(database: Database) -> None:
    """Read, add one, write: what loses updates if two may read before either writes."""
    for _ in range(_TIMES):
        with database.write() as connection:
            read = select(TENANT.c.thresholds).where(TENANT.c.tenant_id == ACME).with_for_update()
            counted = connection.execute(read).scalar_one()["counted"]
            connection.execute(
                update(TENANT).where(TENANT.c.tenant_id == ACME).values(thresholds={"counted": counted + 1})
            )


def _counted(database: Database) -> int:
    with database.read() as connection:
        return int(connection.execute(select(TENANT.c.thresholds)).scalar_one()["counted"])


def test_an_exception_takes_the_transaction_back(counter: Database) -> None:
    with pytest.raises(ZeroDivisionError), counter.write() as connection:
        connection.execute(update(TENANT).values(name=str(1 // 0)))
    with pytest.raises(ZeroDivisionError), counter.write() as connection:
        _rename_and_fail(connection)
    with counter.read() as connection:
        assert connection.execute(select(TENANT.c.name)).scalar_one() != "renamed"


def _rename_and_fail(connection: Any) -> None:
    connection.execute(update(TENANT).values(name="renamed"))
    raise ZeroDivisionError


def test_a_reader_cannot_write(counter: Database) -> None:
    with pytest.raises(DBAPIError, match=r"(?i)read.?only"), counter.read() as connection:
        connection.execute(update(TENANT).values(name="changed"))


def test_writing_works_after_reading(counter: Database) -> None:
    """On Postgres both use one pool: a connection comes back able to write."""
    for _ in range(3):
        with counter.read() as connection:
            connection.execute(select(TENANT)).all()
        with counter.write() as connection:
            assert connection.execute(update(TENANT).values(name="changed")).rowcount == 1


def test_a_reader_sees_one_state(counter: Database) -> None:
    with counter.read() as connection:
        before = connection.execute(select(TENANT.c.name)).scalar_one()
        with counter.write() as writing:
            writing.execute(update(TENANT).values(name="changed"))
        assert connection.execute(select(TENANT.c.name)).scalar_one() == before
    with counter.read() as connection:
        assert connection.execute(select(TENANT.c.name)).scalar_one() == "changed"


@only_sqlite
def test_each_connection_is_durable_and_strict(database: Database) -> None:
    wanted = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "trusted_schema": 0, "busy_timeout": 30_000}
    for door in (database.read, database.write):
        with door() as connection:
            found = {name: connection.execute(text(f"PRAGMA {name}")).scalar_one() for name in wanted}
        assert found == wanted


@only_sqlite
def test_who_waits_too_long_for_the_one_writer_is_refused_and_may_come_again(
    counter: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_module, "BUSY_MILLISECONDS", 20)
    with counter.write() as first:
        first.execute(update(TENANT).values(name="first"))
        with pytest.raises(DBAPIError, match="locked"), counter.write():
            pass
    with counter.write() as again:
        assert again.execute(select(TENANT.c.name)).scalar_one() == "first"
        again.execute(update(TENANT).values(name="again"))
    with counter.read() as connection:
        assert connection.execute(select(TENANT.c.name)).scalar_one() == "again"


@only_postgres
def test_a_connection_that_the_server_has_cut_is_replaced(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database_module, "_PAUSE_SECONDS", -1.0)
    with database.write() as connection:
        mine = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
    other = Database(url_of(database))
    with other.write() as connection:
        assert connection.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": mine}).scalar_one()
    other.close()
    for door in (database.read, database.write):
        with door() as connection:
            assert connection.execute(text("SELECT pg_backend_pid()")).scalar_one() != mine


def test_foreign_keys_hold(database: Database) -> None:
    values = {"tenant_id": ACME, "firm_id": "nobody", "name": "x", "zone": "x", "active": 1, "thresholds": {}}
    with pytest.raises(DBAPIError, match=r"(?i)foreign key"), database.write() as connection:
        connection.execute(TENANT.insert().values(**values, created_at=datetime(2026, 1, 1, tzinfo=UTC)))


@only_sqlite
def test_sqlite_refuses_a_value_of_another_type(counter: Database) -> None:
    with pytest.raises(DBAPIError, match="cannot store TEXT value in INTEGER"), counter.write() as connection:
        connection.execute(text("UPDATE tenant SET active = 'yes'"))


def test_files_of_sqlite_are_their_owners_alone(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "data"
    database = Database(f"sqlite:///{folder / 'runway.sqlite'}")
    with database.write() as connection:
        FIRM.create(connection)
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}
        assert modes.keys() == {"runway.sqlite", "runway.sqlite-wal", "runway.sqlite-shm"}
    assert set(modes.values()) == {0o600}
    assert stat.S_IMODE(folder.stat().st_mode) == stat.S_IMODE(folder.parent.stat().st_mode) == 0o700
    database.close()


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:"])
def test_a_database_in_memory_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="file"):
        Database(url)


_INSTANTS = st.datetimes(
    min_value=datetime(1990, 1, 1),  # noqa: DTZ001 - hypothesis wants naive bounds
    max_value=datetime(2200, 1, 1),  # noqa: DTZ001 - hypothesis wants naive bounds
    timezones=st.sampled_from([UTC, timezone(timedelta(hours=-5)), timezone(timedelta(hours=5, minutes=45))]),
)
_FEW = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@_FEW
@given(instants=st.lists(_INSTANTS, min_size=2, max_size=8, unique=True))
def test_instants_come_back_exactly_and_sort_as_time_does(database: Database, instants: list[datetime]) -> None:
    with database.write() as connection:
        connection.execute(FIRM.delete())
        rows = [{"firm_id": str(n), "name": "", "created_at": one} for n, one in enumerate(instants)]
        connection.execute(FIRM.insert(), rows)
    with database.read() as connection:
        read = connection.execute(select(FIRM.c.created_at).order_by(FIRM.c.created_at)).scalars().all()
        newest = connection.execute(select(func.max(FIRM.c.created_at))).scalar_one()
    assert read == sorted(instants)
    assert {one.utcoffset() for one in read} == {timedelta(0)}
    assert newest == max(instants)


def test_a_naive_instant_is_refused(database: Database) -> None:
    naive = datetime(2026, 11, 20, 7, 0)  # noqa: DTZ001 - the subject
    with pytest.raises(StatementError, match="naive"), database.write() as connection:
        connection.execute(FIRM.insert().values(firm_id="f", name="F", created_at=naive))


@pytest.mark.parametrize("dialect", [sqlite.dialect(), postgresql.dialect()], ids=["sqlite", "postgres"])
def test_nothing_stays_nothing(dialect: Any) -> None:
    for column_type in (Instant(), BusinessDate(), Json()):
        assert column_type.process_bind_param(None, dialect) is None
        assert column_type.process_result_value(None, dialect) is None


def test_a_business_date_comes_back_as_the_same_day(database: Database) -> None:
    day = date(2026, 2, 28)
    with database.read() as connection:
        read = select(bindparam("day", day, type_=BusinessDate()).label("day"))
        assert connection.execute(read).scalar_one() == day


_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.text(alphabet=st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(alphabet="aä b", max_size=4), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(_JSON.filter(lambda value: value is not None))
def test_json_is_the_same_bytes_for_the_same_value(value: Any) -> None:
    stored = Json().process_bind_param(value, sqlite.dialect())
    assert stored is not None
    assert Json().process_result_value(stored, sqlite.dialect()) == value
    if isinstance(value, dict):
        reordered = dict(reversed(value.items()))
        assert Json().process_bind_param(reordered, sqlite.dialect()) == stored
    assert json.dumps(json.loads(stored), sort_keys=True, separators=(",", ":"), ensure_ascii=False) == stored


def test_what_is_no_json_is_not_stored() -> None:
    with pytest.raises(ValueError, match="JSON"):
        Json().process_bind_param({"runway": float("nan")}, sqlite.dialect())


def test_json_goes_through_the_database(counter: Database) -> None:
    value = {"b": [1, "ä\n\0", None], "a": {"z": True}}
    with counter.write() as connection:
        connection.execute(update(TENANT).values(thresholds=value))
    with counter.read() as connection:
        assert connection.execute(select(TENANT.c.thresholds)).scalar_one() == value
