"""The `runway` command.

Belongs here: the tree of commands. Does not: what they do (one module each).
"""

import typer

from cli import connecting, demo, firms, friday, programs, reconciling, sync_status, tenants, webhooks

app = typer.Typer(
    no_args_is_help=True,
    help="Cash runway, Friday digests and payments for companies with books in QuickBooks Online.",
    pretty_exceptions_enable=False,
)
app.add_typer(firms.app, name="firm")
app.add_typer(tenants.app, name="tenant")
app.add_typer(sync_status.app, name="sync")
app.command("connect")(connecting.connect)
app.command("disconnect")(connecting.disconnect)
app.command("reconcile")(reconciling.reconcile_tenant)
app.command("friday")(friday.friday)
app.command("webhooks")(webhooks.webhooks)
app.command("sandbox", context_settings={"allow_extra_args": True, "ignore_unknown_options": True})(programs.sandbox)
app.command("dagster")(programs.dagster)
app.command("demo")(demo.demo)

if __name__ == "__main__":
    app()
