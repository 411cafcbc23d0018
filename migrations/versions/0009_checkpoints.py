"""Checkpoints: a segment that stands for all of its table up to a sync."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "checkpoint",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("table_name", sa.Text(), nullable=False),
        sa.Column("sync_id", sa.Text(), nullable=False),
        sa.Column("segment_id", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.tenant_id"], name=op.f("fk_checkpoint_tenant_id")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "sync_id"], ["sync.tenant_id", "sync.sync_id"], name=op.f("fk_checkpoint_tenant_id_sync_id")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "segment_id"],
            ["segment.tenant_id", "segment.segment_id"],
            name=op.f("fk_checkpoint_tenant_id_segment_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "table_name", "sync_id", name=op.f("pk_checkpoint")),
        sqlite_strict=True,
    )


def downgrade() -> None:
    # The segments that a checkpoint stands for are all there: reading them takes longer.
    op.drop_table("checkpoint")
