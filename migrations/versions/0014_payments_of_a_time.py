"""The payments that the books have recorded since a day are found without walking through all that a tenant ever made."""

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_intent_tenant_id_leg_recorded_at", "intent", ["tenant_id", "leg", "recorded_at"])


def downgrade() -> None:
    op.drop_index("ix_intent_tenant_id_leg_recorded_at", "intent")
