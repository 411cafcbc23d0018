"""What goes wrong reaches a user of python-quickbooks as the exception its authors meant."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from quickbooks import QuickBooks
from quickbooks.exceptions import (
    AuthorizationException,
    GeneralException,
    ObjectNotFoundException,
    QuickbooksException,
    SevereException,
    UnsupportedException,
    ValidationException,
)
from quickbooks.objects import Account, Bill, BillPayment, Invoice, JournalEntry, Term, Vendor
from quickbooks.objects.base import Ref

from tests.clients.books import expense_line, new_bill, new_bill_payment, new_vendor, unused
from tests.clients.conftest import add_company
from tests.clients.consent import connect
from tests.sandbox import Sandbox

pytestmark = pytest.mark.clients


@pytest.fixture
def breakable(sandbox: Sandbox, environment: pytest.MonkeyPatch) -> Iterator[QuickBooks]:
    """A connection of its own to a company that a test may break."""
    realm_id = add_company(sandbox, "9130000000000000013")
    with connect(sandbox, realm_id) as oauth:
        client = QuickBooks(auth_client=oauth, refresh_token=oauth.refresh_token, company_id=realm_id, minorversion=75)
        yield client
        client.session.close()
    sandbox.heal(realm_id)


def unnamed_vendor(_: QuickBooks) -> Any:
    return Vendor()


def misspelt_bill(qb: QuickBooks) -> Any:
    bill = Bill()
    bill.VendorRef, bill.Line, bill.Vender = new_vendor(qb).to_ref(), [expense_line(qb, 1)], "?"
    return bill


def bill_without_lines(qb: QuickBooks) -> Any:
    bill = Bill()
    bill.VendorRef = new_vendor(qb).to_ref()
    return bill


def bill_to_nobody(qb: QuickBooks) -> Any:
    bill = Bill()
    bill.VendorRef, bill.Line = Ref(), [expense_line(qb, 1)]
    bill.VendorRef.value = "999999"
    return bill


def bill_on_no_day(qb: QuickBooks) -> Any:
    bill = bill_without_lines(qb)
    bill.Line, bill.TxnDate = [expense_line(qb, 1)], "2026-02-30"
    return bill


def account_of_no_kind(_: QuickBooks) -> Any:
    account = Account()
    account.Name, account.AccountType = unused("Odd"), "Piggy Bank"
    return account


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (unnamed_vendor, 2020),
        (misspelt_bill, 2010),
        (bill_without_lines, 2250),
        (bill_to_nobody, 2500),
        (bill_on_no_day, 2070),
        (account_of_no_kind, 2170),
    ],
)
def test_what_cannot_be_meant_is_a_validation_exception(qb: QuickBooks, make: Any, code: int) -> None:
    with pytest.raises(ValidationException) as raised:
        make(qb).save(qb=qb)
    assert raised.value.error_code == code


@pytest.mark.parametrize(
    ("statement", "code"),
    [
        ("SELECT * FROM Bill WHERE", 4000),
        ("SELECT * FROM Bill WHERE Id = '1' OR Id = '2'", 4000),
        ("SELECT * FROM Custmoer", 4001),
        ("SELECT * FROM Bill WHERE PrivateNote = 'x'", 4001),
        ("SELECT *, Nonsense FROM Item", 4001),
        ("SELECT * FROM Bill STARTPOSITION 0", 4001),
    ],
)
def test_a_wrong_query_is_a_validation_exception(qb: QuickBooks, statement: str, code: int) -> None:
    with pytest.raises(ValidationException) as raised:
        qb.query(statement)
    assert raised.value.error_code == code


def test_what_is_not_there_is_not_found(qb: QuickBooks) -> None:
    for entity in (Bill, Vendor, Invoice, Account, Term):
        with pytest.raises(ObjectNotFoundException) as raised:
            entity.get("999999", qb=qb)
        assert raised.value.error_code == 610


def test_an_id_that_is_no_number_is_a_validation_exception(qb: QuickBooks) -> None:
    with pytest.raises(ValidationException) as raised:
        Bill.get("1.5", qb=qb)
    assert (raised.value.error_code, "Supplied value:1.5" in raised.value.detail) == (2030, True)


def test_a_name_that_is_taken_is_refused_also_across_lists(qb: QuickBooks) -> None:
    taken, again = new_vendor(qb), Vendor()
    again.DisplayName = taken.DisplayName.upper()
    with pytest.raises(QuickbooksException) as raised:
        again.save(qb=qb)
    assert raised.value.error_code == 6240


def test_a_stale_object_is_refused(qb: QuickBooks) -> None:
    bill = new_bill(qb, new_vendor(qb), 10)
    stale = Bill.get(bill.Id, qb=qb)
    bill.PrivateNote = "first"
    bill.save(qb=qb)
    stale.PrivateNote = "second"
    with pytest.raises(QuickbooksException) as raised:
        stale.save(qb=qb)
    assert raised.value.error_code == 5010
    assert raised.value.detail.startswith("Stale Object Error : You and ")


def test_business_rules_are_refused_in_the_words_of_the_books(qb: QuickBooks) -> None:
    vendor = new_vendor(qb)
    bill = new_bill(qb, vendor, 10)
    with pytest.raises(QuickbooksException) as raised:
        new_bill_payment(qb, vendor, (bill, 11))
    assert raised.value.error_code == 6000
    new_bill_payment(qb, vendor, (bill, 4))
    with pytest.raises(QuickbooksException) as raised:
        Bill.get(bill.Id, qb=qb).delete(qb=qb)
    assert raised.value.error_code == 6000
    payment = BillPayment()
    payment.VendorRef, payment.PayType = vendor.to_ref(), "Check"
    with pytest.raises(QuickbooksException):
        payment.save(qb=qb)
    vendor = Vendor.get(vendor.Id, qb=qb)
    vendor.Active = False
    with pytest.raises(QuickbooksException) as raised:
        vendor.save(qb=qb)
    assert raised.value.error_code == 6220


def test_a_journal_entry_without_lines_is_refused(qb: QuickBooks) -> None:
    with pytest.raises(ValidationException):
        JournalEntry().save(qb=qb)


def test_what_the_service_does_not_do_is_unsupported(qb: QuickBooks) -> None:
    vendor = new_vendor(qb)
    bill = new_bill(qb, vendor, 10)
    url = f"{qb.api_url}/company/{qb.company_id}/bill"
    with pytest.raises(UnsupportedException):
        qb.post(url, f'{{"Id": "{bill.Id}", "SyncToken": "0"}}', params={"operation": "void"})
    with pytest.raises(UnsupportedException):
        qb.get_report("APAgingSummary")
    with pytest.raises(UnsupportedException):
        qb.delete_object("Vendor", f'{{"Id": "{vendor.Id}", "SyncToken": "0"}}')
    with pytest.raises(UnsupportedException):
        qb.change_data_capture("Bill", "2020-01-01T00:00:00-08:00")


def test_a_batch_above_thirty_items_is_refused(qb: QuickBooks) -> None:
    items = [{"bId": str(number), "Query": "select count(*) from Bill"} for number in range(31)]
    with pytest.raises(GeneralException) as raised:
        qb.batch_operation(json.dumps({"BatchItemRequest": items}))
    assert raised.value.error_code == 1040


def test_a_revoked_connection_is_an_authorization_exception(breakable: QuickBooks, sandbox: Sandbox) -> None:
    assert Bill.count(qb=breakable) > 0
    sandbox.revoke(str(breakable.company_id))
    with pytest.raises(AuthorizationException) as raised:
        Bill.count(qb=breakable)
    assert raised.value.error_code == 401


def test_the_company_of_another_connection_is_refused(breakable: QuickBooks, realm: str) -> None:
    breakable.company_id = realm
    with pytest.raises(QuickbooksException) as raised:
        Bill.count(qb=breakable)
    assert "status code '403'" in raised.value.message
    assert "3100" in raised.value.message


def test_a_system_failure_is_a_severe_exception(breakable: QuickBooks, sandbox: Sandbox) -> None:
    sandbox.break_with(str(breakable.company_id), kind="http_500")
    with pytest.raises(SevereException) as raised:
        Bill.count(qb=breakable)
    assert raised.value.error_code == 10000


@pytest.mark.parametrize("kind", ["throttle_storm", "html_body", "http_503", "truncated_json"])
def test_an_answer_that_is_no_json_is_reported_with_its_text(
    breakable: QuickBooks, sandbox: Sandbox, kind: str
) -> None:
    sandbox.break_with(str(breakable.company_id), kind=kind)
    with pytest.raises(QuickbooksException) as raised:
        Bill.count(qb=breakable)
    assert raised.value.message.startswith("Error reading json response")
