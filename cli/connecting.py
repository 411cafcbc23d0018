"""`runway connect`: a tenant's connection to its QuickBooks company."""

import typer

from cli.session import console, open_installation
from resources.installation import Installation
from resources.tenants import TenantId, tenant_id


def connect(
    tenant: str = typer.Argument(help="The tenant."),
    realm: str = typer.Option("", help="Company id, if the local QuickBooks has several companies."),
) -> None:
    """Connect a tenant to its company. The local QuickBooks consents by itself, without a browser."""
    with open_installation() as installation:
        realm_id = connect_tenant(installation, tenant_id(tenant), realm_id=realm or None)
        console.print(f"Connected {tenant} to company {realm_id}.", markup=False)
        console.print(f"Next: `runway friday --tenant {tenant}`.", markup=False)


def connect_tenant(installation: Installation, tenant: TenantId, *, realm_id: str | None) -> str:
    """Get a consent and store its tokens; the id of the company."""
    installation.registry.tenant(tenant)
    settings = installation.settings
    if settings.qbo_environment != "local":
        raise ValueError(
            "This version connects to the local QuickBooks only: Intuit's consent needs a browser, which it does not open yet. "
            "Unset RUNWAY_QBO_ENVIRONMENT to use the local one."
        )
    consented = installation.oauth.consent_without_browser(redirect_uri=settings.qbo_redirect_uri, realm_id=realm_id)
    installation.connections.connect(
        tenant, environment=settings.qbo_environment, realm_id=consented.realm_id, tokens=consented.tokens
    )
    return consented.realm_id
