"""The one way in for QBO objects: from a JSON text to a checked object, or to the reason why not.

Belongs here: `parse` and `BadObject`. Does not: the fields (`fields.py`, `list_objects.py`, `transactions.py`),
the table of kinds (`kinds.py`), what objects mean together (`frames.py`, `postings.py`).
"""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any, TypeVar

from pydantic import PrivateAttr, ValidationError

from resources.qbo import exact_json
from resources.qbo.exact_json import DuplicateKey, NotJson, Reader
from resources.qbo.fields import Instant, Part, QboId, QboObject
from resources.qbo.kinds import ENTITIES
from resources.qbo.list_objects import Account, CompanyInfo, Customer, Item, Preferences, Term, Vendor
from resources.qbo.transactions import (
    Bill,
    BillPayment,
    CreditMemo,
    Deposit,
    Invoice,
    JournalEntry,
    Payment,
    Purchase,
    RefundReceipt,
    SalesReceipt,
    Transfer,
    VendorCredit,
)

_SHOWN = 80
_Model = TypeVar("_Model", bound=QboObject)


class BadObject(Exception):
    """A text is not the QBO object it should be. The message names no value: values are the client's data."""

    def __init__(self, *, entity: str, qbo_id: str | None, field: str, expected: str, came: str, raw_text: str) -> None:
        self.entity = entity
        self.qbo_id = qbo_id
        self.field = field
        self.expected = expected
        self.came = came
        self.raw_text = raw_text
        super().__init__(f"{entity} {qbo_id or 'without a readable id'}: {field or 'the whole object'}: {expected}")


class DeletedMetaData(Part):
    """What is left to say about a deleted object."""

    create_time: Instant | None = None
    last_updated_time: Instant | None = None


class Deleted(QboObject):
    """The notice that an object is gone; it can be one that was never seen."""

    meta_data: DeletedMetaData | None = None  # type: ignore[assignment]  # a notice has less than an object
    _entity: str = PrivateAttr(default="")

    @property
    def entity(self) -> str:
        """QuickBooks' name of the kind of what is gone."""
        return self._entity

    @property
    def created_at(self) -> datetime | None:
        """When it had been entered, if the notice says so."""
        return self.meta_data.create_time if self.meta_data else None

    @property
    def updated_at(self) -> datetime | None:
        """When it was deleted, if the notice says so."""
        return self.meta_data.last_updated_time if self.meta_data else None

    @property
    def is_deleted(self) -> bool:
        """Yes."""
        return True


_CLASSES: tuple[type[QboObject], ...] = (
    CompanyInfo, Preferences, Account, Vendor, Customer, Item, Term, Bill, BillPayment, VendorCredit, Purchase, Invoice,
    Payment, CreditMemo, SalesReceipt, RefundReceipt, Deposit, Transfer, JournalEntry,
)  # fmt: skip

#: The class of each kind, under QuickBooks' name.
MODELS: Mapping[str, type[QboObject]] = MappingProxyType({model.__name__: model for model in _CLASSES})

assert list(MODELS) == [kind.entity for kind in ENTITIES]


def parse(entity: str, text: str | bytes) -> QboObject:
    """The object in a JSON text, numbers exact; a deletion notice becomes a `Deleted`. `BadObject` otherwise."""
    model = MODELS[entity]
    try:
        decoded = text if isinstance(text, str) else text.decode("utf-8")
    except UnicodeDecodeError:
        shown = str(text, "utf-8", "backslashreplace") if isinstance(text, bytes) else text
        raise _whole(entity, shown, expected="expected UTF-8", came="other bytes") from None
    try:
        value = exact_json.load(decoded)
    except DuplicateKey as error:
        raise _whole(entity, decoded, expected="expected each key once", came=_shown(error.key)) from error
    except NotJson as error:
        raise _whole(entity, decoded, expected="expected JSON", came=str(error)) from error
    if not isinstance(value, dict):
        raise _whole(entity, decoded, expected="expected an object", came=_shown(value))
    if value.get("status") == "Deleted":
        deleted = _checked(Deleted, entity, value, decoded)
        deleted._entity = entity
        return deleted
    return _checked(model, entity, value, decoded)


def _checked(model: type[_Model], entity: str, value: dict[str, Any], text: str) -> _Model:
    try:
        return model.model_validate(value)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        raise BadObject(
            entity=entity,
            qbo_id=_readable_id(value),
            field=".".join(str(step) for step in first["loc"]),
            expected=first["msg"].removeprefix("Value error, "),
            came="nothing" if first["type"] == "missing" else _shown(first["input"]),
            raw_text=text,
        ) from None  # pydantic's own message quotes the values


def _whole(entity: str, text: str, *, expected: str, came: str) -> BadObject:
    return BadObject(entity=entity, qbo_id=_salvaged_id(text), field="", expected=expected, came=came, raw_text=text)


def _salvaged_id(text: str) -> str | None:
    """The id of an object that is no valid JSON, if it is said once and clearly."""
    reader = Reader(text)
    ids = []
    try:
        for key in reader.members():
            value = reader.take()
            if key == "Id":
                ids.append(exact_json.load(value))
    except NotJson:
        return None
    return _readable_id({"Id": ids[0]}) if len(ids) == 1 else None


def _readable_id(value: dict[str, Any]) -> str | None:
    try:
        return _Identified.model_validate(value).id
    except ValidationError:
        return None


class _Identified(Part):
    id: QboId


def _shown(value: Any) -> str:
    shown = repr(value)
    return shown if len(shown) <= _SHOWN else f"{shown[:_SHOWN]}..."
