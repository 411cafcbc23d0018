"""A firm with connected tenants on the local QuickBooks, and the jobs run for them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from itertools import count
from pathlib import Path
from typing import Any

import dagster as dg

from assets.books import POSITIONS, make_ledger
from assets.calculators import CALCULATORS
from assets.desk import newest_desk
from assets.experiences import DIGESTS
from assets.partitions import TENANTS
from assets.priorities import PRIORITIES
from pipelines.build import build_defs
from pipelines.jobs import drive_config, week_tags
from pipelines.mail_sensors import failed_runs
from resources.installation import Installation, RunWeek
from resources.tenants import TenantId, tenant_id
from tests.consent import connect
from tests.sandbox import Sandbox

_REALMS = count(9_130_360_000_000_001)


@dataclass(frozen=True, slots=True, kw_only=True)
class Company:
    """A tenant and the generated company it is connected to."""

    tenant: TenantId
    realm_id: str


class Firm:
    """What a test does with an installation: add companies, run jobs, look at what became of them."""

    def __init__(self, installation: Installation, instance: dg.DagsterInstance, sandbox: Sandbox) -> None:
        self.installation = installation
        self.instance = instance
        self.sandbox = sandbox
        installation.registry.add_firm("oak", name="Oak & Partners")

    def company(
        self,
        tenant: str,
        *,
        industry: str = "consulting",
        size: str = "micro",
        seed: int = 1,
        as_of: str = "2026-11-20",
        zone: str = "America/New_York",
        realm_id: str | None = None,
        opening: str = "covered",
    ) -> Company:
        """Generate a company, register its tenant and connect the two."""
        realm = self.sandbox.add_company(
            realm_id=realm_id or str(next(_REALMS)),
            name=f"{tenant} generated",
            industry=industry,
            size=size,
            seed=seed,
            as_of=as_of,
            zone=zone,
            opening=opening,
        )
        self.installation.registry.add_tenant(tenant, firm_id="oak", name=tenant, zone=zone)
        self.connect(tenant, realm)
        self.instance.add_dynamic_partitions("tenant", [tenant])
        return Company(tenant=tenant_id(tenant), realm_id=realm)

    def connect(self, tenant: str, realm_id: str) -> None:
        """Consent again, as a person does after a disconnect."""
        connect(self.installation, tenant, realm_id)

    def run(
        self, job: str, tenant: str, *, week_ending: date | None = None, log_level: str = "CRITICAL"
    ) -> dg.ExecuteInProcessResult:
        """Run a job for one tenant as the daemon would: on the deployed definitions and this instance, by the firm's clock."""
        config: dict[str, Any] = {"loggers": {"console": {"config": {"log_level": log_level}}}}
        return (
            build_defs(resource_overrides=self.resources(week_ending))
            .resolve_job_def(job)
            .execute_in_process(
                instance=self.instance,
                partition_key=tenant,
                run_config=config,
                tags=week_tags(week_ending),
                raise_on_error=False,
            )
        )

    def resources(self, week_ending: date | None) -> dict[str, Any]:
        """What a run of a week has in place of the deployed resources; without a week, of the newest."""
        week = RunWeek(week_ending=week_ending, started_at=self.installation.clock.now())
        return {"installation": self.installation, "week": week}

    def succeed(self, job: str, tenant: str, *, week_ending: date | None = None) -> None:
        """Run a job that has to succeed; an assertion error tells why it did not."""
        result = self.run(job, tenant, week_ending=week_ending)
        assert result.success, [
            event.step_failure_data.error or event.step_failure_data
            for event in result.all_events
            if event.is_step_failure
        ]

    def calculate(self, tenant: str, *, friday: date) -> None:
        """Make a week by the assets' own work, on a real desk: half of the job `friday` is Dagster's."""
        week = RunWeek(week_ending=friday, started_at=self.installation.clock.now())
        with newest_desk(tenant_id(tenant), installation=self.installation, week=week) as desk:
            make_ledger(desk)
            for table in (*POSITIONS, *CALCULATORS, *PRIORITIES, *DIGESTS):
                table.work(desk)

    def test_drive(self, tenant: str, *, week_ending: date, weeks: int) -> None:
        """Look back from a Friday on so many weeks before it, whose digests are there; it has to succeed."""
        job = build_defs(resource_overrides=self.resources(week_ending)).resolve_job_def("test_drive")
        config = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}} | drive_config(weeks)
        assert job.execute_in_process(
            instance=self.instance, partition_key=tenant, run_config=config, raise_on_error=False
        ).success

    def portfolio(self) -> None:
        """Rebuild the table of all tenants and the firms' pages, which has to succeed."""
        job = build_defs(resource_overrides={"installation": self.installation}).resolve_job_def("portfolio")
        quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
        assert job.execute_in_process(instance=self.instance, run_config=quiet, raise_on_error=False).success

    def failure(self, result: dg.ExecuteInProcessResult) -> str:
        """Why a run failed, as Dagster shows it."""
        for event in result.all_events:
            if event.is_step_failure and event.step_failure_data.user_failure_data is not None:
                return str(event.step_failure_data.user_failure_data.description)
        raise AssertionError("the run has no step that failed with a description")

    def status(self, asset: str, tenants: list[str]) -> dict[str, str]:
        """The partition status of an asset as the UI colours it."""
        found = self.instance.get_status_by_partition(dg.AssetKey(asset.split("/")), tenants, TENANTS) or {}
        return {tenant: status.value for tenant, status in found.items() if status is not None}


@contextmanager
def dagster_instance(home: Path) -> Iterator[dg.DagsterInstance]:
    """A real instance on SQLite in a folder of its own."""
    home.mkdir()
    with dg.DagsterInstance.local_temp(str(home), overrides={"telemetry": {"enabled": False}}) as instance:
        yield instance


def tell_of_failure(
    result: dg.ExecuteInProcessResult, *, instance: dg.DagsterInstance, installation: Installation
) -> None:
    """What the daemon does once a run has failed: the sensor hears of it."""
    tell_of_failed_run(result.dagster_run, instance=instance, installation=installation)


def tell_of_failed_run(run: dg.DagsterRun, *, instance: dg.DagsterInstance, installation: Installation) -> None:
    """The same of a run that no test waited for."""
    (event,) = [
        one.dagster_event for one in instance.all_logs(run.run_id, of_type=dg.DagsterEventType.PIPELINE_FAILURE)
    ]
    assert event is not None
    context = dg.build_run_status_sensor_context(
        sensor_name="failed_runs",
        dagster_event=event,
        dagster_instance=instance,
        dagster_run=run,
        resources={"installation": installation},
    ).for_run_failure()
    failed_runs(context)
