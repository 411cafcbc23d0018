"""From amounts on a document to whole cents of the company's home currency.

Belongs here: conversion with the document's own rate, rounding, which currency is home. Does not: which amounts count.
"""

from collections.abc import Iterable
from datetime import datetime
from decimal import ROUND_HALF_UP, Context, Decimal

from resources.errors import TenantError
from resources.qbo.fields import QboObject
from resources.qbo.list_objects import Preferences
from resources.qbo.transactions import Transaction

Version = tuple[datetime, QboObject]

_CENT = Decimal("0.01")
_ONE = Decimal(1)
#: Amounts have up to 13 digits, rates up to 9 before the point: wide enough that nothing but the last step rounds.
_EXACT = Context(prec=120, rounding=ROUND_HALF_UP)


class NotConvertible(TenantError):
    """An amount cannot be expressed in the home currency, or the home currency is not known."""


def cents(amount: Decimal, *, rate: Decimal = _ONE) -> int:
    """An amount times a rate in whole cents, half a cent rounded away from zero.

    QBO's own amounts have at most two decimals; what has more is a product of its arithmetic (0.1 + 0.2) or of a rate.
    """
    product = _EXACT.multiply(amount, rate)
    return int(_EXACT.quantize(product, _CENT).scaleb(2, context=_EXACT))


def rate_of(transaction: Transaction, *, home_currency: str) -> Decimal:
    """Home units for one unit of the document's currency."""
    if lacks_rate(transaction, home_currency=home_currency):
        raise NotConvertible(
            what=f"{transaction.entity} {transaction.id} is in a foreign currency and carries no rate of exchange.",
            next_step="Open and save it in QuickBooks, which fills in the rate; then run the sync again.",
        )
    return _ONE if transaction.exchange_rate is None else transaction.exchange_rate


def lacks_rate(found: QboObject, *, home_currency: str) -> bool:
    """Whether it is a transaction in a foreign currency without a rate."""
    return (
        isinstance(found, Transaction)
        and found.exchange_rate is None
        and currency_of(found, home_currency=home_currency) != home_currency
    )


def currency_of(transaction: Transaction, *, home_currency: str) -> str:
    """The document's currency; companies with one currency often leave it out."""
    return transaction.currency_ref.value if transaction.currency_ref else home_currency


def home_currency(versions: Iterable[Version]) -> str:
    """The company's home currency by the newest known version of its preferences."""
    newest = max(
        ((known_at, found) for known_at, found in versions if isinstance(found, Preferences)),
        key=lambda version: version[0],
        default=None,
    )
    prefs = newest[1].currency_prefs if newest else None
    if prefs is None or prefs.home_currency is None:
        raise NotConvertible(
            what="The company's preferences do not say which its home currency is.",
            next_step="Run `runway sync` again; if it repeats, look at the currency settings in QuickBooks.",
        )
    return prefs.home_currency.value
