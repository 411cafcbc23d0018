"""The matrix of soft crashes: point x passage x fault x second fault x QuickBooks, enumerated, each cell once.

Belongs here: the product, and playing some of its cells on one batch. Does not: processes (`sending_trials.py`).

A soft crash is an exception at a point that nothing handles: the transaction is rolled back, the run is over. The cells are walked
with a stride, so that a slice has every point and every fault in it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import gcd
from typing import Any

from payments.batch_tables import INTENT
from payments.runs import SETTLED
from tests.payments.judging import judge_batches
from tests.payments.scene import Scene
from tests.payments.trials import NEEDS, POINTS, POST_FAULTS, Trial

_HITS = (1, 2, 3)
#: What people and periods do to the bill of the next payment; QuickBooks means no harm by them.
BUSINESS_FAULTS = ("paid by hand", "deleted", "changed", "closed books")
_FAULTS = ("", *POST_FAULTS, *BUSINESS_FAULTS)
_SECOND = (
    "",
    "drop_before",
    "drop_after",
    "http_500",
    "http_503_after",
    "truncated_json",
    "unauthorized",
    "double_delivery",
    "html_body",
    "throttle_storm",
    "http_500_after",
    "http_503",
)
PERSONALITIES: Mapping[str, Mapping[str, Any]] = {
    "honours request ids": {},
    "forgets them": {"request_ids": "forgotten"},
    "ignores them": {"request_ids": "ignored"},
    "answers 6000": {"request_ids": "answers_6000"},
    "refuses a number twice": {"request_ids": "ignored", "duplicate_doc_number": "refuse"},
    "takes more than is owed": {"request_ids": "ignored", "overpaying_line": "cap"},
}
_A_PERSONALITY = len(POINTS) * len(_HITS) * len(_FAULTS) * len(_SECOND)
CELLS = _A_PERSONALITY * len(PERSONALITIES)
#: So many cells on one batch; each has a payment of its own, and some more for the passages after the first.
CELLS_A_BATCH = 6
_MORE_PAYMENTS = 2
_STRIDE = 6_151
assert gcd(_STRIDE, _A_PERSONALITY) == 1, "every cell is met once"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One cell of the matrix."""

    point: str
    hit: int
    fault: str
    second: str


def cell(number: int) -> Cell:
    """The cell of a number within a personality."""
    rest = number * _STRIDE % _A_PERSONALITY
    rest, point = divmod(rest, len(POINTS))
    rest, hit = divmod(rest, len(_HITS))
    second, fault = divmod(rest, len(_FAULTS))
    return Cell(point=POINTS[point], hit=_HITS[hit], fault=_FAULTS[fault], second=_SECOND[second])


def play_cells(scene: Scene, number: int) -> None:
    """The cells of one batch, judged together."""
    names = sorted(PERSONALITIES)
    first = number // len(names) * CELLS_A_BATCH
    _Cells(scene, number, names[number % len(names)], [cell(first + one) for one in range(CELLS_A_BATCH)]).go()


class _Cells:
    def __init__(self, scene: Scene, number: int, personality: str, cells: list[Cell]) -> None:
        self._scene, self._number, self._cells = scene, number, cells
        self._since = scene.server_time()
        self._office = scene.begin()
        self._quickbooks = PERSONALITIES[personality]
        self._disturbed: set[str] = set()
        scene.company.settings(**self._quickbooks)
        amounts = [(10_000 + 700 * one, (10_000, 3_000)[one % 2]) for one in range(len(cells) + _MORE_PAYMENTS)]
        bills = self._office.enter(*(f"{whole / 100:.2f}" for whole, _ in amounts))
        self._paid = dict(zip(bills, amounts, strict=True))
        self._batch = self._office.batch(*bills, amounts={bill: paid for bill, (_, paid) in self._paid.items()})

    def go(self) -> None:
        scene = self._scene
        try:
            for one in self._cells:
                if scene.state(self._batch) in SETTLED:
                    scene.counts.more["cells after the end"] += 1
                    continue
                self._play(one)
            for _ in range(len(self._cells) + 6):
                if scene.state(self._batch) in SETTLED:
                    break
                scene.pass_time(self._batch)
                scene.soft_run(self._batch)
            judge_batches(
                scene,
                self._batch,
                trial=f"cells {self._number}",
                no_net=self._has_no_net,
                since=self._since,
                has_business_fault=any(one.fault in BUSINESS_FAULTS for one in self._cells),
            )
        finally:
            scene.end()

    def _play(self, one: Cell) -> None:
        scene = self._scene
        undo = self._disturb(one.fault)
        for skip, kind in enumerate(kind for kind in (NEEDS.get(one.point, ""), one.fault, one.second) if kind):
            if kind not in BUSINESS_FAULTS:
                scene.misbehave(kind, skip=skip)
        timeout = scene.timeout(one.fault)
        scene.counts.more["cells"] += 1
        death = (one.point, one.hit, "soft")
        reached = scene.soft_run(self._batch, death=death, timeout=timeout)
        scene.pass_time(self._batch)
        if not reached and scene.state(self._batch) not in SETTLED:
            reached = scene.soft_run(self._batch, death=death, timeout=timeout)
            scene.pass_time(self._batch)
        scene.counts.more["cells that crashed"] += reached
        scene.wait_for_the_late()
        scene.sandbox.heal(scene.company.realm_id)
        undo()

    def _disturb(self, fault: str) -> Callable[[], None]:
        """What a person or a period does to the next payment's bill; how it ends."""
        company = self._scene.company
        if fault == "closed books":
            company.close_books(through="2026-12-31")
            return lambda: company.close_books(through=None)
        ready = self._office.rows(INTENT, INTENT.c.batch_id == self._batch, INTENT.c.state == "ready")
        untouched = [row["bill_set"] for row in ready if row["bill_set"] not in self._disturbed]
        if fault in BUSINESS_FAULTS and untouched:
            bill = untouched[0]
            self._disturbed.add(bill)
            if fault == "paid by hand":
                company.pay_by_hand({"Id": bill}, "10.00")
            elif fault == "deleted":
                company.delete_bill(bill)
            else:
                company.change_bill(bill, more=500)
        return lambda: None

    def _has_no_net(self, bill: str) -> bool:
        faults = tuple((kind, 0) for one in self._cells for kind in (one.fault, one.second))
        return Trial(seed=0, faults=faults, **self._quickbooks).leaves_no_net(*self._paid[bill])
