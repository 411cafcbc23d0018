"""SmartSync: brings one tenant's kept history up to what QuickBooks says now.

Belongs here: whole read or increment, the window, the one commit at the end. Does not: what is asked for an increment
(`change_reading.py`), what counts as new or gone (`differences.py`), the calls (`company_line.py`), storage
(`resources/lake.py`, `resources/commits.py`).

A sync holds the tenant's lease and commits its segments, what was quarantined, the watermark and `data_as_of` at once. If
any kind fails, nothing of it becomes visible. The first sync reads everything and then what changed meanwhile, so that no
bill shows a new balance without its payment. From then on one call brings what changed of all kinds; the whole company is
read again when QuickBooks no longer looks back that far.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

from resources.clock import Clock
from resources.commits import Commits, Lease, Sync
from resources.errors import TenantError
from resources.failpoints import failpoint
from resources.lake import Lake, TenantLake
from resources.places import side_by_side
from resources.qbo.change_reading import ChangeReader, FoundChanges, KindChanges
from resources.qbo.client import QboClient
from resources.qbo.company_line import CompanyLine
from resources.qbo.errors import QboContradiction, QboRefused, QboUnavailable
from resources.qbo.history import NewVersion
from resources.qbo.kind_work import KeptBooks, KindWork
from resources.qbo.kinds import ENTITIES, Kind
from resources.qbo.paging import ReadObject, count_statement, read_object, read_window
from resources.qbo.patience import Patience
from resources.qbo.query import MOST_RESULTS
from resources.qbo.sync_policy import Freshness, SyncPolicy
from resources.qbo.sync_report import SyncReport, as_json, read_at
from resources.qbo.token_keeper import TokenKeeper
from resources.tenants import TenantId

_FULL, _CHANGES = "full", "changes"
#: Clocks that differ by less are the same clock, seen through a network.
_SAME_CLOCK = timedelta(seconds=1)
_TICK = timedelta(microseconds=1)
#: A lease lives five minutes; the slowest page with its retries takes less than four.
_HEARTBEAT = timedelta(seconds=30)
#: The fault code of an operation that is not possible, such as looking back too far.
_NOT_POSSIBLE = "500"

_QUERIED = tuple(kind for kind in ENTITIES if not kind.is_singleton)
_SINGLETONS = tuple(kind for kind in ENTITIES if kind.is_singleton)


class _NoIncrement(Exception):
    """What changed cannot be told from here: the company has to be read whole."""


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
        policy: SyncPolicy | None = None,
        page_rows: int = MOST_RESULTS,
    ) -> None:
        self._client = client
        self._tokens = tokens
        self._lake = lake
        self._commits = commits
        self._clock = clock
        self._patience = patience
        #: How fresh a company is kept.
        self.policy = policy or SyncPolicy()
        self._page_rows = page_rows

    def sync(self, tenant: TenantId) -> SyncReport:
        """Bring the tenant's history up to date; a `TenantError` says what failed, and then nothing was kept."""
        with self._commits.lease(tenant) as lease, self._lake.open(tenant) as opened:
            line = CompanyLine(tenant, client=self._client, tokens=self._tokens, patience=self._patience)
            newest = self._commits.newest_sync(tenant)
            if newest is not None and self._can_follow(newest):
                try:
                    run = self._run(lease, line=line, opened=opened, newest=newest)
                    return self._commit(lease, run, kind=_CHANGES, watermark=run.increment(newest))
                except _NoIncrement:
                    pass  # nothing was written yet
            run = self._run(lease, line=line, opened=opened, newest=newest)
            return self._commit(lease, run, kind=_FULL, watermark=run.whole())

    def sync_many(self, tenants: Sequence[TenantId], *, workers: int = 16) -> dict[TenantId, SyncReport | TenantError]:
        """Sync tenants side by side: what each one's sync did or why it failed.

        At most `workers` of them work at once. One that waits for QuickBooks, however many such there are, holds up none
        of the others (`resources/places.py`). A bug is no tenant's failure: it is raised once the others are done.
        """
        works = {tenant: partial(self._settled, tenant) for tenant in tenants}
        return side_by_side(works, places=workers, clock=self._clock)

    def _settled(self, tenant: TenantId) -> SyncReport | TenantError:
        try:
            return self.sync(tenant)
        except TenantError as error:
            return error

    def _can_follow(self, newest: Sync) -> bool:
        is_recent = self._clock.now() - newest.watermark < self.policy.look_back
        return is_recent and all(kind.entity in newest.report for kind in ENTITIES)

    def _run(self, lease: Lease, *, line: CompanyLine, opened: TenantLake, newest: Sync | None) -> "_Run":
        window = _Window(clock=self._clock, newest=newest)
        heartbeat = _Heartbeat(lease, commits=self._commits, clock=self._clock)
        books = KeptBooks(lease.tenant_id, lake=self._lake, opened=opened, commits=self._commits, newest=newest)
        books.take_checkpoints(lease, most_segments=self.policy.most_segments, beat=heartbeat.beat)
        return _Run(
            line=line,
            books=books,
            window=window,
            heartbeat=heartbeat,
            policy=self.policy,
            page_rows=self._page_rows,
        )

    def _commit(self, lease: Lease, run: "_Run", *, kind: str, watermark: datetime) -> SyncReport:
        failpoint("sync.before_commit")
        reports = tuple(run.works[kind].report for kind in ENTITIES)
        works = run.works.values()
        committed = self._commits.commit_sync(
            lease,
            kind=kind,
            data_as_of=run.data_as_of,
            watermark=watermark,
            report=as_json(reports),
            segments=[segment for work in works for segment in work.segments],
            quarantined=[one for work in works for one in work.differences.unreadable.values()],
        )
        return SyncReport(
            tenant_id=lease.tenant_id,
            sync_id=committed.sync_id,
            kind=kind,
            data_as_of=committed.data_as_of,
            committed_at=committed.committed_at,
            entities=reports,
            shared_calls=run.reader.shared.calls,
            shared_waited_seconds=round(run.reader.shared.waited_seconds, 3),
            usage=self._patience.usage(lease.tenant_id),
        )


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
    """What a sync covers, fixed by the first answer: by QuickBooks' clock, and how old that makes the books."""

    def __init__(self, *, clock: Clock, newest: Sync | None) -> None:
        self.newest = newest
        self.started = clock.now()
        self._top: datetime | None = None
        self._data_as_of: datetime | None = None

    @property
    def is_anchored(self) -> bool:
        """Whether an answer came."""
        return self._top is not None

    @property
    def top(self) -> datetime:
        """When the read began by the clock that stamps the objects."""
        assert self._top is not None, "nothing was read yet"
        return self._top

    @property
    def data_as_of(self) -> datetime:
        """When the read began, by the slower one of the two clocks."""
        assert self._data_as_of is not None, "nothing was read yet"
        return self._data_as_of

    def anchor(self, server_time: datetime | None) -> None:
        """Fix the window by the server's time in the first answer."""
        if self.is_anchored:
            return
        start = self.started
        self._top = server_time or start
        if server_time is not None and abs(server_time - start) > _SAME_CLOCK:
            start = min(server_time, start)
        # Knowledge has an order: what is learned now was not known at the sync before, whatever the clocks say.
        if self.newest is not None:
            start = max(start, self.newest.data_as_of + _TICK)
        self._data_as_of = start
        failpoint("window.anchored")


@dataclass(slots=True, kw_only=True)
class _Run:
    """One attempt at a sync: what it has read and written so far, and nothing of it visible."""

    line: CompanyLine
    books: KeptBooks
    window: _Window
    heartbeat: _Heartbeat
    policy: SyncPolicy
    page_rows: int
    works: dict[Kind, KindWork] = field(default_factory=dict)
    reader: ChangeReader = field(init=False)
    is_revised: bool = False

    def __post_init__(self) -> None:
        self.reader = ChangeReader(
            line=self.line, books=self.books, most_changes=self.policy.most_changes, page_rows=self.page_rows
        )

    @property
    def data_as_of(self) -> datetime:
        """The age of the books; a tick more where objects moved while they were read, so that both states have an order."""
        return self.window.data_as_of + _TICK if self.is_revised else self.window.data_as_of

    @property
    def _new_versions(self) -> int:
        return sum(work.differences.new_versions for work in self.works.values())

    def whole(self) -> datetime:
        """Read everything, then what changed meanwhile; the new watermark."""
        for kind in ENTITIES:
            work = self.works[kind] = self.books.work(kind, ids=None)
            work.differences.begin_complete_read()
            pages = [self._singleton(kind, work)] if kind.is_singleton else self._pages(work)
            self._write_whole(work, pages, known_at=self.window.data_as_of)
            failpoint("read.kind_written")
        before = self._new_versions
        found = self.reader.read(_QUERIED, since=self.window.top - self.policy.overlap, works=self.works)
        self._take(found, known_at=self.window.data_as_of + _TICK)
        self.is_revised = self._new_versions > before
        return self._watermark(found)

    def increment(self, newest: Sync) -> datetime:
        """Read what changed since a sync, and a singleton that is due; the new watermark."""
        found = self._changes_since(newest.watermark)
        self.window.anchor(found.time)
        for kind in _SINGLETONS:
            self.works[kind] = self.books.work(kind, ids=())
            self.works[kind].read_at = read_at(newest.report, kind.entity)
        for kind in self._due(newest):
            self._refresh(kind, policy=self.policy.freshness[kind.entity], before=read_at(newest.report, kind.entity))
        self._take(found, known_at=self.window.data_as_of)
        return self._watermark(found)

    def _changes_since(self, watermark: datetime) -> FoundChanges:
        try:
            found = self.reader.read(_QUERIED, since=watermark, works={})
        except QboRefused as error:
            if _NOT_POSSIBLE in error.codes:
                raise _NoIncrement from error
            raise
        except QboContradiction as error:
            raise _NoIncrement from error
        if found.time is not None and found.time < watermark:
            raise _NoIncrement  # a clock that went back: what it stamps now lies before what was asked for
        return found

    def _take(self, found: FoundChanges, *, known_at: datetime) -> None:
        failpoint("read.changes")
        for kind, changes in found.kinds.items():
            work = self.works.get(kind) or self._work_for(changes)
            self.works[kind] = work
            work.tally.add(changes.tally)
            work.read_at = self.window.data_as_of
            if changes.rows or changes.is_cut:
                self._revise(work, changes, known_at=known_at)
                self.heartbeat.beat()

    def _work_for(self, changes: KindChanges) -> KindWork:
        work = self.books.work(changes.kind, ids=None if changes.is_cut else [row.key for row in changes.rows])
        if changes.rows and work.differences.has_nameless and not changes.is_cut:
            return self.books.work(changes.kind, ids=None)  # it is read completely
        return work

    def _revise(self, work: KindWork, changes: KindChanges, *, known_at: datetime) -> None:
        differences = work.differences
        if differences.has_nameless or (changes.is_cut and self._something_is_gone(work, changes)):
            differences.begin_complete_read()
            self._write_whole(work, self._pages(work), known_at=known_at, changed=changes.rows)
        else:
            self.books.write(work, [differences.changed(changes.rows)], known_at=known_at)

    def _something_is_gone(self, work: KindWork, changes: KindChanges) -> bool:
        """Whether there are other objects than those kept and those that came: a count costs one call, a read many."""
        expected = work.differences.living_ids | {row.key for row in changes.rows}
        return self.line.count(count_statement(work.kind), work.tally) != len(expected)

    def _write_whole(
        self,
        work: KindWork,
        pages: Iterable[list[ReadObject]],
        *,
        known_at: datetime,
        changed: Sequence[ReadObject] = (),
    ) -> None:
        """Write what a complete read holds, and what of the changes told before it lies outside its window."""
        differences = work.differences

        def batches() -> Iterator[Iterable[NewVersion]]:
            for page in pages:
                yield differences.changed(page)
                self.heartbeat.beat()
            yield differences.gone(entered_until=self.window.top)
            # The watermark becomes later than the window's top: what was entered between the two is told of only once.
            yield differences.changed(differences.outside(changed, entered_until=self.window.top))

        self.books.write(work, batches(), known_at=known_at)
        work.read_at = self.window.data_as_of

    def _pages(self, work: KindWork) -> Iterator[list[ReadObject]]:
        return read_window(
            work.kind,
            until=self.window.top,
            fetch=lambda statement: self.line.query(statement, work.tally),
            page_rows=self.page_rows,
        )

    def _singleton(self, kind: Kind, work: KindWork) -> list[ReadObject]:
        page = self.line.singleton(kind, work.tally)
        self.window.anchor(page.time)
        return [read_object(kind, text) for text in page.objects]

    def _due(self, newest: Sync) -> list[Kind]:
        """The singletons to read now: all that have to be, else the one that waits longest: each is a call of its own."""
        ages = {kind: self._age(kind, newest) for kind in _SINGLETONS}
        must = [kind for kind in _SINGLETONS if ages[kind] > self.policy.freshness[kind.entity].hard]
        may = [kind for kind in _SINGLETONS if ages[kind] >= self.policy.freshness[kind.entity].soft]
        return must or sorted(may, key=lambda kind: ages[kind], reverse=True)[:1]

    def _age(self, kind: Kind, newest: Sync) -> timedelta:
        before = read_at(newest.report, kind.entity)
        return timedelta.max if before is None else self.window.started - before

    def _refresh(self, kind: Kind, *, policy: Freshness, before: datetime | None) -> None:
        work = self.books.work(kind, ids=None)
        try:
            page = self._singleton(kind, work)
        except QboUnavailable:
            if before is None or self.window.started - before > policy.hard:
                raise
            self.works[kind].tally.add(work.tally)
            return  # the one that is kept is young enough; its age says that it was not read
        self.works[kind] = work
        work.differences.begin_complete_read()
        self._write_whole(work, [page], known_at=self.window.data_as_of)

    def _watermark(self, found: FoundChanges) -> datetime:
        """From when the next increment has to ask, by the clock that stamps the objects."""
        return (found.time or self.window.started) - self.policy.overlap
