"""Running a checked query over a company's objects.

Belongs here: which objects, in which order, which part of each. Does not: parsing (``query.py``), the envelope
(``envelopes.py``).
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

from qbo_sandbox.books import Books
from qbo_sandbox.entities import COUNTED_ON_PAGES, NAME_LISTS, SINGLETONS
from qbo_sandbox.objects import JsonObject, StoredObject
from qbo_sandbox.query import Condition, Statement, Today, Value, invalid
from qbo_sandbox.settings import RealmSettings
from qbo_sandbox.wire import PACIFIC, to_json

Key = Any  # a comparable of one kind per property: int, Decimal, str or bool
Read = Callable[[StoredObject], Key | None]

_TIMES = {"MetaData.CreateTime": "created", "MetaData.LastUpdatedTime": "updated"}
_DATES = ("TxnDate", "DueDate")
_NUMBERS = (
    "Balance",
    "BalanceWithJobs",
    "CurrentBalance",
    "TotalAmt",
    "UnappliedAmt",
    "UnitPrice",
    "Amount",
    "DueDays",
)
_FLAGS = ("Active", "Job", "Taxable", "SubAccount", "Vendor1099")
_COMPUTED = ("Balance", "BalanceWithJobs", "CurrentBalance")
_PAYMENT_ACCOUNT = {"CheckPayment": "BankAccountRef", "CreditCardPayment": "CCAccountRef"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What a query found: ready JSON texts of one page, or a number."""

    entity: str
    texts: list[str]
    start: int
    total: int | None  # what the envelope shows as totalCount


def select(books: Books, statement: Statement, *, settings: RealmSettings, now: datetime) -> Selection:
    """Answer one query."""
    found = _matching(books, statement, settings=settings, now=now)
    if statement.is_count:
        return Selection(entity=statement.entity, texts=[], start=1, total=sum(1 for _ in found))
    ordered = _ordered(books, statement, found, settings=settings)
    page = list(islice(ordered, statement.start - 1, statement.start - 1 + statement.size))
    return Selection(
        entity=statement.entity,
        texts=_texts(books, statement, page, settings=settings),
        start=statement.start,
        total=len(page) if _shows_total(statement.entity, settings) else None,
    )


def _shows_total(entity: str, settings: RealmSettings) -> bool:
    # Recorded pages carry the size of the page, not of the result, and only for some entities.
    if settings.page_total_count == "recorded":
        return entity in COUNTED_ON_PAGES
    return settings.page_total_count == "always"


def _matching(books: Books, statement: Statement, *, settings: RealmSettings, now: datetime) -> Iterable[StoredObject]:
    zone = PACIFIC if settings.query_time_zone == "pacific" else ZoneInfo(books.zone)
    tests = [_test(books, condition, zone=zone, now=now) for condition in statement.conditions]
    if statement.entity in NAME_LISTS and not any(condition.name == "Active" for condition in statement.conditions):
        tests.append(lambda stored: bool(stored.body["Active"]))
    for stored in books.objects.get(statement.entity, {}).values():
        if all(test(stored) for test in tests):
            yield stored


def _test(books: Books, condition: Condition, *, zone: ZoneInfo, now: datetime) -> Callable[[StoredObject], bool]:
    read = _reader(books, condition.name)
    if condition.operator == "LIKE":
        return _pattern_test(read, str(condition.values[0]))
    keys = [_literal(books, condition.name, value, zone=zone, now=now) for value in condition.values]
    if condition.operator in ("=", "IN"):
        wanted = set(keys)
        return lambda stored: read(stored) in wanted
    limit = keys[0]
    if limit is None:
        raise invalid(f"operator {condition.operator} needs a value")
    compare = _COMPARISONS[condition.operator]

    def test(stored: StoredObject) -> bool:
        key = read(stored)
        return key is not None and compare(key, limit)

    return test


_COMPARISONS: dict[str, Callable[[Key, Key], bool]] = {
    "<": lambda left, right: bool(left < right),
    ">": lambda left, right: bool(left > right),
    "<=": lambda left, right: bool(left <= right),
    ">=": lambda left, right: bool(left >= right),
}


def _pattern_test(read: Read, pattern: str) -> Callable[[StoredObject], bool]:
    parts = pattern.casefold().split("%")

    def test(stored: StoredObject) -> bool:
        key = read(stored)
        return isinstance(key, str) and _fits(key, parts)

    return test


def _fits(text: str, parts: list[str]) -> bool:
    """Whether a text is the parts in order with anything between them; only ``%`` is a wild card."""
    if len(parts) == 1:
        return text == parts[0]
    first, *middle, last = parts
    if not text.startswith(first) or len(text) < len(first) + len(last) or not text.endswith(last):
        return False
    position, end = len(first), len(text) - len(last)
    for part in middle:
        position = text.find(part, position, end)
        if position < 0:
            return False
        position += len(part)
    return True


def _reader(books: Books, name: str) -> Read:
    """How to read a property as something comparable; None where the object lacks it."""
    if name == "Id":
        return lambda stored: stored.id
    if name in _TIMES:
        attribute = _TIMES[name]
        return lambda stored: getattr(stored, attribute)
    if name in _COMPUTED:
        return lambda stored: books.body(stored).get(name)
    return lambda stored: _comparable(name, stored.body.get(name))


def _comparable(name: str, value: object) -> Key | None:
    if isinstance(value, str):
        return value.casefold()
    if isinstance(value, dict):
        if name in _PAYMENT_ACCOUNT:
            value = value.get(_PAYMENT_ACCOUNT[name], {})
            assert isinstance(value, dict)
        inner = value.get("value", value.get("Address", value.get("FreeFormNumber")))
        return str(inner).casefold() if inner is not None else None
    return value


def _literal(books: Books, name: str, value: Value, *, zone: ZoneInfo, now: datetime) -> Key | None:
    if isinstance(value, Today):
        day = now.astimezone(ZoneInfo(books.zone)).date().isoformat()
        return _instant(day, zone) if name in _TIMES else day
    if isinstance(value, bool) or name == "Id":
        return value
    if value == " ":  # how a query writes null
        return None
    return _typed(name, value, zone=zone)


def _typed(name: str, value: str, *, zone: ZoneInfo) -> Key:
    if name in _TIMES:
        return _instant(value, zone)
    if name in _DATES:
        return _day(name, value)
    if name in _NUMBERS:
        return _number(name, value)
    return value.casefold() == "true" if name in _FLAGS else value.casefold()


def _instant(value: str, zone: ZoneInfo) -> int:
    try:
        moment = datetime.fromisoformat(value)
    except ValueError as error:
        raise invalid(f"{value} is not a date and time") from error
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone)
    return int(moment.astimezone(UTC).timestamp())


def _day(name: str, value: str) -> str:
    try:
        return date.fromisoformat(value[:10]).isoformat()
    except ValueError as error:
        raise invalid(f"{value} is not a date for property {name}") from error


def _number(name: str, value: str) -> Decimal:
    try:
        return Decimal(value)
    except InvalidOperation as error:
        raise invalid(f"{value} is not a number for property {name}") from error


def _ordered(
    books: Books, statement: Statement, found: Iterable[StoredObject], *, settings: RealmSettings
) -> list[StoredObject]:
    entity = statement.entity
    if not statement.order:
        if entity in NAME_LISTS:
            name = NAME_LISTS[entity]
            return sorted(found, key=lambda stored: str(stored.body[name]).encode())
        if entity in SINGLETONS or settings.default_order == "id":
            return sorted(found, key=lambda stored: int(stored.id))
        return sorted(found, key=lambda stored: (stored.updated, int(stored.id)), reverse=True)
    ordered = sorted(found, key=lambda stored: int(stored.id))
    for name, descending in reversed(statement.order):
        ordered.sort(key=_sort_key(books, name), reverse=descending)
    return ordered


def _sort_key(books: Books, name: str) -> Callable[[StoredObject], Key]:
    if name == "Id":
        return lambda stored: int(stored.id)
    read = _reader(books, name)

    def key(stored: StoredObject) -> tuple[bool, Key]:
        found = read(stored)
        return (found is not None, found if found is not None else 0)

    return key


def _texts(books: Books, statement: Statement, page: list[StoredObject], *, settings: RealmSettings) -> list[str]:
    if statement.columns is None or settings.column_lists == "whole":
        return [books.text(stored) for stored in page]
    if settings.column_lists == "refuse":
        raise invalid("projections are not supported")
    return [to_json(_projected(books.body(stored), statement.columns)) for stored in page]


def _projected(body: JsonObject, columns: tuple[str, ...]) -> JsonObject:
    found: JsonObject = {"domain": "QBO", "sparse": True}
    for column in columns:
        head, _, rest = column.partition(".")
        if head not in body:
            continue
        if rest and isinstance(body[head], dict):
            inner = {key: value for key, value in body[head].items() if key.casefold() == rest.casefold()}
            found[head] = {**found.get(head, {}), **inner}
        else:
            found[head] = body[head]
    return found
