"""The web application: one port for data, authorisation and control.

Belongs here: routes and middleware. Does not: answers.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.routing import Route

from qbo_sandbox import bank_api, control_api, oauth_api
from qbo_sandbox.data_api import data_endpoint
from qbo_sandbox.sandbox import Sandbox

_SMALLEST_GZIP = 1024


def build_app(sandbox: Sandbox) -> Starlette:
    """The application over one sandbox's state."""

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        deliveries = asyncio.create_task(sandbox.webhooks.run())
        yield
        deliveries.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await deliveries
        sandbox.store.close()

    app = Starlette(
        routes=[
            Route("/v3/company/{realm}/{rest:path}", data_endpoint, methods=["GET", "POST"]),
            Route("/connect/oauth2", oauth_api.authorise),
            Route("/oauth2/v1/tokens/bearer", oauth_api.tokens, methods=["POST"]),
            Route("/v2/oauth2/tokens/revoke", oauth_api.revoke, methods=["POST"]),
            Route("/.well-known/openid_configuration", oauth_api.discovery),
            Route("/.well-known/openid_sandbox_configuration", oauth_api.discovery),
            *bank_api.ROUTES,
            *control_api.ROUTES,
        ],
        # Speed over size: both ends are on one machine.
        middleware=[Middleware(GZipMiddleware, minimum_size=_SMALLEST_GZIP, compresslevel=1)],
        exception_handlers=control_api.REFUSALS,
        lifespan=lifespan,
    )
    app.state.sandbox = sandbox
    return app
