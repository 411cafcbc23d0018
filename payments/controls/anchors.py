"""The head of the audit kept elsewhere, and the daily proof that the log still contains it.

Belongs here: what is anchored, the check against it, the alarm. Does not: where anchors are kept (`pipelines/anchoring.py`), the
chain itself (`store/audit.py`).

Whoever can write the database can write a whole chain anew, or put an older copy in its place, and each is sound in itself. The
head that somebody else has noted down tells: the log has to have that row, with that hash.
"""

from dataclasses import dataclass
from datetime import datetime

from payments.controls.alarms import raise_alarm
from payments.store.audit import Verified, head, verify
from payments.store.ledger import Ledger
from payments.store.repository import Look
from payments.store.tables import AUDIT
from resources.tenants import TenantId

ACTOR = "system:verify"
_MOST_SHOWN = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchor:
    """A row of the audit by number and hash: everything before it is in the hash. 0 and empty before the first act."""

    number: int
    hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """What a verification found of a tenant's log."""

    #: Its head, to be anchored.
    head: Anchor
    #: What is wrong, each in words; empty if nothing.
    problems: tuple[str, ...]


def present_anchor(ledger: Ledger, tenant: TenantId) -> Anchor:
    """The head as it is now."""
    with ledger.look(tenant) as look:
        number, link = head(look)
    return Anchor(number=number, hash=link)


def known_anchor(look: Look, *, known_until: datetime) -> Anchor:
    """The head as it was at an instant; what is added later changes no earlier answer."""
    found = look.many(AUDIT, AUDIT.c.at <= known_until, order_by=(AUDIT.c.number.desc(),), limit=1)
    return Anchor(number=found[0]["number"], hash=found[0]["hash"]) if found else Anchor(number=0, hash="")


def verify_history(ledger: Ledger, tenant: TenantId, *, anchored: Anchor | None) -> History:
    """Compute the chain again, replay it against the tables and look for the anchored row in it; an alarm if anything is wrong."""
    with ledger.look(tenant) as look:
        verified = verify(look)
        problems = (*_in_itself(verified), *_against(look, anchored, rows=verified.rows))
    if problems:
        with ledger.act(tenant, actor=ACTOR, kind="history doubted") as act:
            raise_alarm(
                act,
                kind="history broken",
                subject="audit",
                detail="; ".join(problems),
                remedy="`runway ledger verify` tells more; compare the ledger with its backups. If a backup was put back, run "
                "`runway batch compare` and resolve this alarm. Otherwise somebody wrote past the program: finalize nothing until "
                "it is clear who and what.",
            )
    return History(head=Anchor(number=verified.rows, hash=verified.head), problems=problems)


def _in_itself(verified: Verified) -> list[str]:
    found = []
    if verified.broken:
        found.append(
            f"{len(verified.broken)} rows of the log do not follow from those before ({_some(verified.broken)})"
        )
    if verified.different:
        found.append(
            f"{len(verified.different)} rows of the tables are not what the log tells ({_some(verified.different)})"
        )
    return found


def _against(look: Look, anchored: Anchor | None, *, rows: int) -> list[str]:
    if anchored is None or anchored.number == 0:
        return []
    row = look.one(AUDIT, number=anchored.number)
    if row is not None and row["hash"] == anchored.hash:
        return []
    there = f"ends at row {rows}" if row is None else f"has another row {anchored.number}"
    return [f"the log had come to row {anchored.number} ({anchored.hash[:12]}), and now {there}"]


def _some(lines: tuple[str, ...]) -> str:
    more = len(lines) - _MOST_SHOWN
    return ", ".join(lines[:_MOST_SHOWN]) + (f" and {more} more" if more > 0 else "")
