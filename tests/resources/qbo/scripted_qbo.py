"""A QuickBooks of a few lines over real HTTP: serves `BooksOfText` and misbehaves exactly as a test says.

For what the local QuickBooks would never send: broken objects, cut answers, redirects, a refresh answer lost on its way.
Its authorisation server is as strict as Intuit's documentation: every refresh replaces the refresh token, and a second use
of an old one ends the connection.
"""

import gzip
import json
import threading
from base64 import b64decode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlencode, urlsplit

from tests.resources.qbo.books_of_text import BooksOfText
from tests.resources.qbo.builders import make, text

REALM = "9130357849000011"
CLIENT_ID, CLIENT_SECRET = "scripted-client", "scripted-secret"
SERVER_TIME = "2026-11-20T05:00:00.250-08:00"


@dataclass
class Answer:
    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    #: Say the whole length and send only so much: a line that is cut.
    sent: int | None = None


@dataclass
class ScriptedQbo:
    """What it holds and what it was asked; `script` answers a request instead of it, or lets it pass with None."""

    books: BooksOfText = field(default_factory=BooksOfText)
    script: Callable[[str, str], Answer | None] = lambda _path, _statement: None
    url: str = ""
    time: str = SERVER_TIME
    #: How many changed objects an answer holds at most, and whether that counts by answer or by kind.
    cap: int = 1000
    cap_by: str = "answer"
    requests: list[str] = field(default_factory=list)
    refresh_token: str = "refresh-0"
    access_tokens: set[str] = field(default_factory=set)
    refreshes: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, method: str, target: str, headers: dict[str, str], body: str) -> Answer:
        parts = urlsplit(target)
        statement = parse_qs(parts.query).get("query", [body])[0]
        self.requests.append(f"{method} {parts.path}")
        scripted = self.script(parts.path, statement)
        if scripted is not None:
            return scripted
        if parts.path.startswith("/v3/company/"):
            return self._data(parts.path, statement, headers, parse_qs(parts.query))
        return self._authorisation(parts.path, parts.query, body, headers)

    def _authorisation(self, path: str, query: str, body: str, headers: dict[str, str]) -> Answer:
        if path.startswith("/.well-known/"):
            return self._json(
                {
                    "issuer": self.url,
                    "authorization_endpoint": f"{self.url}/connect/oauth2",
                    "token_endpoint": f"{self.url}/oauth2/v1/tokens/bearer",
                    "revocation_endpoint": f"{self.url}/v2/oauth2/tokens/revoke",
                }
            )
        if path == "/connect/oauth2":
            return self._consent({name: values[0] for name, values in parse_qs(query).items()})
        if path == "/oauth2/v1/tokens/bearer":
            return self._token({name: values[0] for name, values in parse_qs(body).items()}, headers)
        if path == "/v2/oauth2/tokens/revoke":
            self.access_tokens.clear()
            self.refresh_token = "dead"
            return self._json({})
        return Answer(status=404)

    def _data(self, path: str, statement: str, headers: dict[str, str], asked: dict[str, list[str]]) -> Answer:
        token = headers.get("authorization", "").removeprefix("Bearer ")
        if token not in self.access_tokens:
            error = {"message": "AuthenticationFailed", "detail": f"Token expired: {token}", "code": "3200"}
            return self._json({"fault": {"error": [error], "type": "AUTHENTICATION"}, "time": 1601}, status=401)
        if not path.startswith(f"/v3/company/{REALM}/"):
            error = {"message": "ApplicationAuthorizationFailed", "detail": "", "code": "3100"}
            return self._json({"fault": {"error": [error], "type": "AUTHORIZATION"}, "time": 1601}, status=403)
        if path.endswith(f"/companyinfo/{REALM}"):
            return self._singleton("CompanyInfo")
        if path.endswith("/preferences"):
            return self._singleton("Preferences")
        if path.endswith("/cdc"):
            return self._changes(asked["entities"][0].split(","), datetime.fromisoformat(asked["changedSince"][0]))
        return self._queried(statement)

    def _queried(self, statement: str) -> Answer:
        if (count := self.books.count(statement)) is not None:
            return self._text(f'{{"QueryResponse": {{"totalCount": {count}}}, "time": "{self.time}"}}')
        entity, found = self.books.answer(statement)
        objects = f'"{entity}": [{", ".join(found)}], "startPosition": 1, "maxResults": {len(found)}' if found else ""
        return self._text(f'{{"QueryResponse": {{{objects}}}, "time": "{self.time}"}}')

    def _changes(self, entities: list[str], since: datetime) -> Answer:
        cap = None if self.cap_by == "nothing" else self.cap
        if self.cap_by == "kind":
            found = [self.books.changes([entity], since, most=cap)[0] for entity in entities]
        else:
            found = self.books.changes(entities, since, most=cap)
        parts = [
            f'{{"{entity}": [{", ".join(texts)}], "startPosition": 1, "maxResults": {len(texts)}}}' if texts else "{}"
            for entity, texts in zip(entities, found, strict=True)
        ]
        return self._text(f'{{"CDCResponse": [{{"QueryResponse": [{", ".join(parts)}]}}], "time": "{self.time}"}}')

    def _singleton(self, entity: str) -> Answer:
        kept = self.books.texts.get(entity)
        return self._text(f'{{"{entity}": {kept[0][1] if kept else text(make(entity, "1"))}, "time": "{self.time}"}}')

    def _consent(self, asked: dict[str, str]) -> Answer:
        callback = {"code": "code-1", "state": asked["state"], "realmId": asked.get("realmId", REALM)}
        return Answer(status=302, headers={"Location": f"{asked['redirect_uri']}?{urlencode(callback)}"})

    def _token(self, form: dict[str, str], headers: dict[str, str]) -> Answer:
        credentials = b64decode(headers.get("authorization", "").removeprefix("Basic ")).decode()
        if credentials != f"{CLIENT_ID}:{CLIENT_SECRET}":
            return self._json({"error": "invalid_client"}, status=401)
        with self.lock:
            if form["grant_type"] == "refresh_token" and form["refresh_token"] != self.refresh_token:
                self.access_tokens.clear()
                self.refresh_token = "dead"
                return self._json({"error": "invalid_grant"}, status=400)
            if form["grant_type"] == "authorization_code" and form["code"] != "code-1":
                return self._json({"error": "invalid_grant"}, status=400)
            self.refreshes += 1
            self.refresh_token, access = f"refresh-{self.refreshes}", f"access-{self.refreshes}"
            self.access_tokens = {access}
            return self._json(
                {
                    "token_type": "bearer",
                    "access_token": access,
                    "expires_in": 3600,
                    "refresh_token": self.refresh_token,
                    "x_refresh_token_expires_in": 8726400,
                }
            )

    def _json(self, body: object, *, status: int = 200) -> Answer:
        return Answer(status=status, body=json.dumps(body).encode())

    def _text(self, body: str) -> Answer:
        return Answer(body=gzip.compress(body.encode()), headers={"Content-Encoding": "gzip"})


@contextmanager
def serve(qbo: ScriptedQbo) -> Iterator[ScriptedQbo]:
    """Serve it on a free port of this machine."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _handle(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            headers = {name.lower(): value for name, value in self.headers.items()}
            answer = qbo.answer(self.command, self.path, headers, body)
            self.send_response(answer.status)
            for name, value in {"intuit_tid": "1-5f74b3a0-abcdef", **answer.headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body[: answer.sent])
            if answer.sent is not None:
                self.close_connection = True

        do_GET = do_POST = _handle  # noqa: N815 - the names http.server looks for

        def log_message(self, *_arguments: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    qbo.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield qbo
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
