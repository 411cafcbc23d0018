"""The Accounting API under ``/v3/company/{realmId}``: gate, faults on demand, dispatch.

Belongs here: the order in which a request meets the gateway, the planned faults and the books. Does not: shapes of
answers (``envelopes.py``), checks of writes (``writes.py``).

    gateway     token (401), realm (403), limits and quota (429)
    faults      those that strike before the request is carried out
    service     query, read, write, batch, change data, reports
    faults      those that strike afterwards
"""

import time
from collections.abc import Mapping
from dataclasses import replace

from starlette.requests import Request
from starlette.responses import Response

from qbo_sandbox.envelopes import Answer, gateway_answer, standard_headers
from qbo_sandbox.misbehaviour import Drop, Outcome, carry_out_with_faults, response
from qbo_sandbox.realms import Realm
from qbo_sandbox.sandbox import Sandbox
from qbo_sandbox.service import Call, metered_calls, serve
from qbo_sandbox.traffic import LoggedRequest
from qbo_sandbox.transport import Dropped
from qbo_sandbox.xml_answers import as_xml, wants_json

_THROTTLED = "The request limit was reached. Try again later"
_RETRY_SECONDS = "60"


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
    if not isinstance(outcome, Drop):
        entry.status = outcome.status
    return response(outcome, headers=standard_headers(milliseconds=int((entry.finished - entry.started) * 1000)))


async def _outcome(sandbox: Sandbox, request: Request, call: Call, entry: LoggedRequest) -> Outcome:
    striking = sandbox.faults.striking(
        call.realm_id, method=call.method, path=entry.path, query=entry.query, now=sandbox.clock.now()
    )
    entry.fault = ",".join(spec.kind for spec in striking) or None
    realm = _admitted(sandbox, call, request.headers)
    if isinstance(realm, Answer):
        return realm
    return await carry_out_with_faults(
        striking,
        request=request,
        now=sandbox.clock.now(),
        throttled=lambda: _throttled(sandbox, realm),
        work=lambda: _carried_out(sandbox, realm, call, entry, accept=request.headers.get("accept", "")),
    )


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


async def _carried_out(sandbox: Sandbox, realm: Realm, call: Call, entry: LoggedRequest, *, accept: str) -> Answer:
    company = await sandbox.realms.company(realm)
    now = sandbox.clock.now()
    answer = serve(sandbox, realm, company, call, now=now)
    if answer.is_success:
        entry.metered = metered_calls(call, realm.settings)
        if entry.metered:
            sandbox.meter.count(call.realm_id, entry.metered, now=now)
    return answer if wants_json(accept, call.params.get("format")) else as_xml(answer)
