"""Consent with intuit-oauth: the browser's part is one request whose redirect carries the code."""

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import parse_qs, urlsplit

from intuitlib.client import AuthClient
from intuitlib.enums import Scopes

from tests.clients.conftest import CLIENT_ID, CLIENT_SECRET, REDIRECT
from tests.sandbox import Sandbox


@contextmanager
def auth_client(sandbox: Sandbox, **more: str) -> Iterator[AuthClient]:
    """intuit-oauth with the addresses of the sandbox's discovery document."""
    discovery = f"{sandbox.url}/.well-known/openid_sandbox_configuration/"
    with AuthClient(more.pop("client_id", CLIENT_ID), CLIENT_SECRET, REDIRECT, discovery, **more) as client:
        yield client


def consent(sandbox: Sandbox, client: AuthClient, realm_id: str) -> dict[str, str]:
    """What the redirect after a user's consent tells the app."""
    address = client.get_authorization_url([Scopes.ACCOUNTING]) + f"&realmId={realm_id}"
    answer = sandbox.control.get(address, follow_redirects=False)
    assert answer.status_code == 302, answer.text
    location = urlsplit(answer.headers["location"])
    assert answer.headers["location"].startswith(REDIRECT)
    return {name: values[0] for name, values in parse_qs(location.query).items()}


@contextmanager
def connect(sandbox: Sandbox, realm_id: str) -> Iterator[AuthClient]:
    """intuit-oauth with the tokens of a company."""
    with auth_client(sandbox) as client:
        told = consent(sandbox, client, realm_id)
        client.get_bearer_token(told["code"], realm_id=told["realmId"])
        yield client
