"""How often each tenant's calls were refused as too many, and how long they waited for QuickBooks' limits."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("throttled", "waited_milliseconds"):
        kind = sa.Integer().with_variant(sa.BigInteger(), "postgresql")
        op.add_column("call_meter", sa.Column(name, kind, nullable=False, server_default="0"))


def downgrade() -> None:
    # How long was waited explains a slow night and is needed for nothing.
    for name in ("waited_milliseconds", "throttled"):
        op.drop_column("call_meter", name)
