"""Ids, zones and the tenant's own Friday."""

import string
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resources.tenants import ZONES, BadTenantId, BadZone, Tenant, TenantId, slug, tenant_id, zone_name

_LEGAL = set(string.ascii_lowercase + string.digits + "-")


@pytest.mark.parametrize("text", ["abc", "acme-design", "0-9", "a--", "a" * 63])
def test_a_legal_id_is_itself(text: str) -> None:
    assert tenant_id(text) == text


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param("ab", id="too short"),
        pytest.param("a" * 64, id="one too long"),
        pytest.param("a" * 300, id="300 characters"),
        pytest.param("../x", id="parent folder"),
        pytest.param("a/../../b", id="parent folder inside"),
        pytest.param("..%2f", id="encoded slash"),
        pytest.param("/etc/passwd", id="absolute"),
        pytest.param("abc\\def", id="backslash"),
        pytest.param("abc\0", id="NUL"),
        pytest.param("abc\n", id="trailing newline"),
        pytest.param("\nabc", id="leading newline"),
        pytest.param("abc ", id="trailing blank"),
        pytest.param("CON", id="device name"),
        pytest.param("Acme", id="upper case"),
        pytest.param("-abc", id="leading hyphen"),
        pytest.param("ab_c", id="underscore"),
        pytest.param("ab.c", id="dot"),
        pytest.param("\u0430cme", id="Cyrillic a"),
        pytest.param("\uff41cme", id="full-width a"),
        pytest.param("acm\u00e9", id="accent"),
        pytest.param("abc\u0661", id="Arabic digit"),
        pytest.param("ab\u2010c", id="another hyphen"),
        pytest.param("abc\u200b", id="zero-width blank"),
        pytest.param('t"; DROP TABLE x; --', id="SQL"),
    ],
)
def test_an_illegal_id_is_refused_with_the_rule(text: str) -> None:
    with pytest.raises(BadTenantId, match="3 to 63 characters") as caught:
        tenant_id(text)
    assert len(str(caught.value)) < 400
    assert "\n" not in str(caught.value)
    assert "\0" not in str(caught.value)


@given(st.text(max_size=80) | st.text(alphabet="ab-0A_/.\n", min_size=1, max_size=70))
def test_what_passes_is_three_to_63_plain_characters_and_nothing_else_passes(text: str) -> None:
    legal = 3 <= len(text) <= 63 and set(text) <= _LEGAL and not text.startswith("-")
    if legal:
        assert tenant_id(text) == text
    else:
        with pytest.raises(BadTenantId):
            tenant_id(text)


def test_the_message_names_what_the_id_is_for() -> None:
    with pytest.raises(BadTenantId, match="firm id"):
        slug("No", what="firm")


@pytest.mark.parametrize("zone", ZONES)
def test_each_zone_of_the_list_exists_and_is_accepted(zone: str) -> None:
    assert zone_name(zone) == ZoneInfo(zone).key


@pytest.mark.parametrize("zone", ["", "UTC", "EST", "america/new_york", "Europe/Berlin", "../etc/passwd"])
def test_another_zone_is_refused_with_the_list(zone: str) -> None:
    with pytest.raises(BadZone, match="America/New_York"):
        zone_name(zone)


def _tenant(zone: str) -> Tenant:
    return Tenant(
        tenant_id=TenantId("acme-design"),
        firm_id="north-books",
        firm_name="North Books",
        name="Acme",
        zone=zone,
        active=True,
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
    )


@pytest.mark.parametrize(
    ("zone", "instant", "friday"),
    [
        pytest.param("America/New_York", "2026-11-20T04:59:59Z", "2026-11-13", id="Thursday 23:59:59 local"),
        pytest.param("America/New_York", "2026-11-20T05:00:00Z", "2026-11-20", id="Friday 00:00 local"),
        pytest.param("America/New_York", "2026-11-21T04:59:59Z", "2026-11-20", id="Friday 23:59:59 local"),
        pytest.param("America/New_York", "2026-11-27T04:59:59Z", "2026-11-20", id="the Thursday after"),
        pytest.param("Australia/Sydney", "2026-11-19T13:00:00Z", "2026-11-20", id="Friday comes early in Sydney"),
        pytest.param("Pacific/Honolulu", "2026-11-20T09:59:59Z", "2026-11-13", id="and late in Honolulu"),
        # New York leaves summer time on Sunday 2026-11-01: midnight is at 04:00 UTC before and 05:00 UTC after it.
        pytest.param("America/New_York", "2026-10-30T03:59:59Z", "2026-10-23", id="summer time, before midnight"),
        pytest.param("America/New_York", "2026-10-30T04:00:00Z", "2026-10-30", id="summer time, midnight"),
        pytest.param("America/New_York", "2026-11-06T04:30:00Z", "2026-10-30", id="winter time, before midnight"),
        pytest.param("America/New_York", "2026-11-06T05:00:00Z", "2026-11-06", id="winter time, midnight"),
        # and enters it on Sunday 2026-03-08.
        pytest.param("America/New_York", "2026-03-06T04:59:59Z", "2026-02-27", id="before spring, before midnight"),
        pytest.param("America/New_York", "2026-03-13T04:00:00Z", "2026-03-13", id="after spring, midnight"),
    ],
)
def test_the_newest_friday_is_that_of_the_tenants_own_calendar(zone: str, instant: str, friday: str) -> None:
    assert _tenant(zone).latest_friday(datetime.fromisoformat(instant)) == date.fromisoformat(friday)


@given(
    instant=st.datetimes(min_value=datetime(2000, 1, 1), max_value=datetime(2100, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - hypothesis wants naive bounds
    zone=st.sampled_from(ZONES),
)
def test_the_newest_friday_is_a_friday_of_the_last_seven_days(instant: datetime, zone: str) -> None:
    tenant = _tenant(zone)
    friday = tenant.latest_friday(instant)
    assert friday.weekday() == 4
    assert 0 <= (tenant.local_date(instant) - friday).days <= 6
