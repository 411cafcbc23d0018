"""What reserves have given free since a forecast, by the payments that were made for their purpose.

Belongs here: the arithmetic of the draws (``simulation.py``) on what happened. Does not: what a reserve holds by the payment
ledger, which people also fill and empty: a forecast speaks of the money it knew.
"""

from collections.abc import Sequence
from datetime import date, timedelta

import numpy as np
import pandas as pd

from runway_calcs.books.movements import Kind
from runway_calcs.flow_kinds import KIND_NUMBER, FlowKind
from runway_calcs.forecast.earmarks import PurposeReserve
from runway_calcs.forecast.recurring_items import FLOW_OF_MOVEMENT
from runway_calcs.forecast.simulation import Cents, released_each

_KEY = ["txn_type", "txn_id"]


def given_free(
    reserves: Sequence[PurposeReserve], *, before: pd.DataFrame, since: pd.DataFrame, after: date, until: date
) -> Cents:
    """What each reserve has given free by the end of each day: shape (reserve, day), int64 cents, days from the one after `after`.

    Args:
        reserves: as the forecast held them.
        before: the cash movements that the forecast's books knew (``books/movements.py``).
        since: those of later books. What these learned of an earlier day counts on the first day.
        after: the forecast's day.
        until: the last day that is looked at, after it.
    """
    flows: Cents = np.zeros((len(FlowKind), 1, (until - after).days), dtype="int64")
    held = pd.MultiIndex.from_frame(before.loc[before["date"] <= pd.Timestamp(after), _KEY])
    learned = since[since["date"] <= pd.Timestamp(until)]
    learned = learned[~pd.MultiIndex.from_frame(learned[_KEY]).isin(held)]
    for kind, flow in FLOW_OF_MOVEMENT.items():
        _add(flows[KIND_NUMBER[flow], 0], learned[learned["kind"] == kind], after=after)
    bills = {vendor: np.zeros_like(flows[0]) for reserve in reserves for vendor in reserve.vendor_ids}
    payments = learned[(learned["kind"] == Kind.BILL_PAYMENT) & (learned["party_type"] == "Vendor")]
    for vendor, paid in bills.items():
        _add(paid[0], payments[payments["party_id"] == vendor], after=after)
    return released_each(reserves, flows, bills)[:, 0, :]


def _add(days: Cents, moved: pd.DataFrame, *, after: date) -> None:
    number = (moved["date"] - pd.Timestamp(after)).dt.days.clip(lower=1).to_numpy(dtype="int64")
    np.add.at(days, number - 1, moved["amount_cents"].to_numpy(dtype="int64"))


def given_free_by_day(found: Cents, *, after: date) -> dict[date, int]:
    """The same of all reserves together, by day."""
    return {after + timedelta(days=number): int(cents) for number, cents in enumerate(found.sum(axis=0), start=1)}
