"""Names from the books stay names."""

import re
from functools import cache

import pytest
from hypothesis import given

from experiences.digest.document import DigestDocument
from experiences.digest.render import render_html, render_text
from tests.experiences.named_digest import with_names
from tests.experiences.parsed import Element, parse
from tests.experiences.payloads import PAYLOADS
from tests.experiences.strategies import documents, slow_inputs

_OWN_TAGS = frozenset(
    "html head meta title style body div table tr td th caption p h1 h2 span br ul li hr".split()  # noqa: SIM905 - a list of words
)
_OWN_ATTRIBUTES = frozenset(
    {
        "lang", "charset", "name", "content", "class", "style", "role", "width", "cellpadding", "cellspacing", "align",
        "scope", "aria-hidden", "valign", "rowspan", "colspan", "height", "nowrap",
    }
)  # fmt: skip


@pytest.mark.parametrize("payload", PAYLOADS)
def test_no_element_or_attribute_comes_from_data(payload: str) -> None:
    assert _skeleton(payload) == _skeleton("Name")


@given(documents())
@slow_inputs
def test_elements_and_attributes_depend_on_figures_only(document: DigestDocument) -> None:
    for element in parse(render_html(document)).elements:
        assert set(element.attributes) <= _OWN_ATTRIBUTES
        assert element.tag in _OWN_TAGS


@pytest.mark.parametrize("payload", PAYLOADS)
def test_a_name_cannot_start_a_line_of_its_own_in_the_text(payload: str) -> None:
    text = render_text(with_names(payload))
    assert text.splitlines() == text.split("\n")[:-1]
    assert not re.search(r"^\s*(Bcc|Subject|<html>)", text, re.MULTILINE)


@cache
def _skeleton(text: str) -> list[Element]:
    """Every element and attribute of the digest whose names all hold the text."""
    return parse(render_html(with_names(text))).elements
