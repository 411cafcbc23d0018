"""The first projected runway: dated items on the books and recurring outflows, day by day for 13 weeks.

Belongs here: dated flows into balances, weeks, low point and runway, and the floor they are held against.
Does not: finding the flows (``runway_calcs/dated_flows.py``); a statistical forecast of new business; bands; scenarios.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from itertools import accumulate

from runway_calcs.as_of import Basis
from runway_calcs.cash import CashPosition, CashState
from runway_calcs.dated_flows import (
    DISBURSEMENT_KINDS,
    RECEIPT_KINDS,
    DatedFlows,
    FlowKind,
    ProjectedFlow,
)
from runway_calcs.policy import ProjectionPolicy

BASIS_TEXT = (
    "Counts what is on the books (open bills and invoices, entries dated later, card balances, undeposited funds) "
    "and outflows that recur. No new sales and no other new costs are assumed."
)


class RunwayState(StrEnum):
    """How the runway question is answered."""

    NO_DATA = "no data"
    NOT_COMPUTABLE = "not computable"
    ALREADY_BELOW = "already below"
    """Today's cash is under the floor."""
    BURNING = "burning"
    """The balance falls below the floor within the horizon."""
    BEYOND_HORIZON = "beyond horizon"
    """The balance stays at or above the floor on every day of the horizon."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectedDay:
    """Balance at the end of a day."""

    day: date
    balance_cents: int


@dataclass(frozen=True, slots=True, kw_only=True)
class KindTotal:
    """Sum of one kind of flow within a week, positive for both directions."""

    kind: FlowKind
    amount_cents: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectedWeek:
    """One column of the 13-week table. Opening + net = closing; closing = next opening."""

    number: int
    """1 to 13; week 1 starts on the day after the as-of day."""
    first_day: date
    last_day: date
    opening_cents: int
    receipts_cents: int
    disbursements_cents: int
    """Positive."""
    net_cents: int
    closing_cents: int
    low_cents: int
    """Lowest end-of-day balance within the week."""
    receipts: tuple[KindTotal, ...]
    """Split of the receipts, in the order of `RECEIPT_KINDS`, every kind present."""
    disbursements: tuple[KindTotal, ...]
    """Split of the disbursements, in the order of `DISBURSEMENT_KINDS`, every kind present."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CashRunway:
    """How long the cash lasts, as far as the books and the recurring outflows tell.

    This first version counts only items that are on the books (open bills and invoices, post-dated entries, card
    balances, undeposited funds) and recurring outflows. It assumes no new sales and no new, non-recurring costs, so
    it is not a forecast of the business. `basis_text` says the same to the reader.
    """

    as_of: date
    basis: Basis
    state: RunwayState
    reason: str
    """Why there is no runway; empty when there is one."""
    cash_cents: int | None
    floor_cents: int | None
    floor_reason: str
    covered_until: date | None
    """First day on which the balance is below the floor: every day before it is covered. None unless BURNING."""
    days: int | None
    """Days from the as-of day to `covered_until`; 0 when ALREADY_BELOW; None otherwise."""
    horizon_end: date
    low_cents: int | None
    """Low-water mark: lowest end-of-day balance of the horizon ..."""
    low_on: date | None
    """... and the first day on which it occurs."""
    weeks: tuple[ProjectedWeek, ...]
    daily: tuple[ProjectedDay, ...]
    """End-of-day balances of the 91 days after the as-of day."""
    flows: tuple[ProjectedFlow, ...]
    """Everything inside the horizon, by day, kind and label."""
    later_receipts_cents: int
    """Known but dated after the horizon."""
    later_disbursements_cents: int
    """Known but dated after the horizon, positive."""
    unused_vendor_credit_cents: int
    """Vendor credits that exceed the vendor's open bills: no refund is assumed. Positive."""
    unused_customer_credit_cents: int
    """Customer credits that exceed the customer's open invoices. Positive."""
    basis_text: str


def cash_runway(*, position: CashPosition, flows: DatedFlows, policy: ProjectionPolicy) -> CashRunway:
    """The projected balances of the horizon and the first day on which they fall below the floor.

    More cash never shortens the runway and an additional outflow never lengthens it: the floor depends on neither.
    """
    horizon_end = policy.horizon_end(position.as_of)
    inside = tuple(flow for flow in flows.flows if flow.day <= horizon_end)
    later = [flow.amount_cents for flow in flows.flows if flow.day > horizon_end]
    floor_cents, floor_reason = _floor(flows, policy=policy)
    daily = _daily(position, flows=inside, horizon_end=horizon_end)
    low = min(daily, key=lambda day: day.balance_cents, default=None)
    state, covered_until = _state(position, daily=daily, floor_cents=floor_cents)
    days = {RunwayState.ALREADY_BELOW: 0}.get(state)
    return CashRunway(
        as_of=position.as_of,
        basis=position.basis,
        state=state,
        reason=position.reason,
        cash_cents=position.cash_cents,
        floor_cents=floor_cents,
        floor_reason=floor_reason,
        covered_until=covered_until,
        days=(covered_until - position.as_of).days if covered_until else days,
        horizon_end=horizon_end,
        low_cents=low.balance_cents if low else None,
        low_on=low.day if low else None,
        weeks=_weeks(position, flows=inside, daily=daily, policy=policy),
        daily=daily,
        flows=inside,
        later_receipts_cents=sum(cents for cents in later if cents > 0),
        later_disbursements_cents=-sum(cents for cents in later if cents < 0),
        unused_vendor_credit_cents=flows.unused_vendor_credit_cents,
        unused_customer_credit_cents=flows.unused_customer_credit_cents,
        basis_text=BASIS_TEXT,
    )


def _floor(flows: DatedFlows, *, policy: ProjectionPolicy) -> tuple[int, str]:
    if policy.floor_cents is not None:
        return policy.floor_cents, "set for this tenant"
    if flows.next_payroll_on is not None:
        return flows.next_payroll_cents, f"the next payroll, expected {flows.next_payroll_on}"
    return 0, "zero: no recurring payroll is recognised and none is set"


def _state(
    position: CashPosition, *, daily: Sequence[ProjectedDay], floor_cents: int
) -> tuple[RunwayState, date | None]:
    """The state, and the first day below the floor when there is one ahead."""
    if position.state is CashState.NO_DATA:
        return RunwayState.NO_DATA, None
    if position.cash_cents is None:
        return RunwayState.NOT_COMPUTABLE, None
    if position.cash_cents < floor_cents:
        return RunwayState.ALREADY_BELOW, None
    below = next((day.day for day in daily if day.balance_cents < floor_cents), None)
    return (RunwayState.BURNING, below) if below else (RunwayState.BEYOND_HORIZON, None)


def _daily(position: CashPosition, *, flows: Sequence[ProjectedFlow], horizon_end: date) -> tuple[ProjectedDay, ...]:
    """End-of-day balances from the day after the as-of day; none without a cash figure."""
    if position.cash_cents is None:
        return ()
    net: dict[date, int] = {}
    for flow in flows:
        net[flow.day] = net.get(flow.day, 0) + flow.amount_cents
    days = [position.as_of + timedelta(days=number) for number in range(1, (horizon_end - position.as_of).days + 1)]
    balances = accumulate((net.get(day, 0) for day in days), initial=position.cash_cents)
    next(balances)
    return tuple(ProjectedDay(day=day, balance_cents=cents) for day, cents in zip(days, balances, strict=True))


def _weeks(
    position: CashPosition,
    *,
    flows: Sequence[ProjectedFlow],
    daily: Sequence[ProjectedDay],
    policy: ProjectionPolicy,
) -> tuple[ProjectedWeek, ...]:
    if position.cash_cents is None:
        return ()
    weeks = []
    opening = position.cash_cents
    for number in range(1, policy.horizon_weeks + 1):
        days = daily[7 * (number - 1) : 7 * number]
        week = [flow for flow in flows if days[0].day <= flow.day <= days[-1].day]
        receipts = _totals(week, kinds=RECEIPT_KINDS, sign=1)
        disbursements = _totals(week, kinds=DISBURSEMENT_KINDS, sign=-1)
        received = sum(total.amount_cents for total in receipts)
        paid = sum(total.amount_cents for total in disbursements)
        weeks.append(
            ProjectedWeek(
                number=number,
                first_day=days[0].day,
                last_day=days[-1].day,
                opening_cents=opening,
                receipts_cents=received,
                disbursements_cents=paid,
                net_cents=received - paid,
                closing_cents=opening + received - paid,
                low_cents=min(day.balance_cents for day in days),
                receipts=receipts,
                disbursements=disbursements,
            )
        )
        opening = weeks[-1].closing_cents
    return tuple(weeks)


def _totals(flows: Sequence[ProjectedFlow], *, kinds: Sequence[FlowKind], sign: int) -> tuple[KindTotal, ...]:
    return tuple(
        KindTotal(kind=kind, amount_cents=sign * sum(flow.amount_cents for flow in flows if flow.kind is kind))
        for kind in kinds
    )
