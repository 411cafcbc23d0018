"""`runway webhooks`: receives QuickBooks' notifications and marks the tenants they are about; takes in who unsubscribes.

Belongs here: HTTP. Does not: signatures and formats (`resources/qbo_webhooks.py`), marks (`resources/dirty_tenants.py`), syncing
(the sensor `dirty_tenants`), the way to unsubscribe (`cli/unsubscribing.py`).

Intuit wants its answer within three seconds. A delivery is acknowledged once its marks are stored; if that takes longer, the answer
says to come again, and what was stored is recognised then.
"""

import logging
from functools import partial

import anyio
import typer
import uvicorn
from anyio.to_thread import run_sync
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from cli import unsubscribing
from cli.session import console, open_installation
from resources.dirty_tenants import DirtyTenants
from resources.qbo_webhooks import SIGNATURE_HEADER, BadNotification, BadSignature, verified_events
from resources.secret_text import Secret

PATH = "/qbo/webhooks"
_MOST_BYTES = 8 * 1024 * 1024
_ANSWER_SECONDS = 2.0
_OK, _BAD_REQUEST, _UNAUTHORISED, _TOO_LARGE, _LATER = 200, 400, 401, 413, 503

_log = logging.getLogger(__name__)


def webhooks(
    port: int = typer.Option(8767, help="Port to listen on."),
    host: str = typer.Option("127.0.0.1", help="Address to listen on; Intuit reaches it through your TLS proxy."),
) -> None:
    """Receive QuickBooks' webhooks and mark the tenants whose books changed; answer links to unsubscribe."""
    with open_installation() as installation:
        verifier = Secret(installation.settings.qbo_webhook_verifier.get_secret_value())
        app = receiver(installation.dirty_tenants, verifier=verifier)
        app.router.routes.extend(unsubscribing.routes(installation))
        console.print(
            f"Listening for webhooks on http://{host}:{port}{PATH} (Ctrl-C ends it)", markup=False, soft_wrap=True
        )
        uvicorn.run(app, host=host, port=port, log_config=None, access_log=False, server_header=False)


def receiver(dirty: DirtyTenants, *, verifier: Secret) -> Starlette:
    """The web application; refuses to be made without a verifier token."""
    if not verifier.reveal():
        raise ValueError(
            "Webhooks cannot be told from forgeries without the verifier token of your Intuit app: "
            "set RUNWAY_QBO_WEBHOOK_VERIFIER."
        )

    async def receive(request: Request) -> Response:
        body = await _body(request)
        if body is None:
            return Response(status_code=_TOO_LARGE)
        with anyio.move_on_after(_ANSWER_SECONDS):
            return await run_sync(
                partial(_received, dirty, body, request.headers.get(SIGNATURE_HEADER, ""), verifier),
                abandon_on_cancel=True,
            )
        _log.warning("a delivery took too long and was asked to come again")
        return Response(status_code=_LATER)

    return Starlette(routes=[Route(PATH, receive, methods=["POST"])])


async def _body(request: Request) -> bytes | None:
    """The raw body; None if it is longer than any delivery."""
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > _MOST_BYTES:
            return None
        parts.append(part)
    return b"".join(parts)


def _received(dirty: DirtyTenants, body: bytes, signature: str, verifier: Secret) -> Response:
    try:
        delivery = verified_events(body, signature=signature, verifier=verifier)
    except BadSignature:
        _log.warning("a delivery was not signed by Intuit and was not looked at")
        return Response(status_code=_UNAUTHORISED)
    except BadNotification as error:
        _log.warning("a signed delivery could not be read: %s", error)
        return Response(status_code=_BAD_REQUEST)
    if delivery.unreadable:
        _log.warning("%d events of a signed delivery could not be read and were left out", delivery.unreadable)
    noticed = dirty.notice(delivery.events)
    _log.info("%d tenants marked, %d events seen before", len(noticed.marked), noticed.repeated)
    if noticed.unknown_realms:
        _log.warning("%d events are about companies that are no tenant's", noticed.unknown_realms)
    return Response(status_code=_OK)
