"""The Friday run of 20 small tenants, split into HTTP, our own work and Dagster's own time.

Every tenant is run twice, in turn: once through the jobs as `runway friday` runs them, and once by calling the same work
directly, in an installation of its own on the same local QuickBooks. What Dagster costs is the difference of the two in the
same run; what HTTP costs is timed at the client. The last line is one JSON object.
"""

import json
import os
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg
from rich.console import Console
from rich.progress import track

from assets.books import POSITIONS, make_ledger
from assets.calculators import CALCULATORS
from assets.desk import newest_desk
from assets.experiences import DIGESTS
from assets.priorities import PRIORITIES
from cli.runs import JobRunner
from migrations.chain import upgrade
from resources.installation import Installation, RunWeek
from resources.qbo.client import QboClient
from resources.settings import Settings
from resources.tenants import Tenant, tenant_id
from tests.consent import connect
from tests.sandbox import Sandbox, start_sandbox

TENANTS = int(os.environ.get("BENCH_TENANTS", "20"))
AS_OF = date(2026, 11, 20)
INDUSTRIES = ("marketing_agency", "construction", "professional_services", "e_commerce", "consulting")


class TimedClient(QboClient):
    """The real client, with a stopwatch around each call."""

    def __init__(self, *, url: str) -> None:
        super().__init__(url=url)
        self.seconds = 0.0
        self.calls = 0

    def _send(self, *arguments: Any, **named: Any) -> Any:
        started = time.perf_counter()
        try:
            return super()._send(*arguments, **named)
        finally:
            self.seconds += time.perf_counter() - started
            self.calls += 1


def main() -> None:
    """Generate, connect, run both ways, report."""
    console = Console(stderr=True)
    with tempfile.TemporaryDirectory() as folder, start_sandbox(_made(Path(folder) / "sandbox")) as sandbox:
        realms = [
            _company(sandbox, number) for number in track(range(TENANTS), "Generating companies", console=console)
        ]
        with (
            _connected(Path(folder) / "jobs", sandbox, realms) as (jobs, tenants),
            _connected(Path(folder) / "direct", sandbox, realms) as (direct, _),
        ):
            figures = _measure(jobs, direct, tenants, console=console)
    print(json.dumps(figures))


def _measure(jobs: Installation, direct: Installation, tenants: list[Tenant], *, console: Console) -> dict[str, Any]:
    client = TimedClient(url=direct.settings.qbo_local_url)
    direct.__dict__["qbo_client"] = client
    os.environ["RUNWAY_DATA_DIR"] = str(jobs.settings.data_dir)
    os.environ["RUNWAY_QBO_LOCAL_URL"] = jobs.settings.qbo_local_url
    home = _made(jobs.settings.dagster_home)
    (home / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    os.environ["DAGSTER_HOME"] = str(home)
    with_dagster = without = sync_seconds = 0.0
    objects = 0
    with JobRunner([one.tenant_id for one in tenants]) as runner:
        for tenant in track(tenants, "Running both ways", console=console):
            started = time.perf_counter()
            for job in ("tenant_sync", "friday"):
                failure = runner.run(job, tenant=tenant, week_ending=AS_OF)
                if failure is not None:
                    sys.exit(f"{tenant.tenant_id} failed in {job}: {failure}")
            with_dagster += time.perf_counter() - started
            started = time.perf_counter()
            objects += direct.smart_sync.sync(tenant.tenant_id).read
            sync_seconds += time.perf_counter() - started
            _work(direct, tenant)
            without += time.perf_counter() - started
    return {
        "benchmark": "friday",
        "tenants": len(tenants),
        "objects": objects,
        "requests": client.calls,
        "wall_seconds_with_dagster": round(with_dagster, 2),
        "wall_seconds_without_dagster": round(without, 2),
        "http_seconds": round(client.seconds, 2),
        "our_seconds": round(without - client.seconds, 2),
        "of_which_sync_seconds": round(sync_seconds - client.seconds, 2),
        "dagster_seconds": round(with_dagster - without, 2),
        "seconds_a_tenant": round(with_dagster / len(tenants), 2),
        "ratio_with_to_without_dagster": round(with_dagster / without, 2),
    }


def _work(installation: Installation, tenant: Tenant) -> None:
    week = RunWeek(week_ending=AS_OF, started_at=installation.clock.now())
    with newest_desk(tenant.tenant_id, installation=installation, week=week) as desk:
        make_ledger(desk)
        for table in (*POSITIONS, *CALCULATORS, *PRIORITIES, *DIGESTS):
            table.work(desk)


def _company(sandbox: Sandbox, number: int) -> str:
    return sandbox.add_company(
        realm_id=str(9_130_380_000_000_001 + number),
        name=f"Generated company {number}",
        industry=INDUSTRIES[number % len(INDUSTRIES)],
        size="small",
        seed=number,
        as_of=AS_OF.isoformat(),
        zone="America/New_York",
    )


@contextmanager
def _connected(folder: Path, sandbox: Sandbox, realms: list[str]) -> Iterator[tuple[Installation, list[Tenant]]]:
    installation = Installation(Settings(data_dir=folder, qbo_local_url=sandbox.url))
    try:
        upgrade(installation.database)
        installation.registry.add_firm("bench", name="Benchmark")
        for number, realm in enumerate(realms):
            tenant = tenant_id(f"bench-{number:03d}")
            installation.registry.add_tenant(tenant, firm_id="bench", name=tenant, zone="America/New_York")
            connect(installation, tenant, realm)
        yield installation, installation.registry.tenants()
    finally:
        installation.close()


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


if __name__ == "__main__":
    warnings.simplefilter("ignore", dg.PreviewWarning)
    main()
