"""Which defects of the books stand in the tray, and in which order.

Belongs here: rulings of people about defects, and the order by effect. Does not: finding defects (`runway_calcs/hygiene`).

A defect that is mended is no longer found, so it leaves by itself; what somebody said about it stays in the history.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from runway_calcs.hygiene.defects import Defect, EffectState, Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """What a person said about a defect."""

    defect: tuple[str, str, str]
    """Kind, QuickBooks' entity name and id."""
    until: date | None
    """The day on which it is back; None: it is no issue."""
    author: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SetAside:
    """A defect that is found and not listed, because of a ruling."""

    defect: Defect
    ruling: Ruling


@dataclass(frozen=True, slots=True, kw_only=True)
class Sorted:
    """All defects that are found: those to look at, in order, and those set aside."""

    listed: tuple[Defect, ...]
    set_aside: tuple[SetAside, ...]


def sorted_defects(defects: Sequence[Defect], *, rulings: Sequence[Ruling], as_of: date) -> Sorted:
    """The defects by effect on the runway, then on the low point, then blocking first, then by amount.

    An effect that is known to be nothing ranks with those that are not known: a person looks at the largest first.
    A snoozed one is back on its day.
    """
    ruled = {one.defect: one for one in rulings if one.until is None or as_of < one.until}
    ordered = sorted(defects, key=_rank)
    return Sorted(
        listed=tuple(one for one in ordered if one.key not in ruled),
        set_aside=tuple(SetAside(defect=one, ruling=ruled[one.key]) for one in ordered if one.key in ruled),
    )


def _rank(defect: Defect) -> tuple[int, int, bool, bool, int, tuple[str, str, str]]:
    effect = defect.effect
    return (
        -abs(effect.runway_days or 0),
        -abs(effect.low_water_cents or 0),
        defect.severity is not Severity.BLOCKING,
        effect.state is EffectState.ZERO,
        -defect.amount_cents,
        defect.key,
    )
