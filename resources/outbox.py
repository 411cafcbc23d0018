"""The outbox as runs and people use it: queue a mail once, see what became of it, ask for it again, take in what came back.

Belongs here: queueing, reading, resending, bounces. Does not: claiming and sending (`resources/outbox_claims.py`,
`resources/mail.py`), what a mail says (`experiences/`).

A row is unique for tenant, document, week and address, so that whatever runs twice queues once. A later rendering of the document
takes the place of one that still waits; what has left is not touched.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import Connection, insert, select, update

from resources.clock import Clock
from resources.database import Database
from resources.mail_tables import OUTBOX
from resources.outbox_claims import OutboxClaims, due_rows
from resources.outbox_rows import (
    MailContent,
    OutboxEvent,
    OutboxRow,
    RowKey,
    content_of,
    events,
    keep_content,
    note,
    one_row,
    rows,
    where_row,
)
from resources.recipients import recipient_in, suppress
from resources.registry import lock_tenant
from resources.tables import TENANT
from resources.tenants import Tenant, TenantId
from resources.unsubscribe import MailKeys

Queued = Literal["queued", "updated", "unchanged"]
#: How long a mail is tried after a person asked for it again.
RESEND_FOR = timedelta(days=2)


class ResendRefused(ValueError):
    """The mail cannot be asked for again: the message says why."""


class Outbox:
    """The mails of all tenants."""

    def __init__(self, database: Database, *, clock: Clock, keys: MailKeys) -> None:
        self._database = database
        self._clock = clock
        self._keys = keys

    @property
    def claims(self) -> OutboxClaims:
        """The sender's side of it."""
        return OutboxClaims(self._database, clock=self._clock)

    def enqueue(self, row_key: RowKey, content: MailContent, *, due_at: datetime, expires_at: datetime) -> Queued:
        """Queue a mail, or give one that still waits its newest content; what was begun is left as it is."""
        return self.enqueue_about(row_key, lambda _: (content, None), due_at=due_at, expires_at=expires_at)

    def enqueue_about(
        self,
        row_key: RowKey,
        make: Callable[[OutboxRow | None], tuple[MailContent, Sequence[dict[str, Any]] | None]],
        *,
        due_at: datetime,
        expires_at: datetime,
    ) -> Queued:
        """Queue a mail whose content is made from what already waits; `make` is called inside the transaction."""
        now = self._clock.now()
        with self._database.write() as connection:
            lock_tenant(connection, row_key.tenant_id)
            kept = one_row(connection, row_key)
            if kept is not None and kept.state != "queued":
                return "unchanged"
            content, about = make(kept)
            if kept is not None and kept.content_id == content.content_id:
                return "unchanged"
            content_id = keep_content(connection, row_key.tenant_id, content)
            listed = None if about is None else list(about)
            if kept is not None:
                connection.execute(
                    update(OUTBOX).where(*where_row(row_key)).values(content_id=content_id, about=listed)
                )
                note(connection, row_key, attempt=kept.attempt, event="content updated", detail="", at=now)
                return "updated"
            connection.execute(
                insert(OUTBOX).values(
                    tenant_id=row_key.tenant_id,
                    kind=row_key.kind,
                    key=row_key.key,
                    address=row_key.address,
                    content_id=content_id,
                    message_token=self._token(row_key),
                    state="queued",
                    reason="",
                    attempt=0,
                    refusals=0,
                    queued_at=now,
                    due_at=due_at,
                    expires_at=expires_at,
                    about=listed,
                )
            )
            note(connection, row_key, attempt=0, event="queued", detail="", at=now)
        return "queued"

    def rows(self, tenant: TenantId, *, kind: str | None = None, key: str | None = None) -> list[OutboxRow]:
        """A tenant's mails, the newest week first."""
        statement = select(OUTBOX).where(OUTBOX.c.tenant_id == tenant)
        if kind is not None:
            statement = statement.where(OUTBOX.c.kind == kind)
        if key is not None:
            statement = statement.where(OUTBOX.c.key == key)
        with self._database.read() as connection:
            return rows(connection, statement.order_by(OUTBOX.c.key.desc(), OUTBOX.c.kind, OUTBOX.c.address))

    def row(self, row_key: RowKey) -> OutboxRow | None:
        """One mail."""
        with self._database.read() as connection:
            return one_row(connection, row_key)

    def rows_of_firm(self, firm_id: str, *, kind: str, key_prefix: str) -> list[OutboxRow]:
        """The mails of one kind of all tenants of a firm whose key begins so, the oldest first."""
        statement = (
            select(OUTBOX)
            .join(TENANT, TENANT.c.tenant_id == OUTBOX.c.tenant_id)
            .where(TENANT.c.firm_id == firm_id, OUTBOX.c.kind == kind, OUTBOX.c.key.startswith(key_prefix))
            .order_by(OUTBOX.c.key, OUTBOX.c.queued_at, OUTBOX.c.tenant_id)
        )
        with self._database.read() as connection:
            return rows(connection, statement)

    def content(self, row: OutboxRow) -> MailContent:
        """What a mail shows."""
        with self._database.read() as connection:
            return content_of(connection, row.row_key.tenant_id, row.content_id)

    def history(self, row_key: RowKey) -> list[OutboxEvent]:
        """What happened to a mail, in order."""
        with self._database.read() as connection:
            return events(connection, row_key)

    def has_work(self) -> bool:
        """Whether a mail of a live tenant is due, or a sender was lost with one; reads only."""
        now = self._clock.now()
        left = select(OUTBOX).where(OUTBOX.c.state == "sending", OUTBOX.c.lease_until <= now)
        with self._database.read() as connection:
            return any(connection.execute(found.limit(1)).first() is not None for found in (due_rows(now), left))

    def resend(self, row_key: RowKey, *, author: str) -> OutboxRow:
        """Queue a mail once more because a person asks for it.

        Raises:
            ResendRefused: there is no such mail, it waits or was taken already, or its recipient gets no mail.
        """
        now = self._clock.now()
        with self._database.write() as connection:
            lock_tenant(connection, row_key.tenant_id)
            kept = _to_send_again(connection, row_key)
            connection.execute(
                update(OUTBOX)
                .where(*where_row(row_key))
                .values(state="queued", reason="", refusals=0, due_at=now, expires_at=now + RESEND_FOR, begun_at=None)
            )
            note(connection, row_key, attempt=kept.attempt, event="resend asked", detail=f"by {author}", at=now)
        found = self.row(row_key)
        assert found is not None, "a row of the outbox is never deleted"
        return found

    def check_resend(self, row_key: RowKey) -> None:
        """Refuse what `resend` would refuse, and change nothing."""
        with self._database.read() as connection:
            _to_send_again(connection, row_key)

    def due(self) -> list[OutboxRow]:
        """The mails that would be sent now, in the sender's order."""
        with self._database.read() as connection:
            return rows(connection, due_rows(self._clock.now()))

    def find(self, message_token: str) -> OutboxRow | None:
        """The mail with this Message-ID, whosever it is."""
        with self._database.read() as connection:
            found = rows(connection, select(OUTBOX).where(OUTBOX.c.message_token == message_token))
        return found[0] if found else None

    def came_back(self, row_key: RowKey, *, reason: str, is_final: bool, is_hard: bool) -> bool:
        """Record a report about a mail; a hard one ends mail to its address. Whether it said anything new."""
        now = self._clock.now()
        event = "bounced" if is_final else "delayed"
        with self._database.write() as connection:
            lock_tenant(connection, row_key.tenant_id)
            kept = one_row(connection, row_key)
            assert kept is not None, "a row of the outbox is never deleted"
            told = {(one.event, one.attempt, one.detail) for one in events(connection, row_key)}
            if (event, kept.attempt, reason) in told:
                return False
            note(connection, row_key, attempt=kept.attempt, event=event, detail=reason, at=now)
            if is_final and kept.state in ("sent", "unknown"):
                connection.execute(update(OUTBOX).where(*where_row(row_key)).values(state="bounced", reason=reason))
            if is_final and is_hard:
                suppress(connection, row_key.tenant_id, row_key.address, reason=reason, now=now)
        return True

    def waiting_if_live(self, tenant: Tenant) -> int:
        """How many mails would leave at once if the tenant were live."""
        now = self._clock.now()
        return sum(row.state == "queued" and now < row.expires_at for row in self.rows(tenant.tenant_id))

    def _token(self, row_key: RowKey) -> str:
        return self._keys.message_token(row_key.tenant_id, row_key.kind, row_key.key, row_key.address)


def _to_send_again(connection: Connection, row_key: RowKey) -> OutboxRow:
    """The row, if a person may ask for it once more."""
    kept = one_row(connection, row_key)
    refused = _why_not_again(kept)
    if kept is None or refused is not None:
        raise ResendRefused(refused)
    recipient = recipient_in(connection, row_key.tenant_id, row_key.address)
    assert recipient is not None, "a row of the outbox points to its recipient"
    if recipient.obstacle is not None:
        raise ResendRefused(f"{row_key.address} gets no mail: {recipient.obstacle}.")
    return kept


def _why_not_again(kept: OutboxRow | None) -> str | None:
    if kept is None:
        return "There is no such mail: `runway mail status` shows all."
    if kept.state in ("queued", "sending"):
        return f"The mail is {kept.state}: it needs no asking."
    if kept.state == "sent":
        return f"The mail was taken by the server at {kept.sent_at:%Y-%m-%d %H:%M} UTC: it is not sent twice."
    return None
