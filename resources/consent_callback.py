"""The one request a browser brings back from a consent: waited for on the redirect URI's own port of this machine.

Belongs here: listening, which request is the callback, the page the person sees. Does not: what a callback means
(`resources/qbo/oauth.py`), what is done with it (`resources/connecting.py`).

Only the exact path on the exact host and port is the callback; whatever else a browser or a stranger asks for gets a 404 and
changes nothing. The first callback ends the waiting, be it good or bad.
"""

import socket
from collections.abc import Callable
from concurrent.futures import Future
from html import escape
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Generic, TypeVar
from urllib.parse import urlsplit

from resources.errors import TenantError

_Result = TypeVar("_Result")

_LOOPBACK = {"localhost": "127.0.0.1", "127.0.0.1": "127.0.0.1", "::1": "::1"}
#: A browser opens connections ahead that it may never use; they are not waited for longer than this.
_IDLE_SECONDS = 2.0

_EXPECTED = (TenantError, ValueError)

_PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>
body {{ font: 1.05rem/1.6 system-ui, sans-serif; color: #24313a; background: #f6f7f8; margin: 0; }}
main {{ max-width: 34rem; margin: 18vh auto 0; padding: 0 1.5rem; }}
h1 {{ font-size: 1.4rem; font-weight: 600; }}
</style></head>
<body><main><h1>{title}</h1><p>{text}</p><p>{after}</p></main></body></html>
"""


class CannotListen(TenantError):
    """The redirect URI's port of this machine cannot be listened on."""


class NoCallback(TenantError):
    """Nobody came back from the consent in time."""


def is_local(redirect_uri: str) -> bool:
    """Whether a browser on this machine would bring the callback to a port that we can listen on."""
    parts = urlsplit(redirect_uri)
    return parts.scheme == "http" and parts.hostname in _LOOPBACK


class CallbackListener(Generic[_Result]):
    """Listens while it is entered; `complete` is called with the address of the first callback, and only with that one."""

    def __init__(
        self, redirect_uri: str, *, complete: Callable[[str], _Result], told: Callable[[_Result], str]
    ) -> None:
        self._redirect_uri = redirect_uri
        self._complete = complete
        self._told = told
        self._outcome: Future[_Result] = Future()
        self._first = Lock()
        self._server = self._bound()
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)

    def __enter__(self) -> "CallbackListener[_Result]":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()  # lets the page that is being sent reach the browser

    def wait(self, *, timeout_seconds: float) -> _Result:
        """What `complete` returned; what it raised is raised here. `NoCallback` if nobody comes in time."""
        try:
            return self._outcome.result(timeout=timeout_seconds)
        except TimeoutError:
            if self._outcome.done():
                raise  # a time-out of `complete` itself
            raise NoCallback(
                what=f"Nobody came back from the consent page within {timeout_seconds:.0f} seconds.",
                next_step="Run it again; on a machine without a browser with --no-browser.",
            ) from None

    def answer(self, target: str) -> tuple[HTTPStatus, str]:
        """Status and page for a request of the callback's address with its query."""
        if not self._first.acquire(blocking=False):
            return HTTPStatus.GONE, _page("Already answered", "This consent was answered before.")
        try:
            result = self._complete(f"{self._redirect_uri}{target}")
        except BaseException as error:  # noqa: BLE001 - it is raised in the thread that waits
            self._outcome.set_exception(error)
            text = (
                str(error) if isinstance(error, _EXPECTED) else "Runway met an error of its own; the terminal shows it."
            )
            return HTTPStatus.BAD_REQUEST, _page("Not connected", text)
        self._outcome.set_result(result)
        return HTTPStatus.OK, _page("Connected", self._told(result))

    def _bound(self) -> ThreadingHTTPServer:
        parts = urlsplit(self._redirect_uri)
        if not is_local(self._redirect_uri):
            raise CannotListen(
                what=f"The redirect URI {self._redirect_uri} is not a plain http address of this machine.",
                next_step="Use --no-browser and paste the address the browser ends on.",
            )
        host, port = _LOOPBACK[str(parts.hostname)], parts.port or 80
        listener = self

        class Handler(_Handler):
            path_of_callback = parts.path or "/"
            host_of_callback = parts.netloc

            def answer(self, query: str) -> tuple[HTTPStatus, str]:
                return listener.answer(f"?{query}" if query else "")

        class Server(ThreadingHTTPServer):
            daemon_threads = False
            address_family = socket.AF_INET6 if ":" in host else socket.AF_INET

        try:
            return Server((host, port), Handler)
        except OSError as error:
            raise CannotListen(
                what=f"Port {port} of this machine, where the browser comes back to, cannot be used: {error.strerror}.",
                next_step="End the program that uses it, or set RUNWAY_QBO_REDIRECT_URI to another registered address.",
            ) from error


class _Handler(BaseHTTPRequestHandler):
    """Tells the callback from everything else."""

    timeout = _IDLE_SECONDS
    server_version = "runway"
    sys_version = ""
    path_of_callback: str
    host_of_callback: str

    def answer(self, query: str) -> tuple[HTTPStatus, str]:
        """Status and page for the callback."""
        raise NotImplementedError

    def do_GET(self) -> None:
        """Answer the callback; everything else is not here. A page elsewhere cannot reach us under its own name (Host)."""
        path, _, query = self.path.partition("?")
        if path == self.path_of_callback and self.headers.get("Host") == self.host_of_callback:
            status, page = self.answer(query)
        else:
            status, page = HTTPStatus.NOT_FOUND, _page("Nothing here", "This address belongs to no consent.")
        body = page.encode()
        self.send_response(status)
        for name, value in {
            "Content-Type": "text/html; charset=utf-8",
            "Content-Length": str(len(body)),
            "Cache-Control": "no-store",
            "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
            "Referrer-Policy": "no-referrer",  # the address holds the code
            "X-Content-Type-Options": "nosniff",
            "Connection": "close",
        }.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing: the address holds the code."""


def _page(title: str, text: str) -> str:
    after = "You can close this page and go back to the terminal."
    return _PAGE.format(title=escape(title), text=escape(text), after=after)
