"""The tray: order by effect, rulings, links, and names that stay names."""

import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiences.tray.build import build_tray
from experiences.tray.document import TrayDocument, from_json, to_json
from experiences.tray.links import LISTS, PAGES, link
from experiences.tray.ranking import Ruling, sorted_defects
from experiences.tray.render import render_html, render_text
from runway_calcs.hygiene.defects import Defect, DefectKind, Effect, EffectState, Severity
from tests.experiences.parsed import Page, figures, one_line, parse
from tests.experiences.payloads import PAYLOADS
from tests.experiences.priority_builders import NOT_KNOWN, make_defect

AS_OF = date(2026, 11, 20)


def _effect(days: int, cents: int) -> Effect:
    return Effect(state=EffectState.VALUE, runway_days=days, is_bound=False, low_water_cents=cents, reason="recomputed")


def make_tray(defects: list[Defect], *, rulings: tuple[Ruling, ...] = (), as_of: date = AS_OF) -> TrayDocument:
    return build_tray(
        sorted_defects(defects, rulings=rulings, as_of=as_of),
        tenant_id="acme",
        tenant_name="Brightside Studio LLC",
        firm_name="Hartwell & Finch CPAs",
        currency="USD",
        zone="America/New_York",
        as_of=as_of,
        data_as_of=datetime(2026, 11, 20, 10, 0, tzinfo=UTC),
        basis="current",
        score=84,
    )


def test_what_moves_the_runway_most_stands_first_then_cents_then_what_is_known_to_be_wrong() -> None:
    defects = [
        make_defect(object_id="unknown", effect=NOT_KNOWN, severity=Severity.NON_BLOCKING),
        make_defect(object_id="wrong", effect=NOT_KNOWN, amount_cents=1),
        make_defect(object_id="cents", effect=_effect(0, -900)),
        make_defect(object_id="days", effect=_effect(-2, 5)),
        make_defect(object_id="most", effect=_effect(9, 1)),
    ]
    document = make_tray(defects)
    assert [item.object_id for item in document.items] == ["most", "days", "cents", "wrong", "unknown"]
    assert make_tray(defects[::-1]) == document


def _ruling(until: date | None) -> Ruling:
    return Ruling(defect=make_defect().key, until=until, author="ann", reason="the vendor was asked")


def test_a_snoozed_entry_is_back_on_its_day_and_one_that_is_no_issue_never() -> None:
    tomorrow = AS_OF + timedelta(days=1)
    for until, as_of, listed in ((tomorrow, AS_OF, 0), (tomorrow, tomorrow, 1), (None, date(2030, 1, 1), 0)):
        document = make_tray([make_defect()], rulings=(_ruling(until),), as_of=as_of)
        assert (document.count, document.set_aside_count) == (listed, 1 - listed)


def test_what_is_set_aside_says_who_and_why() -> None:
    document = make_tray([make_defect()], rulings=(_ruling(None),))
    for text in (render_text(document), parse(render_html(document)).text):
        for word in ("Nothing to look at", "no issue", "ann", "The vendor was asked."):
            assert word in text


def test_an_entry_that_is_mended_leaves_by_itself_and_its_ruling_with_it() -> None:
    document = make_tray([], rulings=(_ruling(None),))
    assert (document.count, document.set_aside_count) == (0, 0)


@given(
    st.sampled_from([*PAGES, *LISTS, "Unknown", "<script>"]),
    st.text(max_size=60) | st.sampled_from(["12", "12&x=1", "1/../2", "é", "12\n", "javascript:1"]),
)
def test_a_link_leads_to_quickbooks_with_nothing_but_the_id_or_nowhere(object_type: str, object_id: str) -> None:
    found = link(object_type, object_id)
    if not found:
        return
    parts = urlsplit(found)
    assert (parts.scheme, parts.netloc) == ("https", "qbo.intuit.com")
    assert re.fullmatch(r"/app/[a-z]+", parts.path)
    if object_type in PAGES:
        assert parse_qs(parts.query, strict_parsing=True) == {PAGES[object_type][1]: [object_id]}
    else:
        assert parts.query == ""


def test_every_kind_of_object_that_a_defect_names_has_a_page() -> None:
    for object_type in (
        "Bill", "Invoice", "VendorCredit", "CreditMemo", "Payment", "BillPayment", "Purchase", "JournalEntry",
        "Deposit", "Transfer", "SalesReceipt", "RefundReceipt", "Vendor", "Customer", "Account", "CompanyInfo",
    ):  # fmt: skip
        assert link(object_type, "12").startswith("https://qbo.intuit.com/app/"), object_type


_HOSTILE = [*PAYLOADS, "=cmd|'/c'", "x" * 300, "\N{RIGHT-TO-LEFT OVERRIDE}abc", "\N{BRAIN}" * 30, "שלום עולם"]


@pytest.mark.parametrize("name", _HOSTILE)
def test_a_hostile_name_stays_text(name: str) -> None:
    hostile = make_defect(label=name, what=name, remedy=name)
    rulings = (replace(_ruling(None), defect=("far past due", "Bill", "31"), author=name, reason=name),)
    aside = make_defect(kind=DefectKind.FAR_PAST, object_id="31", label=name)
    plain = parse(render_html(make_tray([make_defect(), replace(aside, label="x")], rulings=rulings[:1])))
    page = parse(render_html(make_tray([hostile, aside], rulings=rulings)))
    assert _skeleton(page) == _skeleton(plain)
    assert not page.all("script")


def _skeleton(page: Page) -> list[tuple[str, list[str]]]:
    """Elements and attributes; a line of nothing but controls has no element of its own."""
    return [(one.tag, sorted(one.attributes)) for one in page.elements if one.tag != "span"]


def test_page_and_text_carry_the_same_figures() -> None:
    document = make_tray([make_defect(), make_defect(object_id="31", effect=_effect(-4, -12_345_678))])
    assert figures(one_line(render_text(document))) == figures(parse(render_html(document)).text)


def test_a_tray_survives_its_json() -> None:
    document = make_tray([make_defect()], rulings=(_ruling(None),))
    assert from_json(to_json(document)) == document
    with pytest.raises(ValueError, match="Materialize digest/tray"):
        from_json("{}")


def test_a_tray_gives_no_advice() -> None:
    text = render_text(make_tray([make_defect()])).casefold()
    assert not re.search(r"\b(recommend\w*|you should|you must|we advise)\b", text)


@pytest.mark.parametrize(
    ("state", "told"),
    [
        (EffectState.NOT_COMPUTABLE, "Not known: the books alone do not say"),
        (EffectState.NOT_COMPUTED, "Not computed: the entry is smaller than those that were put through the forecast"),
    ],
)
def test_a_missing_effect_is_explained_where_it_stands_and_nowhere_else(state: EffectState, told: str) -> None:
    missing = replace(NOT_KNOWN, state=state)
    for render in (render_html, render_text):
        assert told in render(make_tray([make_defect(effect=missing)]))
        assert "Not known:" not in render(make_tray([make_defect()]))
        assert "Not computed:" not in render(make_tray([make_defect()]))
