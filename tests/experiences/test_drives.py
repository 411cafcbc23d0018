"""The test drive: what a week flagged beside what came, counts that sum to the weeks, and names that stay names."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from experiences.digest.document import DigestDocument
from experiences.digest.render import subject
from experiences.test_drive.build import KnownSince, PastWeek, build_drive, gone_on
from experiences.test_drive.document import (
    DAY,
    MOST_WEEKS,
    WEEK,
    Closing,
    DriveDocument,
    FlaggedEntries,
    NextClose,
    Since,
    Verdict,
    from_json,
    to_json,
)
from experiences.test_drive.render import HTML_LIMIT_BYTES, render_html, render_text, summary
from runway_calcs.books.document_fates import Fate, FateState
from runway_calcs.collection.customer_delays import Delay
from runway_calcs.collection.priority import ContactInvoice
from runway_calcs.forecast.figures import RunwayState
from runway_calcs.forecast.hindsight import hindsight
from runway_calcs.hygiene.defects import Defect
from tests.experiences.builders import BILLS, FRIDAY, make_cash, make_digest, make_forecast, make_open_items
from tests.experiences.drive_builders import (
    GONE,
    NO_FORECAST,
    OPEN,
    SETTLED,
    drives,
    make_document,
    make_documents,
    make_drive,
    make_entry,
    make_runway,
    make_week,
)
from tests.experiences.parsed import figures, one_line, parse
from tests.experiences.payloads import PAYLOADS
from tests.experiences.priority_builders import make_collections, make_defect
from tests.experiences.strategies import slow_inputs
from tests.experiences.test_tray import make_tray

#: A drawn drive has hundreds of values.
_few = settings(slow_inputs, max_examples=10)


def _invoice(number: str, *, is_unusual: bool = True, **overrides: Any) -> ContactInvoice:
    values: dict[str, Any] = {
        "invoice_id": number,
        "doc_number": number,
        "due_date": FRIDAY - timedelta(days=21),
        "open_cents": 1_240_000,
        "collectible_cents": 1_240_000,
        "value_cents": 1,
        "is_disputed": False,
        "delay": Delay(
            days_late=21, usual_days_late=9, paid_invoices=14, is_unusual=is_unusual, is_unseen=False, reason=""
        ),
        "reason": "usually 9 days late over 14 invoices, now 21",
    }
    return ContactInvoice(**{**values, **overrides})


def _built(
    *,
    invoices: tuple[ContactInvoice, ...] = (),
    invoice_fates: Mapping[str, Fate] | None = None,
    bill_fates: Mapping[str, Fate] | None = None,
    defects: tuple[Defect, ...] = (),
    found: Mapping[date, frozenset[tuple[str, str, str]]] | None = None,
    with_another: bool = False,
) -> DriveDocument:
    """The drive of the trial company's one digest, a week later; with another like it from a week later, two weeks later."""
    digest, today = make_digest(), FRIDAY + (2 if with_another else 1) * WEEK
    contacts = make_collections().contacts
    balances = {FRIDAY + number * DAY: 8_014_007 - 100_000 * number for number in range(1, (today - FRIDAY).days)}
    past = PastWeek(
        digest=digest,
        subject=subject(digest),
        tray=make_tray(list(defects)),
        collections=make_collections(contacts=(replace(contacts[0], invoices=invoices), contacts[1])),
        open_payables=make_open_items(BILLS),
        hindsight=hindsight(make_forecast(position=make_cash()), balances=balances, until=today - DAY),
    )
    settled = {f"b{number}": SETTLED for number in range(len(BILLS))}
    since = KnownSince(
        invoices=dict(invoice_fates or {}), bills={**settled, **(bill_fates or {})}, found=found or {today: frozenset()}
    )
    return build_drive(
        [past, replace(past, digest=_a_week_later(digest))] if with_another else [past],
        since=since,
        tenant_id="acme",
        tenant_name=digest.tenant_name,
        firm_name=digest.firm_name,
        currency="USD",
        zone=digest.zone,
        as_of=today,
        data_as_of=digest.data_as_of,
        connected_on=digest.connected_on,
    )


def _a_week_later(digest: DigestDocument) -> DigestDocument:
    weeks = tuple(replace(one, first_day=one.first_day + WEEK, last_day=one.last_day + WEEK) for one in digest.weeks)
    runway = replace(digest.runway, horizon_end=digest.runway.horizon_end + WEEK)
    return replace(digest, week_ending=FRIDAY + WEEK, as_of=FRIDAY + WEEK, runway=runway, weeks=weeks)


def test_a_week_flags_what_its_digest_said() -> None:
    (week,), digest = _built().weeks, make_digest()
    assert (week.runway, week.cash_cents, week.subject) == (digest.runway, digest.cash.cash_cents, subject(digest))
    assert week.bills.count == digest.money_out.overdue.count + digest.money_out.due.count
    assert week.bills.amount_cents == digest.money_out.overdue.total_cents + digest.money_out.due.total_cents
    assert [(one.p10_cents, one.p90_cents) for one in week.closings] == [
        (one.p10_cents, one.p90_cents) for one in digest.weeks
    ]


def test_only_weeks_that_are_over_have_a_balance() -> None:
    week, newest = _built(with_another=True).weeks
    assert [closing.has_come for closing in week.closings] == [True] + [False] * 12
    assert [closing.actual_cents for closing in week.closings] == [8_014_007 - 700_000] + [None] * 12
    assert not any(closing.has_come for closing in newest.closings)
    assert newest.next_close is NextClose.AHEAD


def test_the_friday_whose_books_were_just_read_is_not_judged() -> None:
    document = _built()
    (week,) = document.weeks
    assert week.since.until == document.until == FRIDAY + 6 * DAY
    assert (week.since.is_whole, week.since.low_on) == (True, FRIDAY + 6 * DAY)
    assert not any(closing.has_come for closing in week.closings)
    text = one_line(render_text(document))
    assert "The balance a week later: not known yet in 1 of 1." in text
    assert "Over so far: 0 of its 13 weeks" in text
    assert "Balances are those of whole days, up to 26 Nov:" in text


def test_invoices_late_against_their_customers_habit_are_told_with_what_became_of_them() -> None:
    invoices = (
        _invoice("paid"),
        _invoice("part", open_cents=900),
        _invoice("open", open_cents=800),
        _invoice("gone", open_cents=700),
        _invoice("usual", is_unusual=False),
        _invoice("disputed", is_disputed=True),
    )
    fates = {
        "paid": SETTLED,
        "part": replace(OPEN, open_cents=899),
        "open": replace(OPEN, open_cents=800),
        "gone": GONE,
    }
    (week,) = _built(invoices=invoices, invoice_fates=fates).weeks
    late = week.late
    assert (late.count, late.amount_cents, late.open_cents) == (4, 1_242_400, 1_699)
    assert (late.settled_count, late.part_count, late.open_count, late.gone_count) == (1, 1, 1, 1)
    assert [one.doc_number for one in late.rows] == ["paid", "part", "open"]


def test_a_bill_of_which_some_is_paid_is_settled_in_part() -> None:
    (week,) = _built(bill_fates={"b2": Fate(state=FateState.OPEN, settled_on=None, open_cents=20_000)}).weeks
    (part,) = [one for one in week.bills.rows if one.party == "Copperfield Insurance"]
    assert (part.amount_cents, part.is_part) == (61_200, True)
    assert week.bills.open_cents == 20_000


def test_an_entry_is_gone_from_the_friday_on_which_no_later_one_finds_it() -> None:
    one = make_defect()
    (week,) = _built(defects=(one, make_defect(object_id="31")), found={FRIDAY + WEEK: frozenset({one.key})}).weeks
    assert (week.to_fix.count, week.to_fix.gone_count) == (2, 1)
    assert {entry.gone_on for entry in week.to_fix.rows} == {None, FRIDAY + WEEK}


@pytest.mark.parametrize(("count", "told"), [(200, "200 of 200"), (201, "200 of the first 200")])
def test_what_is_gone_is_counted_among_what_the_tray_kept(count: int, told: str) -> None:
    """Incident: with all of 350 entries mended, "200 of 350 are not found any more"."""
    document = _built(defects=tuple(make_defect(object_id=str(number)) for number in range(count)))
    assert f"{told} are not found any more." in one_line(render_text(document))


_KEY = ("missing due date", "Bill", "30")


@given(st.lists(st.booleans(), min_size=1, max_size=12))
def test_what_is_back_is_not_gone_and_what_is_gone_has_its_first_friday(found: list[bool]) -> None:
    fridays = [FRIDAY + number * WEEK for number in range(len(found))]
    when = {friday: frozenset({_KEY} if is_there else ()) for friday, is_there in zip(fridays, found, strict=True)}
    gone = gone_on(_KEY, found=when)
    if found[-1]:
        assert gone is None
    else:
        assert gone is not None
        assert not any(is_there for friday, is_there in zip(fridays, found, strict=True) if friday >= gone)
        assert gone == fridays[0] or found[fridays.index(gone) - 1]


def _since(back: int, **overrides: Any) -> Since:
    return replace(make_week(back).since, **overrides)


_BEYOND = {"state": RunwayState.BEYOND_HORIZON, "covered_until": None, "days": None}
_SURE = {**_BEYOND, "cautious_until": None, "cautious_days": None}
_FELL = {"below_on": FRIDAY - timedelta(days=2)}


@pytest.mark.parametrize(
    ("runway", "since", "verdict"),
    [
        pytest.param({}, {}, Verdict.DATE_AHEAD, id="the date lies ahead"),
        pytest.param({"covered_until": FRIDAY - DAY, "days": 13}, {}, Verdict.DATE_PASSED, id="the date has come"),
        pytest.param({"covered_until": FRIDAY, "days": 14}, {}, Verdict.DATE_AHEAD, id="the date is not over"),
        pytest.param({}, _FELL, Verdict.FELL_DATED, id="a date, and below"),
        pytest.param(_BEYOND, _FELL, Verdict.FELL_CAUTIOUS, id="a cautious date only, and below"),
        pytest.param(_SURE, _FELL, Verdict.FELL_UNSAID, id="no date, and below"),
        pytest.param(_SURE, {}, Verdict.STAYED, id="no date, not below"),
        pytest.param(_SURE, {"is_whole": False}, Verdict.NOT_JUDGED, id="figures are missing"),
        pytest.param(_SURE, {**_FELL, "is_whole": False}, Verdict.FELL_UNSAID, id="below, whatever is missing"),
        pytest.param(
            {**_SURE, "state": RunwayState.ALREADY_BELOW, "days": None}, _FELL, Verdict.BELOW_ALREADY, id="below"
        ),
        pytest.param(NO_FORECAST, {}, Verdict.NO_FORECAST, id="no forecast"),
    ],
)
def test_a_headline_comes_out_in_one_way(runway: dict[str, Any], since: dict[str, Any], verdict: Verdict) -> None:
    week = make_week(2, runway=make_runway(FRIDAY - 2 * WEEK, **runway), since=_since(2, **since))
    assert week.verdict is verdict


@given(drives(most=3))
@_few
def test_the_counts_of_the_summary_sum_to_the_weeks(document: DriveDocument) -> None:
    weeks = len(document.weeks)
    assert sum(document.verdicts.values()) == sum(document.next_closes.values()) == weeks
    said = [int(found) for found in re.findall(r"(?:: |; )(\d+) ", summary(document))]
    assert sum(said) == weeks
    closes = [int(found) for found in re.findall(r"in (\d+)(?:,| of)", summary(document))]
    assert sum(closes) == weeks
    assert from_json(to_json(document)) == document


@given(drives(most=2))
@_few
def test_page_and_text_carry_the_same_figures_and_only_the_pages_own_elements(document: DriveDocument) -> None:
    page = parse(render_html(document, links={}))
    assert figures(one_line(render_text(document))) == figures(page.text)
    assert {one.tag for one in page.elements} <= {
        "html", "head", "meta", "title", "style", "body", "main", "p", "h1", "h2", "section", "table", "caption", "thead",
        "tbody", "tr", "th", "td", "span", "footer",
    }  # fmt: skip


def test_what_has_not_come_and_what_has_no_figure_are_two_things() -> None:
    weeks = make_week(2, actual=[None]), make_week(1)
    text = one_line(render_text(make_drive(*weeks)))
    assert "27 Nov" in text
    assert "Band: not known yet" in text
    assert "Band: no figure" in text
    assert "Balance a week later: no figure" in text
    assert "Balance a week later: not known yet" in text
    assert "The balance a week later: not comparable in 1, not known yet in 1 of 2." in text
    assert [week.next_close for week in weeks] == [NextClose.NO_FIGURE, NextClose.AHEAD]


def test_a_drive_says_which_weeks_are_rebuilt() -> None:
    weeks = [make_week(2, basis="reconstructed"), make_week(1)]
    assert "1 of 2 weeks are rebuilt from books connected on 2 Nov 2026" in render_text(make_drive(*weeks))
    assert "All weeks are rebuilt" in render_text(make_drive(weeks[0], replace(weeks[1], basis="reconstructed")))
    assert "rebuilt" not in render_text(make_drive())


@pytest.mark.parametrize(
    "broken",
    [
        pytest.param(lambda: make_drive(make_week(3), make_week(1)), id="a week is missing"),
        pytest.param(lambda: make_drive(make_week(2)), id="the last week is"),
        pytest.param(lambda: make_drive(*(make_week(back) for back in range(13, 0, -1))), id="too many"),
        pytest.param(lambda: make_week(1, closings=()), id="a forecast without weeks"),
        pytest.param(lambda: replace(make_documents(make_document()), open_count=1), id="in two states"),
        pytest.param(lambda: FlaggedEntries(rows=(make_entry(),), count=1, gone_count=2), id="more gone than listed"),
        pytest.param(lambda: _since(1, low_on=None), id="a low point without its day"),
        pytest.param(lambda: _since(1, below_on=FRIDAY), id="known before it was over"),
        pytest.param(lambda: make_drive(make_week(1, since=_since(1, until=FRIDAY))), id="judged by its own morning"),
        pytest.param(
            lambda: Closing(last_day=FRIDAY, p10_cents=0, p90_cents=1, has_come=False, actual_cents=0),
            id="a balance before its day",
        ),
    ],
)
def test_facts_that_cannot_be_are_no_drive(broken: Any) -> None:
    with pytest.raises(ValueError, match="Not a digest"):
        broken()


def _hostile(names: Sequence[str]) -> DriveDocument:
    """A week for each name, which stands wherever a text of the books does."""
    weeks = [
        make_week(
            back,
            subject=f"S{name}",
            late=make_documents(make_document(party=f"C{name}", doc_number=f"N{name}", reason=f"R{name}", fate=OPEN)),
            bills=make_documents(make_document(party=f"V{name}", doc_number=f"N{name}", reason="", fate=OPEN)),
            to_fix=FlaggedEntries(rows=(make_entry(label=f"L{name}", what=f"W{name}"),), count=1, gone_count=1),
        )
        for back, name in zip(range(len(names), 0, -1), names, strict=True)
    ]
    return make_drive(*weeks, tenant_name=f"T{names[0]}", firm_name=f"F{names[0]}")


_NAMES = [*PAYLOADS, "=cmd|'/c'", "x" * 300, "\N{RIGHT-TO-LEFT OVERRIDE}abc", "\N{BRAIN}" * 30, "שלום עולם"]


def _skeleton(document: DriveDocument) -> list[tuple[str, list[str]]]:
    return [(one.tag, sorted(one.attributes)) for one in parse(render_html(document, links={})).elements]


@cache
def _plain_skeleton(weeks: int) -> list[tuple[str, list[str]]]:
    return _skeleton(_hostile(["Name"] * weeks))


@pytest.mark.parametrize("first", range(0, len(_NAMES), MOST_WEEKS))
def test_hostile_names_stay_text(first: int) -> None:
    names = _NAMES[first : first + MOST_WEEKS]
    hostile = _hostile(names)
    assert _skeleton(hostile) == _plain_skeleton(len(names))
    text = render_text(hostile)
    assert text.splitlines() == text.split("\n")[:-1]


def test_a_page_of_twelve_weeks_full_of_the_longest_names_stays_small() -> None:
    name, big = "&" * 300, 10**13
    one = make_document(party=name, doc_number=name, reason=name, amount_cents=big, fate=replace(OPEN, open_cents=big))
    full = replace(make_documents(one, one, one, more=0), count=10**6, settled_count=10**6 - 3)
    entry = make_entry(label=name, what=name)
    weeks = [
        make_week(
            back,
            subject=name,
            basis="reconstructed",
            late=full,
            bills=full,
            to_fix=FlaggedEntries(rows=(entry,) * 3, count=10**6, gone_count=0),
        )
        for back in range(12, 0, -1)
    ]
    document = make_drive(*weeks, tenant_name=name, currency="CHF")
    assert len(render_html(document, links={}).encode()) <= HTML_LIMIT_BYTES


def test_a_drive_gives_no_advice_and_counts_nothing_as_saved() -> None:
    text = render_text(make_drive()).casefold()
    assert not re.search(r"\b(recommend\w*|you should|you must|we advise|saved|prevented|thanks to)\b", text)


def test_links_lead_to_the_weeks_digests() -> None:
    links = {FRIDAY - WEEK: "../../digests/acme/2026-11-13.html"}
    page = parse(render_html(make_drive(), links=links))
    assert [one.attributes["href"] for one in page.all("a")] == list(links.values())


def test_a_stored_drive_that_cannot_be_read_says_what_to_do() -> None:
    with pytest.raises(ValueError, match="Materialize test_drive/document"):
        from_json("{}")
