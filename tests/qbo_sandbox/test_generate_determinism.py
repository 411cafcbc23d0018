"""The same spec gives the same company, byte for byte."""

import os
import subprocess
import sys
import time

import numpy as np
import pytest

from qbo_sandbox.generate import plan
from qbo_sandbox.generate.companies import build_company
from qbo_sandbox.generate.draws import stream
from qbo_sandbox.generate.profiles import INDUSTRIES
from qbo_sandbox.spec import Industry
from tests.qbo_sandbox.generated import SMALL, fingerprint, generated, spec_of

# One worker builds each company once.
pytestmark = pytest.mark.xdist_group("generated companies")

_IN_ANOTHER_PROCESS = """
from qbo_sandbox.spec import Industry
from tests.qbo_sandbox.generated import SMALL, fingerprint, generated
print(fingerprint(generated("professional_services", "micro")), fingerprint(generated("e_commerce", "micro")))
"""


def test_building_a_spec_twice_gives_the_same_bytes() -> None:
    spec = spec_of("professional_services", "micro")
    assert fingerprint(build_company(spec)) == fingerprint(build_company(spec))


@pytest.mark.parametrize("hash_seed", ["1", "77"])
def test_another_process_gives_the_same_bytes(hash_seed: str) -> None:
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "TZ": "Asia/Tokyo"}
    run = subprocess.run(
        [sys.executable, "-c", _IN_ANOTHER_PROCESS], capture_output=True, text=True, check=True, env=environment
    )
    here = [fingerprint(generated("professional_services", "micro")), fingerprint(generated("e_commerce", "micro"))]
    assert run.stdout.split() == here


def test_seed_industry_size_and_day_each_change_the_company() -> None:
    streams = [
        stream(1, "consulting", "micro", "2026-11-20", "bills"),
        stream(2, "consulting", "micro", "2026-11-20", "bills"),
        stream(1, "construction", "micro", "2026-11-20", "bills"),
        stream(1, "consulting", "small", "2026-11-20", "bills"),
        stream(1, "consulting", "micro", "2026-11-21", "bills"),
        stream(1, "consulting", "micro", "2026-11-20", "invoices"),
    ]
    assert len({tuple(rng.integers(1 << 30, size=4)) for rng in streams}) == len(streams)
    assert fingerprint(generated("consulting", "micro")) != fingerprint(generated("consulting", "micro", 2))


def test_a_new_industry_changes_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan, "INDUSTRIES", {"bakery": INDUSTRIES["e_commerce"], **INDUSTRIES})
    assert fingerprint(build_company(spec_of("consulting", "micro"))) == fingerprint(generated("consulting", "micro"))


def test_building_leaves_numpys_global_state_alone() -> None:
    before = np.random.get_state(legacy=False)["state"]["key"].copy()
    build_company(spec_of("consulting", "micro", seed=3))
    assert (np.random.get_state(legacy=False)["state"]["key"] == before).all()


@pytest.mark.long
@pytest.mark.parametrize("industry", SMALL)
def test_a_medium_company_is_built_in_15_seconds_of_one_core(industry: Industry) -> None:
    started = time.process_time()
    build_company(spec_of(industry, "medium"))
    assert time.process_time() - started < 15
