"""How each tenant's syncs stand: the last one, what it left unread, how old each kind is, what the calls cost.

Belongs here: gathering it from what is kept; asks QuickBooks nothing. Does not: how it is shown (`cli/sync_status.py`).
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

from resources.commits import Commits, Sync
from resources.connections import Connections, ConnectionStanding
from resources.qbo.kinds import ENTITIES
from resources.qbo.sync_policy import Freshness, SyncPolicy
from resources.qbo.sync_report import read_at
from resources.qbo.turnstile import Turnstile
from resources.qbo.usage import Usage
from resources.tenants import Tenant, TenantId


class Age(Enum):
    """What a kind's age comes to by its freshness policy."""

    FRESH = "fresh"
    #: Past the soft age: the next sync reads it again if that works.
    DUE = "due"
    #: Past the hard age: a sync that cannot read it fails.
    TOO_OLD = "too old"
    NEVER = "never read"


@dataclass(frozen=True, slots=True, kw_only=True)
class KindStatus:
    """One kind of objects as the newest sync left it."""

    entity: str
    read_at: datetime | None
    #: None if it was never read.
    age: timedelta | None
    soft: timedelta
    hard: timedelta
    state: Age
    #: Kept versions, those that say an object is gone included.
    versions: int
    #: Objects that cannot be read at present.
    quarantined: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LastSync:
    """The newest committed sync."""

    sync_id: str
    #: `full` or `changes`.
    kind: str
    data_as_of: datetime
    committed_at: datetime
    age: timedelta
    new_versions: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncStatus:
    """One tenant's syncs."""

    tenant_id: TenantId
    name: str
    active: bool
    #: None if it was never connected.
    connection: ConnectionStanding | None
    last_sync: LastSync | None
    usage: Usage
    kinds: tuple[KindStatus, ...]

    @property
    def versions(self) -> int:
        """Kept versions of all kinds."""
        return sum(kind.versions for kind in self.kinds)

    @property
    def quarantined(self) -> int:
        """Objects that cannot be read at present, of all kinds."""
        return sum(kind.quarantined for kind in self.kinds)


class SyncStatuses:
    """Gathers the statuses; every statement names its tenant."""

    def __init__(self, *, commits: Commits, connections: Connections, turnstile: Turnstile, policy: SyncPolicy) -> None:
        self._commits = commits
        self._connections = connections
        self._turnstile = turnstile
        self._policy = policy

    def of(self, tenant: Tenant, *, now: datetime) -> SyncStatus:
        """How a tenant's syncs stand at an instant."""
        newest = self._commits.newest_sync(tenant.tenant_id)
        return SyncStatus(
            tenant_id=tenant.tenant_id,
            name=tenant.name,
            active=tenant.active,
            connection=self._connections.standing(tenant.tenant_id),
            last_sync=None if newest is None else _last_sync(newest, now=now),
            usage=self._turnstile.usage(tenant.tenant_id),
            kinds=self._kinds(newest, now=now),
        )

    def _kinds(self, newest: Sync | None, *, now: datetime) -> tuple[KindStatus, ...]:
        report: Mapping[str, Any] = {} if newest is None else newest.report
        histories = {} if newest is None else self._commits.histories(newest.tenant_id, up_to=newest)
        quarantined = Counter(one.entity for one in self._commits.quarantined(newest)) if newest else Counter[str]()
        found = []
        for kind in ENTITIES:
            policy, read = self._policy.freshness[kind.entity], read_at(report, kind.entity)
            age = None if read is None else max(now - read, timedelta())
            found.append(
                KindStatus(
                    entity=kind.entity,
                    read_at=read,
                    age=age,
                    soft=policy.soft,
                    hard=policy.hard,
                    state=_state(age, policy),
                    versions=sum(segment.rows for segment in histories.get(kind.table, [])),
                    quarantined=quarantined[kind.entity],
                )
            )
        return tuple(found)


def _last_sync(newest: Sync, *, now: datetime) -> LastSync:
    return LastSync(
        sync_id=newest.sync_id,
        kind=newest.kind,
        data_as_of=newest.data_as_of,
        committed_at=newest.committed_at,
        age=max(now - newest.data_as_of, timedelta()),
        new_versions=sum(kind["new_versions"] for kind in newest.report.values()),
    )


def _state(age: timedelta | None, policy: Freshness) -> Age:
    if age is None:
        return Age.NEVER
    if age > policy.hard:
        return Age.TOO_OLD
    return Age.DUE if age >= policy.soft else Age.FRESH


def status_json(status: SyncStatus) -> dict[str, Any]:
    """A status for other programs: instants as ISO text in UTC, spans as whole seconds, what is unknown as null."""
    usage = status.usage
    figures = {
        "month": usage.month,
        "metered_calls": usage.metered,
        "projected_calls": usage.projected,
        "budget": usage.budget.soft,
        "limit": usage.budget.hard,
        "is_above_budget": usage.is_above_soft,
        "throttled": usage.throttled,
        "waited_seconds": usage.waited,
    }
    found = {
        "tenant_id": status.tenant_id,
        "name": status.name,
        "active": status.active,
        "connection": None if status.connection is None else asdict(status.connection),
        "last_sync": None if status.last_sync is None else asdict(status.last_sync),
        "versions": status.versions,
        "quarantined": status.quarantined,
        "usage": figures,
        "kinds": [asdict(kind) for kind in status.kinds],
    }
    plain: dict[str, Any] = _plain(found)
    return plain


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {_seconds(key, part): _plain(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_plain(part) for part in value]
    if isinstance(value, timedelta):
        return round(value.total_seconds())
    if isinstance(value, datetime):
        return value.isoformat()
    return value.value if isinstance(value, Enum) else value


_SPANS = frozenset({"age", "soft", "hard"})


def _seconds(key: str, value: Any) -> str:
    """A span says its unit in its name, also where there is none yet."""
    return f"{key}_seconds" if key in _SPANS and (value is None or isinstance(value, timedelta)) else key
