"""Tables and sections of a digest as ready words.

Belongs here: the values that the templates print, and how a list of the document becomes a table.
Does not: which tables there are (``money.py``, ``balances.py``), their order (``view.py``), markup (the templates).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from experiences.digest.document import DigestDocument
from experiences.digest.listing import Listing
from experiences.digest.quiet import rows_shown
from experiences.digest.wording import counted, money_exact

Item = TypeVar("Item")

OPEN_BILLS = "on the page of open bills"
"""Where the rest of a list of bills stands: the console's page of the same week."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TableRow:
    """One row: what it is, what there is to know of it, its amounts."""

    label: str
    detail: str
    values: tuple[str, ...]
    is_total: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A data table; the first column is the rows' heading."""

    caption: str
    columns: tuple[str, ...]
    rows: tuple[TableRow, ...]
    more: str
    """What was cut: "and 37 more, $1,204.00"; empty when nothing was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A heading with what stands under it."""

    heading: str
    tables: tuple[Table, ...]
    paragraphs: tuple[str, ...]
    bullets: tuple[str, ...]


def row(label: str, *details: str, value: str, is_total: bool = False) -> TableRow:
    """A row with one amount; details that are empty are left out."""
    return TableRow(label=label, detail=", ".join(part for part in details if part), values=(value,), is_total=is_total)


def listing_table(
    listing: Listing[Item],
    *,
    document: DigestDocument,
    caption: str,
    noun: str,
    columns: tuple[str, ...],
    to_row: Callable[[Item, DigestDocument], TableRow],
    where: str = "",
) -> Table | None:
    """A list as a table whose caption counts and sums all of it; None when the list is empty.

    `where` says where the rows stand that are not shown.
    """
    if not listing.rows:
        return None
    shown = listing.rows[: rows_shown(document)]
    total = money_exact(listing.total_cents, currency=document.currency)
    return Table(
        caption=f"{caption}: {counted(listing.count, noun)}, {total}",
        columns=columns,
        rows=tuple(to_row(item, document) for item in shown),
        more=more_rows(hidden=listing.count - len(shown), where=where),
    )


def more_rows(*, hidden: int, where: str = "") -> str:
    """What stands for the rows that are not shown, and where those are."""
    return f"and {hidden:,} more{f' {where}' if where else ''}" if hidden else ""


def section(
    *,
    heading: str,
    tables: Sequence[Table | None] = (),
    paragraphs: Sequence[str] = (),
    bullets: Sequence[str] = (),
) -> Section:
    """A section of what there is: absent tables and empty paragraphs are left out."""
    return Section(
        heading=heading,
        tables=tuple(table for table in tables if table is not None),
        paragraphs=tuple(text for text in paragraphs if text),
        bullets=tuple(bullets),
    )
