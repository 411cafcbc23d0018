"""`runway mail`: what is to be sent, what became of it, and what a person decides about it.

Belongs here: the commands. Does not: recipients (`cli/mail_recipients.py`), the way to unsubscribe
(`cli/unsubscribing.py`), sending (`resources/mail.py`).
"""

import re
import sys
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any, cast

import typer
from rich.table import Table

from cli import mail_recipients, unsubscribing
from cli.entering import AS_JSON, BY, DRY_RUN, TENANT, add_row, author, known_tenant, print_json
from cli.session import console, open_installation, problems
from resources.bounces import take_in
from resources.files import write_whole
from resources.installation import Installation
from resources.mail import Drained
from resources.mail_tables import MODES
from resources.outbox_rows import OutboxRow, RowKey
from resources.recipients import Mode, mail_address
from resources.tenants import Tenant

app = typer.Typer(no_args_is_help=True, help="Mail: recipients, preview or live, what was sent and what became of it.")
app.add_typer(mail_recipients.app, name="recipients")
app.command("listen")(unsubscribing.listen)

DIGEST_KIND = "friday_digest"
_WEEK = typer.Option("", "--week", help="The Friday of the week, as 2026-11-20; default: the newest with mail.")
_KIND = typer.Option(DIGEST_KIND, "--kind", help="Which document: friday_digest, or left_out for a notice to the firm.")
#: States that wait for a person.
_OPEN = ("unknown", "failed", "bounced")
_FILE_NAME = re.compile(r"[^A-Za-z0-9@._+-]")


@app.command()
def mode(
    *,
    tenant: str = TENANT,
    wanted: str = typer.Argument("", help=f"{' or '.join(MODES)}; left out: say what holds."),
    by: str = BY,
    dry_run: bool = DRY_RUN,
    json_wanted: bool = AS_JSON,
) -> None:
    """Say whether a tenant's mail leaves this machine: preview (the default) or live."""
    with open_installation() as installation:
        known = known_tenant(installation, tenant)
        if wanted not in ("", *MODES):
            raise ValueError(f"{wanted!r} is no mode: choose {' or '.join(MODES)}.")
        if wanted == "live":
            installation.mailer.require_configured()
        recipients, waiting = installation.recipients, installation.outbox.waiting_if_live(known)
        is_change = bool(wanted) and not dry_run
        holds = (
            recipients.set_mode(known, cast("Mode", wanted), author=author(by))
            if is_change
            else recipients.mode(known.tenant_id)
        )
    if json_wanted:
        print_json({"tenant_id": known.tenant_id, **asdict(holds), "waiting": waiting, "changed": is_change})
        return
    who = "nobody has set it" if holds.author is None else f"set by {holds.author} at {holds.set_at:%Y-%m-%d %H:%M} UTC"
    console.print(f"{known.tenant_id}: {holds.mode} ({who}). Mails that wait: {waiting}.", markup=False, soft_wrap=True)
    if wanted and dry_run:
        console.print(f"Would set: {wanted}. Nothing was recorded.", markup=False, soft_wrap=True)


@app.command()
def status(
    *,
    tenant: str = typer.Argument("", help="The tenant; left out: all active tenants, their open questions."),
    week: str = _WEEK,
    json_wanted: bool = AS_JSON,
) -> None:
    """What was sent, what waits, and what nobody knows."""
    with open_installation() as installation:
        if tenant:
            known = known_tenant(installation, tenant)
            found = installation.outbox.rows(known.tenant_id, key=week or None)
            _show_rows(installation, found, json_wanted=json_wanted)
        else:
            _show_fleet(installation, json_wanted=json_wanted)


@app.command()
def send(
    *,
    most: int = typer.Option(0, min=0, help="Try at most so many; 0: all that are due."),
    dry_run: bool = typer.Option(False, "--dry-run", help="Say what is due, and send nothing."),
    json_wanted: bool = AS_JSON,
) -> None:
    """Send what is due of tenants that are live. Exit code 1 if the server could not be spoken to."""
    with open_installation() as installation:
        if dry_run:
            _show_rows(installation, installation.outbox.due(), json_wanted=json_wanted)
            return
        drained = installation.mailer.drain(most=most or None)
    if json_wanted:
        print_json(asdict(drained))
    else:
        console.print(_summary(drained), markup=False, soft_wrap=True)
    for mail in drained.unknown_mails:
        problems.print(
            f"Nobody knows whether this arrived: {mail} (`runway mail resend {mail}`)", markup=False, soft_wrap=True
        )
    if drained.stopped_because is not None:
        problems.print(f"Stopped, the mails wait: {drained.stopped_because}", markup=False, soft_wrap=True)
        raise typer.Exit(code=1)


@app.command()
def preview(
    *,
    tenant: str = TENANT,
    week: str = _WEEK,
    to: str = typer.Option("", "--to", help="Folder to write to; default: `mail-preview` in the data folder."),
    json_wanted: bool = AS_JSON,
) -> None:
    """Write a week's mails as .eml files, as they were or would be sent; sends nothing."""
    with open_installation() as installation:
        known = known_tenant(installation, tenant)
        rows = installation.outbox.rows(known.tenant_id, key=week or None)
        newest = [row for row in rows if row.row_key.key == rows[0].row_key.key] if rows else []
        folder = (Path(to) if to else installation.settings.mail_preview_root).absolute() / known.tenant_id
        files = [_write_preview(installation, known, row, folder=folder) for row in newest]
    if json_wanted:
        print_json([str(file) for file in files])
    elif files:
        for file in files:
            console.print(str(file), markup=False, soft_wrap=True, highlight=False)
    else:
        console.print(
            "No mail: one is queued for each recipient when a digest is published.", markup=False, soft_wrap=True
        )


@app.command()
def resend(
    *,
    tenant: str = TENANT,
    week: str = typer.Argument(help="The Friday of the week, as `runway mail status` shows it."),
    recipient: str = typer.Argument(help="The recipient's address."),
    kind: str = _KIND,
    by: str = BY,
    dry_run: bool = DRY_RUN,
    json_wanted: bool = AS_JSON,
) -> None:
    """Queue a mail once more: one that nobody knows about, that was refused or that came back."""
    with open_installation() as installation:
        known = known_tenant(installation, tenant)
        row_key = RowKey(tenant_id=known.tenant_id, kind=kind, key=week, address=mail_address(recipient))
        if dry_run:
            installation.outbox.check_resend(row_key)
        else:
            installation.outbox.resend(row_key, author=author(by))
    what = f"{kind} of {week} for {row_key.address}"
    if json_wanted:
        print_json({"queued": not dry_run, "mail": asdict(row_key)})
    else:
        console.print(f"{'Would be queued' if dry_run else 'Queued'} once more: {what}.", markup=False, soft_wrap=True)


@app.command()
def bounce(
    *,
    report: str = typer.Argument("-", help="File with the report as it was received; - reads standard input."),
    dry_run: bool = DRY_RUN,
    json_wanted: bool = AS_JSON,
) -> None:
    """Take in a delivery report (RFC 3464): the mail is shown as come back, an address that does not exist gets no more."""
    with open_installation() as installation:
        raw = _report(report)
        found = take_in(raw, outbox=installation.outbox, is_dry_run=dry_run)
    if json_wanted:
        print_json([{**asdict(one), "is_hard": one.report.is_hard, "recorded": not dry_run} for one in found])
        return
    for one in found:
        key = one.row_key
        said = f"{key.tenant_id} {key.key} {key.address}: {one.report.kind}, {one.report.reason}"
        console.print(said if one.is_new else f"{said} (known already)", markup=False, soft_wrap=True)


def _report(source: str) -> bytes:
    if source == "-":
        return sys.stdin.buffer.read()
    try:
        return Path(source).read_bytes()
    except OSError as error:
        raise ValueError(f"{source} cannot be read: {error.strerror}.") from error


def _show_rows(installation: Installation, rows: list[OutboxRow], *, json_wanted: bool) -> None:
    if json_wanted:
        print_json(
            [
                {**asdict(row), "history": [asdict(one) for one in installation.outbox.history(row.row_key)]}
                for row in rows
            ]
        )
        return
    if not rows:
        console.print("No mail.", markup=False, soft_wrap=True)
        return
    table = Table("Tenant", "Week", "Document", "Recipient", "State", "Since (UTC)", "Attempts", "Why")
    for row in rows:
        key, since = row.row_key, row.sent_at or row.begun_at or row.queued_at
        state = f"queued until {row.due_at:%a %H:%M}" if row.state == "queued" else row.state
        when = f"{since:%Y-%m-%d %H:%M}"
        add_row(table, key.tenant_id, key.key, key.kind, key.address, state, when, str(row.attempt), row.reason)
    console.print(table)
    for row in rows:
        if row.state == "unknown":
            key = row.row_key
            console.print(
                f"Nobody knows whether it arrived: `runway mail resend {key.tenant_id} {key.key} {key.address} "
                f"--kind {key.kind}` sends it once more.",
                markup=False,
                soft_wrap=True,
            )


def _show_fleet(installation: Installation, *, json_wanted: bool) -> None:
    found: list[dict[str, Any]] = []
    for tenant in installation.registry.tenants():
        rows = installation.outbox.rows(tenant.tenant_id)
        counts = Counter(row.state for row in rows)
        held = installation.recipients.mode(tenant.tenant_id).mode
        found.append({"tenant_id": tenant.tenant_id, "mode": held, "states": dict(sorted(counts.items()))})
    if json_wanted:
        print_json(found)
        return
    table = Table("Tenant", "Mode", "Waiting", "Sent", "Unknown", "Failed", "Came back")
    for one in found:
        states = one["states"]
        waiting = states.get("queued", 0) + states.get("sending", 0)
        counted = (str(count) if count else "" for count in (waiting, *(states.get(x, 0) for x in ("sent", *_OPEN))))
        add_row(table, one["tenant_id"], one["mode"], *counted)
    console.print(table)


def _write_preview(installation: Installation, tenant: Tenant, row: OutboxRow, *, folder: Path) -> Path:
    recipient = installation.recipients.one(tenant.tenant_id, row.row_key.address)
    content = installation.outbox.content(row)
    at = row.sent_at or row.due_at
    envelope = installation.mailer.writer.write(row, recipient=recipient, content=content, at=at)
    name = _FILE_NAME.sub("_", f"{row.row_key.key}-{row.row_key.kind}-{row.row_key.address}")
    file = folder / f"{name}.eml"
    write_whole(file, envelope.message.decode("ascii").replace("\r\n", "\n"))
    return file


def _summary(drained: Drained) -> str:
    unknown = drained.unknown + drained.left_unknown
    return (
        f"Sent {drained.sent}, failed {drained.failed}, waiting for another try {drained.postponed}, "
        f"unknown {unknown}, taken over from a lost sender {drained.released}."
    )
