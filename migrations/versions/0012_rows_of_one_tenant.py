"""Postgres shows a transaction only the rows of the ledger whose tenant it has named (`resources/row_security.py`).

Whoever names nobody sees nothing; `*` is for lists across tenants and may only read. The owner of the tables is bound, too. A later
revision that reads or writes rows of these tables names their tenants, or it finds none.
"""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_TABLES = (
    "role_grant",
    "payment_policy",
    "vendor_watch",
    "payee",
    "bill_workflow",
    "approval",
    "cash_account",
    "reserve",
    "break_glass",
    "decision",
    "hold",
    "reserve_movement",
    "shortfall",
    "batch",
    "batch_item",
    "intent",
    "intent_bill",
    "attempt",
    "alarm",
    "request",
    "audit",
)
_NAMED = "current_setting('runway.tenant', true)"
#: Before it, a view reads with the rights of its owner, whom the policies bind as well.
_VIEWS_OF_THE_ASKER = 15


def upgrade() -> None:
    if not _is_postgres():
        return
    for table in _TABLES:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY {table}_of_its_tenant ON {table} USING (tenant_id = {_NAMED})")
        op.execute(f"CREATE POLICY {table}_in_lists ON {table} FOR SELECT USING ({_NAMED} = '*')")
    _let_the_view_ask_as("true")


def downgrade() -> None:
    if not _is_postgres():
        return
    _let_the_view_ask_as("false")
    for table in _TABLES:
        op.execute(f"DROP POLICY {table}_in_lists ON {table}")
        op.execute(f"DROP POLICY {table}_of_its_tenant ON {table}")
        op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY")


def _let_the_view_ask_as(asker: str) -> None:
    version = op.get_bind().dialect.server_version_info
    if version is not None and int(version[0]) >= _VIEWS_OF_THE_ASKER:
        op.execute(f"ALTER VIEW free_cash SET (security_invoker = {asker})")


def _is_postgres() -> bool:
    return op.get_bind().dialect.name == "postgresql"
