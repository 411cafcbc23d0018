import json
import multiprocessing
import sqlite3
from datetime import timedelta
from pathlib import Path

import pytest

from resources.errors import TenantNotReady
from resources.qbo.client import QboClient
from resources.qbo.errors import ConnectionLost, QboUnavailable
from resources.qbo.token_keeper import MARGIN, TokenKeeper
from resources.secret_text import Secret
from tests.resources.qbo.house import KEY, TENANT, House, open_house, stored_tokens
from tests.resources.qbo.refresh_worker import want_token
from tests.resources.qbo.scripted_qbo import CLIENT_ID, CLIENT_SECRET, REALM, Answer, ScriptedQbo, serve


def _dying(house: House) -> None:
    """Let the access token be about to die."""
    house.clock.sleep((timedelta(hours=1) - MARGIN).total_seconds())


def test_a_token_that_lives_is_used_as_it_is(house: House, qbo: ScriptedQbo) -> None:
    assert house.keeper.access_token(TENANT).access_token == Secret("access-0")
    assert qbo.requests == []


def test_a_token_about_to_die_is_replaced_and_stored_before_it_is_handed_out(house: House, qbo: ScriptedQbo) -> None:
    _dying(house)
    access = house.keeper.access_token(TENANT)
    stored = house.connections.load(TENANT)
    assert access.access_token == stored.tokens.access_token == Secret("access-1")
    assert stored.tokens.refresh_token == Secret("refresh-1")
    assert stored.previous_refresh_token == Secret("refresh-0")
    assert stored.tokens.access_expires_at == house.clock.now() + timedelta(hours=1)
    house.keeper.confirm(access)
    assert house.connections.load(TENANT).previous_refresh_token is None


def test_a_refused_token_is_replaced_though_it_should_live(house: House, qbo: ScriptedQbo) -> None:
    first = house.keeper.access_token(TENANT)
    assert house.keeper.renewed(TENANT, rejected=first).access_token == Secret("access-1")
    assert house.keeper.renewed(TENANT, rejected=first).access_token == Secret("access-1")  # was replaced already
    assert qbo.refreshes == 1


def test_the_previous_refresh_token_is_tried_once_when_the_new_one_is_dead(house: House, qbo: ScriptedQbo) -> None:
    """Intuit may hand out a new refresh token and go on with the old one."""
    known = house.connections.load(TENANT)
    house.connections.save_refreshed(known, stored_tokens("access-x", "refresh-x", lives=timedelta(0)))
    honoured = {"refresh-0"}

    def only_the_old_one(path: str, body: str) -> Answer | None:
        if "tokens/bearer" in path and not any(f"refresh_token={token}" in body for token in honoured):
            return Answer(status=400, body=json.dumps({"error": "invalid_grant"}).encode())
        return None

    qbo.script = only_the_old_one
    assert house.keeper.access_token(TENANT).access_token == Secret("access-1")
    assert house.connections.load(TENANT).state == "connected"


def test_two_dead_refresh_tokens_end_the_connection_for_good(house: House, qbo: ScriptedQbo) -> None:
    known = house.connections.load(TENANT)
    house.connections.save_refreshed(known, stored_tokens("access-x", "refresh-x", lives=timedelta(0)))
    qbo.refresh_token = "dead"
    with pytest.raises(ConnectionLost, match="runway connect"):
        house.keeper.access_token(TENANT)
    assert qbo.requests.count("POST /oauth2/v1/tokens/bearer") == 2
    assert house.connections.load(TENANT).state == "lost"
    with pytest.raises(ConnectionLost):
        house.keeper.access_token(TENANT)
    assert qbo.requests.count("POST /oauth2/v1/tokens/bearer") == 2


def test_connecting_again_heals_a_lost_connection(house: House, qbo: ScriptedQbo) -> None:
    _dying(house)
    qbo.refresh_token = "dead"
    with pytest.raises(ConnectionLost):
        house.keeper.access_token(TENANT)
    consented = house.oauth.consent_without_browser(redirect_uri="http://localhost/callback", realm_id=REALM)
    house.connections.connect(TENANT, environment="local", realm_id=REALM, tokens=consented.tokens)
    assert house.keeper.access_token(TENANT).access_token == consented.tokens.access_token


def test_an_unavailable_server_ends_nothing_and_is_asked_twice(house: House, qbo: ScriptedQbo) -> None:
    _dying(house)
    qbo.script = lambda path, _: Answer(status=503) if "tokens/bearer" in path else None
    with pytest.raises(QboUnavailable):
        house.keeper.access_token(TENANT)
    assert qbo.requests.count("POST /oauth2/v1/tokens/bearer") == 2
    assert house.connections.load(TENANT).state == "connected"
    qbo.script = lambda _path, _body: None
    assert house.keeper.access_token(TENANT).access_token == Secret("access-1")


def test_tokens_of_another_environment_are_never_sent_here(house: House, qbo: ScriptedQbo) -> None:
    keeper = TokenKeeper(connections=house.connections, oauth=house.oauth, clock=house.clock, environment="production")
    with pytest.raises(TenantNotReady, match="RUNWAY_QBO_ENVIRONMENT=local"):
        keeper.access_token(TENANT)
    assert qbo.requests == []


def test_eight_processes_that_refresh_at_once_leave_a_usable_connection(tmp_path: Path) -> None:
    """Intuit may revoke both tokens when two refreshes race; this server does so always."""
    processes = 8
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([want_token.__module__])
    barrier, results = context.Barrier(processes), context.Queue()
    with serve(ScriptedQbo()) as qbo, open_house(tmp_path, qbo) as house:
        expired = stored_tokens("access-0", "refresh-0", lives=timedelta(days=-365))
        house.connections.connect(TENANT, environment="local", realm_id=REALM, tokens=expired)
        task = {
            "tenant": TENANT,
            "database_url": str(house.database.url),
            "key": KEY,
            "discovery_url": f"{qbo.url}/.well-known/openid_sandbox_configuration",
            "client": (CLIENT_ID, CLIENT_SECRET),
            "start": barrier.wait,
            "results": results,
        }
        workers = [context.Process(target=want_token, kwargs=task) for _ in range(processes)]
        for worker in workers:
            worker.start()
        found = {results.get(timeout=60) for _ in workers}
        for worker in workers:
            worker.join()
        assert [worker.exitcode for worker in workers] == [0] * processes
        assert found == {"access-1"}
        assert qbo.refreshes == 1
        with QboClient(url=qbo.url, timeout_seconds=2) as client:
            page = client.singleton("CompanyInfo", realm_id=REALM, access_token=Secret(found.pop()))
        assert len(page.objects) == 1
        assert house.connections.load(TENANT).tokens.refresh_token == Secret("refresh-1")


def test_no_token_lies_readable_in_the_database(house: House, tmp_path: Path, qbo: ScriptedQbo) -> None:
    _dying(house)
    house.keeper.access_token(TENANT)
    with sqlite3.connect(tmp_path / "runway.sqlite") as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    stored = b"".join(path.read_bytes() for path in tmp_path.glob("runway.sqlite*"))
    for canary in (b"access-0", b"refresh-0", b"access-1", b"refresh-1"):
        assert canary not in stored
