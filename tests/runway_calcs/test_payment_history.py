"""From the versions of documents to what payment timing learns from."""

from collections.abc import Mapping
from datetime import date

import pandas as pd

from runway_calcs.books.payment_history import open_documents, payment_history
from runway_calcs.payment_timing import fit
from tests.runway_calcs.builders import FRIDAY, SYNC, Row, applications, day, documents, instant, point


def bill(number: str, **columns: object) -> Row:
    return {"qbo_id": number, "total_cents": 100_00, "open_cents": 100_00, "due_date": day("2026-10-31"), **columns}


def paid(target: str, *, on: str, number: str = "900", cents: int = 100_00, **columns: object) -> Row:
    return {"qbo_id": number, "target_id": target, "txn_date": day(on), "amount_cents": cents, **columns}


def paid_dates(frame: pd.DataFrame) -> Mapping[str, pd.Timestamp]:
    return dict(zip(frame["document_id"], frame["paid_date"], strict=True))


def test_a_bill_is_paid_on_the_day_of_the_payment_that_settled_it() -> None:
    books = documents(bill("1", open_cents=0))
    parts = applications(paid("1", on="2026-11-02", cents=40_00), paid("1", on="2026-11-16", number="901", cents=60_00))
    found = payment_history(books, parts, side="payables", at=point())
    assert paid_dates(found) == {"1": day("2026-11-16")}


def test_a_part_paid_bill_is_open_for_the_rest() -> None:
    books = documents(bill("1", open_cents=60_00))
    parts = applications(paid("1", on="2026-11-02", cents=40_00))
    assert payment_history(books, parts, side="payables", at=point())["paid_date"].isna().all()
    assert open_documents(books, parts, side="payables", at=point())["amount_cents"].tolist() == [60_00]


def test_what_is_settled_without_a_date_or_is_worth_nothing_is_left_out() -> None:
    books = documents(bill("1", open_cents=0), bill("2", total_cents=0, open_cents=0), bill("3"))
    found = payment_history(books, applications(), side="payables", at=point())
    assert found["document_id"].tolist() == ["3"]


def test_the_other_side_and_credits_are_not_waited_for() -> None:
    books = documents(bill("1"), bill("1", txn_type="Invoice"), bill("2", txn_type="VendorCredit", open_cents=-5_00))
    assert len(payment_history(books, applications(), side="payables", at=point())) == 1
    assert len(open_documents(books, applications(), side="receivables", at=point())) == 1


def test_before_the_connection_a_payment_entered_later_is_not_known() -> None:
    early = date(2026, 10, 30)
    at = point(as_of=early, known_until=instant("2026-10-30T10:00:00"), first_known_at=SYNC)
    books = documents(bill("1", open_cents=0), bill("2", created_at=instant("2026-11-03T10:00:00")))
    later = applications(paid("1", on="2026-10-28", created_at=instant("2026-11-02T10:00:00")))
    found = payment_history(books, later, side="payables", at=at)
    assert paid_dates(found) == {"1": pd.NaT}
    assert open_documents(books, later, side="payables", at=at)["amount_cents"].tolist() == [100_00]


def test_a_document_without_terms_has_none() -> None:
    found = payment_history(documents(bill("1"), bill("2", term_id="3")), applications(), side="payables", at=point())
    assert found["terms"].isna().tolist() == [True, False]


def test_an_entry_of_the_evening_counts_for_its_day() -> None:
    """Ten in the evening in Chicago on the as-of Friday is Saturday in UTC."""
    late = instant("2026-11-21T04:00:00")
    at = point(known_until=late, first_known_at=late)
    found = payment_history(
        documents(bill("1", created_at=late, known_at=late)), applications(), side="payables", at=at
    )
    assert found["entered_date"].tolist() == [pd.Timestamp(FRIDAY)]


def test_the_frames_are_what_the_model_takes() -> None:
    books = documents(*(bill(str(number), open_cents=0) for number in range(5)), bill("9", due_date=pd.NaT))
    parts = applications(*(paid(str(number), on="2026-11-05", number=f"90{number}") for number in range(5)))
    model = fit(payment_history(books, parts, side="payables", at=point()), as_of=FRIDAY)
    still_open = open_documents(books, parts, side="payables", at=point())
    assert (model.predict(still_open) > pd.Timestamp(FRIDAY)).all(axis=None)
    assert model.explain(still_open)["reason"].str.len().gt(0).all()


def test_empty_books_have_no_history() -> None:
    assert payment_history(documents(), applications(), side="receivables", at=point()).empty
    assert open_documents(documents(), applications(), side="receivables", at=point()).empty
