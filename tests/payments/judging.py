"""What a trial is judged by: the books of QuickBooks, the invariants, the alarms. Our own log is not asked.

Belongs here: verdicts. Does not: what happened in the trial.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from payments.sending.runs import SETTLED
from payments.store.batch_tables import BATCH, INTENT, INTENT_BILL
from payments.store.cash_tables import HOLD
from payments.store.invariants import broken_invariants
from payments.store.repository import Row
from payments.store.tables import ALARM
from qbo_sandbox.fault_plan import BEFORE
from tests.payments.office import Office, remote_payment
from tests.payments.scene import Scene

#: Something that is so of this bill, or not.
OfBill = Callable[[str], bool]
Records = Mapping[str, list[dict[str, Any]]]


def judge_batches(
    scene: Scene,
    *batches: str,
    trial: str,
    takes_twice: OfBill = lambda _: False,
    since: datetime,
    may_be_reviewed: bool = True,
    business_fault: OfBill = lambda _: False,
    forgotten: Collection[str] = (),
    was_put_back: bool = False,
) -> Counter[str]:
    """Compare what the ledger says of each entry with what the books have; the entries by state. A bank's leg is not looked at.

    All payments with our marker that the books got in the trial are looked at, whatever their number: each is one of the ledger's,
    or among the `forgotten` numbers of a ledger that was put back. One payment may be recorded twice only where QuickBooks
    `takes_twice` what this bill is paid, and as often as sends of this very payment arrived twice, or late. People may end a
    payment of which the ledger that `was_put_back` has forgotten that it was sent: its record has to be raised.

    `since` is QuickBooks' time when the trial began. Where nothing speaks for it, no payment may be left to a person. A business
    fault is what people and periods do to bills; payments that met none are not refused, and they and their reviews are counted by
    themselves. Whatever is refused or left to a person has its reason written.
    """
    scene.wait_for_the_late()
    scene.end()
    office = scene.office
    raised_by_a_run = _raised(office)
    office.reconcile(since=since - timedelta(seconds=2))
    records = _records(scene, forgotten)
    rows = office.rows(INTENT, INTENT.c.batch_id.in_(batches), INTENT.c.leg == "book")
    spare = _spare(scene, rows, takes_twice)
    found = Counter(row["state"] for row in rows)
    doubles, raised_of_bill = [], Counter[str]()
    orphans = {row["subject"].removeprefix("record ") for row in office.rows(ALARM, ALARM.c.kind == "orphan payment")}
    for row in rows:
        mine = records[row["doc_number"]]
        scene.counts.no_net += bool(spare[row["intent_id"]])
        if len(mine) > 1:
            doubles.append(row)
        is_raised = was_put_back and row["state"] == "void" and all(one["Id"] in orphans for one in mine)
        wrong = [*_wrong(row["state"], 0 if is_raised else len(mine), spare=spare[row["intent_id"]])]
        raised_of_bill[row["bill_set"]] += len(mine) if is_raised else 0
        is_another = len(mine) == 1 and round(mine[0]["TotalAmt"] * 100) != row["amount_cents"]
        if is_another and row["state"] != "needs_review":
            wrong.append("recorded with another amount")
        if row["state"] in ("needs_review", "refused") and not row["reason"]:
            wrong.append(f"{row['state']} without a reason")
        if row["state"] == "refused" and not business_fault(row["bill_set"]):
            wrong.append(f"refused though nothing speaks against it: {row['reason']}")
        if row["state"] == "needs_review":
            scene.counts.reasons[str(row["reason"])[:60]] += 1
        if row["state"] == "needs_review" and len(mine) <= 1 and not may_be_reviewed:
            wrong.append(f"left to a person: {row['reason']}")
        if not business_fault(row["bill_set"]):
            scene.counts.without_business_fault += 1
            scene.counts.reviews += row["state"] == "needs_review" and len(mine) <= 1
        scene.counts.wrong += [f"{trial}: {one}" for one in wrong]
    wrong = [*_wrong_bills(office, records, spare, raised_of_bill)]
    wrong += _wrong_doubles(scene, doubles, raised_by_a_run)
    wrong += _wrong_ledger(office, batches, records, doubles)
    scene.counts.wrong += [f"{trial}: {one}" for one in wrong]
    scene.counts.trials += 1
    scene.counts.payments += len(rows)
    scene.counts.states += found
    return found


def _records(scene: Scene, forgotten: Collection[str]) -> Records:
    """By number."""
    found = defaultdict(list)
    for one in scene.company.payments():
        if one["DocNumber"] not in forgotten:
            found[one["DocNumber"]].append(one)
    return found


def _spare(scene: Scene, rows: list[Row], takes_twice: OfBill) -> Counter[str]:
    """Of each payment: how many records it may have beyond one, since no net was left."""
    bare = [row for row in rows if takes_twice(row["bill_set"])]
    if not bare:
        return Counter()
    twice = [one["query"] for one in scene.sends() if _arrived_twice(one)]
    return Counter(
        {
            row["intent_id"]: scene.late_sends[row["intent_id"]] + sum(row["request_id"] in query for query in twice)
            for row in bare
        }
    )


def _arrived_twice(send: Mapping[str, Any]) -> bool:
    return "double_delivery" in _kinds(send) and not _kinds(send) & set(BEFORE)


def _kinds(send: Mapping[str, Any]) -> set[str]:
    """The faults that hit it."""
    return set((send["fault"] or "").split(","))


def _wrong(state: str, records: int, *, spare: int) -> Iterator[str]:
    if records > 1 + spare:
        yield f"DOUBLE PAYMENT: {records} records of one payment ({state}), {spare} more than one explained"
    if state == "paid" and records == 0:
        yield "paid, and the books have nothing"
    if state in ("refused", "void") and records:
        yield f"{state}, and the books have it"
    if state not in ("paid", "refused", "void", "needs_review"):
        yield f"left {state}"


def _wrong_bills(office: Office, records: Records, spare: Counter[str], raised: Counter[str]) -> Iterator[str]:
    """Whatever the numbers are: a bill has as many records as payments that were made, or may have been made, of it."""
    paid = Counter(raised)
    for row in office.rows(INTENT, INTENT.c.leg == "book", INTENT.c.state.in_(("paid", "needs_review"))):
        paid[row["bill_set"]] += 1 + spare[row["intent_id"]]
    recorded = Counter(
        linked["TxnId"]
        for same_number in records.values()
        for one in same_number
        for line in one["Line"]
        for linked in line["LinkedTxn"]
        if linked["TxnType"] == "Bill"
    )
    for bill, count in recorded.items():
        if count > paid[bill]:
            yield f"DOUBLE PAYMENT: {count} records of bill {bill}, of which {paid[bill]} are explained"


def _raised(office: Office) -> set[str]:
    return {row["subject"].removeprefix("intent ") for row in office.rows(ALARM, ALARM.c.kind == "paid twice")}


def _wrong_doubles(scene: Scene, doubles: list[Row], raised_by_a_run: set[str]) -> Iterator[str]:
    """Each is raised: by the run that could look, or in the night that the judge has played, if no run could."""
    raised = _raised(scene.office)
    for row in doubles:
        by_a_run = row["intent_id"] in raised_by_a_run
        scene.counts.doubled += 1
        scene.counts.doubles_raised += row["intent_id"] in raised
        scene.counts.doubles_raised_by_a_run += by_a_run
        if row["intent_id"] not in raised:
            yield f"recorded twice and not raised: {row['doc_number']}"
        elif not by_a_run and not _had_no_run_to_look(scene, row):
            yield f"recorded twice and raised by the night alone: {row['doc_number']}"


def _had_no_run_to_look(scene: Scene, row: Row) -> bool:
    """Whether the run died between recording the payment and looking, or a late send was carried out when its run was gone."""
    if row["intent_id"] in scene.unchecked:
        return True
    return bool(scene.late_sends[row["intent_id"]]) and any(
        row["request_id"] in one["query"] and "slow_then_commit" in _kinds(one) for one in scene.sends()
    )


def _wrong_ledger(office: Office, batches: Collection[str], records: Records, doubles: list[Row]) -> Iterator[str]:
    for row in office.rows(BATCH, BATCH.c.batch_id.in_(batches)):
        if row["state"] not in SETTLED:
            yield "the batch does not settle"
    paid = {row["intent_id"] for row in office.rows(INTENT, INTENT.c.state == "paid", INTENT.c.leg == "book")}
    lines = office.rows(INTENT_BILL, INTENT_BILL.c.intent_id.in_(paid))
    holds = office.rows(HOLD, HOLD.c.hold_id.in_({line["hold_id"] for line in lines}))
    yield from (
        f"paid, and its money is {one['state']}" for one in holds if one["state"] not in ("posted", "reflected")
    )
    # What was judged above, payment by payment: doubles, and records of another amount that a person looks at.
    judged = {("I1 at most once", row["intent_id"]) for row in doubles}
    judged |= {("I3 paid is true", row["intent_id"]) for row in doubles}
    for row in office.rows(INTENT, INTENT.c.state == "needs_review", INTENT.c.leg == "book"):
        judged |= {("I2 no orphan", one["Id"]) for one in records[row["doc_number"]]}
    remote = [remote_payment(one) for same_number in records.values() for one in same_number]
    with office.ledger.look(office.tenant) as look:
        broken = broken_invariants(look, remote=remote)
    yield from (str(one) for one in broken if (one.invariant, one.subject) not in judged)
