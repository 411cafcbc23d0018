"""The effect of a correction: what is taken over from the forecast as it is changes nothing of what comes out."""

from dataclasses import fields, replace
from datetime import date, datetime, timedelta

import numpy as np
import pytest
from hypothesis import strategies as st

from runway_calcs.books.as_of import AsOf
from runway_calcs.books.books_at import books_at
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
from runway_calcs.forecast.correction_effects import Recomputation
from runway_calcs.forecast.current import Forecasting, current_forecast
from runway_calcs.forecast.known_items import DateOverride
from runway_calcs.forecast.prepared import ForecastInputs, prepare
from runway_calcs.forecast.simulation import Simulation, simulate
from runway_calcs.policy import CashPolicy, ForecastPolicy, RecurringPolicy
from tests.generated_books import FRIDAY, Generator
from tests.runway_calcs import ledger as random_ledger
from tests.runway_calcs.builders import parties
from tests.runway_calcs.friday import ledger_of
from tests.runway_calcs.properties import CHAIN_FULL, holds
from tests.runway_calcs.test_generated_books import SPEC

SYNC = random_ledger.START + timedelta(days=random_ledger.DAYS + 3)
VENDORS = "123"


def fixes(txn: random_ledger.Txn, *, other: str, on: datetime) -> list[Correction]:
    """A correction of each kind, around one transaction."""
    key = {"txn_type": txn.txn_type, "txn_id": txn.qbo_id}
    return [
        SetDueDate(**key, due_date=on.date()),
        SetTerms(party_type="Vendor", party_id=txn.party_id, due_days=on.day),
        RemoveDocument(**key),
        CloseDocument(**key),
        ApplyCredit(**key) if txn.opens_cents < 0 else CloseDocument(txn_type="Bill", txn_id="none"),
        MergeVendors(keep_id=txn.party_id or "1", merged_id=other),
        Redate(**key, on=on.date()),
        ClearUndeposited(account_id=random_ledger.UNDEPOSITED, amount_cents=on.day * 1_000),
    ]


def point(*, at: datetime, is_rebuilt: bool) -> AsOf:
    first = SYNC if is_rebuilt else random_ledger.START
    return AsOf.at(as_of=at.date(), known_until=at, first_known_at=first, newest_known_at=SYNC)


def forecast_of(ledger: Ledger, *, at: AsOf, inputs: ForecastInputs) -> Forecasting:
    return current_forecast(
        books_at(ledger, home_currency="USD", at=at, policy=CashPolicy()),
        inputs=inputs,
        policy=ForecastPolicy(draws=30),
        recurring_policy=RecurringPolicy(),
        seed=5,
    )


def _both(
    ledger: Ledger, fix: Correction, *, base: Forecasting, inputs: ForecastInputs
) -> tuple[Simulation, Simulation]:
    """The draws with the correction, and those of which nothing is taken over but payers' timing and the level of receipts."""
    found = Recomputation(
        ledger=ledger,
        base=base,
        home_currency="USD",
        inputs=inputs,
        cash_policy=CashPolicy(),
        recurring_policy=RecurringPolicy(),
    ).draws(fix)
    at, policy = base.books.at, base.prepared.policy
    books = books_at(corrected(ledger, fix, at=at), home_currency="USD", at=at, policy=CashPolicy())
    prepared = prepare(books, inputs=inputs, policy=policy, recurring_policy=RecurringPolicy(), like=base.prepared)
    return found, simulate(prepared, seed=base.forecast.seed, draws=base.forecast.draws)


def _undeposited(ledger: Ledger) -> str:
    accounts = ledger.accounts
    return str(accounts.loc[accounts["account_subtype"] == "UndepositedFunds", "qbo_id"].iloc[0])


def test_what_a_correction_cannot_reach_is_the_same_when_it_is_made_again(generator: Generator) -> None:
    """One of each kind, in a company's books."""
    books = generator.books(SPEC, keep=True)
    ledger = Ledger(**{one.name: getattr(books, one.name) for one in fields(Ledger)})
    without_terms = (ledger.documents["txn_type"] == "Invoice") & (ledger.documents["open_cents"] > 0)
    documents = ledger.documents.assign(
        term_id=ledger.documents["term_id"].mask(without_terms, ""),
        due_date=ledger.documents["due_date"].mask(without_terms),
    )
    ledger = replace(ledger, documents=documents)
    base = forecast_of(ledger, at=books.at(FRIDAY), inputs=ForecastInputs())
    bills, invoices = base.books.payables, base.books.receivables
    bill = bills[bills["txn_type"] == "Bill"].iloc[-1]
    invoice = invoices[invoices["txn_type"] == "Invoice"].iloc[0]
    other = str(bills.loc[bills["party_id"] != bill["party_id"], "party_id"].iloc[0])
    payment = base.books.movements.iloc[-1]
    on = date(2027, 1, 20)
    each: list[Correction] = [
        SetDueDate(txn_type="Bill", txn_id=bill["qbo_id"], due_date=on),
        SetTerms(party_type="Customer", party_id=invoice["party_id"], due_days=50),
        RemoveDocument(txn_type="Bill", txn_id=bill["qbo_id"]),
        CloseDocument(txn_type="Invoice", txn_id=invoice["qbo_id"]),
        MergeVendors(keep_id=other, merged_id=bill["party_id"]),
        Redate(txn_type=payment["txn_type"], txn_id=payment["txn_id"], on=on),
        ClearUndeposited(account_id=_undeposited(ledger), amount_cents=-5_000_00),
    ]
    for fix in each:
        found, expected = _both(ledger, fix, base=base, inputs=ForecastInputs())
        _assert_same(found, expected)
        assert found.items != base.prepared.items, fix.kind


@pytest.mark.long
@pytest.mark.timeout(1_200)
def test_the_same_holds_in_random_books_at_any_instant() -> None:
    def check(books: random_ledger.Books, minute: int, pick: int, days: int) -> None:
        at, is_rebuilt = random_ledger.START + timedelta(minutes=minute), bool(minute % 2)
        syncs = [SYNC] if is_rebuilt else [random_ledger.START + timedelta(days=one) for one in range(0, 124, 7)]
        vendors = parties(*({"qbo_id": one, "display_name": f"Vendor {one}"} for one in VENDORS))
        ledger = replace(ledger_of(random_ledger.frames(books, syncs=syncs)), parties=vendors)
        txns = [txn for txn in books.txns if txn.opens_cents] or books.txns
        inputs = ForecastInputs(date_overrides=(_override(txns[pick // 2 % len(txns)], at=at),))
        base = forecast_of(ledger, at=point(at=at, is_rebuilt=is_rebuilt), inputs=inputs)
        each = fixes(txns[pick % len(txns)], other=VENDORS[pick % len(VENDORS)], on=at + timedelta(days=days))
        for fix in each[pick % 2 :: 2]:
            _assert_same(*_both(ledger, fix, base=base, inputs=inputs))

    holds(
        check,
        examples=CHAIN_FULL,
        books=random_ledger.books(),
        minute=st.integers(1440, (random_ledger.DAYS + 3) * 1440),
        pick=st.integers(0, 35),
        days=st.integers(-30, 60),
    )


def _override(txn: random_ledger.Txn, *, at: datetime) -> DateOverride:
    return DateOverride(
        txn_type=txn.txn_type,
        txn_id=txn.qbo_id,
        expected_on=(at + timedelta(days=9)).date(),
        author="somebody",
        reason="",
        expires_on=None,
        recorded_at=at - timedelta(hours=1),
    )


def _assert_same(found: Simulation, expected: Simulation) -> None:
    assert found.items == expected.items
    assert found.opening_cents == expected.opening_cents
    for name in ("item_days", "item_cents", "rest_cents"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))
