"""The tables of mail: who receives, whether anything leaves the machine, what is to be sent and what became of it.

Belongs here: columns and keys. Does not: statements (`resources/recipients.py`, `resources/outbox.py`).

`mail_mode` and `outbox_event` are append-only: the newest row says what holds, the earlier ones how it came to that.
"""

from sqlalchemy import CheckConstraint, Column, ForeignKeyConstraint, Index, Text, UniqueConstraint

from resources.tables import Instant, Json, WholeNumber, one_of, strict_table, tenant_key

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

MAIL_RECIPIENT = strict_table(
    "mail_recipient",
    Column("tenant_id", Text, primary_key=True),
    Column("address", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("locale", Text, nullable=False),
    Column("zone", Text, nullable=False),
    Column("currency_format", Text, nullable=False),
    Column("added_by", Text, nullable=False),
    Column("added_at", Instant, nullable=False),
    Column("removed_at", Instant),
    Column("unsubscribed_at", Instant),
    tenant_key(),
    one_of("role", ROLES),
    one_of("locale", LOCALES),
    one_of("currency_format", CURRENCY_FORMATS),
)

MAIL_MODE = strict_table(
    "mail_mode",
    Column("tenant_id", Text, primary_key=True),
    Column("number", WholeNumber, primary_key=True),
    Column("mode", Text, nullable=False),
    Column("author", Text, nullable=False),
    Column("set_at", Instant, nullable=False),
    tenant_key(),
    one_of("mode", MODES),
    CheckConstraint("author <> ''", name="somebody_set_it"),
)

#: One rendering, kept as it was when it was queued; the same rendering for several recipients is kept once.
MAIL_CONTENT = strict_table(
    "mail_content",
    Column("tenant_id", Text, primary_key=True),
    Column("content_id", Text, primary_key=True),
    Column("subject", Text, nullable=False),
    Column("html", Text, nullable=False),
    Column("text", Text, nullable=False),
    tenant_key(),
)

OUTBOX = strict_table(
    "outbox",
    Column("tenant_id", Text, primary_key=True),
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
    ForeignKeyConstraint(["tenant_id", "address"], ["mail_recipient.tenant_id", "mail_recipient.address"]),
    ForeignKeyConstraint(["tenant_id", "content_id"], ["mail_content.tenant_id", "mail_content.content_id"]),
    UniqueConstraint("message_token"),
    one_of("state", STATES),
    CheckConstraint("(state = 'sending') = (lease_holder is not null)", name="who_sends_has_the_lease"),
    CheckConstraint("(lease_holder is null) = (lease_until is null)", name="a_lease_ends"),
    CheckConstraint("state <> 'sent' or sent_at is not null", name="sent_has_its_instant"),
    Index("ix_outbox_state_due_at", "state", "due_at"),
)

OUTBOX_EVENT = strict_table(
    "outbox_event",
    Column("tenant_id", Text, primary_key=True),
    Column("number", WholeNumber, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("attempt", WholeNumber, nullable=False),
    Column("event", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("at", Instant, nullable=False),
    ForeignKeyConstraint(
        ["tenant_id", "kind", "key", "address"], ["outbox.tenant_id", "outbox.kind", "outbox.key", "outbox.address"]
    ),
    one_of("event", EVENTS),
    Index("ix_outbox_event_tenant_id_key", "tenant_id", "key"),
)

#: Addresses that mail does not reach; a person lifts it.
MAIL_SUPPRESSION = strict_table(
    "mail_suppression",
    Column("tenant_id", Text, primary_key=True),
    Column("address", Text, primary_key=True),
    Column("reason", Text, nullable=False),
    Column("since", Instant, nullable=False),
    Column("lifted_by", Text),
    Column("lifted_at", Instant),
    ForeignKeyConstraint(["tenant_id", "address"], ["mail_recipient.tenant_id", "mail_recipient.address"]),
    CheckConstraint("(lifted_by is null) = (lifted_at is null)", name="somebody_lifted_it"),
)

MAIL_TABLES = (MAIL_RECIPIENT, MAIL_MODE, MAIL_CONTENT, OUTBOX, OUTBOX_EVENT, MAIL_SUPPRESSION)
