"""From sorted defects to a tray: cutting, and names on one line.

Belongs here: which facts of a defect a tray keeps. Does not: the order (``ranking.py``), words (``render.py``).
"""

from datetime import UTC, date, datetime

from experiences.digest.wording import plain_text
from experiences.tray.document import MOST_ITEMS, SetAsideItem, TrayDocument, TrayItem
from experiences.tray.links import QboCompany
from experiences.tray.ranking import Sorted
from runway_calcs.books.as_of import Basis
from runway_calcs.hygiene.defects import Defect, Severity


def build_tray(
    found: Sorted,
    *,
    tenant_id: str,
    tenant_name: str,
    firm_name: str,
    currency: str,
    zone: str,
    as_of: date,
    data_as_of: datetime,
    basis: Basis,
    score: int | None,
    company: QboCompany | None,
) -> TrayDocument:
    """The tray of one tenant's week; `data_as_of` is aware."""
    return TrayDocument(
        schema_version=1,
        tenant_id=tenant_id,
        tenant_name=plain_text(tenant_name),
        firm_name=plain_text(firm_name),
        currency=currency,
        zone=zone,
        as_of=as_of,
        data_as_of=data_as_of.astimezone(UTC),
        is_reconstructed=basis == "reconstructed",
        score=score,
        items=tuple(_item(one) for one in found.listed[:MOST_ITEMS]),
        count=len(found.listed),
        blocking_count=sum(one.severity is Severity.BLOCKING for one in found.listed),
        set_aside=tuple(
            SetAsideItem(
                item=_item(one.defect),
                until=one.ruling.until,
                author=plain_text(one.ruling.author),
                reason=plain_text(one.ruling.reason),
            )
            for one in found.set_aside[:MOST_ITEMS]
        ),
        set_aside_count=len(found.set_aside),
        company=company,
    )


def _item(one: Defect) -> TrayItem:
    effect = one.effect
    return TrayItem(
        kind=one.kind,
        object_type=one.object_type,
        object_id=one.object_id,
        label=plain_text(one.label),
        what=plain_text(one.what),
        remedy=plain_text(one.remedy),
        is_blocking=one.severity is Severity.BLOCKING,
        amount_cents=one.amount_cents,
        effect=effect.state,
        runway_days=effect.runway_days,
        is_bound=effect.is_bound,
        low_cents=effect.low_water_cents,
        effect_reason=plain_text(effect.reason),
        age_days=one.age_days,
    )
