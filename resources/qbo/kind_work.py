"""One kind's part of a sync: what was kept of it, what is written of it.

Belongs here: loading what is kept, writing versions into segments, the figures. Does not: which objects are read
(`smart_sync.py`, `change_reading.py`), what counts as a difference (`differences.py`).
"""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from resources.commits import Commits, Lease, Quarantined, Sync
from resources.lake import Lake, Segment, SegmentWriter, TenantLake
from resources.qbo.checkpoints import write_checkpoint
from resources.qbo.differences import Differences, quarantine_key
from resources.qbo.fields import QboObject
from resources.qbo.history import VERSIONS, NewVersion, digest, living_texts, newest_versions, rows
from resources.qbo.kinds import Kind
from resources.qbo.paging import ReadObject
from resources.qbo.patience import Tally
from resources.qbo.sync_report import EntityReport
from resources.tenants import TenantId


@dataclass(slots=True, kw_only=True)
class KindWork:
    """What a sync has found out about one kind so far; nothing of it is visible yet."""

    kind: Kind
    differences: Differences
    tally: Tally = field(default_factory=Tally)
    segments: list[Segment] = field(default_factory=list)
    read_at: datetime | None = None

    @property
    def report(self) -> EntityReport:
        """The figures."""
        return EntityReport(
            entity=self.kind.entity,
            read=self.differences.read,
            new_versions=self.differences.new_versions,
            deleted=self.differences.deleted,
            quarantined=len(self.differences.unreadable),
            calls=self.tally.calls,
            waited_seconds=round(self.tally.waited_seconds, 3),
            read_at=self.read_at,
        )


class KeptBooks:
    """What is kept of one tenant as of its newest sync, and the place for more."""

    def __init__(
        self, tenant: TenantId, *, lake: Lake, opened: TenantLake, commits: Commits, newest: Sync | None
    ) -> None:
        self.newest = newest
        self._tenant = tenant
        self._lake = lake
        self._opened = opened
        self._commits = commits

    def work(self, kind: Kind, *, ids: Collection[str] | None) -> KindWork:
        """A kind's work with what is kept of these objects; of all with None."""
        unreadable = {quarantine_key(one): one for one in self._quarantined if one.entity == kind.entity}
        kept = {} if ids is not None and not ids else newest_versions(self._opened, self._segments(kind), ids=ids)
        return KindWork(kind=kind, differences=Differences(kept=kept, unreadable=unreadable))

    def is_kept(self, kind: Kind, row: ReadObject, *, work: KindWork | None) -> bool:
        """Whether an object's newest kept version says the same already."""
        kept = self.work(kind, ids=[row.key]).differences.kept if work is None else work.differences.kept
        newest = kept.get(row.key)
        is_gone = isinstance(row.found, QboObject) and row.found.is_deleted
        return newest is not None and (newest.is_deleted if is_gone else newest.digest == digest(row.text))

    def living(self, kind: Kind, ids: Collection[str], *, work: KindWork | None) -> list[str]:
        """Those of the objects that are kept as living."""
        kept = self.work(kind, ids=ids).differences.kept if work is None else work.differences.kept
        return [one for one in ids if one in kept and not kept[one].is_deleted]

    def living_texts(self, kind: Kind, *, containing: str, work: KindWork | None) -> dict[str, str]:
        """The newest kept texts of a kind that contain a text, by id; those of a running sync included."""
        written = [] if work is None else work.segments
        return living_texts(self._opened, [*self._segments(kind), *written], containing=containing)

    def write(self, work: KindWork, batches: Iterable[Iterable[NewVersion]], *, known_at: datetime) -> None:
        """Write versions as one segment; none if there are none, except at the tenant's first read of the kind.

        That there are no objects of a kind is told from 'not read' by the segment without rows.
        """
        before = work.differences.new_versions
        with self._lake.writer(tenant=self._tenant, table=work.kind.table, schema=VERSIONS) as writer:
            for batch in batches:
                self._append(writer, batch, known_at=known_at)
            is_first = self.newest is None and not work.segments
            if work.differences.new_versions > before or is_first:
                work.segments.append(writer.finish())
            else:
                writer.abandon()

    def take_checkpoints(self, lease: Lease, *, most_segments: int, beat: Callable[[], None]) -> None:
        """Let one segment stand for all that is kept of each kind that has more than so many; before anything is read."""
        if self.newest is None:
            return
        for table, segments in self._histories.items():
            if len(segments) > most_segments:
                written = write_checkpoint(self._lake, self._opened, tenant=self._tenant, segments=segments, beat=beat)
                self._commits.commit_checkpoint(lease, up_to=self.newest, segment=written)
                self._histories[table] = [written]

    def _append(self, writer: SegmentWriter, found: Iterable[NewVersion], *, known_at: datetime) -> None:
        table = rows(found, tenant=self._tenant, known_at=known_at)
        if table.num_rows:
            writer.append(table)

    def _segments(self, kind: Kind) -> list[Segment]:
        return self._histories.get(kind.table, [])

    @cached_property
    def _histories(self) -> dict[str, list[Segment]]:
        # All tables in one statement: a sync asks for nearly each of them, and most of a small sync is such asking.
        return {} if self.newest is None else self._commits.histories(self._tenant, up_to=self.newest)

    @cached_property
    def _quarantined(self) -> list[Quarantined]:
        return [] if self.newest is None else self._commits.quarantined(self.newest)
