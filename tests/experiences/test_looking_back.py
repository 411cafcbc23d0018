"""What a digest says of the last forecast: what changed, and what became of it."""

from dataclasses import replace
from datetime import timedelta

import pytest

from experiences.digest.comparison import Cause
from experiences.digest.render import preheader, render_text
from runway_calcs.forecast.change import ChangeCause, ChangeState
from runway_calcs.forecast.figures import Band
from tests.experiences.builders import FRIDAY, NO_CHANGE, NO_SCORE, make_change, make_digest, make_score
from tests.experiences.parsed import one_line


def test_the_change_is_told_in_its_causes_and_its_sum() -> None:
    text = one_line(render_text(make_digest(change=make_change(days=-3, low=-120_000))))
    assert "WHAT CHANGED SINCE 13 NOV On the days that both forecasts cover" in text
    assert "Paid otherwise than expected -3 days +$1,500.00" in text
    assert "New documents and series 0 days -$400.00" in text
    assert "New estimate and floor 0 days -$2,300.00" in text
    assert "Change -3 days -$1,200.00" in text


def test_the_line_beside_the_subject_names_the_one_change() -> None:
    assert "low point up $1.2k since 13 Nov" in preheader(make_digest())
    assert "since" not in preheader(make_digest(change=NO_CHANGE))


@pytest.mark.parametrize(("low", "told"), [(-120_000, "down $1.2k"), (0, "unchanged")])
def test_the_line_beside_the_subject_words_a_change_as_no_level(low: int, told: str) -> None:
    """Incident: "low point -$1.2k since 13 Nov" reads as overdrawn since then, and "$0 since 13 Nov" as empty."""
    assert f"; low point {told} since 13 Nov, cash: " in preheader(make_digest(change=make_change(low=low)))


def test_a_bound_says_that_it_is_one() -> None:
    text = one_line(render_text(make_digest(change=replace(make_change(), is_open_ended=True))))
    assert "so the change in days is a bound" in text


def test_the_last_forecast_stands_beside_what_happened() -> None:
    text = one_line(render_text(make_digest()))
    assert "In $9,000.00 $3,000.00 outside 8 of 10 courses: $5.0k to $13.0k" in text
    assert "Balance $85,000.00 $80,140.07 inside 8 of 10 courses: $70.0k to $84.0k" in text
    assert "The balance lay inside the band in 9 of the last 10 weeks." in text
    assert "-$6,000.00 is a matter of timing and +$1,140.07 is permanent" in text
    assert "Northwind Outfitters, open invoice: -$6,000.00, timing" in text


def test_without_a_last_forecast_both_sections_are_left_out() -> None:
    text = render_text(make_digest(change=NO_CHANGE, score=NO_SCORE)).upper()
    assert "WHAT CHANGED" not in text
    assert "LAST FORECAST" not in text


def test_causes_that_do_not_sum_are_no_digest() -> None:
    change = make_digest().change
    with pytest.raises(ValueError, match="causes sum to the change in cents"):
        replace(change, low_cents=change.low_cents + 1)
    with pytest.raises(ValueError, match="exactly when there is one"):
        replace(change, state=ChangeState.NO_LAST_FORECAST)
    with pytest.raises(ValueError, match="at most three causes"):
        replace(change, causes=(*change.causes, Cause(cause=ChangeCause.PAID, days=0, low_cents=0)))


def test_differences_that_do_not_sum_are_no_digest() -> None:
    last = make_digest().last_forecast
    with pytest.raises(ValueError, match="sum to the miss"):
        replace(last, timing_cents=last.timing_cents + 1)


def test_the_cautious_date_and_the_band_of_the_low_point_are_said() -> None:
    document = make_digest()
    runway = replace(
        document.runway,
        cautious_until=FRIDAY + timedelta(days=19),
        cautious_days=19,
        low_p10_cents=100_000,
        low_p90_cents=3_400_000,
    )
    text = one_line(render_text(replace(document, runway=runway)))
    assert "Cautious date: 9 Dec (19 days)." in text
    assert "Low point $22.1k on 19 Feb, in 8 of 10 courses between $1.0k and $34.0k." in text


def test_a_week_outside_its_band_says_so() -> None:
    score = make_score()
    assert score.closing is not None
    narrow = replace(score.closing, band=Band(p10_cents=8_400_000, p50_cents=8_500_000, p90_cents=8_600_000))
    text = one_line(render_text(make_digest(score=replace(score, closing=narrow))))
    assert "Balance $85,000.00 $80,140.07 outside 8 of 10 courses: $84.0k to $86.0k" in text


@pytest.mark.parametrize(("inside", "where"), [(1, "inside"), (0, "outside")])
def test_a_hit_rate_of_one_week_is_told_as_that_week(inside: int, where: str) -> None:
    document = make_digest()
    one = replace(document.last_forecast, scored_count=1, inside_count=inside)
    text = one_line(render_text(replace(document, last_forecast=one)))
    assert f"The balance lay {where} the band in the only week compared so far." in text
    assert "of the last" not in text
