from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resources.clock import FixedClock
from resources.database import Database
from resources.qbo.turnstile import BudgetSpent, Turnstile
from resources.qbo.usage import CallBudget, next_month, projected_calls
from tests.databases import url_of
from tests.processes import at_once
from tests.resources.builders import ACME, BOLT, add_tenants

NOW = datetime(2026, 11, 20, 13, tzinfo=UTC)


def _turnstile(database: Database, clock: FixedClock, **budget: int) -> Turnstile:
    return Turnstile(database, clock=clock, budget=CallBudget(**budget))


def test_no_second_and_no_minute_holds_more_calls_than_quickbooks_allows(database: Database) -> None:
    add_tenants(database, FixedClock(NOW))
    clock, starts = FixedClock(NOW), []
    turnstile = _turnstile(database, clock)
    for number in range(560):
        clock.sleep(turnstile.enter(ACME))
        starts.append(clock.now())
        clock.sleep((number * 37 % 11) / 100)
    for most, span in ((10, timedelta(seconds=1)), (500, timedelta(minutes=1))):
        assert all(later - earlier >= span for earlier, later in zip(starts, starts[most:], strict=False))


def _take_turns(_number: int, url: str) -> list[float]:
    opened = Database(url)
    try:
        turnstile = Turnstile(opened, clock=FixedClock(NOW))
        return [turnstile.enter(ACME) for _ in range(10)]
    finally:
        opened.close()


def test_processes_share_the_pace_and_the_count(database: Database) -> None:
    add_tenants(database, FixedClock(NOW))
    waits = at_once(4, _take_turns, url_of(database))
    assert sorted(wait for each in waits for wait in each) == [number * 0.125 for number in range(40)]
    assert _turnstile(database, FixedClock(NOW)).usage(ACME).metered == 40


def test_one_companys_turns_do_not_keep_another_waiting(database: Database) -> None:
    add_tenants(database, FixedClock(NOW))
    turnstile = _turnstile(database, FixedClock(NOW))
    assert [turnstile.enter(ACME) for _ in range(3)] == [0, 0.125, 0.25]
    assert turnstile.enter(BOLT) == 0


def test_a_clock_that_was_set_back_makes_nobody_wait(database: Database) -> None:
    add_tenants(database, FixedClock(NOW))
    clock = FixedClock(NOW)
    turnstile = _turnstile(database, clock)
    turnstile.enter(ACME)
    clock.move_to(NOW - timedelta(days=1))
    assert turnstile.enter(ACME) == 0


def test_calls_are_counted_by_month_and_tenant(database: Database) -> None:
    add_tenants(database, FixedClock(NOW))
    clock = FixedClock(NOW)
    turnstile = _turnstile(database, clock)
    for _ in range(5):
        turnstile.enter(ACME)
    turnstile.take_back(ACME)
    assert (turnstile.usage(ACME).metered, turnstile.usage(BOLT).metered) == (4, 0)
    clock.move_to(datetime(2026, 12, 1, 7, 59, tzinfo=UTC))  # still November at QuickBooks
    assert turnstile.usage(ACME).month == "2026-11"
    clock.move_to(datetime(2026, 12, 1, 8, tzinfo=UTC))
    assert (turnstile.usage(ACME).month, turnstile.usage(ACME).metered) == ("2026-12", 0)


def test_past_the_hard_budget_nothing_is_asked_until_the_month_ends(database: Database) -> None:
    add_tenants(database, FixedClock(NOW))
    clock = FixedClock(NOW)
    turnstile = _turnstile(database, clock, soft=2, hard=3)
    for _ in range(3):
        turnstile.enter(ACME)
    with pytest.raises(BudgetSpent, match="2026-12-01"):
        turnstile.enter(ACME)
    assert turnstile.usage(ACME).metered == 3
    assert turnstile.usage(ACME).is_above_soft
    turnstile.enter(BOLT)
    clock.move_to(next_month(NOW))
    turnstile.enter(ACME)


@given(st.integers(0, 100_000), st.integers(0, 30 * 24 * 60))
def test_a_projection_is_never_below_what_is_used(metered: int, minutes: int) -> None:
    since = datetime(2026, 11, 1, 8, tzinfo=UTC)
    now = min(since + timedelta(minutes=minutes), next_month(since) - timedelta(minutes=1))
    assert projected_calls(metered, since=since, now=now) >= metered
    assert projected_calls(metered, since=since, now=next_month(since) - timedelta(microseconds=1)) == metered


def test_half_a_month_at_one_call_an_hour_projects_a_whole_one() -> None:
    since = datetime(2026, 11, 1, 7, tzinfo=UTC)
    assert projected_calls(360, since=since, now=since + timedelta(days=15)) == pytest.approx(720, abs=2)
