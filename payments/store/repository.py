"""Reading and writing a tenant's rows: no statement without the tenant.

Belongs here: the two doors, `Look` and `Act`, and what an act leaves in the audit. Does not: what the rows mean; when a
transaction begins (`ledger.py`).
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from functools import cache, cached_property
from operator import itemgetter
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import (
    ColumnElement,
    Connection,
    Delete,
    Insert,
    Select,
    Table,
    Update,
    bindparam,
    delete,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.sql.expression import TableClause

from payments.errors import KeyReused
from payments.store.bill_tables import PERSON
from payments.store.canonical import entity_name, plain, plain_row, sha256_of
from payments.store.tables import AUDIT, REQUEST
from resources.errors import TenantUnknown
from resources.tables import TENANT
from resources.tenants import TenantId

Row = dict[str, Any]


class Look:
    """Reads one tenant's rows as of one moment."""

    def __init__(self, connection: Connection, tenant: TenantId, *, now: datetime) -> None:
        self._connection = connection
        self.tenant = tenant
        self.now = now

    def one(self, table: Table | TableClause, **keys: Any) -> Row | None:
        """The row of these keys, or None."""
        found = self.many(table, **keys)
        assert len(found) <= 1, f"these keys name one row of {table.name}"
        return found[0] if found else None

    def many(
        self,
        table: Table | TableClause,
        *conditions: ColumnElement[bool],
        order_by: Sequence[ColumnElement[Any]] = (),
        limit: int | None = None,
        **keys: Any,
    ) -> list[Row]:
        """The tenant's rows that meet the conditions, in the order of their keys unless told otherwise.

        `keys` are columns and what they hold: a value, one of several (a list or tuple), or nothing (None). A statement of
        keys alone is built once a process; building it takes several times as long as the database does.
        """
        statement = _asking(table, tuple((name, _asks_for(value)) for name, value in keys.items()))
        if conditions:
            statement = statement.where(*conditions)
        if order_by or limit is not None:
            order = order_by or (table.primary_key.columns if isinstance(table, Table) else ())
            return self._rows(statement.order_by(*order).limit(limit), keys)
        found = self._rows(statement, keys)
        if isinstance(table, Table) and len(found) > 1:
            # Asked of SQLite, this order would make it walk through all rows of the tenant, which lie in it, for those of a bill.
            found.sort(key=itemgetter(*_key_names(table)))
        return found

    def newest(self, table: Table, *, by: str, **keys: Any) -> Row | None:
        """Of the rows of these keys the one with the highest number in a column, or None."""
        found = self._rows(_newest(table, by, tuple((name, _asks_for(value)) for name, value in keys.items())), keys)
        return found[0] if found else None

    def _rows(self, statement: Select[Any], keys: Mapping[str, Any]) -> list[Row]:
        bound = {name: list(value) if _asks_for(value) == "one of" else value for name, value in keys.items()}
        return [dict(row) for row in self._connection.execute(statement, bound | {"tenant_id": self.tenant}).mappings()]

    def asked(self, statement: Select[Any], **bound: Any) -> list[Row]:
        """The rows of a statement that is kept ready; it binds `tenant_id`, which is always this tenant."""
        return self._rows(statement, bound)

    def total(self, column: ColumnElement[Any], table: Table, *conditions: ColumnElement[bool]) -> int:
        """The sum of a column over the tenant's rows that meet the conditions; 0 of none."""
        statement = select(func.coalesce(func.sum(column), 0)).where(table.c.tenant_id == self.tenant, *conditions)
        return int(self._connection.execute(statement).scalar_one())

    @cached_property
    def tenant_row(self) -> Row:
        """The tenant as the registry has it; `TenantUnknown` if nobody registered it."""
        row = self.one(TENANT)
        if row is None:
            raise TenantUnknown(
                what=f"There is no tenant {self.tenant!r}.",
                next_step="`runway tenant list` shows all; `runway tenant add` registers one.",
            )
        return row

    @cached_property
    def today(self) -> date:
        """The tenant's calendar date."""
        return self.now.astimezone(ZoneInfo(self.tenant_row["zone"])).date()

    def person(self, person_id: str) -> Row | None:
        """Somebody of a firm: people belong to no tenant."""
        found = self._connection.execute(_PERSON, {"person_id": person_id}).mappings().first()
        return None if found is None else dict(found)


class Act(Look):
    """One change of the ledger: everything it writes commits together, with one row of the audit."""

    def __init__(self, connection: Connection, tenant: TenantId, *, now: datetime, actor: str, kind: str) -> None:
        super().__init__(connection, tenant, now=now)
        #: The rows read so far, as they are now: the tenant's lock lets nobody else change them.
        self._known: dict[tuple[Any, ...], Row] = {}
        self.actor = actor
        self.kind = kind
        #: What the audit says the act was about.
        self.entity = f"tenant {tenant}"
        self._before: dict[str, Row | None] = {}
        self._after: dict[str, Row | None] = {}

    def many(
        self,
        table: Table | TableClause,
        *conditions: ColumnElement[bool],
        order_by: Sequence[ColumnElement[Any]] = (),
        limit: int | None = None,
        **keys: Any,
    ) -> list[Row]:
        """As every look; the rows are remembered for a change."""
        found = super().many(table, *conditions, order_by=order_by, limit=limit, **keys)
        if isinstance(table, Table):
            names = _key_names(table)
            self._known |= {(table.name, *(row[name] for name in names)): dict(row) for row in found}
        return found

    def insert(self, table: Table, rows: Row | Sequence[Row]) -> None:
        """Add rows; the tenant is added to each."""
        listed = [rows] if isinstance(rows, dict) else list(rows)
        if not listed:
            return
        names = [column.name for column in table.columns if column.name != "tenant_id"]
        whole = [{"tenant_id": self.tenant, **{name: row.get(name) for name in names}} for row in listed]
        self._connection.execute(_adding(table), whole)
        for row in whole:
            self._after[_name(table, row)] = plain_row(row)

    def update(self, table: Table, keys: Mapping[str, Any], changes: Mapping[str, Any]) -> Row:
        """Change one row; the row as it is afterwards. `KeyError` if there is none."""
        return self.update_all(table, [keys], changes)[0]

    def update_all(self, table: Table, keys: Sequence[Mapping[str, Any]], changes: Mapping[str, Any]) -> list[Row]:
        """Change rows in the same way, sent together; the rows as they are afterwards. `KeyError` if there is none of a key."""
        rows, sent = [], dict[tuple[str, ...], list[Row]]()
        for key in keys:
            row = self._present(table, key)
            changed = {name: value for name, value in changes.items() if row[name] != value}
            if changed:
                bound = {"key_tenant_id": self.tenant} | {f"key_{name}": value for name, value in key.items()}
                bound |= {f"new_{name}": value for name, value in changed.items()}
                sent.setdefault(tuple(changed), []).append(bound)
                self._note(_name(table, row), {name: row[name] for name in changed}, changed)
                row = row | changed
                self._known[table.name, *(row[name] for name in _key_names(table))] = row
            rows.append(dict(row))
        for names, each in sent.items():
            self._connection.execute(_changing(table, _key_names(table), names), each)
        return rows

    def delete(self, table: Table, **keys: Any) -> None:
        """Take a row out; only items of an open batch are."""
        row = self._present(table, keys)
        self._connection.execute(_deleting(table, tuple(keys)), {"tenant_id": self.tenant, **keys})
        name = _name(table, row)
        self._before[name], self._after[name] = plain_row(row), None
        del self._known[table.name, *(row[name] for name in _key_names(table))]

    def _present(self, table: Table, keys: Mapping[str, Any]) -> Row:
        """The row of this key as it is now; `KeyError` if there is none."""
        names = _key_names(table)
        assert keys.keys() == set(names), f"one row of {table.name} is named by {', '.join(names)}"
        key = (table.name, *(keys[name] for name in names))
        if key not in self._known and self.one(table, **keys) is None:
            raise KeyError(f"no row of {table.name} with {dict(keys)}")
        return self._known[key]

    def repeated(self, request_key: str, *, verb: str, content: Mapping[str, Any]) -> Any:
        """What was answered to this very request before; None if it is new. `KeyReused` if the key was another's."""
        row = self.one(REQUEST, request_key=request_key)
        if row is None:
            return None
        if row["verb"] != verb or row["content_sha256"] != self._content(verb, content) or row["actor"] != self.actor:
            raise KeyReused(
                what=f"The request key {request_key!r} was already used for another request ({row['verb']}).",
                next_step="Make a new key for each click; look at what the earlier request did before repeating it.",
                verb=row["verb"],
            )
        return row["answer"]

    def answer(self, request_key: str, *, verb: str, content: Mapping[str, Any], answer: Any) -> None:
        """Remember what this request did: the same key again gets the same answer and changes nothing."""
        row = {
            "request_key": request_key,
            "verb": verb,
            "content_sha256": self._content(verb, content),
            "actor": self.actor,
            "made_at": self.now,
            "answer": answer,
        }
        self.insert(REQUEST, row)

    def _content(self, verb: str, content: Mapping[str, Any]) -> str:
        return sha256_of([verb, plain_row(content)])

    def _note(self, name: str, before: Row, after: Row) -> None:
        known = self._before.setdefault(name, {}) if name not in self._after or name in self._before else None
        if known is not None:
            for column, value in plain_row(before).items():
                known.setdefault(column, value)
        self._after[name] = (self._after.get(name) or {}) | plain_row(after)

    def write_audit(self) -> None:
        """Add the act to the tenant's chain; nothing if it changed nothing."""
        if not self._after:
            return
        head = self._connection.execute(_HEAD, {"tenant_id": self.tenant}).first()
        row = {
            "tenant_id": self.tenant,
            "number": 1 if head is None else head.number + 1,
            "at": self.now,
            "actor": self.actor,
            "kind": self.kind,
            "entity": self.entity,
            "before": self._before,
            "after": self._after,
            "previous_hash": "" if head is None else head.hash,
        }
        self._connection.execute(_adding(AUDIT), row | {"hash": link_hash(row)})


def link_hash(row: Mapping[str, Any]) -> str:
    """h(n) = H(h(n-1) || row(n)): the hash of an audit row, its predecessor's hash included."""
    names = ("previous_hash", "tenant_id", "number", "at", "actor", "kind", "entity", "before", "after")
    return sha256_of([plain(row[name]) for name in names])


def _name(table: Table, row: Mapping[str, Any]) -> str:
    return entity_name(table.name, *(row[name] for name in _key_names(table)))


@cache
def _key_names(table: Table) -> tuple[str, ...]:
    return tuple(column.name for column in table.primary_key if column.name != "tenant_id")


_PERSON = select(PERSON).where(PERSON.c.person_id == bindparam("person_id"))
_HEAD = (
    select(AUDIT.c.number, AUDIT.c.hash)
    .where(AUDIT.c.tenant_id == bindparam("tenant_id"))
    .order_by(AUDIT.c.number.desc())
    .limit(1)
)


def _asks_for(value: Any) -> str:
    if value is None:
        return "nothing"
    return "one of" if isinstance(value, (tuple, list)) else "value"


@cache
def _asking(table: Table | TableClause, asked: tuple[tuple[str, str], ...]) -> Select[Any]:
    statement = select(table).where(table.c.tenant_id == bindparam("tenant_id"))
    for name, kind in asked:
        column = table.c[name]
        if kind == "nothing":
            statement = statement.where(column.is_(None))
        elif kind == "one of":
            statement = statement.where(column.in_(bindparam(name, expanding=True)))
        else:
            statement = statement.where(column == bindparam(name))
    return statement


@cache
def _newest(table: Table, by: str, asked: tuple[tuple[str, str], ...]) -> Select[Any]:
    return _asking(table, asked).order_by(table.c[by].desc()).limit(1)


@cache
def _adding(table: Table) -> Insert:
    return insert(table)


@cache
def _changing(table: Table, keys: tuple[str, ...], changed: tuple[str, ...]) -> Update:
    where = [table.c[name] == bindparam(f"key_{name}") for name in ("tenant_id", *keys)]
    return update(table).where(*where).values({name: bindparam(f"new_{name}") for name in changed})


@cache
def _deleting(table: Table, keys: tuple[str, ...]) -> Delete:
    return delete(table).where(*(table.c[name] == bindparam(name) for name in ("tenant_id", *keys)))
