"""Free cash: what may still be decided on, and what holds the rest.

Belongs here: reading it, the refusals, shortfalls. Does not: the sum itself (the view `free_cash`, which the triggers use too).

    free = basis - floor - reserves - pending holds - posted holds that no balance shows yet

The basis is the least of book and bank balance, and what is entered but dated later is taken off it; a bank balance that a person
entered is less by each payment that the books show after it (`reflection.py`). If the floor is the next
payroll, payroll reserves count towards it and not on top. A negative figure is a shortfall: nothing more is granted on the
account until a person resolves it.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, NoReturn

from sqlalchemy import BindParameter, Select, and_, bindparam, cast, exists, func, select

from payments.controls.people import require
from payments.controls.policies import age_seconds
from payments.errors import BadRequest, CashUnknown, InShortfall, NotCash, NotEnoughCash, UnknownHere
from payments.money import shown
from payments.store.bill_tables import BREAK_GLASS
from payments.store.cash_tables import CASH_ACCOUNT, FREE_CASH, HOLD, RESERVE, RESERVE_MOVEMENT, SHORTFALL
from payments.store.ledger import Ledger
from payments.store.names import new_id
from payments.store.repository import Act, Look, Row
from resources.tables import WholeNumber
from resources.tenants import TenantId

_MOST_NAMED = 5
_UNITS = (3600, "hours"), (60, "minutes")


@dataclass(frozen=True, slots=True, kw_only=True)
class FreeCash:
    """One account's sum, in home cents, as of a balance read at `read_started_at`."""

    account_id: str
    name: str
    basis_cents: int
    floor_cents: int
    floor_kind: str
    reserved_cents: int
    payroll_reserved_cents: int
    pending_cents: int
    posted_cents: int
    #: Below zero: that much is missing.
    free_cents: int
    #: What people have overridden with standing payments: so much may be missing.
    overridden_cents: int
    #: Proposals: they hold nothing back.
    soft_cents: int
    read_started_at: datetime
    is_cash: bool
    in_shortfall: bool

    @property
    def short_cents(self) -> int:
        """What is missing beyond what people have overridden."""
        return max(-(self.free_cents + self.overridden_cents), 0)

    def if_reserve_changes(self, signed_cents: int, *, kind: str) -> int:
        """What would be free if a reserve of this kind held so much more, or less.

        Where the floor is the next payroll, what is in payroll reserves is part of it already.
        """
        floor = 0
        if kind == "payroll" and self.floor_kind == "next_payroll":
            lacking = self.floor_cents - self.payroll_reserved_cents
            floor = max(lacking - signed_cents, 0) - max(lacking, 0)
        return self.free_cents - signed_cents - floor


def free_cash(look: Look, account_id: str) -> FreeCash:
    """What is free on an account; `UnknownHere` if the books have no such cash account."""
    found = look.asked(_ONE_ACCOUNT, account_id=account_id)
    if not found:
        known = ", ".join(row["account_id"] for row in look.many(CASH_ACCOUNT)) or "none yet"
        raise UnknownHere(
            what=f"There is no cash account {account_id!r}.",
            next_step=f"Cash accounts of the newest sync: {known}.",
        )
    return _free_cash(found[0])


def all_free_cash(look: Look) -> list[FreeCash]:
    """Every cash account's sum, by id."""
    return [_free_cash(row) for row in look.asked(_EACH_ACCOUNT)]


def _free_cash(row: Row) -> FreeCash:
    return FreeCash(**row | {"is_cash": bool(row["is_cash"]), "in_shortfall": bool(row["in_shortfall"])})


def _accounts() -> Select[Any]:
    """Each account of a tenant with everything that `FreeCash` says of it, in one statement."""
    tenant: BindParameter[str] = bindparam("tenant_id")
    holds = HOLD.c.tenant_id == tenant, HOLD.c.account_id == CASH_ACCOUNT.c.account_id
    soft = select(func.coalesce(func.sum(HOLD.c.amount_cents), 0)).where(*holds, HOLD.c.state == "soft")
    glass = and_(BREAK_GLASS.c.tenant_id == HOLD.c.tenant_id, BREAK_GLASS.c.break_glass_id == HOLD.c.break_glass_id)
    overridden = select(func.coalesce(func.sum(BREAK_GLASS.c.missing_cents), 0)).select_from(
        HOLD.join(BREAK_GLASS, glass)
    )
    short = exists().where(
        SHORTFALL.c.tenant_id == tenant,
        SHORTFALL.c.account_id == CASH_ACCOUNT.c.account_id,
        SHORTFALL.c.resolved_at.is_(None),
    )
    sums = and_(FREE_CASH.c.tenant_id == CASH_ACCOUNT.c.tenant_id, FREE_CASH.c.account_id == CASH_ACCOUNT.c.account_id)
    return (
        select(
            *(column for column in FREE_CASH.c if column.name != "tenant_id"),
            *(CASH_ACCOUNT.c[name] for name in ("name", "floor_kind", "read_started_at", "is_cash")),
            cast(
                overridden.where(*holds, HOLD.c.state.in_(("pending", "posted"))).scalar_subquery(), WholeNumber
            ).label("overridden_cents"),
            cast(soft.scalar_subquery(), WholeNumber).label("soft_cents"),
            short.label("in_shortfall"),
        )
        .select_from(CASH_ACCOUNT.join(FREE_CASH, sums))
        .where(CASH_ACCOUNT.c.tenant_id == tenant)
        .order_by(CASH_ACCOUNT.c.account_id)
    )


_EACH_ACCOUNT = _accounts()
_ONE_ACCOUNT = _EACH_ACCOUNT.where(CASH_ACCOUNT.c.account_id == bindparam("account_id"))


def holders(look: Look, account_id: str) -> list[dict[str, Any]]:
    """What holds the cash of an account, largest first: floor, reserves, holds by bill."""
    account = look.one(CASH_ACCOUNT, account_id=account_id)
    found = [] if account is None or not account["floor_cents"] else [_holder("floor", "", account["floor_cents"])]
    for reserve in look.many(RESERVE, RESERVE.c.account_id == account_id):
        moved = RESERVE_MOVEMENT.c.signed_cents, RESERVE_MOVEMENT
        held = look.total(*moved, RESERVE_MOVEMENT.c.reserve_id == reserve["reserve_id"])
        found += [_holder("reserve", reserve["name"], held)] if held else []
    standing = look.many(HOLD, HOLD.c.account_id == account_id, HOLD.c.state.in_(("pending", "posted")))
    found += [_holder(f"{hold['state']} payment of bill", hold["bill_id"], hold["amount_cents"]) for hold in standing]
    return sorted(found, key=lambda one: (-one["amount_cents"], one["what"], one["which"]))


def _holder(what: str, which: str, amount_cents: int) -> dict[str, Any]:
    return {"what": what, "which": which, "amount_cents": amount_cents}


def refuse_stale(cash: FreeCash, *, now: datetime, max_age_seconds: int) -> None:
    """`CashUnknown` if the balance is too old to decide on."""
    age = age_seconds(cash.read_started_at, now=now)
    if age > max_age_seconds:
        raise CashUnknown(
            what=f"The balance of {cash.name} ({cash.account_id}) was read {_time(age)} ago; "
            f"at most {_time(max_age_seconds)} are allowed for this.",
            next_step="Let the books be read again (a sync), then repeat this.",
            age_seconds=int(age),
        )


def _time(seconds: float) -> str:
    """Whole hours, or minutes and seconds where those would say nothing."""
    unit, name = next((one for one in _UNITS if seconds >= 2 * one[0]), (1, "seconds"))
    return f"{int(seconds // unit)} {name}"


def refuse_not_cash(cash: FreeCash) -> None:
    """`NotCash` if the books no longer count the account as cash."""
    if not cash.is_cash:
        raise NotCash(
            what=f"The books no longer count {cash.name} ({cash.account_id}) as cash.",
            next_step="Choose another account, or look at the account's settings.",
        )


def refuse_unusable(cash: FreeCash) -> None:
    """Refuse an account that is short, or that the books no longer count as cash."""
    refuse_not_cash(cash)
    if cash.in_shortfall:
        missing = cash.short_cents
        raise InShortfall(
            what=f"{cash.name} ({cash.account_id}) was short: more is set aside than is there"
            + (f", by {shown(missing)} now." if missing else "; by now it is covered."),
            next_step="Delay payments or release reserves until it is covered, then `runway reserves resolve-shortfall`.",
            missing_cents=missing,
        )


def refuse_too_little(look: Look, cash: FreeCash, *, needed_cents: int) -> None:
    """`NotEnoughCash` if an amount does not fit into free cash: how much is missing and what holds the rest."""
    if needed_cents > cash.free_cents:
        _too_little(look, cash, needed_cents=needed_cents)


def refuse_short(look: Look, cash: FreeCash) -> None:
    """`NotEnoughCash` if what is set aside is more than is there, beyond what people have overridden."""
    if cash.short_cents:
        _too_little(look, cash, needed_cents=-cash.overridden_cents)


def _too_little(look: Look, cash: FreeCash, *, needed_cents: int) -> NoReturn:
    missing = needed_cents - cash.free_cents
    held = holders(look, cash.account_id)
    named = ", ".join(
        f"{one['what']} {one['which']} {shown(one['amount_cents'])}".replace("  ", " ") for one in held[:_MOST_NAMED]
    )
    more = f" and {len(held) - _MOST_NAMED} more" if len(held) > _MOST_NAMED else ""
    wanted = f"{shown(needed_cents)} does not fit: " if needed_cents > 0 else ""
    raise NotEnoughCash(
        what=f"{wanted}{cash.name} ({cash.account_id}) has {shown(cash.free_cents)} free, "
        f"{shown(missing)} is missing. Of {shown(cash.basis_cents)} there, held by: {named or 'nothing'}{more}.",
        next_step="A smaller amount, a later day, another account, a delayed payment or a released reserve would make room.",
        missing_cents=missing,
        free_cents=cash.free_cents,
        held_by=held,
    )


def note_shortfalls(act: Act, *, cause: str) -> list[str]:
    """Open a shortfall for each account that has less than is set aside; the accounts that are short now."""
    short = [cash for cash in all_free_cash(act) if cash.short_cents]
    for cash in short:
        known = open_shortfall(act, cash.account_id)
        if known is not None:
            act.update(SHORTFALL, {"shortfall_id": known["shortfall_id"]}, {"missing_cents": cash.short_cents})
            continue
        row = {"shortfall_id": new_id(), "account_id": cash.account_id, "missing_cents": cash.short_cents}
        act.insert(SHORTFALL, row | {"cause": cause, "opened_at": act.now})
    return [cash.account_id for cash in short]


def open_shortfall(look: Look, account_id: str) -> Row | None:
    """The account's shortfall that nobody has resolved."""
    return look.one(SHORTFALL, account_id=account_id, resolved_at=None)


def resolve_shortfall(ledger: Ledger, tenant: TenantId, *, by: str, account_id: str, resolution: str) -> None:
    """Allow decisions on the account again; refused while it is still short."""
    with ledger.act(tenant, actor=by, kind="shortfall resolved") as act:
        require(act, by, "resolve_shortfall")
        cash = free_cash(act, account_id)
        known = open_shortfall(act, account_id)
        if known is None:
            raise UnknownHere(what=f"{cash.name} has no open shortfall.", next_step="Nothing has to be done.")
        refuse_short(act, cash)
        act.entity = f"account {account_id}"
        changes = {"resolved_by": by, "resolved_at": act.now, "resolution": resolution}
        act.update(SHORTFALL, {"shortfall_id": known["shortfall_id"]}, changes)


def set_floor(
    ledger: Ledger, tenant: TenantId, *, by: str, account_id: str, floor_cents: int, kind: str = "amount"
) -> None:
    """Set what has to stay on an account: an amount, or the next payroll (which payroll reserves count towards).

    Always accepted; if what is set aside no longer fits, a shortfall is opened with it.
    """
    if floor_cents < 0 or kind not in {"amount", "next_payroll"}:
        raise BadRequest(
            what=f"{shown(floor_cents)} as {kind!r} is no floor.",
            next_step="Give an amount of zero or more, of the kind `amount` or `next_payroll`.",
        )
    with ledger.act(tenant, actor=by, kind="floor set") as act:
        require(act, by, "set_floor")
        free_cash(act, account_id)  # an unknown account is refused with what there is
        act.entity = f"account {account_id}"
        act.update(CASH_ACCOUNT, {"account_id": account_id}, {"floor_cents": floor_cents, "floor_kind": kind})
        note_shortfalls(act, cause="the floor was set")


def enter_bank_balance(ledger: Ledger, tenant: TenantId, *, by: str, account_id: str, bank_cents: int | None) -> None:
    """Enter what the bank says, or take it back (None): free cash starts from the lesser of book and bank."""
    with ledger.act(tenant, actor=by, kind="bank balance entered") as act:
        require(act, by, "set_floor")
        free_cash(act, account_id)
        act.entity = f"account {account_id}"
        account = act.one(CASH_ACCOUNT, account_id=account_id)
        assert account is not None, "it was read in this act"
        changes = {"bank_cents": bank_cents, "bank_as_of": None if bank_cents is None else act.now}
        act.update(CASH_ACCOUNT, {"account_id": account_id}, changes | {"basis_cents": basis_cents(account | changes)})
        note_shortfalls(act, cause="a bank balance was entered")


def basis_cents(account: Row) -> int:
    """What free cash starts from: the book balance less what is dated later, or the bank's if that is less."""
    book = int(account["book_cents"]) + min(int(account["dated_later_cents"]), 0)
    return book if account["bank_cents"] is None else min(book, int(account["bank_cents"]))
