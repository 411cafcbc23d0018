"""The as-of rule: which versions count, before and after the connection."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from runway_calcs.books.as_of import DOCUMENT_KEY, AsOf, select_known
from tests.runway_calcs.builders import FRIDAY, SYNC, documents, instant, point, postings

FIRST = instant("2026-11-20T10:00:00")
SECOND = instant("2026-11-27T10:00:00")
THIRD = instant("2026-12-04T10:00:00")

VERSIONS = documents(
    {"qbo_id": "1", "known_at": FIRST, "created_at": instant("2026-11-02T15:00:00"), "open_cents": 100},
    {"qbo_id": "1", "known_at": THIRD, "created_at": instant("2026-11-02T15:00:00"), "open_cents": 40},
    {"qbo_id": "2", "known_at": FIRST, "created_at": instant("2026-11-17T15:00:00"), "open_cents": 7},
    {"qbo_id": "2", "known_at": SECOND, "created_at": instant("2026-11-17T15:00:00"), "is_deleted": True},
    {"qbo_id": "3", "known_at": SECOND, "created_at": instant("2026-11-24T15:00:00"), "open_cents": 9},
)


@pytest.mark.parametrize(
    ("known_until", "expected"),
    [
        pytest.param(FIRST, {"1": 100, "2": 7}, id="right after the first sync: its versions"),
        pytest.param(SECOND - timedelta(seconds=1), {"1": 100, "2": 7}, id="before the second sync nothing changed"),
        pytest.param(SECOND, {"1": 100, "3": 9}, id="a deletion removes, a new object appears"),
        pytest.param(THIRD, {"1": 40, "3": 9}, id="the newest version counts"),
        pytest.param(instant("2026-11-20T09:59:59"), {"1": 100, "2": 7}, id="before the connection: first versions"),
        pytest.param(instant("2026-11-06T10:00:00"), {"1": 100}, id="before the connection: only what was entered"),
        pytest.param(instant("2026-11-02T15:00:00"), {"1": 100}, id="the instant of entry is included"),
        pytest.param(instant("2026-11-02T14:59:59"), {}, id="before everything"),
    ],
)
def test_one_version_of_each_object_counts(known_until: datetime, expected: dict[str, int]) -> None:
    found = select_known(VERSIONS, known_until=known_until, first_known_at=FIRST, key=DOCUMENT_KEY)
    assert dict(zip(found["qbo_id"], found["open_cents"], strict=True)) == expected


def test_an_object_first_read_after_the_connection_counts_from_its_entry_in_weeks_before_it() -> None:
    """A bill that could not be read at the first sync is no reason to forget that it had been entered by then."""
    frame = documents(
        {"qbo_id": "5", "known_at": SECOND, "created_at": instant("2026-11-02T15:00:00"), "open_cents": 3}
    )
    found = select_known(frame, known_until=instant("2026-11-06T10:00:00"), first_known_at=FIRST, key=DOCUMENT_KEY)
    assert list(found["open_cents"]) == [3]


def test_equal_ids_of_different_kinds_are_different_objects() -> None:
    frame = documents(
        {"qbo_id": "1", "txn_type": "Bill", "open_cents": 1},
        {"qbo_id": "1", "txn_type": "Invoice", "open_cents": 2, "known_at": SECOND},
    )
    found = select_known(frame, known_until=SECOND, first_known_at=FIRST, key=DOCUMENT_KEY)
    assert sorted(found["open_cents"]) == [1, 2]


def test_all_rows_of_the_newest_version_stay_together() -> None:
    frame = postings(
        {"qbo_id": "1", "account_id": "35", "amount_cents": -5, "known_at": FIRST},
        {"qbo_id": "1", "account_id": "36", "amount_cents": 5, "known_at": FIRST},
        {"qbo_id": "1", "account_id": "35", "amount_cents": -6, "known_at": SECOND},
        {"qbo_id": "1", "account_id": "37", "amount_cents": 6, "known_at": SECOND},
    )
    found = select_known(frame, known_until=SECOND, first_known_at=FIRST, key=DOCUMENT_KEY)
    assert sorted(found["amount_cents"]) == [-6, 6]


@pytest.mark.parametrize(
    ("known_until", "basis"),
    [
        pytest.param(THIRD, "current", id="at the newest sync"),
        pytest.param(THIRD + timedelta(days=3), "current", id="after the newest sync"),
        pytest.param(SECOND, "historical", id="a past week with kept versions"),
        pytest.param(FIRST, "historical", id="the first sync itself"),
        pytest.param(FIRST - timedelta(seconds=1), "reconstructed", id="before the first sync"),
    ],
)
def test_the_basis_follows_from_the_instant(known_until: datetime, basis: str) -> None:
    assert point(known_until=known_until, first_known_at=FIRST, newest_known_at=THIRD).basis == basis


def test_a_basis_that_contradicts_the_instants_is_refused() -> None:
    with pytest.raises(ValueError, match="contradicts"):
        AsOf(as_of=FRIDAY, known_until=FIRST, first_known_at=SECOND, basis="historical")


@pytest.mark.parametrize(
    "known_until",
    [
        pytest.param(datetime(2026, 11, 20, 10), id="naive"),  # noqa: DTZ001 - the naive instant is the point
        pytest.param(datetime(2026, 11, 20, 10, tzinfo=timezone(timedelta(hours=-5))), id="another zone"),
    ],
)
def test_instants_must_be_aware_utc(known_until: datetime) -> None:
    with pytest.raises(ValueError, match="aware UTC"):
        AsOf(as_of=FRIDAY, known_until=known_until, first_known_at=SYNC, basis="historical")


def test_the_factory_brings_instants_to_utc() -> None:
    eastern = datetime(2026, 11, 20, 5, tzinfo=timezone(timedelta(hours=-5)))
    assert point(known_until=eastern, first_known_at=FIRST).known_until == datetime(2026, 11, 20, 10, tzinfo=UTC)
