"""Rows of the payment ledger put aside when its schema is taken back, and put back when it returns.

Belongs here: keeping and restoring, byte for byte. Does not: which tables (the revisions).

A ledger is never lost to a downgrade: its rows wait as JSON in `kept_ledger_row` until the schema is there again.
"""

import base64
import json
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

import sqlalchemy as sa
from alembic import op

_KEPT = sa.table(
    "kept_ledger_row", sa.column("table_name", sa.Text), sa.column("position", sa.Integer), sa.column("row", sa.Text)
)


def keep(tables: Sequence[str]) -> None:
    """Copy all rows of these tables; the caller drops them."""
    bind = op.get_bind()
    for name in tables:
        found = bind.execute(sa.select(sa.text("*")).select_from(sa.table(name))).mappings().all()
        rows = [{"table_name": name, "position": at, "row": _written(dict(row))} for at, row in enumerate(found)]
        if rows:
            _make_room(bind)
            bind.execute(sa.insert(_KEPT), rows)


def _make_room(bind: sa.Connection) -> None:
    if not sa.inspect(bind).has_table(_KEPT.name):
        op.create_table(
            _KEPT.name,
            sa.Column("table_name", sa.Text(), primary_key=True),
            sa.Column("position", sa.Integer(), primary_key=True),
            sa.Column("row", sa.Text(), nullable=False),
            sqlite_strict=True,
        )


def put_back(tables: Sequence[str]) -> None:
    """Insert what was kept of these tables, parents first; nothing if nothing was kept."""
    bind = op.get_bind()
    if not sa.inspect(bind).has_table(_KEPT.name):
        return
    for name in tables:
        kept = sa.select(_KEPT.c.row).where(_KEPT.c.table_name == name).order_by(_KEPT.c.position)
        rows = [_read(text) for text in bind.execute(kept).scalars()]
        if rows:
            bind.execute(sa.insert(sa.table(name, *map(sa.column, rows[0]))), rows)
        bind.execute(sa.delete(_KEPT).where(_KEPT.c.table_name == name))
    if not bind.execute(sa.select(sa.func.count()).select_from(_KEPT)).scalar_one():
        op.drop_table(_KEPT.name)


def _written(row: dict[str, Any]) -> str:
    return json.dumps({name: _tagged(value) for name, value in row.items()}, ensure_ascii=False)


def _tagged(value: Any) -> Any:
    if isinstance(value, bytes | memoryview):
        return {"bytes": base64.b64encode(bytes(value)).decode()}
    if isinstance(value, datetime):
        return {"instant": value.astimezone(UTC).isoformat()}
    if isinstance(value, date):
        return {"date": value.isoformat()}
    return value


def _read(text: str) -> dict[str, Any]:
    return {name: _untagged(value) for name, value in json.loads(text).items()}


def _untagged(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    ((kind, text),) = value.items()
    if kind == "bytes":
        return base64.b64decode(text)
    return datetime.fromisoformat(text) if kind == "instant" else date.fromisoformat(text)
