"""What a row of the outbox is, and the record of what happens to it.

Belongs here: values, reading rows, adding an event. Does not: which state follows which (`resources/outbox.py` for people and runs,
`resources/outbox_claims.py` for the sender).

    queued    waits for its time; nothing of it has left the machine since it was last queued
    sending   one sender has the lease; `begun_at` says whether anything was said to a server in this attempt
    sent      a server has taken it
    failed    a server has definitely refused it, or it could not be handed over in time
    unknown   the sender or the connection was lost while it was handed over: it may have arrived, and is never sent again by itself
    bounced   it was taken and came back
    cancelled its time was over, or its recipient gets no mail
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, Row, Select, func, insert, select
from sqlalchemy.dialects import postgresql, sqlite

from resources.mail_tables import MAIL_CONTENT, OUTBOX, OUTBOX_EVENT
from resources.tenants import TenantId

State = Literal["queued", "sending", "sent", "failed", "unknown", "bounced", "cancelled"]


@dataclass(frozen=True, slots=True, kw_only=True)
class MailContent:
    """One rendering of a document: what a mail shows."""

    subject: str
    html: str
    text: str

    @property
    def content_id(self) -> str:
        """The hash of it."""
        parts = (one.encode() for one in (self.subject, self.html, self.text))
        return hashlib.sha256(b"".join(len(one).to_bytes(8, "big") + one for one in parts)).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class RowKey:
    """Which mail: there is one for each tenant, document, week and address."""

    tenant_id: TenantId
    kind: str
    key: str
    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxRow:
    """One mail and where it stands."""

    row_key: RowKey
    state: State
    reason: str
    attempt: int
    refusals: int
    queued_at: datetime
    due_at: datetime
    expires_at: datetime
    lease_until: datetime | None
    begun_at: datetime | None
    sent_at: datetime | None
    content_id: str
    message_token: str
    about: list[dict[str, Any]] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxEvent:
    """One thing that happened to a mail."""

    row_key: RowKey
    attempt: int
    event: str
    detail: str
    at: datetime


def where_row(row_key: RowKey) -> tuple[ColumnElement[bool], ...]:
    """The conditions of one row."""
    return (
        OUTBOX.c.tenant_id == row_key.tenant_id,
        OUTBOX.c.kind == row_key.kind,
        OUTBOX.c.key == row_key.key,
        OUTBOX.c.address == row_key.address,
    )


def rows(connection: Connection, statement: Select[Any]) -> list[OutboxRow]:
    """The rows a statement over the whole outbox table finds."""
    return [_row(one) for one in connection.execute(statement)]


def one_row(connection: Connection, row_key: RowKey) -> OutboxRow | None:
    """One row inside the caller's transaction."""
    found = rows(connection, select(OUTBOX).where(*where_row(row_key)))
    return found[0] if found else None


def events(connection: Connection, row_key: RowKey) -> list[OutboxEvent]:
    """What happened to one row, in order."""
    statement = (
        select(OUTBOX_EVENT)
        .where(
            OUTBOX_EVENT.c.tenant_id == row_key.tenant_id,
            OUTBOX_EVENT.c.kind == row_key.kind,
            OUTBOX_EVENT.c.key == row_key.key,
            OUTBOX_EVENT.c.address == row_key.address,
        )
        .order_by(OUTBOX_EVENT.c.number)
    )
    return [
        OutboxEvent(row_key=row_key, attempt=row.attempt, event=row.event, detail=row.detail, at=row.at)
        for row in connection.execute(statement)
    ]


def note(connection: Connection, row_key: RowKey, *, attempt: int, event: str, detail: str, at: datetime) -> None:
    """Add what happened; the caller has locked the tenant, so that numbers follow each other."""
    newest = connection.execute(
        select(func.max(OUTBOX_EVENT.c.number)).where(OUTBOX_EVENT.c.tenant_id == row_key.tenant_id)
    ).scalar_one()
    connection.execute(
        insert(OUTBOX_EVENT).values(
            tenant_id=row_key.tenant_id,
            number=(newest or 0) + 1,
            kind=row_key.kind,
            key=row_key.key,
            address=row_key.address,
            attempt=attempt,
            event=event,
            detail=detail,
            at=at,
        )
    )


def keep_content(connection: Connection, tenant: TenantId, content: MailContent) -> str:
    """Store a rendering once; its id."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    row = dialect.insert(MAIL_CONTENT).values(
        tenant_id=tenant,
        content_id=content.content_id,
        subject=content.subject,
        html=content.html,
        text=content.text,
    )
    connection.execute(row.on_conflict_do_nothing())
    return content.content_id


def content_of(connection: Connection, tenant: TenantId, content_id: str) -> MailContent:
    """A stored rendering."""
    row = connection.execute(
        select(MAIL_CONTENT).where(MAIL_CONTENT.c.tenant_id == tenant, MAIL_CONTENT.c.content_id == content_id)
    ).one()
    return MailContent(subject=row.subject, html=row.html, text=row.text)


def _row(row: Row[Any]) -> OutboxRow:
    return OutboxRow(
        row_key=RowKey(tenant_id=TenantId(row.tenant_id), kind=row.kind, key=row.key, address=row.address),
        state=row.state,
        reason=row.reason,
        attempt=row.attempt,
        refusals=row.refusals,
        queued_at=row.queued_at,
        due_at=row.due_at,
        expires_at=row.expires_at,
        lease_until=row.lease_until,
        begun_at=row.begun_at,
        sent_at=row.sent_at,
        content_id=row.content_id,
        message_token=row.message_token,
        about=row.about,
    )
