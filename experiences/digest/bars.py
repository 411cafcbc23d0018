"""The bars of the 13-week strip as whole percentages of a table's width.

Belongs here: geometry. Does not: colours, words.
"""

from collections.abc import Sequence
from dataclasses import dataclass

_FULL = 100

Ends = Sequence[tuple[int, int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """Empty space, bar, empty space: the three widths sum to 100."""

    before: int
    width: int
    after: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scale:
    """One common scale with its zero line."""

    zero: int
    top: int
    bottom: int

    def place(self, value: int) -> int:
        """Percent from the left edge; a value that is not zero lies at least one percent from the zero line."""
        if value > 0:
            return self.zero + max(1, _percent(value, self.top, of=_FULL - self.zero))
        if value < 0:
            return self.zero - max(1, _percent(value, self.bottom, of=self.zero))
        return self.zero


def bars(values: Sequence[int], *, ends: Ends = ()) -> tuple[Bar, ...]:
    """A bar for each value on one common scale; negative values lie left of the zero line.

    A value that is not zero always shows: its bar is at least one percent wide. `ends` are ranges drawn beside the bars.
    """
    scale = _scale(values, ends)
    if scale is None:
        return tuple(Bar(before=0, width=0, after=_FULL) for _ in values)
    return tuple(_between(scale.zero, scale.place(value)) for value in values)


def ranges(values: Sequence[int], *, ends: Ends) -> tuple[Bar, ...]:
    """A line for each range (lower, upper) on the scale of the bars, at least one percent wide."""
    scale = _scale(values, ends)
    if scale is None:
        return tuple(Bar(before=0, width=0, after=_FULL) for _ in ends)
    return tuple(_range(scale, low, high) for low, high in ends)


def _scale(values: Sequence[int], ends: Ends) -> _Scale | None:
    """The scale that holds everything; None when all is zero."""
    reached = [*values, *(value for pair in ends for value in pair)]
    top, bottom = max(0, *reached, 0), min(0, *reached, 0)
    span = top - bottom
    if span == 0:
        return None
    # One percent of room on each side that has values keeps the smallest bar visible.
    zero = min(max(_percent(-bottom, span), int(bottom < 0)), _FULL - int(top > 0))
    return _Scale(zero=zero, top=top, bottom=bottom)


def _between(first: int, last: int) -> Bar:
    before, after = min(first, last), max(first, last)
    return Bar(before=before, width=after - before, after=_FULL - after)


def _range(scale: _Scale, low: int, high: int) -> Bar:
    first, last = scale.place(low), scale.place(high)
    if first == last:
        first, last = (first - 1, last) if last == _FULL else (first, last + 1)
    return _between(first, last)


def _percent(part: int, whole: int, *, of: int = _FULL) -> int:
    return part * of // whole
