"""Published documents: what pages and mails read, so that nobody who looks waits for a run.

Belongs here: publishing and reading a tenant's documents. Does not: what is in them (`experiences/`).
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, insert, select

from resources.clock import Clock
from resources.database import Database
from resources.registry import lock_tenant
from resources.tables import PUBLISHED_DOCUMENT
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
