"""Back and forth over every revision: what the next sync makes again goes, the ledger is kept, what people entered is refused."""

from datetime import UTC, datetime
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Table, func, inspect, select, text
from sqlalchemy.exc import DBAPIError

from migrations.chain import downgrade, upgrade
from migrations.going_back import WouldLoseData
from payments.sending.batches import verify_seal
from payments.store.audit import verify
from payments.store.batch_tables import BATCH
from payments.store.bill_tables import PERSON
from payments.store.invariants import broken_invariants
from payments.store.tables import AUDIT, REPLAYED
from resources.clock import FixedClock
from resources.commits import Commits
from resources.database import Database
from resources.row_security import see_everybody, see_tenant
from resources.tables import CONNECTION, METADATA, SEGMENT, SYNC, TENANT
from tests.payments.desk import Desk, make_bill
from tests.payments.test_tenants_apart import use_everything
from tests.resources.builders import ACME, add_tenants, commit_sync, make_segment

_NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
_ENTERED = {
    "tenant_id": ACME,
    "number": 1,
    "author": "ann",
    "reason": "she said so",
    "recorded_at": _NOW,
    "withdrawn": 0,
}
_MAIL = {"address": "ann@example.com", "name": "Ann", "locale": "en-US", "zone": "UTC", "currency_format": "symbol"}
_MAIL |= {"added_by": "ann", "added_at": _NOW}

#: A row of each revision that holds what nothing brings back, by the revision before it.
_ENTRIES: dict[str, tuple[str, dict[str, Any]]] = {
    "0010": ("firm_mail_recipient", {"firm_id": "north-books", **_MAIL}),
    "0009": (
        "tray_ruling",
        {**_ENTERED, "defect_kind": "x", "object_type": "Bill", "object_id": "1", "ruling": "dismissed"},
    ),
    "0007": ("mail_recipient", {"tenant_id": ACME, "role": "client", **_MAIL}),
    "0006": ("vendor_tier", {**_ENTERED, "vendor_id": "7", "tier": 1}),
    "0002": (
        "call_meter",
        {
            "tenant_id": ACME,
            "month": "2026-11",
            "metered": 3,
            "counted_since": _NOW,
            "throttled": 0,
            "waited_milliseconds": 0,
        },
    ),
}
_BEFORE_THE_LEDGER, _THE_WHOLE_LEDGER = "0003", "0005"
#: The filled installation is tried on both engines with every change, the rest on Postgres in the long suite.
_ENGINES = ["sqlite", pytest.param("postgres", marks=[pytest.mark.xdist_group("postgres"), pytest.mark.long])]


def _revision(database: Database) -> str | None:
    with database.read() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def _rows(database: Database, *tables: Table) -> dict[str, list[Any]]:
    with database.read() as connection:
        see_everybody(connection)
        return {
            table.name: sorted((tuple(row) for row in connection.execute(table.select())), key=repr) for table in tables
        }


@pytest.mark.parametrize("empty_database", _ENGINES, indirect=True)
def test_an_empty_database_goes_back_to_nothing_and_forth_again(empty_database: Database) -> None:
    upgrade(empty_database)
    downgrade(empty_database, "base")
    found = inspect(empty_database.writer)
    assert (found.get_table_names(), found.get_view_names()) == (["alembic_version"], [])
    if empty_database.url.get_backend_name() == "postgresql":
        with empty_database.read() as connection:
            left = text("SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace")
            assert connection.execute(left).all() == []
    assert upgrade(empty_database)
    with empty_database.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, METADATA) == []


def test_a_filled_installation_goes_back_to_before_the_ledger_and_has_it_again(
    empty_database: Database, clock: FixedClock
) -> None:
    """Every table of the ledger holds rows that the program itself wrote, of payments in every stage."""
    upgrade(empty_database)
    desk = _filled_desk(empty_database, clock)
    _work_of_syncs(empty_database, clock)
    ledger, everything = (PERSON, *REPLAYED, AUDIT), (PERSON, *REPLAYED, AUDIT, TENANT, SYNC, SEGMENT, CONNECTION)
    before = _rows(empty_database, *everything)
    assert [name for name, rows in before.items() if not rows] == []

    revisions = []
    while (present := _revision(empty_database)) != _BEFORE_THE_LEDGER:
        if str(present) >= _THE_WHOLE_LEDGER:
            assert _rows(empty_database, *ledger) == {table.name: before[table.name] for table in ledger}, present
        revisions.append(present)
        downgrade(empty_database, "-1")
    assert len(revisions) == len(set(revisions)) > 8
    found = inspect(empty_database.writer)
    assert {"bill_workflow", "cash_account", "request"}.isdisjoint(found.get_table_names())
    assert "fingerprint" not in {column["name"] for column in found.get_columns("open_bill")}
    downgrade(empty_database, "0001")
    with pytest.raises(WouldLoseData, match=r"firm \(1\), tenant \(1\)"):
        downgrade(empty_database, "base")

    assert upgrade(empty_database)
    assert _rows(empty_database, *everything) == before
    with desk.ledger.look(desk.tenant) as look:
        assert verify(look).is_sound
        assert broken_invariants(look) == []
        for batch in look.many(BATCH, BATCH.c.state != "open"):
            verify_seal(look, batch["batch_id"])
    assert "kept_ledger_row" not in inspect(empty_database.writer).get_table_names()
    with pytest.raises(DBAPIError, match="append-only"):
        _forge(empty_database)
    desk.delay("b5")


def _filled_desk(database: Database, clock: FixedClock) -> Desk:
    """Each verb was used; of what is left, b4 is sealed and unsent, b5 scheduled."""
    desk = Desk(database, clock)
    desk.sync(make_bill("b1"), make_bill("b2"), make_bill("b3"))
    desk.policy(separation_above_cents=5_000)
    use_everything(desk)
    desk.sync(make_bill("b2"), make_bill("b3"), make_bill("b4"), make_bill("b5"))
    desk.ready("b4", "b5")
    desk.finalize(desk.pay_now("b4"))
    desk.schedule("b5")
    return desk


def _forge(database: Database) -> None:
    with database.write() as connection:
        see_tenant(connection, ACME)
        connection.execute(AUDIT.update().values(actor="nobody"))


def _work_of_syncs(database: Database, clock: FixedClock) -> None:
    """A checkpoint, whose segments are all there without it, and a delivery that was read."""
    clock.sleep(60)
    commits = Commits(database, clock=clock)
    with commits.lease(ACME) as lease:
        sync = commit_sync(commits, lease, data_as_of=clock.now())
        commits.commit_checkpoint(lease, up_to=sync, segment=make_segment("whole"))


@pytest.mark.parametrize("database", _ENGINES, indirect=True)
@pytest.mark.parametrize("before", _ENTRIES)
def test_what_nothing_brings_back_is_not_thrown_away(database: Database, clock: FixedClock, before: str) -> None:
    add_tenants(database, clock, ACME)
    name, row = _ENTRIES[before]
    table = METADATA.tables[name]
    with database.write() as connection:
        connection.execute(table.insert().values(row))
    present = _revision(database)
    with pytest.raises(WouldLoseData, match=rf"{name} \(1\).*backup"):
        downgrade(database, before)
    assert _revision(database) == present, "not even the revisions after it were taken back"
    with database.read() as connection:
        assert connection.execute(select(func.count()).select_from(table)).scalar_one() == 1
