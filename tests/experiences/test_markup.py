"""HTML that every mail program, screen reader and pair of eyes can use."""

import re

import pytest

from experiences.digest.document import DigestDocument
from experiences.digest.palette import DARK, GRAPHIC_PAIRS, LIGHT, TEXT_PAIRS, Palette
from experiences.digest.render import render_html
from tests.experiences.builders import make_digest
from tests.experiences.examples import EXAMPLES, TIGHT
from tests.experiences.parsed import parse


@pytest.mark.parametrize("document", EXAMPLES)
def test_needs_nothing_from_outside(document: DigestDocument) -> None:
    html = render_html(document)
    tags = {element.tag for element in parse(html).elements}
    assert tags.isdisjoint({"script", "img", "svg", "link", "iframe", "form", "input", "object", "video", "a"})
    assert not re.search(r"url\(|@import|https?://|javascript:|\son\w+=", html)


@pytest.mark.parametrize("document", EXAMPLES)
def test_tables_are_either_layout_or_data_with_caption_and_scopes(document: DigestDocument) -> None:
    html = render_html(document)
    page = parse(html)
    assert page.all("table")
    data = [table for table in page.all("table") if table.attributes.get("role") != "presentation"]
    assert len(page.all("caption")) == len(data)
    assert all(header.attributes["scope"] in {"row", "col"} for header in page.all("th"))
    for block in re.findall(r"<table (?!role)[^>]*>\s*(.*?)</table>", html, re.DOTALL):
        assert block.startswith("<caption")


@pytest.mark.parametrize("document", EXAMPLES)
def test_headings_language_and_title_are_there(document: DigestDocument) -> None:
    page = parse(render_html(document))
    assert page.all("html")[0].attributes["lang"] == "en"
    levels = [element.tag for element in page.elements if re.fullmatch(r"h[1-6]", element.tag)]
    assert levels[0] == "h1"
    assert set(levels[1:]) <= {"h2"}
    assert len(page.all("title")) == 1


@pytest.mark.parametrize("document", EXAMPLES)
def test_no_text_is_smaller_than_14_pixels_and_the_column_is_at_most_640_wide(document: DigestDocument) -> None:
    html = render_html(document)
    assert min(int(size) for size in re.findall(r"font-size:(\d+)px", html)) >= 14
    assert re.findall(r"max-width:(\d+)px", html) == ["640"]
    assert not re.findall(r'(?<!max-)width[:=]"?\d+(?:px|")', html)


def test_bars_say_with_their_form_what_colour_says() -> None:
    html = render_html(TIGHT)
    assert html.count('class="fill"') == 6
    assert html.count("border:2px solid") == 2
    assert html.count("border:2px dashed") == 5
    drawn = [element for element in parse(html).all("table") if element.attributes.get("aria-hidden")]
    assert len(drawn) == 26
    assert html.count('class="span"') == 13


@pytest.mark.parametrize("palette", [pytest.param(LIGHT, id="light"), pytest.param(DARK, id="dark")])
def test_contrast_is_enough_in_light_and_dark(palette: Palette) -> None:
    for front, back in TEXT_PAIRS:
        assert _contrast(getattr(palette, front), getattr(palette, back)) >= 4.5, (front, back)
    for front, back in GRAPHIC_PAIRS:
        assert _contrast(getattr(palette, front), getattr(palette, back)) >= 3, (front, back)


def test_only_colours_of_the_palettes_are_used() -> None:
    known = {getattr(palette, name) for palette in (LIGHT, DARK) for name in Palette.__slots__}
    assert set(re.findall(r"#[0-9a-f]{3,8}\b", render_html(TIGHT))) <= known


def test_every_light_colour_has_its_dark_one() -> None:
    """An element with a colour of its own and no dark counterpart would be unreadable at night."""
    for element in parse(render_html(make_digest(unreadable={"Bill": 2}))).elements:
        style = element.attributes.get("style", "")
        own = re.findall(r"(?<![\w-])(?:color|background):(#\w+)", style)
        if own and element.tag != "body":
            assert element.attributes.get("class"), (element.tag, style)


def _contrast(front: str, back: str) -> float:
    """Contrast ratio of WCAG 2."""
    lighter, darker = sorted((_luminance(front), _luminance(back)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    channels = (int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5))
    red, green, blue = (value / 12.92 if value <= 0.03928 else ((value + 0.055) / 1.055) ** 2.4 for value in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
