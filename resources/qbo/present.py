"""The company as a sync left it: the newest version of each object that is still there.

Belongs here: reading them back. Does not: history (`history.py`), frames (`frames.py`).
"""

from collections.abc import Sequence

from resources.lake import Segment, TenantLake
from resources.qbo.columns import Version
from resources.qbo.entities import parse

_PRESENT = """
    SELECT known_at, payload FROM (
        SELECT * FROM segments QUALIFY row_number() OVER (PARTITION BY qbo_id ORDER BY known_at DESC) = 1
    ) WHERE NOT is_deleted ORDER BY qbo_id
"""


def present_objects(lake: TenantLake, segments: Sequence[Segment], *, entity: str) -> list[Version]:
    """The newest version of each live object of one kind, with when it became known."""
    if not segments:
        return []
    rows = lake.rows(segments, sql=_PRESENT)
    known, texts = rows["known_at"].to_pylist(), rows["payload"].to_pylist()
    return [(known_at, parse(entity, text)) for known_at, text in zip(known, texts, strict=True)]
