"""How the syncs stand: what is kept is told, what is old is named, what the limits cost is counted."""

import json
from datetime import timedelta

import pytest

from resources.qbo.errors import QboQuotaExhausted
from resources.qbo.kinds import ENTITIES
from resources.qbo.sync_policy import SyncPolicy
from resources.qbo.sync_status import Age, SyncStatus, SyncStatuses, status_json
from resources.qbo.turnstile import Turnstile
from resources.qbo.usage import CallBudget
from resources.registry import TenantRegistry
from tests.resources.qbo.house import NOW, TENANT, House
from tests.resources.qbo.scripted_qbo import Answer, ScriptedQbo


def _status(house: House, **budget: int) -> SyncStatus:
    statuses = SyncStatuses(
        commits=house.commits,
        connections=house.connections,
        turnstile=Turnstile(house.database, clock=house.clock, budget=CallBudget(**budget)),
        policy=SyncPolicy(),
    )
    tenant = TenantRegistry(house.database, clock=house.clock).tenant(TENANT)
    return statuses.of(tenant, now=house.clock.now())


def _books(qbo: ScriptedQbo) -> None:
    qbo.books.add("Vendor", "56")
    qbo.books.add("Bill", "1")
    qbo.books.add("Bill", "2", TotalAmt="many")


def test_before_the_first_sync_nothing_is_known_and_nothing_is_called_zero_days_old(house: House) -> None:
    found = _status(house)
    assert (found.last_sync, found.versions, found.usage.metered) == (None, 0, 0)
    assert {(kind.state, kind.age) for kind in found.kinds} == {(Age.NEVER, None)}
    assert [kind.entity for kind in found.kinds] == [kind.entity for kind in ENTITIES]


def test_a_sync_is_told_with_what_it_kept_and_what_it_cost(house: House, qbo: ScriptedQbo) -> None:
    _books(qbo)
    report = house.smart_sync().sync(TENANT)
    house.clock.sleep(3600)
    found = _status(house)
    assert found.last_sync is not None
    assert (found.last_sync.kind, found.last_sync.sync_id) == ("full", report.sync_id)
    assert found.last_sync.age == house.clock.now() - report.data_as_of
    by_kind = {kind.entity: (kind.versions, kind.quarantined, kind.state) for kind in found.kinds}
    assert by_kind["Bill"] == (1, 1, Age.FRESH)
    assert by_kind["Vendor"] == (1, 0, Age.FRESH)
    assert (found.versions, found.quarantined) == (report.new_versions, 1)
    assert found.usage.metered == report.calls


def test_each_kind_ages_by_its_own_policy(house: House, qbo: ScriptedQbo) -> None:
    _books(qbo)
    house.smart_sync().sync(TENANT)
    ages = []
    for days in (0, 1.05, 1, 6, 7):
        house.clock.sleep(timedelta(days=days).total_seconds())
        state = {kind.entity: kind.state for kind in _status(house).kinds}
        ages.append((state["Preferences"], state["Bill"]))
    assert ages == [
        (Age.FRESH, Age.FRESH),
        (Age.DUE, Age.FRESH),
        (Age.DUE, Age.DUE),
        (Age.DUE, Age.TOO_OLD),
        (Age.TOO_OLD, Age.TOO_OLD),
    ]


def test_what_the_limits_cost_is_counted_even_if_the_sync_fails_for_it(house: House, qbo: ScriptedQbo) -> None:
    _books(qbo)
    qbo.script = lambda path, _statement: Answer(status=429) if path.endswith("/query") else None
    with pytest.raises(QboQuotaExhausted):
        house.smart_sync().sync(TENANT)
    found = _status(house)
    assert found.last_sync is None
    assert found.usage.throttled == 2
    assert found.usage.waited >= timedelta(seconds=120)


def test_waits_for_a_turn_are_waits_for_the_limit(house: House, qbo: ScriptedQbo) -> None:
    _books(qbo)
    report = house.smart_sync().sync(TENANT)
    assert _status(house).usage.waited.total_seconds() == pytest.approx(report.waited_seconds, abs=0.05)
    assert _status(house).usage.throttled == 0


def test_a_month_above_its_budget_is_said_and_syncs_go_on(house: House, qbo: ScriptedQbo) -> None:
    _books(qbo)
    budget = CallBudget(soft=5, hard=500)
    for _ in range(3):
        report = house.smart_sync(budget=budget).sync(TENANT)
    assert report.warning is not None
    assert _status(house, soft=5, hard=500).usage.is_above_soft
    assert not _status(house).usage.is_above_soft


def test_a_dead_connection_is_told_with_its_reason_and_without_a_token(house: House, qbo: ScriptedQbo) -> None:
    _books(qbo)
    house.connections.mark_lost(house.connections.load(TENANT), because="revoked by the user")
    found = _status(house)
    assert found.connection is not None
    assert (found.connection.state, found.connection.lost_because) == ("lost", "revoked by the user")
    assert found.connection.refresh_expires_at == NOW + timedelta(days=100)
    text = json.dumps(status_json(found))
    assert "access-0" not in text
    assert "refresh-0" not in text


def test_the_json_has_units_in_its_names_and_null_for_what_is_unknown(house: House, qbo: ScriptedQbo) -> None:
    before = status_json(_status(house))
    assert before["last_sync"] is None
    assert before["kinds"][0]["age_seconds"] is None
    _books(qbo)
    house.smart_sync().sync(TENANT)
    house.clock.sleep(60)
    found = json.loads(json.dumps(status_json(_status(house))))
    assert found["kinds"][0]["age_seconds"] == found["last_sync"]["age_seconds"] > 60
    assert found["kinds"][0] | {"hard_seconds": 14 * 86_400, "state": "fresh"} == found["kinds"][0]
    assert found["last_sync"]["committed_at"].endswith("+00:00")
    assert found["usage"]["budget"] == 3_000
