"""The webhook receiver: the local QuickBooks delivers to it over HTTP, and so do others who must not be believed."""

import base64
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
import uvicorn

from cli.webhooks import PATH, receiver
from resources.installation import Installation
from resources.secret_text import Secret
from resources.tenants import TenantId
from tests.browser import free_port
from tests.sandbox import Sandbox

_VERIFIER = "verifier-canary-4711"
_REALMS = {"acme": "9130400000000001", "bolt": "9130400000000002"}


@pytest.fixture
def connected(installation: Installation, sandbox: Sandbox) -> Installation:
    """Two tenants, each connected to its company."""
    installation.registry.add_firm("oak", name="Oak")
    for seed, (tenant, realm) in enumerate(_REALMS.items()):
        sandbox.add_company(
            realm_id=realm,
            name=tenant,
            industry="consulting",
            size="micro",
            seed=seed,
            as_of="2026-11-20",
            zone="America/New_York",
        )
        installation.registry.add_tenant(tenant, firm_id="oak", name=tenant, zone="America/New_York")
        installation.connector.connect_without_browser(TenantId(tenant), realm_id=realm)
    return installation


@pytest.fixture
def address(connected: Installation) -> Iterator[str]:
    """The receiver, served as `runway webhooks` serves it."""
    app = receiver(connected.dirty_tenants, verifier=Secret(_VERIFIER))
    config = uvicorn.Config(
        app, port=free_port(), log_config=None, access_log=False, server_header=False, lifespan="off"
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    _wait_until(lambda: server.started)
    yield f"http://127.0.0.1:{config.port}{PATH}"
    server.should_exit = True
    thread.join()


def _wait_until(condition: Callable[[], object], *, seconds: float = 15) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come to that in time"
        time.sleep(0.02)


def _deliver(address: str, value: Any, *, key: str = _VERIFIER, **headers: str) -> int:
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    signed = base64.b64encode(hmac.new(key.encode(), body, hashlib.sha256).digest()).decode()
    answer = httpx.post(address, content=body, headers={"intuit-signature": signed, **headers}, trust_env=False)
    return answer.status_code


def _event(name: str, realm: str) -> dict[str, Any]:
    return {"id": name, "intuitaccountid": realm, "type": "qbo.bill.updated.v1", "intuitentityid": "1"}


def _dirty(installation: Installation) -> dict[str, int]:
    return {one.tenant_id: one.generation for one in installation.dirty_tenants.dirty()}


@pytest.mark.parametrize("written_as", ["cloudevents", "notifications"])
def test_what_changes_in_quickbooks_marks_its_tenant_and_no_other_once(
    connected: Installation, sandbox: Sandbox, address: str, written_as: str
) -> None:
    hooks = {"url": address, "verifier_token": _VERIFIER, "copies": 2}  # each delivery comes twice
    sandbox.control.post("/__sandbox__/settings", json={"webhook_format": written_as}).raise_for_status()
    sandbox.control.post("/__sandbox__/webhooks", json=hooks).raise_for_status()
    before = len(_deliveries(sandbox))
    try:
        token = connected.connections.load(TenantId("acme")).tokens.access_token.reveal()
        answer = httpx.post(
            f"{sandbox.url}/v3/company/{_REALMS['acme']}/vendor",
            json={"DisplayName": f"New vendor {written_as}"},
            headers={"Authorization": f"Bearer {token}", "Accept": "application/json"},
            trust_env=False,
        )
        assert answer.status_code == 200, answer.text
        _wait_until(lambda: [one["statuses"] for one in _deliveries(sandbox)[before:]] == [[200, 200]])
        assert _dirty(connected) == {"acme": 1}
    finally:
        sandbox.control.delete("/__sandbox__/webhooks").raise_for_status()
        sandbox.control.post("/__sandbox__/settings", json={"webhook_format": "cloudevents"}).raise_for_status()


def _deliveries(sandbox: Sandbox) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = sandbox.control.get("/__sandbox__/webhooks").json()
    return found


def test_one_delivery_of_several_companies_marks_each_of_them_and_ignores_strangers(
    connected: Installation, address: str
) -> None:
    events = [_event("1", _REALMS["acme"]), _event("2", "999"), _event("3", _REALMS["bolt"])]
    assert _deliver(address, events) == 200
    assert _dirty(connected) == {"acme": 1, "bolt": 1}


def test_a_replayed_delivery_is_acknowledged_and_marks_nothing_more(connected: Installation, address: str) -> None:
    events = [_event("1", _REALMS["acme"])]
    assert [_deliver(address, events) for _ in range(3)] == [200, 200, 200]
    assert _dirty(connected) == {"acme": 1}


def test_a_forged_delivery_marks_nobody(connected: Installation, address: str) -> None:
    events = [_event("1", _REALMS["acme"])]
    assert _deliver(address, events, key="guess") == 401
    assert _deliver(address, events, **{"intuit-signature": ""}) == 401
    assert httpx.post(address, json=events, trust_env=False).status_code == 401
    assert _deliver(address, b"{not json", key="guess") == 401
    assert _dirty(connected) == {}


def test_a_signed_delivery_that_cannot_be_read_marks_nobody(connected: Installation, address: str) -> None:
    assert _deliver(address, b"{not json") == 400
    assert _deliver(address, {"events": [_event("1", _REALMS["acme"])]}) == 400
    assert _dirty(connected) == {}


def test_an_event_that_cannot_be_read_is_counted_in_the_log_and_keeps_no_other_company_unread(
    connected: Installation, address: str, caplog: pytest.LogCaptureFixture
) -> None:
    """With any other answer Intuit would deliver the same body again, for ever."""
    odd = [{"id": "odd-canary"}, {"id": "2", "intuitaccountid": "no-realm-canary"}]
    with caplog.at_level("DEBUG"):
        assert _deliver(address, [_event("1", _REALMS["acme"]), *odd, _event("3", _REALMS["bolt"])]) == 200
    assert _dirty(connected) == {"acme": 1, "bolt": 1}
    assert "2 events of a signed delivery could not be read" in caplog.text
    assert "canary" not in caplog.text


def test_nothing_but_a_post_to_the_one_path_is_answered(address: str) -> None:
    assert httpx.get(address, trust_env=False).status_code == 405
    assert _deliver(address.removesuffix(PATH) + "/", []) == 404


def test_a_body_longer_than_any_delivery_is_not_taken_in(connected: Installation, address: str) -> None:
    assert _deliver(address, b"[" + b" " * (9 * 1024 * 1024) + b"]") == 413
    assert _dirty(connected) == {}


def test_ten_thousand_events_are_acknowledged_within_three_seconds(connected: Installation, address: str) -> None:
    events = [_event(str(number), _REALMS["acme"]) for number in range(10_000)]
    began = time.monotonic()
    assert _deliver(address, events) == 200
    assert time.monotonic() - began < 3
    assert _dirty(connected) == {"acme": 1}


def test_a_database_that_is_busy_is_answered_in_time_and_loses_no_event(connected: Installation, address: str) -> None:
    events = [_event("1", _REALMS["acme"])]
    began = time.monotonic()
    with connected.database.write():  # another process writes for long
        assert _deliver(address, events) == 503
        assert time.monotonic() - began < 3
    _wait_until(lambda: _deliver(address, events) == 200)
    assert _dirty(connected) == {"acme": 1}


def test_without_a_verifier_token_there_is_no_receiver(connected: Installation) -> None:
    with pytest.raises(ValueError, match="RUNWAY_QBO_WEBHOOK_VERIFIER"):
        receiver(connected.dirty_tenants, verifier=Secret(""))


def test_the_log_of_a_delivery_names_no_company_and_no_key(address: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("DEBUG"):
        _deliver(address, [_event("1", _REALMS["acme"]), _event("2", "999")])
        _deliver(address, [_event("3", "999")], key="guess")
    assert "1 events are about companies that are no tenant's" in caplog.text
    assert "not signed" in caplog.text
    ours = [record.getMessage() for record in caplog.records if record.name == "cli.webhooks"]
    assert not any(secret in line for line in ours for secret in (_VERIFIER, _REALMS["acme"], "999"))
