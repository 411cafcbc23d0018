"""`runway customers`: what people know about who owes the tenant: disputes, and when somebody was last contacted.

Belongs here: notes, recorded, taken back and listed. Does not: whom to contact (`runway_calcs`).
"""

import typer
from rich.table import Column, Table

from cli.entering import (
    AS_JSON,
    BY,
    DRY_RUN,
    REASON,
    TENANT,
    add_row,
    as_json,
    author,
    cents_of,
    known_tenant,
    money,
    object_in_books,
    objects_in_books,
    parse_day,
    print_json,
    record,
)
from cli.session import console, open_installation
from resources.entries import EntryRefused
from resources.installation import Installation
from resources.qbo.list_objects import Customer
from resources.qbo.transactions import Invoice
from resources.tenants import Tenant

app = typer.Typer(no_args_is_help=True, help="Customers: disputed invoices, and contacts made.")


@app.command()
def note(
    *,
    tenant: str = TENANT,
    customer: str = typer.Argument(help="QuickBooks id of the customer, as `runway customers list` shows it."),
    disputed: str = typer.Option("", "--disputed", help="QuickBooks id of an invoice the customer disputes."),
    settled: str = typer.Option("", "--not-disputed", help="QuickBooks id of an invoice it no longer disputes."),
    contacted: str = typer.Option("", "--contacted", help="Day on which it was contacted, as 2026-11-18."),
    reason: str = REASON,
    by: str = BY,
    dry_run: bool = DRY_RUN,
    json_wanted: bool = AS_JSON,
) -> None:
    """Note a dispute, its end, or a contact."""
    with open_installation() as installation:
        known = known_tenant(installation, tenant)
        if sum(map(bool, (disputed, settled, contacted))) != 1:
            raise EntryRefused("Give one of the three: --disputed INVOICE, --not-disputed INVOICE or --contacted DAY.")
        name = _customer_name(installation, known, customer)
        entries, who = installation.entries, author(by)
        if contacted:
            day = parse_day(contacted, option="--contacted")
            entries.check_contact(known, contacted_on=day)
            record(
                f"{name} was contacted on {day}",
                lambda: entries.note_contact(known, customer_id=customer, contacted_on=day, author=who, reason=reason),
                dry_run=dry_run,
                json_wanted=json_wanted,
            )
            return
        number = _invoice_number(installation, known, customer=customer, invoice_id=disputed or settled)
        if settled:
            entries.check_dispute_ends(known, customer_id=customer, invoice_id=settled)
        record(
            f"{name} {'disputes' if disputed else 'no longer disputes'} invoice {number}",
            lambda: entries.note_dispute(
                known,
                customer_id=customer,
                invoice_id=disputed or settled,
                is_disputed=bool(disputed),
                author=who,
                reason=reason,
            ),
            dry_run=dry_run,
            json_wanted=json_wanted,
        )


@app.command("list")
def list_customers(
    tenant: str = TENANT,
    everyone: bool = typer.Option(False, "--all", help="Customers that owe nothing, and inactive ones, too."),
    json_wanted: bool = AS_JSON,
) -> None:
    """Customers of the newest kept books with their ids and what they owe."""
    with open_installation() as installation:
        known = known_tenant(installation, tenant)
        found = [
            one
            for one in objects_in_books(installation, known.tenant_id, entity="Customer").values()
            if isinstance(one, Customer) and (everyone or (one.active and one.balance != 0))
        ]
    found.sort(key=lambda one: (-one.balance, one.display_name, one.id))
    if json_wanted:
        print_json(
            [{"customer_id": one.id, "name": one.display_name, "balance_cents": cents_of(one.balance)} for one in found]
        )
        return
    if not found:
        console.print(
            f"No customer of {tenant} owes anything; --all shows every customer.", markup=False, soft_wrap=True
        )
        return
    table = Table("Id", "Customer", Column("Owes", justify="right"))
    for one in found:
        add_row(table, one.id, one.display_name, money(cents_of(one.balance)))
    console.print(table)


@app.command()
def notes(tenant: str = TENANT, json_wanted: bool = AS_JSON) -> None:
    """Disputes that stand, and each customer's last noted contact."""
    with open_installation() as installation:
        known = known_tenant(installation, tenant)
        found = installation.entries.notes(known.tenant_id)
    if json_wanted:
        print_json([as_json(one) for one in found])
        return
    if not found:
        console.print(f"No notes: `runway customers note {tenant} CUSTOMER` records one.", markup=False, soft_wrap=True)
        return
    table = Table("Customer", "What", "By", "Reason")
    for one in found:
        what = f"disputes invoice {one.invoice_id}" if one.kind == "disputed" else f"contacted on {one.contacted_on}"
        add_row(table, one.customer_id, what, one.said.author, one.said.reason)
    console.print(table)


def _customer_name(installation: Installation, tenant: Tenant, customer: str) -> str:
    where = f"`runway customers list {tenant.tenant_id}` shows the ids"
    found = object_in_books(installation, tenant.tenant_id, entity="Customer", qbo_id=customer, where=where)
    assert isinstance(found, Customer)
    return found.display_name


def _invoice_number(installation: Installation, tenant: Tenant, *, customer: str, invoice_id: str) -> str:
    """The invoice's number; `EntryRefused` if it is another customer's or none."""
    where = f"`runway forecast documents {tenant.tenant_id}` shows what is open"
    found = object_in_books(installation, tenant.tenant_id, entity="Invoice", qbo_id=invoice_id, where=where)
    assert isinstance(found, Invoice)
    if found.customer_ref.value != customer:
        raise EntryRefused(f"Invoice {invoice_id} belongs to customer {found.customer_ref.value}, not to {customer}.")
    return found.doc_number or invoice_id
