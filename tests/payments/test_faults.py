"""A sample of the fault campaign, judged by the books of the local QuickBooks; `make faults` runs it at length."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from payments.points import SEND_POINTS
from tests.payments.campaign import Campaign, drawn, open_campaign, walked
from tests.payments.mutants import MUTANTS
from tests.payments.trials import Trial

_POINTS = tuple(SEND_POINTS)
#: Points between which the fate of a payment changes; all are in the long suite.
_CRITICAL = ("send.after_bytes", "answer.before_record", "adopt.in")
_STOPPED = len(_POINTS)


@pytest.fixture(scope="module")
def campaign(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Campaign]:
    with open_campaign(tmp_path_factory.mktemp("campaign")) as opened:
        yield opened


def _play(campaign: Campaign, trial: Trial) -> dict[str, int]:
    known = len(campaign.counts.wrong)
    states = campaign.play(trial)
    assert campaign.counts.wrong[known:] == [], trial
    return dict(states)


@pytest.mark.parametrize("point", _CRITICAL)
def test_a_run_killed_at_a_point_pays_once(campaign: Campaign, point: str) -> None:
    before = campaign.counts.deaths[f"{point} kill"]
    assert _play(campaign, walked(_POINTS.index(point))) == {"paid": 1}
    assert campaign.counts.deaths[f"{point} kill"] == before + 1, "the point was not reached"


@pytest.mark.parametrize("point", [pytest.param("intent.after", marks=pytest.mark.long), "send.before"])
def test_a_run_that_stood_still_while_another_took_over_pays_nothing_twice(campaign: Campaign, point: str) -> None:
    before = campaign.counts.deaths[f"{point} stop"]
    assert _play(campaign, walked(_STOPPED + _POINTS.index(point))) == {"paid": 1}
    assert campaign.counts.deaths[f"{point} stop"] == before + 1, "the point was not reached"


def test_a_stopped_run_of_a_part_payment_is_the_double_nobody_can_prevent_and_it_is_raised(campaign: Campaign) -> None:
    trial = Trial(seed=-1_000, request_ids="ignored", bills=((30_000, 10_000),), deaths=(("send.before", 1, "stop"),))
    assert trial.has_no_net
    raised = campaign.counts.doubles_raised
    _play(campaign, trial)
    assert campaign.counts.doubles_raised == raised + 1


def test_two_runs_at_once_pay_once(campaign: Campaign) -> None:
    assert _play(campaign, Trial(seed=-1_001, bills=((10_000, 10_000), (5_000, 2_000)), doubled=True)) == {"paid": 2}


def _mutants() -> list[Any]:
    """A sample for everybody; the others are in the long suite."""
    sample = ("nothing is looked up", "no fence")
    return [pytest.param(name, marks=[] if name in sample else [pytest.mark.long]) for name in MUTANTS]


@pytest.mark.parametrize("name", _mutants())
def test_a_wrong_program_is_found_out(campaign: Campaign, name: str) -> None:
    """With the trial's plan alone nothing is wrong; with the mutant something is."""
    trial = MUTANTS[name].trial
    _play(campaign, trial)
    known = len(campaign.counts.wrong)
    campaign.play(replace(trial, seed=trial.seed - 1_000), mutant=name)
    found = campaign.counts.wrong[known:]
    del campaign.counts.wrong[known:]
    assert found, f"nobody noticed: {name}"


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_a_run_killed_or_stopped_at_every_point_pays_once(campaign: Campaign) -> None:
    for number in range(2 * len(_POINTS)):
        _play(campaign, walked(number))
    reached = {name.rsplit(" ", 1)[0] for name in campaign.counts.deaths}
    assert reached == set(SEND_POINTS)


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_drawn_trials_hold_what_is_promised(campaign: Campaign) -> None:
    for seed in range(1, 121):
        _play(campaign, drawn(seed))
    print(campaign.counts.summary())  # noqa: T201 - a long run says what it did
