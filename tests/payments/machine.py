"""The ledger as a state machine for hypothesis: people, days, books and runs in any order; the invariants after every step."""

import shutil
import sqlite3
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from sqlalchemy import event

from payments.bills.approvals import withdraw_approval
from payments.bills.break_glass import confirm_override, unconfirmed
from payments.bills.decisions import unstage
from payments.bills.discovery import reopen
from payments.bills.postponing import withdraw
from payments.cash.free_cash import enter_bank_balance, resolve_shortfall, set_floor
from payments.cash.reserves import allocate, open_reserve, release
from payments.errors import Refused
from payments.sending.batches import finalize, finalize_open, ready_to_finalize, verify_seal
from payments.store.batch_tables import BATCH, INTENT
from payments.store.bill_tables import BILL_WORKFLOW
from payments.store.cash_tables import RESERVE
from payments.store.invariants import RemotePayment, broken_invariants
from payments.store.repository import Row
from resources.clock import FixedClock
from resources.database import Database
from resources.published_balances import OpenBill
from tests.conftest import FRIDAY_MORNING
from tests.payments.desk import CHECKING, Desk, changed, make_bill
from tests.payments.stand_in_run import answer, claim, close, remote, send

BILLS = tuple(f"b{number}" for number in range(1, 6))
_bills = st.integers(0, len(BILLS) - 1)
_advisers = st.sampled_from(["dan", "dot", "oli"])
_approvers = st.sampled_from(["amy", "art", "dan", "oli"])
_amounts = st.sampled_from([None, 1_000, 4_000, 12_000])
_fates = st.sampled_from(["landed", "landed", "refused", "lost", "landed unseen"])
_OVERRIDE = "the supplier stops tomorrow"


def template(folder: Path, migrated: Path) -> Path:
    """A database with people, policy and the first sync, to be copied for each example."""
    path = folder / "template.sqlite"
    shutil.copyfile(migrated, path)
    database = Database(f"sqlite:///{path}")
    clock = FixedClock(FRIDAY_MORNING)
    desk = Desk(database, clock)
    desk.policy(separation_above_cents=8_000, per_tenant_day_cents=60_000, payee_watch_days=2)
    open_reserve(
        desk.ledger, desk.tenant, by="oli", kind="tax", name="Tax", account_id=_first_sync(desk), vendor_ids=["v-b1"]
    )
    database.close()
    return path


def _first_sync(desk: Desk) -> str:
    desk.sync(*(make_bill(bill, open_cents=6_000 + 2_000 * number) for number, bill in enumerate(BILLS)), cash=40_000)
    return CHECKING


def machine_database(folder: Path) -> Database:
    """The one database of all histories: an engine that is kept knows its statements."""
    database = Database(f"sqlite:///{folder / 'ledger.sqlite'}")
    # Nothing here has to survive a power failure.
    event.listen(database.writer, "connect", lambda raw, _: raw.execute("PRAGMA synchronous=OFF"))
    return database


class LedgerMachine(RuleBasedStateMachine):
    """One tenant's desk beside books that others change too."""

    #: Set by the test: the database to copy, one to copy it to again and again, and what happened over all examples.
    template: ClassVar[Path]
    database: ClassVar[Database]
    counts: ClassVar[Counter[str]]

    def __init__(self) -> None:
        super().__init__()
        path = Path(str(self.database.url.database))
        self.database.close()
        for leftover in path.parent.glob(f"{path.name}*"):
            leftover.unlink()
        shutil.copyfile(self.template, path)
        self.watcher = sqlite3.connect(path)
        self.checked: tuple[int, int] | None = None
        self.clock = FixedClock(FRIDAY_MORNING + timedelta(minutes=1))
        self.desk = Desk(self.database, self.clock, register=False)
        self.desk._keys = iter(range(10**6, 10**7))
        self.books: dict[str, OpenBill] = {
            bill: make_bill(bill, open_cents=6_000 + 2_000 * number) for number, bill in enumerate(BILLS)
        }
        self.cash = 40_000
        self.remote: list[RemotePayment] = []
        self.unclear: dict[str, str] = {}

    def teardown(self) -> None:
        self.watcher.close()

    @initialize(ready=st.sets(st.sampled_from(BILLS), min_size=2), pushed=st.lists(_bills, max_size=2), fate=_fates)
    def some_are_under_way(self, ready: set[str], pushed: list[int], fate: str) -> None:
        for bill in sorted(ready):
            self._try("ready", lambda bill=bill: self.desk.ready(bill))
        for number in pushed:
            self.push(number, 5, fate)

    def _pick(self, number: int, *states: str) -> str:
        """A bill from which the verb starts; if there is none any bill, for the refusal."""
        rows = self.desk.rows(BILL_WORKFLOW, BILL_WORKFLOW.c.state.in_(states))
        bills = [row["bill_id"] for row in rows] or BILLS
        return bills[number % len(bills)]

    @rule(bill=_bills, steps=st.integers(1, 5), fate=_fates)
    def push(self, bill: int, steps: int, fate: str) -> None:
        """The next proper step of one bill, and the one after it: random verbs alone seldom get as far as a payment."""
        chosen = BILLS[bill]
        for _ in range(steps):
            state = next(
                (row["state"] for row in self.desk.rows(BILL_WORKFLOW, BILL_WORKFLOW.c.bill_id == chosen)[::-1]), ""
            )
            after: dict[str, Callable[[], Any]] = {
                "awaiting_approval": lambda: self.desk.approve(chosen, by="amy"),
                "approved": lambda: self.desk.stage(chosen),
                "staged": lambda: self.desk.pay_now(chosen, by="dot"),
                "needs_review": lambda: self.desk.pay_now(chosen, by="dot"),
                "decided": lambda: self._finalize_ready(by="fin", most=5),
                "batched": lambda: self.run_a_batch([fate]),
                "unknown": lambda: self.run_a_batch([fate]),
            }
            if state in after:
                self._try(f"push {state}", after[state])

    @rule(bill=_bills, by=_approvers)
    def approve(self, bill: int, by: str) -> None:
        chosen = self._pick(bill, "awaiting_approval")
        self._try("approve", lambda: self.desk.approve(chosen, by=by))

    @rule(bill=_bills, by=_approvers)
    def take_approval_back(self, bill: int, by: str) -> None:
        chosen = self._pick(bill, "approved", "staged")
        self._try("approval back", lambda: withdraw_approval(self.desk.ledger, self.desk.tenant, by=by, bill_id=chosen))

    @rule(bill=_bills)
    def stage(self, bill: int) -> None:
        chosen = self._pick(bill, "approved")
        self._try("stage", lambda: self.desk.stage(chosen))

    @rule(bill=_bills)
    def unstage(self, bill: int) -> None:
        chosen = self._pick(bill, "staged")
        self._try("unstage", lambda: unstage(self.desk.ledger, self.desk.tenant, by="pat", bill_id=chosen))

    @rule(bill=_bills, by=_advisers, amount=_amounts, override=st.sampled_from([None, None, None, _OVERRIDE]))
    def decide(self, bill: int, by: str, amount: int | None, override: str | None) -> None:
        chosen = self._pick(bill, "staged", "needs_review")
        self._try("pay now", lambda: self.desk.pay_now(chosen, by=by, amount_cents=amount, override=override))

    @rule(bill=_bills, by=_advisers, days=st.integers(1, 4), amount=_amounts)
    def schedule(self, bill: int, by: str, days: int, amount: int | None) -> None:
        chosen = self._pick(bill, "staged")
        self._try("schedule", lambda: self.desk.schedule(chosen, by=by, days=days, amount_cents=amount))

    @rule(bill=_bills, days=st.integers(1, 4))
    def delay(self, bill: int, days: int) -> None:
        chosen = self._pick(bill, "staged", "decided", "scheduled", "batched")
        self._try("delay", lambda: self.desk.delay(chosen, days=days))

    @rule(bill=_bills)
    def withdraw(self, bill: int) -> None:
        chosen = self._pick(bill, "decided", "scheduled", "batched", "needs_review")
        key = self.desk.key()
        wanted = {"by": "dan", "bill_id": chosen, "reason": "wrong company", "request_key": key}
        self._try("withdraw", lambda: withdraw(self.desk.ledger, self.desk.tenant, **wanted))

    @rule(bill=_bills)
    def reopen(self, bill: int) -> None:
        chosen = self._pick(bill, "withdrawn")
        wanted = {"by": "dan", "bill_id": chosen}
        self._try("reopen", lambda: reopen(self.desk.ledger, self.desk.tenant, **wanted))

    @rule(amount=st.sampled_from([500, 3_000, 20_000]), into=st.booleans())
    def move_reserve(self, amount: int, into: bool) -> None:  # noqa: FBT001 - hypothesis draws it
        reserve = self.desk.rows(RESERVE)[0]["reserve_id"]
        wanted = {
            "by": "dan",
            "reserve_id": reserve,
            "amount_cents": amount,
            "reason": "quarter",
            "request_key": self.desk.key(),
        }
        verb = allocate if into else release
        self._try(verb.__name__, lambda: verb(self.desk.ledger, self.desk.tenant, **wanted))

    @rule(floor=st.sampled_from([0, 2_000, 15_000]))
    def floor(self, floor: int) -> None:
        wanted = {"by": "oli", "account_id": CHECKING, "floor_cents": floor}
        self._try("floor", lambda: set_floor(self.desk.ledger, self.desk.tenant, **wanted))

    @rule(bank=st.sampled_from([None, 12_000, 38_000, 90_000]))
    def bank_balance(self, bank: int | None) -> None:
        wanted = {"by": "oli", "account_id": CHECKING, "bank_cents": bank}
        self._try("bank", lambda: enter_bank_balance(self.desk.ledger, self.desk.tenant, **wanted))

    @rule(change=st.sampled_from([0, 0, 5_000, -3_000, -25_000]))
    def snapshot(self, change: int) -> None:
        self.cash += change
        bills = [bill for bill in self.books.values() if bill.open_cents > 0]
        self._try("sync", lambda: self.desk.sync(*bills, cash=self.cash))

    @rule(bill=_bills, more=st.sampled_from([-500, 700]))
    def change_bill(self, bill: int, more: int) -> None:
        chosen = self._pick(bill, "staged", "decided", "batched")
        known = self.books[chosen]
        if known.open_cents + more > 0:
            self.books[chosen] = changed(
                known, open_cents=known.open_cents + more, total_cents=known.total_cents + more
            )

    @rule(bill=_bills)
    def person_pays_in_qbo(self, bill: int) -> None:
        chosen = self._pick(bill, "decided", "scheduled", "batched")
        self.cash -= self.books[chosen].open_cents
        self.books[chosen] = changed(self.books[chosen], open_cents=0)

    @rule(by=st.sampled_from(["fin", "oli", "dan"]), most=st.integers(1, 5))
    def finalize(self, by: str, most: int) -> None:
        self._try("finalize", lambda: self._finalize_ready(by=by, most=most))

    def _finalize_ready(self, *, by: str, most: int) -> None:
        with self.desk.ledger.look(self.desk.tenant) as look:
            ids = [item.decision["decision_id"] for item in ready_to_finalize(look)][:most]
        finalize(self.desk.ledger, self.desk.tenant, by=by, decision_ids=ids, request_key=self.desk.key())

    @rule()
    def finalize_what_came_due(self) -> None:
        for batch in self.desk.rows(BATCH, BATCH.c.state == "open"):
            wanted = {"by": "fin", "batch_id": batch["batch_id"], "request_key": self.desk.key()}
            self._try("finalize due", lambda wanted=wanted: finalize_open(self.desk.ledger, self.desk.tenant, **wanted))

    @rule(
        fates=st.lists(
            st.sampled_from(["landed", "landed", "refused", "lost", "landed unseen"]), min_size=1, max_size=5
        )
    )
    def run_a_batch(self, fates: list[str]) -> None:
        due = self.desk.rows(BATCH, BATCH.c.state.in_(["finalized", "waiting"]))
        if not due:
            return
        ledger, tenant, batch = self.desk.ledger, self.desk.tenant, due[0]["batch_id"]
        with ledger.look(tenant) as look:
            verify_seal(look, batch)
        generation = claim(ledger, tenant, batch)
        self.desk.later(seconds=1)
        for number, intent in enumerate(self.desk.rows(INTENT, INTENT.c.batch_id == batch)):
            self._run(intent, fates[number % len(fates)], generation=generation)
        close(ledger, tenant, batch)
        self.counts["run"] += 1

    def _run(self, intent: Row, fate: str, *, generation: int) -> None:
        ledger, tenant = self.desk.ledger, self.desk.tenant
        if intent["state"] == "unknown":
            found = [one for one in self.remote if one.doc_number == intent["doc_number"]]
            if found:
                answer(ledger, tenant, intent["intent_id"], outcome="landed", remote_id=found[0].remote_id)
                return
        if not send(ledger, tenant, intent["intent_id"], generation=generation):
            return
        if fate.startswith("landed"):
            remote_id = str(100 + len(self.remote))
            self.remote.append(remote(intent, remote_id))
            self.cash -= intent["amount_cents"]
            known = self.books[intent["bill_set"]]
            self.books[intent["bill_set"]] = changed(
                known, open_cents=max(known.open_cents - intent["amount_cents"], 0)
            )
        outcome = {"landed": "landed", "refused": "refused" if intent["attempts"] == 0 else "unknown"}.get(
            fate, "unknown"
        )
        answer(
            ledger, tenant, intent["intent_id"], outcome=outcome, remote_id=remote_id if outcome == "landed" else None
        )
        self.counts[fate] += 1

    @rule(hours=st.sampled_from([1, 3, 20, 80]))
    def advance_clock(self, hours: int) -> None:
        self.desk.later(hours=hours)
        self._try("day", self.desk.pass_day)

    @rule()
    def a_new_day_with_fresh_books(self) -> None:
        self.desk.later(hours=24)
        self.desk.sync(*(bill for bill in self.books.values() if bill.open_cents > 0), cash=self.cash)
        self._try("day", self.desk.pass_day)

    @rule()
    def confirm_overrides(self) -> None:
        with self.desk.ledger.look(self.desk.tenant) as look:
            waiting = unconfirmed(look)
        for row in waiting:
            wanted = {"by": "oli", "break_glass_id": row["break_glass_id"]}
            self._try("confirm", lambda wanted=wanted: confirm_override(self.desk.ledger, self.desk.tenant, **wanted))

    @rule()
    def resolve_shortfall(self) -> None:
        wanted = {"by": "oli", "account_id": CHECKING, "resolution": "a deposit came"}
        self._try("resolve", lambda: resolve_shortfall(self.desk.ledger, self.desk.tenant, **wanted))

    @invariant()
    def all_invariants_hold(self) -> None:
        self.counts["step"] += 1
        seen = (self.watcher.execute("PRAGMA data_version").fetchone()[0], len(self.remote))
        if seen == self.checked:
            return  # nobody has written since
        with self.desk.ledger.look(self.desk.tenant) as look:
            broken = broken_invariants(look, remote=self.remote)
        assert not broken, "; ".join(map(str, broken))
        self.counts["checked"] += 1
        self.checked = seen

    def _try(self, what: str, do: Any) -> None:
        """A refusal is an answer; anything else is a bug."""
        try:
            do()
            self.counts[what] += 1
        except Refused as refusal:
            self.counts[f"{what}: {type(refusal).__name__}"] += 1
