"""Money that is spoken for: bills with a decision, and reserves kept for a purpose.

Belongs here: the value types as the forecast takes them, what decided payments have drawn, and what reserves keep beside
the floor.
Does not: deciding, funding (``runway_calcs/reserves/targets.py``).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date

from runway_calcs.flow_kinds import DISBURSEMENT_KINDS, KIND_NUMBER, FlowKind

BILL_KINDS = frozenset({FlowKind.BILL, FlowKind.HELD_BILL})


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """The decision to pay a bill on a day: the bill leaves the open bills and is paid then, once."""

    hold_id: str
    bill_id: str
    on: date
    """A day that has passed counts as the next day."""
    amount_cents: int
    """What it takes off the bill, positive; what exceeds the bill's open amount is not paid, what it leaves open stays an
    open bill."""
    label: str
    credits: tuple[tuple[str, int], ...] = ()
    """What of the amount is paid with vendor credits, by QuickBooks' id: the rest is cash."""
    drawn_from: str = ""
    """The reserve that it has drawn on already ..."""
    drawn_cents: int = 0
    """... and by how much: no longer in the reserve, and in the cash until the bill is paid."""

    @property
    def cash_cents(self) -> int:
        """What of it leaves the cash."""
        return self.amount_cents - sum(cents for _, cents in self.credits)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delay:
    """The decision to put a bill off: it is paid when its vendor usually is, and not before the day."""

    bill_id: str
    until: date


@dataclass(frozen=True, slots=True, kw_only=True)
class PurposeReserve:
    """Money of the cash accounts that is kept for a purpose or some vendors and given free as these are paid."""

    reserve_id: str
    held_cents: int
    """Positive: taken out of the opening balance ..."""
    purposes: frozenset[FlowKind]
    """... and given back, as far as it goes, against the payments of these kinds ..."""
    label: str
    vendor_ids: frozenset[str] = frozenset()
    """... and the bills of these vendors, decided or not. Nothing of either: never within the horizon."""

    def __post_init__(self) -> None:
        if self.held_cents < 0:
            raise ValueError(f"reserve {self.reserve_id}: held_cents is negative")
        if not self.purposes <= set(DISBURSEMENT_KINDS):
            raise ValueError(f"reserve {self.reserve_id}: a purpose is a kind of payment")
        if self.purposes & BILL_KINDS:
            raise ValueError(f"reserve {self.reserve_id}: bills are named by their vendors")

    @property
    def claims(self) -> tuple[FlowKind | str, ...]:
        """What gives it free, in the order in which it is: kinds of payments, then vendors by id."""
        return (*sorted(self.purposes, key=KIND_NUMBER.__getitem__), *sorted(self.vendor_ids))


def with_draws(
    reserves: Iterable[PurposeReserve], *, holds: Iterable[Hold], vendors: Mapping[str, str]
) -> tuple[PurposeReserve, ...]:
    """The reserves with what decided payments have drawn, for it is kept until they are made.

    A draw for one of the reserve's own vendors is back in the reserve; another one is kept by itself, for its vendor.
    So a decision for the day that was expected changes no balance. `vendors` names the vendor of each hold that the
    forecast pays; what the others have drawn is no longer kept.
    """
    found = {one.reserve_id: one for one in reserves}
    for hold in sorted(holds, key=lambda one: one.hold_id):
        vendor = vendors.get(hold.hold_id)
        if vendor is None or not hold.drawn_cents:
            continue
        own = found.get(hold.drawn_from)
        if own is not None and vendor in own.vendor_ids:
            found[hold.drawn_from] = replace(own, held_cents=own.held_cents + hold.drawn_cents)
            continue
        reserve_id = f"{hold.drawn_from}:{hold.hold_id}"
        found[reserve_id] = PurposeReserve(
            reserve_id=reserve_id,
            held_cents=hold.drawn_cents,
            purposes=frozenset(),
            label=own.label if own else hold.label,
            vendor_ids=frozenset({vendor}),
        )
    return tuple(found.values())


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
