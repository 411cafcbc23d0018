"""The `runway` command.

Belongs here: the tree of commands. Does not: what they do (one module each).
"""

import typer

from cli import (
    bank_files,
    batch,
    bills,
    connecting,
    customers,
    decide,
    demo,
    drives,
    firms,
    forecast_entries,
    friday,
    keys,
    ledger,
    mail,
    pages,
    programs,
    reconciling,
    reserve_money,
    reserve_targets,
    sending,
    sync_status,
    tenants,
    tray,
    vendors,
    webhooks,
)

app = typer.Typer(
    no_args_is_help=True,
    help="Cash runway, Friday digests and payments for companies with books in QuickBooks Online.",
    pretty_exceptions_enable=False,
)
app.add_typer(firms.app, name="firm")
app.add_typer(tenants.app, name="tenant")
app.add_typer(sync_status.app, name="sync")
app.add_typer(forecast_entries.app, name="forecast")
app.add_typer(vendors.app, name="vendors")
app.add_typer(customers.app, name="customers")
app.add_typer(tray.app, name="tray")
app.add_typer(reserve_targets.app, name="reserves")
reserve_money.add_to(reserve_targets.app)
sending.add_to(batch.app)
bank_files.add_to(batch.app)
app.add_typer(bills.app, name="bills")
app.add_typer(decide.app, name="decide")
app.add_typer(batch.app, name="batch")
app.add_typer(ledger.app, name="ledger")
app.add_typer(keys.app, name="keys")
app.add_typer(mail.app, name="mail")
app.command("connect")(connecting.connect)
app.command("disconnect")(connecting.disconnect)
app.command("reconcile")(reconciling.reconcile_tenant)
app.command("friday")(friday.friday)
app.command("test-drive")(drives.drive)
app.command("open")(pages.open_pages)
app.command("webhooks")(webhooks.webhooks)
app.command(
    "sandbox", add_help_option=False, context_settings={"allow_extra_args": True, "ignore_unknown_options": True}
)(programs.sandbox)
app.command("dagster")(programs.dagster)
app.command("demo")(demo.demo)

if __name__ == "__main__":
    app()
