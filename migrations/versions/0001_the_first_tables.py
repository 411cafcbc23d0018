"""The first tables: firms, tenants, connections, the lake's commits, quarantine, documents, the payment ledger."""

import sqlalchemy as sa
from alembic import op

from migrations.first_ledger import FIRST_LEDGER, create_first_ledger, drop_first_ledger
from migrations.going_back import refuse_to_lose
from resources.tables import BusinessDate, Instant, Json

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


_TABLES = (
    "firm",
    "tenant",
    "connection",
    "lease",
    "published_document",
    "sync",
    "quarantine",
    "segment",
    "result",
)


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
    create_first_ledger()


def downgrade() -> None:
    refuse_to_lose((*_TABLES, *FIRST_LEDGER))
    drop_first_ledger()
    for name in reversed(_TABLES):
        op.drop_table(name)
