"""What became of documents that were open: settled on a day, still open with how much, gone."""

from datetime import date

from runway_calcs.books.document_fates import Fate, FateState, document_fates
from tests.runway_calcs.builders import applications, day, documents, instant, point

LATER = instant("2026-11-20T15:00:00")


def test_a_document_is_settled_on_the_day_of_its_last_payment_or_open_or_gone() -> None:
    books = documents(
        {"qbo_id": "paid", "total_cents": 100_00, "open_cents": 0},
        {"qbo_id": "journal", "total_cents": 100_00, "open_cents": 0},
        {"qbo_id": "part", "total_cents": 100_00, "open_cents": 40_00},
        {"qbo_id": "void", "total_cents": 0, "open_cents": 0},
        {"qbo_id": "deleted", "total_cents": 100_00, "open_cents": 100_00, "is_deleted": True},
        {"qbo_id": "paid", "txn_type": "Invoice", "total_cents": 5_00, "open_cents": 5_00},
    )
    links = applications(
        {"qbo_id": "8", "target_id": "paid", "amount_cents": 60_00, "txn_date": day("2026-11-03")},
        {"qbo_id": "9", "target_id": "paid", "amount_cents": 40_00, "txn_date": day("2026-11-12")},
        {"qbo_id": "7", "target_id": "part", "amount_cents": 60_00, "txn_date": day("2026-11-12")},
    )
    wanted = {"paid", "journal", "part", "void", "deleted", "never there"}
    gone = Fate(state=FateState.GONE, settled_on=None, open_cents=0)
    assert document_fates(books, links, side="payables", ids=wanted, at=point()) == {
        "deleted": gone,
        "journal": Fate(state=FateState.SETTLED, settled_on=None, open_cents=0),
        "never there": gone,
        "paid": Fate(state=FateState.SETTLED, settled_on=date(2026, 11, 12), open_cents=0),
        "part": Fate(state=FateState.OPEN, settled_on=None, open_cents=40_00),
        "void": gone,
    }


def test_what_is_known_later_is_not_yet_a_fate() -> None:
    books = documents(
        {"qbo_id": "1", "txn_type": "Invoice", "total_cents": 100_00, "open_cents": 100_00},
        {"qbo_id": "1", "txn_type": "Invoice", "total_cents": 100_00, "open_cents": 0, "known_at": LATER},
    )
    links = applications(
        {"txn_type": "Payment", "target_type": "Invoice", "target_id": "1", "amount_cents": 100_00, "known_at": LATER}
    )
    now = document_fates(books, links, side="receivables", ids={"1"}, at=point())
    later = document_fates(books, links, side="receivables", ids={"1"}, at=point(known_until=LATER))
    assert (now["1"].state, later["1"].state) == (FateState.OPEN, FateState.SETTLED)
