"""What the commands share that record what people know: options, amounts and days as typed, objects of the books by id.

Belongs here: parsing, the author, looking an object up in the kept books, showing an entry. Does not: commands; rules of entries
(`resources/entries.py`).
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import date
from decimal import Decimal, InvalidOperation
from getpass import getuser
from typing import Any

import typer
from rich.table import Table
from rich.text import Text

from cli.session import console
from resources.entries import EntryRefused
from resources.errors import TenantNotReady
from resources.installation import Installation
from resources.qbo.fields import QboObject
from resources.qbo.kinds import KINDS
from resources.qbo.present import present_objects
from resources.tenants import Tenant, TenantId, tenant_id

TENANT = typer.Argument(help="The tenant.")
REASON = typer.Option(..., help="Why it is so; shown beside what it changes.")
BY = typer.Option("", "--by", help="Who says so; default: your user name.")
DRY_RUN = typer.Option(False, "--dry-run", help="Say what would be recorded, and record nothing.")
AS_JSON = typer.Option(False, "--json", help="For programs: JSON, amounts in cents.")
EXPIRES = typer.Option("", "--expires", help="Last day on which it counts, as 2026-12-11; default: until its own day.")

_CENTS = Decimal(100)
#: Commas separate thousands, nothing else: read away anywhere, they made 1,250.00 of the 12,50 that half of Europe writes.
_GROUPED = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d*)?")


def author(by: str) -> str:
    """The author given, or whoever runs the command."""
    return by.strip() or getuser()


def parse_day(text: str, *, option: str) -> date:
    """A day from ISO text."""
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise EntryRefused(f"{option} {text!r} is no day: write it as 2026-12-18.") from error


def parse_optional_day(text: str, *, option: str) -> date | None:
    """A day from ISO text, None from none."""
    return parse_day(text, option=option) if text else None


def parse_hundredths(text: str, *, option: str) -> int:
    """A number with at most two decimals in hundredths: an amount in cents, a percentage in basis points.

    `EntryRefused` for anything else, a decimal comma among it.
    """
    if "," in text and not _GROUPED.fullmatch(text.strip()):
        raise EntryRefused(f"{option} {text!r} is no number: commas separate thousands only. Write it as 1250.00.")
    try:
        value = Decimal(text.replace(",", "")) * _CENTS
    except InvalidOperation as error:
        raise EntryRefused(f"{option} {text!r} is no number: write it as 1250.00.") from error
    if not value.is_finite() or value != value.to_integral_value():
        raise EntryRefused(f"{option} {text!r} has more than two decimals: write it as 1250.00.")
    return int(value)


def known_tenant(installation: Installation, text: str) -> Tenant:
    """The registered tenant of an id as typed."""
    return installation.registry.tenant(tenant_id(text))


def objects_in_books(installation: Installation, tenant: TenantId, *, entity: str) -> dict[str, QboObject]:
    """The live objects of one kind in the newest kept books, by id; reads nothing from QuickBooks."""
    sync = installation.commits.newest_sync(tenant)
    if sync is None:
        raise TenantNotReady(
            what=f"The books of {tenant!r} have never been read completely.",
            next_step=f"Run `runway friday --tenant {tenant}` first.",
        )
    segments = installation.commits.history(tenant, table=KINDS[entity].table, up_to=sync)
    with installation.lake.open(tenant) as lake:
        return {found.id: found for _, found in present_objects(lake, segments, entity=entity)}


def object_in_books(installation: Installation, tenant: TenantId, *, entity: str, qbo_id: str, where: str) -> QboObject:
    """One live object of the newest kept books; `where` says which command lists them."""
    found = objects_in_books(installation, tenant, entity=entity).get(qbo_id)
    if found is None:
        raise EntryRefused(f"The kept books of {tenant!r} have no {entity} with the id {qbo_id!r}: {where}.")
    return found


def money(cents: int | None) -> str:
    """An amount as people read it."""
    if cents is None:
        return ""
    return f"{'-' if cents < 0 else ''}{abs(cents) // 100:,}.{abs(cents) % 100:02d}"


def cents_of(amount: Decimal) -> int:
    """An amount of the books in cents of its own currency."""
    return int((amount * _CENTS).to_integral_value())


def as_json(entry: Any) -> Mapping[str, Any]:
    """An entry as JSON can hold it; who said it stands beside the rest."""
    fields = asdict(entry)
    return {**{name: value for name, value in fields.items() if name != "said"}, **fields["said"]}


def add_row(table: Table, *cells: str) -> None:
    """A row of text as people typed it: square brackets are theirs, no markup.

    What is wider than its column goes on in the next line: an id that was cut could not be typed into the next command.
    """
    table.add_row(*(Text(cell, overflow="fold") for cell in cells))


def print_json(value: Any) -> None:
    """One JSON value on standard output."""
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False, default=str))


def record(what: str, work: Callable[[], Any], *, dry_run: bool, json_wanted: bool) -> None:
    """Do the recording and say so, or say what would be recorded."""
    if dry_run:
        if json_wanted:
            print_json({"recorded": False, "would": what})
        else:
            console.print(f"Would record: {what}. Nothing was recorded.", markup=False, soft_wrap=True)
        return
    entry = work()
    if json_wanted:
        print_json({"recorded": True, "entry": None if entry is None else as_json(entry)})
    else:
        console.print(f"Recorded: {what}.", markup=False, soft_wrap=True)
