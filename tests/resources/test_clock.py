"""The clock that is passed in."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from resources.clock import FixedClock, SystemClock


def test_the_systems_clock_is_aware_utc_and_moves() -> None:
    clock = SystemClock()
    before = clock.now()
    clock.sleep(0.001)
    assert before.tzinfo is UTC
    assert clock.now() > before


def test_a_fixed_clock_moves_only_when_told() -> None:
    clock = FixedClock(datetime(2026, 11, 20, 7, tzinfo=timezone(timedelta(hours=-5))))
    assert clock.now() == clock.now() == datetime(2026, 11, 20, 12, tzinfo=UTC)
    clock.sleep(90)
    assert clock.now() == datetime(2026, 11, 20, 12, 1, 30, tzinfo=UTC)
    clock.move_to(datetime(2026, 1, 1, tzinfo=UTC))
    assert clock.now() == datetime(2026, 1, 1, tzinfo=UTC)
    assert clock.now().tzinfo is UTC


def test_a_naive_instant_is_no_time() -> None:
    with pytest.raises(ValueError, match="aware"):
        FixedClock(datetime(2026, 11, 20))  # noqa: DTZ001 - the subject


def test_a_naive_instant_to_move_to_is_no_time_either() -> None:
    """`astimezone` would take it for the machine's local time."""
    clock = FixedClock(datetime(2026, 11, 20, tzinfo=UTC))
    with pytest.raises(ValueError, match="aware"):
        clock.move_to(datetime(2026, 11, 21))  # noqa: DTZ001 - the subject
