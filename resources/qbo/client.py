"""The raw client: one HTTP call to QuickBooks Online, its answer classified.

Belongs here: addresses, headers, timeouts, sending once. Does not: tokens (`token_keeper.py`), pace and retries
(`patience.py`), which pages to read (`paging.py`).

The address is fixed when the client is made, a redirect is an error: the token never travels anywhere else.
"""

import re
import ssl
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

import httpx

from resources.failpoints import failpoint
from resources.qbo import answers
from resources.qbo.answers import Changes, Page, RawAnswer, query_page, single_object, unavailable
from resources.qbo.errors import QboUnavailable
from resources.qbo.kinds import KINDS
from resources.qbo.query import Statement
from resources.secret_text import Secret, quiet_http_logging

MINOR_VERSION = "75"  # the only one served; lower ones are silently raised to it
_USER_AGENT = "runway/0.1"
_REALM = re.compile(r"[0-9]{1,32}")
_REPORT_NAME = re.compile(r"[A-Za-z]{1,60}")
_OK = 200
#: Longer statements go in a body: proxies cut long addresses.
_LONGEST_ADDRESS = 2000
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class QboClient:
    """Speaks to one QuickBooks address; knows no tenant and keeps no state but its pool of connections."""

    def __init__(self, *, url: str, timeout_seconds: float = 60.0) -> None:
        self._http = open_http(url, timeout_seconds=timeout_seconds)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give back the connections."""
        self._http.close()

    def query(self, statement: Statement, *, realm_id: str, access_token: Secret) -> Page:
        """The page that a statement selects."""
        answer = self._ask(
            statement, call=f"a query of {statement.entity}", realm_id=realm_id, access_token=access_token
        )
        return query_page(answer, entity=statement.entity)

    def count(self, statement: Statement, *, realm_id: str, access_token: Secret) -> int:
        """How many objects a counting statement finds."""
        call = f"a count of {statement.entity}"
        return answers.counted(self._ask(statement, call=call, realm_id=realm_id, access_token=access_token))

    def changes(self, entities: Sequence[str], *, since: datetime, realm_id: str, access_token: Secret) -> Changes:
        """What changed of these kinds since an instant, deletions included, in one call."""
        known = [KINDS[entity].entity for entity in entities]
        parameters = {
            "entities": ",".join(known),
            # Whole seconds, as QuickBooks keeps them: cut off, never rounded up.
            "changedSince": since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "minorversion": MINOR_VERSION,
        }
        request = self._http.build_request("GET", f"{company_path(realm_id)}/cdc", params=parameters)
        what = known[0] if len(known) == 1 else "all kinds"
        answer = self._send(request, call=f"a read of what changed of {what}", access_token=access_token)
        return answers.changes(answer, entities=known)

    def _ask(self, statement: Statement, *, call: str, realm_id: str, access_token: Secret) -> RawAnswer:
        address, parameters = f"{company_path(realm_id)}/query", {"minorversion": MINOR_VERSION}
        if len(statement.text) <= _LONGEST_ADDRESS:
            request = self._http.build_request("GET", address, params={**parameters, "query": statement.text})
        else:
            request = self._http.build_request(
                "POST",
                address,
                params=parameters,
                content=statement.text.encode(),
                headers={"Content-Type": "application/text"},
            )
        return self._send(request, call=call, access_token=access_token)

    def singleton(self, entity: str, *, realm_id: str, access_token: Secret) -> Page:
        """The company's one object of a kind, as a page of one."""
        if not KINDS[entity].is_singleton:
            raise ValueError(f"{entity} is no singleton")
        # The realm id stands in for the id of the company's info; the preferences have no id in their address.
        last = f"companyinfo/{realm_id}" if entity == "CompanyInfo" else entity.lower()
        request = self._http.build_request(
            "GET", f"{company_path(realm_id)}/{last}", params={"minorversion": MINOR_VERSION}
        )
        return single_object(self._send(request, call=f"a read of {entity}", access_token=access_token), entity=entity)

    def report(self, name: str, parameters: Mapping[str, str], *, realm_id: str, access_token: Secret) -> RawAnswer:
        """A report as it came; one metered read. `resources/qbo/reports.py` reads it."""
        if not _REPORT_NAME.fullmatch(name):
            raise ValueError("a report is named by letters")
        request = self._http.build_request(
            "GET", f"{company_path(realm_id)}/reports/{name}", params={**parameters, "minorversion": MINOR_VERSION}
        )
        answer = self._send(request, call=f"the report {name}", access_token=access_token)
        if answer.status != _OK:
            raise answers.failure(answer)
        return answer

    def _send(self, request: httpx.Request, *, call: str, access_token: Secret) -> RawAnswer:
        request.headers["Authorization"] = f"Bearer {access_token.reveal()}"
        answer = send(self._http, request, call=call)
        failpoint("call.answered")
        return answer


def open_http(url: str, *, timeout_seconds: float) -> httpx.Client:
    """A pool for one fixed address that follows no redirect."""
    quiet_http_logging()
    parts = urlsplit(url)
    is_local = parts.hostname in _LOOPBACK
    if parts.scheme != "https" and not (parts.scheme == "http" and is_local):
        raise ValueError("QuickBooks is spoken to over https only, but for one on this machine")
    return httpx.Client(
        base_url=url,
        timeout=httpx.Timeout(timeout_seconds, connect=min(10.0, timeout_seconds)),
        follow_redirects=False,
        # As many lines as there are tenants being synced: a hundred that hang must not keep the next from its own.
        limits=httpx.Limits(max_connections=None, max_keepalive_connections=100),
        # On this machine nothing is encrypted: reading all the world's certificates takes longer than many a sync.
        verify=parts.scheme == "https" or ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
        trust_env=not is_local,  # a proxy of the environment is right for Intuit and wrong for this machine
        headers={"Accept": "application/json", "Accept-Encoding": "gzip", "User-Agent": _USER_AGENT},
    )


def send(http: httpx.Client, request: httpx.Request, *, call: str) -> RawAnswer:
    """Send once; `QboUnavailable` if no whole answer came. The cause is left out: it may quote the address."""
    try:
        response = http.send(request)
        text = response.content.decode("utf-8-sig")
    except httpx.ConnectError:
        # Only one on this machine is spoken to without TLS (`open_http`).
        raise (
            _not_running(request.url)
            if request.url.scheme == "http"
            else _no_answer(call, because="the connection failed or was cut")
        ) from None
    except httpx.TimeoutException:
        raise _no_answer(call, because="it did not answer in time") from None
    except (httpx.TransportError, httpx.DecodingError):
        raise _no_answer(call, because="the connection failed or was cut") from None
    except UnicodeDecodeError:
        raise _no_answer(call, because="its answer is no text") from None
    return RawAnswer(call=call, status=response.status_code, headers=response.headers, text=text)


def _not_running(url: httpx.URL) -> QboUnavailable:
    """The local QuickBooks is a program that somebody has to start; Intuit's outages have nothing to do with it."""
    return QboUnavailable(
        what=f"The local QuickBooks at {url.scheme}://{url.netloc.decode('ascii')} does not answer.",
        next_step=f"Start it and run this again: `runway dagster` starts it on the demo's data, `runway sandbox --port {url.port}` "
        "with --state and --companies of its folder starts it alone (docs/sandbox.md).",
    )


def _no_answer(call: str, *, because: str) -> Exception:
    return unavailable(RawAnswer(call=call, status=0, headers={}, text=""), because=because)


def company_path(realm_id: str) -> str:
    """Where a company's addresses begin."""
    if not _REALM.fullmatch(realm_id):
        raise ValueError("a realm id is a text of digits")
    return f"/v3/company/{realm_id}"
