"""Friday's runs of many tenants in one process, or in several that share them.

Belongs here: which process runs which tenant, and a process that dies. Does not: the runs (`runs.py`), what is said of them
(`friday.py`).

A process costs seconds before its first run, so it is shared by many tenants; each tenant still has runs of its own, and one
that fails is nobody else's.
"""

import os
import warnings
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from datetime import date
from multiprocessing import get_context
from multiprocessing.util import Finalize

from cli.runs import JobRunner
from cli.session import log_at, read_settings
from resources.tenants import Tenant

JOBS = ("tenant_sync", "friday")
_TENANTS_A_PROCESS = 8
"""Fewer are done before another process has begun."""

_runners: list[JobRunner] = []
"""The one of a process that was started for runs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantRuns:
    """What became of the runs of a tenant's week: why each job failed that did."""

    tenant: Tenant
    week: date
    failures: Mapping[str, str]


def processes_for(tenants: int) -> int:
    """How many processes are worth their start: at most one a core."""
    return max(1, min(os.cpu_count() or 1, tenants // _TENANTS_A_PROCESS))


def run_each(weeks: Sequence[tuple[Tenant, date]], *, processes: int) -> Iterator[TenantRuns]:
    """Run both jobs of each tenant's week, told as each is done: in this process for one, else in so many others."""
    tenants = [tenant.tenant_id for tenant, _ in weeks]
    if processes == 1:
        with JobRunner(tenants) as runner:
            for tenant, week in weeks:
                yield _run(runner, tenant, week)
        return
    # Dagster makes its databases when a home is opened for the first time; two processes at once would make them twice.
    with JobRunner(tenants):
        context = get_context("spawn")
    with ProcessPoolExecutor(processes, mp_context=context, initializer=_open, initargs=(tenants,)) as pool:
        asked = {pool.submit(_run_here, tenant, week): (tenant, week) for tenant, week in weeks}
        for future in as_completed(asked):
            try:
                yield future.result()
            except BrokenProcessPool:
                tenant, week = asked[future]
                why = "a process that ran tenants ended of itself; run these tenants again"
                yield TenantRuns(tenant=tenant, week=week, failures={JOBS[0]: why})


def _open(tenants: Sequence[str]) -> None:
    log_at(read_settings().log_level)
    # What Dagster calls beta or preview is decided on in the code; it is no news for who runs it.
    warnings.filterwarnings("ignore", message=".*is currently in (preview|beta)")
    runner = JobRunner(tenants).__enter__()
    _runners.append(runner)
    Finalize(runner, runner.__exit__, args=(None, None, None), exitpriority=1)


def _run_here(tenant: Tenant, week: date) -> TenantRuns:
    return _run(_runners[0], tenant, week)


def _run(runner: JobRunner, tenant: Tenant, week: date) -> TenantRuns:
    failures = {}
    for job in JOBS:
        failure = runner.run(job, tenant=tenant, week_ending=week)
        if failure is not None:
            failures[job] = failure
    return TenantRuns(tenant=tenant, week=week, failures=failures)
