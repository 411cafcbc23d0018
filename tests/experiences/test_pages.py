"""Pages and firm mails: names stay names, twins agree, nothing advises, and each row says what it is about."""

import re
from dataclasses import replace
from datetime import UTC, date, datetime
from functools import cache
from typing import Any

import pytest

from experiences.console.render import render_html, render_text, title
from experiences.digest.formats import Formats
from experiences.digest.render import render_html as digest_html
from experiences.digest.render import render_text as digest_text
from experiences.left_out import LeftOut, left_out_notice
from experiences.pages.index import index_page
from experiences.pages.page import page_text
from experiences.portfolio.document import from_json, to_json
from experiences.portfolio.exceptions import exceptions_mail
from experiences.portfolio.overview import Link, Standing
from experiences.portfolio.render import portfolio_text, render_portfolio
from experiences.portfolio.words import freshness
from runway_calcs.forecast.figures import RunwayState
from tests.experiences.builders import make_digest
from tests.experiences.console_builders import make_console, make_console_bill
from tests.experiences.every_page import AT, MAKERS
from tests.experiences.parsed import Element, figures, one_line, parse
from tests.experiences.payloads import PAYLOADS
from tests.experiences.portfolio_builders import make_overview, make_portfolio

_ADVICE = re.compile(r"\b(recommend\w*|should|must|advise\w*|advice|suggest\w*|you need to)\b", re.IGNORECASE)
#: Words that stand in a page for the eye only: a cell's label on a phone comes from its column.
_TEXT_ONLY = re.compile(r"^[-*] ", re.MULTILINE)


@cache
def _made(kind: str, text: str) -> tuple[str, str]:
    return MAKERS[kind](text)


@cache
def _elements(kind: str, text: str) -> list[Element]:
    return parse(_made(kind, text)[0]).elements


@pytest.mark.parametrize("kind", MAKERS)
def test_no_element_or_attribute_comes_from_a_name(kind: str) -> None:
    for payload in PAYLOADS:
        assert _elements(kind, payload) == _elements(kind, "Name"), payload


@pytest.mark.parametrize("kind", MAKERS)
def test_a_name_cannot_start_a_line_of_its_own_in_the_text(kind: str) -> None:
    for payload in PAYLOADS:
        text = _made(kind, payload)[1]
        assert text.splitlines() == text.split("\n")[:-1], payload
        assert not re.search(r"^\s*(Bcc|Subject|<html>)", text, re.MULTILINE), payload


@pytest.mark.parametrize("kind", MAKERS)
@pytest.mark.parametrize(
    "text", ["<script>", "=cmd|'/c'", "x" * 300, "\N{RIGHT-TO-LEFT OVERRIDE}txt.exe", "\N{GRINNING FACE}" * 40]
)
def test_the_text_has_every_figure_and_word_of_the_page(kind: str, text: str) -> None:
    html, plain = MAKERS[kind](text)
    page = parse(html).text
    assert figures(page) <= figures(plain)
    for line in one_line(_TEXT_ONLY.sub("", plain)).split(". "):
        for word in re.findall(r"[A-Za-z]{4,}", line):
            assert word.casefold() in page.casefold(), word
    assert "\N{RIGHT-TO-LEFT OVERRIDE}" not in html + plain


def test_the_moment_of_a_failure_is_written_as_moments_are_in_every_mail() -> None:
    assert "acme, 20 Nov, 12:30 UTC" in MAKERS["failure notice"]("")[1]


def test_no_line_ends_between_a_number_and_its_percent_sign() -> None:
    mail = (digest_html(make_digest()), digest_text(make_digest()))
    for kind, texts in {**{kind: make(" 75 % more") for kind, make in MAKERS.items()}, "digest": mail}.items():
        for text in texts:
            assert re.search("[0-9]\N{NO-BREAK SPACE}%", text), kind
            assert not re.search("[0-9] %", text), kind


@pytest.mark.parametrize("kind", MAKERS)
def test_nothing_advises(kind: str) -> None:
    html, plain = MAKERS[kind]("")
    assert not _ADVICE.findall(parse(html).text + plain)


@pytest.mark.parametrize("kind", MAKERS)
def test_a_page_of_many_long_names_is_small_and_headings_and_tables_are_in_order(kind: str) -> None:
    html, _ = MAKERS[kind]("\N{CJK UNIFIED IDEOGRAPH-6F22}" * 300)
    page = parse(html)
    assert len(html.encode()) < 80_000
    headings = [one.tag for one in page.elements if re.fullmatch(r"h[1-6]", one.tag)]
    assert (headings[0], set(headings[1:]) - {"h2"}) == ("h1", set())
    for table in page.all("table"):
        assert table.attributes.get("role") in ("presentation", "table")
    assert len(page.all("caption")) == sum(one.attributes["role"] == "table" for one in page.all("table"))
    assert not page.all("img")


def test_a_bills_reasons_and_what_a_days_wait_is_counted_at_stand_beside_it() -> None:
    document = make_console(make_console_bill())
    for text in (parse(render_html(document)).text, one_line(render_text(document))):
        assert "1 open bill, $9,250.50" in text
        assert "Cash $80,140.07, floor $12,000.00. Reserves hold $2,500.00 of it. The plan is optimal." in text
        assert "late fee, 8 days late on 24 Nov ($1.50)" in text
        assert "yield of cash: the cash earns until then (-$0.12)" in text
        assert "$1.38" in text, "1,380 micro-dollars a dollar and day are 1.38 for a thousand"
        assert "Paid on 23 Nov, the day on which it costs least." in text
        assert "passed" in text


def test_a_plan_that_falls_short_says_so_in_the_currency_of_the_books() -> None:
    document = make_console(make_console_bill())
    assert document.plan is not None
    plan = replace(document.plan, words="not feasible, short by 1,200.00 on 3 Dec", short_cents=120_000)
    short = replace(document, currency="EUR", plan=replace(plan, short_on=date(2026, 12, 3)))
    assert "The plan is not feasible, short by EUR 1,200.00 on 3 Dec." in one_line(render_text(short))


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({}, "No open bills"),
        ({"cash_cents": None, "floor_cents": None, "draws": None, "plan": None}, "No forecast to rank bills by"),
    ],
    ids=["no bills", "no forecast"],
)
def test_a_console_without_bills_says_why(changes: dict[str, Any], told: str) -> None:
    document = make_console(**changes)
    assert title(document) == told
    assert told in parse(render_html(document)).text


def test_bills_beyond_the_first_are_counted() -> None:
    document = make_console(make_console_bill(), count=4, total_cents=1_000_000)
    assert "and 3 more" in render_text(document)
    assert title(document) == "4 open bills, $10,000.00"


def test_a_flag_says_by_how_much_a_bill_is_more_than_the_cash() -> None:
    bill = make_console_bill()
    flagged = replace(bill, priority=replace(bill.priority, is_liquidity_breach=True, breach_cents=123_400))
    assert "$1.2k more than the cash above the floor" in render_text(make_console(flagged))


def test_payments_that_wait_are_told_by_what_they_wait_for() -> None:
    row = make_overview(to_approve=4, to_decide=3, due=6, to_seal=2, sealed=1, to_review=5)
    told = "5 to review, 4 to approve, 3 to decide, 6 due in no batch yet, 2 to finalize, 1 on the way"
    assert row.payments_waiting == 21
    assert f"21 payments waiting: {told}." in exceptions_mail(make_portfolio(row)).text
    text = portfolio_text(make_portfolio(row))
    assert "Payments waiting: 21" in text
    assert all(part in text for part in told.split(", "))


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"link": Link.NEVER, "standing": Standing.MISSING}, "runway connect acme)"),
        ({"link": Link.LOST, "has_failed": True}, "runway connect acme renews it"),
        ({"has_failed": True, "is_stale": True}, "runway friday --tenant acme tries again"),
        ({"is_stale": True}, "runway friday --tenant acme reads the books now"),
        ({"is_behind": True}, "runway friday --tenant acme makes it"),
        ({"standing": Standing.UNREADABLE}, "runway friday --tenant acme makes it"),
    ],
    ids=["never connected", "connection lost", "failed", "stale", "behind", "unreadable"],
)
def test_a_sync_that_failed_or_did_not_come_says_what_can_be_done(changes: dict[str, Any], told: str) -> None:
    portfolio = make_portfolio(make_overview(**changes))
    assert told in portfolio_text(portfolio)
    assert told in exceptions_mail(portfolio).text


def test_a_client_that_is_well_has_no_next_step_and_is_not_in_the_mail() -> None:
    mail = exceptions_mail(make_portfolio(make_overview()))
    assert mail.subject == "20 Nov 2026: nothing stands out in 1 client"
    assert "Acme" not in mail.text
    assert "runway " not in mail.text


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({}, "Covered until 29 Jan (70 days); cautious date 8 Jan (49 days)"),
        ({"change_days": -9}, "9 days shorter than the week before."),
        ({"state": RunwayState.ALREADY_BELOW, "covered_until": None, "days": None}, "Below the floor already"),
        ({"state": RunwayState.BEYOND_HORIZON, "covered_until": None, "days": None}, "Covered beyond 13 weeks"),
        ({"state": RunwayState.NO_DATA, "covered_until": None, "days": None}, "No data for a runway yet"),
        ({"state": RunwayState.NOT_COMPUTABLE, "covered_until": None, "days": None}, "Runway not computable"),
        ({"standing": Standing.UNREADABLE}, "The digest cannot be read."),
    ],
)
def test_each_kind_of_runway_has_its_own_words_in_the_mail(changes: dict[str, Any], told: str) -> None:
    assert told in exceptions_mail(make_portfolio(make_overview(blocking_count=1, moving_count=1, **changes))).text


def test_the_mail_is_written_as_its_reader_wants_it() -> None:
    portfolio = make_portfolio(make_overview(blocking_count=1, moving_count=1))
    mail = exceptions_mail(portfolio, formats=Formats(locale="en-US", currency="code"))
    assert mail.subject == "Nov 20, 2026: 1 of 1 client to look at"
    assert "Cash USD 80.1k, low point -USD 2.1k on Feb 12." in mail.text
    assert from_json(to_json(portfolio)) == portfolio


def test_the_reason_of_one_failure_has_its_own_id_and_of_several_a_word_for_each() -> None:
    tenants = [LeftOut(tenant_id=one, name=one.title(), job="tenant_sync", failed_at=AT) for one in ("acme", "bolt")]
    cause = "QuickBooks refused TENANT. Run `runway connect TENANT`."
    alone = left_out_notice(firm_name="Oak", cause=cause, tenants=tenants[:1])
    assert "Reason: QuickBooks refused acme. Run `runway connect acme`." in alone.text
    together = left_out_notice(firm_name="Oak", cause=cause, tenants=tenants)
    assert "(TENANT stands for each client's id.)" in together.text
    assert together.subject == "2 clients: not up to date"


def test_an_index_without_clients_says_how_to_begin() -> None:
    text = page_text(index_page([]))
    assert "0 clients" in text
    assert "runway tenant add" in text


def test_a_digest_that_is_not_there_yet_is_said_so() -> None:
    html, _ = MAKERS["index"]("")
    assert "none yet" in parse(html).text
    assert "20 Nov 2026" in parse(html).text


@pytest.mark.parametrize(
    ("formats", "zone", "told"),
    [
        (Formats(), "UTC", "Books read on 12 Nov, 05:04 UTC."),
        (Formats(), "America/New_York", "Books read on 12 Nov, 00:04 (America/New_York)."),
        (Formats(locale="en-US"), "America/Los_Angeles", "Books read on Nov 11, 9:04 pm (America/Los_Angeles)."),
    ],
)
def test_when_books_were_read_is_told_in_the_readers_time_zone(formats: Formats, zone: str, told: str) -> None:
    row = make_overview(
        is_stale=True, data_as_of=datetime(2026, 11, 12, 5, 4, tzinfo=UTC), week_ending=date(2026, 11, 20)
    )
    assert told in exceptions_mail(make_portfolio(row), formats=formats, zone=zone).text


@pytest.mark.parametrize(
    ("formats", "zone", "told"),
    [
        (Formats(), "UTC", "acme, 20 Nov, 02:30 UTC"),
        (Formats(locale="en-US"), "America/New_York", "acme, Nov 19, 9:30 pm (America/New_York)"),
    ],
)
def test_when_a_run_failed_is_told_in_the_readers_time_zone(formats: Formats, zone: str, told: str) -> None:
    failed = LeftOut(
        tenant_id="acme", name="Acme", job="tenant_sync", failed_at=datetime(2026, 11, 20, 2, 30, tzinfo=UTC)
    )
    notice = left_out_notice(firm_name="Oak", cause="no answer", tenants=[failed], formats=formats, zone=zone)
    assert told in notice.text


def test_what_stands_below_a_figure_is_told_beside_it_in_the_text() -> None:
    text = portfolio_text(make_portfolio(make_overview()))
    assert re.search(r"Low point: -?\$[0-9.]+k, \d+ [A-Z][a-z]+[;)]", text), text
    assert not re.search(r"^ +\d+ [A-Z][a-z]{2}$", text, re.MULTILINE), "a day alone says nothing"
    index = MAKERS["index"]("")[1]
    assert "Earlier digests: 13 Nov 2026, 6 Nov 2026" in index


def test_a_firm_does_not_read_that_all_is_there_above_clients_without_figures() -> None:
    """A digest that could give no figure is read like any other, and one of the week before is one."""
    blind = make_overview(
        state=RunwayState.NOT_COMPUTABLE,
        **dict.fromkeys(
            ("covered_until", "days", "cautious_until", "cautious_days", "low_cents", "low_on", "change_days")
        ),
    )
    behind = make_overview(tenant_id="bolt", is_behind=True, week_ending=date(2026, 11, 13))
    assert (
        freshness(make_portfolio(blind, behind)) == "1 client without figures. 1 client without a digest of this week."
    )
    assert "are there" in freshness(make_portfolio(make_overview()))


def test_books_of_another_year_are_told_with_their_year() -> None:
    old = make_overview(data_as_of=datetime(2025, 11, 18, 10, 0, tzinfo=UTC), is_stale=True, link=Link.LOST)
    portfolio = make_portfolio(old)
    assert "Books read on 18 Nov 2025, 10:00 UTC." in exceptions_mail(portfolio).text
    assert "18 Nov 2025, 10:00 UTC" in render_portfolio(portfolio, links={})
