"""Query statements: text to a checked value, or one of the two faults QuickBooks gives for a bad one.

Belongs here: parsing, names of entities and properties, limits of a page. Does not: running it over a company's objects
(``selection.py``).
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from lark import Lark, Token, Transformer
from lark.exceptions import UnexpectedCharacters, UnexpectedEOF, UnexpectedInput, UnexpectedToken

from qbo_sandbox.entities import EMPTY_ENTITIES, ENTITIES
from qbo_sandbox.faults import QboFault
from qbo_sandbox.fields import PROPERTIES, QUERYABLE

DEFAULT_PAGE = 100
LARGEST_PAGE = 1000
Operator = Literal["=", "<", ">", "<=", ">=", "IN", "LIKE"]


@dataclass(frozen=True, slots=True)
class Today:
    """The literal CURRENT_DATE; which day it is depends on the company."""


Value = str | bool | Today


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """One condition; every value is kept as text until its property's kind is known."""

    name: str
    operator: Operator
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One checked query. ``columns`` None means all, ``is_count`` asks for the number only."""

    entity: str
    is_count: bool
    columns: tuple[str, ...] | None
    conditions: tuple[Condition, ...]
    order: tuple[tuple[str, bool], ...]  # property, descending
    start: int
    size: int


class _Tree(Transformer[Token, Any]):
    """Turns the parse tree into plain parts; the checks come after, with the entity known."""

    def everything(self, names: list[Token]) -> tuple[str, ...]:
        return ("*", *(str(name) for name in names))

    def count(self, _: list[Token]) -> str:
        return "count"

    def listed(self, names: list[Token]) -> tuple[str, ...]:
        return tuple(str(name) for name in names)

    def comparison(self, parts: list[Any]) -> Condition:
        return Condition(name=str(parts[0]), operator=str(parts[1]), values=(parts[2],))  # type: ignore[arg-type] # the grammar knows only operators

    def membership(self, parts: list[Any]) -> Condition:
        return Condition(name=str(parts[0]), operator="IN", values=tuple(parts[1:]))

    def pattern(self, parts: list[Any]) -> Condition:
        return Condition(name=str(parts[0]), operator="LIKE", values=(parts[1],))

    def where(self, conditions: list[Condition]) -> dict[str, Any]:
        return {"conditions": tuple(conditions)}

    def order_column(self, parts: list[Token | None]) -> tuple[str, bool]:
        return str(parts[0]), parts[1] is not None and parts[1].upper() == "DESC"

    def order(self, columns: list[tuple[str, bool]]) -> dict[str, Any]:
        return {"order": tuple(columns)}

    def start_position(self, parts: list[Token]) -> dict[str, Any]:
        return {"start": int(parts[0])}

    def max_results(self, parts: list[Token]) -> dict[str, Any]:
        return {"size": int(parts[0])}

    def start(self, parts: list[Any]) -> dict[str, Any]:
        found: dict[str, Any] = {"columns": parts[0], "entity": str(parts[1])}
        for part in parts[2:]:
            found.update(part)
        return found

    def STRING(self, token: Token) -> str:  # noqa: N802 - named after its terminal
        return re.sub(r"\\(.)", r"\1", token[1:-1])

    def DECIMAL(self, token: Token) -> str:  # noqa: N802 - named after its terminal
        return str(token)

    def INTEGER(self, token: Token) -> str:  # noqa: N802 - named after its terminal
        return str(token)

    def BOOLEAN(self, token: Token) -> bool:  # noqa: N802 - named after its terminal
        return token.lower() == "true"

    def CURRENT_DATE(self, _: Token) -> Today:  # noqa: N802 - named after its terminal
        return Today()


@lru_cache(maxsize=1)
def _parser() -> Lark:
    grammar = Path(__file__).with_name("query.lark").read_text(encoding="utf-8")
    return Lark(grammar, parser="lalr", maybe_placeholders=True)


def parse(text: str) -> Statement:
    """The statement that a text says; raises the fault that QuickBooks answers."""
    try:
        tree = _parser().parse(text)
    except UnexpectedInput as error:
        raise _unparsable(error, text) from error
    return _checked(_Tree().transform(tree))


def _checked(parts: dict[str, Any]) -> Statement:
    entity = next((known for known in ENTITIES if known.casefold() == parts["entity"].casefold()), None)
    if entity is None and parts["entity"].casefold() in _EMPTY:
        return _of_nothing(_EMPTY[parts["entity"].casefold()], is_count=parts["columns"] == "count")
    if entity is None:
        raise invalid(f"invalid context declaration: {parts['entity']}")
    start, size = parts.get("start", 1), parts.get("size", DEFAULT_PAGE)
    for number in (start, size):
        if number < 1:
            raise invalid(f"value {number} is too small. Min allowed value is 1")
    is_count = parts["columns"] == "count"
    listed = () if is_count else tuple(name if name == "*" else _property(entity, name) for name in parts["columns"])
    conditions = tuple(
        Condition(name=_queryable(entity, found.name), operator=found.operator, values=found.values)
        for found in parts.get("conditions", ())
    )
    for condition in conditions:
        if condition.name == "Id" and condition.operator not in ("=", "IN"):
            raise invalid(f"property Id does not support operator {condition.operator}")
    return Statement(
        entity=entity,
        is_count=is_count,
        # Clients ask for `*, Sku`, as some properties were once given only by name.
        columns=None if is_count or "*" in listed else listed,
        conditions=conditions,
        order=tuple((_queryable(entity, name), descending) for name, descending in parts.get("order", ())),
        start=start,
        size=min(size, LARGEST_PAGE),
    )


_EMPTY = {entity.casefold(): entity for entity in EMPTY_ENTITIES}


def _of_nothing(entity: str, *, is_count: bool) -> Statement:
    """A query of an entity without objects; which properties it has is not known here and makes no difference."""
    return Statement(entity=entity, is_count=is_count, columns=None, conditions=(), order=(), start=1, size=1)


def _property(entity: str, name: str) -> str:
    """The proper spelling of a property; names are case-insensitive."""
    head, _, rest = name.partition(".")
    known = next((prop for prop in PROPERTIES[entity] if prop.casefold() == head.casefold()), None)
    if known is None:
        raise invalid(f"Property {name} not found for Entity {entity}")
    return f"{known}.{rest}" if rest else known


def _queryable(entity: str, name: str) -> str:
    known = next((prop for prop in QUERYABLE[entity] if prop.casefold() == name.casefold()), None)
    if known is None:
        raise invalid(f"property '{_property(entity, name)}' is not queryable")
    return known


def invalid(what: str) -> QboFault:
    """4001: the statement parses but cannot be meant."""
    return QboFault(code="4001", message="Invalid query", detail=f"QueryValidationError: {what}")


def _unparsable(error: UnexpectedInput, text: str) -> QboFault:
    if isinstance(error, UnexpectedToken) and error.token.type != "$END":
        found, line, column = str(error.token), error.line, error.column
    elif isinstance(error, UnexpectedCharacters):
        found, line, column = error.char, error.line, error.column
    else:
        assert isinstance(error, UnexpectedToken | UnexpectedEOF)
        found, line, column = "<EOF>", 1 + text.count("\n"), len(text) - text.rfind("\n")
    return QboFault(
        code="4000",
        message="Error parsing query",
        detail=f'QueryParserError: Encountered " {found} " at line {line}, column {column}.',
    )
