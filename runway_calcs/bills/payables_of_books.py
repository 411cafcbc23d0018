"""Open bills and credits of the books as priority and plan take them.

Belongs here: joining open items with terms and with what people decided about vendors and bills. Does not: which items are
open (``runway_calcs/books/open_items.py``); where the decisions are kept; suggesting tiers (``vendor_tiers.py``).
"""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

import pandas as pd

from runway_calcs.bills.payables import EarlyDiscount, LateFee, PayableBill, Tier, VendorCredit
from runway_calcs.books.as_of import DOCUMENT_KEY, LIST_KEY, AsOf, select_known

_PPM_PER_PERCENT = 10_000
_WHOLE_PPM = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class VendorTerms:
    """What is decided or known about paying a vendor."""

    tier: Tier = Tier.NORMAL
    suggestion: str = ""
    """The fact behind a tier that nobody set."""
    late_fee: LateFee | None = None
    """None: the policy's."""
    usual_days_late: int = 0
    may_part_pay: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PayableDecisions:
    """What people recorded; whatever is missing has its default."""

    vendors: Mapping[str, VendorTerms] = field(default_factory=dict)
    """By party id."""
    hard_dates: Mapping[str, date] = field(default_factory=dict)
    """By bill id."""
    unapproved_bill_ids: frozenset[str] = frozenset()
    excluded_bill_ids: frozenset[str] = frozenset()
    """Disputed, or probably dead: neither ranked nor planned."""
    decided_cents: Mapping[str, int] = field(default_factory=dict)
    """By bill id, what a decided payment takes off it: that part is paid on its decided day and not planned again."""
    used_credit_cents: Mapping[str, int] = field(default_factory=dict)
    """By QuickBooks' id of the vendor credit, what decided payments use of it."""
    not_before: Mapping[str, date] = field(default_factory=dict)
    """By bill id, the day until which a person put it off."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Payables:
    """What is open with vendors."""

    bills: tuple[PayableBill, ...]
    vendor_credits: tuple[VendorCredit, ...]
    """Vendor credits, and payments that have something left to apply."""


def payables_of_books(
    open_items: pd.DataFrame,
    documents: pd.DataFrame,
    terms: pd.DataFrame,
    *,
    at: AsOf,
    decisions: PayableDecisions,
) -> Payables:
    """The open bills with their discounts, and the open credits, by id.

    Args:
        open_items: what ``open_items(..., side="payables")`` returned at the same point of view.
        documents: every version of the documents (`term_id` is read).
        terms: every version of the terms; `discount_percent` is a decimal in text, `discount_days` -1 without one.
        at: the point of view.
        decisions: what people recorded.

    A bill without a due date counts as due on its own date. A discount stands for the whole open amount up to its last day,
    counted from the bill's date: with a part decided there is none. A bill that is decided in whole is left out.
    """
    known = select_known(documents, known_until=at.known_until, first_known_at=at.first_known_at, key=DOCUMENT_KEY)
    term_of = known[known["txn_type"] == "Bill"].set_index("qbo_id")["term_id"].to_dict()
    discounts = _discounts(terms, at=at)
    bills, owed = [], []
    for row in open_items.sort_values(["txn_type", "qbo_id"]).to_dict("records"):
        if row["open_cents"] < 0:
            credit_id = f"{row['txn_type']}:{row['qbo_id']}"
            cents = -int(row["open_cents"])
            if row["txn_type"] == "VendorCredit":
                cents -= decisions.used_credit_cents.get(row["qbo_id"], 0)
            if cents > 0:
                owed.append(VendorCredit(credit_id=credit_id, party_id=row["party_id"], open_cents=cents))
        elif row["qbo_id"] not in decisions.excluded_bill_ids and _left(row, decisions) > 0:
            offered = discounts.get(term_of.get(row["qbo_id"], ""))
            bills.append(_bill(row, offered=offered, decisions=decisions))
    return Payables(bills=tuple(bills), vendor_credits=tuple(owed))


def _left(row: Mapping[Hashable, object], decisions: PayableDecisions) -> int:
    """What is open of a bill and not decided on."""
    return int(str(row["open_cents"])) - decisions.decided_cents.get(str(row["qbo_id"]), 0)


def _discounts(terms: pd.DataFrame, *, at: AsOf) -> dict[str, tuple[int, int]]:
    """Share in ppm and days of each term that grants a discount."""
    known = select_known(terms, known_until=at.known_until, first_known_at=at.first_known_at, key=LIST_KEY)
    found = {}
    for row in known.to_dict("records"):
        share = int(Decimal(row["discount_percent"] or "0") * _PPM_PER_PERCENT)
        if row["discount_days"] >= 0 and 0 < share < _WHOLE_PPM:
            found[row["qbo_id"]] = (share, int(row["discount_days"]))
    return found


def _bill(
    row: Mapping[Hashable, object], *, offered: tuple[int, int] | None, decisions: PayableDecisions
) -> PayableBill:
    bill_id, party_id, dated, due = str(row["qbo_id"]), str(row["party_id"]), row["txn_date"], row["due_date"]
    assert isinstance(dated, pd.Timestamp)
    vendor = decisions.vendors.get(party_id, VendorTerms())
    discount = None
    if offered is not None and not decisions.decided_cents.get(bill_id):
        share, days = offered
        discount = EarlyDiscount(discount_ppm=share, last_on=dated.date() + timedelta(days=days))
    return PayableBill(
        bill_id=bill_id,
        party_id=party_id,
        party_name=str(row["party_name"]),
        open_cents=_left(row, decisions),
        due_on=due.date() if isinstance(due, pd.Timestamp) else dated.date(),
        tier=vendor.tier,
        suggestion=vendor.suggestion,
        discount=discount,
        late_fee=vendor.late_fee,
        hard_on=decisions.hard_dates.get(bill_id),
        usual_days_late=vendor.usual_days_late,
        is_approved=bill_id not in decisions.unapproved_bill_ids,
        may_part_pay=vendor.may_part_pay,
        not_before=decisions.not_before.get(bill_id),
    )
