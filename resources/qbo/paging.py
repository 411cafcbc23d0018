"""Reading one kind whole, page by page, while people go on editing the company.

Belongs here: which statement comes next, what has been seen, when a read is complete. Does not: sending (`client.py`),
retries (`patience.py`), what becomes of the objects (`smart_sync.py`).

QuickBooks orders by last change when nothing else is asked for, and every edit then moves an object to another page. So a
read walks along `MetaData.CreateTime`, which never changes, inside a window that is closed at the top. A page begins at the
second that the page before ended in; what both hold is dropped by id. Should a whole page lie within one second, that
second is read by position, each page overlapping the one before by a row: if that row is another one than before, something
was deleted meanwhile and the second is read again.
"""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from resources.qbo import query
from resources.qbo.answers import Page
from resources.qbo.entities import BadObject, parse
from resources.qbo.errors import QboContradiction
from resources.qbo.fields import QboObject
from resources.qbo.kinds import Kind
from resources.qbo.query import Statement

_CREATED = "MetaData.CreateTime"
_MOST_RESTARTS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadObject:
    """One object as it came: its exact text and what it is, or why it is nothing."""

    text: str
    found: QboObject | BadObject

    @property
    def key(self) -> str:
        """What tells it from others of its kind: its id, or its text where no id can be read."""
        if isinstance(self.found, QboObject):
            return self.found.id
        return self.found.qbo_id or f"text {hashlib.sha256(self.text.encode()).hexdigest()}"

    @property
    def created_at(self) -> datetime | None:
        """When it was entered, as far as it can be read."""
        return self.found.created_at if isinstance(self.found, QboObject) else None


def read_object(kind: Kind, text: str) -> ReadObject:
    """The object of a text, good or bad."""
    try:
        return ReadObject(text=text, found=parse(kind.entity, text))
    except BadObject as bad:
        return ReadObject(text=text, found=bad)


def read_window(
    kind: Kind, *, until: datetime, fetch: Callable[[Statement], Page], page_rows: int = query.MOST_RESULTS
) -> Iterator[list[ReadObject]]:
    """Every object entered until an instant, each once, a page at a time. `page_rows` is how many a page may hold."""
    seen: set[str] = set()
    edge: datetime | None = None
    start, restarts = 1, 0
    expected: str | None = None
    while True:
        page = fetch(_statement(kind, since=edge, until=until, start=start, most=page_rows))
        rows = [read_object(kind, text) for text in page.objects]
        if expected is not None and (not rows or rows[0].key != expected):
            restarts += 1
            _refuse_endless(kind, restarts, page)
            start, expected = 1, None
            continue
        fresh = _unseen(rows, seen)
        if fresh:
            yield fresh
        if len(rows) < page_rows:
            return
        newest = _newest(kind, rows, since=edge, page=page)
        if newest == edge:
            start, expected = start + len(rows) - 1, rows[-1].key
        else:
            edge, start, expected = newest, 1, None


def _statement(kind: Kind, *, since: datetime | None, until: datetime, start: int, most: int) -> Statement:
    where = [query.one_of("Active", (True, False))] if kind.is_list else []
    if since is not None:
        where.append(query.compare(_CREATED, ">=", since))
    where.append(query.compare(_CREATED, "<=", until))
    return query.select(kind.entity, where=where, order_by=(_CREATED, "Id"), start=start, most=most)


def _unseen(rows: list[ReadObject], seen: set[str]) -> list[ReadObject]:
    fresh = []
    for row in rows:
        if row.key not in seen:
            seen.add(row.key)
            fresh.append(row)
    return fresh


def _newest(kind: Kind, rows: list[ReadObject], *, since: datetime | None, page: Page) -> datetime | None:
    """The instant the page ends at; a page out of order cannot be continued without losing something."""
    newest = since
    for row in rows:
        if row.created_at is None:
            continue
        if newest is not None and row.created_at < newest:
            raise _contradiction(kind, "a page that is not in the order asked for", page)
        newest = row.created_at
    return newest


def _refuse_endless(kind: Kind, restarts: int, page: Page) -> None:
    if restarts > _MOST_RESTARTS:
        raise _contradiction(kind, "other rows at the same position each time", page)


def _contradiction(kind: Kind, what: str, page: Page) -> QboContradiction:
    reference = f" (intuit_tid {page.intuit_tid})" if page.intuit_tid else ""
    return QboContradiction(
        what=f"QuickBooks answered a query of {kind.entity} with {what}{reference}.",
        next_step="Run it again; if it repeats, report it to Intuit with that id.",
        intuit_tid=page.intuit_tid,
    )
