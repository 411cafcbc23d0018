"""A real SMTP server on this machine, that fails where a test tells it to.

It speaks through `aiosmtpd`, with a certificate of an authority made for the session. What it took is kept as it came; what it was
given and answered badly is not taken.
"""

import datetime
import logging
import ssl
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pydantic import SecretStr

from resources.settings import MailSettings

USER, PASSWORD = "runway", "canary-smtp-password"


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificates:
    """An authority, and what it says about 127.0.0.1."""

    authority: Path
    certificate: Path
    key: Path

    def server_side(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, self.key)
        return context


def make_certificates(folder: Path) -> Certificates:
    """A new authority and one certificate of it."""
    now = datetime.datetime.now(tz=datetime.UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Runway tests")])
    authority_key = ec.generate_private_key(ec.SECP256R1())

    def build(subject: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=2))
        )

    usage = x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=True,
        crl_sign=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
    authority = (
        build(name, authority_key)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .sign(authority_key, hashes.SHA256())
    )
    key = ec.generate_private_key(ec.SECP256R1())
    host = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    certificate = (
        build(host, key)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    paths = Certificates(
        authority=folder / "authority.pem", certificate=folder / "server.pem", key=folder / "server.key"
    )
    paths.authority.write_bytes(authority.public_bytes(serialization.Encoding.PEM))
    paths.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    paths.key.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return paths


@dataclass(slots=True)
class Behaviour:
    """What the server does at a stage: an answer instead of its own, or `hang up`; None behaves."""

    at: dict[str, str] = field(default_factory=dict)
    #: How often each is done before it behaves again; more often than any test needs by default.
    times: int = 1_000_000
    done: Counter[str] = field(default_factory=Counter)

    def due(self, stage: str) -> str | None:
        what = self.at.get(stage)
        if what is None or self.done[stage] >= self.times:
            return None
        self.done[stage] += 1
        return what


class MailServer:
    """The running server: what it took, and how it behaves."""

    def __init__(self, certificates: Certificates, *, tls: str) -> None:
        self.certificates = certificates
        self.tls = tls
        self.taken: list[bytes] = []
        self.stages: list[str] = []
        self.behaviour = Behaviour()
        #: Called at each stage, in the server's thread.
        self.watch: Callable[[str], None] = lambda _: None
        self._lock = threading.Lock()
        self._controller = _Controller(self)

    @property
    def port(self) -> int:
        return int(self._controller.server.sockets[0].getsockname()[1])

    def settings(self, **overrides: Any) -> MailSettings:
        """Settings that speak with this server."""
        return MailSettings(
            **{
                "host": "localhost",
                "port": self.port,
                "tls": self.tls,
                "ca_file": self.certificates.authority if self.tls != "none" else None,
                "user": USER if self.tls != "none" else "",
                "password": SecretStr(PASSWORD),
                "from_address": "digest@oak.example",
                "from_name": "Oak & Partners",
                "unsubscribe_url": "https://runway.example",
                "timeout_seconds": 10,
                "taking_seconds": 10,
                **overrides,
            }
        )

    def misbehave(self, times: int = 1_000_000, **at: str) -> None:
        self.behaviour = Behaviour(at=at, times=times)

    def behave(self) -> None:
        self.behaviour = Behaviour()

    def take(self, content: bytes) -> None:
        with self._lock:
            self.taken.append(content)

    @property
    def messages(self) -> list[EmailMessage]:
        """What was taken, parsed."""
        with self._lock:
            return [message_from_bytes(one, policy=default) for one in self.taken]

    def copies(self) -> Counter[str]:
        """How many mails were taken of each Message-ID's local part."""
        return Counter(str(one["Message-ID"]).strip("<>").partition("@")[0] for one in self.messages)


class _Controller(Controller):
    def __init__(self, owner: MailServer) -> None:
        self._owner = owner
        implicit = owner.certificates.server_side() if owner.tls == "implicit" else None
        super().__init__(_Handler(owner), hostname="127.0.0.1", port=0, ssl_context=implicit)

    def factory(self) -> SMTP:
        owner = self._owner
        is_starttls = owner.tls == "starttls"
        return _Smtp(
            owner,
            self.handler,
            tls_context=owner.certificates.server_side() if is_starttls else None,
            require_starttls=is_starttls,
            # The library does not see that a connection is TLS from its beginning.
            auth_required=is_starttls,
            auth_require_tls=is_starttls,
            authenticator=_check_login,
            hostname="localhost",
        )

    def _trigger_server(self) -> None:
        """The port is known once it listens."""
        self.port = self._owner.port
        super()._trigger_server()


class _Smtp(SMTP):
    def __init__(self, owner: MailServer, *arguments: Any, **named: Any) -> None:
        self._owner = owner
        super().__init__(*arguments, **named)

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        if self._owner.behaviour.due("connect"):
            transport.abort()

    async def _instead(self, stage: str) -> bool:
        """Whether the stage was dealt with by misbehaving."""
        self._owner.stages.append(stage)
        self._owner.watch(stage)
        what = self._owner.behaviour.due(stage)
        if what is None:
            return False
        if what == "hang up":
            self.transport.abort()
        else:
            await self.push(what)
        return True

    async def smtp_EHLO(self, hostname: str) -> None:  # noqa: N802 - the library's name
        if not await self._instead("ehlo"):
            await super().smtp_EHLO(hostname)

    async def smtp_AUTH(self, arg: str) -> None:  # noqa: N802 - the library's name
        if not await self._instead("auth"):
            await super().smtp_AUTH(arg)

    async def smtp_MAIL(self, arg: str | None) -> None:  # noqa: N802 - the library's name
        if not await self._instead("mail"):
            await super().smtp_MAIL(arg)

    async def smtp_RCPT(self, arg: str | None) -> None:  # noqa: N802 - the library's name
        if not await self._instead("rcpt"):
            await super().smtp_RCPT(arg)

    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802 - the library's name
        if not await self._instead("data"):
            await super().smtp_DATA(arg)


class _Handler:
    def __init__(self, owner: MailServer) -> None:
        self._owner = owner

    async def handle_DATA(self, server: _Smtp, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - the library's name
        """`content`: nothing was taken; `taken`: the mail is taken, and its answer is lost or wrong."""
        self._owner.stages.append("content")
        self._owner.watch("content")
        what = self._owner.behaviour.due("content")
        if what == "hang up":
            server.transport.abort()
            return "451 never sent"
        if what is not None:
            return what
        assert isinstance(envelope.original_content, bytes)
        self._owner.take(envelope.original_content)
        self._owner.stages.append("taken")
        self._owner.watch("taken")
        what = self._owner.behaviour.due("taken")
        if what == "hang up":
            server.transport.abort()
        return what if what is not None and what != "hang up" else "250 taken"


def _check_login(_server: SMTP, _session: Session, _envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
    is_right = isinstance(data, LoginPassword) and (data.login, data.password) == (USER.encode(), PASSWORD.encode())
    return AuthResult(success=is_right, handled=True) if is_right else AuthResult(success=False, handled=False)


@contextmanager
def mail_server(certificates: Certificates, *, tls: str = "starttls") -> Iterator[MailServer]:
    """A server in a thread of its own."""
    # The library warns of names of its own that it is going to remove, at every login.
    logging.getLogger("mail.log").setLevel(logging.ERROR)
    server = MailServer(certificates, tls=tls)
    server._controller.start()
    try:
        yield server
    finally:
        server._controller.stop()
