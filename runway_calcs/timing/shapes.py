"""The kinds of payers that payment timing can tell apart, and how common they are before anything is known of a ledger.

Belongs here: the grid of kinds, the distribution of lateness of each, the shipped prior over them.
Does not: which kind a counterparty is (``fit.py``).

A kind is a typical lateness, a spread around it, and the share of its documents that go wrong and take long. A smaller family
of kinds pays a share of its documents just within the period of a discount and the rest like another kind. Lateness is in days
after an anchor (the due date, or the document's date plus the usual term). A finite grid stands for the continuous parameters,
so that every posterior is a weighted sum and nothing has to converge.
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

# Payers who sometimes take a discount. Both habits are in one kind: once the discount's days have passed, age leaves the later.
_TAKERS = 0.03
"""Share of payers who are of this family, beforehand."""
_TAKEN, _TAKEN_SPREAD = -20.5, 1.8
"""When they do, days after the anchor: near the end of the ten days of "2/10 net 30", the discount this family stands for."""
# share of documents with the discount: prior weight
_TAKEN_SHARES: dict[float, float] = {0.3: 0.5, 0.65: 0.5}
_TAKERS_SPREADS: dict[float, tuple[float, float]] = {2.5: (3.0, 0.35), 5.0: (4.0, 0.40), 10.0: (7.0, 0.25)}
_TAKERS_TROUBLED: dict[float, float] = {0.05: 0.7, 0.25: 0.3}
_TAKERS_EARLIEST, _TAKERS_LATEST = -9.0, 42.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Shapes:
    """All kinds of payers: rows are kinds or cells of lateness, as said."""

    left: Floats
    """Cells x kinds: probability of not being ready before that cell's day."""
    left_by_kind: Floats
    """Kinds x (cells + HORIZON + 1): the same, going on after the last cell: half within as long again."""
    prior: Floats
    """Weight of each kind before anything is known."""


@lru_cache(maxsize=1)
def shapes() -> Shapes:
    """The shipped kinds; built once a process."""
    usual, usual_prior = _grid(_SPREADS, _TROUBLED, earliest=_EARLIEST, latest=_LATEST)
    otherwise, takers_prior = _grid(_TAKERS_SPREADS, _TAKERS_TROUBLED, earliest=_TAKERS_EARLIEST, latest=_TAKERS_LATEST)
    taken = _mass(np.array([[_TAKEN, _TAKEN_SPREAD, 0.0]]))
    parts = [_mass(usual), *(share * taken + (1 - share) * _mass(otherwise) for share in _TAKEN_SHARES)]
    weights = [(1 - _TAKERS) * usual_prior, *(_TAKERS * one * takers_prior for one in _TAKEN_SHARES.values())]
    left = np.cumsum(np.concatenate(parts)[:, ::-1], axis=1)[:, ::-1]
    beyond = LAST_DAY / (LAST_DAY + np.arange(1.0, HORIZON + 2))
    return Shapes(
        left=np.ascontiguousarray(left.T),
        left_by_kind=np.concatenate([left, left[:, -1:] * beyond], axis=1),
        prior=np.concatenate(weights),
    )


def _grid(
    spreads: dict[float, tuple[float, float]], troubled: dict[float, float], *, earliest: float, latest: float
) -> tuple[Floats, Floats]:
    """Kinds x (typical lateness, spread, share of documents that take long), and the weight of each beforehand."""
    rows = []
    for spread, (step, spread_weight) in spreads.items():
        typical = np.arange(earliest, latest + step, step)
        bells = [share * np.exp(-0.5 * ((typical - mean) / width) ** 2) / width for share, mean, width in _PAYERS]
        density = np.sum(bells, axis=0)
        density = density / density.sum()
        for share, share_weight in troubled.items():
            weights = density * spread_weight * share_weight
            rows += [(m, spread, share, w) for m, w in zip(typical, weights, strict=True)]
    table = np.array(rows, dtype=np.float64)
    return table[:, :3], table[:, 3] / table[:, 3].sum()


def _mass(kinds: Floats) -> Floats:
    """Kinds x cells: the probability of each day for payers with one habit (rows as of `_grid`)."""
    typical, spread, troubled = kinds.T
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
