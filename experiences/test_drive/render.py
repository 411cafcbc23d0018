"""A test drive as a page and as text.

Belongs here: its words and the order of its parts. Does not: the tables of one week (``tables.py``), facts (``build.py``), the
frame of a page (``experiences/pages/page.py``).
"""

from collections.abc import Mapping
from datetime import date
from zoneinfo import ZoneInfo

from experiences.digest.sentences import chance_below, name, sentence
from experiences.digest.wording import clock_time, counted, days, full_date, money_short, short_date, weekday_date
from experiences.pages.page import Block, Cell, Page, PageTable, page_text, render_page
from experiences.test_drive.document import DriveDocument, DrivenWeek, NextClose, Verdict
from experiences.test_drive.tables import band, bills_table, closings_table, late_table, to_fix_table
from runway_calcs.forecast.figures import RunwayState

HTML_LIMIT_BYTES = 160_000
"""Twelve weeks with every list full of the longest names stay below this: a page for a browser, not a mail."""
_VERDICTS = {
    Verdict.FELL_DATED: "gave a date, and the balance then fell below the floor",
    Verdict.FELL_CAUTIOUS: "gave only a cautious date, and the balance then fell below the floor",
    Verdict.FELL_UNSAID: "gave no date, and the balance fell below the floor",
    Verdict.BELOW_ALREADY: "found the balance below the floor already",
    Verdict.DATE_PASSED: "gave a date that has passed with the balance at or above the floor",
    Verdict.DATE_AHEAD: "gave a date that is still ahead",
    Verdict.STAYED: "gave no date, and the balance has not been below the floor so far",
    Verdict.NOT_JUDGED: "cannot be judged, because cash figures are missing since",
    Verdict.NO_FORECAST: "had no forecast",
}
_CLOSES = {
    NextClose.INSIDE: "inside the band in {}",
    NextClose.OUTSIDE: "outside the band in {}",
    NextClose.NO_FIGURE: "not comparable in {}",
    NextClose.AHEAD: "not known yet in {}",
}
_SAID = {
    RunwayState.BEYOND_HORIZON: "covered beyond 13 weeks",
    RunwayState.ALREADY_BELOW: "below the floor",
    RunwayState.NOT_COMPUTABLE: "not computable",
    RunwayState.NO_DATA: "no data",
}


def drive_page(document: DriveDocument, *, links: Mapping[date, str]) -> Page:
    """The words, in reading order; `links` leads from a Friday to its digest's page."""
    return Page(
        title=f"Test drive, {name(document.tenant_name)}",
        kicker=name(document.tenant_name),
        headline=f"What {counted(len(document.weeks), 'digest')} flagged, and what then happened",
        lead=summary(document),
        badges=_badges(document),
        blocks=(_overview(document, links=links), *(_week(week, document=document) for week in document.weeks)),
        footer=_footer(document),
    )


def render_html(document: DriveDocument, *, links: Mapping[date, str]) -> str:
    """The test drive as one HTML page."""
    return render_page(drive_page(document, links=links))


def render_text(document: DriveDocument) -> str:
    """The same as plain text."""
    return page_text(drive_page(document, links={}))


def title(document: DriveDocument) -> str:
    """One line for lists."""
    return f"Test drive: {counted(len(document.weeks), 'week')} to {full_date(document.as_of)}"


def summary(document: DriveDocument) -> str:
    """How the headlines came out and how the next balances did, in counts that each sum to the weeks."""
    parts = "; ".join(f"{count} {_VERDICTS[verdict]}" for verdict, count in document.verdicts.items())
    closes = ", ".join(_CLOSES[close].format(count) for close, count in document.next_closes.items())
    weeks = len(document.weeks)
    return f"Of {counted(weeks, 'digest')}: {parts}. The balance a week later: {closes} of {weeks}."


def _badges(document: DriveDocument) -> tuple[str, ...]:
    count, weeks = document.reconstructed_count, len(document.weeks)
    if not count:
        return ()
    which = "All weeks are" if count == weeks else f"{count} of {weeks} weeks are"
    return (
        f"{which} rebuilt from books connected on {full_date(document.connected_on)}; edits and deletions before that day are not "
        "visible.",
    )


def _footer(document: DriveDocument) -> tuple[str, ...]:
    read = clock_time(document.data_as_of.astimezone(ZoneInfo(document.zone)), near=document.as_of)
    return (
        f"As of {full_date(document.as_of)}, from books read on {read} ({document.zone}). What came later is not in it.",
        "Each digest is the one of its Friday, made from what was known then. What became of invoices, bills and entries is taken "
        "from the newest books.",
        f"Balances are those of whole days, up to {short_date(document.until, near=document.as_of)}: each by the books of the "
        "first Friday after it, because a Friday's own books are read before its business is entered. A digest's cash is that of "
        "the hour at which its books were read.",
        "The page says what happened, not why: whether somebody acted on a digest is not known here.",
        "It describes the books and is not financial advice.",
    )


def _overview(document: DriveDocument, *, links: Mapping[date, str]) -> Block:
    table = PageTable(
        caption="Each Friday's digest beside the days since",
        columns=("Digest", "It said", "Then", "Low point it said", "Lowest since", "Balance a week later"),
        figures=(False, False, False, True, True, True),
        rows=tuple(_row(week, document=document, href=links.get(week.week_ending, "")) for week in document.weeks),
    )
    return Block(heading="Week by week", tables=(table,))


def _row(week: DrivenWeek, *, document: DriveDocument, href: str) -> tuple[Cell, ...]:
    near = document.as_of
    rebuilt = ("rebuilt",) if week.basis == "reconstructed" else ()
    fell = week.since.below_on is not None
    return (
        Cell(text=short_date(week.week_ending, near=near), detail=rebuilt, href=href),
        Cell(text=_said(week, near=near), detail=_cautious(week, near=near)),
        Cell(text=_then(week, near=near), is_alert=fell),
        _low_said(week, document=document),
        _low_since(week, document=document),
        _week_later(week, document=document),
    )


def _said(week: DrivenWeek, *, near: date) -> str:
    runway = week.runway
    if runway.covered_until is not None and runway.days is not None:
        return f"covered until {short_date(runway.covered_until, near=near)} ({days(runway.days)})"
    return _SAID[runway.state]


def _cautious(week: DrivenWeek, *, near: date) -> tuple[str, ...]:
    until = week.runway.cautious_until
    return () if until is None else (f"cautious date {short_date(until, near=near)}",)


def _then(week: DrivenWeek, *, near: date) -> str:
    """What became of the floor, whatever the headline said."""
    if week.since.below_on is not None:
        return f"below the floor on {short_date(week.since.below_on, near=near)}"
    if week.runway.floor_cents is None:
        return "no floor to compare with"
    return "not below the floor so far" if week.since.is_whole else "not known, figures are missing"


def _low_said(week: DrivenWeek, *, document: DriveDocument) -> Cell:
    runway = week.runway
    if runway.low_cents is None or runway.low_on is None:
        return Cell(text="")
    on = short_date(runway.low_on, near=document.as_of)
    return Cell(text=money_short(runway.low_cents, currency=document.currency), detail=(on,))


def _low_since(week: DrivenWeek, *, document: DriveDocument) -> Cell:
    since = week.since
    if since.low_cents is None or since.low_on is None:
        return Cell(text="no figure")
    on = short_date(since.low_on, near=document.as_of)
    return Cell(text=money_short(since.low_cents, currency=document.currency), detail=(on,))


def _week_later(week: DrivenWeek, *, document: DriveDocument) -> Cell:
    closing = week.closings[0] if week.closings else None
    if closing is None or closing.actual_cents is None:
        return Cell(text="no figure" if closing is None or closing.has_come else "not known yet")
    where = "inside" if closing.is_inside else "outside"
    return Cell(
        text=money_short(closing.actual_cents, currency=document.currency),
        detail=(f"{where} {band(closing, currency=document.currency)}",),
        is_alert=not closing.is_inside,
    )


def _week(week: DrivenWeek, *, document: DriveDocument) -> Block:
    tables = (
        closings_table(week, document=document),
        late_table(week.late, document=document),
        bills_table(week.bills, document=document),
        to_fix_table(week.to_fix, document=document),
    )
    return Block(
        heading=weekday_date(week.week_ending),
        paragraphs=tuple(
            text for text in (_told(week, document=document), _happened(week, near=document.as_of)) if text
        ),
        tables=tuple(table for table in tables if table is not None),
    )


def _told(week: DrivenWeek, *, document: DriveDocument) -> str:
    """The digest's subject, the cautious date, and the chance it gave."""
    runway, near = week.runway, document.as_of
    parts = [f"It said: {sentence(week.subject, near=near)}"]
    if runway.cautious_until is not None:
        parts.append(f"Cautious date: {short_date(runway.cautious_until, near=near)}.")
    if runway.floor_cents is not None:
        parts.append(f"Floor: {money_short(runway.floor_cents, currency=document.currency)}.")
    parts.append(chance_below(runway))
    if not runway.is_projected:
        parts.append(sentence(runway.reason, near=near))
    return " ".join(part for part in parts if part)


def _happened(week: DrivenWeek, *, near: date) -> str:
    """What became of it, and how much of its thirteen weeks is not known yet."""
    over = sum(closing.has_come for closing in week.closings)
    ahead = len(week.closings) - over
    waits = f" Over so far: {over} of its {len(week.closings)} weeks; the others are not known yet." if ahead else ""
    then = _then(week, near=near)
    return f"Then: {then}.{waits}"
