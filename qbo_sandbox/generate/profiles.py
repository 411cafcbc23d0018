"""The parameters of the generated industries and sizes.

Belongs here: numbers and names that make an agency differ from a builder, and a micro company from a medium one.
Does not: how they are used (``plan.py`` turns them into one company's year; the noun modules draw from that).
Adding an industry changes no other company: every random stream is seeded with the industry's own name.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from qbo_sandbox.generate.habits import HabitKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """What grows with the company, whatever its industry."""

    transactions: int
    customers: tuple[int, int]
    vendors: tuple[int, int]
    subscriptions: int
    trust_matters: int
    deposit_weekdays: tuple[int, ...]
    pay_run_weekdays: tuple[int, ...]
    duplicate_vendors: int
    monthly_payroll_tax: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Mix:
    """How often each kind of thing happens, relative to each other."""

    invoices: float
    receipts: float
    bills: float
    card_purchases: float
    bank_purchases: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Trade:
    """A kind of vendor: what it sells, where that is booked, and on which terms."""

    name: str
    account: str
    weight: float
    terms: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """Something the company sells."""

    name: str
    description: str
    income_account: str
    unit_price_cents: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Industry:
    """What is particular to an industry."""

    title: str
    mix: Mix
    headcount: Mapping[str, tuple[int, int]]
    biweekly_gross_cents: tuple[int, int]
    payroll_share: tuple[float, float]
    season: tuple[float, ...]
    income_accounts: tuple[str, ...]
    cost_accounts: tuple[str, ...]
    trades: tuple[Trade, ...]
    offers: tuple[Offer, ...]
    customer_terms: Mapping[str, float]
    habits: Mapping[HabitKind, float]
    receipts_share: float
    trust_share: float
    savings_chance: float


SIZES: Mapping[str, Size] = {
    "micro": Size(
        transactions=30,
        customers=(7, 10),
        vendors=(7, 9),
        subscriptions=2,
        trust_matters=1,
        deposit_weekdays=(3,),
        pay_run_weekdays=(3,),
        duplicate_vendors=1,
        monthly_payroll_tax=True,
    ),
    "small": Size(
        transactions=185,
        customers=(36, 50),
        vendors=(26, 36),
        subscriptions=7,
        trust_matters=4,
        deposit_weekdays=(1, 4),
        pay_run_weekdays=(3,),
        duplicate_vendors=2,
        monthly_payroll_tax=False,
    ),
    "medium": Size(
        transactions=1180,
        customers=(190, 240),
        vendors=(110, 140),
        subscriptions=22,
        trust_matters=16,
        deposit_weekdays=(0, 2, 4),
        pay_run_weekdays=(1, 3),
        duplicate_vendors=4,
        monthly_payroll_tax=False,
    ),
}

# Trades every business buys from by bill; the weight is a share of bills beside the industry's own trades.
COMMON_TRADES: tuple[Trade, ...] = (
    Trade(name="Bookkeeping", account="Legal & Professional Fees", weight=0.05, terms=("Net 15", "Due on receipt")),
    Trade(name="Utilities", account="Utilities", weight=0.06, terms=("Net 15",)),
    Trade(name="Office Supply", account="Office Supplies", weight=0.08, terms=("Net 30", "2% 10 Net 30")),
    Trade(name="Telecom", account="Telephone & Internet", weight=0.05, terms=("Net 30",)),
    Trade(name="Maintenance", account="Repairs & Maintenance", weight=0.05, terms=("Net 15", "Net 30")),
)

_STEADY_HABITS = {
    HabitKind.PROMPT: 0.34,
    HabitKind.STEADY_LATE: 0.24,
    HabitKind.PAY_RUN: 0.20,
    HabitKind.SLOW_TAIL: 0.12,
    HabitKind.DISPUTES: 0.05,
    HabitKind.STOPS_PAYING: 0.05,
}
_SLOW_HABITS = {
    HabitKind.PROMPT: 0.18,
    HabitKind.STEADY_LATE: 0.28,
    HabitKind.PAY_RUN: 0.22,
    HabitKind.SLOW_TAIL: 0.20,
    HabitKind.DISPUTES: 0.07,
    HabitKind.STOPS_PAYING: 0.05,
}

INDUSTRIES: Mapping[str, Industry] = {
    "marketing_agency": Industry(
        title="Marketing agency",
        mix=Mix(invoices=1.0, receipts=0.0, bills=0.85, card_purchases=0.9, bank_purchases=0.2),
        headcount={"micro": (3, 5), "small": (14, 22), "medium": (70, 95)},
        biweekly_gross_cents=(255_000, 320_000),
        payroll_share=(0.69, 0.78),
        season=(0.88, 0.92, 1.00, 1.02, 1.04, 0.98, 0.88, 0.90, 1.06, 1.12, 1.16, 1.04),
        income_accounts=("Retainer Fees", "Campaign Fees", "Media Commission"),
        cost_accounts=("Media Buying", "Freelancers", "Print Production"),
        trades=(
            Trade(name="Media", account="Media Buying", weight=0.38, terms=("Net 30", "Net 60")),
            Trade(name="Freelance Studio", account="Freelancers", weight=0.36, terms=("Net 15", "Net 30")),
            Trade(name="Printworks", account="Print Production", weight=0.26, terms=("2% 10 Net 30", "Net 30")),
        ),
        offers=(
            Offer(
                name="Monthly retainer",
                description="Account team, one month",
                income_account="Retainer Fees",
                unit_price_cents=480_000,
            ),
            Offer(
                name="Campaign design",
                description="Concept and artwork",
                income_account="Campaign Fees",
                unit_price_cents=16_500,
            ),
            Offer(
                name="Media management",
                description="Planning and buying",
                income_account="Media Commission",
                unit_price_cents=12_000,
            ),
            Offer(name="Copywriting", description="Per hour", income_account="Campaign Fees", unit_price_cents=11_000),
        ),
        customer_terms={"Net 30": 0.6, "Net 15": 0.2, "Net 60": 0.2},
        habits=_STEADY_HABITS,
        receipts_share=0.0,
        trust_share=0.0,
        savings_chance=0.5,
    ),
    "construction": Industry(
        title="Construction",
        mix=Mix(invoices=0.62, receipts=0.0, bills=1.35, card_purchases=0.85, bank_purchases=0.2),
        headcount={"micro": (3, 5), "small": (16, 24), "medium": (80, 105)},
        biweekly_gross_cents=(205_000, 265_000),
        payroll_share=(0.66, 0.72),
        season=(0.76, 0.80, 0.92, 1.02, 1.10, 1.16, 1.18, 1.16, 1.12, 1.04, 0.92, 0.82),
        income_accounts=("Contract Revenue", "Service Calls"),
        cost_accounts=("Job Materials", "Subcontractors", "Equipment Rental"),
        trades=(
            Trade(name="Lumber", account="Job Materials", weight=0.30, terms=("2% 10 Net 30", "Net 30")),
            Trade(name="Electrical", account="Subcontractors", weight=0.24, terms=("Net 30", "Net 15")),
            Trade(name="Plumbing", account="Subcontractors", weight=0.20, terms=("Net 30",)),
            Trade(name="Concrete", account="Job Materials", weight=0.14, terms=("Net 30", "2% 10 Net 30")),
            Trade(name="Equipment Hire", account="Equipment Rental", weight=0.12, terms=("Net 15", "Due on receipt")),
        ),
        offers=(
            Offer(
                name="Progress billing",
                description="Work completed to date",
                income_account="Contract Revenue",
                unit_price_cents=950_000,
            ),
            Offer(
                name="Labor",
                description="Site crew, per hour",
                income_account="Contract Revenue",
                unit_price_cents=7_800,
            ),
            Offer(
                name="Materials",
                description="Supplied to site",
                income_account="Contract Revenue",
                unit_price_cents=24_000,
            ),
            Offer(
                name="Service call", description="Repair visit", income_account="Service Calls", unit_price_cents=18_500
            ),
        ),
        customer_terms={"Net 30": 0.55, "Net 15": 0.15, "Net 60": 0.3},
        habits=_SLOW_HABITS,
        receipts_share=0.0,
        trust_share=0.0,
        savings_chance=0.3,
    ),
    "professional_services": Industry(
        title="Professional services",
        mix=Mix(invoices=1.15, receipts=0.0, bills=0.6, card_purchases=0.8, bank_purchases=0.25),
        headcount={"micro": (2, 4), "small": (12, 18), "medium": (60, 80)},
        biweekly_gross_cents=(300_000, 380_000),
        payroll_share=(0.72, 0.81),
        season=(0.94, 0.98, 1.16, 1.14, 0.98, 0.96, 0.90, 0.88, 1.00, 1.02, 0.98, 1.06),
        income_accounts=("Professional Fees", "Fees Earned From Trust"),
        cost_accounts=("Expert Witnesses", "Court & Filing Fees", "Research Services"),
        trades=(
            Trade(name="Research", account="Research Services", weight=0.42, terms=("Net 30", "2% 10 Net 30")),
            Trade(name="Expert Panel", account="Expert Witnesses", weight=0.36, terms=("Net 30", "Net 60")),
            Trade(
                name="Process Service", account="Court & Filing Fees", weight=0.22, terms=("Net 15", "Due on receipt")
            ),
        ),
        offers=(
            Offer(
                name="Partner time", description="Per hour", income_account="Professional Fees", unit_price_cents=42_500
            ),
            Offer(
                name="Associate time",
                description="Per hour",
                income_account="Professional Fees",
                unit_price_cents=24_500,
            ),
            Offer(
                name="Fixed-fee matter",
                description="As agreed",
                income_account="Professional Fees",
                unit_price_cents=350_000,
            ),
        ),
        customer_terms={"Net 30": 0.65, "Net 15": 0.3, "Net 60": 0.05},
        habits=_STEADY_HABITS,
        receipts_share=0.0,
        trust_share=0.07,
        savings_chance=0.5,
    ),
    "e_commerce": Industry(
        title="E-commerce",
        mix=Mix(invoices=0.22, receipts=2.0, bills=0.6, card_purchases=0.6, bank_purchases=0.2),
        headcount={"micro": (2, 3), "small": (8, 12), "medium": (30, 42)},
        biweekly_gross_cents=(170_000, 225_000),
        payroll_share=(0.66, 0.71),
        season=(0.86, 0.84, 0.90, 0.92, 0.98, 0.94, 0.92, 0.94, 0.96, 1.04, 1.36, 1.34),
        income_accounts=("Online Sales", "Wholesale Sales", "Shipping Income"),
        cost_accounts=("Inventory Purchases", "Freight In", "Packaging", "Marketplace Fees"),
        trades=(
            Trade(
                name="Wholesale", account="Inventory Purchases", weight=0.55, terms=("2% 10 Net 30", "Net 30", "Net 60")
            ),
            Trade(name="Freight", account="Freight In", weight=0.27, terms=("Net 15", "Net 30")),
            Trade(name="Packaging", account="Packaging", weight=0.18, terms=("2% 10 Net 30", "Net 30")),
        ),
        offers=(
            Offer(
                name="Online order",
                description="Goods sold online",
                income_account="Online Sales",
                unit_price_cents=6_400,
            ),
            Offer(name="Gift set", description="Boxed set", income_account="Online Sales", unit_price_cents=11_900),
            Offer(
                name="Wholesale case",
                description="Case of 24",
                income_account="Wholesale Sales",
                unit_price_cents=58_000,
            ),
            Offer(
                name="Shipping",
                description="Delivery charged",
                income_account="Shipping Income",
                unit_price_cents=1_250,
            ),
        ),
        customer_terms={"Net 30": 0.7, "Net 60": 0.2, "Net 15": 0.1},
        habits=_STEADY_HABITS,
        receipts_share=0.8,
        trust_share=0.0,
        savings_chance=0.6,
    ),
    "consulting": Industry(
        title="Consulting",
        mix=Mix(invoices=0.95, receipts=0.0, bills=0.5, card_purchases=1.3, bank_purchases=0.2),
        headcount={"micro": (2, 4), "small": (11, 17), "medium": (55, 75)},
        biweekly_gross_cents=(330_000, 420_000),
        payroll_share=(0.73, 0.82),
        season=(0.92, 1.00, 1.06, 1.06, 1.04, 1.02, 0.88, 0.82, 1.06, 1.08, 1.06, 1.00),
        income_accounts=("Consulting Fees", "Reimbursed Expenses"),
        cost_accounts=("Subcontract Consultants", "Data Subscriptions"),
        trades=(
            Trade(name="Advisory", account="Subcontract Consultants", weight=0.6, terms=("Net 30", "Net 15")),
            Trade(name="Data Services", account="Data Subscriptions", weight=0.4, terms=("Net 30", "2% 10 Net 30")),
        ),
        offers=(
            Offer(
                name="Consulting days",
                description="Per day",
                income_account="Consulting Fees",
                unit_price_cents=185_000,
            ),
            Offer(
                name="Workshop",
                description="Facilitated workshop",
                income_account="Consulting Fees",
                unit_price_cents=420_000,
            ),
            Offer(
                name="Expenses recharged",
                description="At cost",
                income_account="Reimbursed Expenses",
                unit_price_cents=31_000,
            ),
        ),
        customer_terms={"Net 30": 0.5, "Net 60": 0.35, "Net 15": 0.15},
        habits=_SLOW_HABITS,
        receipts_share=0.0,
        trust_share=0.0,
        savings_chance=0.4,
    ),
}
