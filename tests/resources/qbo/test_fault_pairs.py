"""A tenant whose QuickBooks fails in every known way, beside tenants that are well: nothing is lost or doubled, nobody waits."""

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import combinations, count
from pathlib import Path
from random import Random
from typing import Any, get_args

import pytest

from migrations.chain import upgrade
from qbo_sandbox.fault_plan import FaultKind
from resources.clock import FixedClock
from resources.errors import TenantError
from resources.failpoints import arm, disarm, reached
from resources.installation import Installation
from resources.qbo.patience import Patience, RetryPolicy
from resources.qbo.smart_sync import SmartSync
from resources.qbo.sync_report import SyncReport
from resources.qbo.turnstile import Turnstile
from resources.settings import Settings
from resources.tenants import TenantId, tenant_id
from tests.conftest import FRIDAY_MORNING
from tests.consent import connect
from tests.resources.qbo.kept_versions import doubled, kept, living
from tests.resources.qbo.standstill import Standstill
from tests.sandbox import Sandbox

_KINDS: tuple[str, ...] = get_args(FaultKind)
#: Each kind alone, and every two of them.
_CELLS = [*((kind,) for kind in _KINDS), *combinations(_KINDS, 2)]
_SEED = 20261120
_SAMPLE = 4
_A_STREET = 13
_REALMS = count(9_130_361_000_000_001)
_DOCUMENTS = {"Bill", "Invoice", "VendorCredit", "CreditMemo", "Payment", "BillPayment"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Street:
    """One installation with tenants that are well, and another that reads each company anew."""

    sandbox: Sandbox
    installation: Installation
    fresh: Installation
    clock: Standstill
    well: tuple[TenantId, ...]
    realms: dict[TenantId, str] = field(default_factory=dict)

    def move_in(self, *, size: str = "micro") -> TenantId:
        """A new tenant with a company of its own."""
        realm_id = str(next(_REALMS))
        tenant = tenant_id(f"tenant-{realm_id[-4:]}")
        self.realms[tenant] = self.sandbox.add_company(
            realm_id=realm_id,
            name=f"Company {realm_id[-4:]}",
            industry="consulting",
            size=size,
            seed=int(realm_id[-4:]),
            as_of="2026-11-20",
            zone="America/New_York",
        )
        for one in (self.installation, self.fresh):
            one.registry.add_tenant(tenant, firm_id="birch-cpa", name=tenant, zone="America/New_York")
            connect(one, tenant, realm_id)
        return tenant

    def live(self, tenants: Sequence[TenantId], *, seed: int, operations: int) -> None:
        for tenant in tenants:
            step = {"days": 1, "seed": seed, "operations": operations, "move_clock": False}
            path = f"/__sandbox__/realms/{self.realms[tenant]}/step"
            self.sandbox.control.post(path, json=step).raise_for_status()

    def requests(self, tenant: TenantId) -> list[dict[str, Any]]:
        return self.sandbox.requests(self.realms[tenant])

    def sync_beside(
        self, troubled: Sequence[TenantId], *, places: int, sync: SmartSync | None = None
    ) -> dict[TenantId, SyncReport | TenantError]:
        """Sync the troubled tenants and, begun after them, those that are well; time stands still until these are done."""
        before = {tenant: self._newest(tenant) for tenant in self.well}
        everybody_done = threading.Event()

        def look() -> None:
            if all(self._newest(tenant) != sync_id for tenant, sync_id in before.items()):
                everybody_done.set()
                self.clock.run()

        arm("commit.after", hit=None, action=look)
        self.clock.stand_still()
        try:
            found = (sync or self.installation.smart_sync).sync_many([*troubled, *self.well], workers=places)
        finally:
            disarm()
            self.clock.run()
        assert everybody_done.is_set()
        return found

    def _newest(self, tenant: TenantId) -> str | None:
        newest = self.installation.commits.newest_sync(tenant)
        return None if newest is None else newest.sync_id


@pytest.fixture(scope="module")
def street(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[_Street]:
    with _open_street(sandbox, tmp_path_factory.mktemp("street")) as opened:
        yield opened


@contextmanager
def _open_street(sandbox: Sandbox, folder: Path) -> Iterator[_Street]:
    clock = Standstill(FRIDAY_MORNING)
    first, fresh = (
        Installation(Settings(data_dir=folder / name, qbo_local_url=sandbox.url), clock=one)
        for name, one in (("first", clock), ("fresh", FixedClock(FRIDAY_MORNING)))
    )
    try:
        for one in (first, fresh):
            upgrade(one.database)
            one.registry.add_firm("birch-cpa", name="Birch CPA")
        opened = _Street(sandbox=sandbox, installation=first, fresh=fresh, clock=clock, well=())
        well = tuple(opened.move_in() for _ in range(2))
        for tenant in well:
            first.smart_sync.sync(tenant)
        yield _Street(sandbox=sandbox, installation=first, fresh=fresh, clock=clock, well=well, realms=opened.realms)
    finally:
        first.close()
        fresh.close()


def _plan(street: _Street, tenant: TenantId, kinds: Sequence[str], *, seed: int) -> None:
    """Both kinds strike the first request together, and several of those after it by chance."""
    for number, kind in enumerate(kinds):
        slow = {"seconds": 0.02} if kind in ("latency", "slow_then_commit") else {}
        for chance in ({"times": 1}, {"probability": 0.4, "seed": seed + number, "skip": 1, "times": 3}):
            street.sandbox.break_with(street.realms[tenant], kind=kind, **slow, **chance)


def _sync_until_done(street: _Street, tenant: TenantId, found: SyncReport | TenantError) -> SyncReport:
    for _ in range(20):
        if isinstance(found, SyncReport):
            return found
        street.clock.sleep(90)
        found = street.installation.smart_sync.sync_many([tenant])[tenant]
    raise AssertionError(f"the sync never came through: {found}")


def _assert_nobody_waited(
    street: _Street, found: dict[TenantId, SyncReport | TenantError], *, log_from: dict[TenantId, int]
) -> None:
    for tenant in street.well:
        report = found[tenant]
        assert isinstance(report, SyncReport)
        requests = street.requests(tenant)[log_from[tenant] :]
        assert [one["status"] for one in requests] == [200] * len(requests)
        assert len(requests) == report.shared_calls + sum(one.calls for one in report.entities) > 0
        # Of its own pace alone: eight calls a second.
        assert report.shared_waited_seconds + sum(one.waited_seconds for one in report.entities) <= len(requests) / 8


def _assert_true(street: _Street, tenant: TenantId) -> None:
    """Each object once, as a fresh load has it, and what is open as the sandbox's own journal says."""
    versions = kept(street.installation, tenant)
    assert doubled(versions) == []
    assert street.fresh.smart_sync.sync(tenant).kind == "full"
    assert living(versions) == living(kept(street.fresh, tenant))
    _assert_open_items(street, tenant)


def _assert_open_items(street: _Street, tenant: TenantId) -> None:
    truth = street.sandbox.truth(street.realms[tenant], basis="known", day=date(2999, 1, 1))
    listed = [*truth["payables"]["open"], *truth["receivables"]["open"]]
    expected = {(one["txn_type"], one["id"]) for one in listed if one["txn_type"] in _DOCUMENTS}
    present = living(kept(street.installation, tenant, tuple(sorted(_DOCUMENTS))))
    assert {(kind, qbo_id) for kind, qbo_id in expected if qbo_id not in present[kind]} == set()


def _goes_through(street: _Street, kinds: Sequence[str], *, seed: int) -> None:
    troubled = street.move_in()
    for kind, operations in (("full", 6), ("changes", 12)):
        street.live(street.well, seed=seed, operations=operations)
        _plan(street, troubled, kinds, seed=seed)
        log_from = {tenant: len(street.requests(tenant)) for tenant in street.well}
        found = street.sync_beside([troubled], places=1)
        _assert_nobody_waited(street, found, log_from=log_from)
        report = _sync_until_done(street, troubled, found[troubled])
        assert report.kind == kind
        struck = {fault["kind"] for fault in _planned(street, troubled) if fault["hits"]}
        assert struck == set(kinds)
        street.sandbox.heal(street.realms[troubled])
        street.live([troubled], seed=seed, operations=operations)
    street.installation.smart_sync.sync(troubled)
    _assert_true(street, troubled)
    for tenant in street.well:
        _assert_open_items(street, tenant)


def _planned(street: _Street, tenant: TenantId) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = street.sandbox.control.get(
        f"/__sandbox__/realms/{street.realms[tenant]}/faults"
    ).json()
    return found


_DRAWN = Random(_SEED).sample(_CELLS, _SAMPLE)  # noqa: S311 - a reproducible sample, not a secret


@pytest.mark.parametrize("kinds", [pytest.param(kinds, id=" and ".join(kinds)) for kinds in _DRAWN])
def test_a_tenant_that_fails_comes_through_and_holds_up_nobody(street: _Street, kinds: tuple[str, ...]) -> None:
    _goes_through(street, kinds, seed=_SEED + _CELLS.index(kinds))


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("first", range(0, len(_CELLS), _A_STREET))
def test_every_fault_and_every_two_are_come_through(sandbox: Sandbox, tmp_path: Path, first: int) -> None:
    # Tenants that are well live through each cell: in a street of its own for some cells their history stays short.
    with _open_street(sandbox, tmp_path) as street:
        for number in range(first, min(first + _A_STREET, len(_CELLS))):
            seed = _SEED + 1000 + number
            print(f"{' and '.join(_CELLS[number])}, seed {seed}")  # noqa: T201 - a long run prints its seeds
            _goes_through(street, _CELLS[number], seed=seed)


def test_more_throttled_tenants_than_places_hold_up_nobody(street: _Street) -> None:
    """Each waits a minute, and a minute again, for its own QuickBooks; there are two places and six of them."""
    troubled = [street.move_in() for _ in range(6)]
    for tenant in troubled:
        street.sandbox.break_with(street.realms[tenant], kind="throttle_storm")
    street.live(street.well, seed=3, operations=4)
    log_from = {tenant: len(street.requests(tenant)) for tenant in street.well}
    found = street.sync_beside(troubled, places=2)
    _assert_nobody_waited(street, found, log_from=log_from)
    assert all(isinstance(found[tenant], TenantError) for tenant in troubled)


@pytest.mark.parametrize("kind", ["latency", "slow_then_commit"])
def test_tenants_whose_quickbooks_is_slow_hold_up_nobody(street: _Street, kind: str) -> None:
    """Every answer to a tenant that is well is out before the first answer to one that waits for a slow QuickBooks."""

    class Passing(Standstill):
        """Time that passes while somebody looks: an answer is late after some looks."""

        def now(self) -> datetime:
            self.sleep(0.2)
            return super().now()

    installation = street.installation
    clock = Passing(street.clock.now() + timedelta(days=1))
    sync = SmartSync(
        client=installation.qbo_client,
        tokens=installation.token_keeper,
        lake=installation.lake,
        commits=installation.commits,
        clock=clock,
        patience=Patience(clock=clock, policy=RetryPolicy(), turnstile=Turnstile(installation.database, clock=clock)),
    )
    troubled = [street.move_in() for _ in range(2)]
    for tenant in troubled:
        street.sandbox.break_with(street.realms[tenant], kind=kind, seconds=4.0, times=1)
    street.live(street.well, seed=4, operations=4)
    log_from = {tenant: len(street.requests(tenant)) for tenant in street.well}
    found = street.sync_beside(troubled, places=1, sync=sync)
    assert all(isinstance(report, SyncReport) for report in found.values())
    well = [one["finished"] for tenant in street.well for one in street.requests(tenant)[log_from[tenant] :]]
    slow = [street.requests(tenant)[0]["finished"] for tenant in troubled]
    assert len(well) >= len(street.well)
    assert max(well) < min(slow)


def test_no_call_is_made_while_the_database_is_held(street: _Street) -> None:
    """On SQLite one writer keeps all others out: a slow answer inside of a transaction would stop every tenant."""
    tenant = street.move_in()
    database = street.installation.database.url.database
    assert database is not None

    def write_beside() -> None:
        beside = sqlite3.connect(database, timeout=0, isolation_level=None)
        try:
            beside.execute("BEGIN IMMEDIATE")
            beside.execute("ROLLBACK")
        finally:
            beside.close()

    arm("call.answered", hit=None, action=write_beside)
    try:
        report = street.installation.smart_sync.sync(tenant)
        assert reached("call.answered") == report.shared_calls + sum(one.calls for one in report.entities)
    finally:
        disarm()
