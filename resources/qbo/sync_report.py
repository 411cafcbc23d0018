"""What a sync did, in figures.

Belongs here: counts. Does not: the objects; how a report is shown.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from resources.qbo.usage import Usage
from resources.tenants import TenantId


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityReport:
    """One kind's part of a sync."""

    entity: str
    #: Objects that came, readable or not.
    read: int
    new_versions: int
    #: Of the new versions, those that say an object is gone.
    deleted: int
    #: Objects that cannot be read at present, those of earlier syncs included.
    quarantined: int
    #: Calls for this kind alone; one call can fetch what changed of all kinds.
    calls: int
    waited_seconds: float
    #: When QuickBooks last said what it has of this kind.
    read_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncReport:
    """One committed sync of a tenant."""

    tenant_id: TenantId
    sync_id: str
    kind: str
    #: The state of the books that was read: when the read began.
    data_as_of: datetime
    committed_at: datetime
    entities: tuple[EntityReport, ...]
    #: Calls that fetched what changed of all kinds together.
    shared_calls: int = 0
    shared_waited_seconds: float = 0.0
    #: The tenant's metered calls of this month, this sync included; None where nobody counts.
    usage: Usage | None = None

    @property
    def read(self) -> int:
        """Objects that came, of all kinds."""
        return sum(entity.read for entity in self.entities)

    @property
    def new_versions(self) -> int:
        """Versions that were kept, of all kinds."""
        return sum(entity.new_versions for entity in self.entities)

    @property
    def quarantined(self) -> int:
        """Objects that cannot be read at present, of all kinds."""
        return sum(entity.quarantined for entity in self.entities)

    @property
    def warning(self) -> str | None:
        """What to know about the month's calls; None while they stay within the budget."""
        if self.usage is None or not self.usage.is_above_soft:
            return None
        return (
            f"{self.usage.metered} metered QuickBooks calls in {self.usage.month}, about {self.usage.projected} by its "
            f"end; {self.usage.budget.soft} are planned, none are made past {self.usage.budget.hard}."
        )

    @property
    def calls(self) -> int:
        """HTTP calls made, repeated ones included."""
        return self.shared_calls + sum(entity.calls for entity in self.entities)

    @property
    def waited_seconds(self) -> float:
        """Seconds spent waiting for a turn or for another try."""
        return self.shared_waited_seconds + sum(entity.waited_seconds for entity in self.entities)


def as_json(entities: tuple[EntityReport, ...]) -> dict[str, Any]:
    """The figures in the form they are committed in, by kind."""
    return {report.entity: _figures(report) for report in entities}


def read_at(committed: Mapping[str, Any], entity: str) -> datetime | None:
    """When a kind was last read, by the figures of a committed sync; None if they do not say."""
    text = committed.get(entity, {}).get("read_at")
    return None if text is None else datetime.fromisoformat(text)


def _figures(report: EntityReport) -> dict[str, Any]:
    figures = asdict(report)
    del figures["entity"]
    return {**figures, "read_at": None if report.read_at is None else report.read_at.isoformat()}
