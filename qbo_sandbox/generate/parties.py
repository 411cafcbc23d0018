"""Who a generated company buys from and sells to.

Belongs here: customers with their habits and terms, vendors with their trades, and the entries that create them.
Does not: their transactions.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

import numpy as np

from qbo_sandbox.generate.chart import setup_moment, term_ref
from qbo_sandbox.generate.draws import between, pick, quota, shares
from qbo_sandbox.generate.habits import Habit, draw_habits
from qbo_sandbox.generate.names import NameBook, contact, same_company_respelled
from qbo_sandbox.generate.office import DAY, business_day_from
from qbo_sandbox.generate.plan import Plan
from qbo_sandbox.generate.profiles import COMMON_TRADES, Trade
from qbo_sandbox.generate.timeline import Entry, Json, ref

LANDLORD = "vendor:landlord"
TREASURY = "vendor:treasury"
# A customer that stops paying is invoiced for a while longer, until somebody notices.
_NOTICED_AFTER_DAYS = 75
_BY_TRANSFER_CHANCE = 0.4
_PAID_BY_CARD_CHANCE = 0.08
_DISCOUNT_TAKEN_CHANCE = 0.7
# Before the office opens: no bill to a twin can be keyed in earlier that day.
_TWIN_KEYED_AT = time(8, 20)
_CARD_MERCHANT_TRADES = (
    ("Travel Desk", "Travel"),
    ("Kitchen", "Meals & Entertainment"),
    ("Fuel Stop", "Vehicle & Fuel"),
    ("Stationers", "Office Supplies"),
    ("Parts Depot", "Repairs & Maintenance"),
)
_BANK_TRADES = (
    ("Power & Light", "Utilities"),
    ("Mutual Insurance", "Insurance"),
    ("Broadband", "Telephone & Internet"),
    ("Savings & Trust Bank", "Bank Charges"),
)
_SUBSCRIPTION_TRADE = ("Cloud Software", "Software Subscriptions")


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """A customer, its terms and the habit nobody sees."""

    key: str
    name: str
    terms: str
    habit: Habit
    weight: float
    pays_by_transfer: bool
    invoiced_until: date | None

    @property
    def ref(self) -> Json:
        """A reference to this customer."""
        return ref(self.key)


@dataclass(frozen=True, slots=True, kw_only=True)
class Vendor:
    """A vendor, what it supplies, and how the company treats it."""

    key: str
    name: str
    account: str
    terms: str
    weight: float
    paid_by_card: bool
    stretched_days: int
    discount_taken: bool

    @property
    def ref(self) -> Json:
        """A reference to this vendor."""
        return ref(self.key)

    @property
    def entity_ref(self) -> Json:
        """A reference to this vendor where any kind of party could stand."""
        return {**self.ref, "type": "Vendor"}


@dataclass(frozen=True, slots=True, kw_only=True)
class DuplicateVendor:
    """The same company keyed in a second time; some bills go to the twin from then on."""

    original: Vendor
    twin: Vendor
    created_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Parties:
    """Everybody the company deals with."""

    customers: Sequence[Customer]
    suppliers: Sequence[Vendor]
    card_merchants: Sequence[Vendor]
    subscriptions: Sequence[Vendor]
    direct_debits: Sequence[Vendor]
    landlord: Vendor
    treasury: Vendor
    duplicates: Sequence[DuplicateVendor]


def draw_parties(plan: Plan) -> Parties:
    """The parties of a plan."""
    book = NameBook(plan.rng("names"))
    rng = plan.rng("vendors")
    landlord = _plain_vendor(LANDLORD, book.business("Properties"), "Rent or Lease", terms="Due on receipt")
    treasury = _plain_vendor(TREASURY, book.reserve("United States Treasury"), "Payroll Liabilities")
    suppliers = _suppliers(plan, rng, book)
    return Parties(
        customers=_customers(plan, book),
        suppliers=suppliers,
        card_merchants=_others(rng, book, "merchant", _CARD_MERCHANT_TRADES, max(4, len(suppliers) // 3)),
        subscriptions=_others(rng, book, "subscription", (_SUBSCRIPTION_TRADE,), plan.size.subscriptions),
        direct_debits=_others(rng, book, "direct_debit", _BANK_TRADES, max(4, len(suppliers) // 8)),
        landlord=landlord,
        treasury=treasury,
        duplicates=_duplicates(plan, rng, suppliers),
    )


def _customers(plan: Plan, book: NameBook) -> list[Customer]:
    rng = plan.rng("customers")
    count = between(rng, *plan.size.customers)
    habits = draw_habits(plan.rng("habits"), plan.industry.habits, count, start=plan.start, as_of=plan.as_of)
    weights = shares(rng, count, spread=0.7)
    terms = quota(rng, plan.industry.customer_terms, count)
    consumers = plan.industry.receipts_share > 0
    return [
        Customer(
            key=f"customer:{number}",
            name=book.person() if consumers and number % 2 else book.business(),
            terms=terms[number],
            habit=habit,
            weight=weights[number],
            pays_by_transfer=float(rng.random()) < _BY_TRANSFER_CHANCE,
            invoiced_until=None if habit.stops_on is None else habit.stops_on + DAY * _NOTICED_AFTER_DAYS,
        )
        for number, habit in enumerate(habits)
    ]


def _suppliers(plan: Plan, rng: np.random.Generator, book: NameBook) -> list[Vendor]:
    count = between(rng, *plan.size.vendors)
    weights: dict[Trade, float] = {trade: trade.weight for trade in plan.industry.trades}
    weights |= {trade: trade.weight for trade in COMMON_TRADES}
    importance = shares(rng, count, spread=0.8)
    return [
        Vendor(
            key=f"vendor:supplier:{number}",
            name=book.business(trade.name),
            account=trade.account,
            terms=pick(rng, trade.terms),
            weight=importance[number],
            paid_by_card=float(rng.random()) < _PAID_BY_CARD_CHANCE,
            stretched_days=pick(rng, (0, 0, 0, 4, 9, 18, 32)),
            discount_taken=float(rng.random()) < _DISCOUNT_TAKEN_CHANCE,
        )
        for number, trade in enumerate(quota(rng, weights, count))
    ]


def _others(
    rng: np.random.Generator, book: NameBook, kind: str, trades: Sequence[tuple[str, str]], count: int
) -> list[Vendor]:
    weights = shares(rng, count, spread=0.6)
    vendors = []
    for number in range(count):
        trade, account = trades[number % len(trades)]
        key = f"vendor:{kind}:{number}"
        vendors.append(_plain_vendor(key, book.business(trade), account, weight=weights[number]))
    return vendors


def _plain_vendor(key: str, name: str, account: str, *, terms: str = "", weight: float = 1.0) -> Vendor:
    return Vendor(
        key=key,
        name=name,
        account=account,
        terms=terms,
        weight=weight,
        paid_by_card=False,
        stretched_days=0,
        discount_taken=False,
    )


def _duplicates(plan: Plan, rng: np.random.Generator, suppliers: Sequence[Vendor]) -> list[DuplicateVendor]:
    busiest = sorted(suppliers, key=lambda vendor: -vendor.weight)[: plan.size.duplicate_vendors]
    duplicates = []
    for number, original in enumerate(busiest):
        twin = Vendor(
            key=f"vendor:twin:{number}",
            name=same_company_respelled(original.name),
            account=original.account,
            terms=original.terms,
            weight=original.weight,
            paid_by_card=False,
            stretched_days=original.stretched_days,
            discount_taken=False,
        )
        created_on = business_day_from(plan.start + DAY * between(rng, 60, 240))
        duplicates.append(DuplicateVendor(original=original, twin=twin, created_on=created_on))
    return duplicates


def party_entries(plan: Plan, parties: Parties) -> Iterator[Entry]:
    """Customers and vendors as they are imported at the set-up, and the twins when they are keyed in again."""
    rng = plan.rng("contacts")
    at = setup_moment(plan) + timedelta(minutes=10)
    for number, customer in enumerate(parties.customers):
        yield _created(
            at + timedelta(seconds=number // 20), plan.start, "Customer", customer.key, _customer(rng, customer)
        )
    at += timedelta(minutes=10)
    vendors = [*parties.suppliers, *parties.card_merchants, *parties.subscriptions, *parties.direct_debits]
    for number, vendor in enumerate([*vendors, parties.landlord, parties.treasury]):
        yield _created(at + timedelta(seconds=number // 20), plan.start, "Vendor", vendor.key, _vendor(rng, vendor))
    for duplicate in parties.duplicates:
        day, twin = duplicate.created_on, duplicate.twin
        yield _created(plan.office.at(day, _TWIN_KEYED_AT), day, "Vendor", twin.key, _vendor(rng, twin))


def _created(at: datetime, on: date, entity: str, key: str, body: Json) -> Entry:
    return Entry(at=at, on=on, entity=entity, key=key, body=body)


def _customer(rng: np.random.Generator, customer: Customer) -> Json:
    body: Json = {"DisplayName": customer.name, "CompanyName": customer.name, "PrintOnCheckName": customer.name}
    return body | {"SalesTermRef": term_ref(customer.terms), "Taxable": False} | contact(rng, customer.name)


def _vendor(rng: np.random.Generator, vendor: Vendor) -> Json:
    body: Json = {"DisplayName": vendor.name, "CompanyName": vendor.name, "PrintOnCheckName": vendor.name}
    if vendor.terms:
        body["TermRef"] = term_ref(vendor.terms)
    return body | {"Vendor1099": False} | contact(rng, vendor.name)
