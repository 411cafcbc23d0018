"""Connecting a tenant to its QuickBooks company, and ending the connection.

Belongs here: the order of a consent: ask, take the one callback, exchange, make sure which company it is, store.
Does not: the OAuth calls (`resources/qbo/oauth.py`), storage (`resources/connections.py`), browsers (`cli/connecting.py`).

The company's id in a callback is a parameter of an address and could be another's. So the new token reads that company once
before anything is stored: QuickBooks refuses a token on a company that it is not for.
Tokens that are not stored are forgotten, never revoked: a revocation could end the connection another tenant has to that company.
"""

from collections.abc import Callable
from dataclasses import dataclass

from resources.connections import Connections, WhyCompanyStays
from resources.errors import TenantNotReady
from resources.qbo.client import QboClient
from resources.qbo.entities import BadObject, parse
from resources.qbo.errors import QboAuthExpired, QboContradiction, QboNotAuthorised, QboRefused
from resources.qbo.list_objects import CompanyInfo
from resources.qbo.oauth import Consented, ConsentRefused, OAuthClient
from resources.registry import TenantRegistry
from resources.tenants import TenantId

#: What a connection is marked with that was ended from here.
DISCONNECTED = "it was ended with `runway disconnect`"


@dataclass(frozen=True, slots=True, kw_only=True)
class Connected:
    """The company a tenant is now connected to."""

    tenant_id: TenantId
    realm_id: str
    company_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentRequest:
    """A consent that is asked for: the address to open, and what to do with the address the browser comes back with."""

    url: str
    complete: Callable[[str], Connected]


class Connector:
    """Connects and disconnects the tenants of one QuickBooks environment."""

    def __init__(
        self,
        *,
        registry: TenantRegistry,
        connections: Connections,
        oauth: OAuthClient,
        client: QboClient,
        environment: str,
        redirect_uri: str,
    ) -> None:
        self._registry = registry
        self._connections = connections
        self._oauth = oauth
        self._client = client
        self._environment = environment
        self._redirect_uri = redirect_uri

    def request(
        self, tenant: TenantId, *, realm_id: str | None = None, why_company_stays: WhyCompanyStays | None = None
    ) -> ConsentRequest:
        """Ask for a consent in a browser; `realm_id` pins the company.

        `why_company_stays` is asked before the company of a tenant that was given up becomes this one's.
        """
        self._registry.tenant(tenant)
        consent = self._oauth.consent(redirect_uri=self._redirect_uri, realm_id=realm_id)

        def complete(callback: str) -> Connected:
            consented = self._oauth.exchange(consent.accept(callback))
            return self._store(tenant, consented, why_company_stays=why_company_stays)

        return ConsentRequest(url=consent.url, complete=complete)

    def connect_without_browser(
        self, tenant: TenantId, *, realm_id: str | None = None, why_company_stays: WhyCompanyStays | None = None
    ) -> Connected:
        """Connect to a server that approves by itself, as the local QuickBooks does; the rest as for `request`."""
        self._registry.tenant(tenant)
        consented = self._oauth.consent_without_browser(redirect_uri=self._redirect_uri, realm_id=realm_id)
        return self._store(tenant, consented, why_company_stays=why_company_stays)

    def disconnect(self, tenant: TenantId) -> None:
        """End the connection at QuickBooks and mark it so; one that is dead already is no error."""
        self._registry.tenant(tenant)
        with self._connections.refresh_lease(tenant):  # nobody gets new tokens between the two steps
            known = self._connections.load(tenant)
            if known.environment != self._environment:
                raise TenantNotReady(
                    what=f"Tenant {tenant!r} is connected to QuickBooks {known.environment!r}, "
                    f"not {self._environment!r}.",
                    next_step=f"Set RUNWAY_QBO_ENVIRONMENT={known.environment} and run it again.",
                )
            self._oauth.revoke(known.tokens.refresh_token)
            self._connections.mark_lost(known, because=DISCONNECTED)

    def _store(self, tenant: TenantId, consented: Consented, *, why_company_stays: WhyCompanyStays | None) -> Connected:
        name = self._company_name(consented)
        self._connections.connect(
            tenant,
            environment=self._environment,
            realm_id=consented.realm_id,
            tokens=consented.tokens,
            why_company_stays=why_company_stays,
        )
        return Connected(tenant_id=tenant, realm_id=consented.realm_id, company_name=name)

    def _company_name(self, consented: Consented) -> str:
        try:
            page = self._client.singleton(
                "CompanyInfo", realm_id=consented.realm_id, access_token=consented.tokens.access_token
            )
            found = parse("CompanyInfo", page.objects[0])
        except (QboNotAuthorised, QboAuthExpired, QboRefused, QboContradiction) as error:
            raise ConsentRefused(
                what=f"The connection to QuickBooks was not made: the consent does not open company {consented.realm_id}.",
                next_step="Start `runway connect` again, as an administrator of that company.",
            ) from error
        except BadObject:
            return ""  # the company answered; that its own description is not readable is for the sync to say
        return found.company_name if isinstance(found, CompanyInfo) else ""
