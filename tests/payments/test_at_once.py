"""Many at the same moment: processes that decide and finalize side by side, on both engines, and updates that must not be lost."""

import time
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from payments.bills.postponing import delay
from payments.errors import NotEnoughCash, WrongState
from payments.sending.batches import finalize
from payments.store.batch_tables import BATCH, INTENT
from payments.store.bill_tables import DECISION
from payments.store.cash_tables import HOLD
from payments.store.invariants import broken_invariants
from payments.store.tables import AUDIT, REQUEST
from resources.clock import FixedClock
from resources.database import Database
from resources.row_security import see_tenant
from tests.databases import url_of
from tests.payments.desk import CHECKING, Desk, make_bill
from tests.processes import at_once


@pytest.fixture
def desk(database: Database, clock: FixedClock) -> Desk:
    """Bills of 100.00 that are staged."""
    made = Desk(database, clock)
    made.sync(*(make_bill(f"b{number}") for number in range(1, 5)))
    made.policy(separation_above_cents=5_000)
    made.ready("b1", "b2", "b3", "b4")
    return made


def _desk(url: str, now: str) -> Desk:
    return Desk(Database(url), FixedClock(datetime.fromisoformat(now)), register=False)


def _at(desk: Desk) -> tuple[str, str]:
    return url_of(desk.database), desk.clock.now().isoformat()


def _sound(desk: Desk) -> None:
    with desk.ledger.look(desk.tenant) as look:
        assert broken_invariants(look, remote=[]) == []


def _finalize(number: int, url: str, now: str, ids: list[str]) -> str:
    mine = _desk(url, now)
    try:
        return finalize(mine.ledger, mine.tenant, by="fin", decision_ids=ids, request_key=f"process-{number}").batch_id
    except WrongState as refused:
        return f"refused: {refused.facts['batch_id']}"
    finally:
        mine.database.close()


def test_of_eight_processes_that_finalize_the_same_decisions_one_makes_the_batch(desk: Desk) -> None:
    ids = [desk.pay_now(bill).decision_id for bill in ("b1", "b2", "b3")]
    answers = at_once(8, _finalize, *_at(desk), ids)
    (batch,) = desk.rows(BATCH)
    assert sorted(answers) == sorted([batch["batch_id"], *[f"refused: {batch['batch_id']}"] * 7])
    assert len(desk.rows(INTENT)) == 3
    _sound(desk)


def _pay(number: int, url: str, now: str) -> str:
    mine = _desk(url, now)
    try:
        return mine.pay_now(f"b{number + 1}", request_key=f"process-{number}").decision_id
    except NotEnoughCash as refused:
        return f"missing {refused.facts['missing_cents']}"
    finally:
        mine.database.close()


def test_of_two_decisions_on_the_same_cash_exactly_one_fits(desk: Desk) -> None:
    desk.sync(*(make_bill(f"b{number}") for number in range(1, 5)), cash=15_000)
    answers = at_once(2, _pay, *_at(desk))
    assert sorted(answer == "missing 5000" for answer in answers) == [False, True]
    assert len(desk.rows(DECISION)) == len(desk.rows(HOLD, HOLD.c.state == "pending")) == 1
    _sound(desk)


_WATCHED = """
    SELECT c.basis_cents - c.floor_cents - coalesce(sum(h.amount_cents), 0)
    FROM cash_account c
    LEFT JOIN hold h ON h.tenant_id = c.tenant_id AND h.account_id = c.account_id AND h.state IN ('pending', 'posted')
    WHERE c.tenant_id = :tenant AND c.account_id = :account
    GROUP BY c.basis_cents, c.floor_cents
"""
_TURNS, _DECIDING = 12, 4
_PUT_OFF = ("1", "4", "7")


def _decide_and_put_off(number: int, url: str, now: str, done: Path) -> list[int]:
    """The first only watches, fifty times a second; the others want the same cash again and again."""
    mine = _desk(url, now)
    try:
        return _decide(mine, number) if number else _watch(mine, done)
    finally:
        (done / str(number)).touch()
        mine.database.close()


def _decide(desk: Desk, number: int) -> list[int]:
    """Bill after bill; every third decision gives its cash back."""
    until = desk.today + timedelta(days=7)
    for bill in _bills_of(number):
        try:
            desk.pay_now(bill, request_key=bill)
        except NotEnoughCash:
            continue
        if bill.endswith(_PUT_OFF):
            delay(desk.ledger, desk.tenant, by="dan", bill_id=bill, until=until, request_key=f"{bill} later")
    return []


def _bills_of(number: int) -> list[str]:
    return [f"p{number}-{turn}" for turn in range(_TURNS)]


def _watch(desk: Desk, done: Path) -> list[int]:
    seen = []
    while len(list(done.iterdir())) < _DECIDING:
        with desk.database.read() as connection:
            see_tenant(connection, desk.tenant)
            left = connection.execute(text(_WATCHED), {"tenant": desk.tenant, "account": CHECKING}).scalar_one()
        seen.append(int(left))
        time.sleep(0.02)
    return seen


def test_who_watches_from_outside_never_sees_more_decided_than_there_is(desk: Desk, tmp_path: Path) -> None:
    """By a statement of its own, fifty times a second, while four processes decide on cash for half of their bills."""
    done = tmp_path / "done"
    done.mkdir()
    bills = [bill for number in range(1, 1 + _DECIDING) for bill in _bills_of(number)]
    desk.sync(*map(make_bill, bills), cash=255_000)
    desk.ready(*bills)
    seen, *_ = at_once(1 + _DECIDING, _decide_and_put_off, *_at(desk), done)
    assert min(seen) >= 0, sorted(set(seen))
    assert len(set(seen)) > 1, "it watched while something was decided"
    _sound(desk)


def _click(_number: int, url: str, now: str) -> list[str]:
    mine = _desk(url, now)
    try:
        return [mine.pay_now("b1", request_key="one click").decision_id for _ in range(25)]
    finally:
        mine.database.close()


def _finalize_with_one_key(_number: int, url: str, now: str, ids: list[str]) -> list[str]:
    mine = _desk(url, now)
    wanted = {"by": "fin", "decision_ids": ids, "request_key": "one click on finalize"}
    try:
        return [finalize(mine.ledger, mine.tenant, **wanted).batch_id for _ in range(25)]
    finally:
        mine.database.close()


def test_a_hundred_identical_posts_make_one_decision_and_one_batch(desk: Desk) -> None:
    before = len(desk.rows(AUDIT))
    answers = [one for answered in at_once(4, _click, *_at(desk)) for one in answered]
    assert len(answers) == 100
    (decision,) = desk.rows(DECISION)
    assert set(answers) == {decision["decision_id"]}
    assert len(desk.rows(REQUEST, REQUEST.c.request_key == "one click")) == 1
    assert len(desk.rows(AUDIT)) == before + 1
    batches = [
        one for made in at_once(4, _finalize_with_one_key, *_at(desk), [decision["decision_id"]]) for one in made
    ]
    (batch,) = desk.rows(BATCH)
    assert batches == [batch["batch_id"]] * 100
    assert len(desk.rows(AUDIT)) == before + 2
    _sound(desk)


def _count_up(_number: int, url: str) -> None:
    database = Database(url)
    try:
        for _ in range(50):
            with database.write() as connection:
                value = connection.execute(text("SELECT value FROM counter")).scalar_one()
                connection.execute(text("UPDATE counter SET value = :value"), {"value": value + 1})
    finally:
        database.close()


def test_no_update_is_lost_between_processes_that_read_and_then_write(tmp_path: Path) -> None:
    """With the driver's own transactions the read comes before the BEGIN, and most updates were lost without an error."""
    database = Database(f"sqlite:///{tmp_path / 'counter.sqlite'}")
    with database.write() as connection:
        connection.execute(text("CREATE TABLE counter (value INTEGER NOT NULL) STRICT"))
        connection.execute(text("INSERT INTO counter VALUES (0)"))
    at_once(4, _count_up, url_of(database))
    with database.read() as connection:
        assert connection.execute(text("SELECT value FROM counter")).scalar_one() == 200
    database.close()


def test_the_drivers_own_transactions_would_lose_one(tmp_path: Path) -> None:
    """What the test above guards against, shown: two connections read, then both write."""
    engine = create_engine(f"sqlite:///{tmp_path / 'counter.sqlite'}")
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE counter (value INTEGER NOT NULL)"))
        connection.execute(text("INSERT INTO counter VALUES (0)"))
    with engine.connect() as first, engine.connect() as second:
        read = [one.execute(text("SELECT value FROM counter")).scalar_one() for one in (first, second)]
        for one, value in zip((first, second), read, strict=True):
            one.execute(text("UPDATE counter SET value = :value"), {"value": value + 1})
            one.commit()
    with engine.connect() as connection:
        assert connection.execute(text("SELECT value FROM counter")).scalar_one() == 1
    engine.dispose()
