"""What of a bill an approval covers beside its amounts: the payables account and its lines.

Belongs here: taking it from a bill as QuickBooks returned it. Does not: the fingerprint (`payments/bills/fingerprint.py`).
"""

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from resources.qbo.transactions import Bill, TradeLine


@dataclass(frozen=True, slots=True, kw_only=True)
class BillDetail:
    """The parts of a bill that its published amounts do not show."""

    #: The version QuickBooks counts; a change of it alone changes nothing of the content.
    sync_token: str
    #: The account the bill is owed on; empty where the company has only one.
    ap_account_id: str
    #: Hash over amount and account or item of each line, in order.
    lines_sha256: str


def bill_detail(bill: Bill) -> BillDetail:
    """The detail of one bill; the same content gives the same hash whoever read it."""
    text = json.dumps([_line(line) for line in bill.line], separators=(",", ":"), ensure_ascii=False)
    return BillDetail(
        sync_token=bill.sync_token or "",
        ap_account_id=bill.ap_account_ref.value if bill.ap_account_ref else "",
        lines_sha256=hashlib.sha256(text.encode()).hexdigest(),
    )


def _line(line: TradeLine) -> list[Any]:
    account, item = line.account_based_expense_line_detail, line.item_based_expense_line_detail
    return [
        None if line.amount is None else format(line.amount.normalize(), "f"),
        line.detail_type,
        account.account_ref.value if account and account.account_ref else None,
        item.item_ref.value if item and item.item_ref else None,
    ]
