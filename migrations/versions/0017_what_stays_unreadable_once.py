"""What stays unreadable is kept once, from the sync that met it first to the one that no longer did.

It was written again with each sync: an object that cannot be read made a row every night.
"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

_NEXT_SYNC = (
    "UPDATE quarantine SET gone_sync_id = (SELECT later.sync_id FROM sync later JOIN sync mine "
    "ON mine.tenant_id = later.tenant_id AND mine.data_as_of < later.data_as_of "
    "WHERE mine.tenant_id = quarantine.tenant_id AND mine.sync_id = quarantine.sync_id "
    "ORDER BY later.data_as_of LIMIT 1)"
)
_OF_THE_NEWEST = (
    "UPDATE quarantine SET sync_id = (SELECT sync_id FROM sync WHERE sync.tenant_id = quarantine.tenant_id "
    "ORDER BY data_as_of DESC LIMIT 1) WHERE gone_sync_id IS NULL"
)


def upgrade() -> None:
    op.add_column("quarantine", sa.Column("gone_sync_id", sa.Text()))
    op.execute(_NEXT_SYNC)
    op.create_index("ix_quarantine_tenant_id_gone_sync_id", "quarantine", ["tenant_id", "gone_sync_id"])


def downgrade() -> None:
    """What cannot be read now goes on being known; of past syncs only what they met first does."""
    op.drop_index("ix_quarantine_tenant_id_gone_sync_id", "quarantine")
    op.execute(_OF_THE_NEWEST)
    op.drop_column("quarantine", "gone_sync_id")
