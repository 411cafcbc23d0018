"""Pay plans of generated cases: how fast, how close to the proven bound, and whether the floor holds.

Four sizes: `large` (200 bills over 90 days, within 5 s each), `small` (up to 60 bills over 30 days at a limit of 20 s for
the solver), `ordinary` (up to 60 bills over 91 days with the default policy, as an asset runs it) and `steady` (as `large`,
but money comes in on every business day, which leaves the solver the most to choose from; no bar). The cost is what scarce
cash costs: above every bill paid on its cheapest day, so that no constant makes a gap look small.
The last line is one JSON object.
"""

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # the tests draw their cases from the same place

from runway_calcs.pay_plan.plan import PayPlan
from runway_calcs.policy import PlanPolicy
from tests.runway_calcs.plan_cases import PlanCase, plan_case, steady_case

LARGE_SECONDS = 5.0
LARGE_GAP_PPM = 20_000
SMALL_RATIO = 1.01


def main() -> int:
    """Measure, report; 1 if a bar is not held."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--size", choices=["large", "small", "ordinary", "steady", "all"], default="all")
    arguments.add_argument("--seed", type=int, default=0, help="the first seed")
    arguments.add_argument(
        "--cases", type=int, help="cases of each size: 10 large, 500 small, 100 ordinary, 10 steady by default"
    )
    asked = arguments.parse_args()
    figures: dict[str, Any] = {}
    for size, measure in (("large", large), ("small", small), ("ordinary", ordinary), ("steady", steady)):
        if asked.size in {size, "all"}:
            figures[size] = measure(asked.seed, cases=asked.cases)
            print(json.dumps({size: figures[size]}))
    print(json.dumps(figures))
    return int(not all(held for size in figures.values() for held in size["bars"].values()))


def large(seed: int, *, cases: int | None) -> dict[str, Any]:
    policy = PlanPolicy(gap_ppm=5_000)
    figures, plans = run([plan_case(seed + n, bills=200, days=90) for n in range(cases or 10)], policy=policy)
    near = sum(plan.gap_ppm <= LARGE_GAP_PPM for plan in plans)
    figures["bars"] = {
        "within_5_s": figures["seconds"]["most"] <= LARGE_SECONDS,
        "gap_2_percent_in_9_of_10": near * 10 >= len(plans) * 9,
        "no_floor_violations": figures["floor_violations"] == 0,
    }
    return figures


def small(seed: int, *, cases: int | None) -> dict[str, Any]:
    policy = PlanPolicy(gap_ppm=5_000, time_limit_seconds=20)
    drawn = [plan_case(seed + n, bills=60 - n % 50, days=30) for n in range(cases or 500)]
    figures, plans = run(drawn, policy=policy)
    figures["bars"] = {
        "cost_within_1.01_of_the_bound": all(plan.cost_micro <= SMALL_RATIO * plan.bound_micro for plan in plans),
        "no_floor_violations": figures["floor_violations"] == 0,
    }
    return figures


def ordinary(seed: int, *, cases: int | None) -> dict[str, Any]:
    drawn = [plan_case(seed + n, bills=60 - n % 50, days=91) for n in range(cases or 100)]
    figures, _ = run(drawn, policy=PlanPolicy())
    figures["bars"] = {"no_floor_violations": figures["floor_violations"] == 0}
    return figures


def steady(seed: int, *, cases: int | None) -> dict[str, Any]:
    drawn = [steady_case(seed + n, bills=200, days=90) for n in range(cases or 10)]
    figures, _ = run(drawn, policy=PlanPolicy(gap_ppm=5_000))
    figures["bars"] = {"no_floor_violations": figures["floor_violations"] == 0}
    return figures


def run(cases: list[PlanCase], *, policy: PlanPolicy) -> tuple[dict[str, Any], list[PayPlan]]:
    plans, wall, processor = [], [], []
    for case in cases:
        started, used = time.perf_counter(), time.process_time()
        plans.append(case.plan(policy))
        wall.append(time.perf_counter() - started)
        processor.append(time.process_time() - used)
    gaps = np.array([plan.gap_ppm for plan in plans]) / 10_000
    violations = sum(
        plan.shortfall is None and plan.low_cents < case.cash.floor_cents
        for case, plan in zip(cases, plans, strict=True)
    )
    figures = {
        "cases": len(cases),
        "time_limit_seconds": policy.time_limit_seconds,
        "gap_asked_percent": policy.gap_ppm / 10_000,
        "seconds": spread(wall),
        "processor_seconds": spread(processor),
        "gap_percent": spread(gaps.tolist()),
        "tight": sum(plan.cost_micro > 0 for plan in plans),
        "not_feasible": sum(plan.shortfall is not None for plan in plans),
        "stops": {stop: sum(plan.stop == stop for plan in plans) for stop in sorted({plan.stop for plan in plans})},
        "not_repeatable": sum(not plan.is_repeatable for plan in plans),
        "floor_violations": violations,
    }
    return figures, plans


def spread(values: list[float]) -> dict[str, float]:
    found = np.array(values)
    return {
        "median": round(float(np.median(found)), 4),
        "p95": round(float(np.quantile(found, 0.95)), 4),
        "most": round(float(found.max()), 4),
        "sum": round(float(found.sum()), 1),
    }


if __name__ == "__main__":
    sys.exit(main())
