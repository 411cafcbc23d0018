"""Notifications of changes, signed and delivered again until they are acknowledged.

Belongs here: both body formats, the signature, the retry schedule. Does not: what counts as a change (``company.py``).
"""

import asyncio
import base64
import hashlib
import hmac
import itertools
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from qbo_sandbox.books import Change
from qbo_sandbox.clock import VirtualClock
from qbo_sandbox.settings import AppSettings
from qbo_sandbox.wire import to_json

ACKNOWLEDGE_SECONDS = 3.0
# After a failed delivery, in seconds; the last one repeats.
RETRY_SECONDS = (10, 20, 30, 300, 1200, 7200, 14400, 21600)


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """Where notifications go and the verifier token that signs them."""

    url: str
    verifier_token: str


@dataclass(slots=True, kw_only=True)
class Delivery:
    """One body sent to the subscriber and what became of it."""

    id: int
    body: str
    attempts: int = 0
    acknowledged: bool = False
    statuses: list[int | str] = field(default_factory=list)


def signature(body: bytes, verifier_token: str) -> str:
    """The value of the ``intuit-signature`` header."""
    return base64.b64encode(hmac.new(verifier_token.encode(), body, hashlib.sha256).digest()).decode()


def notification_body(changes: Sequence[tuple[str, Change]]) -> str:
    """The older format: grouped by realm, capitalised words."""
    realms: dict[str, list[dict[str, Any]]] = {}
    for realm, change in changes:
        entity = {
            "name": change.entity,
            "id": change.id,
            "operation": change.operation,
            "lastUpdated": _utc(change.at, places=3),
        }
        if change.deleted_id is not None:
            entity["deletedId"] = change.deleted_id
        realms.setdefault(realm, []).append(entity)
    return to_json(
        {
            "eventNotifications": [
                {"realmId": realm, "dataChangeEvent": {"entities": entities}} for realm, entities in realms.items()
            ]
        }
    )


def cloudevents_body(changes: Sequence[tuple[str, Change]], *, words: dict[str, str]) -> str:
    """The newer format: a flat array, realms mixed."""
    return to_json(
        [
            {
                "specversion": "1.0",
                "id": secrets.token_hex(16),
                "source": "intuit." + secrets.token_urlsafe(24),
                "type": f"qbo.{change.entity.lower()}.{words[change.operation]}.v1",
                "datacontenttype": "application/json",
                "time": _utc(change.at, places=9),
                "intuitentityid": change.id,
                "intuitaccountid": realm,
                "data": {"deletedId": change.deleted_id} if change.deleted_id is not None else {},
            }
            for realm, change in changes
        ]
    )


def _utc(seconds: int, *, places: int) -> str:
    return f"{datetime.fromtimestamp(seconds, tz=UTC).strftime('%Y-%m-%dT%H:%M:%S')}.{'0' * places}Z"


class Webhooks:
    """Collects changes while a subscription exists and delivers them."""

    def __init__(self, *, clock: VirtualClock) -> None:
        self._clock = clock
        self._subscription: Subscription | None = None
        self._pending: list[tuple[str, Change]] = []
        self._wake = asyncio.Event()
        self._ids = itertools.count(1)
        self._body: Callable[[Sequence[tuple[str, Change]]], str] = notification_body
        self.deliveries: list[Delivery] = []
        self.copies = 1  # how often each notification is sent: they can come twice

    def subscribe(self, subscription: Subscription | None) -> None:
        """Send to this address from now on; None ends it."""
        self._subscription = subscription
        self._pending.clear()

    def notice(self, realm: str, change: Change, *, settings: AppSettings) -> None:
        """Take a change up for delivery."""
        if self._subscription is None:
            return
        if settings.webhook_format == "cloudevents":
            self._body = lambda changes: cloudevents_body(changes, words=settings.webhook_words)
        else:
            self._body = notification_body
        self._pending.append((realm, change))
        self._wake.set()

    async def run(self) -> None:
        """Deliver for as long as the program runs; retries of one body do not hold up the next."""
        async with httpx.AsyncClient(timeout=ACKNOWLEDGE_SECONDS) as client, asyncio.TaskGroup() as deliveries:
            while True:
                await self._wake.wait()
                self._wake.clear()
                changes, self._pending = self._pending, []
                subscription = self._subscription
                if changes and subscription is not None:
                    delivery = Delivery(id=next(self._ids), body=self._body(changes))
                    self.deliveries.append(delivery)
                    deliveries.create_task(self._deliver(client, subscription, delivery))

    async def _deliver(self, client: httpx.AsyncClient, subscription: Subscription, delivery: Delivery) -> None:
        for _ in range(self.copies):
            while not await self._attempt(client, subscription, delivery):
                if self._subscription is not subscription:
                    return
                wait = RETRY_SECONDS[min(delivery.attempts - 1, len(RETRY_SECONDS) - 1)]
                await self._clock.wait_until(self._clock.now() + timedelta(seconds=wait))

    async def _attempt(self, client: httpx.AsyncClient, subscription: Subscription, delivery: Delivery) -> bool:
        raw = delivery.body.encode()
        headers = {
            "Content-Type": "application/json",
            "intuit-signature": signature(raw, subscription.verifier_token),
            "intuit-t-id": secrets.token_hex(16),
            "intuit-created-time": _utc(int(self._clock.seconds()), places=3),
            "intuit-notification-schema-version": "v1",
        }
        delivery.attempts += 1
        try:
            response = await client.post(subscription.url, content=raw, headers=headers)
        except httpx.HTTPError as error:
            delivery.statuses.append(type(error).__name__)
            return False
        delivery.statuses.append(response.status_code)
        delivery.acknowledged = delivery.acknowledged or response.is_success
        return response.is_success
