"""Plans in whole cents: their cost and use of cash, and how one is repaired and improved.

Belongs here: exact integer arithmetic on choices. Does not: the solver and its bound (``runway_calcs/pay_plan/solver.py``).
"""

from collections import defaultdict
from collections.abc import Mapping

import numpy as np

from runway_calcs.pay_plan.cash import Cents
from runway_calcs.pay_plan.options import Problem

Parts = Mapping[int, int]
"""Face cents by option: what of a bill's open amount is settled in each way. A way with the discount settles all."""

_MOST_SWAPS = 200
_MOST_SWAP_STARTS = 120


def cash_of(problem: Problem, parts: Parts) -> Cents:
    """What a plan uses of each row's capacity."""
    used = np.zeros(len(problem.capacity) + 1, dtype=np.int64)
    for option, face in parts.items():
        is_whole = face == problem.open_cents(option)
        used[problem.row[option]] += int(problem.cents[option]) if is_whole else face
    return np.cumsum(used)[:-1]


def cost_of(problem: Problem, parts: Parts) -> int:
    """Micro-cents of a plan above every bill's cheapest way; a flat fee counts once for each bill."""
    by_bill: defaultdict[int, list[tuple[int, int]]] = defaultdict(list)
    for option, face in parts.items():
        by_bill[int(problem.bill[option])].append((option, face))
    total = 0
    for number, taken in by_bill.items():
        # Rates are per cent of the open amount, so the sum divides exactly though its terms may not.
        weighted = sum(int(problem.cost[option] - problem.flat[option]) * face for option, face in taken)
        total += weighted // problem.bills[number].bill.open_cents
        total += max(int(problem.flat[option]) for option, _ in taken)
    return total


def whole_parts(problem: Problem, chosen: Cents) -> dict[int, int]:
    """The plan that takes one option for each bill."""
    return {int(option): problem.open_cents(int(option)) for option in chosen}


class Choice:
    """One option for each bill, changed by moves; keeps what is left of each row's capacity."""

    def __init__(self, problem: Problem, chosen: Cents, *, within: Cents) -> None:
        """Moves are looked for among the options `within`."""
        self._problem = problem
        self._within = within
        self._used = problem.used_by(within)
        self.chosen = chosen.copy()
        self.left = problem.capacity - problem.used_by(chosen).sum(axis=0)

    @property
    def cost(self) -> int:
        """Micro-cents above every bill's cheapest way."""
        return int(self._problem.cost[self.chosen].sum())

    def repair(self) -> bool:
        """Move bills to later or cheaper-by-cash ways until every row holds; False if no move helps."""
        while self.left.size and self.left.min() < 0:
            row = int((self.left < 0).argmax())
            change, gain = self._moves()
            relief = np.minimum(-change[:, row], -self.left[row])
            helps = (relief > 0) & (change <= np.maximum(self.left, 0)).all(axis=1)
            if not helps.any():
                return False
            price = np.where(helps, -gain / np.maximum(relief, 1), np.inf)
            self._move(int(price.argmin()), change)
        return True

    def improve(self) -> None:
        """Make moves of one bill, then exchanges between two, until none lowers the cost."""
        self._move_singly()
        for _ in range(_MOST_SWAPS):
            if not self._swap():
                return
            self._move_singly()

    def _move_singly(self) -> None:
        while True:
            change, gain = self._moves()
            gain = np.where((change <= self.left).all(axis=1), gain, 0)
            if not gain.size or gain.max() <= 0:
                return
            self._move(int(gain.argmax()), change)

    def _swap(self) -> bool:
        """One bill to a cheaper way, paid for by another that gives up less; the largest gain over the best starts."""
        change, gain = self._moves()
        bills = self._problem.bill[self._within]
        best, best_gain = None, 0
        for start in np.argsort(-gain, kind="stable")[:_MOST_SWAP_STARTS]:
            if gain[start] <= best_gain:
                break
            # Its partner gives up something, so no pair can gain more than its start alone.
            fits = (change <= self.left - change[start]).all(axis=1) & (bills != bills[start])
            total = np.where(fits, gain + gain[start], 0)
            partner = int(total.argmax())
            if total[partner] > best_gain:
                best, best_gain = (int(start), partner), int(total[partner])
        if best is None:
            return False
        self._move(best[0], change)
        self._move(best[1], change)
        return True

    def _moves(self) -> tuple[Cents, Cents]:
        """For each option: how taking it changes the use of each row, and what it gains."""
        current = self.chosen[self._problem.bill[self._within]]
        change = self._used - self._problem.used_by(current)
        return change, self._problem.cost[current] - self._problem.cost[self._within]

    def _move(self, position: int, change: Cents) -> None:
        option = self._within[position]
        self.chosen[self._problem.bill[option]] = option
        self.left = self.left - change[position]


def pull_forward(problem: Problem, parts: Parts) -> dict[int, int]:
    """Bills that may be paid in parts, as much of each as fits moved to its cheaper ways; dearest cents first."""
    plan = dict(parts)
    steps = []
    for number in np.flatnonzero(problem.may_split):
        options = range(int(problem.first[number]), int(problem.first[number + 1]))
        open_cents = problem.bills[number].bill.open_cents
        for late in options:
            for early in options:
                gain = int(problem.cost[late] - problem.cost[early])
                is_split = not problem.has_discount[early] and not problem.has_discount[late]
                if is_split and early < late and gain > 0 and not problem.flat[late]:
                    steps.append((-gain / open_cents, early, late))
    for _, early, late in sorted(steps):
        if late not in plan:
            continue
        left = problem.capacity - cash_of(problem, plan)
        between = left[problem.row[early] : problem.row[late]]
        moved = min([plan[late], *(int(cents) for cents in between)])
        if moved > 0:
            plan[early] = plan.get(early, 0) + moved
            plan[late] -= moved
        if not plan[late]:
            del plan[late]
    return plan
