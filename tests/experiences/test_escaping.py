"""Names from the books stay names."""

import re
from dataclasses import replace
from functools import cache

import pytest
from hypothesis import given

from experiences.digest.document import DigestDocument
from experiences.digest.render import render_html, render_text
from runway_calcs.books.burn import BurnState
from tests.experiences.builders import BILLS, INVOICES, make_burn, make_digest
from tests.experiences.parsed import Element, parse
from tests.experiences.payloads import PAYLOADS
from tests.experiences.priority_builders import (
    make_bill_priority,
    make_collections,
    make_defect,
    make_plan,
    make_priorities,
)
from tests.experiences.strategies import documents, slow_inputs

_OWN_TAGS = frozenset(
    "html head meta title style body div table tr td th caption p h1 h2 span br ul li hr".split()  # noqa: SIM905 - a list of words
)
_OWN_ATTRIBUTES = frozenset(
    {
        "lang", "charset", "name", "content", "class", "style", "role", "width", "cellpadding", "cellspacing", "align",
        "scope", "aria-hidden", "valign", "rowspan", "colspan",
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
    text = render_text(_with_names(payload))
    assert text.splitlines() == text.split("\n")[:-1]
    assert not re.search(r"^\s*(Bcc|Subject|<html>)", text, re.MULTILINE)


def _with_names(text: str) -> DigestDocument:
    return make_digest(
        tenant_name=f"T{text}",
        firm_name=f"F{text}",
        accounts=((f"A{text}", 2_514_007),),
        left_out=[(f"L{text}", row.balance_cents, row.currency, row.reason) for row in make_digest().cash.left_out],
        bills=[replace(bill, vendor=f"V{text}", number=f"N{text}") for bill in BILLS],
        invoices=[replace(invoice, customer=f"C{text}", number=f"N{text}") for invoice in INVOICES],
        priorities=make_priorities(
            collections=make_collections(name=f"C{text}"),
            bills=(make_bill_priority(party_name=f"V{text}"),),
            plan=make_plan(vendor=f"V{text}"),
            defects=(make_defect(label=f"D{text}", what=f"W{text}"),),
        ),
        unreadable={f"E{text}": 1},
        burn=make_burn(state=BurnState.NOT_COMPUTABLE, gross=None, net=None, reason=f"R{text}"),
    )


@cache
def _skeleton(text: str) -> list[Element]:
    """Every element and attribute of the digest whose names all hold the text."""
    return parse(render_html(_with_names(text))).elements
