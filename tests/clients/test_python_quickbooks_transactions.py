"""python-quickbooks keeps books: every kind of transaction, and what one does to the others."""

from decimal import Decimal
from typing import Any

import pytest
from quickbooks import QuickBooks
from quickbooks.exceptions import ObjectNotFoundException
from quickbooks.objects import (
    Account,
    Bill,
    BillPayment,
    CreditMemo,
    Customer,
    Deposit,
    DepositLine,
    Invoice,
    JournalEntry,
    JournalEntryLine,
    JournalEntryLineDetail,
    Payment,
    Purchase,
    RefundReceipt,
    SalesReceipt,
    Transfer,
    Vendor,
    VendorCredit,
)
from quickbooks.objects.base import LinkedTxn
from quickbooks.objects.billpayment import BillPaymentCreditCard
from quickbooks.objects.deposit import CashBackInfo, DepositLineDetail
from quickbooks.objects.detailline import DiscountLine, DiscountLineDetail
from quickbooks.objects.journalentry import Entity

from tests.clients.books import (
    account,
    expense_line,
    new_bill,
    new_bill_payment,
    new_credit_memo,
    new_customer,
    new_invoice,
    new_item,
    new_payment,
    new_vendor,
    new_vendor_credit,
    sales_line,
)

pytestmark = pytest.mark.clients


def cents(amount: Any) -> int:
    return round(amount * 100)


def balance(qb: QuickBooks, of: Account) -> int:
    return cents(Account.get(of.Id, qb=qb).CurrentBalance)


def read(found: Any, qb: QuickBooks) -> Any:
    return type(found).get(found.Id, qb=qb)


def test_an_invoice_is_created_read_found_changed_voided_and_deleted(qb: QuickBooks) -> None:
    customer, item = new_customer(qb), new_item(qb)
    made = new_invoice(qb, customer, sales_line(item, quantity=3, price=40.1), DocNumber="CL-1", TxnDate="2026-11-02")
    assert (made.TotalAmt, made.Balance, made.DueDate, made.DocNumber) == (120.3, 120.3, "2026-11-02", "CL-1")
    assert [line.DetailType for line in made.Line] == ["SalesItemLineDetail", "SubTotalLineDetail"]
    assert made.Line[0].SalesItemLineDetail.Qty == 3
    assert [each.Id for each in Invoice.filter(CustomerRef=customer.Id, DocNumber="CL-1", qb=qb)] == [made.Id]
    made.Line[0].Amount, made.Line[0].SalesItemLineDetail.UnitPrice = 150, 50
    changed = made.save(qb=qb)
    assert (changed.TotalAmt, changed.SyncToken, len(changed.Line)) == (150, "1", 2)
    assert cents(Customer.get(customer.Id, qb=qb).Balance) == 15_000
    voided = changed.void(qb=qb)["Invoice"]
    assert (voided["TotalAmt"], voided["Balance"], voided["PrivateNote"]) == (0, 0, "Voided")
    assert Customer.get(customer.Id, qb=qb).Balance == 0
    assert read(made, qb).delete(qb=qb)["Invoice"] == {"domain": "QBO", "status": "Deleted", "Id": made.Id}
    with pytest.raises(ObjectNotFoundException):
        read(made, qb)


def test_properties_left_empty_are_absent_from_a_transaction(qb: QuickBooks) -> None:
    made = new_invoice(qb, new_customer(qb), sales_line(new_item(qb), price=10))
    raw = qb.get_single_object("Invoice", made.Id)["Invoice"]
    assert not {"PrivateNote", "ShipDate", "TrackingNum", "InvoiceLink", "DocNumber"} & raw.keys()
    assert "ServiceDate" not in raw["Line"][0]["SalesItemLineDetail"]
    assert "name" in raw["CustomerRef"]
    assert raw["TxnDate"] == "2026-11-20"


def test_a_discount_lowers_an_invoice(qb: QuickBooks) -> None:
    discount = DiscountLine()
    discount.DiscountLineDetail = DiscountLineDetail()
    discount.DiscountLineDetail.PercentBased, discount.DiscountLineDetail.DiscountPercent = True, 10
    made = new_invoice(qb, new_customer(qb), sales_line(new_item(qb), price=200), discount)
    assert made.TotalAmt == 180


def test_exact_numbers_survive_the_way_there_and_back(exact_qb: QuickBooks) -> None:
    line = sales_line(new_item(exact_qb), quantity=Decimal("1.5"), price=Decimal("33.34"))
    made = new_invoice(exact_qb, new_customer(exact_qb), line)
    assert made.TotalAmt == Decimal("50.01")
    detail = made.Line[0].SalesItemLineDetail
    assert (detail.Qty, detail.UnitPrice) == (Decimal("1.5"), Decimal("33.34"))


def test_a_payment_settles_an_invoice_and_its_void_reopens_it(qb: QuickBooks) -> None:
    customer = new_customer(qb)
    invoice = new_invoice(qb, customer, sales_line(new_item(qb), price=100))
    payment = new_payment(qb, customer, 120, (invoice, 100), PaymentRefNum="1001")
    assert (payment.UnappliedAmt, payment.Line[0].LinkedTxn[0].TxnId) == (20, invoice.Id)
    paid = read(invoice, qb)
    assert (paid.Balance, paid.SyncToken) == (0, "1")
    assert [(link.TxnType, link.TxnId) for link in paid.LinkedTxn] == [("Payment", payment.Id)]
    voided = read(payment, qb).void(qb=qb)["Payment"]
    assert (voided["TotalAmt"], voided["Line"]) == (0, [])
    assert read(invoice, qb).Balance == 100
    assert read(payment, qb).delete(qb=qb)["Payment"]["status"] == "Deleted"


def test_a_credit_memo_is_applied_by_a_payment_of_nothing(qb: QuickBooks) -> None:
    customer, item = new_customer(qb), new_item(qb)
    invoice = new_invoice(qb, customer, sales_line(item, price=100))
    memo = new_credit_memo(qb, customer, sales_line(item, price=60))
    assert (memo.Balance, memo.RemainingCredit) == (60, 60)
    new_payment(qb, customer, 0, (invoice, 60), (memo, 60))
    assert (read(invoice, qb).Balance, read(memo, qb).RemainingCredit) == (40, 0)
    assert Customer.get(customer.Id, qb=qb).Balance == 40


def test_a_sales_receipt_waits_in_undeposited_funds_until_a_deposit_takes_it(qb: QuickBooks) -> None:
    receipt = SalesReceipt()
    customer, bank = new_customer(qb), account(qb, "Bank")
    receipt.CustomerRef, receipt.Line = customer.to_ref(), [sales_line(new_item(qb), price=75)]
    receipt = receipt.save(qb=qb)
    line, link, deposit = DepositLine(), LinkedTxn(), Deposit()
    link.TxnId, link.TxnType = receipt.Id, "SalesReceipt"
    line.Amount, line.LinkedTxn, line.DetailType = 75, [link], None
    deposit.DepositToAccountRef, deposit.Line = bank.to_ref(), [line]
    before = balance(qb, bank)
    deposit = deposit.save(qb=qb)
    assert (deposit.TotalAmt, balance(qb, bank) - before) == (75, 7_500)
    assert read(receipt, qb).LinkedTxn[0].TxnType == "Deposit"
    assert read(deposit, qb).delete(qb=qb)["Deposit"]["status"] == "Deleted"
    assert balance(qb, bank) == before
    voided = read(receipt, qb).void(qb=qb)["SalesReceipt"]
    assert (voided["TotalAmt"], voided["PrivateNote"]) == (0, "Voided")


def test_a_deposit_of_its_own_lines_keeps_cash_back(qb: QuickBooks) -> None:
    deposit, line, back = Deposit(), DepositLine(), CashBackInfo()
    bank, customer = account(qb, "Bank"), new_customer(qb)
    line.Amount, line.DepositLineDetail = 100, DepositLineDetail()
    line.DepositLineDetail.AccountRef = account(qb, "Income").to_ref()
    line.DepositLineDetail.Entity = customer.to_ref()
    back.Amount, back.AccountRef, back.Memo = 20, account(qb, "Equity").to_ref(), "Owner"
    deposit.DepositToAccountRef, deposit.Line, deposit.CashBack = bank.to_ref(), [line], back
    made = deposit.save(qb=qb)
    assert made.TotalAmt == 80
    # python-quickbooks reads a deposit's line into its DepositLine, detail and all.
    assert made.Line[0].DepositLineDetail.Entity.value == customer.Id
    made.sparse, made.PrivateNote = True, "counted"
    assert made.save(qb=qb).PrivateNote == "counted"


def test_a_refund_receipt_takes_money_out_of_the_bank(qb: QuickBooks) -> None:
    bank, refund = account(qb, "Bank"), RefundReceipt()
    refund.CustomerRef, refund.DepositToAccountRef = new_customer(qb).to_ref(), bank.to_ref()
    refund.Line = [sales_line(new_item(qb), price=25)]
    before = balance(qb, bank)
    made = refund.save(qb=qb)
    assert (made.TotalAmt, balance(qb, bank) - before) == (25, -2_500)
    made.PrivateNote = "second thoughts"
    assert made.save(qb=qb).PrivateNote == "second thoughts"
    assert read(made, qb).delete(qb=qb)["RefundReceipt"]["status"] == "Deleted"


def test_a_bill_is_created_read_found_changed_and_deleted(qb: QuickBooks) -> None:
    vendor = new_vendor(qb)
    made = new_bill(qb, vendor, 99.99, DocNumber="B-7", DueDate="2026-12-01")
    assert (made.TotalAmt, made.Balance, made.DueDate) == (99.99, 99.99, "2026-12-01")
    assert made.Line[0].AccountBasedExpenseLineDetail.BillableStatus == "NotBillable"
    assert [each.Id for each in Bill.filter(VendorRef=vendor.Id, qb=qb)] == [made.Id]
    assert Bill.count("DueDate <= '2026-12-01' AND Balance > '0' AND VendorRef = '" + vendor.Id + "'", qb=qb) == 1
    made.Line.append(expense_line(qb, 0.01))
    changed = made.save(qb=qb)
    assert (changed.TotalAmt, [line.Id for line in changed.Line]) == (100, ["1", "2"])
    sparse = Bill()
    sparse.__dict__.clear()
    sparse.__dict__.update(Id=changed.Id, SyncToken=changed.SyncToken, sparse=True, PrivateNote="checked")
    noted = sparse.save(qb=qb)
    assert (noted.PrivateNote, noted.TotalAmt, noted.DocNumber, noted.sparse) == ("checked", 100, "B-7", False)
    assert noted.delete(qb=qb)["Bill"]["status"] == "Deleted"
    assert Vendor.get(vendor.Id, qb=qb).Balance == 0


def test_a_bill_payment_has_every_recorded_effect_and_its_void_takes_them_back(qb: QuickBooks) -> None:
    vendor, bank = new_vendor(qb), account(qb, "Bank")
    bill = new_bill(qb, vendor, 100)
    before, token = balance(qb, bank), Vendor.get(vendor.Id, qb=qb).SyncToken
    payment = new_bill_payment(qb, vendor, (bill, 40), DocNumber="CHK-9")
    assert payment.CheckPayment.PrintStatus == "NotSet"
    assert not hasattr(payment.Line[0], "Id")
    paid = read(bill, qb)
    assert (paid.Balance, paid.SyncToken, paid.LinkedTxn[0].TxnType) == (60, "1", "BillPaymentCheck")
    assert balance(qb, bank) - before == -4_000
    owed = Vendor.get(vendor.Id, qb=qb)
    assert (owed.Balance, owed.SyncToken) == (60, token)
    assert [each.Id for each in BillPayment.filter(DocNumber="CHK-9", qb=qb)] == [payment.Id]
    voided = payment.void(qb=qb)["BillPayment"]
    assert (voided["TotalAmt"], voided["Line"], voided["PrivateNote"], voided["SyncToken"]) == (0, [], "Voided", "1")
    assert (read(bill, qb).Balance, balance(qb, bank)) == (100, before)


def test_a_bill_payment_by_card_uses_a_vendor_credit(qb: QuickBooks) -> None:
    vendor, card = new_vendor(qb), account(qb, "Credit Card")
    bill, credit = new_bill(qb, vendor, 100), new_vendor_credit(qb, vendor, 30)
    owed = balance(qb, card)
    by_card = BillPaymentCreditCard()
    by_card.CCAccountRef = card.to_ref()
    paid = new_bill_payment(
        qb, vendor, (bill, 100), (credit, 30), PayType="CreditCard", CheckPayment=None, CreditCardPayment=by_card
    )
    assert paid.TotalAmt == 70
    assert (read(bill, qb).Balance, VendorCredit.get(credit.Id, qb=qb).Balance) == (0, 0)
    assert balance(qb, card) - owed == -7_000
    assert read(bill, qb).LinkedTxn[0].TxnType == "BillPaymentCheck"


def test_a_vendor_credit_is_changed_and_deleted(qb: QuickBooks) -> None:
    vendor = new_vendor(qb)
    credit = new_vendor_credit(qb, vendor, 12.34)
    credit.Line[0].Amount = 20
    changed = credit.save(qb=qb)
    assert (changed.TotalAmt, Vendor.get(vendor.Id, qb=qb).Balance) == (20, -20)
    assert changed.delete(qb=qb)["VendorCredit"]["status"] == "Deleted"


@pytest.mark.parametrize(
    ("payment_type", "account_type"), [("Cash", "Bank"), ("Check", "Bank"), ("CreditCard", "Credit Card")]
)
def test_a_purchase_leaves_the_account_it_was_paid_from(qb: QuickBooks, payment_type: str, account_type: str) -> None:
    paid_from, purchase = account(qb, account_type), Purchase()
    purchase.PaymentType, purchase.AccountRef = payment_type, paid_from.to_ref()
    purchase.EntityRef, purchase.Line = new_vendor(qb).to_ref(), [expense_line(qb, 19.99)]
    before = balance(qb, paid_from)
    made = purchase.save(qb=qb)
    assert (made.TotalAmt, made.EntityRef.type) == (19.99, "Vendor")
    assert made.PurchaseEx["any"][0]["value"]["Name"] == "TxnType"
    assert balance(qb, paid_from) - before == -1_999
    made.PrivateNote = "receipt kept"
    changed = made.save(qb=qb)
    assert (changed.PrivateNote, changed.TotalAmt) == ("receipt kept", 19.99)
    assert changed.delete(qb=qb)["Purchase"]["status"] == "Deleted"
    assert balance(qb, paid_from) == before


def test_a_transfer_moves_money_between_accounts(qb: QuickBooks) -> None:
    giver, taker, transfer = account(qb, "Bank"), account(qb, "Credit Card"), Transfer()
    transfer.FromAccountRef, transfer.ToAccountRef, transfer.Amount = giver.to_ref(), taker.to_ref(), 55.5
    before = balance(qb, giver), balance(qb, taker)
    made = transfer.save(qb=qb)
    assert (balance(qb, giver) - before[0], balance(qb, taker) - before[1]) == (-5_550, 5_550)
    made.Amount = 60
    assert made.save(qb=qb).Amount == 60
    assert read(made, qb).delete(qb=qb)["Transfer"]["status"] == "Deleted"
    assert (balance(qb, giver), balance(qb, taker)) == before


def test_a_journal_entry_posts_both_sides_and_names_its_party(qb: QuickBooks) -> None:
    vendor, entry = new_vendor(qb), JournalEntry()
    entity = Entity()
    entity.Type, entity.EntityRef = "Vendor", vendor.to_ref()
    entry.Line = [
        journal_line("Debit", account(qb, "Expense"), 80),
        journal_line("Credit", account(qb, "Accounts Payable"), 80, entity=entity),
    ]
    made = entry.save(qb=qb)
    assert (made.TotalAmt, [line.JournalEntryLineDetail.PostingType for line in made.Line]) == (0, ["Debit", "Credit"])
    assert Vendor.get(vendor.Id, qb=qb).Balance == 80
    made.Adjustment, made.PrivateNote = True, "year end"
    assert made.save(qb=qb).PrivateNote == "year end"
    assert read(made, qb).delete(qb=qb)["JournalEntry"]["status"] == "Deleted"


def journal_line(posting: str, to: Account, amount: float, *, entity: Entity | None = None) -> JournalEntryLine:
    line = JournalEntryLine()
    line.Amount, line.JournalEntryLineDetail = amount, JournalEntryLineDetail()
    line.JournalEntryLineDetail.PostingType, line.JournalEntryLineDetail.AccountRef = posting, to.to_ref()
    line.JournalEntryLineDetail.Entity = entity
    return line


@pytest.mark.parametrize(
    "entity",
    [
        Bill, BillPayment, CreditMemo, Deposit, Invoice, JournalEntry, Payment, Purchase, RefundReceipt, SalesReceipt,
        Transfer, VendorCredit,
    ],
)  # fmt: skip
def test_every_transaction_of_the_company_can_be_read_and_saved_unchanged(qb: QuickBooks, entity: Any) -> None:
    found = entity.all(order_by="Id", max_results=3, qb=qb)
    assert entity.count(qb=qb) >= len(found) > 0 or entity in (RefundReceipt, JournalEntry)
    for each in found:
        before = qb.get_single_object(entity.qbo_object_name, each.Id)[entity.qbo_object_name]
        each.save(qb=qb)
        after = qb.get_single_object(entity.qbo_object_name, each.Id)[entity.qbo_object_name]
        assert int(after.pop("SyncToken")) == int(before.pop("SyncToken")) + 1
        assert after.pop("MetaData")["CreateTime"] == before.pop("MetaData")["CreateTime"]
        assert shared(after, before) == before


def shared(after: Any, before: Any) -> Any:
    """What an object still says of what it said: python-quickbooks adds its own defaults when it saves."""
    if isinstance(before, dict):
        return {name: shared(after[name], value) for name, value in before.items() if name in after}
    if isinstance(before, list) and len(after) == len(before):
        return [shared(new, old) for new, old in zip(after, before, strict=True)]
    return after
