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
from datetime import UTC, date, datetime, timedelta
from typing import Any

from assets.mailing import formats_of
from experiences.left_out import ALL_CLIENTS, ANY_TENANT, LeftOut, left_out_notice
from resources.installation import Installation
from resources.mail.outbox_rows import MailContent, OutboxRow, RowKey
from resources.mail.recipients import Recipient
from resources.mail.tables import MailOwner, of_firm
from resources.tenants import tenant_id

NOTICE_KIND = "left_out"
#: Dagster tells of ten failed runs a minute; most of one cause are together by then.
GATHERING = timedelta(minutes=10)
WORTH_SENDING = timedelta(days=2)

_VARYING = re.compile(r"[0-9][0-9.:,_/-]*|'[^']*'|`[^`]*`|\"[^\"]*\"")
#: How a message points at one answer of QuickBooks (`RawAnswer.reference`): another one with each failure.
_REFERENCE = re.compile(r"\s*\(intuit_tid [0-9A-Za-z-]*\)")


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedRun:
    """A failed run of one tenant; without one, of all firms together."""

    tenant_id: str | None
    job: str
    cause: str
    failed_at: datetime

    @property
    def cause_of_any(self) -> str:
        """The cause as it reads for several tenants: without the id of the answer that one of them got."""
        cause = _REFERENCE.sub("", self.cause)
        if self.tenant_id is None:
            return cause
        # Whole words only: "run" is an id as well as the beginning of our command.
        return re.sub(rf"(?<![\w-]){re.escape(self.tenant_id)}(?![\w-])", ANY_TENANT, cause)

    @property
    def fingerprint(self) -> str:
        """The same for causes that differ only in the tenant, in numbers and in what is quoted."""
        general = _VARYING.sub("_", self.cause_of_any)
        return hashlib.sha256(" ".join(general.split()).encode()).hexdigest()[:12]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Whom:
    """The firm that is told, and of what: one of its tenants, or all of them."""

    firm_id: str
    firm_name: str
    tenant_id: str
    name: str
    day: date


def enqueue_failure(installation: Installation, failed: FailedRun) -> int:
    """Put a failure into a mail to each recipient of the tenant's firm; into how many.

    Raises:
        TenantUnknown: no such tenant is registered.
        BadTenantId: the run was for a key that cannot be one.
    """
    tenant = installation.registry.tenant(tenant_id(failed.tenant_id or ""))
    whom = _Whom(
        firm_id=tenant.firm_id,
        firm_name=tenant.firm_name,
        tenant_id=tenant.tenant_id,
        name=tenant.name,
        day=tenant.local_date(failed.failed_at),
    )
    return _tell_all(installation, whom, failed)


def enqueue_fleet_failure(installation: Installation, failed: FailedRun) -> int:
    """Put a failure of the work for all firms into a mail to each recipient of each firm with tenants; into how many."""
    firms = {one.firm_id: one.firm_name for one in installation.registry.tenants()}
    day = failed.failed_at.astimezone(UTC).date()
    return sum(
        _tell_all(installation, _Whom(firm_id=one, firm_name=name, tenant_id="", name=ALL_CLIENTS, day=day), failed)
        for one, name in firms.items()
    )


def _tell_all(installation: Installation, whom: _Whom, failed: FailedRun) -> int:
    recipients = installation.recipients.reachable(of_firm(whom.firm_id))
    return sum(_tell(installation, whom, failed, reader=one) for one in recipients)


def _tell(installation: Installation, whom: _Whom, failed: FailedRun, *, reader: Recipient) -> bool:
    firm = of_firm(whom.firm_id)
    stem = f"{whom.day}:{failed.fingerprint}:"
    told = _mails(installation, firm, stem=stem, address=reader.address)
    if any(one["tenant_id"] == whom.tenant_id for row in told for one in row.about or ()):
        return False
    for row in reversed(told):
        if row.state == "queued" and _enqueue(
            installation, row.row_key, whom, failed, reader=reader, due_at=row.due_at
        ):
            return True
    fresh = RowKey(owner=firm, kind=NOTICE_KIND, key=f"{stem}{len(told) + 1:04d}", address=reader.address)
    due_at = installation.clock.now() + GATHERING
    return _enqueue(installation, fresh, whom, failed, reader=reader, due_at=due_at)


def _mails(installation: Installation, firm: MailOwner, *, stem: str, address: str) -> list[OutboxRow]:
    """The mails of one cause and day to one recipient, the oldest first."""
    rows = installation.outbox.rows(firm, kind=NOTICE_KIND, stem=stem)
    return sorted((row for row in rows if row.row_key.address == address), key=lambda row: row.row_key)


def _enqueue(
    installation: Installation, row_key: RowKey, whom: _Whom, failed: FailedRun, *, reader: Recipient, due_at: datetime
) -> bool:
    this = {"tenant_id": whom.tenant_id, "name": whom.name, "job": failed.job, "at": failed.failed_at.isoformat()}

    def make(kept: OutboxRow | None) -> tuple[MailContent, Sequence[dict[str, Any]]]:
        about = [*((kept.about or []) if kept is not None else []), this]
        return _content(failed.cause_of_any, about, firm_name=whom.firm_name, reader=reader), about

    queued = installation.outbox.enqueue_about(row_key, make, due_at=due_at, expires_at=due_at + WORTH_SENDING)
    return queued != "unchanged"


def _content(cause: str, about: Sequence[dict[str, Any]], *, firm_name: str, reader: Recipient) -> MailContent:
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
        formats=formats_of(reader),
        zone=reader.zone,
    )
    return MailContent(subject=notice.subject, html=notice.html, text=notice.text)
