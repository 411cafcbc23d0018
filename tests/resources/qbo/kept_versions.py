"""What an installation has kept of a tenant, read from its files and not by the code that is tested.

Belongs here: versions, what lives of them, what is there twice. Does not: what should be there.
"""

from collections.abc import Sequence
from operator import itemgetter
from typing import Any

import pyarrow.parquet as pq

from resources.installation import Installation
from resources.qbo.kinds import ENTITIES, KINDS
from resources.tenants import TenantId

#: By kind, oldest first: id, whether the version says that the object is gone, its text.
Versions = dict[str, list[tuple[str, bool, str]]]
#: By kind and id: the newest text.
Living = dict[str, dict[str, str]]

_COLUMNS = ["known_at", "qbo_id", "is_deleted", "payload"]
EVERY_KIND = tuple(kind.entity for kind in ENTITIES)


def kept(installation: Installation, tenant: TenantId, entities: Sequence[str] = EVERY_KIND) -> Versions:
    """Every kept version of these kinds; an error if a segment that counts is not whole."""
    newest = installation.commits.newest_sync(tenant)
    if newest is None:
        return {}
    folder = installation.settings.lake_root / tenant
    segments = installation.commits.histories(tenant, up_to=newest)
    found: Versions = {}
    for entity in entities:
        rows: list[dict[str, Any]] = []
        for segment in segments[KINDS[entity].table]:
            rows += pq.ParquetFile(folder / segment.path).read(columns=_COLUMNS, use_threads=False).to_pylist()
        rows.sort(key=itemgetter("known_at", "qbo_id"))
        found[entity] = [(row["qbo_id"], row["is_deleted"], row["payload"]) for row in rows]
    return found


def living(versions: Versions) -> Living:
    """The newest text of each object that is not deleted."""
    newest = {entity: {row[0]: row for row in rows} for entity, rows in versions.items()}
    return {
        entity: {qbo_id: text for qbo_id, is_deleted, text in sorted(rows.values()) if not is_deleted}
        for entity, rows in newest.items()
    }


def doubled(versions: Versions) -> list[tuple[str, str]]:
    """Objects that have the same version twice in a row."""
    found: list[tuple[str, str]] = []
    for entity, rows in versions.items():
        before: dict[str, tuple[bool, str]] = {}
        for qbo_id, is_deleted, text in rows:
            if before.get(qbo_id) == (is_deleted, text):
                found.append((entity, qbo_id))
            before[qbo_id] = (is_deleted, text)
    return found
