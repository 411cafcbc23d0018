"""The outbox as runs and people use it: queue a mail once, see what became of it, ask for it again, take in what came back.

Belongs here: queueing, reading, resending, bounces. Does not: claiming and sending (`resources/mail/outbox_claims.py`,
`resources/mail/sender.py`), what a mail says (`experiences/`).

A row is unique for tenant or firm, document, week and address, so that whatever runs twice queues once. A later rendering of the
document takes the place of one that still waits; what has left is not touched.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import Connection, insert, select, update

from resources.clock import Clock
from resources.database import Database
from resources.mail.outbox_claims import OutboxClaims, due_rows, lost_rows, recipient_of, why_not_sent
from resources.mail.outbox_rows import (
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
from resources.mail.recipients import lock_owner, suppress
from resources.mail.tables import FAMILIES, MailOwner, tables_of
from resources.mail.unsubscribe import MailKeys

Queued = Literal["queued", "updated", "unchanged"]
#: How long a mail is tried after a person asked for it again.
RESEND_FOR = timedelta(days=2)
_NO_SUCH_MAIL = "There is no such mail: `runway mail status` shows all."


class ResendRefused(ValueError):
    """The mail cannot be asked for again: the message says why."""


class ArrivalRefused(ValueError):
    """The mail cannot be settled as arrived: the message says why."""


class Outbox:
    """The mails of all tenants and firms."""

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
        now, tables = self._clock.now(), tables_of(row_key.owner)
        with self._database.write() as connection:
            lock_owner(connection, row_key.owner)
            kept = one_row(connection, row_key)
            if kept is not None and kept.state != "queued":
                return "unchanged"
            content, about = make(kept)
            if kept is not None and kept.content_id == content.content_id:
                return "unchanged"
            content_id = keep_content(connection, row_key.owner, content)
            listed = None if about is None else list(about)
            if kept is not None:
                connection.execute(
                    update(tables.outbox).where(*where_row(row_key)).values(content_id=content_id, about=listed)
                )
                note(connection, row_key, attempt=kept.attempt, event="content updated", detail="", at=now)
                return "updated"
            connection.execute(
                insert(tables.outbox).values(
                    **{tables.key: row_key.owner.owner_id},
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

    def rows(
        self, owner: MailOwner, *, kind: str | None = None, key: str | None = None, stem: str | None = None
    ) -> list[OutboxRow]:
        """The mails of a tenant or firm, the newest week first; `stem` is how the key begins."""
        tables = tables_of(owner)
        outbox = tables.outbox
        statement = select(outbox).where(tables.owned(outbox, owner))
        if kind is not None:
            statement = statement.where(outbox.c.kind == kind)
        if key is not None:
            statement = statement.where(outbox.c.key == key)
        if stem is not None:
            statement = statement.where(outbox.c.key.startswith(stem, autoescape=True))
        statement = statement.order_by(outbox.c.key.desc(), outbox.c.kind, outbox.c.address)
        with self._database.read() as connection:
            return rows(connection, statement, tables=tables)

    def row(self, row_key: RowKey) -> OutboxRow | None:
        """One mail."""
        with self._database.read() as connection:
            return one_row(connection, row_key)

    def content(self, row: OutboxRow) -> MailContent:
        """What a mail shows."""
        with self._database.read() as connection:
            return content_of(connection, row.row_key.owner, row.content_id)

    def history(self, row_key: RowKey) -> list[OutboxEvent]:
        """What happened to a mail, in order."""
        with self._database.read() as connection:
            return events(connection, row_key)

    def has_work(self) -> bool:
        """Whether a mail of a live tenant or firm is due, or a sender was lost with one; reads only."""
        now = self._clock.now()
        with self._database.read() as connection:
            return bool(due_rows(connection, now=now, most=1) or lost_rows(connection, now=now))

    def resend(self, row_key: RowKey, *, author: str) -> OutboxRow:
        """Queue a mail once more because a person asks for it.

        Raises:
            ResendRefused: there is no such mail, it waits or was taken already, or its recipient gets no mail.
        """
        now = self._clock.now()
        with self._database.write() as connection:
            lock_owner(connection, row_key.owner)
            kept = _to_send_again(connection, row_key)
            connection.execute(
                update(tables_of(row_key.owner).outbox)
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

    def arrived(self, row_key: RowKey, *, author: str) -> None:
        """Settle a mail that nobody knows about because its reader says that it arrived.

        Raises:
            ArrivalRefused: there is no such mail, or what became of it is known.
        """
        with self._database.write() as connection:
            lock_owner(connection, row_key.owner)
            kept = _unknown(connection, row_key)
            connection.execute(
                update(tables_of(row_key.owner).outbox)
                .where(*where_row(row_key))
                .values(state="sent", reason="", sent_at=kept.begun_at)
            )
            detail = f"it arrived, says {author}"
            note(connection, row_key, attempt=kept.attempt, event="sent", detail=detail, at=self._clock.now())

    def check_arrived(self, row_key: RowKey) -> None:
        """Refuse what `arrived` would refuse, and change nothing."""
        with self._database.read() as connection:
            _unknown(connection, row_key)

    def due(self) -> list[OutboxRow]:
        """The mails that would be sent now, in the sender's order."""
        now = self._clock.now()
        with self._database.read() as connection:
            return [row for row in due_rows(connection, now=now) if _leaves(connection, row, now=now)]

    def find(self, message_token: str) -> OutboxRow | None:
        """The mail with this Message-ID, whosever it is."""
        with self._database.read() as connection:
            for tables in FAMILIES:
                statement = select(tables.outbox).where(tables.outbox.c.message_token == message_token)
                if found := rows(connection, statement, tables=tables):
                    return found[0]
        return None

    def came_back(self, row_key: RowKey, *, reason: str, is_final: bool, is_hard: bool) -> bool:
        """Record a report about a mail; a hard one ends mail to its address. Whether it said anything new."""
        now = self._clock.now()
        event = "bounced" if is_final else "delayed"
        with self._database.write() as connection:
            lock_owner(connection, row_key.owner)
            kept = one_row(connection, row_key)
            assert kept is not None, "a row of the outbox is never deleted"
            told = {(one.event, one.attempt, one.detail) for one in events(connection, row_key)}
            if (event, kept.attempt, reason) in told:
                return False
            note(connection, row_key, attempt=kept.attempt, event=event, detail=reason, at=now)
            if is_final and kept.state in ("sent", "unknown"):
                outbox = tables_of(row_key.owner).outbox
                connection.execute(update(outbox).where(*where_row(row_key)).values(state="bounced", reason=reason))
            if is_final and is_hard:
                suppress(connection, row_key.owner, row_key.address, reason=reason, now=now)
        return True

    def waiting_if_live(self, owner: MailOwner) -> int:
        """How many mails would leave if the tenant or firm were live."""
        now = self._clock.now()
        waiting = [row for row in self.rows(owner) if row.state == "queued"]
        with self._database.read() as connection:
            return sum(_leaves(connection, row, now=now) for row in waiting)

    def _token(self, row_key: RowKey) -> str:
        return self._keys.message_token(row_key.owner, row_key.kind, row_key.key, row_key.address)


def _leaves(connection: Connection, row: OutboxRow, *, now: datetime) -> bool:
    """Whether a mail that waits is sent and not ended when its turn comes."""
    return why_not_sent(row, recipient_of(connection, row.row_key), now=now) is None


def _to_send_again(connection: Connection, row_key: RowKey) -> OutboxRow:
    """The row, if a person may ask for it once more."""
    kept = one_row(connection, row_key)
    refused = _why_not_again(kept)
    if kept is None or refused is not None:
        raise ResendRefused(refused)
    recipient = recipient_of(connection, row_key)
    if recipient.obstacle is not None:
        raise ResendRefused(f"{row_key.address} gets no mail: {recipient.obstacle}.")
    return kept


def _unknown(connection: Connection, row_key: RowKey) -> OutboxRow:
    """The row, if nobody knows what became of it."""
    kept = one_row(connection, row_key)
    if kept is None:
        raise ArrivalRefused(_NO_SUCH_MAIL)
    if kept.state != "unknown":
        raise ArrivalRefused(f"The mail is {kept.state}: only of one that is unknown can a reader say more.")
    return kept


def _why_not_again(kept: OutboxRow | None) -> str | None:
    if kept is None:
        return _NO_SUCH_MAIL
    if kept.state in ("queued", "sending"):
        return f"The mail is {kept.state}: it needs no asking."
    if kept.state == "sent":
        return f"The mail was taken by the server at {kept.sent_at:%Y-%m-%d %H:%M} UTC: it is not sent twice."
    return None
