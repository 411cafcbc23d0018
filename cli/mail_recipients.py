"""`runway mail recipients`: who receives the mail of a tenant or of a firm.

Belongs here: adding, removing, listing. Does not: rules of recipients (`resources/mail/recipients.py`).
"""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import typer
from rich.box import SIMPLE_HEAD
from rich.table import Column, Table

from cli.entering import AS_JSON, BY, DRY_RUN, add_row, author, print_json
from cli.mail_owners import OWNER, KnownOwner, as_fields, known_owner
from cli.session import console, open_installation
from resources.mail.recipients import Recipient, RecipientRefused
from resources.mail.tables import CURRENCY_FORMATS, LOCALES, ROLES
from resources.tenants import ZONES

app = typer.Typer(no_args_is_help=True, help="Who receives the mail of a tenant or of a firm.")

_ADDRESS = typer.Argument(help="Mail address.")
_UNBROKEN_ADDRESS = 44


@app.command()
def add(
    *,
    tenant: str = OWNER,
    address: str = _ADDRESS,
    name: str = typer.Option("", help="The name beside the address."),
    role: str = typer.Option("", help=f"Of a tenant's mail, who it is: {', '.join(ROLES)}; default: {ROLES[0]}."),
    locale: str = typer.Option("", help=f"How dates are written: {', '.join(LOCALES)}; default: {LOCALES[0]}."),
    zone: str = typer.Option(
        "",
        help=f"Whose Friday morning counts; default: that of the tenant or of all the firm's tenants. One of {', '.join(ZONES)}.",
    ),
    currency_format: str = typer.Option(
        "", help=f"How dollars are written: {', '.join(CURRENCY_FORMATS)}; default: {CURRENCY_FORMATS[0]}."
    ),
    lift_suppression: bool = typer.Option(False, "--lift-suppression", help="The address works again."),
    subscribe_again: bool = typer.Option(
        False, "--subscribe-again", help="The reader unsubscribed and asked for it again."
    ),
    by: str = BY,
    dry_run: bool = DRY_RUN,
    json_wanted: bool = AS_JSON,
) -> None:
    """Add a recipient, or say anew how one reads: what is left out stays as it was. One that was removed receives again."""
    with open_installation() as installation:
        known = known_owner(installation, tenant)
        recipients = installation.recipients
        said = {"name": name, "role": role, "locale": locale, "zone": zone, "currency_format": currency_format}
        before = recipients.find(known.owner, address)
        reads = _as_it_reads(before, known)
        asked: dict[str, Any] = {"address": address, **{field: text or reads[field] for field, text in said.items()}}
        if not asked["zone"]:
            raise RecipientRefused(f"The tenants of {tenant} are in several zones or none: name one with --zone.")
        kept = recipients.check(known.owner, **asked, lift_suppression=lift_suppression)
        wants_none = before is not None and before.unsubscribed_at is not None and not subscribe_again
        _tell(
            _told(tenant, {**asked, "address": kept}, wants_none=wants_none),
            None
            if dry_run
            else recipients.add(
                known.owner,
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
    tenant: str = OWNER,
    address: str = _ADDRESS,
    dry_run: bool = DRY_RUN,
    json_wanted: bool = AS_JSON,
) -> None:
    """Send nothing more to a recipient; what was sent stays known."""
    with open_installation() as installation:
        owner = known_owner(installation, tenant).owner
        recipients = installation.recipients
        found = recipients.one(owner, address)
        _tell(
            f"{found.address} receives no more mail of {owner}",
            None if dry_run else recipients.remove(owner, found.address),
            json_wanted=json_wanted,
        )


@app.command("list")
def list_recipients(tenant: str = OWNER, json_wanted: bool = AS_JSON) -> None:
    """Recipients with how they read, and which of them get nothing and why."""
    with open_installation() as installation:
        found = installation.recipients.all(known_owner(installation, tenant).owner)
    if json_wanted:
        print_json([_as_json(one) for one in found])
        return
    if not found:
        console.print(
            f"No recipients: `runway mail recipients add {tenant} ADDRESS` adds one.", markup=False, soft_wrap=True
        )
        return
    # Three columns fit a terminal of 80; an address is typed into the next command, so the others are broken before it is.
    widest = min(_UNBROKEN_ADDRESS, max(len(one.address) for one in found))
    table = Table(Column("Recipient", min_width=widest), "Reads", "Receives", box=SIMPLE_HEAD, pad_edge=False)
    for one in found:
        receives = "yes" if one.obstacle is None else f"no: {one.obstacle}"
        who = "\n".join(filter(None, (one.address, one.name)))
        add_row(table, who, f"{one.role}, {one.locale}, {one.currency_format}\n{one.zone}", receives)
    console.print(table)


def _as_it_reads(before: Recipient | None, known: KnownOwner) -> dict[str, str]:
    """How a recipient reads of whom nothing new is said; of a new one, the defaults."""
    if before is not None:
        return {field: getattr(before, field) for field in ("name", "role", "locale", "zone", "currency_format")}
    return {
        "name": "",
        "role": "client" if known.owner.kind == "tenant" else "firm",
        "locale": LOCALES[0],
        "zone": known.zone,
        "currency_format": CURRENCY_FORMATS[0],
    }


def _told(tenant: str, asked: Mapping[str, str], *, wants_none: bool) -> str:
    how = f"({asked['role']}, {asked['locale']}, {asked['zone']}, {asked['currency_format']})"
    if wants_none:
        return (
            f"{asked['address']} is a recipient of {tenant} {how} and gets no mail: the reader unsubscribed, and "
            "--subscribe-again says that they asked for it again"
        )
    return f"{asked['address']} receives the mail of {tenant} {how}"


def _tell(what: str, done: Recipient | None, *, json_wanted: bool) -> None:
    if json_wanted:
        said = {"recorded": False, "would": what} if done is None else {"recorded": True, "recipient": _as_json(done)}
        print_json(said)
    elif done is None:
        console.print(f"Would record: {what}. Nothing was recorded.", markup=False, soft_wrap=True)
    else:
        console.print(f"Recorded: {what}.", markup=False, soft_wrap=True)


def _as_json(recipient: Recipient) -> dict[str, Any]:
    fields = {name: value for name, value in asdict(recipient).items() if name != "owner"}
    return {**as_fields(recipient.owner), **fields, "obstacle": recipient.obstacle}
