"""What a client sent in the form the books take it: nothing empty, numbers exact, references bare.

Belongs here: forms that differ from client to client though they mean the same, and shapes that mean nothing. Does not:
whether the content is acceptable (``writes.py``), what the books add to it (``forms.py``).

Clients write numbers as text, days with an offset, empty texts for what they do not know, and references with whatever
name and type they hold; the service answers none of that back.
"""

from collections.abc import Mapping
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from qbo_sandbox.faults import QboFault
from qbo_sandbox.objects import JsonObject

_DAYS = ("TxnDate", "DueDate")
_CENT = Decimal("0.01")
_PRICE_DECIMALS = 7
_ROUNDED = {"TotalAmt": _CENT, "Amount": _CENT, "TotalTax": _CENT, "UnitPrice": Decimal(1).scaleb(-_PRICE_DECIMALS)}
_LARGEST = 10**12
_NUMBERS = frozenset(
    {
        *_ROUNDED, "Balance", "BillRate", "CostRate", "DayOfMonthDue", "Deposit", "DiscountDayOfMonth", "DiscountDays",
        "DiscountPercent", "DueDays", "DueNextMonthDays", "ExchangeRate", "LineNum", "NetAmountTaxable", "PurchaseCost",
        "Qty", "TaxAmount", "TaxInclusiveAmt", "TaxPercent",
    }
)  # fmt: skip
_FLAGS = frozenset(
    {
        "Active", "Adjustment", "BillWithParent", "Credit", "Job", "PercentBased", "SubAccount", "SubItem", "Taxable",
        "TrackQtyOnHand", "Vendor1099", "sparse",
    }
)  # fmt: skip
_TEXTS = frozenset(
    {
        "AccountSubType", "AccountType", "AcctNum", "CompanyName", "Description", "DetailType", "DisplayName",
        "DocNumber", "FamilyName", "GivenName", "Id", "MiddleName", "Name", "PayType", "PaymentRefNum", "PaymentType",
        "PostingType", "PrintStatus", "PrivateNote", "Sku", "Suffix", "SyncToken", "Title", "TxnId", "TxnType", "Type",
    }
)  # fmt: skip
_LISTS = ("Line", "LinkedTxn", "CustomField")
_OBJECTS = ("CashBack", "CheckPayment", "CreditCardPayment", "Entity", "MetaData", "TxnTaxDetail")
_OBJECT_ENDINGS = ("Ref", "LineDetail", "Addr", "Prefs")
# Zero says the same as nothing, which is what the service answers.
_ABSENT_AT_ZERO = ("Id", "TaxAmount", "TaxInclusiveAmt", "TxnLineId")
_TOKENS = ((Mapping, "START_OBJECT"), (list, "START_ARRAY"), (str, "VALUE_STRING"), (bool, "VALUE_BOOLEAN"))


def taken_in(body: Mapping[str, Any]) -> JsonObject:
    """The body as the books take it; what a client emptied with ``""`` is None, so that a sparse update clears it."""
    found: JsonObject = {}
    for name, value in body.items():
        taken = _taken(name, value)
        if taken is not None or _is_emptied(value):
            found[name] = taken
    return found


def without_emptied(body: Mapping[str, Any]) -> JsonObject:
    """The body without what a client emptied: on create and full update that says no more than leaving it out."""
    return {name: value for name, value in body.items() if value is not None}


def _is_emptied(value: object) -> bool:
    """Whether a client wrote something that holds nothing, which null does not and an empty object neither."""
    return value == "" or (isinstance(value, Mapping) and bool(value))


def _taken(name: str, value: Any) -> Any:
    if value is None or value == "" or (name in _ABSENT_AT_ZERO and value in (0, "0")):
        return None
    if isinstance(value, Mapping):
        return _object(name, value)
    if isinstance(value, list):
        return _list(name, value)
    return _scalar(name, value)


def _object(name: str, value: Mapping[str, Any]) -> JsonObject | None:
    if name in _LISTS or _is_scalar(name):
        raise misshapen(name, value)
    found = {key: part for key, given in value.items() if (part := _taken(key, given)) is not None}
    if name.endswith("Ref"):
        found = {key: part for key, part in found.items() if key in ("value", "name")}
        if "value" not in found:
            return None
        if isinstance(found["value"], dict | list):
            raise misshapen(name, value)
        found["value"] = str(found["value"])
    # An object sent empty is a detail without content; one that held only empty texts is no object.
    return found if found or not value else None


def _list(name: str, value: list[Any]) -> list[Any] | None:
    if _is_scalar(name) or _is_object(name):
        raise misshapen(name, value)
    # An empty Line removes the lines; any other list without a member is not there.
    if not value and name != "Line":
        return None
    if name in _LISTS and not all(isinstance(part, Mapping) for part in value):
        raise misshapen(name, value)
    return [_object("", part) or {} if isinstance(part, Mapping) else part for part in value]


def _scalar(name: str, value: object) -> object:
    if name in _LISTS or _is_object(name):
        raise misshapen(name, value)
    if name in _DAYS:
        return _day(name, value)
    if name in _NUMBERS:
        return _number(name, value)
    if name in _FLAGS:
        return _flag(name, value)
    return str(value) if name in _TEXTS else value


def _is_scalar(name: str) -> bool:
    return name in _DAYS or name in _NUMBERS or name in _FLAGS or name in _TEXTS


def _is_object(name: str) -> bool:
    return name in _OBJECTS or name.endswith(_OBJECT_ENDINGS)


def _number(name: str, value: object) -> Decimal | int:
    # Clients compute in binary floats, and some write numbers as text: both are rounded as QuickBooks does.
    number = _parsed(value)
    if number is None or not -_LARGEST < number < _LARGEST:
        raise QboFault.invalid_number(element=name, value=value)
    exponent = _ROUNDED.get(name)
    if (
        isinstance(number, int)
        or exponent is None
        or (name == "UnitPrice" and number == round(number, _PRICE_DECIMALS))
    ):
        return number
    return number.quantize(exponent, rounding=ROUND_HALF_UP)


def _parsed(value: object) -> Decimal | int | None:
    """The finite number that a value is or says, None when it is none."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal | str):
        return None
    try:
        number = Decimal(value) if isinstance(value, str) else value
    except ArithmeticError:
        return None
    return number if isinstance(number, int) or number.is_finite() else None


def _flag(name: str, value: object) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.casefold() in ("true", "false"):
        return value.casefold() == "true"
    raise misshapen(name, value)


def _day(name: str, value: object) -> str:
    try:
        return date.fromisoformat(str(value)[:10]).isoformat()
    except ValueError as error:
        raise QboFault(
            code="2070", message="Invalid Date", detail=f"Invalid Date : {name} {value}", element=name
        ) from error


def misshapen(name: str, value: object) -> QboFault:
    """2010, as for a property that is not there: the value has another shape than the property."""
    token = next((token for kind, token in _TOKENS if isinstance(value, kind)), "VALUE_NUMBER")
    return QboFault(
        code="2010",
        message="Request has invalid or unsupported property",
        detail=f"Property Name:Can not deserialize {name} out of {token} token is unsupported or invalid",
        element=name,
    )
