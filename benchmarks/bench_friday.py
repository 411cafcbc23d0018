"""The Friday run with a week's increments, each way of running it, and what its parts cost.

An installation is connected to generated companies, reads them whole and is copied for each way. Then each company's people
work for a while, and Friday comes:

    direct            the same work without Dagster, in this process: HTTP, syncing, books, calculators, rendering, publishing
    one_process       `runway friday --processes 1`: one process for all tenants, two runs each
    shared_processes  `runway friday --processes 2`: two processes that share the tenants
    own_processes     Dagster's daemon with two runs at a time, each run in a process of its own

What Dagster costs is the difference to the direct way, in processor seconds, which a busy machine does not stretch as it does the
clock. Memory is the peak of the sum of PSS over all processes of a way. The last line is one JSON object with the bars.
BENCH_TENANTS sets how many tenants (figures for 100 are then told as estimates), BENCH_WAYS which ways, by commas; the shares come
from `direct`.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import dagster as dg
from rich.console import Console
from rich.progress import track

import assets.experiences as experiences_assets
from assets.books import POSITIONS, make_ledger
from assets.calculators import CALCULATORS
from assets.desk import newest_desk
from assets.experiences import DIGESTS
from assets.partitions import TENANTS as TENANT_PARTITIONS
from assets.priorities import PRIORITIES
from assets.published import publish_balances
from benchmarks.friday_runs import daemon
from benchmarks.process_tree import started
from experiences.console import render as console_pages
from experiences.tray import render as tray_pages
from migrations.chain import upgrade
from resources.installation import Installation, RunWeek
from resources.qbo.client import QboClient
from resources.settings import Settings
from resources.tenants import Tenant, tenant_id
from tests.consent import connect
from tests.sandbox import Sandbox, start_sandbox

TENANTS = int(os.environ.get("BENCH_TENANTS", "100"))
WAYS = tuple(os.environ.get("BENCH_WAYS", "direct,one_process,shared_processes,own_processes").split(","))
FLEET = 100
CORES = 2
AS_OF = date(2026, 11, 20)
OPERATIONS = 60
"""What a company's people enter, change, pay and void in the week; each moves several objects."""
INDUSTRIES = ("marketing_agency", "construction", "professional_services", "e_commerce", "consulting")
BARS = {
    "own_processes_minutes_of_100": 15.0,
    "shared_processes_minutes_of_100": 8.0,
    "rendering_milliseconds_a_tenant": 50.0,
    "peak_pss_gibibytes": 1.5,
}
_ROOT = Path(__file__).parent.parent
_RENDERING = (
    *("build_digest", "render_html", "render_text", "subject", "to_json"),
    *("build_tray", "tray_json", "build_console", "console_json"),
)


class Watch:
    """Processor and wall seconds by name."""

    def __init__(self) -> None:
        self.processor: dict[str, float] = {}
        self.wall: dict[str, float] = {}

    @contextmanager
    def on(self, name: str) -> Iterator[None]:
        """Count what happens in the block."""
        processor, wall = time.process_time(), time.perf_counter()
        try:
            yield
        finally:
            self.processor[name] = self.processor.get(name, 0.0) + time.process_time() - processor
            self.wall[name] = self.wall.get(name, 0.0) + time.perf_counter() - wall


class TimedClient(QboClient):
    """The real client, with a stopwatch around each call."""

    def __init__(self, *, url: str, watch: Watch) -> None:
        super().__init__(url=url)
        self.calls = 0
        self._watch = watch

    def _send(self, *arguments: Any, **named: Any) -> Any:
        self.calls += 1
        with self._watch.on("http"):
            return super()._send(*arguments, **named)


def main() -> int:
    """Generate, connect, read, let a week pass, run each way, report; 1 if a figure is beyond its bar."""
    if unknown := sorted({*WAYS} - {*_RUN}):
        sys.exit(f"BENCH_WAYS names {', '.join(unknown)}; there are {', '.join(_RUN)}.")
    console = Console(stderr=True)
    figures: dict[str, Any] = {"benchmark": "friday", "tenants": TENANTS, "cores": CORES}
    with tempfile.TemporaryDirectory() as folder, start_sandbox(_made(Path(folder) / "sandbox")) as sandbox:
        realms = [_company(sandbox, one) for one in track(range(TENANTS), "Generating companies", console=console)]
        folders = {way: Path(folder) / way for way in WAYS}
        first, *others = folders.values()
        with closing(_connected(first, sandbox, realms)) as installation:
            for tenant in track(installation.registry.tenants(), "First reading", console=console):
                installation.smart_sync.sync(tenant.tenant_id)
        for other in others:
            shutil.copytree(first, other)
        step = {"days": 1, "seed": 1, "operations": OPERATIONS, "move_clock": False}
        for realm in realms:
            sandbox.control.post(f"/__sandbox__/realms/{realm}/step", json=step).raise_for_status()
        for way, data_dir in folders.items():
            console.print(f"Friday, {way}; load {os.getloadavg()[0]:.1f}")
            # Opened anew: nothing is kept in memory from the first reading.
            with closing(Installation(Settings(data_dir=data_dir, qbo_local_url=sandbox.url))) as installation:
                figures[way] = {"load_before": round(os.getloadavg()[0], 1), **_RUN[way](installation)}
    judged = _judged(figures)
    print(json.dumps(judged))
    return int(any(ratio > 1 for ratio in judged["ratio_to_bar"].values()))


def _direct(installation: Installation) -> dict[str, Any]:
    """The work of both jobs without Dagster; of the parts that lie inside others, the others are without them."""
    watch = Watch()
    client = TimedClient(url=installation.settings.qbo_local_url, watch=watch)
    installation.__dict__["qbo_client"] = client
    with _rendering_counted(watch):
        for tenant in installation.registry.tenants():
            with watch.on("sync"):
                installation.smart_sync.sync(tenant.tenant_id)
            with watch.on("publishing balances"):
                publish_balances(tenant.tenant_id, installation=installation)
            _week(installation, tenant, watch=watch)
    parts, walls = dict(watch.processor), dict(watch.wall)
    for inner, outer in (("http", "sync"), ("rendering", "experiences")):
        parts[outer] -= parts[inner]
        walls[outer] -= walls[inner]
    return {
        "requests": client.calls,
        "http_wall_seconds": round(walls["http"], 2),
        "processor_seconds": round(sum(parts.values()), 2),
        "processor_seconds_a_tenant": {name: round(spent / TENANTS, 3) for name, spent in parts.items()},
        "wall_seconds": round(sum(walls.values()), 2),
    }


def _week(installation: Installation, tenant: Tenant, *, watch: Watch) -> None:
    week = RunWeek(week_ending=AS_OF, started_at=installation.clock.now())
    with newest_desk(tenant.tenant_id, installation=installation, week=week) as desk:
        with watch.on("books"):
            make_ledger(desk)
            for table in POSITIONS:
                table.work(desk)
        with watch.on("calculators"):
            for table in (*CALCULATORS, *PRIORITIES):
                table.work(desk)
        with watch.on("experiences"):
            for table in DIGESTS:
                table.work(desk)


@contextmanager
def _rendering_counted(watch: Watch) -> Iterator[None]:
    """Count building and rendering of the documents apart from reading results and publishing."""
    places = [(experiences_assets, name) for name in _RENDERING]
    places += [
        (module, name) for module in (tray_pages, console_pages) for name in ("title", "render_html", "render_text")
    ]
    before = [(module, name, getattr(module, name)) for module, name in places]
    for module, name, function in before:
        setattr(module, name, _counted(function, watch=watch))
    try:
        yield
    finally:
        for module, name, function in before:
            setattr(module, name, function)


def _counted(function: Callable[..., Any], *, watch: Watch) -> Callable[..., Any]:
    def call(*arguments: Any, **named: Any) -> Any:
        with watch.on("rendering"):
            return function(*arguments, **named)

    return call


def _by_command(installation: Installation, *, processes: int) -> dict[str, Any]:
    """`runway friday` for all tenants."""
    command = [sys.executable, "-W", "ignore", "-m", "cli.main", "friday", "--week-ending", AS_OF.isoformat()]
    command += ["--processes", str(processes)]
    log = installation.settings.data_dir / "friday.log"
    before = os.times()
    began = time.perf_counter()
    with started(command, environment=_environment(installation), log=log, folder=_ROOT) as (process, tree):
        if process.wait() != 0:
            sys.exit(f"`runway friday` failed: {log.read_text()[-3000:]}")
    wall, after = time.perf_counter() - began, os.times()
    spent = after.children_user + after.children_system - before.children_user - before.children_system
    return _spent(wall=wall, processor=spent, peak=tree.peak_pss_bytes)


def _own_processes(installation: Installation) -> dict[str, Any]:
    """Both jobs by the daemon, a run in a process each; the start of Dagster itself does not count."""
    environment = _environment(installation)
    _add_partitions(environment, [one.tenant_id for one in installation.registry.tenants()])
    tenants = [str(one.tenant_id) for one in installation.registry.tenants()]
    week = {"resources": {"week": {"config": {"week_ending": AS_OF.isoformat()}}}}
    with daemon(environment=environment, log=installation.settings.data_dir / "dagster.log") as running:
        before, began = running.tree.processor_seconds(), time.perf_counter()
        running.run_all("tenant_sync", tenants=tenants, config={})
        running.run_all("friday", tenants=tenants, config=week)
        wall, spent = time.perf_counter() - began, running.tree.processor_seconds() - before
        peak = running.tree.peak_pss_bytes
    return _spent(wall=wall, processor=spent, peak=peak)


_RUN: dict[str, Callable[[Installation], dict[str, Any]]] = {
    "direct": _direct,
    "one_process": partial(_by_command, processes=1),
    "shared_processes": partial(_by_command, processes=CORES),
    "own_processes": _own_processes,
}
_WITH_DAGSTER = tuple(way for way in _RUN if way != "direct")


def _spent(*, wall: float, processor: float, peak: int) -> dict[str, Any]:
    return {
        "wall_seconds": round(wall, 1),
        "processor_seconds": round(processor, 1),
        "processor_seconds_a_tenant": round(processor / TENANTS, 2),
        "peak_pss_gibibytes": round(peak / 2**30, 2),
    }


def _judged(figures: dict[str, Any]) -> dict[str, Any]:
    """The figures with Dagster's share, what 100 tenants come to, and how all that stands to the bars."""
    found: dict[str, float] = {}
    if "direct" in figures:
        parts = figures["direct"]["processor_seconds_a_tenant"]
        found["rendering_milliseconds_a_tenant"] = round(parts["rendering"] * 1000, 1)
        for way in _WITH_DAGSTER:
            if way in figures:
                spent = figures[way]["processor_seconds"] - figures["direct"]["processor_seconds"]
                figures[way]["dagster_processor_seconds_a_tenant"] = round(spent / TENANTS, 2)
    for way in _WITH_DAGSTER:
        if way in figures:
            found[f"{way}_minutes_of_100"] = round(figures[way]["wall_seconds"] / TENANTS * FLEET / 60, 1)
            # What a machine that does nothing else needs at least: one process uses one core, several use all.
            cores = 1 if way == "one_process" else CORES
            spent = figures[way]["processor_seconds"] / TENANTS * FLEET / 60 / cores
            figures[way]["minutes_of_100_by_processor_seconds"] = round(spent, 1)
            peak = figures[way]["peak_pss_gibibytes"]
            found["peak_pss_gibibytes"] = max(found.get("peak_pss_gibibytes", 0.0), peak)
    return {
        **figures,
        **found,
        "is_estimate_from_fewer": TENANTS != FLEET,
        "bars": BARS,
        "ratio_to_bar": {name: round(found[name] / bar, 2) for name, bar in BARS.items() if name in found},
    }


def _environment(installation: Installation) -> dict[str, str]:
    """For a program that is to work on this installation."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("RUNWAY_", "DAGSTER_"))}
    home = _made(installation.settings.dagster_home.absolute())
    (home / "dagster.yaml").write_text((_ROOT / "dagster.yaml").read_text())
    return kept | {
        "RUNWAY_DATA_DIR": str(installation.settings.data_dir.absolute()),
        "RUNWAY_QBO_LOCAL_URL": installation.settings.qbo_local_url,
        "DAGSTER_HOME": str(home),
    }


def _add_partitions(environment: dict[str, str], tenants: list[str]) -> None:
    """Add the tenants' keys, as the sensor does within a minute."""
    program = (
        "import dagster as dg, sys; i = dg.DagsterInstance.get(); "
        "i.add_dynamic_partitions(sys.argv[1], sys.argv[2:]); i.dispose()"
    )
    command = [sys.executable, "-W", "ignore", "-c", program, str(TENANT_PARTITIONS.name), *tenants]
    subprocess.run(command, env=environment, check=True)


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


def _connected(folder: Path, sandbox: Sandbox, realms: list[str]) -> Installation:
    installation = Installation(Settings(data_dir=folder, qbo_local_url=sandbox.url))
    upgrade(installation.database)
    installation.registry.add_firm("bench", name="Benchmark")
    for number, realm in enumerate(realms):
        tenant = tenant_id(f"bench-{number:03d}")
        installation.registry.add_tenant(tenant, firm_id="bench", name=tenant, zone="America/New_York")
        connect(installation, tenant, realm)
    return installation


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


if __name__ == "__main__":
    warnings.simplefilter("ignore", dg.PreviewWarning)
    sys.exit(main())
