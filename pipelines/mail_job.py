"""The job that sends what is due in the outbox.

Belongs here: one op and what its run shows. Does not: sending (`resources/mail/sender.py`), when it runs
(`pipelines/mail_sensors.py`).
"""

import dagster as dg

from resources.installation import Installation
from resources.mail.sender import Drained


@dg.op(description="Sends every mail that is due of tenants that are live; settles the rows of senders that were lost.")
def drain_outbox(context: dg.OpExecutionContext, installation: dg.ResourceParam[Installation]) -> dg.Output[None]:
    """Drain the outbox; the run is red if the server could not be spoken to, and its mails wait."""
    drained = installation.mailer.drain()
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
