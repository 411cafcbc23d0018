"""The ledger as it stood when it had taken in the books of a point of view: holds, reserves, proposals and free cash of then.

Belongs here: undoing later acts by the audit, and the sums of then. Does not: the ledger of this moment (`free_cash.py`,
`reserves.py`), what a forecast makes of it (`assets/known_payments.py`).

    known at an instant = everything up to the act that took in the balances read at that instant, and the passing of the day
                          right after it; where no such act is, everything up to the instant

The audit tells each act with what it changed, so later acts are taken back one by one, newest first. What is added later
changes no earlier state: the same instant gives the same answer for ever, once its balances were taken in, as the sync that read
them does right away.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Literal
from urllib.parse import unquote

from sqlalchemy import ColumnElement, Table

from payments.store.bill_tables import BILL_WORKFLOW, DECISION
from payments.store.canonical import entity_name, plain, plain_row
from payments.store.cash_tables import CASH_ACCOUNT, HOLD, RESERVE, RESERVE_MOVEMENT
from payments.store.repository import Look, Row
from payments.store.tables import AUDIT
from runway_calcs.reserves.targets import free_cash_cents

_PAGE = 50
"""Acts read at once on the way back."""
_MOST_NAMED = 500
"""Keys in one statement."""
_TAKEN_IN, _DAY_PASSED = "cash reflected", "day passed"
_RIGHT_AFTER = timedelta(minutes=1)
"""A day that passes later is another one's."""
_STANDING = frozenset({"soft", "pending", "posted"})


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownHold:
    """Money set aside for a decided payment, in home cents."""

    hold_id: str
    decision_id: str
    bill_id: str
    account_id: str
    amount_cents: int
    #: Vendor credits used with it, by QuickBooks' id, in cents: the bill falls by the cash and by these.
    credits: tuple[tuple[str, int], ...]
    #: `soft` is a scheduled payment whose money is set aside later.
    state: Literal["soft", "pending", "posted"]
    pay_on: date
    #: When the books say the payment was entered; None before.
    recorded_at: datetime | None
    #: The reserve it draws on, and by how much of its amount: out of the reserve unless it is `soft`.
    reserve_id: str | None
    drawn_cents: int

    @property
    def settles_cents(self) -> int:
        """What the payment takes off the bill."""
        return self.amount_cents + sum(cents for _, cents in self.credits)


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownProposal:
    """A staged bill: it holds nothing back, and waits for a decision also when the time of its proposal is over."""

    bill_id: str
    #: As proposed; all that is open once the proposal is over, or where the bill was staged by the day it was put off to.
    amount_cents: int


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownReserve:
    """An open reserve and what is in it, in home cents."""

    reserve_id: str
    kind: str
    name: str
    account_id: str
    target_cents: int | None
    target_on: date | None
    #: In it, less what payments have drawn.
    held_cents: int
    #: Drawn by payments that the books do not have yet.
    committed_cents: int
    #: Whether the books count its account as cash.
    is_cash: bool
    #: Payments to them draw on it without being told to.
    vendor_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownCash:
    """One account's free cash: the sum of the view `free_cash` (docs/payments.md, free cash) as it stood, in home cents."""

    account_id: str
    name: str
    basis_cents: int
    floor_cents: int
    reserved_cents: int
    pending_cents: int
    posted_cents: int
    free_cents: int
    read_started_at: datetime
    is_cash: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownLedger:
    """What was known of payments; everything by id. All empty before the ledger took in anything."""

    accounts: tuple[KnownCash, ...]
    holds: tuple[KnownHold, ...]
    reserves: tuple[KnownReserve, ...]
    proposals: tuple[KnownProposal, ...]
    #: Bill and the day on which it is looked at again.
    delayed: tuple[tuple[str, date], ...]
    #: Bills that wait for an approval.
    unapproved_bill_ids: frozenset[str]

    @property
    def free_cents(self) -> int | None:
        """Free cash of all accounts that are cash; None without one."""
        found = [one.free_cents for one in self.accounts if one.is_cash]
        return sum(found) if found else None


def known_ledger(look: Look, *, known_until: datetime) -> KnownLedger:
    """The tenant's ledger as it was known at an instant."""
    state = _State(look, later=_later_acts(look, known_until=known_until))
    holds, reserves = state.rows(HOLD), state.rows(RESERVE)
    movements, accounts = state.rows(RESERVE_MOVEMENT), state.rows(CASH_ACCOUNT)
    bills = [row for row in state.rows(BILL_WORKFLOW) if row["ended_at"] is None]
    decided = [row for row in holds if row["state"] in _STANDING and row["decision_id"] is not None]
    decisions = {row["decision_id"]: row for row in _by_key(look, DECISION, [(one["decision_id"],) for one in decided])}
    is_cash = {row["account_id"]: bool(row["is_cash"]) for row in accounts}
    known_reserves = [_reserve(row, movements=movements, holds=holds, is_cash=is_cash) for row in reserves]
    return KnownLedger(
        accounts=tuple(_cash(row, holds=holds, reserves=known_reserves) for row in accounts),
        holds=tuple(_hold(row, decisions[row["decision_id"]]) for row in decided),
        reserves=tuple(
            one for one, row in zip(known_reserves, reserves, strict=True) if row["closed_at"] is None or one.held_cents
        ),
        proposals=_proposals(bills, holds=holds),
        delayed=tuple(
            (row["bill_id"], date.fromisoformat(row["wake_on"])) for row in bills if row["state"] == "delayed"
        ),
        unapproved_bill_ids=frozenset(row["bill_id"] for row in bills if row["state"] == "awaiting_approval"),
    )


def _later_acts(look: Look, *, known_until: datetime) -> list[Row]:
    """The acts that are not known at an instant, newest first."""
    later: list[Row] = []
    below: int | None = None
    while True:
        within = () if below is None else (AUDIT.c.number < below,)
        page = look.many(AUDIT, *within, order_by=(AUDIT.c.number.desc(),), limit=_PAGE)
        later += [row for row in page if row["at"] > known_until]
        if len(page) < _PAGE or page[-1]["at"] <= known_until:
            break
        below = page[-1]["number"]
    known = _taken_in(later[::-1], read_at=plain(known_until))
    return [row for row in later if row["number"] > known]


def _taken_in(acts: Sequence[Row], *, read_at: str) -> int:
    """Number of the last of these acts (oldest first) that belongs to taking in the balances of a read; 0 of none."""
    for place, act in enumerate(acts):
        changed = [row for name, row in act["after"].items() if name.startswith(f"{CASH_ACCOUNT.name}/")]
        if act["kind"] == _TAKEN_IN and any(row and row.get("read_started_at") == read_at for row in changed):
            after = acts[place + 1] if place + 1 < len(acts) else None
            is_of_it = after is not None and after["kind"] == _DAY_PASSED and after["at"] - act["at"] <= _RIGHT_AFTER
            return int(act["number"]) + int(is_of_it)
    return 0


class _State:
    """Rows as they were before some acts, with plain values, by their names in the audit."""

    def __init__(self, look: Look, *, later: Sequence[Row]) -> None:
        """`later` is taken back in the order given: the newest first."""
        self._rows: dict[str, Row] = {}
        changed = sorted({name for act in later for name in act["after"]})
        standing: Mapping[Table, tuple[ColumnElement[bool], ...]] = {
            CASH_ACCOUNT: (),
            RESERVE: (),
            RESERVE_MOVEMENT: (),
            HOLD: (HOLD.c.state.in_(sorted(_STANDING)),),
            BILL_WORKFLOW: (BILL_WORKFLOW.c.ended_at.is_(None),),
        }
        for table, conditions in standing.items():
            self._add(table, look.many(table, *conditions))
            names = [name.split("/")[1:] for name in changed if name.startswith(f"{table.name}/")]
            if conditions:
                self._add(table, _by_key(look, table, [tuple(map(unquote, keys)) for keys in names]))
        for act in later:
            self._take_back(act)

    def rows(self, table: Table) -> list[Row]:
        """The rows of a table by name."""
        return [row for name, row in sorted(self._rows.items()) if name.startswith(f"{table.name}/")]

    def _add(self, table: Table, rows: Iterable[Row]) -> None:
        keys = _keys(table)
        self._rows |= {entity_name(table.name, *(row[key.name] for key in keys)): plain_row(row) for row in rows}

    def _take_back(self, act: Row) -> None:
        for name, after in act["after"].items():
            before = act["before"].get(name)
            if after is not None and before is None:
                self._rows.pop(name, None)
            elif after is None or name in self._rows:
                self._rows[name] = self._rows.get(name, {}) | (before or {})


def _by_key(look: Look, table: Table, keys: Sequence[tuple[Any, ...]]) -> Iterator[Row]:
    """The rows of these keys; found by the first part of the key, which names few."""
    column, *_ = _keys(table)
    wanted = sorted({key[0] for key in keys})
    for start in range(0, len(wanted), _MOST_NAMED):
        yield from look.many(table, column.in_(wanted[start : start + _MOST_NAMED]))


def _keys(table: Table) -> list[Any]:
    return [column for column in table.primary_key if column.name != "tenant_id"]


def _hold(row: Row, decision: Row) -> KnownHold:
    return KnownHold(
        hold_id=row["hold_id"],
        decision_id=row["decision_id"],
        bill_id=row["bill_id"],
        account_id=row["account_id"],
        amount_cents=row["amount_cents"],
        credits=tuple((one["credit_id"], one["amount_cents"]) for one in decision["credits"]),
        state=row["state"],
        pay_on=decision["pay_on"],
        recorded_at=None if row["recorded_at"] is None else datetime.fromisoformat(row["recorded_at"]),
        reserve_id=decision["reserve_id"],
        drawn_cents=decision["drawn_cents"],
    )


def _proposals(bills: Sequence[Row], *, holds: Sequence[Row]) -> tuple[KnownProposal, ...]:
    staged = {(row["bill_id"], row["cycle"]): row["open_cents"] for row in bills if row["state"] == "staged"}
    proposed = {
        (row["bill_id"], row["cycle"]): row["amount_cents"]
        for row in holds
        if row["state"] == "soft" and row["decision_id"] is None
    }
    amounts = staged | {key: cents for key, cents in proposed.items() if key in staged}
    return tuple(KnownProposal(bill_id=bill_id, amount_cents=cents) for (bill_id, _), cents in sorted(amounts.items()))


def _reserve(row: Row, *, movements: Sequence[Row], holds: Sequence[Row], is_cash: Mapping[str, bool]) -> KnownReserve:
    own = [one for one in movements if one["reserve_id"] == row["reserve_id"]]
    pending = {one["hold_id"] for one in holds if one["state"] == "pending"}
    return KnownReserve(
        reserve_id=row["reserve_id"],
        kind=row["kind"],
        name=row["name"],
        account_id=row["account_id"],
        target_cents=row["target_cents"],
        target_on=None if row["target_on"] is None else date.fromisoformat(row["target_on"]),
        held_cents=sum(one["signed_cents"] for one in own),
        committed_cents=-sum(one["signed_cents"] for one in own if one["kind"] == "draw" and one["hold_id"] in pending),
        is_cash=is_cash.get(row["account_id"], False),
        vendor_ids=tuple(row["vendor_ids"]),
    )


def _cash(row: Row, *, holds: Sequence[Row], reserves: Sequence[KnownReserve]) -> KnownCash:
    own = [one for one in holds if one["account_id"] == row["account_id"]]
    pending, posted = (
        sum(one["amount_cents"] for one in own if one["state"] == state) for state in ("pending", "posted")
    )
    put_by = [one for one in reserves if one.account_id == row["account_id"]]
    reserved = sum(one.held_cents for one in put_by)
    payroll = sum(one.held_cents for one in put_by if one.kind == "payroll")
    return KnownCash(
        account_id=row["account_id"],
        name=row["name"],
        basis_cents=row["basis_cents"],
        floor_cents=row["floor_cents"],
        reserved_cents=reserved,
        pending_cents=pending,
        posted_cents=posted,
        free_cents=free_cash_cents(
            cash_cents=row["basis_cents"],
            floor_cents=row["floor_cents"],
            is_floor_next_payroll=row["floor_kind"] == "next_payroll",
            payroll_reserve_cents=payroll,
            other_reserves_cents=reserved - payroll,
            holds_cents=pending + posted,
        ),
        read_started_at=datetime.fromisoformat(row["read_started_at"]),
        is_cash=bool(row["is_cash"]),
    )
