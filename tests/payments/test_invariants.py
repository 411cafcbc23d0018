"""The checker is checked: whatever one invariant forbids is found under its name, and a ledger that did nothing wrong has none.

Each wrong is done past the guards, in a transaction that is undone. The log notices all of them (I14); what counts is who else
does.
"""

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Executable, Table, func, insert, select, text, update

from payments.bills.postponing import withdraw
from payments.cash.reserves import allocate, open_reserve
from payments.controls.policies import ApprovalRule
from payments.store.batch_tables import ATTEMPT, BATCH, BATCH_ITEM, INTENT, INTENT_BILL
from payments.store.bill_tables import APPROVAL, BILL_WORKFLOW, BREAK_GLASS, DECISION, PAYMENT_POLICY
from payments.store.cash_tables import CASH_ACCOUNT, HOLD, RESERVE_MOVEMENT
from payments.store.invariants import RemotePayment, broken_invariants
from payments.store.repository import Look, Row
from payments.store.tables import ALARM, AUDIT, REPLAYED
from resources.clock import FixedClock
from resources.database import Database
from resources.registry import TenantRegistry
from resources.row_security import see_tenant
from tests.conftest import FRIDAY_MORNING
from tests.payments.desk import CHECKING, Desk, make_bill
from tests.payments.rows import NOW, ROWS, unguarded
from tests.payments.stand_in_run import answer, claim, close, remote, send
from tests.resources.builders import ACME, BOLT

_HISTORY = "I14 history"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scene:
    """A desk on which a payment is in each stage: b1 paid, b2 unknown, b3 sealed, b4 decided, b5 scheduled, b6 withdrawn.

    b7 is decided by an override of cash.
    """

    desk: Desk
    #: What the books have.
    remote: tuple[RemotePayment, ...]

    def row(self, table: Table, bill_id: str) -> Row:
        """The row of a bill; of holds the one of its decision, not that of the proposal."""
        if table in (INTENT, BATCH):
            (line,) = self.desk.rows(INTENT_BILL, INTENT_BILL.c.bill_id == bill_id)
            (intent,) = self.desk.rows(INTENT, INTENT.c.intent_id == line["intent_id"])
            return intent if table is INTENT else self.desk.rows(BATCH, BATCH.c.batch_id == intent["batch_id"])[0]
        found = self.desk.rows(table, table.c.bill_id == bill_id)
        (one,) = (row for row in found if table is not HOLD or row["decision_id"])
        return one

    def set(self, table: Table, bill_id: str, **values: Any) -> Executable:
        """Change such a row, past everything."""
        row = self.row(table, bill_id)
        keys = [column == row[column.name] for column in table.primary_key]
        return update(table).where(*keys).values(**values)

    def record(self, bill_id: str, remote_id: str = "77", **changes: Any) -> RemotePayment:
        """A payment of that number in the books."""
        return replace(remote(self.row(INTENT, bill_id), remote_id), **changes)


@pytest.fixture(scope="module")
def scene(desk_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[_Scene]:
    """No test leaves a trace, so all share it."""
    path = tmp_path_factory.mktemp("invariants") / "runway.sqlite"
    shutil.copyfile(desk_file, path)
    database = Database(f"sqlite:///{path}")
    desk = Desk(database, FixedClock(FRIDAY_MORNING), register=False)
    bills = [*(make_bill(f"b{number}") for number in range(1, 7)), make_bill("b7", open_cents=60_000)]
    desk.sync(*bills)
    desk.ready(*(f"b{number}" for number in range(1, 8)))
    reserve = open_reserve(desk.ledger, ACME, by="dan", kind="tax", name="Tax", account_id=CHECKING)
    wanted = {"reserve_id": reserve, "amount_cents": 500, "reason": "quarter", "request_key": desk.key()}
    allocate(desk.ledger, ACME, by="dan", **wanted)
    batch = desk.finalize(desk.pay_now("b1"), desk.pay_now("b2")).batch_id
    desk.finalize(desk.pay_now("b3"))
    desk.pay_now("b4")
    desk.schedule("b5")
    desk.pay_now("b6")
    withdraw(desk.ledger, ACME, by="dan", bill_id="b6", reason="wrong company", request_key=desk.key())
    desk.pay_now("b7", override="the supplier stops tomorrow")
    desk.sync(*bills, cash=150_000)
    ready = _Scene(desk=desk, remote=())
    paid, lost = ready.row(INTENT, "b1"), ready.row(INTENT, "b2")["intent_id"]
    first = claim(desk.ledger, ACME, batch)
    assert send(desk.ledger, ACME, paid["intent_id"], generation=first)
    answer(desk.ledger, ACME, paid["intent_id"], outcome="landed", remote_id="101")
    assert send(desk.ledger, ACME, lost, generation=first)
    answer(desk.ledger, ACME, lost, outcome="unknown")
    close(desk.ledger, ACME, batch)
    assert send(desk.ledger, ACME, lost, generation=claim(desk.ledger, ACME, batch))
    answer(desk.ledger, ACME, lost, outcome="unknown")
    close(desk.ledger, ACME, batch)
    registry = TenantRegistry(database, clock=desk.clock)
    registry.add_tenant(BOLT, firm_id="north-books", name="Bolt", zone="Europe/London")
    yield replace(ready, remote=(remote(paid, "101"),))
    database.close()


class _Undo(Exception):
    """Ends a try without a trace."""


def _found(
    scene: _Scene,
    *statements: Executable,
    books: Sequence[RemotePayment] | None = None,
    look: Callable[..., Look] = Look,
) -> set[str]:
    """The names of what is broken once these statements were carried out."""
    names: set[str] = set()
    with suppress(_Undo), scene.desk.database.write() as connection:
        see_tenant(connection, ACME)
        with unguarded(connection, *REPLAYED, AUDIT):
            for statement in statements:
                connection.execute(statement)
        told = look(connection, ACME, now=scene.desk.clock.now())
        names |= {one.invariant for one in broken_invariants(told, remote=scene.remote if books is None else books)}
        raise _Undo
    return names


def test_a_ledger_that_did_nothing_wrong_breaks_nothing(scene: _Scene) -> None:
    assert _found(scene) == set()


_Books = Callable[[_Scene], list[RemotePayment]]
_OF_THE_BOOKS: dict[str, tuple[str, _Books]] = {
    "two records of one payment": (
        "I1 at most once",
        lambda scene: [*scene.remote, scene.record("b2", "77"), scene.record("b2", "78")],
    ),
    "a record of no payment": ("I2 no orphan", lambda scene: [*scene.remote, scene.record("b2", doc_number="RW-0")]),
    "a record of another amount": ("I2 no orphan", lambda scene: [*scene.remote, scene.record("b2", amount_cents=1)]),
    "paid, and no record": ("I3 paid is true", lambda _: []),
    "paid, and another record": ("I3 paid is true", lambda scene: [scene.record("b1", "102")]),
    "never sent, and a record": ("I4 ready is clean", lambda scene: [*scene.remote, scene.record("b3")]),
}


@pytest.mark.parametrize("wrong", _OF_THE_BOOKS)
def test_what_the_books_have_is_compared_with_what_was_sent(scene: _Scene, wrong: str) -> None:
    name, books = _OF_THE_BOOKS[wrong]
    assert _found(scene, books=books(scene)) == {name}


def _copied(scene: _Scene, table: Table, bill_id: str, **values: Any) -> Executable:
    return insert(table).values({**scene.row(table, bill_id), **values})


def _attempts(scene: _Scene, bill_id: str, number: int, **values: Any) -> Executable:
    mine = ATTEMPT.c.intent_id == scene.row(INTENT, bill_id)["intent_id"], ATTEMPT.c.number == number
    return update(ATTEMPT).where(*mine).values(**values)


def _two_approvals_asked() -> Executable:
    rule = asdict(ApprovalRule(approvals=2))
    return insert(PAYMENT_POLICY).values({"tenant_id": ACME, **ROWS[PAYMENT_POLICY], "rules": [rule]})


def _left_pending(scene: _Scene, bill_id: str) -> Executable:
    """The log tells once more that a hold left `pending`."""
    newest = scene.desk.rows(AUDIT)[-1]
    name = f"hold/{scene.row(HOLD, bill_id)['hold_id']}"
    told = {
        "number": newest["number"] + 1,
        "before": {name: {"state": "pending"}},
        "after": {name: {"state": "posted"}},
    }
    return insert(AUDIT).values({**newest, **told})


def _overdrawn(scene: _Scene) -> Executable:
    movement = scene.desk.rows(RESERVE_MOVEMENT)[0]
    return insert(RESERVE_MOVEMENT).values({**movement, "number": 2, "kind": "release", "signed_cents": -501})


def _second_payment(scene: _Scene) -> Executable:
    """The sealed payment pays the bill whose payment is unknown as well."""
    other = scene.row(INTENT, "b3")["intent_id"]
    return _copied(scene, INTENT_BILL, "b2", intent_id=other)


_Wrong = Callable[[_Scene], list[Executable]]
_OF_THE_TABLES: dict[str, tuple[str, _Wrong]] = {
    "more to start from than is there": ("I5 reserve", lambda _: [update(CASH_ACCOUNT).values(basis_cents=150_001)]),
    "more set aside than there is": ("I5 reserve", lambda _: [update(CASH_ACCOUNT).values(basis_cents=1)]),
    "overridden by more than was missing": (
        "I5 reserve",
        lambda _: [update(BREAK_GLASS).values(missing_cents=BREAK_GLASS.c.missing_cents + 1)],
    ),
    "a reserve overdrawn": ("I5 reserve", lambda scene: [_overdrawn(scene)]),
    "decided, and the hold is none of a decision that stands": (
        "I6 hold and decision",
        lambda scene: [scene.set(HOLD, "b4", state="void", void_because="x")],
    ),
    "scheduled without a hold": (
        "I6 hold and decision",
        lambda scene: [scene.set(HOLD, "b5", state="void", void_because="x")],
    ),
    "paid without a hold": (
        "I6 hold and decision",
        lambda scene: [scene.set(HOLD, "b1", state="void", void_because="x", recorded_at=None)],
    ),
    "held less than was decided": ("I6 hold and decision", lambda scene: [scene.set(HOLD, "b4", amount_cents=9_999)]),
    "held twice": (
        "I6 hold and decision",
        lambda scene: [
            text("DROP INDEX uq_hold_live_bill"),
            text("DROP INDEX uq_hold_tenant_id_decision_id"),
            _copied(scene, HOLD, "b4", hold_id="h9"),
        ],
    ),
    "nothing decided, and still held": (
        "I6 hold and decision",
        lambda scene: [scene.set(BILL_WORKFLOW, "b4", state="staged")],
    ),
    "held for an earlier decision": (
        "I6 hold and decision",
        lambda scene: [_copied(scene, DECISION, "b4", decision_id="d9", number=2, request_key="k9")],
    ),
    "more held than was ever decided": ("I7 resolve once", lambda scene: [scene.set(HOLD, "b6", amount_cents=10_001)]),
    "resolved twice": ("I7 resolve once", lambda scene: [_left_pending(scene, "b1")]),
    "two live payments of a bill": (
        "I8 one live payment",
        lambda scene: [text("DROP INDEX uq_intent_bill_live"), _second_payment(scene)],
    ),
    "a live payment that was voided": ("I8 one live payment", lambda scene: [scene.set(INTENT, "b3", state="void")]),
    "recorded before its money was instructed": (
        "I8 one live payment",
        lambda scene: [scene.set(INTENT, "b3", rail="nacha_file")],
    ),
    "unclear, and its money is let go": (
        "I9 unknown keeps",
        lambda scene: [scene.set(HOLD, "b2", state="posted", recorded_at=NOW)],
    ),
    "another amount than was sealed": ("I10 sealed", lambda _: [update(BATCH_ITEM).values(amount_cents=9_999)]),
    "another seal": ("I10 sealed", lambda scene: [scene.set(BATCH, "b3", seal="other")]),
    "payments of an open batch": ("I10 sealed", lambda scene: [scene.set(BATCH, "b3", state="open")]),
    "sent by a run that never was": ("I11 fence", lambda scene: [_attempts(scene, "b2", 2, generation=3)]),
    "sent by an earlier run after a later one": (
        "I11 fence",
        lambda scene: [_attempts(scene, "b2", 1, generation=2), _attempts(scene, "b2", 2, generation=1)],
    ),
    "sent more often than counted": ("I11 fence", lambda scene: [scene.set(INTENT, "b2", attempts=1)]),
    "decided without an approval": ("I12 authority", lambda scene: [scene.set(DECISION, "b4", approvals=[])]),
    "approved with other content": ("I12 authority", lambda scene: [scene.set(APPROVAL, "b4", fingerprint="other")]),
    "decided by its approver": ("I12 authority", lambda scene: [scene.set(DECISION, "b4", decided_by="amy")]),
    "finalized by its approver": ("I12 authority", lambda scene: [scene.set(BATCH, "b3", finalized_by="amy")]),
    "finalized by its decider": ("I12 authority", lambda scene: [scene.set(BATCH, "b3", finalized_by="dan")]),
    "decided with fewer approvals than were asked for": (
        "I12 authority",
        lambda scene: [_two_approvals_asked(), scene.set(DECISION, "b4", policy_version=1)],
    ),
    "finalized with fewer approvals than are asked for by now": (
        "I12 authority",
        lambda scene: [_two_approvals_asked(), scene.set(BATCH, "b3", policy_version=1)],
    ),
    "finalized once its approval was void": (
        "I12 authority",
        lambda scene: [scene.set(APPROVAL, "b3", voided_at=FRIDAY_MORNING, void_because="taken back")],
    ),
    "finalized by nobody, above the limit": ("I12 authority", lambda scene: [scene.set(BATCH, "b3", origin="due")]),
    "changed after it was decided": (
        "I13 content",
        lambda scene: [scene.set(BILL_WORKFLOW, "b4", fingerprint="other")],
    ),
    "changed after it was scheduled": (
        "I13 content",
        lambda scene: [scene.set(BILL_WORKFLOW, "b5", fingerprint="other")],
    ),
    "changed while its payment is unclear": (
        "I13 content",
        lambda scene: [scene.set(BILL_WORKFLOW, "b2", fingerprint="other")],
    ),
}


@pytest.mark.parametrize("wrong", _OF_THE_TABLES)
def test_a_wrong_is_found_under_its_own_name_and_in_the_log(scene: _Scene, wrong: str) -> None:
    name, statements = _OF_THE_TABLES[wrong]
    assert _found(scene, *statements(scene)) == {name, _HISTORY}


def test_what_is_paid_together_above_the_limit_took_three_people(bare_desk: Desk) -> None:
    desk = bare_desk
    desk.policy(group_by_vendor=True, separation_above_cents=10_000)
    desk.sync(*(make_bill(bill, open_cents=6_000, vendor_id="v9", vendor_name="Paper Mill") for bill in ("c1", "c2")))
    desk.ready("c1", "c2")
    desk.finalize(desk.pay_now("c1"), desk.pay_now("c2"))
    together = _Scene(desk=desk, remote=())
    assert _found(together) == set()
    assert _found(together, together.set(BATCH, "c1", finalized_by="dan")) == {"I12 authority", _HISTORY}
    assert _found(together, together.set(DECISION, "c1", decided_by="amy")) == {"I12 authority", _HISTORY}


def test_the_log_alone_tells_of_a_change_that_breaks_nothing_else(scene: _Scene) -> None:
    assert _found(scene, scene.set(BILL_WORKFLOW, "b4", vendor_name="Another")) == {_HISTORY}
    first = select(func.min(AUDIT.c.number)).where(AUDIT.c.tenant_id == ACME).scalar_subquery()
    assert _found(scene, update(AUDIT).where(AUDIT.c.number == first).values(actor="nobody")) == {_HISTORY}


class _Careless(Look):
    """A program that forgets the tenant in its questions about alarms."""

    def many(self, table: Any, *conditions: Any, **more: Any) -> list[Row]:
        """Everybody's alarms, the tenant's other rows."""
        if table is ALARM:
            return [dict(row) for row in self._connection.execute(select(ALARM)).mappings()]
        return super().many(table, *conditions, **more)


def test_rows_of_another_tenant_are_noticed(scene: _Scene) -> None:
    theirs = insert(ALARM).values({"tenant_id": BOLT, **ROWS[ALARM]})
    assert _found(scene, theirs) == set()
    assert _found(scene, theirs, look=_Careless) == {"I15 tenants", _HISTORY}
