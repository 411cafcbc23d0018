"""Batch: up to thirty writes and queries in one call, each standing alone.

Belongs here: the items and their answers. Does not: what a single query or write does (``service.py``).
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from qbo_sandbox.entities import ENTITIES
from qbo_sandbox.envelopes import fault_object
from qbo_sandbox.faults import QboFault
from qbo_sandbox.intake import misshapen
from qbo_sandbox.settings import RealmSettings
from qbo_sandbox.wire import pacific_millis, to_json

RunQuery = Callable[[str, int | None], tuple[str, int]]  # statement, most objects: inside of the answer, its objects
Write = Callable[[str, Mapping[str, Any], str | None, str | None], str]
_BATCH_OBJECTS = 1000


def batch_answer(
    body: Mapping[str, Any], *, settings: RealmSettings, now: datetime, query: RunQuery, write: Write
) -> str:
    """The answer to a batch; an item's fault is an item of the answer, never the batch's."""
    items = body.get("BatchItemRequest")
    if not isinstance(items, list) or not items:
        raise QboFault.required(element="BatchItemRequest")
    if len(items) > settings.batch_items:
        raise QboFault(
            code="1040",
            message="Batch size exceeded",
            detail=f"The maximum number of batch items is {settings.batch_items}; this request has {len(items)}.",
        )
    for item in items:
        if not isinstance(item, Mapping):
            raise misshapen("BatchItemRequest", item)
    room = _BATCH_OBJECTS if settings.batch_cap == "batch" else None
    answers = []
    for item in items:
        text, objects = _item(item, room=room, query=query, write=write)
        if room is not None:
            room -= objects
        answers.append(text)
    return f'{{"BatchItemResponse":[{",".join(answers)}],"time":"{pacific_millis(now)}"}}'


def _item(item: Mapping[str, Any], *, room: int | None, query: RunQuery, write: Write) -> tuple[str, int]:
    item_id = to_json(str(item.get("bId", "")))
    try:
        if "Query" in item:
            inside, objects = query(str(item["Query"]), room)
            return f'{{"QueryResponse":{inside},"bId":{item_id}}}', objects
        entity = next((name for name in item if name in ENTITIES), None)
        if entity is None:
            raise QboFault.unsupported("batch item without an entity")
        if not isinstance(item[entity], Mapping):
            raise misshapen(entity, item[entity])
        operation, include = _operation(item)
        return f'{{"{entity}":{write(entity, item[entity], operation, include)},"bId":{item_id}}}', 0
    except QboFault as fault:
        return f'{{"Fault":{to_json(fault_object(fault))},"bId":{item_id}}}', 0


def _operation(item: Mapping[str, Any]) -> tuple[str | None, str | None]:
    operation = item.get("operation")
    if operation not in ("create", "update", "delete"):
        raise QboFault.unsupported(f"batch {operation}")
    # A void travels as an update with the word in optionsData.
    include = "void" if operation == "update" and item.get("optionsData") == "void" else None
    return operation, include
