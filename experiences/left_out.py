"""The short mail to a firm about tenants whose week could not be made: what happened, to whom, what is there instead.

Belongs here: its words. Does not: who failed and why (`pipelines/failure_notices.py`), the frame of the mail
(``experiences/pages/notice.py``).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from experiences.digest.formats import PUBLISHED, Formats, written_in
from experiences.digest.wording import counted, plain_text, shortened
from experiences.pages.hours import UTC_ZONE, hour_in
from experiences.pages.notice import Notice, NoticeEntry, notice_text, render_notice

#: In the cause of several failures, where each had its tenant's id.
ANY_TENANT = "TENANT"
#: Who is named where the work for all of a firm's clients failed.
ALL_CLIENTS = "All clients"
_LONGEST_NAME = 60
_LONGEST_IN_SUBJECT = 40
_LONGEST_CAUSE = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """One tenant that a run failed for."""

    tenant_id: str
    """Empty where it failed for all of them."""
    name: str
    job: str
    failed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOutNotice:
    """The mail, as subject and two renderings of the same words."""

    subject: str
    html: str
    text: str


_UNAFFECTED = "Digests of other clients are not affected."
_ALL_UNAFFECTED = "The digests of the clients are not affected."
_WHAT_FAILED = {
    "tenant_sync": "The books could not be read",
    "friday": "The digest could not be made, and none was sent to the client",
    "payment_comparison": "Its payments could not be compared with QuickBooks",
    "payment_batch": "A batch of its payments stopped; what is not sent yet waits",
    "portfolio": "The page of all clients and the weekly mail about them could not be made",
    "backtest": "Its payment dates of past weeks could not be compared with what happened",
    "test_drive": "Its test drive could not be made",
    # Dagster's own, of assets that a person asked for in its UI.
    "__ASSET_JOB": "What was asked for in the Dagster UI could not be calculated",
}


def left_out_notice(
    *, firm_name: str, cause: str, tenants: Sequence[LeftOut], formats: Formats = PUBLISHED, zone: str = UTC_ZONE
) -> LeftOutNotice:
    """One mail about all tenants with the same cause, hours in the reader's `zone`."""
    with written_in(formats):
        notice = _notice(firm_name=firm_name, cause=cause, tenants=tenants, zone=zone)
        return LeftOutNotice(subject=notice.subject, html=render_notice(notice), text=notice_text(notice))


def _notice(*, firm_name: str, cause: str, tenants: Sequence[LeftOut], zone: str) -> Notice:
    who = _name(tenants[0]) if len(tenants) == 1 else counted(len(tenants), "client")
    headline = f"{shortened(who, limit=_LONGEST_IN_SUBJECT)}: not up to date"
    return Notice(
        subject=headline,
        kicker=shortened(plain_text(firm_name), limit=_LONGEST_NAME),
        headline=headline,
        lead=_reason(cause, tenants=tenants),
        entries=tuple(NoticeEntry(name=_name(one), alert=_what(one), lines=_lines(one, zone=zone)) for one in tenants),
        footer=(
            f"{_UNAFFECTED if tenants[0].tenant_id else _ALL_UNAFFECTED} What was published earlier stays as it was.",
        ),
    )


def _reason(cause: str, *, tenants: Sequence[LeftOut]) -> str:
    """The cause as it came for one, and for several with a word in the place of each one's id."""
    if len(tenants) == 1:
        return f"Reason: {_cause(cause.replace(ANY_TENANT, tenants[0].tenant_id))}"
    meant = f" ({ANY_TENANT} stands for each client's id.)" if ANY_TENANT in cause else ""
    return f"Reason: {_cause(cause)}{meant}"


def _cause(text: str) -> str:
    return shortened(plain_text(text), limit=_LONGEST_CAUSE)


def _name(tenant: LeftOut) -> str:
    return shortened(plain_text(tenant.name), limit=_LONGEST_NAME) or tenant.tenant_id


def _what(tenant: LeftOut) -> str:
    return f"{_WHAT_FAILED.get(tenant.job, f'{tenant.job} failed')}."


def _lines(tenant: LeftOut, *, zone: str) -> tuple[str, ...]:
    at = hour_in(tenant.failed_at, zone=zone)
    return (f"{tenant.tenant_id}, {at}" if tenant.tenant_id else at,)
