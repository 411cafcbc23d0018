"""A list of a digest: its first rows, with count and total of all of it.

Belongs here: the cut that bounds every document and mail. Does not: what the rows are.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from experiences.digest.comparison import require

MAX_ROWS = 4
"""Rows that any list keeps; the rest is counted and summed."""
FEW_ROWS = 3
"""Rows of a list that only completes others: so short that a mail with every list full still fits."""

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing(Generic[Row]):
    """The first rows of a list, with count and total of all of it."""

    rows: tuple[Row, ...]
    count: int
    total_cents: int

    def __post_init__(self) -> None:
        require(len(self.rows) <= MAX_ROWS, "a list keeps its first rows only")
        require(self.count >= len(self.rows), "a list counts at least the rows it keeps")
        require(bool(self.rows) or self.count == 0, "a list that counts something shows something")
        require(self.count > 0 or self.total_cents == 0, "an empty list sums to zero")


def listing(rows: Sequence[Row], *, cents: Sequence[int], most: int = MAX_ROWS) -> Listing[Row]:
    """The first rows of all of them, with what each amounts to."""
    return Listing(rows=tuple(rows[:most]), count=len(rows), total_cents=sum(cents))
