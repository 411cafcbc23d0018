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
from resources.qbo.query import Condition, Statement

_CREATED = "MetaData.CreateTime"
_CHANGED = "MetaData.LastUpdatedTime"
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

    @property
    def updated_at(self) -> datetime | None:
        """When it was last changed, as far as it can be read."""
        return self.found.updated_at if isinstance(self.found, QboObject) else None


def read_object(kind: Kind, text: str) -> ReadObject:
    """The object of a text, good or bad."""
    try:
        return ReadObject(text=text, found=parse(kind.entity, text))
    except BadObject as bad:
        return ReadObject(text=text, found=bad)


def read_changed(
    kind: Kind, *, since: datetime, fetch: Callable[[Statement], Page], page_rows: int = query.MOST_RESULTS
) -> list[ReadObject]:
    """Every living object changed since an instant, each as it came last.

    An object that is edited meanwhile moves towards the end and comes again there, so the window is open at the top:
    nothing can leave it unseen.
    """
    found: dict[str, ReadObject] = {}

    def statement(edge: datetime | None, start: int) -> Statement:
        where = [*_whole_list(kind), query.compare(_CHANGED, ">=", edge or since)]
        return query.select(kind.entity, where=where, order_by=(_CHANGED, "Id"), start=start, most=page_rows)

    def unseen(rows: list[ReadObject]) -> list[ReadObject]:
        fresh = [row for row in rows if row.key not in found or found[row.key].text != row.text]
        found.update((row.key, row) for row in fresh)
        return fresh

    walk = _Walk(kind=kind, statement=statement, instant=lambda row: row.updated_at, unseen=unseen, page_rows=page_rows)
    for _ in walk.pages(fetch):
        continue
    return list(found.values())


def read_window(
    kind: Kind, *, until: datetime, fetch: Callable[[Statement], Page], page_rows: int = query.MOST_RESULTS
) -> Iterator[list[ReadObject]]:
    """Every object entered until an instant, each once, a page at a time. `page_rows` is how many a page may hold."""
    seen: set[str] = set()

    def statement(edge: datetime | None, start: int) -> Statement:
        where = [*_whole_list(kind)]
        if edge is not None:
            where.append(query.compare(_CREATED, ">=", edge))
        where.append(query.compare(_CREATED, "<=", until))
        return query.select(kind.entity, where=where, order_by=(_CREATED, "Id"), start=start, most=page_rows)

    walk = _Walk(
        kind=kind,
        statement=statement,
        instant=lambda row: row.created_at,
        unseen=lambda rows: _unseen(rows, seen),
        page_rows=page_rows,
    )
    yield from walk.pages(fetch)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Walk:
    """A walk along one of the two instants of every object, page after page, each beginning where the last one ended."""

    kind: Kind
    statement: Callable[[datetime | None, int], Statement]
    instant: Callable[[ReadObject], datetime | None]
    unseen: Callable[[list[ReadObject]], list[ReadObject]]
    page_rows: int

    def pages(self, fetch: Callable[[Statement], Page]) -> Iterator[list[ReadObject]]:
        """What each page holds that was not seen before."""
        edge: datetime | None = None
        start, restarts = 1, 0
        expected: str | None = None
        while True:
            page = fetch(self.statement(edge, start))
            rows = [read_object(self.kind, text) for text in page.objects]
            if expected is not None and (not rows or rows[0].key != expected):
                restarts += 1
                _refuse_endless(self.kind, restarts, page)
                start, expected = 1, None
                continue
            fresh = self.unseen(rows)
            if fresh:
                yield fresh
            if len(rows) < self.page_rows:
                return
            newest = self._newest(rows, since=edge, page=page)
            if newest == edge:
                start, expected = start + len(rows) - 1, rows[-1].key
            else:
                edge, start, expected = newest, 1, None

    def _newest(self, rows: list[ReadObject], *, since: datetime | None, page: Page) -> datetime | None:
        """The instant the page ends at; a page out of order cannot be continued without losing something."""
        newest = since
        for row in rows:
            instant = self.instant(row)
            if instant is None:
                continue
            if newest is not None and instant < newest:
                raise _contradiction(self.kind, "a page that is not in the order asked for", page)
            newest = instant
        return newest


def _whole_list(kind: Kind) -> list[Condition]:
    """The condition that inactive list objects have to be asked for by."""
    return [query.one_of("Active", (True, False))] if kind.is_list else []


def count_statement(kind: Kind) -> Statement:
    """The statement that counts a kind's living objects, inactive ones included."""
    return query.count(kind.entity, where=_whole_list(kind))


def _unseen(rows: list[ReadObject], seen: set[str]) -> list[ReadObject]:
    fresh = []
    for row in rows:
        if row.key not in seen:
            seen.add(row.key)
            fresh.append(row)
    return fresh


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
