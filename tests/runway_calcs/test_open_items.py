"""Open items as known: hand-worked weeks before and after the connection, and a replay of random books."""

from datetime import datetime

import pytest
from hypothesis import strategies as st

from runway_calcs.books.as_of import AsOf
from runway_calcs.books.open_items import COLUMNS, known_documents, open_items
from tests.runway_calcs import ledger
from tests.runway_calcs.builders import applications, day, documents, instant, point
from tests.runway_calcs.properties import EXAMPLES, holds

BEFORE = instant("2026-10-30T10:00:00")
LATER = instant("2026-11-10T15:00:00")


def open_before_connection(txn_type: str, *, open_now: int, target_type: str, applied_later: int) -> list[int]:
    """What was open on 30 October of one document that a payment of 10 November was applied to."""
    frame = documents({"qbo_id": "1", "txn_type": txn_type, "open_cents": open_now, "total_cents": 100_00})
    payment = {"qbo_id": "9", "target_type": target_type, "target_id": "1", "amount_cents": applied_later}
    links = applications({**payment, "created_at": LATER}, {**payment, "qbo_id": "8", "amount_cents": 1_00})
    return list(known_documents(frame, links, at=point(known_until=BEFORE))["open_cents"])


@pytest.mark.parametrize(
    ("txn_type", "open_now", "applied_later", "expected"),
    [
        pytest.param("Bill", 0, 100_00, 100_00, id="a bill paid later was open"),
        pytest.param("Bill", 30_00, 70_00, 100_00, id="a bill paid in part later was open in full"),
        pytest.param("Invoice", 0, 40_00, 40_00, id="an invoice settled twice: only the later part is put back"),
        pytest.param("VendorCredit", 0, 100_00, -100_00, id="a vendor credit used later was open"),
        pytest.param("CreditMemo", -20_00, 30_00, -50_00, id="a credit memo used in part later"),
        pytest.param("Payment", 0, 15_00, -15_00, id="an unapplied payment used by a later one"),
    ],
)
def test_before_the_connection_what_was_applied_later_is_put_back(
    txn_type: str, open_now: int, applied_later: int, expected: int
) -> None:
    found = open_before_connection(txn_type, open_now=open_now, target_type=txn_type, applied_later=applied_later)
    assert found == [expected]


def test_an_application_to_another_kind_with_the_same_id_changes_nothing() -> None:
    assert open_before_connection("Bill", open_now=5_00, target_type="VendorCredit", applied_later=3_00) == [5_00]


def test_after_the_connection_the_version_speaks_for_itself() -> None:
    frame = documents({"qbo_id": "1", "open_cents": 30_00})
    links = applications({"target_id": "1", "amount_cents": 70_00, "created_at": LATER})
    assert list(known_documents(frame, links, at=point())["open_cents"]) == [30_00]


@pytest.mark.parametrize(
    ("columns", "overdue_days", "bucket"),
    [
        pytest.param({"due_date": day("2026-11-21")}, -1, "Current", id="due tomorrow"),
        pytest.param({"due_date": day("2026-11-20")}, 0, "Current", id="due today"),
        pytest.param({"due_date": day("2026-11-19")}, 1, "1-30", id="one day late"),
        pytest.param({"due_date": day("2026-10-21")}, 30, "1-30", id="thirty days late"),
        pytest.param({"due_date": day("2026-10-20")}, 31, "31-60", id="thirty-one days late"),
        pytest.param({"due_date": day("2026-09-21")}, 60, "31-60", id="sixty days late"),
        pytest.param({"due_date": day("2026-09-20")}, 61, "61-90", id="sixty-one days late"),
        pytest.param({"due_date": day("2026-08-22")}, 90, "61-90", id="ninety days late"),
        pytest.param({"due_date": day("2026-08-21")}, 91, "91+", id="ninety-one days late"),
        pytest.param({"txn_date": day("2026-11-10")}, 10, "1-30", id="a bill without due date ages by its own date"),
        pytest.param(
            {
                "txn_type": "VendorCredit",
                "open_cents": -5,
                "txn_date": day("2026-10-01"),
                "due_date": day("2026-12-01"),
            },
            50,
            "31-60",
            id="a credit ages by its own date",
        ),
        pytest.param({"txn_date": day("2026-12-05")}, -15, "Current", id="a bill dated after the as-of day is current"),
    ],
)
def test_items_age_by_due_date_and_credits_by_their_own(
    columns: dict[str, object], overdue_days: int, bucket: str
) -> None:
    frame = documents({"qbo_id": "1", "open_cents": 5, **columns})
    row = open_items(frame, applications(), side="payables", at=point()).iloc[0]
    assert (row["overdue_days"], row["bucket"]) == (overdue_days, bucket)


def test_each_side_holds_its_kinds_and_settled_documents_are_dropped() -> None:
    kinds = ["Bill", "VendorCredit", "BillPayment", "Invoice", "CreditMemo", "Payment"]
    rows = [{"qbo_id": str(number), "txn_type": kind, "open_cents": 7} for number, kind in enumerate(kinds)]
    frame = documents(*rows, {"qbo_id": "99", "open_cents": 0})
    payables = open_items(frame, applications(), side="payables", at=point())
    receivables = open_items(frame, applications(), side="receivables", at=point())
    assert set(payables["txn_type"]) == {"Bill", "VendorCredit", "BillPayment"}
    assert set(receivables["txn_type"]) == {"Invoice", "CreditMemo", "Payment"}
    assert "99" not in set(payables["qbo_id"])


def test_no_documents_give_an_empty_frame_of_the_same_types() -> None:
    empty = open_items(documents(), applications(), side="payables", at=point())
    one = open_items(documents({"qbo_id": "1", "open_cents": 5}), applications(), side="payables", at=point())
    assert list(empty.columns) == list(COLUMNS)
    assert empty.dtypes.to_dict() == one.dtypes.to_dict()


def payables_by_key(frames: ledger.Frames, *, at: AsOf) -> dict[tuple[str, str], int]:
    found = open_items(frames.documents, frames.applications, side="payables", at=at)
    return dict(zip(zip(found["txn_type"], found["qbo_id"], strict=True), found["open_cents"], strict=True))


@EXAMPLES
def test_open_items_of_any_past_week_equal_a_replay(examples: int) -> None:
    def check(books: ledger.Books, known_until: datetime) -> None:
        sync = ledger.START.replace(month=12, day=15)
        frames = ledger.frames(books, syncs=[sync])
        at = point(as_of=known_until.date(), known_until=known_until, first_known_at=sync)
        answer = {key: cents for key, cents in books.open_cents(known_until).items() if cents}
        assert payables_by_key(frames, at=at) == answer

    holds(check, examples=examples, books=ledger.books(), known_until=ledger.instants())


@EXAMPLES
def test_later_syncs_leave_a_kept_week_as_it_was_known(examples: int) -> None:
    def check(books: ledger.Books, syncs: list[datetime]) -> None:
        chosen = syncs[-2]
        at = point(as_of=chosen.date(), known_until=chosen, first_known_at=syncs[0])
        answer = {key: cents for key, cents in books.open_cents(chosen).items() if cents}
        assert payables_by_key(ledger.frames(books, syncs=syncs[:-1]), at=at) == answer
        assert payables_by_key(ledger.frames(books, syncs=syncs), at=at) == answer

    syncs = st.lists(ledger.instants(), min_size=2, max_size=4, unique=True).map(sorted)
    holds(check, examples=examples, books=ledger.books(with_deletions=True), syncs=syncs)
