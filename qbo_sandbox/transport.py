"""Ending a connection in the middle, which a web framework does not offer.

Belongs here: the protocol class that hands the socket to the application. Does not: when a connection is dropped.
"""

import asyncio

from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_KEY = "qbo_sandbox.transport"


class DroppableProtocol(HttpToolsProtocol):
    """uvicorn's HTTP protocol, with the transport in the scope of every request."""

    def on_message_begin(self) -> None:
        """Begin a request."""
        super().on_message_begin()
        self.scope[_KEY] = self.transport  # type: ignore[literal-required] # an extension of ours


class Dropped:
    """An ASGI response that ends the connection without a byte."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - the shape of an ASGI application
        """Abort the connection, then let the server see that it is gone."""
        transport: asyncio.Transport = scope[_KEY]
        transport.abort()
        while (await receive())["type"] != "http.disconnect":
            continue
