"""Histories of the ledger as hypothesis makes them up, in any number: people, days, books and runs in any order.

Belongs here: running the state machine (`machine.py`) from a seed. Does not: its rules.
"""

from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import ClassVar

import hypothesis
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.payments.machine import LedgerMachine, machine_database, template
from tests.payments.scene import Scene

STEPS = 50
_AT_ONCE = 4
# A failing history is told as it was found: shrinking one takes longer than a test may.
SETTINGS = settings(deadline=None, suppress_health_check=list(HealthCheck), phases=(Phase.generate,), database=None)


def run_histories(folder: Path, migrated: Path, *, histories: int, steps: int, seed: int) -> Counter[str]:
    """So many histories, the invariants checked after every step; what happened. Raises what broke."""
    made = template(folder, migrated)
    with closing(machine_database(folder)) as kept:

        @hypothesis.seed(seed)
        class Seeded(LedgerMachine):
            template = made
            database = kept
            counts: ClassVar[Counter[str]] = Counter()

        run_state_machine_as_test(
            Seeded, settings=settings(SETTINGS, max_examples=histories, stateful_step_count=steps)
        )
        return Seeded.counts


def play_histories(scene: Scene, seed: int) -> None:
    """Some histories of a seed."""
    folder = scene.folder / "histories"
    folder.mkdir(exist_ok=True)
    try:
        happened = run_histories(folder, scene.migrated, histories=_AT_ONCE, steps=STEPS, seed=seed)
    except AssertionError as broken:
        scene.counts.wrong.append(f"histories {seed}: {broken}")
        return
    scene.counts.more["steps"] += happened["step"]
    scene.counts.more["histories"] += _AT_ONCE
