"""The audit: an append-only chain of hashes, and the proof that the tables are what it tells.

Belongs here: verifying, the head to anchor elsewhere, reading the story of one thing. Does not: writing (`repository.py`).

A chain shows an edit, not a rewriting of everything: its head belongs also where nobody who could rewrite it can write.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Table

from payments.store.canonical import entity_name, plain_row
from payments.store.repository import Look, Row, link_hash
from payments.store.tables import AUDIT, REPLAYED

_MOST_SHOWN = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """What a verification found; nothing wrong if both lists are empty."""

    rows: int
    #: The last row's hash: the head of the chain.
    head: str
    #: Rows of the log that do not follow from the one before.
    broken: tuple[str, ...]
    #: Rows of the tables that are not what the log tells, at most 20.
    different: tuple[str, ...]

    @property
    def is_sound(self) -> bool:
        """Whether the chain holds and tells the tables."""
        return not self.broken and not self.different


def verify(look: Look) -> Verified:
    """Compute the chain again, replay it, and compare the result with the tables."""
    rows = look.many(AUDIT)
    broken, replayed = [], dict[str, Row]()
    previous = ""
    for expected, row in enumerate(rows, start=1):
        if row["number"] != expected or row["previous_hash"] != previous or row["hash"] != link_hash(row):
            broken.append(f"row {row['number']}: {row['kind']} by {row['actor']}")
        previous = row["hash"]
        _replay(row, replayed)
    return Verified(
        rows=len(rows), head=previous, broken=tuple(broken), different=tuple(_differences(look, replayed))[:_MOST_SHOWN]
    )


def story(look: Look, *, entity: str | None = None, limit: int = 50) -> list[Row]:
    """The newest acts, or those that changed one entity (`hold/1f3a`) or were about it (`bill 145/1`), oldest first."""
    rows = look.many(AUDIT, order_by=(AUDIT.c.number.desc(),), limit=None if entity else limit)
    told = [row for row in rows if entity is None or entity == row["entity"] or entity in row["after"]]
    return told[:limit][::-1]


def head(look: Look) -> tuple[int, str]:
    """Number and hash of the last row: what to anchor."""
    found = look.many(AUDIT, order_by=(AUDIT.c.number.desc(),), limit=1)
    return (found[0]["number"], found[0]["hash"]) if found else (0, "")


def _replay(row: Row, replayed: dict[str, Row]) -> None:
    for name, after in row["after"].items():
        if after is None:
            replayed.pop(name, None)
        else:
            replayed[name] = replayed.get(name, {}) | after


def _differences(look: Look, replayed: dict[str, Row]) -> Iterator[str]:
    stored: dict[str, dict[str, Any]] = {}
    for table in REPLAYED:
        for row in look.many(table):
            stored[_entity(table, row)] = plain_row(row)
    for name in sorted(stored.keys() | replayed.keys()):
        is_, told = stored.get(name), replayed.get(name)
        if is_ == told:
            continue
        if is_ is None or told is None:
            yield f"{name}: {'not in the log' if told is None else 'missing from its table'}"
            continue
        columns = ", ".join(sorted(column for column in is_ if is_[column] != told.get(column)))
        yield f"{name}: {columns} not as told"


def _entity(table: Table, row: Row) -> str:
    keys = [row[column.name] for column in table.primary_key if column.name != "tenant_id"]
    return entity_name(table.name, *keys)
