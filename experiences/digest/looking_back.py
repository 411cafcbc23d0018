"""The sections on the last forecast: what changed since, and what became of it.

Belongs here: what both of them show. Does not: the forecast itself (``sentences.py``, ``view.py``), the facts (``comparison.py``).
"""

from datetime import timedelta

from experiences.digest.comparison import Cause, LastForecast, MissLine, Outcome
from experiences.digest.document import DigestDocument
from experiences.digest.quiet import is_quiet
from experiences.digest.sentences import name, sentence
from experiences.digest.tables import Section, Table, TableRow, section
from experiences.digest.wording import counted, days, money_exact, money_short, short_date
from runway_calcs.forecast.change import ChangeCause, ChangeState
from runway_calcs.forecast.score import ScoreState

_CAUSES = {
    ChangeCause.PAID: "Paid otherwise than expected",
    ChangeCause.ENTERED: "New documents and series",
    ChangeCause.ESTIMATED: "New estimate and floor",
}


def change_section(document: DigestDocument) -> Section:
    """What moved the runway and the low point since the last forecast."""
    change = document.change
    if change.state is not ChangeState.COMPARED or change.last_as_of is None:
        return section(heading="What changed")
    since = short_date(change.last_as_of, near=document.as_of)
    rows = [_cause_row(_CAUSES[one.cause], one, document=document) for one in change.causes]
    rows.append(
        TableRow(
            label="Change",
            detail="",
            values=(_days(change.days), _signed(change.low_cents, document=document)),
            is_total=True,
        )
    )
    table = Table(
        caption="On the days that both forecasts cover",
        columns=("Cause", "Runway", "Low point"),
        rows=tuple(rows),
        more="",
    )
    bound = (
        "One of the two runways lies beyond these days, so the change in days is a bound."
        if change.is_open_ended
        else ""
    )
    return section(heading=f"What changed since {since}", tables=(table,), paragraphs=(bound,))


def _cause_row(label: str, cause: Cause, *, document: DigestDocument) -> TableRow:
    values = (_days(cause.days), _signed(cause.low_cents, document=document))
    return TableRow(label=label, detail="", values=values, is_total=False)


def _days(count: int) -> str:
    return days(count) if count <= 0 else f"+{days(count)}"


def _signed(cents: int, *, document: DigestDocument) -> str:
    amount = money_exact(cents, currency=document.currency)
    return amount if cents <= 0 else f"+{amount}"


def last_forecast_section(document: DigestDocument) -> Section:
    """In, out and closing of the last forecast's first week against what happened, and the largest differences."""
    last = document.last_forecast
    if (
        last.state is not ScoreState.SCORED
        or last.receipts is None
        or last.disbursements is None
        or last.closing is None
    ):
        reason = "" if last.state is ScoreState.NO_LAST_FORECAST else sentence(last.reason, near=document.as_of)
        return section(heading="Last forecast and what happened", paragraphs=(reason,))
    table = Table(
        # The books are read before the Friday's own business is keyed in, so it is judged on neither side.
        caption=f"The whole days up to {short_date(document.as_of - timedelta(days=1), near=document.as_of)}",
        columns=("Figure", "Forecast", "Actual"),
        rows=(
            _outcome_row("In", last.receipts, document=document),
            _outcome_row("Out", last.disbursements, document=document),
            _outcome_row("Balance", last.closing, document=document),
        ),
        more="",
    )
    return section(
        heading="Last forecast and what happened",
        tables=(table,),
        paragraphs=(_hits(last), _split(last, document=document)),
        bullets=() if is_quiet(document) else tuple(_miss(one, document=document) for one in last.misses),
    )


def _outcome_row(label: str, outcome: Outcome, *, document: DigestDocument) -> TableRow:
    low, high = outcome.forecast.p10_cents, outcome.forecast.p90_cents
    band = f"{money_short(low, currency=document.currency)} to {money_short(high, currency=document.currency)}"
    return TableRow(
        label=label,
        detail=f"{'inside' if outcome.is_inside else 'outside'} 8 of 10 courses: {band}",
        values=(
            money_exact(outcome.forecast.expected_cents, currency=document.currency),
            money_exact(outcome.actual_cents, currency=document.currency),
        ),
        is_total=False,
    )


def _hits(last: LastForecast) -> str:
    """The running hit rate: "The balance lay inside the band in 9 of the last 10 weeks."."""
    if last.scored_count == 1:
        return (
            f"The balance lay {'inside' if last.inside_count else 'outside'} the band in the only week compared so far."
        )
    return f"The balance lay inside the band in {last.inside_count} of the last {counted(last.scored_count, 'week')}."


def _split(last: LastForecast, *, document: DigestDocument) -> str:
    parts = [f"{_signed(last.timing_cents, document=document)} is a matter of timing"]
    parts.append(f"{_signed(last.permanent_cents, document=document)} is permanent")
    if last.corrected_cents:
        parts.append(f"{_signed(last.corrected_cents, document=document)} comes from changed entries")
    return f"Of the difference in the balance {', '.join(parts[:-1])} and {parts[-1]}."


def _miss(miss: MissLine, *, document: DigestDocument) -> str:
    who = f"{name(miss.label)}, {miss.kind.value}" if miss.label else miss.kind.value
    return f"{who}: {_signed(miss.cents, document=document)}, {miss.cause.value}"
