"""What each override says was missing, computed once more from the log: the cash of its account as it was then.

Belongs here: that part of I5, with arithmetic of its own. Does not: the other invariants (`invariants.py`), what is free now (the
view `free_cash`), declaring an override (`bills/break_glass.py`).
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping

from payments.store.bill_tables import BREAK_GLASS
from payments.store.canonical import entity_name
from payments.store.cash_tables import CASH_ACCOUNT, HOLD, RESERVE, RESERVE_MOVEMENT
from payments.store.repository import Look, Row
from payments.store.tables import AUDIT

#: By table and name, as the log tells them up to an act.
_Told = Mapping[str, Mapping[str, Row]]
_OF_CASH = {table.name for table in (CASH_ACCOUNT, HOLD, RESERVE, RESERVE_MOVEMENT)}


def wrong_overrides(look: Look) -> Iterator[tuple[str, str]]:
    """Overrides that say another amount than their payment alone lacked, and what it was; home cents."""
    stated = {row["break_glass_id"]: row["missing_cents"] for row in look.many(BREAK_GLASS)}
    told: defaultdict[str, dict[str, Row]] = defaultdict(dict)
    for act in look.many(AUDIT):
        overriding = []
        for name, after in act["after"].items():
            table = name.partition("/")[0]
            if table not in _OF_CASH or after is None:
                continue
            told[table][name] = told[table].get(name, {}) | after
            # Told once, when the hold is made.
            if after.get("break_glass_id") in stated:
                overriding.append(told[table][name])
        for hold in overriding:
            glass = hold["break_glass_id"]
            missing = _missing(told, hold)
            if stated[glass] != missing:
                yield glass, f"says that {stated[glass]} was missing for its payment, and it was {missing}"


def _missing(told: _Told, hold: Row) -> int:
    """What the account lacked for this payment beyond what it lacked before; nothing for one that takes its money later."""
    if hold["state"] == "soft":
        return 0
    before, after = _free(told, hold["account_id"], without=hold["hold_id"]), _free(told, hold["account_id"])
    return max(before - after - max(before, 0), 0)


def _free(told: _Told, account_id: str, *, without: str = "") -> int:
    """Free cash of an account; without a hold, and what it drew, it is what was free before."""
    account = told[CASH_ACCOUNT.name][entity_name(CASH_ACCOUNT.name, account_id)]
    kinds = {
        one["reserve_id"]: one["kind"] for one in told[RESERVE.name].values() if one.get("account_id") == account_id
    }
    moved = [
        (kinds[one["reserve_id"]], one["signed_cents"])
        for one in told[RESERVE_MOVEMENT.name].values()
        if one["reserve_id"] in kinds and one["hold_id"] != without
    ]
    floor = account["floor_cents"]
    if account["floor_kind"] == "next_payroll":
        floor = max(floor - sum(cents for kind, cents in moved if kind == "payroll"), 0)
    standing = sum(
        one["amount_cents"]
        for one in told[HOLD.name].values()
        if one.get("account_id") == account_id and one["state"] in {"pending", "posted"} and one["hold_id"] != without
    )
    return int(account["basis_cents"] - floor - sum(cents for _, cents in moved) - standing)
