"""What a kept version of an object lacks, taken from the version after it.

Belongs here: that rule, and the rate of exchange by it. Does not: which lack stops a calculation (`home_currency.py`,
`postings.py`).

Versions are kept for ever. One that lacks what a figure needs would stop every later week too, although the object was
mended in QuickBooks as the message said. Only what is so in the newest version, of an object that is still there, can be
mended by a person, and only that may stop anything.
"""

from collections.abc import Callable, Sequence

from resources.qbo.columns import Version
from resources.qbo.fields import QboObject
from resources.qbo.home_currency import currency_of, lacks_rate
from resources.qbo.transactions import Transaction


def completed(
    versions: Sequence[Version],
    *,
    lacks: Callable[[QboObject], bool],
    from_later: Callable[[QboObject, QboObject], QboObject],
) -> list[Version]:
    """The versions, those that lack something with what the next one of the same object has.

    One that the next one cannot complete is left out: the object was deleted, or has another currency by now. The
    newest of each object stays as it is. An object's versions have to come oldest knowledge first.

    This looks ahead: a past week is told with what became known later. The amounts of the version are its own, though, and
    without it that week could not be told at all.
    """
    later: dict[tuple[str, str], QboObject] = {}
    kept = []
    for known_at, found in reversed(versions):
        key = (found.entity, found.id)
        whole = from_later(found, later[key]) if key in later and lacks(found) else found
        if key in later and lacks(whole):
            continue
        later[key] = whole
        kept.append((known_at, whole))
    return kept[::-1]


def with_rates(versions: Sequence[Version], *, home_currency: str) -> list[Version]:
    """The versions, foreign ones without a rate of exchange with that of the next version in the same currency."""

    def from_later(found: QboObject, later: QboObject) -> QboObject:
        assert isinstance(found, Transaction), "what lacks a rate"
        if not isinstance(later, Transaction):
            return found
        is_same = currency_of(later, home_currency=home_currency) == currency_of(found, home_currency=home_currency)
        return found.model_copy(update={"exchange_rate": later.exchange_rate}) if is_same else found

    return completed(
        versions, lacks=lambda found: lacks_rate(found, home_currency=home_currency), from_later=from_later
    )
