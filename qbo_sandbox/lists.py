"""Name lists: what QuickBooks adds to an account, vendor, customer, item or term, and the singletons it starts with.

Belongs here: stored shapes of list objects and singletons. Does not: transactions (``forms.py``).
"""

from collections.abc import Callable, Mapping
from typing import Any

from qbo_sandbox.entities import CLASSIFICATION, NAME_LISTS
from qbo_sandbox.faults import QboFault
from qbo_sandbox.forms import NAMED_REFERENCES, READ_ONLY, US_DOLLAR, Named
from qbo_sandbox.objects import JsonObject
from qbo_sandbox.postings import DISCOUNTS, OPENING_EQUITY, PAYABLE, RECEIVABLE, SALES_TAX, UNDEPOSITED

DELETED_SUFFIX = " (deleted)"
_COMPUTED = READ_ONLY | {
    "BalanceWithJobs", "CurrentBalance", "CurrentBalanceWithSubAccounts", "FullyQualifiedName", "SubAccount",
    "Classification", "Level",
}  # fmt: skip

# Accounts that QuickBooks makes by itself when a transaction first needs them.
SYSTEM_ACCOUNTS: Mapping[str, Mapping[str, str]] = {
    PAYABLE: {"Name": "Accounts Payable (A/P)", "AccountType": "Accounts Payable"},
    RECEIVABLE: {"Name": "Accounts Receivable (A/R)", "AccountType": "Accounts Receivable"},
    UNDEPOSITED: {"Name": "Undeposited Funds", "AccountType": "Other Current Asset"},
    SALES_TAX: {"Name": "Sales Tax Payable", "AccountType": "Other Current Liability"},
    DISCOUNTS: {"Name": "Discounts given", "AccountType": "Income"},
    OPENING_EQUITY: {"Name": "Opening Balance Equity", "AccountType": "Equity"},
}


def list_form(
    entity: str, body: Mapping[str, Any], *, parent: Callable[[str], Mapping[str, Any]], named: Named
) -> JsonObject:
    """The body of a list object as the books keep it, without Id, times and balances."""
    form: JsonObject = {"domain": "QBO", "sparse": False}
    for key, value in body.items():
        if key not in _COMPUTED and value is not None:
            form[key] = named(NAMED_REFERENCES[key], value) if key in NAMED_REFERENCES else value
    form.setdefault("Active", True)
    name_field = NAME_LISTS[entity]
    name = form.get(name_field) or _spelled_name(form)
    if not name:
        raise QboFault.required(element=name_field)
    form[name_field] = _marked(str(name), active=form["Active"])
    _DEFAULTS[entity](form)
    if entity in ("Account", "Customer", "Item"):
        above = parent(form["ParentRef"]["value"]) if form.get("ParentRef") else None
        form["FullyQualifiedName"] = f"{above['FullyQualifiedName']}:{name}" if above else form[name_field]
        if entity == "Account":
            form["SubAccount"] = above is not None
        elif above:
            form["Level"] = above.get("Level", 0) + 1
    return form


def _spelled_name(form: JsonObject) -> str:
    parts = [str(form[key]) for key in ("Title", "GivenName", "MiddleName", "FamilyName", "Suffix") if form.get(key)]
    return " ".join(parts)


def _marked(name: str, *, active: bool) -> str:
    bare = name.removesuffix(DELETED_SUFFIX)
    return bare if active else bare + DELETED_SUFFIX


def _account(form: JsonObject) -> None:
    kind = form.get("AccountType")
    if kind is None:
        raise QboFault.required(element="AccountType")
    if kind not in CLASSIFICATION:
        raise QboFault.not_listed(element="AccountType", value=kind)
    form["Classification"] = CLASSIFICATION[kind]
    form.setdefault("CurrencyRef", US_DOLLAR)
    form.setdefault("AccountSubType", kind.replace(" ", ""))


def _vendor(form: JsonObject) -> None:
    form.setdefault("CurrencyRef", US_DOLLAR)
    form.setdefault("PrintOnCheckName", form["DisplayName"])
    form.setdefault("Vendor1099", False)
    form["Balance"] = 0


def _customer(form: JsonObject) -> None:
    form.setdefault("CurrencyRef", US_DOLLAR)
    form.setdefault("PrintOnCheckName", form["DisplayName"])
    form.setdefault("PreferredDeliveryMethod", "Print")
    form.setdefault("Taxable", False)
    form.setdefault("BillWithParent", False)
    form["Job"] = bool(form.get("ParentRef"))
    form["Balance"] = 0
    form["BalanceWithJobs"] = 0


def _item(form: JsonObject) -> None:
    form.setdefault("Type", "Service")
    form.setdefault("Taxable", False)
    form.setdefault("UnitPrice", 0)
    form.setdefault("PurchaseCost", 0)
    form.setdefault("TrackQtyOnHand", False)


def _term(form: JsonObject) -> None:
    form["Type"] = "DATE_DRIVEN" if "DayOfMonthDue" in form else "STANDARD"


_DEFAULTS: Mapping[str, Callable[[JsonObject], None]] = {
    "Account": _account,
    "Vendor": _vendor,
    "Customer": _customer,
    "Item": _item,
    "Term": _term,
}


def company_info(*, name: str, zone: str, start: str) -> JsonObject:
    """The CompanyInfo of a new company."""
    return {
        "domain": "QBO",
        "sparse": False,
        "Id": "1",
        "CompanyName": name,
        "LegalName": name,
        "CompanyAddr": {"Id": "1"},
        "CustomerCommunicationAddr": {"Id": "1"},
        "LegalAddr": {"Id": "1"},
        "PrimaryPhone": {},
        "CompanyStartDate": start,
        "FiscalYearStartMonth": "January",
        "Country": "US",
        "DefaultTimeZone": zone,
        "Email": {},
        "WebAddr": {},
        "SupportedLanguages": "en",
        "NameValue": [
            {"Name": "NeoEnabled", "Value": "true"},
            {"Name": "IsQbdtMigrated", "Value": "false"},
            {"Name": "SubscriptionStatus", "Value": "PAID"},
            {"Name": "OfferingSku", "Value": "QuickBooks Online Plus"},
            {"Name": "PayrollFeature", "Value": "false"},
            {"Name": "AccountantFeature", "Value": "false"},
        ],
    }


def preferences() -> JsonObject:
    """The Preferences of a new company: one currency, accrual basis, no automatic application of credits."""
    return {
        "domain": "QBO",
        "sparse": False,
        "Id": "1",
        "AccountingInfoPrefs": {
            "UseAccountNumbers": False,
            "TrackDepartments": False,
            "ClassTrackingPerTxn": False,
            "ClassTrackingPerTxnLine": False,
            "FirstMonthOfFiscalYear": "January",
            "TaxYearMonth": "January",
            "CustomerTerminology": "Customers",
        },
        "ProductAndServicesPrefs": {
            "ForSales": True,
            "ForPurchase": True,
            "QuantityWithPriceAndRate": True,
            "QuantityOnHand": False,
        },
        "SalesFormsPrefs": {
            "CustomTxnNumbers": False,
            "AllowDeposit": False,
            "AllowDiscount": True,
            "AllowEstimates": True,
            "AllowShipping": False,
            "AutoApplyCredit": False,
            "AutoApplyPayments": False,
            "DefaultTerms": {"value": "3"},
            "CustomField": [],
        },
        "EmailMessagesPrefs": {},
        "VendorAndPurchasesPrefs": {
            "TrackingByCustomer": False,
            "BillableExpenseTracking": False,
            "POCustomField": [],
        },
        "TimeTrackingPrefs": {"UseServices": True, "BillCustomers": True, "ShowBillRateToAll": False},
        "TaxPrefs": {"UsingSalesTax": False},
        "CurrencyPrefs": {"MultiCurrencyEnabled": False, "HomeCurrency": {"value": "USD"}},
        "ReportPrefs": {"ReportBasis": "Accrual", "CalcAgingReportFromTxnDate": False},
        "OtherPrefs": {
            "NameValue": [
                {"Name": "VendorAndPurchasesPrefs.UseCustomTxnNumbers", "Value": "false"},
                {"Name": "SalesFormsPrefs.DefaultCustomerMessage", "Value": ""},
            ]
        },
    }
