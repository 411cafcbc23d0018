"""The matrix of soft crashes: point x passage x fault x second fault x QuickBooks, enumerated, each cell once.

Belongs here: the product, and playing some of its cells on one batch. Does not: processes (`sending_trials.py`).

A soft crash is an exception at a point that nothing handles: the transaction is rolled back, the run is over. The cells are walked
with a stride, so that a slice has every point and every fault in it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import gcd
from typing import Any

from payments.sending.runs import SETTLED
from payments.store.batch_tables import INTENT
from tests.payments.judging import judge_batches
from tests.payments.scene import MOST_RUNS, Scene
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
CELLS_A_BATCH = 12
_MORE_PAYMENTS = 3
_ENDS = ("close.in", "close.after")
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
        self._scene, self._number = scene, number
        # Whoever meets the end of a run has gone through all payments.
        self._cells = sorted(cells, key=lambda one: one.point in _ENDS)
        self._since = scene.server_time()
        self._office = scene.begin()
        self._quickbooks = PERSONALITIES[personality]
        #: Bills that met a business fault.
        self._disturbed: set[str] = set()
        self._paid: dict[str, tuple[int, int]] = {}
        scene.company.settings(**self._quickbooks)

    def go(self) -> None:
        scene, left, batches = self._scene, list(self._cells), []
        try:
            while left:
                batches.append(self._new_batch(len(left)))
                while left and scene.state(batches[-1]) not in SETTLED:
                    self._play(left.pop(0), batches[-1])
                self._settle(batches[-1])
            judge_batches(
                scene,
                *batches,
                trial=f"cells {self._number}",
                takes_twice=lambda bill: Trial(seed=0, **self._quickbooks).takes_twice(*self._paid[bill]),
                since=self._since,
                business_fault=self._disturbed.__contains__,
            )
        finally:
            scene.end()

    def _new_batch(self, cells: int) -> str:
        """With a payment for each cell and some more."""
        amounts = [(10_000 + 700 * one, (10_000, 3_000)[one % 2]) for one in range(cells + _MORE_PAYMENTS)]
        bills = self._office.enter(*(f"{whole / 100:.2f}" for whole, _ in amounts))
        paid = dict(zip(bills, amounts, strict=True))
        self._paid |= paid
        return self._office.batch(*bills, amounts={bill: cents for bill, (_, cents) in paid.items()})

    def _settle(self, batch: str) -> None:
        scene = self._scene
        for _ in range(MOST_RUNS):
            if scene.state(batch) in SETTLED:
                return
            scene.pass_time(batch)
            scene.soft_run(batch, deaths={})

    def _play(self, one: Cell, batch: str) -> None:
        scene = self._scene
        undo = self._disturb(one, batch)
        for skip, kind in enumerate(kind for kind in (NEEDS.get(one.point, ""), one.fault, one.second) if kind):
            if kind not in BUSINESS_FAULTS:
                scene.misbehave(kind, skip=skip)
        timeout = scene.timeout(one.fault)
        scene.counts.more["cells"] += 1
        # A run that does not die there is ended by what is paid, or the payments of the other cells would be gone.
        deaths = {one.point: one.hit} | ({} if one.point in _ENDS else {"confirm.after": one.hit})
        for _ in range(2):
            died_at = scene.soft_run(batch, deaths=deaths, timeout=timeout)
            scene.pass_time(batch)
            if died_at == one.point:
                scene.counts.more["cells that crashed"] += 1
                break
            if scene.state(batch) in SETTLED:
                break
        scene.wait_for_the_late()
        scene.end()
        undo()

    def _disturb(self, one: Cell, batch: str) -> Callable[[], None]:
        """What a person or a period does to the next payment's bill; how it ends."""
        company, fault = self._scene.company, one.fault
        sent_before = self._attempts(batch)
        if fault == "closed books" or one.point == "refuse.in":
            company.close_books(through="2026-12-31")
            return lambda: self._open_books(batch, sent_before)
        ready = self._office.rows(INTENT, INTENT.c.batch_id == batch, INTENT.c.state == "ready")
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

    def _open_books(self, batch: str, sent_before: Mapping[str, int]) -> None:
        """Again; what was sent meanwhile has met closed books."""
        self._scene.company.close_books(through=None)
        self._disturbed |= {bill for bill, sent in self._attempts(batch).items() if sent > sent_before[bill]}

    def _attempts(self, batch: str) -> dict[str, int]:
        return {row["bill_set"]: row["attempts"] for row in self._office.rows(INTENT, INTENT.c.batch_id == batch)}
