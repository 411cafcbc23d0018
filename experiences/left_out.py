"""The short mail to a firm about tenants whose week could not be made: what happened, to whom, what is there instead.

Belongs here: its words and both renderings. Does not: who failed and why (`pipelines/failure_notices.py`).
"""

import html
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from experiences.digest.wording import counted, plain_text, shortened

_LONGEST_NAME = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """One tenant that a run failed for."""

    tenant_id: str
    name: str
    job: str
    failed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOutNotice:
    """The mail, as subject and two renderings of the same words."""

    subject: str
    html: str
    text: str


_WHAT_FAILED = {
    "tenant_sync": "the books could not be read",
    "friday": "the digest could not be made, and none was sent to the client",
}


def left_out_notice(*, cause: str, tenants: Sequence[LeftOut]) -> LeftOutNotice:
    """One mail about all tenants with the same cause."""
    cause = plain_text(cause)
    first = tenants[0]
    who = _name(first) if len(tenants) == 1 else counted(len(tenants), "client")
    subject = f"{shortened(who, limit=40)}: not up to date"
    opening = "For the following clients a run failed for the same reason." if len(tenants) > 1 else "A run failed."
    closing = "Digests of other clients are not affected. What was published earlier stays as it was."
    lines = [f"{_name(one)} ({one.tenant_id}): {_what(one)}, {one.failed_at:%Y-%m-%d %H:%M} UTC" for one in tenants]
    text = "\n".join([opening, "", f"Reason: {cause}", "", *(f"- {line}" for line in lines), "", closing, ""])
    items = "".join(f"<li>{html.escape(line)}</li>" for line in lines)
    page = (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{html.escape(subject)}</title></head>'
        '<body style="font-family:sans-serif;font-size:16px;line-height:1.5;max-width:640px;margin:0 auto;padding:16px">'
        f'<h1 style="font-size:20px">{html.escape(subject)}</h1><p>{opening}</p>'
        f"<p>Reason: {html.escape(cause)}</p><ul>{items}</ul><p>{closing}</p></body></html>\n"
    )
    return LeftOutNotice(subject=subject, html=page, text=text)


def _name(tenant: LeftOut) -> str:
    return shortened(plain_text(tenant.name), limit=_LONGEST_NAME) or tenant.tenant_id


def _what(tenant: LeftOut) -> str:
    return _WHAT_FAILED.get(tenant.job, f"{tenant.job} failed")
