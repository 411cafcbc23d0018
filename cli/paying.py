"""What the commands of the payment ledger share: who acts, keys of requests, amounts, saying what was done or would be.

Belongs here: options, opening the ledger, carrying a verb out, showing. Does not: commands; any rule of the ledger.
"""

import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from textwrap import wrap
from typing import Any

import typer
from rich.table import Table

from cli.entering import known_tenant, parse_hundredths, print_json
from cli.session import console, open_installation
from payments.store.ledger import Ledger
from payments.store.repository import Look
from resources.installation import Installation
from resources.tenants import TenantId

PERSON = typer.Option(..., "--by", envvar="RUNWAY_PERSON", help="Who acts: the id of a person of the firm.")
ACCOUNT = typer.Option(..., "--account", help="QuickBooks' id of the cash account; `runway reserves cash` lists them.")
AMOUNT = typer.Option("", "--amount", help="As 1250.00; left out: all that is open.")
KEY = typer.Option("", "--key", help="A key of your own for this request: repeated, it changes nothing a second time.")
DRY_RUN = typer.Option(False, "--dry-run", help="Check everything, say what would happen, and change nothing.")
AS_JSON = typer.Option(False, "--json", help="For programs: JSON, amounts in cents.")
TENANT = typer.Argument(help="The tenant.")
BILL = typer.Argument(help="QuickBooks' id of the bill.")
#: No table is as wide as this.
_WIDEST = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """The ledger as one command uses it."""

    installation: Installation
    ledger: Ledger
    tenant: TenantId

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
        yield Desk(installation=installation, ledger=ledger, tenant=known.tenant_id)


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


def carry_out(
    tenant: str,
    what: str,
    verb: Callable[..., Any],
    wanted: Callable[[], Mapping[str, Any]],
    *,
    dry_run: bool,
    json_wanted: bool,
    note: Callable[[Any], str] | None = None,
) -> None:
    """One verb of the ledger for a tenant, and what it did; `wanted` reads what was typed, and may refuse it."""
    with open_desk(tenant, dry_run=dry_run) as desk:
        arguments = wanted()
        do(
            what,
            lambda: verb(desk.ledger, desk.tenant, **arguments),
            dry_run=dry_run,
            json_wanted=json_wanted,
            note=note,
        )


def show_rows(table: Table, *, none: str) -> None:
    """The table, or what to say of one without rows."""
    if table.row_count:
        show_table(table)
    else:
        console.print(none, markup=False, soft_wrap=True)


def show_table(table: Table) -> None:
    """The table, or on a screen that is too narrow for it each row as a block: ids are typed again, so none is cut or wrapped."""
    if console.measure(table, options=console.options.update(width=_WIDEST)).maximum <= console.width:
        console.print(table)
        return
    names = [str(column.header) for column in table.columns]
    for cells in zip(*(column.cells for column in table.columns), strict=True):
        told = [str(cell) for cell in cells]
        console.print(told[0], style="bold", markup=False, highlight=False, soft_wrap=True)
        rest = [f"{name}: {text}" for name, text in zip(names[1:], told[1:], strict=True) if text]
        for line in _lines(rest, width=console.width - 2):
            console.print(f"  {line}", markup=False, highlight=False, soft_wrap=True)


def _lines(parts: Sequence[str], *, width: int) -> Iterator[str]:
    """Parts joined to lines of at most a width; a longer part is wrapped between words, and no word is cut."""
    line = ""
    for part in parts:
        joined = f"{line}   {part}" if line else part
        if len(joined) <= width:
            line = joined
            continue
        if line:
            yield line
        *whole, line = wrap(part, width, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)
        yield from whole
    if line:
        yield line


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
