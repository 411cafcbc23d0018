"""The outbox as a sender uses it: one row at a time, by lease and compare-and-set.

Belongs here: claim, begin, settle, what becomes of a row whose sender was lost. Does not: SMTP (`resources/mail/sender.py`).

A row that is claimed was not yet spoken about with a server; `begin` commits before anything is. So of a lost sender's rows the
ones that were only claimed go back into the queue, and the ones that were begun are `unknown`: nobody can tell if they arrived.
Every step names attempt and holder: a sender that comes back after its lease was taken finds that the row is no longer its own.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import Connection, Select, func, select, update

from resources.clock import Clock
from resources.database import Database
from resources.failpoints import failpoint
from resources.mail.outbox_rows import MailContent, OutboxRow, RowKey, content_of, note, one_row, rows, where_row
from resources.mail.recipients import Recipient, lock_owner, mode_of, recipient_in, suppress
from resources.mail.tables import FAMILIES, MailTables, tables_of
from resources.tables import TENANT

#: Longer than the longest conversation (four answers and the last one), so that no sender is overtaken while it speaks.
LEASE = timedelta(minutes=15)
#: Pauses after refusals that may pass; the last one is repeated until the mail's time is over.
PAUSES = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 30, 60, 120))


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A mail that one sender may send, and what it says."""

    row: OutboxRow
    recipient: Recipient
    content: MailContent
    holder: str

    @property
    def row_key(self) -> RowKey:
        """Which mail."""
        return self.row.row_key


@dataclass(frozen=True, slots=True, kw_only=True)
class Swept:
    """What became of the rows of lost senders."""

    released: int
    unknown: int


class OutboxClaims:
    """Leases on rows of the outbox."""

    def __init__(self, database: Database, *, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def claim(self, holder: str) -> Claim | None:
        """The next mail that is due of a live tenant or firm; None if there is none. Rows that must not leave end here."""
        while True:
            with self._database.read() as connection:
                found = due_rows(connection, now=self._clock.now(), most=1)
            if not found:
                return None
            claimed = self._take(found[0].row_key, holder)
            if claimed is not None:
                return claimed

    def begin(self, claim: Claim) -> bool:
        """Commit that a server is now spoken to about this mail; False if it is no longer this sender's."""
        now = self._clock.now()
        with self._database.write() as connection:
            if not self._step(connection, claim, event="begun", detail="", begun_at=now, lease_until=now + LEASE):
                return False
            failpoint("mail.begin.in")
        return True

    def sent(self, claim: Claim, *, answer: str) -> bool:
        """A server has taken the mail."""
        return self._settle(claim, event="sent", detail=answer, state="sent", reason="", sent_at=self._clock.now())

    def failed(self, claim: Claim, *, reason: str, is_bad_address: bool) -> bool:
        """A server has definitely refused the mail; an address it does not know gets no more."""
        is_ours = self._settle(claim, event="failed", detail=reason, state="failed", reason=reason)
        if is_ours and is_bad_address:
            with self._database.write() as connection:
                owner, address = claim.row_key.owner, claim.row_key.address
                lock_owner(connection, owner)
                suppress(connection, owner, address, reason=reason, now=self._clock.now())
        return is_ours

    def unknown(self, claim: Claim, *, reason: str) -> bool:
        """Nobody can tell whether the mail arrived."""
        return self._settle(claim, event="unknown", detail=reason, state="unknown", reason=reason)

    def postpone(self, claim: Claim, *, reason: str) -> bool:
        """The mail certainly did not arrive, and another time it may: back into the queue after a pause."""
        now = self._clock.now()
        refusals = claim.row.refusals + 1
        due_at = now + PAUSES[min(refusals, len(PAUSES)) - 1]
        if due_at >= claim.row.expires_at:
            late = _late(reason)
            return self._settle(claim, event="failed", detail=late, state="failed", reason=late)
        return self._settle(
            claim, event="postponed", detail=reason, state="queued", reason=reason, refusals=refusals, due_at=due_at
        )

    def sweep(self) -> Swept:
        """Settle the rows of senders whose lease is over: back into the queue if nothing was said, else unknown."""
        now = self._clock.now()
        with self._database.read() as connection:
            found = lost_rows(connection, now=now)
        states = [self._settle_lost(row) for row in found]
        return Swept(released=states.count("queued"), unknown=states.count("unknown"))

    def _take(self, row_key: RowKey, holder: str) -> Claim | None:
        now = self._clock.now()
        with self._database.write() as connection:
            lock_owner(connection, row_key.owner)
            row = one_row(connection, row_key)
            is_free = row is not None and row.state == "queued" and row.due_at <= now
            if row is None or not is_free or mode_of(connection, row_key.owner).mode != "live":
                return None
            recipient = recipient_of(connection, row_key)
            obstacle = why_not_sent(row, recipient, now=now)
            if obstacle is not None:
                # One that was tried is told as failed: somebody was to have it, and a person may mend why it was not taken.
                is_given_up = recipient.obstacle is None and row.attempt > 0
                self._end(connection, row, state="failed" if is_given_up else "cancelled", reason=obstacle)
                return None
            attempt = row.attempt + 1
            connection.execute(
                update(tables_of(row_key.owner).outbox)
                .where(*where_row(row_key))
                .values(state="sending", attempt=attempt, lease_holder=holder, lease_until=now + LEASE, begun_at=None)
            )
            note(connection, row_key, attempt=attempt, event="claimed", detail="", at=now)
            taken = one_row(connection, row_key)
            assert taken is not None, "a row of the outbox is never deleted"
            content = content_of(connection, row_key.owner, taken.content_id)
            failpoint("mail.claim.in")
        failpoint("mail.claimed")
        return Claim(row=taken, recipient=recipient, content=content, holder=holder)

    def _end(
        self, connection: Connection, row: OutboxRow, *, state: Literal["failed", "cancelled"], reason: str
    ) -> None:
        outbox = tables_of(row.row_key.owner).outbox
        connection.execute(update(outbox).where(*where_row(row.row_key)).values(state=state, reason=reason))
        note(connection, row.row_key, attempt=row.attempt, event=state, detail=reason, at=self._clock.now())

    def _settle(self, claim: Claim, *, event: str, detail: str, **values: Any) -> bool:
        with self._database.write() as connection:
            ended = {"lease_holder": None, "lease_until": None, **values}
            is_ours = self._step(connection, claim, event=event, detail=detail, **ended)
            failpoint("mail.record.in")
        failpoint("mail.recorded")
        return is_ours

    def _step(self, connection: Connection, claim: Claim, *, event: str, detail: str, **values: Any) -> bool:
        lock_owner(connection, claim.row_key.owner)
        outbox = tables_of(claim.row_key.owner).outbox
        changed = connection.execute(
            update(outbox)
            .where(
                *where_row(claim.row_key),
                outbox.c.state == "sending",
                outbox.c.attempt == claim.row.attempt,
                outbox.c.lease_holder == claim.holder,
            )
            .values(**values)
        )
        if changed.rowcount != 1:
            return False
        note(connection, claim.row_key, attempt=claim.row.attempt, event=event, detail=detail, at=self._clock.now())
        return True

    def _settle_lost(self, found: OutboxRow) -> str | None:
        """What became of a lost sender's row; None if it was settled meanwhile."""
        now = self._clock.now()
        with self._database.write() as connection:
            lock_owner(connection, found.row_key.owner)
            row = one_row(connection, found.row_key)
            is_lost = row is not None and row.state == "sending" and row.lease_until is not None
            if row is None or not is_lost or row.attempt != found.attempt or (row.lease_until or now) > now:
                return None
            is_begun = row.begun_at is not None
            state, event = ("unknown", "unknown") if is_begun else ("queued", "released")
            reason = "the sender was lost while it handed the mail over" if is_begun else row.reason
            connection.execute(
                update(tables_of(row.row_key.owner).outbox)
                .where(*where_row(row.row_key))
                .values(state=state, reason=reason, lease_holder=None, lease_until=None)
            )
            note(connection, row.row_key, attempt=row.attempt, event=event, detail=reason, at=now)
        return state


def recipient_of(connection: Connection, row_key: RowKey) -> Recipient:
    """Whose mail it is, inside the caller's transaction."""
    recipient = recipient_in(connection, row_key.owner, row_key.address)
    assert recipient is not None, "a row of the outbox points to its recipient"
    return recipient


def why_not_sent(row: OutboxRow, recipient: Recipient, *, now: datetime) -> str | None:
    """Why a mail that waits does not leave any more; None if it does."""
    if recipient.obstacle is not None:
        return recipient.obstacle
    if now < row.expires_at:
        return None
    return _late(row.reason) if row.reason else "its time was over"


def _late(reason: str) -> str:
    return f"not taken within its time; the last answer was: {reason}"


def due_rows(connection: Connection, *, now: datetime, most: int | None = None) -> list[OutboxRow]:
    """The queued rows whose time has come, of owners whose mail leaves the machine, in the order of sending."""
    found = [row for tables in FAMILIES for row in rows(connection, _due(tables, now).limit(most), tables=tables)]
    return sorted(found, key=lambda row: (row.due_at, row.row_key))[:most]


def lost_rows(connection: Connection, *, now: datetime) -> list[OutboxRow]:
    """The rows of senders whose lease is over."""
    found = []
    for tables in FAMILIES:
        outbox = tables.outbox
        statement = select(outbox).where(outbox.c.state == "sending", outbox.c.lease_until <= now)
        found += rows(connection, statement, tables=tables)
    return sorted(found, key=lambda row: row.row_key)


def _due(tables: MailTables, now: datetime) -> Select[Any]:
    outbox = tables.outbox
    return (
        select(outbox)
        .where(outbox.c.state == "queued", outbox.c.due_at <= now, tables.owner(outbox).in_(_live(tables)))
        .order_by(outbox.c.due_at, tables.owner(outbox), outbox.c.kind, outbox.c.key, outbox.c.address)
    )


def _live(tables: MailTables) -> Select[Any]:
    """The ids of owners whose mail leaves the machine; a tenant has to be active."""
    mode = tables.mode
    whose = tables.owner(mode)
    newest = select(whose, func.max(mode.c.number).label("number")).group_by(whose).subquery()
    live = (
        select(whose)
        .join(newest, (newest.c[tables.key] == whose) & (newest.c.number == mode.c.number))
        .where(mode.c.mode == "live")
    )
    if tables.kind == "tenant":
        live = live.join(TENANT, TENANT.c.tenant_id == whose).where(TENANT.c.active == 1)
    return live
