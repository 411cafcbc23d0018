"""The payment ledger as the first revision made it, and what a downgrade returns to.

Belongs here: making and dropping those tables, frozen as they were. Does not: the ledger as it is (revisions 0004 and 0005).
"""

import sqlalchemy as sa
from alembic import op

from migrations.added_only import drop_added_only, let_only_add
from resources.tables import BusinessDate, Instant, Json

FIRST_LEDGER = ("decision", "hold", "batch", "intent", "intent_bill", "audit")
_APPEND_ONLY = "the audit log is append-only"


def drop_first_ledger() -> None:
    """Drop the tables; refused if they hold anything, for nothing could carry it over."""
    bind = op.get_bind()
    for name in FIRST_LEDGER:
        if bind.execute(sa.select(sa.func.count()).select_from(sa.table(name))).scalar_one():
            raise RuntimeError(
                f"the table {name} holds rows, and no release ever wrote one: nothing was changed, look at them first"
            )
    drop_added_only("audit")
    for name in reversed(FIRST_LEDGER[:-1]):
        op.drop_table(name)


def create_first_ledger() -> None:
    """Make the tables and guard the audit."""
    _decisions_and_holds()
    _batches()
    _intents()
    _audit()
    let_only_add("audit", because=_APPEND_ONLY)


def _decisions_and_holds() -> None:
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


def _batches() -> None:
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


def _intents() -> None:
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


def _audit() -> None:
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
