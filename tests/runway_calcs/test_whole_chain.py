"""All calculators together: order-free, side-effect-free, whole cents, and monotonic in bills."""

from dataclasses import replace
from datetime import date, datetime, timedelta

import numpy as np
import pandas as pd
from hypothesis import strategies as st

from runway_calcs.flow_kinds import Layer
from runway_calcs.forecast.prepared import ForecastInputs, prepare
from runway_calcs.forecast.simulation import simulate
from runway_calcs.policy import RecurringPolicy
from tests.runway_calcs import ledger
from tests.runway_calcs.builders import documents, point
from tests.runway_calcs.friday import Friday, friday, leaves
from tests.runway_calcs.properties import CHAIN_EXAMPLES, holds

SYNC = ledger.START.replace(month=12, day=15)
PLAIN = (str, int, bool, date, type(None))


def of(frames: ledger.Frames, *, known_until: datetime = SYNC) -> Friday:
    return friday(frames, at=point(as_of=known_until.date(), known_until=known_until, first_known_at=SYNC))


def shuffled(frames: ledger.Frames, *, seed: int) -> ledger.Frames:
    def mixed(frame: pd.DataFrame) -> pd.DataFrame:
        return frame.iloc[np.random.default_rng(seed).permutation(len(frame))].set_axis(frame.index + 7)

    return ledger.Frames(
        accounts=mixed(frames.accounts),
        documents=mixed(frames.documents),
        applications=mixed(frames.applications),
        postings=mixed(frames.postings),
    )


@CHAIN_EXAMPLES
def test_the_order_and_index_of_rows_change_nothing(examples: int) -> None:
    def check(books: ledger.Books, known_until: datetime, seed: int) -> None:
        frames = ledger.frames(books, syncs=[SYNC])
        found = of(frames, known_until=known_until)
        again = of(shuffled(frames, seed=seed), known_until=known_until)
        assert repr(found.records) == repr(again.records)
        for one, other in zip(found.frames, again.frames, strict=True):
            assert one.to_csv() == other.to_csv()

    holds(check, examples=examples, books=ledger.books(), known_until=ledger.instants(), seed=st.integers(0, 10_000))


@CHAIN_EXAMPLES
def test_inputs_stay_as_they_were(examples: int) -> None:
    def check(books: ledger.Books, known_until: datetime) -> None:
        frames = ledger.frames(books, syncs=[SYNC])
        before = [frame.copy(deep=True) for frame in (frames.accounts, frames.documents, frames.postings)]
        applied = frames.applications.copy(deep=True)
        of(frames, known_until=known_until)
        for frame, copy in zip((frames.accounts, frames.documents, frames.postings), before, strict=True):
            pd.testing.assert_frame_equal(frame, copy)
        pd.testing.assert_frame_equal(frames.applications, applied)

    holds(check, examples=examples, books=ledger.books(), known_until=ledger.instants())


@CHAIN_EXAMPLES
def test_results_hold_whole_cents_and_plain_values_only(examples: int) -> None:
    def check(books: ledger.Books, known_until: datetime) -> None:
        found = of(ledger.frames(books, syncs=[SYNC]), known_until=known_until)
        for name, value in leaves(found.records):
            assert isinstance(value, PLAIN), (name, value)
            # A forecast says up to which instant things were known to it; every other moment is a day.
            assert not isinstance(value, datetime) or name == "known_until", (name, value)
            if name.endswith("_cents"):
                assert value is None or type(value) is int, (name, value)
        for frame in found.frames:
            for column, dtype in frame.dtypes.items():
                assert dtype.kind != "f", column
                assert not str(column).endswith("_cents") or dtype == "int64", column

    holds(check, examples=examples, books=ledger.books(), known_until=ledger.instants())


@CHAIN_EXAMPLES
def test_another_bill_never_lengthens_the_runway(examples: int) -> None:
    """Of a vendor without a series, and with the habits that were known: a bill may tell of another habit too."""

    def check(books: ledger.Books, cents: int, due_in: int) -> None:
        frames = ledger.frames(books, syncs=[SYNC])
        bill = documents(
            {
                "qbo_id": "999",
                "known_at": SYNC,
                "party_id": "9",
                "due_date": pd.Timestamp(SYNC.date() + timedelta(days=due_in)),
                "total_cents": cents,
                "open_cents": cents,
            }
        )
        more = replace(frames, documents=pd.concat([frames.documents, bill], ignore_index=True))
        base, with_bill = of(frames).forecasting, of(more).forecasting
        like = prepare(
            with_bill.books,
            inputs=ForecastInputs(),
            policy=base.prepared.policy,
            recurring_policy=RecurringPolicy(),
            like=base.prepared,
        )
        assert base.simulation is not None
        found = simulate(like, seed=base.forecast.seed)
        assert (found.balances() <= base.simulation.balances()).all()
        assert found.items != base.simulation.items

    holds(
        check,
        examples=examples,
        books=ledger.books(),
        cents=st.integers(1, 9_000_00),
        due_in=st.integers(-40, 100),
    )


@CHAIN_EXAMPLES
def test_money_reaches_the_forecast_once(examples: int) -> None:
    """Open items, post-dated entries and the card balance are layer (a); nothing appears twice or is lost."""

    def check(books: ledger.Books) -> None:
        found = of(ledger.frames(books, syncs=[SYNC]))
        base = found.forecasting.prepared
        on_the_books = sum(item.amount_cents for item in base.items if item.layer is Layer.DOCUMENTS)
        owed = -int(found.payables["open_cents"].sum()) - base.unused_vendor_credit_cents
        cards = 0 if any(series.kind == "card_payment" for series in base.series) else _owed_on_cards(found)
        undeposited = max(found.position.undeposited_cents, 0)
        assert on_the_books == owed + found.position.dated_later_cents - cards + undeposited

    holds(check, examples=examples, books=ledger.books())


@CHAIN_EXAMPLES
def test_the_same_books_and_seed_give_the_same_forecast(examples: int) -> None:
    def check(books: ledger.Books, known_until: datetime) -> None:
        frames = ledger.frames(books, syncs=[SYNC])
        one, other = of(frames, known_until=known_until), of(frames, known_until=known_until)
        assert one.forecasting.forecast == other.forecasting.forecast

    holds(check, examples=examples, books=ledger.books(), known_until=ledger.instants())


def _owed_on_cards(found: Friday) -> int:
    later = found.movements[found.movements["date"] > pd.Timestamp(found.position.as_of)]
    entered = int(later.loc[later["kind"] == "card_payment", "amount_cents"].sum())
    return max(found.position.card_owed_cents + entered, 0)
