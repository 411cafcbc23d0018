"""One change of a company's books as a value: applied, written to the log, replayed after a restart.

Belongs here: the value, its text, applying it. Does not: where the log is kept (``realms.py``).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal, get_args

from qbo_sandbox.company import Company
from qbo_sandbox.objects import StoredObject
from qbo_sandbox.wire import epoch_seconds

Verb = Literal["create", "update", "sparse_update", "delete", "void", "merge", "touch"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """What was done to which object when; ``body`` is what a client sent, for a merge the two ids.

    A touch moves LastUpdatedTime alone, also into the future, as was recorded of an account.
    """

    verb: Verb
    entity: str
    at: datetime
    body: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """The object that ``operation_from_json`` reads back."""
        return {"verb": self.verb, "entity": self.entity, "at": self.at.isoformat(), "body": self.body}


def operation_from_json(raw: Mapping[str, Any]) -> Operation:
    """Read an operation of the log."""
    verb = raw["verb"]
    if verb not in get_args(Verb):
        raise ValueError(f"not an operation of this program: {verb!r}")
    return Operation(verb=verb, entity=raw["entity"], at=datetime.fromisoformat(raw["at"]), body=raw["body"])


def parse_json(text: str | bytes) -> Any:
    """JSON with exact numbers; refuses NaN and infinities, which are no JSON, and nesting without end."""
    try:
        return json.loads(text, parse_float=Decimal, parse_constant=_no_constant)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not a JSON number")


def apply(company: Company, operation: Operation) -> StoredObject:
    """Carry an operation out; returns the object it is about."""
    entity, body, at = operation.entity, operation.body, operation.at
    object_id = str(body.get("Id", ""))
    match operation.verb:
        case "create":
            object_id = str(company.create(entity, body, at=at)["Id"])
        case "update" | "sparse_update":
            company.update(entity, body, at=at, sparse=operation.verb == "sparse_update")
        case "delete":
            return company.delete(entity, object_id, at=at)
        case "void":
            company.void(entity, object_id, at=at)
        case "merge":
            object_id = str(body["kept"])
            company.merge(entity, kept=object_id, merged=str(body["merged"]), at=at)
        case "touch":
            company.existing(entity, object_id).touch(epoch_seconds(at))
    return company.existing(entity, object_id)
