"""Change data capture: what changed since an instant, deleted transactions as stubs.

Belongs here: order, cap and look-back of the answer. Does not: the objects (``books.py``).
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from qbo_sandbox.books import Books
from qbo_sandbox.entities import EMPTY_ENTITIES, ENTITIES, WITHOUT_CHANGE_DATA
from qbo_sandbox.faults import QboFault
from qbo_sandbox.objects import StoredObject
from qbo_sandbox.settings import RealmSettings
from qbo_sandbox.wire import PACIFIC, pacific, pacific_millis, to_json

LOOK_BACK = timedelta(days=30)


def change_data(books: Books, params: Mapping[str, str], *, settings: RealmSettings, now: datetime) -> str:
    """One QueryResponse per asked entity in the asked order; an empty object where nothing changed."""
    since = _since(params, settings=settings, now=now)
    room = settings.cdc_cap_objects
    parts = []
    for entity in _entities(params):
        texts = _changed(books, entity, since)[:room]
        if settings.cdc_cap == "response":
            room -= len(texts)
        objects = ",".join(texts)
        parts.append(f'{{"{entity}":[{objects}],"startPosition":1,"maxResults":{len(texts)}}}' if texts else "{}")
    return f'{{"CDCResponse":[{{"QueryResponse":[{",".join(parts)}]}}],"time":"{pacific_millis(now)}"}}'


def _entities(params: Mapping[str, str]) -> list[str]:
    asked = [name.strip() for name in params.get("entities", "").split(",") if name.strip()]
    if not asked:
        raise QboFault.required(element="entities")
    known = {entity.casefold(): entity for entity in (*ENTITIES, *EMPTY_ENTITIES) if entity not in WITHOUT_CHANGE_DATA}
    for name in asked:
        if name.casefold() not in known:
            raise QboFault.unsupported(f"cdc with entity {name}")
    return [known[name.casefold()] for name in asked]


def _since(params: Mapping[str, str], *, settings: RealmSettings, now: datetime) -> int:
    text = params.get("changedSince", "")
    try:
        since = datetime.fromisoformat(text)
    except ValueError as error:
        raise QboFault(
            code="2070", message="Invalid Date", detail=f"Invalid Date : changedSince {text}", element="changedSince"
        ) from error
    if since.tzinfo is None:
        since = since.replace(tzinfo=PACIFIC)
    if settings.cdc_look_back == "refuse" and since < now - LOOK_BACK:
        raise QboFault.unsupported(f"cdc with changedSince date {text} which is older than fixed days")
    return int(since.timestamp())


def _changed(books: Books, entity: str, since: int) -> list[str]:
    live = [stored for stored in books.objects.get(entity, {}).values() if stored.updated >= since]
    gone = [stored for stored in books.gone.get(entity, {}).values() if stored.updated >= since]
    live.sort(key=_by_time)
    gone.sort(key=_by_time)
    return [*(books.text(stored) for stored in live), *(_stub(stored) for stored in gone)]


def _by_time(stored: StoredObject) -> tuple[int, int]:
    return stored.updated, int(stored.id)


def _stub(stored: StoredObject) -> str:
    return to_json(
        {
            "domain": "QBO",
            "status": "Deleted",
            "Id": stored.id,
            "MetaData": {"LastUpdatedTime": pacific(stored.updated)},
        }
    )
