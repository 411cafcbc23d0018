"""The authorisation server: consent, tokens, their lives and deaths."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest

from tests.qbo_sandbox.client import (
    CREDENTIALS,
    REDIRECT,
    SCOPE,
    Company,
    code_of,
    connect,
    consent,
    move_clock,
    new_company,
    tokens,
)
from tests.sandbox import Sandbox, start_sandbox


@pytest.fixture(scope="module")
def clocked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """A sandbox whose clock these tests move."""
    with start_sandbox(tmp_path_factory.mktemp("oauth")) as running:
        yield running


@pytest.fixture
def connected(clocked: Sandbox) -> Company:
    return new_company(clocked)


def refresh(company: Company, token: str | None = None, **headers: str) -> httpx.Response:
    form = {"grant_type": "refresh_token", "refresh_token": token or company.refresh_token}
    return company.http.post("/oauth2/v1/tokens/bearer", data=form, auth=CREDENTIALS, headers=headers)


def app_settings(sandbox: Sandbox, **changed: Any) -> None:
    sandbox.control.post("/__sandbox__/settings", json=changed).raise_for_status()


def test_consent_sends_the_browser_back_with_code_state_and_company(connected: Company) -> None:
    answer = consent(connected.http, realm_id=connected.realm_id, state="a b&c")
    assert answer.status_code == 302
    assert answer.headers["location"].startswith(REDIRECT + "?")
    back = code_of(answer)
    assert (back["state"], back["realmId"]) == ("a b&c", connected.realm_id)


def test_without_a_company_the_choice_is_listed_as_links(clocked: Sandbox, connected: Company) -> None:
    new_company(clocked, name="<Beech & Co>")
    page = consent(clocked.control, realm_id=None)
    assert page.status_code == 200
    assert f"realmId={connected.realm_id}" in page.text
    assert "&lt;Beech &amp; Co&gt;" in page.text


@pytest.mark.parametrize(
    "wrong", [{"client_id": "x"}, {"response_type": "token"}, {"scope": "openid"}, {"redirect_uri": "javascript:x"}]
)
def test_consent_refuses_what_no_app_of_ours_asks(clocked: Sandbox, wrong: dict[str, str]) -> None:
    asked = {"client_id": CREDENTIALS[0], "scope": SCOPE, "redirect_uri": REDIRECT, "response_type": "code"}
    assert clocked.control.get("/connect/oauth2", params={**asked, **wrong}).status_code == 400


def test_a_code_works_once_with_its_own_address_and_for_ten_minutes(clocked: Sandbox, connected: Company) -> None:
    def code() -> str:
        return code_of(consent(clocked.control, realm_id=connected.realm_id))["code"]

    def exchange(code: str, address: str = REDIRECT) -> httpx.Response:
        return tokens(clocked.control, grant_type="authorization_code", code=code, redirect_uri=address)

    used = code()
    assert exchange(used).status_code == 200
    stale = code()
    move_clock(clocked.control, by=timedelta(minutes=11))
    for answer in (exchange(used), exchange(code(), "http://127.0.0.1/other"), exchange(stale)):
        assert answer.status_code == 400
        assert answer.json() == {"error": "invalid_grant", "error_description": "Invalid authorization code"}


def test_credentials_are_taken_by_basic_or_in_the_form(connected: Company) -> None:
    form = {"grant_type": "refresh_token", "refresh_token": connected.refresh_token}
    in_form = {**form, "client_id": CREDENTIALS[0], "client_secret": CREDENTIALS[1]}
    address = "/oauth2/v1/tokens/bearer"
    assert connected.http.post(address, data=form, auth=CREDENTIALS).status_code == 200
    assert connected.http.post(address, data=in_form).status_code == 200
    for wrong in (connected.http.post(address, data=form), connected.http.post(address, data=form, auth=("a", "b"))):
        assert wrong.status_code == 401
        assert wrong.json() == {"error": "invalid_client"}


def test_the_answer_has_the_documented_members(connected: Company) -> None:
    body = refresh(connected).json()
    assert set(body) == {"token_type", "access_token", "expires_in", "refresh_token", "x_refresh_token_expires_in"}
    assert (body["token_type"], body["expires_in"]) == ("bearer", 3600)
    assert len(body["access_token"]) <= 4096
    assert len(body["refresh_token"]) <= 512
    asked = refresh(connected, **{"x-include-refresh-token-hard-expires-in": "true"}).json()
    assert asked["x_refresh_token_hard_expires_in"] > 157_000_000


def test_the_refresh_token_keeps_its_value_for_a_day_and_then_changes(clocked: Sandbox, connected: Company) -> None:
    same = refresh(connected).json()
    move_clock(clocked.control, by=timedelta(hours=23))
    later = refresh(connected).json()
    assert same["refresh_token"] == later["refresh_token"] == connected.refresh_token
    assert later["x_refresh_token_expires_in"] < same["x_refresh_token_expires_in"]
    move_clock(clocked.control, by=timedelta(hours=2))
    rotated = refresh(connected).json()
    assert rotated["refresh_token"] != connected.refresh_token
    dead = refresh(connected)
    assert dead.status_code == 400
    assert dead.json() == {"error": "invalid_grant", "error_description": "Incorrect or invalid refresh token"}
    assert refresh(connected, rotated["refresh_token"]).status_code == 200


@pytest.mark.parametrize("kills", [True, False])
def test_a_racing_refresh_loses_and_may_kill_the_winner(clocked: Sandbox, connected: Company, *, kills: bool) -> None:
    app_settings(clocked, refresh_rotation_seconds=0, racing_refresh_kills_winner=kills)
    try:
        winner = refresh(connected).json()
        assert refresh(connected).status_code == 400
        assert refresh(connected, winner["refresh_token"]).status_code == (400 if kills else 200)
    finally:
        app_settings(clocked, refresh_rotation_seconds=86_400, racing_refresh_kills_winner=False)


def test_a_replaced_refresh_token_may_work_for_a_while_and_gives_the_newest(
    clocked: Sandbox, connected: Company
) -> None:
    app_settings(clocked, refresh_rotation_seconds=86_400, replaced_refresh_seconds=600)
    try:
        move_clock(clocked.control, by=timedelta(days=1, seconds=1))
        newest = refresh(connected).json()["refresh_token"]
        assert newest != connected.refresh_token
        assert refresh(connected).json()["refresh_token"] == newest
        move_clock(clocked.control, by=timedelta(seconds=601))
        assert refresh(connected).status_code == 400
        assert refresh(connected, newest).status_code == 200
    finally:
        app_settings(clocked, replaced_refresh_seconds=0)


def test_an_access_token_ends_after_an_hour_and_the_refusal_echoes_it(clocked: Sandbox, connected: Company) -> None:
    assert connected.get("preferences").status_code == 200
    move_clock(clocked.control, by=timedelta(seconds=3601))
    answer = connected.get("preferences")
    assert answer.status_code == 401
    assert answer.json()["fault"]["error"][0]["detail"] == f"Token expired: {connected.access_token}"
    renewed = replace(connected, access_token=refresh(connected).json()["access_token"])
    assert renewed.get("preferences").status_code == 200


def test_an_idle_connection_dies_after_its_hundred_days(clocked: Sandbox, connected: Company) -> None:
    move_clock(clocked.control, by=timedelta(days=102))
    assert refresh(connected).status_code == 400


def test_a_living_connection_dies_after_five_years(clocked: Sandbox, connected: Company) -> None:
    token = connected.refresh_token
    for _ in range(19):
        move_clock(clocked.control, by=timedelta(days=95))
        answer = refresh(connected, token)
        assert answer.status_code == 200
        token = answer.json()["refresh_token"]
    move_clock(clocked.control, by=timedelta(days=95))
    assert refresh(connected, token).status_code == 400


@pytest.mark.parametrize("which", ["refresh_token", "access_token"])
def test_revoking_either_token_ends_both(connected: Company, which: str) -> None:
    answer = connected.http.post(
        "/v2/oauth2/tokens/revoke", json={"token": getattr(connected, which)}, auth=CREDENTIALS
    )
    assert answer.status_code == 200
    assert connected.get("preferences").status_code == 401
    assert refresh(connected).status_code == 400
    again = connected.http.post("/v2/oauth2/tokens/revoke", json={"token": "nonsense"}, auth=CREDENTIALS)
    assert again.status_code == 400


def test_a_user_can_disconnect_and_connect_again(clocked: Sandbox, connected: Company) -> None:
    connected.control("revoke")
    assert connected.get("preferences").status_code == 401
    assert refresh(connected).json()["error"] == "invalid_grant"
    assert connect(clocked.control, connected.realm_id).get("preferences").status_code == 200


@pytest.mark.parametrize("name", ["openid_configuration", "openid_sandbox_configuration"])
def test_discovery_names_addresses_that_answer(clocked: Sandbox, name: str) -> None:
    document = clocked.control.get(f"/.well-known/{name}").json()
    assert document["token_endpoint"] == f"{clocked.url}/oauth2/v1/tokens/bearer"
    assert clocked.control.post(document["token_endpoint"]).status_code == 401
    assert clocked.control.post(document["revocation_endpoint"], json={}).status_code == 401
    assert clocked.control.get(document["authorization_endpoint"]).status_code == 400


def test_connections_writes_and_moved_time_survive_a_restart(tmp_path_factory: pytest.TempPathFactory) -> None:
    state = tmp_path_factory.mktemp("restarted")
    with start_sandbox(state) as first:
        company = new_company(first)
        made = company.create("Vendor", {"DisplayName": "Made by a client"})
        bill = company.create(
            "Bill",
            {
                "VendorRef": {"value": made["Id"]},
                "Line": [
                    {
                        "Amount": 12.34,
                        "DetailType": "AccountBasedExpenseLineDetail",
                        "AccountBasedExpenseLineDetail": {"AccountRef": {"value": "15"}},
                    }
                ],
            },
        )
        move_clock(first.control, by=timedelta(minutes=30))
        told = first.control.get(f"/__sandbox__/realms/{company.realm_id}/truth?day=2030-01-01").json()
    with start_sandbox(state) as second:
        again = replace(company, http=second.control)
        assert again.rows(f"select * from Bill where Id = '{bill['Id']}'")[0] == bill  # noqa: S608 - the QuickBooks query language
        assert second.control.get(f"/__sandbox__/realms/{company.realm_id}/truth?day=2030-01-01").json() == told
        move_clock(second.control, by=timedelta(minutes=31))
        assert again.get("preferences").status_code == 401
        assert refresh(again).status_code == 200


def test_a_lost_answer_of_the_token_endpoint_loses_the_rotated_token(clocked: Sandbox, connected: Company) -> None:
    """The client never hears of the new value, and the old one is dead: only a new consent helps."""
    faults = "/__sandbox__/realms/oauth/faults"
    app_settings(clocked, refresh_rotation_seconds=0)
    try:
        clocked.control.post(faults, json={"kind": "drop_before", "times": 1}).raise_for_status()
        with pytest.raises(httpx.RemoteProtocolError):
            refresh(connected)
        kept = refresh(connected).json()["refresh_token"]
        clocked.control.post(faults, json={"kind": "drop_after", "times": 1}).raise_for_status()
        with pytest.raises(httpx.RemoteProtocolError):
            refresh(connected, kept)
        assert refresh(connected, kept).json()["error"] == "invalid_grant"
    finally:
        clocked.control.delete(faults)
        app_settings(clocked, refresh_rotation_seconds=86_400)
