"""What moves money: a rail takes an instruction under a key, and says what became of the keys it knows.

Belongs here: the protocol, what a rail declares, how it can fail. Does not: any rail; when to submit (`sending/drive.py`).

With `record_only` nobody here moves money: the finalizer says that the payment is made outside, and there is no rail leg.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, Protocol

from resources.errors import TenantError
from resources.tenants import TenantId

RECORD_ONLY = "record_only"


@dataclass(frozen=True, slots=True, kw_only=True)
class Abilities:
    """What a rail promises; a payment is sent again only on what is promised here."""

    #: How long a key that was taken is taken only once; None: never promised.
    remembers_keys_for: timedelta | None
    #: Whether `find` knows every instruction. Without it an unclear one is left to a person.
    can_be_searched: bool
    can_be_cancelled: bool
    #: Whether the money moves by the submission itself; else a person carries it to the bank and says so.
    instructs_at_once: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Instruction:
    """Money that a rail was told to move: told is not arrived."""

    remote_id: str
    key: str
    amount_cents: int
    state: Literal["accepted", "settled", "returned"]
    instructed_at: datetime
    settled_at: datetime | None = None
    returned_because: str = ""

    @property
    def stands(self) -> bool:
        """Whether the bank has not given the money back: what it gave back pays nothing."""
        return self.state != "returned"


class RailFailed(TenantError):
    """The rail did not answer, or not clearly: whether it took the instruction is not known."""


class RailBusy(RailFailed):
    """The rail said that it did nothing."""


class RailRefused(RailFailed):
    """The rail will not take this instruction."""


class Rail(Protocol):
    """A way to move money of one tenant."""

    @property
    def abilities(self) -> Abilities:
        """What it promises."""

    def submit(self, body: bytes, *, key: str, on_sent: Callable[[], None]) -> Instruction:
        """Hand over one instruction once; `RailFailed` and its kinds."""

    def find(self, key: str) -> Sequence[Instruction]:
        """What the rail has under a key: none, one or, if it went wrong, many."""


OpenRail = Callable[[TenantId, str], Rail | None]
"""A tenant's rail by its name; None where this installation does not have it."""
