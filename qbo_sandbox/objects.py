"""One object of a company's books with all its versions.

Belongs here: storing, changing and looking back at one object. Does not: what a change means for other objects
(``company.py``) or for balances (``ledger.py``).
"""

from collections.abc import Mapping
from typing import Any

from qbo_sandbox.ledger import Entry
from qbo_sandbox.wire import pacific, to_json

JsonObject = dict[str, Any]
_ABSENT = object()


class StoredObject:
    """The current body, the times, and what every earlier version had differently.

    Earlier versions are kept as the old values of the keys that a change replaced, newest last: most changes touch
    three keys of a bill, and a company has tens of thousands of them. Balances of accounts, vendors and customers are
    not versions (their SyncToken does not move either); the ledger knows them at any instant.
    """

    __slots__ = ("_replaced", "_text", "body", "created", "entity", "entry", "gone", "id", "stale", "updated")

    def __init__(self, *, entity: str, body: JsonObject, at: int) -> None:
        self.entity = entity
        self.id: str = body["Id"]
        self.body = body
        self.created = at
        self.updated = at
        self.gone: int | None = None
        self.entry: Entry | None = None
        self.stale = False  # the balance in the body is older than the ledger
        self._replaced: list[tuple[int, JsonObject]] = []
        self._text: str | None = None
        stamp = pacific(at)
        body["SyncToken"] = "0"
        body["MetaData"] = {"CreateTime": stamp, "LastUpdatedTime": stamp}

    def change(self, values: Mapping[str, Any], *, at: int, drop: tuple[str, ...] = ()) -> None:
        """Begin a new version: these values, without those keys, one SyncToken higher."""
        new = {**values, "SyncToken": str(int(self.body["SyncToken"]) + 1)}
        replaced = {key: self.body.get(key, _ABSENT) for key in (*new, *drop)}
        replaced["MetaData"] = self.body["MetaData"]
        self._replaced.append((at, replaced))
        self.body.update(new)
        for key in drop:
            self.body.pop(key, None)
        self.touch(at)

    def touch(self, at: int) -> None:
        """Move LastUpdatedTime without a new version, as a moved balance does."""
        self.updated = at
        self.stale = True
        self._text = None

    def settle(self, balances: Mapping[str, Any]) -> None:
        """Bring times and computed balances of the body up to date."""
        self.body["MetaData"] = {**self.body["MetaData"], "LastUpdatedTime": pacific(self.updated)}
        self.body.update(balances)
        self.stale = False
        self._text = None

    def text(self) -> str:
        """The serialised body, kept until the next change: a query page is a join of these."""
        if self._text is None:
            self._text = to_json(self.body)
        return self._text

    def version_at(self, instant: int) -> JsonObject | None:
        """The body as it was at an instant; None before creation and after deletion."""
        if instant < self.created or (self.gone is not None and instant >= self.gone):
            return None
        return [body for began, body in self.versions() if began <= instant][-1]

    def versions(self) -> list[tuple[int, JsonObject]]:
        """Every version with the instant it began, oldest first; several can begin in one second."""
        body, found = dict(self.body), []
        for changed_at, replaced in reversed(self._replaced):
            found.append((changed_at, body))
            body = {key: value for key, value in {**body, **replaced}.items() if value is not _ABSENT}
        return [(self.created, body), *reversed(found)]
