"""`runway decide`: pay now, schedule, delay, what if; and the second person of an override.

Belongs here: commands and tables. Does not: any rule (`payments/`), batches (`cli/batch.py`).
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import typer
from rich.table import Table

from cli.entering import add_row, money, parse_day, print_json
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
    needed_amount,
    open_desk,
    plain,
    request_key,
    show_rows,
    show_table,
)
from cli.projecting import forecast_of, show_projected
from cli.session import console
from payments.bills.break_glass import confirm_override, unconfirmed
from payments.bills.cycles import running
from payments.bills.decisions import Decided
from payments.bills.decisions import pay_now as rule_pay_now
from payments.bills.decisions import schedule as rule_schedule
from payments.bills.postponing import delay as rule_delay
from payments.bills.projected_cash import staged_and_decided
from payments.bills.rulings import Credit
from payments.bills.what_if import Supposed, WhatIf, what_if
from payments.store.repository import Look
from resources.entries import EntryRefused

app = typer.Typer(
    no_args_is_help=True, help="Decisions: pay a staged bill now, on a day, or later. Money is set aside here."
)

_CREDITS = typer.Option(
    [], "--credit", help="A vendor credit to use up with it, as ID=AMOUNT with QuickBooks' id; repeatable."
)
_RESERVE = typer.Option("", "--reserve", help="The reserve it draws on; a reserve of the vendor's is found by itself.")
_OVERRIDE = typer.Option(
    "", "--override", help="Reason for setting cash or policy aside; a second person confirms within a day."
)


@app.command("pay-now")
def pay_now(
    *,
    tenant: str = TENANT,
    bill: str = BILL,
    account: str = ACCOUNT,
    amount_text: str = AMOUNT,
    credits_used: list[str] = _CREDITS,
    reserve: str = _RESERVE,
    override: str = _OVERRIDE,
    by: str = PERSON,
    key: str = KEY,
    dry_run: bool = DRY_RUN,
    json_wanted: bool = AS_JSON,
) -> None:
    """Rule that a staged bill is paid with the next batch."""
    carry_out(
        tenant,
        f"{by} pays bill {bill} now from account {account}",
        rule_pay_now,
        lambda: {
            "by": by,
            "bill_id": bill,
            "request_key": request_key(key),
            **_payment(account, amount_text, credits_used, reserve=reserve, override=override),
        },
        dry_run=dry_run,
        json_wanted=json_wanted,
        note=_set_aside,
    )


@app.command()
def schedule(
    *,
    tenant: str = TENANT,
    bill: str = BILL,
    on: str = typer.Option(..., "--on", help="The day, as 2026-12-18."),
    account: str = ACCOUNT,
    amount_text: str = AMOUNT,
    credits_used: list[str] = _CREDITS,
    reserve: str = _RESERVE,
    override: str = _OVERRIDE,
    by: str = PERSON,
    key: str = KEY,
    dry_run: bool = DRY_RUN,
    json_wanted: bool = AS_JSON,
) -> None:
    """Rule that a staged bill is paid on a later day."""
    carry_out(
        tenant,
        f"{by} schedules bill {bill} for {on} from account {account}",
        rule_schedule,
        lambda: {
            "by": by,
            "bill_id": bill,
            "pay_on": parse_day(on, option="--on"),
            "request_key": request_key(key),
            **_payment(account, amount_text, credits_used, reserve=reserve, override=override),
        },
        dry_run=dry_run,
        json_wanted=json_wanted,
        note=_set_aside,
    )


@app.command()
def delay(
    *,
    tenant: str = TENANT,
    bill: str = BILL,
    until: str = typer.Option(..., "--until", help="The day on which it is staged again, as 2026-12-18."),
    by: str = PERSON,
    key: str = KEY,
    dry_run: bool = DRY_RUN,
    json_wanted: bool = AS_JSON,
) -> None:
    """Put a bill off; what is set aside for it is released now."""
    carry_out(
        tenant,
        f"{by} delays bill {bill} until {until}",
        rule_delay,
        lambda: {
            "by": by,
            "bill_id": bill,
            "until": parse_day(until, option="--until"),
            "request_key": request_key(key),
        },
        dry_run=dry_run,
        json_wanted=json_wanted,
    )


def _payment(
    account: str, amount_text: str, credits_used: Sequence[str], *, reserve: str, override: str
) -> dict[str, Any]:
    """What a decision to pay names, as typed."""
    return {
        "account_id": account,
        "amount_cents": amount(amount_text),
        "credits_used": [_credit(text) for text in credits_used],
        "reserve_id": reserve or None,
        "override": override or None,
    }


def _credit(text: str) -> Credit:
    """A vendor credit as typed: ID=AMOUNT."""
    credit_id, is_named, cents = text.partition("=")
    if not is_named:
        raise EntryRefused(f"--credit {text!r} names no amount: write it as ID=AMOUNT, for example 77=30.00.")
    return Credit(credit_id=credit_id, amount_cents=needed_amount(cents, option="--credit"))


@app.command("what-if")
def suppose(
    *,
    tenant: str = TENANT,
    bills: list[str] = typer.Argument(
        None, help="Bills, each as ID or ID=AMOUNT; left out: all that are staged or decided, as they stand."
    ),
    account: str = typer.Option("", "--account", help="The cash account; needed where bills are named."),
    on: str = typer.Option("", "--on", help="The day; left out: today, or the decided day."),
    json_wanted: bool = AS_JSON,
) -> None:
    """What would be free if these bills were paid, and what it does to the week's forecast. Decides nothing."""
    with open_desk(tenant) as desk, desk.look() as look:
        day = parse_day(on, option="--on") if on else None
        if bills and not account:
            raise typer.BadParameter("Named bills need the account they would be paid from: --account.")
        if bills:
            supposed = [_named(look, text, account=account, day=day or look.today) for text in bills]
        else:
            standing = staged_and_decided(look, account_id=account or None)
            supposed = [replace(one, pay_on=day or one.pay_on) for one in standing]
        found = what_if(look, supposed, project=forecast_of(desk))
    if json_wanted:
        print_json(
            plain(found) | {"fits": found.fits, "free_after_cents": [one.free_after_cents for one in found.accounts]}
        )
        return
    if not supposed:
        console.print("No bill is staged or decided.")
        return
    _show(found)
    show_projected(found.projected)


def _named(look: Look, text: str, *, account: str, day: date) -> Supposed:
    """A bill as typed: ID or ID=AMOUNT."""
    bill, _, cents = text.partition("=")
    known = amount(cents, option=text) if cents else running(look, bill)["open_cents"]
    return Supposed(bill_id=bill, account_id=account, amount_cents=known or 0, pay_on=day)


@app.command()
def overrides(*, tenant: str = TENANT, json_wanted: bool = AS_JSON) -> None:
    """Overrides that no second person has confirmed."""
    with open_desk(tenant) as desk, desk.look() as look:
        rows = unconfirmed(look)
    if json_wanted:
        print_json(plain(rows))
        return
    table = Table("Override", "Bill", "By", "Confirm until (UTC)", "Reason", "Set aside")
    for row in rows:
        about = ", ".join(one for one, _ in row["overrides"])
        until = f"{row['confirm_until']:%Y-%m-%d %H:%M}"
        add_row(table, row["break_glass_id"], row["bill_id"], row["declared_by"], until, row["reason"], about)
    show_rows(table, none="No override waits for a second person.")


@app.command("confirm-override")
def confirm(
    *,
    tenant: str = TENANT,
    override_id: str = typer.Argument(help="Id of the override; `runway decide overrides` lists them."),
    by: str = PERSON,
    dry_run: bool = DRY_RUN,
    json_wanted: bool = AS_JSON,
) -> None:
    """Stand in as the second person of an override."""
    carry_out(
        tenant,
        f"{by} confirms override {override_id}",
        confirm_override,
        lambda: {"by": by, "break_glass_id": override_id},
        dry_run=dry_run,
        json_wanted=json_wanted,
    )


def _set_aside(decided: Decided) -> str:
    drawn = f", {money(decided.drawn_cents)} of it from a reserve" if decided.drawn_cents else ""
    glass = " An override is recorded: a second person confirms it within a day." if decided.break_glass_id else ""
    return f"{money(decided.amount_cents)} is set aside{drawn} (decision {decided.decision_id}, {decided.separation}).{glass}"


def _show(found: WhatIf) -> None:
    table = Table("Account")
    for name in ("Free now", "Given back", "Supposed", "From reserves", "Free then"):
        table.add_column(name, justify="right")
    table.add_column("Remark")
    for one in found.accounts:
        remarks = [*one.against] or ([f"{money(one.missing_cents)} is missing"] if one.missing_cents else [])
        remarks += [f"{money(asked)} is asked for on {day}" for day, asked in one.asked_later]
        cents = (
            one.cash.free_cents,
            one.given_back_cents,
            one.supposed_cents,
            one.drawn_cents,
            one.free_after_cents,
        )
        add_row(table, f"{one.cash.name} ({one.cash.account_id})", *map(money, cents), "; ".join(remarks))
    show_table(table)
    for bill, text in found.against:
        console.print(f"Bill {bill}: {text}", markup=False, soft_wrap=True)
    console.print("It fits." if found.fits else "It does not fit as things stand.")
