"""Contacts, bills, plan and defects of the trial company, each with sensible values that a test overrides."""

from datetime import date, timedelta
from typing import Any

from experiences.digest.build import Priorities
from runway_calcs.bills.discount_yield import DiscountYield
from runway_calcs.bills.priority import BillPriority, HardDate, HardDateKind
from runway_calcs.collection.customer_delays import Delay
from runway_calcs.collection.priority import (
    CollectionPriority,
    Contact,
    ContactInvoice,
    ContactState,
    PriorityState,
)
from runway_calcs.hygiene.defects import Defect, DefectKind, Effect, EffectState, Severity
from runway_calcs.pay_plan.plan import PayPlan, PlanState
from runway_calcs.pay_plan.reasons import Outcome, PlannedBill, PlannedPayment
from runway_calcs.pay_plan.solver import Stop

FRIDAY = date(2026, 11, 20)


def make_priorities(**overrides: Any) -> Priorities:
    """Two contacts, a discount, a plan that pays one bill and lets one wait, two defects."""
    values: dict[str, Any] = {
        "collections": make_collections(),
        "bills": (make_bill_priority(),),
        "plan": make_plan(),
        "defects": (
            make_defect(),
            make_defect(object_id="31", label="Invoice 1070 of Castellan Homes", effect=NOT_KNOWN),
        ),
        "set_aside": 1,
        "score": 84,
    }
    return Priorities(**{**values, **overrides})


def make_collections(*, name: str = "Northwind Outfitters", **overrides: Any) -> CollectionPriority:
    """A list of two customers before a low point."""
    contacts = tuple(
        Contact(
            customer_id=customer,
            customer_name=customer,
            state=ContactState.LISTED,
            value_cents=value,
            expected_cents=0,
            open_cents=1_240_000,
            overdue_cents=1_240_000,
            is_unusual=True,
            contacted_on=None,
            invoices=(make_contact_invoice(),),
            reasons=(),
        )
        for customer, value in ((name, 310_020), ("Elm Street Dental", 41_000))
    )
    values: dict[str, Any] = {
        "as_of": FRIDAY,
        "low_on": FRIDAY + timedelta(days=25),
        "state": PriorityState.OK,
        "contacts": contacts,
        "left_out": (),
        "assumption": "of the customers contacted 75 % pay 1 to 14 days earlier",
    }
    return CollectionPriority(**{**values, **overrides})


def make_contact_invoice(
    *,
    number: str = "1042",
    late: int = 21,
    usual: int | None = 9,
    is_unusual: bool = False,
    is_disputed: bool = False,
) -> ContactInvoice:
    """An open invoice of a customer who usually pays nine days late."""
    return ContactInvoice(
        invoice_id=number,
        doc_number=number,
        due_date=FRIDAY - timedelta(days=late),
        open_cents=1_240_000,
        collectible_cents=1_240_000,
        value_cents=1,
        is_disputed=is_disputed,
        delay=Delay(
            days_late=late, usual_days_late=usual, paid_invoices=14, is_unusual=is_unusual, is_unseen=False, reason=""
        ),
        reason="",
    )


def make_bill_priority(**overrides: Any) -> BillPriority:
    """A bill with a discount that still stands."""
    values: dict[str, Any] = {
        "bill_id": "b1",
        "party_id": "v1",
        "party_name": "Lindqvist Media Buying",
        "open_cents": 925_050,
        "tier": 2,
        "overdue_days": -3,
        "pay_on": FRIDAY + timedelta(days=3),
        "next_on": FRIDAY + timedelta(days=4),
        "score": 12,
        "parts": (),
        "hard_dates": (HardDate(on=FRIDAY + timedelta(days=3), kind=HardDateKind.DISCOUNT),),
        "latest_safe_on": FRIDAY + timedelta(days=3),
        "discount_cents": 18_501,
        "discount_yield": DiscountYield(simple_bp=3_724, effective_bp=4_459, days_earlier=20),
        "is_liquidity_breach": False,
        "breach_cents": 0,
    }
    return BillPriority(**{**values, **overrides})


def make_plan(*, vendor: str = "Harbor Print Works", **overrides: Any) -> PayPlan:
    """Pays one bill on Monday and lets one that is past due wait."""
    paid = make_planned_bill(bill_id="b1", vendor="Lindqvist Media Buying", paid_in=3, due_in=3, cents=925_050)
    waits = make_planned_bill(bill_id="b0", vendor=vendor, paid_in=14, due_in=-12, cents=184_000, cost=1_210)
    values: dict[str, Any] = {
        "as_of": FRIDAY,
        "state": PlanState.OPTIMAL,
        "words": "optimal",
        "cost_micro": 1_210_000_000,
        "bound_micro": 1_210_000_000,
        "gap_ppm": 0,
        "stop": next(iter(Stop)),
        "is_repeatable": True,
        "shortfall": None,
        "bills": (paid, waits),
        "balance_cents": tuple(7_000_000 - 10_000 * day for day in range(91)),
        "low_cents": 6_100_000,
        "low_on": FRIDAY + timedelta(days=91),
    }
    return PayPlan(**{**values, **overrides})


def make_planned_bill(
    *, bill_id: str, vendor: str, paid_in: int, due_in: int, cents: int, cost: int = 0
) -> PlannedBill:
    """A bill that the plan pays in whole on a day."""
    return PlannedBill(
        bill_id=bill_id,
        party_id=vendor,
        party_name=vendor,
        tier=2,
        due_on=FRIDAY + timedelta(days=due_in),
        open_cents=cents,
        credit_cents=0,
        payments=(PlannedPayment(paid_on=FRIDAY + timedelta(days=paid_in), cash_cents=cents, settles_cents=cents),),
        unpaid_cents=0,
        outcome=Outcome.WAITS if cost else Outcome.PAID,
        waiting_cost_cents=cost,
        blocked_on=None,
        blocked_cents=0,
        reason="",
    )


NOT_KNOWN = Effect(
    state=EffectState.NOT_COMPUTABLE, runway_days=None, is_bound=False, low_water_cents=None, reason="not known"
)


def make_defect(**overrides: Any) -> Defect:
    """A bill without a due date whose correction moves the runway by three days."""
    values: dict[str, Any] = {
        "kind": DefectKind.MISSING_DUE_DATE,
        "severity": Severity.BLOCKING,
        "object_type": "Bill",
        "object_id": "30",
        "label": "Bill 88120 of Lindqvist Media Buying",
        "what": "It has no due date: the day on which money moves is a guess.",
        "evidence": (),
        "related_ids": (),
        "amount_cents": 925_050,
        "age_days": 27,
        "is_open": True,
        "correction": None,
        "remedy": "Enter the due date that the document states; 30 days after its date, by its terms, is 2026-12-02.",
        "effect": Effect(
            state=EffectState.VALUE, runway_days=3, is_bound=False, low_water_cents=120_000, reason="recomputed"
        ),
    }
    return Defect(**{**values, **overrides})
