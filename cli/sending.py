"""`runway batch run`, `review` and what follows: sending by hand, payments that wait for a person, comparing with QuickBooks.

Belongs here: commands and tables. Does not: any rule (`payments/sending/drive.py`, `review.py`, `reconcile.py`).
"""

import getpass

import typer
from rich.table import Table

from cli.entering import add_row, money, print_json
from cli.paying import AS_JSON, DRY_RUN, PERSON, TENANT, Desk, do, open_desk, plain, show_rows
from cli.session import console
from experiences.digest.wording import counted
from payments.rails.opened import Rails
from payments.sending import review
from payments.sending.drive import Driven, drive
from payments.sending.foresight import foresee
from payments.sending.machine_memory import MachineMemory
from payments.sending.rail_leg import follow_all
from payments.sending.reconcile import reconcile
from payments.sending.send_policy import SendPolicy, policy_for

_BATCH = typer.Argument(help="Id of the batch; `runway batch list` shows all.")
_PAYMENT = typer.Argument(help="Id of the payment; `runway batch review` lists those that wait for a person.")
_REASON = typer.Option(..., "--reason", help="Why, in a few words.")


def add_to(app: typer.Typer) -> None:
    """Put the commands beside those of `runway batch`."""
    for name, command in (
        ("run", run),
        ("review", show_unresolved),
        ("take", take),
        ("end", end),
        ("write-off", write_off),
        ("compare", compare),
    ):
        app.command(name)(command)


def run(*, tenant: str = TENANT, batch: str = _BATCH, dry_run: bool = DRY_RUN, json_wanted: bool = AS_JSON) -> None:
    """Send a finalized batch now, or go on with it; the daemon does it by itself. Calling it twice pays nothing twice."""
    if dry_run:
        _foresee(tenant, batch, json_wanted=json_wanted)
        return
    with open_desk(tenant) as desk:
        driven = drive(
            desk.ledger,
            desk.tenant,
            batch_id=batch,
            holder=f"command line of {getpass.getuser()}",
            open_books=desk.installation.bill_payments,
            open_rail=Rails(desk.installation).open,
            policy=_policy(desk),
            memory=_memory(desk),
        )
    if json_wanted:
        print_json(plain(driven))
        return
    console.print(_told(driven), markup=False, soft_wrap=True)


def _foresee(tenant: str, batch: str, *, json_wanted: bool) -> None:
    """What a run would do, from a look at QuickBooks and the rail."""
    with open_desk(tenant) as desk:
        found = foresee(
            desk.ledger,
            desk.tenant,
            batch_id=batch,
            open_books=desk.installation.bill_payments,
            open_rail=Rails(desk.installation).open,
            policy=_policy(desk),
        )
    if json_wanted:
        print_json(plain(found))
        return
    table = Table("Payment", "Leg", "Bills", "State", "Would be")
    table.add_column("Amount", justify="right")
    for one in found.steps:
        add_row(
            table, one.intent_id, one.leg, ", ".join(one.bill_ids), one.state, one.next_step, money(one.amount_cents)
        )
    show_rows(table, none=f"No run may take the batch: {found.outcome.replace('_', ' ')}.")
    console.print("Nothing was sent or changed.", markup=False, soft_wrap=True)


def show_unresolved(*, tenant: str = TENANT, json_wanted: bool = AS_JSON) -> None:
    """What waits for a person, with the ways out: payments and what QuickBooks has of their numbers, bills to decide once more."""
    with open_desk(tenant) as desk:
        found = review.unresolved(desk.ledger, desk.tenant, _outside(desk))
    if json_wanted:
        print_json(plain(found))
        return
    table = Table("Payment", "Bills", "Number", "What is there", "Why", "Ways out")
    table.add_column("Amount", justify="right")
    for one in found:
        cells = (
            one.intent_id or "",
            ", ".join(one.bill_ids),
            one.doc_number or "",
            ", ".join(one.records) or "nothing",
            one.reason,
            ", ".join(one.ways_out),
        )
        add_row(table, *cells, money(one.amount_cents))
    show_rows(table, none="No payment waits for a person.")


def take(
    *,
    tenant: str = TENANT,
    payment: str = _PAYMENT,
    by: str = PERSON,
    dry_run: bool = DRY_RUN,
    json_wanted: bool = AS_JSON,
) -> None:
    """Take the one record QuickBooks has of a payment as that payment.

    Where its money has moved, number and amount decide: the record may be of a bill that was entered anew, or of a merged vendor.
    """
    with open_desk(tenant, dry_run=dry_run) as desk:
        outside = _outside(desk)
        do(
            f"{by} takes payment {payment} as paid",
            lambda: review.take_as_paid(desk.ledger, desk.tenant, outside, by=by, intent_id=payment),
            dry_run=dry_run,
            json_wanted=json_wanted,
        )


def end(
    *,
    tenant: str = TENANT,
    payment: str = _PAYMENT,
    by: str = PERSON,
    reason: str = _REASON,
    dry_run: bool = DRY_RUN,
    json_wanted: bool = AS_JSON,
) -> None:
    """End a payment that QuickBooks does not have: its money is free and its bills wait for another decision."""
    with open_desk(tenant, dry_run=dry_run) as desk:
        outside = _outside(desk)
        ids = {"by": by, "intent_id": payment, "reason": reason}
        do(
            f"{by} ends payment {payment}",
            lambda: review.end_payment(desk.ledger, desk.tenant, outside, policy=_policy(desk), **ids),
            dry_run=dry_run,
            json_wanted=json_wanted,
        )


def write_off(
    *,
    tenant: str = TENANT,
    payment: str = _PAYMENT,
    by: str = PERSON,
    reason: str = _REASON,
    dry_run: bool = DRY_RUN,
    json_wanted: bool = AS_JSON,
) -> None:
    """End a payment that QuickBooks does not have, and its bills with it."""
    with open_desk(tenant, dry_run=dry_run) as desk:
        outside = _outside(desk)
        ids = {"by": by, "intent_id": payment, "reason": reason}
        do(
            f"{by} writes payment {payment} off",
            lambda: review.write_off(desk.ledger, desk.tenant, outside, policy=_policy(desk), **ids),
            dry_run=dry_run,
            json_wanted=json_wanted,
        )


def compare(*, tenant: str = TENANT, dry_run: bool = DRY_RUN, json_wanted: bool = AS_JSON) -> None:
    """Compare the payments of the last 90 days with QuickBooks: every night, and after a restore from a backup.

    What is found of a payment is taken as paid, what should not be there raises an alarm; a dry run only tells.
    """
    with open_desk(tenant, dry_run=dry_run) as desk:
        found = reconcile(desk.ledger, desk.tenant, desk.installation.bill_payments(desk.tenant))
        followed = follow_all(desk.ledger, desk.tenant, Rails(desk.installation).open)
    if json_wanted:
        print_json({"done": not dry_run, **plain(found), "money": dict(followed)})
    else:
        text = (
            f"{counted(found.compared, 'payment')} compared: "
            f"{found.doubles} twice, {found.orphans} that no payment of the ledger is, "
            f"{found.missing} gone, {found.adopted} taken as paid."
        )
        console.print(
            text if found.is_clean else f"{text} `runway ledger alarms` tells what to do.", markup=False, soft_wrap=True
        )
        if dry_run:
            console.print("Nothing was changed.", markup=False)
    if not found.is_clean:
        raise typer.Exit(code=1)


def _outside(desk: Desk) -> review.Outside:
    books = desk.installation.bill_payments(desk.tenant)
    return review.Outside(books=books, open_rail=Rails(desk.installation).open, memory=_memory(desk))


def _memory(desk: Desk) -> MachineMemory:
    return MachineMemory(folder=desk.installation.settings.machine_root, clock=desk.installation.clock)


def _policy(desk: Desk) -> SendPolicy:
    return policy_for(desk.installation.settings.qbo_environment)


def _told(driven: Driven) -> str:
    states = ", ".join(f"{count} {state.replace('_', ' ')}" for state, count in sorted(driven.states.items()))
    parts = [driven.outcome.replace("_", " ").capitalize()]
    parts += [f": {states}" if states else "", "."]
    parts += [f" It stopped early: {driven.trouble}" if driven.trouble else ""]
    parts += [f" It goes on after {driven.until:%Y-%m-%d %H:%M:%S} UTC." if driven.until else ""]
    return "".join(parts)
