"""Money: whole cents inside, exact JSON numbers on the wire.

Belongs here: the two conversions. Does not: which fields hold money (``postings.py``).
"""

from decimal import Decimal

from qbo_sandbox.faults import QboFault

_CENT = Decimal("0.01")


def to_cents(value: object, *, element: str = "Amount") -> int:
    """Whole cents of a JSON number; a fraction of a cent is a fault, as the engine never rounds money away."""
    if type(value) is int:
        return value * 100
    if isinstance(value, Decimal) and value.is_finite():
        scaled = value.scaleb(2)
        cents = int(scaled)
        if cents == scaled:
            return cents
    raise QboFault.invalid_number(element=element, value=value)


def money(cents: int) -> Decimal | int:
    """The wire form of a total or balance: two decimals when there are cents, else a bare whole number."""
    whole, rest = divmod(cents, 100)
    return Decimal(cents).scaleb(-2) if rest else whole


def line_money(cents: int) -> Decimal | int:
    """The wire form of a line amount: always two decimals, except a bare zero."""
    return Decimal(cents).scaleb(-2).quantize(_CENT) if cents else 0
