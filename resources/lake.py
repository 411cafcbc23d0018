"""The lake: one folder a tenant, immutable Parquet segments, DuckDB in memory as the engine over them.

Belongs here: writing a segment, reading segments, confining the engine to the tenant's folder, sweeping.
Does not: which segments count (`resources/commits.py`: a segment is visible when a committed row names it).

A segment is named by its table and the SHA-256 of its bytes, so writing the same rows again makes no second file.
"""

import hashlib
import os
import re
import stat
import uuid
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from tenacity import retry, retry_if_exception_type, stop_after_attempt

from resources.failpoints import failpoint
from resources.files import private_folder, sync_folder
from resources.tenants import TenantId, tenant_id

_TABLE_NAME = re.compile(r"[a-z][a-z0-9_]*/[a-z][a-z0-9_]*")
_ROW_GROUP_ROWS = 50_000

#: One thread: a tenant's tables are small and the parallelism is between tenants. Whose tables are too large for the memory fails
#: alone and leaves the others their machine.
_ENGINE: dict[str, str | bool | int | float | list[str]] = {
    "threads": 1,
    "memory_limit": "2GB",
    "TimeZone": "UTC",
    "python_enable_replacements": False,
    "autoinstall_known_extensions": False,
}

#: DuckDB 2.0 fails with an internal error when the machine's clock steps back while it waits (docs/decisions/0003).
_MOST_TRIES = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """One immutable Parquet file of a tenant's table; `path` is relative to the tenant's folder."""

    segment_id: str
    table: str
    path: str
    rows: int
    bytes: int
    sha256: str


class SegmentWriter:
    """Writes one segment batch by batch; nothing has its final name before `finish()`."""

    def __init__(self, folder: Path, *, table: str, schema: pa.Schema) -> None:
        self._folder = folder
        self._table = table
        self._target = folder / table
        private_folder(self._target)
        self._unfinished = self._target / f".{os.getpid()}-{uuid.uuid4().hex}.unfinished"
        self._rows = 0
        descriptor = os.open(self._unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        self._file = os.fdopen(descriptor, "wb")
        self._writer = pq.ParquetWriter(self._file, schema, compression="zstd")
        failpoint("segment.opened")

    def append(self, rows: pa.Table) -> None:
        """Add rows of the segment's schema."""
        self._writer.write_table(rows, row_group_size=_ROW_GROUP_ROWS)
        self._rows += rows.num_rows

    def finish(self) -> Segment:
        """Make the file durable under its final name."""
        self._writer.close()
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        with self._unfinished.open("rb") as written:
            digest = hashlib.file_digest(written, "sha256").hexdigest()
        size = self._unfinished.stat().st_size
        path = f"{self._table}/{digest[:32]}.parquet"
        failpoint("segment.written")
        self._unfinished.rename(self._folder / path)
        failpoint("segment.renamed")
        sync_folder(self._target)  # a commit must not outlive the file it names
        return Segment(
            segment_id=f"{self._table}@{digest[:32]}",
            table=self._table,
            path=path,
            rows=self._rows,
            bytes=size,
            sha256=digest,
        )

    def abandon(self) -> None:
        """Forget the unfinished file; a finished one stays."""
        self._unfinished.unlink(missing_ok=True)
        self._writer.close()
        self._file.close()


class Lake:
    """The lake's root; everything inside happens in one tenant's folder."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def write(self, *, tenant: TenantId, table: str, rows: pa.Table) -> Segment:
        """One segment of these rows; invisible until a commit names it."""
        with self.writer(tenant=tenant, table=table, schema=rows.schema) as writer:
            writer.append(rows)
            return writer.finish()

    @contextmanager
    def writer(self, *, tenant: TenantId, table: str, schema: pa.Schema) -> Iterator[SegmentWriter]:
        """A writer for rows that come in batches; abandoned if the body ends without `finish()`."""
        writer = SegmentWriter(self._folder(tenant), table=_table(table), schema=schema)
        try:
            yield writer
        finally:
            writer.abandon()

    @contextmanager
    def open(self, tenant: TenantId) -> Iterator["TenantLake"]:
        """An in-memory DuckDB that can reach this tenant's folder and nothing else."""
        opened = TenantLake(self._folder(tenant))
        try:
            yield opened
        finally:
            opened.close()

    def read(self, *, tenant: TenantId, segments: Sequence[Segment]) -> pa.Table:
        """All rows of the segments, in the segments' order."""
        with self.open(tenant) as opened:
            return opened.rows(segments)

    def sweep(self, tenant: TenantId, *, named: frozenset[str], older_than: datetime) -> int:
        """Delete the files that no committed row names and that are older than an instant; how many."""
        folder = self._folder(tenant)
        swept = 0
        for path in folder.rglob("*"):
            if str(path.relative_to(folder)) not in named and _is_file_older_than(path, older_than):
                path.unlink()
                swept += 1
                failpoint("sweep.one")
        return swept

    def _folder(self, tenant: TenantId) -> Path:
        root = self._root.resolve()
        folder = (root / tenant_id(tenant)).resolve()
        if folder != root / tenant:
            raise ValueError(f"the folder of tenant {tenant!r} leads elsewhere: it is a symbolic link")
        private_folder(folder)
        return folder


class TenantLake:
    """One tenant's folder with its engine, while work on it runs."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._connection: duckdb.DuckDBPyConnection | None = None

    def rows(self, segments: Sequence[Segment], *, sql: str = "SELECT * FROM segments", **parameters: Any) -> pa.Table:
        """What `sql` makes of the relation `segments`; named parameters as `$name`."""
        if not segments:
            raise ValueError("no segments to read: the caller must tell 'no data' from 'nothing'")
        paths = [str(self._folder / segment.path) for segment in segments]
        statement = f"WITH segments AS (SELECT * FROM read_parquet($paths)) {sql}"  # noqa: S608 - sql is ours, data is bound
        arguments: Mapping[str, Any] = {"paths": paths, **parameters}
        return self._asked(statement, arguments)

    def rows_with(self, segments: Sequence[Segment], *, column: str, values: Collection[str]) -> list[dict[str, Any]]:
        """All rows whose column has one of these values: for a few rows of many tables, without starting the engine."""
        wanted = pa.array(list(values), pa.string())
        return [
            row
            for file, group in self._row_groups(segments)
            if pc.any(found := pc.is_in(_column(file, group, column), value_set=wanted)).as_py()
            for row in file.read_row_group(group, use_threads=False).filter(found).to_pylist()
        ]

    def values_beside(self, segments: Sequence[Segment], *, column: str, text_column: str, part: str) -> set[str]:
        """The column's values in all rows whose text contains a part; without starting the engine either."""
        values: set[str] = set()
        for file, group in self._row_groups(segments):
            found = pc.match_substring(_column(file, group, text_column), part)
            if pc.any(found).as_py():
                values.update(_column(file, group, column).filter(found).to_pylist())
        return values

    def row_groups(self, segments: Sequence[Segment]) -> Iterator[pa.Table]:
        """The rows of the segments in their order, as many at a time as were written together."""
        for file, group in self._row_groups(segments):
            yield file.read_row_group(group, use_threads=False)

    def _row_groups(self, segments: Sequence[Segment]) -> Iterator[tuple[pq.ParquetFile, int]]:
        for segment in segments:
            with pa.OSFile(str(self._folder / segment.path)) as source, pq.ParquetFile(source) as file:
                for group in range(file.num_row_groups):
                    yield file, group

    def close(self) -> None:
        """End the engine."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    @retry(
        # A reading has no effect, so it can be asked again, of a fresh engine: an internal error ends the one it happened in.
        retry=retry_if_exception_type(duckdb.InternalException),
        stop=stop_after_attempt(_MOST_TRIES),
        reraise=True,
    )
    def _asked(self, statement: str, arguments: Mapping[str, Any]) -> pa.Table:
        try:
            if self._connection is None:
                self._connection = _confined(self._folder)
            return self._connection.sql(statement, params=dict(arguments)).to_arrow_table()
        except duckdb.InternalException:
            self.close()
            raise


def _column(file: pq.ParquetFile, group: int, column: str) -> pa.ChunkedArray:
    return file.read_row_group(group, columns=[column], use_threads=False)[column]


def _confined(folder: Path) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(":memory:", config=_ENGINE)
    try:
        # The order matters: the allowed folder first, then no other access, then no way to change that again.
        connection.execute("SET allowed_directories = $folders", {"folders": [f"{folder}/"]})
        # Prefetching waits for readers beside us, which is when a clock that steps back does harm (docs/decisions/0003).
        connection.execute("SET disable_parquet_prefetching = true")
        connection.execute("SET enable_external_access = false")
        connection.execute("SET lock_configuration = true")
    except duckdb.Error:
        connection.close()
        raise
    return connection


def _is_file_older_than(path: Path, instant: datetime) -> bool:
    try:
        found = path.lstat()
    except FileNotFoundError:
        return False  # a writer gave it its final name meanwhile
    return stat.S_ISREG(found.st_mode) and found.st_mtime < instant.timestamp()


def _table(name: str) -> str:
    if not _TABLE_NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no table name: layer/noun in lower case")
    return name
