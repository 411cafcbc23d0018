"""What a digest shows, as ready words in reading order: the one source of the HTML and of its text twin.

Belongs here: the order, the 13-week strip, leaving out what is empty.
Does not: sentences (``sentences.py``), formats (``wording.py``), tables (``money.py``, ``balances.py``), markup.
"""

from dataclasses import dataclass

from experiences.digest import sentences
from experiences.digest.attention import data_section
from experiences.digest.balances import ageing_section, burn_section, cash_section, notes_section
from experiences.digest.bars import Bar, bars, ranges
from experiences.digest.document import DigestDocument, Week
from experiences.digest.looking_back import change_section, last_forecast_section
from experiences.digest.money import money_in, money_out, workflow_section
from experiences.digest.quiet import is_quiet
from experiences.digest.tables import Section
from experiences.digest.wording import has_symbol, money_short, short_date, weekday_date

_QUIET = "A quiet week, so this digest is short: each list with its first row, its count and its sum."
_LEVELS = {"solid": "above floor", "outline": "below floor", "dashed": "below zero"}


@dataclass(frozen=True, slots=True, kw_only=True)
class StripWeek:
    """One of the 13 weeks."""

    label: str
    receipts: str
    disbursements: str
    closing: str
    low: str
    high: str
    """P10 and P90 of the closing balance."""
    mark: str
    """What changes in this week, in words: "low week, below floor"; empty for an ordinary week."""
    bar: Bar
    range: Bar
    """P10 to P90 on the same scale."""
    form: str
    """``solid`` at or above the floor, ``outline`` below it, ``dashed`` below zero."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyFigure:
    """One of the figures under the headline."""

    label: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestView:
    """All words of a digest."""

    subject: str
    preheader: str
    firm: str
    tenant: str
    week: str
    badges: tuple[str, ...]
    headline: str
    lead: str
    key_figures: tuple[KeyFigure, ...]
    trust: str
    """What the figures rest on: when the books were read, and their state."""
    strip: tuple[StripWeek, ...]
    strip_note: str
    sections: tuple[Section, ...]
    footer: tuple[str, ...]


def digest_view(document: DigestDocument) -> DigestView:
    """The words of a document, in reading order."""
    # A quiet week goes without the sections that say once more what stands above.
    details = () if is_quiet(document) else (ageing_section(document), burn_section(document))
    candidates = (
        change_section(document),
        money_in(document),
        money_out(document),
        workflow_section(document),
        last_forecast_section(document),
        data_section(document),
        cash_section(document),
        *details,
        notes_section(document),
    )
    return DigestView(
        subject=sentences.subject(document),
        preheader=sentences.preheader(document),
        firm=sentences.name(document.firm_name),
        tenant=sentences.name(document.tenant_name),
        week=f"Week ending {weekday_date(document.week_ending)}",
        badges=sentences.badges(document),
        headline=sentences.headline(document),
        lead=" ".join((sentences.lead(document), *((_QUIET,) if is_quiet(document) else ()))),
        key_figures=tuple(KeyFigure(label=label, value=value) for label, value in sentences.key_figures(document)),
        trust=sentences.trust(document),
        strip=_strip(document),
        strip_note=_strip_note(document),
        sections=tuple(section for section in candidates if section.tables or section.paragraphs or section.bullets),
        footer=sentences.footer(document),
    )


def _strip_note(document: DigestDocument) -> str:
    """What the strip's amounts are; the code stands here once, because 39 times would leave no room for the bars."""
    unit = "" if has_symbol(document.currency) else f", in {document.currency}"
    return (
        f"Expected balance at the end of each week{unit}, and the range of 8 in 10 simulated courses. "
        "The low week has the lowest of these balances."
    )


def _strip(document: DigestDocument) -> tuple[StripWeek, ...]:
    currency = document.currency if has_symbol(document.currency) else ""
    closings = [week.closing_cents for week in document.weeks]
    lowest = min(document.weeks, key=lambda week: week.closing_cents, default=None)
    ends = [(week.p10_cents, week.p90_cents) for week in document.weeks]
    shapes, spans = bars(closings, ends=ends), ranges(closings, ends=ends)
    forms = [_bar_form(week, document=document) for week in document.weeks]
    return tuple(
        StripWeek(
            label=short_date(week.last_day, near=document.as_of),
            receipts=money_short(week.receipts_cents, currency=currency),
            disbursements=money_short(week.disbursements_cents, currency=currency),
            closing=money_short(week.closing_cents, currency=currency),
            low=money_short(week.p10_cents, currency=currency),
            high=money_short(week.p90_cents, currency=currency),
            mark=_week_mark(form=form, form_before=form_before, is_low=week is lowest),
            bar=shape,
            range=span,
            form=form,
        )
        for week, shape, span, form, form_before in zip(
            document.weeks, shapes, spans, forms, ["solid", *forms][:-1], strict=True
        )
    )


def _bar_form(week: Week, *, document: DigestDocument) -> str:
    if week.closing_cents < 0:
        return "dashed"
    return "outline" if week.closing_cents < (document.runway.floor_cents or 0) else "solid"


def _week_mark(*, form: str, form_before: str, is_low: bool) -> str:
    """The low week, and the week in which the balance crosses the floor or zero; the weeks between stay quiet."""
    level = _LEVELS[form] if form != form_before else ""
    return ", ".join(part for part in ("low week" if is_low else "", level) if part)
