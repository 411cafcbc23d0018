"""`runway batch`: what can be finalized, finalizing, and how batches stand.

Belongs here: commands and tables. Does not: any rule (`payments/sending/batches.py`), sending.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import typer
from rich.table import Table

from cli.entering import add_row, money, print_json
from cli.paying import (
    AS_JSON,
    DRY_RUN,
    KEY,
    PERSON,
    TENANT,
    Desk,
    do,
    open_desk,
    plain,
    request_key,
    show_rows,
    show_table,
)
from cli.projecting import forecast_of, show_projected
from cli.session import console
from experiences.digest.wording import counted
from payments.bills.projected_cash import of_decisions
from payments.sending.batches import Finalized, finalize_open, given_up, items_of, ready_to_finalize, verify_seal
from payments.sending.batches import finalize as seal_decisions
from payments.sending.clocks import BooksClock
from payments.sending.intents import Item
from payments.sending.promotion import DayPassed, pass_day
from payments.store.batch_tables import BATCH, INTENT
from payments.store.cash_tables import HOLD
from payments.store.repository import Look, Row

app = typer.Typer(no_args_is_help=True, help="Batches: sealed lists of payments.")

_BATCH = typer.Argument(help="Id of the batch; `runway batch list` shows all.")


@app.command()
def ready(*, tenant: str = TENANT, json_wanted: bool = AS_JSON) -> None:
    """Decisions to pay now that no batch has."""
    with open_desk(tenant) as desk, desk.look() as look:
        items = ready_to_finalize(look)
    if json_wanted:
        print_json([plain(item.decision) | {"vendor_name": item.bill["vendor_name"]} for item in items])
        return
    _show_items(items)


@app.command()
def finalize(
    *,
    tenant: str = TENANT,
    decisions: list[str] = typer.Argument(None, help="Ids of decisions; left out: all that are ready on the account."),
    account: str = typer.Option("", "--account", help="Only decisions of this account, where none are named."),
    by: str = PERSON,
    key: str = KEY,
    dry_run: bool = DRY_RUN,
    json_wanted: bool = AS_JSON,
) -> None:
    """Seal decisions of one account into a batch. With the rail `record_only` this says that the payments are being made."""
    with open_desk(tenant, dry_run=dry_run) as desk:
        with desk.look() as look:
            waiting = [one for one in ready_to_finalize(look) if not account or one.decision["account_id"] == account]
            chosen = decisions or [item.decision["decision_id"] for item in waiting]
            projected = _projected(desk, look, chosen) if dry_run and not json_wanted else None
        do(
            f"{by} finalizes {counted(len(chosen), 'payment')}",
            lambda: seal_decisions(desk.ledger, desk.tenant, by=by, decision_ids=chosen, request_key=request_key(key)),
            dry_run=dry_run,
            json_wanted=json_wanted,
            note=_sealed,
        )
        if projected is not None:
            show_projected(projected)


@app.command("finalize-due")
def finalize_due(
    *,
    tenant: str = TENANT,
    batch: str = _BATCH,
    by: str = PERSON,
    key: str = KEY,
    dry_run: bool = DRY_RUN,
    json_wanted: bool = AS_JSON,
) -> None:
    """Seal a batch of payments that came due and wait for a finalizer."""
    with open_desk(tenant, dry_run=dry_run) as desk:
        do(
            f"{by} finalizes batch {batch}",
            lambda: finalize_open(desk.ledger, desk.tenant, by=by, batch_id=batch, request_key=request_key(key)),
            dry_run=dry_run,
            json_wanted=json_wanted,
            note=_sealed,
        )


@app.command("list")
def list_batches(*, tenant: str = TENANT, json_wanted: bool = AS_JSON) -> None:
    """Batches, newest first."""
    with open_desk(tenant) as desk, desk.look() as look:
        rows = look.many(BATCH, order_by=(BATCH.c.created_at.desc(), BATCH.c.batch_id))
        empty = given_up(look)
    if json_wanted:
        print_json([plain(row) | {"is_given_up": row["batch_id"] in empty} for row in rows])
        return
    table = Table("Batch", "State", "Account", "Day", "Rail", "Finalized by")
    table.add_column("Payments", justify="right")
    table.add_column("Total", justify="right")
    for row in rows:
        cells = (
            row["batch_id"],
            "given up" if row["batch_id"] in empty else row["state"],
            row["account_id"],
            str(row["pay_on"]),
            row["rail"],
            row["finalized_by"] or "",
        )
        add_row(table, *cells, str(row["item_count"] or ""), money(row["total_cents"]))
    show_rows(table, none="No batches yet.")


@app.command()
def show(*, tenant: str = TENANT, batch: str = _BATCH, json_wanted: bool = AS_JSON) -> None:
    """A batch's payments: instructed, settled, recorded and reflected are four different things. Checks the seal."""
    with open_desk(tenant) as desk, desk.look() as look:
        row = look.one(BATCH, batch_id=batch)
        if row is None or row["state"] != "open":
            row = verify_seal(look, batch)
        items, lines = items_of(look, batch), _payments(look, row)
    if json_wanted:
        print_json({"batch": plain(row), "payments": plain(lines)})
        return
    console.print(
        f"Batch {batch}: {row['state'].replace('_', ' ')}, day {row['pay_on']}, rail {row['rail']}.", markup=False
    )
    if row["state"] == "open":
        _show_items(items)
        return
    table = Table("Bills", "Vendor", "Document", "State", "Instructed", "Settled", "Recorded", "Reflected")
    table.add_column("Amount", justify="right")
    for line in lines:
        names = ("bill_set", "vendor_id", "doc_number", "state", "instructed", "settled", "recorded", "reflected")
        add_row(table, *(_cell(line[name]) for name in names), money(line["amount_cents"]))
    show_table(table)


@app.command("pass-day")
def pass_one_day(*, tenant: str = TENANT, dry_run: bool = DRY_RUN, json_wanted: bool = AS_JSON) -> None:
    """Bring the ledger to the tenant's date: delayed bills wake, due payments are batched. A sync does it too."""
    with open_desk(tenant, dry_run=dry_run) as desk:
        do(
            "the day passes",
            lambda: pass_day(desk.ledger, desk.tenant, books_clock=BooksClock.of(desk.installation)),
            dry_run=dry_run,
            json_wanted=json_wanted,
            note=_passed,
        )


def _passed(day: DayPassed) -> str:
    if day.held_up_by:
        return f"It is held up: {day.held_up_by}. Due and waiting: {counted(day.waiting, 'payment')}."
    return (
        f"{day.woken} woken, {counted(len(day.batch_ids), 'batch', 'batches')}, {len(day.needs_review)} to review, "
        f"{day.waiting} wait for a fresh balance, {day.without_room} for room in the next day's batches."
    )


def _projected(desk: Desk, look: Look, decision_ids: Sequence[str]) -> Mapping[str, Any]:
    """What these decisions do to the week's forecast; empty without one."""
    project = forecast_of(desk)
    return {} if project is None else project(of_decisions(look, decision_ids))


def _payments(look: Look, batch: Row) -> list[Row]:
    """One line a payment: what its rail and its book entry say."""
    intents = look.many(INTENT, INTENT.c.batch_id == batch["batch_id"])
    rails = {row["bill_set"]: row for row in intents if row["leg"] == "rail"}
    holds = {row["decision_id"]: row for row in look.many(HOLD, HOLD.c.decision_id.is_not(None))}
    shown = {
        item.decision["bill_id"]: holds.get(item.decision["decision_id"]) for item in items_of(look, batch["batch_id"])
    }
    lines = []
    for intent in (row for row in intents if row["leg"] == "book"):
        rail = rails.get(intent["bill_set"])
        bills = [shown.get(bill) for bill in intent["bill_set"].split("+")]
        # Without a rail of ours the finalizer's word is the instruction; nobody tells when the money arrived.
        lines.append(
            {name: intent[name] for name in ("bill_set", "vendor_id", "doc_number", "state", "amount_cents", "reason")}
            | {
                "instructed": rail["instructed_at"] if rail else batch["finalized_at"],
                "settled": rail["settled_at"] if rail else None,
                "recorded": intent["recorded_at"],
                "reflected": all(hold is not None and hold["state"] == "reflected" for hold in bills),
            }
        )
    return lines


def _cell(value: Any) -> str:
    """A word, an instant or a yes; nothing of none."""
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M} UTC"
    return ("yes" if value else "") if isinstance(value, bool) else str(value or "")


def _show_items(items: list[Item]) -> None:
    table = Table("Decision", "Bill", "Vendor", "Account", "Decided by", "Day")
    table.add_column("Amount", justify="right")
    for item in items:
        one = item.decision
        cells = (
            one["decision_id"],
            one["bill_id"],
            item.bill["vendor_name"],
            one["account_id"],
            one["decided_by"],
            str(one["pay_on"]),
        )
        add_row(table, *cells, money(one["amount_cents"]))
    show_rows(table, none="Nothing waits for a batch.")


def _sealed(finalized: Finalized) -> str:
    return (
        f"Batch {finalized.batch_id}: {counted(finalized.item_count, 'payment')} of {money(finalized.total_cents)}, "
        f"{finalized.separation}, sealed {finalized.seal[:12]}."
    )
