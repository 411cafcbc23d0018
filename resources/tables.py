"""The tables of the operational database, but for the payment ledger's (`payments/store/tables.py`).

Belongs here: columns, keys, the column types both engines share. Does not: statements; the chain of migrations.

Every table of a tenant has `tenant_id` in its primary key and in each foreign key, so that a row cannot point into another tenant.
"""

import json
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Dialect,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.types import TypeDecorator, TypeEngine

METADATA = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

#: SQLite's STRICT tables take TEXT, INTEGER and BLOB only; its integers are 64 bits wide, Postgres' are not.
WholeNumber = Integer().with_variant(BigInteger(), "postgresql")


class Instant(TypeDecorator[datetime]):
    """An aware instant: UTC text with microseconds on SQLite (sorts as time does), timestamptz on Postgres."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """The engine's own type."""
        return dialect.type_descriptor(DateTime(timezone=True) if dialect.name == "postgresql" else Text())

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        """Aware instants only; a naive one is a bug."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"a naive instant cannot be stored: {value!r}")
        utc = value.astimezone(UTC)
        return utc if dialect.name == "postgresql" else utc.strftime("%Y-%m-%dT%H:%M:%S.%fZ")

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """Aware, UTC."""
        if value is None:
            return None
        return value.astimezone(UTC) if isinstance(value, datetime) else datetime.fromisoformat(value)


class BusinessDate(TypeDecorator[date]):
    """A company's calendar date: ISO text on SQLite, date on Postgres."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """The engine's own type."""
        return dialect.type_descriptor(Date() if dialect.name == "postgresql" else Text())

    def process_bind_param(self, value: date | None, dialect: Dialect) -> Any:
        """ISO text, or the date itself."""
        return value if value is None or dialect.name == "postgresql" else value.isoformat()

    def process_result_value(self, value: Any, dialect: Dialect) -> date | None:
        """A date."""
        return value if value is None or isinstance(value, date) else date.fromisoformat(value)


class Json(TypeDecorator[Any]):
    """Canonical JSON text: the same value is the same bytes."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        """Sorted keys, no spaces."""
        return None if value is None else canonical_json(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        """The value."""
        return None if value is None else json.loads(value)


def canonical_json(value: Any) -> str:
    """Sorted keys, no spaces, no NaN."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def strict_table(name: str, *parts: Any) -> Table:
    """A table whose SQLite form refuses a value of another type."""
    return Table(name, METADATA, *parts, sqlite_strict=True)


def tenant_key(table: str = "tenant") -> ForeignKeyConstraint:
    """Each tenant table hangs on its tenant."""
    return ForeignKeyConstraint(["tenant_id"], [f"{table}.tenant_id"])


def one_of(column: str, values: Sequence[str]) -> CheckConstraint:
    """A column of a few words. Checks stand beside the columns, never inside: Alembic does not see those inside."""
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} in ({listed})", name=f"known_{column}")


FIRM = strict_table(
    "firm",
    Column("firm_id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
)

TENANT = strict_table(
    "tenant",
    Column("tenant_id", Text, primary_key=True),
    Column("firm_id", Text, ForeignKey("firm.firm_id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("zone", Text, nullable=False),
    Column("active", Integer, nullable=False),
    Column("thresholds", Json, nullable=False),
    Column("created_at", Instant, nullable=False),
    CheckConstraint("active in (0, 1)", name="active_is_boolean"),
)

CONNECTION = strict_table(
    "connection",
    Column("tenant_id", Text, primary_key=True),
    Column("environment", Text, nullable=False),
    Column("realm_id", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("lost_because", Text),
    Column("connected_at", Instant, nullable=False),
    Column("access_token", LargeBinary, nullable=False),
    Column("access_expires_at", Instant, nullable=False),
    Column("refresh_token", LargeBinary, nullable=False),
    Column("refresh_expires_at", Instant, nullable=False),
    Column("previous_refresh_token", LargeBinary),
    Column("token_version", WholeNumber, nullable=False),
    Column("refresher", Text),
    Column("refresher_until", Instant),
    tenant_key(),
    one_of("state", ("connected", "lost")),
    UniqueConstraint("environment", "realm_id"),
)

LEASE = strict_table(
    "lease",
    Column("tenant_id", Text, primary_key=True),
    Column("holder", Text),
    Column("fence", WholeNumber, nullable=False),
    Column("until", Instant),
    tenant_key(),
)

SYNC = strict_table(
    "sync",
    Column("tenant_id", Text, primary_key=True),
    Column("sync_id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("fence", WholeNumber, nullable=False),
    Column("data_as_of", Instant, nullable=False),
    Column("watermark", Instant, nullable=False),
    Column("committed_at", Instant, nullable=False),
    Column("report", Json, nullable=False),
    tenant_key(),
    one_of("kind", ("full", "changes")),
    UniqueConstraint("tenant_id", "data_as_of"),
)

RESULT = strict_table(
    "result",
    Column("tenant_id", Text, primary_key=True),
    Column("table_name", Text, primary_key=True),
    Column("as_of", BusinessDate, primary_key=True),
    Column("known_until", Instant, nullable=False),
    Column("data_as_of", Instant, nullable=False),
    Column("sync_id", Text, nullable=False),
    Column("segment_id", Text, nullable=False),
    Column("committed_at", Instant, nullable=False),
    ForeignKeyConstraint(["tenant_id", "sync_id"], ["sync.tenant_id", "sync.sync_id"]),
    ForeignKeyConstraint(["tenant_id", "segment_id"], ["segment.tenant_id", "segment.segment_id"]),
)

SEGMENT = strict_table(
    "segment",
    Column("tenant_id", Text, primary_key=True),
    Column("segment_id", Text, primary_key=True),
    Column("table_name", Text, nullable=False),
    Column("path", Text, nullable=False),
    Column("rows", WholeNumber, nullable=False),
    Column("bytes", WholeNumber, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("sync_id", Text),
    tenant_key(),
    ForeignKeyConstraint(["tenant_id", "sync_id"], ["sync.tenant_id", "sync.sync_id"]),
    Index("ix_segment_tenant_id_table_name", "tenant_id", "table_name"),
)

CHECKPOINT = strict_table(
    "checkpoint",
    Column("tenant_id", Text, primary_key=True),
    Column("table_name", Text, primary_key=True),
    Column("sync_id", Text, primary_key=True),
    Column("segment_id", Text, nullable=False),
    tenant_key(),
    ForeignKeyConstraint(["tenant_id", "sync_id"], ["sync.tenant_id", "sync.sync_id"]),
    ForeignKeyConstraint(["tenant_id", "segment_id"], ["segment.tenant_id", "segment.segment_id"]),
)

QUARANTINE = strict_table(
    "quarantine",
    Column("tenant_id", Text, primary_key=True),
    Column("quarantine_id", Text, primary_key=True),
    Column("sync_id", Text, nullable=False),
    Column("entity", Text, nullable=False),
    Column("qbo_id", Text),
    Column("field", Text, nullable=False),
    Column("expected", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("raw_text", Text, nullable=False),
    Column("seen_at", Instant, nullable=False),
    # From the sync that met it first, up to this one, which did not any more; empty: it is there still.
    Column("gone_sync_id", Text),
    ForeignKeyConstraint(["tenant_id", "sync_id"], ["sync.tenant_id", "sync.sync_id"]),
    Index("ix_quarantine_tenant_id_sync_id", "tenant_id", "sync_id"),
    Index("ix_quarantine_tenant_id_gone_sync_id", "tenant_id", "gone_sync_id"),
)

PUBLISHED_DOCUMENT = strict_table(
    "published_document",
    Column("tenant_id", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("title", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("html", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("data_as_of", Instant, nullable=False),
    Column("published_at", Instant, nullable=False),
    tenant_key(),
)

FIRM_DOCUMENT = strict_table(
    "firm_document",
    Column("firm_id", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("title", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("html", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("published_at", Instant, nullable=False),
    ForeignKeyConstraint(["firm_id"], ["firm.firm_id"]),
)

CASH_SNAPSHOT = strict_table(
    "cash_snapshot",
    Column("tenant_id", Text, primary_key=True),
    Column("sync_id", Text, primary_key=True),
    Column("account_id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("balance_cents", WholeNumber, nullable=False),
    Column("dated_later_cents", WholeNumber, nullable=False),
    Column("read_started_at", Instant, nullable=False),
    ForeignKeyConstraint(["tenant_id", "sync_id"], ["sync.tenant_id", "sync.sync_id"]),
)

OPEN_BILL = strict_table(
    "open_bill",
    Column("tenant_id", Text, primary_key=True),
    Column("sync_id", Text, primary_key=True),
    Column("bill_id", Text, primary_key=True),
    Column("vendor_id", Text, nullable=False),
    Column("vendor_name", Text, nullable=False),
    Column("doc_number", Text, nullable=False),
    Column("txn_date", BusinessDate, nullable=False),
    Column("due_date", BusinessDate),
    Column("currency", Text, nullable=False),
    Column("total_cents", WholeNumber, nullable=False),
    Column("open_cents", WholeNumber, nullable=False),
    Column("read_started_at", Instant, nullable=False),
    #: What payments need beside the amounts; empty where a sync published before these were kept.
    Column("home_currency", Text, nullable=False, server_default=""),
    Column("sync_token", Text, nullable=False, server_default=""),
    Column("ap_account_id", Text, nullable=False, server_default=""),
    Column("lines_sha256", Text, nullable=False, server_default=""),
    ForeignKeyConstraint(["tenant_id", "sync_id"], ["sync.tenant_id", "sync.sync_id"]),
)

WEBHOOK_EVENT = strict_table(
    "webhook_event",
    Column("event_id", Text, primary_key=True),
    Column("outcome", Text, nullable=False),
    Column("received_at", Instant, nullable=False),
    one_of("outcome", ("marked", "unknown realm")),
    Index("ix_webhook_event_received_at", "received_at"),
)

DIRTY_TENANT = strict_table(
    "dirty_tenant",
    Column("tenant_id", Text, primary_key=True),
    Column("generation", WholeNumber, nullable=False),
    Column("covered", WholeNumber, nullable=False),
    Column("noticed_at", Instant, nullable=False),
    tenant_key(),
    CheckConstraint("covered <= generation", name="covers_what_was_noticed"),
)

CALL_METER = strict_table(
    "call_meter",
    Column("tenant_id", Text, primary_key=True),
    Column("month", Text, primary_key=True),
    Column("metered", WholeNumber, nullable=False),
    Column("counted_since", Instant, nullable=False),
    Column("throttled", WholeNumber, nullable=False, server_default="0"),
    Column("waited_milliseconds", WholeNumber, nullable=False, server_default="0"),
    tenant_key(),
)

CALL_PACE = strict_table(
    "call_pace",
    Column("tenant_id", Text, primary_key=True),
    Column("next_call_at", Instant, nullable=False),
    tenant_key(),
)
