"""Firms and tenants in the operational database."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from resources.clock import FixedClock
from resources.database import Database
from resources.errors import TenantUnknown
from resources.registry import Firm, RegistryError, TenantRegistry
from resources.settings import Thresholds
from resources.tenants import BadTenantId, BadZone, TenantId
from tests.resources.builders import ACME, BOLT, add_tenants


@pytest.fixture
def registry(database: Database, clock: FixedClock) -> TenantRegistry:
    """A registry with a firm and two tenants."""
    add_tenants(database, clock, ACME, BOLT)
    return TenantRegistry(database, clock=clock)


def test_a_registered_tenant_is_read_back(registry: TenantRegistry, clock: FixedClock) -> None:
    added = registry.add_tenant("cedar-homes", firm_id="north-books", name="Cedar Homes, Inc.", zone="America/Denver")
    assert registry.tenant(added.tenant_id) == added
    assert (added.name, added.zone, added.firm_name) == ("Cedar Homes, Inc.", "America/Denver", "North Books")
    assert (added.active, added.created_at, added.thresholds) == (True, clock.now(), {})


def test_firms_are_listed_by_id(registry: TenantRegistry) -> None:
    registry.add_firm("east-books", name="East Books")
    assert [firm.firm_id for firm in registry.firms()] == ["east-books", "north-books"]
    assert registry.firms()[0] == Firm(firm_id="east-books", name="East Books")


def test_tenants_are_listed_in_the_order_of_their_registration(registry: TenantRegistry, clock: FixedClock) -> None:
    clock.sleep(60)
    registry.add_tenant("aaa-first-by-name", firm_id="north-books", name="A", zone="America/Denver")
    assert [one.tenant_id for one in registry.tenants()] == [ACME, BOLT, "aaa-first-by-name"]


def test_an_id_is_never_used_twice_not_even_after_deactivation(registry: TenantRegistry) -> None:
    registry.deactivate(ACME)
    with pytest.raises(RegistryError, match="never used twice"):
        registry.add_tenant(ACME, firm_id="north-books", name="Another", zone="America/Denver")
    assert registry.tenant(ACME).name == ACME.title()


def test_a_firm_is_registered_once(registry: TenantRegistry) -> None:
    with pytest.raises(RegistryError, match="exists already"):
        registry.add_firm("north-books", name="Other")
    assert registry.firms() == [Firm(firm_id="north-books", name="North Books")]


def test_ids_and_zones_are_checked_at_the_edge(registry: TenantRegistry) -> None:
    with pytest.raises(BadTenantId):
        registry.add_tenant("../acme", firm_id="north-books", name="x", zone="America/Denver")
    with pytest.raises(BadTenantId):
        registry.add_firm("North", name="x")
    with pytest.raises(BadZone):
        registry.add_tenant("cedar-homes", firm_id="north-books", name="x", zone="Mars/Olympus")
    with pytest.raises(RegistryError, match="runway firm add"):
        registry.add_tenant("cedar-homes", firm_id="south-books", name="x", zone="America/Denver")
    assert len(registry.tenants(active_only=False)) == 2


def test_a_deactivated_tenant_leaves_the_list_and_stays_known(registry: TenantRegistry) -> None:
    registry.deactivate(ACME)
    assert [one.tenant_id for one in registry.tenants()] == [BOLT]
    assert [one.tenant_id for one in registry.tenants(active_only=False)] == [ACME, BOLT]
    assert not registry.tenant(ACME).active


def test_a_deactivated_tenant_comes_back_as_it_was(registry: TenantRegistry) -> None:
    before = registry.tenant(ACME)
    registry.deactivate(ACME)
    for _ in range(2):
        registry.reactivate(ACME)
        assert registry.tenant(ACME) == before
    assert [one.tenant_id for one in registry.tenants()] == [ACME, BOLT]


def test_an_unknown_tenant_is_said_to_be_unknown(registry: TenantRegistry) -> None:
    unknown = TenantId("who-is-this")
    for ask in (registry.tenant, registry.deactivate, registry.reactivate):
        with pytest.raises(TenantUnknown, match="runway tenant list"):
            ask(unknown)
    with pytest.raises(TenantUnknown):
        registry.set_thresholds(unknown, {}, defaults=Thresholds())


def test_thresholds_are_set_and_taken_back_one_by_one(registry: TenantRegistry) -> None:
    registry.set_thresholds(ACME, {"floor_cents": 500, "stale_after_days": 3}, defaults=Thresholds())
    registry.set_thresholds(ACME, {"stale_after_days": None, "card_basis": "purchase"}, defaults=Thresholds())
    assert registry.tenant(ACME).thresholds == {"floor_cents": 500, "card_basis": "purchase"}
    assert registry.tenant(BOLT).thresholds == {}


@pytest.mark.parametrize("wrong", [{"floor_cents": -5}, {"flor": 5}, {"card_basis": "both"}])
def test_a_wrong_threshold_is_named_and_changes_nothing(registry: TenantRegistry, wrong: dict[str, object]) -> None:
    registry.set_thresholds(ACME, {"floor_cents": 500}, defaults=Thresholds())
    with pytest.raises(RegistryError, match=next(iter(wrong))):
        registry.set_thresholds(ACME, {"stale_after_days": 9, **wrong}, defaults=Thresholds())
    assert registry.tenant(ACME).thresholds == {"floor_cents": 500}


def test_two_people_who_set_different_thresholds_at_once_both_get_theirs(registry: TenantRegistry) -> None:
    """Reading before the writing transaction once let the second overwrite the first."""

    def set_one(name: str) -> None:
        for value in range(1, 31):
            assert registry.set_thresholds(ACME, {name: value}, defaults=Thresholds()).thresholds[name] == value

    with ThreadPoolExecutor(2) as threads:
        list(threads.map(set_one, ["floor_cents", "stale_after_days"]))
    assert registry.tenant(ACME).thresholds == {"floor_cents": 30, "stale_after_days": 30}


def test_an_instant_of_registration_is_kept_to_the_microsecond(database: Database) -> None:
    instant = datetime(2026, 11, 20, 12, 30, 0, 123456, tzinfo=UTC) + timedelta(microseconds=1)
    [tenant] = add_tenants(database, FixedClock(instant), ACME)
    assert tenant.created_at == instant
