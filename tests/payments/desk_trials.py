"""Trials of the desk: processes that approve, stage, decide, seal and promote die at every point; no answer that was given is lost.

Belongs here: what is asked of the desk, comparing the ledger with the answers that were given. Does not: doing it (`desk_work.py`).

A client repeats what got no answer, with the same key. In the end each bill was decided once and paid once, as the books have it.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import timedelta
from random import Random
from typing import Any

from payments.cash.reserves import open_reserve
from payments.sending.points import DESK_POINTS
from payments.store.batch_tables import BATCH, BATCH_ITEM, INTENT
from payments.store.bill_tables import DECISION
from payments.store.cash_tables import HOLD, RESERVE_MOVEMENT
from payments.store.invariants import broken_invariants
from payments.store.tables import REQUEST
from tests.payments.desk_work import answered
from tests.payments.judging import judge_batches
from tests.payments.scene import Scene
from tests.payments.trials import KILL, Death

_POINTS = tuple(DESK_POINTS)
#: Points that come when a night has passed.
_OF_THE_SECOND_DAY = frozenset(point for point in _POINTS if point.startswith(("reflect", "schedule")))
_DEATHS = 12
_FINALIZERS = 8
Asked = Mapping[str, Any]


def play_desk(scene: Scene, seed: int, *, deaths: Sequence[Death] | None = None) -> None:
    """Two days at the desk, in processes that die; drawn from the seed unless the deaths are given."""
    dice = Random(seed)  # noqa: S311 - a reproducible plan
    if deaths is None:
        # In the order in which the points come, so that each is met.
        drawn = sorted(dice.randrange(len(_POINTS)) for _ in range(_DEATHS))
        deaths = [(_POINTS[number], dice.choice((1, 1, 2)), KILL) for number in drawn]
    _Desk(scene, seed, deaths=deaths).go()


class _Desk:
    def __init__(self, scene: Scene, seed: int, *, deaths: Sequence[Death]) -> None:
        self._scene, self._seed = scene, seed
        self._deaths = list(deaths)
        self._since = scene.server_time()
        self._office = scene.begin()
        bills = self._office.enter("100.00", "200.00", "300.00", "400.00")
        self._now, self._now_too, self._later, self._put_off = bills
        wanted: dict[str, Any] = {"kind": "tax", "name": "Tax", "account_id": scene.company.bank}
        self._reserve = open_reserve(self._office.ledger, self._office.tenant, by="oli", **wanted)

    def go(self) -> None:
        scene, office = self._scene, self._office
        try:
            self._work(self._first_day(), is_second=False)
            scene.clock.move_to(scene.clock.now() + timedelta(days=1))
            office.publish_books(self._now, self._now_too, self._later, self._put_off)
            self._work(self._second_day(), is_second=True)
            batches = [row["batch_id"] for row in office.rows(BATCH)]
            for batch in batches:
                scene.note(scene.zygote.run(batch_id=batch))
                scene.settle(batch)
            self._judge(batches)
        finally:
            scene.end()

    def _first_day(self) -> list[Asked]:
        account, tomorrow = self._scene.company.bank, (self._office.today + timedelta(days=1)).isoformat()
        bills = (self._now, self._now_too, self._later, self._put_off)
        return [
            *({"verb": "approve", "key": f"approve {one}", "bill_id": one} for one in bills),
            *({"verb": "stage", "key": f"stage {one}", "bill_id": one, "account_id": account} for one in bills),
            {"verb": "allocate", "key": "allocate", "reserve_id": self._reserve, "amount_cents": 5_000},
            self._pay_now(self._now, 10_000),
            self._pay_now(self._now_too, 7_000),
            self._pay_now(self._later, 30_000) | {"verb": "schedule", "on": tomorrow},
            {"verb": "delay", "key": "delay", "bill_id": self._put_off, "on": tomorrow},
            self._finalize("first", self._now, self._now_too),
        ]

    def _second_day(self) -> list[Asked]:
        return [
            {"verb": "reflect", "key": "reflect"},
            {"verb": "pass_day", "key": "pass day"},
            self._pay_now(self._put_off, 40_000),
            self._finalize("second", self._put_off),
        ]

    def _pay_now(self, bill: str, cents: int) -> dict[str, Any]:
        account = self._scene.company.bank
        return {
            "verb": "pay_now",
            "key": f"decide {bill}",
            "bill_id": bill,
            "account_id": account,
            "amount_cents": cents,
        }

    def _finalize(self, key: str, *bills: str) -> Asked:
        return {"verb": "finalize", "key": key, "decided_by": [f"decide {bill}" for bill in bills]}

    def _work(self, asked: Sequence[Asked], *, is_second: bool) -> None:
        """Until everything was answered, in one process after another, each with the next death of the day."""
        while not self._all(asked):
            death = next((one for one in self._deaths if (one[0] in _OF_THE_SECOND_DAY) == is_second), None)
            ended = self._scene.zygote.run(work=asked, deaths=[death] if death else [])
            self._scene.note(ended, death=death)
            if death is not None:
                self._deaths.remove(death)
            self._compare()
            if death is None:
                break
        if not self._all(asked):
            self._wrong("a process that lived did not answer everything")

    def _all(self, asked: Sequence[Asked]) -> bool:
        given = answered(self._scene.journal)
        return all(one["key"] in given for one in asked)

    def _compare(self) -> None:
        """After each death: what was answered is there as it was answered, and nothing is there by half."""
        office = self._office
        kept = {row["request_key"]: row["answer"] for row in office.rows(REQUEST)}
        for key, answer in answered(self._scene.journal).items():
            if key in ("reflect", "pass day"):
                continue
            found = kept.get(key)
            is_same = found == answer or (isinstance(found, dict) and answer in found.values())
            if not is_same:
                self._wrong(f"LOST: {key} was answered {answer}, the ledger has {found}")
        with office.ledger.look(office.tenant) as look:
            for broken in broken_invariants(look):
                self._wrong(str(broken))

    def _judge(self, batches: Sequence[str]) -> None:
        office, scene = self._office, self._scene
        judge_batches(scene, *batches, trial=f"desk {self._seed}", since=self._since, may_be_reviewed=False)
        decided = Counter(row["bill_id"] for row in office.rows(DECISION, DECISION.c.ruling != "delay"))
        bills = (self._now, self._now_too, self._later, self._put_off)
        scene.counts.decisions += sum(decided.values())
        if decided != Counter(bills):
            self._wrong(f"decisions by bill: {dict(decided)}")
        items = Counter(row["decision_id"] for row in office.rows(BATCH_ITEM))
        if len(items) != len(bills) or set(items.values()) != {1}:
            self._wrong(f"{len(items)} decisions in batches")
        expected = dict(zip(bills, (10_000, 7_000, 30_000, 40_000), strict=True))
        books = self._recorded()
        if books != expected:
            self._wrong(f"LOST OR DOUBLED: the books have {books} of {expected}")
        moved = [row["signed_cents"] for row in office.rows(RESERVE_MOVEMENT)]
        if moved != [5_000]:
            self._wrong(f"the reserve was moved {moved}")
        holds = Counter(row["state"] for row in office.rows(HOLD, HOLD.c.decision_id.is_not(None)))
        if holds != Counter(posted=len(bills)):
            self._wrong(f"holds: {dict(holds)}")

    def _recorded(self) -> dict[str, int]:
        """Cents by bill, from the books alone."""
        numbers = [row["doc_number"] for row in self._office.rows(INTENT)]
        found: Counter[str] = Counter()
        for record in (one for number in numbers for one in self._scene.company.records(number)):
            found[record["Line"][0]["LinkedTxn"][0]["TxnId"]] += round(record["TotalAmt"] * 100)
        return dict(found)

    def _wrong(self, what: str) -> None:
        self._scene.counts.wrong.append(f"desk {self._seed}: {what}")


def play_finalizers(scene: Scene, seed: int) -> None:
    """Eight processes seal the same decisions at the same moment; some of them die in the middle of it."""
    dice = Random(seed)  # noqa: S311 - a reproducible plan
    since, office = scene.server_time(), scene.begin()
    bills = office.enter(*("10.00",) * dice.randrange(1, 4))
    for bill in bills:
        office.approve(bill)
        office.stage(bill, account_id=scene.company.bank)
    keys = [{"verb": "pay_now", "key": f"decide {bill}", "bill_id": bill} for bill in bills]
    wanted = {"account_id": scene.company.bank, "amount_cents": 1_000}
    scene.note(scene.zygote.run(work=[{**one, **wanted} for one in keys]))
    is_one_click = dice.random() < 0.3
    started = []
    for number in range(_FINALIZERS):
        death = [(dice.choice(("finalize.in", "finalize.after")), 1, KILL)] if dice.random() < 0.2 else []
        key = "one click" if is_one_click else f"click {number}"
        asked = {"verb": "finalize_or_not", "key": key, "decided_by": [one["key"] for one in keys]}
        started.append((scene.zygote.start(work=[asked], deaths=death), death))
    for pid, death in started:
        scene.note(scene.zygote.wait(pid), death=death[0] if death else None)
    asked = {"verb": "finalize_or_not", "key": "at last", "decided_by": [one["key"] for one in keys]}
    scene.note(scene.zygote.run(work=[asked]))
    made = office.rows(BATCH)
    if len(made) != 1 or len(office.rows(INTENT)) != len(bills):
        scene.counts.wrong.append(f"finalizers {seed}: {len(made)} batches, {len(office.rows(INTENT))} payments")
    told = {one["batch_id"] if isinstance(one, dict) else one for key, one in _clicks(scene).items()}
    if not told <= {row["batch_id"] for row in made}:
        scene.counts.wrong.append(f"finalizers {seed}: told {told}")
    for row in made:
        scene.note(scene.zygote.run(batch_id=row["batch_id"]))
        scene.settle(row["batch_id"])
    ids = [row["batch_id"] for row in made]
    judge_batches(scene, *ids, trial=f"finalizers {seed}", since=since, may_be_reviewed=False)
    scene.counts.more["finalizations"] += 1
    scene.end()


def _clicks(scene: Scene) -> dict[str, Any]:
    return {key: one for key, one in answered(scene.journal).items() if not key.startswith("decide")}
