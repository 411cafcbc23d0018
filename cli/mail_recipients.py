"""`runway mail recipients`: who receives a tenant's mail.

Belongs here: adding, removing, listing. Does not: rules of recipients (`resources/recipients.py`).
"""

from dataclasses import asdict
from typing import Any, cast

import typer
from rich.table import Table

from cli.entering import AS_JSON, BY, DRY_RUN, TENANT, add_row, author, known_tenant, print_json
from cli.session import console, open_installation
from resources.mail_tables import CURRENCY_FORMATS, LOCALES, ROLES
from resources.recipients import Recipient, Role
from resources.tenants import ZONES

app = typer.Typer(no_args_is_help=True, help="Who receives a tenant's mail.")

_ADDRESS = typer.Argument(help="Mail address.")


@app.command()
def add(
    *,
    tenant: str = TENANT,
    address: str = _ADDRESS,
    name: str = typer.Option("", help="The name beside the address."),
    role: str = typer.Option("client", help=f"Who it is: {', '.join(ROLES)}. Only the firm hears of failed runs."),
    locale: str = typer.Option("en-GB", help=f"How dates are written: {', '.join(LOCALES)}."),
    zone: str = typer.Option(
        "", help=f"Whose Friday morning counts; default: the tenant's. One of {', '.join(ZONES)}."
    ),
    currency_format: str = typer.Option("symbol", help=f"How dollars are written: {', '.join(CURRENCY_FORMATS)}."),
    lift_suppression: bool = typer.Option(False, "--lift-suppression", help="The address works again."),
    subscribe_again: bool = typer.Option(
        False, "--subscribe-again", help="The reader unsubscribed and asked for it again."
    ),
    by: str = BY,
    dry_run: bool = DRY_RUN,
    json_wanted: bool = AS_JSON,
) -> None:
    """Add a recipient, or say anew how one reads; one that was removed receives again."""
    with open_installation() as installation:
        known = known_tenant(installation, tenant)
        recipients = installation.recipients
        asked: dict[str, Any] = {
            "address": address,
            "name": name,
            "role": cast("Role", role),
            "locale": locale,
            "zone": zone or known.zone,
            "currency_format": currency_format,
        }
        kept = recipients.check(**asked)
        _tell(
            f"{kept} receives the mail of {known.tenant_id} ({role}, {locale}, {asked['zone']}, {currency_format})",
            None
            if dry_run
            else recipients.add(
                known,
                **asked,
                author=author(by),
                lift_suppression=lift_suppression,
                subscribe_again=subscribe_again,
            ),
            json_wanted=json_wanted,
        )


@app.command()
def remove(
    *,
    tenant: str = TENANT,
    address: str = _ADDRESS,
    dry_run: bool = DRY_RUN,
    json_wanted: bool = AS_JSON,
) -> None:
    """Send nothing more to a recipient; what was sent stays known."""
    with open_installation() as installation:
        known = known_tenant(installation, tenant)
        recipients = installation.recipients
        found = recipients.one(known.tenant_id, address)
        _tell(
            f"{found.address} receives no more mail of {known.tenant_id}",
            None if dry_run else recipients.remove(known, found.address),
            json_wanted=json_wanted,
        )


@app.command("list")
def list_recipients(tenant: str = TENANT, json_wanted: bool = AS_JSON) -> None:
    """Recipients with how they read, and which of them get nothing and why."""
    with open_installation() as installation:
        known = known_tenant(installation, tenant)
        found = installation.recipients.all(known.tenant_id)
    if json_wanted:
        print_json([_as_json(one) for one in found])
        return
    if not found:
        console.print(
            f"No recipients: `runway mail recipients add {tenant} ADDRESS` adds one.", markup=False, soft_wrap=True
        )
        return
    table = Table("Address", "Name", "Role", "Locale", "Zone", "Currency", "Receives")
    for one in found:
        receives = "yes" if one.obstacle is None else f"no: {one.obstacle}"
        add_row(table, one.address, one.name, one.role, one.locale, one.zone, one.currency_format, receives)
    console.print(table)


def _tell(what: str, done: Recipient | None, *, json_wanted: bool) -> None:
    if json_wanted:
        said = {"recorded": False, "would": what} if done is None else {"recorded": True, "recipient": _as_json(done)}
        print_json(said)
    elif done is None:
        console.print(f"Would record: {what}. Nothing was recorded.", markup=False, soft_wrap=True)
    else:
        console.print(f"Recorded: {what}.", markup=False, soft_wrap=True)


def _as_json(recipient: Recipient) -> dict[str, Any]:
    return {**asdict(recipient), "obstacle": recipient.obstacle}
