import json
from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from resources.clock import FixedClock
from resources.qbo.errors import QboNotAuthorised, QboUnavailable
from resources.qbo.oauth import INTUIT_DISCOVERY_URL, Consent, ConsentRefused, InvalidGrant, OAuthClient
from resources.secret_text import Secret
from tests.resources.qbo.house import NOW, oauth_of
from tests.resources.qbo.scripted_qbo import CLIENT_ID, REALM, Answer, ScriptedQbo

REDIRECT = "http://localhost:8766/callback"


@pytest.fixture
def oauth(qbo: ScriptedQbo) -> Iterator[OAuthClient]:
    with oauth_of(qbo, FixedClock(NOW)) as opened:
        yield opened


def _consent(**more: str) -> Consent:
    return Consent(endpoint="https://appcenter.intuit.com/connect/oauth2", client_id="c", redirect_uri=REDIRECT, **more)


def _state(consent: Consent) -> str:
    return parse_qs(urlsplit(consent.url).query)["state"][0]


def _callback(consent: Consent, address: str = REDIRECT, **changes: str) -> str:
    answers = {"code": "code-1", "state": _state(consent), "realmId": REALM, **changes}
    return f"{address}?{urlencode(answers)}"


def test_the_consent_asks_for_accounting_with_a_state_that_cannot_be_guessed() -> None:
    consent, other = _consent(), _consent()
    asked = parse_qs(urlsplit(consent.url).query)
    assert asked["scope"] == ["com.intuit.quickbooks.accounting"]
    assert (asked["redirect_uri"], asked["response_type"]) == ([REDIRECT], ["code"])
    assert len(_state(consent)) >= 43
    assert _state(consent) != _state(other)


def test_a_callback_with_our_state_gives_its_code_and_company() -> None:
    consent = _consent()
    code = consent.accept(_callback(consent))
    assert (code.text.reveal(), code.realm_id) == ("code-1", REALM)
    assert "code-1" not in repr(code)


@pytest.mark.parametrize(
    ("address", "changes"),
    [
        pytest.param(REDIRECT, {"state": "another"}, id="another state"),
        pytest.param(REDIRECT, {"state": ""}, id="no state"),
        pytest.param("http://localhost:8766/callback/", {}, id="another path"),
        pytest.param("http://localhost:8766/callback@evil.example/", {}, id="user info"),
        pytest.param("http://evil.example/callback", {}, id="another host"),
        pytest.param("https://localhost:8766/callback", {}, id="another scheme"),
        pytest.param(REDIRECT, {"realmId": "1; DROP"}, id="no realm id"),
        pytest.param(REDIRECT, {"code": ""}, id="no code"),
        pytest.param(REDIRECT, {"error": "access_denied"}, id="denied"),
    ],
)
def test_every_other_callback_is_refused(address: str, changes: dict[str, str]) -> None:
    consent = _consent()
    with pytest.raises(ConsentRefused):
        consent.accept(_callback(consent, address, **changes))


def test_a_state_is_good_for_one_callback_even_a_refused_one() -> None:
    consent = _consent()
    good = _callback(consent)
    with pytest.raises(ConsentRefused):
        consent.accept(_callback(consent, state="guess"))
    with pytest.raises(ConsentRefused, match="used before"):
        consent.accept(good)


def test_two_states_in_one_callback_are_none() -> None:
    consent = _consent()
    with pytest.raises(ConsentRefused, match="state"):
        consent.accept(_callback(consent) + f"&state={_state(consent)}")


def test_a_swapped_company_is_refused_when_one_was_named() -> None:
    consent = _consent(realm_id=REALM)
    with pytest.raises(ConsentRefused, match="not for"):
        consent.accept(_callback(consent, realmId="1"))


def test_a_server_that_approves_by_itself_connects_without_a_browser(oauth: OAuthClient, qbo: ScriptedQbo) -> None:
    consented = oauth.consent_without_browser(redirect_uri=REDIRECT, realm_id=REALM)
    assert consented.realm_id == REALM
    assert consented.tokens.access_token.reveal() in qbo.access_tokens
    assert consented.tokens.access_expires_at == NOW + timedelta(hours=1)
    assert consented.tokens.refresh_expires_at == NOW + timedelta(seconds=8_726_400)
    assert "access-" not in repr(consented)
    assert "GET /callback" not in qbo.requests  # the redirect is read, never followed


def test_a_server_that_shows_a_page_instead_is_told_apart(oauth: OAuthClient, qbo: ScriptedQbo) -> None:
    qbo.script = lambda path, _: Answer(body=b"<html>choose") if path == "/connect/oauth2" else None
    with pytest.raises(ConsentRefused, match="realm id"):
        oauth.consent_without_browser(redirect_uri=REDIRECT)


def test_a_dead_refresh_token_is_told_apart_from_a_wrong_app(qbo: ScriptedQbo, oauth: OAuthClient) -> None:
    with pytest.raises(InvalidGrant):
        oauth.refresh(Secret("stale"))
    wrong = OAuthClient(
        discovery_url=f"{qbo.url}/.well-known/openid_configuration",
        client_id=CLIENT_ID,
        client_secret=Secret("wrong-canary"),
        clock=FixedClock(NOW),
    )
    with wrong, pytest.raises(QboNotAuthorised, match="RUNWAY_QBO_CLIENT_SECRET") as caught:
        wrong.refresh(Secret("refresh-0"))
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize(
    "body",
    [
        b"<html>",
        b"[]",
        b'{"access_token": "a", "refresh_token": "r", "expires_in": 3600}',
        b'{"access_token": 5, "refresh_token": "r", "expires_in": 3600, "x_refresh_token_expires_in": 1}',
        b'{"access_token": "a", "refresh_token": "", "expires_in": 3600, "x_refresh_token_expires_in": 1}',
        b'{"access_token": "a", "refresh_token": "r", "expires_in": -1, "x_refresh_token_expires_in": 1}',
    ],
)
def test_a_token_answer_that_is_not_whole_is_no_token(oauth: OAuthClient, qbo: ScriptedQbo, body: bytes) -> None:
    qbo.script = lambda path, _: Answer(body=body) if "tokens/bearer" in path else None
    with pytest.raises(QboUnavailable):
        oauth.refresh(Secret("refresh-0"))


@pytest.mark.parametrize("elsewhere", ["http://evil.example/token", "http://127.0.0.1:1/token", "//x", "", 5, None])
def test_secrets_go_to_no_address_outside_the_servers_own_house(
    oauth: OAuthClient, qbo: ScriptedQbo, elsewhere: object
) -> None:
    document = {
        "authorization_endpoint": f"{qbo.url}/connect/oauth2",
        "token_endpoint": elsewhere,
        "revocation_endpoint": f"{qbo.url}/v2/oauth2/tokens/revoke",
    }
    qbo.script = lambda path, _: Answer(body=json.dumps(document).encode()) if "well-known" in path else None
    with pytest.raises(QboNotAuthorised, match="outside"):
        oauth.refresh(Secret("refresh-0"))


@pytest.mark.parametrize(
    ("address", "is_trusted"),
    [
        ("https://oauth.platform.intuit.com/oauth2/v1/tokens/bearer", True),
        ("https://appcenter.intuit.com/connect/oauth2", True),
        ("http://oauth.platform.intuit.com/oauth2/v1/tokens/bearer", False),
        ("https://oauth.platform.intuit.com.evil.example/", False),
        ("https://evilintuit.com/", False),
        ("https://evil.example/.intuit.com", False),
    ],
)
def test_intuits_own_hosts_are_trusted_over_https_only(address: str, *, is_trusted: bool) -> None:
    with OAuthClient(
        discovery_url=INTUIT_DISCOVERY_URL, client_id="c", client_secret=Secret("s"), clock=FixedClock(NOW)
    ) as oauth:
        try:
            assert oauth._trusted(address) == address
            assert is_trusted
        except QboNotAuthorised:
            assert not is_trusted


def test_a_revocation_ends_the_connection(oauth: OAuthClient, qbo: ScriptedQbo) -> None:
    tokens = oauth.refresh(Secret("refresh-0"))
    oauth.revoke(tokens.refresh_token)
    with pytest.raises(InvalidGrant):
        oauth.refresh(tokens.refresh_token)
