"""Notifications: nothing is read that Intuit did not sign, and both formats say the same."""

import base64
import hashlib
import hmac
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resources.qbo_webhooks import BadNotification, BadSignature, Delivery, Event, verified_events
from resources.secret_text import Secret

_VERIFIER = Secret("verifier-canary")


def _signature(body: bytes, key: str = "verifier-canary") -> str:
    return base64.b64encode(hmac.new(key.encode(), body, hashlib.sha256).digest()).decode()


def _delivery(value: Any) -> Delivery:
    body = json.dumps(value).encode()
    return verified_events(body, signature=_signature(body), verifier=_VERIFIER)


def _events(value: Any) -> tuple[Event, ...]:
    found = _delivery(value)
    assert found.unreadable == 0
    return found.events


def _cloud(event_id: str = "e1", realm: str = "1") -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": event_id,
        "type": "qbo.bill.created.v1",
        "intuitentityid": "7",
        "intuitaccountid": realm,
        "data": {},
    }


def _old(realm: str = "1", **changes: str) -> dict[str, Any]:
    entity = {"name": "Bill", "id": "7", "operation": "Create", "lastUpdated": "2026-11-20T10:00:00.000Z", **changes}
    return {"realmId": realm, "dataChangeEvent": {"entities": [entity]}}


_GOOD = json.dumps([_cloud()]).encode()


def test_both_formats_name_their_companies_mixed_in_one_delivery() -> None:
    assert [one.realm_id for one in _events([_cloud("a", "1"), _cloud("b", "2"), _cloud("c", "1")])] == ["1", "2", "1"]
    assert [one.realm_id for one in _events({"eventNotifications": [_old("1"), _old("2")]})] == ["1", "2"]
    assert _events([]) == ()


def test_the_same_event_has_the_same_id_however_often_it_comes_and_another_has_another() -> None:
    assert len(_events([_cloud("a"), _cloud("a")])) == 1
    once = _events({"eventNotifications": [_old()]})
    assert _events({"eventNotifications": [_old(), _old()]}) == once
    for other in (_old("2"), _old(id="8"), _old(operation="Void"), _old(lastUpdated="x"), _old(deletedId="9")):
        assert _events({"eventNotifications": [other]}) != once


@pytest.mark.parametrize(
    "signature",
    [
        pytest.param("", id="none"),
        pytest.param("====", id="no base64"),
        pytest.param("ü", id="no ascii"),
        pytest.param(_signature(_GOOD)[:-4], id="cut"),
        pytest.param(_signature(_GOOD)[:8], id="short"),
        pytest.param(_signature(_GOOD, "guess"), id="another key"),
        pytest.param(_signature(_GOOD, ""), id="an empty key"),
        pytest.param(_signature(_GOOD + b" "), id="of another body"),
        pytest.param(hmac.new(b"verifier-canary", _GOOD, hashlib.sha256).hexdigest(), id="in hexadecimal"),
    ],
)
def test_a_body_with_a_wrong_signature_is_not_looked_at(signature: str) -> None:
    with pytest.raises(BadSignature):
        verified_events(_GOOD, signature=signature, verifier=_VERIFIER)
    with pytest.raises(BadSignature):  # and not because it parses
        verified_events(b"{not json", signature=signature, verifier=_VERIFIER)


@given(position=st.integers(0, len(_GOOD) - 1), byte=st.integers(1, 255))
def test_one_altered_byte_is_enough(position: int, byte: int) -> None:
    forged = bytearray(_GOOD)
    forged[position] ^= byte
    with pytest.raises(BadSignature):
        verified_events(bytes(forged), signature=_signature(_GOOD), verifier=_VERIFIER)


def test_without_a_verifier_token_nothing_is_accepted() -> None:
    with pytest.raises(BadSignature):
        verified_events(_GOOD, signature=_signature(_GOOD, ""), verifier=Secret(""))


@pytest.mark.parametrize(
    "value",
    [
        "text",
        7,
        None,
        {},
        {"eventNotifications": {}},
    ],
    ids=lambda value: json.dumps(value)[:40],
)
def test_a_signed_body_in_no_known_form_is_said_so_without_quoting_it(value: Any) -> None:
    with pytest.raises(BadNotification):
        _delivery(value)


@pytest.mark.parametrize(
    "odd",
    [
        7,
        None,
        {},
        _cloud(""),
        _cloud("x" * 201),
        _cloud("\x00"),
        _cloud("\ud800"),
        _cloud(realm="../1"),
        {**_cloud(), "intuitaccountid": 1},
    ],
    ids=lambda value: json.dumps(value)[:60],
)
def test_an_event_that_cannot_be_read_is_counted_and_keeps_nobody_elses_back(odd: Any) -> None:
    found = _delivery([_cloud("a", "1"), odd, _cloud("b", "2")])
    assert ([one.realm_id for one in found.events], found.unreadable) == (["1", "2"], 1)
    assert _delivery([odd]) == Delivery(events=(), unreadable=1)


@pytest.mark.parametrize(
    "odd",
    [7, {}, {"realmId": "1"}, _old("1 OR 1=1"), {**_old(), "realmId": 1}, {**_old(), "dataChangeEvent": {}}],
    ids=lambda value: json.dumps(value)[:60],
)
def test_in_the_older_format_a_company_that_cannot_be_read_keeps_nobody_elses_back(odd: Any) -> None:
    found = _delivery({"eventNotifications": [_old("1"), odd, _old("2")]})
    assert ([one.realm_id for one in found.events], found.unreadable) == (["1", "2"], 1)


def test_in_the_older_format_a_change_that_cannot_be_read_keeps_no_other_back() -> None:
    entities = [7, *_old()["dataChangeEvent"]["entities"], None]
    found = _delivery({"eventNotifications": [{"realmId": "1", "dataChangeEvent": {"entities": entities}}]})
    assert (found.events, found.unreadable) == (_events({"eventNotifications": [_old()]}), 2)
    assert len(_events({"eventNotifications": [_old(name="\ud800")]})) == 1, "half of a character is no reason to fail"


@pytest.mark.parametrize("body", [b"\xff\xfe", b"[" * 100_000, b"", b"[1"])
def test_a_signed_body_that_is_no_json_is_said_so(body: bytes) -> None:
    with pytest.raises(BadNotification):
        verified_events(body, signature=_signature(body), verifier=_VERIFIER)
