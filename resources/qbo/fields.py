"""The types of single QBO fields: what is accepted on the wire and what it becomes.

Belongs here: ids, amounts, rates, dates, instants, references, the part every object has. Does not: whole objects
(`list_objects.py`, `transactions.py`).

Strict where a wrong value would become a wrong figure: an amount is a JSON number, never a text; an id is a text, never
a number. Values arrive from `exact_json.load`, so each number is a `Decimal`.
"""

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    Strict,
    StrictBool,
    StringConstraints,
)
from pydantic.alias_generators import to_pascal

#: A thousand times the largest company; cents of sums of such amounts still fit 64 bits.
_LARGEST_AMOUNT = Decimal(10) ** 13
_LARGEST_RATE = Decimal(10) ** 9
_LARGEST_COUNT = 10**6

_DATE = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:Z|[+-][0-9]{2}:[0-9]{2})?")
_INSTANT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?(?:Z|[+-][0-9]{2}:[0-9]{2})"
)


def _amount(value: Decimal) -> Decimal:
    if not -_LARGEST_AMOUNT < value < _LARGEST_AMOUNT:
        raise ValueError("expected an amount below ten trillion")
    return value


def _rate(value: Decimal) -> Decimal:
    if not 0 < value < _LARGEST_RATE:
        raise ValueError("expected a positive rate of exchange")
    return value


def _count(value: Any) -> int:
    if not isinstance(value, Decimal) or not 0 <= value <= _LARGEST_COUNT or value != value.to_integral_value():
        raise ValueError("expected a whole number, zero or more")
    return int(value)


def _business_date(value: Any) -> date:
    match = _DATE.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError("expected a date, YYYY-MM-DD")
    return date.fromisoformat(match[1])


def _instant(value: Any) -> datetime:
    if not isinstance(value, str) or not _INSTANT.fullmatch(value):
        raise ValueError("expected a date and time with an offset, YYYY-MM-DDTHH:MM:SS-07:00")
    try:
        return datetime.fromisoformat(value).astimezone(UTC)
    except OverflowError as error:
        raise ValueError("expected a time inside the calendar") from error


def _empty_is_absent(value: Any) -> Any:
    return None if value == {} else value


def _absent_is_empty(value: Any) -> Any:
    return () if value is None else value


Text = Annotated[str, Strict()]
Flag = StrictBool
QboId = Annotated[str, StringConstraints(strict=True, pattern=r"^[0-9A-Za-z:._-]{1,64}$")]
Amount = Annotated[Decimal, Strict(), AfterValidator(_amount)]
Rate = Annotated[Decimal, Strict(), AfterValidator(_rate)]
Percent = Annotated[Decimal, Strict(), Field(ge=0, le=100)]
Count = Annotated[int, BeforeValidator(_count)]
BusinessDate = Annotated[date, BeforeValidator(_business_date)]
Instant = Annotated[datetime, BeforeValidator(_instant)]
#: Marks a list of which QBO leaves out the empty one, or sends null.
Listed = BeforeValidator(_absent_is_empty)


class Part(BaseModel):
    """Something inside a QBO object; fields not named here are kept in `model_extra`."""

    model_config = ConfigDict(extra="allow", frozen=True, alias_generator=to_pascal)


class Ref(Part):
    """A reference to another object: its id and, not always, its name."""

    value: QboId = Field(alias="value")
    name: Text | None = Field(default=None, alias="name")
    type: Text | None = Field(default=None, alias="type")


OptionalRef = Annotated[Ref | None, BeforeValidator(_empty_is_absent)]


class LinkedTxn(Part):
    """A link to another transaction."""

    txn_id: QboId
    txn_type: Annotated[str, StringConstraints(strict=True, min_length=1)]


class MetaData(Part):
    """When QBO says the object was entered and last changed."""

    create_time: Instant
    last_updated_time: Instant


class QboObject(Part):
    """One object as QBO returned it."""

    id: QboId
    sync_token: Text | None = None
    meta_data: MetaData

    @property
    def entity(self) -> str:
        """QuickBooks' name of its kind, which is its class's name."""
        return type(self).__name__

    @property
    def created_at(self) -> datetime | None:
        """When it was entered into QBO; None only for a deleted one that no longer says so."""
        return self.meta_data.create_time

    @property
    def updated_at(self) -> datetime | None:
        """When it was last changed, by QBO's clock; can lie in the future."""
        return self.meta_data.last_updated_time

    @property
    def is_deleted(self) -> bool:
        """Whether this is only the notice that the object is gone."""
        return False
