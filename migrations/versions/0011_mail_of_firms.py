"""The mail of firms as a whole: the tables that tenants have for theirs, hung on the firm."""

import sqlalchemy as sa
from alembic import op

from migrations.added_only import drop_added_only, let_only_add
from migrations.going_back import refuse_to_lose
from resources.tables import Instant, Json

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_APPEND_ONLY = "what became of a mail is append-only: a later row says what holds now"
_ADDED_ONLY = ("firm_mail_mode", "firm_outbox_event")
_TABLES = (
    "firm_mail_recipient",
    "firm_mail_mode",
    "firm_mail_suppression",
    "firm_mail_content",
    "firm_outbox",
    "firm_outbox_event",
)


def upgrade() -> None:
    _recipients()
    _contents()
    _outbox()
    _events()
    for name in _ADDED_ONLY:
        let_only_add(name, because=_APPEND_ONLY, owner="firm_id")


def _recipients() -> None:
    op.create_table(
        "firm_mail_recipient",
        _text("firm_id"),
        _text("address"),
        _text("name"),
        _text("locale"),
        _text("zone"),
        _text("currency_format"),
        _text("added_by"),
        sa.Column("added_at", Instant(), nullable=False),
        sa.Column("removed_at", Instant(), nullable=True),
        sa.Column("unsubscribed_at", Instant(), nullable=True),
        _check("firm_mail_recipient", "known_locale", "locale in ('en-GB', 'en-US')"),
        _check("firm_mail_recipient", "known_currency_format", "currency_format in ('symbol', 'code')"),
        _of_firm("firm_mail_recipient"),
        _key("firm_mail_recipient", "firm_id", "address"),
        sqlite_strict=True,
    )
    op.create_table(
        "firm_mail_mode",
        _text("firm_id"),
        sa.Column("number", _whole_number(), nullable=False),
        _text("mode"),
        _text("author"),
        sa.Column("set_at", Instant(), nullable=False),
        _check("firm_mail_mode", "known_mode", "mode in ('preview', 'live')"),
        _check("firm_mail_mode", "somebody_set_it", "author <> ''"),
        _of_firm("firm_mail_mode"),
        _key("firm_mail_mode", "firm_id", "number"),
        sqlite_strict=True,
    )
    op.create_table(
        "firm_mail_suppression",
        _text("firm_id"),
        _text("address"),
        _text("reason"),
        sa.Column("since", Instant(), nullable=False),
        sa.Column("lifted_by", sa.Text(), nullable=True),
        sa.Column("lifted_at", Instant(), nullable=True),
        _check("firm_mail_suppression", "somebody_lifted_it", "(lifted_by is null) = (lifted_at is null)"),
        _to_recipient("firm_mail_suppression"),
        _key("firm_mail_suppression", "firm_id", "address"),
        sqlite_strict=True,
    )


def _contents() -> None:
    op.create_table(
        "firm_mail_content",
        _text("firm_id"),
        _text("content_id"),
        _text("subject"),
        _text("html"),
        _text("text"),
        _of_firm("firm_mail_content"),
        _key("firm_mail_content", "firm_id", "content_id"),
        sqlite_strict=True,
    )


def _outbox() -> None:
    states = "'queued', 'sending', 'sent', 'failed', 'unknown', 'bounced', 'cancelled'"
    op.create_table(
        "firm_outbox",
        _text("firm_id"),
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
        _check("firm_outbox", "known_state", f"state in ({states})"),
        _check("firm_outbox", "who_sends_has_the_lease", "(state = 'sending') = (lease_holder is not null)"),
        _check("firm_outbox", "a_lease_ends", "(lease_holder is null) = (lease_until is null)"),
        _check("firm_outbox", "sent_has_its_instant", "state <> 'sent' or sent_at is not null"),
        _to_recipient("firm_outbox"),
        sa.ForeignKeyConstraint(
            ["firm_id", "content_id"],
            ["firm_mail_content.firm_id", "firm_mail_content.content_id"],
            name=op.f("fk_firm_outbox_firm_id_content_id"),
        ),
        sa.UniqueConstraint("message_token", name=op.f("uq_firm_outbox_message_token")),
        _key("firm_outbox", "firm_id", "kind", "key", "address"),
        sqlite_strict=True,
    )
    op.create_index("ix_firm_outbox_state_due_at", "firm_outbox", ["state", "due_at"])


def _events() -> None:
    events = (
        "'queued', 'content updated', 'claimed', 'begun', 'sent', 'postponed', 'failed', 'unknown', 'released', "
        "'cancelled', 'resend asked', 'bounced', 'delayed'"
    )
    op.create_table(
        "firm_outbox_event",
        _text("firm_id"),
        sa.Column("number", _whole_number(), nullable=False),
        _text("kind"),
        _text("key"),
        _text("address"),
        sa.Column("attempt", _whole_number(), nullable=False),
        _text("event"),
        _text("detail"),
        sa.Column("at", Instant(), nullable=False),
        _check("firm_outbox_event", "known_event", f"event in ({events})"),
        sa.ForeignKeyConstraint(
            ["firm_id", "kind", "key", "address"],
            ["firm_outbox.firm_id", "firm_outbox.kind", "firm_outbox.key", "firm_outbox.address"],
            name=op.f("fk_firm_outbox_event_firm_id_kind_key_address"),
        ),
        _key("firm_outbox_event", "firm_id", "number"),
        sqlite_strict=True,
    )
    op.create_index("ix_firm_outbox_event_firm_id_key", "firm_outbox_event", ["firm_id", "key"])


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=False)


def _check(table: str, name: str, rule: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(rule, name=op.f(f"ck_{table}_{name}"))


def _key(table: str, *columns: str) -> sa.PrimaryKeyConstraint:
    return sa.PrimaryKeyConstraint(*columns, name=op.f(f"pk_{table}"))


def _of_firm(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["firm_id"], ["firm.firm_id"], name=op.f(f"fk_{table}_firm_id"))


def _to_recipient(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["firm_id", "address"],
        ["firm_mail_recipient.firm_id", "firm_mail_recipient.address"],
        name=op.f(f"fk_{table}_firm_id_address"),
    )


def _whole_number() -> sa.types.TypeEngine[int]:
    return sa.Integer().with_variant(sa.BigInteger(), "postgresql")


def downgrade() -> None:
    refuse_to_lose(_TABLES)
    for name in reversed(_TABLES):
        drop_added_only(name) if name in _ADDED_ONLY else op.drop_table(name)
