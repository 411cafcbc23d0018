"""Ageing: the worked example and the identity of its sums."""

import pandas as pd
import pytest
from hypothesis import strategies as st

from runway_calcs.books.ageing import BUCKETS, ageing, bucket_of
from runway_calcs.books.open_items import open_items
from tests.runway_calcs import ledger
from tests.runway_calcs.builders import FRIDAY, applications, day, documents, point
from tests.runway_calcs.properties import EXAMPLES, holds


def test_the_worked_example() -> None:
    frame = documents(
        {"qbo_id": "1", "party_id": "1", "party_name": "Ash", "open_cents": 100, "due_date": day("2026-12-01")},
        {"qbo_id": "2", "party_id": "1", "party_name": "Ash", "open_cents": 50, "due_date": day("2026-11-15")},
        {"qbo_id": "3", "party_id": "2", "party_name": "Birch", "open_cents": 900, "due_date": day("2026-08-01")},
        {"qbo_id": "4", "party_id": "2", "txn_type": "VendorCredit", "open_cents": -30, "txn_date": day("2026-10-10")},
    )
    found = ageing(open_items(frame, applications(), side="payables", at=point()), as_of=FRIDAY)
    assert dict(zip(BUCKETS, found.bucket_cents, strict=True)) == {
        "Current": 100,
        "1-30": 50,
        "31-60": -30,
        "61-90": 0,
        "91+": 900,
    }
    assert (found.total_cents, found.item_count) == (1020, 4)
    assert [(party.party_id, party.total_cents) for party in found.parties] == [("2", 870), ("1", 150)]


def test_nothing_open_is_zero_in_every_bucket() -> None:
    found = ageing(open_items(documents(), applications(), side="payables", at=point()), as_of=FRIDAY)
    assert (found.bucket_cents, found.total_cents, found.item_count, found.parties) == ((0, 0, 0, 0, 0), 0, 0, ())


def test_a_renamed_party_shows_its_newest_name_once() -> None:
    frame = documents(
        {"qbo_id": "1", "party_name": "Old Name", "open_cents": 1, "txn_date": day("2026-09-01")},
        {"qbo_id": "2", "party_name": "New Name", "open_cents": 2, "txn_date": day("2026-10-01")},
    )
    found = ageing(open_items(frame, applications(), side="payables", at=point()), as_of=FRIDAY)
    assert [party.party_name for party in found.parties] == ["New Name"]


@pytest.mark.parametrize("days", [-400, -1, 0, 1, 30, 31, 60, 61, 90, 91, 4000])
def test_every_number_of_days_has_one_bucket(days: int) -> None:
    assert bucket_of(pd.Series([days])).iloc[0] in BUCKETS


@EXAMPLES
def test_buckets_parties_and_items_sum_to_the_same_total(examples: int) -> None:
    def check(books: ledger.Books, sync_day: int) -> None:
        at = point(as_of=FRIDAY)
        frames = ledger.frames(books, syncs=[at.known_until.replace(month=12, day=sync_day)])
        items = open_items(frames.documents, frames.applications, side="payables", at=at)
        found = ageing(items, as_of=FRIDAY)
        assert sum(found.bucket_cents) == found.total_cents == int(items["open_cents"].sum())
        by_party = [sum(cents) for cents in zip(*(party.bucket_cents for party in found.parties), strict=True)]
        assert by_party == (list(found.bucket_cents) if found.parties else [])
        assert all(sum(party.bucket_cents) == party.total_cents for party in found.parties)
        assert sum(party.total_cents for party in found.parties) == found.total_cents

    holds(check, examples=examples, books=ledger.books(), sync_day=st.integers(1, 28))
