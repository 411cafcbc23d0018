"""Trials in which another process holds SQLite's one lock for writing: longer than a run waits for it, or not quite as long.

Belongs here: plans, playing them, what the run had written when it gave up. Does not: judging the payments.

A run stands still at the last point before one of its transactions, this process takes the lock, and the run goes on. It waits a
fifth of a second instead of 30 (`BUSY_MILLISECONDS`), and what it does when that is over is the same.
"""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from random import Random

from payments.store.batch_tables import BATCH, INTENT
from payments.store.invariants import broken_invariants
from tests.payments.judging import judge_batches
from tests.payments.scene import Scene
from tests.payments.zygote import LOCKED

_PAYMENTS = 2
_WAITS_MILLISECONDS = 200
#: Short enough that a run that waits half a minute hardly notices.
_SHORTLY = 0.15


@dataclass(frozen=True, slots=True, kw_only=True)
class Transaction:
    """A transaction of a run: where the run stands before it, and how batch and first payment stand while it cannot begin."""

    before: str
    hit: int = 1
    batch: str = "claimed"
    payment: str
    #: What QuickBooks does to the first send, so that the transaction comes.
    brought_by: str = ""


TRANSACTIONS = {
    "claim.in": Transaction(before="run.start", batch="finalized", payment="ready"),
    "intent.in": Transaction(before="look.after", payment="ready"),
    "confirm.in": Transaction(before="answer.before_record", payment="sent"),
    "unknown.in": Transaction(before="answer.before_record", payment="sent", brought_by="drop_after"),
    "close.in": Transaction(before="confirm.after", hit=_PAYMENTS, payment="paid"),
}


def play_locked(scene: Scene, seed: int) -> None:
    """The trial of a seed, judged: each transaction in its turn, every third time the lock is given back soon enough."""
    name = list(TRANSACTIONS)[seed % len(TRANSACTIONS)]
    play_locked_at(scene, name, seed=seed, is_short=seed // len(TRANSACTIONS) % 3 == 2)


def play_locked_at(scene: Scene, name: str, *, seed: int, is_short: bool) -> None:
    """The lock is held while a run is before the transaction of that name; judged."""
    dice = Random(seed)  # noqa: S311 - a reproducible plan
    since, office, transaction = scene.server_time(), scene.begin(), TRANSACTIONS[name]
    scene.company.settings(request_ids=dice.choice(("ignored", "honoured", "answers_6000")))
    bills = office.enter(*(f"{dice.randrange(1_000, 9_000) / 100:.2f}" for _ in range(_PAYMENTS)))
    batch = office.batch(*bills)
    if transaction.brought_by:
        scene.misbehave(transaction.brought_by)
    death = (transaction.before, transaction.hit, "stop")
    what = {} if is_short else {"busy_milliseconds": _WAITS_MILLISECONDS}
    pid = scene.zygote.start(batch_id=batch, deaths=[death], **what)
    scene.note(scene.zygote.wait(pid))
    with _writing(scene) as lock:
        scene.zygote.go_on(pid)
        if is_short:
            time.sleep(_SHORTLY)
            lock.rollback()
        ended = scene.zygote.wait(pid)
    scene.note(ended)
    if ended != ("exited 0" if is_short else f"exited {LOCKED}"):
        scene.counts.wrong.append(f"locked {seed}: the run before {name} {ended}")
    if not is_short:
        scene.counts.wrong += [f"locked {seed}: {one}" for one in _left(scene, batch, transaction)]
    scene.settle(batch)
    judge_batches(scene, batch, trial=f"locked {seed}", since=since, may_be_reviewed=False)
    unpaid = office.rows(INTENT, INTENT.c.batch_id == batch, INTENT.c.state != "paid")
    scene.counts.wrong += [f"locked {seed}: a payment is {row['state']}" for row in unpaid]
    scene.counts.more["locked ledgers"] += 1
    scene.counts.more[f"locked before {name}"] += 1
    scene.end()


@contextmanager
def _writing(scene: Scene) -> Iterator[sqlite3.Connection]:
    """The lock, held by this process."""
    with closing(sqlite3.connect(scene.folder / "runway.sqlite", isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield connection
        connection.rollback()


def _left(scene: Scene, batch: str, transaction: Transaction) -> Iterator[str]:
    """What is wrong with the ledger of a run that gave up."""
    office = scene.office
    (found,) = office.rows(BATCH, BATCH.c.batch_id == batch)
    states = {row["state"] for row in office.rows(INTENT, INTENT.c.batch_id == batch)}
    if found["state"] != transaction.batch or transaction.payment not in states:
        yield f"the batch is {found['state']}, its payments {sorted(states)}"
    with office.ledger.look(office.tenant) as look:
        yield from map(str, broken_invariants(look))
