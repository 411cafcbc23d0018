"""Whose rows of the payment ledger a transaction sees: on Postgres its row-level security, a second net under our own binding.

Belongs here: naming the tenant to Postgres. Does not: the policies (revision 0012); the first net, the tenant in every statement.

A transaction that names nobody sees no row and adds none. What is named ends with the transaction, so that a connection from a pool
carries nothing on. SQLite has no such net: there the binding, and the tests that trace it, are all there is.
"""

from sqlalchemy import ColumnElement, Connection, func, select

from resources.tenants import TenantId

_SETTING = "runway.tenant"
#: No tenant's id: those are letters, digits and hyphens.
_EVERYBODY = "*"


def see_tenant(connection: Connection, tenant: TenantId) -> None:
    """From here to its end the transaction sees and writes this tenant's rows only."""
    _name(connection, tenant)


def see_everybody(connection: Connection) -> None:
    """From here to its end the transaction may list rows of all tenants; it can write none."""
    _name(connection, _EVERYBODY)


def naming(tenant: TenantId | ColumnElement[str]) -> ColumnElement[str]:
    """A column that names the tenant as `see_tenant` does, for a statement that is made anyway."""
    return func.set_config(_SETTING, tenant, True)  # noqa: FBT003 - Postgres' "until the transaction ends"


def has_row_security(connection: Connection) -> bool:
    """Whether the engine has this net."""
    return connection.dialect.name == "postgresql"


def _name(connection: Connection, whom: str) -> None:
    if has_row_security(connection):
        connection.execute(select(naming(TenantId(whom))))
