"""A rendered digest taken apart with the standard parser: elements, attributes, visible text."""

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

_VOID = frozenset({"meta", "br", "hr", "img", "link", "input"})
_HIDDEN = frozenset({"head", "style", "title", "script"})
_FIGURE = re.compile(r"-?(?:\$|CHF |EUR )?\d+(?:,\d{3})*(?:\.\d+)?[kMB]?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Element:
    """One start tag, with the tags it stands in."""

    tag: str
    attributes: dict[str, str]
    inside: tuple[str, ...]


@dataclass(slots=True)
class Page:
    """What a mail program sees."""

    elements: list[Element] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())

    def all(self, tag: str) -> list[Element]:
        return [element for element in self.elements if element.tag == tag]


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.page = Page()
        self.open: list[tuple[str, bool]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {key: value or "" for key, value in attrs}
        inside = tuple(name for name, _ in self.open)
        self.page.elements.append(Element(tag=tag, attributes=attributes, inside=inside))
        if tag not in _VOID:
            self.open.append((tag, tag in _HIDDEN or "display:none" in attributes.get("style", "")))

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open[-1][0] == tag, f"</{tag}> closes <{self.open[-1][0]}>"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        if not any(hidden for _, hidden in self.open):
            self.page.texts.append(data)


def parse(html: str) -> Page:
    """The page; fails when an element is left open or closed out of turn."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    assert not reader.open, f"left open: {reader.open}"
    return reader.page


def figures(text: str) -> set[str]:
    """Every number as it is written, with its currency and unit."""
    return set(_FIGURE.findall(text))


def one_line(text: str) -> str:
    """The text without its line breaks and its columns."""
    return " ".join(text.split())
