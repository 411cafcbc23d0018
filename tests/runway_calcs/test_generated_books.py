"""Generated companies as tests of calculators get them: the same each time, and their truth is the sandbox's."""

import itertools
from datetime import date, timedelta

import pandas as pd
import pytest

from tests.generated_books import Generator, Spec, companies
from tests.sandbox import Sandbox

SPEC = Spec(industry="professional_services", seed=11)


def test_the_cash_known_on_a_friday_is_the_true_cash_but_for_what_is_keyed_later(generator: Generator) -> None:
    books = generator.books(SPEC, keep=True)
    friday = books.fridays(weeks=1)[0]
    keyed_later = books.postings[
        books.postings["account_id"].isin(books.position(friday).account_ids)
        & (books.postings["created_at"] > pd.Timestamp(books.at(friday).known_until))
        & (books.postings["txn_date"] <= pd.Timestamp(friday))
    ]
    known = books.position(friday).cash_cents
    assert known is not None
    assert known + int(keyed_later["amount_cents"].sum()) == books.cash_by_day[pd.Timestamp(friday)]


def test_the_true_cash_is_that_of_the_sandboxs_own_ledger(sandbox: Sandbox, generator: Generator) -> None:
    books = generator.books(SPEC, keep=True)
    realm = sandbox.add_company(
        realm_id="9130357849004711",
        name="Another name",
        industry=SPEC.industry,
        size=SPEC.size,
        seed=SPEC.seed,
        as_of=SPEC.as_of.isoformat(),
        zone=SPEC.zone,
    )
    for day in (date(2025, 7, 4), date(2026, 2, 14), books.true_until):
        told = sandbox.truth(realm, basis="dated", day=day)["cash_cents"]
        assert told == books.cash_by_day[pd.Timestamp(day)]


def test_a_settled_document_has_its_payment_day_and_an_open_one_has_none(generator: Generator) -> None:
    books = generator.books(SPEC, keep=True)
    open_now = {
        (kind, qbo_id)
        for side in ("payables", "receivables")
        for kind, qbo_id in books.open_items(SPEC.as_of, side=side)[["txn_type", "qbo_id"]].itertuples(index=False)
        if kind in ("Bill", "Invoice")
    }
    assert open_now
    assert set(books.paid_on[books.paid_on.isna()].index) == open_now


def test_habits_are_those_of_the_customers_in_the_books(generator: Generator) -> None:
    books = generator.books(SPEC, keep=True)
    customers = books.parties[books.parties["party_type"] == "Customer"]
    assert set(books.habits) <= set(customers["qbo_id"])
    invoiced = set(books.documents.loc[books.documents["txn_type"] == "Invoice", "party_id"])
    assert invoiced <= set(books.habits)


def test_the_horizon_of_every_friday_lies_within_the_truth(generator: Generator) -> None:
    books = generator.books(SPEC, keep=True)
    fridays = books.fridays(weeks=12)
    assert [later - earlier for earlier, later in itertools.pairwise(fridays)] == [timedelta(weeks=1)] * 11
    assert len(books.future_cash(fridays[-1])) == 91
    assert books.at(fridays[-1]).basis == "reconstructed"
    with pytest.raises(ValueError, match="truth"):
        books.future_cash(fridays[-1] + timedelta(weeks=1))


def test_drawn_companies_are_different_and_the_same_each_time() -> None:
    drawn = companies(20, seed=3, sizes={"micro": 3, "small": 1})
    assert drawn == companies(20, seed=3, sizes={"micro": 3, "small": 1})
    assert len({spec.seed for spec in drawn}) == 20
    assert {spec.size for spec in drawn} == {"micro", "small"}
    assert drawn != companies(20, seed=4, sizes={"micro": 3, "small": 1})
