"""Priorities and the pay plan as assets: what waiting costs, whom a contact moves, which bills on which days.

Belongs here: joining open bills with what people and payments decided, and the forecast's draws with whom they concern.
Does not: arithmetic (`runway_calcs`), decisions and payments (`payments/`).

They are made in the op of the calculators, whose forecast and draws they start from.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta

import numpy as np
import pandas as pd

from assets.books import home_currency
from assets.desk import Desk, WeekTable, result_schema
from assets.forecast_inputs import forecasting
from assets.known_payments import decided_parts, delayed_until, known_payments, used_credits
from assets.tenants import Metadata
from experiences.console.document import MOST_BILLS
from runway_calcs.bills.payables import Tier
from runway_calcs.bills.payables_of_books import PayableDecisions, Payables, VendorTerms, payables_of_books
from runway_calcs.bills.payment_days import banking_days
from runway_calcs.bills.priority import BillPriority, bill_priorities
from runway_calcs.bills.vendor_facts import vendor_facts
from runway_calcs.bills.vendor_tiers import TierSuggestion, suggested_tier
from runway_calcs.books.payment_history import payment_history
from runway_calcs.cents import median_half_up
from runway_calcs.collection.priority import CollectionPriority, collection_priority
from runway_calcs.forecast.current import Forecasting, cautious_inflows, committed_outflows
from runway_calcs.forecast.expected_payments import ExpectedPayment
from runway_calcs.forecast.kept_money import committed_released, decided_beside_reserves, left_for_bills
from runway_calcs.forecast.simulation import LATER, document_days
from runway_calcs.forecast.what_if_draws import WhatIfDraws, what_if_draws
from runway_calcs.hygiene.assessment import Hygiene
from runway_calcs.hygiene.defects import DefectKind
from runway_calcs.pay_plan.apart import UnplannedBill, bills_apart
from runway_calcs.pay_plan.cash import CashPath
from runway_calcs.pay_plan.plan import PayPlan, pay_plan
from runway_calcs.pay_plan.vendor_reserves import VendorReserve
from runway_calcs.policy import CollectionLiftPolicy, PlanPolicy, TierPolicy, WaitingPolicy

_SUPPORTED = (
    "books/documents",
    "books/applications",
    "books/terms",
    "books/open_bills",
    "books/open_invoices",
    "runway/cash_forecast",
    "runway/expected_payments",
)
_OF_BILLS = (*_SUPPORTED, "runway/hygiene", "priority/vendor_tiers")


def _vendor_tiers(desk: Desk) -> Metadata:
    facts = vendor_facts(
        desk.frame("books/bill_lines"),
        desk.frame("books/documents"),
        desk.frame("books/applications"),
        accounts=desk.frame("books/accounts"),
        parties=desk.frame("books/parties"),
        terms=desk.frame("books/terms"),
        at=desk.at,
    )
    found = tuple(suggested_tier(one, policy=TierPolicy()) for one in facts)
    return desk.put_records("priority/vendor_tiers", found, kind=TierSuggestion)


def _bill_priorities(desk: Desk) -> Metadata:
    base = forecasting(desk)
    found: tuple[BillPriority, ...] = ()
    if base.forecast.floor_cents is not None and base.simulation is not None:
        found = bill_priorities(
            _payables(desk).bills,
            as_of=desk.at.as_of,
            spendable_cents=base.simulation.opening_cents
            - base.forecast.floor_cents
            - decided_beside_reserves(base.simulation),
            waiting=WaitingPolicy(),
            days=banking_days(currency=home_currency(desk), as_of=desk.at.as_of),
        )
    return desk.put_records("priority/bills", found, kind=BillPriority)


def _pay_plan(desk: Desk) -> Metadata:
    base = forecasting(desk)
    path = cash_path(base)
    found = []
    if path is not None:
        payables = _payables(desk)
        plan = pay_plan(
            payables.bills,
            as_of=desk.at.as_of,
            cash=path,
            vendor_credits=payables.vendor_credits,
            waiting=WaitingPolicy(),
            days=banking_days(currency=home_currency(desk), as_of=desk.at.as_of),
            policy=PlanPolicy(),
            apart=_apart(desk),
            reserves=vendor_reserves(base),
        )
        found.append(plan)
    return desk.put_records("priority/pay_plan", found, kind=PayPlan)


def _collections(desk: Desk) -> Metadata:
    base = forecasting(desk)
    notes = desk.installation.entries.notes(desk.week.tenant.tenant_id, recorded_until=desk.week.known_until)
    open_invoices = desk.frame("books/open_invoices")
    found = collection_priority(
        open_invoices,
        payment_history(
            desk.frame("books/documents"), desk.frame("books/applications"), side="receivables", at=desk.at
        ),
        invoice_draws(base, open_invoices),
        as_of=desk.at.as_of,
        low_on=base.forecast.low.on if base.forecast.low is not None else None,
        disputed_invoice_ids=frozenset(one.invoice_id for one in notes if one.kind == "disputed"),
        contacted_on={one.customer_id: one.contacted_on for one in notes if one.contacted_on is not None},
        policy=CollectionLiftPolicy(),
    )
    return desk.put_result("priority/collections", found)


def _what_if(desk: Desk) -> Metadata:
    base = forecasting(desk)
    shown = frozenset(one.bill_id for one in desk.records("priority/bills", BillPriority)[:MOST_BILLS])
    found = []
    if base.simulation is not None:
        found.append(what_if_draws(base.simulation, as_of=desk.at.as_of, bill_ids=shown))
    return desk.put_records("priority/what_if", found, kind=WhatIfDraws)


def cash_path(base: Forecasting) -> CashPath | None:
    """The cash that bills may be paid from: cautious receipts, all payments but open bills, and what reserves give free for them.

    None without a cash figure. A day of a stream may run against its direction (a refund among payments): it counts on the
    other side.
    """
    if base.simulation is None or base.forecast.floor_cents is None:
        return None
    received, paid = cautious_inflows(base.simulation), committed_outflows(base.simulation)
    days = tuple(zip(received, paid, committed_released(base.simulation), strict=True))
    return CashPath(
        first_on=base.forecast.as_of + timedelta(days=1),
        opening_cents=base.simulation.opening_cents,
        floor_cents=base.forecast.floor_cents,
        inflow_cents=tuple(max(0, i) + max(0, -o) + free for i, o, free in days),
        outflow_cents=tuple(max(0, o) + max(0, -i) for i, o, _ in days),
    )


def vendor_reserves(base: Forecasting) -> tuple[VendorReserve, ...]:
    """What reserves keep for the bills that are to be planned; it is no part of the cash path."""
    found = () if base.simulation is None else left_for_bills(base.simulation)
    return tuple(VendorReserve(vendor_ids=one.vendor_ids, cents=one.held_cents) for one in found)


def invoice_draws(base: Forecasting, open_invoices: pd.DataFrame) -> pd.DataFrame:
    """Days of payment of each open invoice by draw; an invoice that credits settle, or without a forecast, comes never."""
    drawn = {} if base.simulation is None else document_days(base.simulation)
    count = 1 if base.simulation is None else base.simulation.draws
    never = np.full(count, LATER, dtype="int64")
    ids = [str(one) for one in open_invoices.loc[open_invoices["txn_type"] == "Invoice", "qbo_id"]]
    rows = [drawn.get(f"Invoice:{one}", never) for one in ids]
    return pd.DataFrame(np.array(rows, dtype="int64").reshape(len(ids), count), index=ids)


def _apart(desk: Desk) -> tuple[UnplannedBill, ...]:
    """The open bills that are decided, and those that are probably dead."""
    decided = decided_parts(known_payments(desk), at=desk.at)
    return bills_apart(desk.frame("books/open_bills"), decided=decided, dead=_dead_bills(desk))


def _dead_bills(desk: Desk) -> Mapping[str, int]:
    """Days past its date of each bill that the tray calls more likely paid, void or lost; not of those a person ruled alive."""
    entries, tenant = desk.installation.entries, desk.week.tenant.tenant_id
    ruled = entries.rulings(tenant, recorded_until=desk.week.known_until)
    alive = {(one.defect_kind, one.object_type, one.object_id) for one in ruled if one.until is None}
    open_bills = desk.frame("books/open_bills")
    overdue = open_bills[open_bills["txn_type"] == "Bill"].set_index("qbo_id")["overdue_days"]
    return {
        one.object_id: int(overdue[one.object_id])
        for one in desk.result("runway/hygiene", Hygiene).defects
        if one.kind is DefectKind.FAR_PAST and one.object_type == "Bill" and one.key not in alive
    }


def _decisions(desk: Desk, *, vendors: Mapping[str, VendorTerms]) -> PayableDecisions:
    """What people recorded about the open bills, in entries and in the payment ledger."""
    known = known_payments(desk)
    return PayableDecisions(
        vendors=vendors,
        unapproved_bill_ids=known.unapproved_bill_ids,
        excluded_bill_ids=frozenset(_dead_bills(desk)),
        decided_cents={bill_id: one.cents for bill_id, one in decided_parts(known, at=desk.at).items()},
        used_credit_cents=used_credits(known, at=desk.at),
        not_before=delayed_until(known),
    )


def _payables(desk: Desk) -> Payables:
    """The open bills that are neither decided nor probably dead, with discounts, tiers and how late each vendor is usually paid."""

    def made() -> Payables:
        entries, tenant = desk.installation.entries, desk.week.tenant.tenant_id
        tiers = {one.vendor_id: Tier(one.tier) for one in entries.tiers(tenant, recorded_until=desk.week.known_until)}
        suggested = {one.party_id: one for one in desk.records("priority/vendor_tiers", TierSuggestion)}
        usual = _usual_days_late(desk.records("runway/expected_payments", ExpectedPayment))
        vendors = {
            one: _vendor_terms(tiers.get(one), suggested.get(one), usual_days_late=usual.get(one, 0))
            for one in sorted({*tiers, *suggested, *usual})
        }
        return payables_of_books(
            desk.frame("books/open_bills"),
            desk.frame("books/documents"),
            desk.frame("books/terms"),
            at=desk.at,
            decisions=_decisions(desk, vendors=vendors),
        )

    return desk.once("payables", made)


def _vendor_terms(tier: Tier | None, suggested: TierSuggestion | None, *, usual_days_late: int) -> VendorTerms:
    """What a person set goes before what the facts suggest."""
    if tier is None and suggested is not None:
        return VendorTerms(tier=suggested.tier, suggestion=suggested.reason, usual_days_late=usual_days_late)
    return VendorTerms(tier=Tier.NORMAL if tier is None else tier, usual_days_late=usual_days_late)


def _usual_days_late(payments: Sequence[ExpectedPayment]) -> Mapping[str, int]:
    """The median habit with each vendor, as the forecast found it."""
    by_vendor: dict[str, list[int]] = {}
    for one in payments:
        if one.side == "payables" and one.usual_days_late is not None:
            by_vendor.setdefault(one.party_id, []).append(one.usual_days_late)
    return {vendor: median_half_up(sorted(days)) for vendor, days in by_vendor.items()}


PRIORITIES = (
    WeekTable(
        key="priority/vendor_tiers",
        description="Which tier the facts about each vendor suggest: accounts of its bills, terms, history of paying late, "
        "form 1099. What a person set goes before it.",
        deps=(
            "books/bill_lines",
            "books/documents",
            "books/applications",
            "books/accounts",
            "books/parties",
            "books/terms",
        ),
        columns=result_schema(TierSuggestion),
        work=_vendor_tiers,
    ),
    WeekTable(
        key="priority/bills",
        description="Open bills by what a day of waiting costs, with reasons that add up, hard dates and the latest safe "
        "day. No row without a forecast.",
        deps=_OF_BILLS,
        columns=result_schema(BillPriority),
        work=_bill_priorities,
    ),
    WeekTable(
        key="priority/pay_plan",
        description="Which bills are paid on which days so that waiting costs least and the cautious balance stays above "
        "the floor, with its proof. No row without a forecast.",
        deps=_OF_BILLS,
        columns=result_schema(PayPlan),
        work=_pay_plan,
    ),
    WeekTable(
        key="priority/collections",
        description="Customers with open invoices by how much cash a contact today is expected to move before the low point.",
        deps=_SUPPORTED,
        columns=result_schema(CollectionPriority),
        work=_collections,
    ),
    WeekTable(
        key="priority/what_if",
        description="A hundred of the forecast's courses without the open bills, and the days on which each bill is drawn to be "
        "paid: what a page needs to answer a what-if at once. No row without a forecast.",
        deps=("runway/cash_forecast", "priority/bills"),
        columns=result_schema(WhatIfDraws),
        work=_what_if,
    ),
)
