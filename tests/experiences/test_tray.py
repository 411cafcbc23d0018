"""The tray: order by effect, rulings, links, and names that stay names."""

import json
import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from urllib.parse import SplitResult, parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiences.stored_json import UnreadableDocumentError
from experiences.tray.build import build_tray
from experiences.tray.document import TrayDocument, from_json, to_json
from experiences.tray.links import LISTS, PAGES, Environment, QboCompany, link
from experiences.tray.ranking import Ruling, sorted_defects
from experiences.tray.render import render_html, render_text, title
from runway_calcs.hygiene.defects import Defect, DefectKind, Effect, EffectState, Severity
from tests.experiences.parsed import Page, figures, one_line, parse
from tests.experiences.payloads import PAYLOADS
from tests.experiences.priority_builders import NOT_KNOWN, make_defect

AS_OF = date(2026, 11, 20)
COMPANY = QboCompany(realm_id="9130395000000077", environment=Environment.PRODUCTION)


def _effect(days: int, cents: int) -> Effect:
    return Effect(state=EffectState.VALUE, runway_days=days, is_bound=False, low_water_cents=cents, reason="recomputed")


def make_tray(
    defects: list[Defect],
    *,
    rulings: tuple[Ruling, ...] = (),
    as_of: date = AS_OF,
    company: QboCompany | None = COMPANY,
) -> TrayDocument:
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
        company=company,
    )


def test_every_link_of_the_page_names_the_company() -> None:
    document = make_tray([*many_defects(), make_defect(object_type="Vendor"), make_defect(object_type="CompanyInfo")])
    links = parse(render_html(document)).all("a")
    assert len(links) == document.count == len(document.items)
    for one in links:
        assert parse_qs(urlsplit(one.attributes["href"]).query)["deeplinkcompanyid"] == [COMPANY.realm_id]


_IN_THIS_ONE = "Links open in this company, whichever one you are working in, if your QuickBooks user has access to it."
_SAID = {
    Environment.PRODUCTION: _IN_THIS_ONE,
    Environment.SANDBOX: _IN_THIS_ONE,
    Environment.LOCAL: "Links name this company, but it is one of the local QuickBooks, which has no pages",
    None: "Links open in the company that you are signed in to in QuickBooks; it has to be this one.",
}


@pytest.mark.parametrize("environment", _SAID)
def test_the_page_says_where_its_links_lead(environment: Environment | None) -> None:
    company = None if environment is None else replace(COMPANY, environment=environment)
    document = make_tray([make_defect()], company=company)
    for text in (parse(render_html(document)).text, one_line(render_text(document))):
        assert [said for said in dict.fromkeys(_SAID.values()) if said in text] == [_SAID[environment]]


def test_who_the_company_is_to_quickbooks_stands_in_the_links_alone() -> None:
    document = make_tray([make_defect()], rulings=(_ruling(None),))
    for words in (title(document), render_text(document), parse(render_html(document)).text):
        assert COMPANY.realm_id not in words


def test_a_wrong_entry_without_an_effect_does_not_call_its_zero_days_wrong() -> None:
    page = parse(render_html(make_tray([make_defect(severity=Severity.BLOCKING, effect=_effect(0, 0))])))
    assert "0 days known to be wrong" not in " ".join(page.text.split())
    assert "Known to be wrong, whatever it changes." in page.text


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


_KINDS = (DefectKind.UNCATEGORIZED, DefectKind.MISSING_DUE_DATE, DefectKind.DUPLICATE_BILL)


def many_defects() -> list[Defect]:
    """68 entries of three kinds, of which two move the forecast."""
    known = {0: _effect(-4, -90_000), 5: _effect(0, 12_345)}
    return [
        make_defect(
            kind=_KINDS[number % 3],
            object_id=str(number),
            label=f"Entry {number} of the books",
            what=f"It is one of {number % 3} kinds." if number % 3 else f"It is number {number}.",
            remedy="Enter what is missing.",
            severity=Severity.BLOCKING if number % 2 else Severity.NON_BLOCKING,
            amount_cents=900_000 - number,
            effect=known.get(number, NOT_KNOWN),
        )
        for number in range(68)
    ]


def test_a_long_tray_is_what_moves_the_forecast_and_then_one_folded_list_for_each_kind() -> None:
    defects = many_defects()
    document = make_tray(defects)
    page = render_html(document)
    first, *kinds = page.split("<section>")[1:]
    assert re.findall(r"Entry \d+", first) == ["Entry 0", "Entry 5"]
    assert "<details" not in first
    shown = {}
    for block in kinds:
        assert block.count("<details>") == 1
        (heading,) = re.findall("<summary><h2>(.*)</h2>", block)
        shown[heading] = re.findall(r"Entry (\d+)", block)
        assert f"{len(shown[heading])} entries" in block
    assert list(shown) == ["Missing due date", "Uncategorized", "Duplicate bill"], (
        "the largest amount known to be wrong first"
    )
    listed = sorted(number for numbers in shown.values() for number in numbers)
    assert listed == sorted(one.object_id for one in defects if one.object_id not in {"0", "5"})
    for kind in _KINDS:
        of_kind = [item.object_id for item in document.items if item.kind is kind and item.object_id not in {"0", "5"}]
        assert shown[kind.value.capitalize()] == of_kind, "in the order of the whole tray"
    assert figures(one_line(render_text(document))) == figures(parse(page).text)


def test_what_all_entries_of_a_kind_have_in_common_is_said_once() -> None:
    for text in (parse(render_html(make_tray(many_defects()))).text, render_text(make_tray(many_defects()))):
        assert text.count("It is one of 1 kinds.") == 1
        assert text.count("It is one of 2 kinds.") == 2, "beside the one that moves the forecast, and above the others"
        assert text.count("It is number 3.") == 1
        assert "22 entries, 11 known to be wrong" in text


def test_a_short_tray_is_one_list() -> None:
    document = make_tray(many_defects()[:10])
    assert "<details>" not in render_html(document)
    assert re.findall(r"Entry (\d+)", render_text(document)) == [item.object_id for item in document.items]


@pytest.mark.parametrize(
    ("label", "told"),
    [
        ("purchase of 2026-10-06 at Acme", "Purchase of 6 Oct at Acme"),
        ("deposit of 2025-10-06", "Deposit of 6 Oct 2025"),
        # Numbers and names that look like days are what they are.
        ("Bill 2026-10-06 of Acme", "Bill 2026-10-06 of Acme"),
        ("purchase of 2026-10-06 at 2026-10-07 Ltd", "Purchase of 6 Oct at 2026-10-07 Ltd"),
        ("purchase of 2026-99-99", "Purchase of 2026-99-99"),
    ],
)
def test_the_day_of_an_entry_is_written_as_all_days_are(label: str, told: str) -> None:
    document = make_tray([make_defect(label=label)])
    assert f"- {told} (" in render_text(document)
    assert told in parse(render_html(document)).texts


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
    plain, named = (link(object_type, object_id, company=one) for one in (None, COMPANY))
    assert bool(plain) == bool(named)
    if not plain:
        return
    page = _page_of(plain)
    assert re.fullmatch(r"[a-z]+", page.path)
    if object_type in PAGES:
        assert parse_qs(page.query, strict_parsing=True) == {PAGES[object_type][1]: [object_id]}
    else:
        assert page.query == ""
    login = _page_of(named)
    assert login.path == "login"
    assert parse_qs(login.query, strict_parsing=True) == {
        "pagereq": [page.geturl()],
        "deeplinkcompanyid": [COMPANY.realm_id],
    }


def _page_of(address: str) -> SplitResult:
    """An address below the pages of QuickBooks, relative to them."""
    parts = urlsplit(address)
    assert (parts.scheme, parts.netloc, parts.fragment) == ("https", "qbo.intuit.com", "")
    assert parts.path.startswith("/app/")
    return urlsplit(address.removeprefix("https://qbo.intuit.com/app/"))


@pytest.mark.parametrize(
    ("environment", "host"),
    [
        (Environment.PRODUCTION, "qbo.intuit.com"),
        (Environment.SANDBOX, "sandbox.qbo.intuit.com"),
        (Environment.LOCAL, "qbo.intuit.com"),
    ],
)
def test_a_link_is_that_of_signing_in_to_the_company(environment: Environment, host: str) -> None:
    company = replace(COMPANY, environment=environment)
    named = f"deeplinkcompanyid={COMPANY.realm_id}"
    assert link("Bill", "30", company=company) == f"https://{host}/app/login?pagereq=bill%3FtxnId%3D30&{named}"
    assert link("Vendor", "7", company=company) == f"https://{host}/app/login?pagereq=vendordetail%3FnameId%3D7&{named}"
    assert link("Account", "7", company=company) == f"https://{host}/app/login?pagereq=chartofaccounts&{named}"


@given(st.text(max_size=40) | st.sampled_from(["", "12&x=1", "12\n", "-12", "٣", "1" * 33, "9130 1", "javascript:1"]))
def test_a_company_is_known_by_digits_alone(realm_id: str) -> None:
    stored = to_json(make_tray([])).replace(f'"{COMPANY.realm_id}"', json.dumps(realm_id))
    if re.fullmatch("[0-9]{1,32}", realm_id):
        assert from_json(stored).company == replace(COMPANY, realm_id=realm_id)
        return
    with pytest.raises(ValueError, match="a text of digits"):
        replace(COMPANY, realm_id=realm_id)
    with pytest.raises(UnreadableDocumentError):
        from_json(stored)


def test_every_kind_of_object_that_a_defect_names_has_a_page() -> None:
    for object_type in (
        "Bill", "Invoice", "VendorCredit", "CreditMemo", "Payment", "BillPayment", "Purchase", "JournalEntry",
        "Deposit", "Transfer", "SalesReceipt", "RefundReceipt", "Vendor", "Customer", "Account", "CompanyInfo",
    ):  # fmt: skip
        assert link(object_type, "12", company=COMPANY).startswith("https://qbo.intuit.com/app/login?"), object_type


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


@pytest.mark.parametrize(
    ("days", "told"),
    [
        (72, "at least +72 days"),
        (1, "at least +1 day"),
        (-52, "-52 days or worse"),
    ],
)
def test_a_bound_says_to_which_side_it_is_one(days: int, told: str) -> None:
    """Incident: "at least -51 days" of an entry that mended shortens the runway by 51 days or more says the opposite."""
    document = make_tray([make_defect(effect=replace(_effect(days, -12_345), is_bound=True))])
    assert f"Runway: {told}" in one_line(render_text(document))
    assert told in parse(render_html(document)).texts


def test_a_tray_survives_its_json() -> None:
    document = make_tray([make_defect()], rulings=(_ruling(None),))
    assert from_json(to_json(document)) == document
    with pytest.raises(ValueError, match="Materialize digest/tray"):
        from_json("{}")


def test_a_tray_that_was_stored_before_links_named_a_company_is_read_and_its_links_are_plain() -> None:
    document = make_tray([make_defect()])
    stored = json.loads(to_json(document))
    del stored["company"]
    found = from_json(json.dumps(stored))
    assert found == replace(document, company=None)
    assert [one.attributes["href"] for one in parse(render_html(found)).all("a")] == [
        "https://qbo.intuit.com/app/bill?txnId=30"
    ]


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
