"""The first tables: firms, tenants, connections, the lake's commits, quarantine, documents, the payment ledger."""

import sqlalchemy as sa
from alembic import op

from resources.tables import BusinessDate, Instant, Json

_APPEND_ONLY = "the audit log is append-only"

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "firm",
        sa.Column("firm_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("firm_id", name=op.f("pk_firm")),
        sqlite_strict=True,
    )
    op.create_table(
        "tenant",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("firm_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("zone", sa.Text(), nullable=False),
        sa.Column("active", sa.Integer(), nullable=False),
        sa.Column("thresholds", Json(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.CheckConstraint("active in (0, 1)", name=op.f("ck_tenant_active_is_boolean")),
        sa.ForeignKeyConstraint(["firm_id"], ["firm.firm_id"], name=op.f("fk_tenant_firm_id")),
        sa.PrimaryKeyConstraint("tenant_id", name=op.f("pk_tenant")),
        sqlite_strict=True,
    )
    op.create_table(
        "audit",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer().with_variant(sa.BigInteger(), "postgresql"), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("entity", sa.Text(), nullable=False),
        sa.Column("before", Json(), nullable=True),
        sa.Column("after", Json(), nullable=True),
        sa.Column("previous_hash", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.tenant_id"], name=op.f("fk_audit_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "number", name=op.f("pk_audit")),
        sqlite_strict=True,
    )
    op.create_table(
        "batch",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("batch_id", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("generation", sa.Integer().with_variant(sa.BigInteger(), "postgresql"), nullable=False),
        sa.Column("lease_until", Instant(), nullable=True),
        sa.Column("not_before", Instant(), nullable=True),
        sa.Column("item_count", sa.Integer().with_variant(sa.BigInteger(), "postgresql"), nullable=True),
        sa.Column("total_cents", sa.Integer().with_variant(sa.BigInteger(), "postgresql"), nullable=True),
        sa.Column("seal", sa.Text(), nullable=True),
        sa.Column("finalized_by", sa.Text(), nullable=True),
        sa.Column("finalized_at", Instant(), nullable=True),
        sa.CheckConstraint(
            "state = 'open' or (seal is not null and item_count is not null and total_cents is not null)",
            name=op.f("ck_batch_finalized_is_sealed"),
        ),
        sa.CheckConstraint(
            "state in ('open', 'finalized', 'claimed', 'waiting', 'settled', 'settled_with_exceptions')",
            name=op.f("ck_batch_known_state"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.tenant_id"], name=op.f("fk_batch_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "batch_id", name=op.f("pk_batch")),
        sqlite_strict=True,
    )
    op.create_table(
        "connection",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("environment", sa.Text(), nullable=False),
        sa.Column("realm_id", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("lost_because", sa.Text(), nullable=True),
        sa.Column("connected_at", Instant(), nullable=False),
        sa.Column("access_token", sa.LargeBinary(), nullable=False),
        sa.Column("access_expires_at", Instant(), nullable=False),
        sa.Column("refresh_token", sa.LargeBinary(), nullable=False),
        sa.Column("refresh_expires_at", Instant(), nullable=False),
        sa.Column("previous_refresh_token", sa.LargeBinary(), nullable=True),
        sa.Column("token_version", sa.Integer().with_variant(sa.BigInteger(), "postgresql"), nullable=False),
        sa.Column("refresher", sa.Text(), nullable=True),
        sa.Column("refresher_until", Instant(), nullable=True),
        sa.CheckConstraint("state in ('connected', 'lost')", name=op.f("ck_connection_known_state")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.tenant_id"], name=op.f("fk_connection_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", name=op.f("pk_connection")),
        sa.UniqueConstraint("environment", "realm_id", name=op.f("uq_connection_environment_realm_id")),
        sqlite_strict=True,
    )
    op.create_table(
        "decision",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("decision_id", sa.Text(), nullable=False),
        sa.Column("bill_id", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer().with_variant(sa.BigInteger(), "postgresql"), nullable=False),
        sa.Column("ruling", sa.Text(), nullable=False),
        sa.Column("amount_cents", sa.Integer().with_variant(sa.BigInteger(), "postgresql"), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("pay_on", BusinessDate(), nullable=True),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=False),
        sa.Column("decided_at", Instant(), nullable=False),
        sa.Column("request_key", sa.Text(), nullable=False),
        sa.CheckConstraint("ruling in ('pay_now', 'schedule', 'delay')", name=op.f("ck_decision_known_ruling")),
        sa.CheckConstraint("amount_cents > 0", name=op.f("ck_decision_positive_amount")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.tenant_id"], name=op.f("fk_decision_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "decision_id", name=op.f("pk_decision")),
        sqlite_strict=True,
    )
    op.create_index("uq_decision_tenant_id_bill_id_number", "decision", ["tenant_id", "bill_id", "number"], unique=True)
    op.create_index("uq_decision_tenant_id_request_key", "decision", ["tenant_id", "request_key"], unique=True)
    op.create_table(
        "lease",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=True),
        sa.Column("fence", sa.Integer().with_variant(sa.BigInteger(), "postgresql"), nullable=False),
        sa.Column("until", Instant(), nullable=True),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.tenant_id"], name=op.f("fk_lease_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", name=op.f("pk_lease")),
        sqlite_strict=True,
    )
    op.create_table(
        "published_document",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("html", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("data_as_of", Instant(), nullable=False),
        sa.Column("published_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.tenant_id"], name=op.f("fk_published_document_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "kind", "key", name=op.f("pk_published_document")),
        sqlite_strict=True,
    )
    op.create_table(
        "sync",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("sync_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("fence", sa.Integer().with_variant(sa.BigInteger(), "postgresql"), nullable=False),
        sa.Column("data_as_of", Instant(), nullable=False),
        sa.Column("watermark", Instant(), nullable=False),
        sa.Column("committed_at", Instant(), nullable=False),
        sa.Column("report", Json(), nullable=False),
        sa.CheckConstraint("kind in ('full', 'changes')", name=op.f("ck_sync_known_kind")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.tenant_id"], name=op.f("fk_sync_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "sync_id", name=op.f("pk_sync")),
        sa.UniqueConstraint("tenant_id", "data_as_of", name=op.f("uq_sync_tenant_id_data_as_of")),
        sqlite_strict=True,
    )
    op.create_table(
        "hold",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("hold_id", sa.Text(), nullable=False),
        sa.Column("decision_id", sa.Text(), nullable=True),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("amount_cents", sa.Integer().with_variant(sa.BigInteger(), "postgresql"), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("expires_at", Instant(), nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.CheckConstraint("(state = 'soft') = (expires_at is not null)", name=op.f("ck_hold_only_soft_holds_expire")),
        sa.CheckConstraint(
            "state = 'soft' or decision_id is not null", name=op.f("ck_hold_hard_holds_have_a_decision")
        ),
        sa.CheckConstraint(
            "state in ('soft', 'pending', 'posted', 'reflected', 'void')", name=op.f("ck_hold_known_state")
        ),
        sa.CheckConstraint("amount_cents > 0", name=op.f("ck_hold_positive_amount")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "decision_id"],
            ["decision.tenant_id", "decision.decision_id"],
            name=op.f("fk_hold_tenant_id_decision_id"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.tenant_id"], name=op.f("fk_hold_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "hold_id", name=op.f("pk_hold")),
        sqlite_strict=True,
    )
    op.create_index(
        "uq_hold_tenant_id_decision_id",
        "hold",
        ["tenant_id", "decision_id"],
        unique=True,
        sqlite_where=sa.text("state <> 'void'"),
        postgresql_where=sa.text("state <> 'void'"),
    )
    op.create_table(
        "quarantine",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("quarantine_id", sa.Text(), nullable=False),
        sa.Column("sync_id", sa.Text(), nullable=False),
        sa.Column("entity", sa.Text(), nullable=False),
        sa.Column("qbo_id", sa.Text(), nullable=True),
        sa.Column("field", sa.Text(), nullable=False),
        sa.Column("expected", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("raw_text", sa.Text(), nullable=False),
        sa.Column("seen_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "sync_id"], ["sync.tenant_id", "sync.sync_id"], name=op.f("fk_quarantine_tenant_id_sync_id")
        ),
        sa.PrimaryKeyConstraint("tenant_id", "quarantine_id", name=op.f("pk_quarantine")),
        sqlite_strict=True,
    )
    op.create_index("ix_quarantine_tenant_id_sync_id", "quarantine", ["tenant_id", "sync_id"], unique=False)
    op.create_table(
        "segment",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("segment_id", sa.Text(), nullable=False),
        sa.Column("table_name", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("rows", sa.Integer().with_variant(sa.BigInteger(), "postgresql"), nullable=False),
        sa.Column("bytes", sa.Integer().with_variant(sa.BigInteger(), "postgresql"), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("sync_id", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "sync_id"], ["sync.tenant_id", "sync.sync_id"], name=op.f("fk_segment_tenant_id_sync_id")
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.tenant_id"], name=op.f("fk_segment_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "segment_id", name=op.f("pk_segment")),
        sqlite_strict=True,
    )
    op.create_index("ix_segment_tenant_id_table_name", "segment", ["tenant_id", "table_name"], unique=False)
    op.create_table(
        "intent",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("intent_id", sa.Text(), nullable=False),
        sa.Column("batch_id", sa.Text(), nullable=False),
        sa.Column("hold_id", sa.Text(), nullable=False),
        sa.Column("leg", sa.Text(), nullable=False),
        sa.Column("ordinal", sa.Integer().with_variant(sa.BigInteger(), "postgresql"), nullable=False),
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.Column("doc_number", sa.Text(), nullable=False),
        sa.Column("amount_cents", sa.Integer().with_variant(sa.BigInteger(), "postgresql"), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("body_sha256", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer().with_variant(sa.BigInteger(), "postgresql"), nullable=False),
        sa.Column("sent_at", Instant(), nullable=True),
        sa.Column("remote_id", sa.Text(), nullable=True),
        sa.CheckConstraint("leg in ('rail', 'book')", name=op.f("ck_intent_known_leg")),
        sa.CheckConstraint("state <> 'paid' or remote_id is not null", name=op.f("ck_intent_paid_names_its_record")),
        sa.CheckConstraint(
            "state in ('ready', 'sent', 'unknown', 'paid', 'refused', 'needs_review', 'void')",
            name=op.f("ck_intent_known_state"),
        ),
        sa.CheckConstraint("amount_cents > 0", name=op.f("ck_intent_positive_amount")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "batch_id"], ["batch.tenant_id", "batch.batch_id"], name=op.f("fk_intent_tenant_id_batch_id")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "hold_id"], ["hold.tenant_id", "hold.hold_id"], name=op.f("fk_intent_tenant_id_hold_id")
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.tenant_id"], name=op.f("fk_intent_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "intent_id", name=op.f("pk_intent")),
        sqlite_strict=True,
    )
    op.create_index("uq_intent_tenant_id_doc_number", "intent", ["tenant_id", "doc_number"], unique=True)
    op.create_index("uq_intent_tenant_id_request_id", "intent", ["tenant_id", "request_id"], unique=True)
    op.create_table(
        "result",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("table_name", sa.Text(), nullable=False),
        sa.Column("as_of", BusinessDate(), nullable=False),
        sa.Column("known_until", Instant(), nullable=False),
        sa.Column("data_as_of", Instant(), nullable=False),
        sa.Column("sync_id", sa.Text(), nullable=False),
        sa.Column("segment_id", sa.Text(), nullable=False),
        sa.Column("committed_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "segment_id"],
            ["segment.tenant_id", "segment.segment_id"],
            name=op.f("fk_result_tenant_id_segment_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "sync_id"], ["sync.tenant_id", "sync.sync_id"], name=op.f("fk_result_tenant_id_sync_id")
        ),
        sa.PrimaryKeyConstraint("tenant_id", "table_name", "as_of", name=op.f("pk_result")),
        sqlite_strict=True,
    )
    op.create_table(
        "intent_bill",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("intent_id", sa.Text(), nullable=False),
        sa.Column("bill_id", sa.Text(), nullable=False),
        sa.Column("leg", sa.Text(), nullable=False),
        sa.Column("amount_cents", sa.Integer().with_variant(sa.BigInteger(), "postgresql"), nullable=False),
        sa.Column("live", sa.Integer().with_variant(sa.BigInteger(), "postgresql"), nullable=False),
        sa.CheckConstraint("leg in ('rail', 'book')", name=op.f("ck_intent_bill_known_leg")),
        sa.CheckConstraint("amount_cents > 0", name=op.f("ck_intent_bill_positive_amount")),
        sa.CheckConstraint("live in (0, 1)", name=op.f("ck_intent_bill_live_is_boolean")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "intent_id"],
            ["intent.tenant_id", "intent.intent_id"],
            name=op.f("fk_intent_bill_tenant_id_intent_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "intent_id", "bill_id", name=op.f("pk_intent_bill")),
        sqlite_strict=True,
    )
    op.create_index(
        "uq_intent_bill_live",
        "intent_bill",
        ["tenant_id", "bill_id", "leg"],
        unique=True,
        sqlite_where=sa.text("live = 1"),
        postgresql_where=sa.text("live = 1"),
    )

    _guard_audit()


def _guard_audit() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN RAISE EXCEPTION '{_APPEND_ONLY}'; END $$"
        )
        op.execute(
            "CREATE TRIGGER audit_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit "
            "FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only()"
        )
        return
    for verb in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER audit_refuses_{verb.lower()} BEFORE {verb} ON audit "
            f"BEGIN SELECT RAISE(ABORT, '{_APPEND_ONLY}'); END"
        )
    # INSERT OR REPLACE deletes without firing the DELETE trigger.
    op.execute(
        "CREATE TRIGGER audit_refuses_replace BEFORE INSERT ON audit "
        "WHEN EXISTS (SELECT 1 FROM audit WHERE tenant_id = NEW.tenant_id AND number = NEW.number) "
        "BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END"
    )


def downgrade() -> None:
    """There is no way back: the ledger and the audit log are never dropped by a program."""
    raise RuntimeError("the first migration cannot be undone: restore a backup instead")
