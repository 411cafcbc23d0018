"""`runway batch file`, `uploaded`, `discard-file`: payment files for the bank.

Belongs here: commands, the file on disk for its owner alone. Does not: any rule (`payments/sending/bank_files.py`), the layout.
"""

import os
from pathlib import Path

import typer

from cli.entering import money, print_json
from cli.paying import AS_JSON, DRY_RUN, PERSON, TENANT, do, open_desk
from cli.session import console
from experiences.digest.wording import counted
from payments.errors import BadRequest, WrongState
from payments.rails.nacha_file import Originator
from payments.sending.bank_files import PaymentFile, confirm_upload, discard_file, make_file
from resources.files import write_whole

_BATCH = typer.Argument(help="Id of the batch; `runway batch list` shows all.")
_ROUTING = typer.Option(
    ..., "--bank-routing", envvar="RUNWAY_ACH_BANK_ROUTING", help="Nine digits of the company's bank."
)
_BANK = typer.Option(..., "--bank-name", envvar="RUNWAY_ACH_BANK_NAME", help="Name of the company's bank.")
_COMPANY_ID = typer.Option(
    ..., "--company-id", envvar="RUNWAY_ACH_COMPANY_ID", help="The id the bank gave the company."
)
_COMPANY = typer.Option(..., "--company-name", envvar="RUNWAY_ACH_COMPANY_NAME", help="The company's name at its bank.")
_REASON = typer.Option(..., "--reason", help="Why, in a few words.")


def add_to(app: typer.Typer) -> None:
    """Put the commands beside those of `runway batch`."""
    app.command("file")(file)
    app.command("uploaded")(uploaded)
    app.command("discard-file")(discard)


def file(
    *,
    tenant: str = TENANT,
    batch: str = _BATCH,
    to: Path = typer.Option(..., "--to", help="Folder that the file is written to; it holds bank details."),
    bank_routing: str = _ROUTING,
    bank_name: str = _BANK,
    company_id: str = _COMPANY_ID,
    company_name: str = _COMPANY,
    by: str = PERSON,
    dry_run: bool = DRY_RUN,
    json_wanted: bool = AS_JSON,
) -> None:
    """Make the ACH file of a batch. From then on its payments count as possibly paid, until the person says what became of it."""
    originator = Originator(
        bank_routing=bank_routing, bank_name=bank_name, company_id=company_id, company_name=company_name
    )
    with open_desk(tenant, dry_run=dry_run) as desk:
        _refuse_unwritable(to)
        made: PaymentFile = make_file(
            desk.ledger,
            desk.tenant,
            by=by,
            batch_id=batch,
            originator=originator,
            books=desk.installation.bill_payments(desk.tenant),
            vault=desk.installation.vault,
        )
        path = to / made.name
        if not dry_run:
            _write(path, made)
    if json_wanted:
        # Without its text: bank details are in the file only.
        told = {name: getattr(made, name) for name in ("name", "payments", "total_cents", "was_made")}
        print_json({"done": not dry_run, "path": str(path), **told})
        return
    again = " It is the file that was made before." if made.was_made else ""
    told_path = f"Would be written: {path}" if dry_run else str(path)
    console.print(
        f"{told_path}: {counted(made.payments, 'payment')} of {money(made.total_cents)}.{again}",
        markup=False,
        soft_wrap=True,
    )
    follows = f"After the upload: runway batch uploaded {tenant} {batch}. Then delete the file."
    console.print("Nothing was changed." if dry_run else follows, markup=False, soft_wrap=True)


def _refuse_unwritable(folder: Path) -> None:
    """Before the payments count as sent, `BadRequest` if their file would have no place to go; nothing is made to find out."""
    nearest = next(one for one in (folder.absolute(), *folder.absolute().parents) if os.path.lexists(one))
    if not nearest.is_dir() or not os.access(nearest, os.W_OK | os.X_OK):
        raise BadRequest(
            what=f"Nothing can be written to {folder}.",
            next_step="Name another folder with --to; no payment file was made.",
        )


def _write(path: Path, made: PaymentFile) -> None:
    """The file in place, or a refusal that says how to come by it: what was made is made, whatever becomes of the disk."""
    try:
        write_whole(path, made.text)
    except OSError as error:
        raise WrongState(
            what=f"The payment file was made and its payments count as sent, but it cannot be written to {path}: {error.strerror}.",
            next_step="The ledger keeps it: the same command, with another --to if need be, writes the same file.",
        ) from error


def uploaded(
    *,
    tenant: str = TENANT,
    batch: str = _BATCH,
    bank_routing: str = _ROUTING,
    by: str = PERSON,
    dry_run: bool = DRY_RUN,
    json_wanted: bool = AS_JSON,
) -> None:
    """Say that the bank has taken the file: its payments are instructed and go into the books."""
    with open_desk(tenant, dry_run=dry_run) as desk:
        do(
            f"{by} uploaded the file of batch {batch}",
            lambda: confirm_upload(desk.ledger, desk.tenant, by=by, batch_id=batch, bank_routing=bank_routing),
            dry_run=dry_run,
            json_wanted=json_wanted,
            note=lambda count: f"Instructed: {counted(count, 'payment')}.",
        )


def discard(
    *,
    tenant: str = TENANT,
    batch: str = _BATCH,
    reason: str = _REASON,
    by: str = PERSON,
    dry_run: bool = DRY_RUN,
    json_wanted: bool = AS_JSON,
) -> None:
    """Say that the file never went to the bank and will not: another one can be made."""
    with open_desk(tenant, dry_run=dry_run) as desk:
        do(
            f"{by} threw the file of batch {batch} away",
            lambda: discard_file(desk.ledger, desk.tenant, by=by, batch_id=batch, reason=reason),
            dry_run=dry_run,
            json_wanted=json_wanted,
            note=lambda count: f"Waiting for another file: {counted(count, 'payment')}.",
        )
