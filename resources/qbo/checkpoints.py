"""Checkpoints: one segment in place of the many that a kind's nightly syncs have left, so that reading stays as cheap as it was.

Belongs here: writing the same rows into one file, and proving that they are the same. Does not: which segments it stands for and
for whom (`resources/commits.py`), when one is due (`sync_policy.py`).
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence

import pyarrow as pa

from resources.lake import Lake, Segment, TenantLake
from resources.qbo.history import VERSIONS
from resources.tenants import TenantId

#: Rows that are held in memory at once; the row groups of the checkpoint are as large.
_BATCH_ROWS = 5_000


class CheckpointDiffers(Exception):
    """What was read back is not what the segments hold: nothing was committed, the segments count as before."""


def write_checkpoint(
    lake: Lake, opened: TenantLake, *, tenant: TenantId, segments: Sequence[Segment], beat: Callable[[], None]
) -> Segment:
    """The rows of these segments of one table, in their order, as one segment; `beat` is called while it is written.

    Raises:
        CheckpointDiffers: the file does not hold the same rows; the lake is damaged.
    """
    before, after = _Digest(), _Digest()
    with lake.writer(tenant=tenant, table=segments[0].table, schema=VERSIONS) as writer:
        for rows in _in_batches(opened.row_groups(segments)):
            before.add(rows)
            writer.append(rows)
            beat()
        written = writer.finish()
    for rows in opened.row_groups([written]):
        after.add(rows)
    if after != before:
        raise CheckpointDiffers(
            f"{written.path} holds {after.rows} rows that differ from the {before.rows} it is made of"
        )
    return written


def _in_batches(groups: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """Row groups put together until they are worth a row group of their own: a night leaves a handful of rows."""
    waiting: list[pa.Table] = []
    for group in groups:
        waiting.append(group)
        if sum(table.num_rows for table in waiting) >= _BATCH_ROWS:
            yield pa.concat_tables(waiting)
            waiting = []
    if waiting:
        yield pa.concat_tables(waiting)


class _Digest:
    """The number and content of versions in their order."""

    def __init__(self) -> None:
        self.rows = 0
        self._hash = hashlib.sha256()

    def add(self, rows: pa.Table) -> None:
        """Count rows in."""
        self.rows += rows.num_rows
        columns = (rows.column(name).to_pylist() for name in VERSIONS.names)
        for row in zip(*columns, strict=True):
            self._hash.update(repr(row).encode())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Digest) and self._hash.digest() == other._hash.digest()

    __hash__ = None  # type: ignore[assignment] # it changes while rows are added
