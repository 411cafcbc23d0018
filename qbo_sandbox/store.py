"""What survives a restart: connections, registered companies, written operations, settings, the meter, the clock.

Belongs here: the SQLite file in the state folder (or its in-memory stand-in) and its tables. Does not: generated
books, which are made again from their spec.
"""

import sqlite3
from pathlib import Path

_SCHEMA = """
CREATE TABLE IF NOT EXISTS companies (realm_id TEXT PRIMARY KEY, spec TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS operations (
    realm_id TEXT NOT NULL, sequence INTEGER NOT NULL, operation TEXT NOT NULL, PRIMARY KEY (realm_id, sequence));
CREATE TABLE IF NOT EXISTS settings (scope TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS meter (
    month TEXT NOT NULL, realm_id TEXT NOT NULL, calls INTEGER NOT NULL, PRIMARY KEY (month, realm_id));
CREATE TABLE IF NOT EXISTS codes (
    code TEXT PRIMARY KEY, realm_id TEXT NOT NULL, redirect_uri TEXT NOT NULL, expires REAL NOT NULL);
CREATE TABLE IF NOT EXISTS grants (
    grant_id INTEGER PRIMARY KEY, realm_id TEXT NOT NULL, started REAL NOT NULL, revoked REAL);
CREATE TABLE IF NOT EXISTS refresh_tokens (
    token TEXT PRIMARY KEY, grant_id INTEGER NOT NULL, issued REAL NOT NULL, expires REAL NOT NULL, replaced REAL);
CREATE TABLE IF NOT EXISTS access_tokens (token TEXT PRIMARY KEY, grant_id INTEGER NOT NULL, expires REAL NOT NULL);
"""


def open_store(folder: Path | None) -> sqlite3.Connection:
    """The store in a state folder; without a folder, one that ends with the program."""
    if folder is None:
        target = ":memory:"
    else:
        folder.mkdir(parents=True, exist_ok=True)
        target = str(folder / "sandbox.sqlite3")
    store = sqlite3.connect(target, isolation_level=None)
    store.execute("PRAGMA journal_mode = WAL")
    store.execute("PRAGMA synchronous = NORMAL")
    store.executescript(_SCHEMA)
    return store


def read_setting(store: sqlite3.Connection, scope: str) -> str | None:
    """A stored setting: of the app, of the clock or of a realm."""
    row = store.execute("SELECT value FROM settings WHERE scope = ?", (scope,)).fetchone()
    return str(row[0]) if row else None


def write_setting(store: sqlite3.Connection, scope: str, value: str) -> None:
    """Store a setting."""
    store.execute(
        "INSERT INTO settings (scope, value) VALUES (?, ?) ON CONFLICT (scope) DO UPDATE SET value = excluded.value",
        (scope, value),
    )
