"""Better plans by choosing anew for some bills at a time, while the others stay as they are.

Belongs here: which bills together, what the others leave them. Does not: the program over them (``core.py``).

Where cash comes in on every business day, thousands of options are as good as each other to the relaxation, and no search over
all of them ends in time. Two dozen bills that are paid about the same time are a small program, proven in a tenth of a second:
large neighbourhood search (Shaw, *Using constraint programming and local search methods to solve vehicle routing problems*,
CP 1998).
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from runway_calcs.pay_plan.cash import Cents
from runway_calcs.pay_plan.core import Core, with_splits
from runway_calcs.pay_plan.highs import Effort, Flags, Limits
from runway_calcs.pay_plan.options import Problem, unbeaten
from runway_calcs.pay_plan.search import Parts, cash_of, cost_of

_TOGETHER = 24
"""So many bills are chosen for at once; the next ones overlap with half of them."""
_PASSES = 3
"""At most so often over all bills, as long as it pays."""
_WORTH_PPM = 1_000
"""Another pass is made when the last one lowered the cost by this share."""
_PPM = 1_000_000
_LIMITS = (0.001, 30)
"""Gap and nodes of each program."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Improved:
    """The plan after all passes."""

    parts: Parts
    is_cut_short: bool
    """Some program was, by the clock."""


def improved(problem: Problem, parts: Parts, *, options: Flags, seconds: float) -> Improved:
    """A plan at most as dear as `parts`, changed within `options` (one flag an option); a program has so many seconds."""
    gap, nodes = _LIMITS
    limits = Limits(gap=gap, nodes=nodes, seconds=seconds)
    is_cut_short = False
    for _ in range(_PASSES):
        before = cost = cost_of(problem, parts)
        for place in range(0, len(problem.bills), _TOGETHER // 2):
            free = np.zeros(len(problem.bills), dtype=np.bool_)
            free[_by_payment(problem, parts)[place : place + _TOGETHER]] = True
            found, was_cut_short = _chosen_anew(problem, parts, free=free, options=options, limits=limits)
            is_cut_short = is_cut_short or was_cut_short
            if found is not None and cost_of(problem, found) < cost:
                parts, cost = found, cost_of(problem, found)
        if (before - cost) * _PPM <= _WORTH_PPM * before:
            break
    return Improved(parts=parts, is_cut_short=is_cut_short)


def _by_payment(problem: Problem, parts: Parts) -> Cents:
    """The bills, by the row of their first payment."""
    row = np.full(len(problem.bills), len(problem.capacity), dtype=np.int64)
    taken = np.array(sorted(parts), dtype=np.int64)
    np.minimum.at(row, problem.bill[taken], problem.row[taken])
    return np.argsort(row, kind="stable").astype(np.int64)


def _chosen_anew(
    problem: Problem, parts: Parts, *, free: Flags, options: Flags, limits: Limits
) -> tuple[Parts | None, bool]:
    """The plan with other ways for the free bills, if there is one; whether the clock cut the search short."""
    kept = {option: face for option, face in parts.items() if not free[problem.bill[option]]}
    left = problem.capacity - cash_of(problem, kept)
    wanted = options.copy()
    wanted[list(parts)] = True
    part, of_option = _part(problem, np.flatnonzero(free[problem.bill] & wanted), left=left, free=free)
    place = {int(option): position for position, option in enumerate(of_option)}
    start = {place[option]: face for option, face in parts.items() if option in place}
    is_whole = len(start) == len(parts) - len(kept)  # a way that is not better than another is left out
    found = Core(part, np.arange(len(of_option), dtype=np.int64)).solve(
        effort=Effort.BRANCHES, limits=limits, start=start if is_whole else None
    )
    if found.taken is None:
        return None, found.is_cut_short
    chosen = with_splits(part, found.taken)
    if (cash_of(part, chosen) > part.capacity).any():
        return None, found.is_cut_short
    return kept | {int(of_option[option]): face for option, face in chosen.items()}, found.is_cut_short


def _part(problem: Problem, options: Cents, *, left: Cents, free: Flags) -> tuple[Problem, Cents]:
    """The problem of the free bills under what is left of the capacity, and the option that each of its options is.

    Payments up to a row count in all later ones, so a row has no more room than the least after it; rows alike are one.
    """
    rows, numbers = len(problem.capacity), np.flatnonzero(free)
    room = np.minimum.accumulate(left[::-1])[::-1]
    most = np.zeros(len(problem.bills), dtype=np.int64)
    np.maximum.at(most, problem.bill[options], np.where(problem.row[options] < rows, problem.cents[options], 0))
    binding = np.flatnonzero(np.append(np.diff(room) > 0, np.array([True])))
    binding = binding[room[binding] < most.sum()]
    row = np.where(problem.row[options] < rows, np.searchsorted(binding, problem.row[options]), len(binding))
    bounds = np.searchsorted(problem.bill[options], np.append(numbers, numbers[-1] + 1))
    ways = (
        row.tolist(),
        problem.cost[options].tolist(),
        np.where(row < len(binding), problem.cents[options], 0).tolist(),
    )
    kept = [
        int(start) + position
        for start, end in pairwise(bounds)
        for position in unbeaten(row=ways[0][start:end], cost=ways[1][start:end], cents=ways[2][start:end])
    ]
    own = options[kept]
    bill = np.searchsorted(numbers, problem.bill[own])
    part = Problem(
        bills=tuple(problem.bills[number] for number in numbers),
        bill=bill,
        way=problem.way[own],
        row=row[kept],
        cents=problem.cents[own],
        cost=problem.cost[own],
        flat=problem.flat[own],
        has_discount=problem.has_discount[own],
        first=np.searchsorted(bill, np.arange(len(numbers) + 1)),
        may_split=problem.may_split[numbers],
        capacity=room[binding],
        row_day=problem.row_day[binding],
    )
    return part, own
