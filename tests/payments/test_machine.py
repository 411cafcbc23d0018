"""Whatever people, days, books and runs do in whatever order, the invariants hold after every step.

The big count is of the ledger (`machine.py`): every verb in every order, with a stand-in for the run that sends nothing. The
second, smaller one is of the product's own run on the local QuickBooks (`sent_histories.py`): it dies, is overtaken, meets faults,
and its ledger is put back from a backup; when the faults stop, everything settles and is judged by QuickBooks' books.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis.errors import Flaky
from sqlalchemy.exc import IntegrityError

from payments.sending import book, drive, fates, legs, runs
from tests.payments.histories import STEPS, run_histories
from tests.payments.mutants import MUTANTS
from tests.payments.scene import Scene
from tests.payments.sent_histories import SENT_STEPS, run_sent_histories
from tests.sandbox import start_sandbox

_SAMPLE = 5
_SAMPLE_STEPS = 30
_LONG = 350
_SENT_SAMPLE = 3
_SENT_SAMPLE_STEPS = 20
_SENT = 40
#: Of the steps that are planned. Hypothesis ends some histories early: of thirty or forty there were 77 to 95 % (measured).
_MOST = 0.7
#: What the wrong programs below replace, to be put back.
_PATCHED: tuple[tuple[Any, str], ...] = (
    *((fates, name) for name in ("paid", "post", "send_written", "unknown")),
    (book, "send"),
    (drive._Run, "_look"),
    (legs, "judge"),
    (runs.Claim, "fence"),
    (runs, "why_not_claimable"),
)


def test_the_invariants_hold_after_every_step(tmp_path: Path, migrated_file: Path) -> None:
    counts = run_histories(tmp_path, migrated_file, histories=_SAMPLE, steps=_SAMPLE_STEPS, seed=3)
    for happened in ("run", "landed", "sync", "day"):
        assert counts[happened], f"no {happened} in {dict(counts)}"


@pytest.mark.long
@pytest.mark.timeout(1_800)
@pytest.mark.parametrize("seed", [7, 20_261_121])
def test_the_invariants_hold_after_every_step_of_many_histories(tmp_path: Path, migrated_file: Path, seed: int) -> None:
    print(f"seed {seed}: {_LONG} histories of {STEPS} steps")  # noqa: T201 - a long test says its seed
    counts = run_histories(tmp_path, migrated_file, histories=_LONG, steps=STEPS, seed=seed)
    print(dict(sorted(counts.items())))  # noqa: T201 - and what happened
    assert counts["step"] >= _MOST * _LONG * STEPS


@pytest.fixture
def scene(tmp_path: Path, migrated_file: Path) -> Iterator[Scene]:
    with start_sandbox(tmp_path) as sandbox:
        opened = Scene(sandbox, tmp_path, migrated=str(migrated_file))
        yield opened
        opened.close()


def test_what_is_really_sent_keeps_the_invariants_and_settles(scene: Scene) -> None:
    seed = 5
    print(f"seed {seed}")  # noqa: T201 - what is drawn says its seed
    counts = run_sent_histories(scene, histories=_SENT_SAMPLE, steps=_SENT_SAMPLE_STEPS, seed=seed)
    for happened in ("run", "payment paid", "history"):
        assert counts[happened], f"no {happened} in {dict(counts)}"


@pytest.mark.long
@pytest.mark.timeout(1_800)
@pytest.mark.parametrize("seed", [11, 20_261_126])
def test_what_is_really_sent_keeps_the_invariants_and_settles_in_many_histories(scene: Scene, seed: int) -> None:
    print(f"seed {seed}: {_SENT} histories of {SENT_STEPS} steps")  # noqa: T201 - a long test says its seed
    counts = run_sent_histories(scene, histories=_SENT, steps=SENT_STEPS, seed=seed)
    print(dict(sorted(counts.items())))  # noqa: T201 - and what happened
    assert counts["step"] >= _MOST * _SENT * SENT_STEPS
    for happened in (
        "run",
        "run that died",
        "run overtaken",
        "restored",
        "bill changed",
        "paid by hand",
        "payment paid",
    ):
        assert counts[happened], f"no {happened} in {dict(counts)}"


@pytest.mark.long
@pytest.mark.parametrize("seed", [20_261_146, 20_261_156])
def test_histories_that_a_campaign_found_go_well(scene: Scene, seed: int) -> None:
    """People end payments after a backup was put back that did not know of their sending."""
    run_sent_histories(scene, histories=2, steps=SENT_STEPS, seed=seed)


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    "name",
    [
        "nothing is looked up",
        "each attempt has a new number and nothing is looked up",
        "no fence",
        "paid money is not posted",
        "unknown frees its money",
        "what is found is left",
        "what is unclear is sent again blindly",
        "the lease of a dead run never ends",
    ],
)
def test_histories_that_are_really_sent_see_a_wrong_program(
    name: str, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No trial is made for these programs here: what is drawn comes upon their fault by itself."""
    for owner, attribute in _PATCHED:
        monkeypatch.setattr(owner, attribute, getattr(owner, attribute))
    MUTANTS[name].apply()
    with pytest.raises((AssertionError, IntegrityError, Flaky)) as seen:
        run_sent_histories(scene, histories=_SENT, steps=SENT_STEPS, seed=11)
    print(f"{name}: {seen.typename}: {str(seen.value)[:200]}")  # noqa: T201 - how it showed
