"""Money that is kept for some vendors, and the planned bills that it pays.

Belongs here: which bill gets how much of it, and what its ways then take of the cash that all bills compete for. Does not:
what a reserve has left beside decided payments (``runway_calcs/forecast/kept_money.py``).

A rule and no choice of the plan, as with credits: the money goes to the vendors' bills in the order they are due. It is used on the
day on which the plan pays the bill and not before, so no other bill is ever paid from it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from runway_calcs.bills.payables import PayableBill
from runway_calcs.pay_plan.options import BillWays, Way


@dataclass(frozen=True, slots=True, kw_only=True)
class VendorReserve:
    """Cash beside the plan's opening balance that is kept for bills of some vendors."""

    vendor_ids: frozenset[str]
    cents: int
    """Positive."""


def kept_for(bills: Iterable[PayableBill], reserves: Iterable[VendorReserve]) -> Mapping[str, int]:
    """Cents that reserves keep for each bill, by id, at most what is open of it.

    None for a bill that may be paid in parts: it is planned from free cash alone, which takes too much and never too little.
    """
    left = [(one.vendor_ids, one.cents) for one in reserves]
    kept: dict[str, int] = {}
    for bill in sorted(bills, key=lambda one: (one.due_on, one.bill_id)):
        for place, (vendors, cents) in enumerate(left):
            if bill.may_part_pay or bill.party_id not in vendors:
                continue
            used = min(cents, bill.open_cents - kept.get(bill.bill_id, 0))
            left[place] = (vendors, cents - used)
            if used:
                kept[bill.bill_id] = kept.get(bill.bill_id, 0) + used
    return kept


def with_reserves(found: Sequence[BillWays], reserves: Iterable[VendorReserve]) -> tuple[BillWays, ...]:
    """The same ways, each taking of the plan's cash only what no reserve keeps for its bill."""
    kept = kept_for((one.bill for one in found), reserves)
    return tuple(
        replace(one, ways=tuple(_less(way, kept.get(one.bill.bill_id, 0)) for way in one.ways)) for one in found
    )


def _less(way: Way, kept_cents: int) -> Way:
    used = min(way.cents, kept_cents)
    return way._replace(cents=way.cents - used, reserve_cents=used)
