"""Overrides: a person with the emergency role sets cash or policy aside, and a second person stands in for it within a day.

Belongs here: declaring, confirming, what is overdue, what a week tells of them. Does not: what may be overridden (`rulings.py`).

The record, its reason and what it overrode stay; an override that nobody confirms in time raises an alarm.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from payments.bills.rulings import Payment, Verdict
from payments.controls.alarms import raise_alarm
from payments.controls.people import require
from payments.errors import BadRequest, SamePerson, UnknownHere
from payments.store.bill_tables import BREAK_GLASS
from payments.store.ledger import Ledger
from payments.store.names import new_id
from payments.store.repository import Act, Look, Row
from resources.tenants import TenantId

CONFIRM_WITHIN = timedelta(hours=24)
_SHORTEST_REASON = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Overrides:
    """Overrides as they were known at an instant: those of the days before it, and all that lacked a second person."""

    count: int
    unconfirmed: int


def declare(act: Act, payment: Payment, verdict: Verdict, *, by: str, reason: str | None) -> str:
    """Record the override of what speaks against a payment; without a reason the first refusal is raised."""
    first = next(iter(verdict.overridable.values()))
    if reason is None:
        raise first
    require(act, by, "break_glass")
    if len(reason.strip()) < _SHORTEST_REASON:
        raise BadRequest(
            what="An override needs a reason that somebody else understands.",
            next_step=f"Write at least {_SHORTEST_REASON} characters.",
        )
    break_glass_id = new_id()
    act.kind = "override declared"
    row = {
        "break_glass_id": break_glass_id,
        "bill_id": payment.bill["bill_id"],
        "cycle": payment.bill["cycle"],
        "missing_cents": verdict.missing_cents,
        "overrides": [[about, refusal.what] for about, refusal in verdict.overridable.items()],
        "reason": reason.strip(),
        "declared_by": by,
        "declared_at": act.now,
        "confirm_until": act.now + CONFIRM_WITHIN,
    }
    act.insert(BREAK_GLASS, row)
    return break_glass_id


def confirm_override(ledger: Ledger, tenant: TenantId, *, by: str, break_glass_id: str) -> None:
    """Stand in as the second person of an override; late is recorded as late."""
    with ledger.act(tenant, actor=by, kind="override confirmed") as act:
        require(act, by, "confirm_break_glass")
        row = act.one(BREAK_GLASS, break_glass_id=break_glass_id)
        if row is None or row["confirmed_at"] is not None:
            raise UnknownHere(
                what=f"There is no unconfirmed override {break_glass_id!r}.",
                next_step="`runway decide overrides` lists them.",
            )
        if row["declared_by"] == by:
            raise SamePerson(what=f"{by} declared this override.", next_step="A second person confirms it.")
        act.entity = f"override {break_glass_id}"
        act.update(BREAK_GLASS, {"break_glass_id": break_glass_id}, {"confirmed_by": by, "confirmed_at": act.now})


def known_overrides(look: Look, *, since: datetime, until: datetime) -> Overrides:
    """Those declared after one instant up to another or unconfirmed at the second; what comes later changes no earlier answer."""
    known = look.many(BREAK_GLASS, BREAK_GLASS.c.declared_at <= until)
    lacking = {row["break_glass_id"] for row in known if row["confirmed_at"] is None or row["confirmed_at"] > until}
    told = lacking | {row["break_glass_id"] for row in known if row["declared_at"] > since}
    return Overrides(count=len(told), unconfirmed=len(lacking))


def unconfirmed(look: Look) -> list[Row]:
    """Overrides that no second person has confirmed, by id."""
    return look.many(BREAK_GLASS, BREAK_GLASS.c.confirmed_at.is_(None))


def alarm_overdue(act: Act) -> int:
    """Raise an alarm for each override whose day is over without a second person; how many."""
    overdue = [row for row in unconfirmed(act) if row["confirm_until"] < act.now]
    for row in overdue:
        raise_alarm(
            act,
            kind="override unconfirmed",
            subject=row["break_glass_id"],
            detail=f"{row['declared_by']} overrode {', '.join(about for about, _ in row['overrides'])} "
            f"for bill {row['bill_id']}; no second person confirmed it in time.",
            remedy="Look at the payment with the person who made it, then confirm the override or have the payment undone.",
        )
    return len(overdue)
