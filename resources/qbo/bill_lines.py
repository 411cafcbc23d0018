"""On which accounts a vendor's bills are booked, as a frame that the calculators take.

Belongs here: the lines of bills by account. Does not: what the accounts say about a vendor (`runway_calcs/bills/vendor_facts.py`).
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import pandas as pd

from resources.qbo.columns import CENTS, DAY, TEXT, Version, frame, in_order
from resources.qbo.home_currency import cents, rate_of
from resources.qbo.postings import ChartOfAccounts
from resources.qbo.transactions import Bill, TradeLine

BILL_LINE_COLUMNS = {"txn_type": TEXT, "txn_date": DAY, "party_id": TEXT, "account_id": TEXT, "amount_cents": CENTS}
_ZERO = Decimal(0)


def bill_lines(versions: Iterable[Version], *, chart: ChartOfAccounts, home_currency: str) -> pd.DataFrame:
    """One row for each version of a bill and account its lines are booked on, lines summed, in home cents.

    A version without such a line has one row without an account and money: it takes the place of the version before.
    """
    rows: list[tuple[Any, ...]] = []
    for common, found in in_order(versions):
        if isinstance(found, Bill):
            rate = rate_of(found, home_currency=home_currency)
            amounts: dict[str, Decimal] = {}
            for line in found.line:
                account_id = _account_of(line, chart)
                if account_id:
                    amounts[account_id] = amounts.get(account_id, _ZERO) + (line.amount or _ZERO)
            booked = [(account_id, cents(amount, rate=rate)) for account_id, amount in sorted(amounts.items())]
            rows += [
                (*common, found.entity, found.txn_date, found.vendor_ref.value, account_id, money)
                for account_id, money in booked or [("", 0)]
            ]
        elif found.entity == "Bill":
            rows.append((*common, found.entity, None, "", "", 0))
    return frame(BILL_LINE_COLUMNS, rows)


def _account_of(line: TradeLine, chart: ChartOfAccounts) -> str:
    """The account a line names, or the one on which its item is bought; empty for descriptions and subtotals."""
    if line.account_based_expense_line_detail is not None:
        named = line.account_based_expense_line_detail.account_ref
        return named.value if named else ""
    if line.item_based_expense_line_detail is not None:
        item = line.item_based_expense_line_detail.item_ref
        return chart.bought_on.get(item.value, "") if item else ""
    return ""
