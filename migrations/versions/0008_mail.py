"""Mail: recipients, preview or live, the outbox with what became of each row, addresses that mail does not reach."""

import sqlalchemy as sa
from alembic import op

from migrations.added_only import drop_added_only, let_only_add
from migrations.going_back import refuse_to_lose
from resources.tables import Instant, Json

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_APPEND_ONLY = "what became of a mail is append-only: a later row says what holds now"
_ADDED_ONLY = ("mail_mode", "outbox_event")
_TABLES = (
    "mail_recipient",
    "mail_mode",
    "mail_suppression",
    "mail_content",
    "outbox",
    "outbox_event",
)


def upgrade() -> None:
    _recipients()
    _contents()
    _outbox()
    _events()
    for name in _ADDED_ONLY:
        let_only_add(name, because=_APPEND_ONLY)


def _recipients() -> None:
    op.create_table(
        "mail_recipient",
        _text("tenant_id"),
        _text("address"),
        _text("name"),
        _text("role"),
        _text("locale"),
        _text("zone"),
        _text("currency_format"),
        _text("added_by"),
        sa.Column("added_at", Instant(), nullable=False),
        sa.Column("removed_at", Instant(), nullable=True),
        sa.Column("unsubscribed_at", Instant(), nullable=True),
        _check("mail_recipient", "known_role", "role in ('client', 'firm')"),
        _check("mail_recipient", "known_locale", "locale in ('en-GB', 'en-US')"),
        _check("mail_recipient", "known_currency_format", "currency_format in ('symbol', 'code')"),
        _of_tenant("mail_recipient"),
        _key("mail_recipient", "tenant_id", "address"),
        sqlite_strict=True,
    )
    op.create_table(
        "mail_mode",
        _text("tenant_id"),
        sa.Column("number", _whole_number(), nullable=False),
        _text("mode"),
        _text("author"),
        sa.Column("set_at", Instant(), nullable=False),
        _check("mail_mode", "known_mode", "mode in ('preview', 'live')"),
        _check("mail_mode", "somebody_set_it", "author <> ''"),
        _of_tenant("mail_mode"),
        _key("mail_mode", "tenant_id", "number"),
        sqlite_strict=True,
    )
    op.create_table(
        "mail_suppression",
        _text("tenant_id"),
        _text("address"),
        _text("reason"),
        sa.Column("since", Instant(), nullable=False),
        sa.Column("lifted_by", sa.Text(), nullable=True),
        sa.Column("lifted_at", Instant(), nullable=True),
        _check("mail_suppression", "somebody_lifted_it", "(lifted_by is null) = (lifted_at is null)"),
        _to_recipient("mail_suppression"),
        _key("mail_suppression", "tenant_id", "address"),
        sqlite_strict=True,
    )


def _contents() -> None:
    op.create_table(
        "mail_content",
        _text("tenant_id"),
        _text("content_id"),
        _text("subject"),
        _text("html"),
        _text("text"),
        _of_tenant("mail_content"),
        _key("mail_content", "tenant_id", "content_id"),
        sqlite_strict=True,
    )


def _outbox() -> None:
    states = "'queued', 'sending', 'sent', 'failed', 'unknown', 'bounced', 'cancelled'"
    op.create_table(
        "outbox",
        _text("tenant_id"),
        _text("kind"),
        _text("key"),
        _text("address"),
        _text("content_id"),
        _text("message_token"),
        _text("state"),
        _text("reason"),
        sa.Column("attempt", _whole_number(), nullable=False),
        sa.Column("refusals", _whole_number(), nullable=False),
        sa.Column("queued_at", Instant(), nullable=False),
        sa.Column("due_at", Instant(), nullable=False),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.Column("lease_holder", sa.Text(), nullable=True),
        sa.Column("lease_until", Instant(), nullable=True),
        sa.Column("begun_at", Instant(), nullable=True),
        sa.Column("sent_at", Instant(), nullable=True),
        sa.Column("about", Json(), nullable=True),
        _check("outbox", "known_state", f"state in ({states})"),
        _check("outbox", "who_sends_has_the_lease", "(state = 'sending') = (lease_holder is not null)"),
        _check("outbox", "a_lease_ends", "(lease_holder is null) = (lease_until is null)"),
        _check("outbox", "sent_has_its_instant", "state <> 'sent' or sent_at is not null"),
        _to_recipient("outbox"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "content_id"],
            ["mail_content.tenant_id", "mail_content.content_id"],
            name=op.f("fk_outbox_tenant_id_content_id"),
        ),
        sa.UniqueConstraint("message_token", name=op.f("uq_outbox_message_token")),
        _key("outbox", "tenant_id", "kind", "key", "address"),
        sqlite_strict=True,
    )
    op.create_index("ix_outbox_state_due_at", "outbox", ["state", "due_at"])


def _events() -> None:
    events = (
        "'queued', 'content updated', 'claimed', 'begun', 'sent', 'postponed', 'failed', 'unknown', 'released', "
        "'cancelled', 'resend asked', 'bounced', 'delayed'"
    )
    op.create_table(
        "outbox_event",
        _text("tenant_id"),
        sa.Column("number", _whole_number(), nullable=False),
        _text("kind"),
        _text("key"),
        _text("address"),
        sa.Column("attempt", _whole_number(), nullable=False),
        _text("event"),
        _text("detail"),
        sa.Column("at", Instant(), nullable=False),
        _check("outbox_event", "known_event", f"event in ({events})"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "kind", "key", "address"],
            ["outbox.tenant_id", "outbox.kind", "outbox.key", "outbox.address"],
            name=op.f("fk_outbox_event_tenant_id_kind_key_address"),
        ),
        _key("outbox_event", "tenant_id", "number"),
        sqlite_strict=True,
    )
    op.create_index("ix_outbox_event_tenant_id_key", "outbox_event", ["tenant_id", "key"])


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=False)


def _check(table: str, name: str, rule: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(rule, name=op.f(f"ck_{table}_{name}"))


def _key(table: str, *columns: str) -> sa.PrimaryKeyConstraint:
    return sa.PrimaryKeyConstraint(*columns, name=op.f(f"pk_{table}"))


def _of_tenant(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["tenant_id"], ["tenant.tenant_id"], name=op.f(f"fk_{table}_tenant_id"))


def _to_recipient(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["tenant_id", "address"],
        ["mail_recipient.tenant_id", "mail_recipient.address"],
        name=op.f(f"fk_{table}_tenant_id_address"),
    )


def _whole_number() -> sa.types.TypeEngine[int]:
    return sa.Integer().with_variant(sa.BigInteger(), "postgresql")


def downgrade() -> None:
    refuse_to_lose(_TABLES)
    for name in reversed(_TABLES):
        drop_added_only(name) if name in _ADDED_ONLY else op.drop_table(name)
