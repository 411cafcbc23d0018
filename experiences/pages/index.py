"""The index of the static pages.

Belongs here: its words. Does not: which pages exist (`assets/pages.py`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from experiences.digest.sentences import name
from experiences.digest.wording import counted, full_date
from experiences.pages.page import Block, Cell, Page, PageTable

MOST_WEEKS = 13
"""Older digests stay in their folder."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A tenant's pages: addresses relative to the index, empty where there is none."""

    name: str
    digests: tuple[tuple[date, str], ...]
    """Friday of the week and address, the newest first."""
    bills: str
    tray: str
    test_drive: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedFirm:
    """A firm's pages."""

    name: str
    portfolio: str
    tenants: tuple[Listed, ...]


def index_page(firms: Sequence[ListedFirm]) -> Page:
    """Every firm with its tenants, in the order given."""
    tenants = sum(len(firm.tenants) for firm in firms)
    return Page(
        title="Runway",
        kicker="Runway",
        headline=counted(tenants, "client"),
        lead="" if tenants else "`runway tenant add` registers a client, `runway friday` makes its digest.",
        badges=(),
        blocks=tuple(_block(firm) for firm in firms),
        footer=("Written from the published documents. Nothing here is fetched from elsewhere.",),
    )


def _block(firm: ListedFirm) -> Block:
    tables = []
    if firm.portfolio:
        row = (Cell(text="Portfolio, by who needs attention", href=firm.portfolio),)
        tables.append(PageTable(caption="All clients together", columns=("Page",), figures=(False,), rows=(row,)))
    if firm.tenants:
        tables.append(
            PageTable(
                caption="Clients",
                columns=("Client", "Newest digest", "Open bills", "Data to fix", "Test drive", "Earlier digests"),
                figures=(False,) * 6,
                rows=tuple(_row(one) for one in firm.tenants),
            )
        )
    return Block(heading=name(firm.name), tables=tuple(tables))


def _row(one: Listed) -> tuple[Cell, ...]:
    listed = [(full_date(week), address) for week, address in one.digests[:MOST_WEEKS]]
    newest, *earlier = listed or [("none yet", "")]
    return (
        Cell(text=name(one.name)),
        Cell(text=newest[0], href=newest[1]),
        Cell(text="Bills and plan" if one.bills else "", href=one.bills),
        Cell(text="Tray" if one.tray else "", href=one.tray),
        Cell(text="Past weeks" if one.test_drive else "", href=one.test_drive),
        Cell(text="", links=tuple(earlier)),
    )
