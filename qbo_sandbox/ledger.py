"""The bitemporal ledger: balances now, and every posting with the span of time in which the books held it.

Belongs here: entering and retiring the effect of one version of a transaction, and the running sums. Does not: objects,
ids and links as the API shows them (``company.py``), truth for past days (``truth.py``).

Open amounts are a by-product of one rule: a transaction opens with its exposure to a party, and an application moves
the same cents between two transactions of that party. So the open amounts of a party always sum to its balance.
"""

from collections import defaultdict
from dataclasses import dataclass

from qbo_sandbox.postings import Effect


@dataclass(slots=True, kw_only=True)
class Entry:
    """One version of one transaction as the books held it from ``entered`` until ``until``."""

    entity: str
    txn_id: str
    party_id: str
    txn_date: str
    due_date: str
    doc_number: str
    effect: Effect
    entered: int
    # For each application: +1 where it settles a charge, -1 where it uses a credit.
    signs: tuple[int, ...]
    until: int | None = None

    def held_at(self, instant: int) -> bool:
        """Whether the books held this version at an instant."""
        return self.entered <= instant and (self.until is None or instant < self.until)


class Ledger:
    """Running sums over the entries in force, and all entries ever made."""

    __slots__ = ("balances", "deposited", "entries", "open", "parties", "settled")

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.balances: defaultdict[str, int] = defaultdict(int)  # account: debits less credits
        self.parties: defaultdict[str, int] = defaultdict(int)  # what we owe a vendor, what a customer owes us
        self.open: defaultdict[tuple[str, str], int] = defaultdict(int)  # (transaction, party): signed open cents
        self.settled: dict[str, dict[str, int]] = {}  # target: {payment: cents}
        self.deposited: dict[str, str] = {}  # receipt: the deposit that took it to the bank

    def enter(self, entry: Entry) -> None:
        """Put a new version in force."""
        self.entries.append(entry)
        self._put_in_force(entry)

    def retire(self, entry: Entry, *, at: int) -> None:
        """Take a version out of force; it stays in the history."""
        entry.until = at
        self._apply(entry, -1)
        for _, target_id, _ in entry.effect.settles:
            self.settled[target_id].pop(entry.txn_id, None)
        for receipt in entry.effect.deposits:
            del self.deposited[receipt]

    def reinstate(self, entry: Entry) -> None:
        """Undo a ``retire`` whose successor was refused."""
        entry.until = None
        self._put_in_force(entry)

    def _put_in_force(self, entry: Entry) -> None:
        self._apply(entry, 1)
        for _, target_id, cents in entry.effect.settles:
            payers = self.settled.setdefault(target_id, {})
            payers[entry.txn_id] = payers.get(entry.txn_id, 0) + cents
        for receipt in entry.effect.deposits:
            self.deposited[receipt] = entry.txn_id

    def _apply(self, entry: Entry, direction: int) -> None:
        effect = entry.effect
        balances, parties, open_cents = self.balances, self.parties, self.open
        for account_id, cents in effect.postings:
            balances[account_id] += direction * cents
        for _, party_id, cents in effect.exposures:
            parties[party_id] += direction * cents
            open_cents[entry.txn_id, party_id] += direction * cents
        for (_, target_id, cents), sign in zip(effect.settles, entry.signs, strict=True):
            moved = direction * sign * cents
            open_cents[target_id, entry.party_id] -= moved
            open_cents[entry.txn_id, entry.party_id] += moved
