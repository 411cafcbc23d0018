"""`runway reserves`, the money of it: cash accounts, what is free, opening, allocating, releasing.

Belongs here: commands and tables. Does not: targets (`cli/reserve_targets.py`), any rule (`payments/`).
"""

import typer
from rich.table import Table

from cli.entering import add_row, money, parse_optional_day, print_json
from cli.paying import (
    ACCOUNT,
    AS_JSON,
    DRY_RUN,
    KEY,
    PERSON,
    TENANT,
    amount,
    do,
    needed_amount,
    open_desk,
    plain,
    request_key,
    show_rows,
)
from cli.session import console
from payments.cash.free_cash import all_free_cash, enter_bank_balance, holders, set_floor
from payments.cash.free_cash import resolve_shortfall as resolve
from payments.cash.reserves import allocate as put_in
from payments.cash.reserves import close as close_reserve
from payments.cash.reserves import open_reserve, reserves, set_target
from payments.cash.reserves import release as take_out
from resources.entry_tables import RESERVE_KINDS

_RESERVE = typer.Argument(help="Id of the reserve; `runway reserves held` lists them.")
_SUM = typer.Option(..., "--amount", help="As 1250.00.")
_WHY = typer.Option(..., "--reason", help="Why; shown beside the movement.")


def cash(*, tenant: str = TENANT, json_wanted: bool = AS_JSON) -> None:
    """Each cash account: what is there, what holds it, what is free."""
    with open_desk(tenant) as desk, desk.look() as look:
        found = all_free_cash(look)
        held = {one.account_id: holders(look, one.account_id) for one in found}
    if json_wanted:
        print_json([plain(one) | {"held_by": held[one.account_id]} for one in found])
        return
    table = Table("Account", "Read (UTC)")
    for name in ("There", "Floor", "Reserved", "Decided", "Paid, not shown", "Free", "Proposed"):
        table.add_column(name, justify="right")
    table.add_column("Remark")
    for one in found:
        sums = (
            one.basis_cents,
            one.floor_cents,
            one.reserved_cents,
            one.pending_cents,
            one.posted_cents,
            one.free_cents,
            one.soft_cents,
        )
        remark = "in shortfall" if one.in_shortfall else "" if one.is_cash else "no cash account any more"
        add_row(
            table, f"{one.name} ({one.account_id})", f"{one.read_started_at:%Y-%m-%d %H:%M}", *map(money, sums), remark
        )
    show_rows(table, none="No cash accounts yet: they come with the next sync of the books.")
    for account, rows in held.items():
        for row in rows:
            console.print(
                f"{account}: {row['what']} {row['which']} {money(row['amount_cents'])}", markup=False, soft_wrap=True
            )


def held(*, tenant: str = TENANT, json_wanted: bool = AS_JSON) -> None:
    """Reserves with what is in them and what payments have drawn."""
    with open_desk(tenant) as desk, desk.look() as look:
        found = reserves(look)
    if json_wanted:
        print_json([plain(one) | {"utilisation": one.utilisation, "missing_cents": one.missing_cents} for one in found])
        return
    table = Table("Reserve", "Kind", "Name", "Account", "Open")
    for name in ("Holds", "Target", "Committed", "Used", "Utilisation"):
        table.add_column(name, justify="right")
    for one in found:
        used = "" if one.utilisation is None else f"{one.utilisation:.0%}"
        sums = map(money, (one.held_cents, one.target_cents, one.committed_cents, one.used_cents))
        add_row(table, one.reserve_id, one.kind, one.name, one.account_id, "yes" if one.is_open else "no", *sums, used)
    show_rows(table, none="No reserves yet: `runway reserves open` opens one.")


def open_one(
    *,
    tenant: str = TENANT,
    kind: str = typer.Option(..., help=f"What it is for: {', '.join(RESERVE_KINDS)}."),
    name: str = typer.Option(..., help="What people call it."),
    account: str = ACCOUNT,
    target: str = typer.Option("", "--target", help="What it is meant to reach, as 9000.00."),
    until: str = typer.Option("", "--until", help="By when, as 2026-12-15."),
    vendor: list[str] = typer.Option(
        [], "--vendor", help="Payments to this vendor draw on it by themselves; repeatable."
    ),
    by: str = PERSON,
    dry_run: bool = DRY_RUN,
    json_wanted: bool = AS_JSON,
) -> None:
    """Open an empty reserve on a cash account."""
    with open_desk(tenant, dry_run=dry_run) as desk:
        do(
            f"{by} opens the {kind} reserve {name!r} on account {account}",
            lambda: open_reserve(
                desk.ledger,
                desk.tenant,
                by=by,
                kind=kind,
                name=name,
                account_id=account,
                target_cents=amount(target, option="--target"),
                target_on=parse_optional_day(until, option="--until"),
                vendor_ids=vendor,
            ),
            dry_run=dry_run,
            json_wanted=json_wanted,
            note=lambda reserve: f"Its id is {reserve}.",
        )


def allocate(
    *,
    tenant: str = TENANT,
    reserve: str = _RESERVE,
    amount_text: str = _SUM,
    reason: str = _WHY,
    by: str = PERSON,
    key: str = KEY,
    dry_run: bool = DRY_RUN,
    json_wanted: bool = AS_JSON,
) -> None:
    """Put free cash into a reserve."""
    with open_desk(tenant, dry_run=dry_run) as desk:
        wanted = {"by": by, "reserve_id": reserve, "reason": reason, "request_key": request_key(key)}
        do(
            f"{by} puts {amount_text} into reserve {reserve}",
            lambda: put_in(desk.ledger, desk.tenant, amount_cents=needed_amount(amount_text), **wanted),
            dry_run=dry_run,
            json_wanted=json_wanted,
            note=lambda cents: f"It holds {money(cents)}.",
        )


def release(
    *,
    tenant: str = TENANT,
    reserve: str = _RESERVE,
    amount_text: str = _SUM,
    reason: str = _WHY,
    by: str = PERSON,
    key: str = KEY,
    dry_run: bool = DRY_RUN,
    json_wanted: bool = AS_JSON,
) -> None:
    """Take money out of a reserve."""
    with open_desk(tenant, dry_run=dry_run) as desk:
        wanted = {"by": by, "reserve_id": reserve, "reason": reason, "request_key": request_key(key)}
        do(
            f"{by} takes {amount_text} out of reserve {reserve}",
            lambda: take_out(desk.ledger, desk.tenant, amount_cents=needed_amount(amount_text), **wanted),
            dry_run=dry_run,
            json_wanted=json_wanted,
            note=lambda cents: f"It holds {money(cents)}.",
        )


def retarget(
    *,
    tenant: str = TENANT,
    reserve: str = _RESERVE,
    amount_text: str = typer.Option("", "--amount", help="As 9000.00; left out: it has no target any more."),
    until: str = typer.Option("", "--until", help="By when, as 2026-12-15."),
    by: str = PERSON,
    dry_run: bool = DRY_RUN,
    json_wanted: bool = AS_JSON,
) -> None:
    """Change what an open reserve is meant to reach; `runway reserves set` of the same id outweighs it in the plan."""
    with open_desk(tenant, dry_run=dry_run) as desk:
        cents, day = amount(amount_text), parse_optional_day(until, option="--until")
        do(
            f"{by} lets reserve {reserve} reach {amount_text or 'nothing in particular'}"
            + (f" by {until}" if until else ""),
            lambda: set_target(desk.ledger, desk.tenant, by=by, reserve_id=reserve, target_cents=cents, target_on=day),
            dry_run=dry_run,
            json_wanted=json_wanted,
        )


def close(
    *,
    tenant: str = TENANT,
    reserve: str = _RESERVE,
    by: str = PERSON,
    dry_run: bool = DRY_RUN,
    json_wanted: bool = AS_JSON,
) -> None:
    """Close an empty reserve."""
    with open_desk(tenant, dry_run=dry_run) as desk:
        do(
            f"{by} closes reserve {reserve}",
            lambda: close_reserve(desk.ledger, desk.tenant, by=by, reserve_id=reserve),
            dry_run=dry_run,
            json_wanted=json_wanted,
        )


def floor(
    *,
    tenant: str = TENANT,
    account: str = ACCOUNT,
    amount_text: str = _SUM,
    next_payroll: bool = typer.Option(
        False, "--next-payroll", help="The amount is the next payroll: payroll reserves count towards it."
    ),
    by: str = PERSON,
    dry_run: bool = DRY_RUN,
    json_wanted: bool = AS_JSON,
) -> None:
    """Set what has to stay on an account."""
    with open_desk(tenant, dry_run=dry_run) as desk:
        kind = "next_payroll" if next_payroll else "amount"
        cents = needed_amount(amount_text)
        do(
            f"{by} sets the floor of account {account} to {money(cents)}",
            lambda: set_floor(desk.ledger, desk.tenant, by=by, account_id=account, floor_cents=cents, kind=kind),
            dry_run=dry_run,
            json_wanted=json_wanted,
        )


def bank_balance(
    *,
    tenant: str = TENANT,
    account: str = ACCOUNT,
    amount_text: str = typer.Option("", "--amount", help="What the bank says; left out: take the entry back."),
    by: str = PERSON,
    dry_run: bool = DRY_RUN,
    json_wanted: bool = AS_JSON,
) -> None:
    """Enter what the bank says: free cash starts from the lesser of book and bank."""
    with open_desk(tenant, dry_run=dry_run) as desk:
        cents = amount(amount_text)
        do(
            f"{by} enters the bank balance of account {account}: {money(cents) or 'none'}",
            lambda: enter_bank_balance(desk.ledger, desk.tenant, by=by, account_id=account, bank_cents=cents),
            dry_run=dry_run,
            json_wanted=json_wanted,
        )


def resolve_shortfall(
    *,
    tenant: str = TENANT,
    account: str = ACCOUNT,
    reason: str = _WHY,
    by: str = PERSON,
    dry_run: bool = DRY_RUN,
    json_wanted: bool = AS_JSON,
) -> None:
    """Allow decisions again on an account that was short and is covered."""
    with open_desk(tenant, dry_run=dry_run) as desk:
        do(
            f"{by} resolves the shortfall of account {account}",
            lambda: resolve(desk.ledger, desk.tenant, by=by, account_id=account, resolution=reason),
            dry_run=dry_run,
            json_wanted=json_wanted,
        )


def add_to(app: typer.Typer) -> None:
    """Put these commands beside those of the targets."""
    app.command("cash")(cash)
    app.command("held")(held)
    app.command("open")(open_one)
    app.command("allocate")(allocate)
    app.command("release")(release)
    app.command("retarget")(retarget)
    app.command("close")(close)
    app.command("floor")(floor)
    app.command("bank-balance")(bank_balance)
    app.command("resolve-shortfall")(resolve_shortfall)
