"""What a company was asked, by the log that QuickBooks itself keeps."""

import re
from urllib.parse import parse_qs

from tests.firm import Firm

_LISTS = ("Account", "Vendor", "Customer", "Item", "Term")
_TRANSACTIONS = (
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
#: In the order in which they are read.
KINDS = (*_LISTS, *_TRANSACTIONS)


class Log:
    """What a company was asked since one last looked."""

    def __init__(self, firm: Firm, realm_id: str) -> None:
        self._firm, self._realm_id, self._seen = firm, realm_id, 0

    def news(self) -> list[str]:
        """Each call in a few words; every one was answered and counted as one metered read."""
        found = self._firm.sandbox.requests(self._realm_id)[self._seen :]
        self._seen += len(found)
        assert {(one["method"], one["status"], one["metered"]) for one in found} <= {("GET", 200, 1)}
        return [_told(one["path"].split("/")[4], parse_qs(one["query"])) for one in found]


def _told(operation: str, parameters: dict[str, list[str]]) -> str:
    if operation == "query":
        found = re.fullmatch(
            r"SELECT \* FROM (\w+) WHERE .* STARTPOSITION (\d+) MAXRESULTS 1000", parameters["query"][0]
        )
        assert found is not None
        return f"{found.group(1)} from {found.group(2)}"
    if operation == "cdc":
        assert parameters["entities"] == [",".join(KINDS)]
    return operation
