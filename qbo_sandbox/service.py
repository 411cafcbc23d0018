"""The service behind the gateway: which operation a call means, and its answer.

Belongs here: dispatch by path, reads, queries, single writes. Does not: batch (``batch.py``), change data
(``change_data.py``), reports (``reports.py``), tokens and limits (``data_api.py``).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from qbo_sandbox.batch import batch_answer
from qbo_sandbox.change_data import change_data
from qbo_sandbox.company import Company
from qbo_sandbox.entities import ENTITIES
from qbo_sandbox.envelopes import Answer, fault_answer, query_answer, query_response, single, whole
from qbo_sandbox.faults import QboFault
from qbo_sandbox.objects import StoredObject
from qbo_sandbox.operations import parse_json
from qbo_sandbox.query import parse
from qbo_sandbox.realms import Realm
from qbo_sandbox.reports import report
from qbo_sandbox.sandbox import Sandbox
from qbo_sandbox.selection import select
from qbo_sandbox.settings import RealmSettings
from qbo_sandbox.wire import to_json
from qbo_sandbox.writes import check_id, operation_for

_BY_PATH = {entity.lower(): entity for entity in ENTITIES}


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request to a company, apart from HTTP."""

    realm_id: str
    method: str
    path: tuple[str, ...]  # behind the realm
    params: Mapping[str, str]
    body: bytes
    url_path: str

    @property
    def is_batch(self) -> bool:
        """Whether the call is a batch."""
        return self.path == ("batch",)

    @property
    def is_query(self) -> bool:
        """Whether the call is a query."""
        return self.path == ("query",)

    def statement_in_body(self) -> str:
        """A query sent as the body of a POST, empty for anything else."""
        return self.body.decode(errors="replace") if self.is_query and self.method == "POST" else ""


def metered_calls(call: Call, settings: RealmSettings) -> int:
    """How many CorePlus calls this is: every read and every batch, no single write."""
    if call.is_batch and settings.batch_metering == "item":
        items = _json_object(call.body).get("BatchItemRequest")
        return max(1, len(items)) if isinstance(items, list) else 1
    return 1 if call.method == "GET" or call.is_query or call.is_batch else 0


def serve(sandbox: Sandbox, realm: Realm, company: Company, call: Call, *, now: datetime) -> Answer:
    """Answer a call that passed the gateway."""
    try:
        return _remembered(sandbox, realm, company, call, now=now)
    except QboFault as fault:
        if fault.status == 400 and fault.code in _BUSINESS_CODES:  # noqa: PLR2004 - HTTP
            fault.status = realm.settings.business_fault_status
        return fault_answer(fault, now=now)


_BUSINESS_CODES = ("120", "5020", "5030", "6190")


def _remembered(sandbox: Sandbox, realm: Realm, company: Company, call: Call, *, now: datetime) -> Answer:
    """Carry a call out, or repeat the answer when its request id was seen before."""
    request_id = call.params.get("requestid")
    if request_id is None or call.method != "POST" or call.is_query:
        return _dispatch(sandbox, realm, company, call, now=now)
    seconds, ids = now.timestamp(), sandbox.request_ids
    earlier = ids.earlier(
        call.realm_id, request_id, call.body, is_batch=call.is_batch, now=seconds, settings=realm.settings
    )
    if earlier is not None:
        return earlier
    try:
        answer = _dispatch(sandbox, realm, company, call, now=now)
    except QboFault as fault:
        answer = fault_answer(fault, now=now)
    ids.remember(call.realm_id, request_id, call.body, answer, now=seconds)
    return answer


def _dispatch(sandbox: Sandbox, realm: Realm, company: Company, call: Call, *, now: datetime) -> Answer:
    if call.is_query:
        inside, _ = run_query(company, realm, _statement(call), now=now)
        return query_answer(inside, now=now)
    if call.method == "POST":
        return _post(sandbox, realm, company, call, now=now)
    if call.path == ("cdc",):
        return whole(change_data(company, call.params, settings=realm.settings, now=now))
    if len(call.path) == 2 and call.path[0] == "reports":  # noqa: PLR2004 - reports/{name}
        return whole(to_json(report(company, call.path[1], call.params, now=now)))
    return _read(company, call, now=now)


def _statement(call: Call) -> str:
    text = call.params.get("query") or call.statement_in_body()
    if not text:
        raise QboFault.required(element="query")
    return text


def run_query(
    company: Company, realm: Realm, statement: str, *, now: datetime, most: int | None = None
) -> tuple[str, int]:
    """The inside of a query's answer and how many objects it carries."""
    parsed = parse(statement)
    if most is not None:
        parsed = replace(parsed, size=min(parsed.size, most))
    found = select(company, parsed, settings=realm.settings, now=now)
    return query_response(found, is_count=parsed.is_count), len(found.texts)


def _read(company: Company, call: Call, *, now: datetime) -> Answer:
    entity = _BY_PATH.get(call.path[0]) if call.path else None
    if entity in ("CompanyInfo", "Preferences"):
        # Clients send the realm id as the id of CompanyInfo; the object's own is 1.
        return single(entity, company.text(company.existing(entity, "1")), now=now)
    if entity is None or len(call.path) != 2:  # noqa: PLR2004 - entity/{id}
        raise unknown_path(call.url_path)
    check_id(call.path[1])
    return single(entity, company.text(company.existing(entity, call.path[1])), now=now)


def _post(sandbox: Sandbox, realm: Realm, company: Company, call: Call, *, now: datetime) -> Answer:
    if call.is_batch:
        body = _json_object(call.body)
        return whole(
            batch_answer(
                body,
                settings=realm.settings,
                now=now,
                query=lambda statement, most: run_query(company, realm, statement, now=now, most=most),
                write=lambda entity, sent, operation, include: write(
                    sandbox, realm, company, entity, sent, operation=operation, include=include, now=now
                ),
            )
        )
    entity = _BY_PATH.get(call.path[0]) if len(call.path) == 1 else None
    if entity is None:
        raise unknown_path(call.url_path)
    text = write(
        sandbox,
        realm,
        company,
        entity,
        _json_object(call.body),
        operation=call.params.get("operation"),
        include=call.params.get("include"),
        now=now,
    )
    return single(entity, text, now=now)


def write(
    sandbox: Sandbox,
    realm: Realm,
    company: Company,
    entity: str,
    body: Mapping[str, Any],
    *,
    operation: str | None,
    include: str | None,
    now: datetime,
) -> str:
    """Carry one write out; the text of the object as it is afterwards."""
    wanted = operation_for(company, entity, body, operation=operation, include=include, settings=realm.settings, at=now)
    stored = sandbox.realms.change(realm, wanted)
    return _deleted(stored) if stored.gone is not None else company.text(stored)


def _deleted(stored: StoredObject) -> str:
    return to_json({"domain": "QBO", "status": "Deleted", "Id": stored.id})


def _json_object(body: bytes) -> dict[str, Any]:
    try:
        found = parse_json(body)
    except ValueError as error:
        raise _malformed(f"Unexpected content: {error}") from error
    if not isinstance(found, dict):
        raise _malformed("an object is expected")
    if _HALF_A_CHARACTER.search(body) and not _is_text(found):
        raise QboFault(
            code="2040", message="Invalid String", detail="Invalid String : a character is outside of Unicode"
        )
    return found


# Half of a character beyond the basic plane, which JSON can write and no text can hold.
_HALF_A_CHARACTER = re.compile(rb"\\u[dD][89a-fA-F]")


def _is_text(value: dict[str, Any]) -> bool:
    try:
        to_json(value).encode()
    except UnicodeEncodeError:
        return False
    return True


def _malformed(detail: str) -> QboFault:
    return QboFault(
        code="2010",
        message="Request has invalid or unsupported property",
        detail=f"Property Name:{detail} is unsupported or invalid",
    )


def unknown_path(path: str) -> QboFault:
    """500 as an error code: the path names nothing."""
    return QboFault(
        code="500",
        message="Unsupported Operation",
        detail=f"Operation Could not find resource for relative : {path} is not supported.",
    )
