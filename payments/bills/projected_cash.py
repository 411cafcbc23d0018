"""What supposed payments do to the week's forecast, from the draws that were published with it.

Belongs here: joining what is staged, decided or named with the draws. Does not: the draws and the arithmetic
(`runway_calcs/forecast/what_if_draws.py`), the cash check of a batch (`what_if.py`: free cash, docs/payments.md).

The two answer different questions. Free cash says whether a payment may be decided on; the forecast says what it does to the weeks
ahead. The forecast is as old as the books it was made from: what was decided before is in it already.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from payments.bills.cycles import newest_decision
from payments.bills.what_if import Projection, Supposed
from payments.cash.holds import live_hold
from payments.store.bill_tables import BILL_WORKFLOW, DECISION
from payments.store.repository import Look, Row
from runway_calcs.forecast.what_if_draws import SupposedPayment, WhatIfDraws, what_if_effect

_UNSENT = ("decided", "scheduled", "batched")


def projection(draws: WhatIfDraws, *, floor_cents: int) -> Projection:
    """What a forecast's draws say of supposed payments: the fields of `WhatIfEffect`, plain values."""

    def project(payments: Sequence[Supposed]) -> Mapping[str, Any]:
        effect = what_if_effect(
            draws,
            floor_cents=floor_cents,
            payments=[
                SupposedPayment(bill_id=one.bill_id, on=one.pay_on, cents=one.amount_cents)
                for one in payments
                if one.amount_cents > 0
            ],
        )
        return asdict(effect)

    return project


def staged_and_decided(look: Look, *, account_id: str | None = None) -> tuple[Supposed, ...]:
    """What is proposed, and what is decided and not on its way, as it stands, by bill; of one account or of all.

    A proposal is supposed to be paid today.
    """
    found = []
    for bill in look.many(BILL_WORKFLOW, BILL_WORKFLOW.c.state.in_(("staged", *_UNSENT))):
        hold = live_hold(look, bill)
        if hold is None or (account_id is not None and hold["account_id"] != account_id):
            continue
        decision = newest_decision(look, bill) if hold["decision_id"] is not None else None
        day = look.today if decision is None else max(decision["pay_on"], look.today)
        found.append(_supposed(hold, pay_on=day, reserve_id=None if decision is None else decision["reserve_id"]))
    return tuple(found)


def of_decisions(look: Look, decision_ids: Sequence[str]) -> tuple[Supposed, ...]:
    """The payments of decisions, as they stand."""
    found = []
    for decision_id in decision_ids:
        decision = look.one(DECISION, decision_id=decision_id)
        if decision is not None and decision["account_id"] is not None:
            day = max(decision["pay_on"], look.today)
            found.append(_supposed(decision, pay_on=day, reserve_id=decision["reserve_id"]))
    return tuple(found)


def _supposed(row: Row, *, pay_on: Any, reserve_id: str | None) -> Supposed:
    return Supposed(
        bill_id=row["bill_id"],
        account_id=row["account_id"],
        amount_cents=row["amount_cents"],
        pay_on=pay_on,
        reserve_id=reserve_id,
    )
