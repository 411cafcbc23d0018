"""A firm's portfolio as a page.

Belongs here: its table. Does not: facts and order (``overview.py``), sentences (``words.py``), the frame of a page
(``experiences/pages/page.py``), the mail (``exceptions.py``).
"""

from collections.abc import Mapping
from datetime import date

from experiences.digest.sentences import name
from experiences.digest.wording import days, full_date, money_short, short_date
from experiences.pages.page import Block, Cell, Page, PageTable, page_text, render_page
from experiences.portfolio.document import PortfolioDocument
from experiences.portfolio.overview import Reason, Standing, TenantOverview
from experiences.portfolio.words import (
    STATES,
    alarm_step,
    books_read,
    explained,
    freshness,
    headline,
    mail_step,
    mail_words,
    next_step,
    waiting_words,
)
from runway_calcs.forecast.figures import RunwayState

_COLUMNS = (
    "Client",
    "Covered until",
    "Cautious date",
    "Change",
    "Cash",
    "Low point",
    "To fix",
    "Payments waiting",
    "Mail",
    "Books read",
)
_FIGURES = (False, True, True, True, True, True, True, True, True, True)
#: The same in both tables, so that their columns stand below each other.
_WIDTHS = (21, 9, 9, 7, 8, 8, 8, 10, 9, 11)


def portfolio_page(document: PortfolioDocument, *, links: Mapping[str, str]) -> Page:
    """Every tenant of the firm; `links` leads from a tenant's id to its digest's page."""
    needing = document.exceptions
    rest = tuple(row for row in document.rows if row not in needing)
    blocks = [
        Block(heading=heading, tables=(_table(rows, caption=caption, document=document, links=links),))
        for heading, caption, rows in (
            ("Needs attention", "The most pressing first", needing),
            ("Nothing stands out", "Payments that wait for somebody first, then the shortest runway", rest),
        )
        if rows
    ]
    return Page(
        title=f"Portfolio, {name(document.firm_name)}",
        kicker=f"{name(document.firm_name)}, week ending {full_date(document.week_ending)}",
        headline=headline(document),
        lead=freshness(document),
        badges=(),
        blocks=tuple(blocks),
        footer=explained(document),
    )


def render_portfolio(document: PortfolioDocument, *, links: Mapping[str, str]) -> str:
    """The firm's page as HTML."""
    return render_page(portfolio_page(document, links=links))


def portfolio_text(document: PortfolioDocument) -> str:
    """The same as plain text."""
    return page_text(portfolio_page(document, links={}))


def portfolio_title(document: PortfolioDocument) -> str:
    """One line for lists."""
    return headline(document)


def _table(
    rows: tuple[TenantOverview, ...], *, caption: str, document: PortfolioDocument, links: Mapping[str, str]
) -> PageTable:
    return PageTable(
        caption=caption,
        columns=_COLUMNS,
        figures=_FIGURES,
        widths=_WIDTHS,
        rows=tuple(_row(row, document=document, href=links.get(row.tenant_id, "")) for row in rows),
    )


def _row(row: TenantOverview, *, document: PortfolioDocument, href: str) -> tuple[Cell, ...]:
    near = document.week_ending
    reasons = row.reasons(document.policy)
    return (
        Cell(
            text=name(row.tenant_name),
            detail=tuple(filter(None, (", ".join(reasons), next_step(row), alarm_step(row), mail_step(row)))),
            href=href,
        ),
        _until(row, near=near, is_alert=bool({Reason.SHORT, Reason.BELOW_FLOOR, Reason.NO_FIGURES} & set(reasons))),
        _cautious(row, near=near),
        Cell(text=_change(row)),
        Cell(text="" if row.cash_cents is None else money_short(row.cash_cents, currency=row.currency)),
        _low(row, near=near),
        Cell(text="" if row.tray_count is None else f"{row.tray_count:,}", detail=_blocking(row)),
        Cell(text=f"{row.payments_waiting:,}" if row.payments_waiting else "", detail=waiting_words(row)),
        Cell(text=f"{row.mails_open:,}" if row.mails_open else "", detail=mail_words(row)),
        Cell(text="never" if row.data_as_of is None else books_read(row, near=near), is_alert=row.is_stale),
    )


def _until(row: TenantOverview, *, near: date, is_alert: bool) -> Cell:
    old = (f"as of {short_date(row.week_ending, near=near)}",) if row.is_behind and row.week_ending is not None else ()
    if row.covered_until is not None and row.days is not None:
        return Cell(text=short_date(row.covered_until, near=near), detail=(days(row.days), *old), is_alert=is_alert)
    if row.state is None:
        return Cell(text="no digest" if row.standing is Standing.MISSING else "not readable", is_alert=True)
    return Cell(text=STATES[row.state], detail=old, is_alert=is_alert)


def _cautious(row: TenantOverview, *, near: date) -> Cell:
    if row.cautious_until is None or row.cautious_days is None:
        return Cell(text="beyond" if row.state in (RunwayState.BURNING, RunwayState.BEYOND_HORIZON) else "")
    return Cell(text=short_date(row.cautious_until, near=near), detail=(days(row.cautious_days),))


def _change(row: TenantOverview) -> str:
    if row.change_days is None:
        return ""
    if not row.change_days:
        return "none"
    return f"+{days(row.change_days)}" if row.change_days > 0 else days(row.change_days)


def _low(row: TenantOverview, *, near: date) -> Cell:
    if row.low_cents is None or row.low_on is None:
        return Cell(text="")
    return Cell(text=money_short(row.low_cents, currency=row.currency), detail=(short_date(row.low_on, near=near),))


def _blocking(row: TenantOverview) -> tuple[str, ...]:
    return (f"{row.blocking_count:,} known wrong",) if row.blocking_count else ()
