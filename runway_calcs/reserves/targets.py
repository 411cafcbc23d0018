"""Reserves: what each is to hold, what is free of it, and how it fills up until its day without touching the floor.

Belongs here: targets, state and funding plan as pure arithmetic, and free cash. Does not: who may set money aside or release
it, and the record of it (the payment ledger); money that is spoken for in a forecast (``forecast/earmarks.py``).

    target      an amount; a share of the receipts expected before its day, as far as the outlook goes, and of those that came
                since it was recorded; or months of gross burn
    available   current - held: what is set aside less what decided payments draw on
    shortfall   target - current, not below 0
    free cash   cash - floor - reserves - holds; where the floor is the next payroll, a payroll reserve counts towards the floor,
                not on top: the two are the same money

A plan puts equal parts aside every week until the day before its own (a share of the receipts: at each receipt), and asks again for
what did not fit. A day beyond the outlook spreads the parts beyond it too: then the plan shows those within. It runs
over a cautious path of balances and never lowers what is free below the floor on any later day while the money is set aside. Where
the path already pays for the purpose, the reserve is given free from its day on; else it stays aside to the end.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from runway_calcs.cents import divide_half_up
from runway_calcs.policy import ReservePolicy

Cents = npt.NDArray[np.int64]

_BASIS_POINTS = 10_000
_HUNDREDTHS = 100
_THOUSANDTHS = 1_000


class ReserveKind(StrEnum):
    """What a reserve is for, in the order in which reserves that are due on the same day are filled."""

    PAYROLL = "payroll"
    TAX = "tax"
    DEBT = "debt"
    EMERGENCY = "emergency"
    SEASONAL = "seasonal"
    EQUIPMENT = "equipment"
    CUSTOM = "custom"


class TargetRule(StrEnum):
    """How a target becomes an amount."""

    AMOUNT = "amount"
    SHARE_OF_RECEIPTS = "share_of_receipts"
    MONTHS_OF_BURN = "months_of_burn"


class ReserveState(StrEnum):
    """How a reserve stands with its target."""

    FUNDED = "funded"
    """It holds its target."""
    ON_TRACK = "on track"
    """The plan reaches the target by its day."""
    SHORT = "short"
    """The plan does not reach it: see the reason."""
    NOT_COMPUTABLE = "not computable"
    """The target depends on a figure that is not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReserveTarget:
    """What a reserve is to hold, and until when."""

    reserve_id: str
    kind: ReserveKind
    name: str
    rule: TargetRule
    value: int
    """By the rule: cents; basis points (hundredths of a percent) of the receipts; hundredths of a month of burn."""
    due_on: date | None
    """None: no day; it is filled until the end of the path."""
    received_cents: int = 0
    """Receipts before its day that came since the target was recorded: what is set aside already is a share of them too."""

    def __post_init__(self) -> None:
        if self.value <= 0:
            raise ValueError(f"reserve {self.reserve_id}: a target lies above zero")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReserveBalance:
    """What is in a reserve."""

    current_cents: int
    """Set aside and not released."""
    held_cents: int
    """Of it, drawn on by decided payments that have not gone out."""

    def __post_init__(self) -> None:
        if not 0 <= self.held_cents <= self.current_cents:
            raise ValueError("a reserve holds at least what is drawn on it, and neither is negative")

    @property
    def available_cents(self) -> int:
        """Current less held."""
        return self.current_cents - self.held_cents


EMPTY = ReserveBalance(current_cents=0, held_cents=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class CashOutlook:
    """The cautious path that reserves are filled from."""

    as_of: date
    floor_cents: int
    is_floor_next_payroll: bool
    """Then a payroll reserve and the floor are the same money."""
    balance_cents: tuple[int, ...]
    """Cash at the end of each of the next days, reserves included: the first is the day after the as-of day."""
    receipt_cents: tuple[int, ...] | None
    """Receipts of the same days, positive; None when they are not known."""
    gross_burn_cents_per_day: int | None
    """None when there is no burn rate."""

    def __post_init__(self) -> None:
        if self.receipt_cents is not None and len(self.receipt_cents) != len(self.balance_cents):
            raise ValueError("balances and receipts have to be of the same days")

    @property
    def last_day(self) -> date:
        """The last day of the path."""
        return self.as_of + timedelta(days=len(self.balance_cents))

    def place(self, day: date) -> int:
        """The position of a day on the path."""
        return (day - self.as_of).days - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Contribution:
    """Money set aside on a day."""

    day: date
    amount_cents: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReservePlan:
    """One reserve: how it stands, and how it fills up."""

    reserve_id: str
    kind: ReserveKind
    name: str
    due_on: date | None
    state: ReserveState
    target_cents: int | None
    """None when not computable."""
    current_cents: int
    held_cents: int
    available_cents: int
    """Current less held."""
    utilisation_thousandths: int | None
    """Held over current; None for an empty reserve."""
    shortfall_cents: int | None
    """Target less current, not below 0; None when not computable."""
    contributions: tuple[Contribution, ...]
    """By day; each positive."""
    planned_cents: int
    """Sum of the contributions."""
    short_cents: int | None
    """What is still missing after them, and after the parts that fall beyond the outlook; None when not computable."""
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FundingPlan:
    """All reserves of a tenant, filled together from one path."""

    as_of: date
    floor_cents: int
    plans: tuple[ReservePlan, ...]
    """In the order in which they are filled: by day, kind and id."""


def free_cash_cents(
    *,
    cash_cents: int,
    floor_cents: int,
    is_floor_next_payroll: bool,
    payroll_reserve_cents: int,
    other_reserves_cents: int,
    holds_cents: int,
) -> int:
    """What nothing is kept for: negative when more is spoken for than there is."""
    kept = _kept_for_payroll(floor_cents, payroll_reserve_cents, is_floor_next_payroll=is_floor_next_payroll)
    return cash_cents - kept - other_reserves_cents - holds_cents


def _kept_for_payroll(floor_cents: int, payroll_cents: int, *, is_floor_next_payroll: bool) -> int:
    return max(floor_cents, payroll_cents) if is_floor_next_payroll else floor_cents + payroll_cents


def target_cents(target: ReserveTarget, *, outlook: CashOutlook, policy: ReservePolicy) -> int | None:
    """The target as an amount; None when what it depends on is not known. Halves of a cent are rounded up."""
    if target.rule is TargetRule.AMOUNT:
        return target.value
    if target.rule is TargetRule.MONTHS_OF_BURN:
        if outlook.gross_burn_cents_per_day is None:
            return None
        return divide_half_up(outlook.gross_burn_cents_per_day * policy.month_days * target.value, _HUNDREDTHS)
    if outlook.receipt_cents is None:
        return None
    until = len(outlook.receipt_cents) if target.due_on is None else max(0, outlook.place(target.due_on))
    base = target.received_cents + sum(outlook.receipt_cents[:until])
    # A share of nothing is no target that is held.
    return divide_half_up(base * target.value, _BASIS_POINTS) if base else None


def funding_plan(
    targets: Sequence[ReserveTarget],
    *,
    balances: Mapping[str, ReserveBalance],
    paid_within_path: frozenset[str],
    outlook: CashOutlook,
    policy: ReservePolicy,
) -> FundingPlan:
    """Fill the reserves from the path's free cash, the earlier due first, and say what is missing where it does not reach.

    Args:
        targets: the reserves; ids are unique.
        balances: what is in each now, by id; one that is missing is empty.
        paid_within_path: ids of reserves whose purpose the path of balances pays for on its day.
        outlook: the cautious path, its floor, receipts and burn.
        policy: rhythm of the contributions.
    """
    ordered = sorted(targets, key=lambda one: _turn(one, outlook=outlook))
    if len({one.reserve_id for one in ordered}) != len(ordered):
        raise ValueError("two reserves have the same id")
    path = _Path(outlook)
    amounts = {one.reserve_id: target_cents(one, outlook=outlook, policy=policy) for one in ordered}
    spans = {one.reserve_id: _span(one, outlook=outlook, is_paid=one.reserve_id in paid_within_path) for one in ordered}
    for one in ordered:
        # What decided payments draw leaves the path with them.
        kept = balances.get(one.reserve_id, EMPTY).available_cents
        path.set_aside(kept, kind=one.kind, first=0, last=spans[one.reserve_id])
    asked = {one.reserve_id: _contribution_days(one, outlook=outlook, policy=policy) for one in ordered}
    given: dict[str, list[Contribution]] = {one.reserve_id: [] for one in ordered}
    for day in sorted({day for days in asked.values() for day in days if day <= outlook.last_day}):
        for one in ordered:
            goal = amounts[one.reserve_id]
            if day in asked[one.reserve_id] and goal is not None:
                have = balances.get(one.reserve_id, EMPTY).current_cents + sum(
                    c.amount_cents for c in given[one.reserve_id]
                )
                wanted = _asked_on(day, one, missing=goal - have, days=asked[one.reserve_id], outlook=outlook)
                place = outlook.place(day)
                cents = path.fit(wanted, kind=one.kind, first=place, last=spans[one.reserve_id])
                if cents:
                    path.set_aside(cents, kind=one.kind, first=place, last=spans[one.reserve_id])
                    given[one.reserve_id].append(Contribution(day=day, amount_cents=cents))
    plans = tuple(
        _plan(
            one,
            goal=amounts[one.reserve_id],
            balance=balances.get(one.reserve_id, EMPTY),
            given=tuple(given[one.reserve_id]),
            days=asked[one.reserve_id],
            outlook=outlook,
        )
        for one in ordered
    )
    return FundingPlan(as_of=outlook.as_of, floor_cents=outlook.floor_cents, plans=plans)


class _Path:
    """The path of balances and what is set aside of it, payroll apart from the rest."""

    def __init__(self, outlook: CashOutlook) -> None:
        self._balance: Cents = np.array(outlook.balance_cents, dtype=np.int64)
        self._floor = outlook.floor_cents
        self._is_once = outlook.is_floor_next_payroll
        self._payroll: Cents = np.zeros_like(self._balance)
        self._others: Cents = np.zeros_like(self._balance)

    def set_aside(self, cents: int, *, kind: ReserveKind, first: int, last: int) -> None:
        """Take an amount from what is free on the days from `first` up to `last`, that one left out."""
        (self._payroll if kind is ReserveKind.PAYROLL else self._others)[first:last] += cents

    def fit(self, cents: int, *, kind: ReserveKind, first: int, last: int) -> int:
        """How much of an amount can be set aside on those days with the floor kept on each of them."""
        if first >= last or cents <= 0:
            return 0
        days = slice(first, last)
        left = self._balance[days] - self._others[days]
        kept = np.maximum(self._payroll[days], self._floor) if self._is_once else self._payroll[days] + self._floor
        room = left - kept
        if kind is ReserveKind.PAYROLL and self._is_once:
            # Within the floor a payroll reserve takes nothing more, as long as the floor itself is there.
            room = np.where(room < 0, room, left - self._payroll[days])
        return max(0, min(cents, int(room.min())))


def _turn(target: ReserveTarget, *, outlook: CashOutlook) -> tuple[date, int, str]:
    return (target.due_on or outlook.last_day, list(ReserveKind).index(target.kind), target.reserve_id)


def _span(target: ReserveTarget, *, outlook: CashOutlook, is_paid: bool) -> int:
    """Position of the day from which the reserve no longer takes from the path."""
    if target.due_on is None or not is_paid:
        return len(outlook.balance_cents)
    return min(len(outlook.balance_cents), max(0, outlook.place(target.due_on)))


def _contribution_days(target: ReserveTarget, *, outlook: CashOutlook, policy: ReservePolicy) -> tuple[date, ...]:
    """The days before its own on which a reserve asks, beyond the outlook too: one a week, or each day with receipts.

    A share of receipts that are all there already asks every week, as an amount does.
    """
    end = outlook.last_day if target.due_on is None else target.due_on - timedelta(days=1)
    if target.rule is TargetRule.SHARE_OF_RECEIPTS and outlook.receipt_cents is not None:
        received_on = (
            outlook.as_of + timedelta(days=place + 1) for place, cents in enumerate(outlook.receipt_cents) if cents > 0
        )
        if days := tuple(day for day in received_on if day <= end):
            return days
    first = outlook.as_of + timedelta(days=1)
    count = max(0, (end - outlook.as_of).days + policy.days_between - 1) // policy.days_between
    return tuple(first + timedelta(days=policy.days_between * step) for step in range(count))


def _asked_on(day: date, target: ReserveTarget, *, missing: int, days: Sequence[date], outlook: CashOutlook) -> int:
    """What a reserve asks for on a day: an equal part of what is missing, rounded up; of receipts, their share and arrears."""
    if missing <= 0:
        return 0
    if target.rule is TargetRule.SHARE_OF_RECEIPTS and outlook.receipt_cents is not None:
        due = sum(outlook.receipt_cents[: outlook.place(day) + 1])
        goal = sum(outlook.receipt_cents[: outlook.place(days[-1]) + 1])
        still_to_earn = divide_half_up((goal - due) * target.value, _BASIS_POINTS)
        return max(0, missing - still_to_earn)
    left = len(days) - days.index(day)
    return -(-missing // left)


def _plan(
    target: ReserveTarget,
    *,
    goal: int | None,
    balance: ReserveBalance,
    given: tuple[Contribution, ...],
    days: Sequence[date],
    outlook: CashOutlook,
) -> ReservePlan:
    planned = sum(one.amount_cents for one in given)
    later = sum(day > outlook.last_day for day in days)
    part = 0 if goal is None or not days else -(-max(0, goal - balance.current_cents) // len(days))
    short = None if goal is None else max(0, goal - balance.current_cents - planned - part * later)
    if goal is None:
        state = ReserveState.NOT_COMPUTABLE
    elif balance.current_cents >= goal:
        state = ReserveState.FUNDED
    else:
        state = ReserveState.SHORT if short else ReserveState.ON_TRACK
    return ReservePlan(
        reserve_id=target.reserve_id,
        kind=target.kind,
        name=target.name,
        due_on=target.due_on,
        state=state,
        target_cents=goal,
        current_cents=balance.current_cents,
        held_cents=balance.held_cents,
        available_cents=balance.available_cents,
        utilisation_thousandths=divide_half_up(balance.held_cents * _THOUSANDTHS, balance.current_cents)
        if balance.current_cents
        else None,
        shortfall_cents=None if goal is None else max(0, goal - balance.current_cents),
        contributions=given,
        planned_cents=planned,
        short_cents=short,
        reason=_reason(target, state=state, given=given, short=short or 0, outlook=outlook),
    )


def _reason(
    target: ReserveTarget, *, state: ReserveState, given: Sequence[Contribution], short: int, outlook: CashOutlook
) -> str:
    until = f"by {target.due_on}" if target.due_on else f"by {outlook.last_day}, the end of the outlook"
    match state:
        case ReserveState.FUNDED:
            return "it holds its target"
        case ReserveState.NOT_COMPUTABLE:
            return "no burn rate" if target.rule is TargetRule.MONTHS_OF_BURN else "no expected receipts"
        case ReserveState.ON_TRACK:
            return f"{len(given)} contributions reach the target {until}"
        case ReserveState.SHORT:
            if target.due_on is not None and target.due_on <= outlook.as_of + timedelta(days=1):
                return f"short by {short} cents {until}: no day is left to set anything aside"
            return f"short by {short} cents {until}: more would leave less than the floor of {outlook.floor_cents} cents free"
