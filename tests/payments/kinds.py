"""The kinds of trials of the fault campaign: how many a release has, in which order, and what share of the time each may take.

Belongs here: the table. Does not: the trials, the loop (`campaign.py`).
"""

from collections.abc import Callable
from dataclasses import dataclass

from tests.payments.bank_trials import play_bank
from tests.payments.cells import CELLS, play_cells
from tests.payments.clock_jumps import play_jumps
from tests.payments.daemons import play_daemons, play_run_deaths
from tests.payments.desk_trials import play_desk, play_finalizers
from tests.payments.full_disks import play_full_disk
from tests.payments.histories import play_histories
from tests.payments.locked_ledgers import play_locked
from tests.payments.restores import play_restore
from tests.payments.scene import Counts, Scene
from tests.payments.sending_trials import play
from tests.payments.sent_histories import play_sent_histories
from tests.payments.tenants_at_once import play_tenants
from tests.payments.trials import KILL, STOP, deadly, drawn, walked

#: What a run of the whole campaign has.
RELEASE_SECONDS = 4_500.0


def _deaths(counts: Counts, action: str) -> int:
    return sum(number for name, number in counts.deaths.items() if name.endswith(f" {action}"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of trials; `seed` + n names its n-th."""

    name: str
    play: Callable[[Scene, int], object]
    #: How much of what it counts a release has.
    release: int
    counted: Callable[[Counts], int]
    #: Its share of the time.
    share: float
    #: Seconds that one trial takes: it is left out where its share is less.
    shortest: float = 0.0


#: In the order in which time is spent, so that what matters most is done when time is short.
KINDS = (
    Kind(
        name="walk",
        play=lambda scene, number: play(scene, walked(number)),
        release=40,
        counted=lambda counts: counts.trials,
        share=0.005,
    ),
    Kind(
        name="kill",
        play=lambda scene, seed: play(scene, deadly(seed, action=KILL)),
        release=13_000,
        counted=lambda counts: _deaths(counts, KILL),
        share=0.23,
    ),
    Kind(
        name="kill at the desk",
        play=play_desk,
        release=7_500,
        counted=lambda counts: _deaths(counts, KILL),
        share=0.14,
    ),
    Kind(
        name="stop",
        play=lambda scene, seed: play(scene, deadly(seed, action=STOP)),
        release=4_000,
        counted=lambda counts: _deaths(counts, STOP),
        share=0.09,
    ),
    Kind(
        name="bank",
        play=play_bank,
        release=2_000,
        counted=lambda counts: _deaths(counts, KILL),
        share=0.055,
    ),
    Kind(name="cells", play=play_cells, release=CELLS, counted=lambda counts: counts.more["cells"], share=0.25),
    Kind(
        name="drawn",
        play=lambda scene, seed: play(scene, drawn(seed)),
        release=1_000,
        counted=lambda counts: counts.trials,
        share=0.02,
    ),
    Kind(
        name="finalizers",
        play=play_finalizers,
        release=2_000,
        counted=lambda counts: counts.more["finalizations"],
        share=0.045,
    ),
    Kind(
        name="tenants at once",
        play=play_tenants,
        release=100,
        counted=lambda counts: counts.more["tenants at once"],
        share=0.04,
        shortest=60.0,
    ),
    Kind(
        name="restores",
        play=play_restore,
        release=500,
        counted=lambda counts: counts.more["restores"],
        share=0.015,
    ),
    Kind(
        name="clock jumps",
        play=play_jumps,
        release=900,
        counted=lambda counts: counts.more["clock jumps"],
        share=0.01,
    ),
    Kind(
        name="full disks",
        play=play_full_disk,
        release=300,
        counted=lambda counts: counts.trials,
        share=0.01,
    ),
    Kind(
        name="locked ledgers",
        play=play_locked,
        release=120,
        counted=lambda counts: counts.more["locked ledgers"],
        share=0.01,
    ),
    Kind(
        name="histories",
        play=play_histories,
        release=250_000,
        counted=lambda counts: counts.more["steps"],
        share=0.07,
    ),
    Kind(
        name="sent histories",
        play=play_sent_histories,
        release=5_000,
        counted=lambda counts: counts.more["sent steps"],
        share=0.03,
    ),
    Kind(
        name="daemons",
        play=play_daemons,
        release=50,
        counted=lambda counts: counts.more["batches raced for"],
        share=0.05,
        shortest=45.0,
    ),
    Kind(
        name="killed runs",
        play=play_run_deaths,
        release=8,
        counted=lambda counts: counts.more["killed runs of Dagster"],
        share=0.045,
        shortest=150.0,
    ),
)
