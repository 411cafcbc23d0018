"""What a generated company's file starts with: company info, preferences, chart of accounts, terms, items.

Belongs here: the names of accounts and terms, and the entries that create them.
Does not: customers and vendors (``parties.py``), opening balances (``treasury.py``).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from decimal import Decimal

from qbo_sandbox.generate.plan import Plan
from qbo_sandbox.generate.timeline import Entry, Json, money, ref

CHECKING = "Business Checking"
SAVINGS = "Business Savings"
TRUST = "Client Trust Account"
TRUST_LIABILITY = "Client Funds Held in Trust"
TRUST_INCOME = "Fees Earned From Trust"
CARD = "Business Card"
RECEIVABLE = "Accounts Receivable (A/R)"
PAYABLE = "Accounts Payable (A/P)"
UNDEPOSITED = "Undeposited Funds"
OPENING_EQUITY = "Opening Balance Equity"
EQUIPMENT = "Furniture & Equipment"
PAYROLL_LIABILITY = "Payroll Liabilities"
WAGES = "Payroll Wages"
PAYROLL_TAXES = "Payroll Taxes"
RENT = "Rent or Lease"
ESTIMATED_TAXES = "Estimated Taxes"
UNCATEGORIZED = "Uncategorized Expense"
PURCHASE_DISCOUNTS = "Purchase Discounts"
SALES_ALLOWANCES = "Sales Allowances"
MERCHANT_FEES = "Merchant Account Fees"

_ACCOUNTS: tuple[tuple[str, str, str], ...] = (
    (CHECKING, "Bank", "Checking"),
    (CARD, "Credit Card", "CreditCard"),
    (RECEIVABLE, "Accounts Receivable", "AccountsReceivable"),
    (PAYABLE, "Accounts Payable", "AccountsPayable"),
    (UNDEPOSITED, "Other Current Asset", "UndepositedFunds"),
    (EQUIPMENT, "Fixed Asset", "FurnitureAndFixtures"),
    (PAYROLL_LIABILITY, "Other Current Liability", "PayrollTaxPayable"),
    (OPENING_EQUITY, "Equity", "OpeningBalanceEquity"),
    ("Retained Earnings", "Equity", "RetainedEarnings"),
    ("Owner's Equity", "Equity", "OwnersEquity"),
    ("Uncategorized Income", "Income", "ServiceFeeIncome"),
    (SALES_ALLOWANCES, "Income", "DiscountsRefundsGiven"),
    (WAGES, "Expense", "PayrollExpenses"),
    (PAYROLL_TAXES, "Expense", "PayrollExpenses"),
    (RENT, "Expense", "RentOrLeaseOfBuildings"),
    (ESTIMATED_TAXES, "Expense", "TaxesPaid"),
    (UNCATEGORIZED, "Expense", "OtherMiscellaneousServiceCost"),
    (MERCHANT_FEES, "Expense", "BankCharges"),
    ("Bank Charges", "Expense", "BankCharges"),
    ("Insurance", "Expense", "Insurance"),
    ("Legal & Professional Fees", "Expense", "LegalProfessionalFees"),
    ("Meals & Entertainment", "Expense", "EntertainmentMeals"),
    ("Office Supplies", "Expense", "OfficeGeneralAdministrativeExpenses"),
    ("Repairs & Maintenance", "Expense", "RepairMaintenance"),
    ("Software Subscriptions", "Expense", "OfficeGeneralAdministrativeExpenses"),
    ("Telephone & Internet", "Expense", "Utilities"),
    ("Travel", "Expense", "Travel"),
    ("Utilities", "Expense", "Utilities"),
    ("Vehicle & Fuel", "Expense", "Auto"),
    (PURCHASE_DISCOUNTS, "Other Income", "OtherMiscellaneousIncome"),
)
_SAVINGS_ACCOUNTS = ((SAVINGS, "Bank", "Savings"),)
_TRUST_ACCOUNTS = (
    (TRUST, "Bank", "TrustAccounts"),
    (TRUST_LIABILITY, "Other Current Liability", "TrustAccountsLiabilities"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """Payment terms and, if there is one, their discount for paying early."""

    name: str
    due_days: int
    discount_percent: int = 0
    discount_days: int = 0


TERMS: dict[str, Terms] = {
    terms.name: terms
    for terms in (
        Terms(name="Due on receipt", due_days=0),
        Terms(name="Net 15", due_days=15),
        Terms(name="Net 30", due_days=30),
        Terms(name="Net 60", due_days=60),
        Terms(name="2% 10 Net 30", due_days=30, discount_percent=2, discount_days=10),
    )
}


def setup_moment(plan: Plan) -> datetime:
    """When the file is set up: the first morning of the history, before the office opens."""
    return plan.office.at(plan.start, time(7, 0))


def chart_entries(plan: Plan) -> Iterator[Entry]:
    """Accounts, terms and items, entered as the file is set up."""
    at = setup_moment(plan)
    for offset, (entity, key, body) in enumerate(_lists(plan)):
        yield Entry(at=at + timedelta(seconds=offset // 8), on=plan.start, entity=entity, key=key, body=body)


def _lists(plan: Plan) -> Iterator[tuple[str, str, Json]]:
    for name, account_type, subtype in _accounts(plan):
        yield "Account", f"account:{name}", {"Name": name, "AccountType": account_type, "AccountSubType": subtype}
    for terms in TERMS.values():
        yield "Term", f"term:{terms.name}", _term(terms)
    for offer in plan.industry.offers:
        body: Json = {
            "Name": offer.name,
            "Description": offer.description,
            "Type": "Service",
            "UnitPrice": money(offer.unit_price_cents),
            "IncomeAccountRef": account_ref(offer.income_account),
        }
        yield "Item", f"item:{offer.name}", body
    allowance: Json = {"Name": "Allowance", "Type": "Service", "IncomeAccountRef": account_ref(SALES_ALLOWANCES)}
    yield "Item", "item:Allowance", allowance


def _accounts(plan: Plan) -> Iterator[tuple[str, str, str]]:
    yield from _ACCOUNTS
    if plan.keeps_savings:
        yield from _SAVINGS_ACCOUNTS
    if plan.industry.trust_share:
        yield from _TRUST_ACCOUNTS
    for name in plan.industry.income_accounts:
        yield name, "Income", "ServiceFeeIncome"
    for name in plan.industry.cost_accounts:
        yield name, "Cost of Goods Sold", "SuppliesMaterialsCogs"


def _term(terms: Terms) -> Json:
    body: Json = {"Name": terms.name, "DueDays": terms.due_days}
    if terms.discount_percent:
        body |= {"DiscountPercent": Decimal(terms.discount_percent), "DiscountDays": terms.discount_days}
    return body


def company_info(plan: Plan) -> Json:
    """What the company tells about itself beyond name, zone and fiscal year, which every company file has."""
    address: Json = {
        "Line1": "1 Fixture Road",
        "City": "Springdale",
        "CountrySubDivisionCode": "NY",
        "PostalCode": "10999",
        "Country": "US",
    }
    return {
        "CompanyAddr": address,
        "LegalAddr": address,
        "Email": {"Address": "books@generated-company.example"},
        "NameValue": [
            {"Name": "SubscriptionStatus", "Value": "PAID"},
            {"Name": "OfferingSku", "Value": "QuickBooks Online Plus"},
            {"Name": "IndustryType", "Value": plan.industry.title},
            {"Name": "GeneratedData", "Value": "true"},
        ],
    }


def account_ref(name: str) -> Json:
    """A reference to an account of the chart."""
    return ref(f"account:{name}")


def term_ref(name: str) -> Json:
    """A reference to payment terms."""
    return ref(f"term:{name}")
