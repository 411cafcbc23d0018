"""Connecting and disconnecting against the local QuickBooks, the test being the browser."""

from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest

from migrations.chain import upgrade
from resources.clock import FixedClock
from resources.connecting import Connected, Connector, ConsentRequest
from resources.connections import OtherCompany, RealmTaken
from resources.consent_callback import CallbackListener
from resources.errors import TenantNotReady
from resources.installation import Installation
from resources.qbo.errors import ConnectionLost, QboUnavailable
from resources.qbo.oauth import ConsentRefused, OAuthClient
from resources.secret_text import Secret
from resources.settings import Settings
from resources.tenants import TenantId
from tests.browser import free_port, visit
from tests.resources.qbo.scripted_qbo import Answer, ScriptedQbo, serve
from tests.sandbox import Sandbox

ACME, BOLT = TenantId("acme-design"), TenantId("bolt-supply")
FIRST, SECOND = "9130380000000001", "9130380000000002"


@pytest.fixture
def house(tmp_path: Path, sandbox: Sandbox, clock: FixedClock) -> Iterator[Installation]:
    """An installation with two tenants, whose redirect URI is a free port of this machine."""
    for realm, seed in ((FIRST, 1), (SECOND, 2)):
        sandbox.add_company(
            realm_id=realm,
            name=f"Company {seed}",
            industry="consulting",
            size="micro",
            seed=seed,
            as_of="2026-11-20",
            zone="America/New_York",
        )
    settings = Settings(
        data_dir=tmp_path / "data",
        qbo_local_url=sandbox.url,
        qbo_redirect_uri=f"http://localhost:{free_port()}/callback",
        qbo_retry_seconds=0.0,
    )
    opened = Installation(settings, clock=clock)
    upgrade(opened.database)
    opened.registry.add_firm("oak", name="Oak")
    for tenant in (ACME, BOLT):
        opened.registry.add_tenant(tenant, firm_id="oak", name=tenant, zone="America/New_York")
    try:
        yield opened
    finally:
        opened.close()


def _in_a_browser(
    house: Installation, asked: ConsentRequest, *, url: str | None = None
) -> tuple[httpx.Response, Connected]:
    listener = CallbackListener(
        house.settings.qbo_redirect_uri, complete=asked.complete, told=lambda done: done.company_name
    )
    with listener:
        page = visit(url or asked.url)
        return page, listener.wait(timeout_seconds=10)


def _address_after_consent(asked: ConsentRequest, realm: str) -> str:
    """Where the browser would go, not gone to."""
    answer = httpx.get(f"{asked.url}&realmId={realm}", trust_env=False)
    return str(answer.headers["location"])


def _changed(address: str, **changes: str) -> str:
    parts = urlsplit(address)
    query = {name: values[0] for name, values in parse_qs(parts.query).items()} | changes
    return parts._replace(query=urlencode(query)).geturl()


def test_a_person_who_consents_in_the_browser_connects_the_company(house: Installation) -> None:
    asked = house.connector.request(ACME)
    page, connected = _in_a_browser(house, asked, url=f"{asked.url}&realmId={FIRST}")
    assert (page.status_code, connected.realm_id, connected.company_name) == (200, FIRST, "Company 1")
    assert "Company 1" in page.text
    stored = house.connections.load(ACME)
    assert (stored.realm_id, stored.environment, stored.state) == (FIRST, "local", "connected")


def test_reconnecting_is_the_same_and_brings_a_lost_connection_back(house: Installation, sandbox: Sandbox) -> None:
    house.connector.connect_without_browser(ACME, realm_id=FIRST)
    sandbox.revoke(FIRST)
    house.connections.mark_lost(house.connections.load(ACME), because="it was revoked")
    assert not house.connections.is_connected(ACME)
    _in_a_browser(house, house.connector.request(ACME, realm_id=FIRST))
    assert house.connections.is_connected(ACME)
    assert house.smart_sync.sync(ACME).data_as_of


def _state_of_another_run(house: Installation, address: str) -> str:
    other = house.connector.request(ACME)
    return _changed(address, state=parse_qs(urlsplit(other.url).query)["state"][0])


_ATTACKS: dict[str, Callable[[Installation, str], str]] = {
    "a state of another run": _state_of_another_run,
    "no state": lambda _, address: _changed(address, state=""),
    "two states": lambda _, address: f"{address}&state=x",
    "a code of nobody": lambda _, address: _changed(address, code="AB11700000000000000000"),
    "the company swapped": lambda _, address: _changed(address, realmId=SECOND),
    "a company that is none": lambda _, address: _changed(address, realmId="../" + SECOND),
    "a redirect to elsewhere": lambda _, address: address.replace("localhost", "127.0.0.1"),
    "a redirect to the cloud's own secrets": lambda _, address: "http://169.254.169.254/?" + urlsplit(address).query,
    "the consent denied": lambda _, address: _changed(address, error="access_denied", code=""),
}


@pytest.mark.parametrize("attack", _ATTACKS)
def test_a_forged_callback_connects_nothing(house: Installation, attack: str) -> None:
    asked = house.connector.request(ACME)
    callback = _ATTACKS[attack](house, _address_after_consent(asked, FIRST))
    with pytest.raises(ConsentRefused) as refused:
        asked.complete(callback)
    assert "runway connect" in refused.value.next_step
    assert not house.connections.is_connected(ACME)
    # Nothing more comes of this consent, not even what was good about it.
    with pytest.raises(ConsentRefused, match="used before"):
        asked.complete(_address_after_consent(asked, FIRST))


def test_a_refusal_says_no_code_and_no_token(house: Installation) -> None:
    asked = house.connector.request(ACME)
    callback = _changed(_address_after_consent(asked, FIRST), realmId=SECOND)
    with pytest.raises(ConsentRefused) as refused:
        asked.complete(callback)
    assert parse_qs(urlsplit(callback).query)["code"][0] not in str(refused.value)


def test_a_callback_used_twice_connects_once(house: Installation) -> None:
    asked = house.connector.request(ACME)
    callback = _address_after_consent(asked, FIRST)
    asked.complete(callback)
    version = house.connections.load(ACME).version
    with pytest.raises(ConsentRefused, match="used before"):
        asked.complete(callback)
    assert house.connections.load(ACME).version == version


def test_a_person_who_says_no_is_told_so_in_the_browser(house: Installation) -> None:
    asked = house.connector.request(ACME)
    denied = {"error": "access_denied", "state": parse_qs(urlsplit(asked.url).query)["state"][0]}
    address = f"{house.settings.qbo_redirect_uri}?{urlencode(denied)}"
    with CallbackListener(house.settings.qbo_redirect_uri, complete=asked.complete, told=str) as listener:
        page = visit(address)
        with pytest.raises(ConsentRefused, match="not given"):
            listener.wait(timeout_seconds=10)
    assert page.status_code == 400
    assert "the consent was not given" in page.text


def test_the_company_of_another_tenant_is_not_taken_and_its_connection_lives(house: Installation) -> None:
    house.connector.connect_without_browser(BOLT, realm_id=FIRST)
    with pytest.raises(RealmTaken):
        house.connector.connect_without_browser(ACME, realm_id=FIRST)
    assert house.smart_sync.sync(BOLT).data_as_of


def test_a_tenant_with_a_history_keeps_its_company(house: Installation) -> None:
    house.connector.connect_without_browser(ACME, realm_id=FIRST)
    house.smart_sync.sync(ACME)
    with pytest.raises(OtherCompany):
        house.connector.connect_without_browser(ACME, realm_id=SECOND)
    assert house.connections.load(ACME).realm_id == FIRST


def test_disconnecting_ends_the_grant_at_quickbooks_and_says_how_to_come_back(house: Installation) -> None:
    house.connector.connect_without_browser(ACME, realm_id=FIRST)
    known = house.connections.load(ACME)
    house.connector.disconnect(ACME)
    assert not house.connections.is_connected(ACME)
    # The old token opens nothing any more.
    answer = httpx.get(
        f"{house.settings.qbo_local_url}/v3/company/{FIRST}/companyinfo/{FIRST}",
        headers={"Authorization": f"Bearer {known.tokens.access_token.reveal()}", "Accept": "application/json"},
        trust_env=False,
    )
    assert answer.status_code == 401
    with pytest.raises(ConnectionLost, match="runway connect acme-design"):
        house.smart_sync.sync(ACME)
    house.connector.connect_without_browser(ACME, realm_id=FIRST)
    assert house.smart_sync.sync(ACME).data_as_of


def test_disconnecting_twice_is_no_error(house: Installation) -> None:
    house.connector.connect_without_browser(ACME, realm_id=FIRST)
    house.connector.disconnect(ACME)
    house.connector.disconnect(ACME)
    assert not house.connections.is_connected(ACME)


def test_a_tenant_that_was_never_connected_cannot_be_disconnected(house: Installation) -> None:
    with pytest.raises(TenantNotReady, match="not connected"):
        house.connector.disconnect(ACME)


def test_a_revocation_that_did_not_arrive_marks_nothing(house: Installation) -> None:
    house.connector.connect_without_browser(ACME, realm_id=FIRST)
    with serve(ScriptedQbo()) as broken:
        broken.script = lambda path, _: Answer(status=503) if "revoke" in path else None
        with OAuthClient(
            discovery_url=f"{broken.url}/.well-known/openid_configuration",
            client_id="x",
            client_secret=Secret("y"),
            clock=house.clock,
        ) as oauth:
            connector = Connector(
                registry=house.registry,
                connections=house.connections,
                oauth=oauth,
                client=house.qbo_client,
                environment="local",
                redirect_uri="http://localhost/callback",
            )
            with pytest.raises(QboUnavailable):
                connector.disconnect(ACME)
    assert house.connections.is_connected(ACME)
