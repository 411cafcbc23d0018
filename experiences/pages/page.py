"""The static pages beside the digests: one look, light and dark, no script, no image, nothing fetched.

Belongs here: the frame of a page and its parts as values. Does not: what a page says (each experience's ``render.py``).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from experiences.digest.palette import DARK, LIGHT
from experiences.templates import templates


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One cell: words, more words below them, and where a click leads; addresses are made by us."""

    text: str
    detail: tuple[str, ...] = ()
    href: str = ""
    link_text: str = ""
    """What a link below the words says; empty: the words themselves are the link."""
    is_alert: bool = False
    links: tuple[tuple[str, str], ...] = ()
    """Further links below: words and address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PageTable:
    """A table; the first column heads its rows, the columns after it hold figures if `is_figures` says so."""

    caption: str
    columns: tuple[str, ...]
    figures: tuple[bool, ...]
    """For each column, whether it holds figures: set to the right."""
    rows: tuple[tuple[Cell, ...], ...]
    more: str = ""
    widths: tuple[int, ...] = ()
    """Of each column in percent, for tables below each other; empty: as wide as the words need."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A heading with what stands under it, which a reader opens where it is folded."""

    heading: str
    aside: str = ""
    """What is quietly said beside the heading: all that a folded block shows."""
    is_folded: bool = False
    paragraphs: tuple[str, ...] = ()
    tables: tuple[PageTable, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """All words of a page."""

    title: str
    kicker: str
    headline: str
    lead: str
    badges: tuple[str, ...]
    blocks: tuple[Block, ...]
    footer: tuple[str, ...]


def render_page(page: Page) -> str:
    """The page as HTML that needs nothing else."""
    return templates("pages").get_template("page.html.j2").render(page=page, light=LIGHT, dark=DARK)


def page_text(page: Page) -> str:
    """The same words as plain text."""
    lines = [page.kicker, page.headline, page.lead, *(f"* {badge}" for badge in page.badges)]
    for block in page.blocks:
        lines += ["", block.heading.upper() + (f" ({block.aside})" if block.aside else ""), *block.paragraphs]
        for table in block.tables:
            lines += ["", table.caption, *(_line(row, table.columns) for row in table.rows)]
            lines += [table.more] if table.more else []
    return "\n".join([*(line for line in lines), "", "--", *page.footer, ""])


def _line(row: Sequence[Cell], columns: Sequence[str]) -> str:
    """A row by its head; each figure with its column's name and its own details, as a phone shows it."""
    head, *rest = row
    filled = [(name, ", ".join(_words(cell))) for name, cell in zip(columns[1:], rest, strict=True)]
    parts = [f"{name}: {words}" for name, words in filled if words]
    below = [f"    {words}" for words in _words(head)[1:]]
    return "\n".join([f"- {head.text}" + (f" ({'; '.join(parts)})" if parts else ""), *below])


def _words(cell: Cell) -> list[str]:
    first = [cell.text] if cell.text else []
    return [*first, *cell.detail, *(words for words, _ in cell.links)]
