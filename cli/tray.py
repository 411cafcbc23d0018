"""`runway tray`: what is to be mended in a tenant's books, and what people rule about it.

Belongs here: listing, snoozing, dismissing, reopening. Does not: finding or ranking defects (`runway_calcs`, `experiences/tray`).

The list is the published tray of the newest week with the rulings of this moment; pages and digests take a ruling up with the next
week they are made for.
"""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import date

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
    known_tenant,
    money,
    parse_day,
    print_json,
    record,
)
from cli.session import console, open_installation
from experiences.digest.attention import effect_words
from experiences.tray.document import TrayDocument, TrayItem, from_json
from experiences.tray.links import QboCompany, link
from resources.entries import EntryRefused
from resources.entry_records import RulingEntry
from resources.errors import TenantNotReady
from resources.installation import Installation
from resources.tenants import Tenant, TenantId
from runway_calcs.hygiene.defects import DefectKind

app = typer.Typer(no_args_is_help=True, help="Data to fix: listed by effect on the runway, snoozed or ruled no issue.")

_ENTRY = typer.Argument(help="The entry as `runway tray list` names it, for example missing-due-date/Bill/30.")
_KINDS = {kind.value.replace(" ", "-"): kind.value for kind in DefectKind}
Defect = tuple[str, str, str]


def entry_name(defect: Defect) -> str:
    """A defect as it is typed: kind, entity and id."""
    return "/".join((defect[0].replace(" ", "-"), *defect[1:]))


def parse_entry(text: str) -> Defect:
    """A defect from its name; `EntryRefused` if it is none."""
    kind, _, rest = text.partition("/")
    object_type, _, object_id = rest.partition("/")
    if kind not in _KINDS or not object_type or not object_id:
        raise EntryRefused(
            f"{text!r} is no entry of a tray: write kind/entity/id as `runway tray list` shows it, for example "
            "missing-due-date/Bill/30."
        )
    return (_KINDS[kind], object_type, object_id)


@app.command("list")
def list_tray(
    tenant: str = TENANT,
    everything: bool = typer.Option(False, "--all", help="What is snoozed or no issue, too."),
    json_wanted: bool = AS_JSON,
) -> None:
    """What is to be mended, by what mending it changes."""
    with open_installation() as installation:
        known = known_tenant(installation, tenant)
        document = _published(installation, known)
        rulings = _standing(installation, known.tenant_id, today=known.local_date(installation.clock.now()))
    items = [*document.items, *(one.item for one in document.set_aside)]
    rows = [one for one in items if everything or _defect(one) not in rulings]
    if json_wanted:
        print_json([_as_json(one, rulings, company=document.company) for one in rows])
        return
    if not rows:
        console.print(f"Nothing to look at for {tenant}, as of {document.as_of}.", markup=False, soft_wrap=True)
        return
    table = Table("Entry", "What", Column("Amount", justify="right"), "Runway", "Low point", "Ruling")
    for one in rows:
        ruling = rulings.get(_defect(one))
        add_row(
            table,
            entry_name(_defect(one)),
            f"{one.label}: {one.what}",
            money(one.amount_cents),
            *effect_words(
                one.effect,
                runway_days=one.runway_days,
                is_bound=one.is_bound,
                low_cents=one.low_cents,
                currency=document.currency,
            ),
            "" if ruling is None else _ruling_words(ruling),
        )
    console.print(table)


@app.command()
def snooze(
    *,
    tenant: str = TENANT,
    entry: str = _ENTRY,
    until: str = typer.Option(..., "--until", help="The day on which it is back, as 2026-12-11."),
    reason: str = REASON,
    by: str = BY,
    dry_run: bool = DRY_RUN,
    json_wanted: bool = AS_JSON,
) -> None:
    """Leave an entry out of the tray until a day."""
    _rule(
        tenant,
        entry,
        until=until,
        reason=reason,
        by=by,
        dry_run=dry_run,
        json_wanted=json_wanted,
    )


@app.command()
def dismiss(
    *,
    tenant: str = TENANT,
    entry: str = _ENTRY,
    reason: str = REASON,
    by: str = BY,
    dry_run: bool = DRY_RUN,
    json_wanted: bool = AS_JSON,
) -> None:
    """Record that an entry is no issue."""
    _rule(tenant, entry, until=None, reason=reason, by=by, dry_run=dry_run, json_wanted=json_wanted)


@app.command()
def reopen(
    *,
    tenant: str = TENANT,
    entry: str = _ENTRY,
    reason: str = REASON,
    by: str = BY,
    dry_run: bool = DRY_RUN,
    json_wanted: bool = AS_JSON,
) -> None:
    """Take a ruling back: the entry is listed again."""
    with open_installation() as installation:
        known, defect = known_tenant(installation, tenant), parse_entry(entry)
        if defect not in {_ruled(one) for one in installation.entries.rulings(known.tenant_id)}:
            raise EntryRefused(f"Nothing was said about {entry}: `runway tray list {tenant} --all` shows the rulings.")
        record(
            f"{entry} is listed again",
            lambda: installation.entries.reopen(known, defect, author=author(by), reason=reason),
            dry_run=dry_run,
            json_wanted=json_wanted,
        )


def _rule(
    tenant: str, entry: str, *, until: str | None, reason: str, by: str, dry_run: bool, json_wanted: bool
) -> None:
    with open_installation() as installation:
        known, defect = known_tenant(installation, tenant), parse_entry(entry)
        day = None if until is None else parse_day(until, option="--until")
        found = _published(installation, known)
        listed = {_defect(one) for one in (*found.items, *(aside.item for aside in found.set_aside))}
        if defect not in listed:
            raise EntryRefused(f"{entry} is not in the tray of {tenant}: `runway tray list {tenant} --all` shows it.")
        installation.entries.check_rule(known, until=day)
        record(
            f"{entry} is {'no issue' if day is None else f'snoozed until {day}'}",
            lambda: installation.entries.rule(known, defect=defect, until=day, author=author(by), reason=reason),
            dry_run=dry_run,
            json_wanted=json_wanted,
        )


def _published(installation: Installation, tenant: Tenant) -> TrayDocument:
    today = tenant.local_date(installation.clock.now())
    found = installation.documents.newest(tenant.tenant_id, kind="tray", not_after=today)
    if found is None:
        raise TenantNotReady(
            what=f"No tray of {tenant.tenant_id!r} was published yet.",
            next_step=f"Run `runway friday --tenant {tenant.tenant_id}` first.",
        )
    return from_json(found.body)


def _standing(installation: Installation, tenant: TenantId, *, today: date) -> Mapping[Defect, RulingEntry]:
    found = installation.entries.rulings(tenant)
    return {_ruled(one): one for one in found if one.until is None or today < one.until}


def _ruled(entry: RulingEntry) -> Defect:
    return (entry.defect_kind, entry.object_type, entry.object_id)


def _defect(item: TrayItem) -> Defect:
    return (item.kind.value, item.object_type, item.object_id)


def _ruling_words(ruling: RulingEntry) -> str:
    what = "no issue" if ruling.until is None else f"until {ruling.until}"
    return f"{what}, {ruling.said.author}: {ruling.said.reason}"


def _as_json(
    item: TrayItem, rulings: Mapping[Defect, RulingEntry], *, company: QboCompany | None
) -> Mapping[str, object]:
    ruling = rulings.get(_defect(item))
    return {
        "entry": entry_name(_defect(item)),
        **asdict(item),
        "link": link(item.object_type, item.object_id, company=company),
        "ruling": None if ruling is None else as_json(ruling),
    }
