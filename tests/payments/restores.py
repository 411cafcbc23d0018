"""Trials in which the ledger is put back from a backup while its payments are in QuickBooks, or on the way there.

Belongs here: plans, playing them, what a forgotten payment has to lead to. Does not: what every trial is judged by (`judging.py`).

Whatever the ledger has forgotten: no bill is paid twice, and a payment that nothing in the ledger tells of is raised.
"""

import shutil
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

from payments.bills.decisions import Decided
from payments.errors import Refused
from payments.sending.batches import finalize, ready_to_finalize
from payments.store.batch_tables import BATCH, INTENT
from payments.store.tables import ALARM
from tests.payments.judging import judge_batches
from tests.payments.office import Office
from tests.payments.scene import Scene
from tests.payments.trials import KILL, STOP, Death, Trial

#: When the backup is made that is put back later.
MOMENTS = (
    "before the approval",
    "before the decision",
    "before the seal",
    "before the run",
    "in the middle of the run",
)
_DEATHS = ("look.after", "intent.after", "send.after_bytes", "answer.before_record", "confirm.after")


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreTrial:
    """When the backup is made, what happens until it is put back, what is known then."""

    seed: int
    moment: str
    trial: Trial
    #: The machine is another one, which never saw the ledger.
    is_other_machine: bool
    #: A sync comes before anybody decides again.
    is_synced: bool
    #: What is decided the second time is not what was decided the first time.
    is_other_amount: bool


def drawn_restore(seed: int) -> RestoreTrial:
    """The trial of a seed."""
    dice = Random(seed)  # noqa: S311 - a reproducible plan
    wholes = [dice.randrange(6_000, 60_000) for _ in range(dice.choice((1, 2)))]
    deaths: tuple[Death, ...] = ()
    if dice.random() < 0.5:
        point = dice.choice(_DEATHS)
        deaths = ((point, 1, STOP if dice.random() < 0.4 else KILL),)
    return RestoreTrial(
        seed=seed,
        moment=MOMENTS[seed % len(MOMENTS)],
        trial=Trial(
            seed=seed,
            request_ids=dice.choice(("ignored", "ignored", "honoured", "answers_6000")),
            duplicate_doc_number=dice.choice(("accept", "accept", "refuse")),
            bills=tuple((whole, dice.choice((whole, whole // 3))) for whole in wholes),
            faults=((dice.choice(("drop_after", "http_503_after", "drop_before")), 0),) if dice.random() < 0.4 else (),
            deaths=deaths,
        ),
        is_other_machine=dice.random() < 0.4,
        is_synced=dice.random() < 0.5,
        is_other_amount=dice.random() < 0.3,
    )


def play_restore(scene: Scene, seed: int) -> None:
    """The trial of a seed, judged."""
    _Restore(scene, drawn_restore(seed)).go()


class _Restore:
    def __init__(self, scene: Scene, plan: RestoreTrial) -> None:
        self._scene, self._plan = scene, plan
        self._since = scene.server_time()
        self._office: Office = scene.begin()
        self._paid: dict[str, tuple[int, int]] = {}
        self._stopped: list[int] = []

    def go(self) -> None:
        scene, plan = self._scene, self._plan
        trial = plan.trial
        scene.company.settings(request_ids=trial.request_ids, duplicate_doc_number=trial.duplicate_doc_number)
        bills = self._office.enter(*(f"{whole / 100:.2f}" for whole, _ in trial.bills))
        self._paid = dict(zip(bills, trial.bills, strict=True))
        for kind, skip in trial.faults:
            scene.misbehave(kind, skip=skip)
        self._live_on()
        made = {row["doc_number"] for row in self._office.rows(INTENT)}
        scene.put_back("backup")
        if plan.is_other_machine:
            shutil.rmtree(scene.opened.settings.machine_root, ignore_errors=True)
        again = self._decide_again()
        for pid in self._stopped:
            scene.zygote.go_on(pid)
            scene.note(scene.zygote.wait(pid))
        for batch in again:
            scene.settle(batch)
        self._judge(again, made)
        scene.counts.more["restores"] += 1
        scene.end()

    def _live_on(self) -> None:
        """Everything up to the payments, with the backup at its moment."""
        office = self._office
        self._backup_at("before the approval")
        for bill in self._paid:
            office.approve(bill)
            office.stage(bill, account_id=office.company.bank)
        self._backup_at("before the decision")
        decided = [self._decide(bill, cents) for bill, (_, cents) in self._paid.items()]
        self._backup_at("before the seal")
        batch = office.finalize(*decided).batch_id
        self._backup_at("before the run")
        self._run(batch)

    def _backup_at(self, moment: str) -> None:
        if self._plan.moment == moment:
            self._scene.copy("backup")

    def _decide(self, bill: str, cents: int) -> Decided:
        return self._office.pay_now(bill, account_id=self._office.company.bank, amount_cents=cents)

    def _run(self, batch: str) -> None:
        scene, deaths = self._scene, self._plan.trial.deaths
        pid = scene.zygote.start(batch_id=batch, deaths=deaths)
        ended = scene.zygote.wait(pid)
        scene.note(ended, death=deaths[0] if deaths else None)
        self._backup_at("in the middle of the run")
        if ended == "stopped":
            self._stopped.append(pid)
        scene.pass_time(batch)
        scene.note(scene.zygote.run(batch_id=batch))
        scene.settle(batch)

    def _decide_again(self) -> list[str]:
        """What people do with a ledger that has forgotten: the batches that are there, or new ones for the same bills."""
        office, plan = self._office, self._plan
        office.later(seconds=30)
        batches = [row["batch_id"] for row in office.rows(BATCH)]
        if not batches:
            if plan.is_synced:
                office.sync_books(*self._paid)
            batches = self._same_again()
        for batch in batches:
            self._scene.note(self._scene.zygote.run(batch_id=batch))
        return batches

    def _same_again(self) -> list[str]:
        office, plan = self._office, self._plan
        for bill, (_, cents) in self._paid.items():
            try:
                state = office.bill(bill)["state"]
                if state == "awaiting_approval":
                    office.approve(bill)
                if state in ("awaiting_approval", "approved"):
                    office.stage(bill, account_id=office.company.bank)
                if state != "decided":
                    self._decide(bill, cents - 500 if plan.is_other_amount else cents)
            except Refused:
                self._scene.counts.more["bills that were not decided again"] += 1
        with office.ledger.look(office.tenant) as look:
            waiting = [item.decision["decision_id"] for item in ready_to_finalize(look)]
        if not waiting:
            return []
        wanted = {"by": "fin", "decision_ids": waiting, "request_key": "once more"}
        return [finalize(office.ledger, office.tenant, **wanted).batch_id]

    def _judge(self, batches: list[str], made: set[str]) -> None:
        scene, office, trial = self._scene, self._office, self._plan.trial
        what = f"restore {self._plan.seed}"
        known = {row["doc_number"] for row in office.rows(INTENT)}
        judge_batches(
            scene,
            *batches,
            trial=what,
            takes_twice=lambda bill: trial.takes_twice(*self._paid[bill]),
            since=self._since,
            business_fault=lambda _: self._plan.is_other_amount,
            forgotten=made - known,
        )
        alarms = office.rows(ALARM)
        by_bill: Counter[str] = Counter()
        for record in scene.company.payments():
            by_bill[_bill_of(record)] += 1
            is_raised = any(one["subject"] == f"record {record['Id']}" for one in alarms)
            if record["DocNumber"] not in known and not is_raised:
                scene.counts.wrong.append(f"{what}: record {record['Id']} is forgotten and nobody is told")
        for bill, records in by_bill.items():
            # Nothing that is drawn here arrives twice, or late before the first byte: a net is always left.
            if records > 1:
                scene.counts.wrong.append(f"{what}: bill {bill} is paid {records} times")


def _bill_of(record: Mapping[str, Any]) -> str:
    return str(record["Line"][0]["LinkedTxn"][0]["TxnId"])
