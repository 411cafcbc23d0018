"""Tenants, tokens, syncs and segments with overrides, for tests of the stores."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa

from resources.clock import Clock
from resources.commits import Commits, Lease, Sync
from resources.connections import Connections, Tokens
from resources.database import Database
from resources.lake import Lake, Segment
from resources.registry import TenantRegistry
from resources.secret_text import Secret
from resources.tenants import Tenant, TenantId
from resources.token_vault import TokenVault

ACME = TenantId("acme-design")
BOLT = TenantId("bolt-supply")
KEY = bytes(range(32))
OTHER_KEY = bytes(range(32, 64))
NOON = datetime(2026, 11, 20, 17, 0, tzinfo=UTC)


def add_tenants(database: Database, clock: Clock, *tenants: str, zone: str = "America/New_York") -> list[Tenant]:
    """Register a firm and tenants of it."""
    registry = TenantRegistry(database, clock=clock)
    registry.add_firm("north-books", name="North Books")
    return [
        registry.add_tenant(one, firm_id="north-books", name=one.title(), zone=zone) for one in tenants or (ACME, BOLT)
    ]


def make_tokens(name: str = "first", *, now: datetime = NOON) -> Tokens:
    """Tokens that carry a name."""
    return Tokens(
        access_token=Secret(f"access-{name}"),
        access_expires_at=now + timedelta(hours=1),
        refresh_token=Secret(f"refresh-{name}"),
        refresh_expires_at=now + timedelta(days=100),
    )


def make_connections(database: Database, clock: Clock, *, keys: tuple[bytes, ...] = (KEY,)) -> Connections:
    """The store of connections with a key ring."""
    return Connections(database, vault=TokenVault(keys), clock=clock)


def connect(
    connections: Connections, tenant: TenantId = ACME, *, realm_id: str = "9130001", name: str = "first"
) -> None:
    """Connect a tenant to a company of the local QuickBooks."""
    connections.connect(tenant, environment="local", realm_id=realm_id, tokens=make_tokens(name))


def make_rows(*ids: str, known_at: datetime = NOON) -> pa.Table:
    """Rows as the raw tables have them."""
    return pa.table(
        {
            "qbo_id": pa.array(ids, pa.string()),
            "known_at": pa.array([known_at] * len(ids), pa.timestamp("us", tz="UTC")),
            "created_at": pa.array([known_at] * len(ids), pa.timestamp("us", tz="UTC")),
            "is_deleted": pa.array([False] * len(ids), pa.bool_()),
            "payload": pa.array([f'{{"Id":"{one}"}}' for one in ids], pa.string()),
        }
    )


def make_segment(name: str = "a", *, table: str = "raw_qbo/bills") -> Segment:
    """A segment as the lake describes it, without its file."""
    return Segment(
        segment_id=f"{table}@{name}", table=table, path=f"{table}/{name}.parquet", rows=1, bytes=10, sha256=name * 64
    )


def commit_sync(commits: Commits, lease: Lease, *, data_as_of: datetime = NOON, **overrides: Any) -> Sync:
    """Commit a full sync."""
    parts: dict[str, Any] = {
        "kind": "full",
        "watermark": data_as_of,
        "report": {},
        "segments": [],
        "quarantined": [],
        **overrides,
    }
    return commits.commit_sync(lease, data_as_of=data_as_of, **parts)


def make_lake(tmp_path: Path) -> Lake:
    """A lake in a temporary folder."""
    return Lake(tmp_path / "lake")
