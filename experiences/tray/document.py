"""The tray as data: what is to be mended in a tenant's books, by what it changes.

Belongs here: its shape, its rules, its JSON form. Does not: the order (``ranking.py``), words and markup (``render.py``).
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from experiences.digest.comparison import require
from experiences.stored_json import StoredJson
from experiences.tray.links import QboCompany
from runway_calcs.hygiene.defects import DefectKind, EffectState

MOST_ITEMS = 200
"""The rest is counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrayItem:
    """One entry of the books to look at."""

    kind: DefectKind
    object_type: str
    object_id: str
    label: str
    what: str
    remedy: str
    is_blocking: bool
    amount_cents: int
    effect: EffectState
    runway_days: int | None
    is_bound: bool
    low_cents: int | None
    effect_reason: str
    age_days: int | None

    def __post_init__(self) -> None:
        known = self.effect in (EffectState.VALUE, EffectState.ZERO)
        require((self.runway_days is not None) == known, "an effect has days exactly when it is known")
        require((self.low_cents is not None) == known, "an effect has cents exactly when it is known")


@dataclass(frozen=True, slots=True, kw_only=True)
class SetAsideItem:
    """An entry that a person snoozed or ruled no issue."""

    item: TrayItem
    until: date | None
    author: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TrayDocument:
    """Everything that one tenant's tray says in one week."""

    schema_version: Literal[1]
    tenant_id: str
    tenant_name: str
    firm_name: str
    currency: str
    as_of: date
    data_as_of: datetime
    zone: str
    is_reconstructed: bool
    score: int | None
    items: tuple[TrayItem, ...]
    count: int
    blocking_count: int
    set_aside: tuple[SetAsideItem, ...]
    set_aside_count: int
    company: QboCompany | None = None
    """Where links lead; None: the tenant has no connection, or the tray was made before links named a company."""

    def __post_init__(self) -> None:
        require(len(self.items) <= MOST_ITEMS and len(self.set_aside) <= MOST_ITEMS, "a tray keeps its first entries")
        require(self.count >= len(self.items), "a tray counts at least what it shows")
        require(self.set_aside_count >= len(self.set_aside), "a tray counts at least what it shows")
        require(0 <= self.blocking_count <= self.count, "blocking entries are among those listed")


_STORED = StoredJson(TrayDocument, what="tray", remedy="Materialize digest/tray for that tenant and week again.")
to_json = _STORED.to_json
from_json = _STORED.from_json
