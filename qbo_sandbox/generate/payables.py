"""What the company owes its vendors: bills, and the credits vendors give.

Belongs here: planning bills with their dates, terms and late keying, vendor credits, and their entries.
Does not: paying them (``bill_payments.py``), spoiling them (``defects.py``).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np

from qbo_sandbox.generate.chart import RENT, TERMS, account_ref, setup_moment, term_ref
from qbo_sandbox.generate.draws import Spread, between, shares, split_cents
from qbo_sandbox.generate.office import DAY, after_business_days, business_day_from
from qbo_sandbox.generate.parties import DuplicateVendor, Parties, Vendor
from qbo_sandbox.generate.plan import Plan
from qbo_sandbox.generate.timeline import Entry, Json, expense_line

# Late keying as measured on real ledgers: a quarter five days or more after the bill date, one in twenty 36 or more.
# Weekends push another few per cent past four days.
_KEYED_AFTER_4_DAYS = 0.27
_KEYED_AFTER_35_DAYS = 0.05
_LATEST_KEYED_DAYS = 64
_TWIN_CHANCE = 0.35
_CREDIT_CHANCE = 0.035
_CREDIT_KEPT_OPEN = 0.4
_FORGOTTEN_CHANCE = 0.012
_SMALLEST_CENTS = 2_000
RENT_DUE_DAYS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """A bill as planned; ``pay_from`` is the day from which the company means to pay it, None for never."""

    key: str
    vendor: Vendor
    on: date
    due: date | None
    at: datetime
    cents: int
    doc_number: str
    discount_cents: int
    discount_until: date | None
    pay_from: date | None

    @property
    def entry(self) -> Entry:
        """The entry of the bill."""
        body: Json = {
            "VendorRef": self.vendor.ref,
            "TxnDate": self.on.isoformat(),
            "Line": [expense_line(account_ref(self.vendor.account), self.cents)],
        }
        if self.doc_number:
            body["DocNumber"] = self.doc_number
        if self.due is not None:
            body |= {"DueDate": self.due.isoformat(), "SalesTermRef": term_ref(self.vendor.terms)}
        return Entry(at=self.at, on=self.on, entity="Bill", key=self.key, body=body)


@dataclass(frozen=True, slots=True, kw_only=True)
class VendorCredit:
    """A credit of a vendor; ``kept_open`` credits are forgotten in the file."""

    key: str
    vendor: Vendor
    at: datetime
    cents: int
    kept_open: bool
    entry: Entry


def draw_bills(plan: Plan, parties: Parties) -> list[Bill]:
    """The bills of the history and those still open from the month before, in order of bill date."""
    rng = plan.rng("bills")
    keyed = Spread(plan.rng("late keying"))
    twins = {duplicate.original.key: duplicate for duplicate in parties.duplicates}
    suppliers = parties.suppliers
    cumulative = np.cumsum([vendor.weight for vendor in suppliers])
    bills: list[Bill] = []
    for month in plan.months(lead=1):
        bills.append(_rent_bill(plan, rng, parties.landlord, month.first))
        season = plan.season(month.first)
        count = max(1, month.count(rng, plan.monthly.bills, season=season))
        budget = round(plan.spending.bills / 12 * season * month.part)
        amounts = split_cents(budget, shares(rng, count, spread=0.7))
        choices = np.searchsorted(cumulative, rng.random(count) * cumulative[-1])
        for day, cents, choice in zip(month.some_days(rng, count), amounts, choices, strict=True):
            vendor = suppliers[min(int(choice), len(suppliers) - 1)]
            vendor = _maybe_twin(rng, vendor, twins.get(vendor.key), day)
            bills.append(
                _bill(plan, rng, keyed, vendor=vendor, on=day, cents=max(cents, _SMALLEST_CENTS), number=len(bills))
            )
    return [bill for bill in bills if bill.on >= plan.start or _still_open(bill, plan.start)]


def _still_open(bill: Bill, start: date) -> bool:
    return bill.pay_from is None or bill.pay_from >= start


def _maybe_twin(rng: np.random.Generator, vendor: Vendor, duplicate: DuplicateVendor | None, day: date) -> Vendor:
    takes_twin = float(rng.random()) < _TWIN_CHANCE
    if duplicate is None or not takes_twin or day < duplicate.created_on:
        return vendor
    return duplicate.twin


def _rent_bill(plan: Plan, rng: np.random.Generator, landlord: Vendor, first: date) -> Bill:
    keyed_on = after_business_days(first, int(rng.integers(2)))
    return Bill(
        key=f"bill:rent:{first.isoformat()}",
        vendor=landlord,
        on=first,
        due=first + DAY * RENT_DUE_DAYS,
        at=_keyed_at(plan, rng, first, keyed_on),
        cents=plan.spending.rent // 12,
        doc_number=f"RENT-{first:%Y-%m}",
        discount_cents=0,
        discount_until=None,
        pay_from=first,
    )


def _bill(
    plan: Plan, rng: np.random.Generator, keyed: Spread, *, vendor: Vendor, on: date, cents: int, number: int
) -> Bill:
    terms = TERMS[vendor.terms]
    due = on + DAY * terms.due_days
    # Rent is keyed in on time, so the other bills carry its share of the late ones.
    position = keyed.next() / (1 + 1 / plan.monthly.bills)
    keyed_on = business_day_from(on + DAY * _keying_lag(rng, position))
    discount_until = on + DAY * terms.discount_days if terms.discount_percent and vendor.discount_taken else None
    pay_from = due + DAY * (vendor.stretched_days - 6)
    if discount_until is not None and keyed_on < discount_until:
        pay_from = keyed_on
    return Bill(
        key=f"bill:{number}",
        vendor=vendor,
        on=on,
        due=due,
        at=_keyed_at(plan, rng, on, keyed_on),
        cents=cents,
        doc_number=f"{vendor.name[:2].upper()}{20000 + number * 13}",
        discount_cents=cents * terms.discount_percent // 100,
        discount_until=discount_until,
        pay_from=None if float(rng.random()) < _FORGOTTEN_CHANCE else pay_from,
    )


def _keying_lag(rng: np.random.Generator, position: float) -> int:
    if position < _KEYED_AFTER_35_DAYS:
        return between(rng, 36, _LATEST_KEYED_DAYS)
    if position < _KEYED_AFTER_4_DAYS:
        return min(33, 5 + int(rng.exponential(7.0)))
    return between(rng, 0, 4)


def _keyed_at(plan: Plan, rng: np.random.Generator, on: date, keyed_on: date) -> datetime:
    moment = plan.office.working_moment(rng, keyed_on)
    if on >= plan.start:
        return moment
    return max(moment, setup_moment(plan) + timedelta(minutes=40, seconds=int(rng.integers(60))))


def draw_vendor_credits(plan: Plan, bills: Sequence[Bill]) -> list[VendorCredit]:
    """Credits that vendors give some days after a bill."""
    rng = plan.rng("vendor credits")
    given: list[VendorCredit] = []
    for bill in bills:
        if bill.vendor.account == RENT or float(rng.random()) >= _CREDIT_CHANCE:
            continue
        at = plan.office.working_moment(rng, after_business_days(plan.office.day(bill.at), between(rng, 1, 12)))
        on = plan.office.day(at)
        cents = max(500, round(bill.cents * float(rng.uniform(0.05, 0.3))))
        key = f"vendor_credit:{bill.key}"
        body: Json = {
            "VendorRef": bill.vendor.ref,
            "TxnDate": on.isoformat(),
            "DocNumber": f"CR-{bill.doc_number}",
            "Line": [expense_line(account_ref(bill.vendor.account), cents, memo="Goods returned")],
        }
        entry = Entry(at=at, on=on, entity="VendorCredit", key=key, body=body)
        kept_open = float(rng.random()) < _CREDIT_KEPT_OPEN
        given.append(VendorCredit(key=key, vendor=bill.vendor, at=at, cents=cents, kept_open=kept_open, entry=entry))
    return given
