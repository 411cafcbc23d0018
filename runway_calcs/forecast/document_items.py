"""Open bills and invoices as items of the forecast, each cent once.

Belongs here: bills with a decision, credits set against the earliest of what is not decided, date overrides.
Does not: the days on which they are paid (``payment_timing.py``), series (``recurring_items.py``).
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

import pandas as pd

from runway_calcs.flow_kinds import FlowKind, Layer
from runway_calcs.forecast.dated_items import DatedItem, Dating, item_order
from runway_calcs.forecast.earmarks import Delay, Hold
from runway_calcs.forecast.known_items import DateOverride

_HELD = "hold:"


def held_item_id(hold_id: str) -> str:
    """The item that pays a hold."""
    return f"{_HELD}{hold_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentItems:
    """The items of open documents, and the credits that they leave over."""

    items: tuple[DatedItem, ...]
    unused_vendor_credit_cents: int
    """Vendor credits that exceed the vendor's open bills: no refund is assumed. Positive."""
    unused_customer_credit_cents: int
    """Customer credits that exceed the customer's open invoices. Positive."""

    def held_vendors(self) -> dict[str, str]:
        """Vendor id of each hold that is an item here, by hold id."""
        held = (item for item in self.items if item.kind is FlowKind.HELD_BILL)
        return {item.item_id.removeprefix(_HELD): item.party_id for item in held}


def document_items(
    *,
    payables: pd.DataFrame,
    receivables: pd.DataFrame,
    overrides: Mapping[tuple[str, str], DateOverride],
    holds: Sequence[Hold],
    delays: Sequence[Delay] = (),
    as_of: date,
) -> DocumentItems:
    """Every open bill and invoice, less credits.

    A held bill leaves the open bills by the held amount and appears once, as its hold, with the cash that was decided.
    Credits that no decision uses reduce the earliest items of the same party by due date that are not decided; what they
    exceed is no flow. An override makes a day certain; a decision is stronger, that to put a bill off, too.
    """
    next_day = as_of + timedelta(days=1)
    bills = _open(payables, txn_type="Bill", kind=FlowKind.BILL, dating=Dating.VENDOR)
    invoices = _open(receivables, txn_type="Invoice", kind=FlowKind.INVOICE, dating=Dating.CUSTOMER)
    bills, held = _without_held(bills, holds, next_day=next_day)
    bills, left_vendor = _less_credits(bills, _credits(payables, holds=holds))
    invoices, left_customer = _less_credits(invoices, _credits(receivables))
    put_off = {f"Bill:{one.bill_id}": one.until for one in delays}
    dated = [_delayed(_overridden(item, overrides), put_off) for item in [*bills, *invoices]]
    return DocumentItems(
        items=tuple(sorted([*dated, *held], key=item_order)),
        unused_vendor_credit_cents=left_vendor,
        unused_customer_credit_cents=left_customer,
    )


def _open(items: pd.DataFrame, *, txn_type: str, kind: FlowKind, dating: Dating) -> list[DatedItem]:
    rows = items[(items["txn_type"] == txn_type) & (items["open_cents"] > 0)]
    due = rows["due_date"].where(rows["due_date"].notna(), rows["txn_date"]).dt.date
    sign = -1 if kind is FlowKind.BILL else 1
    columns = ["qbo_id", "party_id", "party_name", "doc_number", "open_cents"]
    return [
        DatedItem(
            item_id=f"{txn_type}:{qbo_id}",
            layer=Layer.DOCUMENTS,
            kind=kind,
            amount_cents=sign * int(cents),
            expected_on=day,
            dating=dating,
            label=party_name,
            party_id=party_id,
            txn_type=txn_type,
            txn_id=qbo_id,
            doc_number=doc_number,
            stream="",
            reason=f"due {day}",
        )
        for day, (qbo_id, party_id, party_name, doc_number, cents) in zip(
            due, rows[columns].itertuples(index=False, name=None), strict=True
        )
    ]


def _credits(items: pd.DataFrame, *, holds: Sequence[Hold] = ()) -> dict[str, int]:
    """Open credit of each party that no decision uses, positive."""
    rows = items.loc[items["open_cents"] < 0, ["txn_type", "qbo_id", "party_id", "open_cents"]]
    used = Counter[tuple[str, str]]()
    for credit_id, cents in (one for hold in holds for one in hold.credits):
        used["VendorCredit", credit_id] += cents
    found: Counter[str] = Counter()
    for txn_type, qbo_id, party_id, cents in rows.itertuples(index=False, name=None):
        found[str(party_id)] += max(-int(cents) - used[txn_type, qbo_id], 0)
    return found


def _less_credits(items: Iterable[DatedItem], credits_: Mapping[str, int]) -> tuple[list[DatedItem], int]:
    """The items after each party's credit has settled its earliest ones, and the credit that is left."""
    left, found = dict(credits_), []
    for item in sorted(items, key=item_order):
        used = min(left.get(item.party_id, 0), abs(item.amount_cents))
        if not used:
            found.append(item)
            continue
        left[item.party_id] -= used
        rest = item.amount_cents - used if item.amount_cents > 0 else item.amount_cents + used
        if rest:
            found.append(replace(item, amount_cents=rest, reason=f"{item.reason}, less open credit"))
    return found, sum(left.values())


def _overridden(item: DatedItem, overrides: Mapping[tuple[str, str], DateOverride]) -> DatedItem:
    one = overrides.get((item.txn_type, item.txn_id))
    if one is None:
        return item
    reason = f"{one.author} expects {one.expected_on}: {one.reason}" if one.reason else f"{one.author} expects this day"
    return replace(item, expected_on=one.expected_on, dating=Dating.CERTAIN, reason=reason)


def _delayed(item: DatedItem, put_off: Mapping[str, date]) -> DatedItem:
    until = put_off.get(item.item_id)
    if until is None:
        return item
    on = max(item.expected_on, until) if item.dating is Dating.CERTAIN else item.expected_on
    return replace(item, expected_on=on, not_before=until, reason=f"{item.reason}, put off until {until}")


def _without_held(
    bills: Iterable[DatedItem], holds: Sequence[Hold], *, next_day: date
) -> tuple[list[DatedItem], list[DatedItem]]:
    """What of the bills is not decided, and the decided payments; a hold on no open bill is no flow."""
    by_id = {item.item_id: item for item in bills}
    held = []
    for hold in sorted(holds, key=lambda one: (one.on, one.hold_id)):
        bill = by_id.get(f"Bill:{hold.bill_id}")
        if bill is None or hold.amount_cents <= 0:
            continue
        cents = min(hold.cash_cents, -bill.amount_cents)
        held.append(
            replace(
                bill,
                item_id=held_item_id(hold.hold_id),
                kind=FlowKind.HELD_BILL,
                amount_cents=-cents,
                expected_on=max(hold.on, next_day),
                dating=Dating.CERTAIN,
                reason=f"decided for {hold.on}",
            )
        )
        by_id[bill.item_id] = replace(bill, amount_cents=min(bill.amount_cents + hold.amount_cents, 0))
    return [item for item in by_id.values() if item.amount_cents], [item for item in held if item.amount_cents]
