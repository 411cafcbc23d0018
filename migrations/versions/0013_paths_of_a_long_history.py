"""A bill's approvals and hold and a decision's payments are found without walking through all that a tenant ever had."""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_approval_tenant_id_bill_id", "approval", ["tenant_id", "bill_id"])
    op.create_index("ix_hold_tenant_id_bill_id", "hold", ["tenant_id", "bill_id"])
    op.create_index("ix_intent_bill_tenant_id_decision_id", "intent_bill", ["tenant_id", "decision_id"])


def downgrade() -> None:
    op.drop_index("ix_intent_bill_tenant_id_decision_id", "intent_bill")
    op.drop_index("ix_hold_tenant_id_bill_id", "hold")
    op.drop_index("ix_approval_tenant_id_bill_id", "approval")
