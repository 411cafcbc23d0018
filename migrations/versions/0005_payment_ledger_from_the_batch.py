"""The payment ledger in full: batches, intents and their attempts, alarms, requests, audit."""

import sqlalchemy as sa
from alembic import op

from migrations.kept_rows import keep, put_back
from migrations.ledger_guards import drop_guards, raise_guards
from resources.tables import BusinessDate, Instant, Json, WholeNumber

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_TABLES = ("batch", "batch_item", "intent", "intent_bill", "attempt", "alarm", "request", "audit")


def upgrade() -> None:
    _batch()
    _batch_item()
    _intent()
    _intent_bill()
    _attempt()
    _alarm()
    _request()
    _audit()
    put_back(_TABLES)
    raise_guards()


def downgrade() -> None:
    drop_guards()
    keep(_TABLES)
    for name in reversed(_TABLES):
        op.drop_table(name)


def _batch() -> None:
    op.create_table(
        "batch",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("batch_id", sa.Text(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("pay_on", BusinessDate(), nullable=False),
        sa.Column("rail", sa.Text(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("item_count", WholeNumber, nullable=True),
        sa.Column("total_cents", WholeNumber, nullable=True),
        sa.Column("seal", sa.Text(), nullable=True),
        sa.Column("policy_version", WholeNumber, nullable=True),
        sa.Column("separation", sa.Text(), nullable=True),
        sa.Column("finalized_by", sa.Text(), nullable=True),
        sa.Column("finalized_at", Instant(), nullable=True),
        sa.Column("generation", WholeNumber, nullable=False),
        sa.Column("holder", sa.Text(), nullable=True),
        sa.Column("lease_until", Instant(), nullable=True),
        sa.Column("not_before", Instant(), nullable=True),
        sa.Column("settled_at", Instant(), nullable=True),
        sa.CheckConstraint("(state = 'waiting') = (not_before is not null)", name=op.f("ck_batch_waits_until")),
        sa.CheckConstraint(
            "(state in ('settled', 'settled_with_exceptions')) = (settled_at is not null)",
            name=op.f("ck_batch_settled_once"),
        ),
        sa.CheckConstraint("origin in ('people', 'due', 'due_for_finalizer')", name=op.f("ck_batch_known_origin")),
        sa.CheckConstraint("rail in ('record_only', 'nacha_file', 'simulated_bank')", name=op.f("ck_batch_known_rail")),
        sa.CheckConstraint(
            "state = 'open' or (seal is not null and item_count > 0 and total_cents > 0 and finalized_by is not "
            "null and finalized_at is not null and policy_version is not null and separation is not null)",
            name=op.f("ck_batch_finalized_is_sealed"),
        ),
        sa.CheckConstraint(
            "state in ('open', 'finalized', 'claimed', 'waiting', 'settled', 'settled_with_exceptions')",
            name=op.f("ck_batch_known_state"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "account_id"],
            ["cash_account.tenant_id", "cash_account.account_id"],
            name=op.f("fk_batch_tenant_id_account_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "batch_id", name=op.f("pk_batch")),
        sqlite_strict=True,
    )
    op.create_index("ix_batch_state", "batch", ["state", "not_before", "lease_until"], unique=False)
    op.create_index(
        "uq_batch_due",
        "batch",
        ["tenant_id", "pay_on", "account_id", "origin"],
        unique=True,
        sqlite_where=sa.text("origin <> 'people'"),
        postgresql_where=sa.text("origin <> 'people'"),
    )


def _batch_item() -> None:
    op.create_table(
        "batch_item",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("batch_id", sa.Text(), nullable=False),
        sa.Column("decision_id", sa.Text(), nullable=False),
        sa.Column("hold_id", sa.Text(), nullable=False),
        sa.Column("vendor_id", sa.Text(), nullable=False),
        sa.Column("amount_cents", WholeNumber, nullable=False),
        sa.CheckConstraint("amount_cents > 0", name=op.f("ck_batch_item_positive_amount")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "batch_id"],
            ["batch.tenant_id", "batch.batch_id"],
            name=op.f("fk_batch_item_tenant_id_batch_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "decision_id"],
            ["decision.tenant_id", "decision.decision_id"],
            name=op.f("fk_batch_item_tenant_id_decision_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "hold_id"], ["hold.tenant_id", "hold.hold_id"], name=op.f("fk_batch_item_tenant_id_hold_id")
        ),
        sa.PrimaryKeyConstraint("tenant_id", "batch_id", "decision_id", name=op.f("pk_batch_item")),
        sqlite_strict=True,
    )
    op.create_index("uq_batch_item_tenant_id_decision_id", "batch_item", ["tenant_id", "decision_id"], unique=True)


def _intent() -> None:
    op.create_table(
        "intent",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("intent_id", sa.Text(), nullable=False),
        sa.Column("batch_id", sa.Text(), nullable=False),
        sa.Column("leg", sa.Text(), nullable=False),
        sa.Column("rail", sa.Text(), nullable=False),
        sa.Column("vendor_id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("bill_set", sa.Text(), nullable=False),
        sa.Column("ordinal", WholeNumber, nullable=False),
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.Column("doc_number", sa.Text(), nullable=False),
        sa.Column("amount_cents", WholeNumber, nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("body_sha256", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", WholeNumber, nullable=False),
        sa.Column("sent_at", Instant(), nullable=True),
        sa.Column("not_before", Instant(), nullable=True),
        sa.Column("instructed_at", Instant(), nullable=True),
        sa.Column("settled_at", Instant(), nullable=True),
        sa.Column("remote_id", sa.Text(), nullable=True),
        sa.Column("recorded_at", Instant(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.CheckConstraint("leg = 'book' or rail <> 'record_only'", name=op.f("ck_intent_record_only_moves_nothing")),
        sa.CheckConstraint("leg = 'book' or state <> 'waiting'", name=op.f("ck_intent_only_book_entries_wait")),
        sa.CheckConstraint("leg in ('rail', 'book')", name=op.f("ck_intent_known_leg")),
        sa.CheckConstraint(
            "rail in ('record_only', 'nacha_file', 'simulated_bank')", name=op.f("ck_intent_known_rail")
        ),
        sa.CheckConstraint("state <> 'paid' or remote_id is not null", name=op.f("ck_intent_paid_names_its_record")),
        sa.CheckConstraint(
            "state in ('waiting', 'ready', 'sent', 'unknown', 'needs_review', 'paid', 'refused', 'void')",
            name=op.f("ck_intent_known_state"),
        ),
        sa.CheckConstraint(
            "state not in ('sent', 'unknown') or attempts > 0", name=op.f("ck_intent_sent_was_attempted")
        ),
        sa.CheckConstraint("amount_cents > 0", name=op.f("ck_intent_positive_amount")),
        sa.CheckConstraint(
            "attempts >= 0 and (attempts = 0) = (sent_at is null)", name=op.f("ck_intent_attempts_have_their_time")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "account_id"],
            ["cash_account.tenant_id", "cash_account.account_id"],
            name=op.f("fk_intent_tenant_id_account_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "batch_id"], ["batch.tenant_id", "batch.batch_id"], name=op.f("fk_intent_tenant_id_batch_id")
        ),
        sa.PrimaryKeyConstraint("tenant_id", "intent_id", name=op.f("pk_intent")),
        sqlite_strict=True,
    )
    op.create_index("ix_intent_tenant_id_batch_id", "intent", ["tenant_id", "batch_id"], unique=False)
    op.create_index("uq_intent_ordinal", "intent", ["tenant_id", "leg", "bill_set", "ordinal"], unique=True)
    op.create_index("uq_intent_tenant_id_doc_number", "intent", ["tenant_id", "doc_number"], unique=True)
    op.create_index("uq_intent_tenant_id_request_id", "intent", ["tenant_id", "request_id"], unique=True)


def _intent_bill() -> None:
    op.create_table(
        "intent_bill",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("intent_id", sa.Text(), nullable=False),
        sa.Column("bill_id", sa.Text(), nullable=False),
        sa.Column("cycle", WholeNumber, nullable=False),
        sa.Column("leg", sa.Text(), nullable=False),
        sa.Column("decision_id", sa.Text(), nullable=False),
        sa.Column("hold_id", sa.Text(), nullable=False),
        sa.Column("amount_cents", WholeNumber, nullable=False),
        sa.Column("live", WholeNumber, nullable=False),
        sa.CheckConstraint("leg in ('rail', 'book')", name=op.f("ck_intent_bill_known_leg")),
        sa.CheckConstraint("amount_cents > 0", name=op.f("ck_intent_bill_positive_amount")),
        sa.CheckConstraint("live in (0, 1)", name=op.f("ck_intent_bill_live_is_boolean")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "bill_id", "cycle"],
            ["bill_workflow.tenant_id", "bill_workflow.bill_id", "bill_workflow.cycle"],
            name=op.f("fk_intent_bill_tenant_id_bill_id_cycle"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "decision_id"],
            ["decision.tenant_id", "decision.decision_id"],
            name=op.f("fk_intent_bill_tenant_id_decision_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "hold_id"], ["hold.tenant_id", "hold.hold_id"], name=op.f("fk_intent_bill_tenant_id_hold_id")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "intent_id"],
            ["intent.tenant_id", "intent.intent_id"],
            name=op.f("fk_intent_bill_tenant_id_intent_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "intent_id", "bill_id", name=op.f("pk_intent_bill")),
        sqlite_strict=True,
    )
    op.create_index("ix_intent_bill_tenant_id_hold_id", "intent_bill", ["tenant_id", "hold_id"], unique=False)
    op.create_index(
        "uq_intent_bill_live",
        "intent_bill",
        ["tenant_id", "bill_id", "leg"],
        unique=True,
        sqlite_where=sa.text("live = 1"),
        postgresql_where=sa.text("live = 1"),
    )


def _attempt() -> None:
    op.create_table(
        "attempt",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("intent_id", sa.Text(), nullable=False),
        sa.Column("number", WholeNumber, nullable=False),
        sa.Column("generation", WholeNumber, nullable=False),
        sa.Column("sent_at", Instant(), nullable=False),
        sa.Column("answered_at", Instant(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "outcome is null or outcome in ('landed', 'refused', 'not_processed', 'unknown')",
            name=op.f("ck_attempt_known_outcome"),
        ),
        sa.CheckConstraint("(outcome is null) = (answered_at is null)", name=op.f("ck_attempt_answered_has_its_time")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "intent_id"],
            ["intent.tenant_id", "intent.intent_id"],
            name=op.f("fk_attempt_tenant_id_intent_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "intent_id", "number", name=op.f("pk_attempt")),
        sqlite_strict=True,
    )


def _alarm() -> None:
    op.create_table(
        "alarm",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("alarm_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("remedy", sa.Text(), nullable=False),
        sa.Column("raised_at", Instant(), nullable=False),
        sa.Column("resolved_by", sa.Text(), nullable=True),
        sa.Column("resolved_at", Instant(), nullable=True),
        sa.CheckConstraint("(resolved_by is null) = (resolved_at is null)", name=op.f("ck_alarm_resolved_by_somebody")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.tenant_id"], name=op.f("fk_alarm_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "alarm_id", name=op.f("pk_alarm")),
        sqlite_strict=True,
    )
    op.create_index(
        "uq_alarm_open",
        "alarm",
        ["tenant_id", "kind", "subject"],
        unique=True,
        sqlite_where=sa.text("resolved_at is null"),
        postgresql_where=sa.text("resolved_at is null"),
    )


def _request() -> None:
    op.create_table(
        "request",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("request_key", sa.Text(), nullable=False),
        sa.Column("verb", sa.Text(), nullable=False),
        sa.Column("content_sha256", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("made_at", Instant(), nullable=False),
        sa.Column("answer", Json(), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.tenant_id"], name=op.f("fk_request_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "request_key", name=op.f("pk_request")),
        sqlite_strict=True,
    )


def _audit() -> None:
    op.create_table(
        "audit",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("number", WholeNumber, nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("entity", sa.Text(), nullable=False),
        sa.Column("before", Json(), nullable=False),
        sa.Column("after", Json(), nullable=False),
        sa.Column("previous_hash", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.tenant_id"], name=op.f("fk_audit_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "number", name=op.f("pk_audit")),
        sqlite_strict=True,
    )
