"""The state of one running sandbox, shared by its HTTP interfaces.

Belongs here: what exists once per program. Does not: what the interfaces do with it (``data_api.py``, ``oauth_api.py``,
``control_api.py``).
"""

import json
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from qbo_sandbox.bank import Bank
from qbo_sandbox.clock import VirtualClock
from qbo_sandbox.fault_plan import FaultPlan
from qbo_sandbox.oauth import Authorisations
from qbo_sandbox.realms import Realms
from qbo_sandbox.request_ids import RequestIds
from qbo_sandbox.settings import AppSettings
from qbo_sandbox.spec import CompanySpec
from qbo_sandbox.store import open_store, read_setting, write_setting
from qbo_sandbox.traffic import Meter, RequestLog, Throttle
from qbo_sandbox.webhooks import Webhooks


@dataclass(frozen=True, slots=True, kw_only=True)
class AppCredentials:
    """The one app that this sandbox knows."""

    client_id: str = "sandbox-client"
    client_secret: str = "sandbox-secret"  # noqa: S105 - the documented secret of a local program


@dataclass(slots=True, kw_only=True)
class Sandbox:
    """Everything that one sandbox program holds."""

    credentials: AppCredentials
    store: sqlite3.Connection
    clock: VirtualClock
    settings: AppSettings
    realms: Realms
    authorisations: Authorisations
    faults: FaultPlan = field(default_factory=FaultPlan)
    log: RequestLog = field(default_factory=RequestLog)
    throttle: Throttle = field(default_factory=Throttle)
    request_ids: RequestIds = field(default_factory=RequestIds)
    bank: Bank = field(default_factory=Bank)
    meter: Meter
    webhooks: Webhooks

    def configure(self, settings: AppSettings) -> None:
        """Change how the app's side of the sandbox behaves."""
        self.settings = settings
        write_setting(self.store, "app", settings.model_dump_json())

    def keep_clock(self) -> None:
        """Remember how far the clock was moved, so that tokens do not come back to life after a restart."""
        text = json.dumps({"shift_seconds": self.clock.shift_seconds, "is_frozen": self.clock.is_frozen})
        write_setting(self.store, "clock", text)


def open_sandbox(
    *, state: Path | None = None, specs: Iterable[CompanySpec] = (), credentials: AppCredentials | None = None
) -> Sandbox:
    """A sandbox with what its state folder remembers and these companies besides."""
    store = open_store(state)
    clock = VirtualClock()
    kept = read_setting(store, "clock")
    if kept is not None:
        moved = json.loads(kept)
        clock.advance(timedelta(seconds=moved["shift_seconds"]))
        if moved["is_frozen"]:
            clock.freeze()
    stored = read_setting(store, "app")
    realms = Realms(store=store)
    for spec in specs:
        realms.register(spec)
    sandbox = Sandbox(
        credentials=credentials or AppCredentials(),
        store=store,
        clock=clock,
        settings=AppSettings.model_validate_json(stored) if stored else AppSettings(),
        realms=realms,
        authorisations=Authorisations(store=store, clock=clock),
        meter=Meter(store),
        webhooks=Webhooks(clock=clock),
    )
    realms.watch(lambda realm_id, change: sandbox.webhooks.notice(realm_id, change, settings=sandbox.settings))
    return sandbox
