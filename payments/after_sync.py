"""What the ledger does with each publication of a sync.

Belongs here: the order of the three steps. Does not: the steps.
"""

from collections.abc import Mapping

from payments.bills.discovery import discover
from payments.cash.reflection import reflect
from payments.sending.clocks import BooksClock
from payments.sending.promotion import pass_day
from payments.store.ledger import Ledger
from resources.tenants import TenantId


def after_sync(
    ledger: Ledger, tenant: TenantId, *, floor_cents: int | None, books_clock: BooksClock
) -> Mapping[str, int]:
    """Take the published bills and balances, then let the day pass: payments that are due need a balance as fresh as this.

    Returns counts by what happened; doing it again changes nothing.
    """
    bills = discover(ledger, tenant)
    cash = reflect(ledger, tenant, floor_cents=floor_cents)
    day = pass_day(ledger, tenant, books_clock=books_clock)
    return {
        "bills_new": bills.new,
        "bills_changed": bills.changed,
        "bills_superseded": bills.superseded,
        "payments_reflected": cash.reflected,
        "accounts_short": len(cash.short),
        "bills_woken": day.woken,
        "batches_due": len(day.batch_ids),
        "payments_to_review": len(day.needs_review),
        "payments_waiting": day.waiting,
        "payments_without_room": day.without_room,
        "days_held_up": int(bool(day.held_up_by)),
    }
