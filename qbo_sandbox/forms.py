"""The stored shape of a transaction: what QuickBooks adds to what a client sent.

Belongs here: line numbers, names in references, due dates, subtotals, voided forms. Does not: totals and balances that
follow from the ledger (``company.py``), whether a request is acceptable (``writes.py``).
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from qbo_sandbox.entities import PAYERS, SALES_FORMS
from qbo_sandbox.faults import QboFault
from qbo_sandbox.money import line_money, to_cents
from qbo_sandbox.objects import JsonObject

# Computed by the books, so never taken from a request; TotalAmt is an input of payments only.
READ_ONLY = frozenset(
    {
        "Id", "SyncToken", "MetaData", "domain", "sparse", "Balance", "HomeBalance", "HomeTotalAmt", "UnappliedAmt",
        "RemainingCredit", "LinkedTxn", "RecurDataRef", "status",
    }
)  # fmt: skip
PARTY = "party"  # a vendor or a customer: such a reference comes back with its type
# References that come back with the name of what they point at; the others were recorded with the value alone.
NAMED_REFERENCES = {
    "AccountRef": "Account",
    "APAccountRef": "Account",
    "BankAccountRef": "Account",
    "CCAccountRef": "Account",
    "FromAccountRef": "Account",
    "ToAccountRef": "Account",
    "DiscountAccountRef": "Account",
    "ItemAccountRef": "Account",
    "IncomeAccountRef": "Account",
    "ExpenseAccountRef": "Account",
    "AssetAccountRef": "Account",
    "ItemRef": "Item",
    "VendorRef": "Vendor",
    "CustomerRef": "Customer",
    "EntityRef": PARTY,
    "Entity": PARTY,
}
NAMELESS_REFERENCES = {"DepositToAccountRef": "Account", "SalesTermRef": "Term"}
# Of no meaning in a company of one currency in the United States, so taken and not kept.
_FOREIGN = ("ExchangeRate", "GlobalTaxCalculation")
Named = Callable[[str, Mapping[str, Any]], Mapping[str, Any]]
DueDays = Callable[[Mapping[str, Any]], int | None]

US_DOLLAR = {"value": "USD", "name": "United States Dollar"}
_NO_CURRENCY = ("BillPayment",)  # recorded without in a single-currency company
_DUE = ("Bill", "Invoice")
_DOCUMENT_TOTAL = ("Payment", "BillPayment")
# The kind of a cash purchase or cheque, as PurchaseEx of recorded purchases names it.
_PURCHASE_KIND = {"Cash": "54", "CreditCard": "54", "Check": "3"}


def stored_form(entity: str, body: Mapping[str, Any], *, named: Named, due_days: DueDays, today: str) -> JsonObject:
    """The body as the books keep it, without what the ledger computes."""
    form: JsonObject = {"domain": "QBO", "sparse": False}
    for key, value in body.items():
        if (
            key in READ_ONLY
            or key in _FOREIGN
            or value is None
            or (key == "TotalAmt" and entity not in _DOCUMENT_TOTAL)
        ):
            continue
        form[key] = _as_answered(key, value, named)
    form.setdefault("TxnDate", today)
    if entity not in _NO_CURRENCY:
        form.setdefault("CurrencyRef", US_DOLLAR)
    if entity != "Transfer":
        form["Line"] = _lines(entity, form.get("Line") or (), named)
    if entity in _DUE and not form.get("DueDate"):
        form["DueDate"] = _due_date(form, due_days)
    if entity == "Purchase":
        form["PurchaseEx"] = _purchase_kind(form.get("PaymentType", "Cash"))
    if entity == "BillPayment":
        _complete_bill_payment(form, named)
    return form


def _as_answered(key: str, value: Any, named: Named) -> Any:
    """A property as the service answers it: references with the present name, or with the value alone."""
    if key in NAMED_REFERENCES:
        return named(NAMED_REFERENCES[key], value)
    if key in NAMELESS_REFERENCES:
        return {"value": value["value"]}
    return US_DOLLAR if key == "CurrencyRef" else value


def _complete_bill_payment(form: JsonObject, named: Named) -> None:
    for detail in ("CheckPayment", "CreditCardPayment"):
        if detail in form:
            form[detail] = _with_names(form[detail], named)
    if "CheckPayment" in form:
        # Left out, the payment lands in the user's queue of cheques to print.
        form["CheckPayment"].setdefault("PrintStatus", "NeedToPrint")


def _due_date(form: JsonObject, due_days: DueDays) -> str:
    term = form.get("SalesTermRef")
    days = due_days(term) if term else None
    if not days:
        return str(form["TxnDate"])
    return (date.fromisoformat(form["TxnDate"]) + timedelta(days=days)).isoformat()


def _purchase_kind(payment_type: str) -> JsonObject:
    value = {"Name": "TxnType", "Value": _PURCHASE_KIND.get(payment_type, "54")}
    return {
        "any": [
            {
                "name": "{http://schema.intuit.com/finance/v3}NameValue",
                "declaredType": "com.intuit.schema.finance.v3.NameValue",
                "scope": "javax.xml.bind.JAXBElement$GlobalScope",
                "value": value,
                "nil": False,
                "globalScope": True,
                "typeSubstituted": False,
            }
        ]
    }


def _with_names(detail: Mapping[str, Any], named: Named) -> JsonObject:
    return {
        key: named(NAMED_REFERENCES[key], value) if key in NAMED_REFERENCES and isinstance(value, Mapping) else value
        for key, value in detail.items()
    }


def _lines(entity: str, lines: Iterable[Mapping[str, Any]], named: Named) -> list[JsonObject]:
    if entity in PAYERS:
        return [
            {**line, "Amount": line_money(to_cents(line["Amount"]))} if "Amount" in line else {**line} for line in lines
        ]
    given = [line for line in lines if line.get("DetailType") != "SubTotalLineDetail"]
    stored = _numbered(given, named)
    if entity in SALES_FORMS and given:
        stored.append(_subtotal(stored))
    return stored


def _numbered(lines: list[Mapping[str, Any]], named: Named) -> list[JsonObject]:
    taken = {str(line["Id"]) for line in lines if line.get("Id")}
    next_id = 1
    stored: list[JsonObject] = []
    for number, line in enumerate(lines, start=1):
        if line.get("LinkedTxn") and line.get("DetailType", "DepositLineDetail") not in line:
            # A deposit's line for a received payment comes back without Id, LineNum and DetailType.
            bare = {key: value for key, value in line.items() if key not in ("Id", "LineNum", "DetailType")}
            stored.append({**bare, "Amount": line_money(to_cents(line.get("Amount")))})
            continue
        line_id = str(line.get("Id") or "")
        while not line_id:
            line_id = "" if str(next_id) in taken else str(next_id)
            next_id += 1
        new: JsonObject = {**line, "Id": line_id, "LineNum": number}
        kind = line.get("DetailType", "")
        if kind in line:
            new[kind] = _detail(kind, line[kind], named)
        if kind == "DiscountLineDetail" and line.get(kind, {}).get("PercentBased"):
            new["Amount"] = _percent_discount(line[kind], stored)
        elif line.get("Amount") is not None:
            new["Amount"] = line_money(to_cents(line["Amount"]))
        stored.append(new)
    return stored


def _detail(kind: str, detail: Mapping[str, Any], named: Named) -> JsonObject:
    if kind == "GroupLineDetail":
        return {**detail, "Line": _numbered(list(detail.get("Line") or ()), named)}
    found = _with_names(detail, named)
    if kind == "JournalEntryLineDetail" and "Entity" in found:
        # Here the type stands beside the reference, not in it.
        entity = detail["Entity"]
        if "EntityRef" not in entity:
            raise QboFault.required(element="EntityRef")
        found["Entity"] = {**entity, "EntityRef": named(entity.get("Type") or PARTY, entity["EntityRef"])}
    if kind in ("AccountBasedExpenseLineDetail", "ItemBasedExpenseLineDetail"):
        found.setdefault("BillableStatus", "NotBillable")
        found.setdefault("TaxCodeRef", {"value": "NON"})
    return found


def _item_cents(lines: Iterable[Mapping[str, Any]]) -> int:
    total = 0
    for line in lines:
        if line.get("DetailType") == "SalesItemLineDetail":
            total += to_cents(line.get("Amount") or 0)
        elif line.get("DetailType") == "GroupLineDetail":
            total += _item_cents(line.get("GroupLineDetail", {}).get("Line") or ())
    return total


def _percent_discount(detail: Mapping[str, Any], before: list[JsonObject]) -> Decimal | int:
    if "DiscountPercent" not in detail:
        raise QboFault.required(element="DiscountPercent")
    share = Decimal(detail["DiscountPercent"]) / 100
    cents = (Decimal(_item_cents(before)) * share).quantize(Decimal(1), rounding=ROUND_HALF_UP)
    return line_money(int(cents))


def _subtotal(lines: list[JsonObject]) -> JsonObject:
    # Has no Id and is not part of the sum; every recorded sales form ends with one.
    return {"Amount": line_money(_item_cents(lines)), "DetailType": "SubTotalLineDetail", "SubTotalLineDetail": {}}


def voided_form(entity: str, body: Mapping[str, Any]) -> JsonObject:
    """The same transaction without amounts: lines emptied on payments, zeroed on sales forms."""
    note = body.get("PrivateNote")
    form: JsonObject = {**body, "PrivateNote": f"Voided - {note}" if note else "Voided"}
    if entity in PAYERS:
        return {**form, "Line": [], "TotalAmt": 0}
    if body.get("TxnTaxDetail"):
        form["TxnTaxDetail"] = {**body["TxnTaxDetail"], "TotalTax": 0}
    form["Line"] = [_zeroed(line) for line in body["Line"]]
    return form


def _zeroed(line: Mapping[str, Any]) -> JsonObject:
    new: JsonObject = {**line, "Amount": 0}
    kind = line.get("DetailType")
    if kind == "SalesItemLineDetail":
        new[kind] = {**line[kind], "Qty": 0, "UnitPrice": 0}
    elif kind == "GroupLineDetail":
        new[kind] = {**line[kind], "Line": [_zeroed(inner) for inner in line[kind]["Line"]]}
    return new
