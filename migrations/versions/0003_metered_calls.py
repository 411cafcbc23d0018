"""How many metered calls each tenant has used, and when its next call may start."""

import sqlalchemy as sa
from alembic import op

from migrations.going_back import refuse_to_lose
from resources.tables import Instant

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "call_meter",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("month", sa.Text(), nullable=False),
        sa.Column("metered", sa.Integer().with_variant(sa.BigInteger(), "postgresql"), nullable=False),
        sa.Column("counted_since", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.tenant_id"], name=op.f("fk_call_meter_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "month", name=op.f("pk_call_meter")),
        sqlite_strict=True,
    )
    op.create_table(
        "call_pace",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("next_call_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.tenant_id"], name=op.f("fk_call_pace_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", name=op.f("pk_call_pace")),
        sqlite_strict=True,
    )


def downgrade() -> None:
    refuse_to_lose(["call_meter"])
    op.drop_table("call_pace")
    op.drop_table("call_meter")
