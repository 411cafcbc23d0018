"""Sales paid on the spot: the web shop's sales receipts and its refunds.

Belongs here: SalesReceipt and RefundReceipt entries. Does not: banking the receipts (``deposits.py``).
"""

from collections.abc import Iterator, Sequence
from datetime import date

import numpy as np

from qbo_sandbox.generate.chart import CHECKING, account_ref
from qbo_sandbox.generate.draws import between, pick, shares, split_cents
from qbo_sandbox.generate.invoices import sales_line, sales_lines
from qbo_sandbox.generate.office import DAY, business_day_from
from qbo_sandbox.generate.parties import Customer
from qbo_sandbox.generate.plan import Plan
from qbo_sandbox.generate.profiles import Offer
from qbo_sandbox.generate.timeline import Entry, Json

_REFUND_CHANCE = 0.03
_SMALLEST_CENTS = 1_500


def receipt_entries(plan: Plan, customers: Sequence[Customer]) -> Iterator[Entry]:
    """Receipts as the shop's nightly import brings them in, and the refunds that follow."""
    if not plan.industry.receipts_share:
        return
    rng = plan.rng("receipts")
    offers = _receipt_offers(plan)
    number = 0
    for month in plan.months():
        count = max(1, month.count(rng, plan.monthly.receipts, season=plan.season(month.first)))
        amounts = split_cents(plan.sales_cents(month, plan.industry.receipts_share), shares(rng, count, spread=0.6))
        for day, cents in zip(month.some_days(rng, count), amounts, strict=True):
            number += 1
            customer = pick(rng, customers)
            lines = sales_lines(rng, offers, max(cents, _SMALLEST_CENTS))
            receipt = _receipt(plan, customer, day=day, number=number, lines=lines)
            yield receipt
            if float(rng.random()) < _REFUND_CHANCE:
                yield _refund(plan, rng, customer, receipt)


def _receipt(plan: Plan, customer: Customer, *, day: date, number: int, lines: tuple[list[Json], int]) -> Entry:
    form_lines, total = lines
    body: Json = {
        "CustomerRef": customer.ref,
        "TxnDate": day.isoformat(),
        "DocNumber": f"W-{10000 + number}",
        "PrivateNote": "Imported from the web shop",
        "Line": form_lines,
    }
    at = plan.office.nightly_import(day + DAY, "web shop")
    key = f"sales_receipt:{number}"
    return Entry(at=at, on=day, entity="SalesReceipt", key=key, body=body, undeposited_cents=total)


def _receipt_offers(plan: Plan) -> Sequence[Offer]:
    return [offer for offer in plan.industry.offers if offer.income_account != "Wholesale Sales"]


def _refund(plan: Plan, rng: np.random.Generator, customer: Customer, receipt: Entry) -> Entry:
    cents = max(100, round(receipt.undeposited_cents * float(rng.uniform(0.3, 1.0))))
    day = business_day_from(receipt.on + DAY * between(rng, 2, 15))
    body: Json = {
        "CustomerRef": customer.ref,
        "TxnDate": day.isoformat(),
        "DepositToAccountRef": account_ref(CHECKING),
        "PrivateNote": f"Goods of {receipt.body['DocNumber']} returned",
        "Line": [sales_line("Allowance", 1, cents)],
    }
    key = f"refund:{receipt.key}"
    at = plan.office.working_moment(rng, day)
    return Entry(at=at, on=day, entity="RefundReceipt", key=key, body=body, cash_cents=-cents)
