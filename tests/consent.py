"""Connecting a tenant to its generated company, as a person does by consenting."""

from resources.installation import Installation
from resources.tenants import tenant_id


def connect(installation: Installation, tenant: str, realm_id: str) -> None:
    """Connect a tenant to its generated company; the local QuickBooks consents by itself."""
    consented = installation.oauth.consent_without_browser(
        redirect_uri=installation.settings.qbo_redirect_uri, realm_id=realm_id
    )
    installation.connections.connect(
        tenant_id(tenant), environment="local", realm_id=consented.realm_id, tokens=consented.tokens
    )
