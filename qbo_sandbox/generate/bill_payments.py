"""Pay runs: on fixed weekdays the company pays the bills it means to pay by then, one payment a vendor.

Belongs here: BillPayment entries and the discounts taken with them. Does not: which bills exist (``payables.py``).

An early-payment discount is booked as users of QuickBooks Online do, which has no discount on a bill payment: a vendor
credit of the discount on an income account, used as a line of the very payment that pays the bill.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

import numpy as np

from qbo_sandbox.generate.chart import CARD, CHECKING, PURCHASE_DISCOUNTS, account_ref
from qbo_sandbox.generate.draws import between
from qbo_sandbox.generate.office import DAY, days
from qbo_sandbox.generate.parties import Vendor
from qbo_sandbox.generate.payables import Bill, VendorCredit
from qbo_sandbox.generate.plan import Plan
from qbo_sandbox.generate.timeline import Entry, Json, expense_line, linked, money

_RUN_STARTS = time(14, 0)
_PART_PAID_CHANCE = 0.035
_OVERPAID_CHANCE = 0.006
_REST_PAID_AFTER_DAYS = 14


@dataclass(slots=True, kw_only=True)
class _Open:
    """A bill with what is still to pay, or a credit with what is still to use."""

    key: str
    cents: int
    ready_at: datetime


@dataclass(slots=True, kw_only=True)
class _OpenBill(_Open):
    bill: Bill


@dataclass(frozen=True, slots=True, kw_only=True)
class _Payment:
    """What one payment to one vendor is made of."""

    vendor: Vendor
    day: date
    at: datetime
    number: int
    bills: list[tuple[str, int]] = field(default_factory=list)
    credits: list[tuple[str, int]] = field(default_factory=list)

    @property
    def net_cents(self) -> int:
        return sum(cents for _, cents in self.bills) - sum(cents for _, cents in self.credits)


def bill_payment_entries(plan: Plan, bills: Sequence[Bill], vendor_credits: Sequence[VendorCredit]) -> Iterator[Entry]:
    """The payments of all pay runs, each after the discounts it takes."""
    rng = plan.rng("bill payments")
    waiting = [
        _OpenBill(key=bill.key, cents=bill.cents, ready_at=_ready_at(plan, bill.at, bill.pay_from), bill=bill)
        for bill in bills
        if bill.pay_from is not None
    ]
    usable: dict[str, list[_Open]] = defaultdict(list)
    for credit in vendor_credits:
        if not credit.kept_open:
            usable[credit.vendor.key].append(_Open(key=credit.key, cents=credit.cents, ready_at=credit.at))
    number = 0
    for day in days(plan.start, plan.as_of):
        if day.weekday() not in plan.size.pay_run_weekdays:
            continue
        starts = plan.office.at(day, _RUN_STARTS)
        ready = [open_bill for open_bill in waiting if open_bill.ready_at < starts]
        waiting = [open_bill for open_bill in waiting if open_bill.ready_at >= starts]
        for position, group in enumerate(_by_vendor(ready)):
            number += 1
            at = starts + timedelta(seconds=45 * position + 30)
            payment = _Payment(vendor=group[0].bill.vendor, day=day, at=at, number=number)
            waiting += _pay_bills(plan, rng, payment, group)
            yield from _discounts(payment, group)
            _use_credits(payment, usable[payment.vendor.key], before=starts)
            yield _entry(rng, payment)


def _ready_at(plan: Plan, entered: datetime, pay_from: date) -> datetime:
    return max(entered, plan.office.at(pay_from, time(0, 0)))


def _by_vendor(ready: Sequence[_OpenBill]) -> list[list[_OpenBill]]:
    groups: dict[str, list[_OpenBill]] = defaultdict(list)
    for open_bill in ready:
        groups[open_bill.bill.vendor.key].append(open_bill)
    return list(groups.values())


def _pay_bills(plan: Plan, rng: np.random.Generator, payment: _Payment, group: Sequence[_OpenBill]) -> list[_OpenBill]:
    """Pay the group's bills, one in thirty only in part; the rests, for a later run."""
    rests = []
    for open_bill in group:
        paid = open_bill.cents
        is_whole = paid == open_bill.bill.cents and not _takes_discount(open_bill.bill, payment.day)
        if is_whole and float(rng.random()) < _PART_PAID_CHANCE:
            paid = round(paid * float(rng.uniform(0.3, 0.7)))
            later = _ready_at(plan, payment.at, payment.day + DAY * _REST_PAID_AFTER_DAYS)
            rests.append(
                _OpenBill(key=open_bill.key, cents=open_bill.cents - paid, ready_at=later, bill=open_bill.bill)
            )
        payment.bills.append((open_bill.key, paid))
    return rests


def _takes_discount(bill: Bill, day: date) -> bool:
    return bill.discount_until is not None and day <= bill.discount_until and bill.discount_cents > 0


def _discounts(payment: _Payment, group: Sequence[_OpenBill]) -> Iterator[Entry]:
    for open_bill in group:
        bill = open_bill.bill
        if not _takes_discount(bill, payment.day):
            continue
        key = f"vendor_credit:discount:{bill.key}"
        body: Json = {
            "VendorRef": bill.vendor.ref,
            "TxnDate": payment.day.isoformat(),
            "DocNumber": f"DISC-{bill.doc_number}",
            "PrivateNote": "Early-payment discount",
            "Line": [expense_line(account_ref(PURCHASE_DISCOUNTS), bill.discount_cents, memo="Early-payment discount")],
        }
        payment.credits.append((key, bill.discount_cents))
        at = payment.at - timedelta(seconds=20)
        yield Entry(at=at, on=payment.day, entity="VendorCredit", key=key, body=body)


def _use_credits(payment: _Payment, usable: list[_Open], *, before: datetime) -> None:
    for credit in usable:
        cents = min(credit.cents, payment.net_cents) if credit.ready_at < before else 0
        if cents > 0:
            payment.credits.append((credit.key, cents))
            credit.cents -= cents


def _entry(rng: np.random.Generator, payment: _Payment) -> Entry:
    overpaid = between(rng, 5, 60) * 1000 if float(rng.random()) < _OVERPAID_CHANCE else 0
    total = payment.net_cents + overpaid
    lines = [linked(key, "Bill", cents) for key, cents in payment.bills]
    lines += [linked(key, "VendorCredit", cents) for key, cents in payment.credits]
    body: Json = {
        "VendorRef": payment.vendor.ref,
        "TxnDate": payment.day.isoformat(),
        "TotalAmt": money(total),
        "DocNumber": str(5000 + payment.number),
        "Line": lines,
    }
    by_card = payment.vendor.paid_by_card
    if by_card:
        body |= {"PayType": "CreditCard", "CreditCardPayment": {"CCAccountRef": account_ref(CARD)}}
    else:
        check = {"BankAccountRef": account_ref(CHECKING), "PrintStatus": "NotSet"}
        body |= {"PayType": "Check", "CheckPayment": check}
    return Entry(
        at=payment.at,
        on=payment.day,
        entity="BillPayment",
        key=f"bill_payment:{payment.number}",
        body=body,
        cash_cents=0 if by_card else -total,
        card_cents=-total if by_card else 0,
    )
