"""Reserves: cash put by for a purpose, on one account.

Belongs here: opening, allocating, releasing, drawing, closing, utilisation. Does not: how much ought to be put by
(`runway_calcs/reserves/targets.py`).

What is in a reserve is the sum of its movements, which are only added. A payment for its purpose draws on it in the decision's own
transaction, and gives back if it is not made.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from payments.cash.free_cash import FreeCash, free_cash, refuse_stale, refuse_too_little, refuse_unusable
from payments.controls.people import require
from payments.controls.policies import in_force
from payments.errors import BadRequest, NotEnoughCash, UnknownHere
from payments.money import shown
from payments.store.bill_tables import DECISION
from payments.store.cash_tables import HOLD, RESERVE, RESERVE_MOVEMENT
from payments.store.ledger import Ledger
from payments.store.names import new_id
from payments.store.repository import Act, Look, Row
from resources.entry_tables import RESERVE_KINDS
from resources.tenants import TenantId


@dataclass(frozen=True, slots=True, kw_only=True)
class Reserve:
    """A reserve and what became of its money; amounts in home cents."""

    reserve_id: str
    kind: str
    name: str
    account_id: str
    target_cents: int | None
    target_on: date | None
    vendor_ids: tuple[str, ...]
    is_open: bool
    #: In it now.
    held_cents: int
    #: Put in less taken out by people.
    allocated_cents: int
    #: Drawn by payments that are not in the books yet.
    committed_cents: int
    #: Drawn by payments that the books have.
    used_cents: int

    @property
    def utilisation(self) -> float | None:
        """The share of what was allocated that payments have drawn; None if nothing was allocated."""
        return (self.committed_cents + self.used_cents) / self.allocated_cents if self.allocated_cents else None

    @property
    def missing_cents(self) -> int | None:
        """What the target still lacks; None without a target."""
        return None if self.target_cents is None else max(self.target_cents - self.held_cents, 0)


def open_reserve(
    ledger: Ledger,
    tenant: TenantId,
    *,
    by: str,
    kind: str,
    name: str,
    account_id: str,
    target_cents: int | None = None,
    target_on: date | None = None,
    vendor_ids: Sequence[str] = (),
) -> str:
    """Open an empty reserve on a cash account; its id. Payments to `vendor_ids` draw on it without being told to."""
    if kind not in RESERVE_KINDS or not name.strip() or (target_cents is not None and target_cents <= 0):
        raise BadRequest(
            what=f"A {kind!r} reserve called {name!r} with the target {target_cents} cannot be.",
            next_step=f"Kinds: {', '.join(RESERVE_KINDS)}. It needs a name, and its target is more than nothing.",
        )
    with ledger.act(tenant, actor=by, kind="reserve opened") as act:
        require(act, by, "reserve")
        free_cash(act, account_id)
        reserve_id = new_id()
        act.entity = f"reserve {reserve_id}"
        row: Row = {"reserve_id": reserve_id, "kind": kind, "name": name, "account_id": account_id}
        row |= {"target_cents": target_cents, "target_on": target_on, "vendor_ids": sorted(vendor_ids)}
        act.insert(RESERVE, row | {"opened_by": by, "opened_at": act.now})
    return reserve_id


def set_target(
    ledger: Ledger, tenant: TenantId, *, by: str, reserve_id: str, target_cents: int | None, target_on: date | None
) -> None:
    """Change what a reserve is meant to reach, and when."""
    if target_cents is not None and target_cents <= 0:
        raise BadRequest(what="A target is more than nothing.", next_step="Leave it out for a reserve without one.")
    with ledger.act(tenant, actor=by, kind="reserve target set") as act:
        require(act, by, "reserve")
        _open(act, reserve_id)
        act.entity = f"reserve {reserve_id}"
        act.update(RESERVE, {"reserve_id": reserve_id}, {"target_cents": target_cents, "target_on": target_on})


def allocate(
    ledger: Ledger, tenant: TenantId, *, by: str, reserve_id: str, amount_cents: int, reason: str, request_key: str
) -> int:
    """Put free cash into a reserve; what is in it then. `NotEnoughCash` if it does not fit."""
    content = {"reserve_id": reserve_id, "amount_cents": amount_cents, "reason": reason}
    with ledger.act(tenant, actor=by, kind="reserve allocated", point="reserve") as act:
        require(act, by, "reserve")
        if (earlier := act.repeated(request_key, verb="allocate", content=content)) is not None:
            return int(earlier)
        reserve = _open(act, reserve_id)
        _refuse_nothing(amount_cents)
        cash = free_cash(act, reserve["account_id"])
        refuse_unusable(cash)
        refuse_stale(cash, now=act.now, max_age_seconds=in_force(act).snapshot_max_age_seconds)
        left = cash.if_reserve_changes(amount_cents, kind=reserve["kind"])
        refuse_too_little(act, cash, needed_cents=cash.free_cents - left)
        act.entity = f"reserve {reserve_id}"
        move_money(act, reserve_id=reserve_id, kind="allocate", amount_cents=amount_cents, reason=reason)
        held = balance(act, reserve_id)
        act.answer(request_key, verb="allocate", content=content, answer=held)
    return held


def release(
    ledger: Ledger, tenant: TenantId, *, by: str, reserve_id: str, amount_cents: int, reason: str, request_key: str
) -> int:
    """Take money out of a reserve; what is left in it."""
    content = {"reserve_id": reserve_id, "amount_cents": amount_cents, "reason": reason}
    with ledger.act(tenant, actor=by, kind="reserve released", point="reserve") as act:
        require(act, by, "reserve")
        if (earlier := act.repeated(request_key, verb="release", content=content)) is not None:
            return int(earlier)
        _open(act, reserve_id)
        _refuse_nothing(amount_cents)
        refuse_overdraw(act, reserve_id, amount_cents=amount_cents)
        act.entity = f"reserve {reserve_id}"
        move_money(act, reserve_id=reserve_id, kind="release", amount_cents=amount_cents, reason=reason)
        held = balance(act, reserve_id)
        act.answer(request_key, verb="release", content=content, answer=held)
    return held


def close(ledger: Ledger, tenant: TenantId, *, by: str, reserve_id: str) -> None:
    """Close an empty reserve of which no standing payment may give something back."""
    with ledger.act(tenant, actor=by, kind="reserve closed") as act:
        require(act, by, "reserve")
        reserve = described(act, _open(act, reserve_id))
        if reserve.held_cents or reserve.committed_cents:
            raise BadRequest(
                what=f"The reserve {reserve.name!r} holds {shown(reserve.held_cents)}, and {shown(reserve.committed_cents)} of it "
                "is in payments that are not made yet.",
                next_step="Release what is in it, and wait for the payments.",
            )
        act.entity = f"reserve {reserve_id}"
        act.update(RESERVE, {"reserve_id": reserve_id}, {"closed_at": act.now})


def reserves(look: Look) -> list[Reserve]:
    """All reserves by id."""
    return [described(look, row) for row in look.many(RESERVE)]


def described(look: Look, row: Row) -> Reserve:
    """A reserve with the sums of its movements."""
    movements = look.many(RESERVE_MOVEMENT, RESERVE_MOVEMENT.c.reserve_id == row["reserve_id"])
    holds = {one["hold_id"] for one in movements if one["hold_id"]}
    states = {hold["hold_id"]: hold["state"] for hold in look.many(HOLD, HOLD.c.hold_id.in_(holds))}
    drawn = [(states[one["hold_id"]], -one["signed_cents"]) for one in movements if one["kind"] == "draw"]
    return Reserve(
        reserve_id=row["reserve_id"],
        kind=row["kind"],
        name=row["name"],
        account_id=row["account_id"],
        target_cents=row["target_cents"],
        target_on=row["target_on"],
        vendor_ids=tuple(row["vendor_ids"]),
        is_open=row["closed_at"] is None,
        held_cents=sum(one["signed_cents"] for one in movements),
        allocated_cents=sum(one["signed_cents"] for one in movements if one["hold_id"] is None),
        committed_cents=sum(cents for state, cents in drawn if state == "pending"),
        used_cents=sum(cents for state, cents in drawn if state in {"posted", "reflected"}),
    )


def balance(look: Look, reserve_id: str) -> int:
    """What is in a reserve."""
    return look.total(RESERVE_MOVEMENT.c.signed_cents, RESERVE_MOVEMENT, RESERVE_MOVEMENT.c.reserve_id == reserve_id)


def for_payment(
    look: Look,
    *,
    reserve_id: str | None,
    vendor_id: str,
    account_id: str,
    amount_cents: int,
    held: Callable[[str], int],
) -> Row | None:
    """The reserve a payment draws on: the named one, or of the vendor's open ones on that account the one that bears most of it.

    `held` says what is in a reserve; of two that bear the same it is the first by id.
    """
    if reserve_id is not None:
        named = _open(look, reserve_id)
        if named["account_id"] != account_id:
            raise BadRequest(
                what=f"The reserve {named['name']!r} is on account {named['account_id']}, the payment comes from {account_id}.",
                next_step="Pay from the reserve's account, or without the reserve.",
            )
        return named
    on_account = look.many(RESERVE, account_id=account_id, closed_at=None)
    of_vendor = [row for row in on_account if vendor_id in row["vendor_ids"]]
    return max(of_vendor, key=lambda row: min(held(row["reserve_id"]), amount_cents), default=None)


def needed_beside_reserve(
    look: Look, cash: FreeCash, *, amount_cents: int, reserve_id: str | None, drawn_cents: int
) -> int:
    """What a payment takes of free cash once it has drawn on its reserve."""
    row = None if reserve_id is None else look.one(RESERVE, reserve_id=reserve_id)
    room = cash.free_cents if row is None else cash.if_reserve_changes(-drawn_cents, kind=row["kind"])
    return amount_cents - (room - cash.free_cents)


def refuse_without_room(
    look: Look, cash: FreeCash, *, amount_cents: int, reserve_id: str | None, drawn_cents: int
) -> None:
    """`NotEnoughCash` if a payment does not fit into what is free once it has drawn on its reserve."""
    needed = needed_beside_reserve(
        look, cash, amount_cents=amount_cents, reserve_id=reserve_id, drawn_cents=drawn_cents
    )
    refuse_too_little(look, cash, needed_cents=needed)


def refuse_overdraw(look: Look, reserve_id: str, *, amount_cents: int) -> None:
    """`NotEnoughCash` if the reserve holds less."""
    held = balance(look, reserve_id)
    if amount_cents > held:
        drawing = look.many(DECISION, DECISION.c.reserve_id == reserve_id, DECISION.c.drawn_cents > 0)
        raise NotEnoughCash(
            what=f"The reserve holds {shown(held)}; {shown(amount_cents - held)} is missing for {shown(amount_cents)}.",
            next_step="Take less, or allocate to it first; delaying a payment that drew on it gives its draw back.",
            missing_cents=amount_cents - held,
            held_by=[
                {"what": "payment of bill", "which": one["bill_id"], "amount_cents": one["drawn_cents"]}
                for one in drawing
            ],
        )


def move_money(
    act: Act, *, reserve_id: str, kind: str, amount_cents: int, reason: str, hold_id: str | None = None
) -> None:
    """Add a movement of a reserve."""
    moved = act.many(RESERVE_MOVEMENT, reserve_id=reserve_id)
    row = {
        "reserve_id": reserve_id,
        "number": len(moved) + 1,
        "kind": kind,
        "signed_cents": amount_cents if kind in {"allocate", "return"} else -amount_cents,
        "hold_id": hold_id,
        "made_by": act.actor,
        "made_at": act.now,
        "reason": reason,
    }
    act.insert(RESERVE_MOVEMENT, row)


def _open(look: Look, reserve_id: str) -> Row:
    row = look.one(RESERVE, reserve_id=reserve_id)
    if row is None or row["closed_at"] is not None:
        raise UnknownHere(
            what=f"There is no open reserve {reserve_id!r}.", next_step="`runway reserves held` lists the reserves."
        )
    return row


def _refuse_nothing(amount_cents: int) -> None:
    if amount_cents <= 0:
        raise BadRequest(
            what=f"{shown(amount_cents)} cannot be moved.", next_step="Give an amount of more than nothing."
        )
