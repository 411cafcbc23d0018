"""`runway tenant`: the companies whose cash is watched."""

from dataclasses import asdict
from typing import Any

import typer
from rich.table import Table

from cli.entering import AS_JSON, DRY_RUN, TENANT, add_row, known_tenant, record
from cli.session import console, open_installation
from payments.bills.waiting import payments_waiting
from payments.store.ledger import Ledger
from resources.installation import Installation
from resources.settings import Thresholds
from resources.tenants import ZONES, TenantId, tenant_id

app = typer.Typer(no_args_is_help=True, help="Tenants: the companies whose cash is watched.")


@app.command()
def add(
    tenant: str = typer.Argument(help="Id of the tenant: lower-case letters, digits, hyphens; never changes."),
    firm: str = typer.Option(..., help="The firm that looks after it."),
    zone: str = typer.Option(..., help=f"Its time zone: {', '.join(ZONES)}."),
    name: str = typer.Option("", help="Its name; the id if left out."),
) -> None:
    """Register a tenant of a firm."""
    with open_installation() as installation:
        added = installation.registry.add_tenant(tenant, firm_id=firm, name=name or tenant, zone=zone)
        console.print(f"Added tenant {added.tenant_id} of {added.firm_name}.", markup=False, soft_wrap=True)
        console.print(f"Next: `runway connect {added.tenant_id}`.", markup=False, soft_wrap=True)


@app.command("list")
def list_tenants(
    everyone: bool = typer.Option(False, "--all", help="Deactivated ones too."),
) -> None:
    """Tenants with their firm, zone and connection."""
    with open_installation() as installation:
        tenants = installation.registry.tenants(active_only=not everyone)
        rows = [
            (
                tenant.tenant_id,
                tenant.name,
                tenant.firm_id,
                tenant.zone,
                "yes" if installation.connections.is_connected(tenant.tenant_id) else "no",
                _last_sync(installation, tenant.tenant_id),
                "yes" if tenant.active else "no",
            )
            for tenant in tenants
        ]
    if not rows:
        console.print("No tenants yet: `runway tenant add TENANT --firm FIRM --zone ZONE` registers one.")
        return
    table = Table("Tenant", "Name", "Firm", "Zone", "Connected", "Books read (UTC)", "Active")
    for row in rows:
        add_row(table, *row)
    console.print(table)


@app.command()
def deactivate(*, tenant: str = TENANT, dry_run: bool = DRY_RUN, json_wanted: bool = AS_JSON) -> None:
    """Take a tenant out of all schedules. Its history stays, batches of payments that are on their way go on."""
    with open_installation() as installation:
        known = known_tenant(installation, tenant).tenant_id
        record(
            f"{tenant} is no longer scheduled and its mail waits; its history is kept{_still_open(installation, known)}",
            lambda: installation.registry.deactivate(known),
            dry_run=dry_run,
            json_wanted=json_wanted,
        )


@app.command()
def reactivate(*, tenant: str = TENANT, dry_run: bool = DRY_RUN, json_wanted: bool = AS_JSON) -> None:
    """Put a deactivated tenant back into all schedules, with its history."""
    with open_installation() as installation:
        known = known_tenant(installation, tenant).tenant_id
        record(
            f"{tenant} is scheduled again"
            + ("" if installation.connections.is_connected(known) else f"; next: `runway connect {tenant}`"),
            lambda: installation.registry.reactivate(known),
            dry_run=dry_run,
            json_wanted=json_wanted,
        )


@app.command("set")
def set_thresholds(
    tenant: str = typer.Argument(help="The tenant."),
    values: list[str] = typer.Argument(help="name=value of a threshold; name= takes the tenant's own value back."),
) -> None:
    """Override thresholds for one tenant, for example `floor_cents=2500000`."""
    changes = dict(_parsed(value) for value in values)
    with open_installation() as installation:
        defaults = installation.settings.thresholds
        changed = installation.registry.set_thresholds(tenant_id(tenant), changes, defaults=defaults)
        effective = defaults.overridden(changed.thresholds)
    table = Table("Threshold", "Value", "Set for this tenant")
    for name, value in effective.model_dump().items():
        table.add_row(name, str(value), "yes" if name in changed.thresholds else "")
    console.print(table)


def _parsed(text: str) -> tuple[str, Any]:
    name, separator, value = text.partition("=")
    if not separator or name not in Thresholds.model_fields:
        raise typer.BadParameter(f"{text!r}: write name=value with one of {', '.join(Thresholds.model_fields)}")
    if not value:
        return name, None
    return name, tuple(value.split(",")) if name == "excluded_account_ids" else value


def _still_open(installation: Installation, tenant: TenantId) -> str:
    """The payments that nobody is told of any more; empty without one."""
    with Ledger(installation.database, clock=installation.clock).look(tenant) as look:
        waiting = payments_waiting(look)
    count = sum(asdict(waiting).values())
    if not count:
        return ""
    return f". Bills that wait in its payment ledger: {count}, of them {waiting.sealed} in batches (`runway bills list {tenant}`)"


def _last_sync(installation: Any, tenant: Any) -> str:
    sync = installation.commits.newest_sync(tenant)
    return "never" if sync is None else f"{sync.data_as_of:%Y-%m-%d %H:%M}"
