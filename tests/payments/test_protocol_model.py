"""The protocol explored exhaustively: no payment twice while a net remains, none lost, none stuck; and the model sees bugs."""

import itertools

import pytest

from tests.payments.protocol_model import Explored, Intent, World, explore
from tests.payments.trials import Trial

_CELLS = tuple(
    itertools.product(("honours", "forgets", "faults"), (False, True), (False, True), (False, True), (False, True))
)


def _world(keys: str, again: bool, number: bool, twice: bool, still: bool, **more: object) -> World:  # noqa: FBT001 - a cell
    return World(
        keys=keys,
        accepts_again=again,
        is_whole=not again,
        refuses_duplicate_number=number,
        delivers_twice=twice,
        stands_still=still,
        **more,  # type: ignore[arg-type]
    )


def _sound(world: World) -> Explored:
    found = explore(world)
    assert found.wrong == {}, world
    assert found.stuck == 0, world
    return found


def test_a_double_is_reachable_exactly_where_no_net_remains() -> None:
    """The cells are derived by exploring; the rule that the campaign judges by says the same of each."""
    states = 0
    for cell in _CELLS:
        world = _world(*cell)
        found = _sound(world)
        states += found.states
        assert (found.doubles > 0) == world.has_no_net, cell
        assert _trial(*cell).has_no_net == world.has_no_net, cell
    assert states >= 60_000, states


def _trial(keys: str, again: bool, number: bool, twice: bool, still: bool) -> Trial:  # noqa: FBT001 - a cell
    return Trial(
        seed=0,
        request_ids={"honours": "honoured", "forgets": "ignored", "faults": "answers_6000"}[keys],
        duplicate_doc_number="refuse" if number else "accept",
        bills=((30_000, 10_000 if again else 30_000),),
        faults=(("double_delivery", 0),) if twice else (),
        deaths=(("send.before", 1, "stop"),) if still else (),
    )


@pytest.mark.parametrize("starts", [Intent.SCHEDULED, Intent.DELAYED])
def test_a_payment_that_comes_due_goes_the_same_way(starts: Intent) -> None:
    _sound(World(starts=starts))


@pytest.mark.parametrize("keys", ["honours", "forgets", "faults"])
def test_a_restored_ledger_pays_nothing_again(keys: str) -> None:
    assert _sound(World(keys=keys, restored=True, accepts_again=True, is_whole=False)).doubles == 0


@pytest.mark.parametrize(
    ("bug", "problem", "world"),
    [
        ("no look", "paid twice", {"keys": "forgets", "accepts_again": True, "is_whole": False}),
        ("no fence", "paid twice", {"keys": "forgets", "accepts_again": True, "is_whole": False}),
        ("no settling", "paid twice", {"keys": "forgets", "accepts_again": True, "is_whole": False}),
        ("new key", "paid twice", {"accepts_again": True, "is_whole": False, "stands_still": True}),
        ("blind resend", "paid twice", {"accepts_again": True, "is_whole": False, "stands_still": True}),
        ("send before intent", "ready, and the books have it", {}),
        ("a fault is a refusal", "ended, and the books have it", {"keys": "faults", "stands_still": True}),
        ("no answer is a refusal", "ended, and the books have it", {}),
    ],
)
def test_the_model_sees_a_seeded_bug(bug: str, problem: str, world: dict[str, object]) -> None:
    assert problem in explore(World(bug=bug, **world)).wrong  # type: ignore[arg-type]
    assert explore(World(**world)).wrong == {}  # type: ignore[arg-type]


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_three_runs_and_three_attempts_hold_the_same() -> None:
    states = 0
    for cell in _CELLS:
        world = _world(*cell, runs=3, most_attempts=3)
        found = _sound(world)
        states += found.states
        assert (found.doubles > 0) == world.has_no_net, cell
    assert states > 1_000_000, states
