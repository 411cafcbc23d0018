"""When open documents will be paid."""

from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import strategies as st

from runway_calcs.payment_timing import LEVELS, fit
from tests.runway_calcs.properties import EXAMPLES, holds
from tests.runway_calcs.timing_ledgers import documents

FRIDAY = date(2026, 11, 20)


def test_a_payer_ten_days_late_is_expected_ten_days_late() -> None:
    history = documents(*({"due": f"2026-{month:02}-11", "paid": f"2026-{month:02}-21"} for month in range(1, 11)))
    open_item = documents({"due": "2026-12-04"}, number=100)
    found = fit(history, as_of=FRIDAY).predict(open_item)
    median = found[0.5].iloc[0]
    assert pd.Timestamp(2026, 12, 12) <= median <= pd.Timestamp(2026, 12, 16)
    assert list(found.columns) == list(LEVELS)


def test_nothing_known_is_still_an_estimate() -> None:
    found = fit(documents(), as_of=FRIDAY).predict(documents({"due": "2026-12-04"}, {"due": None}))
    assert (found > pd.Timestamp(FRIDAY)).all(axis=None)


def test_a_missing_column_is_named() -> None:
    with pytest.raises(ValueError, match="due_date"):
        fit(documents().drop(columns="due_date"), as_of=FRIDAY)


def late_payer(days: int, *, of: str = "a", number: int = 1, count: int = 12) -> pd.DataFrame:
    """A document a month, due on the 11th, paid so many days late."""
    due = pd.date_range(end="2026-10-11", periods=count, freq="MS") + pd.Timedelta(days=10)
    paid = due + pd.Timedelta(days=days)
    rows = [{"due": str(d.date()), "paid": str(p.date()), "of": of} for d, p in zip(due, paid, strict=True)]
    return documents(*rows, number=number)


def days_late(found: pd.DataFrame, items: pd.DataFrame, level: float = 0.5) -> list[int]:
    due = items.set_index("document_id")["due_date"]
    return (found[level] - due).dt.days.tolist()


def test_what_is_already_later_than_usual_is_not_expected_in_the_past() -> None:
    history = late_payer(3)
    overdue = documents({"due": "2026-10-20", "dated": "2026-09-20"}, {"due": "2026-11-19"}, number=100)
    found = fit(pd.concat([history, overdue]), as_of=FRIDAY).predict(overdue)
    assert (found > pd.Timestamp(FRIDAY)).all(axis=None)
    # A month beyond the habit the wait is long and uncertain; a day after the due date it is not.
    width = (found[0.9] - found[0.1]).dt.days.tolist()
    assert width[0] > 2 * width[1]


def test_open_documents_count_as_waiting_and_not_as_missing() -> None:
    """Left out, the slow half of a payer's documents would make it look quick."""
    quick = late_payer(2, count=4)
    waiting = documents(*({"due": "2026-09-11", "dated": "2026-08-12", "of": "a"} for _ in range(4)), number=50)
    asked = documents({"due": "2026-12-11"}, number=100)
    with_waiting = fit(pd.concat([quick, waiting]), as_of=FRIDAY).predict(asked)
    without = fit(quick, as_of=FRIDAY).predict(asked)
    assert days_late(with_waiting, asked, 0.75)[0] > days_late(without, asked, 0.75)[0] + 5


def test_a_new_counterparty_is_taken_to_be_like_the_others_and_a_known_one_like_itself() -> None:
    crowd = pd.concat([late_payer(15, of=f"p{n}", number=100 * n, count=8) for n in range(1, 9)])
    own = late_payer(-5, of="early", number=2000)
    asked = documents({"due": "2026-12-11", "of": "new"}, {"due": "2026-12-11", "of": "early"}, number=5000)
    new, early = days_late(fit(pd.concat([crowd, own]), as_of=FRIDAY).predict(asked), asked)
    assert 10 <= new <= 18
    assert -8 <= early <= -2


def test_a_few_documents_are_drawn_to_what_others_do() -> None:
    crowd = pd.concat([late_payer(0, of=f"p{n}", number=100 * n, count=8) for n in range(1, 9)])
    asked = documents({"due": "2026-12-11", "of": "b"}, number=5000)
    by_count = [
        days_late(
            fit(pd.concat([crowd, late_payer(30, of="b", number=2000, count=n)]), as_of=FRIDAY).predict(asked), asked
        )
        for n in (1, 12)
    ]
    assert by_count[0] <= by_count[1]
    assert 26 <= by_count[1][0] <= 34


def test_the_pay_run_weekday_is_found() -> None:
    """Due on any day, always paid on the Wednesday after."""
    due = pd.date_range("2026-01-05", periods=40, freq="8D")
    paid = due + pd.to_timedelta((2 - due.day_of_week) % 7, unit="D")
    rows = [{"due": str(d.date()), "paid": str(p.date())} for d, p in zip(due, paid, strict=True)]
    asked = documents({"due": "2026-12-03"}, {"due": "2026-12-07"}, number=100)
    found = fit(documents(*rows), as_of=FRIDAY).predict(asked)
    assert found[0.5].tolist() == [pd.Timestamp(2026, 12, 9), pd.Timestamp(2026, 12, 9)]
    assert set(found.to_numpy().ravel().astype("datetime64[D]").astype("int64") % 7) == {6}  # Wednesdays


def test_whoever_pays_after_the_document_and_not_after_the_terms_is_found_out() -> None:
    rows = []
    for number in range(24):
        dated = pd.Timestamp(2025, 10, 6) + number * pd.Timedelta(days=14)
        rows.append(
            {
                "dated": str(dated.date()),
                "due": str((dated + pd.Timedelta(days=[10, 30, 60][number % 3])).date()),
                "paid": str((dated + pd.Timedelta(days=42)).date()),
            }
        )
    asked = documents(
        {"dated": "2026-11-16", "due": "2026-11-26"}, {"dated": "2026-11-16", "due": "2027-01-15"}, number=100
    )
    found = fit(documents(*rows), as_of=FRIDAY).predict(asked)[0.5]
    assert (found - pd.Timestamp(2026, 12, 28)).abs().max() <= pd.Timedelta(days=4)


def test_nothing_dated_after_the_day_changes_anything() -> None:
    history = late_payer(4)
    later = documents(
        {"due": "2026-12-30", "dated": "2026-11-30", "entered": "2026-11-21"},
        {"due": "2026-12-30", "dated": "2026-11-10", "entered": "2026-11-21"},
        {"due": "2026-12-30", "dated": "2026-11-21", "entered": "2026-11-10"},
        number=500,
    )
    asked = documents({"due": "2026-12-11"}, {"due": None}, number=100)
    plain, told = (fit(one, as_of=FRIDAY) for one in (history, pd.concat([history, later])))
    pd.testing.assert_frame_equal(plain.predict(asked), told.predict(asked))
    paid_tomorrow = history.assign(paid_date=history["paid_date"].where(history.index > 0, pd.Timestamp(2026, 11, 21)))
    unpaid = history.assign(paid_date=history["paid_date"].where(history.index > 0))
    pd.testing.assert_frame_equal(
        fit(paid_tomorrow, as_of=FRIDAY).predict(asked), fit(unpaid, as_of=FRIDAY).predict(asked)
    )


def test_a_reason_says_the_habit_and_the_age_of_today() -> None:
    history = pd.concat([late_payer(9), late_payer(4, of="b", number=200, count=2)])
    asked = documents(
        {"due": "2026-10-30"},
        {"due": "2026-12-04"},
        {"due": "2026-11-20", "of": "b"},
        {"due": None, "of": "c"},
        number=900,
    )
    said = fit(history, as_of=FRIDAY).explain(asked)
    assert said["reason"].tolist() == [
        "usually 9 days late over 12 documents, now 21",
        "usually 9 days late over 12 documents, due in 14 days",
        "only 2 paid documents so far; others usually 9 days late over 14 documents, due today",
        "payment habit not known, 18 days so far",
    ]
    sure = said["confidence"].tolist()
    assert 1 > sure[1] > sure[2] > sure[3] >= 0
    assert sure[0] == sure[1] / 2  # later than it ever paid
    assert fit(documents(), as_of=FRIDAY).explain(asked)["confidence"].tolist() == [0, 0, 0, 0]


def sometimes_early(*, number: int = 1) -> pd.DataFrame:
    """Twelve documents of a payer paid 20 days early, as many 6 days late, in turn."""
    due = pd.date_range("2025-09-03", periods=24, freq="16D")
    paid = [day + pd.Timedelta(days=-20 if turn % 2 else 6) for turn, day in enumerate(due)]
    rows = [{"due": str(d.date()), "paid": str(p.date())} for d, p in zip(due, paid, strict=True)]
    return documents(*rows, number=number)


def test_two_habits_are_told_and_only_the_one_that_is_left_makes_sure() -> None:
    asked = documents({"due": "2026-12-18", "dated": "2026-11-18"}, {"due": "2026-11-17"}, number=900)
    said = fit(sometimes_early(), as_of=FRIDAY).explain(asked)
    assert said["reason"].tolist() == [
        "often 20 days early, else 6 days late over 24 documents, due in 28 days",
        "often 20 days early, else 6 days late over 24 documents, now 3",
    ]
    one_habit = fit(late_payer(6, count=24), as_of=FRIDAY).explain(asked)["confidence"].tolist()
    either, later = said["confidence"].tolist()
    # Half of the documents before the discount has passed, twelve instead of 24 since.
    assert either < later < one_habit[1]


@pytest.mark.parametrize("days", [(4, 5, 6, 7, 8, 9), (4, 5, 6, 7, 8, 60), (0, 5, 10, 15, 20, 25)])
def test_one_habit_is_not_told_as_two(days: tuple[int, ...]) -> None:
    """Neither a narrow one, nor one with an exception, nor a wide one."""
    history = pd.concat([late_payer(late, number=100 * turn + 1, count=2) for turn, late in enumerate(days)])
    said = fit(history, as_of=FRIDAY).explain(documents({"due": "2026-12-18"}, number=900))
    assert said["reason"].iloc[0].startswith("usually ")


def test_a_payer_who_pays_nothing_any_more_is_not_expected_to_pay_all_of_it_soon() -> None:
    """One document that is stuck is one that is stuck; when all of them are, it is the payer."""
    due = pd.date_range("2026-06-05", "2026-09-25", freq="7D")
    waiting = documents(*({"due": str(day.date()), "of": "silent"} for day in due), number=800)
    others = pd.concat([late_payer(4, of=f"p{one}", number=100 * one) for one in range(1, 6)])
    silent = late_payer(3, of="silent", number=900).query("due_date < '2026-06-01'")
    model = fit(pd.concat([others, silent, waiting]), as_of=FRIDAY)
    days = (model.sample(waiting, draws=400, seed=1) - pd.Timestamp(FRIDAY)).to_numpy() / np.timedelta64(1, "D")
    assert (days <= 91).mean() < 0.2
    assert model.explain(waiting)["reason"].iloc[0].endswith(", nothing paid for 190 days")
    still_paid = fit(pd.concat([others, late_payer(3, of="silent", number=900), waiting[:1]]), as_of=FRIDAY)
    assert "nothing paid" not in still_paid.explain(waiting)["reason"].iloc[0]
    assert (still_paid.sample(waiting[:1], draws=400, seed=1) <= pd.Timestamp("2027-02-19")).to_numpy().mean() > 0.25


def test_draws_agree_with_the_quantiles_and_one_counterparty_moves_together() -> None:
    history = pd.concat([late_payer(days, of=f"p{days}", number=100 * days, count=6) for days in (1, 4, 9, 16)])
    asked = documents(
        {"due": "2026-12-04", "of": "x"}, {"due": "2026-12-08", "of": "x"}, {"due": "2026-12-04", "of": "y"}, number=900
    )
    model = fit(history, as_of=FRIDAY)
    drawn = model.sample(asked, draws=4000, seed=7)
    assert drawn.columns.tolist() == list(range(4000))
    assert (drawn > pd.Timestamp(FRIDAY)).all(axis=None)
    days = (drawn - pd.Timestamp(FRIDAY)).apply(lambda column: column.dt.days).to_numpy()
    median = (model.predict(asked)[0.5] - pd.Timestamp(FRIDAY)).dt.days.to_numpy()
    assert abs(np.median(days, axis=1) - median).max() <= 1
    ranks = np.corrcoef(days.argsort(axis=1).argsort(axis=1))
    assert ranks[0, 1] > 0.25
    assert abs(ranks[0, 2]) < 0.06


def test_a_draw_depends_on_the_seed_and_on_nothing_beside_its_document() -> None:
    model = fit(late_payer(6), as_of=FRIDAY)
    asked = documents(*({"due": "2026-12-04", "of": one} for one in "aabbc"), number=900)
    drawn = model.sample(asked, draws=50, seed=7)
    pd.testing.assert_frame_equal(drawn, model.sample(asked, draws=50, seed=7))
    pd.testing.assert_frame_equal(drawn.iloc[[3, 1]], model.sample(asked.iloc[[3, 1]], draws=50, seed=7))
    assert not drawn.equals(model.sample(asked, draws=50, seed=8))


def test_old_and_mistyped_dates_are_survived() -> None:
    history = pd.concat([late_payer(6), documents({"due": "1926-12-04", "paid": "1926-12-05"}, number=700)])
    asked = documents(
        {"due": "1999-12-04"},
        {"due": "2206-12-04"},
        {"due": "2027-12-04", "dated": "2027-11-04", "entered": "2027-11-04"},
        number=900,
    )
    found = fit(history, as_of=FRIDAY).predict(asked)
    assert (found > pd.Timestamp(FRIDAY)).all(axis=None)
    assert found.notna().all(axis=None)


def test_levels_may_come_in_any_order_and_must_be_probabilities() -> None:
    model, asked = fit(late_payer(6), as_of=FRIDAY), documents({"due": "2026-12-04"}, number=900)
    found = model.predict(asked, levels=(0.9, 0.1, 0.5))
    assert list(found.columns) == [0.9, 0.1, 0.5]
    assert found[0.1].iloc[0] <= found[0.5].iloc[0] <= found[0.9].iloc[0]
    assert model.predict(asked, levels=()).shape == (1, 0)
    with pytest.raises(ValueError, match="between 0 and 1"):
        model.predict(asked, levels=(0.5, 1.0))
    with pytest.raises(ValueError, match="draws is at least 1"):
        model.sample(asked, draws=0, seed=1)
    with pytest.raises(ValueError, match="occurs twice"):
        fit(pd.concat([asked, asked]), as_of=FRIDAY)


@st.composite
def ledgers(draw: st.DrawFn) -> pd.DataFrame:
    """Documents in any state: dates missing, paid before entry, without due date, in other years."""
    day = st.integers(-400, 120).map(lambda days: str((pd.Timestamp(FRIDAY) + pd.Timedelta(days=days)).date()))
    rows = st.fixed_dictionaries(
        {
            "of": st.sampled_from(["a", "b", "c", "d"]),
            "dated": day,
            "entered": day,
            "due": st.none() | day,
            "paid": st.none() | day,
            "terms": st.sampled_from(["Net 30", "Net 15"]) | st.none(),
        }
    )
    return documents(*draw(st.lists(rows, max_size=25)))


@EXAMPLES
def test_any_ledger_gives_rising_days_after_today_whatever_the_order_of_its_rows(examples: int) -> None:
    asked = documents({"due": "2026-12-04"}, {"due": None, "of": "b"}, {"due": "2026-06-04", "of": "z"}, number=900)

    def check(ledger: pd.DataFrame, turn: int) -> None:
        everything = pd.concat([ledger, asked], ignore_index=True)
        model = fit(everything, as_of=FRIDAY)
        found = model.predict(asked)
        assert found.index.tolist() == asked["document_id"].tolist()
        assert (found > pd.Timestamp(FRIDAY)).all(axis=None)
        assert (np.diff(found.to_numpy().astype("int64"), axis=1) >= 0).all()
        assert (found.to_numpy().astype("datetime64[D]") == found.to_numpy()).all()
        turned = fit(pd.concat([everything.iloc[turn:], everything.iloc[:turn]]), as_of=FRIDAY)
        pd.testing.assert_frame_equal(turned.predict(asked.iloc[::-1]).iloc[::-1], found)
        pd.testing.assert_frame_equal(turned.sample(asked, draws=20, seed=3), model.sample(asked, draws=20, seed=3))

    holds(check, examples=examples, ledger=ledgers(), turn=st.integers(0, 25))
