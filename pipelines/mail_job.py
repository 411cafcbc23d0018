"""The job that sends what is due in the outbox.

Belongs here: one op and what its run shows. Does not: sending (`resources/mail/sender.py`), when it runs
(`pipelines/mail_sensors.py`).
"""

from datetime import timedelta

import dagster as dg

from resources.installation import Installation
from resources.mail.sender import Drained

#: Far below `max_runtime_seconds` of `dagster.yaml`: a run that is ended in the middle of a mail leaves it unknown.
LONGEST_RUN = timedelta(minutes=15)


@dg.op(
    description="Sends mails that are due of tenants that are live, for a while; settles the rows of senders that were lost."
)
def drain_outbox(context: dg.OpExecutionContext, installation: dg.ResourceParam[Installation]) -> dg.Output[None]:
    """Drain the outbox for a while, the next run goes on; red if the server could not be spoken to, and its mails wait."""
    drained = installation.mailer.drain(longest=LONGEST_RUN)
    found = _metadata(drained)
    context.log.info("%s", ", ".join(f"{name} {count.value}" for name, count in found.items()))
    if drained.stopped_because is not None:
        raise dg.Failure(description=drained.stopped_because, metadata=found, allow_retries=False)
    return dg.Output(None, metadata=found)


@dg.job(description="Sends the mails that are due.", executor_def=dg.in_process_executor)
def send_mail() -> None:
    """One op: any number of these runs may be under way at once."""
    drain_outbox()


def _metadata(drained: Drained) -> dict[str, dg.IntMetadataValue]:
    counts = {
        "sent": drained.sent,
        "failed": drained.failed,
        "postponed": drained.postponed,
        "unknown": drained.unknown + drained.left_unknown,
        "released": drained.released,
    }
    return {name: dg.MetadataValue.int(count) for name, count in counts.items()}
