"""`runway forecast`: what people know about cash to come that no document says.

Belongs here: known items and dates of documents, recorded, withdrawn and listed. Does not: the forecast.
"""

import typer
from rich.table import Column, Table

from cli.entering import (
    AS_JSON,
    BY,
    DRY_RUN,
    EXPIRES,
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
    parse_hundredths,
    parse_optional_day,
    print_json,
    record,
)
from cli.session import console, open_installation
from resources.entries import EntryRefused
from resources.entry_records import OverrideEntry, TxnType
from resources.installation import Installation
from resources.qbo.fields import Ref
from resources.qbo.transactions import Bill, Invoice
from resources.tenants import Tenant

app = typer.Typer(no_args_is_help=True, help="What people know about cash to come; it survives every sync.")

_TYPES: dict[str, TxnType] = {"bill": "Bill", "invoice": "Invoice"}
_DOCUMENT = typer.Argument(help="The document as kind and QuickBooks id: bill:123 or invoice:45.")


@app.command("add-item")
def add_item(
    *,
    tenant: str = TENANT,
    on: str = typer.Option(..., "--on", help="Day on which the money moves, as 2026-12-18."),
    amount: str = typer.Option(..., "--amount", help="Amount, in positive, out negative: -12500.00."),
    label: str = typer.Option(..., "--label", help="What a reader calls it."),
    reason: str = REASON,
    expires: str = EXPIRES,
    by: str = BY,
    dry_run: bool = DRY_RUN,
    json_wanted: bool = AS_JSON,
) -> None:
    """Record an amount that no document shows yet, for example a loan or a van."""
    with open_installation() as installation:
        known = known_tenant(installation, tenant)
        day, cents = parse_day(on, option="--on"), parse_hundredths(amount, option="--amount")
        expires_on = parse_optional_day(expires, option="--expires")
        entries = installation.entries
        entries.check_item(known, day=day, amount_cents=cents, label=label, expires_on=expires_on)
        record(
            f"{money(cents)} on {day}, {label}",
            lambda: entries.add_item(
                known,
                day=day,
                amount_cents=cents,
                label=label,
                expires_on=expires_on,
                author=author(by),
                reason=reason,
            ),
            dry_run=dry_run,
            json_wanted=json_wanted,
        )


@app.command("remove-item")
def remove_item(
    *,
    tenant: str = TENANT,
    item: str = typer.Argument(help="Its id, as `runway forecast items` shows it."),
    reason: str = REASON,
    by: str = BY,
    dry_run: bool = DRY_RUN,
    json_wanted: bool = AS_JSON,
) -> None:
    """Withdraw a known item. Past weeks keep what they were told."""
    with open_installation() as installation:
        known = known_tenant(installation, tenant)
        installation.entries.check_remove_item(known, item)
        record(
            f"{item} withdrawn",
            lambda: installation.entries.remove_item(known, item, author=author(by), reason=reason),
            dry_run=dry_run,
            json_wanted=json_wanted,
        )


@app.command()
def override(
    *,
    tenant: str = TENANT,
    document: str = _DOCUMENT,
    on: str = typer.Option("", "--on", help="Day on which it is expected to be paid, as 2026-12-18."),
    withdraw: bool = typer.Option(False, "--withdraw", help="Take the day back: the estimate counts again."),
    reason: str = REASON,
    expires: str = EXPIRES,
    by: str = BY,
    dry_run: bool = DRY_RUN,
    json_wanted: bool = AS_JSON,
) -> None:
    """Record the day on which a bill or an invoice is expected to be paid, in place of the estimate."""
    with open_installation() as installation:
        known = known_tenant(installation, tenant)
        txn_type, txn_id = _parsed(document)
        if withdraw == bool(on):
            raise EntryRefused("Give one of the two: --on DAY to record a day, or --withdraw to take it back.")
        entries, who = installation.entries, author(by)
        if withdraw:
            entries.check_remove_override(known, txn_type=txn_type, txn_id=txn_id)
            record(
                f"no day for {txn_type} {txn_id}",
                lambda: entries.remove_override(known, txn_type=txn_type, txn_id=txn_id, author=who, reason=reason),
                dry_run=dry_run,
                json_wanted=json_wanted,
            )
            return
        day, expires_on = parse_day(on, option="--on"), parse_optional_day(expires, option="--expires")
        entries.check_override(known, expected_on=day, expires_on=expires_on)
        what = _described(installation, known, txn_type=txn_type, txn_id=txn_id)
        record(
            f"{what} is expected on {day}",
            lambda: entries.override(
                known,
                txn_type=txn_type,
                txn_id=txn_id,
                expected_on=day,
                expires_on=expires_on,
                author=who,
                reason=reason,
            ),
            dry_run=dry_run,
            json_wanted=json_wanted,
        )


@app.command()
def items(tenant: str = TENANT, json_wanted: bool = AS_JSON) -> None:
    """Known items and dates of documents that stand."""
    with open_installation() as installation:
        known = known_tenant(installation, tenant)
        found = installation.entries.items(known.tenant_id)
        dates = installation.entries.overrides(known.tenant_id)
    if json_wanted:
        print_json({"items": [as_json(one) for one in found], "overrides": [as_json(one) for one in dates]})
        return
    if not found and not dates:
        console.print(
            f"Nothing recorded: `runway forecast add-item {tenant}` and `runway forecast override {tenant}` do.",
            markup=False,
        )
        return
    table = Table("Id", "Day", Column("Amount", justify="right"), "What", "Until", "By", "Reason", title="Known items")
    for one in found:
        add_row(
            table,
            one.item_id,
            str(one.day),
            money(one.amount_cents),
            one.label,
            str(one.expires_on or ""),
            one.said.author,
            one.said.reason,
        )
    if found:
        console.print(table)
    if dates:
        _show_dates(dates)


@app.command()
def documents(
    tenant: str = TENANT,
    containing: str = typer.Option("", "--containing", help="Only those whose number or name contains this."),
    json_wanted: bool = AS_JSON,
) -> None:
    """Open bills and invoices of the newest kept books, as `override` and the notes take them."""
    with open_installation() as installation:
        known = known_tenant(installation, tenant)
        found = [
            one
            for entity in ("Bill", "Invoice")
            for one in objects_in_books(installation, known.tenant_id, entity=entity).values()
            if isinstance(one, Bill | Invoice) and one.balance > 0 and containing.casefold() in _searched(one)
        ]
    found.sort(key=lambda one: (one.entity, one.due_date or one.txn_date, one.id))
    if json_wanted:
        print_json([_document_json(one) for one in found])
        return
    if not found:
        console.print(f"Nothing is open in the kept books of {tenant}" + (" with this text." if containing else "."))
        return
    table = Table("Document", "Number", "Of", "Due", Column("Open", justify="right"), "Party's id")
    for one in found:
        party = _party(one)
        name = f"{one.entity.lower()}:{one.id}"
        due = str(one.due_date or "")
        add_row(table, name, one.doc_number or "", party.name or "", due, money(cents_of(one.balance)), party.value)
    console.print(table)


def _party(found: Bill | Invoice) -> Ref:
    return found.vendor_ref if isinstance(found, Bill) else found.customer_ref


def _searched(found: Bill | Invoice) -> str:
    return f"{found.doc_number or ''} {_party(found).name or ''}".casefold()


def _document_json(found: Bill | Invoice) -> dict[str, object]:
    return {
        "document": f"{found.entity.lower()}:{found.id}",
        "number": found.doc_number,
        "party_id": _party(found).value,
        "party_name": _party(found).name,
        "due_on": found.due_date,
        "open_cents": cents_of(found.balance),
    }


def _show_dates(dates: tuple[OverrideEntry, ...]) -> None:
    table = Table("Document", "Expected", "Until", "By", "Reason", title="Days on which documents are expected")
    for one in dates:
        name = f"{one.txn_type.lower()}:{one.txn_id}"
        add_row(table, name, str(one.expected_on), str(one.expires_on or ""), one.said.author, one.said.reason)
    console.print(table)


def _parsed(document: str) -> tuple[TxnType, str]:
    kind, _, txn_id = document.partition(":")
    if kind.lower() not in _TYPES or not txn_id:
        raise EntryRefused(f"{document!r} names no document: write bill:123 or invoice:45, with the id of QuickBooks.")
    return _TYPES[kind.lower()], txn_id


def _described(installation: Installation, tenant: Tenant, *, txn_type: TxnType, txn_id: str) -> str:
    """The document as a reader knows it; `EntryRefused` if the books have none, or nothing of it is open."""
    found = object_in_books(
        installation,
        tenant.tenant_id,
        entity=txn_type,
        qbo_id=txn_id,
        where=f"`runway forecast documents {tenant.tenant_id}` shows what is open",
    )
    assert isinstance(found, Bill | Invoice)
    party = _party(found)
    name = f"{txn_type.lower()} {found.doc_number or txn_id} of {party.name or party.value}"
    if found.balance <= 0:
        raise EntryRefused(f"The {name} is settled: no payment of it is expected any more.")
    return f"{name}, {money(cents_of(found.balance))} open,"
