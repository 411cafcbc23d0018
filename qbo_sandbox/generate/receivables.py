"""How invoices are settled: payments, part payments, overpayments, credit memos.

Belongs here: when each customer pays, by its habit, and the Payment and CreditMemo entries that follow.
Does not: the habits themselves (``habits.py``), banking the cheques (``deposits.py``).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

import numpy as np

from qbo_sandbox.generate.chart import CHECKING, account_ref, setup_moment
from qbo_sandbox.generate.draws import between, pick
from qbo_sandbox.generate.habits import pays_on
from qbo_sandbox.generate.invoices import Invoice, draw_invoices, sales_line
from qbo_sandbox.generate.office import DAY, after_business_days, business_day_from
from qbo_sandbox.generate.parties import Customer
from qbo_sandbox.generate.plan import Plan
from qbo_sandbox.generate.timeline import Entry, Json, linked, money

_PART_PAID_CHANCE = 0.035
_OVERPAID_CHANCE = 0.012
_CREDIT_CHANCE = 0.025
# What becomes of a credit memo: used in the payment, linked by a payment of zero, or left open.
_USED_IN_PAYMENT, _LINKED_BY_ZERO_PAYMENT = 0.4, 0.75
_LINK_NOTE = "Created by QB Online to link credits to charges."


@dataclass(slots=True, kw_only=True)
class _Settlement:
    """What one customer settles on one day."""

    customer: Customer
    on: date
    # Nothing can be settled before the last of these was entered.
    after: datetime
    invoices: list[tuple[str, int]] = field(default_factory=list)
    credits: list[tuple[str, int]] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """One invoice's share of a settlement."""

    on: date
    cents: int
    credit: tuple[str, int] | None = None


def receivable_entries(plan: Plan, customers: Sequence[Customer]) -> Iterator[Entry]:
    """Invoices, credit memos and payments of the whole history."""
    rng = plan.rng("receivables")
    settlements: dict[tuple[str, date], _Settlement] = {}
    for invoice in draw_invoices(plan, customers):
        entries, parts = _settled(plan, rng, invoice)
        if invoice.on < plan.start and any(part.on <= plan.start for part in parts):
            continue  # settled in the previous books
        yield invoice.entry
        yield from entries
        for part in parts:
            _add(settlements, invoice, part, [entry.at for entry in entries])
    # An exact order: customers are met in the order of their invoices.
    for number, settlement in enumerate(sorted(settlements.values(), key=lambda one: (one.on, one.customer.key))):
        yield _payment(plan, rng, settlement, number + 1)


def _settled(plan: Plan, rng: np.random.Generator, invoice: Invoice) -> tuple[list[Entry], list[_Part]]:
    """The credit memo of an invoice, if any, and the parts in which the customer settles it."""
    # A brought-over invoice was keyed in long after its date; it may well have been paid in the previous books.
    known_on = plan.office.day(invoice.at) if invoice.on >= plan.start else invoice.on
    habit = invoice.customer.habit
    day = pays_on(habit, rng, due=invoice.due, not_before=known_on + DAY)
    disputed = float(rng.random()) < habit.dispute_chance
    if day is None:
        return [], []
    if disputed:
        day = business_day_from(day + DAY * between(rng, 20, 55))
    if disputed or float(rng.random()) < _CREDIT_CHANCE:
        return _settled_with_credit(plan, rng, invoice, max(day, after_business_days(known_on, 4)))
    if float(rng.random()) < _PART_PAID_CHANCE:
        first = round(invoice.cents * float(rng.uniform(0.35, 0.7)))
        later = business_day_from(day + DAY * between(rng, 12, 40))
        return [], [_Part(on=day, cents=first), _Part(on=later, cents=invoice.cents - first)]
    return [], [_Part(on=day, cents=invoice.cents)]


def _settled_with_credit(
    plan: Plan, rng: np.random.Generator, invoice: Invoice, day: date
) -> tuple[list[Entry], list[_Part]]:
    cents = max(100, round(invoice.cents * float(rng.uniform(0.05, 0.3))))
    fate = float(rng.random())
    used = fate < _LINKED_BY_ZERO_PAYMENT
    # A credit that is used was given before the payment; one given out of goodwill afterwards stays open.
    given_on = _back_business_days(day, between(rng, 1, 2)) if used else after_business_days(day, between(rng, 2, 10))
    memo = _credit_memo(plan, rng, invoice, on=given_on, cents=cents)
    if not used:
        return [memo], [_Part(on=day, cents=invoice.cents)]
    if fate < _USED_IN_PAYMENT:
        return [memo], [_Part(on=day, cents=invoice.cents, credit=(memo.key, cents))]
    link = _zero_payment(invoice, memo, cents)
    return [memo, link], [_Part(on=day, cents=invoice.cents - cents)]


def _back_business_days(day: date, count: int) -> date:
    for _ in range(count):
        day -= DAY * (3 if day.weekday() == 0 else 1)
    return day


def _credit_memo(plan: Plan, rng: np.random.Generator, invoice: Invoice, *, on: date, cents: int) -> Entry:
    body: Json = {
        "CustomerRef": invoice.customer.ref,
        "TxnDate": on.isoformat(),
        "DocNumber": f"CM-{invoice.key.rpartition(':')[2]}",
        "PrivateNote": pick(rng, ("Price agreed after delivery", "Scope reduced", "Goodwill")),
        "Line": [sales_line("Allowance", 1, cents)],
    }
    at = plan.office.working_moment(rng, on) if on >= plan.start else setup_moment(plan) + timedelta(hours=1)
    return Entry(at=at, on=on, entity="CreditMemo", key=f"credit_memo:{invoice.key}", body=body)


def _zero_payment(invoice: Invoice, memo: Entry, cents: int) -> Entry:
    body: Json = {
        "CustomerRef": invoice.customer.ref,
        "TxnDate": memo.on.isoformat(),
        "TotalAmt": money(0),
        "PrivateNote": _LINK_NOTE,
        "Line": [linked(invoice.key, "Invoice", cents), linked(memo.key, "CreditMemo", cents)],
    }
    at = memo.at + timedelta(seconds=40)
    return Entry(at=at, on=memo.on, entity="Payment", key=f"payment:link:{memo.key}", body=body)


def _add(
    settlements: dict[tuple[str, date], _Settlement], invoice: Invoice, part: _Part, entered: Sequence[datetime]
) -> None:
    after = max([invoice.at, *entered]) if part.credit else invoice.at
    place = (invoice.customer.key, part.on)
    if place not in settlements:
        settlements[place] = _Settlement(customer=invoice.customer, on=part.on, after=after)
    settlement = settlements[place]
    settlement.after = max(settlement.after, after)
    settlement.invoices.append((invoice.key, part.cents))
    if part.credit is not None:
        settlement.credits.append(part.credit)


def _payment(plan: Plan, rng: np.random.Generator, settlement: _Settlement, number: int) -> Entry:
    customer = settlement.customer
    due_cents = sum(cents for _, cents in settlement.invoices) - sum(cents for _, cents in settlement.credits)
    overpaid = between(rng, 20, 400) * 100 if float(rng.random()) < _OVERPAID_CHANCE else 0
    total = due_cents + overpaid
    at = plan.office.working_moment(rng, after_business_days(settlement.on, pick(rng, (0, 0, 0, 1, 2))))
    at = max(at, settlement.after + timedelta(minutes=5))
    lines = [linked(key, "Invoice", cents) for key, cents in settlement.invoices]
    lines += [linked(key, "CreditMemo", cents) for key, cents in settlement.credits]
    body: Json = {
        "CustomerRef": customer.ref,
        "TxnDate": settlement.on.isoformat(),
        "TotalAmt": money(total),
        "PaymentRefNum": str(number * 7 % 9000 + 1000),
        "Line": lines,
    }
    if customer.pays_by_transfer:
        body["DepositToAccountRef"] = account_ref(CHECKING)
    return Entry(
        at=at,
        on=settlement.on,
        entity="Payment",
        key=f"payment:{number}",
        body=body,
        cash_cents=total if customer.pays_by_transfer else 0,
        undeposited_cents=0 if customer.pays_by_transfer else total,
    )
