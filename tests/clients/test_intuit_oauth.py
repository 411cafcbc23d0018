"""Intuit's own OAuth client goes through a whole connection: consent, exchange, refresh, revocation."""

from collections.abc import Iterator

import pytest
from intuitlib.client import AuthClient
from intuitlib.exceptions import AuthClientError

from tests.clients.conftest import CLIENT_ID, FRIDAY_MORNING, add_company
from tests.clients.consent import auth_client, connect, consent
from tests.sandbox import Sandbox

pytestmark = pytest.mark.clients


@pytest.fixture(scope="module")
def realm_id(sandbox: Sandbox) -> str:
    return add_company(sandbox, "9130000000000000012")


@pytest.fixture
def connected(sandbox: Sandbox, realm_id: str) -> Iterator[AuthClient]:
    with connect(sandbox, realm_id) as client:
        yield client


def answers_with(sandbox: Sandbox, client: AuthClient) -> int:
    headers = {"Authorization": f"Bearer {client.access_token}", "Accept": "application/json"}
    address = f"{sandbox.url}/v3/company/{client.realm_id}/companyinfo/{client.realm_id}"
    return client.get(address, headers=headers).status_code


def refusal(raised: pytest.ExceptionInfo[AuthClientError]) -> tuple[int, str]:
    return raised.value.status_code, raised.value.content.decode()


def test_the_discovery_document_names_every_address_the_client_needs(sandbox: Sandbox) -> None:
    with auth_client(sandbox) as client:
        addresses = (client.auth_endpoint, client.token_endpoint, client.revoke_endpoint, client.user_info_url)
        assert all(address.startswith(sandbox.url) for address in addresses)
        assert client.issuer_uri.startswith("https://")


def test_a_consent_returns_the_state_and_the_realm(sandbox: Sandbox, realm_id: str) -> None:
    with auth_client(sandbox, state_token="kept between the two requests") as client:
        told = consent(sandbox, client, realm_id)
    assert (told["state"], told["realmId"]) == ("kept between the two requests", realm_id)


def test_the_exchanged_token_opens_the_company(sandbox: Sandbox, connected: AuthClient) -> None:
    assert connected.expires_in == 3600
    assert 100 * 86_400 <= connected.x_refresh_token_expires_in <= 101 * 86_400
    assert len(connected.access_token) <= 4096
    assert len(connected.refresh_token) <= 512
    assert answers_with(sandbox, connected) == 200


def test_a_code_works_once(sandbox: Sandbox, realm_id: str) -> None:
    with auth_client(sandbox) as client:
        code = consent(sandbox, client, realm_id)["code"]
        client.get_bearer_token(code, realm_id=realm_id)
        with pytest.raises(AuthClientError) as raised:
            client.get_bearer_token(code, realm_id=realm_id)
    status, content = refusal(raised)
    assert status == 400
    assert "invalid_grant" in content


def test_a_refresh_gives_a_new_access_token_and_the_same_refresh_token_within_a_day(
    sandbox: Sandbox, connected: AuthClient
) -> None:
    first_access, first_refresh = connected.access_token, connected.refresh_token
    connected.refresh()
    assert connected.access_token != first_access
    assert connected.refresh_token == first_refresh
    assert answers_with(sandbox, connected) == 200


def test_a_day_later_the_refresh_token_changes_and_the_old_one_is_dead(sandbox: Sandbox, connected: AuthClient) -> None:
    first = connected.refresh_token
    sandbox.control.post("/__sandbox__/clock", json={"advance_seconds": 86_400}).raise_for_status()
    try:
        assert answers_with(sandbox, connected) == 401
        connected.refresh()
        assert connected.refresh_token != first
        assert answers_with(sandbox, connected) == 200
        with pytest.raises(AuthClientError) as raised:
            connected.refresh(refresh_token=first)
    finally:
        sandbox.control.post("/__sandbox__/clock", json={"now": FRIDAY_MORNING.isoformat()}).raise_for_status()
    status, content = refusal(raised)
    assert status == 400
    assert "Incorrect or invalid refresh token" in content


def test_a_revocation_ends_both_tokens(sandbox: Sandbox, connected: AuthClient) -> None:
    assert connected.revoke() is True
    assert answers_with(sandbox, connected) == 401
    with pytest.raises(AuthClientError) as raised:
        connected.refresh()
    assert refusal(raised)[0] == 400


def test_a_revocation_of_nothing_is_refused(sandbox: Sandbox) -> None:
    with auth_client(sandbox) as client, pytest.raises(AuthClientError) as raised:
        client.revoke(token="never issued")
    assert refusal(raised)[0] == 400


def test_another_app_is_refused(sandbox: Sandbox, connected: AuthClient) -> None:
    with auth_client(sandbox, client_id=CLIENT_ID + "x") as client, pytest.raises(AuthClientError) as raised:
        client.refresh(refresh_token=connected.refresh_token)
    status, content = refusal(raised)
    assert status == 401
    assert "invalid_client" in content
