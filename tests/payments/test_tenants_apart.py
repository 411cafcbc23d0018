"""Two tenants beside each other: every statement binds its tenant, and one tenant's ids mean nothing to the other."""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event, insert, update

from payments.bills.approvals import withdraw_approval
from payments.bills.break_glass import confirm_override, unconfirmed
from payments.bills.postponing import withdraw
from payments.bills.what_if import Supposed, what_if
from payments.cash.free_cash import enter_bank_balance, holders, resolve_shortfall, set_floor
from payments.cash.reserves import allocate, close, open_reserve, release, reserves
from payments.controls.alarms import resolve_alarm
from payments.controls.payees import BankDetails, confirm_payee, payees, propose_payee
from payments.controls.people import MAY, grant, reactivate, revoke, roles_of
from payments.errors import NotAllowed, Refused, UnknownHere
from payments.sending.batches import ready_to_finalize, verify_seal
from payments.sending.runs import MOST_OF_TENANT, due_batches
from payments.store.batch_tables import BATCH, INTENT
from payments.store.invariants import broken_invariants
from payments.store.ledger import Ledger
from payments.store.tables import ALARM, AUDIT, REPLAYED
from resources.registry import TenantRegistry
from resources.row_security import see_tenant
from resources.secret_text import Secret
from resources.token_vault import TokenVault
from tests.cli.test_dry_runs import Shop, dumped
from tests.cli.test_dry_runs import shop as full_shop  # noqa: F401 - the fixture
from tests.payments.desk import CHECKING, PEOPLE, Desk, make_bill
from tests.payments.rows import SEALED
from tests.payments.stand_in_run import answer, claim, send
from tests.payments.stand_in_run import close as close_batch
from tests.payments.verbs import Call, Name, calls
from tests.resources.builders import ACME, BOLT, KEY

_TABLES = {table.name for table in (*REPLAYED, AUDIT)} | {"free_cash", "open_bill", "cash_snapshot", "connection"}


@pytest.fixture
def desks(bare_desk: Desk) -> tuple[Desk, Desk]:
    """Two tenants of one firm with the same people, the same bill ids and the same account ids."""
    registry = TenantRegistry(bare_desk.database, clock=bare_desk.clock)
    registry.add_tenant(BOLT, firm_id="north-books", name="Bolt", zone="Europe/London")
    other = Desk(bare_desk.database, bare_desk.clock, tenant=BOLT, register=False)
    other.people(add=False)
    for desk in (bare_desk, other):
        desk.sync(make_bill("b1"), make_bill("b2"), make_bill("b3"))
        desk.policy(separation_above_cents=5_000)
    return bare_desk, other


@contextmanager
def _traced() -> Iterator[list[tuple[str, Any]]]:
    seen: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, _many: bool) -> None:  # noqa: FBT001 - SQLAlchemy's signature
        seen.append((statement, parameters))

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(Engine, "before_cursor_execute", note)


def _bound(statement: str, parameters: Any) -> set[str]:
    if re.search(r"\btenant_id = (\?|%\()|INSERT INTO", statement) is None:
        return {"nobody"}
    sets = parameters if isinstance(parameters, list) else [parameters]
    values = [set(one.values() if isinstance(one, dict) else one) for one in sets]
    return set().union(*(one & {ACME, BOLT} or {"nobody"} for one in values))


def test_every_statement_of_the_ledger_binds_the_tenant(desks: tuple[Desk, Desk]) -> None:
    desk, other = desks
    other.ready("b1", "b2")
    with _traced() as seen:
        use_everything(desk)
    touching = [
        (statement, parameters)
        for statement, parameters in seen
        if set(re.findall(r"\b(?:FROM|JOIN|INTO|UPDATE)\s+(\w+)", statement)) & _TABLES
    ]
    assert {statement for statement, parameters in touching if _bound(statement, parameters) != {ACME}} == set()
    written = {match for statement, _ in touching for match in re.findall(r"\b(?:INTO|UPDATE)\s+(\w+)", statement)}
    assert {table.name for table in REPLAYED} | {"audit"} <= written | {"vendor_watch"}


def test_the_work_of_one_tenant_changes_nothing_of_the_other(desks: tuple[Desk, Desk]) -> None:
    desk, other = desks
    other.ready("b1")
    other.pay_now("b1")
    before = {table.name: other.rows(table) for table in (*REPLAYED, AUDIT)}
    use_everything(desk)
    assert {table.name: other.rows(table) for table in (*REPLAYED, AUDIT)} == before


#: Verbs that take no id of the tenant's own: what they name is the firm's, or theirs to say.
_WITHOUT_IDS = {("policies", "set_policy")} | {
    ("people", name) for name in ("grant", "revoke", "deactivate", "reactivate")
}


def test_ids_of_one_tenant_are_unknown_to_the_other(full_shop: Shop) -> None:  # noqa: F811 - the fixture
    """Every verb with the real bill, decision, batch, payment, reserve, account, vendor, override, alarm of another tenant."""
    office = full_shop.office
    registry = TenantRegistry(office.database, clock=office.clock)
    registry.add_tenant(BOLT, firm_id="north-books", name="Bolt", zone="Europe/London")
    desk = Desk(office.database, office.clock, tenant=BOLT, register=False)
    reactivate(office.ledger, by="ada", person_id="art")
    desk.people(add=False)
    desk.sync(make_bill("only-ours"))
    desk.policy(separation_above_cents=10**9, rail="nacha_file")
    tries = {name: one for name, one in calls(full_shop, BOLT).items() if name not in _WITHOUT_IDS}
    path = Path(str(office.database.url.database))
    before = dumped(path)
    with desk.ledger.look(BOLT) as look:
        roles = {person: set().union(*(MAY[role] for role in roles_of(look, person))) for person in PEOPLE}
    answers: dict[Name, type[Refused] | None] = {}
    for name, (verbs, call) in tries.items():
        person = next(person for person, may in roles.items() if may >= set(verbs))
        answers[name] = _answer(call, desk.ledger, person)
    assert answers == dict.fromkeys(tries, UnknownHere)
    assert dumped(path) == before
    with desk.ledger.look(BOLT) as look, pytest.raises(UnknownHere):
        verify_seal(look, full_shop.ids["filed_batch"])


def _answer(call: Call, ledger: Ledger, person: str) -> type[Refused] | None:
    try:
        call(ledger, person)
    except Refused as refused:
        return type(refused)
    return None


def test_a_tenant_with_a_thousand_due_batches_keeps_nobody_waiting(desks: tuple[Desk, Desk]) -> None:
    desk, other = desks
    _batches_due(desk, 1_000)
    desk.later(minutes=1)
    other.ready("b1")
    last = other.finalize(other.pay_now("b1")).batch_id
    found = due_batches(desk.database, now=desk.clock.now() + timedelta(hours=1), most=100)
    assert Counter(one.tenant_id for one in found) == {ACME: MOST_OF_TENANT, BOLT: 1}
    assert found[-1].batch_id == last, "the longest due first"


def _batches_due(desk: Desk, count: int) -> None:
    row = {"tenant_id": desk.tenant, "origin": "people", "state": "open", "account_id": CHECKING, "pay_on": desk.today}
    row |= {"rail": "record_only", "created_at": desk.clock.now(), "generation": 0}
    sealed = SEALED | {"finalized_at": desk.clock.now()}
    with desk.database.write() as connection:
        see_tenant(connection, desk.tenant)
        is_sqlite = connection.dialect.name == "sqlite"
        guard = "TRIGGER batch_is_sealed_as_it_is"  # they hold no payments
        connection.exec_driver_sql(f"DROP {guard}" if is_sqlite else f"ALTER TABLE batch DISABLE {guard}")
        connection.execute(insert(BATCH), [row | {"batch_id": f"p{number:05}"} for number in range(count)])
        connection.execute(update(BATCH).where(BATCH.c.tenant_id == desk.tenant).values(sealed))
        if not is_sqlite:
            connection.exec_driver_sql(f"ALTER TABLE batch ENABLE {guard}")


def test_a_role_in_one_tenant_is_none_in_another(desks: tuple[Desk, Desk]) -> None:
    """The administrator of one tenant does nothing in another of the same firm until somebody there grants it."""
    desk, other = desks
    desk.ready("b1")
    theirs = desk.pay_now("b1")
    for person, role in ((person, role) for person, roles in PEOPLE.items() for role in roles if person != "ada"):
        revoke(other.ledger, BOLT, by="ada", person_id=person, role=role)
    ledger = other.ledger
    tries: list[Callable[[], object]] = [
        lambda: other.approve("b1"),
        lambda: other.stage("b1"),
        lambda: other.pay_now("b1"),
        lambda: other.delay("b1"),
        lambda: other.finalize(theirs),
        lambda: other.policy(separation_above_cents=10**9),
        lambda: set_floor(ledger, BOLT, by="oli", account_id=CHECKING, floor_cents=0),
        lambda: grant(ledger, BOLT, by="oli", person_id="vic", role="owner"),
    ]
    for one in tries:
        with pytest.raises(NotAllowed):
            one()


def use_everything(desk: Desk) -> None:
    """Each verb of the ledger, for one tenant beside another."""
    ledger, tenant = desk.ledger, desk.tenant
    desk.ready("b1", "b2", "b3")
    withdraw_approval(ledger, tenant, by="amy", bill_id="b3")
    desk.ready("b3")
    _move_money(desk)
    desk.schedule("b3", amount_cents=4_000, days=1)
    finalized = desk.finalize(desk.pay_now("b1"))
    _break_the_glass(desk)
    generation = claim(ledger, tenant, finalized.batch_id)
    for intent in desk.rows(INTENT, INTENT.c.batch_id == finalized.batch_id):
        send(ledger, tenant, intent["intent_id"], generation=generation)
        answer(ledger, tenant, intent["intent_id"], outcome="landed", remote_id="9")
    close_batch(ledger, tenant, finalized.batch_id)
    details = BankDetails(
        routing_number=Secret("021000021"), account_number=Secret("123456789"), account_kind="checking"
    )
    propose_payee(ledger, tenant, by="pat", vendor_id="v-b1", details=details, vault=TokenVault([KEY]))
    confirm_payee(ledger, tenant, by="amy", vendor_id="v-b1", account_ending="6789")
    desk.later(days=2)
    desk.sync(make_bill("b2"), make_bill("b3"))
    desk.pass_day()
    _look_at_everything(desk)
    revoke(ledger, tenant, by="ada", person_id="vic", role="viewer")


def _move_money(desk: Desk) -> None:
    ledger, tenant = desk.ledger, desk.tenant
    reserve = open_reserve(ledger, tenant, by="dan", kind="tax", name="Tax", account_id=CHECKING)
    for number, verb in enumerate((allocate, release)):
        verb(ledger, tenant, by="dan", reserve_id=reserve, amount_cents=500, reason="x", request_key=f"r{number}")
    close(ledger, tenant, by="dan", reserve_id=reserve)
    enter_bank_balance(ledger, tenant, by="oli", account_id=CHECKING, bank_cents=100_000)
    set_floor(ledger, tenant, by="oli", account_id=CHECKING, floor_cents=200_000)
    set_floor(ledger, tenant, by="oli", account_id=CHECKING, floor_cents=0)
    resolve_shortfall(ledger, tenant, by="oli", account_id=CHECKING, resolution="a typing error")


def _break_the_glass(desk: Desk) -> None:
    ledger, tenant = desk.ledger, desk.tenant
    desk.policy(per_payment_cents=100)
    desk.pay_now("b2", override="the lights go out")
    desk.policy(per_payment_cents=None)
    desk.later(hours=25)
    desk.pass_day()
    resolve_alarm(ledger, tenant, by="dan", alarm_id=desk.rows(ALARM)[0]["alarm_id"])
    with ledger.look(tenant) as look:
        (glass,) = unconfirmed(look)
    confirm_override(ledger, tenant, by="oli", break_glass_id=glass["break_glass_id"])
    withdraw(ledger, tenant, by="dan", bill_id="b2", reason="after all", request_key="w")


def _look_at_everything(desk: Desk) -> None:
    with desk.ledger.look(desk.tenant) as look:
        assert broken_invariants(look) == []
        reserves(look)
        payees(look)
        holders(look, CHECKING)
        ready_to_finalize(look)
        for batch in look.many(BATCH):
            verify_seal(look, batch["batch_id"])
        what_if(look, [Supposed(bill_id="b3", account_id=CHECKING, amount_cents=1, pay_on=look.today)])
