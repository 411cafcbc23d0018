"""The Accounting API under ``/v3/company/{realmId}``: gate, faults on demand, dispatch.

Belongs here: the order in which a request meets the gateway, the planned faults and the books. Does not: shapes of
answers (``envelopes.py``), checks of writes (``writes.py``).

    gateway     token (401), realm (403), limits and quota (429)
    faults      those that strike before the request is carried out
    service     query, read, write, batch, change data, reports
    faults      those that strike afterwards
"""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace

from starlette.requests import Request
from starlette.responses import Response

from qbo_sandbox.envelopes import HTML, Answer, fault_answer, gateway_answer, standard_headers
from qbo_sandbox.fault_plan import AFTER, BEFORE, FaultSpec
from qbo_sandbox.faults import QboFault
from qbo_sandbox.realms import Realm
from qbo_sandbox.sandbox import Sandbox
from qbo_sandbox.service import Call, metered_calls, serve
from qbo_sandbox.traffic import LoggedRequest
from qbo_sandbox.transport import Dropped

_HTML_PAGE = (
    b"<!DOCTYPE html><html><head><title>Service Unavailable</title></head><body><h1>We are sorry</h1></body></html>"
)
_THROTTLED = "The request limit was reached. Try again later"
_RETRY_SECONDS = "60"


@dataclass(frozen=True, slots=True)
class Drop:
    """The connection ends without an answer."""


Outcome = Answer | Drop


async def data_endpoint(request: Request) -> Response | Dropped:
    """Answer one request to the data service and log it."""
    sandbox: Sandbox = request.app.state.sandbox
    call = Call(
        realm_id=request.path_params["realm"],
        method=request.method,
        path=tuple(part for part in request.path_params["rest"].split("/") if part),
        params=dict(request.query_params),
        body=await request.body(),
        url_path=request.url.path,
    )
    entry = LoggedRequest(
        realm=call.realm_id,
        method=call.method,
        path=request.url.path,
        query=request.url.query or call.statement_in_body(),
        virtual_time=sandbox.clock.now().isoformat(),
        started=time.time(),
    )
    sandbox.log.add(entry)
    outcome = await _outcome(sandbox, request, call, entry)
    entry.finished = time.time()
    if isinstance(outcome, Drop):
        return Dropped()
    entry.status = outcome.status
    headers = standard_headers(milliseconds=int((entry.finished - entry.started) * 1000))
    return Response(
        content=outcome.body,
        status_code=outcome.status,
        headers={**headers, **outcome.headers, "Content-Type": outcome.content_type},
    )


async def _outcome(sandbox: Sandbox, request: Request, call: Call, entry: LoggedRequest) -> Outcome:
    striking = sandbox.faults.striking(
        call.realm_id, method=call.method, path=entry.path, query=entry.query, now=sandbox.clock.now()
    )
    entry.fault = ",".join(spec.kind for spec in striking) or None
    realm = _admitted(sandbox, call, request.headers)
    if isinstance(realm, Answer):
        return realm
    for spec in striking:
        if spec.kind in ("latency", "slow_then_commit"):
            await asyncio.sleep(spec.seconds)
            if spec.kind == "latency" and await request.is_disconnected():
                return Drop()
    before = next((spec for spec in striking if spec.kind in BEFORE), None)
    if before is not None:
        return _refused(sandbox, before, realm)
    answer = await _carried_out(sandbox, realm, call, entry)
    if any(spec.kind == "double_delivery" for spec in striking):
        await _carried_out(sandbox, realm, call, entry)
    return _spoiled(sandbox, answer, next((spec for spec in striking if spec.kind in AFTER), None))


def _admitted(sandbox: Sandbox, call: Call, headers: Mapping[str, str]) -> Realm | Answer:
    """The realm that a request may reach, or the gateway's refusal."""
    now = sandbox.clock.now()
    scheme, _, token = headers.get("authorization", "").partition(" ")
    if scheme.casefold() != "bearer" or not token:
        return gateway_answer("AuthenticationFailed", detail="Missing or malformed Authorization header", now=now)
    allowed = sandbox.authorisations.realm_of(token)
    if not allowed.isdigit():
        detail = {"expired": "Token expired", "revoked": "Token revoked", "unknown": "Malformed bearer token"}[allowed]
        return gateway_answer("AuthenticationFailed", detail=f"{detail}: {token}", now=now)
    realm = sandbox.realms.get(call.realm_id)
    if realm is None or allowed != call.realm_id:
        detail = f"Token is not authorised for company {call.realm_id}"
        return gateway_answer("ApplicationAuthorizationFailed", detail=detail, now=now)
    return _within_limits(sandbox, realm, call)


def _within_limits(sandbox: Sandbox, realm: Realm, call: Call) -> Realm | Answer:
    now, app = sandbox.clock.now(), sandbox.settings
    broken = sandbox.throttle.exceeds(
        call.realm_id, is_batch=call.is_batch, now=sandbox.clock.seconds(), settings=realm.settings, app=app
    )
    if broken is not None and realm.settings.throttled:
        return _throttled(sandbox, realm)
    if app.metered and metered_calls(call, realm.settings) and sandbox.meter.used(now) >= app.monthly_quota:
        return _throttled(sandbox, realm)
    return realm


def _throttled(sandbox: Sandbox, realm: Realm) -> Answer:
    answer = gateway_answer(
        "ThrottleExceeded", detail=_THROTTLED, now=sandbox.clock.now(), form=realm.settings.throttle_body
    )
    if realm.settings.throttle_retry_after:
        return replace(answer, headers={**answer.headers, "Retry-After": _RETRY_SECONDS})
    return answer


async def _carried_out(sandbox: Sandbox, realm: Realm, call: Call, entry: LoggedRequest) -> Answer:
    company = await sandbox.realms.company(realm)
    now = sandbox.clock.now()
    answer = serve(sandbox, realm, company, call, now=now)
    if answer.is_success:
        entry.metered = metered_calls(call, realm.settings)
        if entry.metered:
            sandbox.meter.count(call.realm_id, entry.metered, now=now)
    return answer


def _refused(sandbox: Sandbox, spec: FaultSpec, realm: Realm) -> Outcome:
    if spec.kind == "drop_before":
        return Drop()
    if spec.kind == "html_body":
        return Answer(status=spec.status, body=_HTML_PAGE, content_type=HTML)
    if spec.kind == "throttle_storm":
        return _throttled(sandbox, realm)
    if spec.kind == "unauthorized":
        return gateway_answer("AuthenticationFailed", detail="Token expired: withheld", now=sandbox.clock.now())
    return _broken(sandbox, status=503 if spec.kind == "http_503" else 500)


def _spoiled(sandbox: Sandbox, answer: Answer, spec: FaultSpec | None) -> Outcome:
    """What a planned fault makes of a finished answer."""
    if spec is None:
        return answer
    if spec.kind == "drop_after":
        return Drop()
    if spec.kind == "truncated_json":
        return replace(answer, body=answer.body[: len(answer.body) // 2])
    return _broken(sandbox, status=503 if spec.kind == "http_503_after" else 500)


def _broken(sandbox: Sandbox, *, status: int) -> Answer:
    if status == 503:  # noqa: PLR2004 - maintenance is answered by the gateway, without a fault object
        return Answer(status=status, body=b"Service Unavailable", content_type="text/plain")
    fault = QboFault(
        code="10000",
        message="An application error has occurred while processing your request",
        detail="System Failure Error: Internal error",
        status=status,
        kind="SystemFault",
    )
    return fault_answer(fault, now=sandbox.clock.now())
