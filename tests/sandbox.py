"""The local QuickBooks as tests see it: a process, and its control and truth interface."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import httpx


@dataclass(frozen=True, slots=True, kw_only=True)
class Sandbox:
    """One running local QuickBooks."""

    url: str
    control: httpx.Client

    def add_company(self, **spec: Any) -> str:
        """Generate a company (the same one for the same spec); its realm id."""
        self.control.post("/__sandbox__/companies", json=spec).raise_for_status()
        # A test's clock jumps where a client would wait, so requests come faster than a real client sends them.
        realm = str(spec["realm_id"])
        self.control.post(f"/__sandbox__/realms/{realm}/settings", json={"throttled": False}).raise_for_status()
        return realm

    def truth(self, realm_id: str, *, basis: str, day: date, instant: datetime | None = None) -> dict[str, Any]:
        """Balances and open items as of a day, from the sandbox's own journal."""
        parameters = {"basis": basis, "day": day.isoformat()}
        if instant is not None:
            parameters["instant"] = instant.isoformat()
        answer = self.control.get(f"/__sandbox__/realms/{realm_id}/truth", params=parameters)
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
        return found

    def break_with(self, realm_id: str, **fault: Any) -> None:
        """Let a realm misbehave until `heal`."""
        self.control.post(f"/__sandbox__/realms/{realm_id}/faults", json=fault).raise_for_status()

    def heal(self, realm_id: str) -> None:
        """End all faults of a realm."""
        self.control.delete(f"/__sandbox__/realms/{realm_id}/faults").raise_for_status()

    def revoke(self, realm_id: str) -> None:
        """End a realm's connection as a user who disconnects the app does."""
        self.control.post(f"/__sandbox__/realms/{realm_id}/revoke").raise_for_status()

    def requests(self, realm_id: str) -> list[dict[str, Any]]:
        """The request log of a realm."""
        answer = self.control.get("/__sandbox__/requests", params={"realm": realm_id})
        answer.raise_for_status()
        body = answer.json()
        found: list[dict[str, Any]] = body["requests"] if isinstance(body, dict) else body
        return found


@contextmanager
def start_sandbox(state: Path, *arguments: str, python: str = sys.executable) -> Iterator[Sandbox]:
    """Start the program on a free port and end it afterwards; ``python`` is one that has the program's packages."""
    command = [python, "-m", "qbo_sandbox", "serve", "--port", "0", "--state", str(state), *arguments]
    log = (state / "stderr.log").open("wb")
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True, env={**os.environ})
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        if "listening on" not in line:
            process.wait(timeout=10)
            raise RuntimeError(f"the sandbox did not start: {line!r} {(state / 'stderr.log').read_text()}")
        url = line.split()[-1]
        # The server closes a connection after five idle seconds; a request sent at that moment would be lost.
        with httpx.Client(base_url=url, timeout=120, limits=httpx.Limits(keepalive_expiry=2)) as control:
            yield Sandbox(url=url, control=control)
    finally:
        process.terminate()
        process.wait(timeout=20)
        process.stdout.close()
        log.close()
