"""Copies of a ledger, and putting one in its place: a file on SQLite, a template database on Postgres.

Belongs here: both engines' ways. Does not: when (`scene.py`).
"""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Protocol

import psycopg

from tests.postgres import OWNER, Postgres

#: The database of the trials on a server.
_NAME = "ledger_of_trials"


class LedgerCopies(Protocol):
    """Where the ledger is, and copies of it by name."""

    @property
    def url(self) -> str:
        """The database's address; empty for the file that an installation has by default."""

    def take(self, name: str, made: str) -> None:
        """Take what somebody else made, a file or a database of the server, as a copy of that name."""

    def copy(self, name: str) -> None:
        """Keep the ledger as it is under a name; an earlier copy of that name is gone."""

    def put_back(self, name: str) -> None:
        """Make a copy the ledger; nobody is connected to it."""


class FileCopies:
    """A ledger that is a file in the data folder."""

    url = ""

    def __init__(self, ledger: Path, copies: Path) -> None:
        self._ledger, self._copies = ledger, copies

    def take(self, name: str, made: str) -> None:
        """Another file."""
        shutil.copyfile(made, self._copies / f"{name}.sqlite")

    def copy(self, name: str) -> None:
        """By SQLite's own backup, which may be made while others write."""
        path = self._copies / f"{name}.sqlite"
        path.unlink(missing_ok=True)
        with closing(sqlite3.connect(self._ledger)) as source, closing(sqlite3.connect(path)) as copy:
            source.backup(copy)

    def put_back(self, name: str) -> None:
        """As another file in the same place."""
        for leftover in self._ledger.parent.glob(f"{self._ledger.name}*"):
            leftover.unlink()
        shutil.copyfile(self._copies / f"{name}.sqlite", self._ledger)


class ServerCopies:
    """A ledger on a Postgres server; its copies are databases beside it."""

    def __init__(self, server: Postgres) -> None:
        self._server = server
        self._make(_NAME, template="template1")
        self.url = server.url(_NAME, user=OWNER)

    def take(self, name: str, made: str) -> None:
        """A database beside it, to which nobody is connected."""
        self._make(f"copy_{name}", template=made)

    def copy(self, name: str) -> None:
        """By the server, while nobody is connected."""
        self._make(f"copy_{name}", template=_NAME)

    def put_back(self, name: str) -> None:
        """Likewise."""
        self._make(_NAME, template=f"copy_{name}")

    def _make(self, name: str, *, template: str) -> None:
        with psycopg.connect(
            host=str(self._server.folder), user="runway", dbname="postgres", autocommit=True
        ) as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
            connection.execute(f'CREATE DATABASE "{name}" OWNER {OWNER} TEMPLATE "{template}"')
