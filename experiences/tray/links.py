"""Where an object of the books is opened in QuickBooks Online.

Belongs here: the page of each kind of object. Does not: which objects there are.

An address is made from this table and the object's id, never from a text of the books. The pages are those that QuickBooks
Online itself shows in the address bar; they open in the company that the reader is signed in to.
"""

import re
from collections.abc import Mapping

_APP = "https://qbo.intuit.com/app"
#: Entity: page and parameter of the id. Documents open by their transaction id, lists by their name id.
PAGES: Mapping[str, tuple[str, str]] = {
    "Bill": ("bill", "txnId"),
    "BillPayment": ("billpayment", "txnId"),
    "CreditMemo": ("creditmemo", "txnId"),
    "Customer": ("customerdetail", "nameId"),
    "Deposit": ("deposit", "txnId"),
    "Invoice": ("invoice", "txnId"),
    "JournalEntry": ("journal", "txnId"),
    "Payment": ("recvpayment", "txnId"),
    "Purchase": ("expense", "txnId"),
    "RefundReceipt": ("refundreceipt", "txnId"),
    "SalesReceipt": ("salesreceipt", "txnId"),
    "Transfer": ("transfer", "txnId"),
    "Vendor": ("vendordetail", "nameId"),
    "VendorCredit": ("vendorcredit", "txnId"),
}
#: Kinds without a page of their own: the list that shows them.
LISTS: Mapping[str, str] = {"Account": "chartofaccounts", "CompanyInfo": "homepage"}
_ID = re.compile(r"[A-Za-z0-9-]{1,40}")


def link(object_type: str, object_id: str) -> str:
    """The address at which an object is mended; empty for a kind without a page or an id that is none."""
    if object_type in LISTS:
        return f"{_APP}/{LISTS[object_type]}"
    if object_type not in PAGES or _ID.fullmatch(object_id) is None:
        return ""
    page, parameter = PAGES[object_type]
    return f"{_APP}/{page}?{parameter}={object_id}"
