"""One tenant's week on the desk of an asset: read tables, put results, describe them.

Belongs here: tables to frames and back, results to one-row tables and back, the metadata of a materialization.
Does not: arithmetic (`runway_calcs`), files and commits (`resources/store.py`).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from datetime import date, datetime
from enum import Enum, IntEnum
from types import NoneType, UnionType
from typing import Any, TypeVar, get_args, get_type_hints

import dagster as dg
import pandas as pd
import pyarrow as pa
from docstring_parser import parse_from_object
from pydantic import TypeAdapter

from assets.partitions import TENANTS
from assets.tenants import Metadata, for_each_tenant
from resources.installation import Installation, RunWeek
from resources.lake import TenantLake
from resources.qbo.columns import Version
from resources.qbo.history import versions
from resources.qbo.kinds import Kind
from resources.store import Week
from resources.tenants import TenantId
from runway_calcs.books.as_of import AsOf
from runway_calcs.policy import CashPolicy, ForecastPolicy

Result = TypeVar("Result")

_ARROW: dict[type, pa.DataType] = {
    str: pa.string(),
    int: pa.int64(),
    bool: pa.bool_(),
    date: pa.date32(),
    datetime: pa.timestamp("us", tz="UTC"),
}

#: Building an adapter takes milliseconds; each kind of result has one.
_ADAPTERS: dict[Any, TypeAdapter[Any]] = {}


class Desk:
    """What an asset needs to work on one tenant's week."""

    def __init__(self, installation: Installation, week: Week, lake: TenantLake) -> None:
        self._lake = lake
        self._store = installation.store
        self._read: dict[str, pa.Table] = {}
        self._made: dict[str, Any] = {}
        self.installation = installation
        self.week = week
        self.thresholds = installation.settings.thresholds.overridden(week.tenant.thresholds)

    @property
    def at(self) -> AsOf:
        """The point of view of every calculation of this week.

        A week is always told by the newest sync it had, so that recalculating it later gives the same bytes.
        """
        return AsOf.at(
            as_of=self.week.as_of,
            known_until=self.week.known_until,
            first_known_at=self.week.first_known_at,
            newest_known_at=self.week.data_as_of,
        )

    @property
    def cash_policy(self) -> CashPolicy:
        """The tenant's thresholds as the cash calculators take them."""
        return CashPolicy(
            excluded_account_ids=frozenset(self.thresholds.excluded_account_ids), card_basis=self.thresholds.card_basis
        )

    @property
    def forecast_policy(self) -> ForecastPolicy:
        """The tenant's thresholds as the forecast takes them."""
        return ForecastPolicy(floor_cents=self.thresholds.floor_cents)

    def point_of(self, as_of: date) -> AsOf:
        """The point of view of an earlier day, in the books of this week's sync.

        What was known then is what that day's newest sync had read; before the connection, what had been entered.
        """
        earlier = self._store.newest_week(self.week.tenant, as_of=as_of)
        return AsOf.at(
            as_of=as_of,
            known_until=earlier.known_until,
            first_known_at=self.week.first_known_at,
            newest_known_at=self.week.data_as_of,
        )

    def earlier_result(self, table: str, kind: type[Result], *, as_of: date) -> Result | None:
        """A one-row result of an earlier week as it was calculated then; None if it was not."""
        found = self.earlier_records(table, kind, as_of=as_of)
        return None if found is None else found[0]

    def earlier_records(self, table: str, kind: type[Result], *, as_of: date) -> tuple[Result, ...] | None:
        """A table of results of an earlier week as it was calculated then; None if it was not."""
        segment = self._store.earlier_result(self.week, table, as_of=as_of)
        if segment is None:
            return None
        stored = self._lake.rows([segment])["result"].to_pylist()
        return tuple(_adapter(kind).validate_json(text) for text in stored)

    def kept_records(self, table: str, kind: type[Result], *, weeks: int) -> tuple[Result, ...]:
        """A table of results as the last run left it, of this week or of the newest of so many weeks before; else none."""
        kept = self._store.kept_result(self.week, table, weeks=weeks)
        stored = [] if kept is None else self._lake.rows([kept])["result"].to_pylist()
        return tuple(_adapter(kind).validate_json(text) for text in stored)

    def versions(self, kind: Kind) -> Iterator[Version]:
        """All versions of one kind of QBO object known to this week's sync, oldest knowledge first."""
        segments = self._store.history(self.week, kind.table)
        return versions(self._lake, segments, entity=kind.entity, until=self.week.data_as_of)

    def frame(self, table: str) -> pd.DataFrame:
        """A table of this week as a frame of its own, without the tenant column."""
        found: pd.DataFrame = self._rows(table).drop_columns(["tenant_id"]).to_pandas()
        return found

    def result(self, table: str, kind: type[Result]) -> Result:
        """A result of this week as the calculator returned it."""
        (one,) = self.records(table, kind)
        return one

    def records(self, table: str, kind: type[Result]) -> tuple[Result, ...]:
        """A table of results of this week, in the calculator's order."""
        stored = self._rows(table)["result"].to_pylist()
        return tuple(_adapter(kind).validate_json(text) for text in stored)

    def once(self, name: str, make: Callable[[], Result]) -> Result:
        """What several tables of a run start from and no table holds: made when first asked for, then the same."""
        if name not in self._made:
            self._made[name] = make()
        found: Result = self._made[name]
        return found

    def put_frame(self, table: str, frame: pd.DataFrame) -> Metadata:
        """Store a frame as this week's table; its metadata."""
        rows = pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata(None)
        return self._put(table, rows.add_column(0, "tenant_id", _tenant_column(self.week, rows.num_rows)))

    def put_result(self, table: str, result: Any) -> Metadata:
        """Store a calculator's result as one row."""
        return self.put_records(table, [result], kind=type(result))

    def put_records(self, table: str, results: Sequence[Any], *, kind: type[Any]) -> Metadata:
        """Store results of one kind, a row each: their plain fields as columns, the whole of each as JSON."""
        columns: dict[str, pa.Array] = {"tenant_id": _tenant_column(self.week, len(results))}
        for name, plain in plain_fields(kind).items():
            values = [getattr(result, name) for result in results]
            columns[name] = pa.array([v.value if isinstance(v, Enum) else v for v in values], type=_ARROW[plain])
        as_json = [_adapter(kind).dump_json(result).decode() for result in results]
        columns["result"] = pa.array(as_json, type=pa.string())
        return self._put(table, pa.table(columns))

    def _rows(self, table: str) -> pa.Table:
        if table not in self._read:
            self._read[table] = self._lake.rows([self._store.result(self.week, table)])
        return self._read[table]

    def _put(self, table: str, rows: pa.Table) -> Metadata:
        self._read[table] = rows
        segment = self._store.put(self.week, table, rows)
        return {
            "dagster/partition_row_count": dg.MetadataValue.int(segment.rows),
            "as_of": dg.MetadataValue.text(self.week.as_of.isoformat()),
            "data_as_of": dg.MetadataValue.timestamp(self.week.data_as_of),
            "known_until": dg.MetadataValue.timestamp(self.week.known_until),
            "basis": dg.MetadataValue.text(self.at.basis),
            "sync_id": dg.MetadataValue.text(self.week.sync.sync_id),
        }


#: The table whose sync the rest of a week follows.
LEDGER = "books/company"


@contextmanager
def newest_desk(tenant: TenantId, *, installation: Installation, week: RunWeek) -> Iterator[Desk]:
    """The desk for the week of the run with the newest books it has: what the ledger is made from."""
    known = installation.registry.tenant(tenant)
    found = installation.store.newest_week(known, as_of=week.of(known))
    with installation.lake.open(tenant) as lake:
        yield Desk(installation, found, lake)


@contextmanager
def desk_for(tenant: TenantId, *, installation: Installation, week: RunWeek) -> Iterator[Desk]:
    """The desk for the week of the run with the books that its ledger was made from."""
    known = installation.registry.tenant(tenant)
    found = installation.store.week_of(known, as_of=week.of(known), table=LEDGER)
    with installation.lake.open(tenant) as lake:
        yield Desk(installation, found, lake)


@dataclass(frozen=True, slots=True, kw_only=True)
class WeekTable:
    """One asset of a week: its key, what it is made from, and the work that makes it."""

    key: str
    description: str
    deps: tuple[str, ...]
    columns: Mapping[str, Any]
    work: Callable[[Desk], Metadata]
    kinds: frozenset[str] = frozenset({"python", "parquet"})

    @property
    def asset_key(self) -> dg.AssetKey:
        """The key as Dagster has it."""
        return dg.AssetKey(self.key.split("/"))

    @property
    def spec(self) -> dg.AssetSpec:
        """What the UI shows of it."""
        return dg.AssetSpec(
            self.asset_key,
            group_name=self.asset_key.path[0],
            description=self.description,
            kinds=set(self.kinds),
            deps=[dg.AssetKey(dep.split("/")) for dep in self.deps],
            metadata=self.columns,
        )


def week_assets(name: str, tables: Sequence[WeekTable]) -> dg.AssetsDefinition:
    """One op for the tables of a layer, in this order; any of them can be materialized alone.

    An op costs Dagster about a third of a second whatever it does, so a layer is one op and its tables share their reads.
    """

    @dg.multi_asset(name=name, specs=[table.spec for table in tables], partitions_def=TENANTS, can_subset=True)
    def _assets(
        context: dg.AssetExecutionContext,
        installation: dg.ResourceParam[Installation],
        week: dg.ResourceParam[RunWeek],
    ) -> Iterator[dg.MaterializeResult[None]]:
        selected = [table for table in tables if table.asset_key in context.selected_asset_keys]

        def work(tenant: TenantId) -> Mapping[dg.AssetKey, Metadata]:
            with desk_for(tenant, installation=installation, week=week) as desk:
                return {table.asset_key: table.work(desk) for table in selected}

        yield from for_each_tenant(context, work)

    return _assets


def frame_schema(columns: Mapping[str, tuple[str, str]]) -> Mapping[str, Any]:
    """The spec's metadata of a frame table: column -> (type, what it is)."""
    described = [dg.TableColumn("tenant_id", "string", description="Whose row it is.")]
    described += [dg.TableColumn(name, kind, description=text) for name, (kind, text) in columns.items()]
    return {"dagster/column_schema": dg.TableSchema(columns=described)}


def result_schema(kind: type[Any]) -> Mapping[str, Any]:
    """The spec's metadata of a one-row result table."""
    described = [dg.TableColumn("tenant_id", "string", description="Whose row it is.")]
    # What a field means stands once, below the field of the calculator's result.
    meaning = {one.arg_name: one.description for one in parse_from_object(kind).params}
    described += [
        dg.TableColumn(name, str(_ARROW[plain]), description=meaning.get(name))
        for name, plain in plain_fields(kind).items()
    ]
    described.append(dg.TableColumn("result", "string", description="The whole result as JSON, reasons included."))
    return {"dagster/column_schema": dg.TableSchema(columns=described)}


def plain_fields(kind: type[Any]) -> dict[str, type]:
    """The fields of a result that are one value each, with their plain type; lists and records stay in the JSON."""
    hints = get_type_hints(kind)
    found = {}
    for one in fields(kind):
        plain = _plain(hints[one.name])
        if plain is not None:
            found[one.name] = plain
    return found


def _plain(hint: Any) -> type | None:
    if isinstance(hint, UnionType):
        inner = [part for part in get_args(hint) if part is not NoneType]
        return _plain(inner[0]) if len(inner) == 1 else None
    if get_args(hint) and all(isinstance(part, str) for part in get_args(hint)):
        return str  # a Literal of words
    if not isinstance(hint, type):
        return None
    if issubclass(hint, IntEnum):
        return int
    if issubclass(hint, Enum):
        return str
    return hint if hint in _ARROW else None


def _adapter(kind: Any) -> TypeAdapter[Any]:
    if kind not in _ADAPTERS:
        _ADAPTERS[kind] = TypeAdapter(kind)
    return _ADAPTERS[kind]


def _tenant_column(week: Week, rows: int) -> pa.Array:
    return pa.array([week.tenant.tenant_id] * rows, type=pa.string())
