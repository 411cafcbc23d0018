"""Ageing of open items by days overdue.

Belongs here: the five buckets and their sums, in total and for each party.
Does not: deciding what is open (``runway_calcs/books/open_items.py``).
"""

from dataclasses import dataclass
from datetime import date

import pandas as pd

BUCKETS = ("Current", "1-30", "31-60", "61-90", "91+")
"""Days past the due date; credits and documents without a due date age by their own date."""
_LAST_DAYS = (0, 30, 60, 90)


@dataclass(frozen=True, slots=True, kw_only=True)
class PartyAgeing:
    """What is open with one vendor or customer, by bucket."""

    party_id: str
    party_name: str
    bucket_cents: tuple[int, ...]
    """In the order of `BUCKETS`; credits count negative."""
    total_cents: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Ageing:
    """What is open on one side of the books, by bucket: the buckets sum to the total, and so do the parties."""

    as_of: date
    bucket_cents: tuple[int, ...]
    """In the order of `BUCKETS`; credits count negative."""
    total_cents: int
    item_count: int
    parties: tuple[PartyAgeing, ...]
    """Largest absolute total first, then by name and id."""


def bucket_of(overdue_days: pd.Series) -> pd.Series:
    """The bucket name of each number of days overdue."""
    edges = [float("-inf"), *_LAST_DAYS, float("inf")]
    return pd.cut(overdue_days, bins=edges, labels=list(BUCKETS)).astype("str")


def ageing(open_items: pd.DataFrame, *, as_of: date) -> Ageing:
    """The ageing of a frame of open items (``open_items.open_items``)."""
    by_age = open_items.sort_values(["txn_date", "qbo_id"])
    # The newest document's name stands for a party that was renamed.
    names = dict(zip(by_age["party_id"], by_age["party_name"], strict=True))
    sums: dict[str, dict[str, int]] = {party_id: {} for party_id in names}
    rows = open_items.groupby(["party_id", "bucket"])["open_cents"].sum().reset_index()
    for party_id, bucket, cents in rows.itertuples(index=False, name=None):
        sums[party_id][bucket] = int(cents)
    parties = [
        PartyAgeing(
            party_id=party_id,
            party_name=names[party_id],
            bucket_cents=tuple(by_bucket.get(bucket, 0) for bucket in BUCKETS),
            total_cents=sum(by_bucket.values()),
        )
        for party_id, by_bucket in sums.items()
    ]
    in_all = open_items.groupby("bucket")["open_cents"].sum()
    return Ageing(
        as_of=as_of,
        bucket_cents=tuple(int(in_all.get(bucket, 0)) for bucket in BUCKETS),
        total_cents=int(open_items["open_cents"].sum()),
        item_count=len(open_items),
        parties=tuple(sorted(parties, key=lambda party: (-abs(party.total_cents), party.party_name, party.party_id))),
    )
