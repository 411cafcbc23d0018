"""What could be done with the cash, as values that a scenario takes.

Belongs here: the actions and what each means. Does not: their effect (``runway_calcs/forecast/scenario.py``).

    PayBill     the bill (or a part of it) is paid on the day, or earlier where a draw has it earlier
    DelayBill   the bill is paid not before the day
    Collect     the invoice (or a part of it) is received on the day, or earlier where a draw has it earlier
    AddItem     an amount on a day that no document shows

Paying therefore never lengthens the runway, delaying and collecting never shorten it. A decided day, exactly, is a
``earmarks.Hold``.
"""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True, kw_only=True)
class PayBill:
    """Pay a bill by a day."""

    bill_id: str
    on: date
    amount_cents: int | None
    """Positive part; None = all that the forecast has open."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DelayBill:
    """Pay a bill on a day at the earliest."""

    bill_id: str
    until: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Collect:
    """Receive an invoice by a day."""

    invoice_id: str
    on: date
    amount_cents: int | None
    """Positive part; None = all that the forecast has open."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AddItem:
    """An amount on a day: in positive, out negative."""

    day: date
    amount_cents: int
    label: str


Action = PayBill | DelayBill | Collect | AddItem
