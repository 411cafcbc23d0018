"""Objects of python-quickbooks for tests: the accounts of the generated company, and short ways to make documents."""

import itertools
from decimal import Decimal
from typing import Any

from quickbooks import QuickBooks
from quickbooks.objects import (
    Account,
    AccountBasedExpenseLine,
    AccountBasedExpenseLineDetail,
    Bill,
    BillPayment,
    BillPaymentLine,
    CheckPayment,
    CreditMemo,
    Customer,
    Invoice,
    Item,
    Payment,
    PaymentLine,
    SalesItemLine,
    SalesItemLineDetail,
    Vendor,
    VendorCredit,
)
from quickbooks.objects.base import LinkedTxn

Amount = int | float | Decimal
_NUMBERS = itertools.count(1)


def unused(name: str) -> str:
    """A name that no other test has taken."""
    return f"{name} {next(_NUMBERS)}"


def account(qb: QuickBooks, account_type: str) -> Account:
    """The first account of a type."""
    found: list[Account] = Account.filter(AccountType=account_type, max_results=1, order_by="Id", qb=qb)
    return found[0]


def new_customer(qb: QuickBooks, **fields: Any) -> Customer:
    customer = Customer()
    customer.DisplayName = unused("Corner Shop")
    return _saved(customer, fields, qb)


def new_vendor(qb: QuickBooks, **fields: Any) -> Vendor:
    vendor = Vendor()
    vendor.DisplayName = unused("Paper Mill")
    return _saved(vendor, fields, qb)


def new_item(qb: QuickBooks, **fields: Any) -> Item:
    item = Item()
    item.Name = unused("Hours")
    item.Type = "Service"
    item.IncomeAccountRef = account(qb, "Income").to_ref()
    item.ExpenseAccountRef = account(qb, "Expense").to_ref()
    return _saved(item, fields, qb)


def expense_line(qb: QuickBooks, amount: Amount) -> AccountBasedExpenseLine:
    line = AccountBasedExpenseLine()
    line.Amount = amount
    line.AccountBasedExpenseLineDetail = AccountBasedExpenseLineDetail()
    line.AccountBasedExpenseLineDetail.AccountRef = account(qb, "Expense").to_ref()
    return line


def sales_line(item: Item, *, quantity: Amount = 1, price: Amount) -> SalesItemLine:
    line = SalesItemLine()
    line.Amount = quantity * price
    line.SalesItemLineDetail = SalesItemLineDetail()
    line.SalesItemLineDetail.ItemRef = item.to_ref()
    line.SalesItemLineDetail.Qty = quantity
    line.SalesItemLineDetail.UnitPrice = price
    return line


def new_bill(qb: QuickBooks, vendor: Vendor, amount: Amount, **fields: Any) -> Bill:
    bill = Bill()
    bill.VendorRef = vendor.to_ref()
    bill.Line = [expense_line(qb, amount)]
    return _saved(bill, fields, qb)


def new_vendor_credit(qb: QuickBooks, vendor: Vendor, amount: Amount, **fields: Any) -> VendorCredit:
    credit = VendorCredit()
    credit.VendorRef = vendor.to_ref()
    credit.Line = [expense_line(qb, amount)]
    return _saved(credit, fields, qb)


def new_bill_payment(qb: QuickBooks, vendor: Vendor, *bills: tuple[Any, Amount], **fields: Any) -> BillPayment:
    payment = BillPayment()
    payment.VendorRef = vendor.to_ref()
    payment.PayType = "Check"
    payment.CheckPayment = CheckPayment()
    payment.CheckPayment.BankAccountRef = account(qb, "Bank").to_ref()
    payment.TotalAmt = sum(amount if target.qbo_object_name == "Bill" else -amount for target, amount in bills)
    payment.Line = [_settling(BillPaymentLine(), target, amount) for target, amount in bills]
    return _saved(payment, fields, qb)


def new_invoice(qb: QuickBooks, customer: Customer, *lines: SalesItemLine, **fields: Any) -> Invoice:
    invoice = Invoice()
    invoice.CustomerRef = customer.to_ref()
    invoice.Line = list(lines)
    return _saved(invoice, fields, qb)


def new_credit_memo(qb: QuickBooks, customer: Customer, *lines: SalesItemLine, **fields: Any) -> CreditMemo:
    memo = CreditMemo()
    memo.CustomerRef = customer.to_ref()
    memo.Line = list(lines)
    return _saved(memo, fields, qb)


def new_payment(
    qb: QuickBooks, customer: Customer, total: Amount, *settled: tuple[Any, Amount], **fields: Any
) -> Payment:
    payment = Payment()
    payment.CustomerRef = customer.to_ref()
    payment.TotalAmt = total
    payment.Line = [_settling(PaymentLine(), target, amount) for target, amount in settled]
    return _saved(payment, fields, qb)


def _settling(line: Any, target: Any, amount: Amount) -> Any:
    line.Amount = amount
    link = LinkedTxn()
    link.TxnId, link.TxnType = target.Id, target.qbo_object_name
    line.LinkedTxn = [link]
    return line


def _saved(made: Any, fields: dict[str, Any], qb: QuickBooks) -> Any:
    for name, value in fields.items():
        setattr(made, name, value)
    return made.save(qb=qb)
