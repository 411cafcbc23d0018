"""The tables of a rendered page or mail as a reader sees them: caption, and each row with its label, small print and values."""

from dataclasses import dataclass, field
from decimal import Decimal
from html.parser import HTMLParser


@dataclass(slots=True)
class Row:
    """A row: what heads it, the small print under that, and the value of each further column with its small print."""

    label: str
    detail: str
    values: list[str]
    details: list[str]


@dataclass(slots=True)
class Table:
    """A table with its caption and the heads of its columns."""

    caption: str = ""
    columns: list[str] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)

    def value(self, row: Row, column: str) -> str:
        """The cell of a row under a head."""
        return row.values[self.columns.index(column) - 1]

    def small_print(self, row: Row, column: str) -> str:
        """What stands under it."""
        return row.details[self.columns.index(column) - 1]


class _Tables(HTMLParser):
    """Keeps the tables that have a caption: the others only set things beside each other."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[Table] = []
        self._open: list[Table] = []
        self._cells: list[tuple[str, str]] = []
        self._cell: list[list[str]] | None = None
        self._is_small = 0
        self._is_caption = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "table":
            self._open.append(Table())
        elif tag == "caption":
            self._is_caption = True
        elif tag == "tr":
            self._cells = []
        elif tag in ("td", "th"):
            self._cell = [[], []]
        elif tag == "span" and self._cell is not None:
            self._is_small += bool({"more", "quiet"} & set(given.get("class", "").split()))
            if self._is_small:
                self._cell[1].append(" ")

    def handle_endtag(self, tag: str) -> None:
        if tag == "table":
            table = self._open.pop()
            if table.caption:
                self.found.append(table)
        elif tag == "caption":
            self._is_caption = False
        elif tag == "span":
            self._is_small = 0
        elif tag in ("td", "th") and self._cell is not None:
            self._cells.append((_plain(self._cell[0]), _plain(self._cell[1])))
            self._cell = None
        elif tag == "tr" and self._open:
            self._take()

    def handle_data(self, data: str) -> None:
        if self._is_caption and self._open:
            self._open[-1].caption = _plain([self._open[-1].caption, data])
        elif self._cell is not None:
            self._cell[bool(self._is_small)].append(data)

    def _take(self) -> None:
        table = self._open[-1]
        if not self._cells:
            return
        if not table.columns:
            table.columns = [text for text, _ in self._cells]
            return
        (label, detail), *values = self._cells
        table.rows.append(
            Row(label=label, detail=detail, values=[text for text, _ in values], details=[small for _, small in values])
        )


def tables(html: str) -> list[Table]:
    """The tables that have a caption, in order."""
    reader = _Tables()
    reader.feed(html)
    reader.close()
    return reader.found


def table_about(html: str, beginning: str) -> Table | None:
    """The one whose caption begins so; None if there is none."""
    found = [one for one in tables(html) if one.caption.startswith(beginning)]
    assert len(found) <= 1, beginning
    return found[0] if found else None


def cents(text: str) -> int:
    """An amount as it is written to the cent: ``-$1,204.50``."""
    sign = -1 if text.startswith("-") else 1
    digits = text.lstrip("+-").lstrip("$")
    return sign * int(Decimal(digits.replace(",", "")) * 100)


def _plain(parts: list[str]) -> str:
    return " ".join("".join(parts).split())
