"""What a client may send: the checks in front of the books, and a request turned into an operation.

Belongs here: required and unknown fields, references, account types, stale tokens, duplicate numbers. Does not: forms
that differ from client to client (``intake.py``), what the books themselves refuse (``transactions.py``), HTTP
(``data_api.py``).
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from qbo_sandbox.company import VOIDABLE, Company
from qbo_sandbox.entities import PARTIES, SINGLETONS, TRANSACTIONS
from qbo_sandbox.faults import QboFault
from qbo_sandbox.fields import PROPERTIES, REQUIRED
from qbo_sandbox.forms import NAMED_REFERENCES, NAMELESS_REFERENCES, PARTY
from qbo_sandbox.intake import taken_in, without_emptied
from qbo_sandbox.objects import JsonObject, StoredObject
from qbo_sandbox.operations import Operation, Verb
from qbo_sandbox.settings import RealmSettings

_LONGEST = {"DocNumber": 21, "PrivateNote": 4000}
_CENT = Decimal("0.01")
_LINE_PROPERTIES = frozenset(
    {
        "Id", "LineNum", "Description", "Amount", "DetailType", "LinkedTxn", "LineEx", "CustomExtensions", "Received",
        "CustomField", "ProjectRef",
    }
)  # fmt: skip
_REFERENCES = {**NAMED_REFERENCES, **NAMELESS_REFERENCES}
_BANK = ("Bank",)
_MONEY_ACCOUNTS = ("Bank", "Other Current Asset", "Credit Card", "Other Current Liability")
# entity, path to the reference, account types allowed there
_ACCOUNT_TYPES: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...] = (
    ("BillPayment", ("CheckPayment", "BankAccountRef"), _BANK),
    ("BillPayment", ("CreditCardPayment", "CCAccountRef"), ("Credit Card",)),
    ("Deposit", ("DepositToAccountRef",), ("Bank", "Other Current Asset", "Credit Card")),
    ("Payment", ("DepositToAccountRef",), _MONEY_ACCOUNTS),
    ("SalesReceipt", ("DepositToAccountRef",), _MONEY_ACCOUNTS),
    ("RefundReceipt", ("DepositToAccountRef",), _MONEY_ACCOUNTS),
    ("Bill", ("APAccountRef",), ("Accounts Payable",)),
    ("VendorCredit", ("APAccountRef",), ("Accounts Payable",)),
)


_WORDS = {
    ("BillPayment", "PayType"): ("Check", "CreditCard"),
    ("Purchase", "PaymentType"): ("Cash", "Check", "CreditCard"),
    ("Item", "Type"): ("Service", "NonInventory", "Inventory", "Category", "Group"),
}


def operation_for(
    company: Company,
    entity: str,
    body: Mapping[str, Any],
    *,
    operation: str | None,
    include: str | None,
    settings: RealmSettings,
    at: datetime,
) -> Operation:
    """The operation that a POST means; raises the fault that QuickBooks answers."""
    sent = taken_in(body)
    _check_properties(entity, body)
    verb = _verb(entity, sent, operation=operation, include=include)
    if verb != "sparse_update":
        sent = without_emptied(sent)
    if verb in ("delete", "void"):
        _current(company, entity, sent)
        return Operation(verb=verb, entity=entity, at=at, body={"Id": str(sent["Id"])})
    if verb == "create":
        if entity in SINGLETONS:
            raise QboFault.unsupported(f"create {entity}")
        _check_content(company, entity, sent, settings=settings, existing=None, include=include)
        return Operation(verb=verb, entity=entity, at=at, body=sent)
    existing = _current(company, entity, sent)
    if verb == "sparse_update" and entity == "BillPayment" and not settings.bill_payment_sparse_update:
        raise QboFault.unsupported("sparse update BillPayment")
    wanted = {**existing.body, **sent} if verb == "sparse_update" else sent
    _check_content(company, entity, wanted, settings=settings, existing=existing, include=include)
    return Operation(verb=verb, entity=entity, at=at, body=sent)


def _verb(entity: str, body: JsonObject, *, operation: str | None, include: str | None) -> Verb:
    if operation == "delete":
        return "delete"
    if operation == "void" or (operation == "update" and include == "void"):
        if entity not in VOIDABLE:
            raise QboFault.unsupported(f"void {entity}")
        return "void"
    if operation not in (None, "create", "update"):
        raise QboFault.unsupported(operation)
    if not body.get("Id"):
        return "create"
    return "sparse_update" if body.get("sparse") is True else "update"


def _check_properties(entity: str, body: Mapping[str, Any]) -> None:
    known = PROPERTIES[entity]
    for name in body:
        if name not in known:
            raise _unknown_property(entity, name, known)
    for line in body.get("Line") or ():
        for name in line:
            if name not in _LINE_PROPERTIES and not name.endswith("LineDetail"):
                raise _unknown_property("Line", name, _LINE_PROPERTIES)


def _unknown_property(owner: str, name: str, known: frozenset[str]) -> QboFault:
    listed = ", ".join(f'"{known_name}"' for known_name in sorted(known))
    return QboFault(
        code="2010",
        message="Request has invalid or unsupported property",
        detail=f'Property Name:Unrecognized field "{name}" (class com.intuit.schema.finance.v3.{owner}), '
        f"not marked as ignorable ({len(known)} known properties: {listed}])",
        element=name,
    )


def _current(company: Company, entity: str, body: JsonObject) -> StoredObject:
    """The object a client means to change, when it has seen its present version."""
    object_id = str(body.get("Id") or "")
    if not object_id:
        raise QboFault.required(element="Id")
    check_id(object_id)
    if not body.get("SyncToken"):
        raise QboFault.required(element="SyncToken")
    existing = company.existing(entity, object_id)
    if str(body["SyncToken"]) != existing.body["SyncToken"]:
        raise QboFault.stale()
    return existing


def check_id(object_id: str) -> None:
    """Refuse an id that is no number."""
    if not (object_id.isascii() and object_id.isdigit()):
        raise QboFault(
            code="2030",
            message="Invalid ID",
            detail=f"Invalid ID : Id should be a valid number. Supplied value:{object_id}",
            element="Id",
        )


def _check_content(
    company: Company,
    entity: str,
    body: JsonObject,
    *,
    settings: RealmSettings,
    existing: StoredObject | None,
    include: str | None,
) -> None:
    for name in REQUIRED.get(entity, ()):
        if body.get(name) in (None, "", {}):
            raise QboFault.required(element=name)
    for name, longest in _LONGEST.items():
        if len(str(body.get(name) or "")) > longest:
            raise QboFault(
                code="2050",
                message="Invalid String Length",
                detail=f"String length is either shorter or longer than supported by specification. Max:{longest}",
                element=name,
            )
    for (owner, name), words in _WORDS.items():
        if owner == entity and body.get(name) and body[name] not in words:
            raise QboFault.not_listed(element=name, value=body[name])
    _check_features(company, entity, body)
    _check_references(company, entity, body, existing=existing)
    if entity in TRANSACTIONS:
        _check_lines(entity, body)
        _check_closed_books(company, body, existing=existing)
        _check_doc_number(company, entity, body, settings=settings, existing=existing, include=include)
    elif (
        entity in PARTIES
        and existing is not None
        and body.get("Active") is False
        and company.ledger.parties[existing.id]
    ):
        raise QboFault.business("An object with an open balance cannot be made inactive.", code="6220")


def _check_features(company: Company, entity: str, body: JsonObject) -> None:
    """Features this company has switched off: foreign currency, deposits on invoices, stock."""
    home = company.objects["Preferences"]["1"].body["CurrencyPrefs"]["HomeCurrency"]["value"]
    asked = {
        "Multi-currency": (body.get("CurrencyRef") or {}).get("value", home) != home,
        "Deposit on an invoice": entity == "Invoice" and bool(body.get("Deposit")),
        "Quantity on hand": entity == "Item" and bool(body.get("TrackQtyOnHand")),
    }
    for feature, is_asked in asked.items():
        if is_asked:
            raise QboFault(
                code="5030",
                message="Feature Not Supported Error",
                detail=f"Feature Not Supported Error : {feature} is not enabled for this company.",
            )


def _references(value: object) -> Iterator[tuple[str, str]]:
    if isinstance(value, list):
        for part in value:
            yield from _references(part)
    elif isinstance(value, Mapping):
        for name, part in value.items():
            if name in _REFERENCES and isinstance(part, Mapping) and part.get("value"):
                yield name, str(part["value"])
            yield from _references(part)


def _check_references(company: Company, entity: str, body: JsonObject, *, existing: StoredObject | None) -> None:
    kept = set(_references(existing.body)) if existing is not None else set()
    for name, object_id in _references(body):
        kind = _REFERENCES[name]
        entities = PARTIES if kind == PARTY else (kind,)
        found = next(
            (company.objects[each][object_id] for each in entities if object_id in company.objects[each]), None
        )
        if found is None or (not found.body["Active"] and (name, object_id) not in kept):
            raise QboFault.bad_reference(element=name, value=object_id)
    for owner, path, allowed in _account_rules(entity, body):
        target: Any = body
        for step in path:
            target = (target or {}).get(step)
        account = company.objects["Account"].get(str((target or {}).get("value")))
        if account is not None and account.body["AccountType"] not in allowed:
            raise QboFault.business(f"{owner} cannot use an account of this type.", code="6430", element=path[-1])


def _account_rules(entity: str, body: JsonObject) -> Iterator[tuple[str, tuple[str, ...], tuple[str, ...]]]:
    yield from (rule for rule in _ACCOUNT_TYPES if rule[0] == entity)
    if entity == "Purchase":
        is_card = body.get("PaymentType") == "CreditCard"
        yield entity, ("AccountRef",), ("Credit Card",) if is_card else _MONEY_ACCOUNTS


def _check_lines(entity: str, body: JsonObject) -> None:
    lines = body.get("Line")
    if "Line" in REQUIRED[entity] and not lines and entity != "BillPayment":
        raise QboFault(
            code="2250", message="Invalid or missing lines", detail="At least one line is required.", element="Line"
        )
    for line in lines or ():
        detail = line.get("SalesItemLineDetail") or line.get("ItemBasedExpenseLineDetail") or {}
        quantity, price, amount = detail.get("Qty"), detail.get("UnitPrice"), line.get("Amount")
        if quantity is None or price is None or amount is None:
            continue
        product = (Decimal(quantity) * Decimal(price)).quantize(_CENT, rounding=ROUND_HALF_UP)
        if product != Decimal(amount):
            raise QboFault.business("Amount is not equal to UnitPrice * Qty.", code="6070", element="Amount")


def _check_closed_books(company: Company, body: JsonObject, *, existing: StoredObject | None) -> None:
    closed = company.objects["Preferences"]["1"].body["AccountingInfoPrefs"].get("BookCloseDate")
    if not closed:
        return
    days = [body.get("TxnDate"), existing.body["TxnDate"] if existing else None]
    if any(day is not None and day <= closed for day in days):
        raise QboFault.business("The account period has closed for this date.", code="6210", element="TxnDate")


def _check_doc_number(
    company: Company,
    entity: str,
    body: JsonObject,
    *,
    settings: RealmSettings,
    existing: StoredObject | None,
    include: str | None,
) -> None:
    number = body.get("DocNumber")
    if settings.duplicate_doc_number == "accept" or not number or include == "allowduplicatedocnum":
        return
    for other in company.objects[entity].values():
        if other is not existing and other.body.get("DocNumber") == number:
            raise QboFault(
                code="6140",
                message="Duplicate Document Number Error",
                detail=f"Duplicate Document Number Error : You must specify a different number. This number has already "
                f"been used. DocNumber={number} is assigned to TxnType={entity} with TxnId={other.id}",
            )
