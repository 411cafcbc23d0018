"""The kinds of payers that payment timing can tell apart, and how common they are before anything is known of a ledger.

Belongs here: the grid of kinds, the distribution of lateness of each, the shipped prior over them.
Does not: which kind a counterparty is (``fit.py``).

A kind is a typical lateness, a spread around it, and the share of its documents that go wrong and take long. Lateness is in
days after an anchor (the due date, or the document's date plus the usual term). A finite grid stands for the continuous
parameters, so that every posterior is a weighted sum and nothing has to converge.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.special import ndtr

from runway_calcs.timing.items import Floats

FIRST_DAY = -150
"""Lateness of the first cell; what is earlier counts as this early."""
LAST_DAY = 540
"""Lateness of the last cell, which holds everything later."""
CELLS = LAST_DAY - FIRST_DAY + 1
HORIZON = 720
"""Days after as-of that are told apart; nothing is expected later."""

# spread in days: (step of the typical lateness on the grid, prior weight)
_SPREADS: dict[float, tuple[float, float]] = {
    0.8: (1.0, 0.10),
    1.8: (1.5, 0.15),
    3.0: (2.0, 0.20),
    4.5: (3.0, 0.20),
    7.0: (4.0, 0.17),
    11.0: (6.0, 0.12),
    18.0: (10.0, 0.06),
}
# share of documents that take long: prior weight
_TROUBLED: dict[float, float] = {0.02: 0.5, 0.12: 0.3, 0.35: 0.2}
_TROUBLE_DAYS = 30.0
"""Mean further delay of a document that goes wrong."""
_STRAY = 0.01
"""Share of documents that follow no habit at all."""
_STRAY_DAYS = 60.0
"""Half of the strays are paid within about so many days; the rest with a tail as long as one likes."""
_EARLIEST, _LATEST = -64.0, 90.0
# The typical lateness of a payer nobody knows: (share, mean, standard deviation) in days.
# On or just before the due date; a week or two late; slow; early, as soon as the document arrives.
_PAYERS = ((0.35, 0.0, 4.0), (0.38, 8.0, 8.0), (0.15, 25.0, 18.0), (0.12, -15.0, 12.0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Shapes:
    """All kinds of payers: rows are kinds or cells of lateness, as said."""

    typical: Floats
    """Typical lateness of each kind in days."""
    spread: Floats
    left: Floats
    """Cells x kinds: probability of not being ready before that cell's day."""
    left_by_kind: Floats
    """Kinds x (cells + HORIZON + 1): the same, going on after the last cell: half within as long again."""
    prior: Floats
    """Weight of each kind before anything is known."""


@lru_cache(maxsize=1)
def shapes() -> Shapes:
    """The shipped kinds; built once a process."""
    typical, spread, troubled, prior = _grid()
    mass = _mass(typical, spread, troubled)
    left = np.cumsum(mass[:, ::-1], axis=1)[:, ::-1]
    beyond = LAST_DAY / (LAST_DAY + np.arange(1.0, HORIZON + 2))
    return Shapes(
        typical=typical,
        spread=spread,
        left=np.ascontiguousarray(left.T),
        left_by_kind=np.concatenate([left, left[:, -1:] * beyond], axis=1),
        prior=prior,
    )


def _grid() -> tuple[Floats, Floats, Floats, Floats]:
    rows = []
    for spread, (step, spread_weight) in _SPREADS.items():
        typical = np.arange(_EARLIEST, _LATEST + step, step)
        bells = [share * np.exp(-0.5 * ((typical - mean) / width) ** 2) / width for share, mean, width in _PAYERS]
        density = np.sum(bells, axis=0)
        density = density / density.sum()
        for troubled, troubled_weight in _TROUBLED.items():
            weights = density * spread_weight * troubled_weight
            rows += [(m, spread, troubled, w) for m, w in zip(typical, weights, strict=True)]
    table = np.array(rows, dtype=np.float64)
    return table[:, 0], table[:, 1], table[:, 2], table[:, 3] / table[:, 3].sum()


def _mass(typical: Floats, spread: Floats, troubled: Floats) -> Floats:
    edges = np.arange(FIRST_DAY, LAST_DAY + 2) - 0.5
    away = edges[None, :] - typical[:, None]
    width = spread[:, None]
    usual = ndtr(away / width)
    # Normal plus exponential delay, in the closed form of the exponentially modified normal distribution.
    rate = 1.0 / _TROUBLE_DAYS
    exponent = np.minimum(-rate * away + 0.5 * (rate * width) ** 2, 50.0)
    late = np.clip(usual - np.exp(exponent) * ndtr(away / width - rate * width), 0.0, 1.0)
    after = np.maximum(away + _STRAY_DAYS, 0.0)
    stray = after / (after + 2 * _STRAY_DAYS)
    share = troubled[:, None]
    below = (1 - _STRAY) * ((1 - share) * usual + share * late) + _STRAY * stray
    below[:, 0], below[:, -1] = 0.0, 1.0
    mass: Floats = np.maximum(np.diff(below, axis=1), 1e-12)
    return mass
