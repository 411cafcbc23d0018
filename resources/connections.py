"""Each tenant's connection to its QBO company: realm, encrypted tokens, who may refresh them.

Belongs here: storing and leasing. Does not: the OAuth calls (`resources/qbo/oauth.py`, `token_keeper.py`).

Intuit may revoke both tokens when two refreshes race, so a refresh is done by the one process that holds the row's
`refresher` lease; new tokens are stored before they are used, and the previous refresh token is kept until the new one worked.
"""

import os
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, Select, delete, or_, select, update

from resources.clock import Clock
from resources.database import Database
from resources.errors import TenantError, TenantNotReady
from resources.failpoints import failpoint
from resources.places import place_given_back
from resources.registry import lock_tenant
from resources.secret_text import Secret
from resources.tables import CONNECTION, SYNC, TENANT
from resources.tenants import TenantId
from resources.token_vault import Place, SealState, TokenUnreadable, TokenVault

#: A refresh is one HTTP call with a timeout; a holder that died is replaced after this long.
REFRESH_LEASE = timedelta(seconds=90)
_POLL_SECONDS = 0.2
#: Why a tenant's company must stay with it for now, in words for who wants it; None if nothing speaks against giving it up.
WhyCompanyStays = Callable[[Connection, TenantId], str | None]


class RealmTaken(ValueError):
    """The company is connected to another tenant already."""


class OtherCompany(ValueError):
    """The tenant's history is that of another company; two companies never share one."""


class RefreshBusy(TenantError):
    """Another process refreshes this tenant's tokens and has not finished."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """What the token endpoint handed out, with absolute expiries."""

    access_token: Secret
    access_expires_at: datetime
    refresh_token: Secret
    refresh_expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class QboConnection:
    """One tenant's connection as stored; `version` grows with every change of tokens, a new authorisation included."""

    tenant_id: TenantId
    environment: str
    realm_id: str
    state: str
    lost_because: str | None
    connected_at: datetime
    tokens: Tokens
    previous_refresh_token: Secret | None
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionStanding:
    """What can be said of a connection without its tokens."""

    environment: str
    realm_id: str
    state: str
    lost_because: str | None
    connected_at: datetime
    #: When the refresh token dies unless it is used before.
    refresh_expires_at: datetime


class Connections:
    """The store of connections; every statement names its tenant."""

    def __init__(self, database: Database, *, vault: TokenVault, clock: Clock) -> None:
        self._database = database
        self._vault = vault
        self._clock = clock

    def connect(
        self,
        tenant: TenantId,
        *,
        environment: str,
        realm_id: str,
        tokens: Tokens,
        why_company_stays: WhyCompanyStays | None = None,
    ) -> None:
        """Store a fresh authorisation in place of the tenant's earlier one.

        Raises:
            RealmTaken: the company is another tenant's, which has not been both disconnected and deactivated, or must keep
                it by `why_company_stays`.
            OtherCompany: the tenant's kept history is another company's.
        """
        with self._database.write() as connection:
            lock_tenant(connection, tenant)
            _free_realm(
                connection, tenant, environment=environment, realm_id=realm_id, why_company_stays=why_company_stays
            )
            before = connection.execute(select(CONNECTION).where(CONNECTION.c.tenant_id == tenant)).first()
            if before is None:
                _assert_no_history(connection, tenant, realm_id=None)
            elif (before.environment, before.realm_id) != (environment, realm_id):
                _assert_no_history(connection, tenant, realm_id=before.realm_id)
            connection.execute(delete(CONNECTION).where(CONNECTION.c.tenant_id == tenant))
            connection.execute(
                CONNECTION.insert().values(
                    tenant_id=tenant,
                    environment=environment,
                    realm_id=realm_id,
                    state="connected",
                    connected_at=self._clock.now(),
                    # Never the same version twice: whoever still holds the earlier tokens changes nothing.
                    token_version=1 if before is None else before.token_version + 1,
                    previous_refresh_token=None,
                    **self._sealed(tenant, realm_id=realm_id, tokens=tokens),
                )
            )

    def load(self, tenant: TenantId) -> QboConnection:
        """The tenant's connection; `TenantNotReady` if it was never connected."""
        with self._database.read() as connection:
            row = connection.execute(select(CONNECTION).where(CONNECTION.c.tenant_id == tenant)).first()
        if row is None:
            raise _not_connected(tenant)

        def opened(sealed: bytes, kind: str) -> Secret:
            try:
                return self._vault.open(sealed, place=Place(tenant_id=tenant, realm_id=row.realm_id, kind=kind))
            except TokenUnreadable as error:
                raise TenantNotReady(
                    what=f"The stored tokens of {tenant!r} cannot be read: {error}.",
                    next_step=f"Put the key back, or connect again with `runway connect {tenant}`.",
                ) from error

        previous = row.previous_refresh_token
        return QboConnection(
            tenant_id=tenant,
            environment=row.environment,
            realm_id=row.realm_id,
            state=row.state,
            lost_because=row.lost_because,
            connected_at=row.connected_at,
            tokens=Tokens(
                access_token=opened(row.access_token, "access"),
                access_expires_at=row.access_expires_at,
                refresh_token=opened(row.refresh_token, "refresh"),
                refresh_expires_at=row.refresh_expires_at,
            ),
            previous_refresh_token=None if previous is None else opened(previous, "refresh"),
            version=row.token_version,
        )

    def standing(self, tenant: TenantId) -> ConnectionStanding | None:
        """How the tenant's connection stands, without opening a token; None if it was never connected."""
        columns = (
            CONNECTION.c.environment,
            CONNECTION.c.realm_id,
            CONNECTION.c.state,
            CONNECTION.c.lost_because,
            CONNECTION.c.connected_at,
            CONNECTION.c.refresh_expires_at,
        )
        with self._database.read() as connection:
            row = connection.execute(select(*columns).where(CONNECTION.c.tenant_id == tenant)).first()
        return None if row is None else ConnectionStanding(**row._mapping)

    def is_connected(self, tenant: TenantId) -> bool:
        """Whether there is a connection that is not known to be lost."""
        with self._database.read() as connection:
            row = connection.execute(_state_of(tenant)).first()
        return row is not None and row.state == "connected"

    def save_refreshed(self, known: QboConnection, tokens: Tokens) -> None:
        """Store refreshed tokens before their first use; the old refresh token stays as the previous one.

        If the stored tokens are others than `known` by now (a person connected again, another process took over), those
        stay: the caller loads what counts.
        """
        sealed = self._sealed(known.tenant_id, realm_id=known.realm_id, tokens=tokens)
        place = Place(tenant_id=known.tenant_id, realm_id=known.realm_id, kind="refresh")
        with self._database.write() as connection:
            connection.execute(
                update(CONNECTION)
                .where(CONNECTION.c.tenant_id == known.tenant_id, CONNECTION.c.token_version == known.version)
                .values(
                    **sealed,
                    previous_refresh_token=self._vault.seal(known.tokens.refresh_token, place=place),
                    token_version=CONNECTION.c.token_version + 1,
                    state="connected",
                    lost_because=None,
                )
            )
            failpoint("token.save.in")

    def forget_previous(self, known: QboConnection) -> None:
        """Drop the previous refresh token once the new access token has worked."""
        if known.previous_refresh_token is None:
            return
        with self._database.write() as connection:
            connection.execute(
                update(CONNECTION)
                .where(CONNECTION.c.tenant_id == known.tenant_id, CONNECTION.c.token_version == known.version)
                .values(previous_refresh_token=None)
            )
            failpoint("token.confirm.in")

    def mark_lost(self, known: QboConnection, *, because: str) -> None:
        """Remember that the connection is dead; the tokens stay until a person connects again."""
        with self._database.write() as connection:
            connection.execute(
                update(CONNECTION)
                .where(CONNECTION.c.tenant_id == known.tenant_id, CONNECTION.c.token_version == known.version)
                .values(state="lost", lost_because=because)
            )

    @contextmanager
    def refresh_lease(self, tenant: TenantId) -> Iterator[None]:
        """Hold the right to refresh this tenant's tokens; waits for another holder, `RefreshBusy` if that takes too long."""
        holder = f"{os.getpid()}-{uuid.uuid4().hex[:8]}"
        give_up_at = self._clock.now() + REFRESH_LEASE * 2
        while not self._take_refresh_lease(tenant, holder):
            if self._clock.now() >= give_up_at:
                raise RefreshBusy(
                    what=f"The tokens of {tenant!r} are being refreshed by another process.",
                    next_step="Run it again in a minute.",
                )
            with place_given_back(REFRESH_LEASE.total_seconds()):
                self._clock.sleep(_POLL_SECONDS)
        try:
            yield
        finally:
            with self._database.write() as connection:
                connection.execute(
                    update(CONNECTION)
                    .where(CONNECTION.c.tenant_id == tenant, CONNECTION.c.refresher == holder)
                    .values(refresher=None, refresher_until=None)
                )

    def rotate_keys(self) -> int:
        """Seal with the newest key whatever an older one of the ring sealed, a tenant at a time; how many were changed."""
        with self._database.read() as connection:
            of_each = select(CONNECTION.c.tenant_id).order_by(CONNECTION.c.tenant_id)
            tenants = [TenantId(row.tenant_id) for row in connection.execute(of_each)]
        return sum(self._rotate(tenant) for tenant in tenants)

    def seals(self, tenant: TenantId) -> list[SealState]:
        """With which key each of a tenant's tokens is sealed; none without a connection."""
        with self._database.read() as connection:
            row = connection.execute(select(CONNECTION).where(CONNECTION.c.tenant_id == tenant)).first()
        if row is None:
            return []
        return [
            self._vault.state_of(getattr(row, column), place=place) for column, place in _places(tenant, row).items()
        ]

    def _rotate(self, tenant: TenantId) -> bool:
        with self._database.write() as connection:
            row = connection.execute(select(CONNECTION).where(CONNECTION.c.tenant_id == tenant).with_for_update()).one()
            changed = {}
            for column, place in _places(tenant, row).items():
                sealed = getattr(row, column)
                if self._vault.state_of(sealed, place=place) == "older":
                    changed[column] = self._vault.seal(self._vault.open(sealed, place=place), place=place)
            if changed:
                connection.execute(update(CONNECTION).where(CONNECTION.c.tenant_id == tenant).values(**changed))
            return bool(changed)

    def _take_refresh_lease(self, tenant: TenantId, holder: str) -> bool:
        now = self._clock.now()
        with self._database.write() as connection:
            taken = connection.execute(
                update(CONNECTION)
                .where(
                    CONNECTION.c.tenant_id == tenant,
                    or_(CONNECTION.c.refresher.is_(None), CONNECTION.c.refresher_until < now),
                )
                .values(refresher=holder, refresher_until=now + REFRESH_LEASE)
            )
            if taken.rowcount == 0 and connection.execute(_state_of(tenant)).first() is None:
                raise _not_connected(tenant)
            return taken.rowcount == 1

    def _sealed(self, tenant: TenantId, *, realm_id: str, tokens: Tokens) -> dict[str, object]:
        def seal(token: Secret, kind: str) -> bytes:
            return self._vault.seal(token, place=Place(tenant_id=tenant, realm_id=realm_id, kind=kind))

        return {
            "access_token": seal(tokens.access_token, "access"),
            "access_expires_at": tokens.access_expires_at,
            "refresh_token": seal(tokens.refresh_token, "refresh"),
            "refresh_expires_at": tokens.refresh_expires_at,
        }


def _places(tenant: TenantId, row: Row[Any]) -> dict[str, Place]:
    """The columns that hold a token, with the place that each is sealed for."""
    kinds = {"access_token": "access", "refresh_token": "refresh", "previous_refresh_token": "refresh"}
    return {
        column: Place(tenant_id=tenant, realm_id=row.realm_id, kind=kind)
        for column, kind in kinds.items()
        if getattr(row, column) is not None
    }


def _state_of(tenant: TenantId) -> Select[tuple[str]]:
    return select(CONNECTION.c.state).where(CONNECTION.c.tenant_id == tenant)


def _not_connected(tenant: TenantId) -> TenantNotReady:
    return TenantNotReady(
        what=f"Tenant {tenant!r} is not connected to a QuickBooks company.",
        next_step=f"Connect it with `runway connect {tenant}`.",
    )


def _free_realm(
    connection: Connection,
    tenant: TenantId,
    *,
    environment: str,
    realm_id: str,
    why_company_stays: WhyCompanyStays | None,
) -> None:
    """Leave the company to this tenant: one that is disconnected and inactive gives it up, its history stays."""
    found = connection.execute(
        select(CONNECTION.c.tenant_id, CONNECTION.c.state, TENANT.c.active)
        .join(TENANT, TENANT.c.tenant_id == CONNECTION.c.tenant_id)
        .where(
            CONNECTION.c.environment == environment,
            CONNECTION.c.realm_id == realm_id,
            CONNECTION.c.tenant_id != tenant,
        )
    ).first()
    if found is None:
        return
    other = TenantId(found.tenant_id)
    if why_company_stays is not None and (because := why_company_stays(connection, other)) is not None:
        raise RealmTaken(f"Company {realm_id} stays with tenant {other!r}: {because} Or choose another in QuickBooks.")
    if found.state != "lost" or found.active:
        raise RealmTaken(
            f"Company {realm_id} is connected to tenant {other!r} already: "
            "one company belongs to one tenant. Choose the right company in QuickBooks. "
            f"If {other!r} is to give it up, `runway disconnect {other}` and "
            f"`runway tenant deactivate {other}`, then connect again."
        )
    connection.execute(delete(CONNECTION).where(CONNECTION.c.tenant_id == other))


def _assert_no_history(connection: Connection, tenant: TenantId, *, realm_id: str | None) -> None:
    """Let no other company continue a history; `realm_id` is whose it is, None if that company is another tenant's by now."""
    if connection.execute(select(SYNC.c.sync_id).where(SYNC.c.tenant_id == tenant).limit(1)).first() is None:
        return
    if realm_id is None:
        raise OtherCompany(
            f"The history of tenant {tenant!r} is that of a company which another tenant has taken over: "
            "add a tenant of another id with `runway tenant add`."
        )
    raise OtherCompany(
        f"The history of tenant {tenant!r} is that of company {realm_id}: another company needs a tenant of its own. "
        f"Choose company {realm_id} in QuickBooks, or add a tenant with `runway tenant add`."
    )
