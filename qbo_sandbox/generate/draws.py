"""Random streams of a generated company, and the few draws that NumPy does not offer as we need them.

Belongs here: seeding and sampling. Does not: any meaning of the numbers drawn.
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import TypeVar

import numpy as np

_Option = TypeVar("_Option")

_GOLDEN = 0.6180339887498949


def stream(seed: int, industry: str, size: str, as_of: str, noun: str) -> np.random.Generator:
    """A generator for one noun of one company.

    Each noun has its own stream, so a change in how payroll is drawn leaves every invoice as it was.
    """
    digest = hashlib.sha256(f"{seed}|{industry}|{size}|{as_of}|{noun}".encode()).digest()
    return np.random.Generator(np.random.PCG64(int.from_bytes(digest, "big")))


class Spread:
    """Evenly spread numbers in [0, 1): their shares hold even for a dozen draws, unlike independent ones.

    A micro company keys in some seventy bills; with independent draws "5 % very late" could well be none.
    """

    def __init__(self, rng: np.random.Generator) -> None:
        self._value = float(rng.random())

    def next(self) -> float:
        """The next number of the golden-ratio sequence."""
        self._value = (self._value + _GOLDEN) % 1.0
        return self._value


def pick(rng: np.random.Generator, options: Sequence[_Option]) -> _Option:
    """One of the options, each as likely."""
    return options[int(rng.integers(len(options)))]


def between(rng: np.random.Generator, low: int, high: int) -> int:
    """A whole number from low to high, both included."""
    return int(rng.integers(low, high + 1))


def shares(rng: np.random.Generator, count: int, *, spread: float) -> list[float]:
    """Log-normal weights that sum to one: how a total falls into unequal parts."""
    weights = np.exp(rng.normal(0.0, spread, count))
    return [float(weight) for weight in weights / weights.sum()]


def split_cents(total_cents: int, weights: Sequence[float]) -> list[int]:
    """A total split by weights that sum to one, with no cent lost."""
    parts = [int(total_cents * weight) for weight in weights]
    if parts:
        parts[-1] += total_cents - sum(parts)
    return parts


def whole(rng: np.random.Generator, expected: float) -> int:
    """A whole number whose mean is the expected one."""
    return int(expected + float(rng.random()))


def quota(rng: np.random.Generator, weights: Mapping[_Option, float], count: int) -> list[_Option]:
    """Kinds in the proportions of their weights (largest remainder), in random order; common kinds come first if few."""
    total = sum(weights.values())
    exact = {kind: count * weight / total for kind, weight in weights.items()}
    counts = {kind: int(share) for kind, share in exact.items()}
    by_remainder = sorted(weights, key=lambda kind: counts[kind] - exact[kind])
    for kind in by_remainder[: count - sum(counts.values())]:
        counts[kind] += 1
    kinds = [kind for kind in weights for _ in range(counts[kind])]
    return [kinds[int(index)] for index in rng.permutation(len(kinds))]
