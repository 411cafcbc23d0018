"""Whole-number arithmetic on cents and days.

Belongs here: the roundings that calculators share, on integers only.
Does not: rounding for display; anything that holds money in a float.
"""

from collections.abc import Sequence


def divide_half_up(numerator: int, denominator: int) -> int:
    """The quotient rounded to the nearest whole number, halves upwards; `denominator` is positive."""
    return (2 * numerator + denominator) // (2 * denominator)


def twice_median(values: Sequence[int]) -> int:
    """Two times the median: exact for an even count of values as well."""
    ordered = sorted(values)
    return ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]


def median_half_up(values: Sequence[int]) -> int:
    """The median, rounded up where it lies halfway between two whole numbers."""
    return divide_half_up(twice_median(values), 2)
