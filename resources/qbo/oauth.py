"""Intuit's OAuth 2.0: where its endpoints are, the consent, codes and tokens.

Belongs here: the calls to the authorisation server and the checks of what comes back. Does not: keeping tokens
(`resources/connections.py`), deciding when to refresh (`token_keeper.py`).

There is no read-only scope: a token that can read can write. So tokens appear in no message, and addresses come
from the discovery document of a fixed host only.
"""

import base64
import hmac
import re
import secrets
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlencode, urlsplit

from resources.clock import Clock
from resources.connections import Tokens
from resources.qbo import exact_json
from resources.qbo.answers import RawAnswer, unavailable
from resources.qbo.client import open_http, send
from resources.qbo.errors import QboError, QboNotAuthorised
from resources.qbo.exact_json import NotJson
from resources.secret_text import Secret

INTUIT_DISCOVERY_URL = "https://developer.api.intuit.com/.well-known/openid_configuration"
INTUIT_SANDBOX_DISCOVERY_URL = "https://developer.api.intuit.com/.well-known/openid_sandbox_configuration"
SCOPE = "com.intuit.quickbooks.accounting"

#: Refreshing happens under a lease of 90 seconds: two tries have to fit.
_TIMEOUT_SECONDS = 20.0
_OK, _FOUND, _BAD_REQUEST, _UNAUTHORISED = 200, 302, 400, 401
_REALM = re.compile(r"[0-9]{1,32}")
#: A day more than a century: what is longer is no number of seconds a server would mean.
_LONGEST_LIFE = 36_526 * 86_400


class InvalidGrant(Exception):
    """The authorisation server does not accept this code or refresh token; never says which it was."""


class ConsentRefused(QboError):
    """The consent did not end in a code that can be trusted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoints:
    """Addresses of the authorisation server."""

    authorise: str
    token: str
    revoke: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """A consent that was given: exchanged once for tokens of this company."""

    text: Secret
    realm_id: str
    redirect_uri: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Consented:
    """A company and the tokens for it."""

    realm_id: str
    tokens: Tokens


class Consent:
    """One request for consent: its address, and the one callback it accepts."""

    def __init__(self, *, endpoint: str, client_id: str, redirect_uri: str, realm_id: str | None = None) -> None:
        self._redirect_uri = redirect_uri
        self._realm_id = realm_id
        self._state: str | None = secrets.token_urlsafe(32)
        parameters = {
            "client_id": client_id,
            "response_type": "code",
            "scope": SCOPE,
            "redirect_uri": redirect_uri,
            "state": self._state,
        }
        if realm_id is not None:
            parameters["realmId"] = realm_id
        self.url = f"{endpoint}?{urlencode(parameters)}"

    def accept(self, callback: str) -> Code:
        """The code of a callback with our own state, once; `ConsentRefused` for every other callback."""
        expected, self._state = self._state, None
        if expected is None:
            raise _refused("the callback of this consent was used before")
        if callback.partition("?")[0] != self._redirect_uri:
            raise _refused("the callback came to another address than the registered one")
        answers = parse_qs(urlsplit(callback).query, keep_blank_values=True)
        if not hmac.compare_digest(_one(answers, "state").encode(), expected.encode()):
            raise _refused("the callback does not belong to this consent (its state differs)")
        if "error" in answers:
            raise _refused("the consent was not given")
        code, realm_id = _one(answers, "code"), _one(answers, "realmId")
        if not code or not _REALM.fullmatch(realm_id):
            raise _refused("the callback names no code or no company")
        if self._realm_id is not None and realm_id != self._realm_id:
            raise _refused(f"the consent was given for company {realm_id}, not for {self._realm_id}")
        return Code(text=Secret(code), realm_id=realm_id, redirect_uri=self._redirect_uri)


class OAuthClient:
    """Speaks to one authorisation server; finds its endpoints at first use."""

    def __init__(self, *, discovery_url: str, client_id: str, client_secret: Secret, clock: Clock) -> None:
        self._discovery_url = discovery_url
        self._client_id = client_id
        self._client_secret = client_secret
        self._clock = clock
        self._http = open_http(discovery_url, timeout_seconds=_TIMEOUT_SECONDS)
        self._endpoints: Endpoints | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give back the connections."""
        self._http.close()

    def endpoints(self) -> Endpoints:
        """The server's own list of addresses, each on a host that may see our secrets."""
        if self._endpoints is None:
            call = "a read of the OAuth discovery document"
            answer = send(self._http, self._http.build_request("GET", self._discovery_url), call=call)
            found = _object(answer)
            self._endpoints = Endpoints(
                authorise=self._trusted(found.get("authorization_endpoint")),
                token=self._trusted(found.get("token_endpoint")),
                revoke=self._trusted(found.get("revocation_endpoint")),
            )
        return self._endpoints

    def consent(self, *, redirect_uri: str, realm_id: str | None = None) -> Consent:
        """A new request for consent; `realm_id` pins the company."""
        return Consent(
            endpoint=self.endpoints().authorise,
            client_id=self._client_id,
            redirect_uri=redirect_uri,
            realm_id=realm_id,
        )

    def consent_without_browser(self, *, redirect_uri: str, realm_id: str | None = None) -> Consented:
        """Tokens from a server that approves by itself, as the local QuickBooks does."""
        consent = self.consent(redirect_uri=redirect_uri, realm_id=realm_id)
        request = self._http.build_request("GET", consent.url)
        answer = send(self._http, request, call="the consent")
        if answer.status != _FOUND:
            raise _refused(
                f"the server did not approve by itself (status {answer.status}); name the company's realm id"
            )
        return self.exchange(consent.accept(answer.headers.get("location", "")))

    def exchange(self, code: Code) -> Consented:
        """The tokens that a code stands for."""
        form = {"grant_type": "authorization_code", "code": code.text.reveal(), "redirect_uri": code.redirect_uri}
        try:
            tokens = self._tokens(form, call="the exchange of an authorisation code")
        except InvalidGrant:
            raise _refused("the server did not accept its own code, which lives for some minutes only") from None
        return Consented(realm_id=code.realm_id, tokens=tokens)

    def refresh(self, refresh_token: Secret) -> Tokens:
        """Fresh tokens; a new refresh token means that the old one is dead. `InvalidGrant` if it was dead before."""
        form = {"grant_type": "refresh_token", "refresh_token": refresh_token.reveal()}
        return self._tokens(form, call="a refresh of tokens")

    def revoke(self, token: Secret) -> None:
        """End the connection that a token belongs to; one that is dead already is no error."""
        call = "a revocation of tokens"
        request = self._http.build_request(
            "POST", self.endpoints().revoke, json={"token": token.reveal()}, headers=self._credentials()
        )
        answer = send(self._http, request, call=call)
        if answer.status not in (_OK, _BAD_REQUEST):
            raise self._failure(answer)

    def _tokens(self, form: dict[str, str], *, call: str) -> Tokens:
        asked_at = self._clock.now()
        request = self._http.build_request("POST", self.endpoints().token, data=form, headers=self._credentials())
        answer = send(self._http, request, call=call)
        if answer.status != _OK:
            raise self._failure(answer)
        found = _object(answer)
        # Expiries count from before the call: an answer that was slow must not make a token look younger.
        return Tokens(
            access_token=_secret(found, "access_token", answer),
            access_expires_at=asked_at + _life(found, "expires_in", answer),
            refresh_token=_secret(found, "refresh_token", answer),
            refresh_expires_at=asked_at + _life(found, "x_refresh_token_expires_in", answer),
        )

    def _failure(self, answer: RawAnswer) -> Exception:
        error = _error_name(answer)
        if answer.status == _BAD_REQUEST and error == "invalid_grant":
            return InvalidGrant()
        if answer.status in (_BAD_REQUEST, _UNAUTHORISED):
            return QboNotAuthorised(
                what=f"Intuit did not accept {answer.call}: the app's id or secret is wrong{answer.reference}.",
                next_step="Check RUNWAY_QBO_CLIENT_ID, RUNWAY_QBO_CLIENT_SECRET and RUNWAY_QBO_ENVIRONMENT.",
                intuit_tid=answer.intuit_tid,
            )
        return unavailable(answer, because=f"it answered {answer.status}")

    def _credentials(self) -> dict[str, str]:
        pair = f"{self._client_id}:{self._client_secret.reveal()}".encode()
        return {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}

    def _trusted(self, address: Any) -> str:
        """An address on the discovery document's own origin or, for Intuit's, on any of its hosts over https."""
        home, parts = urlsplit(self._discovery_url), urlsplit(address if isinstance(address, str) else "")
        is_intuit = (home.hostname or "").endswith(".intuit.com")
        is_same = (parts.scheme, parts.netloc) == (home.scheme, home.netloc)
        if is_same or (is_intuit and parts.scheme == "https" and (parts.hostname or "").endswith(".intuit.com")):
            return str(address)
        raise QboNotAuthorised(
            what="The OAuth discovery document names an address outside its own house.",
            next_step="Check RUNWAY_QBO_ENVIRONMENT and RUNWAY_QBO_LOCAL_URL.",
        )


def _refused(because: str) -> ConsentRefused:
    return ConsentRefused(
        what=f"The connection to QuickBooks was not made: {because}.", next_step="Start `runway connect` again."
    )


def _one(answers: dict[str, list[str]], name: str) -> str:
    values = answers.get(name, [])
    return values[0] if len(values) == 1 else ""


def _object(answer: RawAnswer) -> dict[str, Any]:
    if answer.status != _OK:
        raise unavailable(answer, because=f"it answered {answer.status}")
    try:
        value = exact_json.load(answer.text)
    except NotJson:
        raise unavailable(answer, because="its answer is cut or no JSON") from None
    if not isinstance(value, dict):
        raise unavailable(answer, because="its answer is no object")
    return value


def _error_name(answer: RawAnswer) -> str:
    try:
        value = exact_json.load(answer.text)
    except NotJson:
        return ""
    error = value.get("error") if isinstance(value, dict) else None
    return error if isinstance(error, str) else ""


def _secret(found: dict[str, Any], name: str, answer: RawAnswer) -> Secret:
    value = found.get(name)
    if not isinstance(value, str) or not value:
        raise unavailable(answer, because=f"its answer holds no {name}")
    return Secret(value)


def _life(found: dict[str, Any], name: str, answer: RawAnswer) -> timedelta:
    value = found.get(name)
    if not isinstance(value, Decimal) or not 0 < value <= _LONGEST_LIFE:
        raise unavailable(answer, because=f"its answer holds no {name}")
    return timedelta(seconds=int(value))
