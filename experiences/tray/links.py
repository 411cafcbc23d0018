"""Where an object of the books is opened in QuickBooks Online.

Belongs here: the page of each kind of object, and the company it is opened in. Does not: which objects there are.

An address is made from this table, the object's id and the realm id of the connection, never from a text of the books. The
pages are those that QuickBooks Online itself shows in the address bar. Alone they open in whichever company the reader works in
just then, so with a known company the address is that of signing in, which names the company and passes the page on.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlencode

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
_REALM = re.compile(r"[0-9]{1,32}")


class Environment(StrEnum):
    """Which QuickBooks a company is in."""

    PRODUCTION = "production"
    SANDBOX = "sandbox"
    LOCAL = "local"
    """The local one serves no pages: its companies get addresses of the same form, under which Intuit has no company."""


_HOSTS: Mapping[Environment, str] = {
    Environment.PRODUCTION: "qbo.intuit.com",
    Environment.SANDBOX: "sandbox.qbo.intuit.com",
    Environment.LOCAL: "qbo.intuit.com",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class QboCompany:
    """The company that a tenant is connected to."""

    realm_id: str
    environment: Environment

    def __post_init__(self) -> None:
        if _REALM.fullmatch(self.realm_id) is None:
            raise ValueError("a realm id is a text of digits")


def link(object_type: str, object_id: str, *, company: QboCompany | None) -> str:
    """The address at which an object is mended; empty for a kind without a page or an id that is none.

    Without a company the address names none, and opens in the one that the reader is signed in to.
    """
    page = _page(object_type, object_id)
    if not page:
        return ""
    if company is None:
        return f"https://{_HOSTS[Environment.PRODUCTION]}/app/{page}"
    query = urlencode({"pagereq": page, "deeplinkcompanyid": company.realm_id})
    return f"https://{_HOSTS[company.environment]}/app/login?{query}"


def _page(object_type: str, object_id: str) -> str:
    if object_type in LISTS:
        return LISTS[object_type]
    if object_type not in PAGES or _ID.fullmatch(object_id) is None:
        return ""
    page, parameter = PAGES[object_type]
    return f"{page}?{urlencode({parameter: object_id})}"
