"""What a trial is judged by: the books of QuickBooks, the invariants, the alarms. Our own log is not asked.

Belongs here: verdicts. Does not: what happened in the trial.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from payments.batch_tables import BATCH, INTENT, INTENT_BILL
from payments.cash_tables import HOLD
from payments.invariants import broken_invariants
from payments.repository import Row
from payments.runs import SETTLED
from payments.tables import ALARM
from tests.payments.scene import Scene

#: Whether the payment of this bill may be recorded twice whatever a client does.
NoNet = Callable[[str], bool]


def judge_batches(
    scene: Scene,
    *batches: str,
    trial: str,
    no_net: NoNet = lambda _: False,
    since: datetime,
    may_be_reviewed: bool = True,
    has_business_fault: bool = False,
) -> Counter[str]:
    """Compare what the ledger says of each entry with what the books have; the entries by state. A bank's leg is not looked at.

    `since` is QuickBooks' time when the trial began. Where nothing speaks for it, no payment may be left to a person. A business
    fault is what people and periods do to bills; payments that met none are not refused, and they and their reviews are counted by
    themselves. Whatever is refused or left to a person has its reason written.
    """
    scene.wait_for_the_late()
    scene.end()
    office = scene.office
    office.reconcile(since=since - timedelta(seconds=2))
    rows = office.rows(INTENT, INTENT.c.batch_id.in_(batches), INTENT.c.leg == "book")
    found = Counter(row["state"] for row in rows)
    doubles = []
    for row in rows:
        records = scene.company.records(row["doc_number"])
        is_bare = no_net(row["bill_set"])
        scene.counts.no_net += is_bare
        if len(records) > 1:
            doubles.append(row)
        wrong = [*_wrong(row["state"], len(records), is_bare=is_bare)]
        is_another = len(records) == 1 and round(records[0]["TotalAmt"] * 100) != row["amount_cents"]
        if is_another and row["state"] != "needs_review":
            wrong.append("recorded with another amount")
        if row["state"] in ("needs_review", "refused") and not row["reason"]:
            wrong.append(f"{row['state']} without a reason")
        if row["state"] == "refused" and not has_business_fault:
            wrong.append(f"refused though nothing speaks against it: {row['reason']}")
        if row["state"] == "needs_review":
            scene.counts.reasons[str(row["reason"])[:60]] += 1
        if row["state"] == "needs_review" and len(records) <= 1 and not may_be_reviewed:
            wrong.append(f"left to a person: {row['reason']}")
        scene.counts.wrong += [f"{trial}: {one}" for one in wrong]
    _judge_ledger(scene, *batches, trial=trial, doubles=doubles)
    scene.counts.trials += 1
    scene.counts.payments += len(rows)
    scene.counts.states += found
    if not has_business_fault:
        scene.counts.without_business_fault += len(rows)
        scene.counts.reviews += found["needs_review"] - sum(row["state"] == "needs_review" for row in doubles)
    return found


def _judge_ledger(scene: Scene, *batches: str, trial: str, doubles: list[Row]) -> None:
    office, wrong = scene.office, []
    for row in office.rows(BATCH, BATCH.c.batch_id.in_(batches)):
        if row["state"] not in SETTLED:
            wrong.append("the batch does not settle")
    paid = {row["intent_id"] for row in office.rows(INTENT, INTENT.c.state == "paid", INTENT.c.leg == "book")}
    lines = office.rows(INTENT_BILL, INTENT_BILL.c.intent_id.in_(paid))
    holds = office.rows(HOLD, HOLD.c.hold_id.in_({line["hold_id"] for line in lines}))
    wrong += [f"paid, and its money is {one['state']}" for one in holds if one["state"] not in ("posted", "reflected")]
    raised = {row["subject"] for row in office.rows(ALARM, ALARM.c.kind == "paid twice")}
    missed = [row["doc_number"] for row in doubles if f"intent {row['intent_id']}" not in raised]
    wrong += [f"recorded twice and not raised: {number}" for number in missed]
    scene.counts.doubled += len(doubles)
    scene.counts.doubles_raised += len(doubles) - len(missed)
    with office.ledger.look(office.tenant) as look:
        wrong += [str(one) for one in broken_invariants(look)]
    scene.counts.wrong += [f"{trial}: {one}" for one in wrong]


def _wrong(state: str, records: int, *, is_bare: bool) -> Iterator[str]:
    if records > 1 and not is_bare:
        yield f"DOUBLE PAYMENT: {records} records of one payment ({state})"
    if state == "paid" and records == 0:
        yield "paid, and the books have nothing"
    if state in ("refused", "void") and records:
        yield f"{state}, and the books have it"
    if state not in ("paid", "refused", "void", "needs_review"):
        yield f"left {state}"
