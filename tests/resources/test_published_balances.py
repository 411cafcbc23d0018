"""Publications of syncs: one a tenant, the newest one, on both engines."""

from datetime import date, timedelta

import pytest

from resources.clock import FixedClock
from resources.commits import Commits, Sync
from resources.database import Database
from resources.published_balances import CashSnapshot, OpenBill, PublishedBalancesStore
from resources.tenants import TenantId
from tests.resources.builders import ACME, BOLT, NOON, add_tenants, commit_sync

_CHECKING = CashSnapshot(account_id="35", name="Checking", balance_cents=1_234_567_890_12, dated_later_cents=-5)
_BILL = OpenBill(
    bill_id="1",
    vendor_id="7",
    vendor_name="O'Brien & Söhne",
    doc_number="",
    txn_date=date(2026, 11, 1),
    due_date=None,
    currency="USD",
    total_cents=100,
    open_cents=40,
)


@pytest.fixture
def store(database: Database, clock: FixedClock) -> PublishedBalancesStore:
    add_tenants(database, clock, ACME, BOLT)
    return PublishedBalancesStore(database)


def _sync(database: Database, clock: FixedClock, *, hours: int = 0, tenant: TenantId = ACME) -> Sync:
    commits = Commits(database, clock=clock)
    with commits.lease(tenant) as lease:
        return commit_sync(commits, lease, data_as_of=NOON + timedelta(hours=hours))


def test_what_was_published_reads_back_with_its_sync(
    store: PublishedBalancesStore, database: Database, clock: FixedClock
) -> None:
    sync = _sync(database, clock)
    assert store.publish(sync, cash=[_CHECKING], bills=[_BILL])
    found = store.read(ACME)
    assert found is not None
    assert (found.sync_id, found.read_started_at) == (sync.sync_id, NOON)
    assert (found.cash, found.bills) == ((_CHECKING,), (_BILL,))
    assert store.read(BOLT) is None


def test_a_newer_sync_replaces_everything_and_an_older_one_nothing(
    store: PublishedBalancesStore, database: Database, clock: FixedClock
) -> None:
    older, newer = _sync(database, clock), _sync(database, clock, hours=1)
    store.publish(older, cash=[_CHECKING], bills=[_BILL])
    assert store.publish(newer, cash=[_CHECKING], bills=[])
    assert not store.publish(older, cash=[], bills=[_BILL])
    found = store.read(ACME)
    assert found is not None
    assert (found.sync_id, found.cash, found.bills) == (newer.sync_id, (_CHECKING,), ())


def test_publishing_the_same_again_changes_nothing(
    store: PublishedBalancesStore, database: Database, clock: FixedClock
) -> None:
    sync = _sync(database, clock)
    assert store.publish(sync, cash=[_CHECKING], bills=[_BILL])
    assert not store.publish(sync, cash=[_CHECKING], bills=[_BILL])


def test_a_publication_leaves_another_tenants_alone(
    store: PublishedBalancesStore, database: Database, clock: FixedClock
) -> None:
    store.publish(_sync(database, clock, tenant=BOLT), cash=[_CHECKING], bills=[_BILL])
    store.publish(_sync(database, clock), cash=[], bills=[])
    found = store.read(BOLT)
    assert found is not None
    assert found.bills == (_BILL,)
