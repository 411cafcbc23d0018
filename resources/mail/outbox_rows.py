"""What a row of the outbox is, and the record of what happens to it.

Belongs here: values, reading rows, adding an event. Does not: which state follows which (`outbox.py` for people and runs,
`outbox_claims.py` for the sender).

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

from sqlalchemy import ColumnElement, Connection, Row, Select, Table, func, insert, select
from sqlalchemy.dialects import postgresql, sqlite

from resources.mail.tables import MailOwner, MailTables, tables_of

State = Literal["queued", "sending", "sent", "failed", "unknown", "bounced", "cancelled"]
#: States that wait for a person.
OPEN_STATES: tuple[State, ...] = ("unknown", "failed", "bounced")


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
    """Which mail: there is one for each tenant or firm, document, week and address."""

    owner: MailOwner
    kind: str
    key: str
    address: str

    @property
    def resend_command(self) -> str:
        """The command that asks for the mail once more."""
        return f"runway mail resend {self._words}"

    @property
    def arrived_command(self) -> str:
        """The command that says of a mail nobody knows about that it did arrive."""
        return f"runway mail arrived {self._words}"

    @property
    def _words(self) -> str:
        return f"{self.owner} {self.key} {self.address} --kind {self.kind}"


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
    tables = tables_of(row_key.owner)
    return _same_mail(tables, tables.outbox, row_key)


def rows(connection: Connection, statement: Select[Any], *, tables: MailTables) -> list[OutboxRow]:
    """The rows a statement over the whole outbox of one kind of owner finds."""
    return [_row(one, tables=tables) for one in connection.execute(statement)]


def one_row(connection: Connection, row_key: RowKey) -> OutboxRow | None:
    """One row inside the caller's transaction."""
    tables = tables_of(row_key.owner)
    found = rows(connection, select(tables.outbox).where(*where_row(row_key)), tables=tables)
    return found[0] if found else None


def events(connection: Connection, row_key: RowKey) -> list[OutboxEvent]:
    """What happened to one row, in order."""
    tables = tables_of(row_key.owner)
    event = tables.event
    statement = select(event).where(*_same_mail(tables, event, row_key)).order_by(event.c.number)
    return [
        OutboxEvent(row_key=row_key, attempt=row.attempt, event=row.event, detail=row.detail, at=row.at)
        for row in connection.execute(statement)
    ]


def note(connection: Connection, row_key: RowKey, *, attempt: int, event: str, detail: str, at: datetime) -> None:
    """Add what happened; the caller has locked the owner, so that numbers follow each other."""
    tables = tables_of(row_key.owner)
    table = tables.event
    newest = connection.execute(select(func.max(table.c.number)).where(tables.owned(table, row_key.owner))).scalar_one()
    connection.execute(
        insert(table).values(
            **{tables.key: row_key.owner.owner_id},
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


def keep_content(connection: Connection, owner: MailOwner, content: MailContent) -> str:
    """Store a rendering once; its id."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    tables = tables_of(owner)
    row = dialect.insert(tables.content).values(
        **{tables.key: owner.owner_id},
        content_id=content.content_id,
        subject=content.subject,
        html=content.html,
        text=content.text,
    )
    connection.execute(row.on_conflict_do_nothing())
    return content.content_id


def content_of(connection: Connection, owner: MailOwner, content_id: str) -> MailContent:
    """A stored rendering."""
    tables = tables_of(owner)
    table = tables.content
    row = connection.execute(select(table).where(tables.owned(table, owner), table.c.content_id == content_id)).one()
    return MailContent(subject=row.subject, html=row.html, text=row.text)


def _same_mail(tables: MailTables, table: Table, row_key: RowKey) -> tuple[ColumnElement[bool], ...]:
    return (
        tables.owned(table, row_key.owner),
        table.c.kind == row_key.kind,
        table.c.key == row_key.key,
        table.c.address == row_key.address,
    )


def _row(row: Row[Any], *, tables: MailTables) -> OutboxRow:
    owner = MailOwner(kind=tables.kind, owner_id=getattr(row, tables.key))
    return OutboxRow(
        row_key=RowKey(owner=owner, kind=row.kind, key=row.key, address=row.address),
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
