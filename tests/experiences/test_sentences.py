"""What a digest says in which case, and what it never says."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from importlib.resources import files

import pytest

from experiences.digest.document import DigestDocument
from experiences.digest.quiet import is_quiet
from experiences.digest.render import preheader, render_html, render_text, subject
from experiences.digest.wording import short_date
from runway_calcs.books.burn import Burn, BurnState, BurnWeek
from tests.experiences.builders import FRIDAY, TrialInvoice, make_burn, make_digest, make_score
from tests.experiences.examples import (
    EXAMPLES,
    NO_DATA,
    NOT_BURNING,
    NOT_COMPUTABLE,
    QUIET,
    REBUILT,
    STALE,
    TIGHT,
    ZERO,
)
from tests.experiences.parsed import Element, figures, one_line, parse

_ADVICE = re.compile(
    r"\b(you (should|must|need to|ought)|we (suggest|advise|recommend)|recommend\w*|must pay|should (be )?pa(y|id)|"
    r"should|ought to|make sure|be sure|urgent\w*|immediately|asap)\b",
    re.IGNORECASE,
)


def test_no_data_not_computable_not_burning_and_zero_are_four_answers() -> None:
    pages = [parse(render_html(document)).text for document in (NO_DATA, NOT_COMPUTABLE, NOT_BURNING, ZERO)]
    assert "No data for a runway yet The books hold no bank account." in pages[0]
    assert "Runway not computable Every bank account is in another currency." in pages[1]
    assert "Net burn not burning" in pages[2]
    assert "$250.50 a day more comes in than goes out" in pages[2]
    assert "No cash on 20 Nov Cash of $0 on 20 Nov is below the floor" in pages[3]
    told = pages[0].split("Week ending Friday 20 Nov 2026")[1].split("As of")[0]
    assert not figures(told.replace("Books read the same day, 20 Nov, 05:00.", ""))
    assert "$0" not in pages[1].split("Open balances by age")[0].split("The next 13 weeks")[0]


def _burn_with_a_median_of_nothing(*, paid_cents: int) -> Burn:
    """One payment five weeks ago, which four of the ten 4-week totals hold, and no receipts."""
    weeks = tuple(
        BurnWeek(week_ending=FRIDAY - timedelta(weeks=ago), in_cents=0, out_cents=paid_cents if ago == 5 else 0)
        for ago in reversed(range(13))
    )
    return replace(make_burn(state=BurnState.NOT_BURNING, gross=0, net=0), weeks=weeks)


def test_a_median_of_nothing_is_told_from_nothing() -> None:
    """Incident: "No operating cash went out. Not burning: as much comes in as goes out." after a payment of 40,000."""
    spent = one_line(render_text(make_digest(burn=_burn_with_a_median_of_nothing(paid_cents=4_000_000))))
    assert "In most 4-week windows of the last 13 weeks no operating cash went out; $40,000.00 did in all." in spent
    assert (
        "Not burning: the median of the 4-week totals is zero; in all 13 weeks $40,000.00 more went out than" in spent
    )
    assert "Buffer no regular outflow" in spent
    nothing = one_line(render_text(make_digest(burn=_burn_with_a_median_of_nothing(paid_cents=0))))
    assert "No operating cash went out. Not burning: as much comes in as goes out." in nothing
    assert "Buffer no outflow" in nothing


def test_an_invoice_is_compared_with_its_customers_habit() -> None:
    invoices = [
        TrialInvoice(customer="Late", number="1", in_days=-21, expected_in=3, cents=900, usual=9),
        TrialInvoice(customer="New", number="2", in_days=-1, expected_in=3, cents=800, usual=None),
        TrialInvoice(customer="Early", number="3", in_days=-2, expected_in=3, cents=700, usual=-4),
        TrialInvoice(customer="Exact", number="4", in_days=-3, expected_in=3, cents=600, usual=0),
    ]
    past_due = render_text(make_digest(invoices=invoices)).split("Past due")[1]
    assert "usually 9 days late, now 21 days late" in past_due
    assert "1 day late" in past_due
    assert "usually 4 days early, now 2 days late" in past_due
    assert "usually paid on the due date, now 3 days late" in past_due


def test_old_books_and_rebuilt_weeks_wear_a_badge() -> None:
    assert "Books are 3 days old: last read on 17 Nov, 05:00." in render_text(STALE)
    assert "Rebuilt from books connected on 23 Nov 2026" in render_text(REBUILT)
    for document in (STALE, REBUILT):
        assert _with_class(document, "badge")
    yesterday = make_digest(synced=datetime(2026, 11, 19, 12, 0, tzinfo=UTC))
    assert not _with_class(yesterday, "badge")


def test_a_past_week_says_so() -> None:
    document = make_digest(
        synced=datetime(2026, 12, 20, 10, 0, tzinfo=UTC), known_until=datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
    )
    assert "A past week, as the books were known on 20 Nov 2026." in render_text(document)


def test_dates_in_reasons_are_written_like_all_others() -> None:
    document = make_digest()
    odd = replace(document, runway=replace(document.runway, floor_reason="payroll 2026-11-27, no. 2026-99-99"))
    assert "(payroll 27 Nov, no. 2026-99-99)" in one_line(render_text(odd))


def test_the_low_week_and_the_crossings_are_named_in_words() -> None:
    marks = {
        line.split()[0] + " " + line.split()[1]: line.split("   ")[-1]
        for line in render_text(TIGHT).splitlines()
        if re.search(r"(floor|zero|low week)$", line)
    }
    assert marks == {"8 Jan": "below floor", "22 Jan": "below zero", "19 Feb": "low week"}


@pytest.mark.parametrize("document", EXAMPLES)
def test_what_a_low_point_is_is_said_wherever_one_is(document: DigestDocument) -> None:
    for text in (one_line(render_text(document)), one_line(parse(render_html(document)).text)):
        has_one = document.runway.low_cents is not None
        assert ("Low point: half of the courses fall lower, and half are lowest by its day." in text) is has_one


def test_empty_sections_do_not_exist() -> None:
    headings = re.findall(r"<h2[^>]*>([^<]+)</h2>", render_html(NO_DATA))
    assert headings == ["Cash by account", "Burn and buffer"]
    full = re.findall(r"<h2[^>]*>([^<]+)</h2>", render_html(make_digest(unreadable={"Bill": 1})))
    assert full == [
        "The next 13 weeks",
        "What changed since 13 Nov",
        "Money in",
        "Money out",
        "Last forecast and what happened",
        "Data to fix",
        "Cash by account",
        "Open balances by age",
        "Burn and buffer",
        "Data notes",
    ]


@pytest.mark.parametrize("document", EXAMPLES)
def test_nothing_advises(document: DigestDocument) -> None:
    for text in (render_text(document), parse(render_html(document)).text, subject(document), preheader(document)):
        assert not _ADVICE.search(text)


def test_no_source_of_the_digest_advises_or_switches_escaping_off() -> None:
    for source in _sources():
        assert not _ADVICE.search(source)
    for template in _sources(suffix=".j2"):
        assert not re.search(r"\|\s*safe|autoescape|Markup", template)


def _with_class(document: DigestDocument, name: str) -> list[Element]:
    return [element for element in parse(render_html(document)).elements if element.attributes.get("class") == name]


def _sources(suffix: str = "") -> list[str]:
    package = files("experiences") / "digest"
    return [entry.read_text() for entry in package.iterdir() if entry.is_file() and entry.name.endswith(suffix)]


def test_books_are_called_old_from_the_day_the_threshold_names() -> None:
    fresh = replace(STALE, stale_after_days=STALE.books_age_days + 1)
    assert "Books are" not in render_text(fresh)


def test_the_low_week_is_the_one_whose_balance_is_lowest() -> None:
    weeks = make_digest().weeks
    lines = render_text(make_digest()).splitlines()
    (marked,) = [line for line in lines if line.endswith("low week")]
    lowest = min(weeks, key=lambda week: week.closing_cents)
    assert marked.startswith(short_date(lowest.last_day, near=FRIDAY))
    early = replace(make_digest().runway, low_on=weeks[0].first_day)
    assert marked in render_text(replace(make_digest(), runway=early)), "whatever week the low point lies in"


def test_the_headline_says_how_likely_the_floor_is_missed() -> None:
    document = replace(TIGHT, runway=replace(TIGHT.runway, below_floor_ppm=786_400))
    assert "Below the floor within 13 weeks in 78.6 % of the courses." in one_line(render_text(document))
    for document in (ZERO, NO_DATA):
        assert "of the courses." not in one_line(render_text(document)).split("Week to")[0]


def test_under_the_figures_stands_what_they_rest_on_however_fresh_the_books_are() -> None:
    fresh, stale, rebuilt, empty = (one_line(render_text(one)) for one in (make_digest(), STALE, REBUILT, NO_DATA))
    rest = "state of the books 84 of 100; 2 entries to fix."
    assert f"Cash on 20 Nov from books read the same day, 20 Nov, 05:00; {rest}" in fresh
    assert f"Cash on 20 Nov from books read 3 days before, 17 Nov, 05:00; {rest}" in stale
    assert f"Cash on 20 Nov from books read later, 23 Nov, 10:00; {rest}" in rebuilt
    assert "Books read the same day, 20 Nov, 05:00." in empty


def test_a_quiet_week_has_a_short_mail_with_every_count_and_sum() -> None:
    text = render_text(QUIET)
    assert is_quiet(QUIET)
    assert "A quiet week, so this digest is short" in text
    assert len(text) < 0.85 * len(render_text(make_digest()))
    for heading in ("OPEN BALANCES BY AGE", "BURN AND BUFFER"):
        assert heading not in text
    assert "Past due: 2 invoices, $16,250.00" in text
    assert "and 1 more" in text
    assert "By what mending it changes: 3 entries" in text
    assert "and 2 more in the tray" in text


@pytest.mark.parametrize(
    "loud",
    [
        pytest.param(replace(QUIET, runway=TIGHT.runway), id="below the floor"),
        pytest.param(
            replace(QUIET, runway=replace(QUIET.runway, cautious_until=FRIDAY, cautious_days=0)), id="cautious"
        ),
        pytest.param(replace(QUIET, change=make_digest().change), id="the runway changed"),
        pytest.param(replace(QUIET, change=replace(QUIET.change, is_open_ended=True)), id="by a bound"),
        pytest.param(replace(QUIET, data_to_fix=make_digest().data_to_fix), id="known to be wrong"),
        pytest.param(replace(QUIET, books_age_days=2), id="old books"),
        pytest.param(
            replace(QUIET, last_forecast=make_digest(score=make_score(actual=9_000_000)).last_forecast), id="missed"
        ),
    ],
)
def test_a_week_with_news_is_not_quiet(loud: DigestDocument) -> None:
    assert not is_quiet(loud)
    assert "quiet week" not in render_text(loud)


def test_the_footer_says_who_changes_readers_and_settings() -> None:
    assert "Who gets this mail, and its settings: Hartwell & Finch CPAs changes them on request." in one_line(
        render_text(make_digest())
    )
