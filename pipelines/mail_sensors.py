"""The sensors of mail: runs that send what is due, failed runs that a firm is told about.

Belongs here: what is watched. Does not: sending (`pipelines/mail_job.py`), the firm's mail (`pipelines/failure_notices.py`).

`mail_due` reads and requests. `failed_runs` is the one sensor that writes: a row in the outbox.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

import dagster as dg

from assets.partitions import TENANTS
from pipelines.failure_notices import FailedRun, enqueue_failure, enqueue_fleet_failure
from pipelines.jobs import portfolio
from pipelines.mail_job import send_mail
from pipelines.paying import batch_tenant
from pipelines.sensors import UNDER_WAY
from resources.errors import TenantError
from resources.installation import Installation
from resources.mail.sender import MailNotConfigured
from resources.tenants import BadTenantId

_NO_RESULT = "The run ended without a result, as when its process is ended from outside."


@dg.sensor(
    job=send_mail,
    minimum_interval_seconds=60,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Asks for a run of send_mail when mails of tenants that are live are due.",
)
def mail_due(
    context: dg.SensorEvaluationContext, installation: dg.ResourceParam[Installation]
) -> dg.RunRequest | dg.SkipReason:
    """Ask for one run; what came meanwhile is sent by the same one or by the next."""
    if not installation.outbox.has_work():
        return dg.SkipReason("no mail is due")
    try:
        installation.mailer.require_configured()
    except MailNotConfigured as error:
        return dg.SkipReason(str(error))
    if context.instance.get_run_records(dg.RunsFilter(job_name=send_mail.name, statuses=list(UNDER_WAY)), limit=1):
        return dg.SkipReason("a run that sends is under way")
    return dg.RunRequest(run_key=f"mail:{installation.clock.now():%Y-%m-%dT%H:%M}")


# Every job is watched: a backfill started in the Dagster UI is a job of Dagster's own, which no list could name.
@dg.run_failure_sensor(
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Tells the firm by mail which tenants failed and why, one mail for each cause.",
)
def failed_runs(
    context: dg.RunFailureSensorContext, installation: dg.ResourceParam[Installation]
) -> dg.SkipReason | None:
    """Queue what the firm is told; a run that will be tried again is no news."""
    if context.dagster_run.tags.get("dagster/will_retry") == "true":
        return dg.SkipReason("the run will be tried again")
    record = context.instance.get_run_record_by_id(context.dagster_run.run_id)
    ended = None if record is None else record.end_time
    failed_at = installation.clock.now() if ended is None else datetime.fromtimestamp(ended, tz=UTC)
    job = context.dagster_run.job_name
    for tenant, cause in causes(context):
        failed = FailedRun(tenant_id=tenant, job=job, cause=cause, failed_at=failed_at)
        try:
            if not enqueue_failure(installation, failed):
                context.log.info("nobody new is told that %s failed (recipients of its firm: docs/mail.md)", tenant)
        except (TenantError, BadTenantId) as error:
            context.log.warning("%s", error)  # a partition without a registered tenant has no firm to tell
    if job == portfolio.name:
        cause = _unexpected(context.get_step_failure_events())
        enqueue_fleet_failure(installation, FailedRun(tenant_id=None, job=job, cause=cause, failed_at=failed_at))
    return None


def causes(context: dg.RunFailureSensorContext) -> Iterator[tuple[str, str]]:
    """The tenants a run failed for, each with why, in words for a person."""
    steps = context.get_step_failure_events()
    told = dict(pair for event in steps for pair in _told_by(event))
    if told:
        yield from told.items()
        return
    for tenant in _tenants_of(context):
        yield tenant, _said(steps) or _unexpected(steps)


def _tenants_of(context: dg.RunFailureSensorContext) -> Sequence[str]:
    """The tenants a run is for: its partition, its range of partitions, or that of its batch; none for work of all firms."""
    run = context.dagster_run
    if "dagster/partition" in run.tags:
        return [run.tags["dagster/partition"]]
    batch = batch_tenant(run.run_config)
    if batch is not None:
        return [batch]
    ends = [run.tags.get(f"dagster/asset_partition_range_{end}") for end in ("start", "end")]
    keys = list(context.instance.get_dynamic_partitions(str(TENANTS.name)))
    first, last = (keys.index(end) if end in keys else -1 for end in ends)
    return keys[first : last + 1] if 0 <= first <= last else []


def _told_by(event: dg.DagsterEvent) -> Iterator[tuple[str, str]]:
    """A line a tenant, as `settle` and `compare_payments` write them."""
    failure = event.step_failure_data.user_failure_data
    for line in (failure.description or "").splitlines() if failure is not None else ():
        found = re.fullmatch(r"([a-z0-9][a-z0-9-]{2,62}): (.+)", line)
        if found is not None:
            yield found.group(1), found.group(2)


def _said(steps: Sequence[dg.DagsterEvent]) -> str:
    """What a step that failed on purpose says, as that of a batch does; empty if none did."""
    found = [event.step_failure_data.user_failure_data for event in steps]
    return next((one.description for one in found if one is not None and one.description), "")


def _unexpected(steps: Sequence[dg.DagsterEvent]) -> str:
    """The kind of an unexpected error and never its text, which may show what is in the books."""
    errors = [error for event in steps if (error := event.step_failure_data.error) is not None]
    if not errors:
        return _NO_RESULT
    innermost = errors[0]
    while innermost.cause is not None:
        innermost = innermost.cause
    return f"The program failed unexpectedly ({innermost.cls_name}). The run in the Dagster UI says where."


MAIL_SENSORS = (mail_due, failed_runs)
