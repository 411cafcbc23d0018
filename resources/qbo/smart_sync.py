"""SmartSync: brings one tenant's kept history up to what QuickBooks says now.

Belongs here: the order of a sync, the window it reads, what counts as new, changed or gone, the one commit at its end.
Does not: HTTP (`client.py`), waiting (`patience.py`), tokens (`token_keeper.py`), pages (`paging.py`), storage
(`resources/lake.py`, `resources/commits.py`).

A sync holds the tenant's lease, writes one segment a kind, and commits all of them, what was quarantined and `data_as_of`
at once. If any kind fails, nothing of it becomes visible. An object that is missing from a complete read is gone; one that
could not be read is not missing.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar

from resources.clock import Clock
from resources.commits import Commits, Lease, Quarantined, Sync
from resources.lake import Lake, Segment, SegmentWriter
from resources.qbo.answers import Page
from resources.qbo.client import QboClient
from resources.qbo.entities import BadObject
from resources.qbo.errors import QboAuthExpired
from resources.qbo.history import (
    VERSIONS,
    Newest,
    NewVersion,
    digest,
    live_version,
    missing_version,
    newest_versions,
    rows,
)
from resources.qbo.kinds import ENTITIES, Kind
from resources.qbo.paging import ReadObject, read_object, read_window
from resources.qbo.patience import Patience, Tally
from resources.qbo.query import MOST_RESULTS, Statement
from resources.qbo.sync_report import EntityReport, SyncReport, as_json
from resources.qbo.token_keeper import Access, TokenKeeper
from resources.secret_text import Secret
from resources.tenants import TenantId

_Result = TypeVar("_Result")

_FULL = "full"
#: Clocks that differ by less are the same clock, seen through a network.
_SAME_CLOCK = timedelta(seconds=1)
_TICK = timedelta(microseconds=1)
#: A lease lives five minutes; the slowest page with its retries takes less than four.
_HEARTBEAT = timedelta(seconds=30)


class SmartSync:
    """Syncs tenants; one object serves many of them, one after the other or from several threads."""

    def __init__(
        self,
        *,
        client: QboClient,
        tokens: TokenKeeper,
        lake: Lake,
        commits: Commits,
        clock: Clock,
        patience: Patience,
        page_rows: int = MOST_RESULTS,
    ) -> None:
        self._client = client
        self._tokens = tokens
        self._lake = lake
        self._commits = commits
        self._clock = clock
        self._patience = patience
        self._page_rows = page_rows

    def sync(self, tenant: TenantId) -> SyncReport:
        """Read the whole company and commit what is new; a `TenantError` says what failed, and then nothing was kept."""
        with self._commits.lease(tenant) as lease:
            line = _Line(tenant, client=self._client, tokens=self._tokens, patience=self._patience)
            window = _Window(clock=self._clock, newest=self._commits.newest_sync(tenant))
            heartbeat = _Heartbeat(lease, commits=self._commits, clock=self._clock)
            read = _FullRead(line=line, window=window, heartbeat=heartbeat, page_rows=self._page_rows)
            kinds = [self._kind(kind, lease=lease, read=read) for kind in ENTITIES]
            reports = tuple(kind.report for kind in kinds)
            committed = self._commits.commit_sync(
                lease,
                kind=_FULL,
                data_as_of=window.data_as_of,
                watermark=window.data_as_of,
                report=as_json(reports),
                segments=[kind.segment for kind in kinds if kind.segment is not None],
                quarantined=[one for kind in kinds for one in kind.quarantined],
            )
        return SyncReport(
            tenant_id=tenant,
            sync_id=committed.sync_id,
            kind=_FULL,
            data_as_of=committed.data_as_of,
            entities=reports,
        )

    def _kind(self, kind: Kind, *, lease: Lease, read: "_FullRead") -> "_KindDone":
        tenant, before = lease.tenant_id, read.window.newest
        kept = self._kept(kind, tenant=tenant, before=before)
        differences = _Differences(kept)
        tally = Tally()
        with self._lake.writer(tenant=tenant, table=kind.table, schema=VERSIONS) as writer:
            for page in read.pages(kind, tally):
                _append(writer, differences.changed(page), tenant=tenant, known_at=read.window.data_as_of)
                read.heartbeat.beat()
            _append(writer, differences.gone(), tenant=tenant, known_at=read.window.data_as_of)
            segment = _finish(writer, is_needed=differences.new_versions > 0 or before is None)
        return _KindDone(
            segment=segment,
            quarantined=differences.quarantined,
            report=EntityReport(
                entity=kind.entity,
                read=differences.read,
                new_versions=differences.new_versions,
                deleted=differences.deleted,
                quarantined=len(differences.quarantined),
                calls=tally.calls,
                waited_seconds=round(tally.waited_seconds, 3),
            ),
        )

    def _kept(self, kind: Kind, *, tenant: TenantId, before: Sync | None) -> dict[str, Newest]:
        if before is None:
            return {}
        segments = self._commits.history(tenant, table=kind.table, up_to=before)
        with self._lake.open(tenant) as opened:
            return newest_versions(opened, segments)


@dataclass(frozen=True, slots=True, kw_only=True)
class _KindDone:
    segment: Segment | None
    quarantined: list[Quarantined]
    report: EntityReport


class _Line:
    """The line to one company: each call paced, tried again, with a token that is replaced once if it is refused."""

    def __init__(self, tenant: TenantId, *, client: QboClient, tokens: TokenKeeper, patience: Patience) -> None:
        self._tenant = tenant
        self._client = client
        self._tokens = tokens
        self._patience = patience
        self._access = tokens.access_token(tenant)
        self._is_confirmed = False

    def singleton(self, kind: Kind, tally: Tally) -> Page:
        """The company's one object of a kind."""
        return self._call(
            lambda realm_id, token: self._client.singleton(kind.entity, realm_id=realm_id, access_token=token), tally
        )

    def query(self, statement: Statement, tally: Tally) -> Page:
        """One page."""
        return self._call(
            lambda realm_id, token: self._client.query(statement, realm_id=realm_id, access_token=token), tally
        )

    def _call(self, attempt: Callable[[str, Secret], _Result], tally: Tally) -> _Result:
        self._access = self._tokens.still_fresh(self._access)
        try:
            result = self._attempt(attempt, self._access, tally)
        except QboAuthExpired:
            self._access = self._tokens.renewed(self._tenant, rejected=self._access)
            self._is_confirmed = False
            result = self._attempt(attempt, self._access, tally)
        if not self._is_confirmed:
            self._tokens.confirm(self._access)
            self._is_confirmed = True
        return result

    def _attempt(self, attempt: Callable[[str, Secret], _Result], access: Access, tally: Tally) -> _Result:
        return self._patience.call(access.realm_id, lambda: attempt(access.realm_id, access.access_token), tally=tally)


class _Heartbeat:
    """Keeps the tenant's lease while a long read goes on."""

    def __init__(self, lease: Lease, *, commits: Commits, clock: Clock) -> None:
        self._lease = lease
        self._commits = commits
        self._clock = clock
        self._last = clock.now()

    def beat(self) -> None:
        """Renew the lease when it is due; `LeaseLost` if another process took over."""
        now = self._clock.now()
        if now - self._last >= _HEARTBEAT:
            self._commits.renew(self._lease)
            self._last = now


class _Window:
    """What a read covers: everything entered until `data_as_of`, which is fixed by the first answer."""

    def __init__(self, *, clock: Clock, newest: Sync | None) -> None:
        self.newest = newest
        self._started = clock.now()
        self._data_as_of: datetime | None = None

    @property
    def data_as_of(self) -> datetime:
        """When the read began, by the slower one of the two clocks."""
        assert self._data_as_of is not None, "nothing was read yet"
        return self._data_as_of

    def anchor(self, server_time: datetime | None) -> None:
        """Fix the window by the server's time in the first answer."""
        if self._data_as_of is not None:
            return
        start = self._started
        if server_time is not None and abs(server_time - start) > _SAME_CLOCK:
            start = min(server_time, start)
        # Knowledge has an order: what is learned now was not known at the sync before, whatever the clocks say.
        if self.newest is not None:
            start = max(start, self.newest.data_as_of + _TICK)
        self._data_as_of = start


@dataclass(frozen=True, slots=True, kw_only=True)
class _FullRead:
    """A read of the whole company."""

    line: _Line
    window: _Window
    heartbeat: _Heartbeat
    page_rows: int

    def pages(self, kind: Kind, tally: Tally) -> Iterator[list[ReadObject]]:
        """Every object of a kind, a page at a time."""
        if kind.is_singleton:
            page = self.line.singleton(kind, tally)
            self.window.anchor(page.time)
            yield [read_object(kind, text) for text in page.objects]
            return
        yield from read_window(
            kind,
            until=self.window.data_as_of,
            fetch=lambda statement: self.line.query(statement, tally),
            page_rows=self.page_rows,
        )


@dataclass(slots=True)
class _Differences:
    """What a complete read of one kind differs in from what is kept."""

    kept: dict[str, Newest]
    quarantined: list[Quarantined] = field(default_factory=list)
    read: int = 0
    new_versions: int = 0
    deleted: int = 0
    _seen: set[str] = field(default_factory=set)
    _all_named: bool = True

    def changed(self, page: Iterable[ReadObject]) -> Iterator[NewVersion]:
        """The versions of a page that differ from the newest kept ones; bad objects go to `quarantined`."""
        for row in page:
            self.read += 1
            if isinstance(row.found, BadObject):
                self._set_aside(row.found)
                continue
            self._seen.add(row.found.id)
            newest = self.kept.get(row.found.id)
            if newest is None or newest.digest != digest(row.text):
                self.new_versions += 1
                self.deleted += row.found.is_deleted
                yield live_version(row.found, row.text)

    def gone(self) -> Iterator[NewVersion]:
        """A deletion for each object that is kept and was not in the read.

        An object that came without a readable id could be any of them: then nothing counts as gone.
        """
        if not self._all_named:
            return
        for qbo_id, newest in self.kept.items():
            if qbo_id not in self._seen and not newest.is_deleted:
                self.new_versions += 1
                self.deleted += 1
                yield missing_version(qbo_id, newest)

    def _set_aside(self, bad: BadObject) -> None:
        if bad.qbo_id is None:
            self._all_named = False
        else:
            self._seen.add(bad.qbo_id)
        self.quarantined.append(
            Quarantined(
                entity=bad.entity,
                qbo_id=bad.qbo_id,
                field=bad.field,
                expected=bad.expected,
                reason=f"came: {bad.came}",
                raw_text=bad.raw_text.replace("\x00", "\\u0000"),  # Postgres keeps no NUL in a text
            )
        )


def _append(writer: SegmentWriter, found: Iterable[NewVersion], *, tenant: TenantId, known_at: datetime) -> None:
    table = rows(found, tenant=tenant, known_at=known_at)
    if table.num_rows:
        writer.append(table)


def _finish(writer: SegmentWriter, *, is_needed: bool) -> Segment | None:
    """The segment; none where nothing changed. A first sync has one of each kind, so that 'none' is told from 'not read'."""
    if is_needed:
        return writer.finish()
    writer.abandon()
    return None
