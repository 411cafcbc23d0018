"""A Postgres of its own for the tests, from the machine's binaries: no container, no network, gone afterwards.

Postgres refuses to run as root, so under root it runs as `postgres` or `nobody`.
"""

import os
import pwd
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

MISSING = "needs the Postgres server programs: `apt-get install postgresql` (or put initdb and pg_ctl on the PATH)"
#: Who owns the databases and is bound by their policies, which the superuser of the server is not.
OWNER = "installation"

_SERVER = "-c listen_addresses='' -c max_connections=100 -c shared_buffers=32MB"


@dataclass(frozen=True, slots=True, kw_only=True)
class Postgres:
    """A running server; it listens on a socket in its own folder only."""

    folder: Path

    def url(self, name: str, *, user: str = "runway") -> str:
        """The SQLAlchemy URL of a database, for the server's superuser or for the owner of every database here."""
        return f"postgresql+psycopg:///{name}?host={self.folder}&user={user}"

    def create(self) -> str:
        """Make an empty database of an ordinary owner, as an installation would have it; its name."""
        name = f"t{uuid.uuid4().hex}"
        with psycopg.connect(host=str(self.folder), user="runway", dbname="postgres", autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}" OWNER {OWNER}')
        return name


def postgres_programs() -> Path | None:
    """The folder of `initdb` and `pg_ctl`: that of the PATH, or the newest of Debian's; None if there is none."""
    found = shutil.which("initdb")
    folders = [Path(found).resolve().parent] if found else []
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=_version, reverse=True)
    return next((folder for folder in folders if (folder / "initdb").exists() and (folder / "pg_ctl").exists()), None)


@contextmanager
def start_postgres(programs: Path, *, is_durable: bool = False) -> Iterator[Postgres]:
    """Start a server in a new folder and remove both afterwards.

    Nothing here outlives the tests, so nothing has to reach the disk; `is_durable` is for measuring what that costs.
    """
    fsync = "on" if is_durable else "off"
    folder = Path(tempfile.mkdtemp(prefix="runway-postgres-"))  # short: the path of a socket has at most 107 bytes
    as_user = _somebody_else(folder) if os.geteuid() == 0 else {}
    data = folder / "data"

    def run(program: str, *arguments: str) -> None:
        command = [str(programs / program), "-D", str(data), *arguments]
        done = subprocess.run(
            command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False, **as_user
        )
        if done.returncode != 0:
            log = folder / "log"
            raise RuntimeError(f"{program} failed: {done.stderr} {log.read_text() if log.exists() else ''}")

    try:
        run("initdb", "--username=runway", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync")
        run("pg_ctl", "-w", "-l", str(folder / "log"), "-o", f"-k {folder} {_SERVER} -c fsync={fsync}", "start")
        with psycopg.connect(host=str(folder), user="runway", dbname="postgres", autocommit=True) as connection:
            connection.execute(f"CREATE ROLE {OWNER} LOGIN")
        try:
            yield Postgres(folder=folder)
        finally:
            run("pg_ctl", "-w", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _somebody_else(folder: Path) -> dict[str, Any]:
    names = {entry.pw_name: entry for entry in pwd.getpwall()}
    chosen = names.get("postgres") or names["nobody"]
    os.chown(folder, chosen.pw_uid, chosen.pw_gid)
    return {"user": chosen.pw_uid, "group": chosen.pw_gid, "extra_groups": []}


def _version(folder: Path) -> float:
    try:
        return float(folder.parent.name)
    except ValueError:
        return 0.0
