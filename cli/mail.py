"""`runway mail`: what is to be sent, what became of it, and what a person decides about it.

Belongs here: the commands. Does not: recipients (`cli/mail_recipients.py`), the way to unsubscribe
(`cli/unsubscribing.py`), sending (`resources/mail/sender.py`).
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
from cli.entering import AS_JSON, BY, DRY_RUN, add_row, author, print_json
from cli.mail_owners import OWNER, as_fields, known_owner
from cli.session import console, open_installation, problems
from resources.files import write_whole
from resources.installation import Installation
from resources.mail.bounces import take_in
from resources.mail.outbox_rows import OPEN_STATES, OutboxRow, RowKey
from resources.mail.recipients import Mode, mail_address
from resources.mail.sender import Drained
from resources.mail.tables import MODES, of_firm, of_tenant

app = typer.Typer(no_args_is_help=True, help="Mail: recipients, preview or live, what was sent and what became of it.")
app.add_typer(mail_recipients.app, name="recipients")
app.command("listen")(unsubscribing.listen)

_WEEK = typer.Option("", "--week", help="The Friday of the week, as 2026-11-20; default: the newest with mail.")
_KIND = typer.Option(
    "", "--kind", help="Which document; default: the weekly one. left_out is a notice to a firm about failed runs."
)
_FRIDAY = typer.Argument(help="The Friday of the week, as `runway mail status` shows it.")
_RECIPIENT = typer.Argument(help="The recipient's address.")
_FILE_NAME = re.compile(r"[^A-Za-z0-9@._+-]")


@app.command()
def mode(
    *,
    tenant: str = OWNER,
    wanted: str = typer.Argument("", help=f"{' or '.join(MODES)}; left out: say what holds."),
    by: str = BY,
    dry_run: bool = DRY_RUN,
    json_wanted: bool = AS_JSON,
) -> None:
    """Say whether the mail of a tenant or firm leaves this machine: preview (the default) or live."""
    with open_installation() as installation:
        owner = known_owner(installation, tenant).owner
        if wanted not in ("", *MODES):
            raise ValueError(f"{wanted!r} is no mode: choose {' or '.join(MODES)}.")
        if wanted == "live":
            installation.mailer.require_configured()
        recipients, waiting = installation.recipients, installation.outbox.waiting_if_live(owner)
        is_change = bool(wanted) and not dry_run
        holds = (
            recipients.set_mode(owner, cast("Mode", wanted), author=author(by)) if is_change else recipients.mode(owner)
        )
    if json_wanted:
        print_json({**as_fields(owner), **asdict(holds), "waiting": waiting, "changed": is_change})
        return
    who = "nobody has set it" if holds.author is None else f"set by {holds.author} at {holds.set_at:%Y-%m-%d %H:%M} UTC"
    console.print(f"{owner}: {holds.mode} ({who}). Mails that wait: {waiting}.", markup=False, soft_wrap=True)
    if wanted and dry_run:
        console.print(f"Would set: {wanted}. Nothing was recorded.", markup=False, soft_wrap=True)


@app.command()
def status(
    *,
    tenant: str = typer.Argument(
        "", help="The tenant, or firm:ID; left out: all firms and active tenants, their open questions."
    ),
    week: str = _WEEK,
    json_wanted: bool = AS_JSON,
) -> None:
    """What was sent, what waits, and what nobody knows."""
    with open_installation() as installation:
        if tenant:
            found = installation.outbox.rows(known_owner(installation, tenant).owner, key=week or None)
            _show_rows(installation, found, json_wanted=json_wanted, of_many=False)
        else:
            _show_fleet(installation, json_wanted=json_wanted)


@app.command()
def send(
    *,
    most: int = typer.Option(0, min=0, help="Try at most so many; 0: all that are due."),
    dry_run: bool = typer.Option(False, "--dry-run", help="Say what is due, and send nothing."),
    json_wanted: bool = AS_JSON,
) -> None:
    """Send what is due of tenants and firms that are live. Exit code 1 if the server could not be spoken to."""
    with open_installation() as installation:
        if dry_run:
            _show_rows(installation, installation.outbox.due(), json_wanted=json_wanted, of_many=True)
            return
        drained = installation.mailer.drain(most=most or None)
    if json_wanted:
        print_json({**asdict(drained), "unknown_mails": [_key_json(one) for one in drained.unknown_mails]})
    else:
        console.print(_summary(drained), markup=False, soft_wrap=True)
    for row_key in drained.unknown_mails:
        problems.print(
            f"Nobody knows whether this arrived: {row_key.kind} of {row_key.owner}, {row_key.key}, to {row_key.address} "
            f"(`{row_key.resend_command}` sends it once more)",
            markup=False,
            soft_wrap=True,
        )
    if drained.stopped_because is not None:
        problems.print(f"Stopped, the mails wait: {drained.stopped_because}", markup=False, soft_wrap=True)
        raise typer.Exit(code=1)


@app.command()
def preview(
    *,
    tenant: str = OWNER,
    week: str = _WEEK,
    to: str = typer.Option("", "--to", help="Folder to write to; default: `mail-preview` in the data folder."),
    json_wanted: bool = AS_JSON,
) -> None:
    """Write a week's mails as .eml files, as they were or would be sent; sends nothing."""
    with open_installation() as installation:
        owner = known_owner(installation, tenant).owner
        rows = installation.outbox.rows(owner, key=week or None)
        newest = [row for row in rows if row.row_key.key == rows[0].row_key.key] if rows else []
        folder = (Path(to) if to else installation.settings.mail_preview_root).absolute() / _FILE_NAME.sub(
            "_", str(owner)
        )
        files = [_write_preview(installation, row, folder=folder) for row in newest]
    if json_wanted:
        print_json([str(file) for file in files])
    elif files:
        for file in files:
            console.print(str(file), markup=False, soft_wrap=True, highlight=False)
    else:
        console.print(
            "No mail: one is queued for each recipient when the week's document is published.",
            markup=False,
            soft_wrap=True,
        )


@app.command()
def resend(
    *,
    tenant: str = OWNER,
    week: str = _FRIDAY,
    recipient: str = _RECIPIENT,
    kind: str = _KIND,
    by: str = BY,
    dry_run: bool = DRY_RUN,
    json_wanted: bool = AS_JSON,
) -> None:
    """Queue a mail once more: one that nobody knows about, that was refused or that came back."""
    with open_installation() as installation:
        row_key = _row_key(installation, tenant, week=week, recipient=recipient, kind=kind)
        if dry_run:
            installation.outbox.check_resend(row_key)
        else:
            installation.outbox.resend(row_key, author=author(by))
    what = f"{row_key.kind} of {week} for {row_key.address}"
    if json_wanted:
        print_json({"queued": not dry_run, "mail": _key_json(row_key)})
    else:
        console.print(f"{'Would be queued' if dry_run else 'Queued'} once more: {what}.", markup=False, soft_wrap=True)


@app.command()
def arrived(
    *,
    tenant: str = OWNER,
    week: str = _FRIDAY,
    recipient: str = _RECIPIENT,
    kind: str = _KIND,
    by: str = BY,
    dry_run: bool = DRY_RUN,
    json_wanted: bool = AS_JSON,
) -> None:
    """Say of a mail that nobody knows about that it did arrive, as its reader says: it is no open question any more."""
    with open_installation() as installation:
        row_key = _row_key(installation, tenant, week=week, recipient=recipient, kind=kind)
        if dry_run:
            installation.outbox.check_arrived(row_key)
        else:
            installation.outbox.arrived(row_key, author=author(by))
    what = f"{row_key.kind} of {week} reached {row_key.address}"
    if json_wanted:
        print_json({"recorded": not dry_run, "mail": _key_json(row_key)})
    elif dry_run:
        console.print(f"Would record: {what}. Nothing was recorded.", markup=False, soft_wrap=True)
    else:
        console.print(f"Recorded: {what}.", markup=False, soft_wrap=True)


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
        print_json(
            [
                {
                    **asdict(one),
                    "row_key": _key_json(one.row_key),
                    "is_hard": one.report.is_hard,
                    "recorded": not dry_run,
                }
                for one in found
            ]
        )
        return
    for one in found:
        key = one.row_key
        said = f"{key.owner!s} {key.key} {key.address}: {one.report.kind}, {one.report.reason}"
        console.print(said if one.is_new else f"{said} (known already)", markup=False, soft_wrap=True)


def _row_key(installation: Installation, tenant: str, *, week: str, recipient: str, kind: str) -> RowKey:
    """Which mail is meant, as typed."""
    known = known_owner(installation, tenant)
    return RowKey(owner=known.owner, kind=kind or known.kind, key=week, address=mail_address(recipient))


def _report(source: str) -> bytes:
    if source == "-":
        return sys.stdin.buffer.read()
    try:
        return Path(source).read_bytes()
    except OSError as error:
        raise ValueError(f"{source} cannot be read: {error.strerror}.") from error


def _show_rows(installation: Installation, rows: list[OutboxRow], *, json_wanted: bool, of_many: bool) -> None:
    """One line a mail; whose it is only where they can be of many: a terminal has little room."""
    if json_wanted:
        print_json([_row_json(installation, row) for row in rows])
        return
    if not rows:
        console.print("No mail.", markup=False, soft_wrap=True)
        return
    of = ("Of",) if of_many else ()
    table = Table(*of, "Recipient", "Week", "Document", "State", "Since (UTC)", "Tries", "Why")
    for row in rows:
        key, since = row.row_key, row.sent_at or row.begun_at or row.queued_at
        state = f"queued until {row.due_at:%a %H:%M}" if row.state == "queued" else row.state
        when = f"{since:%Y-%m-%d %H:%M}"
        owner = (str(key.owner),) if of_many else ()
        add_row(table, *owner, key.address, key.key, key.kind, state, when, str(row.attempt), row.reason)
    console.print(table)
    for row in rows:
        if row.state == "unknown":
            console.print(
                f"Nobody knows whether it arrived: `{row.row_key.resend_command}` sends it once more, "
                f"`{row.row_key.arrived_command}` says that it did.",
                markup=False,
                soft_wrap=True,
            )


def _show_fleet(installation: Installation, *, json_wanted: bool) -> None:
    found: list[dict[str, Any]] = []
    owners = [of_firm(one.firm_id) for one in installation.registry.firms()]
    owners += [of_tenant(one.tenant_id) for one in installation.registry.tenants()]
    for owner in owners:
        counts = Counter(row.state for row in installation.outbox.rows(owner))
        held = installation.recipients.mode(owner).mode
        readers = len(installation.recipients.reachable(owner))
        states = dict(sorted(counts.items()))
        found.append({**as_fields(owner), "mode": held, "recipients": readers, "states": states})
    if json_wanted:
        print_json(found)
        return
    table = Table("Of", "Mode", "Recipients", "Waiting", "Sent", "Unknown", "Failed", "Came back")
    for owner, one in zip(owners, found, strict=True):
        states = one["states"]
        waiting = states.get("queued", 0) + states.get("sending", 0)
        counted = (
            str(count) if count else "" for count in (waiting, *(states.get(x, 0) for x in ("sent", *OPEN_STATES)))
        )
        add_row(table, str(owner), one["mode"], str(one["recipients"] or "none"), *counted)
    console.print(table)


def _write_preview(installation: Installation, row: OutboxRow, *, folder: Path) -> Path:
    recipient = installation.recipients.one(row.row_key.owner, row.row_key.address)
    content = installation.outbox.content(row)
    at = row.sent_at or row.due_at
    envelope = installation.mailer.writer.write(row, recipient=recipient, content=content, at=at)
    name = _FILE_NAME.sub("_", f"{row.row_key.key}-{row.row_key.kind}-{row.row_key.address}")
    file = folder / f"{name}.eml"
    write_whole(file, envelope.message.decode("ascii").replace("\r\n", "\n"))
    return file


def _key_json(row_key: RowKey) -> dict[str, str]:
    return {**as_fields(row_key.owner), "kind": row_key.kind, "key": row_key.key, "address": row_key.address}


def _row_json(installation: Installation, row: OutboxRow) -> dict[str, Any]:
    key = _key_json(row.row_key)
    history = [{**asdict(one), "row_key": key} for one in installation.outbox.history(row.row_key)]
    return {**asdict(row), "row_key": key, "history": history}


def _summary(drained: Drained) -> str:
    unknown = drained.unknown + drained.left_unknown
    return (
        f"Sent {drained.sent}, failed {drained.failed}, waiting for another try {drained.postponed}, "
        f"unknown {unknown}, taken over from a lost sender {drained.released}."
    )
