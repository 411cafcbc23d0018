"""The mixed-integer program over options of a problem: one way for each bill, payments within the capacity of each row.

Belongs here: the program, a plan as its start, its answer as a plan. Does not: which options (``solver.py``,
``neighbourhoods.py``), the library (``highs.py``).
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array, csc_array, csr_array, vstack

from runway_calcs.pay_plan.cash import Cents
from runway_calcs.pay_plan.highs import Effort, Limits, Program, minimise
from runway_calcs.pay_plan.options import Problem
from runway_calcs.pay_plan.search import Parts, whole_parts

DOLLAR_CENTS = 100
DOLLAR_MICRO = 100_000_000
"""Micro-cents in a dollar: the solver counts in dollars, near 1 where its tolerances are meant."""
_NO_PLAN = 1 << 62
"""The bound of a core that holds no plan at all."""
_NEGLIGIBLE = 1e-6
"""A smaller share of a bill is the solver's tolerance, not a part."""

Shares = npt.NDArray[np.float64]
"""What share of its bill each option takes, as the solver answers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Searched:
    """What a search of a core found."""

    taken: Shares | None
    """Of every option of the problem; nothing where no plan was found."""
    bound: int
    """No plan of these options costs less, in micro-cents above every bill's cheapest way."""
    is_proven: bool
    is_cut_short: bool
    """By the clock."""


class Core:
    """The program over some options of a problem."""

    def __init__(self, problem: Problem, options: Cents) -> None:
        self._problem = problem
        self._options = options
        split = problem.is_part[options]
        self._charged = np.flatnonzero(split & (problem.flat[options] > 0))
        self._charged_bills = np.unique(problem.bill[options][self._charged])
        self._is_whole = ~split

    def solve(self, *, effort: Effort, limits: Limits, start: Parts | None = None) -> Searched:
        """The best plan of these options; `start` is a plan of them."""
        answer = minimise(
            self._program(), effort=effort, limits=limits, start=None if start is None else self._values(start)
        )
        if answer.is_infeasible:
            return Searched(taken=None, bound=_NO_PLAN, is_proven=True, is_cut_short=False)
        bound = 0
        if np.isfinite(answer.bound):
            # The solver's own tolerance is taken off, so that its bound stays one.
            bound = int(answer.bound * DOLLAR_MICRO * (1 - 1e-9)) - DOLLAR_MICRO // 1_000_000
        taken = None
        if answer.values is not None:
            taken = np.zeros(len(self._problem.cost))
            taken[self._options] = answer.values[: len(self._options)]
        return Searched(taken=taken, bound=bound, is_proven=answer.is_proven, is_cut_short=answer.is_cut_short)

    def _program(self) -> Program:
        problem, options, rows = self._problem, self._options, len(self._problem.capacity)
        fees = len(self._charged_bills)
        cost = problem.cost[options].copy()
        cost[self._charged] -= problem.flat[options][self._charged]
        fee = np.array([self._flat_of(number) for number in self._charged_bills], dtype=np.int64)
        right = right_side(problem)
        return Program(
            cost=np.concatenate([cost / DOLLAR_MICRO, np.zeros(rows), fee / DOLLAR_MICRO]),
            upper=np.concatenate([np.ones(len(options)), np.full(rows, np.inf), np.ones(fees)]),
            is_whole=np.concatenate([self._is_whole, np.zeros(rows, dtype=np.bool_), np.ones(fees, dtype=np.bool_)]),
            matrix=self._matrix(fees),
            low=np.concatenate([right, np.full(fees, -np.inf)]),
            high=np.concatenate([right, np.zeros(fees)]),
        )

    def _flat_of(self, number: int) -> int:
        own = self._options[self._problem.bill[self._options] == number]
        return int(self._problem.flat[own].max())

    def _matrix(self, fees: int) -> csc_array:
        problem, options, rows = self._problem, self._options, len(self._problem.capacity)
        paid = matrix(problem, options)
        wide = csr_array((paid.data, paid.indices, paid.indptr), shape=(paid.shape[0], paid.shape[1] + fees))
        # A part paid late owes the flat fee: the late parts of a bill add up to at most its fee variable.
        position = np.searchsorted(self._charged_bills, problem.bill[options][self._charged])
        lines = np.concatenate([position, np.arange(fees)])
        columns = np.concatenate([self._charged, len(options) + rows + np.arange(fees)])
        values = np.concatenate([np.ones(len(self._charged)), -np.ones(fees)])
        owed = coo_array((values, (lines, columns)), shape=(fees, wide.shape[1]))
        return csc_array(vstack([wide, owed]))

    def _values(self, parts: Parts) -> Shares:
        """The program's variables in a plan."""
        problem, options = self._problem, self._options
        share = np.array([parts.get(int(option), 0) / problem.open_cents(int(option)) for option in options])
        paid = np.zeros(len(problem.capacity) + 1)
        np.add.at(paid, problem.row[options], share * problem.cents[options])
        left = (problem.capacity - np.cumsum(paid)[:-1]) / DOLLAR_CENTS
        late = problem.bill[options][self._charged][share[self._charged] > 0]
        return np.concatenate([share, np.maximum(left, 0), np.isin(self._charged_bills, late).astype(np.float64)])


def matrix(problem: Problem, options: Cents) -> csr_array:
    """One way for each bill; what each row has left is carried to the next, so that the matrix stays sparse."""
    bills, rows, count = len(problem.bills), len(problem.capacity), len(options)
    paying = np.flatnonzero(problem.row[options] < rows)
    carried = np.arange(rows)
    lines = np.concatenate(
        [problem.bill[options], bills + problem.row[options][paying], bills + carried, bills + carried[1:]]
    )
    columns = np.concatenate([np.arange(count), paying, count + carried, count + carried[:-1]])
    values = np.concatenate(
        [np.ones(count), problem.cents[options][paying] / DOLLAR_CENTS, np.ones(rows), -np.ones(max(0, rows - 1))]
    )
    return csr_array(coo_array((values, (lines, columns)), shape=(bills + rows, count + rows)))


def right_side(problem: Problem) -> Shares:
    """One way for each bill, and by how much the capacity grows to each row, in dollars."""
    grown = np.diff(problem.capacity, prepend=0) / DOLLAR_CENTS
    return np.concatenate([np.ones(len(problem.bills)), grown])


def least(problem: Problem, value: Cents | Shares) -> Cents:
    """The option of each bill with the least value, the last of equals."""
    order = np.lexsort((-np.arange(len(value)), value, problem.bill))
    return order[problem.first[:-1]].astype(np.int64)


def with_splits(problem: Problem, taken: Shares) -> dict[int, int]:
    """The solver's answer as it is: the most taken way of each bill, parts of those that may be split.

    Parts are rounded down and the latest one takes the rest, so that rounding never needs cash earlier.
    """
    parts = whole_parts(problem, least(problem, -taken))
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
