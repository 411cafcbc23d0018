"""What the database refuses, on both engines: changed history and seals, states out of order, cash that is not there."""

import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, Executable, Insert, Table, delete, insert, text, update
from sqlalchemy.exc import DBAPIError

from payments.store.batch_tables import ATTEMPT, BATCH, BATCH_ITEM, INTENT, INTENT_BILL
from payments.store.bill_tables import APPROVAL, BILL_WORKFLOW, BREAK_GLASS, DECISION, PAYMENT_POLICY
from payments.store.cash_tables import CASH_ACCOUNT, HOLD, RESERVE_MOVEMENT, SHORTFALL
from payments.store.states import MACHINES, may_follow
from payments.store.tables import ALARM, AUDIT, REPLAYED, REQUEST
from resources.clock import FixedClock
from resources.database import Database
from tests.databases import empty
from tests.payments.rows import NOW, ROWS, SEALED, put_all, unguarded
from tests.resources.builders import ACME, BOLT, add_tenants

_ENGINES = ["sqlite", pytest.param("postgres", marks=[pytest.mark.xdist_group("postgres"), pytest.mark.long])]


@pytest.fixture(scope="module", params=_ENGINES)
def ledger(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """Two tenants; the first has one decided, held payment in an open batch. No test leaves a trace, so all share it."""
    if request.param == "sqlite":
        path = tmp_path_factory.mktemp("guards") / "runway.sqlite"
        shutil.copyfile(request.getfixturevalue("migrated_file"), path)
        url = f"sqlite:///{path}"
    else:
        url = request.getfixturevalue("migrated_url")
        empty(url)
    database = Database(url)
    add_tenants(database, FixedClock(NOW), ACME, BOLT)
    put_all(database)
    yield database
    database.close()


class _Undo(Exception):
    """Ends a try without a trace."""


@contextmanager
def _tried(database: Database) -> Iterator[Connection]:
    """A transaction that is always rolled back."""
    with suppress(_Undo), database.write() as connection:
        yield connection
        raise _Undo


def _run(database: Database, *statements: Executable) -> None:
    """Statements after each other, of which nothing stays."""
    with _tried(database) as connection:
        for statement in statements:
            connection.execute(statement)


def _refused(database: Database, *statements: Executable, guard: str) -> None:
    with pytest.raises(DBAPIError, match=guard):
        _run(database, *statements)


def _set(table: Table, **values: Any) -> Executable:
    return update(table).where(table.c.tenant_id == ACME).values(**values)


def _add(table: Table, **overrides: Any) -> Insert:
    return insert(table).values({"tenant_id": ACME, **ROWS[table], **overrides})


def _delete(table: Table) -> Executable:
    return delete(table).where(table.c.tenant_id == ACME)


def test_history_is_only_added_to(ledger: Database) -> None:
    for table, column in (
        (AUDIT, "actor"),
        (DECISION, "decided_by"),
        (PAYMENT_POLICY, "set_by"),
        (RESERVE_MOVEMENT, "reason"),
        (REQUEST, "verb"),
    ):
        _refused(ledger, _set(table, **{column: "somebody else"}), guard="append-only")


def test_nothing_of_the_ledger_is_deleted(ledger: Database) -> None:
    for table in (*REPLAYED, AUDIT):
        if table is not BATCH_ITEM:
            _refused(ledger, _delete(table), guard=r"append-only|never deleted")


@pytest.mark.parametrize("ledger", _ENGINES[1:], indirect=True)
def test_nothing_of_the_ledger_is_truncated(ledger: Database) -> None:
    for table in (AUDIT, DECISION, HOLD, INTENT):
        _refused(ledger, text(f"TRUNCATE {table.name} CASCADE"), guard=r"append-only|never deleted")


@pytest.mark.parametrize("ledger", ["sqlite"], indirect=True)
def test_no_row_is_replaced_unseen(ledger: Database) -> None:
    """INSERT OR REPLACE deletes the earlier row without firing a DELETE trigger."""
    for table in (*REPLAYED, AUDIT):
        replacing = insert(table).prefix_with("OR REPLACE").values({"tenant_id": ACME, **ROWS[table]})
        _refused(ledger, replacing, guard=r"append-only|exists already")


@pytest.mark.parametrize("ledger", ["sqlite"], indirect=True)
def test_no_row_is_replaced_by_one_of_another_key(ledger: Database) -> None:
    """Whatever is there once is replaced by its like, not only by its namesake: a hold by another of its bill."""
    for table, other in (
        (APPROVAL, {"approval_id": "a9"}),
        (HOLD, {"hold_id": "h9"}),
        (HOLD, {"hold_id": "h9", "decision_id": None, "state": "soft", "expires_at": NOW}),
        (INTENT, {"intent_id": "i9"}),
        (DECISION, {"decision_id": "d9"}),
        (BILL_WORKFLOW, {"cycle": 9}),
        (ALARM, {"alarm_id": "l9"}),
    ):
        _refused(ledger, _add(table, **other).prefix_with("OR REPLACE"), guard="exists already")


def test_the_key_of_a_row_never_changes(ledger: Database) -> None:
    for table in REPLAYED:
        for name in (column.name for column in table.primary_key if column.name != "tenant_id"):
            other = 99 if isinstance(ROWS[table][name], int) else "other"
            _refused(ledger, _set(table, **{name: other}), guard=r"never changes|append-only")


@pytest.mark.parametrize("table", [BILL_WORKFLOW, HOLD, INTENT, BATCH], ids=str)
def test_the_database_allows_exactly_the_transitions_of_the_state_machines(ledger: Database, table: Table) -> None:
    """Each pair of states is tried; the rest of the row is made to fit the state, so that only the order can be wrong."""
    machine = MACHINES[table.name]
    wrong = []
    for before in machine:
        with _tried(ledger) as connection:
            _past_the_guards(connection, table, {"state": before, **_FITTING[table](before)})
            wrong += [
                f"{before} -> {after}"
                for after in machine
                if after != before and _accepts(connection, table, before, after) != may_follow(machine, before, after)
            ]
    assert wrong == []


#: What else a row in a state has to say.
_FITTING: dict[Table, Callable[[str], dict[str, Any]]] = {
    BILL_WORKFLOW: lambda state: {
        "ended_at": NOW if not MACHINES["bill_workflow"][state] else None,
        "wake_on": NOW.date() if state == "delayed" else None,
    },
    HOLD: lambda state: {
        "expires_at": NOW if state == "soft" else None,
        "void_because": "x" if state == "void" else None,
        "recorded_at": NOW if state in {"posted", "reflected"} else None,
        "reflected_by": "s1" if state == "reflected" else None,
    },
    BATCH: lambda state: {
        **({} if state == "open" else {key: value for key, value in SEALED.items() if key != "state"}),
        "not_before": NOW if state == "waiting" else None,
        "settled_at": NOW if state.startswith("settled") else None,
    },
    INTENT: lambda state: {"remote_id": "9" if state == "paid" else None, "attempts": 3, "sent_at": NOW},
}
_OUT_OF_ORDER = re.compile("cannot follow|is closed|final intent")


def _accepts(connection: Connection, table: Table, before: str, after: str) -> bool:
    changes = {"state": after, **_FITTING[table](after)}
    if table is INTENT:
        changes["attempts"] = 3 + (after == "sent")
    if table is BATCH and after == "claimed":
        changes |= {"generation": 7, "holder": "run 7"}
    trial = connection.begin_nested()
    try:
        connection.execute(_set(table, **changes))
    except DBAPIError as error:
        # That its money is not instructed is another guard's matter.
        return _OUT_OF_ORDER.search(str(error)) is None
    finally:
        trial.rollback()
    return True


def _past_the_guards(connection: Connection, table: Table, values: dict[str, Any]) -> None:
    """Bring the row into a state from which to try, as many steps would have."""
    with unguarded(connection, table):
        connection.execute(_set(table, **values))


def test_what_a_row_is_about_never_changes(ledger: Database) -> None:
    for table, column, value in (
        (HOLD, "amount_cents", 1),
        (HOLD, "account_id", "36"),
        (APPROVAL, "approved_by", "bob"),
        (BILL_WORKFLOW, "vendor_id", "v2"),
        (BREAK_GLASS, "reason", "no reason at all"),
        (INTENT, "body", b"other"),
        (INTENT, "amount_cents", 1),
        (INTENT, "request_id", "r9"),
        (INTENT_BILL, "hold_id", "h9"),
        (BATCH, "account_id", "36"),
        (ATTEMPT, "sent_at", NOW + timedelta(days=1)),
        (ALARM, "kind", "nothing"),
    ):
        _refused(ledger, _set(table, **{column: value}), guard="never changes")


def test_what_is_closed_stays_closed(ledger: Database) -> None:
    voided = _set(APPROVAL, voided_at=NOW, void_because="changed")
    _refused(ledger, voided, _set(APPROVAL, void_because="another reason"), guard="closed")
    _refused(ledger, _set(SHORTFALL, resolution="another one"), guard="closed")
    answered = _set(ATTEMPT, outcome="landed", answered_at=NOW)
    _refused(ledger, answered, _set(ATTEMPT, outcome="refused"), guard="closed")
    _refused(ledger, _set(INTENT_BILL, live=0), _set(INTENT_BILL, live=1), guard="closed")


def test_a_finalized_batch_never_changes(ledger: Database) -> None:
    sealed = _set(BATCH, **SEALED)
    for column, value in (("total_cents", 1), ("item_count", 2), ("seal", "other"), ("finalized_by", "bob")):
        _refused(ledger, sealed, _set(BATCH, **{column: value}), guard="never changes")
    for added in (
        _add(BATCH_ITEM, decision_id="d9"),
        _add(INTENT, intent_id="i9", request_id="r9", doc_number="RW-9", ordinal=9),
        _add(INTENT_BILL, bill_id="b9"),
    ):
        _refused(ledger, sealed, added, guard="never changes")
    _refused(ledger, sealed, _delete(BATCH_ITEM), guard="never changes")


def test_a_seal_states_the_items_that_are_there(ledger: Database) -> None:
    _refused(ledger, _set(BATCH, **{**SEALED, "item_count": 2}), guard="count and total")
    _refused(ledger, _set(BATCH, **{**SEALED, "total_cents": 12_501}), guard="count and total")


def test_each_claim_has_a_new_generation(ledger: Database) -> None:
    sealed, claimed = _set(BATCH, **SEALED), _set(BATCH, state="claimed", generation=1, holder="one")
    _refused(ledger, sealed, _set(BATCH, state="claimed", holder="run"), guard="new generation")
    _refused(ledger, sealed, claimed, _set(BATCH, holder="two"), guard="new generation")
    _refused(ledger, sealed, claimed, _set(BATCH, generation=0), guard="new generation")
    _run(ledger, sealed, claimed, _set(BATCH, generation=2, holder="two"))


def test_only_the_run_that_has_the_batch_sends(ledger: Database) -> None:
    sealed, claimed = _set(BATCH, **SEALED), _set(BATCH, state="claimed", generation=1, holder="one")
    taken = _set(BATCH, generation=2, holder="two")

    def sent(generation: int) -> Executable:
        return _add(ATTEMPT, number=2, generation=generation)

    _refused(ledger, sent(0), guard="has the batch now")
    _refused(ledger, sealed, sent(0), guard="has the batch now")
    _run(ledger, sealed, claimed, sent(1))
    for stale in (0, 1, 3):
        _refused(ledger, sealed, claimed, taken, sent(stale), guard="has the batch now")
    _run(ledger, sealed, claimed, taken, sent(2))
    parked = _set(BATCH, state="waiting", not_before=NOW), _set(BATCH, state="settled", settled_at=NOW)
    for over in parked:
        _refused(ledger, sealed, claimed, over, sent(1), guard="has the batch now")


def test_a_person_makes_the_payment_file_of_a_batch_that_no_run_has(ledger: Database) -> None:
    """The claimed run makes room for the person; still nobody sends for an earlier generation, or once the batch is settled."""
    made = _add(INTENT, intent_id="i3", leg="rail", rail="nacha_file", request_id="r3", doc_number="RW-3")
    sealed, claimed = _set(BATCH, **SEALED), _set(BATCH, state="claimed", generation=1, holder="one")
    waiting = _set(BATCH, state="waiting", not_before=NOW)

    def sent(generation: int) -> Executable:
        return _add(ATTEMPT, intent_id="i3", generation=generation)

    _run(ledger, made, sealed, sent(0))
    _run(ledger, made, sealed, claimed, waiting, sent(1))
    _refused(ledger, made, sealed, claimed, waiting, sent(0), guard="has the batch now")
    settled = _set(BATCH, state="settled", settled_at=NOW)
    _refused(ledger, made, sealed, claimed, settled, sent(1), guard="has the batch now")


def _second(**overrides: Any) -> Executable:
    return _add(DECISION, decision_id="d2", number=2, request_key="k2", **overrides)


def test_a_decision_is_about_the_bill_as_it_is(ledger: Database) -> None:
    _refused(ledger, _second(fingerprint="f0"), guard="content that its bill has now")
    _refused(ledger, _second(fingerprint="f0", break_glass_id="x1"), guard="content that its bill has now")
    _refused(ledger, _set(BILL_WORKFLOW, fingerprint="f2"), _second(), guard="content that its bill has now")
    _run(ledger, _set(BILL_WORKFLOW, fingerprint="f2"), _second(fingerprint="f2"))


def test_a_payment_is_decided_with_an_approval_or_by_an_override(ledger: Database) -> None:
    _refused(ledger, _second(approvals=[]), guard="with an approval")
    _run(ledger, _second(approvals=[], break_glass_id="x1"))
    put_off = {"ruling": "delay", "account_id": None, "pay_on": None, "wake_on": NOW.date()}
    _run(ledger, _second(approvals=[], **put_off))


@pytest.mark.parametrize(
    ("state", "ruling", "other"), [("decided", "pay_now", "schedule"), ("scheduled", "schedule", "pay_now")]
)
def test_a_bill_is_decided_together_with_its_money(ledger: Database, state: str, ruling: str, other: str) -> None:
    bill = _add(BILL_WORKFLOW, bill_id="b2", state="staged")
    one = {"bill_id": "b2", "decision_id": "d2", "request_key": "k2"}
    held = _add(HOLD, bill_id="b2", hold_id="h2", decision_id="d2")
    voided = update(HOLD).where(HOLD.c.hold_id == "h2").values(state="void", void_because="x")
    newer = _add(DECISION, **one | {"decision_id": "d3", "request_key": "k3"}, number=2, ruling=ruling)
    decided = update(BILL_WORKFLOW).where(BILL_WORKFLOW.c.bill_id == "b2").values(state=state)
    guard = "hold of its newest decision"
    _refused(ledger, bill, decided, guard=guard)
    _refused(ledger, bill, _add(DECISION, ruling=ruling, **one), decided, guard=guard)
    _refused(ledger, bill, _add(DECISION, ruling=other, **one), held, decided, guard=guard)
    _refused(ledger, bill, _add(DECISION, ruling=ruling, **one), held, voided, decided, guard=guard)
    _refused(ledger, bill, _add(DECISION, ruling=ruling, **one), held, newer, decided, guard=guard)
    _run(ledger, bill, _add(DECISION, ruling=ruling, **one), held, decided)


def test_an_intent_counts_each_send_and_what_is_final_stays(ledger: Database) -> None:
    _refused(ledger, _set(INTENT, state="sent"), guard=r"is counted|attempts")
    _refused(ledger, _set(INTENT, state="sent", attempts=2, sent_at=NOW), guard="is counted")
    paid = _set(INTENT, state="sent", attempts=1, sent_at=NOW), _set(INTENT, state="paid", remote_id="9")
    _refused(ledger, *paid, _set(INTENT, remote_id="10"), guard="final intent")


def test_a_hold_keeps_its_money_while_the_fate_of_its_payment_is_open(ledger: Database) -> None:
    sent, voided = (
        _set(INTENT, state="sent", attempts=1, sent_at=NOW),
        _set(HOLD, state="void", void_because="too long"),
    )
    _refused(ledger, sent, voided, guard="fate of a payment")
    for fate in ("unknown", "needs_review"):
        _refused(ledger, sent, _set(INTENT, state=fate), voided, guard="fate of a payment")
    _run(ledger, sent, _set(INTENT, state="refused"), voided)


def test_the_database_itself_refuses_what_does_not_fit_into_free_cash(ledger: Database) -> None:
    """80,000 are above the floor, 12,500 held, 1,000 reserved: 66,500 are free."""
    bill = _add(BILL_WORKFLOW, bill_id="b2")
    decisions = [
        _add(DECISION, decision_id=f"d{cents}", number=cents, request_key=f"k{cents}", bill_id="b2", amount_cents=cents)
        for cents in (66_500, 66_501)
    ]

    def held(cents: int, **overrides: Any) -> Executable:
        return _add(HOLD, hold_id="h2", decision_id=f"d{cents}", amount_cents=cents, bill_id="b2", **overrides)

    _refused(ledger, bill, *decisions, held(66_501), guard="does not fit")
    harden = update(HOLD).where(HOLD.c.hold_id == "h2").values(state="pending", expires_at=None)
    _refused(ledger, bill, *decisions, held(66_501, state="soft", expires_at=NOW), harden, guard="does not fit")
    soft = {"state": "soft", "expires_at": NOW}
    for about, is_of_cash in (("limits", False), ("cash", True)):
        glass = _add(BREAK_GLASS, break_glass_id="x2", overrides=[[about, 'a quoted ["cash", is no override of it']])
        for taken in (
            [held(66_501, break_glass_id="x2")],
            [held(66_501, break_glass_id="x2", **soft), harden],
        ):
            if is_of_cash:
                _run(ledger, bill, *decisions, glass, *taken)
            else:
                _refused(ledger, bill, *decisions, glass, *taken, guard="does not fit")
    _run(ledger, bill, *decisions, held(66_500))
    more = _add(RESERVE_MOVEMENT, number=2, signed_cents=1)
    _refused(ledger, bill, *decisions, held(66_500), more, guard="does not fit")
    short = _add(SHORTFALL, shortfall_id="s2", resolved_by=None, resolved_at=None, resolution=None)
    _refused(ledger, bill, *decisions, short, held(66_500), guard="does not fit")
    _refused(ledger, bill, *decisions, _set(CASH_ACCOUNT, is_cash=0), held(66_500), guard="does not fit")


def test_a_book_entry_becomes_ready_only_when_its_money_is_instructed(ledger: Database) -> None:
    rail = {"intent_id": "i3", "leg": "rail", "request_id": "r3", "doc_number": "RW-3"}
    book = {
        "intent_id": "i4",
        "leg": "book",
        "request_id": "r4",
        "doc_number": "RW-4",
        "ordinal": 2,
        "state": "waiting",
    }
    made = [_set(INTENT_BILL, live=0)]
    for intent in (rail, book):
        made.append(_add(INTENT, rail="nacha_file", **intent))
        made.append(_add(INTENT_BILL, intent_id=intent["intent_id"], leg=intent["leg"]))
    ready = update(INTENT).where(INTENT.c.intent_id == "i4").values(state="ready")
    _refused(ledger, *made, ready, guard="not instructed")
    _run(ledger, *made, update(INTENT).where(INTENT.c.intent_id == "i3").values(instructed_at=NOW), ready)
