"""A plain HTTP client of the local QuickBooks: consent, tokens, calls, control. Knows nothing of our own client."""

import itertools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx

from tests.sandbox import Sandbox

CREDENTIALS = ("sandbox-client", "sandbox-secret")
SCOPE = "com.intuit.quickbooks.accounting"
REDIRECT = "http://127.0.0.1/callback"
_REALMS = itertools.count(9_130_000_000_000_001)


def consent(http: httpx.Client, *, realm_id: str | None, state: str = "s") -> httpx.Response:
    asked = {
        "client_id": CREDENTIALS[0],
        "scope": SCOPE,
        "redirect_uri": REDIRECT,
        "state": state,
        "response_type": "code",
    }
    return http.get("/connect/oauth2", params={**asked, **({"realmId": realm_id} if realm_id else {})})


def code_of(answer: httpx.Response) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["location"]).query).items()}


def tokens(http: httpx.Client, **form: str) -> httpx.Response:
    return http.post("/oauth2/v1/tokens/bearer", data=form, auth=CREDENTIALS)


def exact(answer: httpx.Response) -> Any:
    return json.loads(answer.text, parse_float=Decimal)


@dataclass(slots=True, kw_only=True)
class Company:
    """One connected company of a running sandbox."""

    http: httpx.Client
    realm_id: str
    access_token: str
    refresh_token: str

    @property
    def root(self) -> str:
        return f"/v3/company/{self.realm_id}"

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.access_token}", "Accept": "application/json"}

    def get(self, path: str, **params: str) -> httpx.Response:
        return self.http.get(f"{self.root}/{path}", params={"minorversion": "75", **params}, headers=self.headers)

    def query(self, statement: str) -> httpx.Response:
        return self.get("query", query=statement)

    def rows(self, statement: str) -> list[dict[str, Any]]:
        answer = self.query(statement)
        assert answer.status_code == 200, answer.text
        found = exact(answer)["QueryResponse"]
        return next((value for value in found.values() if isinstance(value, list)), [])

    def post(self, path: str, body: object, **params: str) -> httpx.Response:
        content = body if isinstance(body, str) else json.dumps(body, default=_number)
        headers = {**self.headers, "Content-Type": "application/json"}
        return self.http.post(f"{self.root}/{path}", content=content, params=params, headers=headers)

    def create(self, entity: str, body: Mapping[str, Any], **params: str) -> dict[str, Any]:
        answer = self.post(entity.lower(), body, **params)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = exact(answer)[entity]
        return found

    def control(self, path: str, body: Mapping[str, Any] | None = None, *, method: str = "POST") -> Any:
        answer = self.http.request(method, f"/__sandbox__/realms/{self.realm_id}/{path}", json=body)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    def settings(self, **changed: Any) -> None:
        self.control("settings", changed)

    def fault(self, **spec: Any) -> None:
        self.control("faults", spec)

    def heal(self) -> None:
        self.control("faults", method="DELETE")


def _number(value: object) -> float:
    assert isinstance(value, Decimal)
    return float(value)


def connect(http: httpx.Client, realm_id: str) -> Company:
    code = code_of(consent(http, realm_id=realm_id))["code"]
    answer = tokens(http, grant_type="authorization_code", code=code, redirect_uri=REDIRECT)
    assert answer.status_code == 200, answer.text
    body = answer.json()
    return Company(http=http, realm_id=realm_id, access_token=body["access_token"], refresh_token=body["refresh_token"])


def new_company(sandbox: Sandbox, **overrides: Any) -> Company:
    """A company of its own for a test that changes it, without limits unless the test is about them."""
    spec = {
        "realm_id": str(next(_REALMS)),
        "name": "Alder Agency",
        "industry": "marketing_agency",
        "size": "micro",
        "seed": 1,
        "as_of": "2026-11-20",
        "zone": "America/New_York",
        **overrides,
    }
    sandbox.add_company(**spec)
    company = connect(sandbox.control, str(spec["realm_id"]))
    company.settings(throttled=False)
    return company


def move_clock(http: httpx.Client, *, by: timedelta | None = None, to: datetime | None = None, **more: Any) -> datetime:
    body: dict[str, Any] = dict(more)
    if by is not None:
        body["advance_seconds"] = by.total_seconds()
    if to is not None:
        body["now"] = to.isoformat()
    answer = http.post("/__sandbox__/clock", json=body)
    assert answer.status_code == 200, answer.text
    return datetime.fromisoformat(answer.json()["now"])
