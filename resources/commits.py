"""What of the lake counts: leases, sync commits and result commits in the operational database.

Belongs here: the commit point of a sync (segments, quarantine, watermark and `data_as_of` together) and of a result.
Does not: writing segments (`resources/lake.py`); deciding what to read.

A sync holds the tenant's lease; its fencing number is checked by the commit, so a process that was paused while another took over
commits nothing. A result is keyed `(tenant, table, as_of)` and replaced by a later run unless that run worked from an older sync.

A checkpoint stands for all segments of a table up to a sync, with the same rows in one file, so that a read costs the same after
years of nightly syncs. The segments it stands for are kept: a reader of an older sync takes them, and they are the history.
"""

import os
import uuid
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, delete, func, insert, not_, or_, select, union_all, update

from resources.clock import Clock
from resources.database import Database
from resources.errors import LeaseLost, TenantBusy
from resources.failpoints import failpoint
from resources.lake import Segment
from resources.registry import lock_tenant
from resources.tables import CHECKPOINT, LEASE, QUARANTINE, RESULT, SEGMENT, SYNC
from resources.tenants import TenantId

LEASE_TIME = timedelta(minutes=5)
#: A run that resolved the checkpoint before the newest may still be reading it.
_CHECKPOINTS_KEPT = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """The right to write one tenant's history, until it expires or somebody takes over."""

    tenant_id: TenantId
    holder: str
    fence: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Sync:
    """One committed sync."""

    tenant_id: TenantId
    sync_id: str
    kind: str
    data_as_of: datetime
    watermark: datetime
    committed_at: datetime
    report: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Quarantined:
    """A QBO object that could not be read, with its raw text."""

    entity: str
    qbo_id: str | None
    field: str
    expected: str
    reason: str
    raw_text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One committed result table of a tenant."""

    tenant_id: TenantId
    table: str
    as_of: date
    known_until: datetime
    data_as_of: datetime
    sync_id: str
    segment: Segment


class Commits:
    """The commit points of one installation; every statement names its tenant."""

    def __init__(self, database: Database, *, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    @contextmanager
    def lease(self, tenant: TenantId) -> Iterator[Lease]:
        """Be the tenant's one writer; `TenantBusy` if another process is."""
        lease = self._take(tenant)
        try:
            failpoint("lease.taken")
            yield lease
        finally:
            with self._database.write() as connection:
                connection.execute(update(LEASE).where(*_held(lease)).values(holder=None, until=None))

    def renew(self, lease: Lease) -> None:
        """Keep the lease during long work; `LeaseLost` if it is another's by now."""
        with self._database.write() as connection:
            self._assert_held(connection, lease)
            failpoint("lease.renew.in")

    def commit_sync(
        self,
        lease: Lease,
        *,
        kind: str,
        data_as_of: datetime,
        watermark: datetime,
        report: Mapping[str, Any],
        segments: Sequence[Segment],
        quarantined: Sequence[Quarantined],
    ) -> Sync:
        """Make a sync visible, all of it at once; `LeaseLost` if the lease was taken over meanwhile."""
        sync = Sync(
            tenant_id=lease.tenant_id,
            sync_id=uuid.uuid4().hex,
            kind=kind,
            data_as_of=data_as_of,
            watermark=watermark,
            committed_at=self._clock.now(),
            report=report,
        )
        with self._database.write() as connection:
            self._assert_held(connection, lease)
            connection.execute(
                insert(SYNC).values(
                    tenant_id=sync.tenant_id,
                    sync_id=sync.sync_id,
                    kind=kind,
                    fence=lease.fence,
                    data_as_of=data_as_of,
                    watermark=watermark,
                    committed_at=sync.committed_at,
                    report=report,
                )
            )
            failpoint("commit.row_in")
            for segment in segments:
                _name(connection, lease.tenant_id, segment, sync_id=sync.sync_id)
            _quarantine(connection, sync, quarantined)
            failpoint("commit.in")
        failpoint("commit.after")
        return sync

    def newest_sync(self, tenant: TenantId, *, until: datetime | None = None) -> Sync | None:
        """The newest committed sync whose data is not younger than `until`; None if there is none."""
        statement = select(SYNC).where(SYNC.c.tenant_id == tenant).order_by(SYNC.c.data_as_of.desc())
        if until is not None:
            statement = statement.where(SYNC.c.data_as_of <= until)
        return self._one_sync(statement)

    def first_sync(self, tenant: TenantId) -> Sync | None:
        """The sync the tenant's kept history begins with."""
        return self._one_sync(select(SYNC).where(SYNC.c.tenant_id == tenant).order_by(SYNC.c.data_as_of))

    def sync(self, tenant: TenantId, sync_id: str) -> Sync:
        """A committed sync by its id; it is there whenever a row of the tenant names it."""
        found = self._one_sync(select(SYNC).where(SYNC.c.tenant_id == tenant, SYNC.c.sync_id == sync_id))
        if found is None:
            raise LookupError(f"tenant {tenant!r} has no sync {sync_id!r}")
        return found

    def history(self, tenant: TenantId, *, table: str, up_to: Sync) -> list[Segment]:
        """The segments that hold a raw table's versions as known after a sync, oldest first."""
        return self.histories(tenant, up_to=up_to, tables=(table,)).get(table, [])

    def histories(
        self, tenant: TenantId, *, up_to: Sync, tables: Collection[str] | None = None
    ) -> dict[str, list[Segment]]:
        """The same of several raw tables (default: all) at once, by table; a table without a segment is left out."""
        found: dict[str, list[Segment]] = {}
        with self._database.read() as connection:
            for row in connection.execute(_history(tenant, up_to=up_to, tables=tables)):
                found.setdefault(row.table_name, []).append(_segment(row))
        return found

    def commit_checkpoint(self, lease: Lease, *, up_to: Sync, segment: Segment) -> None:
        """Let a segment stand for all of its table up to a sync; `LeaseLost` if the lease was taken over meanwhile."""
        tenant, table = lease.tenant_id, segment.table
        with self._database.write() as connection:
            self._assert_held(connection, lease)
            _name(connection, tenant, segment, sync_id=None)
            row = {"tenant_id": tenant, "table_name": table, "sync_id": up_to.sync_id, "segment_id": segment.segment_id}
            connection.execute(insert(CHECKPOINT).values(row))
            kept = (
                select(CHECKPOINT.c.sync_id)
                .join(SYNC, and_(SYNC.c.tenant_id == CHECKPOINT.c.tenant_id, SYNC.c.sync_id == CHECKPOINT.c.sync_id))
                .where(CHECKPOINT.c.tenant_id == tenant, CHECKPOINT.c.table_name == table)
                .order_by(SYNC.c.data_as_of.desc())
                .limit(_CHECKPOINTS_KEPT)
            )
            is_older = CHECKPOINT.c.sync_id.not_in([one.sync_id for one in connection.execute(kept)])
            connection.execute(
                delete(CHECKPOINT).where(CHECKPOINT.c.tenant_id == tenant, CHECKPOINT.c.table_name == table, is_older)
            )

    def quarantined(self, sync: Sync) -> list[Quarantined]:
        """What a sync could not read."""
        begun = select(SYNC.c.sync_id).where(SYNC.c.tenant_id == sync.tenant_id, SYNC.c.data_as_of <= sync.data_as_of)
        is_over = QUARANTINE.c.gone_sync_id.in_(begun)
        with self._database.read() as connection:
            rows = connection.execute(
                select(QUARANTINE)
                .where(
                    QUARANTINE.c.tenant_id == sync.tenant_id,
                    QUARANTINE.c.sync_id.in_(begun),
                    or_(QUARANTINE.c.gone_sync_id.is_(None), not_(is_over)),
                )
                .order_by(QUARANTINE.c.entity, QUARANTINE.c.qbo_id, QUARANTINE.c.quarantine_id)
            ).all()
        return [_quarantined(row) for row in rows]

    def commit_result(self, *, as_of: date, known_until: datetime, sync: Sync, segment: Segment) -> None:
        """Make a result visible in place of the earlier one; a result from an older sync never replaces a newer one."""
        key = (
            RESULT.c.tenant_id == sync.tenant_id,
            RESULT.c.table_name == segment.table,
            RESULT.c.as_of == as_of,
        )
        with self._database.write() as connection:
            lock_tenant(connection, sync.tenant_id)
            kept = connection.execute(select(RESULT).where(*key)).first()
            if kept is not None and (
                kept.data_as_of > sync.data_as_of
                or (kept.segment_id == segment.segment_id and kept.sync_id == sync.sync_id)
            ):
                return
            _name(connection, sync.tenant_id, segment, sync_id=None)
            connection.execute(delete(RESULT).where(*key))
            connection.execute(
                insert(RESULT).values(
                    tenant_id=sync.tenant_id,
                    table_name=segment.table,
                    as_of=as_of,
                    known_until=known_until,
                    data_as_of=sync.data_as_of,
                    sync_id=sync.sync_id,
                    segment_id=segment.segment_id,
                    committed_at=self._clock.now(),
                )
            )

    def result(self, tenant: TenantId, *, table: str, as_of: date) -> Result | None:
        """The visible result of a table for a day; None if it was never calculated."""
        statement = (
            select(SEGMENT, RESULT.c.known_until, RESULT.c.data_as_of, RESULT.c.sync_id.label("calculated_from"))
            .join(
                SEGMENT,
                (SEGMENT.c.tenant_id == RESULT.c.tenant_id) & (SEGMENT.c.segment_id == RESULT.c.segment_id),
            )
            .where(RESULT.c.tenant_id == tenant, RESULT.c.table_name == table, RESULT.c.as_of == as_of)
        )
        with self._database.read() as connection:
            row = connection.execute(statement).first()
        if row is None:
            return None
        return Result(
            tenant_id=tenant,
            table=table,
            as_of=as_of,
            known_until=row.known_until,
            data_as_of=row.data_as_of,
            sync_id=row.calculated_from,
            segment=_segment(row),
        )

    def named_paths(self, tenant: TenantId) -> frozenset[str]:
        """Paths of all segments that a committed sync, a checkpoint or a visible result names."""
        in_use = union_all(
            select(RESULT.c.segment_id).where(RESULT.c.tenant_id == tenant),
            select(CHECKPOINT.c.segment_id).where(CHECKPOINT.c.tenant_id == tenant),
        )
        with self._database.read() as connection:
            rows = connection.execute(
                select(SEGMENT.c.path).where(
                    SEGMENT.c.tenant_id == tenant,
                    or_(SEGMENT.c.sync_id.is_not(None), SEGMENT.c.segment_id.in_(in_use)),
                )
            )
            return frozenset(row.path for row in rows)

    def _one_sync(self, statement: Select[Any]) -> Sync | None:
        with self._database.read() as connection:
            row = connection.execute(statement.limit(1)).first()
        return None if row is None else _sync(row)

    def _take(self, tenant: TenantId) -> Lease:
        holder = f"{os.getpid()}-{uuid.uuid4().hex[:8]}"
        now = self._clock.now()
        with self._database.write() as connection:
            lock_tenant(connection, tenant)
            if connection.execute(select(LEASE.c.fence).where(LEASE.c.tenant_id == tenant)).first() is None:
                connection.execute(insert(LEASE).values(tenant_id=tenant, holder=None, fence=0, until=None))
            row = connection.execute(
                update(LEASE)
                .where(LEASE.c.tenant_id == tenant, or_(LEASE.c.holder.is_(None), LEASE.c.until < now))
                .values(holder=holder, fence=LEASE.c.fence + 1, until=now + LEASE_TIME)
                .returning(LEASE.c.fence)
            ).first()
            failpoint("lease.take.in")
        if row is None:
            raise TenantBusy(
                what=f"Another process is syncing {tenant!r} right now.",
                next_step=f"Wait for it, or run it again after {int(LEASE_TIME.total_seconds() // 60)} minutes.",
            )
        return Lease(tenant_id=tenant, holder=holder, fence=row.fence)

    def _assert_held(self, connection: Connection, lease: Lease) -> None:
        renewed = connection.execute(update(LEASE).where(*_held(lease)).values(until=self._clock.now() + LEASE_TIME))
        if renewed.rowcount != 1:
            raise LeaseLost(
                what=f"Another process took over the sync of {lease.tenant_id!r} while this one was paused.",
                next_step="Nothing of this run was kept; the other run's result counts.",
            )


def _history(tenant: TenantId, *, up_to: Sync, tables: Collection[str] | None) -> Select[Any]:
    """The newest checkpoint of each table up to a sync, then the segments that the syncs after it committed; oldest first."""
    of_sync = and_(SYNC.c.tenant_id == tenant, SYNC.c.data_as_of <= up_to.data_as_of)
    newest = (
        select(CHECKPOINT.c.table_name, func.max(SYNC.c.data_as_of).label("at"))
        .join(SYNC, and_(SYNC.c.tenant_id == CHECKPOINT.c.tenant_id, SYNC.c.sync_id == CHECKPOINT.c.sync_id))
        .where(CHECKPOINT.c.tenant_id == tenant, of_sync)
        .group_by(CHECKPOINT.c.table_name)
        .subquery()
    )
    committed = (
        select(SEGMENT, SYNC.c.data_as_of)
        .join(SYNC, and_(SYNC.c.tenant_id == SEGMENT.c.tenant_id, SYNC.c.sync_id == SEGMENT.c.sync_id))
        .outerjoin(newest, newest.c.table_name == SEGMENT.c.table_name)
        .where(SEGMENT.c.tenant_id == tenant, of_sync, or_(newest.c.at.is_(None), SYNC.c.data_as_of > newest.c.at))
    )
    standing = (
        select(SEGMENT, SYNC.c.data_as_of)
        .join(
            CHECKPOINT,
            and_(CHECKPOINT.c.tenant_id == SEGMENT.c.tenant_id, CHECKPOINT.c.segment_id == SEGMENT.c.segment_id),
        )
        .join(SYNC, and_(SYNC.c.tenant_id == CHECKPOINT.c.tenant_id, SYNC.c.sync_id == CHECKPOINT.c.sync_id))
        .join(newest, and_(newest.c.table_name == CHECKPOINT.c.table_name, newest.c.at == SYNC.c.data_as_of))
        .where(SEGMENT.c.tenant_id == tenant)
    )
    if tables is not None:
        committed = committed.where(SEGMENT.c.table_name.in_(tables))
        standing = standing.where(SEGMENT.c.table_name.in_(tables))
    found = union_all(committed, standing).subquery()
    return select(found).order_by(found.c.data_as_of, found.c.segment_id)


def _held(lease: Lease) -> tuple[Any, ...]:
    return (
        LEASE.c.tenant_id == lease.tenant_id,
        LEASE.c.holder == lease.holder,
        LEASE.c.fence == lease.fence,
    )


def _name(connection: Connection, tenant: TenantId, segment: Segment, *, sync_id: str | None) -> None:
    known = select(SEGMENT.c.segment_id).where(
        SEGMENT.c.tenant_id == tenant, SEGMENT.c.segment_id == segment.segment_id
    )
    if connection.execute(known).first() is None:
        connection.execute(
            insert(SEGMENT).values(
                tenant_id=tenant,
                segment_id=segment.segment_id,
                table_name=segment.table,
                path=segment.path,
                rows=segment.rows,
                bytes=segment.bytes,
                sha256=segment.sha256,
                sync_id=sync_id,
            )
        )


def _segment(row: Row[Any]) -> Segment:
    return Segment(
        segment_id=row.segment_id,
        table=row.table_name,
        path=row.path,
        rows=row.rows,
        bytes=row.bytes,
        sha256=row.sha256,
    )


def _sync(row: Row[Any]) -> Sync:
    return Sync(
        tenant_id=row.tenant_id,
        sync_id=row.sync_id,
        kind=row.kind,
        data_as_of=row.data_as_of,
        watermark=row.watermark,
        committed_at=row.committed_at,
        report=row.report,
    )


def _quarantine(connection: Connection, sync: Sync, quarantined: Sequence[Quarantined]) -> None:
    """Write down what a sync cannot read, and what it can again; what stays as it was is not written twice."""
    stays = (QUARANTINE.c.tenant_id == sync.tenant_id) & QUARANTINE.c.gone_sync_id.is_(None)
    before = {_quarantined(row): row.quarantine_id for row in connection.execute(select(QUARANTINE).where(stays))}
    now = set(quarantined)
    if gone := [row_id for one, row_id in before.items() if one not in now]:
        is_gone = QUARANTINE.c.quarantine_id.in_(gone)
        connection.execute(update(QUARANTINE).where(stays, is_gone).values(gone_sync_id=sync.sync_id))
    if new := [one for one in dict.fromkeys(quarantined) if one not in before]:
        connection.execute(insert(QUARANTINE), [_quarantine_row(sync, one) for one in new])


def _quarantined(row: Row[Any]) -> Quarantined:
    return Quarantined(
        entity=row.entity,
        qbo_id=row.qbo_id,
        field=row.field,
        expected=row.expected,
        reason=row.reason,
        raw_text=row.raw_text,
    )


def _quarantine_row(sync: Sync, one: Quarantined) -> dict[str, Any]:
    return {
        "tenant_id": sync.tenant_id,
        "quarantine_id": uuid.uuid4().hex,
        "sync_id": sync.sync_id,
        "entity": one.entity,
        "qbo_id": one.qbo_id,
        "field": one.field,
        "expected": one.expected,
        "reason": one.reason,
        "raw_text": one.raw_text,
        "seen_at": sync.data_as_of,
    }
