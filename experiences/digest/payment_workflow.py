"""What of the payment workflow a digest tells: what is decided and not yet through, what is proposed, what is free.

Belongs here: the shape of these facts. Does not: the ledger, which decides at any moment; bill by bill (the console's document);
words (``money.py``).
"""

from dataclasses import dataclass

from experiences.digest.comparison import require


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """Some payments."""

    count: int
    cents: int

    def __post_init__(self) -> None:
        require(self.count > 0 or self.cents == 0, "no payments come to nothing")


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentWorkflow:
    """The payment ledger as it had taken in the week's books."""

    set_aside: Tally
    """Decided, and not in the books yet."""
    later: Tally
    """Decided, and set aside shortly before their day."""
    unsettled: Tally
    """In the books, and in no balance yet."""
    proposed: Tally
    """Staged: nothing is held back for them."""
    free_cents: int
    """Cash less the floors that people set on its accounts, reserves, and what is set aside or not in a balance yet."""

    overridden: int = 0
    """Decisions of the week for which a person set cash or the policy aside, and older ones of them that nobody confirmed."""
    unconfirmed: int = 0
    """Of these the ones that lack their second person."""

    def __post_init__(self) -> None:
        require(0 <= self.unconfirmed <= self.overridden, "what nobody confirmed was overridden")

    @property
    def is_quiet(self) -> bool:
        """Whether nothing is under way."""
        tallies = (self.set_aside, self.later, self.unsettled, self.proposed)
        return not self.overridden and not any(one.count for one in tallies)
