"""Balances into the ledger: what the newest sync published becomes the basis of free cash.

Belongs here: the basis of each account, posted holds that a balance now shows, shortfalls. Does not: bills (`bills/discovery.py`).

A posted hold is let go only by a balance whose read began after the payment was entered: between the two the amount counts twice
against us, never in our favour. What a person read off the bank before the books showed a payment does not show it: the payment
comes off that figure too, for as long as the figure counts. A new balance is always accepted; if it is too little for what is set
aside, a shortfall is opened in the same transaction.
"""

from dataclasses import dataclass
from datetime import timedelta

from payments.cash.free_cash import basis_cents, note_shortfalls
from payments.cash.holds import reflect_posted
from payments.controls.policies import in_force
from payments.store.cash_tables import CASH_ACCOUNT, HOLD
from payments.store.ledger import SYNC, Ledger
from payments.store.repository import Act, Row
from resources.tables import CASH_SNAPSHOT
from resources.tenants import TenantId


@dataclass(frozen=True, slots=True, kw_only=True)
class Reflected:
    """What a publication changed of the cash."""

    accounts: int
    #: Payments that a balance now shows.
    reflected: int
    #: Accounts on which less is there than is set aside.
    short: tuple[str, ...]


def reflect(ledger: Ledger, tenant: TenantId, *, floor_cents: int | None = None) -> Reflected:
    """Take the tenant's published balances as the basis; doing it again changes nothing.

    `floor_cents` is the floor of an account that appears for the first time while it is the only one; people set floors later.
    """
    with ledger.act(tenant, actor=SYNC, kind="cash reflected", point="reflect") as act:
        snapshots = act.many(CASH_SNAPSHOT)
        known = {row["account_id"]: row for row in act.many(CASH_ACCOUNT)}
        first_floor = (floor_cents or 0) if not known and len(snapshots) == 1 else 0
        reflected = 0
        for snapshot in snapshots:
            row = known.get(snapshot["account_id"])
            if row is None:
                _open(act, snapshot, floor_cents=first_floor)
                continue
            posted = _posted_cents(act, snapshot)
            reflected += reflect_posted(
                act,
                account_id=snapshot["account_id"],
                read_started_at=snapshot["read_started_at"],
                sync_id=snapshot["sync_id"],
            )
            _renew(act, snapshot, row, paid_cents=posted - _posted_cents(act, snapshot))
        for account_id in sorted(set(known) - {row["account_id"] for row in snapshots}):
            if snapshots:
                act.update(CASH_ACCOUNT, {"account_id": account_id}, {"is_cash": 0})
        short = note_shortfalls(act, cause="a new balance")
    return Reflected(accounts=len(snapshots), reflected=reflected, short=tuple(short))


def _open(act: Act, snapshot: Row, *, floor_cents: int) -> None:
    """An account that the books have for the first time."""
    row = {"account_id": snapshot["account_id"], **_taken(snapshot), "bank_cents": None, "bank_as_of": None}
    row |= {"floor_cents": floor_cents, "floor_kind": "amount"}
    act.insert(CASH_ACCOUNT, row | {"basis_cents": basis_cents(row)})


def _renew(act: Act, snapshot: Row, known: Row, *, paid_cents: int) -> None:
    """The account with its new balance, which shows so much of payments that the one before did not show."""
    taken = _taken(snapshot)
    # What somebody read off the bank's page counts while it is as fresh as a balance has to be.
    oldest = snapshot["read_started_at"] - timedelta(seconds=in_force(act).snapshot_max_age_seconds)
    if known["bank_as_of"] is not None and known["bank_as_of"] < oldest:
        taken |= {"bank_cents": None, "bank_as_of": None}
    elif known["bank_as_of"] is not None:
        taken |= {"bank_cents": known["bank_cents"] - paid_cents}
    act.update(
        CASH_ACCOUNT, {"account_id": snapshot["account_id"]}, taken | {"basis_cents": basis_cents(known | taken)}
    )


def _posted_cents(act: Act, snapshot: Row) -> int:
    """What the account's payments come to that the books have and no balance shows."""
    posted = HOLD.c.account_id == snapshot["account_id"], HOLD.c.state == "posted"
    return act.total(HOLD.c.amount_cents, HOLD, *posted)


def _taken(snapshot: Row) -> Row:
    return {
        "name": snapshot["name"],
        "book_cents": snapshot["balance_cents"],
        "dated_later_cents": snapshot["dated_later_cents"],
        "sync_id": snapshot["sync_id"],
        "read_started_at": snapshot["read_started_at"],
        "is_cash": 1,
    }
