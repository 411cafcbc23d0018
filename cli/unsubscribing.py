"""The way to unsubscribe: one click from a mail program (RFC 8058), a page with a button from a browser.

Belongs here: HTTP. Does not: tokens (`resources/mail/unsubscribe.py`), what unsubscribing changes (`resources/mail/recipients.py`).

Opening the address changes nothing, for programs open addresses to look at them. The page does not say whose mail it is about: the
address may be forwarded.
"""

import logging
from collections.abc import Sequence
from functools import partial

import typer
import uvicorn
from anyio.to_thread import run_sync
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from cli.session import console, open_installation
from experiences.digest.palette import DARK, LIGHT, Palette
from resources.installation import Installation
from resources.mail.recipients import Recipients
from resources.mail.unsubscribe import BadUnsubscribeToken, MailKeys

PATH = "/unsubscribe/{token}"
_NOT_FOUND = 404
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
}

_log = logging.getLogger(__name__)


def listen(
    port: int = typer.Option(8768, help="Port to listen on."),
    host: str = typer.Option("127.0.0.1", help="Address to listen on; readers reach it through your TLS proxy."),
) -> None:
    """Receive what readers say who unsubscribe (part of `runway webhooks` too)."""
    with open_installation() as installation:
        app = Starlette(routes=routes(installation))
        console.print(f"Listening on http://{host}:{port}/unsubscribe/ (Ctrl-C ends it)", markup=False, soft_wrap=True)
        uvicorn.run(app, host=host, port=port, log_config=None, access_log=False, server_header=False)


def routes(installation: Installation) -> Sequence[Route]:
    """The two answers of one address."""
    return unsubscribe_routes(installation.recipients, keys=installation.mail_keys)


def unsubscribe_routes(recipients: Recipients, *, keys: MailKeys) -> Sequence[Route]:
    """GET shows a button, POST unsubscribes; a token nobody signed is an address that is not there."""

    async def ask(request: Request) -> Response:
        try:
            keys.subscription(request.path_params["token"])
        except BadUnsubscribeToken:
            return _no_such_link()
        return _page(
            "Unsubscribe from these mails?",
            '<form method="post"><input type="hidden" name="List-Unsubscribe" value="One-Click">'
            '<button type="submit">Unsubscribe</button></form>',
        )

    async def unsubscribe(request: Request) -> Response:
        # The body says nothing that the token does not.
        return await run_sync(partial(_unsubscribed, recipients, keys, request.path_params["token"]))

    return (Route(PATH, ask, methods=["GET"]), Route(PATH, unsubscribe, methods=["POST"]))


def _unsubscribed(recipients: Recipients, keys: MailKeys, token: str) -> Response:
    try:
        subscription = keys.subscription(token)
    except BadUnsubscribeToken:
        _log.warning("a link to unsubscribe was not signed here and was not followed")
        return _no_such_link()
    if not recipients.unsubscribe(subscription.owner, subscription.address):
        return _no_such_link()
    _log.info("a recipient of %s unsubscribed", subscription.owner)
    return _page("You are unsubscribed.", "<p>Mails that wait are not sent any more.</p>")


def _no_such_link() -> Response:
    return _page(
        "This link is not known.",
        "<p>Answer the mail to whoever sends it, and ask to be taken off.</p>",
        code=_NOT_FOUND,
    )


def _colours(palette: Palette) -> str:
    return (
        f"body{{background:{palette.page};color:{palette.ink}}}main{{background:{palette.card}}}"
        f"button{{background:{palette.bar};color:{palette.card}}}"
    )


#: As the mail looks from which a reader comes here.
_STYLE = (
    "body{margin:0;padding:16px 8px;font:16px/24px -apple-system,BlinkMacSystemFont,Segoe UI,Roboto,Helvetica,Arial,sans-serif}"
    "main{max-width:640px;box-sizing:border-box;margin:0 auto;padding:28px 24px}"
    "h1{margin:0 0 16px;font:400 28px/34px Georgia,Times New Roman,serif}p{margin:0}"
    "button{min-height:44px;padding:0 24px;border:0;border-radius:4px;font:inherit;cursor:pointer}"
    f"{_colours(LIGHT)}@media (prefers-color-scheme:dark){{{_colours(DARK)}}}"
)


def _page(heading: str, rest: str, *, code: int = 200) -> Response:
    """A page of fixed words only."""
    return HTMLResponse(
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">'
        f"<title>{heading}</title><style>{_STYLE}</style></head>"
        f"<body><main><h1>{heading}</h1>{rest}</main></body></html>",
        status_code=code,
        headers=_HEADERS,
    )
