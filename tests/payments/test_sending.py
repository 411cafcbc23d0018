"""Payments sent to the local QuickBooks: recorded once, adopted, refused, superseded, left to a person; judged by its own books."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import simplejson

from payments.after_sync import after_sync
from payments.controls.alarms import resolve_alarm
from payments.errors import NotAllowed, UnknownHere, WrongState
from payments.sending.clocks import BooksClock
from payments.sending.promotion import DayPassed, pass_day
from payments.sending.review import end_payment, take_as_paid, unresolved, write_off
from payments.sending.runs import Claim, claim, close, due_batches
from payments.store.batch_tables import INTENT
from payments.store.bill_tables import BILL_WORKFLOW
from payments.store.cash_tables import HOLD
from payments.store.tables import ALARM, AUDIT
from resources.qbo.bill_payments import BillPayments, RecordedPayment
from tests.payments.office import POLICY, Company, Office, furnish, memory_of, open_installation
from tests.sandbox import Sandbox

#: The sandbox keeps a time of its own: so far it is never away.
_ANY = timedelta(days=10_000)


@pytest.fixture(scope="session")
def company(sandbox: Sandbox) -> Company:
    return Company(sandbox, realm_id="9130777000000001")


@pytest.fixture(scope="session")
def furnished(company: Company, migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("office") / "data"
    furnish(folder, company, migrated=migrated_file)
    return folder


@pytest.fixture
def office(company: Company, furnished: Path, tmp_path: Path) -> Iterator[Office]:
    shutil.copytree(furnished, tmp_path / "data")
    opened = open_installation(tmp_path / "data", company.sandbox.url)
    yield Office(opened, company, register=False)
    company.sandbox.heal(company.realm_id)
    company.settings(request_ids="honoured", duplicate_doc_number="accept", overpaying_line="refuse")
    opened.close()


def test_a_batch_is_recorded_once_and_its_money_is_posted(office: Office) -> None:
    bills = office.enter("100.00", "250.50")
    batch = office.batch(*bills)
    driven = office.drive(batch)
    assert (driven.outcome, driven.states, driven.trouble) == ("settled", {"paid": 2}, "")
    assert driven.metered_reads <= 4 * len(bills)
    assert office.payments_of(batch) == dict.fromkeys(bills, 1)
    assert {row["state"] for row in office.rows(HOLD, HOLD.c.decision_id.is_not(None))} == {"posted"}
    assert {row["state"] for row in office.rows(BILL_WORKFLOW)} == {"paid"}
    assert office.broken() == []
    assert office.reconcile().missing == 0


def test_the_record_is_what_quickbooks_asks_for(office: Office) -> None:
    (bill,) = office.enter("80.00")
    batch = office.batch(bill, amounts={bill: 3_000})
    office.drive(batch)
    intent = office.intents(batch)[bill]
    record = office.company.objects("BillPayment")[intent["remote_id"]]
    assert record["PayType"] == "Check"
    assert record["CheckPayment"] == {
        "BankAccountRef": record["CheckPayment"]["BankAccountRef"],
        "PrintStatus": "NotSet",
    }
    assert record["CheckPayment"]["BankAccountRef"]["value"] == office.company.bank
    assert record["TotalAmt"] == 30.0
    assert record["Line"][0]["LinkedTxn"] == [{"TxnId": bill, "TxnType": "Bill"}]
    assert record["PrivateNote"] == f"Runway {intent['request_id']}"
    assert len(record["DocNumber"]) == 21
    assert "ProcessBillPayment" not in simplejson.loads(intent["body"])
    assert office.company.objects("Bill")[bill]["Balance"] == 50.0


def test_the_rest_of_a_bill_that_was_paid_in_part_can_be_paid_too(office: Office) -> None:
    (bill,) = office.enter("80.00")
    office.drive(office.batch(bill, amounts={bill: 3_000}))
    office.sync_books(bill)
    second = office.batch(bill)
    assert office.drive(second).outcome == "settled"
    assert office.company.objects("Bill")[bill]["Balance"] == 0
    assert office.broken() == []


def test_a_run_of_a_settled_a_busy_or_a_foreign_batch_does_nothing(office: Office) -> None:
    bills = office.enter("10.00")
    batch = office.batch(*bills)
    assert office.drive(batch).outcome == "settled"
    before = len(office.company.sandbox.requests(office.company.realm_id))
    assert office.drive(batch).outcome == "already_settled"
    with pytest.raises(UnknownHere):
        office.drive("no-such-batch")
    assert len(office.company.sandbox.requests(office.company.realm_id)) == before


@pytest.mark.parametrize(
    "fault",
    [
        "drop_after",
        "drop_before",
        *(
            pytest.param(one, marks=pytest.mark.long)
            for one in ("http_503_after", "http_500", "truncated_json", "html_body")
        ),
    ],
)
def test_a_send_without_a_clear_answer_waits_is_looked_up_and_ends_in_one_record(office: Office, fault: str) -> None:
    bills = office.enter("100.00")
    batch = office.batch(*bills)
    office.company.sandbox.break_with(
        office.company.realm_id, kind=fault, methods=["POST"], path_contains="billpayment", times=1
    )
    driven = office.drive(batch)
    assert (driven.outcome, driven.states) == ("waiting", {"unknown": 1})
    assert driven.until is not None
    assert driven.until >= office.clock.now() + POLICY.settle - timedelta(seconds=10)
    assert [row["state"] for row in office.rows(HOLD, HOLD.c.decision_id.is_not(None))] == ["pending"]
    assert office.drive(batch).outcome == "not_yet"
    assert office.drive_to_the_end(batch).outcome == "settled"
    assert office.payments_of(batch) == dict.fromkeys(bills, 1)
    assert office.broken() == []


@pytest.mark.parametrize("fault", ["unauthorized", "throttle_storm"])
def test_a_send_that_was_not_processed_is_made_again(office: Office, fault: str) -> None:
    bills = office.enter("100.00")
    batch = office.batch(*bills)
    office.company.sandbox.break_with(
        office.company.realm_id, kind=fault, methods=["POST"], path_contains="billpayment", times=1
    )
    driven = office.drive(batch)
    assert (driven.outcome, driven.states) == ("waiting", {"ready": 1})
    assert office.drive_to_the_end(batch).outcome == "settled"
    assert office.payments_of(batch) == dict.fromkeys(bills, 1)


def test_a_bill_that_somebody_paid_meanwhile_is_superseded_and_its_money_is_free(office: Office) -> None:
    paid, other = office.enter("100.00", "60.00")
    batch = office.batch(paid, other)
    office.company.pay_by_hand(office.company.objects("Bill")[paid], "100.00")
    driven = office.drive(batch)
    assert (driven.outcome, driven.states) == ("settled_with_exceptions", {"void": 1, "paid": 1})
    states = {row["bill_id"]: row["state"] for row in office.rows(BILL_WORKFLOW)}
    assert states == {paid: "superseded", other: "paid"}
    holds = {row["bill_id"]: row["state"] for row in office.rows(HOLD, HOLD.c.decision_id.is_not(None))}
    assert holds == {paid: "void", other: "posted"}
    assert office.broken() == []


@pytest.mark.long
def test_a_bill_that_was_changed_is_not_paid(office: Office) -> None:
    (bill,) = office.enter("100.00")
    batch = office.batch(bill)
    body = office.company.objects("Bill")[bill]
    body["Line"][0]["Amount"] = 120.0
    office.company.post("Bill", body)
    assert office.drive(batch).states == {"void": 1}
    assert office.payments_of(batch) == {bill: 0}
    assert office.bill_states() == {bill: "superseded"}


def test_a_refusal_is_believed_after_a_look_and_frees_the_money(office: Office) -> None:
    (bill,) = office.enter("100.00")
    batch = office.batch(bill)
    office.company.close_books(through="2026-12-31")
    try:
        driven = office.drive(batch)
    finally:
        office.company.close_books(through=None)
    assert (driven.outcome, driven.states) == ("settled_with_exceptions", {"refused": 1})
    assert office.bill_states() == {bill: "failed"}
    assert [row["state"] for row in office.rows(HOLD, HOLD.c.decision_id.is_not(None))] == ["void"]
    assert office.alarms() == ["payment refused"]
    assert office.broken() == []


def test_a_payment_that_an_earlier_ledger_made_is_adopted_before_anything_is_sent(
    office: Office, tmp_path: Path
) -> None:
    """A ledger restored from a backup derives the same key and finds what it has forgotten, though nothing else would stop it."""
    (bill,) = office.enter("100.00")
    batch = office.batch(bill, amounts={bill: 3_000})
    office.company.settings(request_ids="ignored")
    backup = tmp_path / "backup"
    office.installation.database.close()
    shutil.copytree(tmp_path / "data", backup)
    assert office.drive(batch).outcome == "settled"
    opened = open_installation(backup, office.company.sandbox.url, now=office.clock.now() + timedelta(hours=30))
    with closing(opened):
        restored = Office(opened, office.company, register=False)
        memory_of(opened).note_ledger(restored.ledger, restored.tenant)  # as if nobody noticed
        assert restored.drive(batch).states == {"paid": 1}
        assert restored.payments_of(batch) == {bill: 1}
        assert restored.broken() == []


def test_a_ledger_put_back_from_a_backup_is_compared_with_quickbooks_before_anything_is_sent(
    office: Office, tmp_path: Path
) -> None:
    first, second = office.enter("100.00", "200.00")
    known, ledger = office.batch(first), tmp_path / "data" / "runway.sqlite"
    office.installation.database.close()
    shutil.copyfile(ledger, tmp_path / "backup.sqlite")
    forgotten = office.batch(second)
    assert [office.drive(one).outcome for one in (known, forgotten)] == ["settled", "settled"]
    (lost,) = (row["doc_number"] for row in office.intents(forgotten).values())
    office.installation.database.close()
    for left in tmp_path.glob("data/runway.sqlite*"):
        left.unlink()
    shutil.copyfile(tmp_path / "backup.sqlite", ledger)
    office.drive(known)
    alarms = office.rows(ALARM, ALARM.c.kind == "orphan payment")
    assert [one["subject"] for one in alarms if lost in one["detail"]] == [
        f"record {office.company.records(lost)[0]['Id']}"
    ]
    assert office.intents(known)[first]["state"] == "paid"
    assert [row["actor"] for row in office.rows(AUDIT, AUDIT.c.kind == "payment found")] == ["system:reconcile"]
    assert memory_of(office.installation).knows(office.ledger, office.tenant)


def test_on_a_new_machine_payments_wait_only_for_those_of_ours_that_cannot_be_read(office: Office) -> None:
    """Its comparison before the first send had read every payment of anybody, and one that nobody can read stopped all."""
    bill, later, other = office.enter("100.00", "200.00", "300.00")
    by_hand = office.company.pay_by_hand({"Id": other}, "5.00", DocNumber="1047")
    _forget_the_machine(office)
    office.mar(by_hand["Id"])
    batch = office.batch(bill)
    assert office.drive(batch).outcome == "settled"

    _forget_the_machine(office)
    office.mar(office.intents(batch)[bill]["remote_id"])
    stopped = office.drive(office.batch(later))
    assert (stopped.states, "cannot be read" in stopped.trouble) == ({"ready": 1}, True)
    assert "payments stopped" in office.alarms()


def _forget_the_machine(office: Office) -> None:
    shutil.rmtree(office.installation.settings.machine_root / office.tenant)


def test_a_request_delivered_twice_to_a_quickbooks_that_ignores_keys_is_raised_as_a_double(office: Office) -> None:
    """The one cell without a net for a part payment: nobody can prevent it, so it must never pass in silence."""
    (bill,) = office.enter("100.00")
    batch = office.batch(bill, amounts={bill: 3_000})
    office.company.settings(request_ids="ignored")
    office.company.sandbox.break_with(
        office.company.realm_id, kind="double_delivery", methods=["POST"], path_contains="billpayment", times=1
    )
    office.drive(batch)
    assert office.payments_of(batch) == {bill: 2}
    assert office.alarms() == ["paid twice"]
    assert office.reconcile().doubles == 1


@pytest.mark.parametrize(
    "behaviour",
    [
        "ignored",
        "answers_6000",
        *(pytest.param(one, marks=pytest.mark.long) for one in ("honoured", "forgotten", "answers_600")),
    ],
)
def test_a_lost_answer_is_paid_once_however_quickbooks_treats_request_ids(office: Office, behaviour: str) -> None:
    (bill,) = office.enter("100.00")
    batch = office.batch(bill)
    office.company.settings(request_ids=behaviour)
    office.company.sandbox.break_with(
        office.company.realm_id, kind="drop_after", methods=["POST"], path_contains="billpayment", times=1
    )
    assert office.drive_to_the_end(batch).outcome == "settled"
    assert office.payments_of(batch) == {bill: 1}


def test_a_part_payment_past_the_memory_of_request_ids_is_left_to_a_person(office: Office) -> None:
    (bill,) = office.enter("100.00")
    batch = office.batch(bill, amounts={bill: 3_000})
    office.company.sandbox.break_with(
        office.company.realm_id, kind="drop_before", methods=["POST"], path_contains="billpayment", times=1
    )
    office.drive(batch)
    office.later(hours=25)
    driven = office.drive(batch)
    assert (driven.outcome, driven.states) == ("settled_with_exceptions", {"needs_review": 1})
    assert [row["state"] for row in office.rows(HOLD, HOLD.c.decision_id.is_not(None))] == ["pending"]
    assert office.alarms() == ["payment needs review"]
    assert office.broken() == []


def test_sends_that_quickbooks_did_not_process_use_no_attempt_up(office: Office) -> None:
    (bill,) = office.enter("100.00")
    batch = office.batch(bill, amounts={bill: 3_000})
    wanted = {"methods": ["POST"], "path_contains": "billpayment", "times": 1}
    for kind in ("unauthorized",) * 5 + ("drop_before",):
        office.company.sandbox.break_with(office.company.realm_id, kind=kind, **wanted)
        office.drive(batch)
        office.later(minutes=10)
    assert office.drive_to_the_end(batch).outcome == "settled"
    assert office.intents(batch)[bill]["attempts"] > POLICY.most_attempts
    assert office.payments_of(batch) == {bill: 1}


def test_quickbooks_in_trouble_parks_the_batch_and_nothing_is_lost(office: Office) -> None:
    bills = office.enter("10.00", "20.00", "30.00")
    batch = office.batch(*bills)
    office.company.sandbox.break_with(office.company.realm_id, kind="http_503", times=200)
    driven = office.drive(batch)
    assert (driven.outcome, driven.states) == ("waiting", {"ready": 3})
    assert driven.trouble
    office.company.sandbox.heal(office.company.realm_id)
    assert office.drive_to_the_end(batch).outcome == "settled"
    assert office.payments_of(batch) == dict.fromkeys(bills, 1)


def test_nothing_is_sent_while_the_clocks_are_apart(office: Office) -> None:
    (bill,) = office.enter("10.00")
    batch = office.batch(bill)
    driven = office.drive(batch, policy=replace(POLICY, most_clock_difference=timedelta(minutes=5)))
    assert driven.states == {"ready": 1}
    assert office.alarms() == ["clock differs"]
    assert office.payments_of(batch) == {bill: 0}


def _due_by_the_clock(office: Office) -> None:
    """A payment of in two days, on a machine whose clock is put forward by so much; the sync after it is as wrong."""
    (bill,) = office.enter("10.00")
    office.approve(bill)
    office.stage(bill, account_id=office.company.bank)
    office.schedule(bill, days=2, account_id=office.company.bank)
    office.clock.set_by_hand(timedelta(days=2))
    office.sync_books(bill)


def _pass_day(office: Office, *, most: timedelta) -> DayPassed:
    books_clock = BooksClock(open_books=office.installation.bill_payments, most=most)
    return pass_day(office.ledger, office.tenant, books_clock=books_clock)


def test_the_day_does_not_pass_by_a_clock_that_quickbooks_contradicts(office: Office) -> None:
    _due_by_the_clock(office)
    strict = BooksClock(open_books=office.installation.bill_payments, most=timedelta(minutes=5))
    done = after_sync(office.ledger, office.tenant, floor_cents=None, books_clock=strict)
    assert (done["batches_due"], done["payments_waiting"], done["days_held_up"]) == (0, 1, 1)
    passed = _pass_day(office, most=timedelta(minutes=5))
    assert (passed.batch_ids, passed.waiting, "differ by" in passed.held_up_by) == ((), 1, True)
    assert office.alarms() == ["clock differs"]
    office.clock.set_by_hand(-timedelta(days=2))
    assert _pass_day(office, most=_ANY) == DayPassed(
        woken=0, expired=0, hardened=0, batch_ids=(), needs_review=(), waiting=0
    )
    office.clock.set_by_hand(timedelta(days=2))
    assert len(_pass_day(office, most=_ANY).batch_ids) == 1


def test_quickbooks_is_asked_for_its_time_only_when_something_is_due_and_its_silence_holds_that_up(
    office: Office,
) -> None:
    (bill,) = office.enter("10.00")
    company = office.company
    before = len(company.sandbox.requests(company.realm_id))
    assert _pass_day(office, most=timedelta(minutes=5)).held_up_by == ""
    assert len(company.sandbox.requests(company.realm_id)) == before
    office.approve(bill)
    office.stage(bill, account_id=company.bank)
    office.delay(bill, days=1)
    office.later(days=1)
    company.sandbox.break_with(company.realm_id, kind="http_500", methods=["GET"], path_contains="query", times=20)
    passed = _pass_day(office, most=_ANY)
    assert (passed.woken, "time is not known" in passed.held_up_by, office.alarms()) == (0, True, [])
    company.sandbox.heal(company.realm_id)
    assert _pass_day(office, most=_ANY).woken == 1


def test_a_batch_whose_run_died_before_the_clock_was_set_back_is_asked_for_and_paid(office: Office) -> None:
    (bill,) = office.enter("10.00")
    batch = office.batch(bill)
    claim(office.ledger, office.tenant, batch_id=batch, holder="a run that died", policy=POLICY)
    office.clock.set_by_hand(timedelta(hours=-1))
    assert [one.batch_id for one in due_batches(office.database, now=office.clock.now(), most=10)] == [batch]
    assert office.drive(batch).outcome == "settled"


def test_a_batch_that_a_wrong_clock_let_wait_is_asked_for_and_paid_once_the_clock_is_right(office: Office) -> None:
    """Nobody could wake it: the machine was eight hours ahead, and so was what the batch waited for."""
    (bill,) = office.enter("10.00")
    batch = office.batch(bill)
    office.clock.set_by_hand(timedelta(hours=8))
    assert office.drive(batch, policy=replace(POLICY, most_clock_difference=timedelta(minutes=5))).outcome == "waiting"
    assert (office.alarms(), office.drive(batch).outcome) == (["clock differs"], "not_yet")
    assert due_batches(office.database, now=office.clock.now(), most=10) == []
    office.clock.set_by_hand(-timedelta(hours=8))
    assert [one.batch_id for one in due_batches(office.database, now=office.clock.now(), most=10)] == [batch]
    assert office.drive(batch).outcome == "settled"


def test_no_batch_waits_longer_than_an_hour_whoever_asks_for_more(office: Office) -> None:
    (bill,) = office.enter("10.00")
    batch = office.batch(bill)
    claimed = claim(office.ledger, office.tenant, batch_id=batch, holder="a run", policy=POLICY)
    assert isinstance(claimed, Claim)
    now = office.clock.now()
    state, until, _ = close(office.ledger, claimed, until=now + timedelta(days=2), policy=POLICY)
    assert (state, until) == ("waiting", now + timedelta(hours=1))


def test_a_voided_payment_shows_in_the_nightly_comparison(office: Office) -> None:
    (bill,) = office.enter("10.00")
    batch = office.batch(bill)
    office.drive(batch)
    books = office.installation.bill_payments(office.tenant)
    (record,) = books.find(office.intents(batch)[bill]["doc_number"])
    assert books.void(record).total_cents == 0
    assert office.reconcile().missing == 1
    assert "payment gone" in office.alarms()


def test_a_payment_that_another_run_records_while_the_books_are_compared_is_not_gone(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = (office.batch(bill) for bill in office.enter("10.00", "20.00"))
    office.drive(first)
    real = BillPayments.marked

    def read_then_paid(books: BillPayments, marker: str, **wanted: Any) -> list[RecordedPayment]:
        found = real(books, marker, **wanted)
        assert office.drive(second).outcome == "settled"
        return found

    with monkeypatch.context() as patch:
        patch.setattr(BillPayments, "marked", read_then_paid)
        assert office.reconcile().missing == 0
    assert "payment gone" not in office.alarms()
    assert office.reconcile().missing == 0


def test_what_a_person_has_resolved_does_not_come_back_every_night(office: Office) -> None:
    (bill,) = office.enter("10.00")
    batch = office.batch(bill)
    office.drive(batch)
    entry = office.intents(batch)[bill]
    books = office.installation.bill_payments(office.tenant)
    books.void(books.find(entry["doc_number"])[0])
    gone = f"intent {entry['intent_id']}"
    assert [office.reconcile().missing for _ in range(2)] == [1, 1], "until somebody has dealt with it"
    _resolve(office, gone)
    assert (office.reconcile().missing, _open_about(office, gone)) == (0, [])
    # A payment that takes its place, and is gone too, is another matter; both are told.
    anew = office.company.pay_by_hand({"Id": bill}, "10.00", DocNumber=entry["doc_number"])
    assert (office.reconcile().missing, f"{anew['Id']} of the same number" in _open_about(office, gone)[0]) == (1, True)
    _resolve(office, gone)
    assert office.reconcile().missing == 0
    books.void(next(one for one in books.find(entry["doc_number"]) if one.total_cents))
    assert office.reconcile().missing == 1


def test_a_record_of_nobody_that_a_person_has_ruled_on_is_not_told_again_and_another_one_is(office: Office) -> None:
    company = office.company
    first = company.pay_by_hand(company.bill("5.00"), "5.00", DocNumber="RW-STRAY-1")["Id"]
    found = office.reconcile().orphans
    _resolve(office, f"record {first}")
    assert (office.reconcile().orphans, _open_about(office, f"record {first}")) == (found - 1, [])
    second = company.pay_by_hand(company.bill("5.00"), "5.00", DocNumber="RW-STRAY-2")["Id"]
    assert (office.reconcile().orphans, len(_open_about(office, f"record {second}"))) == (found, 1)


def _open_about(office: Office, subject: str) -> list[str]:
    """What the open alarms about something say."""
    return [row["detail"] for row in office.rows(ALARM, ALARM.c.subject == subject, ALARM.c.resolved_at.is_(None))]


def _resolve(office: Office, subject: str) -> None:
    for row in office.rows(ALARM, ALARM.c.subject == subject, ALARM.c.resolved_at.is_(None)):
        resolve_alarm(office.ledger, office.tenant, by="fin", alarm_id=row["alarm_id"])
    office.later(days=1)


def _unclear(office: Office) -> tuple[str, str]:
    """A part payment whose answer was lost and that no second send is guarded for; its bill and its id."""
    (bill,) = office.enter("100.00")
    batch = office.batch(bill, amounts={bill: 3_000})
    office.company.sandbox.break_with(
        office.company.realm_id, kind="drop_before", methods=["POST"], path_contains="billpayment", times=1
    )
    office.drive(batch)
    office.later(hours=25)
    office.drive(batch)
    return bill, office.intents(batch)[bill]["intent_id"]


def test_a_person_ends_an_unclear_payment_that_quickbooks_does_not_have_and_decides_again(office: Office) -> None:
    bill, intent_id = _unclear(office)
    outside = office.outside()
    assert [one.records for one in unresolved(office.ledger, office.tenant, outside)] == [()]
    with pytest.raises(WrongState, match="There are 0 payments"):
        take_as_paid(office.ledger, office.tenant, outside, by="fin", intent_id=intent_id)
    end_payment(
        office.ledger, office.tenant, outside, by="fin", intent_id=intent_id, reason="it never arrived", policy=POLICY
    )
    assert office.broken() == []
    wanted = {"amount_cents": 3_000, "account_id": office.company.bank}
    office.sync_books(bill)
    again = office.finalize(office.pay_now(bill, **wanted)).batch_id
    assert office.drive(again).outcome == "settled"
    assert office.payments_of(again) == {bill: 1}
    assert office.broken() == []


@pytest.mark.parametrize("verb", [end_payment, pytest.param(write_off, marks=pytest.mark.long)])
def test_a_clock_that_is_put_forward_ends_no_payment(office: Office, verb: Callable[..., None]) -> None:
    (bill,) = office.enter("80.00")
    batch = office.batch(bill)
    company = office.company
    company.sandbox.break_with(company.realm_id, kind="drop_before", methods=["POST"], path_contains="billpayment")
    hasty = replace(POLICY, settle=timedelta(), most_attempts=1)
    assert office.drive(batch, policy=hasty).states == {"needs_review": 1}
    intent_id = office.intents(batch)[bill]["intent_id"]
    known = replace(office.outside(), memory=memory_of(office.installation))
    wanted = {"by": "fin", "intent_id": intent_id, "reason": "it never arrived"}
    office.clock.set_by_hand(timedelta(hours=1))
    with pytest.raises(WrongState, match="may still arrive"):
        verb(office.ledger, office.tenant, known, policy=POLICY, **wanted)
    # Another machine knows nothing of the send, and by its clock it does not guess either.
    with pytest.raises(WrongState, match="cannot be told"):
        verb(
            office.ledger,
            office.tenant,
            office.outside(),
            policy=replace(POLICY, most_clock_difference=timedelta(minutes=5)),
            **wanted,
        )
    office.later(minutes=5)
    verb(office.ledger, office.tenant, known, policy=POLICY, **wanted)
    assert office.broken() == []
    assert list(known.memory.folder.glob("*/send-*")) == [], "its fate is known"


def test_a_payment_that_turned_up_is_taken_by_a_person_and_never_ended(office: Office) -> None:
    bill, intent_id = _unclear(office)
    row = office.rows(INTENT, INTENT.c.intent_id == intent_id)[0]
    late = office.company.pay_by_hand({"Id": bill}, "30.00", DocNumber=row["doc_number"])
    outside = office.outside()
    with pytest.raises(WrongState, match=late["Id"]):
        end_payment(office.ledger, office.tenant, outside, by="fin", intent_id=intent_id, reason="gone", policy=POLICY)
    with pytest.raises(NotAllowed):
        take_as_paid(office.ledger, office.tenant, outside, by="vic", intent_id=intent_id)
    assert take_as_paid(office.ledger, office.tenant, outside, by="fin", intent_id=intent_id) == late["Id"]
    assert office.bill_states() == {bill: "paid"}
    assert office.broken() == []


@pytest.mark.long
def test_a_payment_is_written_off_with_its_bill(office: Office) -> None:
    bill, intent_id = _unclear(office)
    outside = office.outside()
    wanted = {"intent_id": intent_id, "reason": "the vendor waived it", "policy": POLICY}
    with pytest.raises(NotAllowed):
        write_off(office.ledger, office.tenant, outside, by="dan", **wanted)
    write_off(office.ledger, office.tenant, outside, by="fin", **wanted)
    assert office.bill_states() == {bill: "written_off"}
    assert office.broken() == []
