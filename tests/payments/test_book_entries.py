"""What a payment looks like in the books beyond one bill paid whole: bills of a vendor together, credits, parts; judged by them."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from payments.bills.rulings import Credit
from payments.errors import BadRequest, UnknownHere
from payments.store.batch_tables import INTENT
from payments.store.cash_tables import HOLD
from resources.published_balances import CashSnapshot
from tests.payments.office import Company, Office, furnish, open_bill, open_installation
from tests.sandbox import Sandbox


@pytest.fixture(scope="module")
def furnished(sandbox: Sandbox, migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Company, Path]:
    company = Company(sandbox, realm_id="9130777000000018")
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
    opened.close()


def _record(office: Office, bill: str) -> dict[str, Any]:
    (intent,) = [row for row in office.rows(INTENT, INTENT.c.leg == "book") if bill in row["bill_set"].split("+")]
    found: dict[str, Any] = office.company.objects("BillPayment")[intent["remote_id"]]
    return found


def _applied(record: dict[str, Any]) -> dict[tuple[str, str], float]:
    links = [(line["LinkedTxn"][0], line["Amount"]) for line in record["Line"]]
    return {(link["TxnType"], link["TxnId"]): amount for link, amount in links}


def _open(office: Office, entity: str, qbo_id: str) -> float:
    return float(office.company.objects(entity)[qbo_id]["Balance"])


def _enter(office: Office, *bills: dict[str, Any], cash: int = 10_000_000) -> list[str]:
    snapshot = CashSnapshot(account_id=office.company.bank, name="Checking", balance_cents=cash, dated_later_cents=0)
    office.sync(*map(open_bill, bills), accounts=[snapshot])
    return [bill["Id"] for bill in bills]


def _another_vendor(company: Company) -> str:
    return next(
        one["Id"] for one in company.objects("Vendor").values() if one["Active"] and one["Id"] != company.vendor
    )


def test_bills_of_one_vendor_become_one_entry_though_its_answer_was_lost(office: Office) -> None:
    company = office.company
    office.policy(group_by_vendor=True)
    other = {"VendorRef": {"value": _another_vendor(company)}}
    first, second, theirs = _enter(office, company.bill("80.00"), company.bill("20.50"), company.bill("5.00", **other))
    batch = office.batch(first, second, theirs, amounts={second: 2_000})
    company.sandbox.break_with(
        company.realm_id, kind="drop_after", methods=["POST"], path_contains="billpayment", times=1
    )
    assert office.drive_to_the_end(batch).outcome == "settled"
    together, alone = _record(office, first), _record(office, theirs)
    assert (together["TotalAmt"], alone["TotalAmt"]) == (100.0, 5.0)
    assert _applied(together) == {("Bill", first): 80.0, ("Bill", second): 20.0}
    assert [_open(office, "Bill", one) for one in (first, second, theirs)] == [0, 0.5, 0]
    assert office.payments_of(batch) == dict.fromkeys(office.intents(batch), 1)
    assert {row["state"] for row in office.rows(HOLD, HOLD.c.decision_id.is_not(None))} == {"posted"}
    assert office.broken() == []


@pytest.mark.parametrize("rail", ["record_only", "simulated_bank"])
def test_more_bills_than_one_answer_holds_become_one_entry(office: Office, rail: str) -> None:
    bills = office.enter(*(f"{10 + number}.00" for number in range(12)))
    office.use_bank()
    office.policy(group_by_vendor=True, rail=rail)
    batch = office.batch(*bills)
    driven = office.drive_to_the_end(batch)
    assert (driven.outcome, set(driven.states)) == ("settled", {"paid"})
    record = _record(office, bills[0])
    assert _applied(record) == {("Bill", bill): 10.0 + number for number, bill in enumerate(bills)}
    assert office.broken() == []


@pytest.mark.long
def test_of_bills_that_are_paid_together_none_is_paid_once_one_was_changed(office: Office) -> None:
    """What was sealed is one payment of both; a person decides what becomes of it."""
    company = office.company
    office.policy(group_by_vendor=True)
    first, second = _enter(office, company.bill("80.00"), company.bill("20.00"))
    batch = office.batch(first, second)
    company.pay_by_hand({"Id": second}, "20.00")
    assert office.drive_to_the_end(batch).states == {"needs_review": 1}
    assert _open(office, "Bill", first) == 80.0
    assert {row["state"] for row in office.rows(HOLD, HOLD.c.decision_id.is_not(None))} == {"pending"}
    assert office.alarms() == ["payment needs review"]
    assert office.broken() == []


def _pay_with(office: Office, bill: str, credit: str, *, cents: int, **more: Any) -> str:
    office.approve(bill)
    office.stage(bill, account_id=office.company.bank)
    used = [Credit(credit_id=credit, amount_cents=cents)]
    return office.finalize(office.pay_now(bill, account_id=office.company.bank, credits_used=used, **more)).batch_id


def test_a_vendor_credit_is_used_up_with_the_payment_and_cash_pays_the_rest(office: Office) -> None:
    company = office.company
    (bill,) = _enter(office, company.bill("100.00"))
    credit = company.credit(40.0)
    batch = _pay_with(office, bill, credit, cents=3_000)
    assert office.cash(company.bank).pending_cents == 7_000
    assert office.drive(batch).outcome == "settled"
    record = _record(office, bill)
    assert record["TotalAmt"] == 70.0
    assert _applied(record) == {("Bill", bill): 100.0, ("VendorCredit", credit): 30.0}
    assert (_open(office, "Bill", bill), _open(office, "VendorCredit", credit)) == (0, 10.0)
    assert office.broken() == []


def test_a_credit_that_is_no_longer_there_is_refused_and_the_money_is_free(office: Office) -> None:
    company = office.company
    (bill,) = _enter(office, company.bill("100.00"))
    batch = _pay_with(office, bill, company.credit(20.0), cents=3_000)
    driven = office.drive_to_the_end(batch)
    assert driven.states == {"refused": 1}
    assert _open(office, "Bill", bill) == 100.0
    assert [row["state"] for row in office.rows(HOLD, HOLD.c.decision_id.is_not(None))] == ["void"]
    assert office.alarms() == ["payment refused"]
    assert office.broken() == []


@pytest.mark.long
def test_a_bill_is_paid_in_parts_each_an_entry_of_its_own(office: Office) -> None:
    company = office.company
    (bill,) = _enter(office, company.bill("90.00"))
    for left in (60.0, 30.0, 0.0):
        assert office.drive(office.batch(bill, amounts={bill: 3_000})).outcome == "settled"
        assert _open(office, "Bill", bill) == left
        office.sync_books(bill)
    keys = [row["request_id"] for row in office.rows(INTENT)]
    assert len(keys) == len(set(keys)) == 3
    assert office.broken() == []


def test_money_comes_from_a_bank_account_of_the_books_and_from_no_card(office: Office) -> None:
    """A card's payment moves no cash of today: it is entered in QuickBooks, and the bill is then paid elsewhere."""
    company = office.company
    by_type = {one["AccountType"]: one["Id"] for one in company.objects("Account").values() if one["Active"]}
    (bill,) = _enter(office, company.bill("60.00"))
    office.approve(bill)
    for kind in ("Credit Card", "Expense", "Accounts Payable"):
        with pytest.raises(UnknownHere, match=rf"Cash accounts of the newest sync: {company.bank}"):
            office.stage(bill, account_id=by_type[kind])
    office.stage(bill, account_id=company.bank)
    batch = office.finalize(office.pay_now(bill, account_id=company.bank)).batch_id
    card = {"PayType": "CreditCard", "CreditCardPayment": {"CCAccountRef": {"value": by_type["Credit Card"]}}}
    company.pay_by_hand({"Id": bill}, "60.00", **card, CheckPayment=None)
    office.drive_to_the_end(batch)
    assert office.bill_states() == {bill: "superseded"}
    assert office.cash(company.bank).pending_cents == 0
    assert office.broken() == []


def test_more_than_the_bill_with_its_credits_is_refused(office: Office) -> None:
    company = office.company
    (bill,) = _enter(office, company.bill("60.00"))
    with pytest.raises(BadRequest, match="do not fit"):
        _pay_with(office, bill, company.credit(40.0), cents=4_000, amount_cents=2_001)
