"""The authorisation server's HTTP face: consent, tokens, revocation, discovery.

Belongs here: parameters, client credentials, answers. Does not: which token is good (``oauth.py``).
"""

import base64
import binascii
import json
import time
from hmac import compare_digest
from html import escape
from urllib.parse import parse_qsl, urlencode

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse, Response

from qbo_sandbox.envelopes import Answer
from qbo_sandbox.fault_plan import AUTHORISATION_SERVER
from qbo_sandbox.misbehaviour import Drop, carry_out_with_faults, response
from qbo_sandbox.oauth import GrantRefusedError, TokenPair
from qbo_sandbox.sandbox import Sandbox
from qbo_sandbox.traffic import LoggedRequest
from qbo_sandbox.transport import Dropped

SCOPE = "com.intuit.quickbooks.accounting"
_HARD_EXPIRY_HEADER = "x-include-refresh-token-hard-expires-in"


async def authorise(request: Request) -> Response:
    """Consent: given at once for the company that ``realmId`` names or the only one there is."""
    sandbox: Sandbox = request.app.state.sandbox
    asked = request.query_params
    wrong = _wrong_consent(sandbox, request)
    if wrong is not None:
        return PlainTextResponse(wrong, status_code=400)
    realms = sandbox.realms.ids()
    chosen = asked.get("realmId") or (realms[0] if len(realms) == 1 else None)
    if chosen is None:
        return HTMLResponse(_choice_page(request, sandbox, realms))
    if chosen not in realms:
        return PlainTextResponse(f"No company {chosen} is served here.", status_code=404)
    code = sandbox.authorisations.consent(realm_id=chosen, redirect_uri=asked["redirect_uri"])
    answer = {"code": code, "state": asked.get("state", ""), "realmId": chosen}
    joint = "&" if "?" in asked["redirect_uri"] else "?"
    return RedirectResponse(f"{asked['redirect_uri']}{joint}{urlencode(answer)}", status_code=302)


def _wrong_consent(sandbox: Sandbox, request: Request) -> str | None:
    asked = request.query_params
    if asked.get("client_id") != sandbox.credentials.client_id:
        return "The client_id is not that of this sandbox's app."
    if asked.get("response_type") != "code":
        return "response_type must be code."
    if SCOPE not in asked.get("scope", "").split():
        return f"scope must contain {SCOPE}."
    if not asked.get("redirect_uri", "").startswith(("http://", "https://")):
        return "redirect_uri must be an http or https address."
    return None


def _choice_page(request: Request, sandbox: Sandbox, realms: list[str]) -> str:
    links = []
    for realm_id in realms:
        realm = sandbox.realms.get(realm_id)
        assert realm is not None, "listed a moment ago"
        address = request.url.include_query_params(realmId=realm_id)
        links.append(f'<li><a href="{escape(str(address))}">{escape(realm.spec.name)}</a> ({realm_id})</li>')
    listed = "".join(links) or "<li>This sandbox serves no company yet.</li>"
    return (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>Choose a company</title></head>'
        f"<body><h1>Which company?</h1><ul>{listed}</ul></body></html>"
    )


async def tokens(request: Request) -> Response | Dropped:
    """Exchange a code or refresh; credentials by Basic or in the form. Faults are planned under the realm ``oauth``."""
    sandbox: Sandbox = request.app.state.sandbox
    form = dict(parse_qsl((await request.body()).decode()))
    entry = _log(sandbox, request)
    now = sandbox.clock.now()
    striking = sandbox.faults.striking_tokens(method=request.method, path=request.url.path, now=now)
    entry.fault = ",".join(spec.kind for spec in striking) or None

    async def work() -> Answer:
        answer = _token_answer(sandbox, request, form)
        headers = {"Cache-Control": "no-store"}
        return Answer(
            status=answer.status_code, body=bytes(answer.body), content_type="application/json", headers=headers
        )

    outcome = await carry_out_with_faults(
        striking, request=request, now=now, throttled=lambda: Answer(status=429, body=b""), work=work
    )
    entry.finished = time.time()
    if not isinstance(outcome, Drop):
        entry.status = outcome.status
    return response(outcome)


def _token_answer(sandbox: Sandbox, request: Request, form: dict[str, str]) -> Response:
    if not _is_our_client(sandbox, request, form):
        return JSONResponse({"error": "invalid_client"}, status_code=401)
    kind = form.get("grant_type")
    try:
        if kind == "authorization_code":
            pair = sandbox.authorisations.exchange(
                code=form.get("code", ""), redirect_uri=form.get("redirect_uri", ""), settings=sandbox.settings
            )
        elif kind == "refresh_token":
            pair = sandbox.authorisations.refresh(token=form.get("refresh_token", ""), settings=sandbox.settings)
        else:
            return JSONResponse({"error": "unsupported_grant_type"}, status_code=400)
    except GrantRefusedError as refused:
        body = {"error": refused.error}
        if refused.description is not None:
            body["error_description"] = refused.description
        return JSONResponse(body, status_code=400)
    with_hard_expiry = request.headers.get(_HARD_EXPIRY_HEADER, "").casefold() == "true"
    return JSONResponse(_token_body(pair, with_hard_expiry=with_hard_expiry))


def _token_body(pair: TokenPair, *, with_hard_expiry: bool) -> dict[str, str | int]:
    body: dict[str, str | int] = {
        "token_type": "bearer",
        "access_token": pair.access_token,
        "expires_in": pair.expires_in,
        "refresh_token": pair.refresh_token,
        "x_refresh_token_expires_in": pair.refresh_expires_in,
    }
    if with_hard_expiry:
        body["x_refresh_token_hard_expires_in"] = pair.refresh_hard_expires_in
    return body


async def revoke(request: Request) -> Response:
    """End the grant that a token belongs to."""
    sandbox: Sandbox = request.app.state.sandbox
    raw = (await request.body()).decode()
    try:
        sent = json.loads(raw) if raw.lstrip().startswith("{") else dict(parse_qsl(raw))
    except ValueError:
        return JSONResponse({"error": "invalid_request"}, status_code=400)
    if not _is_our_client(sandbox, request, sent):
        return JSONResponse({"error": "invalid_client"}, status_code=401)
    if not sandbox.authorisations.revoke(str(sent.get("token", ""))):
        return JSONResponse({"error": "invalid_request"}, status_code=400)
    return Response(status_code=200)


async def discovery(request: Request) -> Response:
    """The discovery document, with this program's own addresses."""
    here = f"{request.url.scheme}://{request.url.netloc}"
    return JSONResponse(
        {
            "issuer": "https://oauth.platform.intuit.com/op/v1",
            "authorization_endpoint": f"{here}/connect/oauth2",
            "token_endpoint": f"{here}/oauth2/v1/tokens/bearer",
            "userinfo_endpoint": f"{here}/v1/openid_connect/userinfo",
            "revocation_endpoint": f"{here}/v2/oauth2/tokens/revoke",
            "jwks_uri": f"{here}/op/v1/jwks",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "scopes_supported": ["openid", "email", "profile", "address", "phone"],
            "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
            "claims_supported": ["aud", "exp", "iat", "iss", "realmid", "sub"],
        }
    )


def _is_our_client(sandbox: Sandbox, request: Request, form: dict[str, str]) -> bool:
    given = _basic(request) or (form.get("client_id", ""), form.get("client_secret", ""))
    ours = (sandbox.credentials.client_id, sandbox.credentials.client_secret)
    return all(compare_digest(part.encode(), own.encode()) for part, own in zip(given, ours, strict=True))


def _basic(request: Request) -> tuple[str, str] | None:
    scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
    if scheme.casefold() != "basic":
        return None
    try:
        name, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return ("", "")
    return name, secret


def _log(sandbox: Sandbox, request: Request) -> LoggedRequest:
    entry = LoggedRequest(
        realm=AUTHORISATION_SERVER,
        method=request.method,
        path=request.url.path,
        query="",
        virtual_time=sandbox.clock.now().isoformat(),
        started=time.time(),
    )
    sandbox.log.add(entry)
    return entry
