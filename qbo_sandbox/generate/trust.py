"""Client money: held in a trust account, never the company's cash until it is earned.

Belongs here: retainers in, earned fees transferred to checking, what is left paid out again.
Does not: invoices of the same clients (``invoices.py``).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, time

import numpy as np

from qbo_sandbox.generate.chart import CHECKING, TRUST, TRUST_INCOME, TRUST_LIABILITY, account_ref
from qbo_sandbox.generate.draws import between, pick, shares, split_cents
from qbo_sandbox.generate.office import DAY, business_day_from
from qbo_sandbox.generate.parties import Customer
from qbo_sandbox.generate.plan import Plan
from qbo_sandbox.generate.timeline import Entry, Json, expense_line, journal_line, money

_EARNED_KEYED_AT = time(11, 0)
_EARNED_BOOKED_AT = time(11, 2)
_PAID_OUT_CHANCE = 0.6
_SMALLEST_CENTS = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class _Matter:
    """One retainer: what of it is earned, and what is left for the client."""

    name: str
    customer: Customer
    opened_on: date
    earned_on: date
    earned: int
    left: int


def trust_entries(plan: Plan, customers: Sequence[Customer]) -> Iterator[Entry]:
    """The client money of every matter.

    A matter pays out at most what came in before, so the account cannot go negative.
    """
    if not plan.industry.trust_share:
        return
    rng = plan.rng("trust")
    for month in plan.months():
        count = max(1, month.count(rng, plan.size.trust_matters))
        earned = split_cents(plan.sales_cents(month, plan.industry.trust_share), shares(rng, count, spread=0.5))
        for number, (day, cents) in enumerate(zip(month.some_days(rng, count), earned, strict=True)):
            opened_on = business_day_from(day)
            matter = _Matter(
                name=f"{month.first:%Y-%m}/{number + 1}",
                customer=pick(rng, customers),
                opened_on=opened_on,
                earned_on=business_day_from(opened_on + DAY * between(rng, 5, 40)),
                earned=max(cents, _SMALLEST_CENTS),
                left=round(max(cents, _SMALLEST_CENTS) * float(rng.uniform(0.1, 0.8))),
            )
            yield _retainer(plan, rng, matter)
            yield _transfer(plan, matter)
            yield _income(plan, matter)
            if float(rng.random()) < _PAID_OUT_CHANCE:
                yield _paid_out(plan, rng, matter)


def _retainer(plan: Plan, rng: np.random.Generator, matter: _Matter) -> Entry:
    line: Json = {
        "DetailType": "DepositLineDetail",
        "Amount": money(matter.earned + matter.left),
        "Description": f"Retainer, matter {matter.name}",
        "DepositLineDetail": {
            "AccountRef": account_ref(TRUST_LIABILITY),
            "Entity": {**matter.customer.ref, "type": "CUSTOMER"},
        },
    }
    day = matter.opened_on
    body: Json = {"DepositToAccountRef": account_ref(TRUST), "TxnDate": day.isoformat(), "Line": [line]}
    at = plan.office.working_moment(rng, day)
    return Entry(at=at, on=day, entity="Deposit", key=f"trust:in:{matter.name}", body=body)


def _transfer(plan: Plan, matter: _Matter) -> Entry:
    day = matter.earned_on
    body: Json = {
        "FromAccountRef": account_ref(TRUST),
        "ToAccountRef": account_ref(CHECKING),
        "Amount": money(matter.earned),
        "TxnDate": day.isoformat(),
        "PrivateNote": f"Earned fees, matter {matter.name}",
    }
    return Entry(
        at=plan.office.at(day, _EARNED_KEYED_AT),
        on=day,
        entity="Transfer",
        key=f"trust:earned:{matter.name}",
        body=body,
        cash_cents=matter.earned,
    )


def _income(plan: Plan, matter: _Matter) -> Entry:
    day = matter.earned_on
    body: Json = {
        "TxnDate": day.isoformat(),
        "PrivateNote": f"Earned fees, matter {matter.name}",
        "Line": [
            journal_line(account_ref(TRUST_LIABILITY), matter.earned),
            journal_line(account_ref(TRUST_INCOME), -matter.earned),
        ],
    }
    at = plan.office.at(day, _EARNED_BOOKED_AT)
    return Entry(at=at, on=day, entity="JournalEntry", key=f"trust:income:{matter.name}", body=body)


def _paid_out(plan: Plan, rng: np.random.Generator, matter: _Matter) -> Entry:
    day = business_day_from(matter.earned_on + DAY * between(rng, 3, 30))
    body: Json = {
        "AccountRef": account_ref(TRUST),
        "PaymentType": "Check",
        "EntityRef": {**matter.customer.ref, "type": "Customer"},
        "TxnDate": day.isoformat(),
        "PrivateNote": f"Unused retainer returned, matter {matter.name}",
        "Line": [expense_line(account_ref(TRUST_LIABILITY), matter.left)],
    }
    at = plan.office.working_moment(rng, day)
    return Entry(at=at, on=day, entity="Purchase", key=f"trust:out:{matter.name}", body=body)
