"""What an early-payment discount is worth, as a yearly rate.

Belongs here: the simple and the effective yield of paying early. Does not: whether a bill is paid early
(``runway_calcs/pay_plan/plan.py``); money.
"""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal

_YEAR_DAYS = 365
_WHOLE_PPM = 1_000_000
# Decimal rounds a power correctly, so the same terms give the same yield on every machine.
_EXACT = Context(prec=50, rounding=ROUND_HALF_UP)


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscountYield:
    """Yearly rates in basis points (3724 = 37.24 %), rounded half up."""

    simple_bp: int
    effective_bp: int
    days_earlier: int
    """How many days earlier the money leaves: from the discount's last day to the day the bill would be paid otherwise."""


def discount_yield(*, discount_ppm: int, days_earlier: int) -> DiscountYield | None:
    """The yield of paying `days_earlier` days early for a discount of `discount_ppm` of the amount.

    With d the discount and n the days: simple d/(1-d) x 365/n, effective (1 + d/(1-d))^(365/n) - 1, a year of 365
    days. n counts to the day on which this payer pays otherwise: for a habitual late payer that is later than the due
    date, and the yield is lower. None when no day is gained, since a discount for paying no earlier has no rate.

    Raises:
        ValueError: if the discount is not above 0 and below the whole amount.
    """
    if not 0 < discount_ppm < _WHOLE_PPM:
        raise ValueError(f"a discount lies between 0 and 1,000,000 ppm, not {discount_ppm}")
    if days_earlier <= 0:
        return None
    return_on_price = _EXACT.divide(Decimal(discount_ppm), Decimal(_WHOLE_PPM - discount_ppm))
    periods = _EXACT.divide(Decimal(_YEAR_DAYS), Decimal(days_earlier))
    grown = _EXACT.power(_EXACT.add(Decimal(1), return_on_price), periods)
    return DiscountYield(
        simple_bp=_basis_points(_EXACT.multiply(return_on_price, periods)),
        effective_bp=_basis_points(_EXACT.subtract(grown, Decimal(1))),
        days_earlier=days_earlier,
    )


def _basis_points(rate: Decimal) -> int:
    return int(_EXACT.multiply(rate, Decimal(10_000)).to_integral_value(rounding=ROUND_HALF_UP))
