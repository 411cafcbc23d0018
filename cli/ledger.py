"""`runway ledger`: people and roles, the policy, the audit, alarms, payees.

Belongs here: commands and tables. Does not: any rule (`payments/`).
"""

import json
from getpass import getpass
from pathlib import Path
from typing import Any

import typer
from rich.table import Table

from cli.entering import add_row, print_json
from cli.paying import AS_JSON, DRY_RUN, PERSON, TENANT, do, open_desk, plain, show_rows, show_table
from cli.session import console, open_installation, problems
from payments.controls.alarms import open_alarms, resolve_alarm
from payments.controls.payees import BankDetails, confirm_payee, payees, propose_payee, reject_payee
from payments.controls.people import MAY, VERBS, deactivate, reactivate
from payments.controls.people import add_person as register
from payments.controls.people import grant as give_role
from payments.controls.people import revoke as take_role
from payments.controls.policies import in_force, set_policy
from payments.errors import BadRequest
from payments.store.audit import story, verify
from payments.store.bill_tables import ROLE_GRANT, ROLES
from payments.store.invariants import broken_invariants
from payments.store.ledger import OPERATOR, Ledger
from resources.secret_text import Secret

app = typer.Typer(no_args_is_help=True, help="The payment ledger itself: people, policy, audit, alarms, payees.")

_WHO = typer.Argument(help="Id of the person.")
_VENDOR = typer.Argument(help="QuickBooks' id of the vendor.")
_ROLE = typer.Option(..., help=f"One of {', '.join(ROLES)}.")
_BY_ADMINISTRATOR = typer.Option(
    OPERATOR, "--by", envvar="RUNWAY_PERSON", help="An administrator; left out for the very first one."
)


@app.command("verify")
def verify_chain(*, tenant: str = TENANT, json_wanted: bool = AS_JSON) -> None:
    """Compute the audit's chain again, replay it against the tables, check the invariants. Exit code 1 if anything is wrong."""
    with open_desk(tenant) as desk, desk.look() as look:
        found, broken = verify(look), broken_invariants(look)
    sound = found.is_sound and not broken
    if json_wanted:
        print_json(plain(found) | {"sound": sound, "invariants": plain(broken)})
    else:
        console.print(f"{found.rows} acts, head {found.head or 'none'}.", markup=False, soft_wrap=True)
        wrong = [*found.broken, *found.different, *(f"{one.invariant}: {one.subject} {one.detail}" for one in broken)]
        for text in wrong:
            problems.print(text, markup=False, soft_wrap=True)
        console.print("The chain holds and tells the tables." if sound else "The ledger is not what its log tells.")
    if not sound:
        raise typer.Exit(code=1)


@app.command()
def audit(
    *,
    tenant: str = TENANT,
    about: str = typer.Option("", "--about", help="Only acts on this, for example bill_workflow/145/1."),
    limit: int = typer.Option(50, help="At most so many."),
    json_wanted: bool = AS_JSON,
) -> None:
    """The newest acts of the audit."""
    with open_desk(tenant) as desk, desk.look() as look:
        rows = story(look, entity=about or None, limit=limit)
    if json_wanted:
        print_json(plain(rows))
        return
    table = Table("Number", "When (UTC)", "Who", "What", "About")
    for row in rows:
        add_row(table, str(row["number"]), f"{row['at']:%Y-%m-%d %H:%M:%S}", row["actor"], row["kind"], row["entity"])
    show_table(table)


@app.command("add-person")
def add_person(
    *,
    person: str = _WHO,
    firm: str = typer.Option(..., help="The firm they belong to."),
    name: str = typer.Option(..., help="Their name."),
    dry_run: bool = DRY_RUN,
    json_wanted: bool = AS_JSON,
) -> None:
    """Register a person of a firm; roles are granted for each tenant."""
    with open_installation() as installation:
        ledger = Ledger(installation.database, clock=installation.clock, dry_run=dry_run)
        do(
            f"{name} ({person}) is registered with the firm {firm}",
            lambda: register(ledger, person_id=person, firm_id=firm, name=name),
            dry_run=dry_run,
            json_wanted=json_wanted,
        )


@app.command()
def people(*, tenant: str = TENANT, json_wanted: bool = AS_JSON) -> None:
    """Who has which role with the tenant."""
    with open_desk(tenant) as desk, desk.look() as look:
        rows = look.many(
            ROLE_GRANT, ROLE_GRANT.c.revoked_at.is_(None), order_by=(ROLE_GRANT.c.person_id, ROLE_GRANT.c.role)
        )
    if json_wanted:
        print_json(plain(rows))
        return
    table = Table("Person", "Role", "May", "Granted by")
    for row in rows:
        add_row(table, row["person_id"], row["role"], ", ".join(sorted(MAY[row["role"]])), row["granted_by"])
    show_rows(
        table,
        none="Nobody has a role here: `runway ledger grant TENANT PERSON --role administrator` makes the first.",
    )


@app.command()
def roles(*, json_wanted: bool = AS_JSON) -> None:
    """What each role may do."""
    if json_wanted:
        print_json({role: sorted(MAY[role]) for role in ROLES})
        return
    table = Table("Role", "May")
    for role in ROLES:
        add_row(table, role, "; ".join(VERBS[verb] for verb in VERBS if verb in MAY[role]))
    show_table(table)


@app.command()
def grant(
    *,
    tenant: str = TENANT,
    person: str = _WHO,
    role: str = _ROLE,
    by: str = _BY_ADMINISTRATOR,
    dry_run: bool = DRY_RUN,
    json_wanted: bool = AS_JSON,
) -> None:
    """Give a person a role with the tenant."""
    with open_desk(tenant, dry_run=dry_run) as desk:
        do(
            f"{by} grants {person} the role {role}",
            lambda: give_role(desk.ledger, desk.tenant, by=by, person_id=person, role=role),
            dry_run=dry_run,
            json_wanted=json_wanted,
        )


@app.command()
def revoke(
    *,
    tenant: str = TENANT,
    person: str = _WHO,
    role: str = _ROLE,
    by: str = PERSON,
    dry_run: bool = DRY_RUN,
    json_wanted: bool = AS_JSON,
) -> None:
    """Take a role back."""
    with open_desk(tenant, dry_run=dry_run) as desk:
        do(
            f"{by} takes the role {role} from {person}",
            lambda: take_role(desk.ledger, desk.tenant, by=by, person_id=person, role=role),
            dry_run=dry_run,
            json_wanted=json_wanted,
        )


@app.command("deactivate-person")
def deactivate_person(
    *,
    person: str = _WHO,
    by: str = typer.Option(
        OPERATOR, "--by", envvar="RUNWAY_PERSON", help="An administrator of each tenant where they have a role."
    ),
    dry_run: bool = DRY_RUN,
    json_wanted: bool = AS_JSON,
) -> None:
    """Let a person act nowhere any more: their roles with every tenant end, what they did stays."""
    with open_installation() as installation:
        ledger = Ledger(installation.database, clock=installation.clock, dry_run=dry_run)
        do(
            f"{person} is deactivated",
            lambda: deactivate(ledger, by=by, person_id=person),
            dry_run=dry_run,
            json_wanted=json_wanted,
            note=lambda tenants: f"Their roles end with {', '.join(tenants) or 'no tenant: they had none'}.",
        )


@app.command("reactivate-person")
def reactivate_person(
    *,
    person: str = _WHO,
    by: str = typer.Option(
        OPERATOR, "--by", envvar="RUNWAY_PERSON", help="An administrator of a tenant of their firm."
    ),
    dry_run: bool = DRY_RUN,
    json_wanted: bool = AS_JSON,
) -> None:
    """Let a person come back who was deactivated: without roles, which are granted anew."""
    with open_installation() as installation:
        ledger = Ledger(installation.database, clock=installation.clock, dry_run=dry_run)
        do(
            f"{person} may have roles again",
            lambda: reactivate(ledger, by=by, person_id=person),
            dry_run=dry_run,
            json_wanted=json_wanted,
        )


@app.command()
def policy(
    *,
    tenant: str = TENANT,
    changes: list[str] = typer.Argument(
        None, help="name=value to change, for example separation_above_cents=500000; none: show."
    ),
    by: str = typer.Option("", "--by", envvar="RUNWAY_PERSON", help="Who sets it."),
    dry_run: bool = DRY_RUN,
    json_wanted: bool = AS_JSON,
) -> None:
    """Show the approval policy, or put a new version in force. Values are JSON; rules are a list of objects."""
    with open_desk(tenant, dry_run=dry_run) as desk:
        if not changes:
            with desk.look() as look:
                present = in_force(look)
            if json_wanted:
                print_json(plain(present))
                return
            table = Table("Name", "Value")
            for name, value in plain(present).items():
                add_row(table, name, json.dumps(value))
            show_table(table)
            return
        parsed = dict(_change(text) for text in changes)
        do(
            f"{by} changes the policy: {', '.join(changes)}",
            lambda: set_policy(desk.ledger, desk.tenant, by=by, changes=parsed),
            dry_run=dry_run,
            json_wanted=json_wanted,
            note=lambda made: f"It is version {made.version}.",
        )


@app.command()
def alarms(*, tenant: str = TENANT, json_wanted: bool = AS_JSON) -> None:
    """Open alarms with their remedies."""
    with open_desk(tenant) as desk, desk.look() as look:
        rows = open_alarms(look)
    if json_wanted:
        print_json(plain(rows))
        return
    table = Table("Alarm", "Raised (UTC)", "Kind", "Detail", "Remedy")
    for row in rows:
        add_row(table, row["alarm_id"], f"{row['raised_at']:%Y-%m-%d %H:%M}", row["kind"], row["detail"], row["remedy"])
    show_rows(table, none="No open alarms.")


@app.command("resolve-alarm")
def resolve(
    *,
    tenant: str = TENANT,
    alarm: str = typer.Argument(help="Id of the alarm."),
    by: str = PERSON,
    dry_run: bool = DRY_RUN,
    json_wanted: bool = AS_JSON,
) -> None:
    """Say that an alarm was dealt with."""
    with open_desk(tenant, dry_run=dry_run) as desk:
        do(
            f"{by} resolves alarm {alarm}",
            lambda: resolve_alarm(desk.ledger, desk.tenant, by=by, alarm_id=alarm),
            dry_run=dry_run,
            json_wanted=json_wanted,
        )


@app.command("list-payees")
def list_payees(*, tenant: str = TENANT, json_wanted: bool = AS_JSON) -> None:
    """Vendors' bank details: who entered and who confirmed them, never the numbers."""
    with open_desk(tenant) as desk, desk.look() as look:
        found = payees(look)
    if json_wanted:
        print_json(plain(found))
        return
    table = Table("Vendor", "Version", "State", "Account ends with", "Entered by", "Confirmed by")
    for one in found:
        add_row(
            table, one.vendor_id, str(one.version), one.state, one.account_ending, one.set_by, one.confirmed_by or ""
        )
    show_rows(table, none="No bank details yet.")


@app.command("propose-payee")
def propose(
    *,
    tenant: str = TENANT,
    vendor: str = _VENDOR,
    kind: str = typer.Option("checking", help="checking or savings."),
    from_file: Path = typer.Option(
        None, "--from", help="File with routing and account number on two lines; left out: they are asked for."
    ),
    by: str = PERSON,
    dry_run: bool = DRY_RUN,
    json_wanted: bool = AS_JSON,
) -> None:
    """Enter a vendor's bank details; another person confirms them. The numbers are never arguments: those are seen by others."""
    with open_desk(tenant, dry_run=dry_run) as desk:
        details = _details(from_file, kind=kind)
        vault = desk.installation.vault
        do(
            f"{by} proposes bank details of vendor {vendor}",
            lambda: propose_payee(desk.ledger, desk.tenant, by=by, vendor_id=vendor, details=details, vault=vault),
            dry_run=dry_run,
            json_wanted=json_wanted,
            note=lambda made: f"The account ends with {made.account_ending}; another person confirms it.",
        )


@app.command("confirm-payee")
def confirm(
    *,
    tenant: str = TENANT,
    vendor: str = _VENDOR,
    ending: str = typer.Option(..., "--ending", help="The account's last four digits as the vendor told you."),
    by: str = PERSON,
    dry_run: bool = DRY_RUN,
    json_wanted: bool = AS_JSON,
) -> None:
    """Confirm bank details that somebody else entered."""
    with open_desk(tenant, dry_run=dry_run) as desk:
        do(
            f"{by} confirms the bank details of vendor {vendor}",
            lambda: confirm_payee(desk.ledger, desk.tenant, by=by, vendor_id=vendor, account_ending=ending),
            dry_run=dry_run,
            json_wanted=json_wanted,
        )


@app.command("reject-payee")
def reject(
    *,
    tenant: str = TENANT,
    vendor: str = _VENDOR,
    by: str = PERSON,
    dry_run: bool = DRY_RUN,
    json_wanted: bool = AS_JSON,
) -> None:
    """Refuse bank details that somebody entered."""
    with open_desk(tenant, dry_run=dry_run) as desk:
        do(
            f"{by} rejects the bank details of vendor {vendor}",
            lambda: reject_payee(desk.ledger, desk.tenant, by=by, vendor_id=vendor),
            dry_run=dry_run,
            json_wanted=json_wanted,
        )


def _change(text: str) -> tuple[str, Any]:
    name, separator, value = text.partition("=")
    if not separator:
        raise BadRequest(what=f"{text!r} changes nothing.", next_step="Write name=value.")
    try:
        return name, json.loads(value) if value else None
    except json.JSONDecodeError:
        return name, value  # a word


def _details(path: Path | None, *, kind: str) -> BankDetails:
    lines = _lines_of(path) if path is not None else [getpass("Routing number: "), getpass("Account number: ")]
    if len(lines) != 2:  # noqa: PLR2004 - the two numbers
        raise BadRequest(
            what="The file does not hold two numbers.", next_step="Routing number and account number, one a line."
        )
    return BankDetails(routing_number=Secret(lines[0]), account_number=Secret(lines[1]), account_kind=kind)


def _lines_of(path: Path) -> list[str]:
    try:
        return path.read_text().split()
    except OSError as error:
        raise BadRequest(
            what=f"{path} cannot be read: {error.strerror}.", next_step="Name a file with the two numbers."
        ) from error
    except UnicodeDecodeError as error:
        raise BadRequest(what=f"{path} is no text.", next_step="Name a file with the two numbers.") from error
