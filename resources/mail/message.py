"""A mail as it goes over the wire: the published renderings, and the headers that mail programs and servers look for.

Belongs here: MIME and headers. Does not: words (`experiences/`), SMTP (`resources/mail/sender.py`).

Nothing in it follows its reader: no image, no counted link. The published renderings stand in it as they are; below them is the one
line that is the recipient's own, with the way to unsubscribe for whoever's mail program shows no button for it.

Headers are made by the standard library, which refuses line breaks in them; text that comes from books is put on one line before.
"""

import html
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, EmailPolicy
from email.utils import format_datetime
from typing import Any
from zoneinfo import ZoneInfo

from resources.mail.outbox_rows import MailContent, OutboxRow
from resources.mail.recipients import Recipient
from resources.mail.unsubscribe import MailKeys, Subscription
from resources.settings import MailSettings

#: What stands in for an address of ours while none is set: a name that no server delivers to.
NO_ADDRESS = "runway@preview.invalid"
#: A line of a body after its encoding (RFC 2045); the library's own default is two longer.
_BODY_LINE = 76
_READABLE = "quoted-printable"
#: As the quiet words of the published pages, whose own rules for the class hold when the reader wants it dark.
_FOOTER_STYLE = (
    "margin:0;padding:8px 16px 24px;text-align:center;"
    "font-family:sans-serif;font-size:14px;line-height:20px;color:#586069"
)
#: Tokens without a space: the library would fold them into encoded words, which no mail program opens.
_UNFOLDED = frozenset({"list-unsubscribe", "message-id"})

#: Joiners, without which Persian words and joined emoji fall apart, and the two that keep a name's direction to itself.
_UNSEEN_BUT_NEEDED = frozenset("\u200c\u200d\u2068\u2069")


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
        link = self._unsubscribe_link(recipient)
        if link:
            message["List-Unsubscribe"] = f"<{link}>"
            message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
        text, page = _text_with(link, content.text, recipient), _html_with(link, content.html, recipient)
        message.set_content(text, cte=_shorter(text))
        message.add_alternative(page, subtype="html", cte=_shorter(page))
        # The library draws a boundary at random.
        message.set_boundary(f"=_{row.message_token}_{content.content_id[:16]}")
        return Envelope(sender=self.sender, recipient=recipient.address, message=message.as_bytes())

    def _unsubscribe_link(self, recipient: Recipient) -> str:
        """The address at which this recipient unsubscribes; empty while none is set (nothing leaves the machine then)."""
        if not self._settings.unsubscribe_url:
            return ""
        token = self._keys.unsubscribe_token(Subscription(owner=recipient.owner, address=recipient.address))
        return f"{self._settings.unsubscribe_url.rstrip('/')}/unsubscribe/{token}"


def _shorter(text: str) -> str:
    """The transfer encoding that makes less of it: mail programs cut what is long as it was sent.

    What is written in ASCII stays readable on the wire; names in other alphabets or emoji take three bytes for each of theirs.
    """
    if text.isascii():
        return _READABLE
    return min((_READABLE, "base64"), key=lambda encoding: len(_encoded(text, encoding)))


def _encoded(text: str, encoding: str) -> bytes:
    part = EmailMessage(policy=_POLICY)
    part.set_content(text, cte=encoding)
    return part.as_bytes()


def _text_with(link: str, text: str, recipient: Recipient) -> str:
    return f"{text}\nSent to {recipient.address}. Unsubscribe: {link}\n" if link else text


def _html_with(link: str, page: str, recipient: Recipient) -> str:
    """The page with a last line; what the page says of books is escaped, so that its last `</body>` is its own."""
    if not link:
        return page
    before, end, after = page.rpartition("</body>")
    if not end:
        before, after = after, before
    line = (
        f'<p class="quiet" style="{_FOOTER_STYLE}">Sent to {html.escape(recipient.address)}. '
        f'<a href="{html.escape(link)}" style="color:inherit">Unsubscribe</a></p>\n'
    )
    return f"{before}{line}{end}{after}"


def one_line(text: str) -> str:
    """The text without line breaks, controls and characters that cannot be seen, but for those that spelling needs."""
    return " ".join("".join(char if char.isprintable() or char in _UNSEEN_BUT_NEEDED else " " for char in text).split())
