"""Marks of changed tenants: once an event, covered by the sync that began after it, on both engines."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from resources.clock import FixedClock, SystemClock
from resources.database import Database
from resources.dirty_tenants import REMEMBERED, DirtyTenants
from resources.qbo_webhooks import Event
from resources.registry import TenantRegistry
from resources.tables import WEBHOOK_EVENT
from tests.databases import url_of
from tests.processes import at_once
from tests.resources.builders import ACME, BOLT, add_tenants, connect, make_connections

_SOON = timedelta(seconds=1)


@pytest.fixture
def marks(database: Database, clock: FixedClock) -> DirtyTenants:
    add_tenants(database, clock, ACME, BOLT)
    connections = make_connections(database, clock)
    connect(connections, ACME, realm_id="1")
    connect(connections, BOLT, realm_id="2")
    return DirtyTenants(database, clock=clock, environment="local")


def _event(name: str, realm: str = "1") -> Event:
    return Event(event_id=name, realm_id=realm)


def _generations(marks: DirtyTenants) -> dict[str, int]:
    return {one.tenant_id: one.generation for one in marks.dirty()}


def test_a_delivery_marks_each_tenant_it_names_once(marks: DirtyTenants) -> None:
    found = marks.notice([_event("a"), _event("b"), _event("c", "2")])
    assert (found.marked, found.repeated, found.unknown_realms) == ((ACME, BOLT), 0, 0)
    assert _generations(marks) == {ACME: 1, BOLT: 1}


def test_an_event_that_comes_again_marks_nobody_even_after_a_sync(marks: DirtyTenants, clock: FixedClock) -> None:
    marks.notice([_event("a")])
    assert marks.cover(ACME, read_started_at=clock.now() + _SOON)
    found = marks.notice([_event("a")])
    assert (found.marked, found.repeated) == ((), 1)
    assert _generations(marks) == {}


def test_the_company_of_no_tenant_is_counted_once_and_ignored(marks: DirtyTenants, database: Database) -> None:
    assert marks.notice([_event("x", "999"), _event("y", "999")]).unknown_realms == 2
    assert marks.notice([_event("x", "999")]).unknown_realms == 0
    assert _generations(marks) == {}
    with database.read() as connection:
        outcomes = [row.outcome for row in connection.execute(select(WEBHOOK_EVENT.c.outcome))]
    assert outcomes == ["unknown realm"] * 2


def test_a_company_of_another_environment_is_no_tenants(
    marks: DirtyTenants, database: Database, clock: FixedClock
) -> None:
    elsewhere = DirtyTenants(database, clock=clock, environment="production")
    assert elsewhere.notice([_event("a")]).unknown_realms == 1
    assert _generations(marks) == {}


def test_a_sync_covers_what_was_noticed_before_it_began_to_read_and_nothing_later(
    marks: DirtyTenants, clock: FixedClock
) -> None:
    marks.notice([_event("a")])
    began = clock.now() + _SOON
    clock.move_to(began + _SOON)
    marks.notice([_event("b")])  # while the sync reads
    assert not marks.cover(ACME, read_started_at=began)
    assert _generations(marks) == {ACME: 2}
    assert marks.cover(ACME, read_started_at=clock.now() + _SOON)
    assert _generations(marks) == {}
    assert not marks.cover(ACME, read_started_at=clock.now() + _SOON)


def test_a_new_change_after_a_sync_is_a_new_generation(marks: DirtyTenants, clock: FixedClock) -> None:
    marks.notice([_event("a")])
    marks.cover(ACME, read_started_at=clock.now() + _SOON)
    marks.notice([_event("b")])
    assert _generations(marks) == {ACME: 2}


def test_covering_one_tenant_leaves_the_other_dirty(marks: DirtyTenants, clock: FixedClock) -> None:
    marks.notice([_event("a"), _event("b", "2")])
    marks.cover(ACME, read_started_at=clock.now() + _SOON)
    assert _generations(marks) == {BOLT: 1}


def test_a_deactivated_tenant_is_not_asked_for(marks: DirtyTenants, database: Database, clock: FixedClock) -> None:
    marks.notice([_event("a")])
    TenantRegistry(database, clock=clock).deactivate(ACME)
    assert _generations(marks) == {}


def test_a_tenant_whose_connection_is_lost_is_not_asked_for_until_it_is_connected_again(
    marks: DirtyTenants, database: Database, clock: FixedClock
) -> None:
    marks.notice([_event("a"), _event("b", "2")])
    connections = make_connections(database, clock)
    connections.mark_lost(connections.load(ACME), because="revoked")
    assert _generations(marks) == {BOLT: 1}
    connect(connections, ACME, realm_id="1")
    assert _generations(marks) == {ACME: 1, BOLT: 1}
    assert DirtyTenants(database, clock=clock, environment="production").dirty() == []


def test_ten_thousand_events_in_one_delivery_mark_and_repeat_as_a_few_do(marks: DirtyTenants) -> None:
    events = [_event(f"e{number}", str(number % 3)) for number in range(10_000)]
    found = marks.notice(events)
    assert (found.marked, found.unknown_realms) == ((ACME, BOLT), 3_334)
    assert marks.notice(events).repeated == 10_000
    assert _generations(marks) == {ACME: 1, BOLT: 1}


def test_events_are_forgotten_when_nobody_can_repeat_them_any_more(
    marks: DirtyTenants, database: Database, clock: FixedClock
) -> None:
    marks.notice([_event("a")])
    clock.move_to(clock.now() + REMEMBERED + _SOON)
    marks.notice([_event("b")])
    with database.read() as connection:
        assert [row.event_id for row in connection.execute(select(WEBHOOK_EVENT.c.event_id))] == ["b"]


def test_the_same_delivery_at_once_in_several_processes_marks_once(marks: DirtyTenants, database: Database) -> None:
    marked = at_once(4, _notice, url_of(database))
    assert sorted(marked) == [0, 0, 0, 1]
    assert _generations(marks) == {ACME: 1}


def _notice(number: int, url: str) -> int:
    database = Database(url)
    try:
        marks = DirtyTenants(database, clock=SystemClock(), environment="local")
        return len(marks.notice([_event("a"), _event("b", "77")]).marked)
    finally:
        database.close()
