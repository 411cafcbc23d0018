"""Whatever people, days, books and runs do in whatever order, the invariants hold after every step."""

from collections import Counter
from pathlib import Path
from typing import ClassVar

import hypothesis
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.payments.machine import LedgerMachine, template

_SAMPLE = 5
_SAMPLE_STEPS = 30
_LONG = 350
_LONG_STEPS = 50
# A failing history is told as it was found: shrinking one takes longer than a test may.
_SETTINGS = settings(deadline=None, suppress_health_check=list(HealthCheck), phases=(Phase.generate,), database=None)


def _run(folder: Path, migrated: Path, *, examples: int, steps: int, seed: int) -> Counter[str]:
    made = template(folder, migrated)

    @hypothesis.seed(seed)
    class Seeded(LedgerMachine):
        template = made
        counts: ClassVar[Counter[str]] = Counter()

    run_state_machine_as_test(Seeded, settings=settings(_SETTINGS, max_examples=examples, stateful_step_count=steps))
    return Seeded.counts


def test_the_invariants_hold_after_every_step(tmp_path: Path, migrated_file: Path) -> None:
    counts = _run(tmp_path, migrated_file, examples=_SAMPLE, steps=_SAMPLE_STEPS, seed=9)
    for happened in ("run", "landed", "sync", "day"):
        assert counts[happened], f"no {happened} in {dict(counts)}"


@pytest.mark.long
@pytest.mark.timeout(1_800)
@pytest.mark.parametrize("seed", [7, 20_261_121])
def test_the_invariants_hold_after_every_step_of_many_histories(tmp_path: Path, migrated_file: Path, seed: int) -> None:
    print(f"seed {seed}: {_LONG} histories of {_LONG_STEPS} steps")  # noqa: T201 - a long test says its seed
    counts = _run(tmp_path, migrated_file, examples=_LONG, steps=_LONG_STEPS, seed=seed)
    print(dict(sorted(counts.items())))  # noqa: T201 - and what happened
    assert counts["step"] >= _LONG
