"""The fault campaign of payments: runs killed and stopped at every point, a QuickBooks that misbehaves, judged by its own books.

    python -m tests.payments.campaign --seconds 60 --seed 7

Each trial is a fresh ledger with a few finalized payments on one company; a seed decides everything about it. Its end is
judged by what the company's books hold, not by our log: at most one record for each payment, paid exactly if there is one. Where no
net is left (derived from what QuickBooks does in that trial, not listed) a double must be raised. The last line is one JSON object.
"""

import argparse
import json
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from payments.batch_tables import BATCH, INTENT, INTENT_BILL
from payments.cash_tables import HOLD
from payments.invariants import broken_invariants
from payments.points import SEND_POINTS
from payments.runs import SETTLED
from tests.conftest import FRIDAY_MORNING
from tests.payments.office import Company, Office, SharedClock, furnish, open_installation
from tests.payments.trials import Trial
from tests.payments.zygote import FENCED, Zygote, start_zygote
from tests.sandbox import start_sandbox

REQUEST_IDS = ("honoured", "forgotten", "ignored", "answers_600", "answers_6000")
POST_FAULTS = (
    "http_500",
    "http_503",
    "throttle_storm",
    "drop_before",
    "html_body",
    "unauthorized",
    "http_500_after",
    "http_503_after",
    "drop_after",
    "truncated_json",
    "double_delivery",
    "slow_then_commit",
)
#: A slow answer comes after the client has given up.
_CLIENT_WAITS = 0.5
#: Runs after which a batch has to be settled once the faults have ended.
_MOST_RUNS = 12
#: Runs in which a death is waited for: a point may lie behind a look that is not due yet.
_RUNS_TO_DIE = 3
_POINTS = tuple(SEND_POINTS)
#: Points that only a payment whose answer was lost, refused or not processed passes, and what brings that about.
_NEEDS = {
    "unknown.in": "drop_after",
    "unknown.after": "drop_before",
    "backoff.in": "unauthorized",
    "adopt.in": "drop_after",
}


@dataclass(slots=True)
class Counts:
    """What a campaign did and found."""

    trials: int = 0
    payments: int = 0
    ends: Counter[str] = field(default_factory=Counter)
    states: Counter[str] = field(default_factory=Counter)
    deaths: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    no_net: int = 0
    doubles_raised: int = 0
    #: What must not be: with the trial's seed.
    wrong: list[str] = field(default_factory=list)

    def summary(self) -> dict[str, Any]:
        """As one JSON object."""
        names = ("trials", "payments", "no_net", "doubles_raised", "wrong")
        counters = ("ends", "states", "deaths", "faults")
        found = {name: getattr(self, name) for name in names}
        return found | {name: dict(sorted(getattr(self, name).items())) for name in counters}


def drawn(seed: int) -> Trial:
    """The trial of a seed."""
    dice = Random(seed)  # noqa: S311 - a reproducible plan
    bills = []
    for _ in range(dice.choice((1, 1, 2, 3))):
        whole = dice.randrange(2_000, 90_000)
        bills.append((whole, dice.choice((whole, whole, whole // 3))))
    faults = [(dice.choice(POST_FAULTS), dice.randrange(2)) for _ in range(dice.choice((0, 0, 1, 1, 2)))]
    deaths = [_death(dice) for _ in range(dice.choice((0, 1, 1, 2, 3)))]
    return Trial(
        seed=seed,
        request_ids=dice.choice(REQUEST_IDS),
        duplicate_doc_number=dice.choice(("accept", "accept", "refuse")),
        overpaying_line=dice.choice(("refuse", "refuse", "cap")),
        bills=tuple(bills),
        faults=tuple(faults),
        deaths=tuple(deaths),
        doubled=dice.random() < 0.15,
        closed_books=dice.random() < 0.1,
    )


def _death(dice: Random) -> tuple[str, int, str]:
    point = dice.choice(_POINTS)
    return point, dice.choice((1, 1, 2, 3)), "stop" if dice.random() < 0.3 else "kill"


def walked(number: int) -> Trial:
    """The trials that reach each point once, by number: killed, then stopped."""
    point = _POINTS[number % len(_POINTS)]
    action = ("kill", "stop")[number // len(_POINTS) % 2]
    needs = _NEEDS.get(point)
    faults = ((needs, 0),) if needs else ()
    deaths: tuple[tuple[str, int, str], ...] = ((point, 1, action),)
    closed = point == "refuse.in"
    return Trial(seed=-number - 1, bills=((10_000, 10_000),), faults=faults, deaths=deaths, closed_books=closed)


class Campaign:
    """A company, a furnished ledger to copy, and the parent of the runs."""

    def __init__(self, company: Company, furnished: Path, zygote: Zygote, folder: Path) -> None:
        self._company = company
        self._furnished = furnished
        self._zygote = zygote
        self._folder = folder
        self._waited: set[int] = set()
        self.counts = Counts()

    def play(self, trial: Trial, *, mutant: str = "") -> Counter[str]:
        """One trial, judged; the states its payments ended in. With a mutant the runs are wrong on purpose."""
        data = self._folder / f"trial {trial.seed}"
        shutil.copytree(self._furnished, data)
        clock = SharedClock(data / "clock", FRIDAY_MORNING)
        opened = open_installation(data, self._company.sandbox.url, clock=clock)
        self._company.settings(
            request_ids=trial.request_ids,
            duplicate_doc_number=trial.duplicate_doc_number,
            overpaying_line=trial.overpaying_line,
        )
        try:
            office = Office(opened, self._company, register=False)
            bills = office.enter(*(f"{whole / 100:.2f}" for whole, _ in trial.bills))
            paid = {bill: cents for bill, (_, cents) in zip(bills, trial.bills, strict=True)}
            batch = office.batch(*bills, amounts=paid)
            if trial.closed_books:
                self._company.close_books(through="2026-12-31")
            self._misbehave(trial)
            if trial.paid_by_hand:
                self._company.pay_by_hand({"Id": bills[0]}, f"{trial.bills[0][1] / 100:.2f}")
            self._run(trial, office, data, batch, mutant=mutant)
            return self._judge(trial, office, batch)
        finally:
            self._company.sandbox.heal(self._company.realm_id)
            if trial.closed_books:
                self._company.close_books(through=None)
            opened.close()
            shutil.rmtree(data)

    def _misbehave(self, trial: Trial) -> None:
        for kind, skip in trial.faults:
            planned: dict[str, Any] = {"kind": kind, "skip": skip, "times": 1, "methods": ["POST"]}
            if kind == "slow_then_commit":
                planned["seconds"] = trial.slow_seconds
            self._company.sandbox.break_with(self._company.realm_id, path_contains="billpayment", **planned)
            self.counts.faults[kind] += 1

    def _run(self, trial: Trial, office: Office, data: Path, batch: str, *, mutant: str) -> None:
        what: dict[str, Any] = {
            "folder": data,
            "url": self._company.sandbox.url,
            "batch_id": batch,
            "timeout": _CLIENT_WAITS,
        }
        what["mutant"] = mutant
        if trial.doubled:
            both = [self._zygote.start(**what) for _ in range(2)]
            for pid in both:
                self._note(self._zygote.wait(pid), death=None)
            self._pass_time(office, batch)
        stopped: list[int] = []
        for death in trial.deaths:
            stopped += self._die(death, office, batch, what=what)
        if stopped:
            # The world goes on without them before they do.
            self._note(self._zygote.run(**what), death=None)
            self._pass_time(office, batch)
            self._note(self._zygote.run(**what), death=None)
        for pid in stopped:
            self._zygote.go_on(pid)
            self._note(self._zygote.wait(pid), death=None)
        for _ in range(_MOST_RUNS):
            if self._state(office, batch) in SETTLED:
                return
            self._pass_time(office, batch)
            self._note(self._zygote.run(**what), death=None)

    def _die(self, death: tuple[str, int, str], office: Office, batch: str, *, what: dict[str, Any]) -> list[int]:
        """Runs until one meets its death, or none does; one that stands still and keeps nobody from going on."""
        for _ in range(_RUNS_TO_DIE):
            pid = self._zygote.start(**what, deaths=[death])
            ended = self._zygote.wait(pid)
            self._note(ended, death=death)
            self._pass_time(office, batch)
            if ended == "stopped" and death[0].endswith(".in"):
                # It stands inside a transaction, and SQLite has one writer: nobody goes on before it does.
                self._zygote.go_on(pid)
                self._note(self._zygote.wait(pid), death=None)
                return []
            if ended == "stopped":
                return [pid]
            if ended.startswith("killed") or self._state(office, batch) in SETTLED:
                return []
        return []

    def _note(self, ended: str, *, death: tuple[str, int, str] | None) -> None:
        self.counts.ends[ended] += 1
        if death is not None and ended in ("killed 9", "stopped"):
            self.counts.deaths[f"{death[0]} {death[2]}"] += 1
        if ended not in ("exited 0", f"exited {FENCED}", "killed 9", "stopped"):
            self.counts.wrong.append(f"a run {ended}")

    def _pass_time(self, office: Office, batch: str) -> None:
        """Go to when the batch is due; what QuickBooks does late is done by then, as the settling time promises."""
        self._wait_for_the_late()
        row = office.rows(BATCH, BATCH.c.batch_id == batch)[0]
        due = row["not_before"] or row["lease_until"] or office.clock.now()
        office.clock.move_to(max(due, office.clock.now()))
        office.later(seconds=1)

    def _wait_for_the_late(self) -> None:
        """Let QuickBooks finish a request whose sender has given up; in real time, once for each."""
        path = f"/__sandbox__/realms/{self._company.realm_id}/faults"
        slow = [one for one in self._company.sandbox.control.get(path).json() if one["kind"] == "slow_then_commit"]
        for fault in slow:
            if fault["hits"] and fault["id"] not in self._waited:
                self._waited.add(fault["id"])
                time.sleep(fault["seconds"])

    def _state(self, office: Office, batch: str) -> str:
        return str(office.rows(BATCH, BATCH.c.batch_id == batch)[0]["state"])

    def _judge(self, trial: Trial, office: Office, batch: str) -> Counter[str]:
        self._wait_for_the_late()
        self._company.sandbox.heal(self._company.realm_id)
        office.reconcile()
        rows = office.rows(INTENT, INTENT.c.batch_id == batch)
        doubled = 0
        for row in rows:
            records = self._company.records(row["doc_number"])
            doubled += len(records) > 1
            if trial.paid_by_hand and records:
                self.counts.wrong.append(f"seed {trial.seed}: paid though its bill was changed")
            for problem in _wrong(row["state"], len(records), has_no_net=trial.has_no_net):
                self.counts.wrong.append(f"seed {trial.seed}: {problem}")
            if len(records) == 1 and round(records[0]["TotalAmt"] * 100) != row["amount_cents"]:
                self.counts.wrong.append(f"seed {trial.seed}: recorded with another amount")
        self._judge_ledger(trial, office, batch, doubled=doubled)
        states = Counter(row["state"] for row in rows)
        self.counts.trials += 1
        self.counts.payments += len(rows)
        self.counts.states += states
        self.counts.no_net += trial.has_no_net
        return states

    def _judge_ledger(self, trial: Trial, office: Office, batch: str, *, doubled: int) -> None:
        if self._state(office, batch) not in SETTLED:
            self.counts.wrong.append(f"seed {trial.seed}: the batch does not settle")
        paid = {row["intent_id"] for row in office.rows(INTENT, INTENT.c.state == "paid")}
        lines = office.rows(INTENT_BILL, INTENT_BILL.c.intent_id.in_(paid))
        holds = office.rows(HOLD, HOLD.c.hold_id.in_({line["hold_id"] for line in lines}))
        kept = [one["state"] for one in holds if one["state"] != "posted"]
        self.counts.wrong += [f"seed {trial.seed}: paid, and its money is {state}" for state in kept]
        raised = sum(alarm == "paid twice" for alarm in office.alarms())
        self.counts.doubles_raised += raised
        if raised < doubled:
            self.counts.wrong.append(f"seed {trial.seed}: {doubled} doubles, {raised} raised")
        with office.ledger.look(office.tenant) as look:
            found = broken_invariants(look)
        self.counts.wrong += [f"seed {trial.seed}: {one}" for one in found]


def _wrong(state: str, records: int, *, has_no_net: bool) -> Iterator[str]:
    if records > 1 and not has_no_net:
        yield f"DOUBLE PAYMENT: {records} records of one payment ({state})"
    if state == "paid" and records == 0:
        yield "paid, and the books have nothing"
    if state in ("refused", "void") and records:
        yield f"{state}, and the books have it"
    if state not in ("paid", "refused", "void", "needs_review"):
        yield f"left {state}"


@contextmanager
def open_campaign(folder: Path, *, realm_id: str = "9130777000000003") -> Iterator[Campaign]:
    """A QuickBooks, a zygote and a furnished ledger of their own."""
    with start_sandbox(folder) as sandbox, start_zygote() as zygote:
        company = Company(sandbox, realm_id=realm_id)
        furnish(folder / "furnished", company)
        yield Campaign(company, folder / "furnished", zygote, folder)


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main() -> int:
    """Trials until the time is over: those that walk every point first, then drawn ones from the seed on."""
    parser = argparse.ArgumentParser(description="The fault campaign of payments.")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--walk", action=argparse.BooleanOptionalAction, default=True)
    asked = parser.parse_args()
    _say(f"seed {asked.seed}, {asked.seconds:.0f} seconds; go on with the printed `next_seed`")
    started = time.monotonic()
    seed = asked.seed
    with tempfile.TemporaryDirectory() as folder, open_campaign(Path(folder)) as campaign:
        for number in range(2 * len(_POINTS) if asked.walk else 0):
            if time.monotonic() - started < asked.seconds:
                campaign.play(walked(number))
        while time.monotonic() - started < asked.seconds:
            known = len(campaign.counts.wrong)
            trial = drawn(seed)
            campaign.play(trial)
            for problem in campaign.counts.wrong[known:]:
                _say(f"{problem}\n  {trial}")
            seed += 1
    summary = campaign.counts.summary() | {"seconds": round(time.monotonic() - started, 1), "next_seed": seed}
    _say(json.dumps(summary))
    return 1 if campaign.counts.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
