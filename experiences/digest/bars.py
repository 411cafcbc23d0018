"""The bars of the 13-week strip as whole percentages of a table's width.

Belongs here: geometry. Does not: colours, words.
"""

from collections.abc import Sequence
from dataclasses import dataclass

_FULL = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """Empty space, bar, empty space: the three widths sum to 100."""

    before: int
    width: int
    after: int


def bars(values: Sequence[int]) -> tuple[Bar, ...]:
    """A bar for each value on one common scale; negative values lie left of the zero line.

    A value that is not zero always shows: its bar is at least one percent wide.
    """
    top, bottom = max(0, *values, 0), min(0, *values, 0)
    span = top - bottom
    if span == 0:
        return tuple(Bar(before=0, width=0, after=_FULL) for _ in values)
    # One percent of room on each side that has values keeps the smallest bar visible.
    zero = min(max(_percent(-bottom, span), int(bottom < 0)), _FULL - int(top > 0))
    return tuple(_bar(value, zero=zero, top=top, bottom=bottom) for value in values)


def _bar(value: int, *, zero: int, top: int, bottom: int) -> Bar:
    if value == 0:
        return Bar(before=zero, width=0, after=_FULL - zero)
    if value > 0:
        width = max(1, _percent(value, top, of=_FULL - zero))
        return Bar(before=zero, width=width, after=_FULL - zero - width)
    width = max(1, _percent(value, bottom, of=zero))
    return Bar(before=zero - width, width=width, after=_FULL - zero)


def _percent(part: int, whole: int, *, of: int = _FULL) -> int:
    return part * of // whole
