"""QBO objects as they come over the wire, with overrides: `text(make("Bill", TotalAmt=D("9.99")))`."""

from copy import deepcopy
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import simplejson

from resources.qbo.entities import parse
from resources.qbo.fields import QboObject

CREATED = "2026-05-05T03:14:55-07:00"
KNOWN_AT = datetime(2026, 11, 20, 10, tzinfo=UTC)


def D(digits: str) -> Decimal:  # noqa: N802 - reads like the literal it stands for
    return Decimal(digits)


def ref(value: str, **more: str) -> dict[str, str]:
    return {"value": value, **more}


def expense(account_id: str, amount: Decimal) -> dict[str, Any]:
    return {
        "Id": "1",
        "Amount": amount,
        "DetailType": "AccountBasedExpenseLineDetail",
        "AccountBasedExpenseLineDetail": {"AccountRef": ref(account_id), "BillableStatus": "NotBillable"},
    }


def settles(kind: str, qbo_id: str, amount: Decimal) -> dict[str, Any]:
    return {"Amount": amount, "LinkedTxn": [{"TxnId": qbo_id, "TxnType": kind}]}


def journal_line(side: str, account_id: str, amount: Decimal) -> dict[str, Any]:
    return {
        "Amount": amount,
        "DetailType": "JournalEntryLineDetail",
        "JournalEntryLineDetail": {"PostingType": side, "AccountRef": ref(account_id)},
    }


_DATED = {"TxnDate": "2026-05-01", "CurrencyRef": ref("USD", name="United States Dollar")}
_BILL_LINE = [expense("7", D("100.00"))]
_SALES_LINE = [
    {
        "Id": "1",
        "Amount": D("100.00"),
        "DetailType": "SalesItemLineDetail",
        "SalesItemLineDetail": {"ItemRef": ref("5"), "Qty": 1, "UnitPrice": 100},
    },
    {"Amount": D("100.00"), "DetailType": "SubTotalLineDetail", "SubTotalLineDetail": {}},
]

BODIES: dict[str, dict[str, Any]] = {
    "CompanyInfo": {"CompanyName": "Larkspur Studio", "Country": "US", "WebAddr": {}},
    "Preferences": {"CurrencyPrefs": {"MultiCurrencyEnabled": False, "HomeCurrency": ref("USD")}},
    "Account": {
        "Name": "Checking",
        "AccountType": "Bank",
        "AccountSubType": "Checking",
        "Active": True,
        "CurrentBalance": D("1201.00"),
    },
    "Vendor": {"DisplayName": "Norton Lumber", "Active": True, "Balance": 0, "TermRef": ref("3")},
    "Customer": {"DisplayName": "Amy's Bird Sanctuary", "Active": True, "Balance": D("239.00")},
    "Item": {"Name": "Design", "Type": "Service", "IncomeAccountRef": ref("82"), "ExpenseAccountRef": ref("83")},
    "Term": {"Name": "2/10 Net 30", "Type": "STANDARD", "DueDays": 30, "DiscountPercent": 2, "DiscountDays": 10},
    "Bill": {
        **_DATED,
        "VendorRef": ref("56", name="Norton Lumber"),
        "DueDate": "2026-05-31",
        "DocNumber": "A-17",
        "TotalAmt": D("100.00"),
        "Balance": D("40.00"),
        "SalesTermRef": ref("3"),
        "Line": _BILL_LINE,
    },
    "BillPayment": {
        **_DATED,
        "VendorRef": ref("56", name="Norton Lumber"),
        "PayType": "Check",
        "CheckPayment": {"BankAccountRef": ref("35"), "PrintStatus": "NotSet"},
        "TotalAmt": D("60.00"),
        "Line": [settles("Bill", "145", D("60.00"))],
    },
    "VendorCredit": {
        **_DATED,
        "VendorRef": ref("56"),
        "TotalAmt": D("25.00"),
        "Balance": D("25.00"),
        "Line": _BILL_LINE,
    },
    "Purchase": {
        **_DATED,
        "AccountRef": ref("41"),
        "PaymentType": "CreditCard",
        "EntityRef": ref("56", name="Norton Lumber", type="Vendor"),
        "TotalAmt": D("100.00"),
        "Line": _BILL_LINE,
        "PurchaseEx": {"any": [{"name": "{http://schema.intuit.com/finance/v3}NameValue", "nil": False}]},
    },
    "Invoice": {
        **_DATED,
        "CustomerRef": ref("1", name="Amy's Bird Sanctuary"),
        "DocNumber": "1037",
        "DueDate": "2026-05-31",
        "TotalAmt": D("100.00"),
        "Balance": D("100.00"),
        "Line": _SALES_LINE,
    },
    "Payment": {
        **_DATED,
        "CustomerRef": ref("1"),
        "TotalAmt": D("100.00"),
        "UnappliedAmt": 0,
        "DepositToAccountRef": ref("4"),
        "Line": [settles("Invoice", "130", D("100.00"))],
    },
    "CreditMemo": {
        **_DATED,
        "CustomerRef": ref("1"),
        "TotalAmt": D("100.00"),
        "Balance": D("30.00"),
        "Line": _SALES_LINE,
    },
    "SalesReceipt": {
        **_DATED,
        "CustomerRef": ref("1"),
        "TotalAmt": D("100.00"),
        "DepositToAccountRef": ref("4"),
        "Line": _SALES_LINE,
    },
    "RefundReceipt": {
        **_DATED,
        "CustomerRef": ref("1"),
        "TotalAmt": D("100.00"),
        "DepositToAccountRef": ref("35"),
        "Line": _SALES_LINE,
    },
    "Deposit": {
        **_DATED,
        "DepositToAccountRef": ref("35"),
        "TotalAmt": D("100.00"),
        "Line": [{"Amount": D("100.00"), "LinkedTxn": [{"TxnId": "9", "TxnType": "Payment", "TxnLineId": "0"}]}],
    },
    "Transfer": {**_DATED, "FromAccountRef": ref("35"), "ToAccountRef": ref("36"), "Amount": D("500.00")},
    "JournalEntry": {
        **_DATED,
        "TotalAmt": 0,
        "Line": [journal_line("Debit", "7", D("300.00")), journal_line("Credit", "35", D("300.00"))],
    },
}


def make(entity: str, qbo_id: str = "145", *, created: str = CREATED, **overrides: Any) -> dict[str, Any]:
    """One object; an override of `...` leaves the field out."""
    body = {
        "domain": "QBO",
        "sparse": False,
        "Id": qbo_id,
        "SyncToken": "0",
        "MetaData": {"CreateTime": created, "LastUpdatedTime": created},
        **deepcopy(BODIES[entity]),
        **overrides,
    }
    return {name: value for name, value in body.items() if value is not ...}


def text(body: Any) -> str:
    """The exact JSON text of a body, amounts as decimals."""
    return simplejson.dumps(body, use_decimal=True)


def parsed(entity: str, qbo_id: str = "145", **overrides: Any) -> QboObject:
    return parse(entity, text(make(entity, qbo_id, **overrides)))


def version(entity: str, qbo_id: str = "145", *, known_at: datetime = KNOWN_AT, **overrides: Any) -> Any:
    return known_at, parsed(entity, qbo_id, **overrides)


def deleted(entity: str, qbo_id: str = "145", *, known_at: datetime = KNOWN_AT) -> Any:
    return known_at, parse(entity, text({"domain": "QBO", "status": "Deleted", "Id": qbo_id}))
