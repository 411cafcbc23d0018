"""Sends what is due in the outbox over SMTP, each mail at most once.

Belongs here: the conversation with a server, what its answers mean, the sender's loop. Does not: rows and leases
(`resources/mail/outbox_claims.py`), the mail's bytes (`resources/mail/message.py`).

What an answer means, at each place of the conversation:

    no connection, no TLS, no login          not sent; the mail waits, and so does everybody else's until the next run
    MAIL refused                             the same: it is about us, not about the mail
    RCPT or DATA refused with 4xx            not sent; the mail waits
    RCPT or DATA refused with 5xx            failed
    connection lost before the content       not sent; the mail waits
    connection lost once the content began   unknown
    the content answered with 2xx            sent
    the content answered with 4xx, 5xx       not sent, waits; failed
    the content answered with anything else  unknown
"""

import re
import smtplib
import ssl
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from types import MappingProxyType
from typing import Literal

from resources.clock import Clock
from resources.failpoints import failpoint
from resources.mail.message import Envelope, MailWriter
from resources.mail.outbox import Outbox
from resources.mail.outbox_claims import Claim
from resources.mail.outbox_rows import RowKey
from resources.mail.unsubscribe import MailKeys
from resources.settings import MailSettings

#: The points of sending one mail, in order: what is true when each is reached.
MAIL_POINTS: Mapping[str, str] = MappingProxyType(
    {
        "mail.claim.in": "the claim is written and not committed",
        "mail.claimed": "the mail is ours, nobody was spoken to about it",
        "mail.connected": "the server knows us and nothing of the mail",
        "mail.begin.in": "the beginning is written and not committed",
        "mail.begun": "the beginning is committed, nothing was said",
        "mail.sender_taken": "the server has taken the sender's address",
        "mail.recipient_taken": "the server has taken the recipient's address",
        "mail.content_asked": "the server waits for the content",
        "mail.content_given": "the content is with the server or on its way, its answer was not read",
        "mail.answered": "the server has answered, the answer is not recorded",
        "mail.record.in": "the answer is recorded and not committed",
        "mail.recorded": "the answer is committed",
    }
)
#: A sender that dies at one of these leaves a mail that nobody was told of.
POINTS_BEFORE_THE_CONVERSATION = ("mail.claim.in", "mail.claimed", "mail.connected", "mail.begin.in")

_OK, _WILL_FORWARD, _GIVE_CONTENT, _CLOSING = 250, 251, 354, 421
_TRANSIENT, _REFUSED, _BEYOND = 400, 500, 600
#: Providers end connections that carry too much.
_MAILS_A_CONNECTION = 50
_MOST_OF_AN_ANSWER = 300
#: With the longest wait for the last answer it ends before the lease does.
_LONGEST_PRELUDE = timedelta(minutes=4)
#: RFC 3463, 5.1.x: the address does not exist, moved or is none.
_BAD_ADDRESS = re.compile(r"\b5\.1\.[0-9]{1,3}\b")
_LOST = (OSError, smtplib.SMTPException)

Verdict = Literal["sent", "failed", "postponed", "unknown"]


class MailNotConfigured(ValueError):
    """Mail cannot be sent with these settings: says which are missing."""


class ServerTrouble(Exception):
    """The server cannot be spoken to: no connection, no TLS, no login. Says why, without a password."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one attempt; `is_about_us` if every other mail would fare the same."""

    verdict: Verdict
    answer: str
    is_about_us: bool = False
    is_bad_address: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Drained:
    """What one run of the sender came to."""

    sent: int = 0
    failed: int = 0
    postponed: int = 0
    unknown: int = 0
    released: int = 0
    left_unknown: int = 0
    stopped_because: str | None = None
    unknown_mails: tuple[RowKey, ...] = field(default=())


class SmtpLine:
    """A connection to the server, kept for several mails."""

    def __init__(self, settings: MailSettings) -> None:
        self._settings = settings
        self._smtp: smtplib.SMTP | None = None
        self._carried = 0

    def open(self) -> None:
        """Be ready for a mail; `ServerTrouble` if the server cannot be spoken to."""
        if self._smtp is not None and self._carried < _MAILS_A_CONNECTION and self._is_alive():
            return
        self.close()
        try:
            self._smtp = self._connect()
        except ssl.SSLError as error:
            raise ServerTrouble(f"TLS with {self._where} failed: {error.reason or 'no reason given'}") from error
        except smtplib.SMTPNotSupportedError as error:
            raise ServerTrouble(f"{self._where} does not offer what the settings ask for: {error}") from error
        except smtplib.SMTPResponseException as error:
            answer = _answer(error.smtp_code, error.smtp_error)
            raise ServerTrouble(f"{self._where} refused to speak with us: {answer}") from error
        except _LOST as error:
            raise ServerTrouble(f"{self._where} cannot be reached: {_one_line(str(error))}") from error
        self._carried = 0

    def give(self, envelope: Envelope, *, is_in_time: Callable[[], bool]) -> Outcome:
        """Hand one mail over, unless it is too late when the server waits for it; never raises for what a server does."""
        assert self._smtp is not None, "the line is opened before it is used"
        self._carried += 1
        try:
            outcome = self._before_content(self._smtp, envelope)
            if outcome is None and not is_in_time():
                self._hang_up()
                return Outcome(verdict="postponed", answer="this machine stood still in the conversation")
            if outcome is None:
                outcome = self._content(self._smtp, envelope)
        except _LOST as error:
            self._hang_up()
            return Outcome(
                verdict="postponed", answer=f"the connection was lost before the content: {_one_line(str(error))}"
            )
        if outcome.verdict == "unknown":
            self._hang_up()
        elif outcome.verdict != "sent":
            self.close()
        return outcome

    def close(self) -> None:
        """Say goodbye, if anybody still listens."""
        if self._smtp is not None:
            with suppress(*_LOST):
                self._smtp.quit()
        self._hang_up()

    def _hang_up(self) -> None:
        """End the connection without a word: a server that waits for content would take one for it."""
        if self._smtp is not None:
            self._smtp.close()
        self._smtp = None

    @property
    def _where(self) -> str:
        return f"{self._settings.host}:{self._settings.port}"

    def _is_alive(self) -> bool:
        assert self._smtp is not None
        try:
            return self._smtp.rset()[0] == _OK
        except _LOST:
            return False

    def _connect(self) -> smtplib.SMTP:
        settings = self._settings
        tls = ssl.create_default_context(cafile=None if settings.ca_file is None else str(settings.ca_file))
        tls.minimum_version = ssl.TLSVersion.TLSv1_2
        # Our name at the server is the domain mails come from: the machine's own name is nobody's business.
        name = settings.from_address.partition("@")[2]
        seconds = settings.timeout_seconds
        if settings.tls == "implicit":
            smtp: smtplib.SMTP = smtplib.SMTP_SSL(
                settings.host, settings.port, local_hostname=name, timeout=seconds, context=tls
            )
        else:
            smtp = smtplib.SMTP(settings.host, settings.port, local_hostname=name, timeout=seconds)
        try:
            smtp.ehlo_or_helo_if_needed()
            if settings.tls == "starttls":
                smtp.starttls(context=tls)
                smtp.ehlo_or_helo_if_needed()
            if settings.user:
                smtp.login(settings.user, settings.password.get_secret_value())
        except BaseException:
            smtp.close()
            raise
        return smtp

    def _before_content(self, smtp: smtplib.SMTP, envelope: Envelope) -> Outcome | None:
        """The addresses and the request to give the content; None if the server waits for it."""
        code, text = smtp.mail(envelope.sender)
        if code != _OK:
            return Outcome(verdict="postponed", answer=_answer(code, text), is_about_us=True)
        failpoint("mail.sender_taken")
        code, text = smtp.rcpt(envelope.recipient)
        if code not in (_OK, _WILL_FORWARD):
            return _refused(code, text)
        failpoint("mail.recipient_taken")
        code, text = smtp.docmd("DATA")
        if code != _GIVE_CONTENT:
            return _refused(code, text)
        failpoint("mail.content_asked")
        return None

    def _content(self, smtp: smtplib.SMTP, envelope: Envelope) -> Outcome:
        """From here on a lost connection is an open question."""
        try:
            if smtp.sock is not None:
                smtp.sock.settimeout(self._settings.taking_seconds)
            smtp.send(_on_the_wire(envelope.message))
            failpoint("mail.content_given")
            code, text = smtp.getreply()
            if smtp.sock is not None:
                smtp.sock.settimeout(self._settings.timeout_seconds)
        except _LOST as error:
            return Outcome(
                verdict="unknown", answer=f"the connection was lost with the content: {_one_line(str(error))}"
            )
        if code // 100 == _OK // 100:
            return Outcome(verdict="sent", answer=_answer(code, text))
        if _TRANSIENT <= code < _BEYOND:
            return _refused(code, text)
        return Outcome(verdict="unknown", answer=_answer(code, text))


class Mailer:
    """The sender: drains the outbox; any number of them may run at once."""

    def __init__(self, outbox: Outbox, *, keys: MailKeys, settings: MailSettings, clock: Clock) -> None:
        self._outbox = outbox
        self._settings = settings
        self._clock = clock
        self.writer = MailWriter(keys=keys, settings=settings)

    def require_configured(self) -> None:
        """`MailNotConfigured` if these settings cannot send mail that its readers can end."""
        needed = {
            "RUNWAY_MAIL__HOST": self._settings.host,
            "RUNWAY_MAIL__FROM_ADDRESS": self._settings.from_address,
            "RUNWAY_MAIL__UNSUBSCRIBE_URL": self._settings.unsubscribe_url,
        }
        missing = [name for name, value in needed.items() if not value]
        if missing:
            raise MailNotConfigured(f"Mail cannot be sent: set {', '.join(missing)} (docs/mail.md).")

    def drain(self, *, most: int | None = None, longest: timedelta | None = None) -> Drained:
        """Send what is due until nothing is, the server is in trouble, so many were tried, or so much time is over.

        The time is looked at between mails: one that was begun is brought to its end, whose longest wait the settings say.
        """
        self.require_configured()
        began = self._clock.now()
        claims, holder = self._outbox.claims, uuid.uuid4().hex
        swept = claims.sweep()
        counts: Counter[str] = Counter()
        unknown: list[RowKey] = []
        stopped_because = None
        with _line(self._settings) as line:
            while (most is None or counts.total() < most) and (longest is None or self._clock.now() - began < longest):
                claim = claims.claim(holder)
                if claim is None:
                    break
                outcome = self._send(line, claim)
                if outcome is None:
                    continue
                counts[outcome.verdict] += 1
                if outcome.verdict == "unknown":
                    unknown.append(claim.row_key)
                if outcome.is_about_us:
                    stopped_because = outcome.answer
                    break
        return Drained(
            sent=counts["sent"],
            failed=counts["failed"],
            postponed=counts["postponed"],
            unknown=counts["unknown"],
            released=swept.released,
            left_unknown=swept.unknown,
            stopped_because=stopped_because,
            unknown_mails=tuple(unknown),
        )

    def _send(self, line: SmtpLine, claim: Claim) -> Outcome | None:
        """Send one mail and record what became of it; None if it was no longer ours when it came to it."""
        try:
            line.open()
        except ServerTrouble as trouble:
            outcome = Outcome(verdict="postponed", answer=str(trouble), is_about_us=True)
            return self._recorded(claim, outcome)
        failpoint("mail.connected")
        now = self._clock.now()
        envelope = self.writer.write(claim.row, recipient=claim.recipient, content=claim.content, at=now)
        if not self._outbox.claims.begin(claim):
            return None
        failpoint("mail.begun")
        # Whoever stood still for longer may find that another sender has taken the row for lost.
        outcome = line.give(envelope, is_in_time=lambda: self._clock.now() - now < _LONGEST_PRELUDE)
        failpoint("mail.answered")
        return self._recorded(claim, outcome)

    def _recorded(self, claim: Claim, outcome: Outcome) -> Outcome | None:
        claims = self._outbox.claims
        is_ours = {
            "sent": lambda: claims.sent(claim, answer=outcome.answer),
            "failed": lambda: claims.failed(claim, reason=outcome.answer, is_bad_address=outcome.is_bad_address),
            "postponed": lambda: claims.postpone(claim, reason=outcome.answer),
            "unknown": lambda: claims.unknown(claim, reason=outcome.answer),
        }[outcome.verdict]()
        return outcome if is_ours else None


@contextmanager
def _line(settings: MailSettings) -> Iterator[SmtpLine]:
    line = SmtpLine(settings)
    try:
        yield line
    finally:
        line.close()


def _refused(code: int, text: bytes) -> Outcome:
    answer = _answer(code, text)
    if _REFUSED <= code < _BEYOND:
        return Outcome(verdict="failed", answer=answer, is_bad_address=_BAD_ADDRESS.search(answer) is not None)
    return Outcome(verdict="postponed", answer=answer, is_about_us=code == _CLOSING)


def _answer(code: int, text: bytes | str) -> str:
    said = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    return f"{code} {_one_line(said)}".strip()


def _one_line(text: str) -> str:
    line = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    return line[:_MOST_OF_AN_ANSWER]


def _on_the_wire(message: bytes) -> bytes:
    """Dots that begin a line doubled, the end marked (RFC 5321, 4.5.2); lines end in CRLF already."""
    stuffed = re.sub(rb"(?m)^\.", b"..", message)
    return stuffed + (b"" if stuffed.endswith(b"\r\n") else b"\r\n") + b".\r\n"
