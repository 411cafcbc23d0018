"""The audit: one row an act, a chain of hashes, and a replay that gives the tables."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Connection, text, update

from payments.controls.anchors import Anchor, known_anchor, present_anchor
from payments.errors import NotEnoughCash
from payments.store.audit import head, story, verify
from payments.store.bill_tables import DECISION
from payments.store.cash_tables import HOLD
from payments.store.tables import AUDIT
from resources.failpoints import Interrupted, arm, disarm, interrupt
from resources.registry import TenantRegistry
from resources.row_security import see_tenant
from tests.payments.desk import Desk, make_bill
from tests.resources.builders import BOLT


@pytest.fixture
def desk(bare_desk: Desk) -> Desk:
    """One decision in a sealed batch."""
    bare_desk.sync(make_bill("b1"), make_bill("b2", open_cents=95_000))
    bare_desk.ready("b1", "b2")
    bare_desk.finalize(bare_desk.pay_now("b1"))
    return bare_desk


@contextmanager
def _past_the_guards(desk: Desk, table: str) -> Iterator[Connection]:
    """A connection of somebody who can switch the triggers of a table off."""
    with desk.database.write() as connection:
        see_tenant(connection, desk.tenant)
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql(f"ALTER TABLE {table} DISABLE TRIGGER USER")
            yield connection
            connection.exec_driver_sql(f"ALTER TABLE {table} ENABLE TRIGGER USER")
            return
        triggers = text("SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = :table")
        found = connection.execute(triggers, {"table": table}).all()
        for name, _ in found:
            connection.exec_driver_sql(f"DROP TRIGGER {name}")
        yield connection
        for _, statement in found:
            connection.exec_driver_sql(statement)


def _verified(desk: Desk) -> Any:
    with desk.ledger.look(desk.tenant) as look:
        return verify(look)


def test_the_log_tells_the_tables(desk: Desk) -> None:
    found = _verified(desk)
    assert found.is_sound
    with desk.ledger.look(desk.tenant) as look:
        assert head(look) == (found.rows, found.head)


def test_the_head_of_an_earlier_instant_stays_what_it_was(desk: Desk) -> None:
    def known() -> Anchor:
        with desk.ledger.look(desk.tenant) as look:
            return known_anchor(look, known_until=then)

    then = desk.clock.now()
    before = known()
    assert before == present_anchor(desk.ledger, desk.tenant)
    desk.later(seconds=1)
    desk.pay_now("b2", amount_cents=100)
    assert known() == before != present_anchor(desk.ledger, desk.tenant)
    with desk.ledger.look(desk.tenant) as look:
        assert known_anchor(look, known_until=datetime(2020, 1, 1, tzinfo=UTC)) == Anchor(number=0, hash="")


def test_an_act_and_its_row_commit_together_or_not_at_all(desk: Desk) -> None:
    rows, decisions = len(desk.rows(AUDIT)), len(desk.rows(DECISION))
    with pytest.raises(NotEnoughCash):
        desk.pay_now("b2")
    arm("decide.in", action=interrupt)
    try:
        with pytest.raises(Interrupted):
            desk.pay_now("b2", amount_cents=100)
    finally:
        disarm()
    assert (len(desk.rows(AUDIT)), len(desk.rows(DECISION))) == (rows, decisions)
    desk.pay_now("b2", amount_cents=100)
    assert len(desk.rows(AUDIT)) == rows + 1
    assert _verified(desk).is_sound


def test_an_edited_row_of_the_log_breaks_the_chain_there(desk: Desk) -> None:
    with _past_the_guards(desk, "audit") as connection:
        connection.execute(
            update(AUDIT).where(AUDIT.c.tenant_id == desk.tenant, AUDIT.c.number == 5).values(actor="nobody")
        )
    found = _verified(desk)
    assert [one.split(":")[0] for one in found.broken] == ["row 5"]


def test_a_row_that_was_taken_out_breaks_the_chain(desk: Desk) -> None:
    with _past_the_guards(desk, "audit") as connection:
        connection.execute(AUDIT.delete().where(AUDIT.c.tenant_id == desk.tenant, AUDIT.c.number == 5))
    assert not _verified(desk).is_sound


def test_a_changed_table_is_not_what_the_log_tells(desk: Desk) -> None:
    with _past_the_guards(desk, "hold") as connection:
        connection.execute(
            update(HOLD).where(HOLD.c.tenant_id == desk.tenant, HOLD.c.state == "pending").values(amount_cents=1)
        )
    (different,) = _verified(desk).different
    assert different.startswith("hold/")
    assert "amount_cents" in different


def test_a_row_slipped_in_beside_the_log_is_noticed(desk: Desk) -> None:
    row = desk.rows(DECISION)[0] | {"decision_id": "slipped-in", "number": 99, "request_key": "slipped"}
    with _past_the_guards(desk, "decision") as connection:
        connection.execute(DECISION.insert().values(row))
    assert _verified(desk).different == ("decision/slipped-in: not in the log",)


def test_the_story_of_a_bill_is_told_in_order(desk: Desk) -> None:
    with desk.ledger.look(desk.tenant) as look:
        told = [row["kind"] for row in story(look, entity="bill_workflow/b1/1")]
    assert told == ["bills discovered", "bill approved", "bill staged", "payment decided", "batch finalized"]


def test_chains_of_two_tenants_are_apart(desk: Desk) -> None:
    desk.ledger.clock.sleep(1)
    registry = TenantRegistry(desk.database, clock=desk.clock)
    registry.add_tenant(BOLT, firm_id="north-books", name="Bolt", zone="Europe/London")
    other = Desk(desk.database, desk.clock, tenant=BOLT, register=False)
    other.people(add=False)
    other.sync(make_bill("b1"))
    rows = desk.rows(AUDIT)
    other.ready("b1")
    assert desk.rows(AUDIT) == rows
    assert _verified(other).is_sound
    assert _verified(desk).is_sound
