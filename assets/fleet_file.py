"""`fleet.duckdb`: one derived table of all tenants, rebuilt whole and swapped in by rename.

Belongs here: opening the file, its table, rows in and out. Does not: gathering rows (`assets/fleet.py`).

Nobody writes into the file that others read: DuckDB would refuse every reader while it does.
"""

import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import astuple, fields
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from typing import Any

import duckdb
from dagster_duckdb import DuckDBResource
from pydantic import TypeAdapter

from experiences.portfolio.overview import TenantOverview
from resources.files import private_folder, sync_folder

_TABLE = "tenant_overview"
#: In the order of the fields of `TenantOverview`.
COLUMNS: dict[str, tuple[str, str]] = {
    "firm_id": ("VARCHAR", "The firm that looks after it."),
    "tenant_id": ("VARCHAR", "Whose row it is."),
    "tenant_name": ("VARCHAR", "Its name."),
    "standing": ("VARCHAR", "Whether there is a digest to take figures from."),
    "week_ending": ("DATE", "The digest's Friday."),
    "currency": ("VARCHAR", "Home currency."),
    "state": ("VARCHAR", "State of the runway."),
    "covered_until": ("DATE", "First day below the floor (median)."),
    "days": ("BIGINT", "Days until then."),
    "cautious_until": ("DATE", "First day on which one course in ten has been below the floor."),
    "cautious_days": ("BIGINT", "Days until then."),
    "cash_cents": ("BIGINT", "Cash in home cents."),
    "low_cents": ("BIGINT", "Median of the lowest balances, in home cents."),
    "low_on": ("DATE", "Its day."),
    "change_days": ("BIGINT", "Change of the runway since the last forecast."),
    "link": ("VARCHAR", "Whether QuickBooks is connected."),
    "data_as_of": ("TIMESTAMP", "When the newest books were read, in UTC."),
    "is_stale": ("BOOLEAN", "Whether they are older than the tenant's threshold."),
    "is_behind": ("BOOLEAN", "Whether its Friday morning has passed without a digest of the week."),
    "has_failed": ("BOOLEAN", "Whether its newest run of sync or digest failed."),
    "tray_count": ("BIGINT", "Entries in its tray."),
    "blocking_count": ("BIGINT", "Of them, those behind which a figure is known to be wrong."),
    "moving_count": (
        "BIGINT",
        "Of these, those that change the runway or put its low point on the other side of the floor.",
    ),
    "mail_unknown": ("BIGINT", "Mails of the last weeks of which nobody knows whether they arrived."),
    "mail_failed": ("BIGINT", "Mails of the last weeks that were refused."),
    "mail_bounced": ("BIGINT", "Mails of the last weeks that came back."),
    "resend_command": ("VARCHAR", "The command that sends the first of those mails that may be sent once more."),
    "to_approve": ("BIGINT", "Bills that nobody has approved yet."),
    "to_decide": ("BIGINT", "Bills proposed for payment, without a decision."),
    "due": ("BIGINT", "Scheduled payments whose day has come, in no batch yet."),
    "to_seal": ("BIGINT", "Bills decided on, in no finalized batch."),
    "sealed": ("BIGINT", "Bills in a finalized batch that is not settled."),
    "to_review": ("BIGINT", "Bills whose payment a person has to look at."),
    "alarms": ("BIGINT", "Open alarms of the payment ledger."),
    "closed_address": (
        "VARCHAR",
        "The first address of those mails that takes none until somebody says that it works.",
    ),
}
_ROWS = TypeAdapter(tuple[TenantOverview, ...])


class FleetDuckDB(DuckDBResource):
    """Closes in `finally`, opens read-only on demand, and waits for nobody: the stock resource does neither."""

    read_only: bool = False

    @contextmanager
    def get_connection(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A connection for the length of the block."""
        connection = duckdb.connect(self.database, read_only=self.read_only)
        try:
            yield connection
        finally:
            connection.close()


def write_fleet(file: Path, rows: Sequence[TenantOverview]) -> None:
    """Put a new file with these rows in place of the old one, in one step."""
    assert [one.name for one in fields(TenantOverview)] == list(COLUMNS)
    private_folder(file.parent)
    unfinished = file.with_name(f".{file.name}.{uuid.uuid4().hex}")
    try:
        with FleetDuckDB(database=str(unfinished)).get_connection() as connection:
            columns = ", ".join(f"{name} {kind}" for name, (kind, _) in COLUMNS.items())
            connection.execute(f"CREATE TABLE {_TABLE} ({columns}, PRIMARY KEY (tenant_id))")
            if rows:
                marks = ", ".join("?" for _ in COLUMNS)
                connection.executemany(f"INSERT INTO {_TABLE} VALUES ({marks})", [_values(row) for row in rows])  # noqa: S608
        unfinished.chmod(0o600)
        unfinished.rename(file)
    finally:
        unfinished.unlink(missing_ok=True)
    sync_folder(file.parent)


def _values(row: TenantOverview) -> list[Any]:
    return [_stored(value) for value in astuple(row)]


def _stored(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).replace(tzinfo=None)  # DuckDB's type with a zone needs an extension
    return value.value if isinstance(value, Enum) else value


def _read(value: Any) -> Any:
    return value.replace(tzinfo=UTC) if isinstance(value, datetime) else value


def read_fleet(file: Path, *, firm_id: str) -> tuple[TenantOverview, ...]:
    """The rows of one firm, by tenant."""
    with FleetDuckDB(database=str(file), read_only=True).get_connection() as connection:
        found = connection.execute(f"SELECT * FROM {_TABLE} WHERE firm_id = ? ORDER BY tenant_id", [firm_id])  # noqa: S608
        values: list[dict[str, Any]] = [dict(zip(COLUMNS, map(_read, row), strict=True)) for row in found.fetchall()]
    return _ROWS.validate_python(values)
