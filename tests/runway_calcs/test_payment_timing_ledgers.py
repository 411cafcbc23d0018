"""Payment timing on ledgers of many kinds of payers, by rolling origin."""

from collections.abc import Callable

import pandas as pd
import pytest

from tests.runway_calcs import timing_ledgers as ledgers
from tests.runway_calcs.timing_measures import Said, measured

Ledger = Callable[[int], pd.DataFrame]
SEEDS = tuple(range(11, 23))
"""A ledger has few payers, and what one of them does shows in all of its Fridays: many seeds, two Fridays each."""
FEW = ledgers.FRIDAYS[::3]

BY_DAY = [
    pytest.param(ledgers.clock_payers, id="clock payers"),
    pytest.param(ledgers.one_time_counterparties, id="one-time counterparties"),
    pytest.param(ledgers.no_due_dates, id="no due dates"),
    pytest.param(ledgers.one_year, id="one year"),
    pytest.param(ledgers.early_payers, id="early payers"),
    pytest.param(ledgers.slow_tails, id="slow tails"),
    pytest.param(ledgers.mixed_terms, id="mixed terms"),
    pytest.param(ledgers.any_day, id="any day"),
]
"""Paid on any (business) day: intervals can hold what they say."""
IN_RUNS = [
    pytest.param(ledgers.weekly_pay_runs, id="weekly pay runs"),
    pytest.param(ledgers.company_pay_runs, id="company pay runs"),
    pytest.param(ledgers.month_end_payers, id="month-end payers"),
]
"""Paid on few days: an interval that ends on pay days holds more than it says."""


def _pooled(ledger: Ledger) -> dict[str, float]:
    print(f"seeds {SEEDS}")  # noqa: T201 - the long suite prints its seeds
    found = measured(Said.joined([ledgers.replay(ledger(seed), fridays=FEW) for seed in SEEDS]))
    print(found)  # noqa: T201 - and what it measured
    return found


def _cuts_the_due_date_error(found: dict[str, float]) -> bool:
    due = found["due_date_error_days"]
    # The bars are stated to the hundredth.
    return due is None or round(found["mean_error_days"] / due, 2) <= 0.7


@pytest.mark.parametrize("ledger", [BY_DAY[0], BY_DAY[1], BY_DAY[2], IN_RUNS[0]])
def test_a_sample_of_ledgers_is_foreseen_better_than_by_due_date(ledger: Ledger) -> None:
    found = measured(ledgers.replay(ledger(SEEDS[0]), fridays=FEW))
    assert _cuts_the_due_date_error(found)
    assert found["coverage"] >= 0.7


@pytest.mark.long
@pytest.mark.parametrize("ledger", BY_DAY)
def test_intervals_hold_what_they_say_and_errors_are_cut_by_a_third(ledger: Ledger) -> None:
    found = _pooled(ledger)
    assert _cuts_the_due_date_error(found)
    assert 0.77 <= round(found["coverage"], 2) <= 0.84


@pytest.mark.long
@pytest.mark.parametrize("ledger", IN_RUNS)
def test_pay_runs_are_found(ledger: Ledger) -> None:
    found = _pooled(ledger)
    assert found["mean_error_days"] <= 0.5 * found["due_date_error_days"]
    assert 0.77 <= found["coverage"] <= 0.97
    # Not one pay run of a week or half a month more than needed.
    assert found["width_days"] <= 8


@pytest.mark.long
def test_a_season_of_all_payers_is_followed() -> None:
    """A drift that turns is seen only after it has turned: the intervals are somewhat narrow, which is known."""
    found = _pooled(ledgers.seasonal)
    assert _cuts_the_due_date_error(found)
    assert found["coverage"] >= 0.7


@pytest.mark.long
def test_payers_who_stopped_widen_the_intervals_of_the_others_a_little() -> None:
    """What is never paid has no day to compare with; intervals that allow for it hold more of what is paid."""
    found = _pooled(ledgers.stopped_paying)
    assert _cuts_the_due_date_error(found)
    assert 0.77 <= found["coverage"] <= 0.9
