"""Which tenants QuickBooks has said to have changed since their books were read.

Belongs here: remembering events once, marking their tenants, clearing what a sync covered. Does not: signatures and formats
(`resources/qbo_webhooks.py`), deciding when to sync (`pipelines/sensors.py`).

Each event that was not seen before starts a new generation of its tenant. A sync covers what was noticed before its read began;
what came later stays dirty. Losing a mark loses nothing: the nightly sync reads the changes all the same.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from resources.clock import Clock
from resources.database import Database
from resources.qbo_webhooks import Event
from resources.registry import lock_tenant
from resources.tables import CONNECTION, DIRTY_TENANT, SYNC, TENANT, WEBHOOK_EVENT
from resources.tenants import TenantId

#: Intuit delivers again every six hours until it is acknowledged; no event is repeated after this long.
REMEMBERED = timedelta(days=30)
_SQL_VARIABLES = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Noticed:
    """What a delivery came to."""

    marked: tuple[TenantId, ...]
    repeated: int
    unknown_realms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Dirty:
    """A tenant with changes that no sync has covered."""

    tenant_id: TenantId
    generation: int
    noticed_at: datetime


class DirtyTenants:
    """The marks; `environment` says whose companies the events are about."""

    def __init__(self, database: Database, *, clock: Clock, environment: str) -> None:
        self._database = database
        self._clock = clock
        self._environment = environment

    def notice(self, events: Sequence[Event]) -> Noticed:
        """Mark the tenants of events that were not seen before; a company that is no tenant's is counted and ignored."""
        now = self._clock.now()
        with self._database.write() as connection:
            connection.execute(delete(WEBHOOK_EVENT).where(WEBHOOK_EVENT.c.received_at < now - REMEMBERED))
            tenants = self._tenants(connection, {event.realm_id for event in events})
            for tenant in sorted(set(tenants.values())):
                lock_tenant(connection, tenant)  # one delivery at a time decides what is new for a tenant
            seen = _seen(connection, [event.event_id for event in events])
            new = [event for event in events if event.event_id not in seen]
            if new:
                _remember(
                    connection,
                    [
                        {
                            "event_id": event.event_id,
                            "outcome": "marked" if event.realm_id in tenants else "unknown realm",
                            "received_at": now,
                        }
                        for event in new
                    ],
                )
            marked = sorted({tenants[event.realm_id] for event in new if event.realm_id in tenants})
            for tenant in marked:
                _mark(connection, tenant, now=now)
        return Noticed(
            marked=tuple(marked),
            repeated=len(events) - len(new),
            unknown_realms=sum(event.realm_id not in tenants for event in new),
        )

    def dirty(self, *, not_read_since: datetime | None = None) -> list[Dirty]:
        """Active tenants with uncovered changes, the longest waiting first; without a connection none can be read.

        With an instant those are left out whose newest sync began to read after it.
        """
        statement = (
            select(DIRTY_TENANT)
            .join(TENANT, TENANT.c.tenant_id == DIRTY_TENANT.c.tenant_id)
            .join(CONNECTION, CONNECTION.c.tenant_id == DIRTY_TENANT.c.tenant_id)
            .where(
                TENANT.c.active == 1,
                CONNECTION.c.environment == self._environment,
                CONNECTION.c.state == "connected",
                DIRTY_TENANT.c.generation > DIRTY_TENANT.c.covered,
            )
            .order_by(DIRTY_TENANT.c.noticed_at, DIRTY_TENANT.c.tenant_id)
        )
        if not_read_since is not None:
            of_tenant = SYNC.c.tenant_id == DIRTY_TENANT.c.tenant_id
            lately = select(SYNC.c.sync_id).where(of_tenant, SYNC.c.data_as_of > not_read_since)
            statement = statement.where(~lately.exists())
        with self._database.read() as connection:
            return [
                Dirty(tenant_id=row.tenant_id, generation=row.generation, noticed_at=row.noticed_at)
                for row in connection.execute(statement)
            ]

    def cover(self, tenant: TenantId, *, read_started_at: datetime) -> bool:
        """Clear a tenant's mark if all of it was noticed before a committed sync began to read; whether it was."""
        with self._database.write() as connection:
            covered = connection.execute(
                update(DIRTY_TENANT)
                .where(
                    DIRTY_TENANT.c.tenant_id == tenant,
                    DIRTY_TENANT.c.noticed_at < read_started_at,
                    DIRTY_TENANT.c.generation > DIRTY_TENANT.c.covered,
                )
                .values(covered=DIRTY_TENANT.c.generation)
            )
        return covered.rowcount == 1

    def _tenants(self, connection: Connection, realms: Iterable[str]) -> dict[str, TenantId]:
        found: dict[str, TenantId] = {}
        for some in _portions(sorted(realms)):
            statement = select(CONNECTION.c.realm_id, CONNECTION.c.tenant_id).where(
                CONNECTION.c.environment == self._environment, CONNECTION.c.realm_id.in_(some)
            )
            found |= {row.realm_id: TenantId(row.tenant_id) for row in connection.execute(statement)}
        return found


def _seen(connection: Connection, event_ids: Sequence[str]) -> set[str]:
    return {
        row.event_id
        for some in _portions(event_ids)
        for row in connection.execute(select(WEBHOOK_EVENT.c.event_id).where(WEBHOOK_EVENT.c.event_id.in_(some)))
    }


def _remember(connection: Connection, rows: list[dict[str, object]]) -> None:
    """Keep events; one that another delivery keeps at the same moment is kept once."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    connection.execute(dialect.insert(WEBHOOK_EVENT).on_conflict_do_nothing(), rows)


def _portions(values: Sequence[str]) -> Iterable[Sequence[str]]:
    return (values[start : start + _SQL_VARIABLES] for start in range(0, len(values), _SQL_VARIABLES))


def _mark(connection: Connection, tenant: TenantId, *, now: datetime) -> None:
    marked = connection.execute(
        update(DIRTY_TENANT)
        .where(DIRTY_TENANT.c.tenant_id == tenant)
        .values(generation=DIRTY_TENANT.c.generation + 1, noticed_at=now)
    )
    if marked.rowcount == 0:
        connection.execute(insert(DIRTY_TENANT).values(tenant_id=tenant, generation=1, covered=0, noticed_at=now))
