"""The sensors of mail: runs that send what is due, failed runs that a firm is told about.

Belongs here: what is watched. Does not: sending (`pipelines/mail_job.py`), the firm's mail (`pipelines/failure_notices.py`).

`mail_due` reads and requests. `failed_runs` is the one sensor that writes: a row in the outbox.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

import dagster as dg

from pipelines.failure_notices import FailedRun, enqueue_failure
from pipelines.jobs import friday, tenant_sync
from pipelines.mail_job import send_mail
from pipelines.paying import payment_comparison
from resources.errors import TenantError
from resources.installation import Installation
from resources.mail import MailNotConfigured

_WAITING = (
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
)
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
    if context.instance.get_run_records(dg.RunsFilter(job_name=send_mail.name, statuses=list(_WAITING)), limit=1):
        return dg.SkipReason("a run that sends is under way")
    return dg.RunRequest(run_key=f"mail:{installation.clock.now():%Y-%m-%dT%H:%M}")


@dg.run_failure_sensor(
    monitored_jobs=[tenant_sync, friday, payment_comparison],
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
    for tenant, cause in causes(context):
        try:
            told = enqueue_failure(
                installation,
                FailedRun(
                    tenant_id=tenant,
                    run_id=context.dagster_run.run_id,
                    job=context.dagster_run.job_name,
                    cause=cause,
                    failed_at=failed_at,
                ),
            )
            if not told:
                context.log.info("nobody new is told that %s failed (recipients of its firm: docs/mail.md)", tenant)
        except TenantError as error:
            context.log.warning("%s", error)  # a partition without a registered tenant has no firm to tell
    return None


def causes(context: dg.RunFailureSensorContext) -> Iterator[tuple[str, str]]:
    """The tenants a run failed for, each with why, in words for a person."""
    steps = context.get_step_failure_events()
    told = dict(pair for event in steps for pair in _told_by(event))
    if told:
        yield from told.items()
        return
    partition = context.dagster_run.tags.get("dagster/partition")
    if partition is not None:
        yield partition, _unexpected(steps)


def _told_by(event: dg.DagsterEvent) -> Iterator[tuple[str, str]]:
    """A line a tenant, as `settle` and `compare_payments` write them."""
    failure = event.step_failure_data.user_failure_data
    for line in (failure.description or "").splitlines() if failure is not None else ():
        found = re.fullmatch(r"([a-z0-9][a-z0-9-]{2,62}): (.+)", line)
        if found is not None:
            yield found.group(1), found.group(2)


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
