"""Trials of batches that a bank pays: runs die on either leg, the bank loses, doubles, delays, refuses and gives money back.

Belongs here: playing a plan (`bank_plans.py`), what the bank's own history is judged by, what people do where money came back.
Does not: plans, what the books are judged by (`judging.py`).

Money that moves twice is the disaster: the bank's history tells, never our log. In the end each bill has one instruction and one
record that stand, or neither where the bank refused.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from payments.rails.opened import Rails
from payments.rails.protocol import RailFailed
from payments.sending.rail_leg import follow_all
from payments.sending.review import end_payment, take_as_paid
from payments.sending.runs import DONE, SETTLED
from payments.store.batch_tables import INTENT
from payments.store.repository import Row
from payments.store.tables import ALARM
from tests.payments.bank_plans import BOOK, RAIL, REFUSAL, BankDeath, BankTrial, drawn_bank
from tests.payments.judging import judge_batches
from tests.payments.office import POLICY
from tests.payments.scene import MOST_RUNS, Scene
from tests.payments.trials import KILL, STOP, Death

#: Runs in which a death is waited for: a point may lie behind a look that is not due yet.
_RUNS_TO_DIE = 3
#: Where a run that has been at the bank with all payments begins with the books.
_NEXT_LEG = "look.before"
_ENDS = {KILL: "killed 9", STOP: "stopped"}
_WHERE = {RAIL: "at the bank", BOOK: "at the books", "": "at neither"}
_AT_THE_BANK = "/bank/"
#: The bank settles a day after it was instructed.
_A_DAY = 86_500
_ACCOUNT_ENDING = "6789"


def play_bank(scene: Scene, seed: int) -> None:
    """The trial of a seed, judged."""
    play_bank_trial(scene, drawn_bank(seed))


def play_bank_trial(scene: Scene, trial: BankTrial, *, mutant: str = "") -> Counter[str]:
    """One trial, judged; the states of its entries in the books. With a mutant the runs are wrong on purpose."""
    try:
        return _Played(scene, trial, mutant=mutant).go()
    finally:
        scene.end()


class _Played:
    def __init__(self, scene: Scene, trial: BankTrial, *, mutant: str) -> None:
        self._scene, self._trial = scene, trial
        self._since, self._office = scene.server_time(), scene.begin()
        kinds = [kind for kind, _ in (*trial.bank_faults, *trial.book_faults)]
        self._what: dict[str, Any] = {"timeout": scene.timeout(*kinds), "mutant": mutant}
        self._paid: dict[str, tuple[int, int]] = {}
        self._batch = ""
        self._deaths = 0
        #: Bills whose money came back, or was called back.
        self._given_back: set[str] = set()
        #: Instructions that arrived twice at the bank.
        self._delivered_twice = 0

    def go(self) -> Counter[str]:
        self._prepare()
        self._run()
        self._settle()
        self._scene.wait_for_the_late()
        self._delivered_twice = self._scene.played("double_delivery", path=_AT_THE_BANK)
        self._scene.end()
        if self._trial.gives_back is not None and not self._given_back:
            self._give_back_one()
        raised_by_a_run = {row["subject"] for row in self._office.rows(ALARM, ALARM.c.kind == "paid twice")}
        self._follow()
        self._judge_money(raised_by_a_run)
        self._resolve_at_the_bank()
        self._settle()
        found = judge_batches(
            self._scene,
            self._batch,
            trial=f"bank {self._trial.seed}",
            takes_twice=lambda bill: self._trial.books.takes_twice(*self._paid[bill]),
            since=self._since,
            business_fault=self._has_business_fault,
        )
        self._follow()
        self._arrive()
        self._make_good()
        self._scene.counts.more["batches at the bank"] += 1
        return found

    def _prepare(self) -> None:
        """The batch, sealed; what the bank and QuickBooks will do."""
        scene, trial, office = self._scene, self._trial, self._office
        scene.company.settings(
            request_ids=trial.request_ids,
            duplicate_doc_number=trial.duplicate_doc_number,
            overpaying_line=trial.overpaying_line,
        )
        bills = office.enter(*(f"{whole / 100:.2f}" for whole, _ in trial.bills))
        office.use_bank()
        self._paid = dict(zip(bills, trial.bills, strict=True))
        self._batch = office.batch(*bills, amounts={bill: cents for bill, (_, cents) in self._paid.items()})
        self._what["batch_id"] = self._batch
        for kind, skip in trial.bank_faults:
            self._misbehave(RAIL, kind, skip=skip, slow_seconds=trial.slow_seconds)
        for kind, skip in trial.look_faults:
            self._misbehave(RAIL, kind, skip=skip, method="GET")
        for kind, skip in trial.book_faults:
            self._misbehave(BOOK, kind, skip=skip, slow_seconds=trial.slow_seconds)

    def _misbehave(self, leg: str, kind: str, **more: Any) -> None:
        if leg == BOOK:
            self._scene.misbehave(kind, **more)
            return
        if kind == REFUSAL:
            kind, more = "html_body", {**more, "status": 422}
        self._scene.misbehave(kind, path=_AT_THE_BANK, **more)
        self._scene.counts.more["faults of the bank"] += 1

    def _run(self) -> None:
        scene, what = self._scene, self._what
        if self._trial.doubled:
            both = [scene.zygote.start(**what) for _ in range(2)]
            for pid in both:
                scene.note(scene.zygote.wait(pid))
            scene.pass_time(self._batch)
        stopped: list[int] = []
        for death in self._trial.deaths:
            if not self._goes_on_by_itself():
                break
            stopped += self._die(death)
            self._may_give_back()
        if stopped:
            # The world goes on without them before they do.
            scene.note(scene.zygote.run(**what))
            scene.pass_time(self._batch)
            scene.note(scene.zygote.run(**what))
        for pid in stopped:
            scene.zygote.go_on(pid)
            scene.note(scene.zygote.wait(pid))

    def _die(self, death: BankDeath) -> list[int]:
        """Runs until one meets its death, or none does; one that stands still and keeps nobody from going on."""
        scene = self._scene
        if death.needs:
            self._misbehave(death.leg, death.needs)
        for _ in range(_RUNS_TO_DIE):
            still_open = self._open_on(death.leg)
            if not still_open:
                return []
            wanted: list[Death] = [(death.name, min(death.passage, still_open), death.action)]
            if death.leg == RAIL and death.point != _NEXT_LEG:
                # It ends the other way where it would go on to the books, so that there is somebody left to die there.
                wanted.append((f"{BOOK} {_NEXT_LEG}", 1, STOP if death.action == KILL else KILL))
            pid = scene.zygote.start(**self._what, deaths=wanted)
            ended = scene.zygote.wait(pid)
            self._note(ended, wanted)
            scene.pass_time(self._batch)
            if ended == "stopped" and death.action == STOP and death.point.endswith(".in"):
                # It stands inside a transaction, and SQLite has one writer: nobody goes on before it does.
                scene.zygote.go_on(pid)
                scene.note(scene.zygote.wait(pid))
                return []
            if ended == "stopped":
                return [pid]
            if ended == "killed 9" or not self._goes_on_by_itself():
                return []
        return []

    def _note(self, ended: str, wanted: Sequence[Death]) -> None:
        met = next((one for one in wanted if _ENDS[one[2]] == ended), None)
        if met is None:
            self._scene.note(ended)
            return
        name, passage, action = met
        leg, _, point = name.rpartition(" ")
        self._scene.note(ended, death=(point, passage, action))
        self._scene.counts.more[f"{ended.split(maxsplit=1)[0]} {_WHERE[leg]}"] += 1
        self._deaths += 1

    def _settle(self) -> None:
        """Runs, each when it is due, until the batch is settled, waits for people, or should not be open any more."""
        for _ in range(MOST_RUNS):
            if not self._goes_on_by_itself():
                return
            self._scene.pass_time(self._batch)
            self._scene.note(self._scene.zygote.run(**self._what))

    def _goes_on_by_itself(self) -> bool:
        """Whether a run has something to do: records that wait for money that waits for people are nothing."""
        if self._scene.state(self._batch) in SETTLED:
            return False
        states = {row["state"] for row in self._rows()}
        return bool(states - DONE - {"waiting"}) or states <= DONE

    def _open_on(self, leg: str) -> int:
        return sum(row["state"] not in DONE for row in self._rows(leg))

    def _rows(self, leg: str = "") -> list[Row]:
        rows = self._office.rows(INTENT, INTENT.c.batch_id == self._batch)
        return sorted((row for row in rows if row["leg"] == leg or not leg), key=lambda row: str(row["bill_set"]))

    def _may_give_back(self) -> None:
        plan = self._trial.gives_back
        if plan is None or self._given_back or self._deaths < plan.after or not self._give_back_one():
            return
        if plan.is_followed:
            try:
                self._follow()
            except RailFailed:
                self._scene.counts.more["nights without an answer of the bank"] += 1

    def _give_back_one(self) -> bool:
        """The bank returns the money of a payment; False if it has none of this batch."""
        told = self._told()
        for row in self._rows(RAIL):
            standing = _standing(told[row["request_id"]])
            if standing:
                self._give_back(standing[0], because="account closed")
                self._given_back.add(row["bill_set"])
                self._scene.counts.more["money given back"] += 1
                return True
        return False

    def _give_back(self, instruction: Mapping[str, Any], *, because: str) -> None:
        path = f"/__sandbox__/realms/{self._scene.company.realm_id}/bank"
        given_back = {"id": instruction["id"], "because": because}
        self._scene.sandbox.control.post(path, json=given_back).raise_for_status()

    def _told(self) -> dict[str, list[dict[str, Any]]]:
        """What the bank was told, by itself, by key."""
        told = defaultdict(list)
        for one in self._office.instructions():
            told[one["key"]].append(one)
        return told

    def _follow(self) -> None:
        """What the night does."""
        follow_all(self._office.ledger, self._office.tenant, Rails(self._office.installation).open)

    def _judge_money(self, raised_by_a_run: set[str]) -> None:
        """Each payment against the bank's own history, before people do anything about it."""
        scene = self._scene
        raised = {(row["subject"], row["kind"]): row["detail"] for row in self._office.rows(ALARM)}
        recorded = {row["bill_set"]: scene.company.records(row["doc_number"]) for row in self._rows(BOOK)}
        history = self._told()
        for row in self._rows(RAIL):
            told = history[row["request_id"]]
            wrong = [*self._wrong_money(row, told, records=len(recorded[row["bill_set"]]))]
            subject = f"intent {row['intent_id']}"
            if len(told) > 1:
                scene.counts.doubled += 1
                scene.counts.doubles_raised_by_a_run += subject in raised_by_a_run
                is_raised = (subject, "paid twice") in raised or _is_returned(subject, raised)
                scene.counts.doubles_raised += is_raised
                wrong += [] if is_raised else [f"the money moved twice and nobody is told: {row['request_id']}"]
            elif _came_back(told) and not _is_returned(subject, raised):
                wrong.append("the bank gave the money back and nobody is told")
            scene.counts.no_net += bool(self._spare(row))
            scene.counts.wrong += [f"bank {self._trial.seed}: {one}" for one in wrong]
            scene.counts.more["payments of the bank"] += 1
            if not self._has_business_fault(row["bill_set"]):
                scene.counts.without_business_fault += 1
                scene.counts.reviews += row["state"] == "needs_review" and len(told) <= 1
        doubled = sum(len(history[row["request_id"]]) - 1 for row in self._rows(RAIL) if history[row["request_id"]])
        late = sum(scene.late_sends[row["intent_id"]] for row in self._rows(RAIL))
        if doubled > self._delivered_twice + late:
            explained = f"{self._delivered_twice} arrived twice and {late} late"
            scene.counts.wrong.append(
                f"bank {self._trial.seed}: the money moved {doubled} times too often, {explained}"
            )

    def _spare(self, row: Row) -> int:
        """How often the money of a payment may have moved beyond once, since no net was left."""
        if not self._trial.bank_forgets:
            return 0
        return self._delivered_twice + self._scene.late_sends[row["intent_id"]]

    def _has_business_fault(self, bill: str) -> bool:
        """Whether its money came back; where the bank refused an instruction for good, it was not told of which payment."""
        return bill in self._given_back or self._trial.refuses

    def _wrong_money(self, row: Row, told: list[dict[str, Any]], *, records: int) -> Iterator[str]:
        standing = _standing(told)
        if len(told) > 1 + self._spare(row):
            yield f"THE MONEY MOVED {len(told)} TIMES: {row['request_id']} ({row['state']})"
        if records and not told:
            yield "recorded without having been instructed"
        if row["state"] == "paid" and row["remote_id"] not in {one["id"] for one in told}:
            yield "instructed, and the bank knows nothing of it"
        if row["state"] in ("refused", "void") and standing:
            yield f"{row['state']}, and the bank has moved the money"
        if row["state"] == "refused" and not self._trial.refuses:
            yield f"refused though the bank refuses nothing: {row['reason']}"
        if row["state"] in ("needs_review", "refused") and not row["reason"]:
            yield f"{row['state']} without a reason"
        if row["state"] not in DONE:
            yield f"left {row['state']}"
        for one in told:
            if (one["amount_cents"], one["account_ending"]) != (row["amount_cents"], _ACCOUNT_ENDING):
                yield f"another amount or account was instructed: {one}"

    def _resolve_at_the_bank(self) -> None:
        """What people do with money whose fate only they can tell: what is too much is called back, the rest taken or ended."""
        told = self._told()
        for row in self._rows(RAIL):
            standing = _standing(told[row["request_id"]])
            for one in standing[1:]:
                self._give_back(one, because="called back")
            if row["state"] == "needs_review" and standing:
                wanted = {"by": "fin", "intent_id": row["intent_id"]}
                take_as_paid(self._office.ledger, self._office.tenant, self._office.outside(), **wanted)
            elif row["state"] == "needs_review":
                self._end(row)

    def _end(self, row: Row) -> None:
        wanted = {"by": "fin", "intent_id": row["intent_id"], "reason": "it came back", "policy": POLICY}
        end_payment(self._office.ledger, self._office.tenant, self._office.outside(), **wanted)

    def _arrive(self) -> None:
        """A day later the night knows of all money that it has arrived."""
        control = self._scene.sandbox.control
        control.post("/__sandbox__/clock", json={"advance_seconds": _A_DAY}).raise_for_status()
        try:
            self._follow()
        finally:
            now = datetime.now(tz=UTC).isoformat()
            control.post("/__sandbox__/clock", json={"now": now}).raise_for_status()
        told = self._told()
        for row in self._rows(RAIL):
            has_arrived = bool(_standing(told[row["request_id"]]))
            if row["state"] == "paid" and has_arrived != (row["settled_at"] is not None):
                self._scene.counts.wrong.append(
                    f"bank {self._trial.seed}: nobody knows whether {row['remote_id']} arrived"
                )

    def _make_good(self) -> None:
        """People do what the alarms of returned money say: void the record or end the payment, and decide again."""
        told = self._told()
        again = [row["bill_set"] for row in self._rows(RAIL) if _came_back(told[row["request_id"]])]
        entries = {row["bill_set"]: row for row in self._rows(BOOK)}
        if not again:
            return
        for bill in again:
            for record in self._scene.company.records(entries[bill]["doc_number"]):
                named = {"Id": record["Id"], "SyncToken": record["SyncToken"], "sparse": True}
                self._scene.company.post("BillPayment", named, operation="update", include="void")
            if entries[bill]["state"] == "needs_review":
                self._end(entries[bill])
        self._office.later(seconds=60)
        self._office.sync_books(*again)
        decided = []
        for bill in again:
            wanted = {"account_id": self._office.company.bank}
            if self._office.bill(bill)["state"] == "awaiting_approval":
                self._office.approve(bill)
                self._office.stage(bill, **wanted)
            decided.append(self._office.pay_now(bill, amount_cents=self._paid[bill][1], **wanted))
        batch = self._office.finalize(*decided).batch_id
        driven = self._office.drive_to_the_end(batch)
        if driven.outcome != "settled":
            self._scene.counts.wrong.append(f"bank {self._trial.seed}: what was decided again is {dict(driven.states)}")
        for bill in again:
            self._judge_paid_once(bill)

    def _judge_paid_once(self, bill: str) -> None:
        rows = self._office.rows(INTENT, INTENT.c.bill_set == bill)
        told = self._told()
        moved = sum(len(_standing(told[row["request_id"]])) for row in rows if row["leg"] == RAIL)
        records = sum(len(self._scene.company.records(row["doc_number"])) for row in rows if row["leg"] == BOOK)
        if (moved, records) != (1, 1):
            wrong = f"bill {bill} came back and was paid again: the money moved {moved} times, {records} records"
            self._scene.counts.wrong.append(f"bank {self._trial.seed}: {wrong}")
        self._scene.counts.more["paid again after a return"] += 1


def _standing(told: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [one for one in told if one["state"] != "returned"]


def _came_back(told: list[dict[str, Any]]) -> bool:
    return bool(told) and not _standing(told)


def _is_returned(subject: str, raised: Mapping[tuple[str, str], str]) -> bool:
    return (subject, "payment returned") in raised or "gave" in raised.get((subject, "payment needs review"), "")
