"""`runway reserves`: what each reserve is to hold, and until when.

Belongs here: targets, recorded, withdrawn and listed. Does not: setting money aside (the payment ledger), the plan to fill
them (`runway_calcs/reserves/targets.py`).
"""

import typer
from rich.table import Table

from cli.entering import (
    AS_JSON,
    BY,
    DRY_RUN,
    REASON,
    TENANT,
    add_row,
    as_json,
    author,
    known_tenant,
    money,
    parse_hundredths,
    parse_optional_day,
    print_json,
    record,
)
from cli.session import console, open_installation
from resources.entries import EntryRefused
from resources.entry_records import TargetEntry, TargetRule
from resources.entry_tables import RESERVE_KINDS

app = typer.Typer(no_args_is_help=True, help="Reserves: money kept for a purpose.")

_RESERVE = typer.Argument(help="Id of the reserve: lower-case letters, digits, hyphens, for example tax-2026-q4.")


@app.command("set")
def set_reserve(
    *,
    tenant: str = TENANT,
    reserve: str = _RESERVE,
    kind: str = typer.Option(..., help=f"What it is for: {', '.join(RESERVE_KINDS)}."),
    name: str = typer.Option("", help="What a reader calls it; the id if left out."),
    amount: str = typer.Option("", "--amount", help="Target as an amount: 9000.00."),
    share: str = typer.Option("", "--share", help="Target as a percentage of the receipts until its day: 15."),
    months: str = typer.Option("", "--months", help="Target as months of gross burn: 1.5."),
    until: str = typer.Option("", "--until", help="Day on which it is to be whole, as 2026-12-15."),
    reason: str = REASON,
    by: str = BY,
    dry_run: bool = DRY_RUN,
    json_wanted: bool = AS_JSON,
) -> None:
    """Record the target of a reserve; it takes the place of an earlier one."""
    with open_installation() as installation:
        known = known_tenant(installation, tenant)
        rule, value = _target(amount=amount, share=share, months=months)
        due_on = parse_optional_day(until, option="--until")
        amount_cents = value if rule == "amount" else None
        basis_points = value if rule == "share_of_receipts" else None
        month_hundredths = value if rule == "months_of_burn" else None
        entries = installation.entries
        entries.check_reserve(
            known,
            reserve_id=reserve,
            kind=kind,
            rule=rule,
            amount_cents=amount_cents,
            basis_points=basis_points,
            month_hundredths=month_hundredths,
            due_on=due_on,
        )
        record(
            f"{name or reserve} ({kind}) is to hold {_rule_text(rule, value)}" + (f" by {due_on}" if due_on else ""),
            lambda: entries.set_reserve(
                known,
                reserve_id=reserve,
                kind=kind,
                name=name,
                rule=rule,
                amount_cents=amount_cents,
                basis_points=basis_points,
                month_hundredths=month_hundredths,
                due_on=due_on,
                author=author(by),
                reason=reason,
            ),
            dry_run=dry_run,
            json_wanted=json_wanted,
        )


@app.command()
def remove(
    *,
    tenant: str = TENANT,
    reserve: str = _RESERVE,
    reason: str = REASON,
    by: str = BY,
    dry_run: bool = DRY_RUN,
    json_wanted: bool = AS_JSON,
) -> None:
    """Withdraw the target of a reserve."""
    with open_installation() as installation:
        known = known_tenant(installation, tenant)
        installation.entries.check_remove_reserve(known, reserve)
        record(
            f"no target for reserve {reserve}",
            lambda: installation.entries.remove_reserve(known, reserve, author=author(by), reason=reason),
            dry_run=dry_run,
            json_wanted=json_wanted,
        )


@app.command("list")
def list_reserves(tenant: str = TENANT, json_wanted: bool = AS_JSON) -> None:
    """Targets of reserves that stand."""
    with open_installation() as installation:
        known = known_tenant(installation, tenant)
        found = installation.entries.reserves(known.tenant_id)
    if json_wanted:
        print_json([as_json(one) for one in found])
        return
    if not found:
        console.print(f"No targets: `runway reserves set {tenant} RESERVE` records one.", markup=False, soft_wrap=True)
        return
    table = Table("Reserve", "Kind", "Name", "Target", "By day", "By", "Reason")
    for one in found:
        until = str(one.due_on or "")
        add_row(table, one.reserve_id, one.kind, one.name, _target_text(one), until, one.said.author, one.said.reason)
    console.print(table)


def _target(*, amount: str, share: str, months: str) -> tuple[TargetRule, int]:
    given: list[tuple[TargetRule, str, str]] = [
        ("amount", "--amount", amount),
        ("share_of_receipts", "--share", share),
        ("months_of_burn", "--months", months),
    ]
    chosen = [one for one in given if one[2]]
    if len(chosen) != 1:
        raise EntryRefused("Give one of the three: --amount 9000.00, --share 15 (percent of receipts) or --months 1.5.")
    rule, option, text = chosen[0]
    return rule, parse_hundredths(text, option=option)


def _target_text(entry: TargetEntry) -> str:
    value = entry.amount_cents or entry.basis_points or entry.month_hundredths
    assert value is not None, "a target that stands has its value"
    return _rule_text(entry.rule, value)


def _rule_text(rule: TargetRule, value: int) -> str:
    if rule == "amount":
        return money(value)
    return f"{money(value)} % of the receipts" if rule == "share_of_receipts" else f"{money(value)} months of burn"
