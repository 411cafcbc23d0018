"""A company as a pile of JSON texts that answers SmartSync's queries: for tests that need objects no sandbox would send."""

import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from resources.qbo.answers import Page
from resources.qbo.query import Statement
from tests.resources.qbo.builders import make, text

_SHAPE = re.compile(
    r"SELECT \* FROM (?P<entity>\w+)(?: WHERE (?P<where>.*?))?"
    r" ORDERBY (?:MetaData\.(?P<order>CreateTime|LastUpdatedTime) ASC, )?Id ASC"
    r" STARTPOSITION (?P<start>\d+) MAXRESULTS (?P<most>\d+)"
)
_COUNT = re.compile(r"SELECT COUNT\(\*\) FROM (?P<entity>\w+)(?: WHERE Active IN \(true, false\))?")
_IDS = re.compile(r"Id IN \((?P<ids>[^)]*)\)")
_BOUND = re.compile(r"MetaData\.(?:CreateTime|LastUpdatedTime) (?P<operator><=|>=) '(?P<instant>[^']+)'")


@dataclass
class BooksOfText:
    """Texts by kind, in the order they were entered; `created` says when, for the order of a query.

    `now` is when edits and deletions are made: objects that were only entered have changed when they were created.
    """

    texts: dict[str, list[tuple[datetime, str]]] = field(default_factory=dict)
    statements: list[str] = field(default_factory=list)
    now: datetime = datetime(2026, 11, 20, 13, tzinfo=UTC)
    #: When each living object changed last, by its text; what was deleted when, by kind.
    changed: dict[str, datetime] = field(default_factory=dict)
    gone: dict[str, list[tuple[datetime, str]]] = field(default_factory=dict)

    def add(self, entity: str, qbo_id: str, *, created: str = "2026-05-05T03:14:55-07:00", **overrides: Any) -> None:
        self.add_text(entity, text(make(entity, qbo_id, created=created, **overrides)), created=created)

    def add_text(self, entity: str, raw: str, *, created: str = "2026-05-05T03:14:55-07:00") -> None:
        self.texts.setdefault(entity, []).append((datetime.fromisoformat(created), raw))
        self.changed[raw] = datetime.fromisoformat(created)

    def remove(self, entity: str, qbo_id: str) -> None:
        self.gone.setdefault(entity, []).append((self.now, qbo_id))
        self._drop(entity, qbo_id)

    def _drop(self, entity: str, qbo_id: str) -> None:
        self.texts[entity] = [kept for kept in self.texts[entity] if json.loads(kept[1])["Id"] != qbo_id]

    def replace(self, entity: str, qbo_id: str, **overrides: Any) -> None:
        created = next(at for at, raw in self.texts[entity] if json.loads(raw)["Id"] == qbo_id).isoformat()
        self._drop(entity, qbo_id)
        self.add(entity, qbo_id, created=created, **overrides)
        self.changed[self.texts[entity][-1][1]] = self.now

    def replace_text(self, entity: str, raw: str, *, by: str) -> None:
        self.texts[entity] = [(at, by if kept == raw else kept) for at, kept in self.texts[entity]]
        self.changed[by] = self.now

    def changes(self, entities: list[str], since: datetime, *, most: int | None = None) -> list[list[str]]:
        """What changed of each kind, living objects first; cut at `most` in all."""
        found = []
        for entity in entities:
            texts = [raw for _, raw in self.texts.get(entity, []) if self.changed[raw] >= since]
            texts += [self._stub(qbo_id) for at, qbo_id in self.gone.get(entity, []) if at >= since]
            found.append(texts[:most])
            most = None if most is None else most - len(found[-1])
        return found

    @staticmethod
    def _stub(qbo_id: str) -> str:
        return text({"domain": "QBO", "status": "Deleted", "Id": qbo_id})

    def answer(self, statement: str) -> tuple[str, list[str]]:
        """The kind and the texts that a statement of SmartSync selects."""
        self.statements.append(statement)
        shape = _SHAPE.fullmatch(statement)
        assert shape is not None, f"not a statement of SmartSync: {statement}"
        kept = self.texts.get(shape["entity"], [])
        if shape["order"] == "LastUpdatedTime":
            kept = [(self.changed[raw], raw) for _, raw in kept]
        found = sorted(kept, key=lambda one: (one[0], one[1]))
        if ids := _IDS.search(shape["where"] or ""):
            found = [one for one in found if f"'{json.loads(one[1])['Id']}'" in ids["ids"]]
        for bound in _BOUND.finditer(shape["where"] or ""):
            instant = datetime.fromisoformat(bound["instant"])
            at_most = bound["operator"] == "<="
            found = [one for one in found if (one[0] <= instant if at_most else one[0] >= instant)]
        start = int(shape["start"]) - 1
        return shape["entity"], [raw for _, raw in found[start : start + int(shape["most"])]]

    def count(self, statement: str) -> int | None:
        """The answer to a counting statement; None for another one."""
        shape = _COUNT.fullmatch(statement)
        return None if shape is None else len(self.texts.get(shape["entity"], []))

    def fetch(self, statement: Statement) -> Page:
        entity, found = self.answer(statement.text)
        return Page(entity=entity, objects=tuple(found), time=None, intuit_tid="")

    def ids(self, entity: str) -> list[str]:
        return sorted(json.loads(raw)["Id"] for _, raw in self.texts.get(entity, []))
