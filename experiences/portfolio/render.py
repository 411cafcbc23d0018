"""A firm's portfolio as a page, and its exceptions as a mail.

Belongs here: their words. Does not: facts and order (``overview.py``), the frame of a page (``experiences/pages/page.py``).
"""

from collections.abc import Mapping
from datetime import date

from experiences.digest.sentences import name
from experiences.digest.wording import clock_time, counted, days, full_date, money_short, short_date
from experiences.pages.page import Block, Cell, Page, PageTable, page_text, render_page
from experiences.portfolio.document import PortfolioDocument
from experiences.portfolio.overview import Reason, Standing, TenantOverview
from runway_calcs.forecast.figures import RunwayState

_COLUMNS = (
    "Client",
    "Covered until",
    "Cautious date",
    "Change",
    "Cash",
    "Low point",
    "To fix",
    "Waiting",
    "Books read",
)
_FIGURES = (False, True, True, True, True, True, True, True, True)
_STATES = {
    RunwayState.BEYOND_HORIZON: "beyond 13 weeks",
    RunwayState.ALREADY_BELOW: "below the floor",
    RunwayState.NOT_COMPUTABLE: "not computable",
    RunwayState.NO_DATA: "no data",
}


def portfolio_page(document: PortfolioDocument, *, links: Mapping[str, str]) -> Page:
    """Every tenant of the firm; `links` leads from a tenant's id to its digest's page."""
    needing = document.exceptions
    rest = tuple(row for row in document.rows if row not in needing)
    blocks = [
        Block(heading=heading, tables=(_table(rows, caption=caption, document=document, links=links),))
        for heading, caption, rows in (
            ("Needs attention", "The most pressing first", needing),
            ("Nothing stands out", "The shortest runway first", rest),
        )
        if rows
    ]
    return Page(
        title=f"Portfolio, {name(document.firm_name)}",
        kicker=name(document.firm_name),
        headline=_headline(document),
        lead=_freshness(document),
        badges=(),
        blocks=tuple(blocks),
        footer=_footer(document),
    )


def exceptions_page(document: PortfolioDocument, *, week_ending: date) -> Page:
    """The weekly mail to the firm: only tenants that need attention, without links."""
    needing = document.exceptions
    blocks = (
        (
            Block(
                heading="Needs attention",
                tables=(_table(needing, caption="The most pressing first", document=document, links={}),),
            ),
        )
        if needing
        else ()
    )
    return Page(
        title=exceptions_title(document, week_ending=week_ending),
        kicker=name(document.firm_name),
        headline=_headline(document),
        lead=_freshness(document),
        badges=(),
        blocks=blocks,
        footer=_footer(document),
    )


def render_portfolio(document: PortfolioDocument, *, links: Mapping[str, str]) -> str:
    """The firm's page as HTML."""
    return render_page(portfolio_page(document, links=links))


def portfolio_text(document: PortfolioDocument) -> str:
    """The same as plain text."""
    return page_text(portfolio_page(document, links={}))


def exceptions_title(document: PortfolioDocument, *, week_ending: date) -> str:
    """The mail's subject."""
    count = len(document.exceptions)
    return f"{full_date(week_ending)}: {count:,} of {counted(len(document.rows), 'client')} to look at"


def portfolio_title(document: PortfolioDocument) -> str:
    """One line for lists."""
    return _headline(document)


def _headline(document: PortfolioDocument) -> str:
    if not document.rows:
        return "No clients yet"
    count = len(document.exceptions)
    of = counted(len(document.rows), "client")
    return f"{count:,} of {of} to look at" if count else f"Nothing stands out in {of}"


def _freshness(document: PortfolioDocument) -> str:
    parts = []
    if document.missing_count:
        parts.append(f"{counted(document.missing_count, 'client')} without figures.")
    if document.stale_count:
        parts.append(f"{counted(document.stale_count, 'client')} with old books.")
    if not parts and document.rows:
        parts.append("Figures of all clients are there, and their books are fresh.")
    return " ".join(parts)


def _footer(document: PortfolioDocument) -> tuple[str, ...]:
    policy = document.policy
    return (
        f"To look at: no figures, a failed run, below the floor, {policy.short_days} days or less, cautiously "
        f"{policy.short_cautious_days} days or less, {policy.fallen_days} days shorter than a week before, old books, or data "
        "known to be wrong.",
        "Figures are those of each client's published digest.",
    )


def _table(
    rows: tuple[TenantOverview, ...], *, caption: str, document: PortfolioDocument, links: Mapping[str, str]
) -> PageTable:
    return PageTable(
        caption=caption,
        columns=_COLUMNS,
        figures=_FIGURES,
        rows=tuple(_row(row, document=document, href=links.get(row.tenant_id, "")) for row in rows),
    )


def _row(row: TenantOverview, *, document: PortfolioDocument, href: str) -> tuple[Cell, ...]:
    near = row.week_ending or date.max
    reasons = row.reasons(document.policy)
    return (
        Cell(text=name(row.tenant_name), detail=(", ".join(reasons),) if reasons else (), href=href),
        _until(row, near=near, is_alert=bool({Reason.SHORT, Reason.BELOW_FLOOR, Reason.NO_FIGURES} & set(reasons))),
        _cautious(row, near=near),
        Cell(text=_change(row)),
        Cell(text="" if row.cash_cents is None else money_short(row.cash_cents, currency=row.currency)),
        _low(row, near=near),
        Cell(text="" if row.tray_count is None else f"{row.tray_count:,}", detail=_blocking(row)),
        Cell(text=f"{row.payments_waiting:,}" if row.payments_waiting else ""),
        Cell(
            text="never" if row.data_as_of is None else short_read(row),
            is_alert=row.is_stale,
        ),
    )


def short_read(row: TenantOverview) -> str:
    """When the books were read, in UTC."""
    assert row.data_as_of is not None
    return f"{clock_time(row.data_as_of, near=row.data_as_of.date())} UTC"


def _until(row: TenantOverview, *, near: date, is_alert: bool) -> Cell:
    if row.covered_until is not None and row.days is not None:
        return Cell(text=short_date(row.covered_until, near=near), detail=(days(row.days),), is_alert=is_alert)
    if row.state is None:
        return Cell(text="no digest" if row.standing is Standing.MISSING else "not readable", is_alert=True)
    return Cell(text=_STATES[row.state], is_alert=is_alert)


def _cautious(row: TenantOverview, *, near: date) -> Cell:
    if row.cautious_until is None or row.cautious_days is None:
        return Cell(text="beyond" if row.state in (RunwayState.BURNING, RunwayState.BEYOND_HORIZON) else "")
    return Cell(text=short_date(row.cautious_until, near=near), detail=(days(row.cautious_days),))


def _change(row: TenantOverview) -> str:
    if row.change_days is None:
        return ""
    return f"+{days(row.change_days)}" if row.change_days > 0 else days(row.change_days)


def _low(row: TenantOverview, *, near: date) -> Cell:
    if row.low_cents is None or row.low_on is None:
        return Cell(text="")
    return Cell(text=money_short(row.low_cents, currency=row.currency), detail=(short_date(row.low_on, near=near),))


def _blocking(row: TenantOverview) -> tuple[str, ...]:
    return (f"{row.blocking_count:,} known wrong",) if row.blocking_count else ()
