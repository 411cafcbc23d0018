"""One amount of the layers (a) and (b): what it is, when it is expected, and whether that day is certain.

Belongs here: the value and its order. Does not: finding the items (``document_items.py``, ``balance_items.py``,
``recurring_items.py``), drawing their days (``simulation.py``).
"""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from runway_calcs.flow_kinds import KIND_NUMBER, FlowKind, Layer


class Dating(StrEnum):
    """Where the day of an item comes from."""

    CERTAIN = "certain"
    """The same day in every draw."""
    CUSTOMER = "customer"
    """Drawn from the payment timing of receivables ..."""
    VENDOR = "vendor"
    """... or of payables."""
    SERIES = "series"
    """The rhythm of its series, with the spread that was seen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DatedItem:
    """One expected amount and where it comes from."""

    item_id: str
    """Unique within a forecast; draws depend on it, so an item keeps its draws whatever is beside it."""
    layer: Layer
    kind: FlowKind
    amount_cents: int
    """In positive, out negative."""
    expected_on: date
    """The certain day, or for a drawn one the day that the document or series says: due, or by the rhythm."""
    dating: Dating
    label: str
    """Party, account or series."""
    party_id: str
    txn_type: str
    """QBO kind of the document behind it; empty without one."""
    txn_id: str
    doc_number: str
    stream: str
    """The series of a recurring item; empty otherwise."""
    reason: str
    """Why this day and amount."""
    not_before: date | None = None
    """A person put it off until this day: no draw has it earlier."""


def item_order(item: DatedItem) -> tuple[date, int, str, str]:
    """The order of items everywhere: day, kind, label, id."""
    return (item.expected_on, KIND_NUMBER[item.kind], item.label, item.item_id)
