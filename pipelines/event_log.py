"""Dagster's event log on SQLite, whose engines are kept from one statement to the next.

Belongs here: how the log's files are opened. Does not: what is written to them, which is Dagster's own.

Dagster's class makes an engine for every single statement, so that each statement is compiled and its file opened anew: of the
time a run of ours takes, more went there than into the calculators. Files and tables are the same, so that whatever reads
them may use Dagster's class. `dagster.yaml` names this one.
"""

import os
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import dagster as dg
from dagster._core.storage.event_log.sqlite.sqlite_event_log import INDEX_SHARD_NAME, SqliteEventLogStorage
from dagster._serdes import ConfigurableClassData
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.pool import QueuePool

_BUSY_SECONDS = 100
_RUNS_KEPT = 4
"""Files of so many runs stay open beside the index: a process works on one or a few at a time."""


class KeptSqliteEventLog(SqliteEventLogStorage):
    """The event log in the files of Dagster's own class; `base_dir` is by default where that one keeps them."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        self._engines: OrderedDict[str, Engine] = OrderedDict()
        super().__init__(base_dir, inst_data)

    @classmethod
    def config_type(cls) -> Any:
        """What `dagster.yaml` may say."""
        return {"base_dir": dg.Field(dg.StringSource, is_required=False)}

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]) -> Self:
        """From `dagster.yaml`."""
        home = Path(os.environ["DAGSTER_HOME"])
        return cls(config_value.get("base_dir") or str(home / "history" / "runs"), inst_data)

    @contextmanager
    def _connect(self, shard: str) -> Iterator[Connection]:
        with self._db_lock:
            engine = self._engine(shard)
            if shard not in self._initialized_dbs:
                self._initdb(engine)
                self._initialized_dbs.add(shard)
            with engine.connect() as connection, connection.begin():
                yield connection

    def _engine(self, shard: str) -> Engine:
        """The shard's engine; that of the run unused for longest is given up."""
        found = self._engines.pop(shard, None) or _opened(self.conn_string_for_shard(shard))
        self._engines[shard] = found
        runs = [name for name in self._engines if name != INDEX_SHARD_NAME]
        for name in runs[: max(0, len(runs) - _RUNS_KEPT)]:
            self._engines.pop(name).dispose()
        return found

    def dispose(self) -> None:
        """Close the files."""
        super().dispose()
        with self._db_lock:
            while self._engines:
                self._engines.popitem()[1].dispose()


def _opened(address: str) -> Engine:
    engine = create_engine(
        address,
        poolclass=QueuePool,
        pool_size=1,
        connect_args={"timeout": _BUSY_SECONDS, "check_same_thread": False},
    )

    # The files are in WAL mode: after a power failure the log may lack its last events, and is whole all the same.
    @event.listens_for(engine, "connect")
    def _less_sync(connection: Any, _record: Any) -> None:
        connection.execute("PRAGMA synchronous=NORMAL")

    return engine
