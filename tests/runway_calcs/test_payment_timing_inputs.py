"""What callers may hand to payment timing, and what they are told if they may not."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest

from runway_calcs.payment_timing import PaymentTimingModel, fit
from tests.runway_calcs.timing_ledgers import documents

FRIDAY = date(2026, 11, 20)
DATES = ("entered_date", "document_date", "due_date", "paid_date")


def history() -> pd.DataFrame:
    """Two payers, one early and one late, the last document of each open."""
    months = [f"2026-{month:02}" for month in range(1, 12)]
    late = [{"due": f"{month}-08", "paid": f"{month}-19", "of": "7"} for month in months[:-1]]
    early = [{"due": f"{month}-20", "paid": f"{month}-16", "of": "8", "terms": None} for month in months[:-1]]
    return documents(*late, *early, {"due": "2026-11-18", "of": "7"}, {"due": "2026-12-03", "of": "8"})


def asked() -> pd.DataFrame:
    return documents({"due": "2026-12-08", "of": "7"}, {"due": None, "of": "8", "terms": None}, number=900)


def answers(model: PaymentTimingModel, items: pd.DataFrame) -> list[Any]:
    """All that a model says, but for the names of the rows."""
    told = model.predict(items), model.explain(items), model.sample(items, draws=20, seed=3)
    return [one.to_numpy().tolist() for one in told]


def in_dates(frame: pd.DataFrame, change: Callable[["pd.Series[Any]"], Any]) -> pd.DataFrame:
    return frame.assign(**{name: change(frame[name]) for name in DATES})


def objects(days: "pd.Series[Any]", of: Callable[[Any], Any]) -> "pd.Series[Any]":
    return pd.Series([None if pd.isna(day) else of(day) for day in days], index=days.index, dtype=object)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda days: days.astype("datetime64[s]"), id="seconds"),
        pytest.param(lambda days: days.astype("datetime64[ns]"), id="nanoseconds"),
        pytest.param(lambda days: days + pd.Timedelta(hours=15), id="a time of day"),
        pytest.param(lambda days: objects(days, lambda day: day.date()), id="datetime.date"),
        pytest.param(lambda days: objects(days, lambda day: day.to_pydatetime()), id="datetime.datetime"),
        pytest.param(lambda days: objects(days, lambda day: day.to_datetime64()), id="numpy.datetime64"),
        pytest.param(lambda days: days.astype("category"), id="category"),
    ],
)
def test_a_day_is_a_day_however_it_is_kept(change: Callable[["pd.Series[Any]"], Any]) -> None:
    same = fit(in_dates(history(), change), as_of=FRIDAY)
    plain = answers(fit(history(), as_of=FRIDAY), asked())
    assert answers(same, in_dates(asked(), change)) == plain


@pytest.mark.parametrize(
    ("change", "word"),
    [
        pytest.param(lambda days: days.dt.strftime("%Y-%m-%d"), "'2025-12-09' of dtype str", id="text"),
        pytest.param(lambda days: objects(days, str), "of dtype object", id="text as objects"),
        pytest.param(lambda days: days.astype("int64"), "of dtype int64", id="numbers"),
        pytest.param(lambda days: days.dt.tz_localize("America/New_York"), "without a time zone", id="time zone"),
        pytest.param(lambda days: objects(days, lambda day: day.tz_localize(UTC)), "own day first", id="zoned objects"),
        pytest.param(lambda days: days.dt.to_period("D"), "Period", id="periods"),
    ],
)
def test_what_is_no_day_is_refused_with_its_column_and_value(
    change: Callable[["pd.Series[Any]"], Any], word: str
) -> None:
    model = fit(history(), as_of=FRIDAY)
    with pytest.raises(TypeError, match=f"history: entered_date holds dates.*{word}"):
        fit(in_dates(history(), change), as_of=FRIDAY)
    with pytest.raises(TypeError, match="open items: due_date holds dates"):
        model.predict(asked().assign(due_date=change(history()["due_date"]).iloc[:2]))


def test_the_day_of_the_model_may_have_a_time_of_day() -> None:
    model = fit(history(), as_of=pd.Timestamp(2026, 11, 20, 15, 30))
    assert type(model.as_of) is date
    assert answers(model, asked()) == answers(fit(history(), as_of=FRIDAY), asked())


@pytest.mark.parametrize("as_of", ["2026-11-20", None, pd.NaT, 20261120, datetime(2026, 11, 20, tzinfo=UTC)])
def test_the_day_of_the_model_is_a_day(as_of: Any) -> None:
    with pytest.raises(TypeError, match=r"as_of is a datetime\.date"):
        fit(history(), as_of=as_of)


def test_ids_are_text_numbers_or_categories_and_come_back_as_they_were_given() -> None:
    plain = answers(fit(history(), as_of=FRIDAY), asked())
    names = ["document_id", "counterparty_id", "terms"]
    for kind in ("category", "string", "object"):
        told, items = history().astype(dict.fromkeys(names, kind)), asked().astype(dict.fromkeys(names, kind))
        assert answers(fit(told, as_of=FRIDAY), items) == plain
    numbers = asked().astype({"document_id": "int64", "counterparty_id": "int64"})
    model = fit(history().astype({"document_id": "int64", "counterparty_id": "int64"}), as_of=FRIDAY)
    for one in (model.predict(numbers), model.explain(numbers), model.sample(numbers, draws=2, seed=1)):
        assert one.index.name == "document_id"
        assert one.index.tolist() == [900, 901]
        assert one.loc[numbers["document_id"]].notna().all(axis=None)
    assert answers(model, numbers.astype({"document_id": "float64"})) == answers(model, numbers)


def test_a_counterparty_that_a_missing_one_turned_into_a_fraction_is_still_known() -> None:
    rows = history().assign(counterparty_id=[np.nan, *history()["counterparty_id"].astype("float64")[1:]])
    assert (
        fit(rows, as_of=FRIDAY).explain(asked())["reason"].iloc[0].startswith("usually 11 days late over 9 documents")
    )
    with pytest.raises(TypeError, match="counterparty_id is a name"):
        fit(history().assign(counterparty_id=0.5), as_of=FRIDAY)


@pytest.mark.parametrize("missing", [None, pd.NA])
def test_documents_of_nobody_have_no_habit_in_common(missing: Any) -> None:
    nobody = history().assign(counterparty_id=[missing] * len(history()))
    items = asked().assign(counterparty_id=[missing] * 2, terms=[missing] * 2)
    said = fit(nobody, as_of=FRIDAY).explain(items)["reason"].tolist()
    assert said[0].startswith("no paid document so far; others usually 4 days late over 20 documents")
    drawn = fit(nobody, as_of=FRIDAY).sample(items, draws=600, seed=1).to_numpy().astype("int64")
    assert abs(np.corrcoef(drawn.argsort(axis=1).argsort(axis=1))[0, 1]) < 0.12


def test_what_lies_after_the_day_may_say_anything() -> None:
    """Also a document again, or one without an id: it is not there yet."""
    late = history().iloc[:2].assign(entered_date=pd.Timestamp(2026, 11, 21))
    nameless = late.assign(document_id=None, counterparty_id=None)
    told = fit(pd.concat([history(), late, nameless]), as_of=FRIDAY)
    assert answers(told, asked()) == answers(fit(history(), as_of=FRIDAY), asked())


def test_index_order_other_columns_and_amounts_do_not_matter_and_nothing_is_changed() -> None:
    plain = answers(fit(history(), as_of=FRIDAY), asked())
    for index in ("document_id", "counterparty_id"):
        told, items = (one.set_index(index, drop=False).assign(note="n") for one in (history(), asked()))
        before = told.copy(deep=True), items.copy(deep=True)
        assert answers(fit(told, as_of=FRIDAY), items) == plain
        pd.testing.assert_frame_equal(told, before[0])
        pd.testing.assert_frame_equal(items, before[1])
    same_place = history().sample(frac=1, random_state=1).set_axis([0] * len(history()))
    assert answers(fit(same_place, as_of=FRIDAY), asked().set_axis([0, 0])) == plain
    for cents in (-1, 0, 2.5, pd.array([None] * len(history()), dtype="Int64")):
        assert answers(fit(history().assign(amount_cents=cents), as_of=FRIDAY), asked()) == plain


def test_columns_without_any_date_say_that_there_is_none() -> None:
    bare = history().assign(**dict.fromkeys(DATES))
    empty = pd.DataFrame(columns=history().columns)
    items = asked().assign(**dict.fromkeys(DATES, np.nan))
    told = answers(fit(bare, as_of=FRIDAY), items)
    assert told == answers(fit(empty, as_of=FRIDAY), items)
    assert fit(empty, as_of=FRIDAY).predict(empty).shape == (0, 7)
    assert fit(empty, as_of=FRIDAY).sample(empty, draws=3, seed=1).columns.tolist() == [0, 1, 2]


def test_frames_that_are_none_or_have_a_column_twice_or_nameless_rows_are_refused() -> None:
    model = fit(history(), as_of=FRIDAY)
    with pytest.raises(TypeError, match=r"history: a pandas\.DataFrame is expected, not list"):
        fit([], as_of=FRIDAY)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="open items: columns missing: terms"):
        model.explain(asked().drop(columns="terms"))
    with pytest.raises(ValueError, match="more than one column has the name due_date"):
        model.predict(pd.concat([asked(), asked()[["due_date"]]], axis=1))
    with pytest.raises(ValueError, match="open items: document_id is missing in 1 of 2 rows"):
        model.predict(asked().assign(document_id=["900", None]))


def test_levels_are_any_run_of_probabilities_and_the_columns_are_their_floats() -> None:
    model = fit(history(), as_of=FRIDAY)
    found = model.predict(asked(), levels=(one for one in np.array([0.9, 0.5, 0.5, 0.25])))
    assert found.columns.tolist() == [0.9, 0.5, 0.5, 0.25]
    assert {type(one) for one in found.columns} == {float}
    assert model.predict(asked(), levels=[]).columns.dtype == np.float64
    for levels, error in (("0.5", TypeError), (0.5, TypeError), (("0.5",), ValueError), ((np.nan,), ValueError)):
        with pytest.raises(error, match="levels are probabilities"):
            model.predict(asked(), levels=levels)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("given", "error", "words"),
    [
        ({"draws": 0}, ValueError, "draws is at least 1: 0"),
        ({"draws": 2.0}, TypeError, "draws is a whole number: 2.0"),
        ({"seed": -1}, ValueError, "seed is at least 0: -1"),
        ({"seed": None}, TypeError, "seed is a whole number: None"),
    ],
)
def test_draws_and_seed_are_whole_numbers(given: dict[str, Any], error: type[Exception], words: str) -> None:
    model = fit(history(), as_of=FRIDAY)
    with pytest.raises(error, match=words):
        model.sample(asked(), **{"draws": 1, "seed": 0, **given})
    assert model.sample(asked(), draws=1, seed=0).columns.tolist() == [0]


@pytest.mark.long
def test_documents_asked_about_by_the_thousand_say_what_each_says_alone() -> None:
    """They are worked out some at a time."""
    many = pd.concat([asked()] * 1_050, ignore_index=True)
    many = many.assign(document_id=[f"{place:05}" for place in range(len(many))])
    model = fit(history(), as_of=FRIDAY)
    found = model.predict(many, levels=(0.1, 0.5, 0.9))
    assert found.index.tolist() == many["document_id"].tolist()
    alone = model.predict(asked(), levels=(0.1, 0.5, 0.9))
    assert (found.to_numpy().reshape(1_050, 2, 3) == alone.to_numpy()).all()
