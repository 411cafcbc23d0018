"""The commit points: who may write a tenant's history, and what becomes visible when."""

import os
import signal
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from resources.clock import FixedClock, SystemClock
from resources.commits import LEASE_TIME, Commits, Lease, Quarantined, Sync
from resources.database import Database
from resources.errors import LeaseLost, TenantBusy
from resources.lake import Segment
from resources.tables import QUARANTINE, SEGMENT
from tests.databases import url_of
from tests.processes import at_once, exit_code
from tests.resources.builders import (
    ACME,
    BOLT,
    NOON,
    add_tenants,
    commit_sync,
    make_lake,
    make_rows,
    make_segment,
)

_TABLE = "raw_qbo/bills"
_RESULT = "books/ageing"
_DAY = date(2026, 11, 20)


@pytest.fixture
def commits(database: Database, clock: FixedClock) -> Commits:
    """The commits of two tenants."""
    add_tenants(database, clock, ACME, BOLT)
    return Commits(database, clock=clock)


def _sync(commits: Commits, *, hours: int = 0, tenant: str = ACME, **overrides: object) -> Sync:
    with commits.lease(tenant) as lease:  # type: ignore[arg-type]  # the builders' ids are checked
        return commit_sync(commits, lease, data_as_of=NOON + timedelta(hours=hours), **overrides)


def _commit_result(commits: Commits, sync: Sync, name: str, *, day: date = _DAY) -> None:
    segment = make_segment(name, table=_RESULT)
    commits.commit_result(as_of=day, known_until=sync.data_as_of, sync=sync, segment=segment)


def _visible(commits: Commits, *, day: date = _DAY) -> str | None:
    found = commits.result(ACME, table=_RESULT, as_of=day)
    return None if found is None else found.segment.segment_id.split("@")[1]


def test_a_committed_sync_is_read_back_whole(commits: Commits, clock: FixedClock) -> None:
    segment = make_segment("a")
    bad = Quarantined(entity="Bill", qbo_id=None, field="Line", expected="a list", reason="it is text", raw_text="{}")
    sync = _sync(commits, report={"Bill": {"read": 3}}, segments=[segment], quarantined=[bad, replace(bad, qbo_id="7")])
    assert commits.newest_sync(ACME) == sync
    assert commits.sync(ACME, sync.sync_id) == sync
    assert sync.committed_at == clock.now()
    assert commits.history(ACME, table=_TABLE, up_to=sync) == [segment]
    assert sorted(one.qbo_id or "" for one in commits.quarantined(sync)) == ["", "7"]
    assert bad in commits.quarantined(sync)


def test_what_stays_unreadable_is_kept_once_and_told_of_every_sync(commits: Commits, database: Database) -> None:
    first = Quarantined(entity="Bill", qbo_id="1", field="Line", expected="a list", reason="it is text", raw_text="{}")
    second, changed = replace(first, qbo_id="2"), replace(first, raw_text='{"Line": 5}')
    by_sync = [[first], [first, second], [first, second], [changed], [], [first]]
    syncs = [_sync(commits, hours=hours, quarantined=bad) for hours, bad in enumerate(by_sync)]
    _sync(commits, hours=9, tenant=BOLT, quarantined=[])
    assert [commits.quarantined(sync) for sync in syncs] == by_sync
    with database.read() as connection:
        assert len(connection.execute(select(QUARANTINE)).all()) == 4


def test_nothing_of_a_tenant_shows_with_another(commits: Commits) -> None:
    sync = _sync(commits, segments=[make_segment("a")])
    _commit_result(commits, sync, "r")
    assert commits.newest_sync(BOLT) is None
    assert commits.first_sync(BOLT) is None
    assert commits.history(BOLT, table=_TABLE, up_to=sync) == []
    assert commits.result(BOLT, table=_RESULT, as_of=_DAY) is None
    assert commits.named_paths(BOLT) == frozenset()
    with pytest.raises(LookupError):
        commits.sync(BOLT, sync.sync_id)


def test_newest_and_first_go_by_the_age_of_the_data(commits: Commits) -> None:
    syncs = [_sync(commits, hours=hours) for hours in (0, 1, 2)]
    assert commits.first_sync(ACME) == syncs[0]
    assert commits.newest_sync(ACME) == syncs[2]
    assert commits.newest_sync(ACME, until=NOON + timedelta(hours=1)) == syncs[1]
    assert commits.newest_sync(ACME, until=NOON - timedelta(microseconds=1)) is None


def test_history_is_in_the_order_of_syncs_and_ends_with_the_one_asked_for(commits: Commits) -> None:
    names = ("c", "a", "b")
    syncs = [_sync(commits, hours=n, segments=[make_segment(name)]) for n, name in enumerate(names)]
    last = _sync(commits, hours=9, segments=[make_segment("z", table="raw_qbo/vendors")])
    assert sorted(commits.histories(ACME, up_to=last)) == [_TABLE, "raw_qbo/vendors"]
    for n, sync in enumerate(syncs):
        found = commits.history(ACME, table=_TABLE, up_to=sync)
        assert found == [make_segment(name) for name in names[: n + 1]]
        assert commits.histories(ACME, up_to=sync) == {_TABLE: found}


def test_two_syncs_never_claim_the_same_instant(commits: Commits) -> None:
    _sync(commits)
    with pytest.raises(IntegrityError):
        _sync(commits)


def test_a_second_writer_is_told_to_wait(commits: Commits) -> None:
    with commits.lease(ACME):
        with pytest.raises(TenantBusy, match="acme-design"), commits.lease(ACME):
            pytest.fail("two writers")
        with commits.lease(BOLT):
            pass
    with commits.lease(ACME):
        pass


def test_a_lease_is_free_again_after_a_failure(commits: Commits) -> None:
    with pytest.raises(ZeroDivisionError), commits.lease(ACME):
        raise ZeroDivisionError
    with commits.lease(ACME):
        pass


def test_renewing_keeps_a_lease_beyond_its_time(commits: Commits, clock: FixedClock) -> None:
    with commits.lease(ACME) as lease:
        for _ in range(3):
            clock.sleep(LEASE_TIME.total_seconds() - 1)
            commits.renew(lease)
        with pytest.raises(TenantBusy), commits.lease(ACME):
            pytest.fail("two writers")


def test_a_writer_that_was_paused_while_another_took_over_commits_nothing(commits: Commits, clock: FixedClock) -> None:
    with commits.lease(ACME) as paused:
        clock.sleep(LEASE_TIME.total_seconds() + 1)
        with commits.lease(ACME) as other:
            assert other.fence == paused.fence + 1
            with pytest.raises(LeaseLost):
                commit_sync(commits, paused, segments=[make_segment("a")])
            with pytest.raises(LeaseLost):
                commits.renew(paused)
            kept = commit_sync(commits, other)
    assert commits.newest_sync(ACME) == kept
    assert commits.history(ACME, table=_TABLE, up_to=kept) == []


def test_a_paused_writer_commits_nothing_after_the_other_has_finished_either(
    commits: Commits, clock: FixedClock
) -> None:
    with commits.lease(ACME) as paused:
        clock.sleep(LEASE_TIME.total_seconds() + 1)
        with commits.lease(ACME):
            pass
        with pytest.raises(LeaseLost):
            commit_sync(commits, paused)
    assert commits.newest_sync(ACME) is None


def test_a_paused_writer_does_not_take_the_others_lease_away(commits: Commits, clock: FixedClock) -> None:
    with commits.lease(ACME):
        clock.sleep(LEASE_TIME.total_seconds() + 1)
        taken_over = commits.lease(ACME)
        other = taken_over.__enter__()
    commits.renew(other)
    taken_over.__exit__(None, None, None)


def test_a_forged_fence_opens_nothing(commits: Commits) -> None:
    with commits.lease(ACME) as lease:
        for forged in (
            replace(lease, fence=lease.fence + 1),
            replace(lease, holder="me"),
            replace(lease, tenant_id=BOLT),
        ):
            with pytest.raises(LeaseLost):
                commit_sync(commits, forged)


def test_of_processes_that_want_the_first_lease_at_once_one_gets_it(commits: Commits, database: Database) -> None:
    """On Postgres two once tried to insert the tenant's first lease, and one died of the unique key."""
    assert sorted(at_once(4, _try_to_lease, url_of(database))) == ["busy", "busy", "busy", "leased"]


def _try_to_lease(number: int, url: str) -> str:
    wanted = Commits(Database(url), clock=SystemClock()).lease(ACME)
    try:
        wanted.__enter__()
    except TenantBusy:
        return "busy"
    _KEPT.append(wanted)
    return "leased"


#: Leases of this process that end with it: forgotten by Python, they would be given back.
_KEPT: list[AbstractContextManager[Lease]] = []


def test_two_processes_that_sync_in_turns_keep_everything(commits: Commits, database: Database) -> None:
    at_once(2, _sync_five_times, url_of(database))
    newest = commits.newest_sync(ACME)
    assert newest is not None
    assert len(commits.history(ACME, table=_TABLE, up_to=newest)) == 10


def _sync_five_times(number: int, url: str) -> None:
    database, clock = Database(url), SystemClock()
    commits, done = Commits(database, clock=clock), 0
    while done < 5:
        try:
            with commits.lease(ACME) as lease:
                newest = commits.newest_sync(ACME)
                later = NOON if newest is None else newest.data_as_of + timedelta(microseconds=1)
                commit_sync(commits, lease, data_as_of=later, segments=[make_segment(f"{number}-{done}")])
        except TenantBusy:
            clock.sleep(0.005)
        else:
            done += 1
    database.close()


def test_a_sync_that_dies_before_its_commit_leaves_nothing_visible(
    commits: Commits, database: Database, clock: FixedClock, tmp_path: Path
) -> None:
    first = _sync(commits)
    assert exit_code(_write_and_die, url_of(database), clock, tmp_path) == -signal.SIGKILL
    assert len(list((tmp_path / "lake").rglob("*.parquet"))) == 2
    assert commits.newest_sync(ACME) == first
    assert commits.named_paths(ACME) == frozenset()
    with pytest.raises(TenantBusy):
        _sync(commits, hours=1)
    clock.sleep(LEASE_TIME.total_seconds() + 1)
    _sync(commits, hours=1)


def _write_and_die(url: str, clock: FixedClock, tmp_path: Path) -> None:
    lake, commits = make_lake(tmp_path), Commits(Database(url), clock=clock)
    with commits.lease(ACME):
        for table in (_TABLE, "raw_qbo/vendors"):
            lake.write(tenant=ACME, table=table, rows=make_rows("1"))
        os.kill(os.getpid(), signal.SIGKILL)


def test_a_sync_that_dies_inside_its_commit_leaves_nothing_visible(
    commits: Commits, database: Database, clock: FixedClock
) -> None:
    assert exit_code(_die_inside_the_commit, url_of(database), clock) == -signal.SIGKILL
    assert commits.newest_sync(ACME) is None
    assert commits.named_paths(ACME) == frozenset()
    with database.read() as connection:
        assert connection.execute(SEGMENT.select()).all() == []


def _die_inside_the_commit(url: str, clock: FixedClock) -> None:
    commits = Commits(Database(url), clock=clock)

    def segments() -> Iterator[Segment]:
        """One segment is named; asking for the second ends the process."""
        yield make_segment("a")
        os.kill(os.getpid(), signal.SIGKILL)

    with commits.lease(ACME) as lease:
        commit_sync(commits, lease, segments=segments())


def test_a_commit_that_fails_at_its_last_row_leaves_nothing_visible(commits: Commits) -> None:
    bad = Quarantined(entity="Bill", qbo_id="1", field="Line", expected="x", reason=None, raw_text="{}")  # type: ignore[arg-type]  # the subject
    with pytest.raises(IntegrityError):
        _sync(commits, segments=[make_segment("a")], quarantined=[bad])
    assert commits.newest_sync(ACME) is None
    assert commits.named_paths(ACME) == frozenset()


def test_a_result_is_read_back_with_where_it_comes_from(commits: Commits) -> None:
    sync = _sync(commits)
    cut = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
    commits.commit_result(as_of=_DAY, known_until=cut, sync=sync, segment=make_segment("r", table=_RESULT))
    found = commits.result(ACME, table=_RESULT, as_of=_DAY)
    assert found is not None
    assert found.segment == make_segment("r", table=_RESULT)
    assert (found.known_until, found.data_as_of, found.sync_id, found.as_of) == (
        cut,
        sync.data_as_of,
        sync.sync_id,
        _DAY,
    )


def test_a_later_calculation_replaces_a_result_of_its_day_only(commits: Commits) -> None:
    sync = _sync(commits)
    friday_before = _DAY - timedelta(days=7)
    _commit_result(commits, sync, "before", day=friday_before)
    _commit_result(commits, sync, "first")
    _commit_result(commits, sync, "second")
    assert _visible(commits) == "second"
    assert _visible(commits, day=friday_before) == "before"


def test_a_result_of_newer_books_replaces_one_of_older_books_and_never_the_other_way(commits: Commits) -> None:
    older, newer = _sync(commits), _sync(commits, hours=1)
    _commit_result(commits, older, "older")
    _commit_result(commits, newer, "newer")
    _commit_result(commits, older, "stale")
    assert _visible(commits) == "newer"


def test_the_same_rows_from_newer_books_are_a_result_of_the_newer_books(commits: Commits) -> None:
    older, newer = _sync(commits), _sync(commits, hours=1)
    for sync in (older, newer):
        _commit_result(commits, sync, "same")
    found = commits.result(ACME, table=_RESULT, as_of=_DAY)
    assert found is not None
    assert found.sync_id == newer.sync_id


def test_the_same_result_again_changes_nothing(commits: Commits, database: Database, clock: FixedClock) -> None:
    sync = _sync(commits)
    _commit_result(commits, sync, "same")
    before = commits.result(ACME, table=_RESULT, as_of=_DAY)
    clock.sleep(60)
    _commit_result(commits, sync, "same")
    assert commits.result(ACME, table=_RESULT, as_of=_DAY) == before


def test_processes_that_replace_a_result_at_once_leave_the_newest(commits: Commits, database: Database) -> None:
    """On Postgres the stale one could delete the newer row that it had not seen when it looked."""
    syncs = [_sync(commits, hours=hours) for hours in range(4)]
    _commit_result(commits, syncs[0], "before")
    at_once(4, _replace_often, url_of(database), syncs)
    assert _visible(commits) == "of 3"


def _replace_often(number: int, url: str, syncs: list[Sync]) -> None:
    database = Database(url)
    commits = Commits(database, clock=SystemClock())
    for _ in range(10):
        _commit_result(commits, syncs[number], f"of {number}")
        found = commits.result(ACME, table=_RESULT, as_of=_DAY)
        assert found is not None
        assert found.data_as_of >= syncs[number].data_as_of
    database.close()


def test_named_are_the_files_of_syncs_and_of_visible_results(commits: Commits) -> None:
    sync = _sync(commits, segments=[make_segment("a"), make_segment("b", table="raw_qbo/vendors")])
    _commit_result(commits, sync, "first")
    _commit_result(commits, sync, "second")
    assert commits.named_paths(ACME) == {
        f"{_TABLE}/a.parquet",
        "raw_qbo/vendors/b.parquet",
        f"{_RESULT}/second.parquet",
    }
    _commit_result(commits, sync, "first")
    assert f"{_RESULT}/first.parquet" in commits.named_paths(ACME)


def test_a_lease_of_one_installation_is_seen_by_another(
    database: Database, commits: Commits, clock: FixedClock
) -> None:
    with commits.lease(ACME) as lease, pytest.raises(TenantBusy), Commits(database, clock=clock).lease(ACME):
        pytest.fail(f"two writers beside {lease}")
    assert isinstance(lease, Lease)
