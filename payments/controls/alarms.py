"""Alarms: what a person has to look at, with the remedy.

Belongs here: raising, resolving, those that are open. Does not: what is alarming.
"""

from payments.controls.people import require
from payments.errors import UnknownHere
from payments.store.ledger import Ledger
from payments.store.names import new_id
from payments.store.repository import Act, Look, Row
from payments.store.tables import ALARM
from resources.tenants import TenantId


def raise_alarm(act: Act, *, kind: str, subject: str, detail: str, remedy: str) -> str:
    """Raise an alarm, or keep the one of this kind and subject that is open, with the newest detail; its id."""
    already = act.many(ALARM, ALARM.c.kind == kind, ALARM.c.subject == subject, ALARM.c.resolved_at.is_(None))
    if already:
        alarm_id = str(already[0]["alarm_id"])
        act.update(ALARM, {"alarm_id": alarm_id}, {"detail": detail, "remedy": remedy})
        return alarm_id
    alarm_id = new_id()
    row = {"alarm_id": alarm_id, "kind": kind, "subject": subject, "detail": detail, "remedy": remedy}
    act.insert(ALARM, row | {"raised_at": act.now})
    return alarm_id


def open_alarms(look: Look) -> list[Row]:
    """The alarms that nobody has dealt with yet, in the order in which they were raised."""
    return look.many(ALARM, ALARM.c.resolved_at.is_(None), order_by=(ALARM.c.raised_at, ALARM.c.alarm_id))


def was_resolved(look: Look, *, kind: str, subject: str, detail: str) -> bool:
    """Whether the last alarm of this kind and subject said just this, and a person has dealt with it."""
    newest = (ALARM.c.raised_at.desc(), ALARM.c.alarm_id)
    last = look.many(ALARM, order_by=newest, limit=1, kind=kind, subject=subject)
    return bool(last) and last[0]["resolved_at"] is not None and last[0]["detail"] == detail


def resolve_alarm(ledger: Ledger, tenant: TenantId, *, by: str, alarm_id: str) -> None:
    """Say that an alarm was dealt with."""
    with ledger.act(tenant, actor=by, kind="alarm resolved") as act:
        require(act, by, "review")
        row = act.one(ALARM, alarm_id=alarm_id)
        if row is None or row["resolved_at"] is not None:
            raise UnknownHere(
                what=f"There is no open alarm {alarm_id!r}.", next_step="`runway ledger alarms` lists the open ones."
            )
        act.entity = f"alarm {alarm_id}"
        act.update(ALARM, {"alarm_id": alarm_id}, {"resolved_by": by, "resolved_at": act.now})
