"""The columns of the frame tables, described once for whoever looks at them in Dagster.

Belongs here: names, types and meaning. Does not: how they are filled. A test compares these with the stored tables.
"""

from collections.abc import Mapping
from dataclasses import dataclass

Columns = Mapping[str, tuple[str, str]]

_VERSION: Columns = {
    "qbo_id": ("string", "QuickBooks' id of the object."),
    "known_at": ("timestamp[us, tz=UTC]", "When we learned of this version."),
    "created_at": ("timestamp[us, tz=UTC]", "When the object was entered in QuickBooks."),
    "is_deleted": ("bool", "The version that says the object is gone."),
}
_PARTY: Columns = {
    "party_id": ("string", "Id of the vendor or customer."),
    "party_name": ("string", "Its name on the document."),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerTable:
    """One typed table of versions and the entities it is made from."""

    noun: str
    description: str
    reads: frozenset[str]
    columns: Columns


LEDGER_TABLES: tuple[LedgerTable, ...] = (
    LedgerTable(
        noun="accounts",
        description="The chart of accounts, a row for each kept version.",
        reads=frozenset({"Account"}),
        columns={
            **_VERSION,
            "name": ("string", "Name of the account."),
            "account_type": ("string", "QuickBooks' type, such as Bank."),
            "account_subtype": ("string", "QuickBooks' subtype, such as Checking."),
            "is_active": ("bool", "Whether it is in use."),
            "currency": ("string", "Currency of the account."),
            "current_balance_cents": ("int64", "Book balance in cents of the account's currency; debts negative."),
        },
    ),
    LedgerTable(
        noun="parties",
        description="Vendors and customers, a row for each kept version.",
        reads=frozenset({"Vendor", "Customer"}),
        columns={
            **_VERSION,
            "party_type": ("string", "Vendor or Customer."),
            "display_name": ("string", "Its name."),
            "is_active": ("bool", "Whether it is in use."),
            "balance_cents": ("int64", "Its balance in cents of its currency."),
            "term_id": ("string", "Its usual terms."),
            "is_1099": ("bool", "A vendor whose payments are reported on form 1099: a contractor."),
        },
    ),
    LedgerTable(
        noun="terms",
        description="Payment terms, a row for each kept version.",
        reads=frozenset({"Term"}),
        columns={
            **_VERSION,
            "name": ("string", "Name of the terms."),
            "due_days": ("int64", "Days until due; -1 if not by days."),
            "discount_percent": ("string", "Early-payment discount as a decimal in text."),
            "discount_days": ("int64", "Days the discount stands; -1 if none."),
        },
    ),
    LedgerTable(
        noun="documents",
        description="Bills, invoices, credits and payments, a row for each kept version.",
        reads=frozenset({"Bill", "Invoice", "VendorCredit", "CreditMemo", "Payment", "BillPayment"}),
        columns={
            **_VERSION,
            "txn_type": ("string", "QuickBooks' entity name."),
            **_PARTY,
            "doc_number": ("string", "Number on the document."),
            "txn_date": ("timestamp[us]", "Date of the document."),
            "due_date": ("timestamp[us]", "Date it is due; empty if it has none."),
            "term_id": ("string", "Its terms."),
            "currency": ("string", "Currency of the document."),
            "total_cents": ("int64", "Total in home cents."),
            "open_cents": ("int64", "Open amount in home cents; credits and unapplied money negative."),
        },
    ),
    LedgerTable(
        noun="applications",
        description="What each payment settles or uses, a row for each target and kept version.",
        reads=frozenset({"Payment", "BillPayment"}),
        columns={
            **_VERSION,
            "txn_type": ("string", "Payment or BillPayment."),
            "txn_date": ("timestamp[us]", "Date of the payment."),
            "target_type": ("string", "Entity of the document it is applied to; empty if to none."),
            "target_id": ("string", "Id of that document."),
            "amount_cents": ("int64", "Amount applied in home cents, always positive."),
        },
    ),
    LedgerTable(
        noun="postings",
        description="Effects of transactions on bank, card and undeposited accounts, a row for each account and version.",
        reads=frozenset(
            {
                "Account",
                "Item",
                "BillPayment",
                "Purchase",
                "Payment",
                "SalesReceipt",
                "RefundReceipt",
                "Deposit",
                "Transfer",
                "JournalEntry",
            }
        ),
        columns={
            **_VERSION,
            "txn_type": ("string", "QuickBooks' entity name."),
            "txn_date": ("timestamp[us]", "Date of the transaction."),
            "account_id": ("string", "Account that moves; empty if none of these does."),
            "amount_cents": ("int64", "Signed effect on the account's balance in home cents."),
            "party_type": ("string", "Vendor, Customer, Employee or empty."),
            **_PARTY,
            "counter_account_ids": ("string", "Ids of the transaction's other accounts, joined by semicolons."),
            "doc_number": ("string", "Number on the document."),
            "memo": ("string", "Private note."),
        },
    ),
    LedgerTable(
        noun="bill_lines",
        description="On which accounts bills are booked, a row for each account and version.",
        reads=frozenset({"Account", "Item", "Bill"}),
        columns={
            **_VERSION,
            "txn_type": ("string", "Bill."),
            "txn_date": ("timestamp[us]", "Date of the bill."),
            "party_id": ("string", "Id of the vendor."),
            "account_id": ("string", "Account that lines are booked on; empty if there is none."),
            "amount_cents": ("int64", "Sum of its lines on the account in home cents."),
        },
    ),
)

OPEN_ITEM_COLUMNS: Columns = {
    "txn_type": ("string", "QuickBooks' entity name."),
    "qbo_id": ("string", "QuickBooks' id of the document."),
    **_PARTY,
    "doc_number": ("string", "Number on the document."),
    "txn_date": ("timestamp[us]", "Date of the document."),
    "due_date": ("timestamp[us]", "Date it is due; empty if it has none."),
    "total_cents": ("int64", "Total in home cents."),
    "open_cents": ("int64", "Open amount in home cents; credits negative."),
    "overdue_days": ("int64", "Days past the date it ages by; negative before it."),
    "bucket": ("string", "Ageing bucket."),
}

MOVEMENT_COLUMNS: Columns = {
    "date": ("timestamp[us]", "Date of the transaction."),
    "amount_cents": ("int64", "Signed effect on the cash in home cents."),
    "direction": ("string", "in or out."),
    "kind": ("string", "What it is, by the types of its accounts."),
    "stream": ("string", "Identity of the series of payments it belongs to."),
    "label": ("string", "What a reader calls the other side."),
    "txn_type": ("string", "QuickBooks' entity name."),
    "txn_id": ("string", "QuickBooks' id of the transaction."),
    "party_type": ("string", "Vendor, Customer, Employee or empty."),
    **_PARTY,
    "counter_account_ids": ("string", "Ids of the transaction's other accounts, joined by semicolons."),
    "doc_number": ("string", "Number on the document."),
}
