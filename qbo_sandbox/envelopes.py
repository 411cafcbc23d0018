"""Bodies and headers of answers: the service's envelope, the gateway's, the XML twin.

Belongs here: recorded shapes. Does not: when which is sent (``data_api.py``).
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from xml.sax.saxutils import escape, quoteattr

from qbo_sandbox.faults import QboFault
from qbo_sandbox.selection import Selection
from qbo_sandbox.wire import pacific_millis, to_json

JSON = "application/json"
JSON_OK = "application/json;charset=utf-8"
XML = "application/xml"
HTML = "text/html"
XML_NAMESPACE = "http://schema.intuit.com/finance/v3"
XML_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
GatewayRefusal = Literal["AuthenticationFailed", "ApplicationAuthorizationFailed", "ThrottleExceeded"]
# errorCode, HTTP status, type
_GATEWAY: dict[GatewayRefusal, tuple[str, int, str]] = {
    "AuthenticationFailed": ("3200", 401, "AUTHENTICATION"),
    "ApplicationAuthorizationFailed": ("3100", 403, "AUTHORIZATION"),
    "ThrottleExceeded": ("3001", 429, "SERVICE"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One HTTP answer before it meets a web framework."""

    status: int
    body: bytes
    content_type: str = JSON_OK
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_success(self) -> bool:
        """Whether the status is 2xx."""
        return self.status // 100 == 2  # noqa: PLR2004 - the class of the status


def standard_headers(*, milliseconds: int) -> dict[str, str]:
    """Headers on every answer of the data service."""
    return {
        "intuit_tid": f"1-{secrets.token_hex(4)}-{secrets.token_hex(12)}",
        "QBO-Version": "1998.184",
        "Service-Time": f"total={milliseconds}, db={milliseconds // 3}",
        "Cache-Control": "max-age=0, no-cache, no-store, must-revalidate, private",
        "Expires": "0",
        "Strict-Transport-Security": "max-age=15552000",
    }


def single(entity: str, text: str, *, now: datetime) -> Answer:
    """One object; a create answers 200 too."""
    return _ok(f'{{"{entity}":{text},"time":"{pacific_millis(now)}"}}')


def query_response(selection: Selection, *, is_count: bool) -> str:
    """The inside of a query's answer: empty when nothing was found, without even the counts."""
    if is_count:
        return f'{{"totalCount":{selection.total}}}'
    if not selection.texts:
        return "{}"
    total = "" if selection.total is None else f',"totalCount":{selection.total}'
    objects = ",".join(selection.texts)
    return f'{{"{selection.entity}":[{objects}],"startPosition":{selection.start},"maxResults":{len(selection.texts)}{total}}}'


def query_answer(inside: str, *, now: datetime) -> Answer:
    """A query's answer."""
    return _ok(f'{{"QueryResponse":{inside},"time":"{pacific_millis(now)}"}}')


def whole(text: str) -> Answer:
    """A body that carries its own time."""
    return _ok(text)


def _ok(text: str) -> Answer:
    return Answer(status=200, body=text.encode())


def fault_object(fault: QboFault) -> dict[str, Any]:
    """The Fault of the service's envelope, as batch items carry it too."""
    error = {"Message": fault.message, "Detail": fault.detail, "code": fault.code}
    if fault.element is not None:
        error["element"] = fault.element
    return {"Error": [error], "type": fault.kind}


def fault_answer(fault: QboFault, *, now: datetime) -> Answer:
    """A business or system fault."""
    body = to_json({"Fault": fault_object(fault), "time": pacific_millis(now)})
    return Answer(status=fault.status, body=body.encode(), content_type=JSON)


def gateway_answer(
    refusal: GatewayRefusal, *, detail: str, now: datetime, form: Literal["json", "xml"] = "json"
) -> Answer:
    """A refusal of the gateway in front of the service: other names, lower case, time as a number."""
    code, status, kind = _GATEWAY[refusal]
    message = f"message={refusal}; errorCode=00{code}; statusCode={status}"
    headers = {"WWW-Authenticate": 'Bearer realm="Intuit", error="invalid_token"'} if status == 401 else {}  # noqa: PLR2004 - HTTP
    if form == "xml":
        body = fault_xml(kind=kind, code=code, message=message, detail=detail, now=now)
        return Answer(status=status, body=body.encode(), content_type=XML, headers=headers)
    envelope: dict[str, Any] = {
        "warnings": None,
        "intuitObject": None,
        "fault": {"error": [{"message": message, "detail": detail, "code": code, "element": None}], "type": kind},
        "report": None,
        "queryResponse": None,
        "batchItemResponse": [],
        "attachableResponse": [],
        "syncErrorResponse": None,
        "requestId": None,
        "time": int(now.timestamp() * 1000),
        "status": None,
        "cdcresponse": [],
    }
    return Answer(status=status, body=to_json(envelope).encode(), content_type=JSON, headers=headers)


def fault_xml(*, kind: str, code: str, message: str, detail: str, now: datetime) -> str:
    """The XML twin of a fault."""
    return (
        f"{XML_HEAD}<IntuitResponse xmlns={quoteattr(XML_NAMESPACE)} time={quoteattr(pacific_millis(now))}>"
        f'<Fault type={quoteattr(kind)}><Error code={quoteattr(code)} element="">'
        f"<Message>{escape(message)}</Message><Detail>{escape(detail)}</Detail></Error></Fault></IntuitResponse>"
    )
