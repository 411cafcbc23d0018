"""Tenants with recipients and mails that wait, for tests of mail."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from resources.clock import Clock, FixedClock
from resources.database import Database
from resources.mail import Mailer
from resources.outbox import Outbox
from resources.outbox_rows import MailContent, OutboxRow, RowKey
from resources.recipients import Mode, Recipient, Recipients
from resources.registry import TenantRegistry
from resources.settings import MailSettings
from resources.tenants import Tenant, TenantId
from resources.unsubscribe import MailKeys

KEY = bytes(range(32))
ACME, BOLT = TenantId("acme-design"), TenantId("bolt-supply")
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
        self.recipients.set_mode(added, mode, author="ann")
        return added

    def recipient(self, tenant: Tenant, address: str = ANN, **overrides: Any) -> Recipient:
        return self.recipients.add(
            tenant,
            **{
                "address": address,
                "name": address.partition("@")[0].title(),
                "role": "client",
                "locale": "en-GB",
                "zone": "America/New_York",
                "currency_format": "symbol",
                "author": "ann",
                **overrides,
            },
        )

    def queue(self, tenant: str = ACME, address: str = ANN, *, key: str = WEEK, **content: str) -> RowKey:
        row_key = row_of(tenant, address, key=key)
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


def row_of(tenant: str = ACME, address: str = ANN, *, key: str = WEEK) -> RowKey:
    return RowKey(tenant_id=TenantId(tenant), kind="friday_digest", key=key, address=address)


def make_content(
    *, subject: str = "Covered until 6 Oct", text: str = "Text of it.\n", html: str = "<p>Text of it.</p>\n"
) -> MailContent:
    return MailContent(subject=subject, html=html, text=text)


def open_post(path: Path, *, now: datetime, settings: MailSettings | None = None) -> Post:
    """The mail of a migrated SQLite file, as another process opens it."""
    return Post(Database(f"sqlite:///{path}"), clock=FixedClock(now), settings=settings)
