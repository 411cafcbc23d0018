"""The keys and checks that the ledger's tables share.

Belongs here: constructors of constraints. Does not: tables.
"""

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, text


def positive_amount() -> CheckConstraint:
    """An amount is more than nothing."""
    return CheckConstraint("amount_cents > 0", name="positive_amount")


def boolean(name: str) -> CheckConstraint:
    """A column of 0 and 1."""
    return CheckConstraint(f"{name} in (0, 1)", name=f"{name}_is_boolean")


def once(name: str, *columns: str, where: str) -> Index:
    """Of the rows that meet a condition, one per key."""
    return Index(name, *columns, unique=True, sqlite_where=text(where), postgresql_where=text(where))


def bill_key() -> ForeignKeyConstraint:
    """A reference to a bill's cycle of the same tenant."""
    parent = ("tenant_id", "bill_id", "cycle")
    return ForeignKeyConstraint(list(parent), [f"bill_workflow.{one}" for one in parent])


def refers(column: str, to: str) -> ForeignKeyConstraint:
    """A reference that cannot leave its tenant."""
    return ForeignKeyConstraint(["tenant_id", column], [f"{to}.tenant_id", f"{to}.{column}"])
