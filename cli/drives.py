"""`runway test-drive`: the digests that a tenant would have got in the last weeks, and what then happened.

Belongs here: making the weeks that are missing, progress, where the page is. Does not: the weeks (the job `friday`), the drive (the
job `test_drive`).
"""

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from typing import TYPE_CHECKING

import typer
from rich.progress import Progress, TaskID

from assets.driven_weeks import DEFAULT_WEEKS, DRIVE_KIND, missing_weeks, published_of, weeks_before
from assets.pages import TEST_DRIVES, write_index
from cli.friday import run_progress
from cli.session import console, is_terminal, open_installation, plain_errors, prepare_dagster_home, problems
from experiences.test_drive.document import MOST_WEEKS, from_json
from experiences.test_drive.render import summary
from resources.installation import Installation, RunWeek, parse_week_ending
from resources.tenants import Tenant, tenant_id

if TYPE_CHECKING:
    from cli.runs import JobRunner

FEWEST_WEEKS = 4


def drive(
    tenant: str = typer.Argument(help="The tenant's id."),
    weeks: int = typer.Option(
        DEFAULT_WEEKS, "--weeks", help=f"How many weeks to look back, {FEWEST_WEEKS} to {MOST_WEEKS}."
    ),
    week_ending: str = typer.Option("", help="Look back from this Friday, as 2026-11-20; default: the newest Friday."),
    again: bool = typer.Option(False, "--again", help="Make all of these weeks anew, not only those that are missing."),
) -> None:
    """Make the digests of the last weeks as they would have been, and set them beside what then happened."""
    with plain_errors():
        named = parse_week_ending(week_ending)
        if not FEWEST_WEEKS <= weeks <= MOST_WEEKS:
            raise ValueError(
                f"A test drive looks back {FEWEST_WEEKS} to {MOST_WEEKS} weeks: choose --weeks in between."
            )
        wanted = tenant_id(tenant)
    with open_installation() as installation:
        known = installation.registry.tenant(wanted)
        friday = RunWeek(week_ending=named, started_at=installation.clock.now()).of(known)
        failure = run_test_drive(installation, known, friday=friday, weeks=weeks, again=again)
        if failure is not None:
            problems.print(f"[bold red]{known.tenant_id}[/]: the test drive was not made.")
            problems.print(f"  {failure}", markup=False, soft_wrap=True)
            raise typer.Exit(code=1)
        write_index(installation)
        _report(installation, known, friday=friday)


def run_test_drive(installation: Installation, tenant: Tenant, *, friday: date, weeks: int, again: bool) -> str | None:
    """Read the books if they never were, make the weeks that are missing, then the drive; None, or why it ended early.

    A week that was made stays: a second attempt goes on where the first one ended.
    """
    needed = [*weeks_before(friday, weeks=weeks), friday]
    missing = needed if again else missing_weeks(installation, tenant.tenant_id, fridays=needed)
    is_read = installation.commits.newest_sync(tenant.tenant_id) is not None
    with _runner(installation, tenant) as runner, run_progress() as progress:
        task = progress.add_task("", total=len(missing) + (not is_read) + 1)
        if not is_read:
            _say(progress, task, f"{tenant.tenant_id}: reading the books")
            failure = runner.run("tenant_sync", tenant=tenant, week_ending=friday)
            if failure is not None:
                return failure
            progress.advance(task)
        failure = _make_weeks(runner, tenant, missing, progress=progress, task=task)
        if failure is not None:
            return failure
        _say(progress, task, f"{tenant.tenant_id}: test drive")
        failure = runner.run_test_drive(tenant=tenant, week_ending=friday, weeks=weeks)
        progress.advance(task)
        return failure


def _make_weeks(
    runner: "JobRunner", tenant: Tenant, missing: Sequence[date], *, progress: Progress, task: TaskID
) -> str | None:
    for number, week in enumerate(missing, start=1):
        _say(progress, task, f"{tenant.tenant_id}: week ending {week} ({number} of {len(missing)})")
        failure = runner.run("friday", tenant=tenant, week_ending=week)
        if failure is not None:
            return f"The digest of {week} could not be made. {failure}"
        progress.advance(task)
    return None


@contextmanager
def _runner(installation: Installation, tenant: Tenant) -> Iterator["JobRunner"]:
    prepare_dagster_home(installation.settings)
    # What Dagster calls beta or preview is decided on in the code; it is no news for who runs it.
    warnings.filterwarnings("ignore", message=".*is currently in (preview|beta)")
    # Importing Dagster takes seconds: what is refused before this line does not pay for it.
    from cli.runs import JobRunner  # noqa: PLC0415

    with JobRunner([tenant.tenant_id]) as runner:
        yield runner


def _say(progress: Progress, task: TaskID, what: str) -> None:
    """Progress as a bar for whoever watches, as lines for a file."""
    progress.update(task, description=what)
    if not is_terminal():
        console.print(what, markup=False, soft_wrap=True, highlight=False)


def _report(installation: Installation, tenant: Tenant, *, friday: date) -> None:
    published = published_of(installation, tenant.tenant_id, kind=DRIVE_KIND, friday=friday)
    assert published is not None, "the job has just published it"
    console.print(summary(from_json(published.body)), markup=False, soft_wrap=True, highlight=False)
    page = installation.settings.pages_root / TEST_DRIVES / tenant.tenant_id / f"{friday.isoformat()}.html"
    console.print(str(page), markup=False, soft_wrap=True, highlight=False)
