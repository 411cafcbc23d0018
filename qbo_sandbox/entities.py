"""The QuickBooks entities this sandbox keeps: their kind, their names, what is peculiar to each.

Belongs here: facts about entity types. Does not: field lists (``qbo_sandbox/fields.py``), behaviour.
"""

TRANSACTIONS = (
    "Bill",
    "BillPayment",
    "VendorCredit",
    "Purchase",
    "Invoice",
    "Payment",
    "CreditMemo",
    "SalesReceipt",
    "RefundReceipt",
    "Deposit",
    "Transfer",
    "JournalEntry",
)
NAME_LISTS = {"Account": "Name", "Vendor": "DisplayName", "Customer": "DisplayName", "Item": "Name", "Term": "Name"}
SINGLETONS = ("CompanyInfo", "Preferences")
ENTITIES = (*SINGLETONS, *NAME_LISTS, *TRANSACTIONS)

# Entities that QuickBooks has and these companies have none of: asked for, they are empty, not unknown.
EMPTY_ENTITIES = (
    "Attachable", "Budget", "Class", "CompanyCurrency", "CreditCardPayment", "CustomerType", "Department", "Employee",
    "Estimate", "JournalCode", "PaymentMethod", "PurchaseOrder", "RecurringTransaction", "ReimburseCharge", "TaxAgency",
    "TaxCode", "TaxRate", "TimeActivity",
)  # fmt: skip
# The documentation excepts these from change data.
WITHOUT_CHANGE_DATA = ("JournalCode", "TaxAgency", "TaxCode", "TaxRate", "TimeActivity")

# Customers, vendors and employees share one name space and one id sequence in QuickBooks.
PARTIES = ("Vendor", "Customer")
PAYERS = ("BillPayment", "Payment")
SALES_FORMS = ("Invoice", "CreditMemo", "SalesReceipt", "RefundReceipt")

# What a payment's line may point at, and the name the target gives the payment in its own LinkedTxn:
# recorded bills say BillPaymentCheck even when the payment was by credit card.
SETTLES = {
    "BillPayment": ("Bill", "VendorCredit", "JournalEntry"),
    "Payment": ("Invoice", "CreditMemo", "JournalEntry"),
}
LINK_NAME = {"BillPayment": "BillPaymentCheck", "Payment": "Payment"}

# A recorded `SELECT *` page carries a totalCount for these and for no others.
COUNTED_ON_PAGES = ("Bill", "BillPayment", "Deposit", "Invoice", "JournalEntry", "Transfer")

CLASSIFICATION = {
    "Bank": "Asset",
    "Accounts Receivable": "Asset",
    "Other Current Asset": "Asset",
    "Fixed Asset": "Asset",
    "Other Asset": "Asset",
    "Accounts Payable": "Liability",
    "Credit Card": "Liability",
    "Other Current Liability": "Liability",
    "Long Term Liability": "Liability",
    "Equity": "Equity",
    "Income": "Revenue",
    "Other Income": "Revenue",
    "Cost of Goods Sold": "Expense",
    "Expense": "Expense",
    "Other Expense": "Expense",
}
BALANCE_SHEET = ("Asset", "Liability", "Equity")
