"""Open bills that a plan leaves alone, each with the reason.

Belongs here: the value type and its words. Does not: finding them (the payment ledger, ``runway_calcs/hygiene``).
"""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

import pandas as pd

from runway_calcs.pay_plan.reasons import day_words, money


class WhyApart(StrEnum):
    """Why a bill, or a part of it, is not planned."""

    DECIDED = "decided"
    """A person decided on it: it is paid on its decided day, and the cash of the plan is without it."""
    PROBABLY_DEAD = "probably dead"
    """Open so long that it is more often paid, void or lost than still to come; the cash of the plan is not lowered for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnplannedBill:
    """An open bill, or the part of one, that stands beside the plan."""

    bill_id: str
    party_id: str
    party_name: str
    doc_number: str
    cents: int
    """Positive: what of the open amount is not planned."""
    why: WhyApart
    on: date | None
    """The decided day; None for a bill that is probably dead."""
    reason: str
    """For a reader: "not planned: decided, 812.00 on 4 Dec"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DecidedPart:
    """What is decided of a bill."""

    cents: int
    """What the payments take off it."""
    on: date
    """The day of the last of them."""


def bills_apart(
    open_items: pd.DataFrame, *, decided: Mapping[str, DecidedPart], dead: Mapping[str, int]
) -> tuple[UnplannedBill, ...]:
    """The open bills that are decided or probably dead, by reason and id; one decided in part may be dead for the rest.

    Args:
        open_items: what ``open_items(..., side="payables")`` returned.
        decided: by bill id; what exceeds the open amount is no part of it.
        dead: days past its date of each bill that is probably dead, by id.
    """
    found = []
    for row in open_items[open_items["txn_type"] == "Bill"].sort_values("qbo_id").to_dict("records"):
        bill_id, cents = str(row["qbo_id"]), int(row["open_cents"])
        ruled = decided.get(bill_id)
        taken = min(ruled.cents, cents) if ruled is not None else 0
        if ruled is not None:
            words = f"not planned: decided, {money(taken)} on {day_words(ruled.on)}"
            found.append(_apart(row, cents=taken, why=WhyApart.DECIDED, on=ruled.on, reason=words))
        if bill_id in dead and taken < cents:
            words = f"not planned: open {dead[bill_id]} days past its date, more often paid, void or lost than still to come"
            found.append(_apart(row, cents=cents - taken, why=WhyApart.PROBABLY_DEAD, on=None, reason=words))
    return tuple(sorted(found, key=lambda one: (one.why is not WhyApart.DECIDED, one.on or date.max, one.bill_id)))


def _apart(row: Mapping[Hashable, object], *, cents: int, why: WhyApart, on: date | None, reason: str) -> UnplannedBill:
    return UnplannedBill(
        bill_id=str(row["qbo_id"]),
        party_id=str(row["party_id"]),
        party_name=str(row["party_name"]),
        doc_number=str(row["doc_number"]),
        cents=cents,
        why=why,
        on=on,
        reason=reason,
    )
