"""The tables of mail: who receives, whether anything leaves the machine, what is to be sent and what became of it.

Belongs here: columns and keys. Does not: statements (`resources/mail/recipients.py`, `resources/mail/outbox.py`).

There are two families of the same shape: the mail of each tenant, and that of each firm as a whole, which names several of its
tenants. Two and not one with an empty tenant: every key and reference of a tenant's table holds the tenant, and no row can belong
to both or to nobody.

The modes and events are append-only: the newest row says what holds, the earlier ones how it came to that.
"""

from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import (
    CheckConstraint,
    Column,
    ColumnElement,
    ForeignKeyConstraint,
    Index,
    Table,
    Text,
    UniqueConstraint,
)

from resources.tables import Instant, Json, WholeNumber, one_of, strict_table
from resources.tenants import TenantId

ROLES = ("client", "firm")
CURRENCY_FORMATS = ("symbol", "code")
LOCALES = ("en-GB", "en-US")
MODES = ("preview", "live")
STATES = ("queued", "sending", "sent", "failed", "unknown", "bounced", "cancelled")
EVENTS = (
    "queued",
    "content updated",
    "claimed",
    "begun",
    "sent",
    "postponed",
    "failed",
    "unknown",
    "released",
    "cancelled",
    "resend asked",
    "bounced",
    "delayed",
)

OwnerKind = Literal["tenant", "firm"]


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class MailOwner:
    """Whose mail it is: a tenant's, or a firm's as a whole."""

    kind: OwnerKind
    owner_id: str

    def __str__(self) -> str:
        """As it is written on the command line: no id of a tenant has a colon."""
        return self.owner_id if self.kind == "tenant" else f"firm:{self.owner_id}"


def of_tenant(tenant: TenantId) -> MailOwner:
    """The mail about one tenant."""
    return MailOwner(kind="tenant", owner_id=tenant)


def of_firm(firm_id: str) -> MailOwner:
    """The mail to a firm about its tenants together."""
    return MailOwner(kind="firm", owner_id=firm_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class MailTables:
    """The tables of one kind of owner."""

    kind: OwnerKind
    recipient: Table
    mode: Table
    #: One rendering, kept as it was when it was queued; the same rendering for several recipients is kept once.
    content: Table
    outbox: Table
    event: Table
    #: Addresses that mail does not reach; a person lifts it.
    suppression: Table

    @property
    def key(self) -> str:
        """The column that says whose row it is."""
        return _KEYS[self.kind]

    def owner(self, table: Table) -> Column[Any]:
        """That column of one of the tables."""
        return table.c[self.key]

    def owned(self, table: Table, owner: MailOwner) -> ColumnElement[bool]:
        """The condition that a row of one of the tables is the owner's."""
        return self.owner(table) == owner.owner_id

    @property
    def all(self) -> tuple[Table, ...]:
        """Each of them, those first that others refer to."""
        return (self.recipient, self.mode, self.content, self.outbox, self.event, self.suppression)


_KEYS: dict[OwnerKind, str] = {"tenant": "tenant_id", "firm": "firm_id"}
_PREFIXES: dict[OwnerKind, str] = {"tenant": "", "firm": "firm_"}


def _family(kind: OwnerKind) -> MailTables:
    key, prefix = _KEYS[kind], _PREFIXES[kind]
    outbox = _outbox(key, prefix)
    return MailTables(
        kind=kind,
        recipient=_recipient(key, prefix, kind=kind),
        mode=_mode(key, prefix, kind=kind),
        content=_content(key, prefix, kind=kind),
        outbox=outbox,
        event=_event(key, prefix),
        suppression=_suppression(key, prefix),
    )


def _of_owner(key: str, kind: OwnerKind) -> ForeignKeyConstraint:
    return ForeignKeyConstraint([key], [f"{kind}.{key}"])


def _to_recipient(key: str, prefix: str) -> ForeignKeyConstraint:
    recipient = f"{prefix}mail_recipient"
    return ForeignKeyConstraint([key, "address"], [f"{recipient}.{key}", f"{recipient}.address"])


def _recipient(key: str, prefix: str, *, kind: OwnerKind) -> Table:
    # Whoever reads the mail of a firm is of the firm.
    role = (Column("role", Text, nullable=False), one_of("role", ROLES)) if kind == "tenant" else ()
    return strict_table(
        f"{prefix}mail_recipient",
        Column(key, Text, primary_key=True),
        Column("address", Text, primary_key=True),
        Column("name", Text, nullable=False),
        *role,
        Column("locale", Text, nullable=False),
        Column("zone", Text, nullable=False),
        Column("currency_format", Text, nullable=False),
        Column("added_by", Text, nullable=False),
        Column("added_at", Instant, nullable=False),
        Column("removed_at", Instant),
        Column("unsubscribed_at", Instant),
        _of_owner(key, kind),
        one_of("locale", LOCALES),
        one_of("currency_format", CURRENCY_FORMATS),
    )


def _mode(key: str, prefix: str, *, kind: OwnerKind) -> Table:
    return strict_table(
        f"{prefix}mail_mode",
        Column(key, Text, primary_key=True),
        Column("number", WholeNumber, primary_key=True),
        Column("mode", Text, nullable=False),
        Column("author", Text, nullable=False),
        Column("set_at", Instant, nullable=False),
        _of_owner(key, kind),
        one_of("mode", MODES),
        CheckConstraint("author <> ''", name="somebody_set_it"),
    )


def _content(key: str, prefix: str, *, kind: OwnerKind) -> Table:
    return strict_table(
        f"{prefix}mail_content",
        Column(key, Text, primary_key=True),
        Column("content_id", Text, primary_key=True),
        Column("subject", Text, nullable=False),
        Column("html", Text, nullable=False),
        Column("text", Text, nullable=False),
        _of_owner(key, kind),
    )


def _outbox(key: str, prefix: str) -> Table:
    content = f"{prefix}mail_content"
    return strict_table(
        f"{prefix}outbox",
        Column(key, Text, primary_key=True),
        Column("kind", Text, primary_key=True),
        Column("key", Text, primary_key=True),
        Column("address", Text, primary_key=True),
        Column("content_id", Text, nullable=False),
        #: The local part of the Message-ID, the same for every attempt.
        Column("message_token", Text, nullable=False),
        Column("state", Text, nullable=False),
        Column("reason", Text, nullable=False),
        Column("attempt", WholeNumber, nullable=False),
        #: Attempts since a person last asked for it: how long the next pause is.
        Column("refusals", WholeNumber, nullable=False),
        Column("queued_at", Instant, nullable=False),
        Column("due_at", Instant, nullable=False),
        Column("expires_at", Instant, nullable=False),
        Column("lease_holder", Text),
        Column("lease_until", Instant),
        #: When the mail transaction of this attempt began; empty while nothing was said to a server.
        Column("begun_at", Instant),
        Column("sent_at", Instant),
        #: Of a notice to the firm: what it is about.
        Column("about", Json),
        _to_recipient(key, prefix),
        ForeignKeyConstraint([key, "content_id"], [f"{content}.{key}", f"{content}.content_id"]),
        UniqueConstraint("message_token"),
        one_of("state", STATES),
        CheckConstraint("(state = 'sending') = (lease_holder is not null)", name="who_sends_has_the_lease"),
        CheckConstraint("(lease_holder is null) = (lease_until is null)", name="a_lease_ends"),
        CheckConstraint("state <> 'sent' or sent_at is not null", name="sent_has_its_instant"),
        Index(f"ix_{prefix}outbox_state_due_at", "state", "due_at"),
    )


def _event(key: str, prefix: str) -> Table:
    outbox, row = f"{prefix}outbox", (key, "kind", "key", "address")
    return strict_table(
        f"{prefix}outbox_event",
        Column(key, Text, primary_key=True),
        Column("number", WholeNumber, primary_key=True),
        Column("kind", Text, nullable=False),
        Column("key", Text, nullable=False),
        Column("address", Text, nullable=False),
        Column("attempt", WholeNumber, nullable=False),
        Column("event", Text, nullable=False),
        Column("detail", Text, nullable=False),
        Column("at", Instant, nullable=False),
        ForeignKeyConstraint(row, [f"{outbox}.{one}" for one in row]),
        one_of("event", EVENTS),
        Index(f"ix_{outbox}_event_{key}_key", key, "key"),
    )


def _suppression(key: str, prefix: str) -> Table:
    return strict_table(
        f"{prefix}mail_suppression",
        Column(key, Text, primary_key=True),
        Column("address", Text, primary_key=True),
        Column("reason", Text, nullable=False),
        Column("since", Instant, nullable=False),
        Column("lifted_by", Text),
        Column("lifted_at", Instant),
        _to_recipient(key, prefix),
        CheckConstraint("(lifted_by is null) = (lifted_at is null)", name="somebody_lifted_it"),
    )


TENANT_MAIL = _family("tenant")
FIRM_MAIL = _family("firm")
FAMILIES = (TENANT_MAIL, FIRM_MAIL)


def tables_of(owner: MailOwner) -> MailTables:
    """The tables that hold an owner's mail."""
    return TENANT_MAIL if owner.kind == "tenant" else FIRM_MAIL
