"""The cheapest choice of payment days under the cash constraint, with a proven bound.

Belongs here: linear relaxation, exact bound, which searches in which order. Does not: what the options mean, the program over
them (``core.py``), choosing anew for some bills at a time (``neighbourhoods.py``).

The bound is proven in whole numbers: any prices of cash that do not rise over time give one by Lagrangian duality, and
those of the linear relaxation give the best. An option whose reduced cost exceeds what the best plan so far lies above
the bound is in no better plan (parts of a bill apart); what remains, the core, goes to the solver.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from scipy.optimize import linprog

from runway_calcs.pay_plan.cash import Cents
from runway_calcs.pay_plan.core import (
    DOLLAR_CENTS,
    DOLLAR_MICRO,
    Core,
    Shares,
    least,
    matrix,
    right_side,
    with_splits,
)
from runway_calcs.pay_plan.highs import Effort, Limits
from runway_calcs.pay_plan.neighbourhoods import improved
from runway_calcs.pay_plan.options import Problem
from runway_calcs.pay_plan.search import Choice, Parts, cash_of, cost_of, pull_forward, whole_parts
from runway_calcs.policy import PlanPolicy

_PRICE_SCALE = 1 << 12
"""Prices of cash are whole multiples of this part of a micro-cent per cent."""
_PPM = 1_000_000
_NARROW = 900
"""Options in the narrow core that is searched first for a good plan, those of least reduced cost; the second core is
narrowed by what that plan proves."""
_MOST_NEAR = 600
"""So many options of least reduced cost are tried when a plan is improved by hand."""


class Stop(StrEnum):
    """Why the search ended."""

    PROVEN = "proven"
    """Within the gap asked for."""
    NODES = "node limit"
    SIZE = "size limit"
    """What could hold a better plan is too much to search to its end: the first node proved the bound."""
    TIME = "time limit"


@dataclass(frozen=True, slots=True, kw_only=True)
class Solution:
    """A plan within the capacity, and how good it is proven to be."""

    parts: Parts
    cost: int
    """Micro-cents above every bill's cheapest way."""
    bound: int
    """No plan costs less."""
    stop: Stop
    is_repeatable: bool
    """No part of the search was cut short by the clock: the same input gives the same plan."""


def solve(problem: Problem, *, start: Cents, policy: PlanPolicy) -> Solution:
    """The best plan found. `start` is one option for each bill that fits the capacity."""
    cheapest = _cheapest(problem)
    if (problem.used_by(cheapest).sum(axis=0) <= problem.capacity).all():
        return Solution(parts=whole_parts(problem, cheapest), cost=0, bound=0, stop=Stop.PROVEN, is_repeatable=True)
    best = _BestSoFar(problem, start=start, policy=policy)
    most = policy.most_entries // len(problem.capacity)
    if not best.is_close and most >= _NARROW:
        best.search_narrow_core()
    if not best.is_close and len(best.core()) > most:
        best.search_first_node()
        best.search_neighbourhoods()
    if not best.is_close and len(best.core()) <= most:
        best.search_core()
    return best.solution()


class _BestSoFar:
    """The best plan and the bound so far."""

    def __init__(self, problem: Problem, *, start: Cents, policy: PlanPolicy) -> None:
        self._problem, self._start, self._policy = problem, start, policy
        self._relaxed = _relaxation(problem)
        self._bound = max(0, self._relaxed.bound)
        self._best = self._in_cents(self._relaxed.taken)
        self._cost = cost_of(problem, self._best)
        self._stop, self._is_repeatable = Stop.PROVEN, True
        # A little less than asked for, so that rounding parts to cents does not lose the proof.
        self._limits = Limits(
            gap=policy.gap_ppm / _PPM * 0.95, nodes=policy.node_limit, seconds=policy.time_limit_seconds / 2
        )

    @property
    def is_close(self) -> bool:
        """Whether the plan is proven within the gap asked for."""
        return (self._cost - self._bound) * _PPM <= self._policy.gap_ppm * self._cost

    def core(self) -> Cents:
        """The options that a better plan can contain."""
        return self._nearer_than(self._distance)

    def search_narrow_core(self) -> None:
        """Some of them, for a good plan early."""
        narrow = int(np.sort(self._relaxed.reduced)[:_NARROW][-1])
        self._search(effort=Effort.FULL, distance=min(self._distance, narrow))

    def search_core(self) -> None:
        """All of them, to the end."""
        self._search(effort=Effort.FULL, distance=self._distance)

    def search_first_node(self) -> None:
        """All of them, for a bound and what plan there is at once."""
        self._search(effort=Effort.FIRST_NODE, distance=self._distance)
        self._stop = self._stop if self._stop is Stop.TIME else Stop.SIZE

    def search_neighbourhoods(self) -> None:
        """A better plan by choosing anew for some bills at a time."""
        if self.is_close:
            return
        options = np.zeros(len(self._problem.cost), dtype=np.bool_)
        options[self.core()] = True
        found = improved(self._problem, self._best, options=options, seconds=self._limits.seconds / 4)
        self._is_repeatable = self._is_repeatable and not found.is_cut_short
        self._best, self._cost = found.parts, cost_of(self._problem, found.parts)

    def solution(self) -> Solution:
        """What was found."""
        return Solution(
            parts=self._best,
            cost=self._cost,
            bound=min(self._bound, self._cost),
            stop=Stop.PROVEN if self.is_close else self._stop,
            is_repeatable=self._is_repeatable,
        )

    @property
    def _distance(self) -> int:
        """What the plan costs above the relaxation: an option of larger reduced cost is in no better one."""
        return self._cost - self._relaxed.bound

    def _search(self, *, effort: Effort, distance: int) -> None:
        options = np.union1d(self._nearer_than(distance), sorted(self._best))
        found = Core(self._problem, options).solve(effort=effort, limits=self._limits, start=self._best)
        self._stop = Stop.TIME if found.is_cut_short else Stop.PROVEN if found.is_proven else Stop.NODES
        self._is_repeatable = self._is_repeatable and not found.is_cut_short
        # A plan of other options costs at least the distance more than the relaxation.
        self._bound = max(self._bound, min(self._cost, found.bound, self._relaxed.bound + distance))
        if found.taken is not None:
            candidate = self._in_cents(found.taken)
            if cost_of(self._problem, candidate) < self._cost:
                self._best, self._cost = candidate, cost_of(self._problem, candidate)

    def _nearer_than(self, distance: int) -> Cents:
        # A part of a bill may be ever so small, so that its reduced cost excludes nothing.
        return np.flatnonzero((self._relaxed.reduced < distance) | self._problem.is_part)

    def _in_cents(self, taken: Shares) -> Parts:
        return _plan_near(self._problem, taken, reduced=self._relaxed.reduced, start=self._start)


def _cheapest(problem: Problem) -> Cents:
    """The cheapest option of each bill, the latest of equals."""
    return least(problem, problem.cost)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Relaxed:
    taken: Shares
    """Share of each option."""
    bound: int
    reduced: Cents
    """A plan with the option costs at least the bound and this."""


def _relaxation(problem: Problem) -> _Relaxed:
    """The linear relaxation and, from its prices of cash, the bound in whole micro-cents."""
    options, rows = len(problem.cost), len(problem.capacity)
    result = linprog(
        np.concatenate([problem.cost / DOLLAR_MICRO, np.zeros(rows)]),
        A_eq=matrix(problem, np.arange(options)),
        b_eq=right_side(problem),
        bounds=(0, None),
        method="highs-ds",
    )
    if result.status != 0:
        raise RuntimeError(f"the linear relaxation of a pay plan was not solved: {result.message}")
    prices = -result.eqlin.marginals[len(problem.bills) :] * (DOLLAR_MICRO / DOLLAR_CENTS * _PRICE_SCALE)
    # Prices fall over time and end at zero or above; forcing it keeps the bound proven whatever the solver's rounding.
    whole = np.maximum.accumulate(np.maximum(np.rint(prices), 0)[::-1])[::-1].astype(np.int64)
    bound, reduced = _lagrangian(problem, whole)
    return _Relaxed(taken=result.x[:options], bound=bound, reduced=reduced)


def _lagrangian(problem: Problem, prices: Cents) -> tuple[int, Cents]:
    """The bound of these prices of cash in each row, and each option's reduced cost, rounded so that both stay valid."""
    priced = np.append(prices, 0)[problem.row]
    value = [
        int(cost) * _PRICE_SCALE + int(price) * int(cents)
        for cost, price, cents in zip(problem.cost, priced, problem.cents, strict=True)
    ]
    lowest = [min(value[start:end]) for start, end in zip(problem.first[:-1], problem.first[1:], strict=True)]
    falls = prices - np.append(prices[1:], 0)
    scaled = sum(lowest) - sum(int(fall) * int(cents) for fall, cents in zip(falls, problem.capacity, strict=True))
    reduced = [(one - lowest[bill]) // _PRICE_SCALE for one, bill in zip(value, problem.bill, strict=True)]
    return -(-scaled // _PRICE_SCALE), np.array(reduced, dtype=np.int64)


def _plan_near(problem: Problem, taken: Shares, *, reduced: Cents, start: Cents) -> Parts:
    """The best plan in whole cents near a solver's answer."""
    near = np.argsort(reduced, kind="stable")[:_MOST_NEAR]
    within = np.unique(np.concatenate([near, np.flatnonzero(taken > 0), start]))
    as_taken = with_splits(problem, taken)
    candidates = [as_taken] if (cash_of(problem, as_taken) <= problem.capacity).all() else []
    for chosen in (least(problem, -taken), least(problem, reduced), start):
        choice = Choice(problem, chosen, within=within)
        if choice.repair():
            choice.improve()
            candidates.append(whole_parts(problem, choice.chosen))
    return min((pull_forward(problem, one) for one in candidates), key=lambda one: cost_of(problem, one))
