"""A transaction's total beside the sum of its lines, by the rules of its kind.

Belongs here: which lines count with which sign, and QuickBooks' real exceptions. Does not: comparing the two
(`runway_calcs/books/reconciliation.py`).

Amounts stay in the document's own currency: converted line by line they would differ by the rounding.
Left out, because nothing is stated twice: transfers; bill payments, whose surplus becomes the vendor's credit; received
payments applied to a journal entry or another kind of which the line does not say the sign.
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import pandas as pd

from resources.qbo.columns import CENTS, TEXT, Version, frame, in_order
from resources.qbo.fields import QboObject
from resources.qbo.home_currency import cents
from resources.qbo.transactions import (
    Bill,
    CreditMemo,
    Deposit,
    Invoice,
    JournalEntry,
    Payment,
    Purchase,
    RefundReceipt,
    SalesReceipt,
    TradeLine,
    VendorCredit,
)

LINE_TOTAL_COLUMNS = {"txn_type": TEXT, "total_cents": CENTS, "lines_cents": CENTS}

_SUBTOTAL, _DISCOUNT = "SubTotalLineDetail", "DiscountLineDetail"
_SETTLES, _USES = "Invoice", "CreditMemo"
_ZERO = Decimal(0)

_Trade = Bill | VendorCredit | Purchase | Invoice | CreditMemo | SalesReceipt | RefundReceipt


def line_totals(versions: Iterable[Version]) -> pd.DataFrame:
    """Stated total and sum of the lines of each transaction that states both."""
    rows = []
    for common, found in in_order(versions):
        both = _both(found)
        if both is not None:
            rows.append((*common, found.entity, cents(both[0]), cents(both[1])))
    return frame(LINE_TOTAL_COLUMNS, rows)


def _both(found: QboObject) -> tuple[Decimal, Decimal] | None:
    match found:
        case Bill() | VendorCredit() | Purchase() | Invoice() | CreditMemo() | SalesReceipt() | RefundReceipt():
            return found.total_amt, _traded(found) + _tax(found)
        case Deposit():
            given_back = found.cash_back.amount if found.cash_back is not None else _ZERO
            return found.total_amt, sum((line.amount for line in found.line), _ZERO) - given_back
        case Payment():
            return _received(found)
        case JournalEntry():
            # QuickBooks' own total has been seen as 0: the two sides are what has to agree.
            return _side(found, "Debit"), _side(found, "Credit")
        case _:
            return None


def _traded(found: _Trade) -> Decimal:
    counted = [line for line in found.line if line.detail_type != _SUBTOTAL]
    # An invoice made of statement charges has no line but the subtotal.
    return sum((_signed(line) for line in counted or found.line), _ZERO)


def _signed(line: TradeLine) -> Decimal:
    amount = line.amount or _ZERO
    return -amount if line.detail_type == _DISCOUNT else amount


def _tax(found: _Trade) -> Decimal:
    detail: Any = (found.model_extra or {}).get("TxnTaxDetail")
    total = detail.get("TotalTax") if isinstance(detail, dict) else None
    return total if isinstance(total, Decimal) else _ZERO


def _received(found: Payment) -> tuple[Decimal, Decimal] | None:
    """What was received is what settles invoices, less what credits settle, and what is not applied yet."""
    signs = {_SETTLES: 1, _USES: -1}
    applied = _ZERO
    for line in found.line:
        kinds = {link.txn_type for link in line.linked_txn}
        if not kinds <= signs.keys():
            return None
        applied += sum((signs[kind] * line.amount for kind in kinds), _ZERO)
    return found.total_amt, applied + found.unapplied_amt


def _side(found: JournalEntry, side: str) -> Decimal:
    details = ((line.amount, line.journal_entry_line_detail) for line in found.line)
    return sum(
        (amount for amount, detail in details if amount is not None and detail and detail.posting_type == side), _ZERO
    )
