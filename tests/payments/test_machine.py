"""Whatever people, days, books and runs do in whatever order, the invariants hold after every step."""

from pathlib import Path

import pytest

from tests.payments.histories import STEPS, run_histories

_SAMPLE = 5
_SAMPLE_STEPS = 30
_LONG = 350


def test_the_invariants_hold_after_every_step(tmp_path: Path, migrated_file: Path) -> None:
    counts = run_histories(tmp_path, migrated_file, histories=_SAMPLE, steps=_SAMPLE_STEPS, seed=9)
    for happened in ("run", "landed", "sync", "day"):
        assert counts[happened], f"no {happened} in {dict(counts)}"


@pytest.mark.long
@pytest.mark.timeout(1_800)
@pytest.mark.parametrize("seed", [7, 20_261_121])
def test_the_invariants_hold_after_every_step_of_many_histories(tmp_path: Path, migrated_file: Path, seed: int) -> None:
    print(f"seed {seed}: {_LONG} histories of {STEPS} steps")  # noqa: T201 - a long test says its seed
    counts = run_histories(tmp_path, migrated_file, histories=_LONG, steps=STEPS, seed=seed)
    print(dict(sorted(counts.items())))  # noqa: T201 - and what happened
    assert counts["step"] >= _LONG
