"""How single values read."""

import re
from datetime import date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiences.digest.wording import (
    clock_time,
    counted,
    days,
    money_exact,
    money_short,
    plain_text,
    short_date,
    shortened,
    weekday_date,
)

FRIDAY = date(2026, 11, 20)
_SCALES = {"": 100, "k": 100_000, "M": 100_000_000, "B": 100_000_000_000}


@pytest.mark.parametrize(
    ("cents", "short", "exact"),
    [
        pytest.param(0, "$0", "$0.00", id="zero"),
        pytest.param(30, "$0.30", "$0.30", id="not zero, so never written as zero"),
        pytest.param(-49, "-$0.49", "-$0.49", id="no negative zero"),
        pytest.param(50, "$1", "$0.50", id="half rounds away from zero"),
        pytest.param(-84_250, "-$843", "-$842.50", id="negative half rounds away from zero"),
        pytest.param(99_949, "$999", "$999.49", id="below the first unit"),
        pytest.param(99_950, "$1.0k", "$999.50", id="the unit is chosen after rounding"),
        pytest.param(821_407, "$8.2k", "$8,214.07", id="thousands"),
        pytest.param(99_996_000, "$1.0M", "$999,960.00", id="never 1000.0k"),
        pytest.param(1_234_567_890, "$12.3M", "$12,345,678.90", id="millions"),
        pytest.param(10**17, "$1,000,000.0B", "$1,000,000,000,000,000.00", id="beyond billions"),
    ],
)
def test_money_reads_at_a_glance_and_to_the_cent(cents: int, short: str, exact: str) -> None:
    assert money_short(cents, currency="USD") == short
    assert money_exact(cents, currency="USD") == exact


def test_a_currency_other_than_the_dollar_is_named_by_its_code() -> None:
    assert money_short(-821_407, currency="CHF") == "-CHF 8.2k"
    assert money_exact(821_407, currency="EUR") == "EUR 8,214.07"


@given(st.integers(min_value=-(10**16), max_value=10**16))
def test_short_money_is_off_by_at_most_half_of_its_last_digit(cents: int) -> None:
    written = re.fullmatch(r"(-?)\$([\d,]+)(?:\.(\d+))?([kMB]?)", money_short(cents, currency="USD"))
    assert written is not None
    sign, whole, decimals, unit = written.groups(default="")
    scale = _SCALES[unit]
    step = scale // 10 ** len(decimals)
    value = (int(whole.replace(",", "")) * scale + int(decimals or 0) * step) * (-1 if sign else 1)
    assert abs(value - cents) * 2 <= step
    assert (value == 0) == (cents == 0)


@given(st.integers())
def test_exact_money_reads_back_to_the_same_cents(cents: int) -> None:
    assert int(re.sub(r"[$,.]", "", money_exact(cents, currency="USD"))) == cents


@pytest.mark.parametrize(
    ("day", "written"),
    [
        pytest.param(date(2026, 10, 6), "6 Oct", id="near"),
        pytest.param(date(2027, 2, 19), "19 Feb", id="next year but near"),
        pytest.param(date(2025, 12, 1), "1 Dec 2025", id="a year ago"),
        pytest.param(date(2027, 12, 1), "1 Dec 2027", id="in a year"),
    ],
)
def test_a_date_names_its_year_only_where_it_could_be_mistaken(day: date, written: str) -> None:
    assert short_date(day, near=FRIDAY) == written


def test_dates_times_and_counts() -> None:
    assert weekday_date(FRIDAY) == "Friday 20 Nov 2026"
    assert clock_time(datetime(2026, 11, 17, 5, 7), near=FRIDAY) == "17 Nov, 05:07"  # noqa: DTZ001 - wall clock as read
    assert (days(1), days(14), counted(1_204, "invoice")) == ("1 day", "14 days", "1,204 invoices")
    assert (days(0), days(-1), days(-2)) == ("0 days", "-1 day", "-2 days")


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        pytest.param("x\r\nBcc: a@b.example", "x Bcc: a@b.example", id="line breaks"),
        pytest.param("a\x00b\x1bc", "abc", id="controls"),
        pytest.param("fdp\N{RIGHT-TO-LEFT OVERRIDE}exe.\u2028x", "fdpexe. x", id="reading order and line separator"),
        pytest.param("bad \ud800 half", "bad half", id="lone surrogate"),
        pytest.param("  Åse \t Ø. ", "Åse Ø.", id="spaces"),
        pytest.param("\N{MAN}\N{ZERO WIDTH JOINER}\N{WOMAN}", "\N{MAN}\N{ZERO WIDTH JOINER}\N{WOMAN}", id="joined"),
    ],
)
def test_a_name_from_the_books_is_one_visible_line(text: str, plain: str) -> None:
    assert plain_text(text) == plain


@given(st.text(), st.integers(min_value=2, max_value=50))
def test_a_shortened_text_never_exceeds_its_limit(text: str, limit: int) -> None:
    short = shortened(text, limit=limit)
    assert len(short) <= limit
    assert short == text or short.endswith("\N{HORIZONTAL ELLIPSIS}")
