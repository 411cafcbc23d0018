"""The second net on Postgres: a statement that forgets its tenant finds nothing, whoever owns the tables."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import Connection, Table, func, insert, select, text, update
from sqlalchemy.exc import DBAPIError

from payments.sending.giving_up import why_company_stays
from payments.sending.runs import due_batches
from payments.store.batch_tables import BATCH
from payments.store.bill_tables import BILL_WORKFLOW, PERSON
from payments.store.cash_tables import FREE_CASH, HOLD
from payments.store.repository import Row
from payments.store.tables import AUDIT, REPLAYED
from resources.clock import FixedClock
from resources.database import Database
from resources.registry import TenantRegistry
from resources.row_security import see_everybody, see_tenant
from resources.tenants import TenantId
from tests.conftest import FRIDAY_MORNING
from tests.databases import as_owner, empty
from tests.payments.desk import Desk, make_bill
from tests.resources.builders import ACME, BOLT

pytestmark = pytest.mark.xdist_group("postgres")
_LEDGER = (*REPLAYED, AUDIT)


@pytest.fixture(scope="module")
def desks(migrated_url: str) -> Iterator[tuple[Desk, Desk]]:
    """Two tenants with a decision and a sealed batch each, written by the owner of the tables; no test leaves a trace."""
    empty(migrated_url)
    database = Database(as_owner(migrated_url))
    desk = Desk(database, FixedClock(FRIDAY_MORNING))
    registry = TenantRegistry(database, clock=desk.clock)
    registry.add_tenant(BOLT, firm_id="north-books", name="Bolt", zone="Europe/London")
    other = Desk(database, desk.clock, tenant=BOLT, register=False)
    other.people(add=False)
    for one in (desk, other):
        one.sync(make_bill("b1"), make_bill("b2"))
        one.policy(separation_above_cents=5_000)
        one.ready("b1", "b2")
        one.finalize(one.pay_now("b1"))
        one.schedule("b2")
    yield desk, other
    database.close()


def _tenants(connection: Connection, table: Table) -> set[str]:
    return set(connection.execute(select(table.c.tenant_id)).scalars())


def _insert(desk: Desk, batch: Row, *, named: TenantId | None) -> None:
    with desk.database.write() as connection:
        see_everybody(connection) if named is None else see_tenant(connection, named)
        connection.execute(insert(BATCH).values(batch))


def test_a_company_stays_for_payments_of_its_own_tenant(desks: tuple[Desk, Desk]) -> None:
    with desks[0].database.write() as connection:
        for tenant in (ACME, BOLT):
            assert f"1 payment of {tenant!r}" in str(why_company_stays(connection, tenant))
        assert why_company_stays(connection, TenantId("somebody-else")) is None


def test_the_owner_of_the_tables_is_no_superuser(desks: tuple[Desk, Desk]) -> None:
    with desks[0].database.read() as connection:
        asked = text("SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user")
        assert connection.execute(asked).scalar_one() is False


def test_every_table_of_the_ledger_with_a_tenant_has_the_net(desks: tuple[Desk, Desk]) -> None:
    with desks[0].database.read() as connection:
        forced = text("SELECT relname FROM pg_class WHERE relrowsecurity AND relforcerowsecurity")
        assert set(connection.execute(forced).scalars()) == {table.name for table in _LEDGER}
    assert "tenant_id" not in PERSON.c


def test_who_names_nobody_sees_and_changes_nothing(desks: tuple[Desk, Desk]) -> None:
    desk, _ = desks
    with desk.database.write() as connection:
        for table in (*_LEDGER, FREE_CASH):
            assert connection.execute(select(table)).all() == [], table.name
        assert connection.execute(update(HOLD).values(void_because="x")).rowcount == 0
        assert connection.execute(HOLD.delete()).rowcount == 0
    assert len(desk.rows(HOLD, HOLD.c.state == "pending")) == 2


def test_who_names_a_tenant_sees_no_other_though_the_statement_forgets_to_ask(desks: tuple[Desk, Desk]) -> None:
    desk, other = desks
    for mine in (desk, other):
        with mine.database.write() as connection:
            see_tenant(connection, mine.tenant)
            for table in (BILL_WORKFLOW, HOLD, BATCH, AUDIT, FREE_CASH):
                assert _tenants(connection, table) == {mine.tenant}, table.name


def test_no_row_of_another_tenant_is_written(desks: tuple[Desk, Desk]) -> None:
    desk, other = desks
    (batch,) = other.rows(BATCH)
    forged = batch | {"batch_id": "forged", "state": "open", "holder": None}
    with pytest.raises(DBAPIError, match="row-level security"):
        _insert(desk, forged, named=ACME)
    with desk.database.write() as connection:
        see_tenant(connection, ACME)
        moved = update(BATCH).where(BATCH.c.tenant_id == BOLT).values(state="claimed", generation=1, holder="me")
        assert connection.execute(moved).rowcount == 0
    assert other.rows(BATCH) == [batch]


def test_what_a_transaction_named_ends_with_it(desks: tuple[Desk, Desk]) -> None:
    """A connection goes back into the pool: the next one to get it must name its tenant again."""
    desk, _ = desks
    with desk.ledger.look(ACME) as look:
        assert look.many(HOLD)
    with desk.database.read() as connection:
        assert connection.execute(select(HOLD)).all() == []


def test_lists_across_tenants_read_and_never_write(desks: tuple[Desk, Desk]) -> None:
    desk, other = desks
    found = due_batches(desk.database, now=desk.clock.now() + timedelta(hours=1), most=10)
    assert {one.tenant_id for one in found} == {ACME, BOLT}
    with desk.database.write() as connection:
        see_everybody(connection)
        assert _tenants(connection, BATCH) == {ACME, BOLT}
        claimed = update(BATCH).values(state="claimed", generation=1, holder="me")
        assert connection.execute(claimed).rowcount == 0
    with pytest.raises(DBAPIError, match="row-level security"):
        _insert(desk, other.rows(BATCH)[0] | {"batch_id": "forged", "state": "open"}, named=None)


def test_the_ledger_is_the_same_with_the_net_and_without(desks: tuple[Desk, Desk], migrated_url: str) -> None:
    """The superuser of the server, whom no policy binds, reads what the owner wrote: nothing was lost on the way."""
    unbound = Database(migrated_url)
    try:
        for desk in desks:
            with unbound.read() as connection:
                counted = {
                    table.name: connection.execute(
                        select(func.count()).select_from(table).where(table.c.tenant_id == desk.tenant)
                    ).scalar_one()
                    for table in _LEDGER
                }
            assert {table.name: len(desk.rows(table)) for table in _LEDGER} == counted
    finally:
        unbound.close()
