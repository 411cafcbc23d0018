"""Failed runs into the outbox of the firm: one mail for all tenants that failed for the same reason on the same day.

Belongs here: what counts as the same reason, which mail a failure goes into. Does not: watching runs
(`pipelines/mail_sensors.py`), words (`experiences/left_out.py`).

A mail waits a little for others of its kind. Once it has left, a tenant that fails for the same reason afterwards begins the next
one; a tenant that fails again for a reason it was told with today is not told twice.
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from experiences.left_out import ANY_TENANT, LeftOut, left_out_notice
from resources.installation import Installation
from resources.mail_tables import MailOwner, of_firm
from resources.outbox_rows import MailContent, OutboxRow, RowKey
from resources.tenants import Tenant, tenant_id

NOTICE_KIND = "left_out"
#: Dagster tells of ten failed runs a minute; most of one cause are together by then.
GATHERING = timedelta(minutes=10)
WORTH_SENDING = timedelta(days=2)

_VARYING = re.compile(r"[0-9][0-9.:,_/-]*|'[^']*'|`[^`]*`|\"[^\"]*\"")


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedRun:
    """One tenant's failed run."""

    tenant_id: str
    run_id: str
    job: str
    cause: str
    failed_at: datetime

    @property
    def cause_of_any(self) -> str:
        """The cause as it reads for several tenants."""
        # Whole words only: "run" is an id as well as the beginning of our command.
        return re.sub(rf"(?<![\w-]){re.escape(self.tenant_id)}(?![\w-])", ANY_TENANT, self.cause)

    @property
    def fingerprint(self) -> str:
        """The same for causes that differ only in the tenant, in numbers and in what is quoted."""
        general = _VARYING.sub("_", self.cause_of_any)
        return hashlib.sha256(" ".join(general.split()).encode()).hexdigest()[:12]


def enqueue_failure(installation: Installation, failed: FailedRun) -> int:
    """Put a failure into a mail to each recipient of the tenant's firm; into how many."""
    tenant = installation.registry.tenant(tenant_id(failed.tenant_id))
    recipients = installation.recipients.reachable(of_firm(tenant.firm_id))
    return sum(_tell(installation, tenant, failed, address=one.address) for one in recipients)


def _tell(installation: Installation, tenant: Tenant, failed: FailedRun, *, address: str) -> bool:
    firm = of_firm(tenant.firm_id)
    stem = f"{tenant.local_date(failed.failed_at)}:{failed.fingerprint}:"
    told = _mails(installation, firm, stem=stem, address=address)
    if any(one["tenant_id"] == tenant.tenant_id for row in told for one in row.about or ()):
        return False
    for row in reversed(told):
        if row.state == "queued" and _enqueue(installation, row.row_key, tenant, failed, due_at=row.due_at):
            return True
    fresh = RowKey(owner=firm, kind=NOTICE_KIND, key=f"{stem}{len(told) + 1:04d}", address=address)
    return _enqueue(installation, fresh, tenant, failed, due_at=installation.clock.now() + GATHERING)


def _mails(installation: Installation, firm: MailOwner, *, stem: str, address: str) -> list[OutboxRow]:
    """The mails of one cause and day to one recipient, the oldest first."""
    rows = installation.outbox.rows(firm, kind=NOTICE_KIND)
    own = [row for row in rows if row.row_key.address == address and row.row_key.key.startswith(stem)]
    return sorted(own, key=lambda row: row.row_key)


def _enqueue(
    installation: Installation, row_key: RowKey, tenant: Tenant, failed: FailedRun, *, due_at: datetime
) -> bool:
    this = {"tenant_id": tenant.tenant_id, "name": tenant.name, "job": failed.job, "at": failed.failed_at.isoformat()}

    def make(kept: OutboxRow | None) -> tuple[MailContent, Sequence[dict[str, Any]]]:
        about = [*((kept.about or []) if kept is not None else []), this]
        return _content(failed.cause_of_any, about, firm_name=tenant.firm_name), about

    queued = installation.outbox.enqueue_about(row_key, make, due_at=due_at, expires_at=due_at + WORTH_SENDING)
    return queued != "unchanged"


def _content(cause: str, about: Sequence[dict[str, Any]], *, firm_name: str) -> MailContent:
    notice = left_out_notice(
        firm_name=firm_name,
        cause=cause,
        tenants=[
            LeftOut(
                tenant_id=one["tenant_id"],
                name=one["name"],
                job=one["job"],
                failed_at=datetime.fromisoformat(one["at"]),
            )
            for one in about
        ],
    )
    return MailContent(subject=notice.subject, html=notice.html, text=notice.text)
