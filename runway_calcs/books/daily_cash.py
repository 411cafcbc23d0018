"""The cash at the end of each of the last days, as it was known at a point of view.

Belongs here: walking back from the cash of the as-of day over the entries behind it. Does not: the cash itself (``cash.py``),
what a forecast said of these days (``forecast/hindsight.py``).
"""

from datetime import date, timedelta

import pandas as pd

from runway_calcs.books.as_of import DOCUMENT_KEY, AsOf, select_known
from runway_calcs.books.cash import CashPosition


def daily_cash(postings: pd.DataFrame, *, position: CashPosition, at: AsOf, days: int) -> dict[date, int]:
    """End-of-day balances in cents of the accounts that count as cash, for the last so many days up to the as-of day.

    In the order of the days; the last one is the position's own cash. Empty without a cash figure.

    Args:
        postings: every kept version (`books/postings`): txn_type, qbo_id, txn_date, account_id, amount_cents, known_at,
            created_at, is_deleted.
        position: the cash at the same point of view.
        at: the point of view.
        days: how many days, the as-of day included.
    """
    if position.cash_cents is None:
        return {}
    known = select_known(postings, known_until=at.known_until, first_known_at=at.first_known_at, key=DOCUMENT_KEY)
    wanted = pd.date_range(end=at.as_of_day, periods=days)
    inside = known[known["account_id"].isin(position.moving_ids) & known["txn_date"].isin(wanted)]
    moved = inside.groupby("txn_date")["amount_cents"].sum()
    balance, found = position.cash_cents, {}
    for back in range(days):
        day = at.as_of - timedelta(days=back)
        found[day] = balance
        balance -= int(moved.get(pd.Timestamp(day), 0))
    return dict(reversed(found.items()))
