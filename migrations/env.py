"""Alembic's environment: one chain over the tables of `resources` and `payments`."""

from alembic import context
from sqlalchemy import Connection

import payments.store.tables  # noqa: F401 - registers the ledger's tables with the metadata
from resources.tables import METADATA


def _run(connection: Connection) -> None:
    context.configure(connection=connection, target_metadata=METADATA, render_as_batch=False)
    with context.begin_transaction():
        context.run_migrations()


_run(context.config.attributes["connection"])
