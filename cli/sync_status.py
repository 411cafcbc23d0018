"""`runway sync status`: when each tenant's books were last read, how old each kind is, what the calls cost.

Belongs here: choosing tenants, the tables, the JSON. Does not: gathering (`resources/qbo/sync_status.py`); asks QuickBooks nothing.
"""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta

import typer
from rich.table import Table

from cli.session import console, open_installation, plain_errors
from resources.qbo.sync_status import Age, SyncStatus, status_json
from resources.tenants import tenant_id

app = typer.Typer(no_args_is_help=True, help="Reading the books.")


@app.callback()
def sync() -> None:
    """Reading the books."""  # a group of one command would otherwise be that command


@app.command()
def status(
    tenant: list[str] = typer.Option([], "--tenant", help="Only this tenant, with each kind of object; repeatable."),
    everyone: bool = typer.Option(False, "--all", help="Deactivated tenants too."),
    as_json: bool = typer.Option(False, "--json", help="For programs: one JSON list, times in UTC, spans in seconds."),
) -> None:
    """How the syncs of all tenants stand. Reads what is kept and makes no call to QuickBooks."""
    with plain_errors():
        wanted = [tenant_id(text) for text in tenant]
    with open_installation() as installation:
        registry, now = installation.registry, installation.clock.now()
        tenants = [registry.tenant(one) for one in wanted] or registry.tenants(active_only=not everyone)
        found = [installation.sync_statuses.of(one, now=now) for one in tenants]
    if as_json:
        typer.echo(json.dumps([status_json(one) for one in found], indent=2, ensure_ascii=False))
        return
    if not found:
        console.print("No tenants yet: `runway tenant add TENANT --firm FIRM --zone ZONE` registers one.")
        return
    _show_all(found, now=now)
    if wanted:
        for one in found:
            _show_kinds(one)


def _show_all(found: Sequence[SyncStatus], *, now: datetime) -> None:
    table = Table()
    table.add_column("Tenant", no_wrap=True)
    for name in ("Connection", "Last sync (UTC)", "Age", "Freshness"):
        table.add_column(name, overflow="fold")
    for name in ("Versions", "Unread", "Calls, by month's end, budget", "Waits for limits"):
        table.add_column(name, justify="right", overflow="fold")
    for one in found:
        usage, last = one.usage, one.last_sync
        table.add_row(
            one.tenant_id,
            _connection(one, now=now),
            "never" if last is None else f"{last.committed_at:%Y-%m-%d %H:%M} {last.kind}",
            "-" if last is None else _span(last.age),
            _freshness(one),
            f"{one.versions:,}",
            f"{one.quarantined:,}",
            f"{usage.metered:,}, {usage.projected:,}, {usage.budget.soft:,}"
            + (" exceeded" if usage.is_above_soft else ""),
            _span(usage.waited) + (f", {usage.throttled:,} refused" if usage.throttled else ""),
        )
    console.print(table)
    for one in found:
        if one.usage.is_above_soft:
            console.print(
                f"{one.tenant_id}: {one.usage.metered} metered calls in {one.usage.month}, about {one.usage.projected} by "
                f"its end, {one.usage.budget.soft} planned. Syncs go on up to {one.usage.budget.hard}.",
                markup=False,
            )
        if one.connection is not None and one.connection.state == "lost":
            console.print(
                f"{one.tenant_id}: {one.connection.lost_because}. Reconnect with `runway connect {one.tenant_id}`.",
                markup=False,
            )


def _connection(one: SyncStatus, *, now: datetime) -> str:
    standing = one.connection
    if standing is None:
        return "none"
    if standing.state == "lost":
        return "lost"
    left = standing.refresh_expires_at - now
    until = f"{standing.refresh_expires_at:%Y-%m-%d}"
    return f"until {until}" if left > timedelta() else f"expired {until}"


def _freshness(one: SyncStatus) -> str:
    """The kinds that are not fresh, by state; one word where they are all alike."""
    by_state = {state: [kind.entity for kind in one.kinds if kind.state is state] for state in Age}
    named = [(state, entities) for state, entities in by_state.items() if entities]
    if len(named) == 1:
        return named[0][0].value
    return "; ".join(f"{', '.join(entities)} {state.value}" for state, entities in named if state is not Age.FRESH)


def _show_kinds(one: SyncStatus) -> None:
    table = Table("Kind", "Read (UTC)", "Age", "Soft", "Hard", "Freshness", title=one.tenant_id)
    for name in ("Versions", "Unread"):
        table.add_column(name, justify="right")
    for kind in one.kinds:
        table.add_row(
            kind.entity,
            "never" if kind.read_at is None else f"{kind.read_at:%Y-%m-%d %H:%M}",
            "-" if kind.age is None else _span(kind.age),
            _span(kind.soft),
            _span(kind.hard),
            kind.state.value,
            f"{kind.versions:,}",
            f"{kind.quarantined:,}",
        )
    console.print(table)


def _span(span: timedelta) -> str:
    """A span in its two largest units."""
    seconds = round(span.total_seconds())
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86_400
    if days:
        return f"{days} d {hours % 24} h"
    if hours:
        return f"{hours} h {minutes % 60} min"
    return f"{minutes} min" if minutes else f"{seconds} s"
