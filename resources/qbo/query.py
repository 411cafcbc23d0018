r"""Statements of the QBO query language, put together so that no value can become part of the grammar.

Belongs here: names from a fixed list, typed and escaped literals, one statement. Does not: sending, paging.

The language has no parameters. A name is taken from an allow-list, a value becomes one literal: numbers and booleans by
type, text in single quotes with `\` and `'` escaped by a backslash; control characters are refused.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Literal

from resources.qbo.kinds import KINDS

Value = str | bool | int | Decimal | date | datetime
Operator = Literal["=", "<", ">", "<=", ">="]

MOST_RESULTS = 1000

#: Properties documented as filterable; asking for another one is code 4001.
FILTERABLE = frozenset(
    {
        "Id", "TxnDate", "DueDate", "DocNumber", "VendorRef", "CustomerRef", "TotalAmt", "Balance", "APAccountRef",
        "SalesTermRef", "MetaData.CreateTime", "MetaData.LastUpdatedTime", "Active", "Name", "DisplayName",
    }
)  # fmt: skip
SORTABLE = FILTERABLE - {"Balance"}

_OPERATORS = frozenset({"=", "<", ">", "<=", ">="})
#: `Id` is compared for equality only.
_EQUALITY_ONLY = frozenset({"Id", "Active"})
_REFUSED_CATEGORIES = frozenset({"Cc", "Cs", "Zl", "Zp"})


class BadStatement(ValueError):
    """The statement asked for cannot be built: a name is not on the list, or a value is no literal."""


@dataclass(frozen=True, slots=True)
class Statement:
    """One checked statement; made by this module only."""

    text: str
    entity: str


@dataclass(frozen=True, slots=True)
class Condition:
    """`property operator value`, checked when it is made."""

    text: str


def compare(name: str, operator: Operator, value: Value) -> Condition:
    """One comparison."""
    _known(name, FILTERABLE)
    if operator not in _OPERATORS or (name in _EQUALITY_ONLY and operator != "="):
        raise BadStatement(f"{name} cannot be compared by {operator!r}")
    return Condition(f"{name} {operator} {literal(value)}")


def one_of(name: str, values: Sequence[Value]) -> Condition:
    """The property has one of these values."""
    _known(name, FILTERABLE)
    if not values:
        raise BadStatement(f"{name} needs at least one value to be one of")
    return Condition(f"{name} IN ({', '.join(literal(value) for value in values)})")


def select(
    entity: str,
    *,
    where: Sequence[Condition] = (),
    order_by: Sequence[str] = (),
    start: int = 1,
    most: int = MOST_RESULTS,
) -> Statement:
    """`SELECT *` of one entity, ascending by `order_by`, `most` rows from the 1-based position `start`."""
    if not 1 <= most <= MOST_RESULTS or start < 1:
        raise BadStatement(f"positions start at 1 and a page has 1 to {MOST_RESULTS} rows")
    for name in order_by:
        _known(name, SORTABLE)
    order = f" ORDERBY {', '.join(f'{name} ASC' for name in order_by)}" if order_by else ""
    return Statement(
        f"SELECT * FROM {_entity(entity)}{_where(where)}{order} STARTPOSITION {start} MAXRESULTS {most}",  # noqa: S608 - checked names and literals only
        entity,
    )


def count(entity: str, *, where: Sequence[Condition] = ()) -> Statement:
    """`SELECT COUNT(*)` of one entity."""
    return Statement(f"SELECT COUNT(*) FROM {_entity(entity)}{_where(where)}", entity)  # noqa: S608 - checked names and literals only


def literal(value: Value) -> str:
    """One value as one literal of the language."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return f"'{value}'"
    if isinstance(value, Decimal):
        if not value.is_finite():
            raise BadStatement("a number has to be finite")
        return f"'{value:f}'"
    if isinstance(value, datetime):
        return f"'{_instant(value)}'"
    if isinstance(value, date):
        return f"'{value.isoformat()}'"
    return f"'{_escaped(value)}'"


def _instant(value: datetime) -> str:
    # QBO stores whole seconds and reads a time without an offset in a zone of its own choice.
    if value.tzinfo is None:
        raise BadStatement("an instant needs its offset")
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _escaped(text: str) -> str:
    for character in text:
        if unicodedata.category(character) in _REFUSED_CATEGORIES:
            raise BadStatement(f"a text may not hold the control character U+{ord(character):04X}")
    return text.replace("\\", "\\\\").replace("'", "\\'")


def _entity(name: str) -> str:
    if name not in KINDS:
        raise BadStatement("the entity is not one that is read")
    return name


def _known(name: str, names: frozenset[str]) -> None:
    if name not in names:
        raise BadStatement("the property is not one that can be asked for here")


def _where(conditions: Sequence[Condition]) -> str:
    return f" WHERE {' AND '.join(condition.text for condition in conditions)}" if conditions else ""
