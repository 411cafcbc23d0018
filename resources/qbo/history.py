"""The kept versions of QBO objects: the form they are stored in, what is newest, what is read back.

Belongs here: the columns of `raw_qbo/*`, versions in and out. Does not: which segments count (`resources/commits.py`),
reading from QuickBooks.

A version is stored with the exact text QBO sent. A deletion that QBO does not announce (an object missing from a full read)
is stored as the notice QBO would have sent, so that every payload reads back through `entities.parse`.
"""

import hashlib
import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import itemgetter
from typing import Any

import pyarrow as pa

from resources.lake import Segment, TenantLake
from resources.qbo.entities import parse
from resources.qbo.fields import QboObject
from resources.tenants import TenantId

_INSTANT = pa.timestamp("us", tz="UTC")

VERSIONS = pa.schema(
    [
        pa.field("tenant_id", pa.string(), nullable=False),
        pa.field("qbo_id", pa.string(), nullable=False),
        pa.field("known_at", _INSTANT, nullable=False),
        pa.field("created_at", _INSTANT),
        pa.field("updated_at", _INSTANT),
        pa.field("sync_token", pa.string(), nullable=False),
        pa.field("is_deleted", pa.bool_(), nullable=False),
        pa.field("payload", pa.string(), nullable=False),
    ]
)

_NEWEST = """
    SELECT qbo_id, created_at, is_deleted, sha256(payload) AS digest
    FROM segments
    QUALIFY row_number() OVER (PARTITION BY qbo_id ORDER BY known_at DESC) = 1
"""
_IN_ORDER = "SELECT known_at, payload FROM segments WHERE known_at <= $until ORDER BY known_at, qbo_id"
_BATCH_ROWS = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Newest:
    """What the newest kept version of an object is, without its text."""

    digest: str
    created_at: datetime | None
    is_deleted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class NewVersion:
    """One version to keep."""

    qbo_id: str
    created_at: datetime | None
    updated_at: datetime | None
    sync_token: str
    is_deleted: bool
    payload: str


def newest_versions(
    lake: TenantLake, segments: Sequence[Segment], *, ids: Collection[str] | None = None
) -> dict[str, Newest]:
    """The newest kept version of each object of one kind, or of these alone; deleted ones included."""
    if not segments:
        return {}
    if ids is not None:
        return _newest_of(lake, segments, ids)
    return {
        row["qbo_id"]: Newest(digest=row["digest"], created_at=row["created_at"], is_deleted=row["is_deleted"])
        for row in lake.rows(segments, sql=_NEWEST).to_pylist()
    }


def _newest_of(lake: TenantLake, segments: Sequence[Segment], ids: Collection[str]) -> dict[str, Newest]:
    return {
        qbo_id: Newest(digest=digest(row["payload"]), created_at=row["created_at"], is_deleted=row["is_deleted"])
        for qbo_id, row in _newest_rows(lake, segments, ids).items()
    }


def _newest_rows(lake: TenantLake, segments: Sequence[Segment], ids: Collection[str]) -> dict[str, dict[str, Any]]:
    found = sorted(lake.rows_with(segments, column="qbo_id", values=ids), key=itemgetter("known_at"))
    return {row["qbo_id"]: row for row in found}


def living_texts(lake: TenantLake, segments: Sequence[Segment], *, containing: str) -> dict[str, str]:
    """The newest kept texts of one kind's objects that are not deleted and contain a text, by id and in its order."""
    # Any version may contain it; whether the newest one still does is seen once it is found.
    ids = lake.values_beside(segments, column="qbo_id", text_column="payload", part=containing)
    newest = _newest_rows(lake, segments, ids) if ids else {}
    return {
        qbo_id: row["payload"]
        for qbo_id, row in sorted(newest.items())
        if not row["is_deleted"] and containing in row["payload"]
    }


def versions(
    lake: TenantLake, segments: Sequence[Segment], *, entity: str, until: datetime
) -> Iterator[tuple[datetime, QboObject]]:
    """Every kept version of a kind with when it became known, oldest knowledge first, up to an instant."""
    if not segments:
        return
    for batch in lake.rows(segments, sql=_IN_ORDER, until=until).to_batches(max_chunksize=_BATCH_ROWS):
        for known_at, payload in zip(batch["known_at"].to_pylist(), batch["payload"].to_pylist(), strict=True):
            yield known_at, parse(entity, payload)


def live_version(found: QboObject, text: str) -> NewVersion:
    """The version that an object as it came makes."""
    return NewVersion(
        qbo_id=found.id,
        created_at=found.created_at,
        updated_at=found.updated_at,
        sync_token=found.sync_token or "",
        is_deleted=found.is_deleted,
        payload=text,
    )


def missing_version(qbo_id: str, newest: Newest) -> NewVersion:
    """The version of an object that is there no longer: QBO does not say since when."""
    created = {"MetaData": {"CreateTime": newest.created_at.isoformat()}} if newest.created_at else {}
    notice = {"domain": "QBO", "status": "Deleted", "Id": qbo_id, **created}
    return NewVersion(
        qbo_id=qbo_id,
        created_at=newest.created_at,
        updated_at=None,
        sync_token="",
        is_deleted=True,
        payload=json.dumps(notice),
    )


def digest(payload: str) -> str:
    """What two versions with the same text have in common; the same as the lake's own `sha256`."""
    return hashlib.sha256(payload.encode()).hexdigest()


def rows(found: Iterable[NewVersion], *, tenant: TenantId, known_at: datetime) -> pa.Table:
    """Versions as rows of a segment."""
    kept = list(found)
    return pa.table(
        {
            "tenant_id": [tenant] * len(kept),
            "qbo_id": [version.qbo_id for version in kept],
            "known_at": [known_at] * len(kept),
            "created_at": [version.created_at for version in kept],
            "updated_at": [version.updated_at for version in kept],
            "sync_token": [version.sync_token for version in kept],
            "is_deleted": [version.is_deleted for version in kept],
            "payload": [version.payload for version in kept],
        },
        schema=VERSIONS,
    )
