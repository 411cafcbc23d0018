"""A company that goes on living: one more entry, edit, void, delete or merge at a time, drawn from a seed.

Belongs here: what people do in books from day to day, as operations on the books as they stand. Does not: generated
history (``generate``), when it happens (``control_api.py``).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from qbo_sandbox.company import Company
from qbo_sandbox.money import line_money, to_cents
from qbo_sandbox.objects import StoredObject
from qbo_sandbox.operations import Operation, Verb

_SMALLEST, _LARGEST = 2_000, 400_000
_LONGEST_BACK_DATE = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What someone at the books has before them: the company, the moment, the dice."""

    company: Company
    at: datetime
    dice: Random

    def one(self, entity: str, *, of: Callable[[StoredObject], bool] = lambda _: True) -> StoredObject | None:
        """Some live object; the choice depends on the dice and the books alone."""
        found = [each for each in self.company.objects[entity].values() if each.body.get("Active", True) and of(each)]
        return self.dice.choice(found) if found else None

    def account(self, *types: str) -> str | None:
        """Some active account of these types."""
        found = self.one("Account", of=lambda each: each.body["AccountType"] in types)
        return found.id if found else None

    def cents(self) -> int:
        """An everyday amount."""
        return self.dice.randint(_SMALLEST, _LARGEST)

    def day(self, *, back: int = 0) -> str:
        """The company's day, or one before it."""
        today = self.at.astimezone(ZoneInfo(self.company.zone)).date()
        return (today - timedelta(days=back)).isoformat()

    def operation(self, verb: Verb, entity: str, body: Mapping[str, Any]) -> Operation:
        """An operation at this moment."""
        return Operation(verb=verb, entity=entity, at=self.at, body=body)


Deed = Callable[[Desk], Operation | None]


def next_operation(
    company: Company, *, at: datetime, dice: Random, deed: str | None = None
) -> tuple[str, Operation] | None:
    """The next thing done and its name, drawn or the one asked for; None when the books hold nothing to do it to."""
    name = deed or dice.choices(list(_DEEDS), weights=[weight for weight, _ in _DEEDS.values()])[0]
    operation = _DEEDS[name][1](Desk(company=company, at=at, dice=dice))
    return (name, operation) if operation is not None else None


def deeds() -> tuple[str, ...]:
    """The names of all that can be done, those included that happen only when they are asked for."""
    return tuple(_DEEDS)


def _ref(object_id: str) -> dict[str, str]:
    return {"value": object_id}


def _expense(account: str, cents: int) -> dict[str, Any]:
    return {
        "Amount": line_money(cents),
        "DetailType": "AccountBasedExpenseLineDetail",
        "AccountBasedExpenseLineDetail": {"AccountRef": _ref(account)},
    }


def _sale(item: str, cents: int) -> dict[str, Any]:
    return {
        "Amount": line_money(cents),
        "DetailType": "SalesItemLineDetail",
        "SalesItemLineDetail": {"ItemRef": _ref(item)},
    }


def _settling(target: StoredObject, cents: int) -> dict[str, Any]:
    return {"Amount": line_money(cents), "LinkedTxn": [{"TxnId": target.id, "TxnType": target.entity}]}


def _bought(desk: Desk, entity: str, *, back: int = 0) -> Operation | None:
    vendor, account = desk.one("Vendor"), desk.account("Expense", "Cost of Goods Sold")
    if vendor is None or account is None:
        return None
    body = {
        "VendorRef": _ref(vendor.id),
        "TxnDate": desk.day(back=back),
        "Line": [_expense(account, desk.cents())],
    }
    term = desk.one("Term") if entity == "Bill" else None
    return desk.operation("create", entity, {**body, "SalesTermRef": _ref(term.id)} if term else body)


def _bill(desk: Desk) -> Operation | None:
    return _bought(desk, "Bill")


def _back_dated_bill(desk: Desk) -> Operation | None:
    return _bought(desk, "Bill", back=desk.dice.randint(5, _LONGEST_BACK_DATE))


def _vendor_credit(desk: Desk) -> Operation | None:
    return _bought(desk, "VendorCredit")


def _open(stored: StoredObject) -> int:
    return to_cents(stored.body["Balance"])


def _part(desk: Desk, cents: int) -> int:
    """Usually all of it, now and then a part."""
    return cents if desk.dice.random() < 0.7 else max(1, cents // desk.dice.randint(2, 4))  # noqa: PLR2004 - a habit


def _bill_payment(desk: Desk) -> Operation | None:
    bill, bank = desk.one("Bill", of=lambda each: _open(each) > 0), desk.account("Bank")
    if bill is None or bank is None:
        return None
    cents = _part(desk, _open(bill))
    body = {
        "VendorRef": _ref(bill.body["VendorRef"]["value"]),
        "TxnDate": desk.day(),
        "TotalAmt": line_money(cents),
        "PayType": "Check",
        "CheckPayment": {"BankAccountRef": _ref(bank), "PrintStatus": "NotSet"},
        "Line": [_settling(bill, cents)],
    }
    return desk.operation("create", "BillPayment", body)


def _applied_credit(desk: Desk) -> Operation | None:
    credit, bank = desk.one("VendorCredit", of=lambda each: _open(each) > 0), desk.account("Bank")
    if credit is None or bank is None:
        return None
    vendor = credit.body["VendorRef"]["value"]
    bill = desk.one("Bill", of=lambda each: _open(each) > 0 and each.body["VendorRef"]["value"] == vendor)
    if bill is None:
        return None
    cents = min(_open(credit), _open(bill))
    body = {
        "VendorRef": _ref(vendor),
        "TxnDate": desk.day(),
        "TotalAmt": 0,
        "PayType": "Check",
        "CheckPayment": {"BankAccountRef": _ref(bank), "PrintStatus": "NotSet"},
        "Line": [_settling(bill, cents), _settling(credit, cents)],
    }
    return desk.operation("create", "BillPayment", body)


def _sold(desk: Desk, entity: str) -> Operation | None:
    customer, item = desk.one("Customer"), desk.one("Item", of=lambda each: "IncomeAccountRef" in each.body)
    if customer is None or item is None:
        return None
    body = {"CustomerRef": _ref(customer.id), "TxnDate": desk.day(), "Line": [_sale(item.id, desk.cents())]}
    return desk.operation("create", entity, body)


def _invoice(desk: Desk) -> Operation | None:
    return _sold(desk, "Invoice")


def _credit_memo(desk: Desk) -> Operation | None:
    return _sold(desk, "CreditMemo")


def _sales_receipt(desk: Desk) -> Operation | None:
    return _sold(desk, "SalesReceipt")


def _payment(desk: Desk) -> Operation | None:
    invoice = desk.one("Invoice", of=lambda each: _open(each) > 0)
    if invoice is None:
        return None
    cents = _part(desk, _open(invoice))
    # Now and then a customer pays more than was asked; the rest stays unapplied.
    over = desk.cents() if desk.dice.random() < 0.05 else 0  # noqa: PLR2004 - a habit
    body = {
        "CustomerRef": _ref(invoice.body["CustomerRef"]["value"]),
        "TxnDate": desk.day(),
        "TotalAmt": line_money(cents + over),
        "Line": [_settling(invoice, cents)],
    }
    return desk.operation("create", "Payment", body)


def _deposit(desk: Desk) -> Operation | None:
    bank = desk.account("Bank")
    waiting = [
        each
        for entity in ("Payment", "SalesReceipt")
        for each in desk.company.objects[entity].values()
        if not each.body.get("DepositToAccountRef")
        and not any(link["TxnType"] == "Deposit" for link in each.body["LinkedTxn"])
        and to_cents(each.body["TotalAmt"]) > 0
    ][:4]
    if bank is None or not waiting:
        return None
    lines = [_settling(each, to_cents(each.body["TotalAmt"])) for each in waiting]
    body = {"DepositToAccountRef": _ref(bank), "TxnDate": desk.day(), "Line": lines}
    return desk.operation("create", "Deposit", body)


def _purchase(desk: Desk) -> Operation | None:
    account, expense = desk.account("Credit Card", "Bank"), desk.account("Expense")
    if account is None or expense is None:
        return None
    is_card = desk.company.objects["Account"][account].body["AccountType"] == "Credit Card"
    body = {
        "AccountRef": _ref(account),
        "PaymentType": "CreditCard" if is_card else "Cash",
        "TxnDate": desk.day(),
        "Line": [_expense(expense, desk.cents())],
    }
    return desk.operation("create", "Purchase", body)


def _transfer(desk: Desk) -> Operation | None:
    source, target = desk.account("Bank"), desk.account("Bank", "Credit Card")
    if source is None or target is None or source == target:
        return None
    body = {
        "FromAccountRef": _ref(source),
        "ToAccountRef": _ref(target),
        "Amount": line_money(desk.cents()),
        "TxnDate": desk.day(),
    }
    return desk.operation("create", "Transfer", body)


def _edited_bill(desk: Desk) -> Operation | None:
    bill, account = desk.one("Bill"), desk.account("Expense")
    if bill is None or account is None:
        return None
    changed: dict[str, Any] = {"Id": bill.id, "PrivateNote": f"checked {desk.day()}"}
    if desk.dice.random() < 0.6:  # noqa: PLR2004 - a habit
        # Amounts go down as well as up, also below what was paid.
        changed["Line"] = [_expense(account, desk.cents())]
    if desk.dice.random() < 0.3:  # noqa: PLR2004 - a habit
        changed["DueDate"] = desk.day(back=-desk.dice.randint(1, 45))
    return desk.operation("sparse_update", "Bill", changed)


def _edited_invoice(desk: Desk) -> Operation | None:
    invoice, item = desk.one("Invoice"), desk.one("Item", of=lambda each: "IncomeAccountRef" in each.body)
    if invoice is None or item is None:
        return None
    changed = {"Id": invoice.id, "Line": [_sale(item.id, desk.cents())]}
    return desk.operation("sparse_update", "Invoice", changed)


def _renamed_vendor(desk: Desk) -> Operation | None:
    vendor = desk.one("Vendor")
    if vendor is None:
        return None
    name = f"{vendor.body['DisplayName'].split(' #')[0]} #{desk.dice.randint(1, 9_999)}"
    return desk.operation("sparse_update", "Vendor", {"Id": vendor.id, "DisplayName": name})


def _void(desk: Desk) -> Operation | None:
    entity = desk.dice.choice(("BillPayment", "Payment", "Invoice"))
    found = desk.one(entity, of=lambda each: to_cents(each.body["TotalAmt"]) > 0)
    return desk.operation("void", entity, {"Id": found.id}) if found else None


def _delete(desk: Desk) -> Operation | None:
    entity = desk.dice.choice(("Bill", "BillPayment", "Purchase", "Payment", "Deposit", "Transfer", "Invoice"))
    found = desk.one(entity)
    return desk.operation("delete", entity, {"Id": found.id}) if found else None


def _merge(desk: Desk) -> Operation | None:
    entity = desk.dice.choice(("Vendor", "Customer"))
    # Only names without jobs below them: QuickBooks does not merge a parent away either.
    parents = {(each.body.get("ParentRef") or {}).get("value") for each in desk.company.objects[entity].values()}
    kept, merged = desk.one(entity), desk.one(entity, of=lambda each: each.id not in parents)
    if kept is None or merged is None or kept is merged:
        return None
    return desk.operation("merge", entity, {"kept": kept.id, "merged": merged.id})


def _inactivation(desk: Desk) -> Operation | None:
    entity = desk.dice.choice(("Vendor", "Customer", "Account"))
    if entity == "Account":
        found = desk.one("Account", of=lambda each: each.body["AccountType"] == "Expense")
    else:
        found = desk.one(entity, of=lambda each: not desk.company.ledger.parties[each.id])
    return desk.operation("sparse_update", entity, {"Id": found.id, "Active": False}) if found else None


def _reactivation(desk: Desk) -> Operation | None:
    entity = desk.dice.choice(("Vendor", "Customer", "Account"))
    idle = [each for each in desk.company.objects[entity].values() if not each.body.get("Active", True)]
    if not idle:
        return None
    return desk.operation("sparse_update", entity, {"Id": desk.dice.choice(idle).id, "Active": True})


def _journal_entry(desk: Desk) -> Operation | None:
    bank, expense = desk.account("Bank"), desk.account("Expense")
    if bank is None or expense is None:
        return None
    cents = desk.cents()
    lines = [
        {
            "Amount": line_money(cents),
            "DetailType": "JournalEntryLineDetail",
            "JournalEntryLineDetail": {"PostingType": side, "AccountRef": _ref(account)},
        }
        for side, account in (("Debit", expense), ("Credit", bank))
    ]
    return desk.operation("create", "JournalEntry", {"TxnDate": desk.day(), "Line": lines})


def _refund_receipt(desk: Desk) -> Operation | None:
    sold, bank = _sold(desk, "RefundReceipt"), desk.account("Bank")
    if sold is None or bank is None:
        return None
    return desk.operation("create", "RefundReceipt", {**sold.body, "DepositToAccountRef": _ref(bank)})


def _new_name(desk: Desk) -> Operation | None:
    entity = desk.dice.choice(("Vendor", "Customer"))
    return desk.operation("create", entity, {"DisplayName": f"New {entity} {desk.dice.randint(1, 10**9)}"})


def _new_term(desk: Desk) -> Operation | None:
    days = desk.dice.randint(1, 120)
    return desk.operation(
        "create", "Term", {"Name": f"Net {days}, agreed {desk.dice.randint(1, 10**9)}", "DueDays": days}
    )


def _described_item(desk: Desk) -> Operation | None:
    item = desk.one("Item")
    return (
        desk.operation("sparse_update", "Item", {"Id": item.id, "Description": f"as of {desk.day()}"}) if item else None
    )


# name: how often, what; those of weight 0 happen only when they are asked for
_DEEDS: dict[str, tuple[int, Deed]] = {
    "bill": (14, _bill),
    "back-dated bill": (6, _back_dated_bill),
    "vendor credit": (2, _vendor_credit),
    "bill payment": (12, _bill_payment),
    "applied credit": (2, _applied_credit),
    "invoice": (10, _invoice),
    "credit memo": (1, _credit_memo),
    "sales receipt": (2, _sales_receipt),
    "payment": (10, _payment),
    "deposit": (4, _deposit),
    "purchase": (10, _purchase),
    "transfer": (1, _transfer),
    "edited bill": (8, _edited_bill),
    "edited invoice": (3, _edited_invoice),
    "renamed vendor": (1, _renamed_vendor),
    "void": (3, _void),
    "delete": (5, _delete),
    "merge": (1, _merge),
    "inactivation": (1, _inactivation),
    "reactivation": (0, _reactivation),
    "journal entry": (0, _journal_entry),
    "refund receipt": (0, _refund_receipt),
    "new name": (0, _new_name),
    "new term": (0, _new_term),
    "described item": (0, _described_item),
}
