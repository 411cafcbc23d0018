"""What the commands of the payment ledger share: who acts, keys of requests, amounts, saying what was done or would be.

Belongs here: options, opening the ledger, showing. Does not: commands; any rule of the ledger.
"""

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import typer

from cli.entering import known_tenant, parse_hundredths, print_json
from cli.session import console, open_installation
from payments.ledger import Ledger
from payments.repository import Look
from resources.installation import Installation
from resources.tenants import Tenant, TenantId

PERSON = typer.Option(..., "--by", envvar="RUNWAY_PERSON", help="Who acts: the id of a person of the firm.")
ACCOUNT = typer.Option(..., "--account", help="QuickBooks' id of the cash account; `runway reserves cash` lists them.")
AMOUNT = typer.Option("", "--amount", help="As 1250.00; left out: all that is open.")
KEY = typer.Option("", "--key", help="A key of your own for this request: repeated, it changes nothing a second time.")
DRY_RUN = typer.Option(False, "--dry-run", help="Check everything, say what would happen, and change nothing.")
AS_JSON = typer.Option(False, "--json", help="For programs: JSON, amounts in cents.")
TENANT = typer.Argument(help="The tenant.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """The ledger as one command uses it."""

    installation: Installation
    ledger: Ledger
    tenant: TenantId
    known: Tenant

    @contextmanager
    def look(self) -> Iterator[Look]:
        """Reads one state."""
        with self.ledger.look(self.tenant) as look:
            yield look


@contextmanager
def open_desk(tenant: str, *, dry_run: bool = False) -> Iterator[Desk]:
    """The ledger of one tenant; expected failures end the command with their message."""
    with open_installation() as installation:
        known = known_tenant(installation, tenant)
        ledger = Ledger(installation.database, clock=installation.clock, dry_run=dry_run)
        yield Desk(installation=installation, ledger=ledger, tenant=known.tenant_id, known=known)


def request_key(text: str) -> str:
    """The key given, or a fresh one."""
    return text.strip() or uuid.uuid4().hex


def amount(text: str, *, option: str = "--amount") -> int | None:
    """Cents of an amount as typed; None of none."""
    return parse_hundredths(text, option=option) if text else None


def needed_amount(text: str, *, option: str = "--amount") -> int:
    """Cents of an amount that has to be given."""
    return parse_hundredths(text, option=option)


def do(
    what: str, work: Callable[[], Any], *, dry_run: bool, json_wanted: bool, note: Callable[[Any], str] | None = None
) -> None:
    """Do it and say so; in a dry run everything was checked and nothing changed."""
    result = work()
    said = f" {note(result)}" if note is not None else ""
    if json_wanted:
        print_json({"done": not dry_run, "what": what, "result": plain(result)})
    elif dry_run:
        console.print(f"Would be done: {what}.{said} Nothing was changed.", markup=False, soft_wrap=True)
    else:
        console.print(f"Done: {what}.{said}", markup=False, soft_wrap=True)


def plain(value: Any) -> Any:
    """A result as JSON has it."""
    names = getattr(type(value), "__slots__", None)
    if names and hasattr(value, "__dataclass_fields__"):
        return {name: plain(getattr(value, name)) for name in value.__dataclass_fields__}
    if isinstance(value, dict):
        return {name: plain(one) for name, one in value.items() if name != "tenant_id"}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    return f"{len(value)} bytes" if isinstance(value, bytes) else value
