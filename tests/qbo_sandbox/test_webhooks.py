"""Notifications: both formats, the signature, retries in the sandbox's own time, repetition."""

import base64
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from qbo_sandbox.books import Change
from qbo_sandbox.webhooks import cloudevents_body, notification_body, signature
from qbo_sandbox.wire import epoch_seconds
from tests.qbo_sandbox.books import START
from tests.qbo_sandbox.client import Company, move_clock, new_company
from tests.sandbox import Sandbox

VERIFIER = "verifier-token"


class Endpoint:
    """An HTTP endpoint that keeps what it gets and answers as told."""

    def __init__(self) -> None:
        self.received: list[tuple[dict[str, str], bytes]] = []
        self.statuses: list[int] = []
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                endpoint.received.append(({name.lower(): value for name, value in self.headers.items()}, body))
                self.send_response(endpoint.statuses.pop(0) if endpoint.statuses else 200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/hook"

    def wait_for(self, count: int) -> bool:
        return wait_until(lambda: len(self.received) >= count)


def wait_until(condition: Callable[[], bool], *, seconds: float = 10.0) -> bool:
    deadline = time.perf_counter() + seconds
    while time.perf_counter() < deadline:
        if condition():
            return True
        time.sleep(0.02)
    return False


@pytest.fixture(scope="module")
def endpoint() -> Iterator[Endpoint]:
    endpoint = Endpoint()
    thread = threading.Thread(target=endpoint.server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield endpoint
    endpoint.server.shutdown()
    thread.join()
    endpoint.server.server_close()


@pytest.fixture
def subscribed(sandbox: Sandbox, company: Company, endpoint: Endpoint) -> Iterator[Company]:
    endpoint.received.clear()
    company.get("preferences")
    yield company
    sandbox.control.delete("/__sandbox__/webhooks")


def subscribe(sandbox: Sandbox, endpoint: Endpoint, *, style: str = "cloudevents", copies: int = 1) -> None:
    sandbox.control.post("/__sandbox__/settings", json={"webhook_format": style}).raise_for_status()
    target = {"url": endpoint.url, "verifier_token": VERIFIER, "copies": copies}
    sandbox.control.post("/__sandbox__/webhooks", json=target).raise_for_status()


def test_a_change_is_told_in_cloudevents(sandbox: Sandbox, subscribed: Company, endpoint: Endpoint) -> None:
    subscribe(sandbox, endpoint)
    made = subscribed.create("Vendor", {"DisplayName": "Told of"})
    assert endpoint.wait_for(1)
    headers, raw = endpoint.received[0]
    event = json.loads(raw)[0]
    assert event["type"] == "qbo.vendor.created.v1"
    assert (event["intuitentityid"], event["intuitaccountid"]) == (made["Id"], subscribed.realm_id)
    assert set(event) == {
        "specversion", "id", "source", "type", "datacontenttype", "time", "intuitentityid", "intuitaccountid", "data",
    }  # fmt: skip
    own = hmac.new(VERIFIER.encode(), raw, hashlib.sha256).digest()
    assert base64.b64decode(headers["intuit-signature"]) == own
    assert {"intuit-t-id", "intuit-created-time", "intuit-notification-schema-version"} <= set(headers)


def test_a_change_is_told_in_the_older_format(sandbox: Sandbox, subscribed: Company, endpoint: Endpoint) -> None:
    subscribe(sandbox, endpoint, style="notifications")
    made = subscribed.create("Term", {"Name": "Net 4", "DueDays": 4})
    assert endpoint.wait_for(1)
    told = json.loads(endpoint.received[0][1])["eventNotifications"][0]
    assert told["realmId"] == subscribed.realm_id
    entity = told["dataChangeEvent"]["entities"][0]
    assert (entity["name"], entity["id"], entity["operation"]) == ("Term", made["Id"], "Create")


def test_a_notification_can_come_twice_with_one_id(sandbox: Sandbox, subscribed: Company, endpoint: Endpoint) -> None:
    subscribe(sandbox, endpoint, copies=2)
    subscribed.create("Term", {"Name": "Net 5", "DueDays": 5})
    assert endpoint.wait_for(2)
    assert endpoint.received[0][1] == endpoint.received[1][1]


def test_an_unacknowledged_notification_is_sent_again_after_ten_seconds(
    own_sandbox: Sandbox, endpoint: Endpoint
) -> None:
    company = new_company(own_sandbox)
    company.get("preferences")
    endpoint.received.clear()
    endpoint.statuses[:] = [500, 500]
    subscribe(own_sandbox, endpoint)
    company.create("Term", {"Name": "Net 6", "DueDays": 6})

    def statuses() -> list[int]:
        found: list[int] = own_sandbox.control.get("/__sandbox__/webhooks").json()[0]["statuses"]
        return found

    assert endpoint.wait_for(1)
    for expected, seconds in ((2, 10), (3, 20)):
        # The wait begins when the sandbox has the answer, a moment after the endpoint gave it.
        assert wait_until(lambda expected=expected: len(statuses()) == expected - 1)  # type: ignore[misc] # a bound default
        move_clock(own_sandbox.control, by=timedelta(seconds=seconds - 5))
        assert not wait_until(lambda expected=expected: len(endpoint.received) >= expected, seconds=0.3)  # type: ignore[misc] # a bound default
        move_clock(own_sandbox.control, by=timedelta(seconds=5))
        assert endpoint.wait_for(expected)
    assert wait_until(lambda: own_sandbox.control.get("/__sandbox__/webhooks").json()[0]["acknowledged"])
    assert statuses() == [500, 500, 200]


def test_generated_history_is_not_told(sandbox: Sandbox, subscribed: Company, endpoint: Endpoint) -> None:
    subscribe(sandbox, endpoint)
    quiet = new_company(sandbox)
    quiet.get("preferences")
    subscribed.create("Term", {"Name": "Net 77", "DueDays": 77})
    assert endpoint.wait_for(1)
    realms = {event["intuitaccountid"] for _, raw in endpoint.received for event in json.loads(raw)}
    assert realms == {subscribed.realm_id}


def test_a_merge_names_the_one_that_is_gone_in_both_formats() -> None:
    change = Change(entity="Vendor", id="5", operation="Merge", at=epoch_seconds(START), deleted_id="6")
    old = json.loads(notification_body([("1", change)]))
    assert old["eventNotifications"][0]["dataChangeEvent"]["entities"] == [
        {
            "name": "Vendor",
            "id": "5",
            "operation": "Merge",
            "lastUpdated": "2026-03-02T17:00:00.000Z",
            "deletedId": "6",
        }
    ]
    new = json.loads(cloudevents_body([("1", change)], words={"Merge": "merged"}))[0]
    assert (new["type"], new["data"]) == ("qbo.vendor.merged.v1", {"deletedId": "6"})
    assert new["time"] == "2026-03-02T17:00:00.000000000Z"


def test_the_signature_changes_with_body_and_token() -> None:
    assert signature(b"a", "k") != signature(b"b", "k") != signature(b"b", "l")
