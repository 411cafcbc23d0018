"""Banking: what lies in Undeposited Funds goes to the bank every few days, several receipts in one deposit.

Belongs here: Deposit entries that group payments and sales receipts. Does not: receiving the money.
"""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, time

from qbo_sandbox.generate.chart import CHECKING, MERCHANT_FEES, account_ref
from qbo_sandbox.generate.office import days
from qbo_sandbox.generate.plan import Plan
from qbo_sandbox.generate.timeline import Entry, Json, linked, money

_KEYED_AT = time(16, 40)
_MERCHANT_FEE_PER_MILLE = 29


def deposit_entries(plan: Plan, received: Sequence[Entry]) -> Iterator[Entry]:
    """The deposits of everything received so far, on the size's banking days."""
    waiting = sorted((entry for entry in received if entry.undeposited_cents), key=lambda entry: entry.at)
    first = 0
    for day in days(plan.start, plan.as_of):
        if day.weekday() not in plan.size.deposit_weekdays:
            continue
        at = plan.office.at(day, _KEYED_AT)
        last = _first_after(waiting, at, first)
        if last > first:
            yield _deposit(waiting[first:last], day, at)
        first = last


def _first_after(waiting: Sequence[Entry], at: datetime, start: int) -> int:
    position = start
    while position < len(waiting) and waiting[position].at < at:
        position += 1
    return position


def _deposit(batch: Sequence[Entry], day: date, at: datetime) -> Entry:
    total = sum(entry.undeposited_cents for entry in batch)
    by_shop = sum(entry.undeposited_cents for entry in batch if entry.entity == "SalesReceipt")
    lines = [linked(entry.key, entry.entity, entry.undeposited_cents) for entry in batch]
    fee = by_shop * _MERCHANT_FEE_PER_MILLE // 1000
    if fee:
        # The processor pays out net; the books show the gross receipts and the fee as a negative line.
        lines.append(_fee_line(fee))
    body: Json = {
        "DepositToAccountRef": account_ref(CHECKING),
        "TxnDate": day.isoformat(),
        "Line": lines,
    }
    return Entry(at=at, on=day, entity="Deposit", key=f"deposit:{day.isoformat()}", body=body, cash_cents=total - fee)


def _fee_line(cents: int) -> Json:
    return {
        "DetailType": "DepositLineDetail",
        "Amount": money(-cents),
        "Description": "Processing fee",
        "DepositLineDetail": {"AccountRef": account_ref(MERCHANT_FEES)},
    }
