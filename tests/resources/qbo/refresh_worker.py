"""One of several processes that want the same tenant's access token at the same moment."""

from collections.abc import Callable
from multiprocessing.queues import Queue

from resources.clock import SystemClock
from resources.connections import Connections
from resources.database import Database
from resources.qbo.oauth import OAuthClient
from resources.qbo.token_keeper import TokenKeeper
from resources.secret_text import Secret
from resources.tenants import TenantId
from resources.token_vault import TokenVault


def want_token(
    *,
    tenant: str,
    database_url: str,
    key: bytes,
    discovery_url: str,
    client: tuple[str, str],
    start: Callable[[], int],
    results: "Queue[str]",
) -> None:
    """Wait for the others, then ask the keeper."""
    database, clock = Database(database_url), SystemClock()
    client_id, client_secret = client
    with OAuthClient(
        discovery_url=discovery_url, client_id=client_id, client_secret=Secret(client_secret), clock=clock
    ) as oauth:
        keeper = TokenKeeper(
            connections=Connections(database, vault=TokenVault([key]), clock=clock),
            oauth=oauth,
            clock=clock,
            environment="local",
        )
        start()
        results.put(keeper.access_token(TenantId(tenant)).access_token.reveal())
    database.close()
