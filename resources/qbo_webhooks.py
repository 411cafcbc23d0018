"""Notifications of changes in QuickBooks: which are Intuit's, which companies they name.

Belongs here: the signature over the raw body, both body formats, the events in them. Does not: HTTP (`cli/webhooks.py`),
remembering events and marking tenants (`resources/dirty_tenants.py`), reading what changed (the sync: change data stays the truth).

A notification carries no value of the books, and nothing in it is trusted before the signature is verified. One delivery may
name several companies: an event that cannot be read is counted and left out, for the same body would come again for ever and
keep the news of the others back. The nightly sync reads what it would have announced.
"""

import base64
import binascii
import hashlib
import hmac
import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from resources.secret_text import Secret

SIGNATURE_HEADER = "intuit-signature"

_REALM = re.compile(r"[0-9]{1,32}")
_LONGEST_ID = 200

T = TypeVar("T")


class BadSignature(Exception):
    """The body is not signed with the app's verifier token."""


class BadNotification(Exception):
    """A signed body in neither of the two formats; says where, quotes nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One change in one company. `event_id` is the same each time the same event is delivered."""

    event_id: str
    realm_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """The events of one body, each once, and how many of its parts could not be read."""

    events: tuple[Event, ...]
    unreadable: int


def verified_events(body: bytes, *, signature: str, verifier: Secret) -> Delivery:
    """The events of a body that Intuit signed.

    Raises:
        BadSignature: it is signed by somebody else or not at all; the body was not looked at.
        BadNotification: it is signed and in neither of the two formats.
    """
    _verify(body, signature=signature, verifier=verifier)
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        raise BadNotification("the body is no JSON") from None
    found = _readable(value, _cloud_event) if isinstance(value, list) else _notifications(value)
    by_id: dict[str, Event] = {}
    unreadable = 0
    for event in found:
        if event is None:
            unreadable += 1
        else:
            by_id[event.event_id] = event
    return Delivery(events=tuple(by_id.values()), unreadable=unreadable)


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


def _readable(values: Iterable[Any], read: Callable[[Any], T]) -> Iterator[T | None]:
    """What each value says; None for one that cannot be read."""
    for value in values:
        try:
            yield read(value)
        except BadNotification:
            yield None


def _cloud_event(value: Any) -> Event:
    event_id, realm = _member(value, "id"), _member(value, "intuitaccountid")
    if not isinstance(event_id, str) or not 0 < len(event_id) <= _LONGEST_ID or not event_id.isprintable():
        raise BadNotification("an event has no id")
    return Event(event_id=f"event:{event_id}", realm_id=_realm(realm))


def _notifications(value: Any) -> Iterator[Event | None]:
    """The older format: companies, each with what changed in it."""
    for company in _readable(_list(value, "eventNotifications"), _company):
        if company is None:
            yield None
            continue
        realm, entities = company
        yield from _readable(entities, partial(_said, realm))


def _company(value: Any) -> tuple[str, list[Any]]:
    return _realm(_member(value, "realmId")), _list(_member(value, "dataChangeEvent"), "entities")


def _said(realm: str, entity: Any) -> Event:
    """An entity has no id of its own: what it says stands in for one."""
    parts = [_member(entity, name) for name in ("name", "id", "operation", "lastUpdated", "deletedId")]
    said = json.dumps([realm, *parts], ensure_ascii=False, sort_keys=True).encode("utf-8", "surrogatepass")
    return Event(event_id=f"said:{hashlib.sha256(said).hexdigest()}", realm_id=realm)


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
