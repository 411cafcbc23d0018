"""`runway friday`: sync and digest for some or all tenants, without a daemon.

Belongs here: choosing tenants, progress, the summary. Does not: the work (the jobs `tenant_sync` and `friday`).
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from cli.entering import add_row
from cli.session import console, is_terminal, open_installation, plain_errors, prepare_dagster_home, problems
from resources.installation import Installation, RunWeek, parse_week_ending
from resources.tenants import Tenant, TenantId, tenant_id


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantOutcome:
    """What became of one tenant: the failures by job, and the digest's subject and file."""

    tenant: Tenant
    week_ending: date
    failures: dict[str, str]
    subject: str | None
    html: Path | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FridayOutcome:
    """What became of every tenant, and why the firms' pages could not be made; None if they were."""

    tenants: Sequence[TenantOutcome]
    pages_failure: str | None


def friday(
    tenant: list[str] = typer.Option([], "--tenant", help="Only this tenant; may be given several times."),
    week_ending: str = typer.Option("", help="The Friday of the week, as 2026-11-20; default: the newest Friday."),
    processes: int = typer.Option(
        0, min=0, help="Processes that share the tenants; 0: up to one a core, where there are enough tenants."
    ),
) -> None:
    """Read the books and make the Friday digest of each tenant."""
    with plain_errors():
        week = parse_week_ending(week_ending)
        wanted = [tenant_id(text) for text in tenant]
    with open_installation() as installation:
        registry = installation.registry
        tenants = [registry.tenant(one) for one in wanted] if wanted else registry.tenants()
        if not tenants:
            raise ValueError("There is no active tenant: `runway tenant add` registers one.")
        outcome = run_friday(installation, tenants=tenants, week_ending=week, processes=processes)
    report(outcome)


def run_friday(
    installation: Installation, *, tenants: Sequence[Tenant], week_ending: date | None, processes: int = 0
) -> FridayOutcome:
    """Run both jobs for each tenant, with progress; then the firms' pages. 0 processes: as many as are worth it.

    `WeekNotReached` before anything runs, if the week lies ahead of one of them.
    """
    run = RunWeek(week_ending=week_ending, started_at=installation.clock.now())
    weeks = [(tenant, run.of(tenant)) for tenant in tenants]
    prepare_dagster_home(installation.settings)
    # What Dagster calls beta or preview is decided on in the code; it is no news for who runs it.
    warnings.filterwarnings("ignore", message=".*is currently in (preview|beta)")
    # Importing Dagster takes seconds: only the commands that need it pay for it.
    from cli.friday_runs import processes_for, run_each  # noqa: PLC0415
    from cli.runs import JobRunner  # noqa: PLC0415

    found: dict[TenantId, TenantOutcome] = {}
    with run_progress() as progress:
        task = progress.add_task("syncing, calculating, writing", total=len(tenants))
        for done in run_each(weeks, processes=processes or processes_for(len(tenants))):
            outcome = _outcome(installation, done.tenant, week=done.week, failures=dict(done.failures))
            found[done.tenant.tenant_id] = outcome
            progress.update(task, description=f"{done.tenant.tenant_id} is done", advance=1)
            if not is_terminal():
                said = "failed" if done.failures else "done"
                console.print(f"{done.tenant.tenant_id}: {said}", markup=False, soft_wrap=True)
        progress.update(task, description="portfolio")
        with JobRunner([one.tenant_id for one in tenants]) as runner:
            pages_failure = runner.run_portfolio()
        progress.update(task, description="done")
    return FridayOutcome(tenants=[found[tenant.tenant_id] for tenant in tenants], pages_failure=pages_failure)


def report(done: FridayOutcome) -> None:
    """Say where the digests are; exit code 1 naming the tenants that failed, or why the firms' pages did."""
    outcomes = done.tenants
    table = Table("Tenant", "Week ending", "Digest")
    for outcome in outcomes:
        found = outcome.subject if outcome.html is not None else "no digest"
        add_row(table, outcome.tenant.name, outcome.week_ending.isoformat(), found or "")
    console.print(table)
    for outcome in outcomes:
        if outcome.html is not None:
            console.print(str(outcome.html), markup=False, soft_wrap=True, highlight=False)
    failed = [outcome for outcome in outcomes if outcome.failures]
    for outcome in failed:
        for job, failure in outcome.failures.items():
            problems.print(f"[bold red]{outcome.tenant.tenant_id}[/] failed in {job}:")
            problems.print(f"  {failure}", markup=False, soft_wrap=True)
    if failed:
        names = ", ".join(outcome.tenant.tenant_id for outcome in failed)
        problems.print(f"{len(failed)} of {len(outcomes)} tenants failed: {names}", markup=False, soft_wrap=True)
    if done.pages_failure is not None:
        problems.print("The firms' pages could not be made:")
        problems.print(f"  {done.pages_failure}", markup=False, soft_wrap=True)
    if failed or done.pages_failure is not None:
        raise typer.Exit(code=1)


def _outcome(installation: Installation, tenant: Tenant, *, week: date, failures: dict[str, str]) -> TenantOutcome:
    document = installation.documents.read(tenant.tenant_id, kind="friday_digest", key=week.isoformat())
    has_digest = "friday" not in failures and document is not None
    html = installation.settings.digests_root / tenant.tenant_id / f"{week.isoformat()}.html"
    return TenantOutcome(
        tenant=tenant,
        week_ending=week,
        failures=failures,
        subject=document.title if has_digest and document is not None else None,
        html=html if has_digest else None,
    )


def run_progress() -> Progress:
    """A bar for whoever watches; nothing for a file."""
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
        disable=not is_terminal(),
    )
