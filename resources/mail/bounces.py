"""Mail that came back: delivery reports as other servers write them (RFC 3464).

Belongs here: reading a report, telling which mail it is about, recording it. Does not: fetching mail (the command reads a file or
standard input, `cli/mail.py`).

A report is believed if it names the Message-ID of a mail of ours, which nobody can guess. It ends mail to an address only if it is
about the address the mail went to.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage, Message
from email.policy import default
from typing import Literal

from resources.mail.message import one_line
from resources.mail.outbox import Outbox
from resources.mail.outbox_rows import RowKey

#: What a report may be about: the mail has come back, or another server still tries.
Kind = Literal["failed", "delayed"]

_MESSAGE_TOKEN = re.compile(r"<?([0-9a-f]{32})@[^>\s]+>?")
_STATUS = re.compile(r"[245]\.[0-9]{1,3}\.[0-9]{1,3}")
_MOST_BYTES = 10 * 1024 * 1024
_MOST_OF_A_REASON = 300


class NotAReport(ValueError):
    """The message is no delivery report, or none about a mail of ours; nothing was changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What one report says about one recipient."""

    message_token: str
    address: str
    kind: Kind
    status: str
    diagnostic: str

    @property
    def is_hard(self) -> bool:
        """Whether the address itself is the reason, so that nothing more is sent to it (RFC 3463: 5.1.x, 5.2.1)."""
        return self.kind == "failed" and (self.status.startswith("5.1.") or self.status in ("5.0.0", "5.2.1"))

    @property
    def reason(self) -> str:
        """The report in one line."""
        return one_line(f"{self.status} {self.diagnostic}")[:_MOST_OF_A_REASON].strip()


@dataclass(frozen=True, slots=True, kw_only=True)
class CameBack:
    """A report with the mail it is about; `is_new` is false where the same was told before."""

    row_key: RowKey
    report: Report
    is_new: bool


def take_in(raw: bytes, *, outbox: Outbox, is_dry_run: bool = False) -> list[CameBack]:
    """Record what a report says; `NotAReport` if it says nothing about a mail of ours."""
    found = []
    for report in reports(raw):
        row = outbox.find(report.message_token)
        if row is None:
            continue
        is_new = True
        if not is_dry_run:
            is_new = outbox.came_back(
                row.row_key,
                reason=report.reason,
                is_final=report.kind == "failed",
                # A mail that was forwarded comes back from an address that is not the one to send nothing more to.
                is_hard=report.is_hard and report.address == row.row_key.address,
            )
        found.append(CameBack(row_key=row.row_key, report=report, is_new=is_new))
    if not found:
        raise NotAReport("The report is about no mail of this installation: nothing was changed.")
    return found


def reports(raw: bytes) -> list[Report]:
    """What a delivery report says, recipient by recipient; deliveries that went well are left out.

    Raises:
        NotAReport: the message is none, or does not say which mail it is about.
    """
    if len(raw) > _MOST_BYTES:
        raise NotAReport("The message is longer than any delivery report.")
    message = message_from_bytes(raw, policy=default)
    if message.get_content_type() != "multipart/report" or _report_type(message) != "delivery-status":
        raise NotAReport("The message is no delivery report (multipart/report; report-type=delivery-status).")
    token = _message_token(message)
    if token is None:
        raise NotAReport("The report does not carry the Message-ID of the mail it is about.")
    return [
        report for block in _recipient_blocks(message) if (report := _report(block, message_token=token)) is not None
    ]


def _report_type(message: Message) -> str:
    return str(message.get_param("report-type", "")).lower()


def _message_token(message: EmailMessage) -> str | None:
    """The Message-ID in the returned mail or its headers; the one of the report itself is another's."""
    for part in message.walk():
        kind = part.get_content_type()
        if part is message or kind not in ("message/rfc822", "text/rfc822-headers", "message/rfc822-headers"):
            continue
        for returned in _returned(part):
            found = _MESSAGE_TOKEN.fullmatch(str(returned.get("Message-ID", "")).strip())
            if found is not None:
                return found.group(1)
    return None


def _returned(part: Message) -> Iterator[Message]:
    payload = part.get_payload()
    if isinstance(payload, list):
        yield from (one for one in payload if isinstance(one, Message))
        return
    decoded = part.get_payload(decode=True)
    if isinstance(decoded, bytes):
        yield message_from_bytes(decoded, policy=default)


def _recipient_blocks(message: EmailMessage) -> Iterator[Message]:
    """The groups of fields of the status part; the first one is about the report as a whole."""
    for part in message.walk():
        if part.get_content_type() == "message/delivery-status":
            payload = part.get_payload()
            yield from (one for one in payload if isinstance(one, Message) and one.get("Final-Recipient"))


def _report(block: Message, *, message_token: str) -> Report | None:
    action = str(block.get("Action", "")).strip().lower()
    if action not in ("failed", "delayed"):
        return None
    status = _STATUS.search(str(block.get("Status", "")))
    original = block.get("Original-Recipient") or block.get("Final-Recipient")
    return Report(
        message_token=message_token,
        address=_typed_value(str(original)).strip("<>").lower(),
        kind="failed" if action == "failed" else "delayed",
        status=status.group() if status else "",
        diagnostic=_typed_value(str(block.get("Diagnostic-Code", ""))),
    )


def _typed_value(text: str) -> str:
    """The value of a field that names its type first: `rfc822; ann@example.com`, `smtp; 550 no such user`."""
    return one_line(text.partition(";")[2] if ";" in text else text)
