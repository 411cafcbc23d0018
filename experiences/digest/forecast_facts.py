"""What a digest takes from the forecast: the headline, the weeks, the change and the last forecast's score.

Belongs here: choosing and cutting these facts. Does not: lists of money in and out (``build.py``), words.
"""

from experiences.digest import document as doc
from experiences.digest.comparison import (
    MAX_MISSES,
    Cause,
    Change,
    Estimate,
    LastForecast,
    MissLine,
    Outcome,
)
from experiences.digest.wording import plain_text
from runway_calcs.forecast.change import ForecastChange
from runway_calcs.forecast.figures import CashForecast, RunwayState
from runway_calcs.forecast.score import Compared, ForecastScore


def runway_facts(forecast: CashForecast) -> doc.Runway:
    """The headline."""
    burning = forecast.state is RunwayState.BURNING
    below = forecast.state is RunwayState.ALREADY_BELOW
    low = forecast.low
    return doc.Runway(
        state=forecast.state,
        reason=plain_text(forecast.reason),
        covered_until=forecast.covered_until if burning else None,
        days=forecast.days if burning else None,
        cautious_until=None if below else forecast.cautious_until,
        cautious_days=None if below else forecast.cautious_days,
        horizon_end=forecast.horizon_end,
        floor_cents=forecast.floor_cents,
        floor_reason=plain_text(forecast.floor_reason),
        reserved_cents=forecast.reserved_cents,
        low_cents=low.band.p50_cents if low else None,
        low_p10_cents=low.band.p10_cents if low else None,
        low_p90_cents=low.band.p90_cents if low else None,
        low_on=low.on if low else None,
        below_floor_ppm=forecast.below_floor_ppm,
        history_note=plain_text(forecast.history_note),
        basis_text=plain_text(forecast.basis_text),
    )


def week_facts(forecast: CashForecast) -> tuple[doc.Week, ...]:
    """The 13 weeks of the expected course."""
    return tuple(
        doc.Week(
            first_day=week.first_day,
            last_day=week.last_day,
            opening_cents=week.opening_cents,
            receipts_cents=week.receipts_cents,
            disbursements_cents=week.disbursements_cents,
            released_cents=week.released_cents,
            closing_cents=week.closing_cents,
            p10_cents=week.closing_band.p10_cents,
            p90_cents=week.closing_band.p90_cents,
            below_floor_ppm=week.below_floor_ppm,
        )
        for week in forecast.weeks
    )


def week_ahead(forecast: CashForecast) -> tuple[Estimate | None, Estimate | None]:
    """What the first week receives and pays in all; None without a forecast."""
    if not forecast.weeks:
        return None, None
    week = forecast.weeks[0]
    received, paid = week.receipts_band, week.disbursements_band
    return (
        Estimate(expected_cents=week.receipts_cents, p10_cents=received.p10_cents, p90_cents=received.p90_cents),
        Estimate(expected_cents=week.disbursements_cents, p10_cents=paid.p10_cents, p90_cents=paid.p90_cents),
    )


def change_facts(change: ForecastChange) -> Change:
    """The change in its causes."""
    return Change(
        state=change.state,
        reason=plain_text(change.reason),
        last_as_of=change.last_as_of,
        days=change.days or 0,
        is_open_ended=change.is_open_ended,
        low_cents=(change.low_cents or 0) - (change.last_low_cents or 0),
        causes=tuple(Cause(cause=one.cause, days=one.days, low_cents=one.low_cents) for one in change.causes),
    )


def last_forecast_facts(score: ForecastScore) -> LastForecast:
    """The last forecast's first week and its largest misses."""
    return LastForecast(
        state=score.state,
        reason=plain_text(score.reason),
        last_as_of=score.last_as_of,
        receipts=_outcome(score.receipts),
        disbursements=_outcome(score.disbursements),
        closing=_outcome(score.closing),
        timing_cents=score.timing_cents,
        permanent_cents=score.permanent_cents,
        corrected_cents=score.corrected_cents,
        misses=tuple(
            MissLine(label=plain_text(miss.label), kind=miss.kind, cents=miss.miss_cents, cause=miss.cause)
            for miss in score.misses[:MAX_MISSES]
        ),
        inside_count=score.inside_count,
        scored_count=len(score.hits),
    )


def _outcome(compared: Compared | None) -> Outcome | None:
    if compared is None:
        return None
    return Outcome(
        forecast=Estimate(
            expected_cents=compared.expected_cents,
            p10_cents=compared.band.p10_cents,
            p90_cents=compared.band.p90_cents,
        ),
        actual_cents=compared.actual_cents,
    )
