"""Where the trials of the fault campaign take place: one company, one ledger that is put back for each trial, processes that die.

Belongs here: putting the ledger back, starting runs, letting time pass, what was counted. Does not: plans of trials, judging.
"""

import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from migrations.chain import upgrade
from payments.errors import Fenced
from payments.sending.runs import SETTLED
from payments.store.batch_tables import ATTEMPT, BATCH, INTENT
from payments.store.tables import AUDIT
from resources.failpoints import Interrupted, arm, disarm, interrupt, reached
from resources.qbo.bill_payments import PaymentClient
from tests.conftest import FRIDAY_MORNING
from tests.payments.ledger_copies import FileCopies, LedgerCopies, ServerCopies
from tests.payments.office import POLICY, Company, Office, SharedClock, drive_batch, memory_of, open_installation
from tests.payments.zygote import FENCED, FULL, HASTY, LOCKED, PATIENT, Zygote, start_zygote
from tests.postgres import Postgres
from tests.sandbox import Sandbox, start_sandbox

#: So many trials long a company is used: QuickBooks' lists of it grow with each.
_TRIALS_A_COMPANY = 120
#: Runs after which a batch has to be settled once the faults have ended.
MOST_RUNS = 14
#: The folder of the installation, within that of the scene.
DATA = "data"
_MIGRATED = "migrated"
_FIRST_REALM = 9130777000000100


@dataclass(slots=True)
class Counts:
    """What trials did and found."""

    trials: int = 0
    payments: int = 0
    decisions: int = 0
    ends: Counter[str] = field(default_factory=Counter)
    states: Counter[str] = field(default_factory=Counter)
    deaths: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    #: Payments that no net was left for, how many of those were recorded twice, and of these how many a run raised by itself.
    no_net: int = 0
    doubled: int = 0
    doubles_raised: int = 0
    doubles_raised_by_a_run: int = 0
    #: Payments that met no business fault, and those of them that a person has to look at though they are not doubled.
    without_business_fault: int = 0
    reviews: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    #: Of the kinds of trials: what they count by themselves.
    more: Counter[str] = field(default_factory=Counter)
    #: What must not be: with the trial's seed.
    wrong: list[str] = field(default_factory=list)

    def summary(self) -> dict[str, Any]:
        """As one JSON object."""
        found = {name: getattr(self, name) for name in self.__slots__}
        return {
            name: dict(sorted(value.items())) if isinstance(value, Counter) else value for name, value in found.items()
        }

    def add(self, other: Mapping[str, Any]) -> None:
        """Add what a summary says."""
        for name, value in other.items():
            mine = getattr(self, name)
            if isinstance(mine, Counter):
                mine.update(value)
            else:
                setattr(self, name, mine + value)


class Scene:
    """A company, a ledger, and the parent of the runs."""

    def __init__(self, sandbox: Sandbox, folder: Path, *, server: Postgres | None = None, migrated: str = "") -> None:
        self.sandbox = sandbox
        self.folder = folder / DATA
        self.folder.mkdir(exist_ok=True)
        self.journal = self.folder / "answered"
        self.clock = SharedClock(self.folder / "clock", FRIDAY_MORNING)
        self._copies: LedgerCopies = (
            FileCopies(self.folder / "runway.sqlite", folder) if server is None else ServerCopies(server)
        )
        self.opened = open_installation(self.folder, sandbox.url, clock=self.clock, database_url=self._copies.url)
        self.counts = Counts()
        if migrated:
            self._copies.take(_MIGRATED, migrated)
        else:
            upgrade(self.opened.database)
            self.copy(_MIGRATED)
        self._clients = {
            seconds: PaymentClient(url=sandbox.url, timeout_seconds=seconds) for seconds in (PATIENT, HASTY)
        }
        self.opened.__dict__["payment_client"] = self._clients[PATIENT]
        self._number = 0
        #: Companies with planned faults that are not counted yet.
        self._planned: set[str] = set()
        #: By payment of the trial: how often a run stood still before the first byte and went on later.
        self.late_sends: Counter[str] = Counter()
        #: Payments of the trial whose run died when they were recorded and nothing had looked for a second record.
        self.unchecked: set[str] = set()
        self._waited: set[int] = set()
        #: Whether QuickBooks was told to be late since it was last told to behave.
        self._is_slow = False
        self.company, self.office = self._new_company()
        self.zygote: Zygote

    @property
    def database_url(self) -> str:
        """Where the ledger is; empty for the file in the data folder."""
        return self._copies.url

    @property
    def migrated(self) -> Path:
        """An empty ledger at the newest schema, as a file."""
        return self.folder.parent / f"{_MIGRATED}.sqlite"

    def begin(self) -> Office:
        """A furnished ledger on a Friday morning, known to the machine, on a QuickBooks that behaves."""
        self._number += 1
        if self._number % _TRIALS_A_COMPANY == 0:
            self.sandbox.control.delete(f"/__sandbox__/companies/{self.company.realm_id}").raise_for_status()
            self.company, self.office = self._new_company()
        self.put_back("furnished")
        self.company.leave_behind()
        self.sandbox.control.delete("/__sandbox__/requests").raise_for_status()
        self.late_sends.clear()
        self.unchecked.clear()
        self.journal.unlink(missing_ok=True)
        self.clock.move_to(FRIDAY_MORNING)
        memory_of(self.opened).note_ledger(self.office.ledger, self.office.tenant)
        self.company.settings(request_ids="honoured", duplicate_doc_number="accept", overpaying_line="refuse")
        return self.office

    def end(self) -> None:
        """Let QuickBooks behave again. What it did is counted here, not what it was told to do: much is never asked for."""
        realm = self.company.realm_id
        if realm in self._planned:
            self._planned.remove(realm)
            for fault in self._faults():
                self.counts.faults[fault["kind"]] += fault["hits"]
        self.sandbox.heal(realm)
        self._is_slow = False

    def sends(self) -> list[dict[str, Any]]:
        """What QuickBooks was sent of payments in this trial, by its own log."""
        asked = self.sandbox.requests(self.company.realm_id)
        return [one for one in asked if one["method"] == "POST" and one["path"].endswith("/billpayment")]

    def copy(self, name: str) -> None:
        """A backup of the ledger as it is."""
        self.opened.database.close()
        self._copies.copy(name)

    def put_back(self, name: str) -> None:
        """Make a copy the ledger, as a person does who restores a backup."""
        self.opened.database.close()
        self._copies.put_back(name)

    def misbehave(
        self,
        kind: str,
        *,
        skip: int = 0,
        slow_seconds: float = 0.6,
        path: str = "billpayment",
        method: str = "POST",
        company: Company | None = None,
        **more: Any,
    ) -> None:
        """Let QuickBooks do something to one of the next payments; with another path, the bank to what it is asked there.

        Of the scene's own company unless another is given.
        """
        realm = (company or self.company).realm_id
        planned: dict[str, Any] = {"kind": kind, "skip": skip, "times": 1, "methods": [method], **more}
        if kind == "slow_then_commit":
            planned["seconds"] = slow_seconds
            self._is_slow = True
        self.sandbox.break_with(realm, path_contains=path, **planned)
        self._planned.add(realm)

    def throttle(self, *, times: int) -> None:
        """Let QuickBooks answer so many requests with 429, reads as well."""
        self.sandbox.break_with(self.company.realm_id, kind="throttle_storm", times=times)
        self._planned.add(self.company.realm_id)

    def is_throttled(self) -> bool:
        """Whether it still does."""
        storms = [one for one in self._faults() if one["kind"] == "throttle_storm"]
        return any(one["times"] is not None and one["hits"] < one["times"] for one in storms)

    def timeout(self, *kinds: str) -> float:
        """How long a run waits for an answer: not long if one is slow on purpose."""
        return HASTY if "slow_then_commit" in kinds else PATIENT

    def note(self, ended: str, *, death: tuple[str, int, str] | None = None, office: Office | None = None) -> None:
        """Count how a process ended; one of the scene's own office unless another is given."""
        self.counts.ends[ended] += 1
        if death is not None and ended in ("killed 9", "stopped"):
            self.counts.deaths[f"{death[0]} {death[2]}"] += 1
            self._note_place(death[0], ended, office or self.office)
        if ended not in ("exited 0", f"exited {FENCED}", f"exited {FULL}", f"exited {LOCKED}", "killed 9", "stopped"):
            self.counts.wrong.append(f"a run {ended}")

    def _note_place(self, point: str, ended: str, office: Office) -> None:
        """Which payment a process ended at, where that says what may come of it: it wrote the newest act of the ledger."""
        if (point, ended) not in (("send.before", "stopped"), ("confirm.after", "killed 9")):
            return
        with office.ledger.look(office.tenant) as look:
            (newest,) = look.many(AUDIT, order_by=(AUDIT.c.number.desc(),), limit=1)
        payment = newest["entity"].removeprefix("intent ")
        if ended == "stopped":
            self.late_sends[payment] += 1
        else:
            self.unchecked.add(payment)

    def pass_time(self, batch: str) -> None:
        """Go to when the batch is due; what QuickBooks does late is done by then, as the settling time promises."""
        self.wait_for_the_late()
        row = self.office.rows(BATCH, BATCH.c.batch_id == batch)[0]
        due = row["not_before"] or row["lease_until"] or self.clock.now()
        self.clock.move_to(max(due, self.clock.now()) + timedelta(seconds=1))

    def wait_for_the_late(self) -> None:
        """Let QuickBooks finish a request whose sender has given up; in real time, once for each."""
        if not self._is_slow:
            return
        for fault in (one for one in self._faults() if one["kind"] == "slow_then_commit"):
            if fault["hits"] and fault["id"] not in self._waited:
                self._waited.add(fault["id"])
                time.sleep(fault["seconds"])

    def played(self, kind: str, *, path: str) -> int:
        """How often a fault of a kind was played on a path, of those that still stand."""
        return sum(one["hits"] for one in self._faults() if one["kind"] == kind and one["path_contains"] == path)

    def _faults(self) -> list[dict[str, Any]]:
        """What is planned for the company, with how often it was played."""
        found: list[dict[str, Any]] = self.sandbox.control.get(
            f"/__sandbox__/realms/{self.company.realm_id}/faults"
        ).json()
        return found

    def state(self, batch: str) -> str:
        """Where a batch stands."""
        return str(self.office.rows(BATCH, BATCH.c.batch_id == batch)[0]["state"])

    def settle(self, batch: str, *, is_timed: bool = True, **what: Any) -> None:
        """Runs, each when it is due, until the batch is settled or should be; by the clock it takes no longer than L1 allows."""
        began = self.clock.now()
        for _ in range(MOST_RUNS):
            if self.state(batch) in SETTLED:
                break
            self.pass_time(batch)
            self.note(self.zygote.run(batch_id=batch, **what))
        if is_timed and (took := self.clock.now() - began) > (most := self._longest(batch)):
            self.counts.wrong.append(f"a batch settled {took} after the faults, {most} is the most")

    def _longest(self, batch: str) -> timedelta:
        """Its attempts times the settling time, and the leases of its runs, with the second that each is late."""
        intents = [row["intent_id"] for row in self.office.rows(INTENT, INTENT.c.batch_id == batch)]
        attempts = len(self.office.rows(ATTEMPT, ATTEMPT.c.intent_id.in_(intents)))
        runs = self.office.rows(BATCH, BATCH.c.batch_id == batch)[0]["generation"]
        return attempts * POLICY.settle + runs * (POLICY.lease + timedelta(seconds=1))

    def soft_run(self, batch: str, *, deaths: Mapping[str, int], timeout: float = PATIENT) -> str:
        """A run in this process, ended at a passage of a point by an exception that nobody handles; at which, or nothing."""
        self.opened.__dict__["payment_client"] = self._clients[timeout]
        for point, hit in deaths.items():
            arm(point, hit=hit, action=interrupt)
        try:
            drive_batch(self.opened, batch, holder="soft run")
        except Interrupted:
            died_at = next(point for point, hit in deaths.items() if reached(point) >= hit)
            self.counts.deaths[f"{died_at} soft"] += 1
            self._note_place(died_at, "killed 9", self.office)
            return died_at
        except Fenced:
            self.counts.ends[f"exited {FENCED}"] += 1
        finally:
            disarm()
        return ""

    def server_time(self) -> datetime:
        """What time it is in QuickBooks."""
        return datetime.fromisoformat(self.sandbox.control.get("/__sandbox__/clock").json()["now"])

    def close(self) -> None:
        """Give back what was opened."""
        for client in self._clients.values():
            client.close()
        self.opened.close()

    def _new_company(self) -> tuple[Company, Office]:
        realm = str(_FIRST_REALM + self._number)
        company = Company(self.sandbox, realm_id=realm)
        self.put_back(_MIGRATED)
        self.clock.move_to(FRIDAY_MORNING)
        office = Office(self.opened, company)
        office.policy(separation_above_cents=10_000_000, payee_watch_days=0)
        self.copy("furnished")
        return company, office


@contextmanager
def open_scene(folder: Path, *, server: Postgres | None = None, migrated: str = "") -> Iterator[Scene]:
    """A QuickBooks, a ledger and the parent of its runs, of their own.

    The ledger is on that server, if one is given; `migrated` is a file or database that is at the newest schema already.
    """
    with start_sandbox(folder) as sandbox:
        scene = Scene(sandbox, folder, server=server, migrated=migrated)
        with start_zygote(scene.folder, sandbox.url, database_url=scene.database_url) as zygote:
            scene.zygote = zygote
            _warm(scene)
            try:
                yield scene
            finally:
                scene.close()


def _warm(scene: Scene) -> None:
    """One batch driven in the parent of the runs, with an answer lost and a payment refused."""
    office = scene.begin()
    batch = office.batch(*office.enter("10.00", "20.00"))
    scene.misbehave("drop_after")
    scene.zygote.warm(batch)
    scene.pass_time(batch)
    again = office.batch(*office.enter("30.00"))
    scene.company.close_books(through="2026-12-31")
    scene.zygote.warm(again)
    scene.company.close_books(through=None)
    scene.zygote.warm(batch)
    scene.end()
    scene.counts = Counts()
