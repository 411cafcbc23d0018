"""The week of a run: the named one once it has come where the tenant is, else the newest."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from resources.installation import RunWeek, WeekNotReached
from resources.tenants import ZONES, Tenant, tenant_id
from tests.conftest import FRIDAY


def _tenant(zone: str) -> Tenant:
    return Tenant(
        tenant_id=tenant_id("acme"),
        firm_id="oak",
        firm_name="Oak",
        name="Acme",
        zone=zone,
        active=True,
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
    )


@pytest.mark.parametrize("zone", ZONES)
def test_a_named_friday_passes_from_its_first_moment_where_the_tenant_is_and_not_before(zone: str) -> None:
    tenant = _tenant(zone)
    midnight = datetime.combine(FRIDAY, time(), tzinfo=ZoneInfo(zone)).astimezone(UTC)
    for hours in (0, 7, 24 * 400):
        started_at = midnight + timedelta(hours=hours)
        assert RunWeek(week_ending=FRIDAY, started_at=started_at).of(tenant) == FRIDAY
    with pytest.raises(
        WeekNotReached, match=r"2026-11-20 lies ahead of 'acme', where it is 2026-11-19\. Name a Friday"
    ):
        RunWeek(week_ending=FRIDAY, started_at=midnight - timedelta(seconds=1)).of(tenant)


def test_on_the_same_instant_a_friday_has_come_in_one_zone_and_not_in_another() -> None:
    run = RunWeek(week_ending=FRIDAY, started_at=datetime(2026, 11, 19, 20, 0, tzinfo=UTC))
    assert run.of(_tenant("Australia/Sydney")) == FRIDAY
    with pytest.raises(WeekNotReached):
        run.of(_tenant("America/New_York"))


def test_without_a_name_it_is_the_newest_friday() -> None:
    run = RunWeek(week_ending=None, started_at=datetime(2026, 11, 19, 20, 0, tzinfo=UTC))
    assert run.of(_tenant("Australia/Sydney")) == FRIDAY
    assert run.of(_tenant("America/New_York")) == date(2026, 11, 13)
