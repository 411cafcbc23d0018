"""`runway vendors`: how much harm waiting does with each vendor, as people judge it.

Belongs here: tiers, recorded, withdrawn and listed. Does not: what a tier does to the order of payments (`runway_calcs`).
"""

import typer
from rich.table import Column, Table

from cli.entering import (
    AS_JSON,
    BY,
    DRY_RUN,
    REASON,
    TENANT,
    add_row,
    as_json,
    author,
    cents_of,
    known_tenant,
    money,
    object_in_books,
    objects_in_books,
    print_json,
    record,
)
from cli.session import console, open_installation
from resources.entries import EntryRefused, check_tier
from resources.entry_records import TierEntry
from resources.installation import Installation, RunWeek
from resources.qbo.list_objects import Vendor
from resources.tenants import TenantId
from runway_calcs.bills.vendor_tiers import TierSuggestion

app = typer.Typer(no_args_is_help=True, help="Vendors and how long their bills can wait.")

_MOST_WEEKS = 13
"""A suggestion this old is better than none: accounts and habits change slowly."""
_TIERS = {0: "on time whatever happens", 1: "late does harm", 2: "ordinary", 3: "can wait longest"}


@app.command()
def tier(
    *,
    tenant: str = TENANT,
    vendor: str = typer.Argument(help="QuickBooks id of the vendor, as `runway vendors list` shows it."),
    value: int | None = typer.Argument(
        None, metavar="[TIER]", help="0 is paid on time whatever happens, 3 can wait longest."
    ),
    withdraw: bool = typer.Option(False, "--withdraw", help="Take the tier back: the suggestion counts again."),
    reason: str = REASON,
    by: str = BY,
    dry_run: bool = DRY_RUN,
    json_wanted: bool = AS_JSON,
) -> None:
    """Record how long a vendor's bills can wait: tier 0 to 3."""
    with open_installation() as installation:
        known = known_tenant(installation, tenant)
        if withdraw == (value is not None):
            raise EntryRefused("Give one of the two: a tier from 0 to 3, or --withdraw to take it back.")
        entries, who = installation.entries, author(by)
        if value is None:
            entries.check_remove_tier(known, vendor)
            record(
                f"no tier for vendor {vendor}",
                lambda: entries.remove_tier(known, vendor, author=who, reason=reason),
                dry_run=dry_run,
                json_wanted=json_wanted,
            )
            return
        check_tier(value)
        where = f"`runway vendors list {tenant}` shows the ids"
        found = object_in_books(installation, known.tenant_id, entity="Vendor", qbo_id=vendor, where=where)
        assert isinstance(found, Vendor)
        record(
            f"{found.display_name} is in tier {value} ({_TIERS[value]})",
            lambda: entries.set_tier(known, vendor_id=vendor, tier=value, author=who, reason=reason),
            dry_run=dry_run,
            json_wanted=json_wanted,
        )


@app.command("list")
def list_vendors(
    tenant: str = TENANT,
    everyone: bool = typer.Option(False, "--all", help="Vendors to whom nothing is owed, and inactive ones, too."),
    json_wanted: bool = AS_JSON,
) -> None:
    """Vendors of the newest kept books with their ids, what is owed, and the tier: set by somebody, else suggested by the facts."""
    with open_installation() as installation:
        known = known_tenant(installation, tenant)
        tiers = {one.vendor_id: one for one in installation.entries.tiers(known.tenant_id)}
        suggested = suggested_tiers(installation, known.tenant_id)
        vendors = [
            one
            for one in objects_in_books(installation, known.tenant_id, entity="Vendor").values()
            if isinstance(one, Vendor) and (everyone or one.id in tiers or (one.active and one.balance != 0))
        ]
    rows = sorted(vendors, key=lambda one: (-one.balance, one.display_name, one.id))
    if json_wanted:
        print_json(
            [
                {
                    "vendor_id": one.id,
                    "name": one.display_name,
                    "balance_cents": cents_of(one.balance),
                    "tier": as_json(tiers[one.id]) if one.id in tiers else None,
                    "suggested": {"tier": int(suggested[one.id].tier), "reason": suggested[one.id].reason}
                    if one.id in suggested
                    else None,
                }
                for one in rows
            ]
        )
        return
    if not rows:
        console.print(
            f"Nothing is owed to any vendor of {tenant}; --all shows every vendor.", markup=False, soft_wrap=True
        )
        return
    table = Table("Id", "Vendor", Column("Owed", justify="right"), "Tier", "By", "Reason")
    for one in rows:
        told = _told(tiers.get(one.id), suggested.get(one.id))
        add_row(table, one.id, one.display_name, money(cents_of(one.balance)), *told)
    console.print(table)


def _told(set_by: TierEntry | None, suggested: TierSuggestion | None) -> tuple[str, str, str]:
    """Tier, who says so, and why."""
    if set_by is not None:
        return f"{set_by.tier} {_TIERS[set_by.tier]}", set_by.said.author, set_by.said.reason
    if suggested is not None:
        return f"{int(suggested.tier)} {_TIERS[int(suggested.tier)]}", "suggested", suggested.reason
    return "", "", ""


def suggested_tiers(installation: Installation, tenant: TenantId) -> dict[str, TierSuggestion]:
    """What the newest calculated week suggests, by vendor; nothing before the first."""
    from assets.desk import newest_desk  # noqa: PLC0415 - Dagster takes a second to import, and no other command here needs it

    week = RunWeek(week_ending=None, started_at=installation.clock.now())
    with newest_desk(tenant, installation=installation, week=week) as desk:
        found = desk.kept_records("priority/vendor_tiers", TierSuggestion, weeks=_MOST_WEEKS)
    return {one.party_id: one for one in found}
