"""`runway bills`: the bills on their way, approving, staging, taking out.

Belongs here: commands and tables. Does not: any rule (`payments/`), deciding (`cli/decide.py`).
"""

from collections.abc import Callable
from typing import Any

import typer
from rich.table import Table

from cli.entering import add_row, money, print_json
from cli.paying import (
    ACCOUNT,
    AMOUNT,
    AS_JSON,
    BILL,
    DRY_RUN,
    KEY,
    PERSON,
    TENANT,
    amount,
    carry_out,
    do,
    open_desk,
    plain,
    request_key,
    show_table,
)
from cli.session import console
from payments.bills.approvals import SHOWN_OF_FINGERPRINT, withdraw_approval
from payments.bills.approvals import approve as give_approval
from payments.bills.decisions import stage as propose
from payments.bills.decisions import unstage as take_back
from payments.bills.discovery import reopen as begin_again
from payments.bills.postponing import withdraw as take_out
from payments.controls.policies import in_force, missing_approvals
from payments.errors import UnknownHere
from payments.store.audit import story
from payments.store.bill_tables import APPROVAL, BILL_WORKFLOW, DECISION
from payments.store.cash_tables import HOLD

app = typer.Typer(no_args_is_help=True, help="Bills: from open to approved and staged.")


@app.command("list")
def list_bills(
    *,
    tenant: str = TENANT,
    state: list[str] = typer.Option(
        [], "--state", help="Only these states, for example awaiting_approval; repeatable."
    ),
    everything: bool = typer.Option(False, "--all", help="Ended ones too: paid, superseded, withdrawn."),
    json_wanted: bool = AS_JSON,
) -> None:
    """Bills in the workflow, by due date, and what each still lacks."""
    with open_desk(tenant) as desk, desk.look() as look:
        policy = in_force(look)
        rows = [
            row
            for row in look.many(BILL_WORKFLOW)
            if (everything or row["ended_at"] is None) and (not state or row["state"] in state)
        ]
        rows.sort(key=lambda row: (row["due_date"] is None, row["due_date"], row["bill_id"], row["cycle"]))
        lacking = {
            row["bill_id"]: missing_approvals(look, row, amount_cents=row["open_cents"], policy=policy)
            for row in rows
            if row["state"] == "awaiting_approval"
        }
    if json_wanted:
        print_json([plain(row) | {"lacks": lacking.get(row["bill_id"], [])} for row in rows])
        return
    if not rows:
        console.print("No bills here: they come with the next sync of the books.")
        return
    table = Table("Bill", "Vendor", "Number", "Due", "State", "Remark")
    table.add_column("Open", justify="right")
    for row in rows:
        remark = (
            row["reason"]
            or "; ".join(lacking.get(row["bill_id"], []))
            or (f"until {row['wake_on']}" if row["wake_on"] else "")
        )
        cells = (
            row["bill_id"],
            row["vendor_name"],
            row["doc_number"],
            str(row["due_date"] or ""),
            row["state"],
            remark,
        )
        add_row(table, *cells, money(row["open_cents"]))
    show_table(table)


@app.command()
def show(*, tenant: str = TENANT, bill: str = BILL, json_wanted: bool = AS_JSON) -> None:
    """Everything about one bill: content, approvals, decisions, holds, and its story."""
    with open_desk(tenant) as desk, desk.look() as look:
        newest = look.newest(BILL_WORKFLOW, by="cycle", bill_id=bill)
        if newest is None:
            raise UnknownHere(what=f"There is no bill {bill!r}.", next_step="`runway bills list --all` shows all.")
        parts = {
            "approvals": look.many(APPROVAL, APPROVAL.c.bill_id == bill),
            "decisions": look.many(DECISION, DECISION.c.bill_id == bill, order_by=(DECISION.c.number,)),
            "holds": look.many(HOLD, HOLD.c.bill_id == bill, order_by=(HOLD.c.created_at,)),
        }
        told = story(look, entity=f"bill_workflow/{bill}/{newest['cycle']}")
    if json_wanted:
        acts = [{"at": row["at"], "actor": row["actor"], "kind": row["kind"]} for row in told]
        print_json({"bill": plain(newest), **{name: plain(rows) for name, rows in parts.items()}, "story": acts})
        return
    console.print(
        f"Bill {bill} of {newest['vendor_name']}: {money(newest['open_cents'])} of {money(newest['total_cents'])} "
        f"{newest['currency']} open, due {newest['due_date'] or 'on no day'}, {newest['state'].replace('_', ' ')}.",
        markup=False,
    )
    console.print(f"Fingerprint: {newest['fingerprint'][:SHOWN_OF_FINGERPRINT]}", markup=False, highlight=False)
    table = Table("What", "Who", "When (UTC)", "Amount", "State")
    for one in parts["approvals"]:
        state = one["void_because"] or "stands"
        add_row(
            table,
            "approval",
            one["approved_by"],
            f"{one['approved_at']:%Y-%m-%d %H:%M}",
            money(one["amount_cents"]),
            state,
        )
    for one in parts["decisions"]:
        day = one["pay_on"] or one["wake_on"]
        state = f"{one['ruling'].replace('_', ' ')} {day}, {one['separation']}"
        add_row(
            table,
            "decision",
            one["decided_by"],
            f"{one['decided_at']:%Y-%m-%d %H:%M}",
            money(one["amount_cents"]),
            state,
        )
    for one in parts["holds"]:
        state = one["state"] + (f": {one['void_because']}" if one["void_because"] else "")
        add_row(
            table, "hold", one["created_by"], f"{one['created_at']:%Y-%m-%d %H:%M}", money(one["amount_cents"]), state
        )
    show_table(table)
    for row in told:
        console.print(f"{row['at']:%Y-%m-%d %H:%M}  {row['kind']} by {row['actor']}", markup=False, soft_wrap=True)


@app.command()
def approve(
    *,
    tenant: str = TENANT,
    bill: str = BILL,
    seen: str = typer.Option(
        "",
        "--seen",
        help="The fingerprint that `runway bills show` told, or how it begins: refused if it is another by now.",
    ),
    by: str = PERSON,
    key: str = KEY,
    dry_run: bool = DRY_RUN,
    json_wanted: bool = AS_JSON,
) -> None:
    """Say that a bill is owed as it is. Sets no money aside."""
    with open_desk(tenant, dry_run=dry_run) as desk:
        with desk.look() as look:
            read = look.newest(BILL_WORKFLOW, by="cycle", bill_id=bill)
        named = "" if read is None else f" of {read['vendor_name']}, {money(read['open_cents'])} open"
        # What is named is what is approved, also if a sync changes the bill at this very moment.
        content = seen or (None if read is None else read["fingerprint"])
        do(
            f"{by} approves bill {bill}{named}",
            lambda: give_approval(
                desk.ledger, desk.tenant, by=by, bill_id=bill, request_key=request_key(key), seen_fingerprint=content
            ),
            dry_run=dry_run,
            json_wanted=json_wanted,
            note=lambda missing: f"It still lacks: {'; '.join(missing)}." if missing else "It is approved.",
        )


@app.command("withdraw-approval")
def withdraw_one_approval(
    *, tenant: str = TENANT, bill: str = BILL, by: str = PERSON, dry_run: bool = DRY_RUN, json_wanted: bool = AS_JSON
) -> None:
    """Take one's own approval back, while nothing is decided."""
    what = f"{by} takes the approval of bill {bill} back"
    _simply(tenant, what, withdraw_approval, bill=bill, by=by, dry_run=dry_run, json_wanted=json_wanted)


@app.command()
def stage(
    *,
    tenant: str = TENANT,
    bill: str = BILL,
    account: str = ACCOUNT,
    amount_text: str = AMOUNT,
    by: str = PERSON,
    key: str = KEY,
    dry_run: bool = DRY_RUN,
    json_wanted: bool = AS_JSON,
) -> None:
    """Propose an approved bill for payment: visible, blocks nobody, expires."""
    carry_out(
        tenant,
        f"{by} stages bill {bill} from account {account}",
        propose,
        lambda: {
            "by": by,
            "bill_id": bill,
            "account_id": account,
            "amount_cents": amount(amount_text),
            "request_key": request_key(key),
        },
        dry_run=dry_run,
        json_wanted=json_wanted,
        note=lambda left: f"With every proposal on the account decided, {money(left)} would be free.",
    )


@app.command()
def unstage(
    *, tenant: str = TENANT, bill: str = BILL, by: str = PERSON, dry_run: bool = DRY_RUN, json_wanted: bool = AS_JSON
) -> None:
    """Take a proposal back; the bill stays approved."""
    what = f"{by} takes the proposal of bill {bill} back"
    _simply(tenant, what, take_back, bill=bill, by=by, dry_run=dry_run, json_wanted=json_wanted)


@app.command()
def withdraw(
    *,
    tenant: str = TENANT,
    bill: str = BILL,
    reason: str = typer.Option(..., help="Why it will not be paid from here."),
    by: str = PERSON,
    key: str = KEY,
    dry_run: bool = DRY_RUN,
    json_wanted: bool = AS_JSON,
) -> None:
    """Take a bill out of the workflow; its money is released."""
    carry_out(
        tenant,
        f"{by} withdraws bill {bill}",
        take_out,
        lambda: {"by": by, "bill_id": bill, "reason": reason, "request_key": request_key(key)},
        dry_run=dry_run,
        json_wanted=json_wanted,
    )


@app.command()
def reopen(
    *, tenant: str = TENANT, bill: str = BILL, by: str = PERSON, dry_run: bool = DRY_RUN, json_wanted: bool = AS_JSON
) -> None:
    """Take a withdrawn bill back into the workflow."""
    what = f"{by} reopens bill {bill}"
    _simply(tenant, what, begin_again, bill=bill, by=by, dry_run=dry_run, json_wanted=json_wanted)


def _simply(
    tenant: str, what: str, verb: Callable[..., Any], *, bill: str, by: str, dry_run: bool, json_wanted: bool
) -> None:
    """A verb that needs a bill and a person and nothing else."""
    carry_out(tenant, what, verb, lambda: {"by": by, "bill_id": bill}, dry_run=dry_run, json_wanted=json_wanted)
