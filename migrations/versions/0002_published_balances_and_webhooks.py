"""What a sync publishes for payments, and what webhooks leave behind."""

import sqlalchemy as sa
from alembic import op

from resources.tables import BusinessDate, Instant

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "cash_snapshot",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("sync_id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("balance_cents", sa.Integer().with_variant(sa.BigInteger(), "postgresql"), nullable=False),
        sa.Column("dated_later_cents", sa.Integer().with_variant(sa.BigInteger(), "postgresql"), nullable=False),
        sa.Column("read_started_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "sync_id"],
            ["sync.tenant_id", "sync.sync_id"],
            name=op.f("fk_cash_snapshot_tenant_id_sync_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "sync_id", "account_id", name=op.f("pk_cash_snapshot")),
        sqlite_strict=True,
    )
    op.create_table(
        "open_bill",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("sync_id", sa.Text(), nullable=False),
        sa.Column("bill_id", sa.Text(), nullable=False),
        sa.Column("vendor_id", sa.Text(), nullable=False),
        sa.Column("vendor_name", sa.Text(), nullable=False),
        sa.Column("doc_number", sa.Text(), nullable=False),
        sa.Column("txn_date", BusinessDate(), nullable=False),
        sa.Column("due_date", BusinessDate(), nullable=True),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("total_cents", sa.Integer().with_variant(sa.BigInteger(), "postgresql"), nullable=False),
        sa.Column("open_cents", sa.Integer().with_variant(sa.BigInteger(), "postgresql"), nullable=False),
        sa.Column("read_started_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "sync_id"], ["sync.tenant_id", "sync.sync_id"], name=op.f("fk_open_bill_tenant_id_sync_id")
        ),
        sa.PrimaryKeyConstraint("tenant_id", "sync_id", "bill_id", name=op.f("pk_open_bill")),
        sqlite_strict=True,
    )
    op.create_table(
        "webhook_event",
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("received_at", Instant(), nullable=False),
        sa.CheckConstraint("outcome in ('marked', 'unknown realm')", name=op.f("ck_webhook_event_known_outcome")),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_webhook_event")),
        sqlite_strict=True,
    )
    op.create_index("ix_webhook_event_received_at", "webhook_event", ["received_at"])
    op.create_table(
        "dirty_tenant",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("generation", sa.Integer().with_variant(sa.BigInteger(), "postgresql"), nullable=False),
        sa.Column("covered", sa.Integer().with_variant(sa.BigInteger(), "postgresql"), nullable=False),
        sa.Column("noticed_at", Instant(), nullable=False),
        sa.CheckConstraint("covered <= generation", name=op.f("ck_dirty_tenant_covers_what_was_noticed")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.tenant_id"], name=op.f("fk_dirty_tenant_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", name=op.f("pk_dirty_tenant")),
        sqlite_strict=True,
    )


def downgrade() -> None:
    # All of it comes again: cash and bills with the next sync, a change that was announced with the next night.
    for name in ("dirty_tenant", "webhook_event", "open_bill", "cash_snapshot"):
        op.drop_table(name)
