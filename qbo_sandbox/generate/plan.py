"""One company's plan: its dates, money and event counts, drawn once from profile and seed.

Belongs here: numbers that several nouns share, such as what a year of payroll costs and what remains for the rest.
Does not: single transactions.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

import numpy as np

from qbo_sandbox.generate.draws import between, stream, whole
from qbo_sandbox.generate.office import DAY, Office, month_length, months, months_before
from qbo_sandbox.generate.profiles import INDUSTRIES, SIZES, Industry, Mix, Size
from qbo_sandbox.spec import CompanySpec

HISTORY_MONTHS = 18
# The last import of the night is in by 04:30; what the day brings is not known at five.
LAST_ENTRY = time(5, 0)
EMPLOYER_TAX_RATE = 0.0765
WITHHELD_RATE = 0.24
PAYDAYS_A_YEAR = 26

# How the money that does not go to payroll is spent; bills take what remains.
_RENT_SHARE = 0.13
_SUBSCRIPTIONS_SHARE = 0.05
_TAXES_SHARE = 0.09
_CARD_SHARE = 0.16
_BANK_SHARE = 0.08

# Transactions that one event brings with it: an invoice its payment, a bill its share of a bill payment.
_PER_INVOICE = 1.95
_PER_RECEIPT = 1.05
_PER_BILL = 1.70
_BURNING_CHANCE = 0.35
_PAID_ON_FRIDAYS_CHANCE = 0.7
_WEDNESDAY, _FRIDAY = 2, 4
# What stopped payers and credit memos take out of the sales of a year.
_LOST_SALES = 0.035


@dataclass(frozen=True, slots=True, kw_only=True)
class Spending:
    """A year's money out, payroll apart, in cents."""

    rent: int
    subscriptions: int
    taxes: int
    card: int
    bank: int
    bills: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What the nouns of a company agree on."""

    spec: CompanySpec
    industry: Industry
    size: Size
    office: Office
    start: date
    as_of: date
    cutoff: datetime
    gross_cents: int
    first_payday: date
    spending: Spending
    revenue_cents: int
    revenue_trend: float
    target_cash_days: int
    keeps_savings: bool
    monthly: Mix

    def rng(self, noun: str) -> np.random.Generator:
        """The random stream of a noun."""
        spec = self.spec
        return stream(spec.seed, spec.industry, spec.size, spec.as_of.isoformat(), noun)

    @property
    def payroll_year_cents(self) -> int:
        """Gross pay and the employer's taxes on it: what a year of payroll takes out of the bank."""
        return _payroll_year_cents(self.gross_cents)

    @property
    def outflow_day_cents(self) -> int:
        """Planned cash out on an average day."""
        spent = self.spending
        other = spent.rent + spent.subscriptions + spent.taxes + spent.card + spent.bank + spent.bills
        return (self.payroll_year_cents + other) // 365

    def season(self, month: date) -> float:
        """How busy a month is; an average month is 1."""
        return self.industry.season[month.month - 1]

    def months(self, *, lead: int = 0) -> Iterator["Month"]:
        """The months of the history, the last one as far as it goes, and some before it if asked."""
        for first in months(months_before(self.start, lead), self.as_of - DAY):
            length = month_length(first)
            last = min(first + DAY * (length - 1), self.as_of - DAY)
            yield Month(first=first, last=last, part=((last - first).days + 1) / length)

    def sales_cents(self, month: "Month", share: float) -> int:
        """What of the year's sales falls into a month, by season and trend."""
        age = (month.first - self.start).days / (HISTORY_MONTHS * 30.4) - 0.5
        trend = 1.0 + self.revenue_trend * age
        return round(self.revenue_cents / 12 * share * self.season(month.first) * trend * month.part)


@dataclass(frozen=True, slots=True, kw_only=True)
class Month:
    """A calendar month of the history; ``part`` is how much of it has passed."""

    first: date
    last: date
    part: float

    def count(self, rng: np.random.Generator, a_month: float, *, season: float = 1.0) -> int:
        """How many events of so many a month happen in this one."""
        return whole(rng, a_month * season * self.part)

    def some_days(self, rng: np.random.Generator, count: int) -> list[date]:
        """Random days of the month, in order."""
        offsets = np.sort(rng.integers((self.last - self.first).days + 1, size=count))
        return [self.first + DAY * int(offset) for offset in offsets]


def make_plan(spec: CompanySpec) -> Plan:
    """The plan of a spec: the same spec always gives the same plan."""
    industry, size = INDUSTRIES[spec.industry], SIZES[spec.size]
    rng = stream(spec.seed, spec.industry, spec.size, spec.as_of.isoformat(), "plan")
    office = Office(zone=ZoneInfo(spec.zone))
    start = months_before(spec.as_of, HISTORY_MONTHS)
    gross_cents = between(rng, *industry.headcount[spec.size]) * between(rng, *industry.biweekly_gross_cents)
    other = round(_payroll_year_cents(gross_cents) * (1 / float(rng.uniform(*industry.payroll_share)) - 1))
    burning = float(rng.random()) < _BURNING_CHANCE
    margin = float(rng.uniform(-0.10, -0.04)) if burning else float(rng.uniform(-0.01, 0.04))
    return Plan(
        spec=spec,
        industry=industry,
        size=size,
        office=office,
        start=start,
        as_of=spec.as_of,
        cutoff=office.at(spec.as_of, LAST_ENTRY),
        gross_cents=gross_cents,
        first_payday=_first_payday(rng, start),
        spending=_spending(other),
        revenue_cents=round((_payroll_year_cents(gross_cents) + other) * (1 + margin) / (1 - _LOST_SALES)),
        revenue_trend=float(rng.uniform(-0.10, 0.10)),
        # Log-uniform: as many live with 12 to 32 days as with 32 to 88.
        target_cash_days=round(float(np.exp(rng.uniform(np.log(12), np.log(88))))),
        keeps_savings=float(rng.random()) < industry.savings_chance,
        monthly=_monthly(size, industry, payroll_taxes=1.0 if size.monthly_payroll_tax else 2.17),
    )


def _payroll_year_cents(gross_cents: int) -> int:
    return round(gross_cents * (1 + EMPLOYER_TAX_RATE)) * PAYDAYS_A_YEAR


def _first_payday(rng: np.random.Generator, start: date) -> date:
    weekday = _FRIDAY if float(rng.random()) < _PAID_ON_FRIDAYS_CHANCE else _WEDNESDAY
    return start + DAY * ((weekday - start.weekday()) % 7 + 7 * int(rng.integers(2)))


def _spending(other: int) -> Spending:
    parts = [
        round(other * part) for part in (_RENT_SHARE, _SUBSCRIPTIONS_SHARE, _TAXES_SHARE, _CARD_SHARE, _BANK_SHARE)
    ]
    rent, subscriptions, taxes, card, bank = parts
    return Spending(rent=rent, subscriptions=subscriptions, taxes=taxes, card=card, bank=bank, bills=other - sum(parts))


def _monthly(size: Size, industry: Industry, *, payroll_taxes: float) -> Mix:
    """Events a month that, with what they bring along, add up to the size's transactions."""
    deposits = len(size.deposit_weekdays) * 4.3
    rent_bill, rent_payment, card_payment, taxes, savings = 1.0, 1.0, 1.0, 0.33, 0.5
    trust = 3.6 * size.trust_matters if industry.trust_share else 0.0
    fixed = 2.17 + payroll_taxes + deposits + size.subscriptions + trust
    fixed += rent_bill + rent_payment + card_payment + taxes + savings
    mix = industry.mix
    unit = (
        _PER_INVOICE * mix.invoices
        + _PER_RECEIPT * mix.receipts
        + _PER_BILL * mix.bills
        + mix.card_purchases
        + mix.bank_purchases
    )
    scale = (size.transactions - fixed) / unit
    return Mix(
        invoices=mix.invoices * scale,
        receipts=mix.receipts * scale,
        bills=mix.bills * scale,
        card_purchases=mix.card_purchases * scale,
        bank_purchases=mix.bank_purchases * scale,
    )
