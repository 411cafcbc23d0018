"""Bills into the workflow: what the newest sync published, compared with what the ledger holds.

Belongs here: new bills, changed ones, ones that are gone, vendors that are new. Does not: balances (`cash/reflection.py`), reading
QuickBooks.

What is read here is published: it only hints. A payment looks at the bill itself again before it is sent.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from payments.bills.approvals import back_to_approval
from payments.bills.cycles import move, named
from payments.bills.fingerprint import content_of, fingerprint
from payments.bills.postponing import supersede
from payments.controls.people import require
from payments.errors import UnknownHere, WrongState
from payments.store.bill_tables import BILL_WORKFLOW, VENDOR_WATCH
from payments.store.cash_tables import CASH_ACCOUNT
from payments.store.ledger import SYNC, Ledger
from payments.store.repository import Act, Row
from resources.tables import CASH_SNAPSHOT, OPEN_BILL
from resources.tenants import TenantId

_FACTS = (
    "vendor_id",
    "vendor_name",
    "doc_number",
    "txn_date",
    "due_date",
    "currency",
    "total_cents",
    "open_cents",
    "ap_account_id",
    "lines_sha256",
    "sync_token",
    "read_started_at",
)
#: What may differ without the bill being another: the fingerprint does not cover it.
_NOTED = ("vendor_name", "doc_number", "txn_date", "sync_token")
#: Nothing stands on such a bill yet: it is changed in place and approved again.
_UNDECIDED = frozenset({"discovered", "awaiting_approval", "approved", "staged", "delayed"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Discovered:
    """What a publication changed in the workflow."""

    new: int
    changed: int
    superseded: int
    #: Changed or gone in QuickBooks while a payment of ours is under way: the payment's own look decides.
    left_to_payment: int


def discover(ledger: Ledger, tenant: TenantId) -> Discovered:
    """Take the tenant's published bills into the workflow; doing it again changes nothing.

    Bills in another currency stay `discovered`: they are paid in QuickBooks.
    """
    with ledger.act(tenant, actor=SYNC, kind="bills discovered") as act:
        published = {row["bill_id"]: row for row in act.many(OPEN_BILL)}
        read_at = _published_at(act)
        if read_at is None:
            return Discovered(new=0, changed=0, superseded=0, left_to_payment=0)
        running = {row["bill_id"]: row for row in act.many(BILL_WORKFLOW, BILL_WORKFLOW.c.ended_at.is_(None))}
        _watch_vendors(act, published)
        changed = superseded = left = 0
        for bill_id, bill in running.items():
            fresh = published.get(bill_id)
            if fresh is not None and fingerprint(content_of(fresh)) == bill["fingerprint"]:
                _note(act, bill, fresh)
            elif fresh is not None and bill["state"] in _UNDECIDED:
                _change(act, bill, fresh)
                changed += 1
            elif read_at <= bill["read_started_at"]:
                continue
            elif supersede(act, bill, because="changed in QuickBooks" if fresh else "no longer open in QuickBooks"):
                superseded += 1
            else:
                left += 1
        cycles = _newest_cycles(act)
        still = {row["bill_id"] for row in act.many(BILL_WORKFLOW, BILL_WORKFLOW.c.ended_at.is_(None))}
        begun = [
            _first_row(act, fresh, cycle=_next(cycles.get(bill_id)))
            for bill_id, fresh in published.items()
            if bill_id not in still and _is_due_again(cycles.get(bill_id), fresh, running=running)
        ]
        act.insert(BILL_WORKFLOW, begun)
    return Discovered(new=len(begun), changed=changed, superseded=superseded, left_to_payment=left)


def reopen(ledger: Ledger, tenant: TenantId, *, by: str, bill_id: str) -> int:
    """Take a withdrawn bill back into the workflow, from what the newest sync published; its new cycle."""
    with ledger.act(tenant, actor=by, kind="bill reopened") as act:
        require(act, by, "withdraw")
        ended = _newest_cycles(act).get(bill_id)
        fresh = act.many(OPEN_BILL, OPEN_BILL.c.bill_id == bill_id)
        if ended is None or not fresh:
            raise UnknownHere(
                what=f"There is no withdrawn bill {bill_id!r} that is still open.",
                next_step="`runway bills list --all` shows all.",
            )
        if ended["state"] not in {"withdrawn", "written_off"}:
            raise WrongState(
                what=f"Bill {bill_id} is {ended['state'].replace('_', ' ')}, not withdrawn.",
                next_step="Nothing has to be done.",
            )
        row = _first_row(act, fresh[0], cycle=_next(ended))
        act.insert(BILL_WORKFLOW, row)
        act.entity = named(row)
    return int(row["cycle"])


def _published_at(act: Act) -> datetime | None:
    """When the read of the newest publication began."""
    found = [row["read_started_at"] for table in (OPEN_BILL, CASH_SNAPSHOT) for row in act.many(table, limit=1)]
    return max(found) if found else None


def _watch_vendors(act: Act, published: Mapping[str, Row]) -> None:
    known = {row["vendor_id"]: row for row in act.many(VENDOR_WATCH)}
    names = {row["vendor_id"]: row["vendor_name"] for _, row in sorted(published.items())}
    # Those of the very first publication were there before the ledger; it may have had no open bill, but then it had cash.
    since = act.now if known or act.many(CASH_ACCOUNT, limit=1) else None
    rows = [
        {"vendor_id": vendor, "name": names[vendor], "new_since": since} for vendor in sorted(set(names) - set(known))
    ]
    act.insert(VENDOR_WATCH, rows)
    for vendor in sorted(set(names) & set(known)):
        if known[vendor]["name"] != names[vendor]:
            act.update(VENDOR_WATCH, {"vendor_id": vendor}, {"name": names[vendor], "changed_at": act.now})


def _note(act: Act, bill: Row, fresh: Row) -> None:
    changes = {name: fresh[name] for name in _NOTED if fresh[name] != bill[name]}
    if bill["state"] == "discovered":
        _admit(act, bill, fresh)
    if changes:
        act.update(BILL_WORKFLOW, {"bill_id": bill["bill_id"], "cycle": bill["cycle"]}, changes)


def _admit(act: Act, bill: Row, fresh: Row) -> None:
    """Let a bill wait for approval if nothing speaks against it any more."""
    reason = _why_not(fresh)
    if reason is None:
        move(act, bill, to="awaiting_approval")
    else:
        act.update(BILL_WORKFLOW, {"bill_id": bill["bill_id"], "cycle": bill["cycle"]}, {"reason": reason})


def _change(act: Act, bill: Row, fresh: Row) -> None:
    """Take over the new content of a bill on which nothing stands; it is approved again."""
    if fresh["vendor_id"] != bill["vendor_id"]:
        supersede(act, bill, because="the vendor was changed in QuickBooks")
        return
    changes = {name: fresh[name] for name in _FACTS} | {"fingerprint": fingerprint(content_of(fresh))}
    row = act.update(BILL_WORKFLOW, {"bill_id": bill["bill_id"], "cycle": bill["cycle"]}, changes)
    if row["state"] == "discovered":
        _admit(act, row, fresh)
    else:
        back_to_approval(act, row, because="the bill was changed in QuickBooks")


def _first_row(act: Act, fresh: Row, *, cycle: int) -> Row:
    """A bill as its cycle begins: it waits for approval, or says why it cannot be paid from here."""
    reason = _why_not(fresh)
    return {
        "bill_id": fresh["bill_id"],
        "cycle": cycle,
        "state": "awaiting_approval" if reason is None else "discovered",
        **{name: fresh[name] for name in _FACTS},
        "fingerprint": fingerprint(content_of(fresh)),
        "discovered_at": act.now,
        "reason": reason,
    }


def _why_not(fresh: Row) -> str | None:
    if fresh["currency"] != fresh["home_currency"]:
        return (
            f"it is in {fresh['currency']}: pay it in QuickBooks"
            if fresh["home_currency"]
            else "the next sync completes it"
        )
    if fresh["open_cents"] <= 0:
        return "nothing of it is owed"
    return None if fresh["vendor_id"] else "it names no vendor"


def _newest_cycles(act: Act) -> dict[str, Row]:
    rows = act.many(BILL_WORKFLOW, order_by=(BILL_WORKFLOW.c.bill_id, BILL_WORKFLOW.c.cycle))
    return {row["bill_id"]: row for row in rows}


def _next(ended: Row | None) -> int:
    return 1 if ended is None else int(ended["cycle"]) + 1


def _is_due_again(ended: Row | None, fresh: Row, *, running: Mapping[str, Row]) -> bool:
    """Whether an open bill begins a cycle: never seen, superseded by now, or read after its last one ended and not put aside."""
    if ended is None or fresh["bill_id"] in running:
        return True
    if fresh["read_started_at"] <= ended["ended_at"]:
        return False
    is_same = fingerprint(content_of(fresh)) == ended["fingerprint"]
    return not (is_same and ended["state"] in {"withdrawn", "written_off"})
