"""Which books a week is calculated from, and a week's tables."""

import os
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from resources.clock import FixedClock
from resources.commits import Commits, Sync
from resources.database import Database
from resources.errors import TenantNotReady
from resources.store import UNNAMED_KEPT_FOR, Store
from resources.tenants import Tenant
from tests.databases import only_sqlite
from tests.resources.builders import ACME, BOLT, add_tenants, commit_sync, make_lake, make_rows

_FRIDAY = date(2026, 11, 20)
_RESULT = "books/ageing"
#: What counts is time, not the engine of the database (`test_commits.py`).
pytestmark = only_sqlite


@pytest.fixture
def tenant(database: Database, clock: FixedClock) -> Tenant:
    """A tenant in New York."""
    return add_tenants(database, clock, ACME, BOLT)[0]


@pytest.fixture
def commits(database: Database, clock: FixedClock) -> Commits:
    """The commit points."""
    return Commits(database, clock=clock)


@pytest.fixture
def store(commits: Commits, tmp_path: Path) -> Store:
    """A store over an empty lake."""
    return Store(lake=make_lake(tmp_path), commits=commits)


def _sync(commits: Commits, instant: str, **overrides: object) -> Sync:
    with commits.lease(ACME) as lease:
        return commit_sync(commits, lease, data_as_of=datetime.fromisoformat(instant), **overrides)


def test_a_tenant_that_was_never_synced_is_not_ready_and_says_what_to_do(store: Store, tenant: Tenant) -> None:
    with pytest.raises(TenantNotReady, match="never been read") as caught:
        store.newest_week(tenant, as_of=_FRIDAY)
    assert "runway connect acme-design" in caught.value.next_step


def test_a_week_uses_the_newest_sync_of_its_day_or_before(store: Store, commits: Commits, tenant: Tenant) -> None:
    first = _sync(commits, "2026-11-06T10:00:00Z")
    newest = _sync(commits, "2026-11-20T10:00:00Z")
    _sync(commits, "2026-11-23T10:00:00Z")
    week = store.newest_week(tenant, as_of=_FRIDAY)
    assert (week.sync, week.known_until, week.data_as_of) == (newest, newest.data_as_of, newest.data_as_of)
    assert (week.first_known_at, week.as_of, week.tenant) == (first.data_as_of, _FRIDAY, tenant)


def test_old_books_are_used_whatever_their_age(store: Store, commits: Commits, tenant: Tenant) -> None:
    old = _sync(commits, "2026-03-06T10:00:00Z")
    assert store.newest_week(tenant, as_of=_FRIDAY).sync == old


@pytest.mark.parametrize(
    ("instant", "friday", "counts"),
    [
        # New York's winter midnight is 05:00 UTC, its summer midnight 04:00 UTC; the change is on 2026-11-01.
        pytest.param("2026-11-21T04:59:59.999999Z", "2026-11-20", True, id="last moment of Friday"),
        pytest.param("2026-11-21T05:00:00Z", "2026-11-20", False, id="first moment of Saturday"),
        pytest.param("2026-10-31T03:59:59.999999Z", "2026-10-30", True, id="last moment of a Friday in summer time"),
        pytest.param("2026-10-31T04:00:00Z", "2026-10-30", False, id="first moment of a Saturday in summer time"),
    ],
)
def test_a_friday_ends_at_the_tenants_own_midnight(
    store: Store, commits: Commits, tenant: Tenant, instant: str, friday: str, *, counts: bool
) -> None:
    first = _sync(commits, "2026-10-01T10:00:00Z")
    last = _sync(commits, instant)
    assert store.newest_week(tenant, as_of=date.fromisoformat(friday)).sync == (last if counts else first)


@pytest.mark.parametrize(
    ("friday", "cut"),
    [
        pytest.param("2026-11-06", "2026-11-06T10:00:00Z", id="winter time"),
        pytest.param("2026-10-30", "2026-10-30T09:00:00Z", id="summer time"),
    ],
)
def test_a_week_before_the_connection_is_cut_at_five_local_time(
    store: Store, commits: Commits, tenant: Tenant, friday: str, cut: str
) -> None:
    first = _sync(commits, "2026-11-20T10:00:00Z")
    _sync(commits, "2026-11-21T10:00:00Z")
    week = store.newest_week(tenant, as_of=date.fromisoformat(friday))
    assert (week.sync, week.known_until) == (first, datetime.fromisoformat(cut))
    assert week.first_known_at == first.data_as_of


def test_the_rest_of_a_week_sees_what_its_first_result_saw(store: Store, commits: Commits, tenant: Tenant) -> None:
    _sync(commits, "2026-11-20T10:00:00Z")
    week = store.newest_week(tenant, as_of=_FRIDAY)
    store.put(week, _RESULT, make_rows("1"))
    _sync(commits, "2026-11-20T11:00:00Z")
    assert store.week_of(tenant, as_of=_FRIDAY, table=_RESULT) == week
    assert store.newest_week(tenant, as_of=_FRIDAY) != week


def test_a_week_without_results_is_not_ready(store: Store, commits: Commits, tenant: Tenant) -> None:
    _sync(commits, "2026-11-20T10:00:00Z")
    with pytest.raises(TenantNotReady, match="books/ageing"):
        store.week_of(tenant, as_of=_FRIDAY, table=_RESULT)
    with pytest.raises(TenantNotReady, match="books/ageing"):
        store.result(store.newest_week(tenant, as_of=_FRIDAY), _RESULT)


def test_a_result_is_read_back_as_it_was_put(store: Store, commits: Commits, tenant: Tenant, tmp_path: Path) -> None:
    _sync(commits, "2026-11-20T10:00:00Z")
    week = store.newest_week(tenant, as_of=_FRIDAY)
    segment = store.put(week, _RESULT, make_rows("2", "1"))
    assert store.result(week, _RESULT) == segment
    assert make_lake(tmp_path).read(tenant=ACME, segments=[segment]).to_pylist() == make_rows("2", "1").to_pylist()


def test_the_same_rows_again_make_no_second_file(
    store: Store, commits: Commits, tenant: Tenant, tmp_path: Path
) -> None:
    _sync(commits, "2026-11-20T10:00:00Z")
    week = store.newest_week(tenant, as_of=_FRIDAY)
    assert store.put(week, _RESULT, make_rows("1")) == store.put(week, _RESULT, make_rows("1"))
    assert len(list(tmp_path.rglob("*.parquet"))) == 1


def test_a_result_of_older_books_is_not_taken_for_one_of_the_newest(
    store: Store, commits: Commits, tenant: Tenant
) -> None:
    _sync(commits, "2026-11-20T10:00:00Z")
    store.put(store.newest_week(tenant, as_of=_FRIDAY), _RESULT, make_rows("1"))
    _sync(commits, "2026-11-20T11:00:00Z")
    with pytest.raises(TenantNotReady, match="Materialize"):
        store.result(store.newest_week(tenant, as_of=_FRIDAY), _RESULT)


def test_history_is_what_the_weeks_sync_knew_oldest_first(
    store: Store, commits: Commits, tenant: Tenant, tmp_path: Path
) -> None:
    lake, table = make_lake(tmp_path), "raw_qbo/bills"
    written = []
    for instant in ("2026-11-13T10:00:00Z", "2026-11-20T10:00:00Z", "2026-11-23T10:00:00Z"):
        rows = make_rows("9", known_at=datetime.fromisoformat(instant))
        written.append(lake.write(tenant=ACME, table=table, rows=rows))
        _sync(commits, instant, segments=written[-1:])
    week = store.newest_week(tenant, as_of=_FRIDAY)
    assert store.history(week, table) == written[:2]
    assert store.history(week, "raw_qbo/vendors") == []


def test_the_sweep_takes_what_no_commit_names(store: Store, commits: Commits, tenant: Tenant, tmp_path: Path) -> None:
    _sync(commits, "2026-11-20T10:00:00Z")
    week = store.newest_week(tenant, as_of=_FRIDAY)
    store.put(week, _RESULT, make_rows("replaced"))
    kept = store.put(week, _RESULT, make_rows("visible"))
    now = datetime.now(tz=UTC)
    old = (now - UNNAMED_KEPT_FOR - timedelta(minutes=1)).timestamp()
    for path in tmp_path.rglob("*.parquet"):
        os.utime(path, (old, old))
    assert store.sweep(ACME, now=now) == 1
    assert store.sweep(ACME, now=now) == 0
    assert [path.name for path in tmp_path.rglob("*.parquet")] == [Path(kept.path).name]
    assert store.result(week, _RESULT) == kept
