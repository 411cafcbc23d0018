"""A sample of the fault campaign, judged by the books of the local QuickBooks; `make faults` runs it at length."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.engine import make_url

from payments.sending.points import DESK_POINTS, SEND_POINTS
from tests.databases import empty
from tests.payments import sending_trials
from tests.payments.bank_plans import BOOK, RAIL, BankDeath, BankTrial, GivesBack
from tests.payments.bank_trials import play_bank, play_bank_trial
from tests.payments.cells import play_cells
from tests.payments.clock_jumps import JumpTrial, play_jump_trial
from tests.payments.daemons import RUN_DEATHS, SENSOR_DEATHS, play_daemons, play_run_deaths
from tests.payments.desk_trials import play_desk, play_finalizers
from tests.payments.full_disks import play_full_disk
from tests.payments.kinds import KINDS
from tests.payments.locked_ledgers import play_locked_at
from tests.payments.mutants import MUTANTS
from tests.payments.restores import play_restore
from tests.payments.scene import Scene, open_scene
from tests.payments.tenants_at_once import play_tenants
from tests.payments.trials import KILL, STOP, Trial, drawn, walked
from tests.payments.zygote import LOCKED
from tests.postgres import Postgres

_POINTS = tuple(SEND_POINTS)
#: Points between which the fate of a payment changes; all are in the long suite.
_CRITICAL = ("send.after_bytes", "answer.before_record", "adopt.in")
_STOPPED = len(_POINTS)


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory, migrated_file: Path) -> Iterator[Scene]:
    with open_scene(tmp_path_factory.mktemp("campaign"), migrated=str(migrated_file)) as opened:
        yield opened


@pytest.fixture
def scene_on_postgres(tmp_path: Path, postgres: Postgres, migrated_url: str) -> Iterator[Scene]:
    empty(migrated_url)  # it is copied, and another test may have left rows in it
    migrated = make_url(migrated_url).database
    with open_scene(tmp_path, server=postgres, migrated=str(migrated)) as opened:
        yield opened


def _play(scene: Scene, trial: Trial) -> dict[str, int]:
    known = len(scene.counts.wrong)
    states = sending_trials.play(scene, trial)
    assert scene.counts.wrong[known:] == [], trial
    return dict(states)


@pytest.mark.parametrize("point", _CRITICAL)
def test_a_run_killed_at_a_point_pays_once(scene: Scene, point: str) -> None:
    before = scene.counts.deaths[f"{point} kill"]
    assert _play(scene, walked(_POINTS.index(point))) == {"paid": 1}
    assert scene.counts.deaths[f"{point} kill"] == before + 1, "the point was not reached"


@pytest.mark.parametrize("point", [pytest.param("intent.after", marks=pytest.mark.long), "send.before"])
def test_a_run_that_stood_still_while_another_took_over_pays_nothing_twice(scene: Scene, point: str) -> None:
    before = scene.counts.deaths[f"{point} stop"]
    assert _play(scene, walked(_STOPPED + _POINTS.index(point))) == {"paid": 1}
    assert scene.counts.deaths[f"{point} stop"] == before + 1, "the point was not reached"


@pytest.mark.parametrize(
    ("seed", "bill", "overpaying_line"),
    [
        (-1_000, (30_000, 10_000), "refuse"),
        # The second record is cut down to what is owed, so the answer of the late send is that of another payment.
        (-1_010, (30_000, 30_000), "cap"),
    ],
)
def test_a_send_of_a_run_that_stood_still_is_the_double_nobody_can_prevent_and_a_run_raises_it(
    scene: Scene, seed: int, bill: tuple[int, int], overpaying_line: str
) -> None:
    quickbooks = {"request_ids": "ignored", "overpaying_line": overpaying_line}
    trial = Trial(seed=seed, bills=(bill,), deaths=(("send.before", 1, "stop"),), **quickbooks)
    assert trial.has_no_net
    raised = scene.counts.doubles_raised_by_a_run
    _play(scene, trial)
    assert scene.counts.doubles_raised_by_a_run == raised + 1


def _at_the_bank(scene: Scene, trial: BankTrial) -> None:
    known = len(scene.counts.wrong)
    play_bank_trial(scene, trial)
    assert scene.counts.wrong[known:] == [], trial


def test_money_moves_once_and_is_recorded_once_though_runs_die_on_both_legs(scene: Scene) -> None:
    """What came back is voided in the books, decided again and paid."""
    before = scene.counts.more.copy()
    deaths = (
        BankDeath(leg=RAIL, point="answer.before_record", passage=1, action=KILL),
        BankDeath(leg=BOOK, point="send.after_bytes", passage=1, action=KILL),
    )
    bills = ((10_000, 10_000), (5_000, 2_000))
    given_back = GivesBack(after=len(deaths), is_followed=True)
    wanted = {"request_ids": "ignored", "bills": bills, "gives_back": given_back}
    _at_the_bank(scene, BankTrial(seed=-1_007, deaths=deaths, **wanted))
    counted = scene.counts.more - before
    assert {name: counted[name] for name in ("killed at the bank", "killed at the books", "stopped at the books")} == {
        "killed at the bank": 1,
        "killed at the books": 1,
        "stopped at the books": 0,
    }
    assert counted["paid again after a return"] == 1


def test_an_instruction_sent_by_a_run_that_stood_still_is_the_double_nobody_can_prevent_and_it_is_raised(
    scene: Scene,
) -> None:
    death = BankDeath(leg=RAIL, point="send.before", passage=1, action=STOP)
    doubled, raised = scene.counts.doubled, scene.counts.doubles_raised
    _at_the_bank(scene, BankTrial(seed=-1_008, request_ids="ignored", deaths=(death,)))
    assert (scene.counts.doubled, scene.counts.doubles_raised) == (doubled + 1, raised + 1)
    _at_the_bank(scene, BankTrial(seed=-1_009, deaths=(death,)))
    assert scene.counts.doubled == doubled + 1, "a bank that keeps its promise about keys is the net"


def _judged(scene: Scene, play: Callable[..., object], seed: int, **more: object) -> None:
    known = len(scene.counts.wrong)
    play(scene, seed, **more)
    assert scene.counts.wrong[known:] == []


def test_no_decision_that_was_answered_is_lost_when_the_process_dies(scene: Scene) -> None:
    deaths = [(point, 1, "kill") for point in ("decide.in", "decide.after", "finalize.after", "schedule.promote.in")]
    _judged(scene, play_desk, -1_002, deaths=deaths)
    assert {f"{point} kill" for point, _, _ in deaths} <= set(scene.counts.deaths)


def test_eight_processes_that_seal_the_same_decisions_make_one_batch_that_is_paid_once(scene: Scene) -> None:
    _judged(scene, play_finalizers, 3)


def test_soft_crashes_in_cells_of_the_matrix_pay_once(scene: Scene) -> None:
    before = scene.counts.more["cells that crashed"]
    for number in (0, 4):
        _judged(scene, play_cells, number)
    assert scene.counts.more["cells that crashed"] > before


@pytest.mark.parametrize("requests", [5, pytest.param(50, marks=pytest.mark.long)])
def test_requests_in_a_row_that_are_too_many_only_put_a_payment_off(scene: Scene, requests: int) -> None:
    assert _play(scene, Trial(seed=-1_005, throttled=requests)) == {"paid": 1}


def test_a_vendor_made_inactive_between_look_and_send_is_refused_with_the_reason(scene: Scene) -> None:
    assert _play(scene, Trial(seed=-1_006, bills=((10_000, 10_000), (5_000, 2_000)), vendor_goes=True)) == {
        "refused": 2
    }


def test_two_runs_at_once_pay_once(scene: Scene) -> None:
    assert _play(scene, Trial(seed=-1_001, bills=((10_000, 10_000), (5_000, 2_000)), doubled=True)) == {"paid": 2}


def test_a_clock_that_is_set_while_a_payment_is_under_way_pays_nothing_twice(scene: Scene) -> None:
    """An hour later by the clock the payment is still on its way, and only waiting guards it."""
    bare = Trial(seed=-1_003, request_ids="ignored", bills=((30_000, 10_000),))
    jumps = JumpTrial(seed=-1_003, point="", action="", is_slow=True, jumps=(3_600, 290, -3_600), trial=bare)
    _judged(scene, lambda scene, _: play_jump_trial(scene, jumps), -1_003)


def test_a_ledger_put_back_pays_nothing_again(scene: Scene) -> None:
    for moment in (1, 4):  # before the decision, in the middle of the run
        _judged(scene, play_restore, moment)


def test_three_tenants_whose_runs_die_side_by_side_pay_once_each_in_their_own_books(scene: Scene) -> None:
    before = scene.counts.more["tenants at once"]
    _judged(scene, play_tenants, 5, tenants=3)
    assert scene.counts.more["tenants at once"] == before + 3


@pytest.mark.long
@pytest.mark.timeout(1200)
def test_a_hundred_tenants_whose_runs_die_side_by_side_pay_once_each_in_their_own_books(scene: Scene) -> None:
    _judged(scene, play_tenants, 6)
    print(scene.counts.summary())  # noqa: T201 - a long run says what it did


def test_work_that_finds_the_disk_full_goes_on_when_there_is_room(scene: Scene) -> None:
    before = scene.counts.more["runs that found no room"]
    _judged(scene, play_full_disk, 3)
    assert scene.counts.more["runs that found no room"] > before


@pytest.mark.parametrize(
    "name",
    [
        "intent.in",
        "confirm.in",
        "close.in",
        *(pytest.param(one, marks=pytest.mark.long) for one in ("claim.in", "unknown.in")),
    ],
)
def test_a_run_that_cannot_write_for_too_long_loses_nothing_and_pays_once(scene: Scene, name: str) -> None:
    before = scene.counts.ends[f"exited {LOCKED}"]
    _judged(scene, lambda scene, seed: play_locked_at(scene, name, seed=seed, is_short=False), -1_004)
    assert scene.counts.ends[f"exited {LOCKED}"] == before + 1


@pytest.mark.xdist_group("postgres")
def test_the_same_holds_on_postgres(scene_on_postgres: Scene) -> None:
    for number in (_POINTS.index("answer.before_record"), _STOPPED + _POINTS.index("send.before")):
        assert _play(scene_on_postgres, walked(number)) == {"paid": 1}


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.xdist_group("postgres")
def test_trials_of_each_kind_hold_on_postgres(scene_on_postgres: Scene) -> None:
    for seed in range(4):
        for kind in KINDS:
            if kind.name not in (
                "full disks",
                "locked ledgers",
                "daemons",
                "killed runs",
                "histories",
                "tenants at once",
            ):
                _judged(scene_on_postgres, kind.play, seed)
    _judged(scene_on_postgres, play_tenants, 7, tenants=20)
    print(scene_on_postgres.counts.summary())  # noqa: T201 - a long run says what it did


@pytest.mark.long
@pytest.mark.timeout(900)
def test_two_daemons_on_one_home_pay_once(scene: Scene) -> None:
    _judged(scene, play_daemons, 1)


@pytest.mark.long
@pytest.mark.timeout(900)
def test_runs_of_a_real_dagster_that_are_killed_lose_nothing_and_pay_once(scene: Scene) -> None:
    before = scene.counts.more["killed runs of Dagster"]
    for seed in (6, 7):  # the daemon is killed with a run of the second
        _judged(scene, play_run_deaths, seed)
    assert scene.counts.more["killed runs of Dagster"] == before + 2 * len(RUN_DEATHS)
    assert all(scene.counts.more[f"killed sensors of Dagster at {point}"] for point in SENSOR_DEATHS)


def _mutants() -> list[Any]:
    """A sample for everybody; the others are in the long suite."""
    sample = ("nothing is looked up", "no fence", "each attempt has a new number and nothing is looked up")
    return [pytest.param(name, marks=[] if name in sample else [pytest.mark.long]) for name in MUTANTS]


@pytest.mark.parametrize("name", _mutants())
def test_a_wrong_program_is_found_out(scene: Scene, name: str) -> None:
    """With the trial's plan alone nothing is wrong; with the mutant something is."""
    trial = MUTANTS[name].trial
    play: Callable[..., object] = play_bank_trial if isinstance(trial, BankTrial) else sending_trials.play
    known = len(scene.counts.wrong)
    play(scene, trial)
    assert scene.counts.wrong[known:] == [], trial
    play(scene, replace(trial, seed=trial.seed - 1_000), mutant=name)
    found = scene.counts.wrong[known:]
    del scene.counts.wrong[known:]
    assert found, f"nobody noticed: {name}"


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_a_run_killed_or_stopped_at_every_point_pays_once(scene: Scene) -> None:
    for number in range(2 * len(_POINTS)):
        _play(scene, walked(number))
    reached = {name.rsplit(" ", 1)[0] for name in scene.counts.deaths}
    assert reached == set(SEND_POINTS)


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_work_at_the_desk_that_dies_at_every_point_is_done_once(scene: Scene) -> None:
    for number, point in enumerate(DESK_POINTS):
        _judged(scene, play_desk, -2_000 - number, deaths=[(point, 1, "kill")])
    assert {f"{point} kill" for point in DESK_POINTS} <= set(scene.counts.deaths)


@pytest.mark.long
@pytest.mark.timeout(900)
def test_drawn_batches_at_the_bank_are_paid_once(scene: Scene) -> None:
    for seed in range(1, 61):
        _judged(scene, play_bank, seed)
    assert scene.counts.more["killed at the bank"] > 0
    assert scene.counts.more["killed at the books"] > 0


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_drawn_trials_hold_what_is_promised(scene: Scene) -> None:
    for seed in range(1, 121):
        _play(scene, drawn(seed))
    print(scene.counts.summary())  # noqa: T201 - a long run says what it did
