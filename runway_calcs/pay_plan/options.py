"""The ways to pay each bill, shrunk to those that can be part of a best plan.

Belongs here: allowed days, their cost and cash, dominated ways, the rows of the cash constraint. Does not: choosing.

Shrinking loses nothing: the room is made non-decreasing, so that only days before it grows constrain; days between two of
them are alike for the cash; and of two ways to pay one bill, the one that is no later, no cheaper and takes no less cash
is in no better plan.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from runway_calcs.bills.payables import PayableBill
from runway_calcs.bills.payment_days import business_days, first_payable_on, next_pay_run, pay_run_days
from runway_calcs.bills.waiting_cost import MICRO, cash_paid_cents, flat_fee_cents, waiting_cost
from runway_calcs.pay_plan.cash import CashPath, Cents, Payment
from runway_calcs.policy import PaymentDayPolicy, WaitingPolicy

Flags = npt.NDArray[np.bool_]


class Way(NamedTuple):
    """One day to pay one bill."""

    paid_on: date
    day: int
    """Days after the first day of the window; the length of the window for a payment after it."""
    cents: int
    """What it takes of the plan's cash within the window: 0 for a payment after it."""
    cost: int
    """Micro-cents against paying at once, the flat fee included."""
    flat_cost: int
    """The flat late fee in it."""
    has_discount: bool
    reserve_cents: int = 0
    """What it takes beside that, of money kept for the vendor."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BillWays:
    """A bill and its ways, by day."""

    bill: PayableBill
    ways: tuple[Way, ...]
    cannot_wait: bool
    """Its deadline lies within the window, or has passed: it is paid whatever the cash."""

    @property
    def cheapest(self) -> Way:
        """The way it would be paid with plenty of cash."""
        return min(self.ways, key=lambda way: (way.cost, way.day))

    def unavoidable(self) -> tuple[Payment, ...]:
        """The latest payment in full and, before it, the latest one with the discount."""
        last = self.ways[-1]
        with_discount = [way for way in self.ways if way.has_discount]
        found = [last, *([with_discount[-1]] if with_discount and not last.has_discount else [])]
        return tuple(Payment(day=way.day, cents=way.cents) for way in found)


def ways_to_pay(
    bill: PayableBill, *, as_of: date, path: CashPath, waiting: WaitingPolicy, days: PaymentDayPolicy
) -> BillWays:
    """Every allowed day of a bill, none before its assumed approval or the day until which a person put it off.

    A bill with a deadline in the window is paid on a pay-run day by then; if there is none, on the last business day by
    then (an extra payment), and if it is too late for that, on the first business day. Every other bill may also stay
    unpaid in the window: it then costs what it costs on the next payment day after it.
    """
    earliest = max(path.first_on, first_payable_on(bill, as_of=as_of, policy=days))
    runs = pay_run_days(first=earliest, last=path.last_on, policy=days)
    has_deadline = bill.deadline is not None and bill.deadline <= path.last_on
    if has_deadline:
        runs = _by_deadline(bill, earliest=earliest, runs=runs, path=path, days=days)
    found = [_way(bill, paid_on=day, as_of=as_of, path=path, policy=waiting) for day in runs]
    if not has_deadline or not found:
        after = next_pay_run(first=max(earliest, path.last_on + timedelta(days=1)), policy=days)
        if bill.deadline is not None and bill.deadline > path.last_on:
            after = min(after, bill.deadline)
        way = _way(bill, paid_on=after, as_of=as_of, path=path, policy=waiting)
        found.append(way._replace(day=path.days, cents=0))
    return BillWays(bill=bill, ways=tuple(found), cannot_wait=has_deadline and found[-1].day < path.days)


def _by_deadline(
    bill: PayableBill, *, earliest: date, runs: Sequence[date], path: CashPath, days: PaymentDayPolicy
) -> tuple[date, ...]:
    assert bill.deadline is not None
    in_time = tuple(day for day in runs if day <= bill.deadline)
    if in_time:
        return in_time
    before = business_days(first=earliest, last=bill.deadline, policy=days)
    return before[-1:] or business_days(first=earliest, last=path.last_on, policy=days)[:1]


def _way(bill: PayableBill, *, paid_on: date, as_of: date, path: CashPath, policy: WaitingPolicy) -> Way:
    return Way(
        paid_on=paid_on,
        day=(paid_on - path.first_on).days,
        cents=cash_paid_cents(bill, paid_on=paid_on),
        cost=waiting_cost(bill, as_of=as_of, paid_on=paid_on, policy=policy).total,
        flat_cost=flat_fee_cents(bill, as_of=as_of, paid_on=paid_on, policy=policy) * MICRO,
        has_discount=bill.discount is not None and paid_on <= bill.discount.last_on,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Choose a way for each bill: payments up to each row stay within its capacity, at the least cost.

    All arrays are int64. `bill`, `row`, `cents`, `cost`, `flat` and `way` have one entry for each option; `first` has
    one for each bill and one more (its options are first[i] : first[i + 1]); `may_split` has one for each bill.
    """

    bills: tuple[BillWays, ...]
    bill: Cents
    way: Cents
    """Position among the bill's ways."""
    row: Cents
    """First row whose capacity the payment uses; the number of rows if it uses none."""
    cents: Cents
    cost: Cents
    """Micro-cents above the bill's cheapest way, the flat fee included."""
    flat: Cents
    has_discount: Flags
    first: Cents
    may_split: Flags
    capacity: Cents
    """For each row, not decreasing."""
    row_day: Cents
    """For each row, its last day."""

    @property
    def is_part(self) -> Flags:
        """For each option, whether it may settle a part of its bill: a discount needs the whole."""
        return self.may_split[self.bill] & ~self.has_discount

    def open_cents(self, option: int) -> int:
        """What is open of the option's bill."""
        return self.bills[int(self.bill[option])].bill.open_cents

    def used_by(self, options: Cents) -> Cents:
        """What each of these options, taken in whole, uses of each row: one line an option."""
        reaches = self.row[options][:, None] <= np.arange(len(self.capacity))[None, :]
        return np.where(reaches, self.cents[options][:, None], 0)


def problem_of(bills: Sequence[BillWays], *, capacity_cents: Cents) -> Problem:
    """The shrunk problem: rows that can bind, ways that can be best."""
    days = len(capacity_cents)
    grows = np.flatnonzero(np.append(np.diff(capacity_cents) > 0, np.array([True])))
    grows = grows[capacity_cents[grows] < _most_paid(bills, days=days)[grows]]
    kept: list[tuple[int, int, int, Way]] = []
    first = [0]
    for number, one in enumerate(bills):
        # What a reserve pays in whole uses no row, whatever its day.
        rows = [int(np.searchsorted(grows, way.day)) if way.cents else len(grows) for way in one.ways]
        kept += [
            (number, position, rows[position], one.ways[position])
            for position in _best_ways(one, rows=rows, row_count=len(grows))
        ]
        first.append(len(kept))
    floor = [min(option[3].cost for option in kept[start:end]) for start, end in pairwise(first)]
    return Problem(
        bills=tuple(bills),
        bill=_whole([number for number, _, _, _ in kept]),
        way=_whole([position for _, position, _, _ in kept]),
        row=_whole([row for _, _, row, _ in kept]),
        cents=_whole([way.cents for _, _, _, way in kept]),
        cost=_whole([way.cost - floor[number] for number, _, _, way in kept]),
        flat=_whole([way.flat_cost for _, _, _, way in kept]),
        has_discount=np.array([way.has_discount for _, _, _, way in kept], dtype=np.bool_),
        first=_whole(first),
        may_split=np.array([one.bill.may_part_pay for one in bills], dtype=np.bool_),
        capacity=capacity_cents[grows],
        row_day=grows.astype(np.int64),
    )


def _most_paid(bills: Sequence[BillWays], *, days: int) -> Cents:
    """The most that can have been paid by the end of each day."""
    most = np.zeros(days, dtype=np.int64)
    for one in bills:
        reached = 0
        for way in one.ways:
            if way.day < days and way.cents > reached:
                most[way.day] += way.cents - reached
                reached = way.cents
    return np.cumsum(most)


def _best_ways(one: BillWays, *, rows: Sequence[int], row_count: int) -> list[int]:
    """Positions of the ways that no other way of the bill beats in cost, cash and row at once."""
    # Cash paid after the last row that can bind is no longer scarce.
    cents = [way.cents if row < row_count else 0 for way, row in zip(one.ways, rows, strict=True)]
    return unbeaten(row=rows, cost=[way.cost for way in one.ways], cents=cents)


def unbeaten(*, row: Sequence[int], cost: Sequence[int], cents: Sequence[int]) -> list[int]:
    """Positions of one bill's options that no other is as good as in cost, cash and row at once, in their order."""
    kept: list[int] = []
    for position in sorted(range(len(row)), key=lambda at: (-row[at], cost[at], cents[at], at)):
        is_beaten = any(cost[other] <= cost[position] and cents[other] <= cents[position] for other in kept)
        if not is_beaten:
            kept.append(position)
    return sorted(kept)


def _whole(values: Sequence[int]) -> Cents:
    return np.array(values, dtype=np.int64)
