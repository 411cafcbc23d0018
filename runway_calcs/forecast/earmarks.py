"""Money that is spoken for: bills with a decision, and reserves kept for a purpose.

Belongs here: the value types as the forecast takes them, and what reserves keep beside the floor.
Does not: deciding, funding (``runway_calcs/reserves/targets.py``).
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date

from runway_calcs.flow_kinds import DISBURSEMENT_KINDS, FlowKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """The decision to pay a bill on a day: the bill leaves the open bills and is paid then, once."""

    hold_id: str
    bill_id: str
    on: date
    """A day that has passed counts as the next day."""
    amount_cents: int
    """Positive; what exceeds the bill's open amount is not paid, what it leaves open stays an open bill."""
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Delay:
    """The decision to put a bill off: it is paid when its vendor usually is, and not before the day."""

    bill_id: str
    until: date


@dataclass(frozen=True, slots=True, kw_only=True)
class PurposeReserve:
    """Money of the cash accounts that is kept for a purpose and given free as the purpose is paid."""

    reserve_id: str
    held_cents: int
    """Positive: taken out of the opening balance ..."""
    purposes: frozenset[FlowKind]
    """... and given back, as far as it goes, against the payments of these kinds; empty: never within the horizon."""
    label: str

    def __post_init__(self) -> None:
        if self.held_cents < 0:
            raise ValueError(f"reserve {self.reserve_id}: held_cents is negative")
        if not self.purposes <= set(DISBURSEMENT_KINDS):
            raise ValueError(f"reserve {self.reserve_id}: a purpose is a kind of payment")


def beside_the_floor(
    reserves: Iterable[PurposeReserve], *, floor_cents: int, is_floor_next_payroll: bool
) -> tuple[PurposeReserve, ...]:
    """What reserves keep on top of the floor, by id.

    Where the floor is the next payroll, what is put by for payroll is part of it: the two are the same money, and only what
    exceeds the floor is kept beside it.
    """
    within = floor_cents if is_floor_next_payroll else 0
    found = []
    for reserve in sorted(reserves, key=lambda one: one.reserve_id):
        inside = min(within, reserve.held_cents) if FlowKind.PAYROLL in reserve.purposes else 0
        within -= inside
        found.append(replace(reserve, held_cents=reserve.held_cents - inside))
    return tuple(one for one in found if one.held_cents)
