"""`runway keys`: the keys that tokens and bank details are encrypted with.

Belongs here: the command and what it says. Does not: the rotation (`payments/controls/key_rotation.py`), making keys.
"""

import typer

from cli.entering import print_json
from cli.paying import AS_JSON, DRY_RUN, plain
from cli.session import console, open_installation
from payments.controls.key_rotation import Rotated, refuse_without_keys
from payments.controls.key_rotation import rotate as rotate_all
from payments.store.ledger import Ledger

app = typer.Typer(no_args_is_help=True, help="Keys that tokens and bank details are encrypted with.")


@app.callback()
def _only_a_group() -> None:
    """Keep `rotate` a command of its own though it is the only one."""


@app.command()
def rotate(
    *,
    leave_unreadable: bool = typer.Option(
        False, "--leave-unreadable", help="Leave what none of the keys opens as it is, where its key is lost for good."
    ),
    dry_run: bool = DRY_RUN,
    json_wanted: bool = AS_JSON,
) -> None:
    """Encrypt with the newest key, the first, what an older one encrypted: tokens and bank details of all tenants."""
    with open_installation() as installation:
        refuse_without_keys(installation.settings)
        found = rotate_all(
            Ledger(installation.database, clock=installation.clock, dry_run=dry_run),
            connections=installation.connections,
            vault=installation.vault,
            tenants=[one.tenant_id for one in installation.registry.tenants(active_only=False)],
            leave_unreadable=leave_unreadable,
        )
    if json_wanted:
        print_json({"done": not dry_run, "result": plain(found)})
        return
    for line in _told(found, dry_run=dry_run):
        console.print(line, markup=False, soft_wrap=True)


def _told(found: Rotated, *, dry_run: bool) -> list[str]:
    verb = "Would be encrypted again" if dry_run else "Encrypted again"
    lines = [f"{verb}: tokens of {tenant}." for tenant in found.tokens]
    lines += [f"{verb}: {count} bank details of {tenant}." for tenant, count in found.bank_details.items()]
    lines += [f"Left, no key opens them: {count} of {tenant}." for tenant, count in found.unreadable.items()]
    if not found.tokens and not found.bank_details:
        lines.append("The newest key has encrypted everything that can be read: no older one is needed for it.")
    return lines
