"""The operational database: engines and transactions for SQLite and Postgres.

Belongs here: how a transaction begins on either engine. Does not: tables (`resources/tables.py`), statements.

SQLite's driver starts a transaction after the first read, so that two writers can both read and one update is lost without
an error. Each writing transaction here begins with `BEGIN IMMEDIATE`; readers have an engine of their own. On Postgres writers
run side by side: whoever reads before it writes locks a row first (`lock_tenant` in `resources/registry.py`).
A transaction never spans a network call.
"""

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.pool import ConnectionPoolEntry

from resources.files import private_folder
from resources.secret_text import quiet_row_logging

#: So long a writer waits for another one.
BUSY_MILLISECONDS = 30_000
_BEGIN_WRITING = "BEGIN IMMEDIATE"
_STEP_SECONDS = 0.001
_PAUSE_SECONDS = 5.0
_WAITS = f"PRAGMA busy_timeout={BUSY_MILLISECONDS}"


class Database:
    """One operational database; `write()` and `read()` are its only doors."""

    def __init__(self, url: str) -> None:
        self.url: URL = make_url(url)
        self._writer, self._reader = _engines(self.url)

    @property
    def writer(self) -> Engine:
        """The engine migrations run on."""
        return self._writer

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that may write: committed at the end, rolled back on an exception."""
        with self._writer.begin() as connection:
            yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that sees one state and writes nothing."""
        with self._reader.connect() as connection:
            yield connection

    def close(self) -> None:
        """Give back every connection."""
        self._writer.dispose()
        self._reader.dispose()


def _engines(url: URL) -> tuple[Engine, Engine]:
    quiet_row_logging()
    # Parameters are tokens, names and memos: neither a log nor the text of an error may show them.
    if url.get_backend_name() == "sqlite":
        _private_folder(url)
        writer, reader = create_engine(url, hide_parameters=True), create_engine(url, hide_parameters=True)
        _prepare_sqlite(writer, begin=_begin_writing, query_only=False)
        _prepare_sqlite(reader, begin=_begin_reading, query_only=True)
        return writer, reader
    engine = create_engine(url, hide_parameters=True)
    _ask_after_a_pause(engine)
    return engine, engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)


def _private_folder(url: URL) -> None:
    if not url.database or url.database == ":memory:":
        raise ValueError("the operational database needs a file: it is shared by several processes")
    path = Path(url.database)
    private_folder(path.parent)
    path.touch(mode=0o600, exist_ok=True)


def _ask_after_a_pause(engine: Engine) -> None:
    """Ask whether the server is still there when a connection lay idle; before each transaction it would cost round trips."""

    @event.listens_for(engine, "checkin")
    def _note(_connection: Any, record: ConnectionPoolEntry) -> None:
        record.info["idle since"] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def _ask(connection: Any, record: ConnectionPoolEntry, _proxy: Any) -> None:
        idle = time.monotonic() - record.info.get("idle since", time.monotonic())
        if idle > _PAUSE_SECONDS and not _is_there(engine, connection):
            raise DisconnectionError


def _is_there(engine: Engine, connection: Any) -> bool:
    try:
        return engine.dialect.do_ping(connection)
    except engine.dialect.loaded_dbapi.Error:
        return False


def _prepare_sqlite(engine: Engine, *, begin: Callable[[Connection], None], query_only: bool) -> None:
    @event.listens_for(engine, "connect")
    def _configure(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # the driver must not begin transactions behind our back
        cursor = connection.cursor()
        cursor.execute(_WAITS)
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")  # NORMAL may forget the last commits when the power fails
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.execute("PRAGMA trusted_schema=OFF")
        if query_only:
            cursor.execute("PRAGMA query_only=ON")
        cursor.close()

    event.listen(engine, "begin", begin)


def _begin_reading(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN")


def _begin_writing(connection: Connection) -> None:
    """Become the one writer, trying in short even steps.

    SQLite's own wait grows to 100 ms a step, and whoever has just written is back before the others try again: with four processes
    that write without a pause somebody waits for seconds.
    """
    raw = connection.connection.driver_connection
    assert isinstance(raw, sqlite3.Connection), "the engine is SQLite's"
    until = time.monotonic() + BUSY_MILLISECONDS / 1000
    raw.execute("PRAGMA busy_timeout=0")
    try:
        while time.monotonic() < until:
            try:
                raw.execute(_BEGIN_WRITING)
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                    break
                time.sleep(_STEP_SECONDS)
            else:
                return
        connection.exec_driver_sql(_BEGIN_WRITING)  # the last try: its error is one of SQLAlchemy's, as everywhere
    finally:
        raw.execute(_WAITS)
