"""Invoices: what is billed to whom, when and on which terms.

Belongs here: planning invoices and their entries. Does not: how they are settled (``receivables.py``).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np

from qbo_sandbox.generate.chart import TERMS, setup_moment, term_ref
from qbo_sandbox.generate.draws import between, pick, shares, split_cents
from qbo_sandbox.generate.office import DAY, after_business_days, business_day_until
from qbo_sandbox.generate.parties import Customer
from qbo_sandbox.generate.plan import Month, Plan
from qbo_sandbox.generate.profiles import Offer
from qbo_sandbox.generate.timeline import Entry, Json, money, ref

# Invoices of the four months before the history are imported if they were still open.
LEAD_MONTHS = 4
_MONTH_END_SHARE = 0.35
_SMALLEST_CENTS = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Invoice:
    """An invoice as planned; ``on`` is its date, ``at`` its entry."""

    key: str
    customer: Customer
    on: date
    due: date
    at: datetime
    cents: int
    entry: Entry


def draw_invoices(plan: Plan, customers: Sequence[Customer]) -> list[Invoice]:
    """The invoices of the history and its lead, in order of date."""
    rng = plan.rng("invoices")
    share = 1.0 - plan.industry.receipts_share - plan.industry.trust_share
    offers = _invoiced_offers(plan)
    cumulative = np.cumsum([customer.weight for customer in customers])
    invoices: list[Invoice] = []
    for month in plan.months(lead=LEAD_MONTHS):
        count = max(1, month.count(rng, plan.monthly.invoices, season=plan.season(month.first)))
        amounts = split_cents(plan.sales_cents(month, share), shares(rng, count, spread=0.6))
        choices = np.searchsorted(cumulative, rng.random(count) * cumulative[-1])
        for day, cents, choice in zip(_days(rng, month, count), amounts, choices, strict=True):
            customer = _still_invoiced(customers, min(int(choice), len(customers) - 1), day)
            number = len(invoices) + 1
            lines = sales_lines(rng, offers, max(cents, _SMALLEST_CENTS))
            invoices.append(_invoice(plan, rng, customer, on=day, number=number, lines=lines))
    return invoices


def _invoiced_offers(plan: Plan) -> Sequence[Offer]:
    """Where most sales are receipts, invoices are for the offers that are too big for a receipt."""
    offers = plan.industry.offers
    dear = [offer for offer in offers if offer.unit_price_cents > _SMALLEST_CENTS * 10]
    return dear if plan.industry.receipts_share else offers


def _days(rng: np.random.Generator, month: Month, count: int) -> list[date]:
    last = business_day_until(month.last)
    days = [
        last if at_end else day
        for at_end, day in zip(rng.random(count) < _MONTH_END_SHARE, month.some_days(rng, count), strict=True)
    ]
    return sorted(max(business_day_until(day), month.first) for day in days)


def _still_invoiced(customers: Sequence[Customer], choice: int, day: date) -> Customer:
    """The chosen customer, or the next one on the list that is still trusted with an invoice."""
    for step in range(len(customers)):
        customer = customers[(choice + step) % len(customers)]
        if customer.invoiced_until is None or day <= customer.invoiced_until:
            return customer
    return customers[choice]


def _invoice(
    plan: Plan, rng: np.random.Generator, customer: Customer, *, on: date, number: int, lines: tuple[list[Json], int]
) -> Invoice:
    due = on + DAY * TERMS[customer.terms].due_days
    form_lines, total = lines
    key = f"invoice:{number}"
    body: Json = {
        "CustomerRef": customer.ref,
        "TxnDate": on.isoformat(),
        "DueDate": due.isoformat(),
        "SalesTermRef": term_ref(customer.terms),
        "DocNumber": str(1000 + number),
        "Line": form_lines,
    }
    if on < plan.start:
        at = setup_moment(plan) + timedelta(minutes=30, seconds=number // 20)
        body["PrivateNote"] = "Open invoice brought over from the previous books"
    else:
        at = plan.office.working_moment(rng, after_business_days(on, pick(rng, (0, 0, 0, 0, 1, 2))))
    entry = Entry(at=at, on=on, entity="Invoice", key=key, body=body)
    return Invoice(key=key, customer=customer, on=on, due=due, at=at, cents=total, entry=entry)


def sales_lines(rng: np.random.Generator, offers: Sequence[Offer], cents: int) -> tuple[list[Json], int]:
    """Lines of about so many cents, and their exact sum."""
    count = min(between(rng, 1, 3), len(offers))
    first = between(rng, 0, len(offers) - 1)
    parts = split_cents(cents, shares(rng, count, spread=0.5))
    lines: list[Json] = []
    total = 0
    for step, part in enumerate(parts):
        offer = offers[(first + step) % len(offers)]
        quantity = max(1, round(part / offer.unit_price_cents))
        price = max(1, round(part / quantity))
        total += quantity * price
        lines.append(sales_line(offer.name, quantity, price, memo=offer.description))
    return lines, total


def sales_line(item: str, quantity: int, price_cents: int, *, memo: str = "") -> Json:
    """A line of a sales form: quantity times unit price is exactly the amount."""
    line: Json = {
        "DetailType": "SalesItemLineDetail",
        "Amount": money(quantity * price_cents),
        "SalesItemLineDetail": {
            "ItemRef": ref(f"item:{item}"),
            "Qty": quantity,
            "UnitPrice": money(price_cents),
            "TaxCodeRef": {"value": "NON"},
        },
    }
    if memo:
        line["Description"] = memo
    return line
