"""The cheapest choice of payment days under the cash constraint, with a proven bound.

Belongs here: linear relaxation, exact bound, core problem, mixed-integer program by HiGHS. Does not: what the options mean.

The bound is proven in whole numbers: any prices of cash that do not rise over time give one by Lagrangian duality, and
those of the linear relaxation give the best. An option whose reduced cost exceeds what the best plan so far lies above
the bound is in no better plan (parts of a bill apart); what remains, the core, goes to the solver.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt
from scipy.optimize import Bounds, LinearConstraint, OptimizeResult, linprog, milp
from scipy.sparse import coo_array, csr_array

from runway_calcs.pay_plan.cash import Cents
from runway_calcs.pay_plan.options import Problem
from runway_calcs.pay_plan.search import Choice, Parts, cash_of, cost_of, pull_forward, whole_parts
from runway_calcs.policy import PlanPolicy

_DOLLAR_CENTS = 100
_DOLLAR_MICRO = 100_000_000
"""Micro-cents in a dollar: the solver counts in dollars, near 1 where its tolerances are meant."""
_PRICE_SCALE = 1 << 12
"""Prices of cash are whole multiples of this part of a micro-cent per cent."""
_PPM = 1_000_000
_NARROW = 900
"""Options in the narrow core that is searched first for a good plan, those of least reduced cost; the second core is
narrowed by what that plan proves."""
_NO_PLAN = 1 << 62
"""The bound of a core that holds no plan at all."""
_TIME_LIMIT, _INFEASIBLE = 1, 2
"""Statuses of SciPy's solver."""
_NEGLIGIBLE = 1e-6
"""A smaller share of a bill is the solver's tolerance, not a part."""
_MOST_NEAR = 600
"""So many options of least reduced cost are tried when a plan is improved by hand."""

Shares = npt.NDArray[np.float64]
"""What share of its bill each option takes, as the solver answers."""


class Stop(StrEnum):
    """Why the search ended."""

    PROVEN = "proven"
    """Within the gap asked for."""
    NODES = "node limit"
    SIZE = "size limit"
    """What could hold a better plan is too much to search within a time that is the same on every machine."""
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
    relaxed = _relaxation(problem)
    bound = max(0, relaxed.bound)
    best = _rounded(problem, relaxed.taken, reduced=relaxed.reduced, start=start)
    cost = cost_of(problem, best)
    stop, is_repeatable = Stop.PROVEN, True
    for is_narrow in (True, False):
        if _is_close(cost, bound, policy=policy):
            break
        distance = cost - relaxed.bound
        if is_narrow:
            distance = min(distance, int(np.sort(relaxed.reduced)[:_NARROW][-1]))
        # A part of a bill may be ever so small, so that its reduced cost excludes nothing.
        core = np.flatnonzero((relaxed.reduced < distance) | problem.is_part)
        most = policy.most_entries // len(problem.capacity)
        is_whole = len(core) <= most
        if not is_whole and not is_narrow:
            stop = Stop.SIZE
            break
        if not is_whole:
            core = _nearest(relaxed.reduced, keep=best, most=most)
        found = _Core(problem, core).solve(policy=policy)
        stop, is_repeatable = found.stop, is_repeatable and found.stop is not Stop.TIME
        if is_whole:
            # A plan outside the core costs at least the distance more than the relaxation.
            bound = max(bound, min(cost, found.bound, relaxed.bound + distance))
        if found.taken is not None:
            candidate = _rounded(problem, found.taken, reduced=relaxed.reduced, start=start)
            if cost_of(problem, candidate) < cost:
                best, cost = candidate, cost_of(problem, candidate)
    stop = Stop.PROVEN if _is_close(cost, bound, policy=policy) else stop
    return Solution(parts=best, cost=cost, bound=min(bound, cost), stop=stop, is_repeatable=is_repeatable)


def _nearest(reduced: Cents, *, keep: Parts, most: int) -> Cents:
    """The options of least reduced cost, and those of a plan, so that the core holds one; they prove no bound."""
    near = np.argsort(reduced, kind="stable")[:most]
    return np.unique(np.concatenate([near, np.array(sorted(keep), dtype=np.int64)]))


def _is_close(cost: int, bound: int, *, policy: PlanPolicy) -> bool:
    return (cost - bound) * _PPM <= policy.gap_ppm * cost


def _cheapest(problem: Problem) -> Cents:
    """The cheapest option of each bill, the latest of equals."""
    return _least(problem, problem.cost)


def _least(problem: Problem, value: Cents | Shares) -> Cents:
    """The option of each bill with the least value, the last of equals."""
    order = np.lexsort((-np.arange(len(value)), value, problem.bill))
    return order[problem.first[:-1]].astype(np.int64)


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
        np.concatenate([problem.cost / _DOLLAR_MICRO, np.zeros(rows)]),
        A_eq=_matrix(problem, np.arange(options)),
        b_eq=_right_side(problem),
        bounds=(0, None),
        method="highs-ds",
    )
    if result.status != 0:
        raise RuntimeError(f"the linear relaxation of a pay plan was not solved: {result.message}")
    prices = -result.eqlin.marginals[len(problem.bills) :] * (_DOLLAR_MICRO / _DOLLAR_CENTS * _PRICE_SCALE)
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
    least = [min(value[start:end]) for start, end in zip(problem.first[:-1], problem.first[1:], strict=True)]
    falls = prices - np.append(prices[1:], 0)
    scaled = sum(least) - sum(int(fall) * int(cents) for fall, cents in zip(falls, problem.capacity, strict=True))
    reduced = [(one - least[bill]) // _PRICE_SCALE for one, bill in zip(value, problem.bill, strict=True)]
    return -(-scaled // _PRICE_SCALE), np.array(reduced, dtype=np.int64)


def _matrix(problem: Problem, options: Cents) -> csr_array:
    """One way for each bill; what each row has left is carried to the next, so that the matrix stays sparse."""
    bills, rows, count = len(problem.bills), len(problem.capacity), len(options)
    paying = np.flatnonzero(problem.row[options] < rows)
    carried = np.arange(rows)
    lines = np.concatenate(
        [problem.bill[options], bills + problem.row[options][paying], bills + carried, bills + carried[1:]]
    )
    columns = np.concatenate([np.arange(count), paying, count + carried, count + carried[:-1]])
    values = np.concatenate(
        [np.ones(count), problem.cents[options][paying] / _DOLLAR_CENTS, np.ones(rows), -np.ones(max(0, rows - 1))]
    )
    return csr_array(coo_array((values, (lines, columns)), shape=(bills + rows, count + rows)))


def _right_side(problem: Problem) -> Shares:
    grown = np.diff(problem.capacity, prepend=0) / _DOLLAR_CENTS
    return np.concatenate([np.ones(len(problem.bills)), grown])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Searched:
    taken: Shares | None
    bound: int
    stop: Stop


class _Core:
    """The mixed-integer program over the options that a better plan can contain."""

    def __init__(self, problem: Problem, options: Cents) -> None:
        self._problem = problem
        self._options = options
        split = problem.is_part[options]
        self._charged = np.flatnonzero(split & (problem.flat[options] > 0))
        self._charged_bills = np.unique(problem.bill[options][self._charged])
        self._is_whole = ~split

    def solve(self, *, policy: PlanPolicy) -> _Searched:
        """The best plan within the core, in half of the policy's time: there are two cores."""
        problem, options, rows = self._problem, self._options, len(self._problem.capacity)
        fees = len(self._charged_bills)
        cost = problem.cost[options].copy()
        cost[self._charged] -= problem.flat[options][self._charged]
        fee = np.array([self._flat_of(number) for number in self._charged_bills], dtype=np.int64)
        upper = np.concatenate([np.ones(len(options)), np.full(rows, np.inf), np.ones(fees)])
        result = milp(
            np.concatenate([cost / _DOLLAR_MICRO, np.zeros(rows), fee / _DOLLAR_MICRO]),
            integrality=np.concatenate([self._is_whole.astype(np.int64), np.zeros(rows), np.ones(fees)]),
            bounds=Bounds(0, upper),
            constraints=self._constraints(),
            options={
                # A little less than asked for, so that rounding parts to cents does not lose the proof.
                "mip_rel_gap": policy.gap_ppm / _PPM * 0.95,
                "node_limit": policy.node_limit,
                "time_limit": policy.time_limit_seconds / 2,
            },
        )
        return self._searched(result)

    def _flat_of(self, number: int) -> int:
        own = self._options[self._problem.bill[self._options] == number]
        return int(self._problem.flat[own].max())

    def _constraints(self) -> list[LinearConstraint]:
        problem, options, rows = self._problem, self._options, len(self._problem.capacity)
        fees = len(self._charged_bills)
        matrix = _matrix(problem, options)
        right = _right_side(problem)
        if not fees:
            return [LinearConstraint(matrix, right, right)]
        wide = csr_array((matrix.data, matrix.indices, matrix.indptr), shape=(matrix.shape[0], matrix.shape[1] + fees))
        # A part paid late owes the flat fee: the late parts of a bill add up to at most its fee variable.
        position = np.searchsorted(self._charged_bills, problem.bill[options][self._charged])
        lines = np.concatenate([position, np.arange(fees)])
        columns = np.concatenate([self._charged, len(options) + rows + np.arange(fees)])
        values = np.concatenate([np.ones(len(self._charged)), -np.ones(fees)])
        owed = csr_array(coo_array((values, (lines, columns)), shape=(fees, wide.shape[1])))
        return [LinearConstraint(wide, right, right), LinearConstraint(owed, -np.inf, 0)]

    def _searched(self, result: OptimizeResult) -> _Searched:
        # SciPy has no status of its own for the node limit and reports it as 4; 1 is the time limit.
        stop = Stop.TIME if result.status == _TIME_LIMIT else Stop.NODES
        if result.status == _INFEASIBLE:
            return _Searched(taken=None, bound=_NO_PLAN, stop=Stop.PROVEN)
        bound = 0
        if result.mip_dual_bound is not None and np.isfinite(result.mip_dual_bound):
            # The solver's own tolerance is taken off, so that its bound stays one.
            bound = int(result.mip_dual_bound * _DOLLAR_MICRO * (1 - 1e-9)) - _DOLLAR_MICRO // 1_000_000
        if result.x is None:
            return _Searched(taken=None, bound=bound, stop=stop)
        taken = np.zeros(len(self._problem.cost))
        taken[self._options] = result.x[: len(self._options)]
        return _Searched(taken=taken, bound=bound, stop=Stop.PROVEN if result.status == 0 else stop)


def _rounded(problem: Problem, taken: Shares, *, reduced: Cents, start: Cents) -> Parts:
    """The best plan in whole cents near a solver's answer."""
    near = np.argsort(reduced, kind="stable")[:_MOST_NEAR]
    within = np.unique(np.concatenate([near, np.flatnonzero(taken > 0), start]))
    as_taken = _with_splits(problem, taken)
    candidates = [as_taken] if (cash_of(problem, as_taken) <= problem.capacity).all() else []
    for chosen in (_least(problem, -taken), _least(problem, reduced), start):
        choice = Choice(problem, chosen, within=within)
        if choice.repair():
            choice.improve()
            candidates.append(whole_parts(problem, choice.chosen))
    return min((pull_forward(problem, one) for one in candidates), key=lambda one: cost_of(problem, one))


def _with_splits(problem: Problem, taken: Shares) -> dict[int, int]:
    """The solver's answer as it is: the most taken way of each bill, parts of those that may be split.

    Parts are rounded down and the latest one takes the rest, so that rounding never needs cash earlier.
    """
    parts = whole_parts(problem, _least(problem, -taken))
    for number in np.flatnonzero(problem.may_split):
        own = np.arange(problem.first[number], problem.first[number + 1])
        own = own[(taken[own] > _NEGLIGIBLE) & ~problem.has_discount[own]]
        if len(own) < 2 or taken[own].sum() < 1 - _NEGLIGIBLE:  # noqa: PLR2004 - one part is no split
            continue
        open_cents = problem.bills[number].bill.open_cents
        face = {int(option): int(taken[option] * open_cents) for option in own[:-1]}
        face = {option: cents for option, cents in face.items() if cents} | {
            int(own[-1]): open_cents - sum(face.values())
        }
        parts = {option: cents for option, cents in parts.items() if problem.bill[option] != number} | face
    return parts
