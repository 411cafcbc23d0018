"""Notifications of changes in QuickBooks: which are Intuit's, which companies they name.

Belongs here: the signature over the raw body, both body formats, the events in them. Does not: HTTP (`cli/webhooks.py`),
remembering events and marking tenants (`resources/dirty_tenants.py`), reading what changed (the sync: change data stays the truth).

A notification carries no value of the books, and nothing in it is trusted before the signature is verified. One delivery may
name several companies.
"""

import base64
import binascii
import hashlib
import hmac
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from resources.secret_text import Secret

SIGNATURE_HEADER = "intuit-signature"

_REALM = re.compile(r"[0-9]{1,32}")
_LONGEST_ID = 200


class BadSignature(Exception):
    """The body is not signed with the app's verifier token."""


class BadNotification(Exception):
    """A signed body in neither of the two formats; says where, quotes nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One change in one company. `event_id` is the same each time the same event is delivered."""

    event_id: str
    realm_id: str


def verified_events(body: bytes, *, signature: str, verifier: Secret) -> tuple[Event, ...]:
    """The events of a body that Intuit signed.

    Raises:
        BadSignature: it is signed by somebody else or not at all; the body was not looked at.
        BadNotification: it is signed and cannot be read.
    """
    _verify(body, signature=signature, verifier=verifier)
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        raise BadNotification("the body is no JSON") from None
    found = tuple(_cloud_events(value) if isinstance(value, list) else _notifications(value))
    return tuple({event.event_id: event for event in found}.values())


def _verify(body: bytes, *, signature: str, verifier: Secret) -> None:
    if not verifier.reveal():
        raise BadSignature  # an empty key would be everybody's key
    expected = hmac.new(verifier.reveal().encode(), body, hashlib.sha256).digest()
    try:
        given = base64.b64decode(signature.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        raise BadSignature from None
    if not hmac.compare_digest(given, expected):
        raise BadSignature


def _cloud_events(value: list[Any]) -> Iterator[Event]:
    for one in value:
        event_id, realm = _member(one, "id"), _member(one, "intuitaccountid")
        if not isinstance(event_id, str) or not 0 < len(event_id) <= _LONGEST_ID:
            raise BadNotification("an event has no id")
        yield Event(event_id=f"event:{event_id}", realm_id=_realm(realm))


def _notifications(value: Any) -> Iterator[Event]:
    """The older format has no ids: what an event says stands in for one."""
    for company in _list(value, "eventNotifications"):
        realm = _realm(_member(company, "realmId"))
        for entity in _list(_member(company, "dataChangeEvent"), "entities"):
            parts = [_member(entity, name) for name in ("name", "id", "operation", "lastUpdated", "deletedId")]
            said = json.dumps([realm, *parts], ensure_ascii=False, sort_keys=True)
            yield Event(event_id=f"said:{hashlib.sha256(said.encode()).hexdigest()}", realm_id=realm)


def _member(value: Any, name: str) -> Any:
    if not isinstance(value, dict):
        raise BadNotification(f"{name} was looked for in something that is no object")
    return value.get(name)


def _list(value: Any, name: str) -> list[Any]:
    found = _member(value, name)
    if not isinstance(found, list):
        raise BadNotification(f"{name} is no list")
    return found


def _realm(value: Any) -> str:
    if not isinstance(value, str) or not _REALM.fullmatch(value):
        raise BadNotification("an event names no company")
    return value
