"""A mail as it goes over the wire: the published renderings, and the headers that mail programs and servers look for.

Belongs here: MIME and headers. Does not: words (`experiences/`), SMTP (`resources/mail.py`).

Nothing in it follows its reader: no image, no counted link. Headers are made by the standard library, which refuses line breaks in
them; text that comes from books is put on one line before.
"""

from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, EmailPolicy
from email.utils import format_datetime
from typing import Any
from zoneinfo import ZoneInfo

from resources.outbox_rows import MailContent, OutboxRow
from resources.recipients import Recipient
from resources.settings import MailSettings
from resources.unsubscribe import MailKeys, Subscription

#: What stands in for an address of ours while none is set: a name that no server delivers to.
NO_ADDRESS = "runway@preview.invalid"
#: A line of a body after its encoding (RFC 2045); the library's own default is two longer.
_BODY_LINE = 76
#: Tokens without a space: the library would fold them into encoded words, which no mail program opens.
_UNFOLDED = frozenset({"list-unsubscribe", "message-id"})


class _Policy(EmailPolicy):
    """The library's policy for SMTP, but for headers that are one word."""

    def fold(self, name: str, value: Any) -> str:
        return self._whole(name, value) if name.lower() in _UNFOLDED else super().fold(name, value)

    def fold_binary(self, name: str, value: Any) -> bytes:
        if name.lower() in _UNFOLDED:
            return self._whole(name, value).encode("ascii")
        return super().fold_binary(name, value)

    def _whole(self, name: str, value: Any) -> str:
        return f"{name}: {value}{self.linesep}"


_POLICY = _Policy(linesep="\r\n", max_line_length=_BODY_LINE, raise_on_defect=SMTP.raise_on_defect)


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """A mail as bytes, with the two addresses the server is told."""

    sender: str
    recipient: str
    message: bytes


class MailWriter:
    """Writes the mails of one installation."""

    def __init__(self, *, keys: MailKeys, settings: MailSettings) -> None:
        self._keys = keys
        self._settings = settings

    @property
    def sender(self) -> str:
        """The address mails come from."""
        return self._settings.from_address or NO_ADDRESS

    def write(self, row: OutboxRow, *, recipient: Recipient, content: MailContent, at: datetime) -> Envelope:
        """A mail to one recipient; equal arguments give equal bytes."""
        message = EmailMessage(policy=_POLICY)
        message["From"] = Address(display_name=one_line(self._settings.from_name), addr_spec=self.sender)
        message["To"] = Address(display_name=one_line(recipient.name), addr_spec=recipient.address)
        message["Subject"] = one_line(content.subject)
        message["Date"] = format_datetime(at.astimezone(ZoneInfo(recipient.zone)))
        message["Message-ID"] = f"<{row.message_token}@{self.sender.partition('@')[2]}>"
        message["Auto-Submitted"] = "auto-generated"
        for name, value in self._unsubscribing(recipient).items():
            message[name] = value
        message.set_content(content.text, cte="quoted-printable")
        message.add_alternative(content.html, subtype="html", cte="quoted-printable")
        # The library draws a boundary at random.
        message.set_boundary(f"=_{row.message_token}_{content.content_id[:16]}")
        return Envelope(sender=self.sender, recipient=recipient.address, message=message.as_bytes())

    def _unsubscribing(self, recipient: Recipient) -> dict[str, str]:
        if not self._settings.unsubscribe_url:
            return {}
        token = self._keys.unsubscribe_token(Subscription(tenant_id=recipient.tenant_id, address=recipient.address))
        return {
            "List-Unsubscribe": f"<{self._settings.unsubscribe_url.rstrip('/')}/unsubscribe/{token}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        }


def one_line(text: str) -> str:
    """The text without line breaks, controls and characters that cannot be seen."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())
