"""Brings an operational database to the newest schema.

Belongs here: running the chain. Does not: the revisions (`migrations/versions/`), the tables themselves.
"""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

import resources.entry_tables
import resources.mail.tables  # noqa: F401 - registers its tables with the metadata
from resources.database import Database


def alembic_config() -> Config:
    """Alembic's configuration; it needs no ini file."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    return config


def upgrade(database: Database) -> bool:
    """Apply what is missing, in one writing transaction; whether anything was.

    Two processes may start at once: the second waits for the first one's transaction and then finds nothing to do.
    """
    config = alembic_config()
    newest = ScriptDirectory.from_config(config).get_current_head()
    with database.read() as connection:
        if _revision(connection) == newest:
            return False
    with database.write() as connection:
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql("SELECT pg_advisory_xact_lock(7249001)")
        if _revision(connection) == newest:
            return False
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    return True


def downgrade(database: Database, revision: str) -> None:
    """Take back everything after a revision, in one transaction; the ledger's rows are kept until the next upgrade.

    Raises:
        WouldLoseData: there are rows that nothing brings back; nothing was changed.
    """
    config = alembic_config()
    with database.write() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, revision)


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()
