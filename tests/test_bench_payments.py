"""The benchmark of payments runs: each bar has its figure, and the exit code says whether all hold."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.bench_payments import AT_LEAST, AT_MOST

_ROOT = Path(__file__).parents[1]


@pytest.mark.long
@pytest.mark.timeout(600)
def test_three_tenants_give_every_figure_and_an_exit_code_that_fits_them() -> None:
    command = [
        sys.executable,
        "-W",
        "ignore",
        "-m",
        "benchmarks.bench_payments",
        "--tenants",
        "3",
        "--engine",
        "sqlite",
    ]
    done = subprocess.run(command, cwd=_ROOT, capture_output=True, text=True, check=False)
    assert done.returncode in {0, 1}, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    bars = told["within_bars"]
    assert bars.keys() == {f"{name}_sqlite" for name in (*AT_MOST, *AT_LEAST)}
    assert all(isinstance(told[name], float | int) for name in bars)
    assert done.returncode == (0 if all(bars.values()) else 1), "this machine may be too busy for a bar"
