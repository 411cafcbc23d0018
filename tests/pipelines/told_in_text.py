"""A page and its text twin say the same: every figure, and every line of every table."""

from resources.documents import Document, FirmDocument
from tests.experiences.parsed import figures, one_line, parse
from tests.experiences.rendered_tables import tables


def same_in_text(document: Document | FirmDocument, *, is_mail: bool) -> None:
    """A mail sets a line of a table in columns, a page names them."""
    assert figures(parse(document.html).text) == figures(document.text)
    for table in tables(document.html):
        assert one_line(table.caption) in one_line(document.text) or is_mail, table.caption
        for row in table.rows:
            if is_mail:
                words = " ".join(text for text in (row.label, *row.values, row.detail) if text)
                assert words in one_line(document.text), words
            else:
                named = [f"{name}: {value}" for name, value in zip(table.columns[1:], row.values, strict=True) if value]
                lines = [line for line in document.text.splitlines() if line.startswith(f"- {row.label}")]
                assert any(all(words in line for words in named) for line in lines), (row.label, named)
