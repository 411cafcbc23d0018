"""Published documents: what pages and mails read, so that nobody who looks waits for a run.

Belongs here: publishing and reading documents of a tenant, and of a firm as a whole. Does not: what is in them (`experiences/`).
"""

from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row, delete, func, insert, select

from resources.clock import Clock
from resources.database import Database
from resources.registry import lock_tenant
from resources.tables import FIRM_DOCUMENT, PUBLISHED_DOCUMENT
from resources.tenants import TenantId


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One published document: its title (a mail's subject), its data as JSON, and its two renderings."""

    tenant_id: TenantId
    kind: str
    key: str
    title: str
    body: str
    html: str
    text: str
    data_as_of: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class FirmDocument:
    """One published document about all tenants of a firm."""

    firm_id: str
    kind: str
    key: str
    title: str
    body: str
    html: str
    text: str


class Documents:
    """The tenant-bound shelf of published documents."""

    def __init__(self, database: Database, *, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def publish(self, document: Document) -> bool:
        """Put a document in place of its earlier version; whether anything changed. Older books never replace newer ones."""
        where = (
            PUBLISHED_DOCUMENT.c.tenant_id == document.tenant_id,
            PUBLISHED_DOCUMENT.c.kind == document.kind,
            PUBLISHED_DOCUMENT.c.key == document.key,
        )
        with self._database.write() as connection:
            lock_tenant(connection, document.tenant_id)
            kept = connection.execute(select(PUBLISHED_DOCUMENT).where(*where)).first()
            if kept is not None and (kept.data_as_of > document.data_as_of or _document(kept) == document):
                return False
            connection.execute(delete(PUBLISHED_DOCUMENT).where(*where))
            connection.execute(
                insert(PUBLISHED_DOCUMENT).values(
                    tenant_id=document.tenant_id,
                    kind=document.kind,
                    key=document.key,
                    title=document.title,
                    body=document.body,
                    html=document.html,
                    text=document.text,
                    data_as_of=document.data_as_of,
                    published_at=self._clock.now(),
                )
            )
        return True

    def read(self, tenant: TenantId, *, kind: str, key: str) -> Document | None:
        """A published document; None if there is none."""
        with self._database.read() as connection:
            row = connection.execute(
                select(PUBLISHED_DOCUMENT).where(
                    PUBLISHED_DOCUMENT.c.tenant_id == tenant,
                    PUBLISHED_DOCUMENT.c.kind == kind,
                    PUBLISHED_DOCUMENT.c.key == key,
                )
            ).first()
        return None if row is None else _document(row)

    def newest(self, tenant: TenantId, *, kind: str, not_after: date) -> Document | None:
        """The published document of a kind with the newest week that ends by a day, the tenant's own today; None if none is.

        What a wrong clock or an earlier version published of a week to come hides nothing that way.
        """
        own = (
            PUBLISHED_DOCUMENT.c.tenant_id == tenant,
            PUBLISHED_DOCUMENT.c.kind == kind,
            PUBLISHED_DOCUMENT.c.key <= not_after.isoformat(),
        )
        with self._database.read() as connection:
            key = select(func.max(PUBLISHED_DOCUMENT.c.key)).where(*own).scalar_subquery()
            row = connection.execute(select(PUBLISHED_DOCUMENT).where(*own, PUBLISHED_DOCUMENT.c.key == key)).first()
        return None if row is None else _document(row)

    def publish_for_firm(self, document: FirmDocument) -> bool:
        """Put a firm's document in place of its earlier version; whether anything changed."""
        where = (
            FIRM_DOCUMENT.c.firm_id == document.firm_id,
            FIRM_DOCUMENT.c.kind == document.kind,
            FIRM_DOCUMENT.c.key == document.key,
        )
        with self._database.write() as connection:
            kept = connection.execute(select(FIRM_DOCUMENT).where(*where).with_for_update()).first()
            if kept is not None and _firm_document(kept) == document:
                return False
            connection.execute(delete(FIRM_DOCUMENT).where(*where))
            connection.execute(insert(FIRM_DOCUMENT).values(**asdict(document), published_at=self._clock.now()))
        return True

    def read_for_firm(self, firm_id: str, *, kind: str, key: str) -> FirmDocument | None:
        """A firm's published document; None if there is none."""
        with self._database.read() as connection:
            row = connection.execute(
                select(FIRM_DOCUMENT).where(
                    FIRM_DOCUMENT.c.firm_id == firm_id, FIRM_DOCUMENT.c.kind == kind, FIRM_DOCUMENT.c.key == key
                )
            ).first()
        return None if row is None else _firm_document(row)


def _firm_document(row: Row[Any]) -> FirmDocument:
    return FirmDocument(
        firm_id=row.firm_id,
        kind=row.kind,
        key=row.key,
        title=row.title,
        body=row.body,
        html=row.html,
        text=row.text,
    )


def _document(row: Row[Any]) -> Document:
    return Document(
        tenant_id=TenantId(row.tenant_id),
        kind=row.kind,
        key=row.key,
        title=row.title,
        body=row.body,
        html=row.html,
        text=row.text,
        data_as_of=row.data_as_of,
    )
