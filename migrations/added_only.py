"""Tables that are only ever added to: the triggers that refuse everything else, for SQLite and Postgres.

Belongs here: their SQL as the revisions made it; it is frozen, for a change of it is a new revision. Does not: which tables
(the revisions); the guards of the payment ledger, which know more than this (`ledger_guards.py`).
"""

from alembic import op


def let_only_add(table: str, *, because: str, owner: str = "tenant_id") -> None:
    """Refuse changes and deletions of rows, whose key is the owner and a number; the refusal says `because`."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            f"CREATE FUNCTION {table}_is_append_only() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN RAISE EXCEPTION '{because}'; END $$"
        )
        op.execute(
            f"CREATE TRIGGER {table}_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            f"FOR EACH STATEMENT EXECUTE FUNCTION {table}_is_append_only()"
        )
        return
    for verb in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER {table}_refuses_{verb.lower()} BEFORE {verb} ON {table} "
            f"BEGIN SELECT RAISE(ABORT, '{because}'); END"
        )
    # INSERT OR REPLACE deletes without firing the DELETE trigger.
    op.execute(
        f"CREATE TRIGGER {table}_refuses_replace BEFORE INSERT ON {table} "  # noqa: S608 - fixed names
        f"WHEN EXISTS (SELECT 1 FROM {table} WHERE {owner} = NEW.{owner} AND number = NEW.number) "
        f"BEGIN SELECT RAISE(ABORT, '{because}'); END"
    )


def drop_added_only(table: str) -> None:
    """Drop such a table with its triggers."""
    op.drop_table(table)
    if op.get_bind().dialect.name == "postgresql":
        op.execute(f"DROP FUNCTION {table}_is_append_only()")
