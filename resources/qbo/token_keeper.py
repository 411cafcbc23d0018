"""Tokens that are fresh when they are needed and never lost on the way.

Belongs here: when to refresh, who refreshes, what is stored in which order. Does not: the OAuth calls (`oauth.py`),
encryption and leases (`resources/connections.py`).

Two refreshes racing with one refresh token can kill the connection. So a refresh happens under the tenant's lease, which
holds across processes; whoever gets it looks first whether another has refreshed meanwhile. New tokens are stored before
anything uses them. The refresh token before stays stored until the new access token has worked, and is tried once if the
new one is not accepted.
"""

from dataclasses import dataclass
from datetime import timedelta

from resources.clock import Clock
from resources.connections import Connections, QboConnection, Tokens
from resources.errors import TenantNotReady
from resources.failpoints import failpoint
from resources.qbo.errors import ConnectionLost, connection_lost
from resources.qbo.oauth import InvalidGrant, OAuthClient
from resources.qbo.patience import Patience, RetryPolicy, Tally
from resources.secret_text import Secret
from resources.tenants import TenantId

#: A token that lives shorter than this is replaced before a call: the slowest call is cut after 120 seconds.
MARGIN = timedelta(minutes=5)

#: Two tries fit into the refresh lease with their timeouts.
_REFRESH_POLICY = RetryPolicy(most_tries=2)

_LOST = "its refresh token is expired, revoked or replaced"


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """The right to call one company now."""

    realm_id: str
    access_token: Secret
    connection: QboConnection


class TokenKeeper:
    """Hands out access tokens of the tenants of one QuickBooks environment."""

    def __init__(self, *, connections: Connections, oauth: OAuthClient, clock: Clock, environment: str) -> None:
        self._connections = connections
        self._oauth = oauth
        self._clock = clock
        self._environment = environment
        self._patience = Patience(clock=clock, policy=_REFRESH_POLICY)

    def access_token(self, tenant: TenantId) -> Access:
        """Access with a token that lives long enough for a call; refreshed if need be."""
        known = self._load(tenant)
        return _access(known) if self._is_fresh(known) else self._renewed(tenant, rejected=None)

    def still_fresh(self, access: Access) -> Access:
        """The same access while its token lives long enough, else a new one; asks the store only when it must."""
        return access if self._is_fresh(access.connection) else self.access_token(access.connection.tenant_id)

    def renewed(self, tenant: TenantId, *, rejected: Access) -> Access:
        """Access with another token than one that QuickBooks did not accept."""
        return self._renewed(tenant, rejected=rejected.access_token)

    def confirm(self, access: Access) -> None:
        """A call with this token has worked: the refresh token before it is no longer needed."""
        self._connections.forget_previous(access.connection)

    def _renewed(self, tenant: TenantId, *, rejected: Secret | None) -> Access:
        with self._connections.refresh_lease(tenant):
            failpoint("token.lease.taken")
            known = self._load(tenant)
            if self._is_fresh(known) and known.tokens.access_token != rejected:
                return _access(known)  # another process was first
            fresh = self._fresh_tokens(known)
            failpoint("token.before_save")
            self._connections.save_refreshed(known, fresh)
            failpoint("token.after_save")
            access = _access(self._load(tenant))
        failpoint("token.before_first_use")
        return access

    def _fresh_tokens(self, known: QboConnection) -> Tokens:
        previous = known.previous_refresh_token
        candidates = [known.tokens.refresh_token]
        if previous is not None and previous != known.tokens.refresh_token:
            candidates.append(previous)
        for refresh_token in candidates:
            try:
                return self._refresh(known, refresh_token)
            except InvalidGrant:
                continue
        self._connections.mark_lost(known, because=_LOST)
        raise connection_lost(known.tenant_id, because=_LOST)

    def _refresh(self, known: QboConnection, refresh_token: Secret) -> Tokens:
        return self._patience.call(known.tenant_id, lambda: self._oauth.refresh(refresh_token), tally=Tally())

    def _load(self, tenant: TenantId) -> QboConnection:
        known = self._connections.load(tenant)
        if known.environment != self._environment:
            raise TenantNotReady(
                what=f"Tenant {tenant!r} is connected to QuickBooks {known.environment!r}, not {self._environment!r}.",
                next_step=f"Set RUNWAY_QBO_ENVIRONMENT={known.environment}, or run `runway connect {tenant}` again.",
            )
        if known.state == "lost":
            raise _lost_before(known)
        return known

    def _is_fresh(self, known: QboConnection) -> bool:
        return known.tokens.access_expires_at - MARGIN > self._clock.now()


def _lost_before(known: QboConnection) -> ConnectionLost:
    return connection_lost(known.tenant_id, because=known.lost_because or _LOST)


def _access(known: QboConnection) -> Access:
    return Access(realm_id=known.realm_id, access_token=known.tokens.access_token, connection=known)
