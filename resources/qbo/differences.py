"""What a read of one kind differs in from what is kept.

Belongs here: what counts as new, changed, gone, unreadable. Does not: reading (`paging.py`, `company_line.py`), storing
(`history.py`).

An object is known by the digest of its exact text, so a read that overlaps the one before it makes no version twice. A
notice that something is gone which was never kept makes no version: nothing that was ever shown contained it.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime

from resources.commits import Quarantined
from resources.qbo.entities import BadObject
from resources.qbo.fields import QboObject
from resources.qbo.history import Newest, NewVersion, digest, live_version, missing_version
from resources.qbo.paging import ReadObject


@dataclass(slots=True, kw_only=True)
class Differences:
    """One kind's kept state during a sync, brought up to date by what is read."""

    #: The newest kept versions: of all objects before a complete read, at least of those that come otherwise.
    kept: dict[str, Newest]
    #: What cannot be read at present, by id or, where none can be read, by text.
    unreadable: dict[str, Quarantined] = field(default_factory=dict)
    read: int = 0
    new_versions: int = 0
    deleted: int = 0
    _seen: set[str] = field(default_factory=set)

    @property
    def has_nameless(self) -> bool:
        """Whether something came without a readable id: it could be any object, also one that is missing."""
        return any(one.qbo_id is None for one in self.unreadable.values())

    @property
    def living_ids(self) -> set[str]:
        """The ids of all objects that are there as far as is known, readable or not."""
        alive = {qbo_id for qbo_id, newest in self.kept.items() if not newest.is_deleted}
        return alive | {one.qbo_id for one in self.unreadable.values() if one.qbo_id is not None}

    def begin_complete_read(self) -> None:
        """From here on everything that is there will come: what cannot be read is told anew."""
        self._seen.clear()
        self.unreadable.clear()

    def changed(self, page: Iterable[ReadObject]) -> Iterator[NewVersion]:
        """The versions of a page that differ from the newest kept ones; bad objects become `unreadable`."""
        for row in page:
            self.read += 1
            self._seen.add(row.key)
            if isinstance(row.found, BadObject):
                self.unreadable[row.key] = _set_aside(row.found)
                continue
            self.unreadable.pop(row.key, None)
            if (version := self._version(row.found, row.text)) is not None:
                yield self._made(version, digest(row.text))

    def gone(self, *, entered_until: datetime) -> Iterator[NewVersion]:
        """A deletion for each object that a complete read of everything entered until an instant did not hold."""
        if self.has_nameless:
            return
        for qbo_id, newest in list(self.kept.items()):
            is_outside = newest.created_at is not None and newest.created_at > entered_until
            if qbo_id not in self._seen and not newest.is_deleted and not is_outside:
                version = missing_version(qbo_id, newest)
                yield self._made(version, digest(version.payload))

    def outside(self, rows: Iterable[ReadObject], *, entered_until: datetime) -> list[ReadObject]:
        """What a complete read of everything entered until an instant did not and could not hold: also notices of deletion."""
        return [row for row in rows if row.key not in self._seen and not _is_within(row, entered_until)]

    def _version(self, found: QboObject, text: str) -> NewVersion | None:
        newest = self.kept.get(found.id)
        if newest is None:
            return None if found.is_deleted else live_version(found, text)
        if newest.digest == digest(text) or (newest.is_deleted and found.is_deleted):
            return None
        version = live_version(found, text)
        return replace(version, created_at=version.created_at or newest.created_at)

    def _made(self, version: NewVersion, text_digest: str) -> NewVersion:
        self.new_versions += 1
        self.deleted += version.is_deleted
        self.kept[version.qbo_id] = Newest(
            digest=text_digest, created_at=version.created_at, is_deleted=version.is_deleted
        )
        return version


def latest_of_each(rows: Iterable[ReadObject]) -> list[ReadObject]:
    """Of several texts of one object the one that QuickBooks changed last, of equally late ones the last that came."""
    latest: dict[str, ReadObject] = {}
    for row in rows:
        before = latest.get(row.key)
        is_older = before is not None and row.updated_at and before.updated_at and row.updated_at < before.updated_at
        if not is_older:
            latest[row.key] = row
    return list(latest.values())


def quarantine_key(one: Quarantined) -> str:
    """The key that a quarantined object has among the unreadable ones."""
    return one.qbo_id or f"text {digest(one.raw_text)}"


def _is_within(row: ReadObject, entered_until: datetime) -> bool:
    """Whether a complete read until an instant holds the object unless it is gone."""
    is_notice = isinstance(row.found, QboObject) and row.found.is_deleted
    return not is_notice and row.created_at is not None and row.created_at <= entered_until


def _set_aside(bad: BadObject) -> Quarantined:
    return Quarantined(
        entity=bad.entity,
        qbo_id=bad.qbo_id,
        field=bad.field,
        expected=bad.expected,
        reason=f"came: {bad.came}",
        raw_text=bad.raw_text.replace("\x00", "\\u0000"),  # Postgres keeps no NUL in a text
    )
