"""Corrections put into the ledger: exactly what they say changes, by exactly the open amount, and the given frames stay."""

from dataclasses import fields, replace
from datetime import date, timedelta
from typing import Any

import pandas as pd
import pytest
from hypothesis import strategies as st

from runway_calcs.books.as_of import AsOf
from runway_calcs.books.corrections import (
    ApplyCredit,
    ClearUndeposited,
    CloseDocument,
    Correction,
    Ledger,
    MergeVendors,
    Redate,
    RemoveDocument,
    SetDueDate,
    SetTerms,
    corrected,
)
from runway_calcs.books.open_items import open_items
from tests.runway_calcs import ledger as random_ledger
from tests.runway_calcs.builders import (
    accounts,
    applications,
    day,
    documents,
    instant,
    parties,
    point,
    postings,
    terms,
)
from tests.runway_calcs.properties import CHAIN_EXAMPLES, holds

LATE_SYNC = random_ledger.START.replace(month=12, day=15)


def make_ledger(**changes: pd.DataFrame) -> Ledger:
    empty = Ledger(
        documents=documents(),
        applications=applications(),
        postings=postings(),
        accounts=accounts(),
        parties=parties(),
        terms=terms(),
    )
    return replace(empty, **changes)


def bill(qbo_id: str, **more: Any) -> dict[str, Any]:
    return {"qbo_id": qbo_id, "due_date": day("2026-11-30"), "total_cents": 100_00, "open_cents": 100_00, **more}


def open_by_id(ledger: Ledger, *, side: Any = "payables", at: AsOf | None = None) -> dict[str, int]:
    found = open_items(ledger.documents, ledger.applications, side=side, at=at or point())
    return dict(zip(found["qbo_id"], found["open_cents"], strict=True))


def test_a_due_date_is_set_on_the_one_document() -> None:
    books = make_ledger(documents=documents(bill("1", due_date=pd.NaT), bill("2", due_date=pd.NaT)))
    done = corrected(books, SetDueDate(txn_type="Bill", txn_id="1", due_date=date(2026, 12, 24)), at=point())
    assert done.documents["due_date"].iloc[0] == day("2026-12-24")
    assert list(done.documents["due_date"].isna()) == [False, True]
    assert books.documents["due_date"].isna().all()


def test_terms_move_only_the_partys_documents_that_have_neither_terms_nor_a_due_date_of_their_own() -> None:
    on = day("2026-11-10")
    books = make_ledger(
        documents=documents(
            bill("1", txn_date=on, due_date=on),
            bill("2", txn_date=on, due_date=day("2026-11-17")),
            bill("3", txn_date=on, due_date=on, term_id="3"),
            bill("4", txn_date=on, due_date=on, party_id="2"),
        )
    )
    done = corrected(books, SetTerms(party_type="Vendor", party_id="1", due_days=30), at=point())
    assert list(done.documents["due_date"].dt.day) == [10, 17, 10, 10]
    assert list(done.documents["due_date"].dt.month) == [12, 11, 11, 11]


@pytest.mark.parametrize("kind", [RemoveDocument, CloseDocument])
def test_what_is_removed_or_closed_is_open_no_more(kind: Any) -> None:
    books = make_ledger(documents=documents(bill("1"), bill("2", open_cents=40_00)))
    assert open_by_id(corrected(books, kind(txn_type="Bill", txn_id="2"), at=point())) == {"1": 100_00}


def test_a_closed_document_is_closed_in_a_rebuilt_week_too() -> None:
    """Before the first sync open amounts are rebuilt from links entered later: closing takes those back as well."""
    paid: dict[str, Any] = {"qbo_id": "9", "txn_type": "BillPayment", "created_at": instant("2026-11-18T15:00")}
    books = make_ledger(
        documents=documents(bill("1", open_cents=30_00), {**paid, "total_cents": 70_00}),
        applications=applications({**paid, "target_id": "1", "amount_cents": 70_00}),
    )
    at = point(as_of=date(2026, 11, 13), known_until=instant("2026-11-13T10:00"))
    assert open_by_id(books, at=at) == {"1": 100_00}
    assert open_by_id(corrected(books, CloseDocument(txn_type="Bill", txn_id="1"), at=at), at=at) == {}


def test_a_credit_is_applied_to_the_oldest_open_documents_of_its_party_as_far_as_it_goes() -> None:
    books = make_ledger(
        documents=documents(
            bill("1", txn_date=day("2026-10-05")),
            bill("2", txn_date=day("2026-10-01"), open_cents=60_00),
            bill("3", txn_date=day("2026-09-01"), party_id="2"),
            {"qbo_id": "4", "txn_type": "VendorCredit", "total_cents": 130_00, "open_cents": -130_00},
        )
    )
    done = corrected(books, ApplyCredit(txn_type="VendorCredit", txn_id="4"), at=point())
    assert open_by_id(done) == {"1": 30_00, "3": 100_00}


def test_merged_vendors_are_one_in_documents_postings_and_the_list() -> None:
    books = make_ledger(
        documents=documents(bill("1"), bill("2", party_id="2"), bill("3", txn_type="Invoice", party_id="2")),
        postings=postings({"qbo_id": "5", "party_type": "Vendor", "party_id": "2"}),
        parties=parties(
            {"qbo_id": "1", "display_name": "Vendor One"}, {"qbo_id": "2", "display_name": "VENDOR ONE LLC"}
        ),
    )
    done = corrected(books, MergeVendors(keep_id="1", merged_id="2"), at=point())
    assert list(done.documents["party_id"]) == ["1", "1", "2"]
    assert list(done.postings["party_id"]) == ["1"]
    assert list(done.parties["is_deleted"]) == [False, True]


def test_a_redated_entry_moves_with_its_due_date() -> None:
    books = make_ledger(documents=documents(bill("1", txn_date=day("2027-11-01"), due_date=day("2027-12-01"))))
    done = corrected(books, Redate(txn_type="Bill", txn_id="1", on=date(2026, 11, 1)), at=point())
    assert str(done.documents["due_date"].iloc[0].date()) == "2026-12-01"


def test_undeposited_receipts_are_cleared_from_their_account() -> None:
    row: dict[str, Any] = {"qbo_id": "50", "account_type": "Other Current Asset", "current_balance_cents": 900}
    done = corrected(
        make_ledger(accounts=accounts(row)), ClearUndeposited(account_id="50", amount_cents=400), at=point()
    )
    assert list(done.accounts["current_balance_cents"]) == [500]


_OF_NOTHING: tuple[Correction, ...] = (
    SetDueDate(txn_type="Bill", txn_id="no", due_date=date(2027, 1, 1)),
    SetTerms(party_type="Vendor", party_id="no", due_days=30),
    RemoveDocument(txn_type="Bill", txn_id="no"),
    CloseDocument(txn_type="Bill", txn_id="no"),
    ApplyCredit(txn_type="VendorCredit", txn_id="no"),
    MergeVendors(keep_id="no", merged_id="1"),
    Redate(txn_type="Bill", txn_id="no", on=date(2027, 1, 1)),
    ClearUndeposited(account_id="no", amount_cents=1),
)


@pytest.mark.parametrize("correction", _OF_NOTHING, ids=lambda one: one.kind)
def test_a_correction_of_what_is_not_there_changes_nothing(correction: Correction) -> None:
    books = make_ledger(
        documents=documents(bill("1")), parties=parties({"qbo_id": "1"}), accounts=accounts({"qbo_id": "35"})
    )
    done = corrected(books, correction, at=point())
    for one in fields(Ledger):
        pd.testing.assert_frame_equal(getattr(done, one.name), getattr(books, one.name))


@CHAIN_EXAMPLES
def test_open_amounts_move_by_exactly_what_is_corrected_at_any_instant(examples: int) -> None:
    """Closing takes a document's open amount from the total, applying a credit takes nothing; order of rows is nothing."""

    def check(books: random_ledger.Books, hours_back: int) -> None:
        frames = random_ledger.frames(books, syncs=[LATE_SYNC])
        ledger = make_ledger(documents=frames.documents, applications=frames.applications)
        until = LATE_SYNC - timedelta(hours=hours_back)
        at = point(as_of=until.date(), known_until=until, first_known_at=LATE_SYNC)
        items = open_items(ledger.documents, ledger.applications, side="payables", at=at)
        before = int(items["open_cents"].sum())
        for kind, one, cents in zip(items["txn_type"], items["qbo_id"], items["open_cents"], strict=True):
            if kind == "Bill":
                done = corrected(ledger, CloseDocument(txn_type=kind, txn_id=one), at=at)
                assert sum(open_by_id(done, at=at).values()) == before - cents
            else:
                applied = open_by_id(corrected(ledger, ApplyCredit(txn_type=kind, txn_id=one), at=at), at=at)
                assert sum(applied.values()) == before
                assert all(applied.get(name, 0) >= 0 for name in items.loc[items["txn_type"] == "Bill", "qbo_id"])

    holds(check, examples=examples, books=random_ledger.books(), hours_back=st.integers(0, 120 * 24))
