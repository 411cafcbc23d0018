"""What this machine knows beside the ledger: how long ago it really sent a payment, and how far it had seen the ledger come.

Belongs here: two kinds of small files, written before what they are about happens. Does not: what follows from them (`drive.py`).

Both are things that the ledger cannot know. A clock that is set forward makes every send look old, and a look would count too soon:
the time since the machine was started cannot be set. A ledger that was put back from a backup has forgotten what it sent, and
nothing in it says so: here is written how far it had come, by the head of its audit, and in which file. What is missing or does not
match is taken for the worse: the ledger is compared with QuickBooks once too often. The folder never goes into a backup.
"""

import os
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import simplejson

from payments.store.audit import head
from payments.store.ledger import Ledger
from payments.store.repository import Look, Row
from payments.store.tables import AUDIT
from resources.clock import Clock, Uptime
from resources.database import Database
from resources.files import private_folder
from resources.tenants import TenantId


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineMemory:
    """The files of one machine, in a folder of their own."""

    folder: Path
    clock: Clock

    def note_send(self, tenant: TenantId, intent_id: str, *, number: int) -> None:
        """Before the intent to send a payment for the `number`th time is written down."""
        uptime = self.clock.uptime()
        if uptime is not None:
            sent = {"number": number, "boot": uptime.boot, "seconds": uptime.seconds}
            self._write(self._send(tenant, intent_id), sent)

    def forget_send(self, tenant: TenantId, intent_id: str) -> None:
        """Its fate is known."""
        self._send(tenant, intent_id).unlink(missing_ok=True)

    def settled_at(self, tenant: TenantId, intent: Row, *, settle: timedelta) -> datetime:
        """From when on, by the clock as it shows now, the newest send of a payment has had time to settle.

        By the time the machine is up, if it sent the payment since it was started; if it was started since, by both. Where it knows
        nothing of that send (another machine made it), by the clock alone.
        """
        sent_at: datetime = intent["sent_at"]
        uptime, sent = self.clock.uptime(), self._read(self._send(tenant, intent["intent_id"]))
        if uptime is None or sent is None or sent["number"] != intent["attempts"]:
            return sent_at + settle
        if sent["boot"] != uptime.boot:
            return max(sent_at + settle, self._in(settle.total_seconds() - uptime.seconds))
        return self._in(sent["seconds"] + settle.total_seconds() - uptime.seconds)

    def knows(self, ledger: Ledger, tenant: TenantId) -> bool:
        """Whether the ledger is the one that this machine saw last, in the same file, and has forgotten nothing since."""
        seen = self._read(self._ledger(tenant))
        if seen is None or seen["file"] != _file_of(ledger.database):
            return False
        with ledger.look(tenant) as look:
            return bool(seen["number"] == 0 or _hash_of(look, seen["number"]) == seen["hash"])

    def note_ledger(self, ledger: Ledger, tenant: TenantId) -> None:
        """How far the ledger has come: from now on whatever has less is an older one."""
        with ledger.look(tenant) as look:
            number, link = head(look)
        self._write(self._ledger(tenant), {"file": _file_of(ledger.database), "number": number, "hash": link})

    def _in(self, seconds: float) -> datetime:
        return self.clock.now() + timedelta(seconds=seconds)

    def _send(self, tenant: TenantId, intent_id: str) -> Path:
        return self.folder / tenant / f"send-{intent_id}"

    def _ledger(self, tenant: TenantId) -> Path:
        return self.folder / tenant / "ledger"

    def _write(self, path: Path, what: dict[str, Any]) -> None:
        """In one step, so that no half of it is ever read; a power failure may take it, and then less is known."""
        private_folder(path.parent)
        unfinished = path.with_name(f".{path.name}.{os.getpid()}")
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(simplejson.dumps(what))
            unfinished.rename(path)
        except OSError:
            unfinished.unlink(missing_ok=True)
            raise

    def _read(self, path: Path) -> dict[str, Any] | None:
        try:
            found: dict[str, Any] = simplejson.loads(path.read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return None
        return found


def too_late(since: Uptime | None, clock: Clock, *, window: timedelta) -> bool:
    """Whether more time than that has really passed since an uptime; False where it cannot be told."""
    now = clock.uptime()
    return since is not None and now is not None and now.seconds - since.seconds > window.total_seconds()


def _hash_of(look: Look, number: int) -> str | None:
    row = look.one(AUDIT, number=number)
    return None if row is None else str(row["hash"])


def _file_of(database: Database) -> str:
    """The database's file as the machine knows it: a copy that was put in its place is another. A server's has none."""
    if database.url.get_backend_name() != "sqlite" or database.url.database is None:
        return ""
    found = Path(database.url.database).stat()
    return f"{found.st_dev}:{found.st_ino}"
