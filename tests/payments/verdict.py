"""What a campaign of faults came to: what its workers did in all, against a release, and whether that is good enough.

Belongs here: adding up, the counts of a release, the verdict. Does not: trials, what one trial is judged by (`judging.py`).
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from payments.sending.points import DESK_POINTS, SEND_POINTS
from tests.payments.cells import CELLS
from tests.payments.kinds import KINDS
from tests.payments.scene import Counts
from tests.payments.trials import KILL, STOP

#: What a release has of each, and a point of its kills.
RELEASE: Mapping[str, int] = {
    "kills": 20_000,
    "kills at the point that has fewest": 400,
    "stops": 4_000,
    "cells": CELLS,
    "steps of histories": 250_000,
    "server faults": 60_000,
    "finalizations by eight": 2_000,
    "batches two daemons raced for": 50,
    "restores": 500,
    "tenants at once": 100,
}
#: The share of payments that may be left to a person though no business fault met them; of a few nothing is concluded.
_MOST_REVIEWED, _ENOUGH = 0.01, 500


def verdict(parts: Sequence[Mapping[str, Any]], *, is_whole: bool) -> dict[str, Any]:
    """What all workers did: each kind and each count against a release, everything that was counted, what is wrong.

    `parts` are the workers' kinds with seconds and counts. Where nothing was left out (`is_whole`: all kinds, a release's time), or
    the counts of all kinds were reached, a point without a kill is wrong.
    """
    total, kinds = _together(parts)
    if total.reviews > _MOST_REVIEWED * max(total.without_business_fault, _ENOUGH):
        share = f"{total.reviews} of {total.without_business_fault}"
        total.wrong.append(f"{share} payments without a business fault are left to a person")
    kills = _by_point(total, KILL)
    never = sorted(point for point, count in kills.items() if not count)
    is_done = all(kind.name in kinds and kinds[kind.name]["done"] >= kind.release for kind in KINDS)
    if is_whole or is_done:
        total.wrong += [f"no process was killed at {point}" for point in never]
    reached = _reached(total, kills)
    release = {name: {"reached": reached[name], "aimed": aimed} for name, aimed in RELEASE.items()}
    return {
        "kinds": kinds,
        **total.summary(),
        "kills_by_point": kills,
        "points_never_reached": never,
        "release": release,
        "is_release": all(one["reached"] >= one["aimed"] for one in release.values()),
    }


def _together(parts: Sequence[Mapping[str, Any]]) -> tuple[Counts, dict[str, dict[str, Any]]]:
    """All counts, and by kind what was done in how many seconds of one worker."""
    total, kinds = Counts(), {}
    for kind in KINDS:
        mine = Counts()
        seconds = 0.0
        for part in parts:
            if kind.name in part:
                mine.add(part[kind.name]["counts"])
                seconds += part[kind.name]["seconds"]
        if mine.trials or mine.more:
            kinds[kind.name] = {"done": kind.counted(mine), "release": kind.release, "seconds": round(seconds, 1)}
            total.add(mine.summary())
    return total, kinds


def _by_point(total: Counts, action: str) -> dict[str, int]:
    return {point: total.deaths[f"{point} {action}"] for point in (*SEND_POINTS, *DESK_POINTS)}


def _reached(total: Counts, kills: Mapping[str, int]) -> Counter[str]:
    more = total.more
    return Counter(
        {
            "kills": sum(kills.values()),
            "kills at the point that has fewest": min(kills.values()),
            "stops": sum(_by_point(total, STOP).values()),
            "cells": more["cells"],
            "steps of histories": more["steps"],
            "server faults": sum(total.faults.values()),
            "finalizations by eight": more["finalizations"],
            "batches two daemons raced for": more["batches raced for"],
            "restores": more["restores"],
            "tenants at once": more["tenants at once"],
        }
    )
