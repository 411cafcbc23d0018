"""A company as a pile of JSON texts that answers SmartSync's queries: for tests that need objects no sandbox would send."""

import json
import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from resources.qbo.answers import Page
from resources.qbo.query import Statement
from tests.resources.qbo.builders import make, text

_SHAPE = re.compile(
    r"SELECT \* FROM (?P<entity>\w+)(?: WHERE (?P<where>.*?))? ORDERBY MetaData\.CreateTime ASC, Id ASC"
    r" STARTPOSITION (?P<start>\d+) MAXRESULTS (?P<most>\d+)"
)
_BOUND = re.compile(r"MetaData\.CreateTime (?P<operator><=|>=) '(?P<instant>[^']+)'")


@dataclass
class BooksOfText:
    """Texts by kind, in the order they were entered; `created` says when, for the order of a query."""

    texts: dict[str, list[tuple[datetime, str]]] = field(default_factory=dict)
    statements: list[str] = field(default_factory=list)

    def add(self, entity: str, qbo_id: str, *, created: str = "2026-05-05T03:14:55-07:00", **overrides: Any) -> None:
        self.add_text(entity, text(make(entity, qbo_id, created=created, **overrides)), created=created)

    def add_text(self, entity: str, raw: str, *, created: str = "2026-05-05T03:14:55-07:00") -> None:
        self.texts.setdefault(entity, []).append((datetime.fromisoformat(created), raw))

    def remove(self, entity: str, qbo_id: str) -> None:
        self.texts[entity] = [kept for kept in self.texts[entity] if json.loads(kept[1])["Id"] != qbo_id]

    def replace(self, entity: str, qbo_id: str, **overrides: Any) -> None:
        created = next(at for at, raw in self.texts[entity] if json.loads(raw)["Id"] == qbo_id).isoformat()
        self.remove(entity, qbo_id)
        self.add(entity, qbo_id, created=created, **overrides)

    def answer(self, statement: str) -> tuple[str, list[str]]:
        """The kind and the texts that a statement of SmartSync selects."""
        self.statements.append(statement)
        shape = _SHAPE.fullmatch(statement)
        assert shape is not None, f"not a statement of SmartSync: {statement}"
        found = sorted(self.texts.get(shape["entity"], []), key=lambda one: (one[0], one[1]))
        for bound in _BOUND.finditer(shape["where"] or ""):
            instant = datetime.fromisoformat(bound["instant"])
            at_most = bound["operator"] == "<="
            found = [one for one in found if (one[0] <= instant if at_most else one[0] >= instant)]
        start = int(shape["start"]) - 1
        return shape["entity"], [raw for _, raw in found[start : start + int(shape["most"])]]

    def fetch(self, statement: Statement) -> Page:
        entity, found = self.answer(statement.text)
        return Page(entity=entity, objects=tuple(found), time=None, intuit_tid="")

    def ids(self, entity: str) -> list[str]:
        return sorted(json.loads(raw)["Id"] for _, raw in self.texts.get(entity, []))
