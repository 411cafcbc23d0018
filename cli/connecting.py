"""`runway connect` and `runway disconnect`: a tenant's connection to its QuickBooks company.

Belongs here: the browser, or the pasted address where there is none. Does not: the consent itself (`resources/connecting.py`).
"""

import webbrowser
from collections.abc import Callable

import typer

from cli.session import console, open_installation, problems
from payments.sending.giving_up import why_company_stays
from resources.connecting import Connected
from resources.consent_callback import CallbackListener, is_local
from resources.installation import Installation
from resources.tenants import TenantId, tenant_id

_WAIT_SECONDS = 300


def connect(
    tenant: str = typer.Argument(help="The tenant."),
    realm: str = typer.Option("", help="Only this company (its realm id), whatever the consent page offers."),
    browser: bool | None = typer.Option(
        None,
        "--browser/--no-browser",
        help="Open the consent page in a browser on this machine, or print its address and take the address it ends on. "
        "By default a browser for Intuit; the local QuickBooks consents by itself.",
    ),
    wait_seconds: int = typer.Option(_WAIT_SECONDS, min=1, help="How long the browser may take to come back."),
) -> None:
    """Connect a tenant to its QuickBooks company, or connect it again."""
    with open_installation() as installation:
        checked = tenant_id(tenant)
        if browser is None and installation.settings.qbo_environment == "local":
            connected = installation.connector.connect_without_browser(
                checked, realm_id=realm or None, why_company_stays=why_company_stays
            )
        elif browser is not False and is_local(installation.settings.qbo_redirect_uri):
            connected = connect_in_browser(
                installation, checked, realm_id=realm or None, wait_seconds=wait_seconds, open_page=_open_page
            )
        else:
            connected = connect_by_hand(installation, checked, realm_id=realm or None, paste=_paste)
        console.print(f"Connected {tenant} to {company(connected)}.", markup=False, soft_wrap=True)
        console.print(f"Next: `runway friday --tenant {tenant}`.", markup=False, soft_wrap=True)


def disconnect(tenant: str = typer.Argument(help="The tenant.")) -> None:
    """End a tenant's connection, here and at QuickBooks. Its history stays."""
    with open_installation() as installation:
        installation.connector.disconnect(tenant_id(tenant))
        console.print(
            f"Disconnected {tenant}. `runway connect {tenant}` connects it again.", markup=False, soft_wrap=True
        )


def connect_in_browser(
    installation: Installation,
    tenant: TenantId,
    *,
    realm_id: str | None,
    wait_seconds: float,
    open_page: Callable[[str], object],
) -> Connected:
    """Open the consent page and wait for the browser to come back to the redirect URI."""
    asked = installation.connector.request(tenant, realm_id=realm_id, why_company_stays=why_company_stays)
    with CallbackListener(
        installation.settings.qbo_redirect_uri,
        complete=asked.complete,
        told=lambda connected: f"{tenant} is connected to {company(connected)}.",
    ) as listener:
        console.print("The consent page opens in your browser. If it does not, open this address:")
        console.print(asked.url, markup=False, soft_wrap=True, highlight=False)
        open_page(asked.url)
        return listener.wait(timeout_seconds=wait_seconds)


def connect_by_hand(
    installation: Installation, tenant: TenantId, *, realm_id: str | None, paste: Callable[[], str]
) -> Connected:
    """Print the consent page's address and take the address that the browser, wherever it is, ends on."""
    asked = installation.connector.request(tenant, realm_id=realm_id, why_company_stays=why_company_stays)
    console.print("Open this address in a browser, on any machine, and consent:")
    console.print(asked.url, markup=False, soft_wrap=True, highlight=False)
    console.print(
        f"The browser then goes to an address that begins with {installation.settings.qbo_redirect_uri} . "
        "The page may be an error page; the address is what matters. It is good for some minutes and for one use.",
        markup=False,
    )
    return asked.complete(paste().strip())


def company(connected: Connected) -> str:
    """The company in words."""
    return f"{connected.company_name or 'company'} ({connected.realm_id})"


def _open_page(url: str) -> None:
    try:
        webbrowser.open(url)
    except webbrowser.Error:
        problems.print("No browser could be started on this machine.")


def _paste() -> str:
    return str(typer.prompt("Paste that whole address here"))
