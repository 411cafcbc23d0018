"""`runway firm`: the accounting firms of this installation."""

import typer
from rich.table import Table

from cli.entering import add_row
from cli.session import console, open_installation

app = typer.Typer(no_args_is_help=True, help="Accounting firms.")


@app.command()
def add(
    firm: str = typer.Argument(help="Id of the firm: lower-case letters, digits, hyphens."),
    name: str = typer.Option("", help="Its name as clients know it; the id if left out."),
) -> None:
    """Register an accounting firm."""
    with open_installation() as installation:
        added = installation.registry.add_firm(firm, name=name or firm)
        console.print(f"Added firm {added.firm_id} ({added.name}).", markup=False, soft_wrap=True)


@app.command("list")
def list_firms() -> None:
    """All firms."""
    with open_installation() as installation:
        firms = installation.registry.firms()
    if not firms:
        console.print("No firms yet: `runway firm add FIRM` registers one.")
        return
    table = Table("Firm", "Name")
    for firm in firms:
        add_row(table, firm.firm_id, firm.name)
    console.print(table)
