"""The companies a sandbox serves: registered by spec, built when first needed, changed through one door.

Belongs here: registering, building and replaying, settings per realm. Does not: what a company's books contain
(``generate``), HTTP.
"""

import asyncio
import sqlite3
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

from qbo_sandbox.books import BookRules, Change
from qbo_sandbox.company import Company
from qbo_sandbox.generate.companies import build_company
from qbo_sandbox.lists import SYSTEM_ACCOUNTS
from qbo_sandbox.objects import StoredObject
from qbo_sandbox.operations import Operation, apply, operation_from_json, parse_json
from qbo_sandbox.settings import RealmSettings
from qbo_sandbox.spec import CompanySpec, spec_from_json
from qbo_sandbox.store import read_setting, write_setting
from qbo_sandbox.wire import to_json

Watcher = Callable[[str, Change], None]


class RealmTakenError(Exception):
    """The realm id is registered with another spec."""


@dataclass(slots=True, kw_only=True)
class Realm:
    """One registered company."""

    spec: CompanySpec
    settings: RealmSettings
    company: Company | None = None
    building: asyncio.Lock = field(default_factory=asyncio.Lock)
    operations: int = 0


class Realms:
    """All registered companies of one sandbox."""

    def __init__(self, *, store: sqlite3.Connection) -> None:
        self._store = store
        self._realms: dict[str, Realm] = {}
        self._watchers: list[Watcher] = []
        for (text,) in store.execute("SELECT spec FROM companies ORDER BY realm_id").fetchall():
            self._add(spec_from_json(parse_json(text)))

    def watch(self, watcher: Watcher) -> None:
        """Tell this one of every change made through ``change`` (not of generated history)."""
        self._watchers.append(watcher)

    def register(self, spec: CompanySpec) -> bool:
        """Serve a company; whether it is new. The same spec again changes nothing."""
        known = self._realms.get(spec.realm_id)
        if known is not None:
            if known.spec != spec:
                raise RealmTakenError(f"realm {spec.realm_id} is already served with another spec")
            return False
        self._store.execute("INSERT INTO companies VALUES (?, ?)", (spec.realm_id, to_json(spec.to_json())))
        self._add(spec)
        return True

    def _add(self, spec: CompanySpec) -> None:
        stored = read_setting(self._store, f"realm:{spec.realm_id}")
        settings = RealmSettings.model_validate_json(stored) if stored else RealmSettings()
        self._realms[spec.realm_id] = Realm(spec=spec, settings=settings)

    def forget(self, realm: Realm) -> None:
        """Serve a company no longer and drop its books, writes and settings."""
        realm_id = realm.spec.realm_id
        del self._realms[realm_id]
        self._store.execute("DELETE FROM companies WHERE realm_id = ?", (realm_id,))
        self._store.execute("DELETE FROM operations WHERE realm_id = ?", (realm_id,))
        self._store.execute("DELETE FROM settings WHERE scope = ?", (f"realm:{realm_id}",))

    def ids(self) -> list[str]:
        """The realm ids served, in order."""
        return sorted(self._realms)

    def get(self, realm_id: str) -> Realm | None:
        """A registered company, built or not."""
        return self._realms.get(realm_id)

    def configure(self, realm: Realm, settings: RealmSettings) -> None:
        """Change how a company answers."""
        realm.settings = settings
        write_setting(self._store, f"realm:{realm.spec.realm_id}", settings.model_dump_json())
        if realm.company is not None:
            realm.company.rules = settings.book_rules()

    async def company(self, realm: Realm) -> Company:
        """The books of a realm, built in a thread at first use so that other realms are answered meanwhile."""
        if realm.company is None:
            async with realm.building:
                if realm.company is None:
                    realm.company = await self._build(realm)
        return realm.company

    async def _build(self, realm: Realm) -> Company:
        realm_id = realm.spec.realm_id
        rows = self._store.execute(
            "SELECT operation FROM operations WHERE realm_id = ? ORDER BY sequence", (realm_id,)
        ).fetchall()
        company = await asyncio.to_thread(_built, realm.spec, [parse_json(text) for (text,) in rows])
        company.rules = realm.settings.book_rules()
        realm.operations = len(rows)
        for watcher in self._watchers:
            company.watchers.append(lambda change, watcher=watcher: watcher(realm_id, change))  # type: ignore[misc] # mypy does not infer a bound default
        return company

    def change(self, realm: Realm, operation: Operation) -> StoredObject:
        """Carry out one change of a built company and write it to the log."""
        assert realm.company is not None, "books are built before they are changed"
        changed = apply(realm.company, operation)
        # With the rules in force: the same operation under other rules could have another outcome.
        text = to_json({"rules": asdict(realm.company.rules), "operation": operation.to_json()})
        self._store.execute("INSERT INTO operations VALUES (?, ?, ?)", (realm.spec.realm_id, realm.operations, text))
        realm.operations += 1
        return changed


def _built(spec: CompanySpec, logged: list[dict[str, Any]]) -> Company:
    company = build_company(spec)
    # All of them now: one made by a request that was then refused would be missing when the log is replayed.
    for subtype in SYSTEM_ACCOUNTS:
        company.system(subtype)
    for line in logged:
        company.rules = BookRules(**line["rules"])
        apply(company, operation_from_json(line["operation"]))
    return company
