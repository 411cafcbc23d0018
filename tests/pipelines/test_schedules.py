"""Schedules and the registry sensor, on a real instance and a real registry."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import dagster as dg
import pytest
from dagster._utils.schedules import schedule_execution_time_iterator  # what the daemon itself asks
from hypothesis import given
from hypothesis import strategies as st

from assets.desk import LEDGER
from assets.mailing import ALL_TOGETHER, morning
from pipelines.build import build_defs
from pipelines.schedules import (
    BACKTEST_NIGHTLY,
    PORTFOLIO,
    SCHEDULES,
    ZONE_SCHEDULES,
    build_friday_schedule,
    build_sync_schedule,
)
from pipelines.sensors import partition_changes, tenant_registry
from resources.installation import Installation
from resources.tenants import ZONES, TenantId
from tests.resources.builders import NOON, commit_sync, make_segment


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.instance_for_test() as instance:
        yield instance


@pytest.fixture
def registered(bare_installation: Installation) -> Installation:
    bare_installation.registry.add_firm("oak", name="Oak")
    for tenant, zone in (("east", "America/New_York"), ("east-2", "America/New_York"), ("west", "America/Los_Angeles")):
        bare_installation.registry.add_tenant(tenant, firm_id="oak", name=tenant, zone=zone)
    return bare_installation


def _tick(installation: Installation, instance: dg.DagsterInstance, name: str, at: datetime) -> list[dg.RunRequest]:
    defs = build_defs(resource_overrides={"installation": installation})
    with dg.build_schedule_context(
        instance=instance,
        scheduled_execution_time=at,
        repository_def=defs.get_repository_def(),
        resources={"installation": installation},
    ) as context:
        return list(defs.resolve_schedule_def(name).evaluate_tick(context).run_requests or [])


def test_each_zone_has_one_schedule_for_each_job() -> None:
    assert len(ZONE_SCHEDULES) == 3 * len(ZONES)
    assert {schedule.execution_timezone for schedule in ZONE_SCHEDULES} == set(ZONES)
    assert all(schedule.default_status is dg.DefaultScheduleStatus.RUNNING for schedule in SCHEDULES)


@pytest.mark.parametrize("week_ending", [date(2026, 1, 16), date(2026, 7, 17)], ids=["winter", "summer"])
@pytest.mark.parametrize("zone", ZONES)
def test_a_firms_pages_are_made_twice_between_a_zones_friday_morning_and_the_firms_mail(
    zone: str, week_ending: date
) -> None:
    """What a zone's digests say is in the mail of its firm, even if some took an hour."""
    begin = morning(week_ending, zone=zone)
    ticks = schedule_execution_time_iterator(begin.timestamp(), list(PORTFOLIO), "UTC")
    following = [tick for tick in islice(ticks, 5) if begin <= tick]
    assert following[1] <= begin + ALL_TOGETHER


@pytest.mark.parametrize(
    "instant",
    [
        pytest.param(
            datetime(2026, 3, 6, 12, 0, tzinfo=UTC), id="the Friday before clocks go forward: 07:00 is 12:00 UTC"
        ),
        pytest.param(datetime(2026, 3, 13, 11, 0, tzinfo=UTC), id="the Friday after: 07:00 is 11:00 UTC"),
        pytest.param(datetime(2026, 10, 30, 11, 0, tzinfo=UTC), id="the Friday before clocks go back"),
        pytest.param(datetime(2026, 11, 6, 12, 0, tzinfo=UTC), id="the Friday after they went back"),
    ],
)
def test_friday_seven_is_local_on_both_sides_of_a_clock_change(
    registered: Installation, instance: dg.DagsterInstance, instant: datetime
) -> None:
    schedule = build_friday_schedule("America/New_York")
    assert schedule.execution_timezone is not None
    ticks = schedule_execution_time_iterator(
        instant.timestamp() - 60, schedule.cron_schedule, schedule.execution_timezone
    )
    # The first one may lie before the start.
    assert next(tick for tick in ticks if tick > instant - timedelta(minutes=1)).astimezone(UTC) == instant
    instance.add_dynamic_partitions("tenant", ["east", "east-2", "west"])
    requests = _tick(registered, instance, schedule.name, instant)
    assert [request.partition_key for request in requests] == ["east", "east-2"]
    week = instant.astimezone(ZoneInfo("America/New_York")).date().isoformat()
    for request in requests:
        assert request.tags["runway/week_ending"] == week
        assert request.run_config["resources"]["week"]["config"]["week_ending"] == week
    assert len({request.run_key for request in requests}) == len(requests)


def test_the_friday_of_a_tick_is_the_zones_own(registered: Installation, instance: dg.DagsterInstance) -> None:
    """07:00 on Friday in Honolulu is evening in London; 05:00 UTC on Saturday must not move the week."""
    registered.registry.add_tenant("islands", firm_id="oak", name="Islands", zone="Pacific/Honolulu")
    instance.add_dynamic_partitions("tenant", ["islands"])
    schedule = build_friday_schedule("Pacific/Honolulu")
    (request,) = _tick(registered, instance, schedule.name, datetime(2026, 11, 20, 17, 0, tzinfo=UTC))
    assert request.tags["runway/week_ending"] == "2026-11-20"


def test_a_deactivated_tenant_is_not_scheduled(registered: Installation, instance: dg.DagsterInstance) -> None:
    instance.add_dynamic_partitions("tenant", ["east", "east-2"])
    registered.registry.deactivate(TenantId("east"))
    name = build_sync_schedule("America/New_York").name
    requests = _tick(registered, instance, name, datetime(2026, 11, 20, 10, 0, tzinfo=UTC))
    assert [request.partition_key for request in requests] == ["east-2"]


def test_two_ticks_of_one_night_have_different_run_keys(registered: Installation, instance: dg.DagsterInstance) -> None:
    instance.add_dynamic_partitions("tenant", ["west"])
    name = build_sync_schedule("America/Los_Angeles").name
    night = _tick(registered, instance, name, datetime(2026, 11, 20, 10, 0, tzinfo=UTC))
    morning = _tick(registered, instance, name, datetime(2026, 11, 20, 13, 0, tzinfo=UTC))
    assert night[0].run_key != morning[0].run_key


def test_the_sensor_asks_for_a_partition_for_each_new_tenant(
    registered: Installation, instance: dg.DagsterInstance
) -> None:
    instance.add_dynamic_partitions("tenant", ["east", "long-gone"])
    context = dg.build_sensor_context(instance=instance, resources={"installation": registered})
    found = tenant_registry(context)
    assert isinstance(found, dg.SensorResult)
    (request,) = found.dynamic_partitions_requests or []
    assert sorted(request.partition_keys) == ["east-2", "west"]


def test_a_registry_that_cannot_be_read_is_a_red_tick(registered: Installation, instance: dg.DagsterInstance) -> None:
    with registered.database.write() as connection:
        connection.exec_driver_sql("DROP TABLE audit")
        connection.exec_driver_sql("ALTER TABLE tenant RENAME TO gone")
    context = dg.build_sensor_context(instance=instance, resources={"installation": registered})
    with pytest.raises(Exception, match="no such table"):
        tenant_registry(context)


_SLUGS = st.sets(st.from_regex(r"[a-z0-9][a-z0-9-]{2,6}", fullmatch=True))


@given(registered=_SLUGS, existing=_SLUGS)
def test_partition_changes_add_exactly_what_is_missing_and_remove_nothing(
    registered: set[str], existing: set[str]
) -> None:
    added = partition_changes(registered=registered, existing=existing).added
    assert existing | added == registered | existing
    assert not added & existing


def test_a_night_replays_the_past_fridays_of_the_week_before(
    registered: Installation, instance: dg.DagsterInstance
) -> None:
    instance.add_dynamic_partitions("tenant", ["east", "east-2"])
    thursday_night = datetime(2026, 11, 26, 3, 30, tzinfo=ZoneInfo("America/New_York"))
    for tenant in ("east", "east-2"):
        _make_ledger(registered, TenantId(tenant), as_of=date(2026, 11, 20))
    requests = _tick(registered, instance, "backtest_america_new_york", thursday_night)
    assert [request.run_key for request in requests] == ["backtest:2026-11-26:east", "backtest:2026-11-26:east-2"]
    assert {request.tags["runway/week_ending"] for request in requests} == {"2026-11-20"}


def test_who_has_no_books_of_last_friday_is_not_replayed(
    registered: Installation, instance: dg.DagsterInstance
) -> None:
    """A client that was connected on Monday had a failed run and a mail about it every night of its first week."""
    instance.add_dynamic_partitions("tenant", ["east", "east-2"])
    thursday_night = datetime(2026, 11, 26, 3, 30, tzinfo=ZoneInfo("America/New_York"))
    assert _tick(registered, instance, "backtest_america_new_york", thursday_night) == []
    _make_ledger(registered, TenantId("east"), as_of=date(2026, 11, 20))
    _make_ledger(registered, TenantId("east-2"), as_of=date(2026, 11, 13))
    requests = _tick(registered, instance, "backtest_america_new_york", thursday_night)
    assert [request.partition_key for request in requests] == ["east"]


def _make_ledger(installation: Installation, tenant: TenantId, *, as_of: date) -> None:
    """What the assets of a week's ledger commit last."""
    commits = installation.commits
    with commits.lease(tenant) as lease:
        sync = commit_sync(commits, lease)
    commits.commit_result(as_of=as_of, known_until=NOON, sync=sync, segment=make_segment(table=LEDGER))


def test_no_back_test_runs_before_a_fridays_digest() -> None:
    """The new week has no books yet on Friday at half past three."""
    zone = ZoneInfo("America/New_York")
    start = datetime(2026, 11, 23, tzinfo=zone)
    ticks = schedule_execution_time_iterator(start.timestamp(), BACKTEST_NIGHTLY, zone.key)
    assert {next(ticks).weekday() for _ in range(14)} == {0, 1, 2, 3, 5, 6}
