"""A bank beside the books: it moves money on instruction, knows each one's key, settles a day later, may give money back.

Belongs here: instructions and their states. Does not: HTTP (``bank_api.py``), the books: a bank knows nothing of bills.
"""

import itertools
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta

SETTLES_AFTER = timedelta(days=1)


@dataclass(slots=True, kw_only=True)
class Instruction:
    """Money that was told to move."""

    id: str
    key: str
    amount_cents: int
    account_ending: str
    accepted_at: datetime
    returned_because: str | None = None

    def to_json(self, *, now: datetime) -> dict[str, object]:
        """As the bank tells of it."""
        settles_at = self.accepted_at + SETTLES_AFTER
        is_settled = self.returned_because is None and now >= settles_at
        return {
            "id": self.id,
            "key": self.key,
            "amount_cents": self.amount_cents,
            "account_ending": self.account_ending,
            "state": "returned" if self.returned_because else "settled" if is_settled else "accepted",
            "returned_because": self.returned_because,
            "accepted_at": self.accepted_at.isoformat(),
            "settled_at": settles_at.isoformat() if is_settled else None,
        }


class Bank:
    """The instructions of every company; they end with the program."""

    def __init__(self) -> None:
        self._instructions: dict[str, list[Instruction]] = defaultdict(list)
        self._numbers = itertools.count(1)

    def accept(self, realm: str, *, key: str, amount_cents: int, account_ending: str, at: datetime) -> Instruction:
        """Move money; the same key a second time moves it a second time: remembering keys is the interface's."""
        made = Instruction(
            id=f"bank-{next(self._numbers)}",
            key=key,
            amount_cents=amount_cents,
            account_ending=account_ending,
            accepted_at=at,
        )
        self._instructions[realm].append(made)
        return made

    def of(self, realm: str, *, key: str | None = None) -> list[Instruction]:
        """The instructions of a company, or those of one key."""
        return [one for one in self._instructions[realm] if key is None or one.key == key]

    def give_back(self, realm: str, instruction_id: str, *, because: str) -> Instruction | None:
        """Return an instruction's money, as a bank does whose customer's account is closed."""
        found = next((one for one in self._instructions[realm] if one.id == instruction_id), None)
        if found is not None:
            found.returned_because = because
        return found
