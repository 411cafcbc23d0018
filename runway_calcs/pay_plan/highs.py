"""Mixed-integer programs, solved by HiGHS within limits that are the same on every machine.

Belongs here: the library's calls, and what of its search is used. Does not: what a program means (``core.py``).

A program's first node costs most of the time where there are thousands of columns, and of that four fifths are HiGHS' searches for
plans in smaller programs of its own (measured). Where a plan is at hand they are left out.
"""

from dataclasses import dataclass
from enum import Enum

import highspy
import numpy as np
import numpy.typing as npt
from scipy.sparse import csc_array

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """Minimise cost x, such that matrix x lies from `low` to `high` and x from 0 to `upper`, whole where asked."""

    cost: Floats
    upper: Floats
    is_whole: Flags
    matrix: csc_array
    low: Floats
    high: Floats


class Effort(Enum):
    """What HiGHS does besides its branches and cuts."""

    FULL = "full"
    """All of its heuristics, and it starts again when it could fix enough."""
    FIRST_NODE = "first node"
    """One of them, near the relaxation, and the first node only: a bound, and often a better plan."""
    BRANCHES = "branches"
    """None: for small programs with a good plan at hand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Where a search ends."""

    gap: float
    """Relative distance from plan to bound."""
    nodes: int
    seconds: float
    """A net far behind the others: what it cuts short may differ from run to run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a search found."""

    values: Floats | None
    """Of the best plan; nothing where there is none."""
    bound: float
    """No plan costs less; minus infinity where nothing is proven."""
    is_infeasible: bool
    is_proven: bool
    """Within the gap asked for."""
    is_cut_short: bool
    """By the clock."""


_LEFT_OUT = {
    Effort.FULL: (),
    Effort.FIRST_NODE: ("mip_heuristic_run_rins", "mip_heuristic_run_rens", "mip_allow_restart"),
    Effort.BRANCHES: (
        "mip_heuristic_run_rins",
        "mip_heuristic_run_rens",
        "mip_heuristic_run_root_reduced_cost",
        "mip_heuristic_run_feasibility_jump",
        "mip_allow_restart",
    ),
}


def minimise(program: Program, *, effort: Effort, limits: Limits, start: Floats | None = None) -> Answer:
    """The best plan found from `start`, a plan of the program, and the bound that was proven."""
    solver = highspy.Highs()  # type: ignore[no-untyped-call] # the library's only signature without types
    options = {
        "output_flag": False,
        "threads": 1,  # with more, which plan is found may depend on the machine
        "mip_rel_gap": limits.gap,
        "mip_max_nodes": 1 if effort is Effort.FIRST_NODE else limits.nodes,
        "time_limit": limits.seconds,
        **dict.fromkeys(_LEFT_OUT[effort], False),
    }
    for name, value in options.items():
        _require(solver.setOptionValue(name, value), what=name)
    _require(solver.passModel(_model(program)), what="a program")
    if start is not None:
        known = highspy.HighsSolution()
        known.col_value = start.tolist()
        _require(solver.setSolution(known), what="a plan to start from")
    solver.run()
    return _answer(solver)


def _model(program: Program) -> highspy.HighsLp:
    model = highspy.HighsLp()
    model.num_row_, model.num_col_ = program.matrix.shape
    model.col_cost_ = program.cost
    model.col_lower_, model.col_upper_ = np.zeros(len(program.cost)), program.upper
    model.row_lower_, model.row_upper_ = program.low, program.high
    model.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    model.a_matrix_.start_ = program.matrix.indptr
    model.a_matrix_.index_ = program.matrix.indices
    model.a_matrix_.value_ = program.matrix.data
    kinds = (highspy.HighsVarType.kContinuous, highspy.HighsVarType.kInteger)
    model.integrality_ = [kinds[int(is_whole)] for is_whole in program.is_whole]
    return model


def _answer(solver: highspy.Highs) -> Answer:
    status, info = solver.getModelStatus(), solver.getInfo()
    has_plan = info.primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible
    return Answer(
        values=np.array(solver.getSolution().col_value) if has_plan else None,
        bound=float(info.mip_dual_bound),
        is_infeasible=status in (highspy.HighsModelStatus.kInfeasible, highspy.HighsModelStatus.kUnboundedOrInfeasible),
        is_proven=status == highspy.HighsModelStatus.kOptimal,
        is_cut_short=status == highspy.HighsModelStatus.kTimeLimit,
    )


def _require(status: highspy.HighsStatus, *, what: str) -> None:
    if status == highspy.HighsStatus.kError:
        raise RuntimeError(f"HiGHS does not take {what}")
