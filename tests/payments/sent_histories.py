"""Histories that are really sent: people, days, crashes, faults and restored backups in any order, on the local QuickBooks.

Belongs here: a state machine whose runs are the product's own, and running it from a seed. Does not: the ledger's verbs in all
their variety, on a stand-in for the run (`machine.py`); processes that die (`sending_trials.py`).

After every step the invariants hold, compared with QuickBooks' own books. In the end the faults stop, everything has to settle,
and it is judged as every trial is. Nothing that is drawn here arrives twice, so no payment may be recorded twice.
"""

from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar

import hypothesis
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from payments.bills.discovery import reopen
from payments.bills.postponing import withdraw
from payments.errors import Refused
from payments.sending.batches import finalize, finalize_open, ready_to_finalize
from payments.sending.runs import SETTLED
from payments.store.batch_tables import BATCH, INTENT
from payments.store.bill_tables import BILL_WORKFLOW
from payments.store.invariants import broken_invariants
from resources.failpoints import arm, disarm
from tests.payments.cells import PERSONALITIES
from tests.payments.histories import SETTINGS
from tests.payments.judging import judge_batches
from tests.payments.office import drive_batch
from tests.payments.scene import MOST_RUNS, Scene
from tests.payments.trials import NEEDS, POINTS, POST_FAULTS

SENT_STEPS = 50
_AT_ONCE = 2
_AMOUNTS = ("100.00", "80.00", "60.00", "45.00")
_BACKUP = "history"
#: Left out: what arrives twice, which in some kinds of QuickBooks no net is left against, and what takes real time.
_FAULTS = tuple(one for one in POST_FAULTS if one not in ("double_delivery", "slow_then_commit"))
#: Where a run may be overtaken by another: outside of its transactions, and before its last check, after which it could be late.
_OVERTAKEN = ("claim.after", "look.before", "bill.after_get", "look.after", "send.after_bytes", "answer.before_record")
_AFTER_THE_LEASE = 121
_numbers = st.integers(0, 11)
_bills = st.integers(0, len(_AMOUNTS) - 1)
_hits = st.integers(1, 2)
_points = st.sampled_from([None, None, *POINTS])
_faults = st.lists(st.tuples(st.sampled_from(_FAULTS), st.integers(0, 2)), max_size=2)


class SendingMachine(RuleBasedStateMachine):
    """One office and its QuickBooks."""

    #: Set by whoever runs it: where it takes place, what happened over all histories.
    scene: ClassVar[Scene]
    counts: ClassVar[Counter[str]]

    def __init__(self) -> None:
        super().__init__()
        self.since = self.scene.server_time()
        self.office = self.scene.begin()
        self.bills = self.office.enter(*_AMOUNTS)
        #: Bills that people did something to in QuickBooks.
        self.disturbed: set[str] = set()
        self.has_backup, self.is_restored = False, False
        #: Numbers of payments that a ledger had which was replaced by its backup.
        self.made: set[str] = set()

    @initialize(
        quickbooks=st.sampled_from(sorted(PERSONALITIES)),
        ready=st.sets(_bills, min_size=1),
        point=_points,
        hit=_hits,
        faults=_faults,
    )
    def some_are_under_way(
        self, quickbooks: str, ready: set[int], point: str | None, hit: int, faults: list[tuple[str, int]]
    ) -> None:
        """Some bills are sealed, and there was a run: rules alone are often not drawn together."""
        self.scene.company.settings(**PERSONALITIES[quickbooks])
        self.counts[quickbooks] += 1
        for number in sorted(ready):
            self.push(number, 3)
        self._try("finalize", self._finalize_ready)
        self.drive(0, False, point, hit, faults)  # noqa: FBT003 - as hypothesis calls it

    @rule(number=_numbers, steps=st.integers(1, 5))
    def push(self, number: int, steps: int) -> None:
        """The next proper steps of one bill: random verbs alone seldom get as far as a payment."""
        bill = self.bills[number % len(self.bills)]
        for _ in range(steps):
            after: dict[str, Callable[[], Any]] = {
                "awaiting_approval": lambda: self.office.approve(bill),
                "approved": lambda: self.office.stage(bill, account_id=self.office.company.bank),
                "staged": lambda: self.office.pay_now(bill, account_id=self.office.company.bank),
                "decided": self._finalize_ready,
            }
            state = self.office.bill_states().get(bill, "")
            if state in after:
                self._try(f"push {state}", after[state])

    @rule(number=_numbers)
    def approve(self, number: int) -> None:
        self._of_a_bill("approve", number, ("awaiting_approval",), self.office.approve)

    @rule(number=_numbers)
    def stage(self, number: int) -> None:
        bank = self.office.company.bank
        self._of_a_bill("stage", number, ("approved",), lambda bill: self.office.stage(bill, account_id=bank))

    @rule(number=_numbers, cents=st.sampled_from([None, None, 2_000, 4_400]))
    def pay_now(self, number: int, cents: int | None) -> None:
        wanted: dict[str, Any] = {"account_id": self.office.company.bank, "amount_cents": cents}
        states = ("staged", "needs_review")
        self._of_a_bill("pay now", number, states, lambda bill: self.office.pay_now(bill, **wanted))

    @rule(number=_numbers, days=st.integers(1, 3))
    def schedule(self, number: int, days: int) -> None:
        bank = self.office.company.bank
        self._of_a_bill(
            "schedule", number, ("staged",), lambda bill: self.office.schedule(bill, days=days, account_id=bank)
        )

    @rule(number=_numbers, days=st.integers(1, 3))
    def delay(self, number: int, days: int) -> None:
        states = ("staged", "decided", "scheduled", "batched")
        self._of_a_bill("delay", number, states, lambda bill: self.office.delay(bill, days=days))

    @rule(number=_numbers)
    def withdraw(self, number: int) -> None:
        wanted = {"by": "dan", "reason": "wrong company", "request_key": self.office.key()}
        self._of_a_bill(
            "withdraw",
            number,
            ("decided", "scheduled", "batched"),
            lambda bill: withdraw(self.office.ledger, self.office.tenant, bill_id=bill, **wanted),
        )

    @rule(number=_numbers)
    def reopen(self, number: int) -> None:
        self._of_a_bill(
            "reopen",
            number,
            ("withdrawn",),
            lambda bill: reopen(self.office.ledger, self.office.tenant, by="dan", bill_id=bill),
        )

    @rule()
    def finalize(self) -> None:
        self._try("finalize", self._finalize_ready)

    @rule(number=_numbers, waits=st.booleans(), point=_points, hit=_hits, faults=_faults)
    def drive(
        self,
        number: int,
        waits: bool,  # noqa: FBT001 - hypothesis draws it
        point: str | None,
        hit: int,
        faults: list[tuple[str, int]],
    ) -> None:
        """A run of the product, through faults of QuickBooks, which may end at a point; early, or when it is due."""
        batch = self._batch(number)
        if batch is None:
            return
        if waits:
            self.scene.pass_time(batch)
        if point in NEEDS:
            faults = [(NEEDS[point], 0), *faults]
        for kind, skip in faults:
            self.scene.misbehave(kind, skip=skip)
        died_at = self.scene.soft_run(batch, deaths={} if point is None else {point: hit})
        self.scene.end()
        self.counts["run that died" if died_at else "run"] += 1

    @rule(number=_numbers, point=st.sampled_from(_OVERTAKEN), is_stolen=st.booleans())
    def second_run(self, number: int, point: str, is_stolen: bool) -> None:  # noqa: FBT001 - hypothesis draws it
        """Another run of the same batch in the middle of one: while the lease is held, or when it is over."""
        batch = self._batch(number)
        if batch is None:
            return
        self.scene.pass_time(batch)

        def overtake() -> None:
            self.office.later(seconds=_AFTER_THE_LEASE if is_stolen else 1)
            drive_batch(self.scene.opened, batch, holder="second run")
            self.counts["run overtaken" if is_stolen else "second run turned away"] += 1

        arm(point, hit=1, action=overtake)
        try:
            self.scene.soft_run(batch, deaths={})
        finally:
            disarm()

    @rule(number=_numbers)
    def person_pays_in_qbo(self, number: int) -> None:
        bill = self.bills[number % len(self.bills)]
        if self.office.company.objects("Bill")[bill]["Balance"] >= 10:
            self.disturbed.add(bill)
            self.office.company.pay_by_hand({"Id": bill}, "10.00")
            self.counts["paid by hand"] += 1

    @rule(number=_numbers, more=st.sampled_from([-500, 700]))
    def change_bill(self, number: int, more: int) -> None:
        bill = self.bills[number % len(self.bills)]
        if self.office.company.objects("Bill")[bill]["Balance"] > 5:
            self.disturbed.add(bill)
            self.office.company.change_bill(bill, more=more)
            self.counts["bill changed"] += 1

    @rule()
    def sync(self) -> None:
        self.office.sync_books(*self.bills)
        self._try("day", self.office.pass_day)

    @rule(hours=st.sampled_from([1, 3, 24, 80]))
    def advance_clock(self, hours: int) -> None:
        self.office.later(hours=hours)
        self._try("day", self.office.pass_day)

    @rule()
    def back_up(self) -> None:
        self.scene.copy(_BACKUP)
        self.has_backup = True

    @rule()
    def restore_backup(self) -> None:
        """The ledger forgets what was since; QuickBooks does not."""
        if not self.has_backup:
            return
        self.made |= {row["doc_number"] for row in self.office.rows(INTENT)}
        self.scene.put_back(_BACKUP)
        self.is_restored = True
        self.counts["restored"] += 1

    @invariant()
    def all_invariants_hold(self) -> None:
        """A restored ledger knows what is in the books once it has looked: there I1 to I4 are left to the judge."""
        self.counts["step"] += 1
        remote = None if self.is_restored else self.scene.company.remote()
        with self.office.ledger.look(self.office.tenant) as look:
            broken = broken_invariants(look, remote=remote)
        assert not broken, "; ".join(map(str, broken))

    def teardown(self) -> None:
        """The faults stop: everything that was sealed settles, and QuickBooks' books say what happened."""
        scene, office = self.scene, self.office
        scene.end()
        office.later(hours=1)
        office.sync_books(*self.bills)
        self._finalize_all()
        batches = [row["batch_id"] for row in office.rows(BATCH, BATCH.c.state != "open")]
        for batch in batches:
            for _ in range(MOST_RUNS):
                if scene.state(batch) in SETTLED:
                    break
                scene.pass_time(batch)
                scene.soft_run(batch, deaths={})
        known = len(scene.counts.wrong)
        states = judge_batches(
            scene,
            *batches,
            trial="a history",
            since=self.since,
            business_fault=lambda bill: self.is_restored or bill in self.disturbed,
            forgotten=self.made - {row["doc_number"] for row in office.rows(INTENT)},
            was_put_back=self.is_restored,
        )
        self.counts["history"] += 1
        self.counts.update({f"payment {state}": number for state, number in states.items()})
        assert not scene.counts.wrong[known:], "; ".join(scene.counts.wrong[known:])

    def _finalize_ready(self) -> None:
        office = self.office
        with office.ledger.look(office.tenant) as look:
            ids = [item.decision["decision_id"] for item in ready_to_finalize(look)]
        finalize(office.ledger, office.tenant, by="fin", decision_ids=ids, request_key=office.key())

    def _finalize_all(self) -> None:
        office = self.office
        self._try("finalize", self._finalize_ready)
        for row in office.rows(BATCH, BATCH.c.state == "open"):
            wanted = {"by": "fin", "batch_id": row["batch_id"], "request_key": office.key()}
            self._try("finalize due", partial(finalize_open, office.ledger, office.tenant, **wanted))

    def _batch(self, number: int) -> str | None:
        """One that is not settled; if there is none, of a bill that is pushed so far, if it can be."""
        if not self._unsettled():
            self.push(number, 4)
        batches = self._unsettled()
        return batches[number % len(batches)] if batches else None

    def _unsettled(self) -> list[str]:
        rows = self.office.rows(BATCH, BATCH.c.state.in_(("finalized", "waiting", "claimed")))
        return [row["batch_id"] for row in rows]

    def _of_a_bill(self, what: str, number: int, states: tuple[str, ...], do: Callable[[str], Any]) -> None:
        """A verb, of a bill from which it starts; if there is none of any bill, for the refusal."""
        rows = self.office.rows(BILL_WORKFLOW, BILL_WORKFLOW.c.state.in_(states))
        bills = [bill for bill in self.bills if bill in {row["bill_id"] for row in rows}] or self.bills
        self._try(what, lambda: do(bills[number % len(bills)]))

    def _try(self, what: str, do: Callable[[], Any]) -> None:
        """A refusal is an answer; anything else is a bug."""
        try:
            do()
            self.counts[what] += 1
        except Refused as refusal:
            self.counts[f"{what}: {type(refusal).__name__}"] += 1


def run_sent_histories(scene: Scene, *, histories: int, steps: int, seed: int) -> Counter[str]:
    """So many histories; what happened. Raises what broke."""

    @hypothesis.seed(seed)
    class Seeded(SendingMachine):
        counts: ClassVar[Counter[str]] = Counter()

    Seeded.scene = scene
    run_state_machine_as_test(
        Seeded, settings=hypothesis.settings(SETTINGS, max_examples=histories, stateful_step_count=steps)
    )
    return Seeded.counts


def play_sent_histories(scene: Scene, seed: int) -> None:
    """Some histories of a seed, as trials of the campaign."""
    try:
        happened = run_sent_histories(scene, histories=_AT_ONCE, steps=SENT_STEPS, seed=seed)
    except AssertionError as broken:
        scene.counts.wrong.append(f"sent histories {seed}: {broken}")
        return
    scene.counts.more["sent steps"] += happened["step"]
    scene.counts.more["sent histories"] += happened["history"]
