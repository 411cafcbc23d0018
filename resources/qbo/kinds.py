"""The kinds of QBO objects that are read, in the order they are read.

Belongs here: names and traits. Does not: their fields (`entities.py` and the modules beside it).
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One QBO entity: `entity` is QuickBooks' name, `noun` that of our assets and tables."""

    entity: str
    noun: str
    #: One object a company, read by its own address instead of a query.
    is_singleton: bool = False
    #: A name list: its objects are made inactive instead of deleted, and inactive ones must be asked for.
    is_list: bool = False
    is_transaction: bool = False

    @property
    def table(self) -> str:
        """The lake table of its versions."""
        return f"raw_qbo/{self.noun}"


#: Singletons first: the first answer's `time` anchors the read. Lists before the transactions that refer to them.
ENTITIES: tuple[Kind, ...] = (
    Kind(entity="CompanyInfo", noun="company_info", is_singleton=True),
    Kind(entity="Preferences", noun="preferences", is_singleton=True),
    Kind(entity="Account", noun="accounts", is_list=True),
    Kind(entity="Vendor", noun="vendors", is_list=True),
    Kind(entity="Customer", noun="customers", is_list=True),
    Kind(entity="Item", noun="items", is_list=True),
    Kind(entity="Term", noun="terms", is_list=True),
    Kind(entity="Bill", noun="bills", is_transaction=True),
    Kind(entity="BillPayment", noun="bill_payments", is_transaction=True),
    Kind(entity="VendorCredit", noun="vendor_credits", is_transaction=True),
    Kind(entity="Purchase", noun="purchases", is_transaction=True),
    Kind(entity="Invoice", noun="invoices", is_transaction=True),
    Kind(entity="Payment", noun="payments", is_transaction=True),
    Kind(entity="CreditMemo", noun="credit_memos", is_transaction=True),
    Kind(entity="SalesReceipt", noun="sales_receipts", is_transaction=True),
    Kind(entity="RefundReceipt", noun="refund_receipts", is_transaction=True),
    Kind(entity="Deposit", noun="deposits", is_transaction=True),
    Kind(entity="Transfer", noun="transfers", is_transaction=True),
    Kind(entity="JournalEntry", noun="journal_entries", is_transaction=True),
)

KINDS: dict[str, Kind] = {kind.entity: kind for kind in ENTITIES}
