"""`runway demo`: three generated companies from nothing to their Friday digests.

Belongs here: the story of the demo. Does not: anything a real installation would not do the same way.
"""

import json
import os
import socket
from typing import Any
from urllib.parse import urlsplit

from cli.friday import report, run_friday
from cli.programs import answers, companies_file, local_quickbooks
from cli.session import console, open_installation, plain_errors, read_settings
from resources.clock import SystemClock
from resources.files import write_whole
from resources.installation import Installation
from resources.settings import Settings
from resources.tenants import TenantId, tenant_id

FIRM = "demo-accountants"
_COMPANIES: tuple[dict[str, Any], ...] = (
    {
        "tenant_id": "bright-harbor-media",
        "realm_id": "9130350000000001",
        "name": "Bright Harbor Media",
        "industry": "marketing_agency",
        "size": "small",
        "seed": 11,
        "zone": "America/New_York",
    },
    {
        "tenant_id": "stonefield-builders",
        "realm_id": "9130350000000002",
        "name": "Stonefield Builders",
        "industry": "construction",
        "size": "micro",
        "seed": 16,
        "zone": "America/Chicago",
    },
    {
        "tenant_id": "larkspur-legal-advisors",
        "realm_id": "9130350000000003",
        "name": "Larkspur Legal Advisors",
        "industry": "professional_services",
        "size": "small",
        "seed": 13,
        "zone": "America/Los_Angeles",
    },
)


def demo() -> None:
    """Generate three companies in a local QuickBooks, connect them, and make their Friday digests."""
    settings = read_settings()
    console.print("[bold]Runway demo[/]: the three companies and all their books are generated.")
    with plain_errors():
        settings = _free_address(settings)
        _generate(settings)
        console.print("Starting the local QuickBooks ...")
        with local_quickbooks(settings), open_installation() as installation:
            tenants = [_register(installation, company) for company in _COMPANIES]
            for tenant, company in zip(tenants, _COMPANIES, strict=True):
                if not installation.connections.is_connected(tenant):
                    installation.connector.connect_without_browser(tenant, realm_id=company["realm_id"])
                    console.print(f"Connected {company['name']}.", markup=False, soft_wrap=True)
            known = [installation.registry.tenant(tenant) for tenant in tenants]
            console.print("Reading the books and making the Friday digests ...")
            outcome = run_friday(installation, tenants=known, week_ending=None)
    report(outcome)
    console.print(
        "\nOpen a digest in a browser, or every page from the index that [bold].venv/bin/runway open[/] shows."
    )
    console.print(
        f"What earlier digests would have flagged, and what then happened: [bold].venv/bin/runway test-drive {tenants[1]}[/] "
        "(makes eight weeks first)"
    )
    console.print("The Dagster UI on this data: [bold]make dagster[/]")


def _free_address(settings: Settings) -> Settings:
    """The configured address, or the next free port if another program listens there."""
    address = urlsplit(settings.qbo_local_url)
    if answers(settings.qbo_local_url) or not _is_taken(str(address.hostname), int(address.port or 80)):
        return settings
    with socket.socket() as probe:
        probe.bind((str(address.hostname), 0))
        port = probe.getsockname()[1]
    console.print(f"Port {address.port} is taken by another program; the local QuickBooks uses {port} this time.")
    os.environ["RUNWAY_QBO_LOCAL_URL"] = f"http://{address.hostname}:{port}"
    return read_settings()


def _is_taken(host: str, port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((host, port)) == 0


def _generate(settings: Settings) -> None:
    """Write down once which companies there are; the local QuickBooks makes the same ones from this each time."""
    path = companies_file(settings)
    if path.exists():
        return
    as_of = SystemClock().now().date().isoformat()
    specs = [{**company, "as_of": as_of} for company in _COMPANIES]
    for spec in specs:
        del spec["tenant_id"]
    write_whole(path, json.dumps(specs, indent=2))


def _register(installation: Installation, company: dict[str, Any]) -> TenantId:
    registry = installation.registry
    if FIRM not in {firm.firm_id for firm in registry.firms()}:
        registry.add_firm(FIRM, name="Demo Accountants (generated)")
    tenant = tenant_id(company["tenant_id"])
    # It is there already when the demo ran before on this data folder.
    if tenant not in {known.tenant_id for known in registry.tenants(active_only=False)}:
        registry.add_tenant(tenant, firm_id=FIRM, name=company["name"], zone=company["zone"])
    return tenant
