"""What a console shows of the payment ledger as its week knew it: free cash and what holds the rest.

Belongs here: the shape of these facts and the sums they keep. Does not: the ledger, which decides at any moment; the bills and
their plan (``document.py``).
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from experiences.digest.comparison import require
from runway_calcs.forecast.what_if_draws import WhatIfEffect

HoldState = Literal["soft", "pending", "posted"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsoleAccount:
    """One cash account: free = basis - floor - reserves - decided - paid and not in a balance yet, payroll counted once."""

    account_id: str
    name: str
    basis_cents: int
    floor_cents: int
    reserved_cents: int
    pending_cents: int
    posted_cents: int
    free_cents: int
    read_started_at: datetime

    def __post_init__(self) -> None:
        spoken_for = self.reserved_cents + self.pending_cents + self.posted_cents
        least = self.basis_cents - self.floor_cents - spoken_for
        # Where the floor is the next payroll, a payroll reserve is part of it: at most the floor is counted once less.
        require(least <= self.free_cents <= least + self.floor_cents, "free cash is what nothing is kept for")


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsoleHold:
    """Money set aside for a decided payment."""

    bill_id: str
    vendor: str
    """The bill's id where the books no longer have it open."""
    doc_number: str
    account_id: str
    amount_cents: int
    pay_on: date
    state: HoldState
    """`soft`: set aside later; `pending`: set aside; `posted`: paid, and no balance shows it yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsoleReserve:
    """Cash put by for a purpose."""

    reserve_id: str
    kind: str
    name: str
    account_id: str
    held_cents: int
    committed_cents: int
    """Drawn by decided payments that the books do not have yet; in the holds, not in `held_cents`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsoleStaged:
    """A proposal: it holds nothing back."""

    bill_id: str
    vendor: str
    doc_number: str
    amount_cents: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsoleLedger:
    """The payment ledger as it had taken in the week's books."""

    accounts: tuple[ConsoleAccount, ...]
    """Those that are cash, by id."""
    holds: tuple[ConsoleHold, ...]
    """By day and bill."""
    reserves: tuple[ConsoleReserve, ...]
    """By id."""
    staged: tuple[ConsoleStaged, ...]
    """By bill."""
    free_cents: int
    """Of all accounts."""
    staged_on: date | None
    """The day on which the staged bills are supposed to be paid for their effect; None without any, or without a forecast."""
    staged_effect: WhatIfEffect | None
    """What paying them then would change in the forecast, in which decided payments are already."""
    audit_number: int = 0
    """How far the ledger's log had come when the week's books were read; 0 before its first row."""
    audit_hash: str = ""
    """Of that row, and by it of all before: kept here, a log that was written anew does not have it."""

    def __post_init__(self) -> None:
        require(bool(self.accounts), "free cash is of an account")
        require(self.free_cents == sum(one.free_cents for one in self.accounts), "free cash adds up over accounts")
        ids = {one.account_id for one in self.accounts}
        for name, states in (("pending_cents", {"pending"}), ("posted_cents", {"posted"})):
            held = sum(one.amount_cents for one in self.holds if one.state in states and one.account_id in ids)
            require(held == sum(getattr(one, name) for one in self.accounts), "holds add up to what the accounts say")
        put_by = sum(one.held_cents for one in self.reserves if one.account_id in ids)
        require(put_by == sum(one.reserved_cents for one in self.accounts), "reserves add up to what the accounts say")
        require((self.staged_on is None) == (self.staged_effect is None), "an effect is of a day")
