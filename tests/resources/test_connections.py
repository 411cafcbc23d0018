"""Connections: encrypted tokens, one company one tenant, one refresher at a time."""

import os
import signal
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, event, update

from payments.controls.key_rotation import Rotated, rotate
from payments.controls.payees import BankDetails, confirm_payee, open_details, payees, propose_payee
from payments.store.ledger import Ledger
from resources.clock import FixedClock, SystemClock
from resources.commits import Commits
from resources.connections import REFRESH_LEASE, Connections, OtherCompany, RealmTaken, RefreshBusy
from resources.database import Database
from resources.errors import TenantNotReady
from resources.registry import TenantRegistry
from resources.secret_text import Secret
from resources.tables import CONNECTION
from resources.token_vault import TokenVault
from tests.databases import only_sqlite, url_of
from tests.payments.desk import Desk, make_bill
from tests.processes import at_once, exit_code
from tests.resources.builders import (
    ACME,
    BOLT,
    KEY,
    OTHER_KEY,
    add_tenants,
    commit_sync,
    connect,
    make_connections,
    make_tokens,
)


@pytest.fixture
def connections(database: Database, clock: FixedClock) -> Connections:
    """A store of connections with two tenants, none connected."""
    add_tenants(database, clock, ACME, BOLT)
    return make_connections(database, clock)


def test_a_connection_is_read_back(connections: Connections, clock: FixedClock) -> None:
    connect(connections)
    found = connections.load(ACME)
    assert found.tokens == make_tokens("first")
    assert (found.environment, found.realm_id, found.state) == ("local", "9130001", "connected")
    assert (found.version, found.previous_refresh_token, found.connected_at) == (1, None, clock.now())
    assert connections.is_connected(ACME)


def test_a_tenant_that_was_never_connected_is_not_ready(connections: Connections) -> None:
    with pytest.raises(TenantNotReady, match="runway connect acme-design"):
        connections.load(ACME)
    assert not connections.is_connected(ACME)


def test_a_company_belongs_to_one_tenant(connections: Connections) -> None:
    connect(connections, ACME)
    with pytest.raises(RealmTaken, match="acme-design"):
        connect(connections, BOLT)
    assert not connections.is_connected(BOLT)


def test_a_company_of_the_wrong_tenant_is_free_once_that_one_is_disconnected_and_inactive(
    connections: Connections, database: Database, clock: FixedClock
) -> None:
    """Connected by mistake and synced, it was locked to that tenant for ever; now it is another's and still only one's."""
    registry = TenantRegistry(database, clock=clock)
    connect(connections, ACME)
    _sync(database, clock)
    with pytest.raises(RealmTaken, match=r"runway disconnect acme-design.*runway tenant deactivate acme-design"):
        connect(connections, BOLT)
    connections.mark_lost(connections.load(ACME), because="disconnected")
    with pytest.raises(RealmTaken):
        connect(connections, BOLT)
    registry.deactivate(ACME)
    connect(connections, BOLT)
    assert connections.load(BOLT).realm_id == "9130001"
    assert connections.standing(ACME) is None
    with pytest.raises(RealmTaken, match="bolt-supply"):
        connect(connections, ACME)
    with pytest.raises(OtherCompany, match="another tenant has taken over"):
        connect(connections, ACME, realm_id="9130002")


def test_an_inactive_tenant_that_is_connected_keeps_its_company(
    connections: Connections, database: Database, clock: FixedClock
) -> None:
    connect(connections, ACME)
    TenantRegistry(database, clock=clock).deactivate(ACME)
    with pytest.raises(RealmTaken):
        connect(connections, BOLT)
    assert connections.is_connected(ACME)


def test_the_same_number_in_another_environment_is_another_company(connections: Connections) -> None:
    connect(connections, ACME)
    connections.connect(BOLT, environment="sandbox", realm_id="9130001", tokens=make_tokens("second"))
    assert connections.load(BOLT).tokens == make_tokens("second")
    assert connections.load(ACME).tokens == make_tokens("first")


def test_connecting_again_replaces_the_tokens(connections: Connections) -> None:
    connect(connections)
    connections.mark_lost(connections.load(ACME), because="revoked")
    connect(connections, name="second")
    found = connections.load(ACME)
    assert found.tokens == make_tokens("second")
    assert (found.state, found.lost_because, found.previous_refresh_token) == ("connected", None, None)


def test_a_wrongly_chosen_company_can_be_corrected_before_the_first_sync(connections: Connections) -> None:
    connect(connections)
    connect(connections, realm_id="9130002")
    assert connections.load(ACME).realm_id == "9130002"
    connect(connections, BOLT, realm_id="9130001")


def test_another_company_never_continues_a_tenants_history(
    connections: Connections, database: Database, clock: FixedClock
) -> None:
    connect(connections)
    _sync(database, clock)
    with pytest.raises(OtherCompany, match="9130001"):
        connect(connections, realm_id="9130002", name="second")
    assert connections.load(ACME).tokens == make_tokens("first")
    connect(connections, name="third")
    assert connections.load(ACME).tokens == make_tokens("third")


def _sync(database: Database, clock: FixedClock) -> None:
    """The history of ACME begins."""
    commits = Commits(database, clock=clock)
    with commits.lease(ACME) as lease:
        commit_sync(commits, lease)


def test_tokens_whose_key_is_gone_are_not_ready_and_say_so(
    connections: Connections, database: Database, clock: FixedClock
) -> None:
    connect(connections)
    with pytest.raises(TenantNotReady, match="RUNWAY_TOKEN_KEYS"):
        make_connections(database, clock, keys=(OTHER_KEY,)).load(ACME)


@pytest.mark.parametrize(
    ("column", "source"),
    [("access_token", BOLT), ("refresh_token", BOLT), ("access_token", ACME)],
    ids=["other tenant's access", "other tenant's refresh", "own refresh as access"],
)
def test_a_token_copied_to_another_place_does_not_open(
    connections: Connections, database: Database, column: str, source: str
) -> None:
    connect(connections, ACME)
    connect(connections, BOLT, realm_id="9130002")
    with database.write() as connection:
        [row] = connection.execute(CONNECTION.select().where(CONNECTION.c.tenant_id == source))
        copied = row.refresh_token if source == ACME else getattr(row, column)
        connection.execute(update(CONNECTION).where(CONNECTION.c.tenant_id == ACME).values({column: copied}))
    with pytest.raises(TenantNotReady, match="does not belong"):
        connections.load(ACME)


def test_refreshed_tokens_keep_the_refresh_token_before_them_until_it_is_forgotten(connections: Connections) -> None:
    connect(connections)
    connections.save_refreshed(connections.load(ACME), make_tokens("second"))
    found = connections.load(ACME)
    assert (found.tokens, found.version) == (make_tokens("second"), 2)
    assert found.previous_refresh_token == make_tokens("first").refresh_token
    connections.forget_previous(found)
    assert connections.load(ACME).previous_refresh_token is None


def test_who_knows_older_tokens_forgets_nothing(connections: Connections) -> None:
    connect(connections)
    connections.save_refreshed(connections.load(ACME), make_tokens("second"))
    second = connections.load(ACME)
    connections.save_refreshed(second, make_tokens("third"))
    connections.forget_previous(second)
    assert connections.load(ACME).previous_refresh_token == make_tokens("second").refresh_token


def test_a_connection_is_marked_lost_for_the_tokens_that_failed(connections: Connections) -> None:
    connect(connections)
    connect(connections, BOLT, realm_id="9130002")
    connections.mark_lost(connections.load(ACME), because="revoked")
    found = connections.load(ACME)
    assert (found.state, found.lost_because, found.tokens) == ("lost", "revoked", make_tokens("first"))
    assert not connections.is_connected(ACME)
    assert connections.is_connected(BOLT)


def test_tokens_that_failed_do_not_take_newer_ones_down(connections: Connections) -> None:
    connect(connections)
    known = connections.load(ACME)
    connections.save_refreshed(known, make_tokens("second"))
    connections.mark_lost(known, because="revoked")
    assert connections.is_connected(ACME)


def test_a_new_authorisation_survives_whoever_still_works_with_the_old_one(connections: Connections) -> None:
    """Both once had version 1: a refresh that failed or was slow hit what a person had just connected."""
    connect(connections)
    known = connections.load(ACME)
    connect(connections, name="second")
    connections.mark_lost(known, because="revoked")
    connections.save_refreshed(known, make_tokens("stale"))
    connections.forget_previous(known)
    found = connections.load(ACME)
    assert (found.tokens, found.state) == (make_tokens("second"), "connected")


def test_one_refreshes_at_a_time(
    connections: Connections, database: Database, clock: FixedClock, tmp_path: Path
) -> None:
    connect(connections)
    at_once(8, _refresh_alone, url_of(database), tmp_path / "inside")
    assert connections.load(ACME).version == 9


def _refresh_alone(number: int, url: str, inside: Path) -> None:
    """Fails if another process is inside at the same moment."""
    database = Database(url)
    connections = make_connections(database, SystemClock())
    with connections.refresh_lease(ACME):
        inside.mkdir()
        connections.save_refreshed(connections.load(ACME), make_tokens(f"of {number}"))
        inside.rmdir()
    database.close()


def test_a_lease_is_free_again_after_a_failure(connections: Connections, clock: FixedClock) -> None:
    connect(connections)
    with pytest.raises(ZeroDivisionError), connections.refresh_lease(ACME):
        raise ZeroDivisionError
    before = clock.now()
    with connections.refresh_lease(ACME):
        assert clock.now() == before


def test_a_holder_that_died_is_replaced_after_its_time(
    connections: Connections, database: Database, clock: FixedClock
) -> None:
    connect(connections)
    started = clock.now()
    assert exit_code(_die_holding_the_lease, url_of(database), clock) == -signal.SIGKILL
    with connections.refresh_lease(ACME):
        assert REFRESH_LEASE < clock.now() - started < REFRESH_LEASE + timedelta(seconds=1)


def _die_holding_the_lease(url: str, clock: FixedClock) -> None:
    with make_connections(Database(url), clock).refresh_lease(ACME):
        os.kill(os.getpid(), signal.SIGKILL)


def test_a_tenants_lease_does_not_hold_up_another(connections: Connections, clock: FixedClock) -> None:
    connect(connections)
    connect(connections, BOLT, realm_id="9130002")
    before = clock.now()
    with connections.refresh_lease(ACME), connections.refresh_lease(BOLT):
        assert clock.now() == before


def test_who_waits_too_long_is_told_that_others_refresh(database: Database, clock: FixedClock) -> None:
    class OthersAreFaster(FixedClock):
        """Whenever somebody waits, another takes the lease."""

        def sleep(self, seconds: float) -> None:
            super().sleep(seconds * 200)
            with database.write() as connection:
                until = self.now() + REFRESH_LEASE
                connection.execute(update(CONNECTION).values(refresher="another", refresher_until=until))

    add_tenants(database, clock, ACME)
    connections = make_connections(database, OthersAreFaster(clock.now()))
    connect(connections)
    with (
        connections.refresh_lease(ACME),
        pytest.raises(RefreshBusy, match="another process"),
        connections.refresh_lease(ACME),
    ):
        pytest.fail("two hold the lease")


def test_a_tenant_without_a_connection_is_not_waited_for(connections: Connections, clock: FixedClock) -> None:
    before = clock.now()
    with pytest.raises(TenantNotReady, match="not connected"), connections.refresh_lease(ACME):
        pytest.fail("there is nothing to refresh")
    assert clock.now() == before


def test_keys_rotate(connections: Connections, database: Database, clock: FixedClock) -> None:
    connect(connections, ACME)
    connect(connections, BOLT, realm_id="9130002", name="second")
    connections.save_refreshed(connections.load(BOLT), make_tokens("third"))
    both = make_connections(database, clock, keys=(OTHER_KEY, KEY))
    assert both.rotate_keys() == 2
    assert both.rotate_keys() == 0
    newest = make_connections(database, clock, keys=(OTHER_KEY,))
    assert newest.load(ACME).tokens == make_tokens("first")
    assert newest.load(BOLT).tokens == make_tokens("third")
    assert newest.load(BOLT).previous_refresh_token == make_tokens("second").refresh_token
    with pytest.raises(TenantNotReady):
        connections.load(ACME)


#: Written by a rotation of what `_fill` makes: two and one versions of bank details, each tenant's tokens.
_SEALED_ROWS = 5
_DETAILS = {"routing_number": Secret("021000021"), "account_kind": "checking"}


@pytest.mark.parametrize("row", range(1, _SEALED_ROWS + 1))
def test_a_rotation_that_dies_at_any_row_is_taken_up_again(database: Database, clock: FixedClock, row: int) -> None:
    accounts = _fill(database, clock)
    assert _read(database, clock, KEY) == accounts
    assert exit_code(_rotate_and_die, url_of(database), clock, row) == -signal.SIGKILL
    assert _read(database, clock, OTHER_KEY, KEY) == accounts
    _rotate(database, clock)
    assert _read(database, clock, OTHER_KEY) == accounts
    done = _rotate(database, clock)
    assert (done.tokens, done.bank_details, done.unreadable) == ((), {}, {})


def test_a_rotation_writes_as_many_rows_as_one_is_killed_at(database: Database, clock: FixedClock) -> None:
    _fill(database, clock)
    assert exit_code(_rotate_and_die, url_of(database), clock, _SEALED_ROWS + 1) == 0
    assert _read(database, clock, OTHER_KEY).keys() == {"first", "second", "1111", "2222", "3333"}


def _fill(database: Database, clock: FixedClock) -> dict[str, str]:
    """Two tenants with tokens and bank details sealed with `KEY`: what is to be read, by name."""
    vault = TokenVault([KEY])
    add_tenants(database, clock, ACME, BOLT)
    desk = Desk(database, clock, register=False)
    desk.people(add=True)
    other = Desk(database, clock, tenant=BOLT, register=False)
    other.grant_roles()
    with database.write() as connection:
        connection.execute(delete(CONNECTION))
    connections = make_connections(database, clock)
    connect(connections, ACME)
    connect(connections, BOLT, realm_id="9130002", name="second")
    for of, bill, account in ((desk, "b1", "1111"), (desk, "b2", "2222"), (other, "b1", "3333")):
        of.sync(make_bill(bill))
        wanted = {"vendor_id": f"v-{bill}", "details": BankDetails(account_number=Secret(account), **_DETAILS)}
        propose_payee(of.ledger, of.tenant, by="pat", vault=vault, **wanted)
        confirm_payee(of.ledger, of.tenant, by="amy", vendor_id=f"v-{bill}", account_ending=account)
    return _read(database, clock, KEY)


def _read(database: Database, clock: FixedClock, *keys: bytes) -> dict[str, str]:
    """Everything that is sealed, opened with a ring; raises where a row is not readable."""
    connections, ledger, found = make_connections(database, clock, keys=keys), Ledger(database, clock=clock), {}
    for tenant, name in ((ACME, "first"), (BOLT, "second")):
        assert connections.load(tenant).tokens == make_tokens(name)
        found[name] = tenant
        with ledger.look(tenant) as look:
            for one in payees(look):
                opened = open_details(look, vendor_id=one.vendor_id, version=one.version, vault=TokenVault(keys))
                found[opened.account_number.reveal()] = one.vendor_id
    return found


def _rotate(database: Database, clock: FixedClock) -> Rotated:
    keys = (OTHER_KEY, KEY)
    connections = make_connections(database, clock, keys=keys)
    ledger = Ledger(database, clock=clock)
    return rotate(ledger, connections=connections, vault=TokenVault(keys), tenants=[ACME, BOLT])


def _rotate_and_die(url: str, clock: FixedClock, row: int) -> None:
    """Ends the process when that sealed row has been written and is not committed."""
    database = Database(url)
    written = 0

    def die(*arguments: Any) -> None:
        nonlocal written
        written += arguments[2].startswith(("UPDATE payee", "UPDATE connection"))
        if written == row:
            os.kill(os.getpid(), signal.SIGKILL)

    event.listen(database.writer, "after_cursor_execute", die)
    _rotate(database, clock)


@only_sqlite
def test_no_token_is_in_the_database_files(connections: Connections, database: Database) -> None:
    connect(connections)
    connections.save_refreshed(connections.load(ACME), make_tokens("second"))
    files = {path.name: path.read_bytes() for path in Path(str(database.url.database)).parent.glob("runway.sqlite*")}
    assert files.keys() >= {"runway.sqlite", "runway.sqlite-wal"}
    assert b"9130001" in b"".join(files.values()), "the row is in there"
    for name, content in files.items():
        for token in ("access-first", "refresh-first", "access-second", "refresh-second"):
            assert token.encode() not in content, f"{token} is in {name}"
