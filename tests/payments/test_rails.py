"""Money moved by a bank before it is recorded: instructed once, recorded once, followed; judged by bank and books."""

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from payments.bills.rulings import Credit
from payments.controls.alarms import resolve_alarm
from payments.controls.payees import BankDetails, confirm_payee, propose_payee
from payments.errors import WrongState
from payments.rails.opened import Rails
from payments.sending.drive import drive
from payments.sending.legs import RailLeg
from payments.sending.rail_leg import follow_all, follow_up
from payments.sending.review import end_payment, take_as_paid, unresolved
from payments.store.batch_tables import BATCH, INTENT
from payments.store.cash_tables import HOLD
from payments.store.repository import Row
from payments.store.tables import ALARM, AUDIT
from resources.secret_text import Secret
from resources.token_vault import TokenVault
from tests.payments.office import POLICY, Company, Office, furnish, open_installation
from tests.sandbox import Sandbox


@pytest.fixture(scope="module")
def furnished(sandbox: Sandbox, migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Company, Path]:
    company = Company(sandbox, realm_id="9130777000000005")
    folder = tmp_path_factory.mktemp("office") / "data"
    furnish(folder, company, migrated=migrated_file)
    return company, folder


@pytest.fixture
def office(furnished: tuple[Company, Path], tmp_path: Path) -> Iterator[Office]:
    company, folder = furnished
    shutil.copytree(folder, tmp_path / "data")
    opened = open_installation(tmp_path / "data", company.sandbox.url)
    yield Office(opened, company, register=False)
    company.sandbox.heal(company.realm_id)
    company.settings(request_ids="honoured")
    opened.close()


def _batch(office: Office, *amounts: str) -> tuple[str, list[str]]:
    bills = office.enter(*amounts)
    office.use_bank()
    return office.batch(*bills), bills


def _due_batch(office: Office, amount: str) -> tuple[str, list[str]]:
    """A bill that was scheduled, on its day."""
    (bill,) = office.enter(amount)
    office.use_bank()
    office.approve(bill)
    office.stage(bill, account_id=office.company.bank)
    office.schedule(bill, days=1, account_id=office.company.bank)
    office.later(hours=24)
    office.sync_books(bill)
    (batch,) = office.pass_day().batch_ids
    return batch, [bill]


def _give_back(office: Office, instruction_id: str) -> None:
    company = office.company
    given_back = {"id": instruction_id, "because": "account closed"}
    company.sandbox.control.post(f"/__sandbox__/realms/{company.realm_id}/bank", json=given_back).raise_for_status()


def _move_twice(office: Office) -> None:
    """The bank keeps no promise about keys, and the next instruction is delivered twice."""
    company = office.company
    company.settings(request_ids="ignored")
    company.sandbox.break_with(
        company.realm_id, kind="double_delivery", methods=["POST"], path_contains="/bank/", times=1
    )


def _replace_details(office: Office) -> None:
    """Two people say that the vendor's money goes to another account, which ends with 4321."""
    numbers = {"routing_number": Secret("091000019"), "account_number": Secret("000987654321")}
    details = BankDetails(**numbers, account_kind="checking")
    wanted = {"vendor_id": office.company.vendor}
    propose_payee(office.ledger, office.tenant, by="pat", details=details, vault=TokenVault([bytes(32)]), **wanted)
    confirm_payee(office.ledger, office.tenant, by="amy", account_ending="4321", **wanted)


def _told(office: Office, batch: str) -> list[str]:
    keys = {row["request_id"] for row in office.rows(INTENT, INTENT.c.batch_id == batch, INTENT.c.leg == "rail")}
    return [one["key"] for one in office.instructions() if one["key"] in keys]


def test_money_is_instructed_before_it_is_recorded(office: Office) -> None:
    batch, bills = _batch(office, "100.00", "40.00")
    driven = office.drive(batch)
    assert (driven.outcome, driven.states) == ("settled", {"paid": 4})
    assert len(_told(office, batch)) == len(set(_told(office, batch))) == 2
    assert office.payments_of(batch) == dict.fromkeys(bills, 1)
    assert {row["state"] for row in office.rows(HOLD, HOLD.c.decision_id.is_not(None))} == {"posted"}
    assert office.broken() == []
    for row in office.rows(INTENT, INTENT.c.leg == "rail"):
        assert row["instructed_at"] is not None
        assert row["settled_at"] is None


@pytest.mark.parametrize(
    "fault",
    [
        "drop_after",
        *(pytest.param(one, marks=pytest.mark.long) for one in ("drop_before", "http_503_after", "truncated_json")),
    ],
)
def test_an_instruction_without_an_answer_is_looked_for_and_given_once(office: Office, fault: str) -> None:
    batch, bills = _batch(office, "100.00")
    company = office.company
    company.sandbox.break_with(company.realm_id, kind=fault, methods=["POST"], path_contains="/bank/", times=1)
    assert office.drive(batch).states == {"unknown": 1, "waiting": 1}
    assert office.payments_of(batch) == {bills[0]: 0}
    assert office.drive_to_the_end(batch).outcome == "settled"
    assert len(_told(office, batch)) == 1
    assert office.payments_of(batch) == {bills[0]: 1}
    assert office.broken() == []


def test_books_that_refuse_what_the_bank_has_done_are_a_matter_for_a_person(office: Office) -> None:
    batch, bills = _batch(office, "100.00")
    office.company.close_books(through="2026-12-31")
    try:
        driven = office.drive(batch)
    finally:
        office.company.close_books(through=None)
    assert driven.states == {"paid": 1, "needs_review": 1}
    assert office.bill_states() == {bills[0]: "needs_review"}
    assert [row["state"] for row in office.rows(HOLD, HOLD.c.decision_id.is_not(None))] == ["pending"]
    assert office.broken() == []
    entry = office.intents(batch)[bills[0]]
    wanted = {"by": "fin", "intent_id": entry["intent_id"]}
    with pytest.raises(WrongState, match="was instructed"):
        end_payment(office.ledger, office.tenant, office.outside(), reason="no", policy=POLICY, **wanted)
    office.company.pay_by_hand({"Id": bills[0]}, "100.00", DocNumber=entry["doc_number"])
    take_as_paid(office.ledger, office.tenant, office.outside(), **wanted)
    assert office.bill_states() == {bills[0]: "paid"}


def _deleted_after_the_money_moved(office: Office) -> tuple[str, Row]:
    """A bill whose money the bank has been told to move, deleted before it was recorded; the bill and the entry that waits."""
    batch, bills = _batch(office, "100.00")
    company = office.company
    company.sandbox.break_with(
        company.realm_id, kind="throttle_storm", methods=["POST"], path_contains="/billpayment", times=1
    )
    assert office.drive(batch).states == {"paid": 1, "ready": 1}
    company.delete_bill(bills[0])
    assert office.drive_to_the_end(batch).states == {"paid": 1, "needs_review": 1}
    return bills[0], office.intents(batch)[bills[0]]


def test_money_that_has_paid_a_bill_which_was_entered_anew_is_taken_by_a_person(office: Office) -> None:
    """It held its money for ever: the payment of a bill that is gone could be neither ended nor taken."""
    bill, entry = _deleted_after_the_money_moved(office)
    company, outside = office.company, office.outside()
    wanted = {"by": "fin", "intent_id": entry["intent_id"]}
    other = next(
        one["Id"] for one in company.objects("Vendor").values() if one["Active"] and one["Id"] != company.vendor
    )
    anew = company.bill("100.00", VendorRef={"value": other})
    with pytest.raises(WrongState, match=f"as it is now, with the number {entry['doc_number']}"):
        end_payment(office.ledger, office.tenant, outside, reason="a duplicate", policy=POLICY, **wanted)
    numbered = {"DocNumber": entry["doc_number"], "VendorRef": {"value": other}}
    company.pay_by_hand(anew, "90.00", **numbered)
    with pytest.raises(WrongState, match="0 of them fit"):
        take_as_paid(office.ledger, office.tenant, outside, **wanted)
    (too_little,) = outside.books.find(entry["doc_number"])
    outside.books.void(too_little)
    by_hand = company.pay_by_hand(anew, "100.00", **numbered)

    assert take_as_paid(office.ledger, office.tenant, outside, **wanted) == by_hand["Id"]
    assert office.bill_states() == {bill: "paid"}
    assert [row["state"] for row in office.rows(HOLD, HOLD.c.decision_id.is_not(None))] == ["posted"]
    differs = f"a payment of this number has another vendor ({other}) and pays other bills ({anew['Id']})"
    (taken,) = office.rows(AUDIT, AUDIT.c.kind == "payment found")
    assert (taken["actor"], taken["after"][f"intent/{entry['intent_id']}"]["reason"]) == ("fin", differs)
    compared = office.reconcile()
    assert (compared.doubles, compared.missing) == (0, 0)
    assert office.rows(ALARM, ALARM.c.subject == f"record {by_hand['Id']}") == [], "it is no orphan"
    assert office.broken() == []


def test_an_unclear_instruction_is_resolved_by_a_person(office: Office) -> None:
    batch, bills = _batch(office, "100.00")
    company = office.company
    company.sandbox.break_with(company.realm_id, kind="drop_before", methods=["POST"], path_contains="/bank/", times=1)
    office.drive(batch)
    office.later(hours=25)
    assert office.drive(batch).states == {"needs_review": 1, "waiting": 1}
    (rail,) = office.rows(INTENT, INTENT.c.leg == "rail")
    (waiting,) = unresolved(office.ledger, office.tenant, office.outside())
    assert (waiting.intent_id, waiting.records) == (rail["intent_id"], ())
    end_payment(
        office.ledger,
        office.tenant,
        office.outside(),
        by="fin",
        intent_id=rail["intent_id"],
        reason="never told",
        policy=POLICY,
    )
    assert office.drive_to_the_end(batch).outcome == "settled_with_exceptions"
    assert office.bill_states() == {bills[0]: "needs_review"}
    assert office.broken() == []


def test_an_instruction_carried_out_twice_is_raised(office: Office) -> None:
    batch, _ = _batch(office, "100.00")
    _move_twice(office)
    office.drive(batch)
    assert len(_told(office, batch)) == 2
    assert office.alarms() == ["paid twice"]


@pytest.mark.parametrize("ruling", ["pay_now", "schedule"])
def test_what_a_person_takes_as_paid_is_recorded_by_the_next_run(office: Office, ruling: str) -> None:
    batch, bills = _batch(office, "100.00") if ruling == "pay_now" else _due_batch(office, "100.00")
    company = office.company
    _move_twice(office)
    company.sandbox.break_with(company.realm_id, kind="drop_after", methods=["POST"], path_contains="/bank/", times=1)
    office.drive(batch)
    office.later(minutes=5)
    assert office.drive(batch).states == {"needs_review": 1, "waiting": 1}
    (rail,) = office.rows(INTENT, INTENT.c.leg == "rail")
    told = [one["id"] for one in office.instructions() if one["key"] == rail["request_id"]]
    _give_back(office, told[1])
    taken = take_as_paid(office.ledger, office.tenant, office.outside(), by="fin", intent_id=rail["intent_id"])
    assert taken == told[0]
    assert office.drive(batch).states == {"paid": 2}
    assert (office.payments_of(batch), office.bill_states()) == ({bills[0]: 1}, {bills[0]: "paid"})
    assert office.broken() == []


@pytest.mark.parametrize("entry", ["paid", pytest.param("ready", marks=pytest.mark.long)])
def test_of_money_that_moved_twice_one_comes_back_and_the_other_has_paid(office: Office, entry: str) -> None:
    batch, bills = _batch(office, "100.00")
    company = office.company
    _move_twice(office)
    if entry == "ready":
        company.sandbox.break_with(
            company.realm_id, kind="throttle_storm", methods=["POST"], path_contains="/billpayment", times=1
        )
    office.drive(batch)
    assert office.intents(batch)[bills[0]]["state"] == entry
    (rail,) = office.rows(INTENT, INTENT.c.leg == "rail")
    _give_back(office, rail["remote_id"])
    assert follow_all(office.ledger, office.tenant, Rails(office.installation).open) == {"accepted": 1}
    (alarm,) = office.rows(ALARM, ALARM.c.kind == "payment returned")
    assert "of the same key" in alarm["detail"]
    assert "void nothing" in alarm["remedy"]
    assert office.drive_to_the_end(batch).outcome in {"settled", "already_settled"}
    assert office.payments_of(batch) == {bills[0]: 1}


def test_settled_and_returned_are_told_apart(office: Office) -> None:
    batch, _ = _batch(office, "100.00", "50.00")
    office.drive(batch)
    rail = Rails(office.installation).open(office.tenant, "simulated_bank")
    assert rail is not None
    first, second = office.rows(INTENT, INTENT.c.leg == "rail")
    _give_back(office, second["remote_id"])
    assert follow_up(office.ledger, office.tenant, rail, intent_id=first["intent_id"]) == "accepted"
    assert follow_up(office.ledger, office.tenant, rail, intent_id=second["intent_id"]) == "returned"
    (alarm,) = office.rows(ALARM)
    entry = office.intents(batch)[second["bill_set"]]
    assert (alarm["kind"], entry["doc_number"] in alarm["remedy"]) == ("payment returned", True)
    resolve_alarm(office.ledger, office.tenant, by="fin", alarm_id=alarm["alarm_id"])
    assert follow_all(office.ledger, office.tenant, Rails(office.installation).open) == {"accepted": 1, "returned": 1}
    assert office.alarms() == [], "what a person has dealt with is not told every night"


def test_money_that_the_bank_gave_back_is_neither_paid_nor_sent_again_by_itself(office: Office) -> None:
    batch, bills = _batch(office, "100.00")
    company = office.company
    company.sandbox.break_with(company.realm_id, kind="drop_after", methods=["POST"], path_contains="/bank/", times=1)
    assert office.drive(batch).states == {"unknown": 1, "waiting": 1}
    (key,) = _told(office, batch)
    _give_back(office, next(one["id"] for one in office.instructions() if one["key"] == key))
    office.later(minutes=5)
    assert office.drive(batch).states == {"needs_review": 1, "waiting": 1}
    assert (office.payments_of(batch), len(_told(office, batch))) == ({bills[0]: 0}, 1)
    assert office.broken() == []
    (alarm,) = office.rows(ALARM)
    assert "account closed" in alarm["detail"]
    assert "decide again" in alarm["remedy"]
    (waiting,) = unresolved(office.ledger, office.tenant, office.outside())
    assert ("gave" in waiting.reason, waiting.records) == (True, ())
    wanted = {"by": "fin", "intent_id": waiting.intent_id}
    with pytest.raises(WrongState, match="0 of them fit"):
        take_as_paid(office.ledger, office.tenant, office.outside(), **wanted)
    end_payment(office.ledger, office.tenant, office.outside(), reason="account closed", policy=POLICY, **wanted)
    assert office.drive_to_the_end(batch).outcome == "settled_with_exceptions"
    again = office.finalize(office.pay_now(bills[0], account_id=company.bank)).batch_id
    assert office.drive_to_the_end(again).outcome == "settled"
    assert office.payments_of(again) == {bills[0]: 1}
    assert office.broken() == []


def test_money_that_came_back_before_its_entry_was_made_is_not_entered(office: Office) -> None:
    batch, bills = _batch(office, "100.00")
    company = office.company
    company.sandbox.break_with(
        company.realm_id, kind="throttle_storm", methods=["POST"], path_contains="/billpayment", times=1
    )
    assert office.drive(batch).states == {"paid": 1, "ready": 1}
    (rail,) = office.rows(INTENT, INTENT.c.leg == "rail")
    _give_back(office, rail["remote_id"])
    assert follow_all(office.ledger, office.tenant, Rails(office.installation).open) == {"returned": 1}
    assert office.drive_to_the_end(batch).outcome == "settled_with_exceptions"
    assert office.payments_of(batch) == {bills[0]: 0}
    assert "batch end" in office.rows(ALARM, ALARM.c.kind == "payment returned")[0]["remedy"]
    wanted = {"by": "fin", "intent_id": office.intents(batch)[bills[0]]["intent_id"], "policy": POLICY}
    end_payment(office.ledger, office.tenant, office.outside(), reason="account closed", **wanted)
    again = office.finalize(office.pay_now(bills[0], account_id=company.bank)).batch_id
    assert office.drive_to_the_end(again).outcome == "settled"
    assert office.broken() == []


@pytest.mark.parametrize("when", ["before the run", "while it looks"])
def test_no_money_goes_to_bank_details_that_were_replaced_since(
    office: Office, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    batch, bills = _batch(office, "100.00")
    if when == "before the run":
        _replace_details(office)
    else:
        monkeypatch.setattr(RailLeg, "make_ready", lambda _: _replace_details(office))
    assert office.drive(batch).states == {"needs_review": 1, "waiting": 1}
    assert (_told(office, batch), office.broken()) == ([], [])
    (alarm,) = office.rows(ALARM)
    assert ("were replaced" in alarm["detail"], "batch end" in alarm["remedy"]) == (True, True)
    monkeypatch.undo()
    (waiting,) = unresolved(office.ledger, office.tenant, office.outside())
    wanted = {"by": "fin", "intent_id": waiting.intent_id, "policy": POLICY}
    end_payment(office.ledger, office.tenant, office.outside(), reason="new bank details", **wanted)
    again = office.finalize(office.pay_now(bills[0], account_id=office.company.bank)).batch_id
    assert office.drive_to_the_end(again).outcome == "settled"
    (key,) = _told(office, again)
    assert [one["account_ending"] for one in office.instructions() if one["key"] == key] == ["4321"]


def _seal_with_credits(office: Office, *used: tuple[str, int], bills: list[str]) -> str:
    """A batch of bills, each with cents of a vendor credit."""
    decided = []
    for bill, (credit, cents) in zip(bills, used, strict=True):
        office.approve(bill)
        office.stage(bill, account_id=office.company.bank)
        credits_used = [Credit(credit_id=credit, amount_cents=cents)]
        decided.append(office.pay_now(bill, account_id=office.company.bank, credits_used=credits_used))
    return office.finalize(*decided).batch_id


def test_money_moves_with_the_vendor_credits_that_are_there(office: Office) -> None:
    bills = office.enter("100.00", "50.00", "50.00")
    office.use_bank()
    credit = office.company.credit(40.0)
    batch = _seal_with_credits(office, (credit, 1_500), (credit, 2_000), (credit, 1_500), bills=bills)
    driven = office.drive(batch)
    assert driven.states == {"paid": 4, "needs_review": 1, "waiting": 1}, (
        "the third of them would use more than is there"
    )
    assert len(_told(office, batch)) == 2
    assert sum(office.payments_of(batch).values()) == 2
    (alarm,) = office.rows(ALARM)
    assert alarm["detail"].startswith(f"vendor credit {credit} has 40.00 left, and 50.00 of it were decided on")
    assert office.company.objects("VendorCredit")[credit]["Balance"] in {5, 10}
    assert office.broken() == []


@pytest.mark.parametrize("what", ["used up", "gone", "another's"])
def test_no_money_moves_whose_vendor_credit_is_not_what_was_decided(office: Office, what: str) -> None:
    bills, company = office.enter("100.00"), office.company
    office.use_bank()
    credit = company.credit(40.0)
    batch = _seal_with_credits(office, (credit, 3_000), bills=bills)
    body = company.objects("VendorCredit")[credit]
    if what == "gone":
        company.post("VendorCredit", {name: body[name] for name in ("Id", "SyncToken")}, operation="delete")
    elif what == "used up":
        body["Line"][0]["Amount"] = 20.0
        company.post("VendorCredit", body)
    else:
        vendors = company.objects("Vendor").values()
        other = next(one["Id"] for one in vendors if one["Active"] and one["Id"] != company.vendor)
        company.post("VendorCredit", body | {"VendorRef": {"value": other}})
    assert office.drive(batch).states == {"needs_review": 1, "waiting": 1}
    assert (_told(office, batch), office.broken()) == ([], [])
    (alarm,) = office.rows(ALARM)
    says = {"used up": "has 20.00 left", "gone": "is gone", "another's": "is another vendor's"}
    assert says[what] in alarm["detail"]


def test_money_that_arrived_is_settled_the_day_after(office: Office) -> None:
    batch, _ = _batch(office, "100.00")
    office.drive(batch)
    control = office.company.sandbox.control
    control.post("/__sandbox__/clock", json={"advance_seconds": 86_500}).raise_for_status()
    try:
        found = follow_all(office.ledger, office.tenant, Rails(office.installation).open)
    finally:
        now = datetime.now(tz=UTC).isoformat()
        control.post("/__sandbox__/clock", json={"now": now}).raise_for_status()
    assert found == {"settled": 1}
    assert all(row["settled_at"] for row in office.rows(INTENT, INTENT.c.leg == "rail"))
    assert follow_all(office.ledger, office.tenant, Rails(office.installation).open) == {}


def test_a_rail_that_is_not_there_sends_nothing_and_says_so(office: Office) -> None:
    bills = office.enter("100.00")
    office.use_bank()
    batch = office.batch(*bills)
    open_books = office.installation.bill_payments
    driven = drive(office.ledger, office.tenant, batch_id=batch, holder="test", open_books=open_books)
    assert driven.outcome == "waiting"
    assert office.alarms() == ["no rail"]
    assert {row["state"] for row in office.rows(BATCH)} == {"waiting"}
