"""The parts a sync needs, wired for one tenant on a scripted QuickBooks, as an installation wires them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from resources.clock import Clock, FixedClock
from resources.commits import Commits, Sync
from resources.connections import Connections, Tokens
from resources.database import Database
from resources.lake import Lake
from resources.qbo.client import QboClient
from resources.qbo.fields import QboObject
from resources.qbo.history import versions
from resources.qbo.kinds import KINDS
from resources.qbo.oauth import OAuthClient
from resources.qbo.patience import Patience, RetryPolicy
from resources.qbo.smart_sync import SmartSync
from resources.qbo.sync_policy import SyncPolicy
from resources.qbo.token_keeper import TokenKeeper
from resources.qbo.turnstile import Turnstile
from resources.qbo.usage import CallBudget
from resources.registry import TenantRegistry
from resources.secret_text import Secret
from resources.tables import METADATA
from resources.tenants import TenantId
from resources.token_vault import TokenVault
from tests.resources.qbo.scripted_qbo import CLIENT_ID, CLIENT_SECRET, REALM, ScriptedQbo

TENANT = TenantId("larkspur-studio")
NOW = datetime(2026, 11, 20, 13, 0, 0, 500_000, tzinfo=UTC)
KEY = bytes(range(32))


@dataclass
class House:
    """One tenant's parts; `retry_seconds` is how long a call waits for QuickBooks to come back."""

    clock: FixedClock
    connections: Connections
    commits: Commits
    lake: Lake
    keeper: TokenKeeper
    client: QboClient
    oauth: OAuthClient
    database: Database

    def smart_sync(
        self,
        *,
        retry_seconds: float = 30.0,
        page_rows: int = 1000,
        policy: SyncPolicy | None = None,
        budget: CallBudget | None = None,
    ) -> SmartSync:
        return SmartSync(
            client=self.client,
            tokens=self.keeper,
            lake=self.lake,
            commits=self.commits,
            clock=self.clock,
            patience=Patience(
                clock=self.clock,
                policy=RetryPolicy(transient_seconds=retry_seconds),
                turnstile=Turnstile(self.database, clock=self.clock, budget=budget),
            ),
            policy=policy,
            page_rows=page_rows,
        )

    def newest(self) -> Sync:
        found = self.commits.newest_sync(TENANT)
        assert found is not None
        return found

    def versions(self, entity: str) -> list[tuple[datetime, QboObject]]:
        newest = self.newest()
        segments = self.commits.history(TENANT, table=KINDS[entity].table, up_to=newest)
        with self.lake.open(TENANT) as opened:
            return list(versions(opened, segments, entity=entity, until=newest.data_as_of))


def stored_tokens(access: str, refresh: str, *, lives: timedelta = timedelta(hours=1)) -> Tokens:
    return Tokens(
        access_token=Secret(access),
        access_expires_at=NOW + lives,
        refresh_token=Secret(refresh),
        refresh_expires_at=NOW + timedelta(days=100),
    )


def keeper_of(connections: Connections, oauth: OAuthClient, clock: Clock) -> TokenKeeper:
    return TokenKeeper(connections=connections, oauth=oauth, clock=clock, environment="local")


def oauth_of(qbo: ScriptedQbo | str, clock: Clock) -> OAuthClient:
    return OAuthClient(
        discovery_url=f"{qbo if isinstance(qbo, str) else qbo.url}/.well-known/openid_sandbox_configuration",
        client_id=CLIENT_ID,
        client_secret=Secret(CLIENT_SECRET),
        clock=clock,
    )


@contextmanager
def open_house(folder: Path, qbo: ScriptedQbo) -> Iterator[House]:
    """A registered tenant, connected with tokens that the server accepts."""
    clock = FixedClock(NOW)
    database = Database(f"sqlite:///{folder / 'runway.sqlite'}")
    METADATA.create_all(database.writer)
    registry = TenantRegistry(database, clock=clock)
    registry.add_firm("birch-cpa", name="Birch CPA")
    registry.add_tenant(TENANT, firm_id="birch-cpa", name="Larkspur Studio", zone="America/New_York")
    connections = Connections(database, vault=TokenVault([KEY]), clock=clock)
    qbo.access_tokens = {"access-0"}
    connections.connect(TENANT, environment="local", realm_id=REALM, tokens=stored_tokens("access-0", "refresh-0"))
    with oauth_of(qbo, clock) as oauth, QboClient(url=qbo.url, timeout_seconds=2) as client:
        try:
            yield House(
                clock=clock,
                connections=connections,
                commits=Commits(database, clock=clock),
                lake=Lake(folder / "lake"),
                keeper=keeper_of(connections, oauth, clock),
                client=client,
                oauth=oauth,
                database=database,
            )
        finally:
            database.close()
