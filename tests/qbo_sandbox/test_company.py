"""What each kind of document does to the books, and what changes about the documents linked to it."""

from datetime import timedelta
from decimal import Decimal

import pytest

from qbo_sandbox.books import BookRules, Change
from qbo_sandbox.faults import QboFault
from tests.qbo_sandbox.books import SmallBooks, dollars, ref, settling, small_books


@pytest.fixture
def books() -> SmallBooks:
    return small_books()


def test_paying_a_bill_changes_the_bill_and_its_sync_token(books: SmallBooks) -> None:
    bill = books.bill(10_000)
    payment = books.pay_bills(4_000, ("Bill", bill, 4_000))
    body = books.read("Bill", bill)
    assert body["Balance"] == 60
    assert body["SyncToken"] == "1"
    assert body["LinkedTxn"] == [{"TxnId": payment, "TxnType": "BillPaymentCheck"}]
    assert body["MetaData"]["LastUpdatedTime"] == books.read("BillPayment", payment)["MetaData"]["CreateTime"]
    assert books.cents(books.bank) == -4_000
    assert books.cents(books.payable) == -6_000


def test_a_bill_names_its_card_payment_a_cheque_too(books: SmallBooks) -> None:
    bill = books.bill(10_000)
    books.pay_bills(
        10_000,
        ("Bill", bill, 10_000),
        PayType="CreditCard",
        CheckPayment=None,
        CreditCardPayment={"CCAccountRef": ref(books.card)},
    )
    assert books.read("Bill", bill)["LinkedTxn"][0]["TxnType"] == "BillPaymentCheck"
    assert books.cents(books.card) == -10_000


def test_a_moved_balance_touches_account_and_vendor_but_not_their_sync_token(books: SmallBooks) -> None:
    before = books.read("Vendor", books.vendor)["MetaData"]["LastUpdatedTime"]
    books.bill(10_000)
    vendor, account = books.read("Vendor", books.vendor), books.read("Account", books.payable)
    assert vendor["Balance"] == 100
    assert account["CurrentBalance"] == -100
    assert vendor["MetaData"]["LastUpdatedTime"] > before
    assert vendor["SyncToken"] == account["SyncToken"] == "0"


def test_a_payment_of_nothing_applies_a_vendor_credit_to_a_bill(books: SmallBooks) -> None:
    bill, credit = books.bill(10_000), books.vendor_credit(2_500)
    books.pay_bills(0, ("Bill", bill, 2_500), ("VendorCredit", credit, 2_500))
    assert books.read("Bill", bill)["Balance"] == 75
    assert books.read("VendorCredit", credit)["Balance"] == 0
    assert books.cents(books.bank) == 0
    assert books.read("Vendor", books.vendor)["Balance"] == 75


def test_credits_reduce_the_total_though_their_lines_are_positive(books: SmallBooks) -> None:
    invoice, memo = books.invoice(10_000), books.credit_memo(3_000)
    payment = books.receive(7_000, ("Invoice", invoice, 10_000), ("CreditMemo", memo, 3_000))
    assert books.read("Payment", payment)["UnappliedAmt"] == 0
    assert books.read("Invoice", invoice)["Balance"] == 0
    assert books.read("CreditMemo", memo)["RemainingCredit"] == 0


def test_an_overpayment_stays_with_the_vendor(books: SmallBooks) -> None:
    bill = books.bill(10_000)
    payment = books.pay_bills(12_000, ("Bill", bill, 10_000))
    assert books.read("Vendor", books.vendor)["Balance"] == -20
    assert books.company.ledger.open[payment, books.vendor] == -2_000


def test_received_money_waits_in_undeposited_funds_until_its_deposit(books: SmallBooks) -> None:
    first, second = books.receive(10_000), books.receive(5_001)
    assert (books.cents(books.undeposited), books.cents(books.bank)) == (15_001, 0)
    deposit = books.deposit(("Payment", first, 10_000), ("Payment", second, 5_001))
    assert (books.cents(books.undeposited), books.cents(books.bank)) == (0, 15_001)
    assert books.read("Payment", first)["LinkedTxn"] == [{"TxnId": deposit, "TxnType": "Deposit"}]
    assert books.read("Deposit", deposit)["TotalAmt"] == Decimal("150.01")


def test_cash_back_reduces_a_deposit(books: SmallBooks) -> None:
    payment = books.receive(10_000)
    drawer = books.create("Account", Name="Drawer", AccountType="Other Current Asset", AccountSubType="Cash")
    deposit = books.deposit(
        ("Payment", payment, 10_000), CashBack={"AccountRef": ref(drawer), "Amount": dollars(2_000)}
    )
    assert books.read("Deposit", deposit)["TotalAmt"] == 80
    assert (books.cents(books.bank), books.cents(drawer)) == (8_000, 2_000)


def test_a_receipt_is_deposited_once_and_whole(books: SmallBooks) -> None:
    payment = books.receive(10_000)
    with pytest.raises(QboFault, match="6540"):
        books.deposit(("Payment", payment, 9_000))
    books.deposit(("Payment", payment, 10_000))
    with pytest.raises(QboFault, match="6540"):
        books.deposit(("Payment", payment, 10_000))


def test_a_deposited_payment_cannot_change_its_amount_or_go(books: SmallBooks) -> None:
    payment = books.receive(10_000)
    books.deposit(("Payment", payment, 10_000))
    with pytest.raises(QboFault, match="6540"):
        books.company.delete("Payment", payment, at=books.tick())
    with pytest.raises(QboFault, match="6540"):
        books.company.update("Payment", {"Id": payment, "TotalAmt": 90}, at=books.tick(), sparse=True)


def test_a_card_refund_lowers_what_is_owed(books: SmallBooks) -> None:
    body = {"AccountRef": ref(books.card), "PaymentType": "CreditCard", "Line": [books.expense(10_000)]}
    books.create("Purchase", **body)
    books.create("Purchase", **{**body, "Credit": True, "Line": [books.expense(4_000)]})
    assert books.cents(books.card) == -6_000


def test_a_sales_form_ends_with_a_subtotal_that_is_not_counted(books: SmallBooks) -> None:
    discount = {"DetailType": "DiscountLineDetail", "DiscountLineDetail": {"PercentBased": True, "DiscountPercent": 10}}
    invoice = books.invoice(
        0, Line=[books.sale(10_000), books.sale(5_005), discount], TxnTaxDetail={"TotalTax": Decimal("8.25")}
    )
    body = books.read("Invoice", invoice)
    assert [line["DetailType"] for line in body["Line"]][-1] == "SubTotalLineDetail"
    assert "Id" not in body["Line"][-1]
    assert body["Line"][-1]["Amount"] == Decimal("150.05")
    assert body["Line"][2]["Amount"] == Decimal("15.01")  # half a cent rounds up
    assert body["TotalAmt"] == Decimal("143.29")


def test_a_journal_entry_can_charge_a_vendor_and_be_paid(books: SmallBooks) -> None:
    entry = books.journal(("Debit", books.rent, 5_000, None), ("Credit", books.payable, 5_000, books.vendor))
    assert books.read("JournalEntry", entry)["TotalAmt"] == 0
    books.pay_bills(5_000, ("JournalEntry", entry, 5_000))
    assert books.read("Vendor", books.vendor)["Balance"] == 0
    assert books.company.ledger.open[entry, books.vendor] == 0


def test_a_line_on_a_control_account_needs_its_party(books: SmallBooks) -> None:
    with pytest.raises(QboFault, match="choose a vendor"):
        books.journal(("Debit", books.rent, 5_000, None), ("Credit", books.payable, 5_000, None))
    with pytest.raises(QboFault, match="choose a customer"):
        books.journal(("Debit", books.receivable, 5_000, books.vendor), ("Credit", books.sales, 5_000, None))


def test_a_journal_entry_that_does_not_balance_is_refused(books: SmallBooks) -> None:
    with pytest.raises(QboFault, match="2300"):
        books.journal(("Debit", books.rent, 5_000, None), ("Credit", books.bank, 4_999, None))


def test_the_due_date_follows_the_terms_and_else_the_bill(books: SmallBooks) -> None:
    with_terms = books.bill(100, TxnDate="2026-01-31", SalesTermRef=ref(books.net_30))
    without = books.bill(100, TxnDate="2026-01-31")
    given = books.bill(100, TxnDate="2026-01-31", DueDate="2026-02-05", SalesTermRef=ref(books.net_30))
    assert [books.read("Bill", bill)["DueDate"] for bill in (with_terms, without, given)] == [
        "2026-03-02",
        "2026-01-31",
        "2026-02-05",
    ]


def test_a_refused_payment_leaves_the_books_as_they_were(books: SmallBooks) -> None:
    bill = books.bill(10_000)
    text = books.company.text(books.company.existing("Bill", bill))
    with pytest.raises(QboFault, match="6000"):
        books.pay_bills(10_001, ("Bill", bill, 10_001))
    with pytest.raises(QboFault, match="620"):
        books.pay_bills(100, ("Bill", "999", 100))
    with pytest.raises(QboFault, match="6000"):
        books.pay_bills(4_000, ("Bill", bill, 5_000))
    assert books.company.text(books.company.existing("Bill", bill)) == text
    assert books.cents(books.bank) == 0
    assert books.bill(1) == str(int(bill) + 1)


def test_with_the_rule_cap_a_line_above_the_balance_stays_unapplied() -> None:
    books = small_books(rules=BookRules(overpaying_line="cap"))
    bill = books.bill(10_000)
    payment = books.pay_bills(12_000, ("Bill", bill, 12_000))
    assert books.read("Bill", bill)["Balance"] == 0
    assert books.read("BillPayment", payment)["Line"][0]["Amount"] == 100
    assert books.read("Vendor", books.vendor)["Balance"] == -20


def test_deleting_a_payment_reopens_its_bill(books: SmallBooks) -> None:
    bill = books.bill(10_000)
    payment = books.pay_bills(10_000, ("Bill", bill, 10_000))
    books.company.delete("BillPayment", payment, at=books.tick())
    body = books.read("Bill", bill)
    assert (body["Balance"], body["LinkedTxn"], body["SyncToken"]) == (100, [], "2")
    assert books.cents(books.bank) == 0


@pytest.mark.parametrize("code", ["6000", "620"])
def test_a_paid_bill_cannot_be_deleted(code: str) -> None:
    books = small_books(rules=BookRules(delete_linked_code=code))  # type: ignore[arg-type] # both are allowed
    bill = books.bill(10_000)
    books.pay_bills(1_000, ("Bill", bill, 1_000))
    with pytest.raises(QboFault, match=f"^{code}"):
        books.company.delete("Bill", bill, at=books.tick())


def test_voiding_a_bill_payment_empties_it_and_reopens_the_bill(books: SmallBooks) -> None:
    bill = books.bill(10_000)
    payment = books.pay_bills(10_000, ("Bill", bill, 10_000), PrivateNote="rent")
    body = books.company.void("BillPayment", payment, at=books.tick())
    assert (body["TotalAmt"], body["Line"], body["PrivateNote"]) == (0, [], "Voided - rent")
    assert body["SyncToken"] == "1"
    assert books.read("Bill", bill)["Balance"] == 100
    assert books.cents(books.bank) == 0


def test_voiding_an_invoice_leaves_its_payment_unapplied(books: SmallBooks) -> None:
    invoice = books.invoice(10_000)
    payment = books.receive(10_000, ("Invoice", invoice, 10_000))
    body = books.company.void("Invoice", invoice, at=books.tick())
    assert (body["TotalAmt"], body["Balance"], body["LinkedTxn"]) == (0, 0, [])
    assert [line["Amount"] for line in body["Line"]] == [0, 0]
    assert books.read("Payment", payment)["UnappliedAmt"] == 100
    assert books.read("Payment", payment)["Line"] == []


def test_a_bill_made_smaller_than_its_payments_gives_the_rest_back_to_the_newest(books: SmallBooks) -> None:
    bill = books.bill(10_000)
    older = books.pay_bills(6_000, ("Bill", bill, 6_000))
    newer = books.pay_bills(4_000, ("Bill", bill, 4_000))
    books.company.update("Bill", {"Id": bill, "Line": [books.expense(5_000)]}, at=books.tick(), sparse=True)
    assert books.read("Bill", bill)["Balance"] == 0
    assert books.read("BillPayment", older)["Line"][0]["Amount"] == 50
    assert books.read("BillPayment", newer)["Line"] == []
    assert books.read("Vendor", books.vendor)["Balance"] == -50


def test_a_full_update_clears_what_is_not_sent_and_a_sparse_one_keeps_it(books: SmallBooks) -> None:
    vendor = books.create("Vendor", GivenName="Ann", FamilyName="Lee", CompanyName="Lee Ltd", DisplayName="Lee")
    books.company.update("Vendor", {"Id": vendor, "CompanyName": "Lee Inc"}, at=books.tick(), sparse=True)
    assert books.read("Vendor", vendor)["GivenName"] == "Ann"
    books.company.update("Vendor", {"Id": vendor, "DisplayName": "Lee"}, at=books.tick())
    body = books.read("Vendor", vendor)
    assert "GivenName" not in body
    assert "CompanyName" not in body
    assert body["SyncToken"] == "2"


def test_an_inactive_name_is_marked_and_can_come_back(books: SmallBooks) -> None:
    books.company.update("Vendor", {"Id": books.vendor, "Active": False}, at=books.tick(), sparse=True)
    assert books.read("Vendor", books.vendor)["DisplayName"] == "Paper Mill (deleted)"
    books.create("Vendor", DisplayName="Paper Mill 2")
    books.company.update("Vendor", {"Id": books.vendor, "Active": True}, at=books.tick(), sparse=True)
    assert books.read("Vendor", books.vendor)["DisplayName"] == "Paper Mill"


def test_names_are_unique_across_vendors_and_customers(books: SmallBooks) -> None:
    with pytest.raises(QboFault, match="6240"):
        books.create("Customer", DisplayName="PAPER mill")


@pytest.mark.parametrize("touches", [True, False])
def test_a_merge_moves_the_bills_and_takes_the_vendor_off_the_list(*, touches: bool) -> None:
    books = small_books(rules=BookRules(merge_touches_transactions=touches))
    other = books.create("Vendor", DisplayName="Paper Mill Inc")
    bill = books.bill(10_000)
    payment = books.pay_bills(4_000, ("Bill", bill, 4_000))
    updated = books.company.existing("Bill", bill).updated
    books.company.merge("Vendor", kept=other, merged=books.vendor, at=books.tick())
    assert books.company.find("Vendor", books.vendor) is None
    assert books.read("Bill", bill)["VendorRef"] == {"value": other, "name": "Paper Mill Inc"}
    assert books.read("BillPayment", payment)["VendorRef"]["value"] == other
    assert books.read("Vendor", other)["Balance"] == 60
    assert (books.company.existing("Bill", bill).updated > updated) is touches


def test_balances_of_a_parent_customer_include_its_jobs(books: SmallBooks) -> None:
    job = books.create("Customer", DisplayName="Shop front", ParentRef=ref(books.customer), Job=True)
    books.invoice(10_000, CustomerRef=ref(job))
    parent = books.read("Customer", books.customer)
    assert (parent["Balance"], parent["BalanceWithJobs"]) == (0, 100)
    assert books.read("Customer", job)["FullyQualifiedName"] == "Corner Shop:Shop front"


def test_every_earlier_version_can_be_read_back(books: SmallBooks) -> None:
    bill = books.bill(10_000, PrivateNote="first")
    stored = books.company.existing("Bill", bill)
    first = dict(stored.body)
    books.pay_bills(4_000, ("Bill", bill, 4_000))
    second = dict(books.read("Bill", bill))
    books.company.update("Bill", {"Id": bill, "PrivateNote": "second"}, at=books.tick(), sparse=True)
    begun = [at for at, _ in stored.versions()]
    assert [stored.version_at(at) for at in begun[:2]] == [first, second]
    assert [body for _, body in stored.versions()][:2] == [first, second]
    assert stored.version_at(begun[2]) == books.read("Bill", bill)
    assert stored.version_at(begun[0] - 1) is None


def test_times_are_written_in_the_pacific_offset(books: SmallBooks) -> None:
    winter = books.read("Vendor", books.vendor)["MetaData"]["CreateTime"]
    books.at += timedelta(days=120)
    summer = books.read("Bill", books.bill(1))["MetaData"]["CreateTime"]
    assert winter == "2026-03-02T09:00:00-08:00"
    assert summer == "2026-06-30T10:01:00-07:00"


def test_money_with_a_fraction_of_a_cent_never_enters_the_books(books: SmallBooks) -> None:
    with pytest.raises(QboFault, match="2090"):
        books.bill(0, Line=[{**books.expense(0), "Amount": Decimal("1.005")}])


def test_watchers_hear_of_every_change(books: SmallBooks) -> None:
    heard: list[Change] = []
    books.company.watchers.append(heard.append)
    bill = books.bill(10_000)
    books.company.delete("Bill", bill, at=books.tick())
    assert [(change.entity, change.id, change.operation) for change in heard] == [
        ("Bill", bill, "Create"),
        ("Bill", bill, "Delete"),
    ]


def test_a_payment_line_points_at_one_document_of_the_same_customer(books: SmallBooks) -> None:
    stranger = books.create("Customer", DisplayName="Stranger")
    invoice = books.invoice(10_000, CustomerRef=ref(stranger))
    with pytest.raises(QboFault, match="6000"):
        books.receive(10_000, ("Invoice", invoice, 10_000))
    with pytest.raises(QboFault, match="620"):
        books.receive(100, Line=[settling("Bill", books.bill(100), 100)])


def test_a_new_document_has_no_links(books: SmallBooks) -> None:
    for entity, document in (
        ("Bill", books.bill(100)),
        ("Invoice", books.invoice(100)),
        ("Payment", books.receive(100)),
    ):
        assert books.read(entity, document)["LinkedTxn"] == []


def test_liabilities_read_negative_and_equity_from_its_credit_side(books: SmallBooks) -> None:
    owner = books.create("Account", Name="Owner", AccountType="Equity", AccountSubType="OwnersEquity")
    books.journal(("Debit", books.bank, 90_000, None), ("Credit", owner, 90_000, None))
    books.create("Purchase", AccountRef=ref(books.card), PaymentType="CreditCard", Line=[books.expense(15_772)])
    balances = {
        name: books.read("Account", each)["CurrentBalance"] for name, each in (("owner", owner), ("card", books.card))
    }
    assert balances == {"owner": 900, "card": Decimal("-157.72")}
    assert books.read("Account", books.rent)["CurrentBalance"] == 0


def test_references_to_a_party_tell_its_type_where_quickbooks_puts_it(books: SmallBooks) -> None:
    body = {"AccountRef": ref(books.bank), "PaymentType": "Cash", "Line": [books.expense(100)]}
    purchase = books.create("Purchase", **body, EntityRef={"value": books.vendor, "type": "Vendor"})
    assert books.read("Purchase", purchase)["EntityRef"] == {"value": "1", "name": "Paper Mill", "type": "Vendor"}
    entry = books.journal(("Debit", books.rent, 100, None), ("Credit", books.payable, 100, books.vendor))
    line = books.read("JournalEntry", entry)["Line"][1]["JournalEntryLineDetail"]
    assert line["Entity"] == {"Type": "Vendor", "EntityRef": {"value": "1", "name": "Paper Mill"}}
    detail = {"AccountRef": ref(books.sales), "Entity": {"value": books.customer, "type": "Customer"}}
    bank_line = {"Amount": 5, "DetailType": "DepositLineDetail", "DepositLineDetail": detail}
    deposit = books.create("Deposit", DepositToAccountRef=ref(books.bank), Line=[bank_line])
    entity = books.read("Deposit", deposit)["Line"][0]["DepositLineDetail"]["Entity"]
    assert entity == {"value": "2", "name": "Corner Shop", "type": "Customer"}
