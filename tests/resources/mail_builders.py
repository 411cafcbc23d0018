"""Tenants with recipients and mails that wait, for tests of mail."""

import re
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from html import escape
from pathlib import Path
from typing import Any

from resources.clock import Clock, FixedClock
from resources.database import Database
from resources.mail.outbox import Outbox
from resources.mail.outbox_rows import MailContent, OutboxRow, RowKey
from resources.mail.recipients import Mode, Recipient, Recipients
from resources.mail.sender import Mailer
from resources.mail.tables import MailOwner, of_firm, of_tenant
from resources.mail.unsubscribe import MailKeys
from resources.registry import TenantRegistry
from resources.settings import MailSettings
from resources.tenants import Tenant, TenantId

KEY = bytes(range(32))
ACME, BOLT = TenantId("acme-design"), TenantId("bolt-supply")
OF_ACME, OF_BOLT, OF_OAK = of_tenant(ACME), of_tenant(BOLT), of_firm("oak")
ANN, BEN = "ann@acme.example", "ben@acme.example"
#: A Friday, 07:30 in New York.
MORNING = datetime(2026, 11, 20, 12, 30, tzinfo=UTC)
WEEK = "2026-11-20"


class Post:
    """The mail of one database: registry, recipients, outbox, and a sender on a server."""

    def __init__(self, database: Database, *, clock: Clock, settings: MailSettings | None = None) -> None:
        self.database = database
        self.clock = clock
        self.keys = MailKeys([KEY])
        self.registry = TenantRegistry(database, clock=clock)
        self.recipients = Recipients(database, clock=clock)
        self.outbox = Outbox(database, clock=clock, keys=self.keys)
        self.settings = settings or MailSettings()

    def mailer(self, **overrides: Any) -> Mailer:
        settings = MailSettings(**{**dict(self.settings), **overrides})
        return Mailer(self.outbox, keys=self.keys, settings=settings, clock=self.clock)

    def tenant(self, tenant: str = ACME, *, firm: str = "oak", mode: Mode = "live", name: str = "") -> Tenant:
        if firm not in {one.firm_id for one in self.registry.firms()}:
            self.registry.add_firm(firm, name=firm.title())
        added = self.registry.add_tenant(tenant, firm_id=firm, name=name or tenant, zone="America/New_York")
        self.recipients.set_mode(of_tenant(added.tenant_id), mode, author="ann")
        return added

    def recipient(self, whose: Tenant | MailOwner, address: str = ANN, **overrides: Any) -> Recipient:
        owner = of_tenant(whose.tenant_id) if isinstance(whose, Tenant) else whose
        return self.recipients.add(
            owner,
            **{
                "address": address,
                "name": address.partition("@")[0].title(),
                "role": "client" if owner.kind == "tenant" else "firm",
                "locale": "en-GB",
                "zone": "America/New_York",
                "currency_format": "symbol",
                "author": "ann",
                **overrides,
            },
        )

    def queue(self, whose: str | MailOwner = ACME, address: str = ANN, *, key: str = WEEK, **content: str) -> RowKey:
        row_key = row_of(whose, address, key=key)
        now = self.clock.now()
        self.outbox.enqueue(row_key, make_content(**content), due_at=now, expires_at=now + timedelta(days=3))
        return row_key

    def row(self, row_key: RowKey) -> OutboxRow:
        found = self.outbox.row(row_key)
        assert found is not None
        return found

    def told(self, row_key: RowKey) -> list[str]:
        """What happened to a mail, in order."""
        return [one.event for one in self.outbox.history(row_key)]

    def later(self, **delta: float) -> None:
        assert isinstance(self.clock, FixedClock)
        self.clock.move_to(self.clock.now() + timedelta(**delta))


def row_of(whose: str | MailOwner = ACME, address: str = ANN, *, key: str = WEEK) -> RowKey:
    owner = of_tenant(TenantId(whose)) if isinstance(whose, str) else whose
    kind = "friday_digest" if owner.kind == "tenant" else "firm_exceptions"
    return RowKey(owner=owner, kind=kind, key=key, address=address)


def published_parts(message: EmailMessage) -> tuple[str, str]:
    """Text and HTML of a mail without the line that is its recipient's own; the mail has to have one in each."""
    assert message.get_content_type() == "multipart/alternative"
    plain, page = message.iter_parts()
    assert isinstance(plain, EmailMessage)
    assert isinstance(page, EmailMessage)
    assert (plain.get_content_type(), page.get_content_type()) == ("text/plain", "text/html")
    link = str(message["List-Unsubscribe"]).strip("<>")
    address = message["To"].addresses[0].addr_spec
    # On the wire every line ends in CRLF.
    text, html = (part.get_content().replace("\r\n", "\n") for part in (plain, page))
    own_text = f"\nSent to {address}. Unsubscribe: {link}\n"
    (own_html,) = re.findall(
        r'<p class="quiet" style="[^"]*">Sent to [^<]*<a href="[^"]*"[^>]*>Unsubscribe</a></p>\n', html
    )
    assert f'Sent to {escape(address)}. <a href="{link}"' in own_html
    assert text.endswith(own_text)
    return text.removesuffix(own_text), html.replace(own_html, "")


def make_recipient(name: str = "Ann", address: str = ANN) -> Recipient:
    """A reader of a tenant's mail."""
    return Recipient(
        owner=OF_ACME,
        address=address,
        name=name,
        role="client",
        locale="en-GB",
        zone="America/New_York",
        currency_format="symbol",
        added_by="ann",
        added_at=MORNING,
    )


def make_row(content: MailContent) -> OutboxRow:
    """A mail with this content, as a sender has it."""
    return OutboxRow(
        row_key=row_of(),
        state="sending",
        reason="",
        attempt=1,
        refusals=0,
        queued_at=MORNING,
        due_at=MORNING,
        expires_at=MORNING,
        lease_until=None,
        begun_at=None,
        sent_at=None,
        content_id=content.content_id,
        message_token="0123456789abcdef" * 2,
        about=None,
    )


def make_content(
    *, subject: str = "Covered until 6 Oct", text: str = "Text of it.\n", html: str = "<p>Text of it.</p>\n"
) -> MailContent:
    return MailContent(subject=subject, html=html, text=text)


def open_post(path: Path, *, now: datetime, settings: MailSettings | None = None) -> Post:
    """The mail of a migrated SQLite file, as another process opens it."""
    return Post(Database(f"sqlite:///{path}"), clock=FixedClock(now), settings=settings)
