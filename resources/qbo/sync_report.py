"""What a sync did, in figures.

Belongs here: counts. Does not: the objects; how a report is shown.
"""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

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
    quarantined: int
    calls: int
    waited_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncReport:
    """One committed sync of a tenant."""

    tenant_id: TenantId
    sync_id: str
    kind: str
    #: The state of the books that was read: when the read began.
    data_as_of: datetime
    entities: tuple[EntityReport, ...]

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
        """Objects that could not be read, of all kinds."""
        return sum(entity.quarantined for entity in self.entities)

    @property
    def calls(self) -> int:
        """HTTP calls made, repeated ones included."""
        return sum(entity.calls for entity in self.entities)

    @property
    def waited_seconds(self) -> float:
        """Seconds spent waiting for a turn or for another try."""
        return sum(entity.waited_seconds for entity in self.entities)


def as_json(entities: tuple[EntityReport, ...]) -> dict[str, Any]:
    """The figures in the form they are committed in, by kind."""
    return {
        report.entity: {name: value for name, value in asdict(report).items() if name != "entity"}
        for report in entities
    }
