"""Trials of sending: runs of a batch killed, stopped and doubled while QuickBooks misbehaves.

Belongs here: playing a plan (`trials.py`). Does not: plans, judging.
"""

from collections import Counter
from typing import Any

from payments.sending.runs import SETTLED
from payments.store.batch_tables import INTENT
from tests.payments.judging import judge_batches
from tests.payments.office import Office
from tests.payments.scene import Scene
from tests.payments.trials import STOP, Death, Trial

#: Runs in which a death is waited for: a point may lie behind a look that is not due yet.
_RUNS_TO_DIE = 3
#: In a storm of 429 each run asks at least once.
_RUNS_OF_A_STORM = 60


def play(scene: Scene, trial: Trial, *, mutant: str = "") -> Counter[str]:
    """One trial, judged; the states its payments ended in. With a mutant the runs are wrong on purpose."""
    office = scene.begin()
    try:
        return _Played(scene, trial, office, mutant=mutant).go()
    finally:
        if trial.closed_books:
            scene.company.close_books(through=None)
        if trial.vendor_goes:
            scene.company.employ_vendor(is_active=True)
        scene.end()


class _Played:
    def __init__(self, scene: Scene, trial: Trial, office: Office, *, mutant: str) -> None:
        self._scene, self._trial, self._office = scene, trial, office
        kinds = [kind for kind, _ in trial.faults]
        self._what: dict[str, Any] = {"timeout": scene.timeout(*kinds), "mutant": mutant}
        self._since = scene.server_time()
        self._paid: dict[str, tuple[int, int]] = {}
        #: Bills that a person changed, and those that were sent while the books were closed.
        self._spoiled: set[str] = set()

    def go(self) -> Counter[str]:
        scene, trial = self._scene, self._trial
        scene.company.settings(
            request_ids=trial.request_ids,
            duplicate_doc_number=trial.duplicate_doc_number,
            overpaying_line=trial.overpaying_line,
        )
        bills = self._office.enter(*(f"{whole / 100:.2f}" for whole, _ in trial.bills))
        self._paid = dict(zip(bills, trial.bills, strict=True))
        batch = self._office.batch(*bills, amounts={bill: cents for bill, (_, cents) in self._paid.items()})
        if trial.closed_books:
            scene.company.close_books(through="2026-12-31")
        for kind, skip in trial.faults:
            scene.misbehave(kind, skip=skip, slow_seconds=trial.slow_seconds)
        if trial.paid_by_hand:
            scene.company.pay_by_hand({"Id": bills[0]}, f"{trial.bills[0][1] / 100:.2f}")
            self._spoiled.add(bills[0])
        self._run(batch)
        return self._judge(batch)

    def _run(self, batch: str) -> None:
        scene, what = self._scene, {"batch_id": batch, **self._what}
        if self._trial.doubled:
            both = [scene.zygote.start(**what) for _ in range(2)]
            for pid in both:
                scene.note(scene.zygote.wait(pid))
            scene.pass_time(batch)
        if self._trial.throttled:
            self._pass_storm(batch)
        if self._trial.vendor_goes:
            self._lose_vendor(batch)
        stopped: list[int] = []
        for number, death in enumerate(self._trial.deaths):
            if scene.state(batch) in SETTLED:
                break
            stopped += self._brought(number, death, batch)
        if stopped:
            # The world goes on without them before they do.
            scene.note(scene.zygote.run(**what))
            scene.pass_time(batch)
            scene.note(scene.zygote.run(**what))
        for pid in stopped:
            scene.zygote.go_on(pid)
            scene.note(scene.zygote.wait(pid))
        scene.settle(batch, **self._what)

    def _pass_storm(self, batch: str) -> None:
        """Runs until QuickBooks has refused so many requests; those that it answers with nothing else end no payment."""
        scene, trial, runs = self._scene, self._trial, 0
        scene.throttle(times=trial.throttled)
        before = during = self._ended(batch)
        while scene.is_throttled() and runs < _RUNS_OF_A_STORM:
            during = self._ended(batch)
            scene.note(scene.zygote.run(batch_id=batch, **self._what))
            scene.pass_time(batch)
            runs += 1
        scene.counts.more["storms of 429"] += 1
        scene.counts.more["runs in storms of 429"] += runs
        if scene.is_throttled():
            scene.counts.wrong.append(f"seed {trial.seed}: {runs} runs have not asked {trial.throttled} times")
        if during != before:
            scene.counts.wrong.append(f"seed {trial.seed}: 429 ended payments: {before} became {during}")

    def _ended(self, batch: str) -> dict[str, str]:
        rows = self._office.rows(INTENT, INTENT.c.batch_id == batch)
        return {
            row["bill_set"]: row["state"] for row in rows if row["state"] in ("paid", "refused", "void", "needs_review")
        }

    def _lose_vendor(self, batch: str) -> None:
        """A run goes on after the vendor was made inactive between its look and its first byte."""
        scene, death = self._scene, ("send.before", 1, STOP)
        pid = scene.zygote.start(batch_id=batch, **self._what, deaths=[death])
        ended = scene.zygote.wait(pid)
        scene.note(ended, death=death)
        scene.company.employ_vendor(is_active=False)
        scene.counts.more["vendors made inactive"] += 1
        scene.zygote.go_on(pid)
        scene.note(scene.zygote.wait(pid))

    def _brought(self, number: int, death: Death, batch: str) -> list[int]:
        """A death, after what brings it about."""
        scene, trial = self._scene, self._trial
        brings = trial.brought[number : number + 1]
        if brings and brings[0]:
            scene.misbehave(brings[0])
        if trial.closes_for == number:
            scene.company.close_books(through="2026-12-31")
        before = self._attempts(batch)
        stopped = self._die(death, batch)
        if trial.closes_for == number:
            scene.company.close_books(through=None)
            self._spoiled |= {bill for bill, attempts in self._attempts(batch).items() if attempts > before[bill]}
        return stopped

    def _attempts(self, batch: str) -> dict[str, int]:
        return {row["bill_set"]: row["attempts"] for row in self._office.rows(INTENT, INTENT.c.batch_id == batch)}

    def _die(self, death: Death, batch: str) -> list[int]:
        """Runs until one meets its death, or none does; one that stands still and keeps nobody from going on."""
        scene = self._scene
        for _ in range(_RUNS_TO_DIE):
            pid = scene.zygote.start(batch_id=batch, **self._what, deaths=[death])
            ended = scene.zygote.wait(pid)
            scene.note(ended, death=death)
            scene.pass_time(batch)
            if ended == "stopped" and death[0].endswith(".in"):
                # It stands inside a transaction, and SQLite has one writer: nobody goes on before it does.
                scene.zygote.go_on(pid)
                scene.note(scene.zygote.wait(pid))
                return []
            if ended == "stopped":
                return [pid]
            if ended.startswith("killed") or scene.state(batch) in SETTLED:
                return []
        return []

    def _judge(self, batch: str) -> Counter[str]:
        scene, trial = self._scene, self._trial
        found = judge_batches(
            scene,
            batch,
            trial=f"seed {trial.seed}",
            takes_twice=lambda bill: trial.takes_twice(*self._paid[bill]),
            since=self._since,
            business_fault=lambda bill: trial.closed_books or trial.vendor_goes or bill in self._spoiled,
        )
        if trial.vendor_goes and set(found) != {"refused"}:
            scene.counts.wrong.append(f"seed {trial.seed}: its vendor was inactive, and the payments are {dict(found)}")
        if trial.paid_by_hand:
            for row in self._office.rows(INTENT, INTENT.c.batch_id == batch):
                if scene.company.records(row["doc_number"]):
                    scene.counts.wrong.append(f"seed {trial.seed}: paid though its bill was changed")
        return found
