"""A small company by hand: one account of each kind, one vendor, one customer, and short ways to enter documents."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from qbo_sandbox.books import BookRules
from qbo_sandbox.company import Company
from qbo_sandbox.money import line_money
from qbo_sandbox.postings import PAYABLE, RECEIVABLE, UNDEPOSITED

START = datetime(2026, 3, 2, 17, 0, tzinfo=UTC)


def ref(object_id: str) -> dict[str, str]:
    return {"value": object_id}


def dollars(cents: int) -> Decimal | int:
    return line_money(cents)


@dataclass(slots=True, kw_only=True)
class SmallBooks:
    """A company with its own clock: every entry is a minute after the one before."""

    company: Company
    bank: str
    card: str
    rent: str
    sales: str
    vendor: str
    customer: str
    item: str
    net_30: str
    at: datetime = field(default=START)

    @property
    def payable(self) -> str:
        return self.company.system(PAYABLE)

    @property
    def receivable(self) -> str:
        return self.company.system(RECEIVABLE)

    @property
    def undeposited(self) -> str:
        return self.company.system(UNDEPOSITED)

    def tick(self) -> datetime:
        self.at += timedelta(minutes=1)
        return self.at

    def create(self, entity: str, **body: Any) -> str:
        return str(self.company.create(entity, body, at=self.tick())["Id"])

    def read(self, entity: str, object_id: str) -> dict[str, Any]:
        return self.company.body(self.company.existing(entity, object_id))

    def cents(self, account_id: str) -> int:
        return self.company.account_cents(account_id)

    def bill(self, cents: int, **overrides: Any) -> str:
        return self.create("Bill", **{"VendorRef": ref(self.vendor), "Line": [self.expense(cents)], **overrides})

    def vendor_credit(self, cents: int, **overrides: Any) -> str:
        body = {"VendorRef": ref(self.vendor), "Line": [self.expense(cents)], **overrides}
        return self.create("VendorCredit", **body)

    def expense(self, cents: int, account: str | None = None) -> dict[str, Any]:
        detail = {"AccountRef": ref(account or self.rent)}
        return {
            "Amount": dollars(cents),
            "DetailType": "AccountBasedExpenseLineDetail",
            "AccountBasedExpenseLineDetail": detail,
        }

    def pay_bills(self, total: int, *settled: tuple[str, str, int], **overrides: Any) -> str:
        body = {
            "VendorRef": ref(self.vendor),
            "TotalAmt": dollars(total),
            "PayType": "Check",
            "CheckPayment": {"BankAccountRef": ref(self.bank), "PrintStatus": "NotSet"},
            "Line": [settling(*each) for each in settled],
            **overrides,
        }
        return self.create("BillPayment", **body)

    def sale(self, cents: int) -> dict[str, Any]:
        detail = {"ItemRef": ref(self.item)}
        return {"Amount": dollars(cents), "DetailType": "SalesItemLineDetail", "SalesItemLineDetail": detail}

    def invoice(self, cents: int, **overrides: Any) -> str:
        return self.create("Invoice", **{"CustomerRef": ref(self.customer), "Line": [self.sale(cents)], **overrides})

    def credit_memo(self, cents: int, **overrides: Any) -> str:
        body = {"CustomerRef": ref(self.customer), "Line": [self.sale(cents)], **overrides}
        return self.create("CreditMemo", **body)

    def receive(self, total: int, *settled: tuple[str, str, int], **overrides: Any) -> str:
        body = {
            "CustomerRef": ref(self.customer),
            "TotalAmt": dollars(total),
            "Line": [settling(*each) for each in settled],
            **overrides,
        }
        return self.create("Payment", **body)

    def deposit(self, *receipts: tuple[str, str, int], **overrides: Any) -> str:
        return self.create(
            "Deposit",
            **{"DepositToAccountRef": ref(self.bank), "Line": [settling(*each) for each in receipts], **overrides},
        )

    def journal(self, *lines: tuple[str, str, int, str | None]) -> str:
        return self.create("JournalEntry", Line=[self._journal_line(*line) for line in lines])

    def _journal_line(self, posting: str, account: str, cents: int, party: str | None) -> dict[str, Any]:
        detail: dict[str, Any] = {"PostingType": posting, "AccountRef": ref(account)}
        if party is not None:
            kind = self.company.party_kind(party)
            detail["Entity"] = {"Type": kind, "EntityRef": ref(party)}
        return {"Amount": dollars(cents), "DetailType": "JournalEntryLineDetail", "JournalEntryLineDetail": detail}


def settling(target_type: str, target: str, cents: int) -> dict[str, Any]:
    return {"Amount": dollars(cents), "LinkedTxn": [{"TxnId": target, "TxnType": target_type}]}


def small_books(*, rules: BookRules | None = None) -> SmallBooks:
    company = Company(
        realm_id="1", name="Small Books", zone="America/New_York", start=START, rules=rules or BookRules()
    )

    def make(entity: str, **body: Any) -> str:
        return str(company.create(entity, body, at=START)["Id"])

    sales = make("Account", Name="Sales", AccountType="Income", AccountSubType="SalesOfProductIncome")
    rent = make("Account", Name="Rent", AccountType="Expense", AccountSubType="RentOrLeaseOfBuildings")
    return SmallBooks(
        company=company,
        bank=make("Account", Name="Checking", AccountType="Bank", AccountSubType="Checking"),
        card=make("Account", Name="Card", AccountType="Credit Card", AccountSubType="CreditCard"),
        rent=rent,
        sales=sales,
        vendor=make("Vendor", DisplayName="Paper Mill"),
        customer=make("Customer", DisplayName="Corner Shop"),
        item=make("Item", Name="Hours", IncomeAccountRef=ref(sales), ExpenseAccountRef=ref(rent)),
        net_30=make("Term", Name="Net 30", DueDays=30),
    )
