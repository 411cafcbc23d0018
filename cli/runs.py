"""Runs the jobs in this process, as real runs of the Dagster instance.

Belongs here: one run of one job for one tenant, and its failure in words. Does not: which tenants and weeks.
"""

from collections.abc import Sequence
from datetime import date
from types import TracebackType
from typing import Any, Self

import dagster as dg

from assets.partitions import TENANTS
from pipelines.build import build_defs
from pipelines.jobs import drive_config, week_config, week_tags
from resources.tenants import Tenant

#: The summary tells what failed; Dagster's own log of every event would drown it.
_QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


class JobRunner:
    """The deployed jobs on the instance of DAGSTER_HOME; adds partition keys itself, so that no daemon is needed."""

    def __init__(self, tenants: Sequence[str]) -> None:
        self._tenants = list(tenants)
        self._defs = build_defs()
        self._instance = dg.DagsterInstance.get()

    def __enter__(self) -> Self:
        self._instance.add_dynamic_partitions(str(TENANTS.name), self._tenants)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._instance.dispose()

    def run(self, job: str, *, tenant: Tenant, week_ending: date) -> str | None:
        """Run a job for one tenant; None, or why it failed."""
        return self._run(job, tenant=tenant, week_ending=week_ending if job == "friday" else None, config={})

    def run_test_drive(self, *, tenant: Tenant, week_ending: date, weeks: int) -> str | None:
        """Make a tenant's test drive over so many weeks before one; None, or why it failed."""
        return self._run("test_drive", tenant=tenant, week_ending=week_ending, config=drive_config(weeks))

    def _run(self, job: str, *, tenant: Tenant, week_ending: date | None, config: dict[str, Any]) -> str | None:
        result = self._defs.resolve_job_def(job).execute_in_process(
            instance=self._instance,
            partition_key=tenant.tenant_id,
            run_config={**_QUIET, **week_config(week_ending), **config},
            tags={"runway/firm": tenant.firm_id, **week_tags(week_ending)},
            raise_on_error=False,
        )
        return None if result.success else _why(result)

    def run_portfolio(self) -> str | None:
        """Rebuild the table of all tenants and the firms' pages; None, or why it failed."""
        result = self._defs.resolve_job_def("portfolio").execute_in_process(
            instance=self._instance, run_config=_QUIET, raise_on_error=False
        )
        return None if result.success else _why(result)


def _why(result: dg.ExecuteInProcessResult) -> str:
    for event in result.all_events:
        if event.is_step_failure:
            failure = event.step_failure_data.user_failure_data
            if failure is not None and failure.description:
                return failure.description
            error = event.step_failure_data.error
            return error.to_string() if error is not None else f"step {event.step_key} failed"
    return "a check that protects the digest is red: open the run in the Dagster UI"
